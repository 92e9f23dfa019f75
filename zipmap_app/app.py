"""Entry point: the window, or with ``--headless`` files only."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from zipmap_app.cli import parse


def main(argv: Sequence[str] | None = None) -> int:
    """Run ZipMap Studio and return its exit status."""
    arguments = parse(sys.argv[1:] if argv is None else argv)
    # Imported late: headless runs must work without Qt, VisPy and OpenGL, and start without paying for them.
    if arguments.headless:
        from zipmap_app.headless import run_headless

        return run_headless(arguments)
    from zipmap_app.desktop import run_desktop

    return run_desktop(arguments)
