"""How threads share the processors: who goes first, and what the idle ones of libraries do."""

from __future__ import annotations

import os
import sys
import threading

_NICENESS = 10


def calm_libraries() -> None:
    """Keep the threads of numerical libraries from taking processors that others need; what is set already stays.

    Call it before torch or NumPy is loaded, which is when they look. By default torch's idle threads spin, which
    on few cores starves drawing and reading, and through them the model itself. NumPy's linear algebra, here of
    small matrices only, would wait for a second thread that gets no processor beside a working model.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def give_way() -> None:
    """Let the calling thread, and what it starts from now on, compute only with what the others leave over.

    On few cores a thread that computes without pause would otherwise hold up every picture of the window. Only
    Linux needs it: elsewhere the system itself favours the window in front.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
