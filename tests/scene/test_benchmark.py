"""The drawing benchmark runs by itself, without a window, and tells what it measured."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def test_the_benchmark_prints_its_table():
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    environment["EGL_PLATFORM"] = "surfaceless"
    sizes = ["--points", "20000", "60000", "--budget", "20000", "--markers", "2000", "--size", "160", "120"]
    done = subprocess.run(
        [sys.executable, "-m", "zipmap_app.scene_benchmark", "--repeats", "1", *sizes],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "Could not initialize" in done.stderr:
        pytest.skip("EGL without a surface is not available here")
    assert done.returncode == 0, done.stderr
    assert "GL_RENDERER: " in done.stdout
    for line in ("0.06 M points, budget 0.02 M", "point under the mouse", "Markers as it comes", "thinning"):
        assert line in done.stdout
