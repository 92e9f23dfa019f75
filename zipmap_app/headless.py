"""Reconstruction without a window: the same pipeline, its results written to files."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from zipmap_app.cli import Arguments
from zipmap_app.export.reconstruction import ReconstructionWriter
from zipmap_app.export.staging import staged_folder
from zipmap_app.pipeline.engine import Engine
from zipmap_app.pipeline.hindsight import look_back
from zipmap_app.pipeline.options import RunOptions
from zipmap_app.pipeline.packing import PackingOptions
from zipmap_app.pipeline.results import view_points
from zipmap_app.pipeline.runner import Runner
from zipmap_app.run_options import options_from_arguments
from zipmap_app.sources.base import FrameSource, SourceError
from zipmap_app.sources.opening import open_source
from zipmap_app.state.messages import (
    FrameResult,
    ModelDownloading,
    ModelLoaded,
    PipelineFault,
    StreamEnded,
)
from zipmap_app.summary import RunRecord, make_summary

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

_CLOSE_TIMEOUT_S = 5.0
_TAKE_TIMEOUT_S = 0.5


class HeadlessError(Exception):
    """One sentence for the user, and the exit status that goes with it."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class _TerminatedError(Exception):
    """SIGTERM came."""


def run_headless(arguments: Arguments, engine: Engine | None = None) -> int:
    """Reconstruct ``arguments.input`` into ``arguments.output`` and return the exit status.

    0: done. 1: the reconstruction or the writing failed. 2: the input or the model cannot be used. 130, 143:
    interrupted. Unless it returns 0 it writes one line to stderr, and the output folder is as it was before.
    """
    try:
        with _sigterm_raises():
            _run(arguments, engine)
            return 0
    except SourceError as error:
        return _give_up(str(error), EXIT_BAD_INPUT)
    except HeadlessError as error:
        return _give_up(str(error), error.status)
    except OSError as error:
        reason = error.strerror or str(error)
        return _give_up(
            f"{arguments.output} cannot be written: {reason}; free some space or choose another folder.",
            EXIT_FAILED,
        )
    except KeyboardInterrupt:
        return _give_up("Interrupted: nothing was written.", EXIT_INTERRUPTED)
    except _TerminatedError:
        return _give_up("Terminated: nothing was written.", EXIT_TERMINATED)


def _run(arguments: Arguments, engine: Engine | None) -> None:
    if arguments.input is None or arguments.output is None:
        raise ValueError("a headless run needs an input and an output")
    _check_output(arguments.output)
    # Nobody watches a headless run, so a camera that is gone must end it.
    source = open_source(
        arguments.input,
        every=arguments.every,
        max_frames=arguments.max_frames,
        max_fps=arguments.max_fps,
        reconnects=False,
    )
    options = options_from_arguments(arguments)
    record = RunRecord(source_name=source.name)
    runner = Runner(options, on_wake=lambda: None, engine=engine)
    try:
        progress = _ProgressLine(source.n_frames_hint)
        _reconstruct(runner, source, arguments.output, record, progress, options)
    finally:
        runner.close(_CLOSE_TIMEOUT_S)


def _reconstruct(
    runner: Runner,
    source: FrameSource,
    output: Path,
    record: RunRecord,
    progress: _ProgressLine,
    options: RunOptions,
) -> None:
    runner.start(source)
    with staged_folder(output) as stage:
        writer = ReconstructionWriter(stage, defers_cloud=options.tracking.has_assist)
        try:
            _collect(runner, writer, record, progress)
            if options.tracking.has_assist:
                _look_back(writer, options.packing, progress)
            writer.finish(make_summary(record, writer.n_points))
        finally:
            writer.close()
            progress.close()


def _collect(
    runner: Runner, writer: ReconstructionWriter, record: RunRecord, progress: _ProgressLine
) -> None:
    """Write results until the stream ends. Raises HeadlessError for what makes the run worthless."""
    while record.ended is None:
        for message in runner.outbox.take(8, _TAKE_TIMEOUT_S):
            match message:
                case FrameResult():
                    writer.append(message)
                    record.frame_ms.append(message.timings.infer_ms + message.timings.pack_ms)
                    progress.show(writer.n_frames)
                case ModelDownloading():
                    progress.show_download(message)
                case ModelLoaded():
                    record.loaded = message
                case PipelineFault():
                    _weigh(message, record)
                case StreamEnded():
                    record.ended = message
    if writer.n_frames == 0:
        raise record.source_failure or HeadlessError(
            f"{record.source_name} gave no frames: nothing was reconstructed; choose another input.",
            EXIT_BAD_INPUT,
        )
    if record.source_failure is not None:
        # What came before the source was lost is good, and is kept.
        record.notes.append(str(record.source_failure))


def _look_back(writer: ReconstructionWriter, packing: PackingOptions, progress: _ProgressLine) -> None:
    """Improve the depth of all frames by what later ones saw, and write the cloud."""
    n = writer.n_frames
    for index, view in look_back(n, writer.view):
        writer.replace_depth(index, view)
        progress.show_looking_back(n - index, n)
    frames = ((index, *writer.view(index)) for index in range(n) if writer.has_points(index))
    writer.write_cloud(view_points(view, rgb, packing, index) for index, view, rgb in frames)


def _weigh(fault: PipelineFault, record: RunRecord) -> None:
    """Decide what a fault means here: a note, the loss of the source, or the end."""
    if not fault.fatal:
        record.notes.append(fault.sentence)
    elif fault.origin == "source":
        record.source_failure = SourceError(fault.sentence)
    else:
        raise HeadlessError(fault.sentence, EXIT_BAD_INPUT if fault.origin == "model" else EXIT_FAILED)


def _check_output(output: Path) -> None:
    """Refuse early what would fail after all the work."""
    if output.exists() and not output.is_dir():
        raise HeadlessError(f"{output} is a file: choose a folder for -o.", EXIT_BAD_INPUT)
    existing = next(folder for folder in (output.absolute(), *output.absolute().parents) if folder.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise HeadlessError(
            f"{output} cannot be written: {existing} is not a writable folder; choose another one for -o.",
            EXIT_BAD_INPUT,
        )


def _give_up(sentence: str, status: int) -> int:
    sys.stderr.write(" ".join(sentence.split()) + "\n")
    return status


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Make a polite request to end go through the same cleaning up as Ctrl-C."""

    def _on_sigterm(number: int, frame: FrameType | None) -> None:
        raise _TerminatedError

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return
    previous = signal.signal(signal.SIGTERM, _on_sigterm)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


class _ProgressLine:
    """A line on stderr that rewrites itself on a terminal, and nothing elsewhere."""

    def __init__(self, n_expected: int | None) -> None:
        self._n_expected = n_expected
        self._start_s = time.monotonic()
        self._is_shown = sys.stderr.isatty()
        self._is_dirty = False

    def show(self, n_done: int) -> None:
        rate = n_done / max(time.monotonic() - self._start_s, 1e-3)
        total = "" if self._n_expected is None else f" of {self._n_expected}"
        self._write(f"{n_done}{total} frames, {rate:.1f} per second")

    def show_download(self, download: ModelDownloading) -> None:
        done, total = download.done_bytes / 1e9, download.total_bytes / 1e9
        self._write(f"downloading {download.name}: {done:.2f} of {total:.2f} GB")

    def show_looking_back(self, n_done: int, n_frames: int) -> None:
        self._write(f"looking back: {n_done} of {n_frames} frames")

    def _write(self, text: str) -> None:
        if not self._is_shown:
            return
        sys.stderr.write(f"\r{text}\x1b[K")
        sys.stderr.flush()
        self._is_dirty = True

    def close(self) -> None:
        if self._is_dirty:
            sys.stderr.write("\n")
            self._is_dirty = False
