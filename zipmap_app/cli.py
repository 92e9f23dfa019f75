"""The command line. Importing this imports neither Qt nor torch."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NoReturn

_EPILOG = """\
examples:
  python main.py                                   open the window
  python main.py walk.mp4                          open the window and reconstruct a video
  python main.py 0                                 reconstruct from the first camera
  python main.py --headless photos/ -o result/     write files, without a window
"""

_ASKED_MODELS = ("state_query", "bundled")  # keys of zipmap_model.MODEL_CONFIGS that answer queries


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """What the user asked for on the command line."""

    input: str | None = None  # video, picture, folder, camera number, address or "synthetic"
    headless: bool = False
    output: Path | None = None  # folder for the files of a headless run
    model: str = "bundled"  # a key of zipmap_model.MODEL_CONFIGS, or the path of a checkpoint
    device: str = "auto"  # "auto", "cpu", "cuda" or "mps"
    max_frames: int | None = None
    every: int = 1  # use every k-th frame
    max_fps: float | None = None  # use so many frames a second at most, by their time stamps
    window: int | None = None  # views per update of a streaming model; None takes the model's own
    companion: str | None = None  # as ``model``: answers queries where the model cannot
    one_model_at_a_time: bool = (
        False  # the companion takes the model's place after the run, if memory is short
    )
    accept_licence: bool = False  # of published weights that would have to be downloaded
    assist: bool | None = None  # tracking assist; None: for the bundled model only
    fov: float | None = None  # horizontal field of view in degrees, where it is known


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage text."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see --help.\n")


def parse(argv: Sequence[str]) -> Arguments:
    """Arguments from a command line without the program's name; exits with 2 and one line if it is wrong."""
    parser = _make_parser()
    found = parser.parse_args(argv)
    if found.headless and found.input is None:
        parser.error("--headless needs an INPUT: a video, a picture, a folder, a camera number or an address")
    if found.headless and found.output is None:
        parser.error("--headless needs -o OUT, the folder to write")
    if found.output is not None and not found.headless:
        parser.error("-o is for --headless; in the window, save from the menu")
    if found.companion is not None and found.headless:
        parser.error("--companion answers queries, which only the window asks; leave it out with --headless")
    if found.one_model_at_a_time and found.headless:
        parser.error(
            "--one-model-at-a-time is about queries, which only the window asks; leave it out with --headless"
        )
    return Arguments(**vars(found))


def app_version() -> str:
    """The installed version, or "unknown" in a checkout that was not installed."""
    try:
        return version("zipmap-studio")
    except PackageNotFoundError:
        return "unknown"


def _make_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="zipmap-studio",
        description="Live 3D reconstruction: camera poses, depth and points from a camera, a video or photos.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "input",
        nargs="?",
        metavar="INPUT",
        help='video, picture, folder of pictures, camera number, address, or "synthetic" for a built-in scene',
    )
    parser.add_argument("--headless", action="store_true", help="write files instead of opening a window")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="folder for the files of --headless")
    parser.add_argument(
        "--model",
        default="bundled",
        metavar="NAME_OR_PATH",
        help="bundled (default), streaming, main, reference_view, state_query, or a .pt or .safetensors file",
    )
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument("--max-frames", type=_positive, metavar="N", help="stop after N frames")
    parser.add_argument("--every", type=_positive, default=1, metavar="K", help="use every K-th frame")
    parser.add_argument(
        "--max-fps",
        type=_rate,
        metavar="FPS",
        help="use so many frames a second at most: 5 to 10 are enough for slow handheld motion",
    )
    parser.add_argument(
        "--window",
        type=_positive,
        metavar="W",
        help="views per update of a streaming model (default: the model's)",
    )
    parser.add_argument(
        "--companion",
        type=_asked_model,
        metavar="NAME_OR_PATH",
        help="a model that answers queries where --model cannot, as streaming: state_query, bundled, or a file; "
        "it sees the kept keyframes while the run rests, if memory allows both",
    )
    parser.add_argument(
        "--one-model-at-a-time",
        action="store_true",
        help="where memory does not hold both, the companion takes the model's place once the run is over; going "
        "back, finalising and going on then need a new run",
    )
    parser.add_argument(
        "--accept-licence",
        action="store_true",
        help="accept the licence of published weights, so that they can be downloaded",
    )
    parser.add_argument(
        "--assist",
        action=argparse.BooleanOptionalAction,
        help="steady cameras and depth by tracking corners (default: for the bundled model only)",
    )
    parser.add_argument(
        "--fov",
        type=_field_of_view,
        metavar="DEGREES",
        help="horizontal field of view of the camera (default: the photo's own, else the model's guess)",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {app_version()}")
    return parser


def _field_of_view(text: str) -> float:
    degrees = _number(text)
    if not 5 <= degrees <= 150:
        raise argparse.ArgumentTypeError(f"want degrees from 5 to 150, got {text!r}")
    return degrees


def _rate(text: str) -> float:
    frames_per_s = _number(text)
    if not 0 < frames_per_s < math.inf:
        raise argparse.ArgumentTypeError(f"want frames a second above 0, got {text!r}")
    return frames_per_s


def _number(text: str) -> float:
    """NaN, which is in no range, for what is no number."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _asked_model(text: str) -> str:
    # Refused here, because the companion itself is loaded late: when there is something to ask.
    if text not in _ASKED_MODELS and not Path(text).is_file():
        names = " or ".join(_ASKED_MODELS)
        raise argparse.ArgumentTypeError(f"want {names}, or a .pt or .safetensors file, got {text!r}")
    return text


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"want a whole number of at least 1, got {text!r}")
    return int(text)
