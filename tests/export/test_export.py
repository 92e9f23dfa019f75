import numpy as np
import pytest

from tests.app_fakes import make_points
from zipmap_app.export.npz import ArraySpool, write_npz
from zipmap_app.export.ply import PlyWriter, save_ply
from zipmap_app.export.staging import staged_folder
from zipmap_app.export.trajectory import quaternion_xyzw, tum_line
from zipmap_app.state.lengths import LengthUnit

VERTEX = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3), ("confidence", "<f4")])


def read_ply(path):
    header, _, body = path.read_bytes().partition(b"end_header\n")
    lines = header.decode("ascii").splitlines()
    count = next(int(line.split()[-1]) for line in lines if line.startswith("element vertex"))
    properties = [line.split()[1:] for line in lines if line.startswith("property")]
    return count, properties, np.frombuffer(body, VERTEX)


def rotation_about(axis, angle_rad):
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle_rad) * cross + (1 - np.cos(angle_rad)) * cross @ cross


def test_a_cloud_survives_the_way_through_a_file(tmp_path):
    positions = np.random.default_rng(0).normal(size=(70, 3)).astype(np.float32)
    with PlyWriter(tmp_path / "cloud.ply") as writer:
        writer.append(make_points(positions[:30], (255, 128, 1), 2.5))
        writer.append(make_points(positions[30:], (0, 7, 200), 3.5))
    count, properties, vertices = read_ply(tmp_path / "cloud.ply")
    assert count == len(vertices) == 70
    assert properties == [
        ["float", "x"], ["float", "y"], ["float", "z"],
        ["uchar", "red"], ["uchar", "green"], ["uchar", "blue"], ["float", "confidence"],
    ]  # fmt: skip
    np.testing.assert_array_equal(vertices["xyz"], positions)
    assert vertices["rgb"][0].tolist() == [255, 128, 1]
    assert vertices["rgb"][-1].tolist() == [0, 7, 200]
    assert vertices["confidence"][-1] == 3.5


def test_a_cloud_of_known_scale_is_written_in_metres(tmp_path):
    save_ply(tmp_path / "a.ply", [make_points(np.array([[1.0, -2.0, 4.0]]))], unit=LengthUnit(2.5))
    assert read_ply(tmp_path / "a.ply")[2]["xyz"].tolist() == [[2.5, -5.0, 10.0]]
    assert b", metres\n" in (tmp_path / "a.ply").read_bytes()


def test_the_header_has_one_length_for_every_count(tmp_path):
    for n in (0, 9, 12345):
        with PlyWriter(tmp_path / "a.ply") as writer:
            writer.append(make_points(np.zeros((n, 3))))
        assert read_ply(tmp_path / "a.ply")[0] == n


def test_a_cancelled_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.ply"
    path.write_bytes(b"old")
    blocks = [make_points(np.zeros((5, 3)))] * 3
    assert save_ply(path, blocks, is_cancelled=lambda: True) is None
    assert path.read_bytes() == b"old"
    reported = []
    assert save_ply(path, blocks, report=reported.append) == 15
    assert reported == [5, 10, 15]
    assert [file.name for file in tmp_path.iterdir()] == ["a.ply"]


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, -2, 3)])
@pytest.mark.parametrize("angle_rad", [0.0, 1e-7, 0.5, 2.0, np.pi - 1e-9, np.pi])
def test_quaternions_of_all_rotations(axis, angle_rad):
    quaternion = quaternion_xyzw(rotation_about(axis, angle_rad))
    expected = np.r_[np.sin(angle_rad / 2) * np.asarray(axis) / np.linalg.norm(axis), np.cos(angle_rad / 2)]
    assert abs(quaternion @ expected) == pytest.approx(1, abs=1e-12)
    assert quaternion[3] >= 0


def test_a_tum_line_has_time_position_and_quaternion():
    pose = np.eye(4)
    pose[:3, 3] = (1, -2.5, 3)
    assert tum_line(0.25, pose) == "0.250000 1 -2.5 3 0 0 0 1\n"


def test_spooled_arrays_read_like_any_other(tmp_path):
    maps = np.random.default_rng(0).random((5, 4, 6)).astype(np.float32)
    spool = ArraySpool(tmp_path / "depth.spool", np.dtype("<f4"))
    for item in maps:
        spool.append(item)
    with pytest.raises(ValueError, match="like the first"):
        spool.append(np.zeros((3, 3), np.float32))
    np.testing.assert_array_equal(spool[1], maps[1])
    maps[3] = 0.5
    spool[3] = maps[3]
    np.testing.assert_array_equal(spool[3], maps[3])
    spool.append(maps[0])  # at the end, wherever was read and written before
    maps = np.concatenate([maps, maps[:1]])
    with pytest.raises(IndexError, match="0 to 5"):
        spool[6]
    with pytest.raises(ValueError, match="like the first"):
        spool[0] = np.zeros((3, 3), np.float32)
    spool.close()
    write_npz(tmp_path / "a.npz", {"names": np.array(["a", "bc"])}, {"depth": spool})
    with np.load(tmp_path / "a.npz") as archive:
        np.testing.assert_array_equal(archive["depth"], maps)
        assert archive["names"].tolist() == ["a", "bc"]


def test_a_staged_folder_appears_at_the_end_only(tmp_path):
    target = tmp_path / "deep" / "out"
    with staged_folder(target) as stage:
        (stage / "a.txt").write_text("new")
        assert not target.exists()
    assert (target / "a.txt").read_text() == "new"
    assert [path.name for path in target.parent.iterdir()] == ["out"]


def test_an_existing_folder_changes_only_on_success(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    (target / "a.txt").write_text("old")
    (target / "mine.txt").write_text("mine")

    def fail_halfway():
        with staged_folder(target) as stage:
            (stage / "a.txt").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert (target / "a.txt").read_text() == "old"
    with staged_folder(target) as stage:
        (stage / "a.txt").write_text("new")
    assert (target / "a.txt").read_text() == "new"
    assert (target / "mine.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
