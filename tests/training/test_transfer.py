"""A start for another architecture out of given weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from tests.model.conftest import MINI
from training.transfer import resampled_kernel, transferred
from zipmap_model import ZipMap

_PAIRS = (1, 2, 3, 5)


def _narrow(patch_size: int, depth: int) -> ZipMap:
    config = dataclasses.replace(
        MINI, patch_size=patch_size, image_size=48, depth=depth, tap_blocks=tuple(range(depth - 4, depth))
    )
    torch.manual_seed(depth)
    return ZipMap(config)


def test_kept_pairs_move_up_and_the_rest_is_taken_over() -> None:
    old, new = _narrow(8, 6), _narrow(8, 4)
    found = transferred(old.state_dict(), new.config, _PAIRS)
    new.load_state_dict(found)
    for place, pair in enumerate(_PAIRS):
        theirs = old.aggregator.global_blocks[pair].state_dict()
        for name, tensor in new.aggregator.global_blocks[place].state_dict().items():
            assert torch.equal(tensor, theirs[name]), name
    assert torch.equal(found["depth_head.norm.weight"], old.state_dict()["depth_head.norm.weight"])


def test_patches_of_another_size_fit_the_new_model() -> None:
    old, new = _narrow(8, 4), _narrow(12, 4)
    found = transferred(old.state_dict(), new.config, (0, 1, 2, 3))
    new.load_state_dict(found)
    assert found["aggregator.patch_embed.pos_embed"].shape[1] == 1 + 4 * 4
    name = "aggregator.patch_embed.patch_embed.proj.weight"
    torch.testing.assert_close(found[name].sum((2, 3)), old.state_dict()[name].sum((2, 3)))


def test_a_resampled_kernel_keeps_its_sum_and_its_symmetry() -> None:
    kernel = torch.randn(2, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    found = resampled_kernel(kernel, 4)
    assert found.shape == (2, 3, 4, 4)
    torch.testing.assert_close(found.sum((2, 3)), kernel.sum((2, 3)))
    torch.testing.assert_close(resampled_kernel(kernel.flip(2, 3), 4), found.flip(2, 3))
    # What rises from left to right still does.
    ramp = torch.arange(3.0).expand(1, 1, 3, 3)
    assert (resampled_kernel(ramp, 4).diff(dim=3) > 0).all()


def test_what_does_not_fit_is_refused() -> None:
    old, new = _narrow(8, 6), _narrow(8, 4)
    with pytest.raises(ValueError, match="4 pairs, got 3"):
        transferred(old.state_dict(), new.config, (1, 2, 5))
    with pytest.raises(ValueError, match="have no aggregator"):
        transferred(old.state_dict(), new.config, (1, 2, 3, 9))
    wide = dataclasses.replace(new.config, dpt_features=MINI.dpt_features * 2)
    with pytest.raises(ValueError, match="does not become"):
        transferred(old.state_dict(), wide, _PAIRS)


def test_the_command_writes_what_the_model_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.torch import save_file

    from training import transfer
    from zipmap_model import load_model

    old, new = _narrow(8, 6), _narrow(12, 4)
    save_file({name: t.contiguous() for name, t in old.state_dict().items()}, tmp_path / "old.safetensors")
    monkeypatch.setattr(transfer, "MODEL_CONFIGS", {"bundled": new.config})
    output = tmp_path / "new.safetensors"
    assert (
        transfer.main(
            [str(tmp_path / "old.safetensors"), "--pairs", "1", "2", "3", "5", "--output", str(output)]
        )
        == 0
    )
    assert load_model(output).config == new.config
