"""Archives of arrays (.npz) that are larger than memory."""

from __future__ import annotations

import math
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np

_COPY_BYTES = 1 << 20


class ArraySpool:
    """Equal arrays, appended one by one to a raw file: one (N, ...) array that never is in memory.

    Until it is closed its items can be read and replaced.
    """

    def __init__(self, path: Path, dtype: np.dtype) -> None:
        self.path = path
        self.dtype = np.dtype(dtype)
        self.n_items = 0
        self._item_shape: tuple[int, ...] | None = None
        self._file = path.open("w+b")

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.n_items, *(self._item_shape or ()))

    def append(self, item: np.ndarray) -> None:
        """Add one array. Raises ValueError if its shape differs from the first one's."""
        if self._item_shape is None:
            self._item_shape = item.shape
        if item.shape != self._item_shape:
            raise ValueError(f"item: want {self._item_shape} like the first one, got {item.shape}")
        self._file.write(np.ascontiguousarray(item, self.dtype).tobytes())
        self.n_items += 1

    def __getitem__(self, index: int) -> np.ndarray:
        self._seek(index)
        array = np.fromfile(self._file, self.dtype, math.prod(self.shape[1:]))
        self._file.seek(0, os.SEEK_END)
        return array.reshape(self.shape[1:])

    def __setitem__(self, index: int, item: np.ndarray) -> None:
        if item.shape != self._item_shape:
            raise ValueError(f"item: want {self._item_shape} like the first one, got {item.shape}")
        self._seek(index)
        self._file.write(np.ascontiguousarray(item, self.dtype).tobytes())
        self._file.seek(0, os.SEEK_END)

    def _seek(self, index: int) -> None:
        if not 0 <= index < self.n_items:
            raise IndexError(f"index: want 0 to {self.n_items - 1}, got {index}")
        self._file.flush()
        self._file.seek(index * math.prod(self.shape[1:]) * self.dtype.itemsize)

    def close(self) -> None:
        """Put everything on disk; harmless twice."""
        self._file.close()


def write_npz(path: Path, arrays: dict[str, np.ndarray], spools: dict[str, ArraySpool]) -> None:
    """Write arrays from memory and from closed spools as one uncompressed archive that np.load reads."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
        for name, spool in spools.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                header = {
                    "descr": np.lib.format.dtype_to_descr(spool.dtype),
                    "fortran_order": False,
                    "shape": spool.shape,
                }
                np.lib.format.write_array_header_1_0(member, header)
                with spool.path.open("rb") as raw:
                    shutil.copyfileobj(raw, member, _COPY_BYTES)
