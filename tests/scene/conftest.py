"""Scene tests draw: contexts are shared as in the application, which has to be said before Qt starts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, Qt

from tests.scene.view_support import open_view
from zipmap_app.scene.view import SceneView
from zipmap_app.state.session import SessionModel

QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)


@pytest.fixture
def session() -> SessionModel:
    return SessionModel()


@pytest.fixture
def view(qtbot, session) -> Iterator[SceneView]:
    view, window = open_view(qtbot, session)
    yield view
    # Not by qtbot.addWidget, which would close the window before the view has freed what it drew with.
    view.close()
    window.close()
    window.deleteLater()


@pytest.fixture(autouse=True)
def _refresh_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Follow every frame at once, so that tests need not wait."""
    monkeypatch.setattr("zipmap_app.scene.view._REFRESH_GAP_S", 0.0)
    monkeypatch.setattr("zipmap_app.scene.view._MAX_GAP_S", 0.0)
