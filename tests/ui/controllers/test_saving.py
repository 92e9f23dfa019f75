"""Where the cloud and the picture of the scene are saved."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings

from zipmap_app.state.edits import SceneEditor
from zipmap_app.state.session import SessionModel, Severity
from zipmap_app.ui import dialogs
from zipmap_app.ui.actions import ActionId
from zipmap_app.ui.main_window import MainWindow, WindowOptions


def test_files_are_named_after_the_source_and_failures_are_told(qtbot, monkeypatch, tmp_path: Path) -> None:
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    session = SessionModel()
    window = MainWindow(
        session, SceneEditor(session), WindowOptions(settings=settings, can_open=Path.is_file)
    )
    qtbot.addWidget(window)
    session.begin("walk.mp4")
    suggested: list[str] = []

    def choose(name: str):
        def ask(parent: object, suggestion: Path) -> Path:
            suggested.append(suggestion.name)
            return tmp_path / name

        return ask

    monkeypatch.setattr(dialogs, "ask_for_cloud", choose("walk.ply"))
    window.actions_table[ActionId.SAVE].setEnabled(True)
    with qtbot.waitSignal(window.requests.save_cloud) as caught:
        window.actions_table[ActionId.SAVE].trigger()
    assert caught.args == [tmp_path / "walk.ply"]
    monkeypatch.setattr(dialogs, "ask_for_screenshot", choose("view.png"))
    window.actions_table[ActionId.SCREENSHOT].trigger()
    assert (tmp_path / "view.png").is_file()
    monkeypatch.setattr(dialogs, "ask_for_screenshot", choose("missing/view.png"))
    window.actions_table[ActionId.SCREENSHOT].trigger()
    assert [notice.severity for notice in session.notices] == [Severity.INFO, Severity.ERROR]
    assert suggested[0] == "walk.ply"
    assert suggested[1].startswith("walk_")
    assert suggested[1].endswith(".png")
    window.close()
