"""``python -m tests.bench.shake NAME``: run one of the benchmarks of this folder."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2

from tests.bench.shake import faces, levin, motion, nights, real, rotation, sharp, speed
from tests.bench.shake.options import DATA, Options

BENCHMARKS: dict[str, Callable[[Options], None]] = {
    "levin": levin.main,
    "motion": motion.main,
    "nights": nights.main,
    "sharp": sharp.main,
    "faces": faces.main,
    "real": real.main,
    "rotation": rotation.main,
    "time": speed.main,
}


def _options() -> tuple[str, Options]:
    """The benchmark that is asked for, and its options."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.shake")
    parser.add_argument("name", choices=BENCHMARKS)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the pictures to measure on")
    parser.add_argument("--data-home", type=Path, help="scikit-learn's data folder, for faces; the same by default")
    parser.add_argument("--first", type=int, help="take so many pictures only, of each kind")
    parser.add_argument("--out", type=Path, default=Options.out, help="folder for pictures to look at")
    given = parser.parse_args()
    return given.name, Options(given.data, given.data_home, given.first, given.out)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    name, options = _options()
    BENCHMARKS[name](options)
