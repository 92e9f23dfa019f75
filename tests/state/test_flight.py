"""Camera flights."""

from __future__ import annotations

import numpy as np
import pytest

from zipmap_app.state.flight import CameraFlight, FlightSettings, flight_poses
from zipmap_app.state.ghost import GhostNumbers, GhostView, pose_from_numbers


def key(x: float, yaw_deg: float, pitch_deg: float = 0.0) -> np.ndarray:
    return pose_from_numbers(GhostNumbers(x, 0, 0, yaw_deg, pitch_deg, 0), np.eye(3))


@pytest.mark.parametrize("is_loop", [False, True])
def test_the_path_passes_every_key(is_loop: bool) -> None:
    keys = np.stack([key(0, 0), key(1, 170, 30), key(3, -100), key(2, 60, -40)])
    n_legs = 4 if is_loop else 3
    poses = flight_poses(keys, n_legs * 10 + 1, is_loop)
    for i in range(4):
        assert np.allclose(poses[i * 10], keys[i])
    if is_loop:
        assert np.allclose(poses[-1], keys[0])
    rotations = poses[:, :3, :3]
    assert np.allclose(rotations @ rotations.transpose(0, 2, 1), np.eye(3), atol=1e-9)


def test_the_path_is_smooth_and_takes_the_short_way_round() -> None:
    keys = np.stack([key(0, 170), key(1, -170), key(2, -150)])
    poses = flight_poses(keys, 201)
    steps = np.diff(poses[:, :3, 3], axis=0)
    assert np.linalg.norm(np.diff(steps, axis=0), axis=1).max() < 1e-3
    cosines = np.einsum("nij,nij->n", poses[1:, :3, :3], poses[:-1, :3, :3])
    turned_deg = np.degrees(np.arccos(np.clip((cosines - 1) / 2, -1, 1)))
    assert turned_deg.sum() == pytest.approx(40, abs=2)


def test_two_keys_give_a_straight_line() -> None:
    poses = flight_poses(np.stack([key(0, 0), key(2, 0)]), 5)
    assert np.allclose(poses[:, 0, 3], [0, 0.5, 1.0, 1.5, 2.0])


def test_a_flight_counts_its_frames() -> None:
    flight = CameraFlight()
    assert not flight.is_ready
    assert flight.views() == ()
    view = GhostView(key(0, 0), np.eye(3), (24, 32))
    flight.set_keys((view, view.with_pose(key(1, 20))))
    flight.set_settings(FlightSettings(seconds_per_leg=1.0, frames_per_s=10))
    assert flight.n_frames == 11
    assert len(flight.views()) == 11
    flight.set_settings(FlightSettings(seconds_per_leg=1.0, frames_per_s=10, is_loop=True))
    assert flight.n_frames == 21


@pytest.mark.parametrize("settings", [{"seconds_per_leg": 0.0}, {"frames_per_s": 0}, {"frames_per_s": 100}])
def test_senseless_settings_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="want"):
        FlightSettings(**settings)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 2"):
        flight_poses(np.eye(4)[None], 5)
