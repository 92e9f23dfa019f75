"""Taking the scene back to an earlier frame, exactly, and taking that back."""

from __future__ import annotations

from collections.abc import Iterator

from zipmap_app.pipeline.command_queue import Work
from zipmap_app.pipeline.engine import Engine, EngineError
from zipmap_app.pipeline.history import Replay
from zipmap_app.pipeline.run import Run
from zipmap_app.pipeline.workbench import Workbench
from zipmap_app.state.commands import Rewind, RunRewound


def rewind(bench: Workbench, command: Rewind) -> Work:
    """Restore the nearest snapshot, replay the kept frames up to the one wanted, put the rest aside."""
    run = _run_to_edit(bench)
    engine, memory, n_frames = bench.engine, bench.memory, command.n_frames
    if not 1 <= n_frames <= memory.n_results:
        raise EngineError(
            f"The scene has {memory.n_results} frames, so it cannot go back to {n_frames} of them."
        )
    before = engine.snapshot()
    if n_frames < memory.history.n_frames:
        replay = memory.history.way_to(n_frames)
        is_done = False
        try:
            yield from _replay(engine, replay)
            is_done = True
        finally:
            if not is_done:  # cancelled or failed
                engine.restore(before)
    memory.cut(n_frames, before)
    _wait_there(bench, run, n_frames)
    return f"Back at frame {n_frames}"


def undo_rewind(bench: Workbench) -> Work:
    """Put back exactly what the newest rewind cut off."""
    run = _run_to_edit(bench)
    yield 0.0
    tail = bench.memory.restore()
    bench.engine.restore(tail.snapshot)
    _wait_there(bench, run, tail.n_results)
    return f"The scene has its {tail.n_results} frames again"


def _run_to_edit(bench: Workbench) -> Run:
    if bench.run is None:
        raise EngineError("There is no run to go back in.")
    if not bench.engine.can_rewind:
        raise EngineError(
            "This model works on all frames at once, so there is no earlier scene to go back to: "
            "use a streaming model."
        )
    return bench.run


def _replay(engine: Engine, replay: Replay) -> Iterator[float]:
    if replay.start is None:
        engine.reset()
    else:
        engine.restore(replay.start)
    for index, past in enumerate(replay.frames):
        yield index / len(replay.frames)
        engine.step(past.frame)  # its results are known
        if past.ends_window:
            engine.finish()


def _wait_there(bench: Workbench, run: Run, n_frames: int) -> None:
    """Pause, go on after the newest frame when told to, and say so."""
    bench.control.set_paused(True)
    can_continue = run.can_continue() and run.rewind(n_frames, bench.memory.last_frame_index)
    rewound = RunRewound(n_frames, can_continue)
    bench.outbox.post(rewound, admit=lambda: bench.control.is_current(run))
    if not can_continue:
        run.end(was_stopped=True)
