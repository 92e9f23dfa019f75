"""Set ZipMap Studio up in a virtual environment of its own and start it; needs nothing but Python.

``python3 run.py [ARGUMENTS]`` starts the program, ``python3 run.py test [ARGUMENTS]`` runs its tests. The first
call creates ``.venv`` beside this file, later calls start at once.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
OLDEST_PYTHON = (3, 11)
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"

# What Qt and OpenGL load at run time on Linux, and the Debian package that brings it.
LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
}


def main(arguments: list[str]) -> int:
    """Set up what is missing, then become the program or its tests."""
    is_test = arguments[:1] == ["test"]
    if sys.version_info < OLDEST_PYTHON:
        return _refuse(
            f"Python {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer is needed, this is {sys.version}."
        )
    if "--headless" not in arguments and (missing := _missing_packages(is_test)):
        return _refuse(
            f"Some system libraries are missing; install them with: sudo apt-get install {' '.join(missing)}"
        )
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    try:
        _set_up(python, extra="test" if is_test else "")
    except subprocess.CalledProcessError as error:
        return _refuse(f"Setting up failed ({error}); see the lines above, then run this again.")
    command = ["-m", "pytest", *arguments[1:]] if is_test else [str(ROOT / "main.py"), *arguments]
    return subprocess.call([str(python), *command], cwd=ROOT if is_test else None)


def _set_up(python: Path, extra: str) -> None:
    """Create the environment and install the project, unless that was done for this very pyproject."""
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    stamp = VENV / f"installed-{extra or 'app'}"
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    if not python.exists():
        print(f"Creating {VENV} (once)", flush=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        except subprocess.CalledProcessError:
            shutil.rmtree(VENV, ignore_errors=True)
            print("On Debian and Ubuntu, install python3-venv first.", file=sys.stderr)
            raise
    print("Installing dependencies (about 1.5 GB on disk, once)", flush=True)
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    index = ["--extra-index-url", CPU_WHEELS] if _prefers_cpu_wheels() else []
    target = f"{ROOT}[{extra}]" if extra else str(ROOT)
    subprocess.run([*pip, *index, "--editable", target], check=True)
    stamp.write_text(wanted)


def _prefers_cpu_wheels() -> bool:
    """Without an NVIDIA GPU, Linux is spared several gigabytes of CUDA."""
    if sys.platform != "linux" or shutil.which("nvidia-smi") or Path("/proc/driver/nvidia").exists():
        return False
    try:
        urllib.request.urlopen(urllib.request.Request(CPU_WHEELS, method="HEAD"), timeout=3).close()
    except OSError:
        return False
    return True


def _missing_packages(is_test: bool) -> list[str]:
    if sys.platform != "linux":
        return []
    missing = []
    for library, package in LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    if is_test and not os.environ.get("DISPLAY") and not shutil.which("Xvfb"):
        missing += ["xvfb", "xauth"]
    return missing


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
