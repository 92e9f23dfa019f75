"""One dialog for everything that can be opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from zipmap_app.ui import dialogs
from zipmap_app.ui.controls import push_button, wrapped_label
from zipmap_app.ui.opening.choice import CameraBrowser, SourceChoice
from zipmap_app.ui.opening.screen_page import ScreenPage
from zipmap_app.ui.opening.webcam_page import WebcamPage

_RATES: tuple[tuple[str, float | None], ...] = (
    ("every frame", None),
    ("1 a second", 1.0),
    ("2 a second", 2.0),
    ("5 a second", 5.0),
    ("10 a second", 10.0),
    ("15 a second", 15.0),
)


class SourceDialog(QDialog):
    """Webcam, screen, stream, or files; ``choice`` is what was chosen. GUI thread only."""

    def __init__(
        self,
        browser: CameraBrowser,
        folder: Path,
        addresses: Sequence[str],
        parent: QWidget,
        max_fps: float | None = None,
    ) -> None:
        """``folder``: where file dialogs start. ``addresses``: streams opened before, newest first.

        ``max_fps``: the frames a second that are chosen at first; None: every frame.
        """
        super().__init__(parent)
        self.setWindowTitle("Open a source")
        self.resize(720, 440)
        self._folder = folder
        self.webcams = WebcamPage(browser)
        self.screen_page = ScreenPage()
        self.address = QComboBox()
        self.file = QLineEdit()
        self.pages = QTabWidget()
        self.pages.addTab(self.webcams, "Webcam")
        self.pages.addTab(self._file_page(), "Video or photos")
        self.pages.addTab(self._stream_page(addresses), "Network stream")
        self.pages.addTab(self.screen_page, "Screen")
        self.rate = QComboBox()
        rates = _RATES
        if max_fps not in [rate for _, rate in rates]:
            rates = (*rates, (f"{max_fps:g} a second", max_fps))
        for text, rate in rates:
            self.rate.addItem(text, rate)
        self.rate.setCurrentIndex([rate for _, rate in rates].index(max_fps))
        self.rate.setToolTip(
            "How many frames to use: slow handheld motion needs no more than 5 to 10 a second"
        )
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel
        )
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self.open_button.setProperty("primary", "true")
        bottom = QHBoxLayout()
        bottom.addWidget(QLabel("Use"))
        bottom.addWidget(self.rate)
        bottom.addStretch(1)
        bottom.addWidget(self._buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(12)
        layout.addWidget(self.pages, 1)
        layout.addLayout(bottom)
        for changed in (
            self.pages.currentChanged,
            self.webcams.changed,
            self.screen_page.changed,
            self.file.textChanged,
            self.address.currentTextChanged,
        ):
            changed.connect(self._on_changed)
        self.webcams.activated.connect(self.accept)
        self._on_changed()

    @property
    def open_button(self) -> QPushButton:
        button = self._buttons.button(QDialogButtonBox.StandardButton.Open)
        assert button is not None
        return button

    @property
    def choice(self) -> SourceChoice:
        return SourceChoice(self._spec, self.rate.currentData())

    def done(self, result: int) -> None:
        # However the dialog ends, the camera has to be free for whoever opens it next.
        self.webcams.hide()
        super().done(result)

    @property
    def _spec(self) -> str:
        page = self.pages.currentWidget()
        if page is self.webcams:
            return self.webcams.spec
        if page is self.screen_page:
            return self.screen_page.spec
        if self.pages.currentIndex() == 1:
            return self.file.text().strip()
        return self.address.currentText().strip()

    def _file_page(self) -> QWidget:
        page = QWidget()
        self.file.setPlaceholderText("Path of a video, a picture or a folder of photos")
        video = push_button("Video or picture…", "Choose a file", "open_video")
        video.clicked.connect(lambda: self._take(dialogs.ask_for_video(self, self._folder)))
        photos = push_button("Folder of photos…", "Choose a folder", "open_folder")
        photos.clicked.connect(lambda: self._take(dialogs.ask_for_folder(self, self._folder)))
        row = QHBoxLayout()
        row.addWidget(video)
        row.addWidget(photos)
        row.addStretch(1)
        layout = QVBoxLayout(page)
        layout.setSpacing(12)
        layout.addWidget(
            wrapped_label(
                "Photos come in natural order (img2 before img10) and upright. Files are read to their end: "
                "no frame is lost, however slow the model is."
            )
        )
        layout.addWidget(self.file)
        layout.addLayout(row)
        layout.addStretch(1)
        return page

    def _stream_page(self, addresses: Sequence[str]) -> QWidget:
        page = QWidget()
        self.address.setEditable(True)
        self.address.addItems(list(addresses))
        self.address.setCurrentText(addresses[0] if addresses else "")
        line = self.address.lineEdit()
        assert line is not None
        line.setPlaceholderText("rtsp://192.168.1.20:8554/camera")
        layout = QVBoxLayout(page)
        layout.setSpacing(12)
        text = wrapped_label(
            "The address of a network camera or of a phone app that serves its camera: rtsp://, http:// (MJPEG), "
            "udp://. A stream does not wait: frames that come while the model is busy are dropped and counted."
        )
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(text)
        layout.addWidget(self.address)
        layout.addStretch(1)
        return page

    def _take(self, path: Path | None) -> None:
        if path is not None:
            self.file.setText(str(path))

    def _on_changed(self) -> None:
        self.open_button.setEnabled(bool(self._spec))
