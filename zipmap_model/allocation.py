"""A process-wide memory setting that speeds inference up on Linux CPUs."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_KEEP_BYTES = 1 << 30
_GROW_BYTES = 1 << 26


def keep_freed_memory() -> bool:
    """Ask the C library to reuse freed buffers rather than return them to the system; True if it agreed.

    By default glibc maps and unmaps every large tensor anew, and the page faults cost 10-25 % of a frame on the
    CPU. The setting holds for the whole process, so programs choose it, not the library. Call it before loading a
    model. Does nothing off glibc.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    settings = {
        _M_MMAP_THRESHOLD: _KEEP_BYTES,
        _M_TRIM_THRESHOLD: _KEEP_BYTES,
        _M_TOP_PAD: _GROW_BYTES,
    }
    return all(mallopt(ctypes.c_int(name), ctypes.c_int(value)) for name, value in settings.items())
