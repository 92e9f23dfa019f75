"""Streaming: stepping equals the batched run, memory stays constant, states fork and rewind."""

import pytest
import torch

import zipmap_model as zm
from tests.model.golden_support import fill

TINY = {
    "embed_dim": 32,
    "depth": 4,
    "num_heads": 2,
    "encoder_depth": 1,
    "encoder_heads": 2,
    "ttt_head_dim": 32,
    "image_size": 42,
    "tap_blocks": (0, 1, 2, 3),
    "dpt_features": 16,
    "dpt_channels": (16, 16, 16, 16),
    "newton_schulz_dtype": "float32",
}


def _session_outputs(model, steps):
    session = zm.StreamingSession(model)
    predictions = [session.step(step) for step in steps]
    return session, predictions


@pytest.mark.parametrize("window", [1, 2, 3])
def test_stepping_equals_one_windowed_run(mini, clip, window):
    with torch.no_grad():
        whole = mini(clip, window=window)
    session, parts = _session_outputs(mini, clip.split(window))
    for field in ("pose_encoding", "depth", "depth_confidence"):
        joined = torch.cat([getattr(p, field) for p in parts], dim=1)
        torch.testing.assert_close(joined, getattr(whole, field), rtol=2e-3, atol=2e-4)
    assert session.state.n_views == whole.state.n_views == 5


def test_a_reference_model_marks_only_the_first_view_of_the_stream():
    model = zm.ZipMap(zm.ZipMapConfig(**TINY, camera_head="mlp", affine_invariant=False)).eval()
    fill(model)
    images = torch.rand(3, 3, 28, 42, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        whole = model(images, window=1)
    _, parts = _session_outputs(model, images)
    joined = torch.cat([p.depth for p in parts], dim=1)
    torch.testing.assert_close(joined, whole.depth, rtol=1e-3, atol=1e-4)
    same_view_twice = model(images[:1].repeat(2, 1, 1, 1), window=2).depth
    assert not torch.allclose(same_view_twice[:, 0], same_view_twice[:, 1], atol=1e-4)


def test_state_size_does_not_grow(mini, clip):
    session = zm.StreamingSession(mini)
    sizes = []
    for image in clip:
        session.step(image)
        sizes.append(session.state.memory_bytes)
    assert len(set(sizes)) == 1


def test_rewinding_to_an_older_state_repeats_the_stream_exactly(mini, clip):
    session = zm.StreamingSession(mini)
    session.step(clip[0])
    earlier = session.state
    first = session.step(clip[1]).depth
    session.step(clip[2])
    session.state = earlier
    assert torch.equal(session.step(clip[1]).depth, first)


def test_first_view_is_the_world_frame(mini, clip):
    prediction = zm.StreamingSession(mini).step(clip[0])
    camera_from_world, intrinsics = zm.cameras_from_pose_encoding(prediction.pose_encoding, (36, 48))
    torch.testing.assert_close(camera_from_world[0, 0], torch.eye(4)[:3])
    torch.testing.assert_close(intrinsics[..., 0, 0], intrinsics[..., 1, 1])


def test_offline_models_refuse_to_stream():
    model = zm.ZipMap(zm.ZipMapConfig(**TINY, camera_head="transformer", camera_head_heads=2))
    with pytest.raises(ValueError, match="cannot stream"):
        zm.StreamingSession(model)


def test_a_stream_keeps_its_image_size(mini, clip):
    session = zm.StreamingSession(mini)
    session.step(clip[0])
    with pytest.raises(ValueError, match="started at 48x36"):
        session.step(torch.rand(3, 36, 36))


@pytest.mark.parametrize("shape", [(3, 35, 48), (1, 36, 48), (2, 2, 3, 36, 48)])
def test_images_of_a_wrong_shape_are_refused(mini, shape):
    with pytest.raises(ValueError, match=r"want|multiples"):
        zm.StreamingSession(mini).step(torch.rand(shape))


def test_batched_scenes_do_not_mix(mini, clip):
    other = clip.flip(0)
    with torch.no_grad():
        both = mini(torch.stack([clip, other]), window=1)
        alone = mini(other, window=1)
    torch.testing.assert_close(both.depth[1], alone.depth[0], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(both.pose_encoding[1], alone.pose_encoding[0], rtol=1e-3, atol=1e-4)


def test_window_zero_is_offline(mini, clip):
    with torch.no_grad():
        offline = mini(clip, window=0)
        in_one = mini(clip, window=5)
        streamed = mini(clip)
    torch.testing.assert_close(offline.depth, in_one.depth)
    assert not torch.allclose(offline.depth[:, 0], streamed.depth[:, 0], atol=1e-4)
