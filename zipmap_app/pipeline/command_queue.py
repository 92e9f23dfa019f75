"""Commands in order, one at a time, a unit of work at a time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator

from zipmap_app.pipeline.faults import fault_from_error
from zipmap_app.pipeline.slots import Outbox
from zipmap_app.state.commands import (
    Command,
    CommandEnded,
    CommandOutcome,
    CommandProgress,
)

# A command at work: yields the share done between units of work, and returns a sentence for the user.
Work = Generator[float, None, str]

_REPORT_EVERY_S = 0.1


class CommandCancelledError(Exception):
    """The user does not want the command any more. Raised inside work that cannot yield."""


class CommandQueue:
    """Carries commands out, first come, first served, each ending with exactly one CommandEnded.

    ``submit`` and ``cancel`` may be called from any thread, everything else from the inference thread. Between
    two units the thread is free for queries; frames wait until the command is over.
    """

    def __init__(self, outbox: Outbox, start_work: Callable[[Command], Work]) -> None:
        self._outbox = outbox
        self._start_work = start_work
        self._lock = threading.Lock()
        self._pending: deque[Command] = deque()
        self._cancelled: set[int] = set()  # ids of commands that have not ended
        self._is_closed = False
        self._current: Command | None = None  # set by the inference thread, under the lock
        self._work: Work | None = None
        self._reported_s = 0.0

    def submit(self, command: Command) -> None:
        """Carry this out when its turn comes."""
        with self._lock:
            if not self._is_closed:
                self._pending.append(command)
                return
        self._end(command, CommandOutcome.CANCELLED)

    def cancel(self, command_id: int) -> None:
        """Give a command up, waiting or begun; nothing happens if it has ended."""
        with self._lock:
            current = () if self._current is None else (self._current,)
            if any(command.command_id == command_id for command in (*self._pending, *current)):
                self._cancelled.add(command_id)

    def cancel_all(self, kinds: tuple[type[Command], ...]) -> None:
        """Give up all commands of some kinds."""
        with self._lock:
            current = () if self._current is None else (self._current,)
            for command in (*self._pending, *current):
                if isinstance(command, kinds):
                    self._cancelled.add(command.command_id)

    @property
    def has_command(self) -> bool:
        """Whether ``advance`` would find one."""
        with self._lock:
            return self._current is not None or bool(self._pending)

    def close(self) -> None:
        """Give up everything; later commands end at once. Any thread."""
        with self._lock:
            self._is_closed = True
            current = () if self._current is None else (self._current,)
            self._cancelled.update(command.command_id for command in (*self._pending, *current))

    def advance(self) -> bool:
        """Do one unit of work; False if there is no command."""
        command = self._next()
        if command is None:
            return False
        try:
            if self._is_cancelled(command):
                self._finish(command, CommandOutcome.CANCELLED)
                return True
            if self._work is None:
                self._work = self._start_work(command)
            self._report(command, next(self._work))
        except StopIteration as stop:
            self._finish(command, CommandOutcome.DONE, stop.value)
        except CommandCancelledError:
            self._finish(command, CommandOutcome.CANCELLED)
        except Exception as error:
            # The top of the thread: a command that fails must neither end the thread nor go unnoticed.
            what = f"{type(command).__name__} failed"
            self._outbox.post(fault_from_error(error, what, "command"))
            self._finish(command, CommandOutcome.FAILED)
        return True

    def breathe(self, fraction: float) -> None:
        """For work that takes long without a place to yield: report, and raise if it is not wanted any more."""
        command = self._current
        if command is None:
            return
        if self._is_cancelled(command):
            raise CommandCancelledError
        self._report(command, fraction)

    def _next(self) -> Command | None:
        with self._lock:
            if self._current is None and self._pending:
                self._current = self._pending.popleft()
            return self._current

    def _is_cancelled(self, command: Command) -> bool:
        with self._lock:
            return command.command_id in self._cancelled

    def _finish(self, command: Command, outcome: CommandOutcome, sentence: str = "") -> None:
        work, self._work = self._work, None
        if work is not None:
            work.close()  # runs its cleaning up
        with self._lock:
            self._current = None
            self._cancelled.discard(command.command_id)
        self._end(command, outcome, sentence)

    def _end(self, command: Command, outcome: CommandOutcome, sentence: str = "") -> None:
        self._outbox.post(CommandEnded(command.command_id, outcome, sentence))

    def _report(self, command: Command, fraction: float) -> None:
        now_s = time.monotonic()
        if now_s - self._reported_s >= _REPORT_EVERY_S:
            self._reported_s = now_s
            self._outbox.post(CommandProgress(command.command_id, min(max(fraction, 0.0), 1.0)))
