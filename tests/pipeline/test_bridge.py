import threading
import time

import pytest
from PySide6.QtCore import QCoreApplication

from tests.app_fakes import make_frame
from zipmap_app.pipeline.bridge import ResultBridge
from zipmap_app.pipeline.slots import Outbox


@pytest.fixture
def bridge(qapp):
    bridge = ResultBridge()
    yield bridge
    bridge.detach()
    bridge.deleteLater()


def test_messages_put_by_a_worker_arrive_in_the_gui_thread_in_order(bridge, qtbot):
    outbox = Outbox(capacity=4, on_wake=bridge.wake)
    bridge.attach(outbox)
    received = []
    bridge.received.connect(
        lambda message: received.append((message.frame_index, threading.current_thread().name))
    )

    def produce():
        for index in range(50):
            assert outbox.put(make_frame(index, n_points=1), 5.0)

    worker = threading.Thread(target=produce, name="worker")
    worker.start()
    qtbot.waitUntil(lambda: len(received) == 50)
    worker.join()
    assert received == [(index, threading.current_thread().name) for index in range(50)]


def test_a_turn_is_short_and_the_rest_comes_in_the_next_ones(bridge, qtbot):
    outbox = Outbox(capacity=100)
    received = []

    def slow(message):
        received.append(message)
        time.sleep(0.004)

    bridge.received.connect(slow)
    for index in range(10):
        outbox.put(make_frame(index, n_points=1), 0.0)
    bridge.attach(outbox)
    QCoreApplication.sendPostedEvents(bridge)
    assert 1 <= len(received) <= 4
    qtbot.waitUntil(lambda: len(received) == 10)
