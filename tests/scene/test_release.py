"""Closing a viewport leaves nothing behind: no GL object, no timer, no listener."""

from __future__ import annotations

import numpy as np
from vispy import gloo

from tests.app_fakes import make_frame
from tests.scene.view_support import open_view
from zipmap_app.scene.marks import Segment
from zipmap_app.scene.release import live_objects
from zipmap_app.state.event import Event
from zipmap_app.state.session import SessionModel


def listeners(session: SessionModel) -> int:
    owners = (session, session.cloud, session.queried, session.path, session.history, session.alignment)
    return sum(
        value.n_listeners for owner in owners for value in vars(owner).values() if isinstance(value, Event)
    )


def test_closing_frees_everything_on_the_gpu_and_every_connection(qtbot, session):
    before = listeners(session)
    view, window = open_view(qtbot, session)
    session.begin("x")
    for i in range(3):
        session.apply(make_frame(10 * i))
    view.show_ghost(np.eye(4), np.diag([30.0, 30, 1]), (24, 32))
    view.show_marks(np.zeros((1, 3)), (Segment(np.zeros(3), np.ones(3), "1 m"),))
    view.set_fly(True)
    view.fly_key("W", True)
    view.point_under(200, 150)  # draws off screen as well
    objects = live_objects(view.canvas)
    kinds = {type(thing).__name__ for thing in objects}
    assert {"GlirProgram", "GlirVertexBuffer", "GlirTexture2D", "GlirFrameBuffer"} <= kinds
    buffers = [thing.handle for thing in objects if type(thing).__name__ == "GlirVertexBuffer"]
    # A second viewport shares its objects with the first: it can say what is left of them.
    witness, witness_window = open_view(qtbot, SessionModel())
    witness.canvas.set_current()
    # On a busy machine some are named and not filled yet, and those OpenGL does not count.
    assert any(gloo.gl.glIsBuffer(buffer) for buffer in buffers)
    view.close()
    assert live_objects(view.canvas) == []
    witness.canvas.set_current()
    assert not any(gloo.gl.glIsBuffer(buffer) for buffer in buffers)
    assert listeners(session) == before
    view.close()  # harmless twice
    witness.close()
    for each in (window, witness_window):
        each.close()
        each.deleteLater()
