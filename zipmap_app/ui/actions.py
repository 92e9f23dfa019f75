"""The table of everything the user can do, with shortcut, icon and tooltip in one place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from zipmap_app.ui.theme import icon


class ActionId(Enum):
    """Names of the actions."""

    OPEN_VIDEO = auto()
    OPEN_FOLDER = auto()
    OPEN_ADDRESS = auto()
    WEBCAM = auto()
    SAMPLE = auto()
    SAVE = auto()
    SCREENSHOT = auto()
    QUIT = auto()
    PAUSE = auto()
    STEP = auto()
    STOP = auto()
    QUERY = auto()
    FRAME = auto()
    RESET_VIEW = auto()
    GRID = auto()
    PATH = auto()
    PANEL = auto()
    FULL_SCREEN = auto()
    SHORTCUTS = auto()
    ABOUT = auto()


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One row of the table."""

    id: ActionId
    text: str
    tooltip: str
    shortcuts: tuple[str, ...] = ()
    icon: str = ""
    is_checkable: bool = False
    is_checked: bool = False


ACTIONS = (
    ActionSpec(
        ActionId.OPEN_VIDEO, "Open video…", "Reconstruct a video or a picture", ("Ctrl+O",), "open_video"
    ),
    ActionSpec(
        ActionId.OPEN_FOLDER,
        "Open folder…",
        "Reconstruct a folder of photos",
        ("Ctrl+Shift+O",),
        "open_folder",
    ),
    ActionSpec(
        ActionId.OPEN_ADDRESS,
        "Open address…",
        "Another camera by number, or an rtsp/http stream",
        ("Ctrl+L",),
    ),
    ActionSpec(ActionId.WEBCAM, "Webcam", "Reconstruct live from the first camera", ("Ctrl+W",), "webcam"),
    ActionSpec(ActionId.SAMPLE, "Sample", "Reconstruct the built-in sample scene", (), "sample"),
    ActionSpec(ActionId.SAVE, "Save cloud…", "Save the points and the camera path", ("Ctrl+E",), "export"),
    ActionSpec(ActionId.SCREENSHOT, "Screenshot…", "Save a picture of the scene", ("P", "F12"), "screenshot"),
    ActionSpec(ActionId.QUIT, "Quit", "Close the window", ("Ctrl+Q",)),
    ActionSpec(ActionId.PAUSE, "Pause", "Pause or go on", ("Space",), "pause"),
    ActionSpec(ActionId.STEP, "Step", "Process exactly one frame while paused", (".",), "step"),
    ActionSpec(ActionId.STOP, "Stop", "End this run; the scene stays", ("Ctrl+.",), "stop"),
    ActionSpec(ActionId.QUERY, "Query from here", "What would a camera here see?", ("Q",), "query"),
    ActionSpec(ActionId.FRAME, "Frame scene", "Show the whole scene", ("F",), "frame"),
    ActionSpec(
        ActionId.RESET_VIEW, "Follow scene", "Automatic view that follows the scene", ("R", "Home"), "reset"
    ),
    ActionSpec(ActionId.GRID, "Grid", "Show the ground grid", ("G",), "grid", True, True),
    ActionSpec(ActionId.PATH, "Camera path", "Show the camera path", ("C",), "path", True, True),
    ActionSpec(ActionId.PANEL, "Side panel", "Show the side panel", ("Tab",), "panel", True, True),
    ActionSpec(ActionId.FULL_SCREEN, "Full screen", "Fill the screen", ("F11",), "", True),
    ActionSpec(ActionId.SHORTCUTS, "Shortcuts", "All keys and mouse actions", ("F1", "?"), "help"),
    ActionSpec(ActionId.ABOUT, "About", "Versions and licence"),
)


class Actions:
    """The QActions of one window, made from the table. GUI thread only."""

    def __init__(self, window: QWidget) -> None:
        self._actions = {spec.id: _make_action(spec, window) for spec in ACTIONS}

    def __getitem__(self, action_id: ActionId) -> QAction:
        return self._actions[action_id]


def _make_action(spec: ActionSpec, window: QWidget) -> QAction:
    action = QAction(spec.text, window)
    action.setIconText(f" {spec.text.rstrip('…')}")  # Qt leaves no air between icon and text
    if spec.icon:
        action.setIcon(icon(spec.icon))
    action.setShortcuts([QKeySequence(keys) for keys in spec.shortcuts])
    action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
    keys = f" ({' or '.join(spec.shortcuts)})" if spec.shortcuts else ""
    action.setToolTip(f"{spec.tooltip}{keys}")
    action.setCheckable(spec.is_checkable)
    action.setChecked(spec.is_checked)
    window.addAction(action)
    return action
