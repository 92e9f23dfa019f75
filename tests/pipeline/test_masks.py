import numpy as np
import pytest

from tests.pipeline_fakes import FakeEngine, ListSource, of_kind, take_all, take_until
from zipmap_app.pipeline.masks import MaskOptions, left_out, sky_mask
from zipmap_app.pipeline.packing import PackingOptions, pack_points
from zipmap_app.pipeline.runner import Runner, RunOptions
from zipmap_app.state.messages import FrameResult

HEIGHT, WIDTH = 60, 80
LENS = np.array([[70.0, 0, WIDTH / 2], [0, 70.0, HEIGHT / 2], [0, 0, 1]])


def plain(colour):
    return np.full((HEIGHT, WIDTH, 3), colour, np.uint8)


def wall(depth=2.0):
    return np.full((HEIGHT, WIDTH), depth, np.float32)


def outdoors(sky=(120, 160, 220)):
    """Sky in the upper third, textured ground below that comes nearer, and a bright plain sign in it."""
    rng = np.random.default_rng(0)
    rgb = rng.integers(40, 120, (HEIGHT, WIDTH, 3), np.uint8)
    rgb[:20] = sky
    rgb[40:50, 30:60] = (200, 210, 230)
    depth = np.linspace(20, 2, HEIGHT, dtype=np.float32)[:, None].repeat(WIDTH, axis=1)
    confidence = np.full((HEIGHT, WIDTH), 3, np.float32)
    confidence[:20] = 1
    return rgb, depth, confidence


def test_without_masks_there_is_no_mask():
    assert left_out(plain(0), wall(), wall(), MaskOptions()) is None


@pytest.mark.parametrize(
    ("colour", "is_black", "is_white"),
    [((0, 0, 0), True, False), ((5, 5, 5), True, False), ((5, 5, 6), False, False), ((0, 0, 40), False, False),
     ((241, 241, 241), False, True), ((255, 255, 240), False, False), ((128, 128, 128), False, False)],
)  # fmt: skip
def test_black_and_white_backgrounds(colour, is_black, is_white):
    black = left_out(plain(colour), wall(), wall(), MaskOptions(black=True))
    white = left_out(plain(colour), wall(), wall(), MaskOptions(white=True))
    assert (black.all(), white.all()) == (is_black, is_white)
    assert (black.any(), white.any()) == (is_black, is_white)


@pytest.mark.parametrize("sky", [(120, 160, 220), (230, 230, 232), (60, 90, 160)])
def test_the_sky_goes_and_the_rest_stays(sky):
    mask = sky_mask(*outdoors(sky))
    assert mask[:19].all()
    assert not mask[23:].any()  # the sign is as bright, but does not reach the top


def test_what_is_near_and_sure_is_no_sky():
    rgb, depth, confidence = outdoors()
    depth[:20], confidence[:20] = 1.0, 9.0
    assert not sky_mask(rgb, depth, confidence).any()


def test_a_picture_full_of_sky_and_one_without_numbers_are_no_error():
    assert sky_mask(plain((120, 160, 220)), wall(), wall()).all()
    depth = np.full((HEIGHT, WIDTH), np.nan, np.float32)
    assert sky_mask(plain((120, 160, 220)), depth, wall()).all()


def test_masked_pixels_give_no_points_and_do_not_count_as_unsure_ones():
    rgb, depth, confidence = outdoors()
    options = PackingOptions(confidence_percentile=20.0, masks=MaskOptions(sky=True))
    points = pack_points(depth, confidence, rgb, np.eye(4), LENS, options)
    assert points["position"][:, 2].max() < depth[19, 0]
    # All the rest is equally sure, so the percentile takes nothing more away.
    assert len(points) > 0.9 * (HEIGHT - 22) * WIDTH
    everything = pack_points(plain(0)[..., 0] + wall(), wall(), plain(0), np.eye(4), LENS, PackingOptions())
    assert len(everything)
    nothing = PackingOptions(masks=MaskOptions(black=True))
    assert not len(pack_points(wall(), wall(), plain(0), np.eye(4), LENS, nothing))


def test_packing_changes_from_the_next_frame_on():
    engine = FakeEngine()
    runner = Runner(RunOptions(), lambda: None, engine)
    runner.start(ListSource(1))
    take_all(runner)
    options = PackingOptions(max_points=7, points_from="keyframes", masks=MaskOptions(black=True))
    runner.set_packing(options)
    runner.start(ListSource(2))
    assert of_kind(take_until(runner, FrameResult), FrameResult)
    assert engine.packing == options
    assert runner.close()


def test_options_carry_the_masks_to_the_first_frame():
    options = RunOptions(masks=MaskOptions(white=True), points_from="keyframes")
    assert options.packing.masks.white
    assert options.packing.points_from == "keyframes"
    with pytest.raises(ValueError, match="points_from"):
        PackingOptions(points_from="some")
