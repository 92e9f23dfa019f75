"""Every layer and head against exact outputs of the reference arithmetic."""

from __future__ import annotations

import pytest
import torch

import zipmap_model as zm
from tests.model import golden_support as golden
from zipmap_model.geometry import align_to_first_view, invert_rigid, ray_scale
from zipmap_model.heads.camera import MlpCameraHead, TransformerCameraHead
from zipmap_model.heads.dense import (
    DenseHead,
    activate_depth,
    activate_local_points,
    activate_query,
    uv_embedding,
)
from zipmap_model.heads.dense import _spread as spread
from zipmap_model.layers.block import AttentionBlock, FastWeightBlock
from zipmap_model.layers.fast_weights import (
    FastWeightLayer,
    FastWeights,
    Operation,
    column_norms,
    newton_schulz,
    offline_program,
    update_gradients,
)
from zipmap_model.layers.rope import GridRope, apply_rope, rope_tables
from zipmap_model.layers.vit import PatchEmbed, VisionEncoder, interpolate_position_table


@pytest.fixture(autouse=True)
def _no_grad():
    with torch.no_grad():
        yield


def test_newton_schulz_in_three_arithmetics():
    case = golden.load("newton_schulz")
    for name in ("wide", "tall", "square", "zero"):
        given = case.tensor(f"in/{name}")
        for label, arithmetic in (("bf16", "bfloat16"), ("fp32", "float32"), ("mixed", "mixed")):
            case.check(f"{name}.{label}", newton_schulz(given, case.spec["steps"], arithmetic).float())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", golden.names("unit/ttt"))
def test_fast_weight_layer(name, precision):
    case = golden.load(name)
    config = case.spec["config"]
    layer = FastWeightLayer(
        config["dim"],
        config["head_dim"],
        expansion=case.spec["inter_multi"],
        base_lr=case.spec["base_lr"],
        gate=config.get("gate", True),
        newton_schulz_dtype="float32" if precision == "fp32" else "bfloat16",
    )
    golden.fill(layer, prefix=case.spec["name_prefix"], seed=case.spec["seed"])
    x = case.tensor("in/x")
    length = x.shape[1]
    program = [Operation(s, length if e == -1 else e, u, a) for s, e, u, a in case.spec["ops"]]
    given = None
    if config.get("given_state"):
        given = FastWeights(*(case.tensor(f"in/given_{w}") for w in ("w0", "w1", "w2")))

    y, state = layer(x, program, given)
    tokens = layer.project(x)
    raw, _ = layer.run_program(tokens, program, given)
    mine = {"y": y, "program_out_before_norm": raw}
    mine |= {f"state.{w}": t for w, t in state._asdict().items()}
    mine |= {f"state_colnorms.{w}": t[:, 0] for w, t in column_norms(state)._asdict().items()}
    mine |= {"q": tokens.q, "k": tokens.k, "v": tokens.v}
    mine |= {f"lr{i}": rate for i, rate in enumerate(tokens.rates)}
    if program[0].update:
        span = slice(program[0].start, program[0].end)
        gradients = update_gradients(
            layer.initial_weights(x.shape[0]),
            tokens.k[:, span],
            tokens.v[:, span],
            [r[:, span] for r in tokens.rates],
        )
        arithmetic = "float32" if precision == "fp32" else "bfloat16"
        for w, gradient in gradients._asdict().items():
            mine[f"first_update.G.{w}"] = gradient
            exact = case.tensor(f"out/{precision}.first_update.G.{w}")
            mine[f"first_update.NS.{w}"] = newton_schulz(exact, 5, arithmetic).float()
    checked = [key for key in case.spec["outputs"] if key.startswith(f"{precision}.")]
    assert checked
    for key in checked:
        case.check(key, mine[key.removeprefix(f"{precision}.")])


def test_stepping_a_layer_window_by_window_keeps_the_initial_norms():
    case = golden.load("ttt_layer_long_stream")
    layer = FastWeightLayer(16, 16, newton_schulz_dtype="float32")
    golden.fill(layer, prefix=case.spec["name_prefix"])
    x = case.tensor("in/x")
    state, outputs = None, []
    for start in range(0, 480, 6):
        out, state = layer(x[:, start : start + 6], offline_program(6), state)
        outputs.append(out)
    case.check("fp32.y", torch.cat(outputs, dim=1))
    for w, norms in column_norms(state)._asdict().items():
        case.check(f"fp32.state_colnorms.{w}", norms[:, 0])


def _blocks(dim: int, heads: int):
    frame = AttentionBlock(dim, heads, 4, qk_norm=True)
    golden.fill(frame, prefix="frame_blocks.0.")
    fused = FastWeightBlock(dim, 4, FastWeightLayer(dim, dim, newton_schulz_dtype="float32"))
    golden.fill(fused, prefix="global_blocks.0.")
    return frame, fused


@pytest.mark.parametrize("name", ["blocks", "eps_probe"])
def test_frame_and_global_block(name):
    case = golden.load(name)
    frame, fused = _blocks(case.spec["dim"], case.spec["num_heads"])
    x = case.tensor("in/x")
    rope = GridRope(tuple(case.spec["grid_hw"]), special_tokens=5, base=100.0)
    case.check("frame_block", frame(x, rope))
    case.check("global_block_nsfp32", fused(x, offline_program(x.shape[1]), None)[0])


def test_small_inputs_reveal_every_epsilon():
    case = golden.load("eps_probe")
    dim = case.spec["dim"]
    encoder_block = AttentionBlock(dim, case.spec["num_heads"], 4, eps=1e-6)
    golden.fill(encoder_block, prefix="aggregator.patch_embed.blocks.0.")
    case.check("encoder_block", encoder_block(case.tensor("in/x")))
    rays = PatchEmbed(9, dim, 14, norm=True)
    golden.fill(rays, prefix="aggregator.ray_patch_embed.")
    case.check("ray_patch_embed", rays(case.tensor("in/rays")))
    camera = TransformerCameraHead(2 * dim)
    golden.fill(camera, prefix="camera_head.")
    stages = camera(case.tensor("in/camera_tokens"))
    case.check("camera_head.iter0", stages[0])
    case.check("camera_head.iter3", stages[3])
    depth, confidence = activate_depth(_dense(case, "depth_head", 2, case.spec["dense_image_hw"]))
    case.check("depth_head.pred", depth[None, ..., None])
    case.check("depth_head.conf", confidence[None])


def _dense(case: golden.Case, name: str, out_channels: int, size_hw) -> torch.Tensor:
    config = case.spec["config"]
    head = DenseHead(
        2 * config["embed_dim"],
        out_channels,
        patch_size=14,
        features=config["dpt_features"],
        channels=config["dpt_out_channels"],
    )
    golden.fill(head, prefix=f"{name}.")
    taps = [case.tensor(f"in/tap{i}").flatten(0, 1) for i in range(4)]
    return head(taps, tuple(size_hw), special_tokens=5)


def test_rope():
    case = golden.load("rope2d")
    positions = case.tensor("in/pos_yx")
    for size in (16, 64):
        x = case.tensor(f"in/x{size}")
        for suffix, dtype in (("", torch.float32), ("_bf16", torch.bfloat16)):
            tables = rope_tables(positions[:, None], size, case.spec["base"], dtype)
            case.check(f"y{size}{suffix}", apply_rope(x.to(dtype), tables).float())


def test_position_table_interpolation():
    case = golden.load("encoder_pos_embed")
    for name, spec in case.spec["cases"].items():
        shape = (1, 1 + spec["grid"] ** 2, spec["dim"])
        table = golden.parameter(case.spec["recipe_name"], shape, case.spec["seed"], 0.5)
        h, w = spec["hw_patches"]
        case.check(name, interpolate_position_table(table, (h, w), is_square=h == w))


def test_encoder():
    case = golden.load("encoder")
    config = golden.tiny_config(case)
    encoder = VisionEncoder(
        dim=config.embed_dim,
        depth=config.encoder_depth,
        num_heads=config.encoder_heads,
        mlp_ratio=config.mlp_ratio,
        patch_size=config.patch_size,
        image_size=config.image_size,
    )
    golden.fill(encoder, prefix="aggregator.patch_embed.", gamma=case.spec["layerscale_gamma"])
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    for size in ("56x70", "70x42", "70x70"):
        pixels = case.tensor(f"in/u8_{size}").float() / 255
        encoded = encoder(((pixels - mean) / std).movedim(-1, 1))
        case.check(f"{size}.patch_tokens", encoded.patches)
        case.check(f"{size}.class_token", encoded.class_token)


def test_dense_heads_and_uv_embedding():
    case = golden.load("dpt_heads")
    size = case.spec["image_hw"]
    depth, confidence = activate_depth(_dense(case, "depth_head", 2, size))
    case.check("depth_head.pred", depth[None, ..., None])
    case.check("depth_head.conf", confidence[None])
    case.check(
        "local_point_head.pred", activate_local_points(_dense(case, "local_point_head", 3, size))[None]
    )
    rgb, depth, confidence = activate_query(_dense(case, "nvs_head", 5, size))
    case.check("nvs_head.pred", torch.cat([rgb, depth[..., None]], dim=-1)[None])
    case.check("nvs_head.conf", confidence[None])
    diagonal = (1.4**2 + 1) ** 0.5
    y, x = torch.meshgrid(spread(5, 1 / diagonal), spread(7, 1.4 / diagonal), indexing="ij")
    case.check("uv_grid_w7_h5_aspect1.4", torch.stack([x, y], dim=-1))
    cpu = torch.device("cpu")
    case.check("uv_embed_c24", uv_embedding(24, 5, 7, 1.4, cpu).movedim(0, -1))
    case.check("uv_embed_1x1_c8", uv_embedding(8, 1, 1, 1.0, cpu).movedim(0, -1))


def test_camera_heads():
    case = golden.load("camera_heads")
    tokens = case.tensor("in/camera_tokens")
    head = TransformerCameraHead(tokens.shape[-1])
    golden.fill(head, prefix="camera_head.", gamma=case.spec["layerscale_gamma"])
    for i, stage in enumerate(head(tokens)):
        case.check(f"camera_head.iter{i}", stage)
    case.check("camera_head.iter5_of_6", head(tokens, iterations=6)[5])
    mlp = MlpCameraHead(tokens.shape[-1])
    golden.fill(mlp, prefix="camera_mlp_head.")
    case.check("camera_mlp_head", mlp(tokens)[0])


def test_image_loading():
    case = golden.load("preprocess")
    folder = golden.FOLDER / "images"
    for name, spec in case.spec["cases"].items():
        mine = zm.load_images([folder / f for f in spec["files"]], spec["target_size"], spec["mode"])
        want = case.tensor(f"out/{name}")
        assert mine.shape == want.shape
        difference = (mine.mul(255).round().int() - want.int()).abs().max().item()
        # JPEG decoders and Pillow builds may round differently by one.
        bounds = case.spec["outputs"][name]
        assert difference <= bounds["suggested_abs_uint8_for_jpeg_or_other_pillow_builds"], name


def test_pose_encoding_alignment_and_points():
    case = golden.load("pose_and_points")
    size = tuple(case.spec["image_hw"])
    w2c, intrinsics = case.tensor("in/w2c"), case.tensor("in/K")
    case.check("pose_enc", zm.pose_encoding_from_cameras(w2c, intrinsics, size)[None])
    camera_from_world, decoded = zm.cameras_from_pose_encoding(case.tensor("in/raw_pose_enc"), size)
    case.check("extrinsics_from_raw", camera_from_world)
    case.check("intrinsics_from_raw", decoded)
    aligned = align_to_first_view(w2c)
    case.check("aligned_w2c", aligned[:, :3])
    world_from_camera = invert_rigid(aligned)
    depth = case.tensor("in/depth")[..., 0]
    case.check("world_points_from_depth", zm.points_from_depth(depth, world_from_camera, intrinsics))
    local = case.tensor("in/local_points")
    case.check("world_points_from_local", zm.points_from_local(local, world_from_camera))


def test_ray_conditions():
    case = golden.load("ray_conditioning")
    n_input, (height, width) = case.spec["n_input"], case.spec["image_hw"]
    intrinsics = case.tensor("in/K")
    relative = invert_rigid(align_to_first_view(invert_rigid(case.tensor("in/c2w"))))
    case.check("c2w_relative_to_first", relative[..., :3, :])
    scale = ray_scale(relative[:, :n_input])
    case.check("scale", scale)
    targets = relative[:, n_input:]
    rays = zm.ray_conditions(targets, intrinsics[:, n_input:], (height, width), scale)
    case.check("rays9", rays)
    half = zm.ray_conditions(targets, intrinsics[:, n_input:], (height // 2, width // 2), scale)
    case.check("rays9_half_resolution", half)
