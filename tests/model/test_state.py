"""Scene states: query without change, save, reopen, fork."""

import pytest
import torch

import zipmap_model as zm


@pytest.fixture
def session(mini, clip) -> zm.StreamingSession:
    session = zm.StreamingSession(mini)
    for image in clip:
        session.step(image)
    return session


def _tensors(state):
    return dict(state._tensors())


def test_a_query_reads_the_state_and_changes_no_bit(mini, session, rays):
    before = session.state.clone()
    with torch.no_grad():
        answer = mini.query(session.state, rays)
    assert answer.rgb.shape == (1, 2, 36, 48, 3)
    assert answer.depth.shape == answer.confidence.shape == (1, 2, 36, 48)
    assert 0 <= answer.rgb.min() <= answer.rgb.max() <= 1
    for name, tensor in _tensors(session.state).items():
        assert torch.equal(tensor, _tensors(before)[name]), name


def test_query_views_do_not_interact(mini, session, rays):
    with torch.no_grad():
        both = mini.query(session.state, rays)
        second = mini.query(session.state, rays[:, 1:])
        many = mini.query(session.state, rays.repeat(1, 6, 1, 1, 1))
    torch.testing.assert_close(both.rgb[:, 1:], second.rgb)
    torch.testing.assert_close(many.depth[:, 10:12], both.depth, rtol=1e-4, atol=1e-5)


def test_joint_query_equals_query_from_the_state(mini, clip, rays):
    with torch.no_grad():
        joint = mini(clip, window=1, query_rays=rays)
        after = mini.query(joint.state, rays)
    torch.testing.assert_close(joint.query.rgb, after.rgb, rtol=1e-4, atol=1e-5)


def test_save_and_load_is_bit_equal_and_goes_on(mini, session, clip, tmp_path):
    path = tmp_path / "szene ä.safetensors"
    session.state.save(path)
    loaded = zm.SceneState.load(path)
    assert loaded.n_views == 5
    for name, tensor in _tensors(session.state).items():
        assert torch.equal(tensor, _tensors(loaded)[name]), name
    assert list(tmp_path.iterdir()) == [path]
    resumed = zm.StreamingSession(mini, loaded).step(clip[0])
    assert torch.equal(resumed.depth, session.step(clip[0]).depth)


def test_forks_are_independent(mini, session, clip):
    fork = session.state.clone()
    session.step(clip[0])
    assert session.state.n_views == 6
    assert fork.n_views == 5
    assert not torch.equal(fork.layers[0].w0, session.state.layers[0].w0)


def test_a_state_of_another_model_is_refused(mini, session, clip, rays):
    torch.manual_seed(7)
    other = zm.ZipMap(mini.config).eval()
    with pytest.raises(ValueError, match="another model"):
        other.query(session.state, rays)
    with pytest.raises(ValueError, match="another model"):
        other(clip[:1], state=session.state)
    with pytest.raises(ValueError, match="another model"):
        other.zip(clip[:1], state=session.state)


def test_zip_makes_a_state_for_queries(mini, clip, rays):
    with torch.no_grad():
        state = mini.zip(clip)
        offline = mini(clip, window=0)
        torch.testing.assert_close(state.layers[-1].w0, offline.state.layers[-1].w0)
        assert mini.query(state, rays).rgb.isfinite().all()
    assert zm.query_scale(state) == 1.0


@pytest.mark.parametrize("content", [b"", b"no safetensors", b"\x10" + b"\0" * 7 + b"{}" + b" " * 20])
def test_damaged_files_are_refused_with_a_sentence(content, tmp_path):
    path = tmp_path / "state.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"state\.safetensors"):
        zm.SceneState.load(path)


def test_weights_are_no_state(mini, tmp_path):
    path = tmp_path / "model.safetensors"
    zm.save_model(mini, path)
    with pytest.raises(ValueError, match="not a ZipMap scene state"):
        zm.SceneState.load(path)


def test_models_without_a_query_head_say_so(clip):
    config = zm.ZipMapConfig(
        embed_dim=32, depth=4, num_heads=2, encoder_depth=1, encoder_heads=2, ttt_head_dim=32,
        tap_blocks=(0, 1, 2, 3), dpt_features=16, dpt_channels=(16, 16, 16, 16), camera_head="mlp",
    )  # fmt: skip
    model = zm.ZipMap(config).eval()
    with torch.no_grad():
        state = model.zip(torch.rand(2, 3, 28, 28))
    with pytest.raises(ValueError, match="cannot answer queries"):
        model.query(state, torch.rand(1, 1, 9, 28, 28))
    with pytest.raises(ValueError, match="no query scale"):
        zm.query_scale(state)
