"""Ray casting: distances and normals that can be worked out by hand."""

from __future__ import annotations

import pytest
import torch

from training.data.raycast import NO_HIT, Shape, hit_distances, local_normals


def _distance(shape: Shape, origin: tuple[float, ...], direction: tuple[float, ...]) -> float:
    t = hit_distances(
        torch.tensor([[int(shape)]], dtype=torch.int32),
        torch.eye(3).view(1, 1, 3, 3),
        torch.zeros(1, 1, 3),
        torch.tensor(origin).view(1, 1, 3),
        torch.tensor(direction).view(1, 1, 3),
    )
    return t.item()


@pytest.mark.parametrize(
    ("shape", "origin", "direction", "expected"),
    [
        (Shape.BOX, (-3.0, 0.2, 0.1), (1.0, 0.0, 0.0), 2.0),
        (Shape.BOX, (-3.0, 0.2, 0.1), (2.0, 0.0, 0.0), 1.0),
        (Shape.ELLIPSOID, (0.0, -4.0, 0.0), (0.0, 1.0, 0.0), 3.0),
        (Shape.CYLINDER, (0.0, 0.6, 5.0), (0.0, 0.0, -1.0), 4.0),
        (Shape.CYLINDER, (-3.0, 0.0, 0.5), (1.0, 0.0, 0.0), 2.0),
        (Shape.GABLE, (-3.0, 0.0, 0.0), (1.0, 0.0, 0.0), 2.5),
        (Shape.GABLE, (-3.0, 0.9, 0.0), (1.0, 0.0, 0.0), 2.5),
        (Shape.PYRAMID, (0.0, 0.0, 5.0), (0.0, 0.0, -1.0), 4.0),
        (Shape.ROOM, (0.5, 0.0, 0.0), (1.0, 0.0, 0.0), 0.5),
    ],
)
def test_hits_lie_where_geometry_says(
    shape: Shape, origin: tuple[float, ...], direction: tuple[float, ...], expected: float
) -> None:
    assert _distance(shape, origin, direction) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("shape", "origin", "direction"),
    [
        (Shape.NONE, (-3.0, 0.0, 0.0), (1.0, 0.0, 0.0)),
        (Shape.BOX, (-3.0, 0.0, 0.0), (-1.0, 0.0, 0.0)),
        (Shape.BOX, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0)),
        (Shape.ELLIPSOID, (-3.0, 0.8, 0.8), (1.0, 0.0, 0.0)),
        (Shape.CYLINDER, (-3.0, 0.0, 1.2), (1.0, 0.0, 0.0)),
        (Shape.PYRAMID, (-3.0, 0.9, 0.5), (1.0, 0.0, 0.0)),
    ],
)
def test_misses(shape: Shape, origin: tuple[float, ...], direction: tuple[float, ...]) -> None:
    assert _distance(shape, origin, direction) == NO_HIT


def test_an_affine_map_keeps_the_ray_parameter() -> None:
    # A box of half size 2 x 1 x 1 around (10, 0, 0): local = (world - center) / half size.
    local_from_world = torch.diag(torch.tensor([0.5, 1.0, 1.0])).view(1, 1, 3, 3)
    offset = torch.tensor([-5.0, 0.0, 0.0]).view(1, 1, 3)
    t = hit_distances(
        torch.tensor([[int(Shape.BOX)]], dtype=torch.int32),
        local_from_world,
        offset,
        torch.zeros(1, 1, 3),
        torch.tensor([1.0, 0.0, 0.0]).view(1, 1, 3),
    )
    assert t.item() == pytest.approx(8.0, abs=1e-4)


def test_normals_point_out_of_solids_and_into_rooms() -> None:
    shapes = torch.tensor([int(Shape.BOX), int(Shape.ROOM), int(Shape.CYLINDER), int(Shape.GABLE)])
    points = torch.tensor([[1.0, 0.2, 0.0], [1.0, 0.2, 0.0], [0.1, 0.2, 1.0], [0.5, 0.0, 0.0]])
    normals = torch.nn.functional.normalize(local_normals(shapes, points), dim=-1)
    expected = torch.tensor([[1.0, 0, 0], [-1.0, 0, 0], [0, 0, 1.0], [0.8944, 0, 0.4472]])
    torch.testing.assert_close(normals, expected, atol=1e-3, rtol=0)
