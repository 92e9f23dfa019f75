"""Side-by-side timings on this machine: ``python -m zipmap_model.benchmark``.

Every figure stands beside a baseline measured in the same run, since absolute times mean little on a shared
machine. The baseline of streaming is what a model without a carried state has to do for live input: run all
frames so far again for every new frame.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from zipmap_model.allocation import keep_freed_memory
from zipmap_model.checkpoints import CheckpointError, load_model
from zipmap_model.config import MODEL_CONFIGS
from zipmap_model.geometry import ray_conditions
from zipmap_model.lookahead import LookaheadSession
from zipmap_model.model import ZipMap
from zipmap_model.state import query_scale
from zipmap_model.streaming import StreamingSession, autocast_for


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and print a table, or JSON."""
    parser = argparse.ArgumentParser(prog="python -m zipmap_model.benchmark", description=__doc__)
    parser.add_argument("--model", default="bundled", help="model name or path of a checkpoint")
    parser.add_argument("--random", action="store_true", help="random weights: timing needs no download")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--frames", type=int, default=40, help="frames streamed (default 40)")
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default 2)")
    parser.add_argument("--size", type=int, nargs=2, metavar=("H", "W"), help="image size in pixels")
    parser.add_argument("--plain-malloc", action="store_true", help="without allocation.keep_freed_memory")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args(argv)
    if arguments.frames < 4:
        parser.error("--frames must be at least 4")
    torch.set_num_threads(arguments.threads)
    if not arguments.plain_malloc:
        keep_freed_memory()
    torch.manual_seed(0)
    try:
        model = _model(arguments.model, arguments.random, arguments.device)
        height, width = arguments.size or model.config.native_size or (392, 518)
        images = torch.rand(arguments.frames, 3, height, width, device=arguments.device)
        report = run(model, images)
    except (CheckpointError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    report["setting"] = (
        f"{arguments.model}, {width}x{height}, {arguments.device}, {arguments.threads} CPU threads, "
        f"{arguments.frames} frames, torch {torch.__version__}"
    )
    sys.stdout.write(json.dumps(report, indent=2) if arguments.json else _table(report))
    sys.stdout.write("\n")
    return 0


def _model(name: str, random: bool, device: str) -> ZipMap:
    if not random:
        return load_model(name, device)
    if name not in MODEL_CONFIGS:
        raise ValueError(f"--random needs a model name ({', '.join(MODEL_CONFIGS)}), not {name!r}.")
    return ZipMap(MODEL_CONFIGS[name]).to(device).eval()


def run(model: ZipMap, images: Tensor) -> dict[str, object]:
    """Time one frame streamed, the same frame by re-running everything, and one query.

    images (S, 3, H, W). Returns medians in milliseconds, ratios and memory.
    """
    n = images.shape[0]
    report: dict[str, object] = {}
    with torch.no_grad(), autocast_for(images.device):
        rerun_ms = _median_ms(lambda: model(images[None]), images.device, repeats=3)
        report["rerun_ms"] = rerun_ms
        if not model.config.can_stream:
            return report
        session = StreamingSession(model)
        session.step(images[0])
        before = _peak_bytes(images.device)
        steps = [_ms(partial(session.step, image), images.device) for image in images[1:]]
        assert session.state is not None
        report |= {
            "stream_ms": statistics.median(steps),
            "stream_p95_ms": sorted(steps)[int(0.95 * (len(steps) - 1))],
            "frames_per_s": 1e3 / statistics.median(steps),
            "first_to_last": statistics.median(steps[-n // 4 :]) / statistics.median(steps[: n // 4]),
            "rerun_over_stream": rerun_ms / statistics.median(steps),
            "state_bytes": session.state.memory_bytes,
            "peak_growth_bytes": _peak_bytes(images.device) - before,
        }
        if images.device.type == "cpu" and torch.get_num_threads() > 1:
            lookahead_ms = _time_lookahead(model, images)
            report["lookahead_ms"] = lookahead_ms
            report["stream_over_lookahead"] = statistics.median(steps) / lookahead_ms
        if model.config.can_query:
            report["query_ms"] = _time_query(model, session, images)
    return report


def _time_lookahead(model: ZipMap, images: Tensor) -> float:
    """Milliseconds a frame of two at once, each with half the threads."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(n_threads // 2)
    session = LookaheadSession(model)
    views = list(images)
    try:
        steps = [
            _ms(partial(session.step, view, upcoming), images.device)
            for view, upcoming in zip(views, [*views[1:], None], strict=True)
        ]
    finally:
        session.close()
        torch.set_num_threads(n_threads)
    return statistics.median(steps[1:-1])  # the first begins alone, the last is completed alone


def _time_query(model: ZipMap, session: StreamingSession, images: Tensor) -> float:
    height, width = images.shape[-2:]
    state = session.state
    assert state is not None
    intrinsics = torch.tensor([[width, 0.0, width / 2], [0.0, width, height / 2], [0.0, 0.0, 1.0]])
    pose = torch.eye(4)[None, None]
    rays = ray_conditions(pose, intrinsics[None, None], (height, width), query_scale(state))
    return _median_ms(lambda: model.query(state, rays.to(images.device)), images.device, repeats=5)


def _median_ms(call: Callable[[], object], device: torch.device, repeats: int) -> float:
    call()
    return statistics.median(_ms(call, device) for _ in range(repeats))


def _ms(call: Callable[[], object], device: torch.device) -> float:
    _synchronise(device)
    start = time.perf_counter()
    call()
    _synchronise(device)
    return 1e3 * (time.perf_counter() - start)


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _peak_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        return 0  # no portable peak without another dependency
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _table(report: dict[str, object]) -> str:
    rows = {
        "stream_ms": "one streamed frame, median ms",
        "stream_p95_ms": "one streamed frame, p95 ms",
        "lookahead_ms": "the same, the next frame begun meanwhile, half the threads each, median ms",
        "stream_over_lookahead": "one at a time over two at once",
        "frames_per_s": "frames per second, one at a time",
        "first_to_last": "last quarter over first quarter of the frames, time",
        "rerun_ms": "baseline: all frames again, ms",
        "rerun_over_stream": "baseline over streamed frame",
        "query_ms": "one query, median ms",
        "state_bytes": "scene state, MB",
        "peak_growth_bytes": "peak memory gained while streaming, MB",
    }
    lines = [str(report["setting"])]
    for key, title in rows.items():
        value = report.get(key)
        if isinstance(value, (int, float)):
            lines.append(f"  {title:<76} {value / 1e6 if key.endswith('bytes') else value:>9.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
