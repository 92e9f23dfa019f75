"""The main window: puts the panels together; what the user wants leaves it through ``requests``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QMessageBox, QSplitter, QVBoxLayout, QWidget

from zipmap_app.state.appearance import AppearanceModel
from zipmap_app.state.edits import SceneEditor
from zipmap_app.state.session import Notice, RunState, SessionModel, SessionStatus, Severity
from zipmap_app.ui import dialogs
from zipmap_app.ui.actions import ActionId, Actions
from zipmap_app.ui.chrome import fill_menus, make_toolbar
from zipmap_app.ui.controllers.actions import ActionController, Controllers
from zipmap_app.ui.controllers.answers import AnswerController
from zipmap_app.ui.controllers.asking import GhostAsker
from zipmap_app.ui.controllers.finalising import FinaliseController
from zipmap_app.ui.controllers.flying import FlightController
from zipmap_app.ui.controllers.ghost import GhostController
from zipmap_app.ui.controllers.opening import OpeningController
from zipmap_app.ui.controllers.pointing import PointingController
from zipmap_app.ui.controllers.saving import SavingController
from zipmap_app.ui.controllers.viewing import ViewController
from zipmap_app.ui.drop import DropOverlay, drop_offer
from zipmap_app.ui.opening.choice import CameraBrowser
from zipmap_app.ui.parts import WindowParts
from zipmap_app.ui.recent import RecentInputs
from zipmap_app.ui.requests import WindowRequests
from zipmap_app.ui.scale_dialog import ask_for_length
from zipmap_app.ui.shortcut_guard import ShortcutGuard
from zipmap_app.ui.side_tabs import SideTabs
from zipmap_app.ui.status_bar import StatusBar
from zipmap_app.ui.timeline.panel import TimelinePanel
from zipmap_app.ui.viewport import Viewport
from zipmap_app.ui.welcome import Welcome

_TITLE = "ZipMap Studio"
_PANEL_WIDTH = 370
_MEMORY_REFRESH_MS = 500


@dataclass(frozen=True, kw_only=True)
class WindowOptions:
    """What the window needs from the composition root."""

    settings: QSettings  # where geometry and the recent list are kept
    can_open: Callable[[Path], bool]  # cheap look at a dragged path
    cameras: CameraBrowser | None = None
    sample_spec: str = "synthetic"  # what "Sample" opens
    max_fps: float | None = None  # frames a second to use, unless the dialog says otherwise; None: all
    about_text: str = ""


class MainWindow(QMainWindow):
    """Shows a SessionModel. Knows no pipeline: whoever connects ``requests`` makes things happen."""

    def __init__(self, session: SessionModel, editor: SceneEditor, options: WindowOptions) -> None:
        super().__init__()
        self._session = session
        self._editor = editor
        self._options = options
        self._recent = RecentInputs(options.settings)
        self._is_closed = False
        self.requests = WindowRequests(self)
        self.actions_table = Actions(self)
        self.look = AppearanceModel()
        self._build()
        self._control()
        self._connect()
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
        stage = QWidget()
        self.viewport = Viewport(self._session, self.welcome, stage)
        self.scene = self.viewport.scene
        self.timeline = TimelinePanel(self._session.history, self._session.timeline, self.look)
        self.tabs = SideTabs(self._session, self.look)
        self.viewport.use_wheel_for_size(self.tabs)
        self._splitter.addWidget(_column(self.viewport, self.timeline, inside=stage))
        self._splitter.addWidget(self.tabs)
        self._splitter.setStretchFactor(0, 4)
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setCollapsible(0, False)
        self.status_bar = StatusBar()
        self.setCentralWidget(_column(self._splitter, self.status_bar))
        self._drop_overlay = DropOverlay(self)
        fill_menus(self.menuBar(), self.actions_table)
        self.addToolBar(make_toolbar(self.actions_table))

    def _control(self) -> None:
        session, scene = self._session, self.scene
        parts = WindowParts(
            session,
            self._editor,
            self.look,
            scene,
            self.tabs,
            self.timeline,
            self.viewport.finalise_bar,
            self.actions_table,
            self.requests,
        )
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        self._guard = ShortcutGuard(application)
        options = self._options
        self.opening = OpeningController(
            session,
            self.actions_table,
            self.requests,
            self._recent,
            options.cameras,
            options.sample_spec,
            options.max_fps,
            self,
        )
        self.asker = GhostAsker(session, self)
        self.ghost = GhostController(session, scene, self)
        self.answers = AnswerController(parts, self.asker, self._recent, self)
        self.flight = FlightController(session, scene, self)
        self.finalising = FinaliseController(parts, self)
        self._saving = SavingController(parts, self._recent, self)
        controllers = Controllers(self.asker, self.ghost, self.answers, self.flight, self.finalising)
        self._closables = (
            self.opening,
            self.asker,
            self.ghost,
            self.answers,
            self.flight,
            self.finalising,
            PointingController(
                session,
                self._editor,
                scene,
                lambda length: ask_for_length(self),
                self._on_ghost_point,
                self,
            ),
            ViewController(parts, self._guard, self),
            ActionController(parts, controllers, self),
        )

    def _connect(self) -> None:
        act, scene = self.actions_table, self.scene
        handlers: tuple[tuple[ActionId, Callable[[], object]], ...] = (
            (ActionId.QUIT, self.close),
            (ActionId.SHORTCUTS, lambda: dialogs.ShortcutsDialog(self).show()),
            (ActionId.ABOUT, lambda: QMessageBox.about(self, _TITLE, self._options.about_text)),
        )
        for action_id, handler in handlers:
            act[action_id].triggered.connect(lambda _=False, handler=handler: handler())
        act[ActionId.FULL_SCREEN].toggled.connect(self._on_full_screen)
        self.requests.open.connect(lambda choice: self.viewport.notices.clear())
        self.asker.requested.connect(self.requests.query)
        self.tabs.run_settings.changed.connect(self.requests.settings)
        self.timeline.rewind_requested.connect(self.requests.rewind)
        self.status_bar.cancel_requested.connect(self.requests.cancel_job)
        self._memory_timer = QTimer(self)
        self._memory_timer.setInterval(_MEMORY_REFRESH_MS)
        self._memory_timer.timeout.connect(self._show_memory)
        session = self._session
        self._disconnects = (
            session.status_changed.connect(self._on_status),
            session.notice_added.connect(self.viewport.notices.add),
            session.companion_progressed.connect(self.status_bar.show_companion),
        )
        scene.native.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    # What the user wants

    def request_open(self, spec: str) -> None:
        """Ask for a new run on a path, a camera number or an address."""
        self.opening.open(spec)

    def _on_ghost_point(self, point: object) -> None:
        self.ghost.place_on_point(point)  # type: ignore[arg-type]  # (3,) from the tool
        self.asker.ask()

    def _on_full_screen(self, is_on: bool) -> None:
        full = Qt.WindowState.WindowFullScreen
        self.setWindowState(self.windowState() | full if is_on else self.windowState() & ~full)

    # What the session says

    def _on_status(self, status: SessionStatus) -> None:
        self.status_bar.show_status(status)
        is_empty = status.state is RunState.IDLE and not status.n_frames
        if is_empty:
            self.welcome.show_recent(self._recent.paths(), self._recent.thumbnail)
        self.viewport.set_welcome_visible(is_empty)
        self.setWindowTitle(f"{status.source_name} - {_TITLE}" if status.source_name else _TITLE)
        if status.n_frames and not self._memory_timer.isActive() and not self._is_closed:
            self._memory_timer.start()

    def _show_memory(self) -> None:
        session = self._session
        self.status_bar.show_memory(session.memory_use, session.budget)
        voxel = session.cloud.voxel_size
        self.status_bar.show_thinning(
            "" if voxel is None else session.alignment.value.length_unit.text(voxel)
        )

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
        if not self._is_closed:
            self._is_closed = True
            self._options.settings.setValue("geometry", self.saveGeometry())
            self._options.settings.setValue("splitter", self._splitter.saveState())
            self._memory_timer.stop()
            for disconnect in self._disconnects:
                disconnect()
            for controller in self._closables:
                controller.close()
            self.status_bar.stop()
            self.tabs.release()
            self.timeline.release()
            self.viewport.close_scene()
            self.requests.closing.emit()
        super().closeEvent(event)

    # Small things

    def _restore_geometry(self) -> None:
        geometry = self._options.settings.value("geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(1280, 800)
        splitter = self._options.settings.value("splitter")
        if splitter is None or not self._splitter.restoreState(splitter):
            self._splitter.setSizes([1280 - _PANEL_WIDTH, _PANEL_WIDTH])


def _column(filling: QWidget, below: QWidget, inside: QWidget | None = None) -> QWidget:
    """One widget above the other, without gaps, in ``inside`` or a new widget."""
    column = inside or QWidget()
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addWidget(filling, 1)
    layout.addWidget(below)
    return column
