"""From a command to its work. Each function is a generator as CommandQueue wants it: units between yields."""

from __future__ import annotations

from zipmap_app.pipeline.command_queue import CommandCancelledError, Work
from zipmap_app.pipeline.engine import EngineError
from zipmap_app.pipeline.finalising import finalise
from zipmap_app.pipeline.rewinding import rewind, undo_rewind
from zipmap_app.pipeline.workbench import Workbench
from zipmap_app.state.commands import (
    Command,
    DropState,
    Finalise,
    FlightFrame,
    ForkState,
    OpenState,
    RenderFlight,
    Rewind,
    SaveState,
    UndoRewind,
)

# Commands about the live scene: a new run makes them meaningless.
SCENE_COMMANDS: tuple[type[Command], ...] = (Rewind, UndoRewind, Finalise, RenderFlight)

_PUT_TIMEOUT_S = 0.2


def work_for(bench: Workbench, command: Command) -> Work:
    """The work of a command, not yet begun."""
    match command:
        case Rewind():
            return rewind(bench, command)
        case UndoRewind():
            return undo_rewind(bench)
        case Finalise():
            return finalise(bench)
        case RenderFlight():
            return _render_flight(bench, command)
        case SaveState():
            return _save_state(bench, command)
        case OpenState():
            return _open_state(bench, command)
        case ForkState():
            return _fork_state(bench, command)
        case DropState():
            return _drop_state(bench, command)


def _render_flight(bench: Workbench, command: RenderFlight) -> Work:
    """One view at a time; a slow consumer slows the flight down, and frames of the run wait meanwhile."""
    run, n_frames = bench.run, len(command.requests)
    for index, request in enumerate(command.requests):
        frame = FlightFrame(command.command_id, index, n_frames, bench.answer(request))
        while not bench.outbox.put(frame, _PUT_TIMEOUT_S, lambda: bench.control.is_current(run)):
            if not bench.control.is_current(run):
                raise CommandCancelledError  # the scene that it flies through is gone
            yield index / n_frames
        yield (index + 1) / n_frames
    return ""


def _save_state(bench: Workbench, command: SaveState) -> Work:
    yield 0.0
    scene = bench.scene(command.state_id)
    if scene is None:
        raise EngineError("There is no scene to save yet: reconstruct at least one frame first.")
    bench.asked.save_scene(scene, command.path)
    return f"Saved the state of {scene.n_frames} frames to {command.path}"


def _open_state(bench: Workbench, command: OpenState) -> Work:
    yield 0.0
    scene = bench.asked.open_scene(command.path)
    bench.states.add(command.path.stem, scene)
    bench.outbox.post(bench.states.message)
    return f"Opened {command.path.name}, a state of {scene.n_frames} frames"


def _fork_state(bench: Workbench, command: ForkState) -> Work:
    yield 0.0
    scene = bench.scene(command.state_id)
    if scene is None:
        raise EngineError("There is no scene to keep yet: reconstruct at least one frame first.")
    bench.states.add(command.name, scene)
    bench.outbox.post(bench.states.message)
    return f"Kept the state of {scene.n_frames} frames as {command.name}"


def _drop_state(bench: Workbench, command: DropState) -> Work:
    yield 0.0
    bench.states.drop(command.state_id)
    bench.outbox.post(bench.states.message)
    return ""
