"""What was opened lately, and its pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton

from zipmap_app.ui.recent import RecentInputs
from zipmap_app.ui.welcome import Welcome

RED = np.zeros((60, 90, 3), np.uint8)
RED[..., 0] = 255


@pytest.fixture
def recent(tmp_path, qapp) -> RecentInputs:
    return RecentInputs(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))


def test_a_picture_is_kept_for_a_listed_input(recent, tmp_path):
    clip = tmp_path / "clip.mp4"
    recent.set_thumbnail(clip, RED)
    assert recent.thumbnail(clip) is None  # not listed: nobody would ever remove it
    recent.add(clip)
    recent.set_thumbnail(clip, RED)
    pixmap = recent.thumbnail(clip)
    assert pixmap is not None
    color = pixmap.toImage().pixelColor(5, 5)
    assert color.red() > 240
    assert color.green() < 15


def test_pictures_go_with_their_entries(recent, tmp_path):
    first = tmp_path / "0.mp4"
    recent.add(first)
    recent.set_thumbnail(first, RED)
    for i in range(1, 9):
        recent.add(tmp_path / f"{i}.mp4")
    assert first not in recent.paths()
    assert list((tmp_path / "recent").iterdir()) == []


def test_a_folder_that_cannot_be_written_costs_only_the_picture(tmp_path, qapp):
    blocked = tmp_path / "file"
    blocked.touch()
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    recent = RecentInputs(settings, folder=blocked / "recent")
    recent.add(tmp_path / "clip.mp4")
    recent.set_thumbnail(tmp_path / "clip.mp4", RED)
    assert recent.thumbnail(tmp_path / "clip.mp4") is None


def test_the_welcome_card_offers_them_and_greys_what_is_gone(recent, tmp_path, qtbot):
    clip, gone = tmp_path / "clip.mp4", Path("/nowhere/gone.mp4")
    clip.touch()
    for path in (gone, clip):
        recent.add(path)
    recent.set_thumbnail(clip, RED)
    welcome = Welcome((QAction("Open"),))
    qtbot.addWidget(welcome)
    welcome.show_recent(recent.paths(), recent.thumbnail)
    welcome.show()
    first, second = welcome.findChildren(QPushButton, "recent")
    assert first.icon().pixmap(56, 36).toImage().pixelColor(20, 18).red() > 200
    assert not second.isEnabled()
    assert "no longer there" in second.text()
    with qtbot.waitSignal(welcome.open_requested) as caught:
        qtbot.mouseClick(first, Qt.MouseButton.LeftButton)
    assert caught.args == [str(clip)]
