"""How long the viewport keeps the GUI thread, for everything that happens while people look at it.

Run with a display (or under xvfb-run): ``python tests/perf/viewport.py``. Draws are measured apart from the work
that leads to them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from vispy import gloo

from zipmap_app.scene.pointer import Mouse
from zipmap_app.scene.view import SceneView
from zipmap_app.state.appearance import Appearance, ColorMode
from zipmap_app.state.messages import FrameResult, FrameTimings
from zipmap_app.state.points import POINT_DTYPE
from zipmap_app.state.session import SessionModel
from zipmap_app.state.thinning import ThinningRequest, thin

_SIZE_HW = (240, 320)


def make_frame(position: int, n_points: int) -> FrameResult:
    """A patch of a round wall, seen by a camera that goes round in circles."""
    rng = np.random.default_rng(position)
    angle = 0.02 * position
    points = np.zeros(n_points, POINT_DTYPE)
    around = angle + rng.uniform(-0.5, 0.5, n_points)
    points["position"] = np.stack([3 * np.sin(around), rng.uniform(-1, 1, n_points), 3 * np.cos(around)], 1)
    points["rgb"] = rng.integers(0, 2**24, n_points)
    points["confidence"] = rng.uniform(1, 5, n_points)
    points["frame"] = position
    pose = np.eye(4)
    pose[:3, :3] = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    pose[:3, 3] = pose[:3, 2] * 1.2
    height, width = _SIZE_HW
    return FrameResult(
        frame_index=position,
        timestamp_s=position / 30,
        capture_time_s=0.0,
        name=f"frame_{position:06d}",
        points=points,
        world_from_camera=pose,
        intrinsics=np.array([[260.0, 0, width / 2], [0, 260.0, height / 2], [0, 0, 1]]),
        rgb=rng.integers(0, 255, (height, width, 3), dtype=np.uint8),
        depth=np.full(_SIZE_HW, 2.0, np.float32),
        confidence=np.ones(_SIZE_HW, np.float32),
        timings=FrameTimings(1.0, 1.0, 1.0),
        n_dropped=0,
        position=position,
    )


class Bench:
    """A shown viewport with a run of many frames."""

    def __init__(self, n_frames: int, n_points: int) -> None:
        self.session = SessionModel()
        self.session.cloud.max_points = 10**9
        self.window = QWidget()
        layout = QVBoxLayout(self.window)
        layout.setContentsMargins(0, 0, 0, 0)
        self.view = SceneView(self.session, self.window)
        layout.addWidget(self.view.native)
        self.window.resize(1280, 720)
        self.window.show()
        self.rows: list[tuple[str, float, float]] = []
        self.session.begin("bench")
        for position in range(n_frames):
            self.session.apply(make_frame(position, n_points))
        self.settle()

    def settle(self) -> None:
        """Draw until nothing waits."""
        store = self.view.points.store
        while store.n_waiting:
            self.view.grab()
        QApplication.processEvents()

    def measure(self, name: str, jobs: list[Callable[[], object]]) -> None:
        """Time each job, drawing in between without counting that."""
        times_ms = []
        for job in jobs:
            start_s = time.perf_counter()
            job()
            times_ms.append((time.perf_counter() - start_s) * 1e3)
            self.view.grab()
        self.rows.append((name, statistics.median(times_ms), max(times_ms)))

    def close(self) -> None:
        self.view.close()
        self.window.close()


def run(n_frames: int, n_points: int, n_repeats: int) -> Bench:
    bench = Bench(n_frames, n_points)
    session, view = bench.session, bench.view
    frames = [make_frame(n_frames + i, n_points) for i in range(n_repeats)]
    bench.measure("a frame arrives", [lambda frame=frame: session.apply(frame) for frame in frames])
    bench.measure("frames are cut off", [lambda: session.cloud.truncate(n_frames)])
    spots = [Mouse(100.0 + 40 * i, 300.0 + 5 * i) for i in range(n_repeats)]
    bench.measure("the mouse hovers", [lambda spot=spot: view._pointer._hover(spot) for spot in spots])
    bench.measure(
        "a point is picked, shaded picture at rest",
        [lambda spot=spot: view.point_under(spot.x, spot.y) for spot in spots],
    )
    turns = [view.camera.pose.orbited(3.0 * i, 0.0) for i in range(n_repeats)]
    bench.measure("the view turns", [lambda pose=pose: setattr(view.camera, "pose", pose) for pose in turns])
    looks = [replace(Appearance(), color_mode=mode, hidden_fraction=0.2) for mode in ColorMode]
    bench.measure("another appearance", [lambda look=look: view.set_appearance(look) for look in looks])
    bench.measure(
        "the cursor moves", [lambda i=i: view.set_cursor(i * n_frames // n_repeats) for i in range(n_repeats)]
    )
    view.set_cursor(None)
    blocks = tuple(session.cloud.blocks())
    bench.measure("the cloud is replaced", [lambda: session.cloud.replace(blocks)])
    bench.settle()
    wanted: list[ThinningRequest] = []
    session.cloud.thinning_wanted.connect(wanted.append)
    session.cloud.max_points = session.cloud.n_points - 1
    thinned = thin(wanted[0])
    assert thinned is not None
    bench.measure("a thinned cloud is taken over", [lambda: session.cloud.apply_thinned(thinned)])
    return bench


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=500)
    parser.add_argument("--points", type=int, default=4000, help="per frame")
    parser.add_argument("--repeats", type=int, default=12)
    arguments = parser.parse_args()
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    application = QApplication(sys.argv[:1])
    bench = run(arguments.frames, arguments.points, arguments.repeats)
    bench.view.canvas.set_current()
    renderer = gloo.gl.glGetParameter(gloo.gl.GL_RENDERER)
    sys.stdout.write(f"{renderer}; {arguments.frames} frames of {arguments.points:,} points\n\n")
    sys.stdout.write("| what | median ms | worst ms |\n|---|---|---|\n")
    for name, median_ms, worst_ms in bench.rows:
        sys.stdout.write(f"| {name} | {median_ms:.2f} | {worst_ms:.2f} |\n")
    bench.close()
    application.processEvents()
    return 0


if __name__ == "__main__":
    sys.exit(main())
