"""Files of a run: complete or absent, and read back as written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training.checkpoint import RunState, load_run_state, load_weights, save_run_state, save_shards


def test_run_state_comes_back(tmp_path: Path) -> None:
    state = RunState(7, {"w": torch.arange(3.0)}, {"w": torch.zeros(3)}, {"state": {}, "param_groups": []})
    save_run_state(tmp_path / "run" / "state.pt", state)
    loaded = load_run_state(tmp_path / "run" / "state.pt", torch.device("cpu"))
    assert loaded.step == 7
    assert torch.equal(loaded.model["w"], state.model["w"])
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["state.pt"]


def test_shards_respect_their_size_and_join_again(tmp_path: Path) -> None:
    tensors = {f"t{i}": torch.full((100,), float(i)) for i in range(5)}
    paths = save_shards(tmp_path, tensors, max_bytes=450)
    assert len(paths) == 3
    joined = load_weights(tmp_path)
    assert joined.keys() == tensors.keys()
    assert torch.equal(joined["t4"].float(), tensors["t4"])


def test_a_tensor_larger_than_a_shard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="big"):
        save_shards(tmp_path, {"big": torch.zeros(1000)}, max_bytes=100)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no weights"):
        load_weights(tmp_path)
