"""Questions at the ghost: one at a time, the newest wins."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QObject

from tests.app_fakes import answer, make_frame
from zipmap_app.state.commands import StateInfo, StatesChanged
from zipmap_app.state.ghost import GhostView
from zipmap_app.state.messages import ModelLoaded, PipelineFault
from zipmap_app.state.queries import LIVE_STATE, QueryRequest
from zipmap_app.state.session import SessionModel
from zipmap_app.ui.controllers.asking import GhostAsker


class Asked:
    """A session with a ghost asker, and everything it asked."""

    def __init__(self, owner: QObject) -> None:
        self.session = SessionModel()
        self.session.begin("room")
        self.session.apply(ModelLoaded("bundled", "cpu", True, 0.1))
        self.session.apply(make_frame(0))
        self.asker = GhostAsker(self.session, owner)
        self.requests: list[QueryRequest] = []
        self.answers: list[int] = []
        self.compared: list[int] = []
        self.asker.requested.connect(self.requests.append)
        self.asker.answered.connect(lambda result: self.answers.append(result.query_id))
        self.asker.compared.connect(lambda result: self.compared.append(result.query_id))

    def place_ghost(self, x: float) -> None:
        pose = np.eye(4)
        pose[0, 3] = x
        self.session.ghost.place(GhostView(pose, np.eye(3), (24, 32)))

    def reply(self) -> None:
        result = answer(self.requests[-1])
        object.__setattr__(result, "state_id", self.requests[-1].state_id)
        self.session.apply(result)

    @property
    def asked_x(self) -> list[float]:
        return [float(request.world_from_camera[0, 3]) for request in self.requests]


@pytest.fixture
def asked(qapp) -> Iterator[Asked]:
    owner = QObject()
    asked = Asked(owner)
    yield asked
    asked.asker.close()


def test_while_a_question_is_out_only_the_newest_pose_is_remembered(asked: Asked) -> None:
    for x in (1.0, 2.0, 3.0):
        asked.place_ghost(x)
    assert asked.asked_x == [1.0]
    asked.reply()
    assert asked.asked_x == [1.0, 3.0]
    asked.reply()
    assert asked.asked_x == [1.0, 3.0]
    assert len(asked.answers) == 2


def test_a_new_frame_asks_again_while_live(asked: Asked) -> None:
    asked.place_ghost(1.0)
    asked.reply()
    asked.session.apply(make_frame(1))
    assert len(asked.requests) == 2
    asked.reply()
    asked.asker.set_live(False)
    asked.session.apply(make_frame(2))
    asked.place_ghost(5.0)
    assert len(asked.requests) == 2
    asked.asker.ask()
    assert asked.asked_x[-1] == 5.0


def test_without_a_ghost_nothing_is_asked(asked: Asked) -> None:
    asked.asker.ask()
    asked.session.apply(make_frame(1))
    assert asked.requests == []


def test_a_model_without_queries_is_not_asked(asked: Asked) -> None:
    asked.session.apply(ModelLoaded("streaming", "cpu", False, 0.1))
    asked.place_ghost(1.0)
    assert asked.requests == []


def test_two_states_are_asked_for_one_pose(asked: Asked) -> None:
    asked.session.apply(StatesChanged((StateInfo(1, "fork", 3, 100),)))
    asked.place_ghost(1.0)
    asked.reply()
    asked.asker.set_states(LIVE_STATE, 1)
    asked.place_ghost(2.0)
    asked.reply()
    assert [(request.state_id) for request in asked.requests] == [0, 0, 1]
    assert asked.asked_x == [1.0, 1.0, 1.0]
    asked.reply()
    asked.reply()
    asked.reply()
    assert asked.asked_x[-2:] == [2.0, 2.0]
    assert [request.state_id for request in asked.requests[-2:]] == [0, 1]
    assert len(asked.compared) == 2


def test_a_forgotten_state_is_not_asked_any_more(asked: Asked) -> None:
    asked.session.apply(StatesChanged((StateInfo(1, "fork", 3, 100),)))
    asked.asker.set_states(1, LIVE_STATE)
    asked.session.apply(StatesChanged(()))
    assert (asked.asker.state_id, asked.asker.compared_id) == (LIVE_STATE, None)


def test_a_failed_question_does_not_block_the_next(asked: Asked) -> None:
    asked.place_ghost(1.0)
    asked.session.apply(PipelineFault("The query failed.", fatal=False, origin="query"))
    asked.place_ghost(2.0)
    assert asked.asked_x == [1.0, 2.0]


def test_an_answer_to_an_older_question_is_ignored(asked: Asked) -> None:
    asked.place_ghost(1.0)
    stale = asked.requests[0]
    asked.session.apply(PipelineFault("The query failed.", fatal=False, origin="query"))
    asked.place_ghost(2.0)
    asked.session.apply(answer(stale))
    assert asked.answers == []
