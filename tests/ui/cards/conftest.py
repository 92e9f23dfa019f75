"""A session with a short run in it, and a way to show one card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.app_fakes import make_frame
from zipmap_app.state.appearance import AppearanceModel
from zipmap_app.state.session import SessionModel

N_FRAMES = 6


@pytest.fixture
def session() -> SessionModel:
    session = SessionModel()
    session.begin("room.mp4")
    for i in range(N_FRAMES):
        session.apply(replace(make_frame(i), position=i, is_keyframe=i % 3 == 0))
    return session


@pytest.fixture
def look() -> AppearanceModel:
    return AppearanceModel()


@pytest.fixture
def shown(qtbot) -> Iterator[Callable[[Any], Any]]:
    """Show a card, and let it go at the end."""
    cards: list[Any] = []

    def show(card: Any) -> Any:
        qtbot.addWidget(card)
        cards.append(card)
        with qtbot.waitExposed(card):
            card.show()
        return card

    yield show
    for card in cards:
        if hasattr(card, "release"):
            card.release()
