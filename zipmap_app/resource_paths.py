"""Where shaders, icons and themes lie, in a checkout and in an installed package."""

from __future__ import annotations

from pathlib import Path

_PACKAGE_FOLDER = Path(__file__).resolve().parent


def resource_path(*parts: str) -> Path:
    """Path of a bundled data file; FileNotFoundError names it when the installation is incomplete."""
    for root in (_PACKAGE_FOLDER / "resources", _PACKAGE_FOLDER.parent / "resources"):
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise FileNotFoundError(f"bundled file {'/'.join(parts)} is missing: reinstall ZipMap Studio")


def resource_text(*parts: str) -> str:
    return resource_path(*parts).read_text(encoding="utf-8")
