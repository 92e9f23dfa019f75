"""The whole window used as a person would, on a real video with the bundled model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings

from tests.tour import Tour
from zipmap_app.cli import parse
from zipmap_app.desktop.composition import Desktop
from zipmap_app.sources.opening import open_source
from zipmap_model.checkpoints import CheckpointError, bundled_weights

ROOM = Path(__file__).resolve().parents[2].parent / "shared/media/videos/room.mp4"
N_FRAMES = 8


def has_bundled_weights() -> bool:
    try:
        bundled_weights()
    except (CheckpointError, OSError):
        return False
    return True


pytestmark = [
    pytest.mark.skipif(not ROOM.is_file(), reason="needs ../shared/media/videos/room.mp4"),
    pytest.mark.skipif(not has_bundled_weights(), reason="needs the bundled weights"),
    pytest.mark.timeout(600),
]


@pytest.fixture
def make_tour(qtbot, tmp_path: Path) -> Iterator[type[Tour]]:
    desktops: list[Desktop] = []

    def make() -> Tour:
        settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
        arguments = parse(["--max-frames", str(N_FRAMES), "--device", "cpu"])
        desktop = Desktop(arguments, settings)
        qtbot.addWidget(desktop.window)
        desktops.append(desktop)
        return Tour(desktop)

    yield make  # type: ignore[misc]
    for desktop in desktops:
        desktop.window.close()


def test_the_tour(make_tour, tmp_path: Path) -> None:
    plain = make_tour()
    plain.open_by_drop(ROOM)
    plain.wait(lambda: plain.session.status.n_frames == N_FRAMES)
    poses = plain.session.path.world_from_camera.copy()
    blocks = [block.copy() for block in plain.session.cloud.blocks()]
    plain.window.close()

    tour = make_tour()
    tour.open_by_drop(ROOM)
    tour.pause_and_step()
    tour.rewind_to(3)
    tour.continue_to_the_end()
    assert np.array_equal(tour.session.path.world_from_camera, poses), "a rewind left traces"
    again = list(tour.session.cloud.blocks())
    assert len(again) == len(blocks)
    assert all(np.array_equal(left, right) for left, right in zip(blocks, again, strict=True))
    tour.ask_from_here()
    tour.add_answer_and_undo()
    tour.align_up()
    tour.set_scale_and_measure()
    tour.finalise_and_compare()
    tour.play_back()
    video = tmp_path / "flight.mp4"
    tour.fly_to_video(video)
    source = open_source(str(video))
    n_read = 0
    while source.read() is not None:
        n_read += 1
    source.close()
    assert n_read == 13
