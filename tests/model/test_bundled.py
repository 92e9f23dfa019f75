"""The weights that ship with the program."""

import pytest
import torch

import zipmap_model as zm
from zipmap_model.checkpoints import bundled_weights

MAX_BYTES = 30_000_000


@pytest.fixture(scope="module")
def bundled() -> zm.ZipMap:
    return zm.load_model("bundled")


def test_the_file_is_small_and_says_what_it_is(bundled):
    path = bundled_weights()
    assert path.stat().st_size <= MAX_BYTES
    assert "Apache-2.0" in (path.parent / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert bundled.config == zm.MODEL_CONFIGS["bundled"]


def test_one_network_streams_and_answers_queries(bundled):
    session = zm.StreamingSession(bundled)
    images = torch.rand(3, 3, 144, 192, generator=torch.Generator().manual_seed(0))
    for image in images:
        prediction = session.step(image)
        assert prediction.depth.isfinite().all()
        assert prediction.pose_encoding.isfinite().all()
    pose, intrinsics = zm.cameras_from_pose_encoding(prediction.pose_encoding, (144, 192))
    rays = zm.ray_conditions(zm.invert_rigid(pose), intrinsics, (144, 192), zm.query_scale(session.state))
    with torch.no_grad():
        answer = bundled.query(session.state, rays)
    assert answer.rgb.isfinite().all()
    assert answer.depth.isfinite().all()


@pytest.mark.parametrize("clip", ["landscape", "portrait"])
def test_near_is_near_on_a_floor(bundled, clip):
    """A checkered floor under a plain wall: depth grows from the bottom of the picture to the horizon."""
    height, width = {"landscape": (144, 192), "portrait": (192, 144)}[clip]
    v, u = torch.meshgrid(torch.arange(height) - height / 2, torch.arange(width) - width / 2, indexing="ij")
    z = 1.2 * 170 / v.clamp(min=1)
    floor = ((u * z / 170).floor() + z.floor()) % 2 * 0.5 + 0.25
    picture = torch.where((v > 170 * 1.2 / 6), floor, torch.full_like(floor, 0.8)).expand(3, -1, -1)
    depth = zm.StreamingSession(bundled).step(picture).depth[0, 0]
    rows = depth[height // 2 + 40 :: 8].median(dim=1).values
    assert (rows[:-1] > rows[1:]).all(), rows
