"""The tool as it comes: ``deblurcli deblur IN OUT`` on a folder of PNG files, and what its report says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from deblurcli.pictures import images
from deblurcli.pictures.images import Picture

TOLD = ("family", "confidence", "method", "note")  # fields of the report that the tables show


@dataclass(frozen=True)
class Restored:
    """What the tool made of a picture: pixels of 8 bits, ``(H, W, 1 or 3)``, and its line of the report."""

    pixels: np.ndarray
    row: dict[str, Any]

    @property
    def told(self) -> list[str]:
        """The cells for `TOLD`, empty where the report says nothing."""
        return [shown(self.row.get(name)) for name in TOLD]


def shown(value: Any) -> str:
    """A value as a cell of a table."""
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def deblurred(pictures: Mapping[str, Path | np.ndarray], *arguments: str) -> dict[str, Restored]:
    """What ``deblurcli deblur`` makes of pictures, by their names.

    pictures: files, which are taken as they are, or pixels of 8 bits, ``(H, W, 1 or 3)``, which are written as PNG.
    arguments: options of the command, besides the report and that the output is PNG.

    Raises CalledProcessError when a picture fails.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        for key, picture in pictures.items():
            _place(folder / "in", key, picture)
        run("deblur", folder / "in", folder / "out", "--format", "png", "--report", folder / "report.jsonl", *arguments)
        rows = report(folder / "report.jsonl")
        return {key: Restored(_pixels(folder / "out" / f"{key}.png"), rows[key]) for key in pictures}


def _place(folder: Path, key: str, picture: Path | np.ndarray) -> None:
    suffix = picture.suffix if isinstance(picture, Path) else ".png"
    target = folder / f"{key}{suffix}"
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(picture, Path):
        shutil.copyfile(picture, target)
    else:
        images.write_picture(target, Picture(picture))


def _pixels(path: Path) -> np.ndarray:
    return images.read_picture(path).pixels


def run(*arguments: str | Path) -> None:
    """Run a command of the tool, its messages on standard error."""
    subprocess.run([sys.executable, "-m", "deblurcli", *map(str, arguments)], check=True, stdout=sys.stderr)


def report(path: Path) -> dict[str, dict[str, Any]]:
    """The lines of a report by the names of the pictures, without their folder ``in`` and their endings."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    inside = path.parent / "in"
    pictures = [row for row in rows if "input" in row]
    return {Path(row["input"]).relative_to(inside).with_suffix("").as_posix(): row for row in pictures}
