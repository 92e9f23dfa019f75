"""Measurements of the application: ``python -m zipmap_app.benchmark stream --frames 300``."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from zipmap_app.threads import calm_libraries


def main(argv: Sequence[str] | None = None) -> int:
    """Run one benchmark and return the exit status."""
    arguments = _parser().parse_args(argv)
    calm_libraries()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    # Imported late: the ones without a window must run without Qt and OpenGL.
    if arguments.command == "packing":
        from zipmap_app.benchmarks.packing import measure_packing

        return measure_packing(arguments.repeats)
    if arguments.command == "heartbeat":
        from zipmap_app.benchmarks.heartbeat import HeartbeatOptions, measure_heartbeat

        options = HeartbeatOptions(arguments.points, arguments.rate, arguments.seconds)
        return measure_heartbeat(options)
    if arguments.command == "endurance":
        from zipmap_app.benchmarks.endurance import EnduranceOptions, measure_endurance

        return measure_endurance(EnduranceOptions(arguments.frames, arguments.budget_mib * 2**20))
    from zipmap_app.benchmarks.stream import measure_stream
    from zipmap_app.pipeline.options import RunOptions

    run_options = RunOptions(model=arguments.model, device=arguments.device)
    return measure_stream(run_options, arguments.frames, arguments.every)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="zipmap_app.benchmark", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    stream = commands.add_parser("stream", help="memory and time over a long stream of the built-in scene")
    stream.add_argument("--frames", type=int, default=300)
    stream.add_argument("--every", type=int, default=50, help="frames between two lines of the table")
    stream.add_argument("--model", default="bundled")
    stream.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    packing = commands.add_parser("packing", help="time to turn one 192x144 depth map into points")
    packing.add_argument("--repeats", type=int, default=200)
    heartbeat = commands.add_parser("heartbeat", help="responsiveness of the window while frames pour in")
    heartbeat.add_argument("--points", type=int, default=150_000, help="points of one frame")
    heartbeat.add_argument("--rate", type=float, default=30.0, help="frames per second")
    heartbeat.add_argument("--seconds", type=float, default=8.0)
    endurance = commands.add_parser(
        "endurance", help="a very long stream through the window, and what is left"
    )
    endurance.add_argument("--frames", type=int, default=10_000)
    endurance.add_argument("--budget-mib", type=int, default=512)
    return parser


if __name__ == "__main__":
    sys.exit(main())
