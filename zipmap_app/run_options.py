"""From the command line to the options of a run, the same for the window and without one."""

from __future__ import annotations

from zipmap_app.cli import Arguments
from zipmap_app.pipeline.options import RunOptions


def options_from_arguments(arguments: Arguments) -> RunOptions:
    """What the user asked for; the rest as usual."""
    return RunOptions(
        model=arguments.model,
        device=arguments.device,
        window=arguments.window,
        companion=arguments.companion,
        companion_may_unload=arguments.one_model_at_a_time,
        accept_licence=arguments.accept_licence,
        assist=arguments.assist,
        fov_deg=arguments.fov,
    )
