"""From an exception at the top of the inference thread to a message."""

from __future__ import annotations

import logging
import traceback

from zipmap_app.pipeline.engine import EngineError
from zipmap_app.state.messages import FaultOrigin, PipelineFault

logger = logging.getLogger(__name__)

_HARMLESS: tuple[FaultOrigin, ...] = ("query", "command")  # the run goes on


def fault_from_error(error: Exception, what: str, origin: FaultOrigin) -> PipelineFault:
    """Every error becomes a message; one that was not foreseen is logged, and asks to be reported."""
    details = "".join(traceback.format_exception(error))
    if isinstance(error, EngineError):
        sentence = str(error)
    elif isinstance(error, OSError):
        sentence = f"{what}: {error.strerror or error}; check the path and the free space."
    else:
        logger.error("%s", what, exc_info=error)
        sentence = f"{what} ({type(error).__name__}: {error}); please report this with the details."
    return PipelineFault(sentence, details, fatal=origin not in _HARMLESS, origin=origin)
