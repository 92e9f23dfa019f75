"""When and what to draw: a sample of the points while something moves, all of them, part by part, at rest."""

from __future__ import annotations

import logging
import time
from typing import Any

from PySide6.QtGui import QImage
from vispy import app, gloo

from zipmap_app.scene.detail import DetailController
from zipmap_app.scene.growing_points import DrawPlan, GrowingPoints
from zipmap_app.scene.stage import Stage
from zipmap_app.state.event import Event

logger = logging.getLogger(__name__)

UPLOAD_BUDGET_S = 0.008  # per draw: a large cloud arrives over several
_STILL_AFTER_S = 0.2
# Between two frames of a slow model nothing moves either, but drawing every point each time would take from the
# model the cores it computes on (with software GL).
_STILL_AFTER_GROWTH_S = 1.5
SEND_S = 0.003  # without a GPU points are sent between draws, so long at a time
_SEND_GAP_S = 0.012
_ALL_PARTS = 1_000_000  # more than any sampling has
_REST_PER_DRAW = 3.0  # a growing scene leaves the GUI thread three quarters of its time


class DrawPacer:
    """Surrounds every draw of a stage. GUI thread only; ``close`` stops the timers."""

    def __init__(self, stage: Stage, clouds: tuple[GrowingPoints, ...]) -> None:
        self._stage = stage
        self._clouds = clouds
        self.rested: Event[[]] = Event()  # a draw that waited is about to come
        self.detail = DetailController()
        self.is_shading_wanted = True
        self._is_all_wanted = False
        self._is_moving = False
        self._is_stale = True
        self._renderer = ""
        self._still_from_s = 0.0
        self._drawn_from_s = 0.0
        self._rested_from_s = 0.0  # when a draw that nobody waits for may begin
        self._is_closed = False
        canvas = stage.canvas
        self._still_timer = app.Timer(
            interval=_STILL_AFTER_S, iterations=1, connect=self._on_still, app=canvas.app
        )
        self._rest_timer = app.Timer(interval=0.1, iterations=1, connect=self._on_rested, app=canvas.app)
        self._send_timer = app.Timer(interval=_SEND_GAP_S, connect=self._on_send, app=canvas.app)
        # First and last in the draw event: the time between them is the frame's.
        canvas.events.draw.connect(self._on_draw_starts, position="first")
        canvas.events.draw.connect(self._on_draw_ended, position="last")

    @property
    def renderer(self) -> str:
        """GL_RENDERER of the context, or an empty string before the first draw."""
        return self._renderer

    def close(self) -> None:
        self._is_closed = True
        self._still_timer.stop()
        self._rest_timer.stop()
        self._send_timer.stop()

    @property
    def rest_s(self) -> float:
        """How long until what merely grows should be drawn again; 0 when it may be now."""
        return max(self._rested_from_s - time.monotonic(), 0.0)

    def request_draw(self) -> None:
        """Something that is drawn changed, but nothing moves."""
        self._is_stale = True
        self._rest_timer.stop()  # what it would draw is drawn with this
        self._stage.canvas.update()

    def note_motion(self) -> None:
        """The view moved."""
        self._delay_stillness(_STILL_AFTER_S)
        self.request_draw()

    def note_growth(self) -> None:
        """Points came or went: shown soon, but not so often that drawing is all the GUI thread does."""
        self._delay_stillness(_STILL_AFTER_GROWTH_S)
        self._is_stale = True
        if self._renderer:  # before the first draw there is no context to send anything to
            self._send_between_draws()
        self._draw_again(self.rest_s)

    def draw_if_stale(self) -> None:
        """Make sure that the clouds know what lies under the pixels now on the screen."""
        if self._is_stale:
            self._send_timer.stop()  # with this draw, points are sent too
            self._stage.draw_now()
        self._stage.canvas.set_current()

    def draw_all(self) -> QImage:
        """Draw every point at once, however long it takes; returns the picture in device pixels."""
        self._is_all_wanted = True
        try:
            return self._stage.draw_now()
        finally:
            self._is_all_wanted = False

    def _draw_again(self, after_s: float) -> None:
        """Draw, but leave the GUI thread to others for a while; only a draw asked for otherwise comes earlier."""
        if not after_s:
            self.request_draw()
        elif not self._is_closed:
            self._rest_timer.stop()
            self._rest_timer.start(after_s)

    def _delay_stillness(self, still_after_s: float) -> None:
        now_s = time.monotonic()
        self._still_from_s = max(self._still_from_s, now_s + still_after_s)
        if not self._is_closed:
            self._still_timer.stop()
            self._still_timer.start(self._still_from_s - now_s)

    def _on_rested(self, event: Any) -> None:
        self.rested.emit()
        self.request_draw()

    def _on_still(self, event: Any) -> None:
        self._still_from_s = 0.0
        self.request_draw()

    def _on_draw_starts(self, event: Any) -> None:
        if not self._renderer:
            self._renderer = str(gloo.gl.glGetParameter(gloo.gl.GL_RENDERER))
            self.detail.set_renderer(self._renderer)
            logger.debug("OpenGL renderer: %s", self._renderer)
        self._is_moving = time.monotonic() < self._still_from_s and not self._is_all_wanted
        n_points = sum(cloud.n_points for cloud in self._clouds)
        plan = DrawPlan(
            near_far=self._stage.camera.near_far,
            is_moving=self._is_moving,
            sampling=self.detail.sampling(n_points, is_moving=self._is_moving),
            n_parts=_ALL_PARTS if self._is_all_wanted else 1,
            upload_budget_s=self._upload_budget_s,
            is_shaded=self.is_shading_wanted and self.detail.allows_shading(is_complete=not self._is_moving),
            is_shaded_early=self.detail.allows_shading(is_complete=False),
        )
        for cloud in self._clouds:
            cloud.plan = plan
        self._drawn_from_s = time.perf_counter()

    def _on_draw_ended(self, event: Any) -> None:
        gloo.gl.glFinish()
        elapsed_ms = (time.perf_counter() - self._drawn_from_s) * 1e3
        self._rested_from_s = time.monotonic() + _REST_PER_DRAW * elapsed_ms / 1e3
        n_drawn = sum(cloud.n_drawn for cloud in self._clouds)
        if not self._is_all_wanted:
            self.detail.add_measurement(elapsed_ms, n_drawn, is_moving=self._is_moving)
        self._is_stale = False
        if not self._stage.is_software:
            for cloud in self._clouds:
                cloud.prepare_spare()
        if not self._is_moving and not all(cloud.is_complete for cloud in self._clouds):
            self._draw_again(elapsed_ms / 1e3 if self.detail.is_software else 0.0)  # the next part
        elif self._is_sending:
            self._draw_again(self.rest_s if self.detail.is_software else 0.0)
        self._send_between_draws()

    @property
    def _upload_budget_s(self) -> float | None:
        if self._is_all_wanted:
            return float("inf")
        return None if self._send_timer.running else UPLOAD_BUDGET_S

    @property
    def _is_sending(self) -> bool:
        return any(cloud.store.n_waiting for cloud in self._clouds)

    def _send_between_draws(self) -> None:
        if self._stage.is_software and self._is_sending and not self._is_closed:
            self._send_timer.start()

    def _on_send(self, event: Any) -> None:
        """Points go on being sent while drawing rests."""
        self._stage.canvas.set_current()
        for cloud in self._clouds:
            cloud.store.upload(SEND_S)
        if not self._is_sending:
            self._send_timer.stop()
            self.note_growth()
