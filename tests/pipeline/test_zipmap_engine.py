import dataclasses
import threading

import numpy as np
import pytest
import torch

import zipmap_model as zm
from tests.model.conftest import MINI
from tests.pipeline_fakes import make_request, of_kind, take_all
from zipmap_app.pipeline import devices
from zipmap_app.pipeline.devices import check_offline_fits
from zipmap_app.pipeline.engine import EngineError, RunOptions
from zipmap_app.pipeline.packing import PackingOptions
from zipmap_app.pipeline.pictures import image_from_picture, picture_from_image
from zipmap_app.pipeline.runner import Runner
from zipmap_app.pipeline.zipmap_engine import ZipMapEngine
from zipmap_app.sources.synthetic import SyntheticSource
from zipmap_app.state.messages import FrameResult

# Offline only: the camera head looks across all views.
OFFLINE = dataclasses.replace(
    MINI,
    camera_head="transformer",
    camera_head_heads=2,
    camera_head_depth=1,
    motion_cue=False,
    default_window=None,
)


def checkpoint(config, path):
    torch.manual_seed(0)
    zm.save_model(zm.ZipMap(config), path, dtype=torch.float32)
    return str(path)


@pytest.fixture(scope="module")
def streaming(tmp_path_factory):
    return checkpoint(MINI, tmp_path_factory.mktemp("model") / "streaming.safetensors")


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    return checkpoint(OFFLINE, tmp_path_factory.mktemp("model") / "offline.safetensors")


def loaded(path, **options):
    engine = ZipMapEngine(RunOptions(model=path, device="cpu", **options))
    engine.load(lambda done, total: None)
    engine.reset()
    return engine


def step(engine, frame):
    return engine.step(engine.prepare(frame, 0))


def ask(engine, query_id=1):
    return engine.query(make_request(query_id), engine.scene)


def feed(engine, n):
    source = SyntheticSource(n)
    return [result for frame in iter(source.read, None) for result in step(engine, frame)]


def test_results_carry_what_the_model_saw(streaming):
    results = feed(loaded(streaming), 3)
    assert [result.frame_index for result in results] == [0, 1, 2]
    first = results[0]
    np.testing.assert_allclose(first.world_from_camera, np.eye(4), atol=1e-9)
    assert first.rgb.shape == (*zm.model_size(240, 320, MINI), 3)
    assert first.intrinsics[0, 2] == first.rgb.shape[1] / 2
    assert first.rgb.mean() == pytest.approx(SyntheticSource(1).read().rgb.mean(), abs=3)
    assert not first.depth.flags.writeable


def test_the_model_sees_exactly_what_is_kept(streaming):
    engine = loaded(streaming)
    frame = SyntheticSource(1).read()
    kept = engine.prepare(frame, 0)
    image = zm.frame_from_rgb(frame.rgb, MINI).image
    np.testing.assert_array_equal(kept.rgb, (image.permute(1, 2, 0) * 255).round().byte().numpy())
    assert torch.equal(image_from_picture(kept.rgb), image)
    every_byte = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, axis=2)
    np.testing.assert_array_equal(picture_from_image(image_from_picture(every_byte)), every_byte)
    (result,) = engine.step(kept)
    assert result.rgb is kept.rgb


@pytest.mark.parametrize("window", [1, 2])
def test_announcing_frames_changes_no_result(streaming, monkeypatch, window):
    monkeypatch.setattr(devices, "_n_processors", lambda: 2)
    plain = feed(loaded(streaming, window=window), 6)
    engine = loaded(streaming, window=window)
    frames = list(iter(SyntheticSource(6).read, None))
    results = []
    for frame, upcoming in zip(frames, [*frames[1:4], frames[0], None, None], strict=True):
        given = engine.prepare(frame, 7)
        if upcoming is not None:
            engine.announce(upcoming)
        results += engine.step(given)
    for one, two in zip(plain, results, strict=True):
        np.testing.assert_array_equal(one.points, two.points)
        np.testing.assert_array_equal(one.rgb, two.rgb)
        assert two.n_dropped == 7
        assert two.timings.wait_ms > 0
    engine.close()


def test_an_announced_frame_is_begun_once_and_beside_the_step(streaming, monkeypatch):
    monkeypatch.setattr(devices, "_n_processors", lambda: 2)
    engine = loaded(streaming)
    threads = []
    begin = zm.ZipMap.begin

    def watched(*arguments, **keywords):
        threads.append(threading.current_thread())
        return begin(*arguments, **keywords)

    monkeypatch.setattr(zm.ZipMap, "begin", watched)
    frames = list(iter(SyntheticSource(4).read, None))
    for frame, upcoming in zip(frames, [*frames[1:], None], strict=True):
        given = engine.prepare(frame, 0)
        if upcoming is not None:
            engine.announce(upcoming)
        engine.step(given)
    here = threading.current_thread()
    assert [thread is here for thread in threads] == [True, True, False, False]
    engine.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lookahead")]


def begin_one_and_prepare_the_next(engine, frames):
    step(engine, frames[0])
    return engine.prepare(frames[1], 0)


def test_an_announced_frame_that_is_broken_spoils_no_other(streaming, monkeypatch):
    monkeypatch.setattr(devices, "_n_processors", lambda: 2)
    engine = loaded(streaming)
    frames = list(iter(SyntheticSource(2).read, None))
    given, prepare = begin_one_and_prepare_the_next(engine, frames), engine.prepare
    monkeypatch.setattr(engine, "prepare", lambda *_: prepare(None, 0))
    engine.announce(frames[1])
    assert len(engine.step(given)) == 1
    engine.close()


def test_a_run_over_all_frames_is_told_of_its_own_progress_only(streaming, monkeypatch):
    monkeypatch.setattr(devices, "_n_processors", lambda: 2)
    engine = loaded(streaming)
    frames = list(iter(SyntheticSource(3).read, None))
    given = begin_one_and_prepare_the_next(engine, frames)
    engine.announce(frames[2])
    engine.step(given)
    threads = set()
    engine.views_at_once([given.rgb] * 2, lambda fraction: threads.add(threading.current_thread()))
    assert threads == {threading.current_thread()}
    engine.close()


@pytest.mark.parametrize(("window", "n_before"), [(1, 2), (2, 2), (2, 3)])
def test_from_a_snapshot_the_same_frames_give_the_same_results(streaming, window, n_before):
    engine = loaded(streaming, window=window)
    inputs = [engine.prepare(frame, 0) for frame in iter(SyntheticSource(6).read, None)]
    for frame in inputs[:n_before]:
        engine.step(frame)
    snapshot = engine.snapshot()
    first = [result for frame in inputs[n_before:] for result in engine.step(frame)]
    after = engine.scene.state
    engine.restore(snapshot)
    second = [result for frame in inputs[n_before:] for result in engine.step(frame)]
    assert [result.position for result in first] == [result.position for result in second]
    assert first[-1].position == 5
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.points, two.points)
        np.testing.assert_array_equal(one.world_from_camera, two.world_from_camera)
        assert one.is_keyframe == two.is_keyframe
    for one, two in zip(after.layers, engine.scene.state.layers, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_points_agree_with_the_models_own_unprojection(streaming):
    options = {"confidence_percentile": 0.0}
    result = feed(loaded(streaming, **options), 2)[1]
    every = PackingOptions(confidence_percentile=0).max_points
    assert result.depth.size < every
    expected = zm.points_from_depth(
        torch.tensor(result.depth),
        torch.tensor(result.world_from_camera, dtype=torch.float32),
        torch.tensor(result.intrinsics, dtype=torch.float32),
    ).reshape(-1, 3)
    positions = torch.tensor(result.points["position"].copy())
    exact = "donot_use_mm_for_euclid_dist"
    distances = torch.cdist(positions, expected, compute_mode=exact).min(dim=1).values
    assert len(result.points) > 100
    assert distances.max() < 1e-4


def test_a_query_leaves_the_state_bit_identical(streaming):
    engine = loaded(streaming)
    feed(engine, 2)
    before = engine.scene.state.clone()
    first = ask(engine, 3)
    assert engine.scene.state is not None
    for old, new in zip(before.layers, engine.scene.state.layers, strict=True):
        for name in old._fields:
            assert torch.equal(getattr(old, name), getattr(new, name))
    assert torch.equal(before.motion.fine, engine.scene.state.motion.fine)
    assert engine.scene.state.n_views == before.n_views
    assert first.n_frames_in_state == 2
    assert first.rgb.shape == (36, 48, 3)
    np.testing.assert_array_equal(first.depth, ask(engine, 4).depth)


def test_queries_between_frames_do_not_change_what_follows(streaming):
    quiet, asked = loaded(streaming), loaded(streaming)
    plain = feed(quiet, 3)
    source = SyntheticSource(3)
    results = []
    for frame in iter(source.read, None):
        results += step(asked, frame)
        ask(asked)
    np.testing.assert_array_equal(plain[2].depth, results[2].depth)
    np.testing.assert_array_equal(plain[2].world_from_camera, results[2].world_from_camera)


def test_a_window_gives_its_results_together_and_the_rest_at_the_end(streaming):
    engine = loaded(streaming, window=3)
    source = SyntheticSource(5)
    counts = [len(step(engine, frame)) for frame in iter(source.read, None)]
    assert counts == [0, 0, 3, 0, 0]
    assert [result.frame_index for result in engine.finish()] == [3, 4]
    assert list(engine.finish()) == []


def test_an_offline_model_runs_once_over_all_frames(offline):
    engine = loaded(offline)
    source = SyntheticSource(4)
    frames = list(iter(source.read, None))
    assert [list(step(engine, frame)) for frame in frames] == [[]] * 4
    results = engine.finish()
    assert len(results) == 4
    np.testing.assert_allclose(results[0].world_from_camera, np.eye(4), atol=1e-6)
    assert ask(engine).n_frames_in_state == 4


def test_an_offline_run_that_cannot_fit_is_refused_before_it_starts(offline):
    model = zm.load_model(offline)
    with pytest.raises(EngineError, match="fewer frames"):
        check_offline_fits(model, 10**9, (36, 48), torch.device("cpu"))
    check_offline_fits(model, 4, (36, 48), torch.device("cpu"))


def test_foreseen_failures_are_sentences(tmp_path, streaming):
    with pytest.raises(EngineError, match="no model"):
        ZipMapEngine(RunOptions(model=str(tmp_path / "none.pt"), device="cpu")).load(lambda done, total: None)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"not weights")
    with pytest.raises(EngineError, match=r"damaged\.safetensors"):
        ZipMapEngine(RunOptions(model=str(damaged), device="cpu")).load(lambda done, total: None)
    with pytest.raises(EngineError, match="no scene"):
        ask(loaded(streaming))


def test_running_out_of_memory_is_a_sentence_with_advice(streaming, monkeypatch):
    engine = loaded(streaming)

    def exhausted(image, upcoming=None):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(engine._session, "step", exhausted)
    with pytest.raises(EngineError, match="needs more memory"):
        feed(engine, 1)


def test_cameras_that_are_not_numbers_end_the_run(streaming, monkeypatch):
    engine = loaded(streaming)
    step = engine._session.step

    def broken(image, upcoming=None):
        prediction = step(image)
        return dataclasses.replace(prediction, pose_encoding=prediction.pose_encoding * float("nan"))

    monkeypatch.setattr(engine._session, "step", broken)
    with pytest.raises(EngineError, match="not finite"):
        feed(engine, 1)


def test_the_whole_pipeline_with_a_real_model(streaming):
    runner = Runner(RunOptions(model=streaming, device="cpu"), lambda: None)
    runner.start(SyntheticSource(5))
    messages = take_all(runner)
    assert len(of_kind(messages, FrameResult)) == 5
    assert runner.close(timeout_s=10)
