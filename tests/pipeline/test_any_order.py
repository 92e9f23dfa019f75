"""Whatever the user does in whatever order, what the viewer was told is what the engine holds."""

from __future__ import annotations

import random
from contextlib import closing

import pytest

from tests.pipeline_fakes import FakeEngine, ListSource, make_request, take_until
from zipmap_app.pipeline.runner import Runner, RunOptions
from zipmap_app.state.commands import (
    CommandEnded,
    ForkState,
    RenderFlight,
    Rewind,
    RunRewound,
    UndoRewind,
)
from zipmap_app.state.messages import FrameResult, StreamEnded
from zipmap_app.state.queries import LIVE_STATE


class Film(ListSource):
    """A file that can be opened again."""

    def reopened(self, after_frame_index):
        film = Film(self._n_frames)
        film.n_read = after_frame_index + 1
        return film


class Viewer:
    """Folds messages as the window does: which frames it shows, and whether the run is over."""

    def __init__(self):
        self.shown = []
        self.cut = []
        self.is_over = True
        self.ended = []
        self._undoes = False

    def begin(self):
        self.shown, self.cut, self.is_over = [], [], False

    def fold(self, message):
        match message:
            case FrameResult():
                assert message.position == len(self.shown)
                self.shown.append(message.frame_index)
            case RunRewound():
                self._fold_rewound(message)
            case StreamEnded():
                assert message.n_frames == len(self.shown)
                self.is_over = True
            case CommandEnded():
                self.ended.append(message.command_id)

    def _fold_rewound(self, rewound):
        assert rewound.can_continue
        self.is_over = False
        if self._undoes and rewound.n_frames == self.cut[0] + len(self.cut[1]):
            self.shown = [*self.shown[: self.cut[0]], *self.cut[1]]
        else:
            self.cut = (rewound.n_frames, self.shown[rewound.n_frames :])
            del self.shown[rewound.n_frames :]
        assert len(self.shown) == rewound.n_frames

    def expect_undo(self, is_expected):
        self._undoes = is_expected


def drain(runner, viewer):
    for message in runner.outbox.take(50):
        viewer.fold(message)


def wait_for_end_of(runner, viewer, command_id):
    while command_id not in viewer.ended:
        for message in take_until(runner, CommandEnded):
            viewer.fold(message)


@pytest.mark.parametrize("seed", range(12))
def test_any_order(seed):
    rng = random.Random(seed)
    engine, viewer = FakeEngine(), Viewer()
    engine.snapshot_bytes = 3000
    options = RunOptions(history_bytes=rng.choice([10**6, 10**9]))
    can_undo = False
    with closing(Runner(options, lambda: None, engine)) as runner:
        for number in range(60):
            drain(runner, viewer)
            action = rng.choice(
                ["start", *["rewind", "undo", "go", "pause", "step", "query", "fork", "flight"] * 3]
            )
            if action == "start":
                viewer.begin()
                runner.start(Film(rng.randint(1, 60)))
                can_undo = False
            elif action == "rewind" and viewer.shown:
                runner.pause()
                n_frames = rng.randint(1, len(viewer.shown))
                viewer.expect_undo(False)
                runner.do(Rewind(number, n_frames))
                wait_for_end_of(runner, viewer, number)
                can_undo = True
            elif action == "undo" and can_undo:
                viewer.expect_undo(True)
                runner.do(UndoRewind(number))
                wait_for_end_of(runner, viewer, number)
                can_undo = False
            elif action == "go":
                runner.resume()
            elif action == "pause":
                runner.pause()
            elif action == "step":
                runner.pause()
                runner.step()
            elif action == "query":
                runner.query(make_request())
            elif action == "fork":
                runner.do(ForkState(number, LIVE_STATE, "fork"))
            elif action == "flight":
                runner.do(RenderFlight(number, (make_request(),) * 2))
        runner.resume()
        if not viewer.is_over:
            for message in take_until(runner, StreamEnded):
                viewer.fold(message)
        assert viewer.shown == engine.seen
        assert viewer.shown == list(range(len(viewer.shown)))
        assert len(viewer.ended) == len(set(viewer.ended))  # each command ended once
