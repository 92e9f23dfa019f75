"""How fast the cloud draws, grows and answers clicks: python -m zipmap_app.scene_benchmark

Needs no window: it draws off screen through EGL, on the GPU where there is one. Only VisPy and NumPy are used,
and of the application only ``scene`` and ``state``. Times count until the renderer has finished (glFinish).
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

if "DISPLAY" not in os.environ:
    os.environ.setdefault("EGL_PLATFORM", "surfaceless")

import vispy

vispy.use(app="egl")

from vispy import gloo, scene  # noqa: E402  the backend has to be chosen first
from vispy.scene.visuals import Markers  # noqa: E402

from zipmap_app.scene.cameras import OrbitCamera  # noqa: E402
from zipmap_app.scene.detail import MAX_STRIDE, Sampling, sampling_for  # noqa: E402
from zipmap_app.scene.growing_points import DrawPlan, GrowingPoints  # noqa: E402
from zipmap_app.scene.orbit import OrbitPose  # noqa: E402
from zipmap_app.scene.point_style import PointStyle  # noqa: E402
from zipmap_app.state.appearance import ClipBox, ColorMode  # noqa: E402
from zipmap_app.state.cloud import CloudModel  # noqa: E402
from zipmap_app.state.points import POINT_DTYPE  # noqa: E402
from zipmap_app.state.thinning import ThinnedCloud, ThinningRequest, thin  # noqa: E402

_N_FRAME = 40_000  # points of one frame
_SPARSE = DrawPlan(is_moving=True, sampling=Sampling(MAX_STRIDE), upload_budget_s=0.008)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    median_ms: float
    worst_ms: float
    remark: str = ""


class Stage:
    """A canvas with a growing cloud of a room, seen by an orbiting camera."""

    def __init__(self, size_px: tuple[int, int]) -> None:
        self.canvas = scene.SceneCanvas(size=size_px, show=True, bgcolor="#15181c")
        self.canvas.events.ignore_callback_errors = False
        self.view = self.canvas.central_widget.add_view()
        self.camera = OrbitCamera()
        self.view.camera = self.camera
        self.points = GrowingPoints(parent=self.view.scene)
        width, height = size_px
        # EGL without a surface has no picture of its own, and draws into none would cost next to nothing.
        self.picture = gloo.FrameBuffer(
            color=gloo.Texture2D(shape=(height, width, 4), format="rgba"),
            depth=gloo.Texture2D(shape=(height, width), format="depth_component"),
        )
        self.draw()

    def draw(self) -> None:
        """One whole frame of the canvas, turned a little further."""
        pose = self.camera.pose
        self.camera.pose = OrbitPose(np.zeros(3), 5.5, pose.azimuth_rad + 0.01, 0.3)
        self.canvas.set_current()
        with self.picture:
            self.canvas.push_fbo(self.picture, (0, 0), self.canvas.size)
            self.canvas._draw_scene()  # render() would add a read-back and a 16-bit depth buffer
            self.canvas.pop_fbo()
        self.canvas.context.flush_commands()
        gloo.gl.glFinish()

    def shaded_plan(self) -> DrawPlan:
        return DrawPlan(near_far=self.camera.near_far, is_shaded=True)


def room_frame(n: int, frame: int) -> np.ndarray:
    """(n,) POINT_DTYPE: a patch of a wall, in scan order as a depth map gives it."""
    rng = np.random.default_rng(frame)
    width = int((n * 4 / 3) ** 0.5)
    v, u = np.divmod(np.arange(n), width)
    angle = frame * 0.37 + 0.9 * u / width
    points = np.zeros(n, POINT_DTYPE)
    radius = 2.0 + rng.normal(0, 0.01, n)
    points["position"] = np.stack(
        [radius * np.sin(angle), 1.5 * v / (n / width) - 0.75, radius * np.cos(angle)], 1
    )
    points["rgb"] = rng.integers(0, 2**24, n)
    points["confidence"] = rng.uniform(1, 5, n)
    points["frame"] = frame
    return points


def timed_ms(job: Callable[[], object], n_repeats: int) -> list[float]:
    times = []
    for _ in range(n_repeats):
        start_s = time.perf_counter()
        job()
        gloo.gl.glFinish()
        times.append((time.perf_counter() - start_s) * 1e3)
    return times


def row(name: str, times: list[float], remark: str = "") -> Row:
    return Row(name, statistics.median(times), max(times), remark)


def draw_row(name: str, stage: Stage, n_repeats: int) -> Row:
    stage.draw()
    times = timed_ms(stage.draw, n_repeats)
    return row(
        name, times, f"{1e3 / statistics.median(times):.0f} fps, {stage.points.n_drawn:,} points drawn"
    )


def fill(stage: Stage, n_points: int) -> float:
    """Grow the cloud to ``n_points`` and return the longest time that a draw spent on the way."""
    n_per_block = 250_000
    first = stage.points.n_points // n_per_block
    for frame in range(first, -(-n_points // n_per_block)):
        stage.points.append(room_frame(min(n_per_block, n_points - stage.points.n_points), frame))
    stage.points.plan = _SPARSE
    worst_ms = 0.0
    while stage.points.store.n_waiting:
        worst_ms = max(worst_ms, *timed_ms(stage.draw, 1))
    stage.points.plan = DrawPlan()
    return worst_ms


def drawing_rows(stage: Stage, n_points: int, n_budget: int, n_repeats: int) -> list[Row]:
    """Drawing a cloud of one size in every way the viewport does."""
    worst_ms = fill(stage, n_points)
    label = f"{n_points / 1e6:g} M points"
    rows = [Row(f"{label}: longest draw while it is sent", worst_ms, worst_ms)]
    rows.append(draw_row(f"{label}, all, 2 px", stage, n_repeats))
    stage.points.plan = stage.shaded_plan()
    rows.append(draw_row(f"{label}, all, 2 px, shaded", stage, n_repeats))
    stage.points.plan = DrawPlan()
    stage.points.set_style(
        PointStyle(color_mode=ColorMode.DEPTH, value_range=(1.0, 6.0), clip_box=ClipBox((-3,) * 3, (3,) * 3))
    )
    rows.append(draw_row(f"{label}, all, 2 px, by distance, in a box", stage, n_repeats))
    stage.points.set_style(PointStyle())
    if n_points > n_budget:
        sampling = sampling_for(n_points, n_budget)
        stage.points.plan = DrawPlan(is_moving=True, sampling=sampling)
        name = f"{label}, budget {n_budget / 1e6:g} M"
        rows.append(draw_row(name, stage, n_repeats))
        stage.points.plan = replace(stage.shaded_plan(), is_moving=True, sampling=sampling)
        rows.append(draw_row(f"{name}, shaded", stage, n_repeats))
        stage.points.plan = DrawPlan()
    return rows


def markers_rows(size_px: tuple[int, int], n_points: int, n_repeats: int) -> list[Row]:
    """The same points through VisPy's own Markers and through ours, taking turns in one run."""
    stages = {"ours": Stage(size_px), "as it comes": Stage(size_px), "without edges": Stage(size_px)}
    fill(stages["ours"], n_points)
    points = np.concatenate([room_frame(250_000, frame) for frame in range(-(-n_points // 250_000))])
    rgb = points["rgb"].astype(np.uint32)
    colors = np.stack([rgb & 255, rgb >> 8 & 255, rgb >> 16, np.full_like(rgb, 255)], 1) / np.float32(255)
    for name, edge_width in (("as it comes", 1.0), ("without edges", 0.0)):
        markers = Markers(parent=stages[name].view.scene)
        markers.set_data(
            points["position"][:n_points], face_color=colors[:n_points], size=2, edge_width=edge_width
        )
    times: dict[str, list[float]] = {name: [] for name in stages}
    for _ in range(n_repeats + 1):
        for name, stage in stages.items():
            times[name] += timed_ms(stage.draw, 1)
    label = f"{n_points / 1e6:g} M points, all, 2 px"
    rows = [row(f"{label}, in turn with Markers", times["ours"][1:])]
    for name in ("as it comes", "without edges"):
        ratio = statistics.median(times[name][1:]) / rows[0].median_ms
        rows.append(row(f"{label}, VisPy Markers {name}", times[name][1:], f"{ratio:.1f} times as long"))
    for stage in stages.values():
        stage.canvas.close()
    return rows


def gui_rows(stage: Stage, n_repeats: int) -> list[Row]:
    """What the GUI thread does besides drawing, each until the driver has taken it; with all points on screen."""
    points, cloud = stage.points, CloudModel(max_points=10**9)
    stage.canvas.set_current()
    n_before, n_frames = points.n_points, 0
    while cloud.n_points < n_before:
        cloud.append(room_frame(_N_FRAME, n_frames))
        n_frames += 1
    appended, truncated = [], []
    for repeat in range(n_repeats):
        frame = room_frame(_N_FRAME, n_frames + repeat)
        points.prepare_spare()  # as the viewport does after each draw

        def append(frame: np.ndarray = frame) -> None:
            cloud.append(frame)
            points.append(frame)
            points.store.upload(0.008)

        appended += timed_ms(append, 1)

    def truncate() -> None:
        cloud.truncate(n_frames)
        points.truncate(n_before)
        points.store.upload(0.008)

    truncated += timed_ms(truncate, 1)
    old = tuple(cloud.blocks())

    def replace() -> None:
        cloud.replace(old)
        points.replace(cloud.blocks())

    replaced = timed_ms(replace, 1)
    draws, points.plan = [], _SPARSE
    while points.store.n_waiting:
        draws += timed_ms(stage.draw, 1)
    thinning = thinning_rows(stage, cloud)
    stage.draw()
    width, height = stage.canvas.size
    picked = timed_ms(lambda: points.point_under(width // 2, height // 2), n_repeats)
    return [
        row(f"append a frame of {_N_FRAME:,}", appended),
        row(f"take {n_repeats} frames back", truncated),
        row("replace the cloud", replaced),
        row("draws while the replacement is sent", draws, f"every {MAX_STRIDE}th point drawn"),
        row("point under the mouse", picked),
        *thinning,
    ]


def thinning_rows(stage: Stage, cloud: CloudModel) -> list[Row]:
    """Halve the cloud by voxels: what a job does, and what is left for the GUI thread."""
    wanted: list[ThinningRequest] = []
    cloud.thinning_wanted.connect(wanted.append)
    n_before = cloud.n_points

    def ask() -> None:
        cloud.max_points = n_before - 1

    asked = timed_ms(ask, 1)
    outcomes: list[ThinnedCloud | None] = []
    worked = timed_ms(lambda: outcomes.append(thin(wanted[0])), 1)
    thinned = outcomes[0]
    assert thinned is not None

    def apply() -> None:
        cloud.apply_thinned(thinned)
        stage.points.replace(cloud.blocks())

    applied = timed_ms(apply, 1)
    draws = []
    while stage.points.store.n_waiting:
        draws += timed_ms(stage.draw, 1)
    return [
        row("thinning: asking for it", asked),
        row("thinning: beside the GUI thread", worked, f"{n_before:,} to {cloud.n_points:,}"),
        row("thinning: taking the outcome", applied),
        row("thinning: draws while the outcome is sent", draws, f"every {MAX_STRIDE}th point drawn"),
    ]


def print_rows(rows: list[Row]) -> None:
    """At once, so that what was measured stays when a longer part is cut off."""
    for line in rows:
        sys.stdout.write(f"| {line.name} | {line.median_ms:.2f} | {line.worst_ms:.2f} | {line.remark} |\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m zipmap_app.scene_benchmark", description=__doc__)
    parser.add_argument("--points", type=int, nargs="+", default=[1_000_000, 5_000_000], help="cloud sizes")
    parser.add_argument("--budget", type=int, default=2_000_000, help="points drawn while something moves")
    parser.add_argument("--markers", type=int, default=1_000_000, help="points for the comparison; 0: none")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--size", type=int, nargs=2, default=(1920, 1080), metavar=("W", "H"))
    arguments = parser.parse_args()
    size_px = (arguments.size[0], arguments.size[1])
    stage = Stage(size_px)
    renderer = gloo.gl.glGetParameter(gloo.gl.GL_RENDERER)
    sys.stdout.write(f"GL_RENDERER: {renderer}; {size_px[0]} x {size_px[1]}\n\n")
    sys.stdout.write("| what | median ms | worst ms | |\n|---|---|---|---|\n")
    if arguments.markers:
        print_rows(markers_rows(size_px, arguments.markers, arguments.repeats))
    for n_points in sorted(arguments.points):
        print_rows(drawing_rows(stage, n_points, arguments.budget, arguments.repeats))
    print_rows(gui_rows(stage, arguments.repeats))
    return 0


if __name__ == "__main__":
    sys.exit(main())
