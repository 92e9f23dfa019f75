"""The bidirectional pass: its progress, and the choice between before and after."""

from __future__ import annotations

from PySide6.QtCore import QObject

from zipmap_app.ui.parts import WindowParts

_STEP = "finalising"  # as the editor labels it


class FinaliseController(QObject):
    """Between the bar and the undo stack: "Before" and "After" undo and redo the swap. GUI thread only."""

    def __init__(self, parts: WindowParts, parent: QObject) -> None:
        super().__init__(parent)
        self._parts = parts
        self._is_running = False
        self._is_comparing = False
        bar = parts.finalise_bar
        bar.cancel_requested.connect(parts.requests.cancel_finalise)
        bar.refined_chosen.connect(self._on_chosen)
        bar.kept.connect(self._on_kept)
        self._disconnects = (
            parts.editor.refined_changed.connect(self._on_refined),
            parts.session.undo.changed.connect(self._on_undo_changed),
        )

    def close(self) -> None:
        for disconnect in self._disconnects:
            disconnect()

    @property
    def is_running(self) -> bool:
        return self._is_running

    def start(self) -> None:
        """Ask for the pass, unless it is under way."""
        if not self._is_running:
            self._is_running = self._is_comparing = True
            self._parts.finalise_bar.show_progress(0.0)
            self._parts.requests.finalise.emit()

    def show_progress(self, fraction: float) -> None:
        self._parts.finalise_bar.show_progress(fraction)

    def end(self) -> None:
        """The pass is over, however it ended."""
        self._is_running = False
        if not self._can_swap:
            self._parts.finalise_bar.hide()

    @property
    def _can_swap(self) -> bool:
        undo = self._parts.session.undo
        return _STEP in (undo.undo_label, undo.redo_label)

    def _on_refined(self, is_refined: bool | None) -> None:
        if is_refined is None:
            self._is_running = self._is_comparing = False
            self._parts.finalise_bar.hide()
        elif self._is_comparing:
            self._parts.finalise_bar.show_choice(is_refined=is_refined)

    def _on_kept(self) -> None:
        self._is_comparing = False

    def _on_chosen(self, is_refined: bool) -> None:
        undo = self._parts.session.undo
        if is_refined and undo.redo_label == _STEP:
            undo.redo()
        elif not is_refined and undo.undo_label == _STEP:
            undo.undo()

    def _on_undo_changed(self) -> None:
        # Another edit on top: comparing would have to take that back as well.
        if not self._is_running and not self._can_swap:
            self._parts.finalise_bar.hide()
