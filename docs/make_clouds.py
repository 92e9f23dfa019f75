"""Draw the clouds of docs/assist.md, without and with the tracking assist.

    python docs/make_clouds.py OUTPUT.png INPUT [INPUT ...]

Every input is reconstructed twice by ``main.py --headless`` (64 frames, videos at 10 a second) and gives one row
of four tiles, seen from behind the first camera and from above. Every point is drawn; the camera path is red.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

_ROOT = Path(__file__).resolve().parents[1]
_TILE_HW = (220, 320)
_BACKGROUND, _PATH = (21, 24, 28), (230, 80, 40)
_FIELD_OF_VIEW = np.deg2rad(50)
_VIEWS_DEG = ((-12.0, 10.0), (0.0, 65.0))  # beside the direction of the first camera, and down from it
_N_COLORS = 192
_VERTEX = np.dtype([("position", "<f4", 3), ("rgb", "u1", 3), ("confidence", "<f4")])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("inputs", type=Path, nargs="+")
    arguments = parser.parse_args()
    rows = [
        np.concatenate([*_tiles(path, "--no-assist"), *_tiles(path, "--assist")], axis=1)
        for path in arguments.inputs
    ]
    picture = Image.fromarray(np.concatenate(rows))
    picture.quantize(_N_COLORS, dither=Image.Dither.NONE).save(arguments.output, optimize=True)
    return 0


def _tiles(path: Path, option: str) -> list[np.ndarray]:
    frames = path / "frames"
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out"
        command = [
            sys.executable,
            str(_ROOT / "main.py"),
            str(frames if frames.is_dir() else path),
            "--headless",
        ]
        command += ["-o", str(output), "--max-frames", "64", option]
        if path.is_file():
            command += ["--max-fps", "10"]
        subprocess.run(command, check=True)
        cloud = _read_cloud(output / "cloud.ply")
        path_positions = np.loadtxt(output / "trajectory.txt", ndmin=2)[:, 1:4]
    # One ball around the bulk of the points for both views.
    centre = np.median(cloud["position"], axis=0)
    radius = float(np.quantile(np.linalg.norm(cloud["position"] - centre, axis=1), 0.8))
    return [_draw(cloud, path_positions, centre, radius, *np.deg2rad(view)) for view in _VIEWS_DEG]


def _read_cloud(path: Path) -> np.ndarray:
    with path.open("rb") as file:
        while file.readline() != b"end_header\n":
            pass
        return np.frombuffer(file.read(), _VERTEX)


def _draw(
    cloud: np.ndarray, path: np.ndarray, centre: np.ndarray, radius: float, yaw: float, pitch: float
) -> np.ndarray:
    """(h, w, 3) uint8: the cloud from a camera that looks at the centre; OpenCV axes, as in the files."""
    height, width = _TILE_HW
    focal = 0.5 * height / np.tan(_FIELD_OF_VIEW / 2)
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    camera_from_world = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]]) @ np.array(
        [[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]]
    )
    distance = 1.15 * radius / np.sin(_FIELD_OF_VIEW / 2)

    def project(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        seen = (points - centre) @ camera_from_world.T + (0, 0, distance)
        z = np.maximum(seen[:, 2], 1e-3 * distance)
        x, y = focal * seen[:, 0] / z + width / 2, focal * seen[:, 1] / z + height / 2
        inside = (seen[:, 2] > 0.02 * distance) & (x >= 0) & (x < width - 1) & (y >= 0) & (y < height - 1)
        return x[inside].astype(int), y[inside].astype(int), np.flatnonzero(inside)

    picture = np.full((height, width, 3), _BACKGROUND, np.uint8)
    depth = (cloud["position"] - centre) @ camera_from_world[2]
    far_to_near = cloud[np.argsort(-depth)]
    x, y, kept = project(far_to_near["position"])
    for dx, dy in ((1, 1), (1, 0), (0, 1), (0, 0)):
        picture[y + dy, x + dx] = far_to_near["rgb"][kept]
    places = np.linspace(0, len(path) - 1, 40 * len(path))
    fine = np.stack([np.interp(places, np.arange(len(path)), path[:, axis]) for axis in range(3)], axis=1)
    x, y, _ = project(fine)
    picture[y, x] = _PATH
    return picture


if __name__ == "__main__":
    sys.exit(main())
