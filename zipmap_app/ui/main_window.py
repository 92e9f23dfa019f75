"""The main window: puts the panels together and says, by signals, what the user wants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QMainWindow, QMessageBox, QSplitter, QVBoxLayout, QWidget

from zipmap_app.state.session import Notice, RunState, SessionModel, SessionStatus, Severity
from zipmap_app.ui import dialogs
from zipmap_app.ui.actions import ActionId, Actions
from zipmap_app.ui.chrome import fill_menus, make_toolbar
from zipmap_app.ui.drop import DropOverlay, drop_offer
from zipmap_app.ui.query_asker import QueryAsker
from zipmap_app.ui.recent import RecentInputs
from zipmap_app.ui.side_panel import SidePanel
from zipmap_app.ui.status_bar import StatusBar
from zipmap_app.ui.theme import icon
from zipmap_app.ui.viewport import Viewport
from zipmap_app.ui.welcome import Welcome

_TITLE = "ZipMap Studio"
_PANEL_WIDTH = 370


@dataclass(frozen=True, kw_only=True)
class WindowOptions:
    """What the window needs from the composition root."""

    settings: QSettings  # where geometry and the recent list are kept
    can_open: Callable[[Path], bool]  # cheap look at a dragged path
    sample_spec: str = "synthetic"  # what "Sample" opens
    about_text: str = ""


class MainWindow(QMainWindow):
    """Shows a SessionModel. Knows no pipeline: whoever connects the signals makes things happen."""

    open_requested = Signal(str)
    pause_requested = Signal()
    resume_requested = Signal()
    step_requested = Signal()
    stop_requested = Signal()
    query_requested = Signal(object)  # QueryRequest
    save_requested = Signal(object)  # Path of the .ply
    job_cancel_requested = Signal()
    closing = Signal()

    def __init__(self, session: SessionModel, options: WindowOptions) -> None:
        super().__init__()
        self._session = session
        self._options = options
        self._recent = RecentInputs(options.settings)
        self.actions_table = Actions(self)
        self._build()
        self._connect_actions()
        self._connect_session()
        self._on_status(session.status)
        self._restore_geometry()

    # Construction

    def _build(self) -> None:
        self.setWindowTitle(_TITLE)
        self.setAcceptDrops(True)
        entry_ids = (ActionId.OPEN_VIDEO, ActionId.OPEN_FOLDER, ActionId.WEBCAM, ActionId.SAMPLE)
        self.welcome = Welcome(tuple(self.actions_table[id_] for id_ in entry_ids))
        self.welcome.open_requested.connect(self.request_open)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(1)
        self.viewport = Viewport(self._session, self.welcome, self._splitter)
        self.scene = self.viewport.scene
        self.side_panel = SidePanel()
        self.viewport.use_wheel_for_size(self.side_panel.appearance)
        self.asker = QueryAsker(self._session, self.scene, self.side_panel.query, self)
        self._splitter.addWidget(self.viewport)
        self._splitter.addWidget(self.side_panel)
        self._splitter.setStretchFactor(0, 4)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setCollapsible(0, False)
        self.status_bar = StatusBar()
        middle = QWidget()
        layout = QVBoxLayout(middle)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._splitter, 1)
        layout.addWidget(self.status_bar)
        self.setCentralWidget(middle)
        self._drop_overlay = DropOverlay(self)
        fill_menus(self.menuBar(), self.actions_table)
        self.addToolBar(make_toolbar(self.actions_table))

    def _connect_actions(self) -> None:
        handlers: tuple[tuple[ActionId, Callable[[], object]], ...] = (
            (ActionId.OPEN_VIDEO, self._on_open_video),
            (ActionId.OPEN_FOLDER, self._on_open_folder),
            (ActionId.OPEN_ADDRESS, self._on_open_address),
            (ActionId.WEBCAM, lambda: self.request_open("0")),
            (ActionId.SAMPLE, lambda: self.request_open(self._options.sample_spec)),
            (ActionId.SAVE, self._on_save),
            (ActionId.SCREENSHOT, self._on_screenshot),
            (ActionId.QUIT, self.close),
            (ActionId.PAUSE, self._on_pause),
            (ActionId.STEP, self.step_requested.emit),
            (ActionId.STOP, self.stop_requested.emit),
            (ActionId.QUERY, self._on_query),
            (ActionId.FRAME, self.scene.frame_scene),
            (ActionId.RESET_VIEW, self.scene.reset_view),
            (ActionId.SHORTCUTS, lambda: dialogs.ShortcutsDialog(self).show()),
            (ActionId.ABOUT, self._on_about),
        )
        for action_id, handler in handlers:
            self.actions_table[action_id].triggered.connect(lambda _=False, handler=handler: handler())
        toggles: tuple[tuple[ActionId, Callable[[bool], object]], ...] = (
            (ActionId.GRID, self.scene.set_grid_visible),
            (ActionId.PATH, self.scene.set_path_visible),
            (ActionId.PANEL, self.side_panel.setVisible),
            (ActionId.FULL_SCREEN, self._on_full_screen),
        )
        for action_id, toggle in toggles:
            self.actions_table[action_id].toggled.connect(toggle)
        self.side_panel.appearance.changed.connect(self.scene.set_appearance)
        self.asker.requested.connect(self.query_requested)
        self.status_bar.cancel_requested.connect(self.job_cancel_requested)

    def _connect_session(self) -> None:
        session = self._session
        self._disconnects = (
            session.status_changed.connect(self._on_status),
            session.frame_changed.connect(self.side_panel.video.show_frame),
            session.notice_added.connect(self.viewport.notices.add),
        )

    # What the user wants

    def request_open(self, spec: str) -> None:
        """Ask for a new run on a path, a camera number or an address."""
        self.viewport.notices.clear()
        if Path(spec).exists():
            self._recent.add(Path(spec).resolve())
        self.open_requested.emit(spec)

    def _on_query(self) -> None:
        self.actions_table[ActionId.PANEL].setChecked(True)  # the answer appears there
        self.asker.ask()

    def _on_open_video(self) -> None:
        path = dialogs.ask_for_video(self, self._last_folder())
        if path is not None:
            self.request_open(str(path))

    def _on_open_folder(self) -> None:
        path = dialogs.ask_for_folder(self, self._last_folder())
        if path is not None:
            self.request_open(str(path))

    def _on_open_address(self) -> None:
        address = dialogs.ask_for_address(self)
        if address is not None:
            self.request_open(address)

    def _on_pause(self) -> None:
        if self._session.status.state is RunState.PAUSED:
            self.resume_requested.emit()
        else:
            self.pause_requested.emit()

    def _on_save(self) -> None:
        path = dialogs.ask_for_cloud(self, self._last_folder() / f"{self._file_stem()}.ply")
        if path is not None:
            self.save_requested.emit(path)

    def _on_screenshot(self) -> None:
        image = self.scene.grab()  # before the dialog covers anything
        name = f"{self._file_stem()}_{datetime.now():%Y%m%d_%H%M%S}.png"
        path = dialogs.ask_for_screenshot(self, self._last_folder() / name)
        if path is None:
            return
        if image.save(str(path)):
            self._session.add_notice(Notice(f"Saved {path}"))
        else:
            sentence = f"Could not write {path}: choose a folder that you may write to"
            self._session.add_notice(Notice(sentence, severity=Severity.ERROR))

    def _on_full_screen(self, is_on: bool) -> None:
        self.setWindowState(
            self.windowState() | Qt.WindowState.WindowFullScreen
            if is_on
            else self.windowState() & ~Qt.WindowState.WindowFullScreen
        )

    def _on_about(self) -> None:
        QMessageBox.about(self, _TITLE, self._options.about_text)

    # What the session says

    def _on_status(self, status: SessionStatus) -> None:
        self.status_bar.show_status(status)
        act = self.actions_table
        is_paused = status.state is RunState.PAUSED
        pause = act[ActionId.PAUSE]
        pause.setEnabled(status.is_active)
        pause.setText("Resume" if is_paused else "Pause")
        pause.setIconText(" Resume" if is_paused else " Pause")
        pause.setIcon(icon("play" if is_paused else "pause"))
        act[ActionId.STEP].setEnabled(is_paused)
        act[ActionId.STOP].setEnabled(status.is_active)
        act[ActionId.SAVE].setEnabled(status.n_points > 0)
        act[ActionId.QUERY].setEnabled(self.asker.can_ask)
        is_empty = status.state is RunState.IDLE and not status.n_frames
        if is_empty:
            self.welcome.show_recent(self._recent.paths())
        self.viewport.set_welcome_visible(is_empty)
        self.setWindowTitle(f"{status.source_name} - {_TITLE}" if status.source_name else _TITLE)

    # Window events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        offer = drop_offer(
            event.mimeData(), self._options.can_open, is_busy=self._session.status.n_frames > 0
        )
        if offer is not None:
            self._drop_overlay.show_offer(offer)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._drop_overlay.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._drop_overlay.hide()
        offer = drop_offer(event.mimeData(), self._options.can_open, is_busy=False)
        if offer is None:
            return
        event.acceptProposedAction()
        if offer.path is None:
            self._session.add_notice(Notice(offer.text, severity=Severity.WARNING))
        else:
            # After the drag has ended, or a failing open would leave the desktop in the drag.
            QTimer.singleShot(0, self, lambda: self.request_open(str(offer.path)))

    def closeEvent(self, event: QCloseEvent) -> None:
        self._options.settings.setValue("geometry", self.saveGeometry())
        self._options.settings.setValue("splitter", self._splitter.saveState())
        for disconnect in self._disconnects:
            disconnect()
        self.asker.close()
        self.status_bar.stop()
        self.scene.close()
        self.closing.emit()
        super().closeEvent(event)

    # Small things

    def _restore_geometry(self) -> None:
        geometry = self._options.settings.value("geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(1280, 800)
        splitter = self._options.settings.value("splitter")
        if splitter is None or not self._splitter.restoreState(splitter):
            self._splitter.setSizes([1280 - _PANEL_WIDTH, _PANEL_WIDTH])

    def _last_folder(self) -> Path:
        recent = self._recent.paths()
        return recent[0].parent if recent and recent[0].parent.exists() else Path.home()

    def _file_stem(self) -> str:
        return Path(self._session.status.source_name or "scene").stem
