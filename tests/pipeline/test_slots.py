import threading

import pytest

from tests.app_fakes import make_frame
from tests.pipeline_fakes import ListSource
from zipmap_app.pipeline.slots import BoundedSlot, LatestSlot, Outbox
from zipmap_app.state.messages import FrameResult, PipelineFault, StreamEnded


def frames(n):
    source = ListSource(n)
    return [source.read() for _ in range(n)]


def test_the_latest_slot_keeps_the_newest_and_counts_the_loss():
    slot = LatestSlot()
    for frame in frames(5):
        assert slot.put(frame)
    assert slot.take().frame_index == 4
    assert slot.n_dropped == 4
    assert slot.take() is None


def test_a_promised_frame_is_the_next_one_whatever_arrives():
    slot = LatestSlot()
    given = frames(8)
    assert slot.take_pair() == (None, None)
    slot.put(given[0])
    assert slot.take_pair() == (given[0], None)
    for frame in given[1:4]:
        slot.put(frame)
    assert slot.take_pair() == (given[2], given[3])  # two are wanted: the newest two
    for frame in given[4:7]:
        slot.put(frame)
    assert slot.take_pair() == (given[3], given[6])
    assert slot.n_dropped == 3
    slot.put(given[7])
    assert slot.take() is given[7]
    assert slot.n_dropped == 4
    assert slot.take() is None


def test_a_cleared_slot_promises_nothing():
    slot = LatestSlot()
    given = frames(5)
    for frame in given[:2]:
        slot.put(frame)
    assert slot.take_pair() == (given[0], given[1])
    slot.clear()
    for frame in given[2:]:
        slot.put(frame)
    assert slot.take_pair() == (given[3], given[4])


def test_the_bounded_slot_promises_the_frame_behind():
    slot = BoundedSlot()
    first, second = frames(2)
    slot.put(first, 0.0)
    slot.put(second, 0.0)
    assert slot.take_pair() == (first, second)
    assert slot.take_pair() == (second, None)


def test_the_bounded_slot_blocks_and_loses_nothing():
    slot = BoundedSlot(capacity=2)
    given = frames(6)
    assert slot.put(given[0], 0.0)
    assert slot.put(given[1], 0.0)
    assert not slot.put(given[2], 0.01)
    taken = []

    def consume():
        while (frame := slot.take(2.0)) is not None:
            taken.append(frame.frame_index)

    consumer = threading.Thread(target=consume)
    consumer.start()
    for frame in given[2:]:
        assert slot.put(frame, 2.0)
    slot.finish()
    consumer.join(2.0)
    assert taken == [0, 1, 2, 3, 4, 5]
    assert slot.n_dropped == 0


@pytest.mark.parametrize("slot", [LatestSlot(), BoundedSlot()])
def test_a_finished_slot_can_be_emptied_and_takes_no_more(slot):
    first, second = frames(2)
    slot.put(first, 0.0)
    slot.finish()
    assert not slot.is_exhausted
    assert not slot.put(second, 0.0)
    assert slot.take() is first
    assert slot.is_exhausted


@pytest.mark.parametrize("slot", [LatestSlot(), BoundedSlot()])
def test_closing_a_slot_drops_what_is_inside_and_tells_of_it(slot):
    told = threading.Event()
    slot._on_change = told.set
    slot.put(frames(1)[0], 0.0)
    told.clear()
    slot.close()
    assert slot.is_exhausted
    assert told.is_set()


def test_the_outbox_wakes_once_until_it_is_empty_again():
    wakes = []
    outbox = Outbox(on_wake=lambda: wakes.append(1))
    outbox.post(PipelineFault("one"))
    outbox.post(PipelineFault("two"))
    assert len(wakes) == 1
    assert len(outbox.take(10)) == 2
    outbox.post(PipelineFault("three"))
    assert len(wakes) == 2


def test_the_outbox_holds_frames_back_but_never_an_end():
    outbox = Outbox(capacity=2)
    assert outbox.put(make_frame(0), 0.0)
    assert outbox.put(make_frame(1), 0.0)
    assert not outbox.put(make_frame(2), 0.01)
    outbox.post(StreamEnded(2, False))
    assert outbox.take(1)[0].frame_index == 0
    assert outbox.put(make_frame(2), 0.0)
    assert [type(message) for message in outbox.take(9)] == [FrameResult, StreamEnded, FrameResult]


def test_the_outbox_discards_by_kind_and_asks_before_adding():
    outbox = Outbox(capacity=1)
    outbox.put(make_frame(0), 0.0)
    outbox.post(PipelineFault("stays"))
    outbox.discard((FrameResult,))
    assert not outbox.put(make_frame(1), 0.0, admit=lambda: False)
    assert outbox.put(make_frame(2), 0.0)
    assert len(outbox.take(9)) == 2


def test_closing_the_outbox_frees_a_waiting_producer():
    outbox = Outbox(capacity=1)
    outbox.put(make_frame(0), 0.0)
    outcome = []
    producer = threading.Thread(target=lambda: outcome.append(outbox.put(make_frame(1), 30.0)))
    producer.start()
    outbox.close()
    producer.join(2.0)
    assert outcome == [False]
