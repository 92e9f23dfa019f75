"""Which cameras there are."""

from __future__ import annotations

import os
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

_SYSFS = Path("/sys/class/video4linux")
_DEVICES = Path("/dev")
_QUERYCAP = 0x80685600  # VIDIOC_QUERYCAP of linux/videodev2.h
_CAPABILITY = struct.Struct("16s32s32sIII12x")  # struct v4l2_capability
_HAS_DEVICE_CAPS = 0x80000000
_VIDEO_CAPTURE = 0x00000001 | 0x00001000  # single-planar and multi-planar


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """One camera, by the number that opens it."""

    index: int
    name: str


def list_cameras() -> tuple[CameraInfo, ...]:
    """Every camera with its name, in order of number; none is switched on for it."""
    if sys.platform.startswith("linux"):
        return _linux_cameras()
    return _enumerated_cameras()


def find_again(index: int, name: str) -> int:
    """The number of a camera that was number ``index`` before: plugged in again it may get another one."""
    numbers = [camera.index for camera in list_cameras() if camera.name == name]
    return index if index in numbers or not numbers else numbers[0]


def _linux_cameras() -> tuple[CameraInfo, ...]:
    cameras = []
    for device in _SYSFS.glob("video[0-9]*"):
        # A camera has further devices, for metadata say, that give no pictures.
        if _gives_pictures(_DEVICES / device.name):
            index = int(device.name.removeprefix("video"))
            cameras.append(CameraInfo(index, _linux_name(device)))
    return tuple(sorted(cameras, key=lambda camera: camera.index))


def _linux_name(device: Path) -> str:
    try:
        name = (device / "name").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        name = ""
    # Many cameras say their name twice: "HD Webcam: HD Webcam".
    first, _, second = name.partition(": ")
    return (first if second and first.startswith(second) else name) or device.name


def _gives_pictures(device: Path) -> bool:
    """Whether the driver says so; where it cannot be asked, opening will tell."""
    import fcntl

    if not device.exists():
        return False
    answer = bytearray(_CAPABILITY.size)
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(descriptor, _QUERYCAP, answer)
        finally:
            os.close(descriptor)
    except OSError:
        return True
    *_, capabilities, device_capabilities = _CAPABILITY.unpack(answer)
    own = device_capabilities if capabilities & _HAS_DEVICE_CAPS else capabilities
    return bool(own & _VIDEO_CAPTURE)


def _enumerated_cameras() -> tuple[CameraInfo, ...]:
    """Windows and macOS, by the system's own listing."""
    from cv2_enumerate_cameras import enumerate_cameras

    from zipmap_app.sources.opencv import cv2

    backend = cv2.CAP_MSMF if sys.platform == "win32" else cv2.CAP_AVFOUNDATION
    return tuple(CameraInfo(found.index, found.name) for found in enumerate_cameras(backend))
