"""Streaming with the next view begun ahead of its turn."""

import threading

import pytest
import torch

import zipmap_model as zm


@pytest.fixture
def ahead(mini):
    session = zm.LookaheadSession(mini)
    yield session
    session.close()


def _assert_same(a: zm.Prediction, b: zm.Prediction) -> None:
    for one, other in ((a.depth, b.depth), (a.pose_encoding, b.pose_encoding)):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    for one, other in zip(a.state.layers, b.state.layers, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(one, other, strict=True))


def test_results_are_those_of_plain_streaming(mini, clip, ahead):
    plain = zm.StreamingSession(mini)
    images = list(clip)
    for image, upcoming in zip(images, [*images[1:], None], strict=True):
        _assert_same(ahead.step(image, upcoming), plain.step(image))


def test_the_next_view_is_begun_on_another_thread(mini, clip, ahead, monkeypatch):
    threads = []
    begin = mini.begin
    monkeypatch.setattr(
        mini, "begin", lambda *a, **k: (threads.append(threading.current_thread()), begin(*a, **k))[1]
    )
    images = list(clip[:3])
    for image, upcoming in zip(images, [*images[1:], None], strict=True):
        ahead.step(image, upcoming)
    assert [thread is threading.current_thread() for thread in threads] == [True, False, False]


def test_another_image_than_announced_is_begun_anew(mini, clip, ahead):
    plain = zm.StreamingSession(mini)
    ahead.step(clip[0], clip[1])
    plain.step(clip[0])
    _assert_same(ahead.step(clip[2]), plain.step(clip[2]))


def test_what_was_begun_after_another_state_is_not_used(mini, clip, ahead):
    images = list(clip[:3])
    ahead.step(images[0])
    early = ahead.state
    ahead.step(images[1], images[2])
    ahead.state = early
    plain = zm.StreamingSession(mini, early)
    _assert_same(ahead.step(images[2]), plain.step(images[2]))


def test_a_wrong_upcoming_view_fails_in_its_own_turn(clip, ahead):
    wrong = torch.zeros(3, 13, 17)
    assert ahead.step(clip[0], wrong).depth.isfinite().all()
    with pytest.raises(ValueError, match="multiples of"):
        ahead.step(wrong)
    assert ahead.step(clip[1]).depth.isfinite().all()


def test_after_settling_nothing_runs(mini, clip, ahead):
    ahead.step(clip[0], clip[1])
    calls = []
    ahead.settle()
    hook = mini.aggregator.register_forward_pre_hook(lambda *_: calls.append(threading.get_ident()))
    mini(clip[None, :1])
    hook.remove()
    assert set(calls) == {threading.get_ident()}


def test_settling_waits_for_a_view_that_never_came(mini, clip, ahead, monkeypatch):
    begin, gate, n_over = mini.begin, threading.Event(), []

    def slow(*arguments, **keywords):
        if threading.current_thread().name.startswith("lookahead"):
            assert gate.wait(5.0)
            n_over.append(1)
        return begin(*arguments, **keywords)

    monkeypatch.setattr(mini, "begin", slow)
    ahead.step(clip[0], clip[1])
    ahead.step(clip[2], clip[3])  # another view than announced, whose first half still runs
    threading.Timer(0.1, gate.set).start()
    ahead.settle()
    assert n_over == [1]


def test_reset_forgets_the_announced_view_too(mini, clip, ahead):
    images = list(clip[:2])
    ahead.step(images[0], images[1])
    ahead.reset()
    _assert_same(ahead.step(images[1]), zm.StreamingSession(mini).step(images[1]))


def test_close_ends_the_thread(mini, clip):
    session = zm.LookaheadSession(mini)
    session.step(clip[0], clip[1])
    session.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("lookahead")]


def test_views_cannot_be_completed_out_of_order(mini, clip):
    with torch.no_grad():
        first = mini.begin(clip[:1], window=1)
        second = mini.begin(clip[1:2], window=1, after=first)
        with pytest.raises(ValueError, match="in the order they were begun"):
            mini.complete(second, None)
