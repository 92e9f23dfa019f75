"""What a run will need is compiled with the first picture."""

from __future__ import annotations

from tests.app_fakes import make_frame
from tests.scene.view_support import open_view
from zipmap_app.scene.release import live_objects


def n_programs(view) -> int:
    return sum(type(thing).__name__ == "GlirProgram" for thing in live_objects(view.canvas))


def test_the_first_frames_of_a_run_have_nothing_compiled(qtbot, session):
    view, window = open_view(qtbot, session)
    before = n_programs(view)
    session.begin("x")
    for i in range(3):
        session.apply(make_frame(10 * i))
    qtbot.waitUntil(
        lambda: view.points.plan.is_moving and view.points.n_drawn > 0 and len(view._frusta.positions) > 0
    )
    assert n_programs(view) == before
    view.close()
    window.close()
    window.deleteLater()
