"""Menus and toolbar, made from the actions table."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QMenuBar, QSizePolicy, QToolBar, QToolButton, QWidget

from zipmap_app.ui.actions import ActionId, Actions
from zipmap_app.ui.theme import PALETTE, icon

_MENUS: tuple[tuple[str, tuple[tuple[ActionId, ...], ...]], ...] = (
    (
        "File",
        (
            (ActionId.OPEN_VIDEO, ActionId.OPEN_FOLDER, ActionId.WEBCAM),
            (ActionId.OPEN_ADDRESS, ActionId.SAMPLE),
            (ActionId.SAVE, ActionId.SCREENSHOT),
            (ActionId.QUIT,),
        ),
    ),
    ("Run", ((ActionId.PAUSE, ActionId.STEP, ActionId.STOP), (ActionId.QUERY,))),
    (
        "View",
        (
            (ActionId.FRAME, ActionId.RESET_VIEW),
            (ActionId.GRID, ActionId.PATH, ActionId.PANEL, ActionId.FULL_SCREEN),
        ),
    ),
    ("Help", ((ActionId.SHORTCUTS, ActionId.ABOUT),)),
)
_LEFT: tuple[tuple[ActionId, ...], ...] = (
    (ActionId.OPEN_VIDEO, ActionId.OPEN_FOLDER, ActionId.WEBCAM),
    (ActionId.PAUSE, ActionId.STEP, ActionId.STOP),
    (ActionId.QUERY,),
)
_RIGHT: tuple[tuple[ActionId, ...], ...] = (
    (ActionId.FRAME, ActionId.RESET_VIEW, ActionId.GRID, ActionId.PATH),
    (ActionId.SCREENSHOT, ActionId.SAVE, ActionId.PANEL),
)
_WITH_TEXT = (ActionId.OPEN_VIDEO, ActionId.PAUSE, ActionId.QUERY)


def fill_menus(bar: QMenuBar, actions: Actions) -> None:
    for title, sections in _MENUS:
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
