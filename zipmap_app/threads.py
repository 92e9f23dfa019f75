"""Which thread goes first."""

from __future__ import annotations

import os
import sys
import threading

_NICENESS = 10


def give_way() -> None:
    """Let the calling thread, and what it starts from now on, compute only with what the others leave over.

    On few cores a thread that computes without pause would otherwise hold up every picture of the window. Only
    Linux needs it: elsewhere the system itself favours the window in front.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
