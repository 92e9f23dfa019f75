"""Time to turn one depth map into points."""

from __future__ import annotations

import logging
import time

import numpy as np

from zipmap_app.pipeline.packing import PackingOptions, pack_points
from zipmap_app.sources.synthetic import SyntheticSource

logger = logging.getLogger(__name__)


def measure_packing(repeats: int) -> int:
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
