"""Configurations: presets are consistent, contradictions are refused, small helpers."""

import dataclasses
import hashlib

import pytest

import zipmap_model as zm


def test_presets_have_the_five_names():
    assert set(zm.MODEL_CONFIGS) == {"main", "reference_view", "streaming", "state_query", "bundled"}


def test_config_is_frozen_and_keyword_only():
    with pytest.raises(TypeError):
        zm.ZipMapConfig(64)
    with pytest.raises(dataclasses.FrozenInstanceError):
        zm.ZipMapConfig().depth = 3


def test_published_models_keep_the_name_that_saved_states_know():
    """States are tied to the repr of the config: a field that is new must not show in it."""
    digest = hashlib.sha256(repr(zm.MODEL_CONFIGS["state_query"]).encode()).hexdigest()
    assert digest[:16] == "07853caf0f1bf402"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"embed_dim": 100, "num_heads": 16}, "divisible by num_heads"),
        ({"ttt_head_dim": 300}, "ttt_head_dim"),
        ({"tap_blocks": (4, 11, 17, 24)}, "tap_blocks"),
        ({"tap_blocks": (4, 4, 17, 23)}, "tap_blocks"),
        ({"camera_head": "svd"}, "camera_head"),
        ({"camera_head": "motion"}, "motion_cue"),
        ({"motion_cue": True}, "stem"),
        ({"query_channels": 6}, "query_channels"),
        ({"image_size": 500}, "patch_size"),
        ({"default_window": 0}, "default_window"),
    ],
)
def test_contradictions_are_refused(changes, text):
    with pytest.raises(ValueError, match=text):
        zm.ZipMapConfig(**changes)


def test_which_models_stream_and_which_answer_queries():
    stream = {name for name, config in zm.MODEL_CONFIGS.items() if config.can_stream}
    query = {name for name, config in zm.MODEL_CONFIGS.items() if config.can_query}
    assert stream == {"streaming", "bundled"}
    assert query == {"state_query", "bundled"}
