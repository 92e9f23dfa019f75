"""The whole tiny model, in every mode, against exact outputs of the reference arithmetic."""

from __future__ import annotations

import pytest
import torch

import zipmap_model as zm
from tests.model import golden_support as golden


@pytest.fixture(autouse=True)
def _no_grad():
    with torch.no_grad():
        yield


def _model(case: golden.Case, **changes) -> zm.ZipMap:
    model = zm.ZipMap(golden.tiny_config(case, **changes)).eval()
    golden.fill(model, seed=case.spec["seed"], gamma=case.spec["layerscale_gamma"])
    return model


def _check_prediction(case: golden.Case, prediction: zm.Prediction) -> None:
    outputs = case.spec["outputs"]
    mine = {
        "pose_enc": prediction.pose_encoding,
        "depth": prediction.depth[..., None],
        "depth_conf": prediction.depth_confidence,
        "local_points": prediction.local_points,
    }
    mine |= {f"pose_enc_iter{i}": stage for i, stage in enumerate(prediction.pose_encoding_stages)}
    for layer, weights in enumerate(prediction.state.layers):
        mine |= {f"state.{layer}.{w}": t for w, t in weights._asdict().items()}
    for name in outputs.keys() & mine.keys():
        case.check(name, mine[name])
    untested = {
        n for n in outputs.keys() - mine.keys() if not n.startswith(("tap", "nvs", "render", "check"))
    }
    assert not untested


def _check_taps(case: golden.Case, model: zm.ZipMap, images: torch.Tensor, program) -> None:
    views = model.aggregator.embed_views(images)
    grid = (images.shape[-2] // 14, images.shape[-1] // 14)
    taps = model.aggregator(views.tokens, grid, program(views.tokens), None).taps
    for i in (0, 3):
        if f"tap{i}" in case.spec["outputs"]:
            case.check(f"tap{i}", taps[i])


@pytest.mark.parametrize("name", golden.names("model/offline"))
def test_offline(name):
    from zipmap_model.layers.fast_weights import offline_program

    case = golden.load(name)
    model, images = _model(case), golden.images(case)
    _check_prediction(case, model(images))
    _check_taps(case, model, images, lambda t: offline_program(t.shape[1] * t.shape[2]))


@pytest.mark.parametrize("name", [n for n in golden.names("model/ar") if "stepped" not in n])
def test_windowed(name):
    from zipmap_model.layers.fast_weights import windowed_program

    case = golden.load(name)
    window = case.spec["window_size"]
    model, images = _model(case, camera_head="mlp"), golden.images(case)
    _check_prediction(case, model(images, window=window))
    _check_taps(
        case,
        model,
        images,
        lambda t: windowed_program(t.shape[1] * t.shape[2], window * t.shape[2]),
    )


@pytest.mark.parametrize("name", [n for n in golden.names("model/ar") if "stepped" in n])
def test_stepped_equals_batched(name):
    case = golden.load(name)
    session = zm.StreamingSession(_model(case, camera_head="mlp"))
    steps = []
    for i, image in enumerate(golden.images(case)[0]):
        steps.append(session.step(image))
        for w, tensor in session.state.layers[0]._asdict().items():
            case.check(f"state_after_frame{i}.layer0.{w}", tensor)
    case.check("state_after_last.layer23.w0", session.state.layers[23].w0)
    case.check("pose_enc", torch.cat([s.pose_encoding for s in steps], dim=1))
    case.check("depth", torch.cat([s.depth for s in steps], dim=1)[..., None])
    case.check("depth_conf", torch.cat([s.depth_confidence for s in steps], dim=1))
    case.check("local_points", torch.cat([s.local_points for s in steps], dim=1))


@pytest.mark.parametrize("name", golden.names("model/nvs"))
def test_state_query_jointly_and_from_the_state(name):
    case = golden.load(name)
    model, images = _model(case, query_channels=9), golden.images(case)
    rays = case.tensor("in/target_rays")
    joint = model(images, query_rays=rays)
    _check_prediction(case, joint)
    state = model.zip(images)
    rendered = model.query(state, rays)
    for prefix, query in (("", joint.query), ("render.", rendered)):
        case.check(f"{prefix}nvs_pred", torch.cat([query.rgb, query.depth[..., None]], dim=-1))
        case.check(f"{prefix}nvs_depth_conf", query.confidence)
    for layer in (0, 23):
        for w, tensor in state.layers[layer]._asdict().items():
            if f"state.{layer}.{w}" in case.spec["outputs"]:
                case.check(f"state.{layer}.{w}", tensor)


def test_published_ray_conditions_of_the_query_case():
    case = golden.load("state_query_nsfp32")
    n_input = case.spec["n_input"]
    rays = zm.ray_conditions(
        case.tensor("in/c2w_rel_first")[:, n_input:],
        case.tensor("in/intrinsics")[:, n_input:],
        (56, 70),
        case.tensor("in/scale"),
    )
    torch.testing.assert_close(rays, case.tensor("in/target_rays"), rtol=1e-5, atol=1e-5)
