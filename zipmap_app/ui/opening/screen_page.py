"""A part of the screen as a source: chosen with the mouse or by numbers."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from zipmap_app.ui.controls import number_box, push_button, show_number, wrapped_label
from zipmap_app.ui.theme import PALETTE

_MIN_SIDE = 64


class ScreenPage(QWidget):
    """A whole monitor, or a rectangle of it in its pixels."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picker: RegionPicker | None = None
        self.what = QComboBox()
        for index, screen in enumerate(QGuiApplication.screens(), start=1):
            size = screen.size() * screen.devicePixelRatio()
            self.what.addItem(f"Monitor {index}  ({size.width()} × {size.height()})", f"screen:{index}")
        self.what.addItem("A part of the screen", "")
        self.what.setToolTip("What of the screen to look at")
        self.what.currentIndexChanged.connect(self._on_changed)
        self._pick = push_button("Draw with the mouse…", "Drag a rectangle over the screen", "screen")
        self._pick.clicked.connect(self.pick)
        names = ("Left", "Top", "Width", "Height")
        self.numbers = tuple(
            number_box(f"{name} of the part, in pixels", minimum, 20000, decimals=0, step=10)
            for name, minimum in zip(names, (-20000, -20000, _MIN_SIDE, _MIN_SIDE), strict=True)
        )
        for box, value in zip(self.numbers, (100, 100, 640, 480), strict=True):
            show_number(box, value)
            box.valueChanged.connect(lambda value: self.changed.emit())
        grid = QGridLayout()
        for column, (name, box) in enumerate(zip(names, self.numbers, strict=True)):
            grid.addWidget(QLabel(name), 0, column)
            grid.addWidget(box, 1, column)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(
            wrapped_label("A video call, a game or a player on this screen becomes the source, live.")
        )
        layout.addWidget(self.what)
        layout.addLayout(grid)
        layout.addWidget(self._pick)
        layout.addStretch(1)
        self._on_changed()

    @property
    def spec(self) -> str:
        chosen = str(self.what.currentData())
        if chosen:
            return chosen
        return "screen:" + ",".join(str(round(box.value())) for box in self.numbers)

    def pick(self) -> None:
        """Let the user draw the rectangle."""
        self._picker = RegionPicker()
        self._picker.picked.connect(self._on_picked)
        self._picker.show()

    def _on_picked(self, region: QRect) -> None:
        values = (region.left(), region.top(), region.width(), region.height())
        for box, value in zip(self.numbers, values, strict=True):
            show_number(box, value)
        self._picker = None
        self.changed.emit()

    def _on_changed(self) -> None:
        is_part = not self.what.currentData()
        for widget in (*self.numbers, self._pick):
            widget.setEnabled(is_part)
        self.changed.emit()


class RegionPicker(QWidget):
    """A dim sheet over all monitors; a drag on it picks a rectangle, Esc none."""

    picked = Signal(object)  # QRect in pixels of the desktop

    def __init__(self) -> None:
        super().__init__(
            None,
            Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint | Qt.WindowType.Tool,
        )
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setGeometry(QGuiApplication.primaryScreen().virtualGeometry())
        self._from: QPoint | None = None
        self._region = QRect()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._from = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._from is not None:
            self._region = QRect(self._from, event.position().toPoint()).normalized()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._from = None
        if min(self._region.width(), self._region.height()) >= _MIN_SIDE:
            ratio = self.devicePixelRatio()
            region = self._region.translated(self.geometry().topLeft())
            corner = QPoint(round(region.left() * ratio), round(region.top() * ratio))
            self.picked.emit(QRect(corner, region.size() * ratio))
            self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(10, 12, 15, 110))
        if not self._region.isNull():
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
            painter.fillRect(self._region, Qt.GlobalColor.transparent)
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
            painter.setPen(QPen(QColor(PALETTE.accent), 2))
            painter.drawRect(self._region)
        painter.end()
