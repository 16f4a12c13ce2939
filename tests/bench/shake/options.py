"""What the benchmarks of this folder are told on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"  # beside the repository

Item = TypeVar("Item")


@dataclass(frozen=True)
class Options:
    """Options of a benchmark.

    data: folder of the pictures to measure on. data_home: scikit-learn's data folder, for faces; None for `data`.
    first: how many pictures to take; None for all. out: folder for pictures to look at.
    """

    data: Path = DATA
    data_home: Path | None = None
    first: int | None = None
    out: Path = Path("sheets")

    def some(self, items: Sequence[Item]) -> list[Item]:
        """The first of the items, as many as are to be taken."""
        return list(items[: self.first])

    def pictures(self, folder: str, pattern: str = "*.*") -> list[Path]:
        """The files of a folder of the data that are to be taken; FileNotFoundError when there are none."""
        found = sorted((self.data / folder).glob(pattern))
        if not found:
            raise FileNotFoundError(f"{self.data / folder}: holds no {pattern}; name the data folder with --data")
        return self.some(found)
