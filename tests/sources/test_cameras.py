import fcntl
import struct

import pytest

from zipmap_app.sources import cameras
from zipmap_app.sources.cameras import CameraInfo, find_again, list_cameras


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A Linux machine whose devices a test adds: number, name, and whether it gives pictures."""
    sysfs, devices = tmp_path / "sys", tmp_path / "dev"
    devices.mkdir()
    captures = {}

    def add(number, name, gives_pictures=True):
        (sysfs / f"video{number}").mkdir(parents=True)
        (sysfs / f"video{number}" / "name").write_text(name + "\n")
        (devices / f"video{number}").touch()
        captures[(devices / f"video{number}").stat().st_ino] = gives_pictures

    def ioctl(descriptor, request, answer):
        import os

        own = 0x04200001 if captures[os.fstat(descriptor).st_ino] else 0x04A00000
        answer[:] = struct.pack("16s32s32sIII12x", b"uvcvideo", b"", b"", 0, 0x84A00001, own)

    monkeypatch.setattr(cameras, "_SYSFS", sysfs)
    monkeypatch.setattr(cameras, "_DEVICES", devices)
    monkeypatch.setattr(cameras.sys, "platform", "linux")
    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    return add


def test_cameras_are_listed_by_number_with_one_name_and_without_their_other_devices(machine):
    machine(10, "Capture card")
    machine(0, "Integrated Webcam: Integrated")
    machine(1, "Integrated Webcam: Integrated", gives_pictures=False)
    machine(2, "Front: Wide angle")
    assert list_cameras() == (
        CameraInfo(0, "Integrated Webcam"),
        CameraInfo(2, "Front: Wide angle"),
        CameraInfo(10, "Capture card"),
    )


def test_a_machine_without_cameras_has_none(machine):
    assert list_cameras() == ()


def test_a_camera_is_found_again_by_its_name(machine):
    machine(0, "Webcam")
    machine(3, "Microscope")
    assert find_again(3, "Microscope") == 3
    assert find_again(2, "Microscope") == 3  # it was number 2 before it was plugged in again
    assert find_again(2, "Unknown") == 2
