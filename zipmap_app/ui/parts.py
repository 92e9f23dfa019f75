"""What a window consists of, for those who connect it."""

from __future__ import annotations

from dataclasses import dataclass

from zipmap_app.scene.view import SceneView
from zipmap_app.state.appearance import AppearanceModel
from zipmap_app.state.edits import SceneEditor
from zipmap_app.state.session import SessionModel
from zipmap_app.ui.actions import Actions
from zipmap_app.ui.finalise_bar import FinaliseBar
from zipmap_app.ui.requests import WindowRequests
from zipmap_app.ui.side_tabs import SideTabs
from zipmap_app.ui.timeline.panel import TimelinePanel


@dataclass(frozen=True, slots=True, eq=False)
class WindowParts:
    """The models behind one window, and the widgets over them."""

    session: SessionModel
    editor: SceneEditor
    look: AppearanceModel
    scene: SceneView
    tabs: SideTabs
    timeline: TimelinePanel
    finalise_bar: FinaliseBar
    actions: Actions
    requests: WindowRequests
