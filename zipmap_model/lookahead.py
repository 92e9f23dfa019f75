"""Reconstruction frame by frame on two threads: the next view is begun while this one is completed."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import torch
from torch import Tensor

from zipmap_model.halves import BegunViews
from zipmap_model.model import ZipMap
from zipmap_model.prediction import Prediction
from zipmap_model.state import SceneState
from zipmap_model.streaming import Precision, StreamingSession, as_views, autocast_for


class _Ahead(NamedTuple):
    """A view that was begun before its turn."""

    image: Tensor
    begun: Future[BegunViews]
    state: SceneState  # after the view before it: what it can be completed with


class LookaheadSession(StreamingSession):
    """A streaming session that can be told which view comes next, and then works on both at once.

    A view passes through the first half of the model without waiting for the second half of the view before it,
    so two threads share the work. For a small model on a CPU that is faster than two threads for every short
    operation, and programs beside it do not slow it down by more than what they take. What comes out is the same
    bit by bit as from a ``StreamingSession``. Each half uses ``torch.get_num_threads()`` threads. The methods
    are for one thread.
    """

    def __init__(
        self, model: ZipMap, state: SceneState | None = None, *, precision: Precision = "auto"
    ) -> None:
        super().__init__(model, state, precision=precision)
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lookahead")
        self._submitted: Future[BegunViews] | None = None
        self._ahead: _Ahead | None = None

    def step(self, image: Tensor, upcoming: Tensor | None = None) -> Prediction:
        """Like ``StreamingSession.step``; ``upcoming`` is what will probably be the next call's ``image``.

        It is recognised by being the same tensor, which must not change in between. If another image or another
        state comes instead, only the time spent on it is lost. What is wrong with it is raised in its turn.
        """
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.image is image and ahead.state is self.state:
            begun = ahead.begun.result()
        else:
            begun = self._begin(image, self.state)
        following = None
        if upcoming is not None:
            following = self._submitted = self._worker.submit(self._begin, upcoming, begun)
        with torch.no_grad(), autocast_for(self._device, self._precision):
            prediction = self._model.complete(begun, self.state)
        self.state = prediction.state
        if upcoming is not None and following is not None:
            self._ahead = _Ahead(upcoming, following, self.state)
        return prediction

    def reset(self) -> None:
        """Forget the scene."""
        super().reset()
        self.settle()

    def settle(self) -> None:
        """Forget what was begun ahead; on return the other thread no longer uses the model."""
        self._ahead = None
        submitted, self._submitted = self._submitted, None
        if submitted is not None:
            submitted.cancel()
            self._worker.submit(bool).result()  # in its turn, so what was begun earlier is over, too

    def close(self) -> None:
        """End the other thread. ``state`` can still be read."""
        self.settle()
        self._worker.shutdown()

    def _begin(self, image: Tensor, after: BegunViews | SceneState | None) -> BegunViews:
        """On either thread."""
        views = as_views(image)
        with torch.no_grad(), autocast_for(self._device, self._precision):
            return self._model.begin(views[None].to(self._device), window=views.shape[0], after=after)

    @property
    def _device(self) -> torch.device:
        return next(self._model.parameters()).device
