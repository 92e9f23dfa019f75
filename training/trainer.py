"""The training loop: batches in, one captured graph a step shape, scalars out on logging steps."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor

import torch
from torch import Tensor

from training.checkpoint import RunState
from training.compiled import compile_model, compiled_loss
from training.config import StepShape, TrainConfig
from training.data.batches import TrainingBatch
from training.data.pool import ClipPool
from training.ema import WeightAverage
from training.graphs import GraphSet
from training.logging import Meters, RunLog
from training.losses import total_loss
from training.optim import ModuleOptimizer
from training.parallel import FlatGradients, Workers
from training.profiling import kernel_table
from zipmap_model import ZipMap

_LOG = logging.getLogger(__name__)


class Trainer:
    """Trains one model on one device; every mutable thing of the run belongs to it."""

    def __init__(
        self,
        config: TrainConfig,
        model: ZipMap,
        device: torch.device,
        log: RunLog,
        composers: Executor | None = None,
        workers: Workers | None = None,
    ) -> None:
        """`workers` are the processes that train together; each draws clips of its own."""
        self.config = config
        self.model = model.to(device).train()
        self._workers = Workers() if workers is None else workers
        self._workers.share_weights(self.model)
        self._gradients = FlatGradients(self.model)
        self.optimizer = ModuleOptimizer(self.model, config.optim, device)
        self.average = WeightAverage(self.model, config.optim.ema_decay)
        self.step_count = 0
        self._device = device
        self._log = log
        self._meters = Meters(device)
        self._pools = [
            ClipPool(pool, _pool_seed(config.seed, i, self._workers.rank), device, composers)
            for i, pool in enumerate(config.pools)
        ]
        on_gpu = device.type == "cuda"
        self._loss = total_loss
        if on_gpu and config.compile_model:
            compile_model(self.model)
            self._loss = compiled_loss()
        self._feed = _Prefetcher(device) if on_gpu else None
        self._graphs = GraphSet() if on_gpu and config.use_graphs else None

    def run(self, save: Callable[[RunState], None] | None = None) -> None:
        """One leg: until its steps or its seconds are used up. `save` is called every `save_every_s`."""
        leg = self.config.leg
        begin = saved_at = time.monotonic()
        first_step = self.step_count
        pace = _Pace(begin)
        while True:
            # Curriculum and schedule follow the clock, so all processes go by that of the first.
            done, seconds = self.step_count - first_step, self._workers.agree(time.monotonic() - begin)
            if leg.is_over(done, seconds):
                break
            progress = leg.progress(done, seconds)
            shape = self.config.shape_at(self.step_count, progress)
            self.optimizer.set_lr(done, progress)
            self._do_step(shape, self._next_batch(shape))
            self.step_count += 1
            pace.frames += shape.n_frames * self._workers.count
            if self.step_count % self.config.log_every == 0:
                self._write_log(pace, progress, time.monotonic() - begin)
            if save is not None and time.monotonic() - saved_at > self.config.save_every_s:
                save(self.state())
                saved_at = time.monotonic()
        self._synchronise()
        _LOG.info(
            "leg: %d steps, %d frames, %.1f s, peak memory %.1f GB",
            self.step_count - first_step,
            pace.frames,
            time.monotonic() - begin,
            _peak_memory_gb(self._device),
        )

    def compile_kernels(self) -> None:
        """Run every compiled shape once on blank clips; what is compiled stays in the compiler's cache on disk.

        In a process of its own this goes on while another one fills its pools. Weights stay as they are.
        """
        shapes = (shape for phase in self.config.phases for shape in phase.shapes if shape.compiled)
        for shape in dict.fromkeys(shapes):
            started = time.monotonic()
            batch = self._pools[shape.pool].batch(0, shape.n_clips, shape.n_views, shape.n_queries)
            self._backward(shape, batch)
            self._synchronise()
            _LOG.info("compiled for %s in %.1f s", shape, time.monotonic() - started)

    def _write_log(self, pace: _Pace, progress: float, seconds: float) -> None:
        means = self._meters.read()  # waits for the device, so the rate below is that of finished steps
        self._log.row(
            step=self.step_count,
            progress=progress,
            seconds=seconds,
            frames=pace.frames,
            rate=pace.frames_per_s(),
            lr=float(self.optimizer.lr),
            skipped=int(self.optimizer.n_skipped),
            means=means,
        )

    def state(self) -> RunState:
        """What a continuation needs."""
        return RunState(
            self.step_count,
            self.model.state_dict(),
            self.average.state_dict(),
            self.optimizer.adamw.state_dict(),
        )

    def resume(self, state: RunState) -> None:
        """Go on from a full state, as if never interrupted (given the same config and a step-limited leg)."""
        self.model.load_state_dict(dict(state.model))
        self.average.load_state_dict(state.average)
        self.optimizer.adamw.load_state_dict(dict(state.optimizer))
        # Loading replaced the learning-rate tensor of the groups by a copy.
        for group in self.optimizer.adamw.param_groups:
            group["lr"] = self.optimizer.lr
        self.step_count = state.step

    def start_from(self, weights: Mapping[str, Tensor]) -> None:
        """Start a new optimiser from given weights. Raises RuntimeError if they do not fit."""
        self.model.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
        self.average = WeightAverage(self.model, self.config.optim.ema_decay)

    def averaged_model(self) -> ZipMap:
        """A separate model in evaluation mode with the averaged weights."""
        model = ZipMap(self.model.config).to(self._device)
        model.load_state_dict(self.average.state_dict())
        return model.eval().requires_grad_(False)

    def profile(self) -> str:
        """Where the device time of every captured graph goes; empty without graphs.

        For the end of a run: each replay repeats the last step of its shape and moves the weights once more.
        """
        replays = {} if self._graphs is None else self._graphs.replays()
        return "\n".join(
            f"{name}\n{kernel_table(replay, self._device)}\n" for name, replay in replays.items()
        )

    def _next_batch(self, shape: StepShape) -> TrainingBatch:
        step, pool = self.step_count, self._pools[shape.pool]

        def make() -> TrainingBatch:
            pool.advance_to(step)
            return pool.batch(step, shape.n_clips, shape.n_views, shape.n_queries)

        return make() if self._feed is None else self._feed.get(make)

    def _do_step(self, shape: StepShape, batch: TrainingBatch) -> None:
        if self._graphs is None:
            self._backward(shape, batch)
            if self._feed is not None:
                self._feed.mark_read()
        else:
            assert self._feed is not None
            self._graphs.run_on_batch(shape, batch, self._backward, self._feed.mark_read)
        self._workers.average(self._gradients.flat)
        if self._graphs is None:
            self._update()
        else:
            self._graphs.run_update(self._update)
        self._meters.count()

    def _backward(self, shape: StepShape, batch: TrainingBatch) -> None:
        """Forward and backward into the flat gradients; no host synchronisation."""
        self._gradients.clear()
        # The cast cache would tie a captured graph to casts made outside of it.
        precision = torch.autocast(
            "cuda", torch.bfloat16, enabled=self._device.type == "cuda", cache_enabled=False
        )
        with torch.compiler.set_stance("default" if shape.compiled else "force_eager"):
            with precision:
                prediction = self.model(batch.images, window=shape.window, query_rays=batch.query_rays)
            loss, terms = self._loss(prediction, batch, self.config.losses)
            loss.backward()
        self._meters.add_losses(loss, terms)

    def _update(self) -> None:
        """Clip, optimiser, average; no host synchronisation."""
        self._meters.add_gradient_norm(self.optimizer.step())
        self.average.update()

    def _synchronise(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def _pool_seed(seed: int, pool: int, rank: int) -> int:
    return seed * 100 + pool + 10_007 * rank


class _Pace:
    """Frames of a leg and their rate since the last reading."""

    def __init__(self, begin_s: float) -> None:
        self.frames = 0
        self._read_frames = 0
        self._read_at = begin_s

    def frames_per_s(self) -> float:
        """Rate since the last call."""
        now = time.monotonic()
        rate = (self.frames - self._read_frames) / (now - self._read_at)
        self._read_at, self._read_frames = now, self.frames
        return rate


class _Prefetcher:
    """Makes batches on a stream of its own, so that they overlap with the step before; CUDA only."""

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device)
        self._read = torch.cuda.Event()
        self._held: list[TrainingBatch] = []

    def get(self, make: Callable[[], TrainingBatch]) -> TrainingBatch:
        """A batch, ready for the current stream."""
        with torch.cuda.stream(self._stream):
            batch = make()
        torch.cuda.current_stream().wait_stream(self._stream)
        # The batch before stays referenced until this one is queued: its memory may still be read.
        self._held = [*self._held[-1:], batch]
        return batch

    def mark_read(self) -> None:
        """Work queued so far reads the current batch; what the stream makes next waits for that."""
        self._read.record()
        self._stream.wait_event(self._read)


def _peak_memory_gb(device: torch.device) -> float:
    return torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else 0.0
