"""A burst of frames costs one refresh, and the last frame of it is shown."""

from __future__ import annotations

from tests.app_fakes import make_frame


def test_a_burst_of_frames_is_followed_once_and_to_its_end(qtbot, view, session, monkeypatch):
    monkeypatch.setattr("zipmap_app.scene.view._REFRESH_GAP_S", 0.06)
    n_refreshes = []
    refresh = view._frusta.show
    monkeypatch.setattr(view._frusta, "show", lambda *args: (n_refreshes.append(1), refresh(*args)))
    session.begin("x")
    for i in range(30):
        session.apply(make_frame(i))
    assert len(n_refreshes) < 10
    qtbot.waitUntil(lambda: view._framing.current is not None and view._framing.current.position == 29)
