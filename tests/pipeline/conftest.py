"""What most tests of the pipeline start from: a runner over a fake engine, and a tiny real model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import zipmap_model as zm
from tests.model.conftest import MINI
from tests.pipeline_fakes import FakeEngine
from zipmap_app.pipeline.runner import Runner, RunOptions


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def runner(engine: FakeEngine) -> Iterator[Runner]:
    runner = Runner(RunOptions(), lambda: None, engine)
    yield runner
    engine.gate.set()
    assert runner.close()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a tiny model with random weights."""
    torch.manual_seed(0)
    path: Path = tmp_path_factory.mktemp("model") / "mini.safetensors"
    zm.save_model(zm.ZipMap(MINI), path, dtype=torch.float32)
    return str(path)
