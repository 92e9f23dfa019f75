"""The table of everything the user can do, with shortcut, icon and tooltip in one place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from zipmap_app.ui.theme import icon


class ActionId(Enum):
    """Names of the actions."""

    NEW_SOURCE = auto()
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
    FINALISE = auto()
    CONTINUE_FROM_HERE = auto()
    PLAY = auto()
    STEP_BACK = auto()
    STEP_FORWARD = auto()
    FAST_BACK = auto()
    FAST_FORWARD = auto()
    FIRST_FRAME = auto()
    NEWEST_FRAME = auto()
    FRAME = auto()
    RESET_VIEW = auto()
    VIEW_FIRST_CAMERA = auto()
    VIEW_FRONT = auto()
    VIEW_RIGHT = auto()
    VIEW_TOP = auto()
    FLY = auto()
    FOLLOW_CAMERA = auto()
    COLOR_PICTURE = auto()
    COLOR_DISTANCE = auto()
    COLOR_CONFIDENCE = auto()
    COLOR_TIME = auto()
    GRID = auto()
    PATH = auto()
    TIMELINE = auto()
    PANEL = auto()
    FULL_SCREEN = auto()
    UNDO = auto()
    REDO = auto()
    MEASURE = auto()
    SET_SCALE = auto()
    UP_FROM_PATH = auto()
    UP_FROM_FLOOR = auto()
    UP_FROM_VIEW = auto()
    RESET_ALIGNMENT = auto()
    LEAVE_TOOL = auto()
    QUERY = auto()
    GHOST_ON_POINT = auto()
    GHOST_AT_FRAME = auto()
    REMOVE_GHOST = auto()
    ADD_PREDICTED = auto()
    CLEAR_PREDICTED = auto()
    ADD_FLIGHT_KEY = auto()
    PREVIEW_FLIGHT = auto()
    SAVE_STATE = auto()
    OPEN_STATE = auto()
    FORK_STATE = auto()
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
    group: str = ""  # of the actions that share a name here, exactly one is checked


_A = ActionId
ACTIONS = (
    # File
    ActionSpec(_A.NEW_SOURCE, "New scene…", "Camera, screen, stream or files", ("Ctrl+N",), "source"),
    ActionSpec(_A.OPEN_VIDEO, "Open video…", "Reconstruct a video or a picture", ("Ctrl+O",), "open_video"),
    ActionSpec(
        _A.OPEN_FOLDER, "Open folder…", "Reconstruct a folder of photos", ("Ctrl+Shift+O",), "open_folder"
    ),
    ActionSpec(_A.OPEN_ADDRESS, "Open address…", "A camera number, or a stream", ("Ctrl+L",)),
    ActionSpec(_A.WEBCAM, "Webcam", "Reconstruct live from the first camera", ("Ctrl+W",), "webcam"),
    ActionSpec(_A.SAMPLE, "Sample", "Reconstruct the built-in sample scene", (), "sample"),
    ActionSpec(_A.SAVE, "Save cloud…", "Save the points and the camera path", ("Ctrl+E",), "export"),
    ActionSpec(_A.SCREENSHOT, "Screenshot…", "Save a picture of the scene", ("P", "F12"), "screenshot"),
    ActionSpec(_A.QUIT, "Quit", "Close the window", ("Ctrl+Q",)),
    # Run
    ActionSpec(_A.PAUSE, "Pause", "Pause or go on", ("Space",), "pause"),
    ActionSpec(_A.STEP, "Step", "Process exactly one frame while paused", (".",), "step"),
    ActionSpec(_A.STOP, "Stop", "End this run; the scene stays", ("Ctrl+.",), "stop"),
    ActionSpec(
        _A.FINALISE,
        "Finalise",
        "Look at all kept frames together",
        ("Ctrl+F",),
        "finalise",
    ),
    ActionSpec(
        _A.CONTINUE_FROM_HERE,
        "Continue from here",
        "Go on from this frame, without the later ones",
        ("Ctrl+R",),
        "rewind",
    ),
    ActionSpec(_A.PLAY, "Play back", "Play the recording back, or stop", ("K", "Shift+Space"), "play"),
    ActionSpec(_A.STEP_BACK, "Frame before", "One frame back", ("Left",)),
    ActionSpec(_A.STEP_FORWARD, "Frame after", "One frame on", ("Right",)),
    ActionSpec(_A.FAST_BACK, "Ten frames back", "Ten frames back", ("Shift+Left",)),
    ActionSpec(_A.FAST_FORWARD, "Ten frames on", "Ten frames on", ("Shift+Right",)),
    ActionSpec(_A.FIRST_FRAME, "First frame", "The first frame", ("Home",)),
    ActionSpec(_A.NEWEST_FRAME, "Newest frame", "The newest frame, as it comes", ("End",), "live"),
    # View
    ActionSpec(_A.FRAME, "Frame scene", "Show the whole scene", ("F",), "frame"),
    ActionSpec(_A.RESET_VIEW, "Follow scene", "Automatic view that follows the scene", ("R",), "reset"),
    ActionSpec(_A.VIEW_FIRST_CAMERA, "First camera", "Look through the first camera", ("0",)),
    ActionSpec(_A.VIEW_FRONT, "From the front", "Look from the front", ("1",)),
    ActionSpec(_A.VIEW_RIGHT, "From the right", "Look from the right", ("3",)),
    ActionSpec(_A.VIEW_TOP, "From above", "Look from above", ("7",)),
    ActionSpec(_A.FLY, "Fly", "Fly with W A S D, Q and E and the mouse", ("V",), "fly", True),
    ActionSpec(
        _A.FOLLOW_CAMERA, "Follow camera", "Ride behind the current camera", ("T",), "camera_follow", True
    ),
    ActionSpec(
        _A.COLOR_PICTURE, "Colour: picture", "Points as in the pictures", ("F5",), "", True, True, "color"
    ),
    ActionSpec(
        _A.COLOR_DISTANCE, "Colour: distance", "Points by distance", ("F6",), "", True, False, "color"
    ),
    ActionSpec(
        _A.COLOR_CONFIDENCE, "Colour: sureness", "Points by sureness", ("F7",), "", True, False, "color"
    ),
    ActionSpec(
        _A.COLOR_TIME, "Colour: time", "Points by when they were seen", ("F8",), "", True, False, "color"
    ),
    ActionSpec(_A.GRID, "Grid", "Show the ground grid", ("G",), "grid", True, True),
    ActionSpec(_A.PATH, "Camera path", "Show the camera path", ("C",), "path", True, True),
    ActionSpec(_A.TIMELINE, "Timeline", "Show the strip of frames", ("L",), "film", True, True),
    ActionSpec(_A.PANEL, "Side panel", "Show the side panel", ("Ctrl+B",), "panel", True, True),
    ActionSpec(_A.FULL_SCREEN, "Full screen", "Fill the screen", ("F11",), "", True),
    # Scene
    ActionSpec(_A.UNDO, "Undo", "Take the last change back", ("Ctrl+Z",), "undo"),
    ActionSpec(_A.REDO, "Redo", "Do it again", ("Ctrl+Shift+Z", "Ctrl+Y"), "redo"),
    ActionSpec(_A.MEASURE, "Measure", "Distance between two points", ("M",), "measure", True),
    ActionSpec(_A.SET_SCALE, "Set scale…", "Say how long something is", ("Shift+M",)),
    ActionSpec(_A.UP_FROM_PATH, "Up from path", "Up is where the pictures had their top"),
    ActionSpec(_A.UP_FROM_FLOOR, "Up from floor…", "Click three points of the floor"),
    ActionSpec(_A.UP_FROM_VIEW, "Up from view", "Up is the top of the current view"),
    ActionSpec(_A.RESET_ALIGNMENT, "Reset up and scale", "Back to the first camera's up and to units"),
    ActionSpec(_A.LEAVE_TOOL, "Leave tool", "Put the tool in hand away", ("Esc",)),
    # Query
    ActionSpec(_A.QUERY, "Query from here", "What would a camera here see?", ("Q",), "query"),
    ActionSpec(_A.GHOST_ON_POINT, "Query a point…", "Click what it looks at", ("Shift+Q",), "ghost"),
    ActionSpec(_A.GHOST_AT_FRAME, "Query this frame", "The query camera stands where this frame was taken"),
    ActionSpec(_A.REMOVE_GHOST, "Remove query camera", "Take the query camera away", ("Shift+Del",)),
    ActionSpec(
        _A.ADD_PREDICTED, "Add answer as points", "Predicted points, apart from seen ones", ("Shift+A",)
    ),
    ActionSpec(_A.CLEAR_PREDICTED, "Remove predicted points", "Only what was seen remains"),
    ActionSpec(_A.ADD_FLIGHT_KEY, "Add view to flight", "The flight passes this view", ("J",), "flight"),
    ActionSpec(_A.PREVIEW_FLIGHT, "Preview flight", "Let the query camera fly", ("Shift+J",)),
    ActionSpec(_A.SAVE_STATE, "Save state…", "Save what the model remembers", ("Ctrl+S",)),
    ActionSpec(_A.OPEN_STATE, "Open state…", "Ask a saved state beside the live one"),
    ActionSpec(_A.FORK_STATE, "Fork state", "Keep the state as it is now", ("Ctrl+K",), "layers"),
    # Help
    ActionSpec(_A.SHORTCUTS, "Shortcuts", "All keys and mouse actions", ("F1", "?"), "help"),
    ActionSpec(_A.ABOUT, "About", "Versions and licence"),
)


class Actions:
    """The QActions of one window, made from the table. GUI thread only."""

    def __init__(self, window: QWidget) -> None:
        self._actions = {spec.id: _make_action(spec, window) for spec in ACTIONS}
        groups: dict[str, QActionGroup] = {}
        for spec in ACTIONS:
            if spec.group:
                group = groups.setdefault(spec.group, QActionGroup(window))
                group.addAction(self._actions[spec.id])

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
