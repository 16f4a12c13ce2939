"""What tesseract reads on a picture, and how far that is from what is written there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from deblurcli.pictures import images
from deblurcli.pictures.images import Picture

_BLOCK = "6"  # tesseract's mode for one block of text


def read(pixels: np.ndarray) -> str:
    """What tesseract reads on a picture of 8 bits, ``(H, W, 1 or 3)``."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "page.png")
        images.write_picture(path, Picture(pixels))
        command = ["tesseract", str(path), "stdout", "--psm", _BLOCK, "-l", "eng"]
        environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def error_rate(found: str, written: str) -> float:
    """The character error rate, 0 to 1: letters to replace, leave out or put in, as a share of those written.

    Any white space counts as one space. It is Levenshtein's distance over the length of what is written; a text that
    needs more than that is wrong altogether, and counts as 1.
    """
    found, written = " ".join(found.split()), " ".join(written.split())
    target = np.array([ord(char) for char in written])
    places = np.arange(len(target) + 1)
    row = places.copy()
    for count, char in enumerate(found, start=1):
        kept = np.minimum(row[1:] + 1, row[:-1] + (target != ord(char)))
        row = np.minimum.accumulate(np.concatenate([[count], kept]) - places) + places
    return min(1.0, float(row[-1]) / len(target))
