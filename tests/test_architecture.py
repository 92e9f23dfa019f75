"""The import contracts of pyproject.toml, and what must not be pulled in by accident."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_imports_point_one_way():
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([str(lint)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("zipmap_model", ("PySide6", "vispy", "cv2", "zipmap_app", "training")),
        ("training", ("PySide6", "vispy", "cv2", "zipmap_app")),
        ("zipmap_app.headless", ("PySide6", "vispy")),
        ("zipmap_app.state.session", ("PySide6", "vispy", "torch", "cv2")),
    ],
)
def test_a_module_loads_without(module, unwanted):
    code = f"import sys, {module}; print([m for m in {unwanted!r} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.stdout.strip() == "[]", result.stderr
