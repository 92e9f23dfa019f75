"""Connects the rows of the actions table with what they do, and keeps them enabled as far as they can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject

from zipmap_app.scene.navigation import ViewDirection
from zipmap_app.state.queries import LIVE_STATE
from zipmap_app.state.session import RunState, SessionStatus
from zipmap_app.state.tools import PointTool
from zipmap_app.ui.actions import ActionId
from zipmap_app.ui.cards.align_card import AlignWay
from zipmap_app.ui.cards.ghost_card import GhostPlace
from zipmap_app.ui.controllers.answers import AnswerController
from zipmap_app.ui.controllers.asking import GhostAsker
from zipmap_app.ui.controllers.finalising import FinaliseController
from zipmap_app.ui.controllers.flying import FlightController
from zipmap_app.ui.controllers.ghost import GhostController
from zipmap_app.ui.parts import WindowParts
from zipmap_app.ui.side_tabs import SideTab
from zipmap_app.ui.theme import icon

_A = ActionId
_NEEDS_SCENE = (
    _A.SAVE, _A.MEASURE, _A.SET_SCALE, _A.UP_FROM_PATH, _A.UP_FROM_FLOOR, _A.UP_FROM_VIEW, _A.RESET_ALIGNMENT,
    _A.FOLLOW_CAMERA,
)  # fmt: skip
_NEEDS_FRAMES = (
    _A.PLAY, _A.STEP_BACK, _A.STEP_FORWARD, _A.FAST_BACK, _A.FAST_FORWARD, _A.FIRST_FRAME, _A.NEWEST_FRAME,
)  # fmt: skip
_NEEDS_ANSWERS = (
    _A.QUERY, _A.GHOST_ON_POINT, _A.GHOST_AT_FRAME, _A.ADD_FLIGHT_KEY, _A.SAVE_STATE, _A.FORK_STATE,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Controllers:
    """Who does what the actions say."""

    asker: GhostAsker
    ghost: GhostController
    answers: AnswerController
    flight: FlightController
    finalise: FinaliseController


class ActionController(QObject):
    """The actions of scene, query, run and timeline; the window connects those of files and itself."""

    def __init__(self, parts: WindowParts, controllers: Controllers, parent: QObject) -> None:
        super().__init__(parent)
        self._parts = parts
        self._to = controllers
        self._connect_actions()
        self._connect_cards()
        session = parts.session
        self._shown: tuple[object, ...] = ()  # of the status, what the actions depend on
        self._disconnects = (
            session.status_changed.connect(self._on_status),
            session.undo.changed.connect(self._show_undo),
            session.timeline.changed.connect(self._show_timeline),
            session.tools.changed.connect(self._show_tool),
            session.ghost.changed.connect(lambda view: self._show_query()),
            session.flight.changed.connect(self._show_query),
            session.queried.appended.connect(lambda points: self._show_query()),
            session.queried.replaced.connect(self._show_query),
        )
        self.refresh()

    def close(self) -> None:
        for disconnect in self._disconnects:
            disconnect()

    def refresh(self) -> None:
        """Enable what can be done now."""
        self._show_run(self._parts.session.status)
        self._show_undo()
        self._show_timeline()
        self._show_query()

    def _on_status(self, status: SessionStatus) -> None:
        # It changes with every frame; the actions do not.
        shown = (
            status.state,
            status.supports_query,
            status.n_frames > 1,
            status.n_points > 0,
            self._to.asker.can_ask,
            self._to.finalise.is_running,
        )
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def align(self, way: AlignWay) -> None:
        """Take "up" from somewhere, undoably."""
        editor = self._parts.editor
        match way:
            case AlignWay.PATH:
                editor.align_up_from_path()
            case AlignWay.VIEW:
                editor.align_up(-self._parts.scene.view_pose()[:3, 1])
            case AlignWay.RESET:
                editor.reset_alignment()

    def place_ghost(self, place: GhostPlace) -> None:
        """Put the ghost somewhere, and show its answers."""
        self._parts.actions[_A.PANEL].setChecked(True)
        self._parts.tabs.show_tab(SideTab.QUERY)
        session = self._parts.session
        match place:
            case GhostPlace.VIEW:
                self._to.ghost.place_at_view()
            case GhostPlace.POINT:
                session.tools.start(PointTool.GHOST)
            case GhostPlace.FRAME:
                position = session.timeline.position
                if position is not None:
                    self._to.ghost.place_at_frame(session.history[position])
        self._to.asker.ask()

    def _connect_actions(self) -> None:
        parts, session, scene = self._parts, self._parts.session, self._parts.scene
        tools, timeline = session.tools, session.timeline
        handlers: tuple[tuple[ActionId, Callable[[], object]], ...] = (
            (_A.PAUSE, self._on_pause),
            (_A.STEP, parts.requests.step.emit),
            (_A.STOP, parts.requests.stop.emit),
            (_A.FINALISE, self._to.finalise.start),
            (_A.CONTINUE_FROM_HERE, parts.timeline.request_rewind),
            (_A.PLAY, parts.timeline.toggle_playing),
            (_A.STEP_BACK, lambda: timeline.step(-1)),
            (_A.STEP_FORWARD, lambda: timeline.step(1)),
            (_A.FAST_BACK, lambda: timeline.step(-10)),
            (_A.FAST_FORWARD, lambda: timeline.step(10)),
            (_A.FIRST_FRAME, lambda: timeline.seek(0)),
            (_A.NEWEST_FRAME, lambda: timeline.seek(None)),
            (_A.FRAME, scene.frame_scene),
            (_A.RESET_VIEW, scene.reset_view),
            (_A.VIEW_FIRST_CAMERA, lambda: scene.set_view(ViewDirection.FIRST_CAMERA)),
            (_A.VIEW_FRONT, lambda: scene.set_view(ViewDirection.FRONT)),
            (_A.VIEW_RIGHT, lambda: scene.set_view(ViewDirection.RIGHT)),
            (_A.VIEW_TOP, lambda: scene.set_view(ViewDirection.TOP)),
            (_A.UNDO, session.undo.undo),
            (_A.REDO, session.undo.redo),
            (_A.SET_SCALE, lambda: tools.start(PointTool.SCALE)),
            (_A.UP_FROM_PATH, lambda: self.align(AlignWay.PATH)),
            (_A.UP_FROM_FLOOR, lambda: tools.start(PointTool.UP)),
            (_A.UP_FROM_VIEW, lambda: self.align(AlignWay.VIEW)),
            (_A.RESET_ALIGNMENT, lambda: self.align(AlignWay.RESET)),
            (_A.LEAVE_TOOL, tools.cancel),
            (_A.QUERY, lambda: self.place_ghost(GhostPlace.VIEW)),
            (_A.GHOST_ON_POINT, lambda: self.place_ghost(GhostPlace.POINT)),
            (_A.GHOST_AT_FRAME, lambda: self.place_ghost(GhostPlace.FRAME)),
            (_A.REMOVE_GHOST, session.ghost.remove),
            (_A.ADD_PREDICTED, self._to.answers.add_points),
            (_A.CLEAR_PREDICTED, parts.editor.clear_queried_points),
            (_A.ADD_FLIGHT_KEY, self._on_add_flight_key),
            (_A.PREVIEW_FLIGHT, self._to.flight.preview),
            (_A.SAVE_STATE, lambda: self._to.answers.save_state(self._to.asker.state_id)),
            (_A.OPEN_STATE, self._to.answers.open_state),
            (_A.FORK_STATE, lambda: self._to.answers.fork_state(LIVE_STATE)),
        )
        for action_id, handler in handlers:
            parts.actions[action_id].triggered.connect(lambda _=False, handler=handler: handler())
        toggles: tuple[tuple[ActionId, Callable[[bool], object]], ...] = (
            (_A.GRID, scene.set_grid_visible),
            (_A.PATH, scene.set_path_visible),
            (_A.PANEL, parts.tabs.setVisible),
            (_A.TIMELINE, parts.timeline.setVisible),
            (_A.FLY, scene.set_fly),
            (_A.FOLLOW_CAMERA, scene.set_follow_camera),
        )
        for action_id, toggle in toggles:
            parts.actions[action_id].toggled.connect(toggle)
        parts.actions[_A.MEASURE].triggered.connect(self._on_measure)

    def _connect_cards(self) -> None:
        tabs, parts = self._parts.tabs, self._parts
        tabs.align.align_requested.connect(self.align)
        tabs.align.tool_requested.connect(parts.session.tools.start)
        tabs.align.scale_clear_requested.connect(parts.editor.clear_scale)
        tabs.measure.tool_requested.connect(self._on_tool)
        tabs.measure.kept.connect(parts.editor.remove_measurements)
        tabs.ghost.place_requested.connect(self.place_ghost)
        tabs.ghost.live_toggled.connect(self._to.asker.set_live)
        tabs.flight.add_key_requested.connect(self._on_add_flight_key)
        tabs.flight.preview_requested.connect(self._to.flight.preview)
        self._to.flight.preview_changed.connect(tabs.flight.show_preview)

    def _on_pause(self) -> None:
        requests = self._parts.requests
        is_paused = self._parts.session.status.state is RunState.PAUSED
        (requests.resume if is_paused else requests.pause).emit()

    def _on_measure(self, is_on: bool) -> None:
        self._on_tool(PointTool.MEASURE if is_on else None)

    def _on_tool(self, tool: PointTool | None) -> None:
        if tool is None:
            self._parts.session.tools.put_away()
        else:
            self._parts.session.tools.start(tool)

    def _on_add_flight_key(self) -> None:
        if self._parts.session.ghost.view is None:
            self._to.ghost.place_at_view()
        self._to.answers.add_flight_key()

    def _show_run(self, status: SessionStatus) -> None:
        act = self._parts.actions
        is_paused = status.state is RunState.PAUSED
        pause = act[_A.PAUSE]
        pause.setEnabled(status.is_active)
        pause.setText("Resume" if is_paused else "Pause")
        pause.setIconText(" Resume" if is_paused else " Pause")
        pause.setIcon(icon("play" if is_paused else "pause"))
        act[_A.STEP].setEnabled(is_paused)
        act[_A.STOP].setEnabled(status.is_active)
        act[_A.FINALISE].setEnabled(status.n_frames > 1 and not self._to.finalise.is_running)
        for action_id in _NEEDS_SCENE:
            act[action_id].setEnabled(status.n_points > 0)
        for action_id in _NEEDS_ANSWERS:
            act[action_id].setEnabled(self._to.asker.can_ask)
        act[_A.OPEN_STATE].setEnabled(status.supports_query)

    def _show_undo(self) -> None:
        undo, act = self._parts.session.undo, self._parts.actions
        for action, verb, label in (
            (act[_A.UNDO], "Undo", undo.undo_label),
            (act[_A.REDO], "Redo", undo.redo_label),
        ):
            action.setEnabled(label is not None and not undo.is_blocked)
            action.setText(f"{verb} {label}" if label else verb)

    def _show_timeline(self) -> None:
        n_frames = self._parts.session.timeline.n_frames
        for action_id in _NEEDS_FRAMES:
            self._parts.actions[action_id].setEnabled(n_frames > 1)
        self._parts.actions[_A.CONTINUE_FROM_HERE].setEnabled(self._parts.timeline.can_rewind)

    def _show_tool(self) -> None:
        tool = self._parts.session.tools.tool
        self._parts.actions[_A.MEASURE].setChecked(tool is PointTool.MEASURE)
        self._parts.actions[_A.LEAVE_TOOL].setEnabled(tool is not None)

    def _show_query(self) -> None:
        session, act = self._parts.session, self._parts.actions
        act[_A.REMOVE_GHOST].setEnabled(session.ghost.view is not None)
        act[_A.ADD_PREDICTED].setEnabled(session.ghost.view is not None and self._to.asker.can_ask)
        act[_A.CLEAR_PREDICTED].setEnabled(session.queried.n_points > 0)
        act[_A.PREVIEW_FLIGHT].setEnabled(session.flight.is_ready)
        self._show_tool()
