"""What the user opens: by buttons, dialogs and dropped files; and what of it is remembered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from zipmap_app.state.messages import FrameResult
from zipmap_app.state.session import SessionModel
from zipmap_app.ui import dialogs
from zipmap_app.ui.actions import ActionId, Actions
from zipmap_app.ui.opening.choice import CameraBrowser, SourceChoice
from zipmap_app.ui.opening.source_dialog import SourceDialog
from zipmap_app.ui.recent import RecentInputs
from zipmap_app.ui.requests import WindowRequests


class OpeningController(QObject):
    """From the actions that open something to ``requests.open``. GUI thread only."""

    def __init__(
        self,
        session: SessionModel,
        actions: Actions,
        requests: WindowRequests,
        recent: RecentInputs,
        cameras: CameraBrowser | None,
        sample_spec: str,
        max_fps: float | None,
        window: QWidget,
    ) -> None:
        """``sample_spec``: what "Sample" opens. ``max_fps``: frames a second unless the dialog says otherwise."""
        super().__init__(window)
        self._requests = requests
        self._recent = recent
        self._cameras = cameras
        self._max_fps = max_fps
        self._window = window
        self._pictured: Path | None = None  # opened, and waiting for its first frame as its picture
        handlers: tuple[tuple[ActionId, Callable[[], object]], ...] = (
            (ActionId.NEW_SOURCE, self._on_new_source),
            (
                ActionId.OPEN_VIDEO,
                lambda: self._open_found(dialogs.ask_for_video(window, recent.last_folder)),
            ),
            (
                ActionId.OPEN_FOLDER,
                lambda: self._open_found(dialogs.ask_for_folder(window, recent.last_folder)),
            ),
            (ActionId.OPEN_ADDRESS, lambda: self._open_found(dialogs.ask_for_address(window))),
            (ActionId.WEBCAM, lambda: self.open("0")),
            (ActionId.SAMPLE, lambda: self.open(sample_spec)),
        )
        for action_id, handler in handlers:
            actions[action_id].triggered.connect(lambda _=False, handler=handler: handler())
        self._disconnect = session.frame_changed.connect(self._on_frame)

    def close(self) -> None:
        self._disconnect()

    def open(self, spec: str) -> None:
        """Ask for a new run on a path, a camera number or an address."""
        self._open(SourceChoice(spec, self._max_fps))

    def _open(self, choice: SourceChoice) -> None:
        if Path(choice.spec).exists():
            self._pictured = Path(choice.spec).resolve()
            self._recent.add(self._pictured)
        elif "://" in choice.spec:
            self._recent.add_address(choice.spec)
        self._requests.open.emit(choice)

    def _open_found(self, found: Path | str | None) -> None:
        if found is not None:
            self.open(str(found))

    def _on_new_source(self) -> None:
        if self._cameras is None:
            return
        recent = self._recent
        dialog = SourceDialog(
            self._cameras, recent.last_folder, recent.addresses(), self._window, self._max_fps
        )
        is_accepted = dialog.exec() == SourceDialog.DialogCode.Accepted
        choice = dialog.choice
        dialog.deleteLater()
        if is_accepted:
            self._open(choice)

    def _on_frame(self, frame: FrameResult | None) -> None:
        if frame is not None and self._pictured is not None:
            self._recent.set_thumbnail(self._pictured, frame.rgb)
            self._pictured = None
