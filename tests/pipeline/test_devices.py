"""How many threads a model computes with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

import zipmap_model as zm
from zipmap_app.pipeline import devices

BUNDLED, PUBLISHED = zm.MODEL_CONFIGS["bundled"], zm.MODEL_CONFIGS["streaming"]


@pytest.fixture(autouse=True)
def threads(monkeypatch) -> Iterator[None]:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("n_available", "n_chosen"), [(1, 1), (2, 1), (8, 2), (32, 4)])
def test_each_half_of_a_small_model_takes_a_quarter_of_the_threads_at_most_four(
    monkeypatch, n_available, n_chosen
):
    monkeypatch.setattr(devices, "_ALL_THREADS", n_available)
    for _ in range(2):
        devices.choose_threads(BUNDLED)
        assert torch.get_num_threads() == n_chosen


def test_a_published_model_and_the_environment_keep_theirs(monkeypatch):
    torch.set_num_threads(2)
    monkeypatch.setattr(devices, "_ALL_THREADS", 2)
    devices.choose_threads(PUBLISHED)
    assert torch.get_num_threads() == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    devices.choose_threads(BUNDLED)
    assert torch.get_num_threads() == 2


def test_two_frames_at_once_are_for_small_models_on_several_processors(monkeypatch):
    cpu = torch.device("cpu")
    monkeypatch.setattr(devices, "_n_processors", lambda: 2)
    assert devices.shares_frames(BUNDLED, cpu)
    assert not devices.shares_frames(PUBLISHED, cpu)
    assert not devices.shares_frames(BUNDLED, torch.device("cuda"))
    monkeypatch.setattr(devices, "_n_processors", lambda: 1)
    assert not devices.shares_frames(BUNDLED, cpu)
