"""Procedural clips: reproducible, and with geometry that is exact for the pictures."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import grid_sample

from training.data import render
from training.data.batches import intrinsics_from_focal
from training.data.contact_sheet import save_contact_sheet
from training.data.procedural import ClipBatch, ProceduralConfig, compose_clips, film_clips, generate_clips
from training.data.raycast import Shape
from training.data.render import BlockTables, shade_rays
from zipmap_model import invert_rigid, points_from_depth

_CONFIG = ProceduralConfig(size=(72, 96), n_frames=2, samples=1)
_N_CLIPS = 12


@dataclass(frozen=True)
class _Reprojection:
    """Frame 1 seen from frame 0."""

    color: Tensor  # (N, H, W, 3) what frame 0 shows where the pixel lands
    depth: Tensor  # (N, H, W) depth that the pixel should have there
    stored: Tensor  # (N, H, W) depth that frame 0 has there
    inside: Tensor  # (N, H, W) bool

    @property
    def agrees(self) -> Tensor:
        return (self.stored - self.depth).abs() < 0.02 * self.depth


@pytest.fixture(scope="module")
def clips() -> ClipBatch:
    return generate_clips(_CONFIG, _N_CLIPS, seed=5, device=torch.device("cpu"))


@pytest.fixture(scope="module")
def reprojection(clips: ClipBatch) -> _Reprojection:
    height, width = clips.size
    K = intrinsics_from_focal(clips.focal_px, clips.size)
    depth = clips.depth.float()
    world = points_from_depth(depth[:, 1], clips.world_from_camera[:, 1], K)
    camera = invert_rigid(clips.world_from_camera[:, 0])
    point = world @ camera[:, None, :3, :3].mT + camera[:, None, None, :3, 3]
    z = point[..., 2]
    u = point[..., 0] / z * clips.focal_px[:, None, None] + width / 2
    v = point[..., 1] / z * clips.focal_px[:, None, None] + height / 2
    inside = (u >= 0) & (u <= width - 1) & (v >= 0) & (v <= height - 1) & (z > 0) & (depth[:, 1] > 0)
    grid = torch.stack((u / (width - 1) * 2 - 1, v / (height - 1) * 2 - 1), -1)
    # Inverse depth is linear in the picture of a plane, so interpolating it is exact there.
    inverse = torch.where(depth[:, :1] > 0, 1 / depth[:, :1].clamp(min=1e-3), 0.0)
    there = 1 / grid_sample(inverse, grid, align_corners=True)[:, 0].clamp(min=1e-6)
    rgb = clips.rgb[:, 0].float().movedim(-1, 1) / 255
    color = grid_sample(rgb, grid, align_corners=True).movedim(1, -1)
    return _Reprojection(color, z, there, inside)


def test_depth_agrees_between_frames(reprojection: _Reprojection) -> None:
    assert reprojection.inside.float().mean() > 0.5
    assert reprojection.agrees[reprojection.inside].float().mean() > 0.95


def test_reprojected_colours_fit_far_better_than_unaligned_ones(
    clips: ClipBatch, reprojection: _Reprojection
) -> None:
    here, unaligned = clips.rgb[:, 1].float() / 255, clips.rgb[:, 0].float() / 255
    same_surface = reprojection.inside & reprojection.agrees
    aligned_error = (reprojection.color - here).abs().mean(-1)[same_surface].mean()
    plain_error = (unaligned - here).abs().mean(-1)[reprojection.inside].mean()
    assert aligned_error < 0.4 * plain_error


def test_pictures_are_neither_black_nor_white(clips: ClipBatch) -> None:
    mean = clips.rgb.float().mean(dim=(1, 2, 3, 4))
    assert (mean > 40).all()
    assert (mean < 230).all()


def test_a_seed_names_one_set_of_scenes() -> None:
    first, again, other = (compose_clips(_CONFIG, 4, seed) for seed in (1, 1, 2))
    assert torch.equal(first.world_from_camera, again.world_from_camera)
    assert torch.equal(first.scenes.local_offset, again.scenes.local_offset)
    assert not torch.equal(first.world_from_camera, other.world_from_camera)


def test_cameras_are_rigid_and_move() -> None:
    cameras = compose_clips(ProceduralConfig(n_frames=6), 16, 3).world_from_camera
    rotation = cameras[..., :3, :3]
    torch.testing.assert_close(rotation @ rotation.mT, torch.eye(3).expand_as(rotation), atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(16, 6), atol=1e-5, rtol=0)
    assert ((cameras[:, 1:, :3, 3] - cameras[:, :-1, :3, 3]).norm(dim=-1).mean(1) > 0).all()


def test_shares_of_families_must_add_up() -> None:
    with pytest.raises(ValueError, match="room_share"):
        ProceduralConfig(room_share=0.9, street_share=0.2)


def test_contact_sheet_is_a_picture(clips: ClipBatch, tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    save_contact_sheet(clips, path, columns=2)
    with Image.open(path) as image:
        assert image.size == (2 * 3 * 96, (_N_CLIPS // 2) * 72)


def test_held_out_scenes_are_what_they_were() -> None:
    """Measured numbers are comparable only while the default settings draw the same scenes and cameras."""
    composed = compose_clips(ProceduralConfig(n_frames=12), 4, 900_000_017)
    assert composed.focal_px.tolist() == pytest.approx([180.19667, 149.79504, 176.46559, 211.78778])
    assert float(composed.world_from_camera.double().abs().sum()) == pytest.approx(479.88329, rel=1e-5)
    assert float(composed.scenes.half_size.double().sum()) == pytest.approx(2321.72382, rel=1e-5)


def test_driving_cameras_go_far_along_the_road() -> None:
    config = ProceduralConfig(n_frames=8, room_share=0.0, street_share=1.0, forward_share=50.0)
    usual = compose_clips(config, 24, 1).world_from_camera
    driving = compose_clips(dataclasses.replace(config, drive_share=1.0), 24, 1).world_from_camera
    sideways, ahead = driving[..., 0, 2].abs(), driving[..., 1, 2]
    assert float((ahead > sideways).float().mean()) > float(
        (usual[..., 1, 2] > usual[..., 0, 2].abs()).float().mean()
    )
    assert float(driving[..., 2, 3].max()) < 2.5


def test_lenses_can_be_even_in_the_logarithm_of_the_focal_length() -> None:
    config = dataclasses.replace(_CONFIG, fov_deg=(28.0, 95.0), fov_even_in="log_focal")
    log_focal = compose_clips(config, 64, seed=2).focal_px.log()
    short, long = (math.log(48 / math.tan(math.radians(fov) / 2)) for fov in (95.0, 28.0))
    assert short <= log_focal.min() < log_focal.max() <= long
    # Evenly drawn angles would put a fifth of the lenses into the longer half, and 64 draws at most a third.
    assert 0.35 < (log_focal > (short + long) / 2).float().mean() < 0.65


def test_an_unknown_law_of_lenses_is_refused() -> None:
    with pytest.raises(ValueError, match="fov_even_in"):
        ProceduralConfig(fov_even_in="degrees")  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(36, 48), (40, 56), (96, 112)])
def test_a_kernel_of_one_shape_draws_every_size(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a compiled kernel is given has one shape: blocks of rays that no view fills change nothing."""
    shapes: set[tuple[int, ...]] = set()

    def shade(tables: BlockTables, origin: Tensor, direction: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
        shapes.add((len(tables.shape), *direction.shape))
        return shade_rays(tables, origin, direction, angle)

    monkeypatch.setattr(render, "_compiled_shade", lambda: shade)
    config = ProceduralConfig(size=size, n_frames=2, samples=1)
    composed = compose_clips(config, 1, seed=3)
    padded = film_clips(composed, config, torch.device("cpu"), compiled=True)
    plain = film_clips(composed, config, torch.device("cpu"))
    assert torch.equal(padded.depth, plain.depth)
    assert torch.equal(padded.rgb, plain.rgb)
    assert len(shapes) == 1


def test_two_samples_are_close_to_four() -> None:
    config = dataclasses.replace(_CONFIG, size=(36, 48))
    composed = compose_clips(config, 2, seed=5)
    few, many = (
        film_clips(composed, dataclasses.replace(config, samples=n), torch.device("cpu")) for n in (2, 4)
    )
    assert torch.equal(few.depth, many.depth)
    error = (few.rgb.float() - many.rgb.float()).abs()
    assert 0 < error.mean() < 2.0


def test_suburbs_take_their_share_of_the_streets_and_have_houses_far_from_the_road() -> None:
    config = ProceduralConfig(n_frames=4, room_share=0.0, street_share=1.0, suburb_share=0.5)
    composed = compose_clips(config, 24, 7)
    usual = compose_clips(dataclasses.replace(config, suburb_share=0.0), 24, 7)
    # Half widths of the first slot: the ground of a suburb reaches farther than that of a street.
    reach = composed.scenes.half_size[:, 0, 0]
    assert reach.tolist() == [150.0] * 12 + [220.0] * 12
    assert (usual.scenes.half_size[:, 0, 0] == 150.0).all()
    scenes = composed.scenes
    center = (-scenes.local_offset * scenes.half_size)[12:, :, 0]  # nothing there is turned but crowns
    half = scenes.half_size[12:, :, 0]
    is_building = scenes.half_size[12:, :, 2] > 1  # higher than cars, hedges and roads
    is_house = (scenes.shape[12:] == Shape.BOX) & (half >= 4) & is_building
    assert is_house.sum(1).min() > 0
    assert (center.abs() - half)[is_house].min() >= 9.99
    assert composed.world_from_camera[12:, :, 2, 3].max() < 1.9
    with pytest.raises(ValueError, match="suburb_share"):
        ProceduralConfig(suburb_share=2.0)


def test_no_family_needs_more_primitives_than_rooms() -> None:
    """The compiled renderer knows one number of primitives, that of a batch of all families."""
    suburbs, rooms = (
        compose_clips(ProceduralConfig(n_frames=2, room_share=r, street_share=1 - r, suburb_share=1.0), 2, 1)
        for r in (0.0, 1.0)
    )
    assert suburbs.scenes.shape.shape[1] <= rooms.scenes.shape.shape[1]
