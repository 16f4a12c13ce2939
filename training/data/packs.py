"""Packs: many pictures in one file, 8 bits, that is mapped into memory and not read.

A pack is a ``.npy`` file of bytes: the number of pictures, the size of each, then the pixels of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import overload

import numpy as np

from deblurcli.errors import DeblurError


class PackError(DeblurError):
    """A pack that is missing or damaged."""


def write(path: Path, pictures: Sequence[np.ndarray]) -> None:
    """Write pictures, uint8 ``(H, W, 3)`` of any sizes, as a pack; the file appears whole or not at all."""
    sizes = np.array([picture.shape[:2] for picture in pictures], "<i8").reshape(-1, 2)
    head = np.concatenate([np.array([len(sizes)], "<i8"), sizes.ravel()]).view(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        np.save(file, np.concatenate([head, *(np.ravel(picture) for picture in pictures)]))
    part.replace(path)


class Pack(Sequence[np.ndarray]):
    """The pictures of a pack by their number, uint8 ``(H, W, 3)``, not to be written to.

    Sent to another process, it is the path that travels. Raises PackError when the file is no pack.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            self._bytes = np.load(path, mmap_mode="r")
            count = int(self._bytes[:8].view("<i8")[0])
            self.sizes = self._bytes[8 : 8 + 16 * count].view("<i8").reshape(count, 2)
        except (OSError, ValueError, IndexError) as error:
            raise PackError(f"{path}: not a pack ({error}); make it with python -m training pack") from error
        self._ends = 8 + 16 * count + np.cumsum([0, *(3 * self.sizes.prod(axis=1))])
        if self._ends[-1] != self._bytes.size:
            raise PackError(f"{path}: damaged, {self._bytes.size} bytes and not {self._ends[-1]}; make it again")

    def __len__(self) -> int:
        return len(self.sizes)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...

    @overload
    def __getitem__(self, index: slice) -> list[np.ndarray]: ...

    def __getitem__(self, index: int | slice) -> np.ndarray | list[np.ndarray]:
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        first, last = self._ends[index], self._ends[index + 1]
        return self._bytes[first:last].reshape(*self.sizes[index], 3)

    def __reduce__(self) -> tuple:
        return Pack, (self.path,)
