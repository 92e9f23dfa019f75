"""What appending one frame to a large cloud costs the GUI thread, against sending the whole buffer again.

Run with a display (or under xvfb-run): ``python tests/perf/growing_points.py``. Both ways alternate in one
process; an append counts until the driver has taken the data (flush and glFinish), without drawing.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QCoreApplication, Qt
from vispy import app, gloo, scene

from zipmap_app.scene.growing_points import CHUNK_CAPACITY, GrowingPoints
from zipmap_app.state.points import POINT_DTYPE

logger = logging.getLogger(__name__)


def make_points(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    points = np.zeros(n, POINT_DTYPE)
    points["position"] = rng.normal(size=(n, 3))
    points["rgb"] = rng.integers(0, 2**24, n)
    return points


def measure_ms(job: Callable[[], None]) -> float:
    start_s = time.perf_counter()
    job()
    gloo.gl.glFinish()
    return (time.perf_counter() - start_s) * 1e3


def run(n_cloud: int, n_frame: int, n_repeats: int) -> dict[str, float | int | str]:
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    canvas = scene.SceneCanvas(app="pyside6", size=(640, 480), show=True)
    view = canvas.central_widget.add_view("turntable")
    cloud = GrowingPoints(parent=view.scene)
    # Room for all frames, so that sending everything again pays for the sending alone.
    whole = make_points(n_cloud + n_repeats * n_frame, 0)
    for start in range(0, n_cloud, CHUNK_CAPACITY):
        cloud.append(whole[start : min(start + CHUNK_CAPACITY, n_cloud)])
    app.process_events()
    canvas.set_current()
    cloud.upload_pending()
    buffer = gloo.VertexBuffer(whole[:n_cloud])
    canvas.context.glir.associate(buffer.glir)
    canvas.context.flush_commands()
    appended_ms, resent_ms = [], []
    for repeat in range(n_repeats):
        cloud.prepare_spare()  # the viewport does this after each draw
        end = n_cloud + (repeat + 1) * n_frame

        def append(frame: np.ndarray = whole[end - n_frame : end]) -> None:
            cloud.append(frame)
            cloud.upload_pending()

        def resend(everything: np.ndarray = whole[:end]) -> None:
            buffer.set_data(everything)
            canvas.context.flush_commands()

        appended_ms.append(measure_ms(append))
        resent_ms.append(measure_ms(resend))
    renderer = str(gloo.gl.glGetParameter(gloo.gl.GL_RENDERER))
    canvas.close()
    append_median, resend_median = statistics.median(appended_ms), statistics.median(resent_ms)
    return {
        "renderer": renderer,
        "points in the cloud": n_cloud,
        "points a frame": n_frame,
        "repeats": n_repeats,
        "append median ms": round(append_median, 2),
        "append p95 ms": round(float(np.quantile(appended_ms, 0.95)), 2),
        "send all again median ms": round(resend_median, 2),
        "send all again / append": round(resend_median / append_median, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cloud", type=int, default=2_000_000)
    parser.add_argument("--frame", type=int, default=40_000)
    parser.add_argument("--repeats", type=int, default=40)
    arguments = parser.parse_args()
    report = run(arguments.cloud, arguments.frame, arguments.repeats)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
