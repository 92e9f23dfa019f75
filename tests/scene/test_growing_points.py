"""The growing cloud on a real GL context: pixels, chunks, threshold, stride, freed buffers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from vispy import gloo, scene
from vispy.visuals.transforms import NullTransform

from tests.app_fakes import make_points
from zipmap_app.scene.growing_points import GrowingPoints

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
    cloud.set_appearance(size_px=3, reference_depth=0, min_confidence=-np.inf)
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
    assert cloud.n_chunks == 3
    assert cloud.n_points == 20
    assert all(pixel(picture, x, 0) == (255, 255, 255) for x in xs)


def test_the_threshold_hides_without_another_upload(canvas):
    cloud = add_cloud(canvas)
    cloud.append(make_points(np.array([[-0.5, 0, 0]]), confidence=0.2))
    cloud.append(make_points(np.array([[0.5, 0, 0]]), confidence=0.8))
    rendered(canvas)
    cloud.set_appearance(size_px=3, reference_depth=0, min_confidence=0.5)
    picture = rendered(canvas)
    assert pixel(picture, -0.5, 0) == (0, 0, 0)
    assert pixel(picture, 0.5, 0) == (255, 0, 0)


def test_a_stride_draws_every_kth_point(canvas):
    cloud = add_cloud(canvas)
    xs = np.linspace(-0.9, 0.9, 10)
    cloud.append(make_points(np.stack([xs, 0 * xs, 0 * xs], 1)))
    cloud.set_appearance(size_px=1, reference_depth=0, min_confidence=-np.inf)
    cloud.stride = 3
    picture = rendered(canvas)
    lit = [pixel(picture, x, 0) == (255, 0, 0) for x in xs]
    assert lit == [i % 3 == 0 for i in range(10)]


def test_clear_frees_the_buffers_and_the_cloud_can_grow_again(canvas):
    cloud = add_cloud(canvas, chunk_capacity=5)
    positions = np.zeros((12, 3))
    cloud.append(make_points(positions))
    rendered(canvas)
    ids = [chunk.buffer.id for chunk in cloud._chunks]
    parser = canvas.context.shared.parser
    assert len(ids) == 3
    assert all(parser.get_object(id_) is not None for id_ in ids)
    cloud.clear()
    assert pixel(rendered(canvas), 0, 0) == (0, 0, 0)
    canvas.set_current()
    canvas.context.flush_commands()
    alive = [id_ for id_ in ids if isinstance(parser.get_object(id_), gloo.glir.GlirObject)]
    assert alive == []
    cloud.append(make_points(positions, (0, 255, 0)))
    assert pixel(rendered(canvas), 0, 0) == (0, 255, 0)


def test_a_spare_chunk_is_used_by_the_next_spill(canvas):
    cloud = add_cloud(canvas, chunk_capacity=5)
    cloud.append(make_points(np.zeros((5, 3))))
    rendered(canvas)
    assert not cloud.is_settled
    canvas.set_current()
    cloud.prepare_spare()
    assert cloud.is_settled
    spare = cloud._spare
    cloud.append(make_points(np.array([[0.5, 0, 0]]), (9, 8, 7)))
    assert pixel(rendered(canvas), 0.5, 0) == (9, 8, 7)
    assert cloud._chunks[1] is spare


def test_shading_darkens_behind_an_edge_and_leaves_flat_surfaces_alone(canvas):
    # Two walls in clip coordinates, the right one farther away.
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(-1, 1, 200), np.linspace(-1, 1, 150)))
    cloud = add_cloud(canvas, chunk_capacity=40_000)
    cloud.append(make_points(np.stack([x, y, np.where(x < 0, -0.2, 0.2)], 1), (200, 200, 200)))
    plain = rendered(canvas)
    cloud.set_shading((0.1, 2.0))
    shaded = rendered(canvas)
    middle = SIZE[0] // 2
    assert (plain == 200).all()
    assert (shaded[:, : middle - 3] == 200).all()
    assert (shaded[:, middle + 4 :] == 200).all()
    assert shaded[SIZE[1] // 2, middle - 3 : middle + 4].min() < 160
    cloud.set_shading(None)
    assert (rendered(canvas) == plain).all()
