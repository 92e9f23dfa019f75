"""Flights as videos and pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.app_fakes import answer
from zipmap_app.export.flight import FlightFile, save_flight
from zipmap_app.sources.opencv import cv2
from zipmap_app.sources.opening import open_source
from zipmap_app.state.flight import FlightContent
from zipmap_app.state.queries import QueryRequest, QueryResult


def answers(n: int, size_hw: tuple[int, int] = (24, 32)) -> Iterator[QueryResult]:
    for i in range(n):
        yield answer(QueryRequest(i, np.eye(4), np.eye(3), size_hw))


@pytest.mark.parametrize("name", ["flight.mp4", "flight.webm"])
def test_a_video_has_every_view_and_can_be_opened_again(tmp_path: Path, name: str) -> None:
    counts: list[int] = []
    assert save_flight(FlightFile(tmp_path / name), answers(12), report=counts.append) == 12
    assert counts == list(range(1, 13))
    source = open_source(str(tmp_path / name))
    n_read = 0
    while (frame := source.read()) is not None:
        n_read += 1
        assert frame.rgb.shape == (480, 640, 3)
        assert abs(int(frame.rgb[100, 100, 0]) - 90) < 12
    source.close()
    assert n_read == 12
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("content", "width"), [(FlightContent.DEPTH, 32), (FlightContent.BOTH, 64)])
def test_pictures_go_into_a_new_folder(tmp_path: Path, content: FlightContent, width: int) -> None:
    file = FlightFile(tmp_path / "flight", content)
    assert save_flight(file, answers(3)) == 3
    assert save_flight(file, answers(2)) == 2
    pictures = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    assert pictures == [
        "flight/000000.png",
        "flight/000001.png",
        "flight/000002.png",
        "flight_2/000000.png",
        "flight_2/000001.png",
    ]
    assert cv2.imread(str(tmp_path / pictures[0])).shape == (480, width * 20, 3)


def test_odd_sizes_become_even(tmp_path: Path) -> None:
    assert save_flight(FlightFile(tmp_path / "odd.mp4"), answers(3, (25, 33))) == 3
    source = open_source(str(tmp_path / "odd.mp4"))
    frame = source.read()
    source.close()
    assert frame is not None
    assert frame.rgb.shape[0] % 2 == frame.rgb.shape[1] % 2 == 0


@pytest.mark.parametrize("name", ["flight.mp4", "flight"])
def test_cancelling_leaves_nothing_and_keeps_what_was(tmp_path: Path, name: str) -> None:
    (tmp_path / "flight.mp4").write_bytes(b"precious")
    n_left = [2]

    def is_cancelled() -> bool:
        n_left[0] -= 1
        return n_left[0] < 0

    assert save_flight(FlightFile(tmp_path / name), answers(9), is_cancelled=is_cancelled) is None
    assert [path.name for path in tmp_path.iterdir()] == ["flight.mp4"]
    assert (tmp_path / "flight.mp4").read_bytes() == b"precious"


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    def failing() -> Iterator[QueryResult]:
        yield from answers(2)
        raise RuntimeError("the model is gone")

    with pytest.raises(RuntimeError, match="gone"):
        save_flight(FlightFile(tmp_path / "flight.mp4"), failing())
    assert list(tmp_path.iterdir()) == []
