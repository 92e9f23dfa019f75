"""The frames of the run, kept for the timeline: a thumbnail of each, full pictures as far as memory allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zipmap_app.state.event import Event
from zipmap_app.state.messages import FrameResult, FrameTimings
from zipmap_app.state.points import seal

THUMBNAIL_WIDTH = 96
_N_NEWEST_KEPT = 32  # the newest details are never thinned: they are looked at most
_THUMBNAIL_SHARE = 0.4  # of the memory


@dataclass(frozen=True, slots=True, eq=False)
class FrameRecord:
    """One processed frame, without its large arrays."""

    position: int  # place among the processed frames, from 0
    frame_index: int  # place in the source
    timestamp_s: float
    name: str
    world_from_camera: np.ndarray  # (4, 4) float64
    intrinsics: np.ndarray  # (3, 3) float64, pixels of an image of ``size_hw``
    size_hw: tuple[int, int]
    thumbnail: np.ndarray  # (h, w, 3) uint8, at most THUMBNAIL_WIDTH wide
    n_points: int
    n_dropped: int
    is_keyframe: bool
    timings: FrameTimings

    def __post_init__(self) -> None:
        seal(self.world_from_camera, self.intrinsics, self.thumbnail)


@dataclass(frozen=True, slots=True, eq=False)
class FrameDetail:
    """The large arrays of one frame, as compact as looking at them allows."""

    rgb: np.ndarray  # (H, W, 3) uint8
    depth: np.ndarray  # (H, W) float16
    confidence: np.ndarray  # (H, W) float16

    @property
    def memory_bytes(self) -> int:
        return self.rgb.nbytes + self.depth.nbytes + self.confidence.nbytes


class FrameHistory:
    """Records of all frames in order of processing, details of as many as fit. GUI thread only.

    When the details outgrow their share of ``max_bytes``, half of them go, so that those left are spread evenly
    over the run; keyframes and the newest stay longest. When the thumbnails outgrow theirs, half of them are
    replaced by the one before.
    """

    def __init__(self, max_bytes: int = 256 * 2**20) -> None:
        self.appended: Event[[FrameRecord]] = Event()
        self.changed: Event[[]] = Event()  # anything else: truncated, restored, refined, cleared
        self._max_thumbnail_bytes = int(_THUMBNAIL_SHARE * max_bytes)
        self._max_detail_bytes = max_bytes - self._max_thumbnail_bytes
        self._records: list[FrameRecord] = []
        self._details: dict[int, FrameDetail] = {}
        self._detail_bytes = 0
        self._thumbnail_bytes = 0

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, position: int) -> FrameRecord:
        return self._records[position]

    @property
    def records(self) -> Sequence[FrameRecord]:
        return tuple(self._records)

    @property
    def memory_bytes(self) -> int:
        return self._detail_bytes + self._thumbnail_bytes

    def detail(self, position: int) -> FrameDetail | None:
        """Picture, depth and confidence of a frame, or None where memory did not allow to keep them."""
        return self._details.get(position)

    def append(self, frame: FrameResult) -> None:
        height, width = frame.rgb.shape[:2]
        record = FrameRecord(
            position=len(self._records),
            frame_index=frame.frame_index,
            timestamp_s=frame.timestamp_s,
            name=frame.name,
            world_from_camera=frame.world_from_camera,
            intrinsics=frame.intrinsics,
            size_hw=(height, width),
            thumbnail=_thumbnail(frame.rgb),
            n_points=len(frame.points),
            n_dropped=frame.n_dropped,
            is_keyframe=frame.is_keyframe,
            timings=frame.timings,
        )
        detail = FrameDetail(frame.rgb, _compact(frame.depth), _compact(frame.confidence))
        self._records.append(record)
        self._details[record.position] = detail
        self._detail_bytes += detail.memory_bytes
        if self._detail_bytes > self._max_detail_bytes:
            self._thin()
        self._thumbnail_bytes += record.thumbnail.nbytes
        if self._thumbnail_bytes > self._max_thumbnail_bytes:
            self._share_thumbnails()
        self.appended.emit(record)

    def truncate(self, n_frames: int) -> HistoryTail:
        """Cut off what follows the first ``n_frames`` frames and return it."""
        details = {place: self._details.pop(place) for place in list(self._details) if place >= n_frames}
        tail = HistoryTail(tuple(self._records[n_frames:]), details)
        del self._records[n_frames:]
        self._detail_bytes -= tail.detail_bytes
        self._thumbnail_bytes = _n_bytes(_thumbnails(self._records))
        self.changed.emit()
        return tail

    def restore(self, tail: HistoryTail) -> None:
        """Put back what ``truncate`` returned, after exactly as many frames as it had left."""
        if tail.records and tail.records[0].position != len(self._records):
            raise ValueError(f"the tail starts at {tail.records[0].position}, not at {len(self._records)}")
        self._records.extend(tail.records)
        self._details.update(tail.details)
        self._detail_bytes += tail.detail_bytes
        self._thumbnail_bytes = _n_bytes(_thumbnails(self._records))
        self.changed.emit()

    def set_cameras(self, world_from_camera: np.ndarray) -> None:
        """Give every frame another camera, (N, 4, 4)."""
        if len(world_from_camera) != len(self._records):
            raise ValueError(f"want {len(self._records)} cameras, got {len(world_from_camera)}")
        self._records = [
            replace(record, world_from_camera=pose.copy())
            for record, pose in zip(self._records, world_from_camera, strict=True)
        ]
        self.changed.emit()

    def clear(self) -> None:
        self._records.clear()
        self._details.clear()
        self._detail_bytes = self._thumbnail_bytes = 0
        self.changed.emit()

    def _thin(self) -> None:
        newest = len(self._records) - _N_NEWEST_KEPT
        old = [place for place in self._details if place < newest]
        passing = [place for place in old if not self._records[place].is_keyframe]
        # Those that show little new; of the keyframes only when there are no others left.
        candidates = passing or old
        gone = set(candidates) - _evenly_spread(candidates, len(candidates) // 2)
        for place in sorted(gone) or list(self._details)[:1]:
            self._detail_bytes -= self._details.pop(place).memory_bytes

    def _share_thumbnails(self) -> None:
        """Let go of half of the pictures, but for those of the newest frames."""
        old = self._records[:-_N_NEWEST_KEPT]
        firsts = [0] + [
            place for place in range(1, len(old)) if old[place].thumbnail is not old[place - 1].thumbnail
        ]
        kept = _evenly_spread(firsts, len(firsts) // 2)
        last = self._records[0].thumbnail
        for place, record in enumerate(old):
            if place in kept:
                last = record.thumbnail
            elif record.thumbnail is not last:
                self._records[place] = replace(record, thumbnail=last)
        self._thumbnail_bytes = _n_bytes(_thumbnails(self._records))


@dataclass(frozen=True, slots=True, eq=False)
class HistoryTail:
    """Frames that were cut off."""

    records: tuple[FrameRecord, ...]
    details: dict[int, FrameDetail]

    @property
    def detail_bytes(self) -> int:
        return sum(detail.memory_bytes for detail in self.details.values())


def _evenly_spread(places: Sequence[int], n_kept: int) -> set[int]:
    """About so many of the ascending places, as far apart as they come: where they lie thick, more of them go."""
    if not places or not n_kept:
        return set()
    spacing = (places[-1] - places[0] + 1) / n_kept
    kept, due = set(), float(places[0])
    for place in places:
        if place >= due:
            kept.add(place)
            due = max(due + spacing, place + 0.5 * spacing)
    return kept


def _thumbnails(records: Sequence[FrameRecord]) -> list[np.ndarray]:
    """Each picture once, in the order of the frames."""
    return list({id(record.thumbnail): record.thumbnail for record in records}.values())


def _n_bytes(pictures: Sequence[np.ndarray]) -> int:
    return sum(picture.nbytes for picture in pictures)


def _thumbnail(rgb: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8: four pixels of every cell averaged, quick and calmer than skipping pixels."""
    cell = max(-(-rgb.shape[1] // THUMBNAIL_WIDTH), 1)
    height, width = rgb.shape[0] // cell, rgb.shape[1] // cell
    total = np.zeros((height, width, 3), np.uint16)
    for y in (cell // 4, 3 * cell // 4):
        for x in (cell // 4, 3 * cell // 4):
            total += rgb[y::cell, x::cell][:height, :width]
    return (total // 4).astype(np.uint8)


def _compact(values: np.ndarray) -> np.ndarray:
    limit = np.finfo(np.float16).max
    compact = np.clip(values, -limit, limit).astype(np.float16)
    seal(compact)
    return compact
