"""Scene states beside the live one: opened from files or forked."""

from __future__ import annotations

from dataclasses import dataclass

from zipmap_app.pipeline.engine import EngineError, Scene
from zipmap_app.state.commands import StateInfo, StatesChanged
from zipmap_app.state.queries import LIVE_STATE


@dataclass(frozen=True, slots=True, eq=False)
class _NamedScene:
    name: str
    scene: Scene


class SceneStates:
    """Named scenes by their ids, which count up from 1 and are never used again. Inference thread only."""

    def __init__(self) -> None:
        self._states: dict[int, _NamedScene] = {}
        self._next_id = LIVE_STATE + 1

    def add(self, name: str, scene: Scene) -> None:
        self._states[self._next_id] = _NamedScene(name, scene)
        self._next_id += 1

    def drop(self, state_id: int) -> None:
        """Forget a state. Raises EngineError if there is none with this id."""
        self.scene(state_id)
        del self._states[state_id]

    def scene(self, state_id: int) -> Scene:
        """Raises EngineError if there is none with this id."""
        if state_id not in self._states:
            raise EngineError("This state is not there any more; choose another one.")
        return self._states[state_id].scene

    @property
    def memory_bytes(self) -> int:
        return sum(state.scene.memory_bytes for state in self._states.values())

    @property
    def message(self) -> StatesChanged:
        """All states, for the user."""
        return StatesChanged(tuple(self._info(state_id) for state_id in sorted(self._states)))

    def _info(self, state_id: int) -> StateInfo:
        state = self._states[state_id]
        lens = state.scene.intrinsics
        return StateInfo(
            state_id=state_id,
            name=state.name,
            n_frames=state.scene.n_frames,
            memory_bytes=state.scene.memory_bytes,
            intrinsics=(float(lens[0, 0]), float(lens[1, 1]), float(lens[0, 2]), float(lens[1, 2])),
            size_hw=state.scene.size_hw,
        )
