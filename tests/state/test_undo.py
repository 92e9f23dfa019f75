"""Undo and redo."""

from __future__ import annotations

from functools import partial

from zipmap_app.state.undo import UndoStack, UndoStep


def step_on(log: list[str], name: str, memory_bytes: int = 0) -> UndoStep:
    return UndoStep(
        name,
        undo=partial(log.append, f"undo {name}"),
        redo=partial(log.append, f"redo {name}"),
        memory_bytes=memory_bytes,
    )


def test_undo_and_redo_go_back_and_forth_in_order() -> None:
    stack, log = UndoStack(), list[str]()
    stack.push(step_on(log, "a"))
    stack.push(step_on(log, "b"))
    assert (stack.undo_label, stack.redo_label) == ("b", None)
    stack.undo()
    stack.undo()
    stack.redo()
    assert log == ["undo b", "undo a", "redo a"]
    assert (stack.undo_label, stack.redo_label) == ("a", "b")


def test_something_new_forgets_what_was_undone() -> None:
    stack, log = UndoStack(), list[str]()
    stack.push(step_on(log, "a"))
    stack.undo()
    stack.push(step_on(log, "b"))
    stack.redo()
    assert log == ["undo a"]
    assert stack.redo_label is None


def test_nothing_to_undo_is_harmless() -> None:
    stack = UndoStack()
    stack.undo()
    stack.redo()
    assert stack.undo_label is None


def test_the_oldest_steps_go_when_memory_runs_out_but_never_the_newest() -> None:
    stack, log = UndoStack(max_bytes=100), list[str]()
    for name, size in (("a", 60), ("b", 60), ("c", 500)):
        stack.push(step_on(log, name, size))
    assert stack.memory_bytes == 500
    stack.undo()
    stack.undo()
    assert log == ["undo c"]


def test_listeners_hear_of_every_change() -> None:
    stack, n_heard = UndoStack(), []
    stack.changed.connect(lambda: n_heard.append(stack.undo_label))
    stack.push(step_on([], "a"))
    stack.undo()
    stack.redo()
    stack.clear()
    assert n_heard == ["a", None, "a", None]
