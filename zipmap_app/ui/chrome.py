"""Menus and toolbar, made from the actions table."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QMenuBar, QSizePolicy, QToolBar, QToolButton, QWidget

from zipmap_app.ui.actions import ActionId, Actions
from zipmap_app.ui.theme import PALETTE, icon

_A = ActionId
MENUS: tuple[tuple[str, tuple[tuple[ActionId, ...], ...]], ...] = (
    (
        "File",
        (
            (_A.NEW_SOURCE, _A.OPEN_VIDEO, _A.OPEN_FOLDER, _A.WEBCAM, _A.OPEN_ADDRESS, _A.SAMPLE),
            (_A.SAVE, _A.SCREENSHOT),
            (_A.QUIT,),
        ),
    ),
    (
        "Run",
        (
            (_A.PAUSE, _A.STEP, _A.STOP),
            (_A.FINALISE, _A.CONTINUE_FROM_HERE),
            (_A.PLAY, _A.STEP_BACK, _A.STEP_FORWARD, _A.FAST_BACK, _A.FAST_FORWARD),
            (_A.FIRST_FRAME, _A.NEWEST_FRAME),
        ),
    ),
    (
        "View",
        (
            (_A.FRAME, _A.RESET_VIEW),
            (_A.VIEW_FIRST_CAMERA, _A.VIEW_FRONT, _A.VIEW_RIGHT, _A.VIEW_TOP),
            (_A.FLY, _A.FOLLOW_CAMERA),
            (_A.COLOR_PICTURE, _A.COLOR_DISTANCE, _A.COLOR_CONFIDENCE, _A.COLOR_TIME),
            (_A.GRID, _A.PATH, _A.TIMELINE, _A.PANEL, _A.FULL_SCREEN),
        ),
    ),
    (
        "Scene",
        (
            (_A.UNDO, _A.REDO),
            (_A.MEASURE, _A.SET_SCALE, _A.LEAVE_TOOL),
            (_A.UP_FROM_PATH, _A.UP_FROM_FLOOR, _A.UP_FROM_VIEW, _A.RESET_ALIGNMENT),
        ),
    ),
    (
        "Query",
        (
            (_A.QUERY, _A.GHOST_ON_POINT, _A.GHOST_AT_FRAME, _A.REMOVE_GHOST),
            (_A.ADD_PREDICTED, _A.CLEAR_PREDICTED),
            (_A.ADD_FLIGHT_KEY, _A.PREVIEW_FLIGHT),
            (_A.SAVE_STATE, _A.OPEN_STATE, _A.FORK_STATE),
        ),
    ),
    ("Help", ((_A.SHORTCUTS, _A.ABOUT),)),
)
_LEFT: tuple[tuple[ActionId, ...], ...] = (
    (_A.OPEN_VIDEO, _A.OPEN_FOLDER, _A.NEW_SOURCE),
    (_A.PAUSE, _A.STEP, _A.STOP, _A.FINALISE),
    (_A.UNDO, _A.REDO),
    (_A.QUERY,),
)
_RIGHT: tuple[tuple[ActionId, ...], ...] = (
    (_A.MEASURE, _A.FLY, _A.FOLLOW_CAMERA),
    (_A.FRAME, _A.RESET_VIEW, _A.GRID, _A.PATH),
    (_A.SCREENSHOT, _A.SAVE, _A.PANEL),
)
_WITH_TEXT = (ActionId.OPEN_VIDEO, ActionId.PAUSE, ActionId.QUERY)


def fill_menus(bar: QMenuBar, actions: Actions) -> None:
    for title, sections in MENUS:
        menu = bar.addMenu(title)
        for index, section in enumerate(sections):
            if index:
                menu.addSeparator()
            menu.addActions([actions[action_id] for action_id in section])


def make_toolbar(actions: Actions) -> QToolBar:
    """Opening, transport and query on the left; view and saving on the right."""
    bar = QToolBar("Tools")
    bar.setMovable(False)
    bar.setIconSize(QSize(20, 20))
    bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
    actions[ActionId.QUERY].setIcon(icon("query", PALETTE.query))
    _add_groups(bar, actions, _LEFT)
    spacer = QWidget()
    spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
    bar.addWidget(spacer)
    _add_groups(bar, actions, _RIGHT)
    for action_id in _WITH_TEXT:
        button = bar.widgetForAction(actions[action_id])
        if isinstance(button, QToolButton):
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    # Its text changes; its neighbours must not jump.
    bar.widgetForAction(actions[ActionId.PAUSE]).setMinimumWidth(104)
    bar.widgetForAction(actions[ActionId.QUERY]).setObjectName("queryButton")
    return bar


def _add_groups(bar: QToolBar, actions: Actions, groups: tuple[tuple[ActionId, ...], ...]) -> None:
    for index, group in enumerate(groups):
        if index:
            bar.addSeparator()
        bar.addActions([actions[action_id] for action_id in group])
