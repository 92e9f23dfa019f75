import math

import numpy as np
import pytest

import zipmap_model as zm
from zipmap_app.pipeline.assist.pictures import focal_from_fov, tracked_picture

CONFIG = zm.MODEL_CONFIGS["bundled"]


def test_the_tracked_picture_shows_what_the_model_sees_twice_as_fine():
    rgb = np.zeros((480, 1280, 3), np.uint8)  # wider than the model takes: the sides are cropped
    rgb[200:300, 600:760] = 255
    framed = zm.frame_from_rgb(rgb, CONFIG)
    height, width = framed.image.shape[1:]
    grey = tracked_picture(rgb, framed)
    assert grey.shape == (2 * height, 2 * width)
    small = grey.reshape(height, 2, width, 2).mean(axis=(1, 3)) / 255
    assert np.abs(small - framed.image.mean(dim=0).numpy()).mean() < 0.01


def test_a_small_source_is_not_blown_up():
    rgb = np.zeros((150, 200, 3), np.uint8)
    framed = zm.frame_from_rgb(rgb, CONFIG)
    assert tracked_picture(rgb, framed).shape == framed.image.shape[1:]


def test_the_focal_length_follows_scaling_and_not_cropping():
    framed = zm.frame_from_rgb(np.zeros((480, 1280, 3), np.uint8), CONFIG)
    focal = focal_from_fov(math.radians(90), 1280, framed)
    assert focal == pytest.approx(640 / framed.scale_x)
