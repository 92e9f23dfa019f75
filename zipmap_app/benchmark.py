"""Measurements of the pipeline: ``python -m zipmap_app.benchmark stream --frames 300``."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence

import numpy as np

from zipmap_app.pipeline.packing import PackingOptions, pack_points
from zipmap_app.pipeline.runner import Runner, RunOptions
from zipmap_app.sources.synthetic import SyntheticSource
from zipmap_app.state.messages import FrameResult, PipelineFault, StreamEnded

logger = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one benchmark and return the exit status."""
    parser = argparse.ArgumentParser(prog="zipmap_app.benchmark", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    stream = commands.add_parser("stream", help="memory and time over a long stream of the built-in scene")
    stream.add_argument("--frames", type=int, default=300)
    stream.add_argument("--every", type=int, default=50, help="frames between two lines of the table")
    stream.add_argument("--model", default="bundled")
    stream.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    packing = commands.add_parser("packing", help="time to turn one 192x144 depth map into points")
    packing.add_argument("--repeats", type=int, default=200)
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    if arguments.command == "packing":
        return _measure_packing(arguments.repeats)
    options = RunOptions(model=arguments.model, device=arguments.device)
    return _measure_stream(options, arguments.frames, arguments.every)


def _measure_stream(options: RunOptions, n_frames: int, every: int) -> int:
    """Print resident memory and the median time of a frame along a stream; results are thrown away."""
    runner = Runner(options, on_wake=lambda: None)
    try:
        runner.start(SyntheticSource(n_frames))
        logger.info("%8s %12s %14s", "frames", "RSS MiB", "ms per frame")
        n_done = 0
        frame_ms: list[float] = []
        while True:
            for message in runner.outbox.take(8, 1.0):
                if isinstance(message, PipelineFault) and message.fatal:
                    logger.error("%s", message.sentence)
                    return 1
                if isinstance(message, StreamEnded):
                    return 0
                if isinstance(message, FrameResult):
                    n_done += 1
                    frame_ms.append(message.timings.infer_ms + message.timings.pack_ms)
                    if n_done == 1 or n_done % every == 0:
                        logger.info(
                            "%8d %12.1f %14.1f", n_done, resident_bytes() / 2**20, float(np.median(frame_ms))
                        )
                        frame_ms.clear()
    finally:
        runner.close(timeout_s=10.0)


def _measure_packing(repeats: int) -> int:
    """Print the median and 95th percentile time of packing one view of the built-in scene."""
    source = SyntheticSource(1, (144, 192))
    rgb, depth = source.render(0)
    confidence = 1 + np.random.default_rng(0).random(depth.shape, np.float32)
    depth = depth.astype(np.float32)
    options = PackingOptions()
    times_ms = []
    for _ in range(repeats):
        start_s = time.perf_counter()
        points = pack_points(depth, confidence, rgb, np.eye(4), source.intrinsics, options)
        times_ms.append((time.perf_counter() - start_s) * 1000)
    logger.info(
        "%d of %d pixels packed: median %.2f ms, p95 %.2f ms over %d repeats",
        len(points),
        depth.size,
        float(np.median(times_ms)),
        float(np.percentile(times_ms, 95)),
        repeats,
    )
    return 0


def resident_bytes() -> int:
    """Memory this process has resident now (Linux). Raises OSError elsewhere."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


if __name__ == "__main__":
    sys.exit(main())
