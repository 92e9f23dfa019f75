"""The column beside the viewport: what runs, what is asked, how it looks, what it costs."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from zipmap_app.state.alignment import Alignment
from zipmap_app.state.appearance import AppearanceModel
from zipmap_app.state.commands import StateInfo
from zipmap_app.state.messages import FrameResult
from zipmap_app.state.queries import LIVE_STATE
from zipmap_app.state.session import SessionModel, SessionStatus
from zipmap_app.ui.appearance_panel import AppearancePanel
from zipmap_app.ui.cards.align_card import AlignCard
from zipmap_app.ui.cards.answer_card import AnswerCard
from zipmap_app.ui.cards.cameras_card import CamerasCard
from zipmap_app.ui.cards.clip_card import ClipCard
from zipmap_app.ui.cards.flight_card import FlightCard
from zipmap_app.ui.cards.frame_card import FrameCard
from zipmap_app.ui.cards.ghost_card import GhostCard
from zipmap_app.ui.cards.measure_card import MeasureCard
from zipmap_app.ui.cards.run_info_card import RunInfoCard
from zipmap_app.ui.cards.run_settings_card import RunSettingsCard
from zipmap_app.ui.cards.states_card import CompanionCard, StatesCard
from zipmap_app.ui.performance.tab import PerformanceTab
from zipmap_app.ui.throttle import Throttle

_FOLLOW_MS = 100


class SideTab(IntEnum):
    """The tabs in their order."""

    LIVE = 0
    QUERY = 1
    VIEW = 2
    PERFORMANCE = 3


_TITLES = {
    SideTab.LIVE: ("Live", "The frame under the playhead, and the run"),
    SideTab.QUERY: ("Query", "What a camera anywhere would see"),
    SideTab.VIEW: ("View", "How the scene is drawn, turned and measured"),
    SideTab.PERFORMANCE: ("Performance", "Where time and memory go"),
}


class SideTabs(QTabWidget):
    """Four columns of cards over one session. GUI thread only."""

    def __init__(self, session: SessionModel, look: AppearanceModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setDocumentMode(True)
        self.tabBar().setDrawBase(False)
        self.tabBar().setExpanding(False)
        self.setMinimumWidth(364)  # the widest card beside a scroll bar
        self.setMaximumWidth(620)
        self.frame = FrameCard(session.history, session.timeline)
        self.run_info = RunInfoCard()
        self.run_settings = RunSettingsCard()
        self.appearance = AppearancePanel(look)
        self.cameras = CamerasCard(look)
        self.clip = ClipCard(look, session.cloud, session.alignment)
        self.align = AlignCard(session.alignment)
        self.measure = MeasureCard(session.tools, session.alignment)
        self.performance = PerformanceTab(session, look)
        self.ghost = GhostCard(session.ghost, session.alignment)
        self.answer = AnswerCard()
        self.companion = CompanionCard()
        self.states = StatesCard()
        self.flight = FlightCard(session.flight)
        self._add(SideTab.LIVE, (self.frame, self.run_info, self.run_settings))
        self._add(SideTab.QUERY, (self.ghost, self.answer, self.companion, self.states, self.flight))
        self._add(SideTab.VIEW, (self.appearance, self.cameras, self.align, self.measure, self.clip))
        self._add(SideTab.PERFORMANCE, (self.performance,))
        self._releasable = (
            self.frame,
            self.ghost,
            self.flight,
            self.appearance,
            self.cameras,
            self.align,
            self.measure,
            self.clip,
            self.performance,
        )
        self._shown: tuple[bool, str, bool] | None = (
            None  # is there a scene, why not ask it, is a model missing
        )
        self._follow_counts = Throttle(self._show_counts, _FOLLOW_MS, self)
        self._disconnects = (
            session.companion_progressed.connect(self.companion.show_progress),
            session.states_changed.connect(self._show_states),
            session.began.connect(self._on_began),
            session.status_changed.connect(self._on_status),
            session.frame_changed.connect(self._on_frame),
            session.alignment.changed.connect(self._on_alignment),
        )
        self.ghost.model_wanted.connect(self._show_companion_choice)
        self._on_status(session.status)
        self._on_frame(session.current_frame)
        self._on_alignment(session.alignment.value)

    def release(self) -> None:
        """Let go of the session and everything in it."""
        self._follow_counts.stop()
        for disconnect in self._disconnects:
            disconnect()
        for card in self._releasable:
            card.release()

    def show_tab(self, tab: SideTab) -> None:
        self.setCurrentIndex(tab)

    def _add(self, tab: SideTab, cards: tuple[QWidget, ...]) -> None:
        column = QWidget()
        layout = QVBoxLayout(column)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.setSpacing(10)
        for card in cards:
            layout.addWidget(card)
        layout.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(column)
        title, tooltip = _TITLES[tab]
        index = self.addTab(area, title)
        self.setTabToolTip(index, tooltip)

    def _on_status(self, status: SessionStatus) -> None:
        self._follow_counts()
        self.run_settings.companion.show_run_model(status.model_name, answers_itself=status.answers_itself)
        why_no_query = _why_no_query(status)
        shown = (status.n_points > 0, why_no_query, bool(status.model_name) and not status.supports_query)
        if shown != self._shown:
            self._shown = shown
            has_scene, why_not, needs_model = shown
            self.align.set_has_scene(has_scene)
            self.measure.set_has_scene(has_scene)
            self.ghost.set_available(why_not, needs_model=needs_model)
            self.flight.set_available(why_not)
            self.answer.setVisible(not needs_model)
            self._show_states()

    def _show_counts(self) -> None:
        """What changes with every frame."""
        self.run_info.show_status(self._session.status)
        self._show_states()

    def _show_companion_choice(self) -> None:
        self.show_tab(SideTab.LIVE)
        area, choice = self.currentWidget(), self.run_settings.companion
        assert isinstance(area, QScrollArea)
        area.ensureWidgetVisible(choice)
        choice.models.setFocus()

    def _show_states(self) -> None:
        status = self._session.status
        live = StateInfo(LIVE_STATE, "Live scene", status.n_frames, 0)
        self.states.show_states((*((live,) if status.n_frames else ()), *self._session.states))

    def _on_began(self) -> None:
        self.companion.show_progress(None)
        self.answer.show_compared(None)
        self.answer.show_answer(None)

    def _on_frame(self, frame: FrameResult | None) -> None:
        if frame is None:
            self.run_info.show_lens(None, 0)
        else:
            self.run_info.show_lens(frame.intrinsics, frame.rgb.shape[1])

    def _on_alignment(self, alignment: Alignment) -> None:
        self.frame.pictures.depth_scale.set_unit(alignment.length_unit)
        self.answer.set_unit(alignment.length_unit)


def _why_no_query(status: SessionStatus) -> str:
    if status.model_name and not status.supports_query:
        return (
            f"The model “{Path(status.model_name).name}” cannot answer questions, and no other is chosen to"
        )
    if not status.n_frames:
        return "There is no scene yet"
    return "" if status.model_name else "The model is not loaded yet"
