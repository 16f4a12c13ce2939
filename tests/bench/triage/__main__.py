"""``python -m tests.bench.triage [cost]``: what `triage` says of pictures whose blur is known, or what `deblur` costs.

Printed are, for each class of blur, how many pictures got which verdict; the share that is right; the area under the
curve that tells blurred pictures from sharp ones; and CPU seconds a picture. `--rows` keeps a line of JSON for each
picture, and goes on where it was interrupted. Set OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1, so that threads that
wait for each other do not count.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.stats import rankdata

from deblurcli.choices import VERDICTS
from deblurcli.pipeline.triage import TriageWork
from tests.bench.shake import markdown
from tests.bench.shake.options import DATA, Options
from tests.bench.triage import cost
from tests.bench.triage.labelled import CLASSES, SHARP, Labelled, pictures

Row = dict[str, Any]
# The verdicts that are right for each class.
RIGHT = {
    SHARP: {"sharp"},
    "gaussian": {"soft", "slightly-soft"},
    "motion": {"motion"},
    "defocus": {"defocus"},
    "shake": {"shaken"},
}


def looked_at(each: Labelled) -> Row:
    """What `triage` says of a picture."""
    begun = time.process_time()
    found = TriageWork()(each.picture, each.name)
    return {
        "name": each.name,
        "label": each.label,
        "spec": each.spec,
        "verdict": found.verdict,
        "family": found.family,
        "pixels": found.pixels,
        "confidence": found.confidence,
        "course": found.course,
        "seconds": round(time.process_time() - begun, 3),
    }


def separation(rows: Sequence[Row]) -> float:
    """Area under the curve: the chance that a blurred picture looks more blurred than a sharp one.

    A picture looks the more blurred the surer its blur is, and the less the surer it is that there is none.
    """
    scores = [1 - row["confidence"] if row["family"] == "none" else 1 + row["confidence"] for row in rows]
    blurred = np.array([row["label"] != SHARP for row in rows])
    count = blurred.sum()
    return float((rankdata(scores)[blurred].sum() - count * (count + 1) / 2) / (count * (~blurred).sum()))


def tables(rows: Sequence[Row]) -> str:
    """The tables by class and by blur, and the figures of all."""
    heads = ["class", "pictures", *VERDICTS, "right", "wrong"]
    lines = [_line(label, [row for row in rows if row["label"] == label]) for label in CLASSES]
    blurs = list(dict.fromkeys(row["spec"].partition(",")[0] for row in rows if row["spec"]))
    by_blur = [[name, *_shares([row for row in rows if row["spec"].partition(",")[0] == name])] for name in blurs]
    sharp = [row for row in rows if row["label"] == SHARP]
    others = [row for row in rows if row["label"] != SHARP]
    ends = [
        f"area under the curve, sharp against blurred: {separation(rows):.3f}",
        f"sharp pictures that are left: {markdown.share([row['course'] == 'leave' for row in sharp])}",
        f"blurred pictures that are acted on: {markdown.share([row['course'] != 'leave' for row in others])}",
        f"right of all: {markdown.share([_is_right(row) for row in rows])}",
        "CPU seconds a picture: mean {:.2f}, median {:.2f}, most {:.2f}".format(*_seconds(rows)),
    ]
    blurs_table = markdown.table(["blur", "pictures", "right", "unsure", "wrong"], sorted(by_blur))
    return "\n\n".join([markdown.table(heads, lines), blurs_table, "\n".join(ends)])


def _is_right(row: Row) -> bool:
    return row["verdict"] in RIGHT[row["label"]]


def _line(label: str, rows: Sequence[Row]) -> list[str]:
    counts = [str(sum(row["verdict"] == verdict for row in rows)) for verdict in VERDICTS]
    count, right, _, wrong = _shares(rows)
    return [label, count, *counts, right, wrong]


def _shares(rows: Sequence[Row]) -> list[str]:
    """How many pictures, and the shares that are right, unsure and wrong."""
    right, unsure = np.mean([_is_right(row) for row in rows]), np.mean([row["verdict"] == "unsure" for row in rows])
    return [str(len(rows)), f"{right:.0%}", f"{unsure:.0%}", f"{max(1 - right - unsure, 0.0):.0%}"]


def _seconds(rows: Sequence[Row]) -> tuple[float, float, float]:
    seconds = [row["seconds"] for row in rows]
    return float(np.mean(seconds)), float(np.median(seconds)), max(seconds)


def main(options: Options, kept: Path | None) -> None:
    """Look at all pictures, and print the tables."""
    rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept and kept.exists() else []
    known = {row["name"] for row in rows}
    for each in pictures(options):
        if each.name in known:
            continue
        rows.append(looked_at(each))
        if kept:
            with kept.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    print(tables(rows))


if __name__ == "__main__":
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(prog="python -m tests.bench.triage")
    parser.add_argument("what", nargs="?", choices=("verdicts", "cost"), default="verdicts")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the pictures to measure on")
    parser.add_argument("--first", type=int, help="take so many pictures only, of each source")
    parser.add_argument("--rows", type=Path, help="file for a line of JSON for each picture")
    given = parser.parse_args()
    options = Options(given.data, first=given.first)
    if given.what == "cost":
        cost.main(options)
    else:
        main(options, given.rows)
