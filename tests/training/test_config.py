"""Configuration: validated, and changed by dotted keys."""

from __future__ import annotations

import pytest

from training.config import LegConfig, with_changes
from training.recipes import RECIPES
from zipmap_model import MODEL_CONFIGS


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_recipes_fit_their_models_and_pools(name: str) -> None:
    config = RECIPES[name]()
    patch = MODEL_CONFIGS[config.model].patch_size
    for phase in config.phases:
        for shape in phase.shapes:
            clips = config.pools[shape.pool].clips
            assert clips.n_frames >= shape.n_views
            assert clips.size[0] % patch == clips.size[1] % patch == 0


def test_dotted_keys_reach_into_tuples() -> None:
    config = with_changes(RECIPES["smoke"](), ["optim.lr=1e-3", "phases.0.shapes.0.n_clips=5", "seed=9"])
    assert config.optim.lr == 1e-3
    assert config.phases[0].shapes[0].n_clips == 5
    assert config.seed == 9


@pytest.mark.parametrize("bad", ["optim.speed=1", "phases.7.until=1", "seed"])
def test_unknown_settings_are_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"no setting|key=value"):
        with_changes(RECIPES["smoke"](), [bad])


def test_progress_follows_the_tighter_budget_of_a_leg() -> None:
    leg = LegConfig(start=0.2, end=0.6, max_steps=100, max_seconds=50)
    assert leg.progress(50, 5.0) == pytest.approx(0.4)
    assert leg.progress(10, 45.0) == pytest.approx(0.56)
    assert leg.is_over(100, 1.0)
    assert leg.is_over(1, 50.0)
    assert not leg.is_over(99, 49.0)


def test_a_leg_must_end() -> None:
    with pytest.raises(ValueError, match="max_steps or max_seconds"):
        LegConfig()
