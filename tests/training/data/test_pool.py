"""The pool: what a step sees depends on seed and step alone."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from training.data.pool import ClipPool, PoolConfig, sub_clip_frames
from training.data.procedural import ProceduralConfig

_CLIPS = ProceduralConfig(size=(24, 48), n_frames=4, samples=1)
_CONFIG = PoolConfig(clips=_CLIPS, n_chunks=2, chunk_clips=2, refresh_every=3, max_stride=2)
_CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def stepped() -> ClipPool:
    pool = ClipPool(_CONFIG, 1, _CPU)
    for step in range(5):
        pool.advance_to(step)
    return pool


def test_a_resumed_pool_holds_what_an_uninterrupted_one_holds(stepped: ClipPool) -> None:
    resumed = ClipPool(_CONFIG, 1, _CPU)
    resumed.advance_to(4)
    ours, theirs = stepped.batch(4, 3, 2, 1), resumed.batch(4, 3, 2, 1)
    for a, b in zip(ours.tensors(), theirs.tensors(), strict=True):
        assert torch.equal(a, b)


def test_batches_differ_between_steps(stepped: ClipPool) -> None:
    assert not torch.equal(stepped.batch(3, 2, 2, 0).images, stepped.batch(4, 2, 2, 0).images)


def test_batch_is_normalised_to_its_first_view(stepped: ClipPool) -> None:
    batch = stepped.batch(7, 4, 3, 1)
    assert batch.images.shape == (4, 3, 3, 24, 48)
    assert batch.query_rays is not None
    assert batch.query_rays.shape == (4, 1, 9, 24, 48)
    torch.testing.assert_close(batch.world_from_camera[:, 0], torch.eye(4).expand(4, 4, 4), atol=1e-5, rtol=0)
    first = batch.depth[:, 0]
    for depth in first:
        assert depth[depth > 0].log().mean().item() == pytest.approx(0.0, abs=1e-4)


def test_a_growing_pool_shows_only_clips_that_were_made() -> None:
    config = dataclasses.replace(_CONFIG, n_chunks=3, first_chunks=1)
    assert [config.chunks_made(step) for step in (0, 2, 3, 6, 9)] == [1, 1, 2, 3, 4]
    pool = ClipPool(config, 1, _CPU)
    pool.advance_to(3)
    black = [bool((pool.batch(3, 8, 2, 0).depth == 1).flatten(1).all(1).any()) for _ in range(3)]
    assert not any(black)
    with pytest.raises(ValueError, match="first_chunks"):
        dataclasses.replace(_CONFIG, first_chunks=0)


def test_an_empty_pool_gives_batches_of_the_same_layout(stepped: ClipPool) -> None:
    blank, real = ClipPool(_CONFIG, 1, _CPU).batch(4, 3, 2, 1), stepped.batch(4, 3, 2, 1)
    for a, b in zip(blank.tensors(), real.tensors(), strict=True):
        assert (a.shape, a.stride(), a.dtype) == (b.shape, b.stride(), b.dtype)
        assert a.isfinite().all()


def test_sub_clips_stay_inside_and_run_both_ways() -> None:
    frames = sub_clip_frames(9, 4, 200, 3, torch.Generator().manual_seed(0))
    steps = frames[:, 1:] - frames[:, :-1]
    assert frames.min() >= 0
    assert frames.max() <= 8
    assert (steps == steps[:, :1]).all()
    assert set(steps[:, 0].tolist()) == {-2, -1, 1, 2}


def test_too_many_views_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        sub_clip_frames(3, 4, 1, 1, torch.Generator())


def test_a_share_of_the_clips_is_restyled_and_only_in_colour(stepped: ClipPool) -> None:
    styled = ClipPool(dataclasses.replace(_CONFIG, restyle_share=0.5), 1, _CPU)
    styled.advance_to(4)
    ours, theirs = styled.batch(4, 4, 2, 1), stepped.batch(4, 4, 2, 1)
    assert torch.equal(ours.depth, theirs.depth)
    assert torch.equal(ours.world_from_camera, theirs.world_from_camera)
    assert not torch.equal(ours.images[0], theirs.images[0])
    with pytest.raises(ValueError, match="restyle_share"):
        dataclasses.replace(_CONFIG, restyle_share=1.5)


def test_without_restyling_batches_are_what_they_were(stepped: ClipPool) -> None:
    """Recipes of earlier legs must draw what they drew."""
    batch = stepped.batch(4, 3, 2, 1)
    assert float(batch.images.double().sum()) == pytest.approx(9608.61144, rel=1e-5)
