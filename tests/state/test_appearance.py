"""The appearance in force."""

from __future__ import annotations

import pytest

from zipmap_app.state.appearance import Appearance, AppearanceModel, ClipBox


def test_edits_are_announced_once_and_only_if_they_change_something():
    look = AppearanceModel()
    seen: list[Appearance] = []
    look.changed.connect(seen.append)
    look.edit(size_px=4.0)
    look.edit(size_px=4.0)
    assert [appearance.size_px for appearance in seen] == [4.0]
    with pytest.raises(ValueError, match="hidden_fraction"):
        look.edit(hidden_fraction=1.5)
    assert look.value.hidden_fraction == 0


def test_an_inverted_clip_box_is_refused():
    with pytest.raises(ValueError, match="minimum below maximum"):
        ClipBox((0, 0, 0), (1, 0, 1))
