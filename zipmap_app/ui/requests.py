"""What the user wants of the world outside the window."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal


class WindowRequests(QObject):
    """Signals that the composition root answers. The window itself knows no pipeline. GUI thread only."""

    open = Signal(object)  # SourceChoice
    pause = Signal()
    resume = Signal()
    step = Signal()
    stop = Signal()
    rewind = Signal(int)  # how many frames to keep
    finalise = Signal()
    cancel_finalise = Signal()
    query = Signal(object)  # QueryRequest
    add_points = Signal(object)  # QueryResult
    record_flight = Signal(object)  # FlightOrder
    cancel_flight = Signal()
    save_state = Signal(int, object)  # state_id, Path
    open_state = Signal(object)  # Path
    fork_state = Signal(int, str)  # state_id, name
    forget_state = Signal(int)  # state_id
    settings = Signal(object)  # RunSettings
    save_cloud = Signal(object)  # Path of the .ply
    cancel_job = Signal()
    closing = Signal()
