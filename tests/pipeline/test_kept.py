from dataclasses import replace

from tests.app_fakes import make_frame
from zipmap_app.pipeline.kept import KeptFrames


def kept_of(tracked, max_frames=10):
    kept = KeptFrames(max_frames)
    for position, is_tracked in enumerate(tracked):
        result = replace(make_frame(position), position=position, is_tracked=is_tracked)
        kept.append(replace(result, is_keyframe=position % 2 == 0))
    return kept


def test_frames_are_linked_as_long_as_tracking_held_on_between_them():
    kept = kept_of([False, True, True, False, True, True, True])  # broken at frame 3, which is no keyframe
    zero, two, four, six = kept.frames
    assert kept.is_linked(zero, two)
    assert not kept.is_linked(two, four)
    assert kept.is_linked(four, six)
    assert not kept.is_linked(zero, six)


def test_thinning_copying_and_cutting_keep_the_breaks():
    kept = kept_of([False, True, True, True, True, False, True, True, True], max_frames=3)
    assert [frame.position for frame in kept.frames] == [0, 4, 8]
    other = kept.copy()
    kept.cut(5)
    assert kept.is_linked(other.frames[1], other.frames[2])  # the break at frame 5 was cut off
    assert not other.is_linked(other.frames[1], other.frames[2])
