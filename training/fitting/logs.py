"""The logs of a fit: CSV files that go on where the checkpoint does, and TensorBoard where asked for."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from deblurcli.errors import DeblurError


class LogError(DeblurError):
    """A log that cannot be kept."""


class Log:
    """A CSV file of numbers; its first column, the step or the epoch, only grows.

    last: what the checkpoint knows of; lines beyond it, of steps that will be made again, are dropped.
    board: a TensorBoard writer that gets the same numbers.
    """

    def __init__(self, path: Path, columns: Sequence[str], last: int, board=None):
        self.path, self.columns, self.board = path, columns, board
        kept = [row for row in read(path) if int(row[columns[0]]) <= last]
        if path.exists() and len(kept) < len(read(path)):
            self._write([row.values() for row in kept], "w")

    def add(self, row: Sequence) -> None:
        """Append a line, under a header if it is the first."""
        self._write([row], "a")
        if self.board is not None:
            for name, value in zip(self.columns[1:], row[1:]):
                self.board.add_scalar(f"{self.path.stem}/{name}", float(value), int(row[0]))
            self.board.flush()

    def _write(self, rows, mode: str) -> None:
        fresh = mode == "w" or not self.path.exists()
        with self.path.open(mode, newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([self.columns, *rows] if fresh else rows)


def read(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV log by column; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def board(folder: Path):
    """A TensorBoard writer into that folder; LogError names the package when it is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise LogError("--tensorboard needs the package tensorboard: pip install tensorboard") from error
    return SummaryWriter(str(folder))
