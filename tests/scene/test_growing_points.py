"""The growing cloud on a real GL context: pixels, chunks, filters, colours, stride, freed buffers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from vispy import gloo, scene
from vispy.visuals.transforms import NullTransform

from tests.app_fakes import make_points
from zipmap_app.scene import vertex_store
from zipmap_app.scene.colors import CONFIDENCE_RAMP, TIME_RAMP
from zipmap_app.scene.detail import Sampling
from zipmap_app.scene.growing_points import DrawPlan, GrowingPoints
from zipmap_app.scene.point_style import PointStyle
from zipmap_app.state.appearance import ClipBox, ColorMode

SIZE = (64, 48)  # width, height


@pytest.fixture
def canvas(qtbot) -> Iterator[scene.SceneCanvas]:
    canvas = scene.SceneCanvas(app="pyside6", size=SIZE, show=True, bgcolor="black")
    # Deleted with the test: collected later, its destructor would take the context from a widget being drawn.
    qtbot.addWidget(canvas.native)
    canvas.events.ignore_callback_errors = False
    yield canvas
    canvas.close()


def add_cloud(canvas: scene.SceneCanvas, chunk_capacity: int = 100) -> GrowingPoints:
    """A cloud whose coordinates are clip coordinates."""
    cloud = GrowingPoints(chunk_capacity=chunk_capacity, parent=canvas.scene)
    cloud.set_gl_state("opaque", depth_test=True, depth_func="less")
    cloud.get_transform = lambda *args: NullTransform()
    cloud.set_style(PointStyle(size_px=3))
    return cloud


def rendered(canvas: scene.SceneCanvas) -> np.ndarray:
    return canvas.render(alpha=False)


def pixel(picture: np.ndarray, x: float, y: float) -> tuple[int, ...]:
    """The colour at clip coordinates."""
    height, width = picture.shape[:2]
    return tuple(int(c) for c in picture[int((1 - y) / 2 * height), int((x + 1) / 2 * width)])


def test_points_appear_in_their_colour_where_they_project(canvas):
    cloud = add_cloud(canvas)
    cloud.append(make_points(np.array([[-0.5, 0.5, 0]]), (255, 0, 0)))
    cloud.append(make_points(np.array([[0.5, -0.5, 0]]), (13, 200, 77)))
    picture = rendered(canvas)
    assert pixel(picture, -0.5, 0.5) == (255, 0, 0)
    assert pixel(picture, 0.5, -0.5) == (13, 200, 77)
    assert pixel(picture, 0.5, 0.5) == (0, 0, 0)


def test_the_nearer_point_hides_the_farther(canvas):
    cloud = add_cloud(canvas)
    cloud.append(make_points(np.array([[0, 0, -0.5]]), (0, 0, 255)))
    cloud.append(make_points(np.array([[0, 0, 0.5]]), (255, 255, 0)))
    assert pixel(rendered(canvas), 0, 0) == (0, 0, 255)


def test_appends_spill_over_chunks_without_losing_points(canvas):
    cloud = add_cloud(canvas, chunk_capacity=7)
    xs = np.linspace(-0.9, 0.9, 20)
    for part in np.array_split(xs, 6):
        cloud.append(make_points(np.stack([part, 0 * part, 0 * part], 1), (255, 255, 255)))
    picture = rendered(canvas)
    assert cloud.store.n_chunks == 3
    assert cloud.n_points == 20
    assert all(pixel(picture, x, 0) == (255, 255, 255) for x in xs)


def test_the_threshold_hides_without_another_upload(canvas):
    cloud = add_cloud(canvas)
    cloud.append(make_points(np.array([[-0.5, 0, 0]]), confidence=0.2))
    cloud.append(make_points(np.array([[0.5, 0, 0]]), confidence=0.8))
    rendered(canvas)
    cloud.set_style(PointStyle(size_px=3, min_confidence=0.5))
    picture = rendered(canvas)
    assert pixel(picture, -0.5, 0) == (0, 0, 0)
    assert pixel(picture, 0.5, 0) == (255, 0, 0)


def test_while_something_moves_every_kth_point_is_drawn(canvas):
    cloud = add_cloud(canvas)
    xs, points = row_of_points(10)
    cloud.append(points)
    cloud.set_style(PointStyle(size_px=1))
    cloud.plan = DrawPlan(is_moving=True, sampling=Sampling(3))
    assert lit(canvas, xs) == [0, 3, 6, 9]
    assert cloud.n_drawn == 4


@pytest.mark.parametrize("sampling", [Sampling(3), Sampling(3, 4), Sampling(1, 5)])
def test_at_rest_the_picture_fills_part_by_part_and_nothing_is_drawn_twice(canvas, monkeypatch, sampling):
    monkeypatch.setattr("zipmap_app.scene.growing_points._RUN", 2)
    cloud = add_cloud(canvas, chunk_capacity=7)
    xs, points = row_of_points(30)
    cloud.append(points)
    cloud.set_style(PointStyle(size_px=1))
    cloud.plan = DrawPlan(sampling=sampling)
    shown, n_drawn = [], 0
    for _ in range(sampling.n_parts):
        assert not cloud.is_complete
        shown.append(set(lit(canvas, xs)))
        n_drawn += cloud.n_drawn
    assert cloud.is_complete
    assert all(before < after for before, after in pairwise(shown))
    assert shown[-1] == set(range(30))
    assert n_drawn == 30
    assert lit(canvas, xs) == list(range(30))
    assert cloud.n_drawn == 0, "a complete picture is only shown again"


def test_what_changes_the_picture_begins_it_anew(canvas):
    cloud = add_cloud(canvas)
    xs, points = row_of_points(12)
    cloud.append(points[:11])
    cloud.plan = DrawPlan(sampling=Sampling(3), n_parts=3)
    assert lit(canvas, xs) == list(range(11))
    cloud.append(points[11:])
    assert lit(canvas, xs) == list(range(12))
    cloud.set_style(PointStyle(size_px=3, last_frame=5))
    assert lit(canvas, xs) == list(range(6))
    cloud.truncate(4)
    assert lit(canvas, xs) == list(range(4))


def test_the_sample_stays_until_the_picture_at_rest_is_fuller(canvas):
    cloud = add_cloud(canvas)
    xs, points = row_of_points(30)
    cloud.append(points)
    cloud.set_style(PointStyle(size_px=1))
    cloud.plan = DrawPlan(is_moving=True, sampling=Sampling(3))
    sample = lit(canvas, xs)
    cloud.plan = DrawPlan(sampling=Sampling(7))
    counts = [len(lit(canvas, xs)) for _ in range(7)]
    assert counts[0] == len(sample), "4 small points would be a step back"
    assert counts[-1] == 30
    assert counts == sorted(counts)


def test_clear_frees_the_buffers_and_the_cloud_can_grow_again(canvas):
    cloud = add_cloud(canvas, chunk_capacity=5)
    positions = np.zeros((12, 3))
    cloud.append(make_points(positions))
    rendered(canvas)
    ids = [chunk.buffer.id for chunk in cloud.store._chunks]
    parser = canvas.context.shared.parser
    assert len(ids) == 3
    assert all(parser.get_object(id_) is not None for id_ in ids)
    cloud.clear()
    assert pixel(rendered(canvas), 0, 0) == (0, 0, 0)
    canvas.set_current()
    canvas.context.flush_commands()
    alive = [id_ for id_ in ids if isinstance(parser.get_object(id_), gloo.glir.GlirObject)]
    assert len(alive) == 1  # kept for what comes next
    cloud.append(make_points(positions, (0, 255, 0)))
    assert pixel(rendered(canvas), 0, 0) == (0, 255, 0)


def test_a_spare_chunk_is_used_by_the_next_spill(canvas):
    cloud = add_cloud(canvas, chunk_capacity=5)
    cloud.append(make_points(np.zeros((5, 3))))
    rendered(canvas)
    assert not cloud.store.has_spare
    canvas.set_current()
    cloud.prepare_spare()
    assert cloud.store.has_spare
    spare = cloud.store._spares[-1]
    cloud.append(make_points(np.array([[0.5, 0, 0]]), (9, 8, 7)))
    assert pixel(rendered(canvas), 0.5, 0) == (9, 8, 7)
    assert cloud.store._chunks[1] is spare


def test_shading_darkens_behind_an_edge_and_leaves_flat_surfaces_alone(canvas):
    # Two walls in clip coordinates, the right one farther away.
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(-1, 1, 200), np.linspace(-1, 1, 150)))
    cloud = add_cloud(canvas, chunk_capacity=40_000)
    cloud.append(make_points(np.stack([x, y, np.where(x < 0, -0.2, 0.2)], 1), (200, 200, 200)))
    plain = rendered(canvas)
    cloud.plan = DrawPlan(near_far=(0.1, 2.0), is_shaded=True)
    shaded = rendered(canvas)
    middle = SIZE[0] // 2
    assert (plain == 200).all()
    assert (shaded[:, : middle - 3] == 200).all()
    assert (shaded[:, middle + 4 :] == 200).all()
    assert shaded[SIZE[1] // 2, middle - 3 : middle + 4].min() < 160
    cloud.plan = DrawPlan()
    assert (rendered(canvas) == plain).all()


def row_of_points(n: int) -> tuple[np.ndarray, np.ndarray]:
    """n points from left to right, frames 0 to n - 1; their xs."""
    xs = np.linspace(-0.9, 0.9, n)
    points = make_points(np.stack([xs, 0 * xs, 0 * xs], 1))
    points["frame"] = np.arange(n)
    return xs, points


def lit(canvas: scene.SceneCanvas, xs: np.ndarray) -> list[int]:
    picture = rendered(canvas)
    return [i for i, x in enumerate(xs) if pixel(picture, x, 0) != (0, 0, 0)]


def test_frames_outside_the_range_are_hidden_without_another_upload(canvas):
    cloud = add_cloud(canvas)
    xs, points = row_of_points(8)
    cloud.append(points)
    cloud.set_style(PointStyle(size_px=3, first_frame=2, last_frame=5))
    assert lit(canvas, xs) == [2, 3, 4, 5]
    cloud.set_style(PointStyle(size_px=3))
    assert lit(canvas, xs) == list(range(8))


def test_the_clip_box_lies_in_stage_space(canvas):
    cloud = add_cloud(canvas)
    xs, points = row_of_points(10)
    cloud.append(points)
    quarter_turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])  # world x is stage y
    box = ClipBox((-1, -0.45, -1), (1, 0.45, 1))
    cloud.set_style(PointStyle(size_px=3, clip_box=box, stage_from_world=quarter_turn))
    assert lit(canvas, xs) == [i for i, x in enumerate(xs) if abs(x) <= 0.45]
    cloud.set_style(PointStyle(size_px=3, clip_box=ClipBox((-0.2, -1, -1), (1, 1, 1))))
    assert lit(canvas, xs) == [i for i, x in enumerate(xs) if x >= -0.2]


@pytest.mark.parametrize(
    ("mode", "low", "high"),
    [(ColorMode.TIME, 0, 7), (ColorMode.CONFIDENCE, 1.0, 3.0)],
)
def test_colour_modes_run_along_their_ramp_without_another_upload(canvas, mode, low, high):
    cloud = add_cloud(canvas)
    xs, points = row_of_points(8)
    points["confidence"] = np.linspace(1, 3, 8)
    cloud.append(points)
    rendered(canvas)
    cloud.set_style(PointStyle(size_px=3, color_mode=mode, value_range=(low, high)))
    picture = rendered(canvas)
    ramp = {ColorMode.TIME: TIME_RAMP, ColorMode.CONFIDENCE: CONFIDENCE_RAMP}[mode]
    np.testing.assert_allclose(pixel(picture, xs[0], 0), ramp[0] * 255, atol=1)
    np.testing.assert_allclose(pixel(picture, xs[-1], 0), ramp[-1] * 255, atol=1)
    cloud.set_style(PointStyle(size_px=3))
    assert pixel(rendered(canvas), xs[0], 0) == (255, 0, 0)


def test_a_tint_shows_in_every_colour_mode(canvas):
    cloud = add_cloud(canvas)
    cloud.append(make_points(np.zeros((1, 3)), (0, 0, 0)))
    for mode in ColorMode:
        cloud.set_style(PointStyle(size_px=3, color_mode=mode, tint=(1.0, 0.0, 1.0, 0.6)))
        red, _, blue = pixel(rendered(canvas), 0, 0)
        assert min(red, blue) >= 150, mode


def test_truncate_hides_the_tail_and_sends_nothing_again(canvas):
    cloud = add_cloud(canvas, chunk_capacity=4)
    xs, points = row_of_points(10)
    for i in range(10):
        cloud.append(points[i : i + 1])
    assert lit(canvas, xs) == list(range(10))
    cloud.truncate(6)
    assert cloud.n_points == 6
    assert cloud.store.n_waiting == 0
    assert lit(canvas, xs) == list(range(6))
    cloud.append(points[8:9])
    cloud.append(points[9:10])
    cloud.truncate(7)  # of what waits, too
    assert lit(canvas, xs) == [0, 1, 2, 3, 4, 5, 8]


def test_a_replacement_is_spread_over_draws_and_leaves_no_hole(canvas, monkeypatch):
    monkeypatch.setattr(vertex_store, "_SLICE", 5)
    cloud = add_cloud(canvas, chunk_capacity=5)
    cloud.plan = DrawPlan(upload_budget_s=0.0)
    xs, points = row_of_points(20)
    cloud.append(points)
    for _ in range(4):
        rendered(canvas)
    green = points.copy()
    green["rgb"] = 65280
    cloud.replace([green[:10], green[10:]])
    seen = []
    for _ in range(4):
        picture = rendered(canvas)
        colors = [pixel(picture, x, 0) for x in xs]
        assert (0, 0, 0) not in colors
        seen.append(colors.count((0, 255, 0)))
    assert seen == [5, 10, 15, 20]
    assert len(list(cloud.store.drawn())) == 4
    assert cloud.n_points == 20


def test_what_lies_under_a_pixel_is_the_drawn_point(canvas):
    cloud = add_cloud(canvas)
    cloud.append(make_points(np.array([[-0.5, 0.5, 0.25], [0.5, -0.5, -0.5]])))
    assert cloud.point_under(16, 12) is None  # nothing is drawn yet
    rendered(canvas)
    canvas.set_current()
    for x, y, expected in ((16, 12, (-0.5, 0.5, 0.25)), (50, 38, (0.5, -0.5, -0.5))):
        point, _ = cloud.point_under(x, y)
        np.testing.assert_allclose(point, expected, atol=0.09)
        assert point[2] == pytest.approx(expected[2], abs=1e-5)
    assert cloud.point_under(50, 12) is None
    assert cloud.point_under(-20, 500) is None
