"""A folder of results that is there completely or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside ``target``, whose files move there when the block ends without an exception.

    A new target appears in one rename. In an existing one each file is replaced in one rename, in the order of
    their making; other files stay. After an exception the target is as before. Raises OSError.
    """
    target = target.absolute()
    target.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=f".{target.name}.partial-", dir=_home(target)))
    try:
        yield stage
        _publish(stage, target)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _home(target: Path) -> Path:
    """Where to stage: beside the target, or inside it where only that is writable or on the same disk."""
    parent = target.parent
    if not target.is_dir():
        return parent
    is_same_disk = target.stat().st_dev == parent.stat().st_dev
    return parent if is_same_disk and os.access(parent, os.W_OK) else target


def _publish(stage: Path, target: Path) -> None:
    stage.chmod(0o777 & ~_umask())  # mkdtemp makes folders private
    if not target.exists():
        stage.rename(target)
        return
    for file in sorted(stage.iterdir(), key=lambda file: file.stat().st_mtime_ns):
        file.replace(target / file.name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
