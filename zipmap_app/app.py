"""Entry point: the window, or with ``--headless`` files only."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from zipmap_app.cli import parse
from zipmap_app.threads import calm_libraries


def main(argv: Sequence[str] | None = None) -> int:
    """Run ZipMap Studio and return its exit status."""
    arguments = parse(sys.argv[1:] if argv is None else argv)
    calm_libraries()
    # Imported late: headless runs must work without Qt, VisPy and OpenGL, and start without paying for them.
    if arguments.headless:
        from zipmap_app.headless import run_headless

        return run_headless(arguments)
    try:
        from zipmap_app.desktop.startup import run_desktop
    except ImportError as error:  # a Python package or a system library of Qt or OpenGL (libEGL, fontconfig)
        sys.stderr.write(
            f"zipmap-studio: the window needs something that is not installed ({error}): install it, "
            "or run without a window: python main.py --headless INPUT -o OUT\n"
        )
        return 2
    return run_desktop(arguments)
