import time

import numpy as np
import pytest

from zipmap_app.pipeline.packing import PackingOptions, pack_points

HEIGHT, WIDTH = 144, 192
INTRINSICS = np.array([[170.0, 0, WIDTH / 2], [0, 180.0, HEIGHT / 2], [0, 0, 1]])
ALL = PackingOptions(confidence_percentile=0)


def pack(depth, confidence=None, options=ALL, rgb=None, world_from_camera=None):
    confidence = np.ones_like(depth) if confidence is None else confidence
    rgb = np.zeros((*depth.shape, 3), np.uint8) if rgb is None else rgb
    pose = np.eye(4) if world_from_camera is None else world_from_camera
    return pack_points(depth, confidence, rgb, pose, INTRINSICS, options)


def wall(depth=2.0):
    return np.full((HEIGHT, WIDTH), depth, np.float32)


def test_unprojection_uses_integer_pixels_and_the_camera_pose():
    rng = np.random.default_rng(0)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, (1.0, -2.0, 3.0)
    points = pack(wall(), world_from_camera=pose)
    assert len(points) == HEIGHT * WIDTH
    for v, u in ((0, 0), (10, 100), (143, 191)):
        in_camera = 2.0 * np.linalg.inv(INTRINSICS) @ (u, v, 1.0)
        np.testing.assert_allclose(
            points["position"][v * WIDTH + u], rotation @ in_camera + pose[:3, 3], atol=1e-5
        )


def test_colours_are_packed_exactly():
    rgb = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    packed = pack(wall(), rgb=rgb)["rgb"].astype(np.uint32)
    unpacked = np.stack([packed & 255, packed >> 8 & 255, packed >> 16], axis=1)
    np.testing.assert_array_equal(unpacked, rgb.reshape(-1, 3))


def test_invalid_depth_is_dropped_with_its_rim():
    depth = wall()
    depth[10, 10], depth[20, 20], depth[30, 30], depth[40, 40] = np.nan, np.inf, 0.0, -1.0
    points = pack(depth)
    assert np.isfinite(points["position"]).all()
    assert len(points) == HEIGHT * WIDTH - 4 * 5
    assert len(pack(np.full((HEIGHT, WIDTH), np.nan, np.float32))) == 0


def test_depth_edges_are_dropped_and_slopes_are_kept():
    step = wall()
    step[:, WIDTH // 2 :] = 3.0
    assert len(pack(step)) == HEIGHT * (WIDTH - 2)
    slope_deg = 75.0
    growth = 1 + np.tan(np.radians(slope_deg)) / INTRINSICS[0, 0]
    steep = np.broadcast_to(growth ** np.arange(WIDTH, dtype=np.float32), (HEIGHT, WIDTH)).astype(np.float32)
    assert len(pack(steep)) == HEIGHT * WIDTH


def test_the_least_confident_share_is_dropped_unless_all_are_equal():
    confidence = np.arange(HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
    points = pack(wall(), confidence, PackingOptions(confidence_percentile=20))
    assert len(points) == pytest.approx(0.8 * HEIGHT * WIDTH, abs=2)
    assert points["confidence"].min() >= 0.2 * HEIGHT * WIDTH - 2
    assert len(pack(wall(), options=PackingOptions(confidence_percentile=20))) == HEIGHT * WIDTH


@pytest.mark.parametrize("budget", [5000, 9216, 13_824])
def test_the_budget_holds_and_the_whole_picture_is_sampled(budget):
    points = pack(wall(), options=PackingOptions(confidence_percentile=0, max_points=budget))
    assert 0.5 * budget < len(points) <= budget
    column = np.rint(points["position"][:, 0] / 2.0 * INTRINSICS[0, 0] + WIDTH / 2).astype(int)
    counts = np.bincount(column, minlength=WIDTH)
    assert counts.min() > 0.8 * len(points) / WIDTH - 1  # no empty stripes
    assert counts.max() < 1.2 * len(points) / WIDTH + 1


def test_a_frame_is_packed_in_a_few_milliseconds():
    rng = np.random.default_rng(0)
    depth = (2 + 0.01 * rng.random((HEIGHT, WIDTH))).astype(np.float32)
    rgb = rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    times_s = []
    for _ in range(9):
        start_s = time.perf_counter()
        pack(depth, depth, PackingOptions(), rgb)
        times_s.append(time.perf_counter() - start_s)
    # Measured 3 ms alone; the bound leaves room for a busy machine, not for a loop over pixels.
    assert min(times_s) < 0.015
