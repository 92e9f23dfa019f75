"""CUDA graphs of training steps: kernels are many and small, so launching them one by one would cost more."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import torch

from training.config import StepShape
from training.data.batches import TrainingBatch

_LOG = logging.getLogger(__name__)
_EAGER_STEPS = 3  # real steps before a shape is captured: they fill caches and pick convolution kernels


class GraphSet:
    """One captured graph of forward and backward for each step shape and one of the update; CUDA only.

    All live in one memory pool. Between the two lies the traffic with other processes, which is not captured.
    """

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()
        self._graphs: dict[StepShape, torch.cuda.CUDAGraph] = {}
        self._inputs: dict[StepShape, TrainingBatch] = {}
        self._warm: dict[StepShape, int] = {}
        self._update: torch.cuda.CUDAGraph | None = None
        self._eager_updates = 0

    def run_on_batch(
        self,
        shape: StepShape,
        batch: TrainingBatch,
        work: Callable[[StepShape, TrainingBatch], None],
        mark_read: Callable[[], None],
    ) -> None:
        """Replay the shape's graph on the batch; its first steps run eagerly, then it is captured.

        `mark_read` is called once the work that reads `batch` is queued.
        """
        # The first batch of a shape stays its input, from the first step on: compiled code is made for its
        # layout, and a recompilation cannot happen during a capture.
        static = self._inputs.setdefault(shape, batch)
        if static is not batch:
            static.copy_from(batch)
        mark_read()
        if shape in self._graphs:
            self._graphs[shape].replay()
            return
        if self._warm.get(shape, 0) < _EAGER_STEPS:
            self._warm[shape] = self._warm.get(shape, 0) + 1
            _on_side_stream(lambda: work(shape, static))
            return
        started = time.monotonic()
        self._graphs[shape] = self._captured(lambda: work(shape, static))
        self._graphs[shape].replay()
        _LOG.info("captured %s in %.1f s", shape, time.monotonic() - started)

    def run_update(self, update: Callable[[], None]) -> None:
        """Replay the graph of the update; the first updates run eagerly, then it is captured."""
        if self._update is not None:
            self._update.replay()
        elif self._eager_updates < _EAGER_STEPS:
            self._eager_updates += 1
            _on_side_stream(update)
        else:
            self._update = self._captured(update)
            self._update.replay()

    def replays(self) -> dict[str, Callable[[], None]]:
        """What every graph is called, and its replay on the input it saw last."""
        named: dict[str, Callable[[], None]] = {
            str(shape): graph.replay for shape, graph in self._graphs.items()
        }
        if self._update is not None:
            named["update"] = self._update.replay
        return named

    def _captured(self, work: Callable[[], None]) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        # Other threads of the process, those of NCCL among them, may call CUDA meanwhile.
        with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            work()
        return graph


def _on_side_stream(work: Callable[[], None]) -> None:
    """Warm-up work must not run on the default stream if it is to be captured later."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        work()
    torch.cuda.current_stream().wait_stream(stream)
