"""The parts that the benchmark of `triage` is made of."""

from collections import Counter

import pytest

from deblurcli.choices import VERDICTS
from tests.bench.shake.options import DATA, Options
from tests.bench.triage.__main__ import RIGHT, separation, tables
from tests.bench.triage.labelled import BLURS, CLASSES, NOISES, pictures


def row(label, verdict, confidence, spec=""):
    family = "none" if verdict in ("sharp", "unsure") else "motion"
    course = {"sharp": "leave", "unsure": "blindly"}.get(verdict, "undo")
    return {
        "label": label, "spec": spec, "verdict": verdict, "family": family,
        "confidence": confidence, "course": course, "seconds": 1.0,
    }  # fmt: skip


def test_every_class_has_verdicts_that_are_right():
    assert set(RIGHT) == set(CLASSES) and set().union(*RIGHT.values()) == set(VERDICTS) - {"unsure"}


def test_blurred_pictures_are_told_from_sharp_ones_by_how_sure_their_blur_is():
    rows = [
        row("sharp", "sharp", 0.9),
        row("sharp", "unsure", 0.4),
        row("motion", "motion", 0.9),
        row("shake", "sharp", 0.7),
    ]
    assert separation(rows) == pytest.approx(3 / 4), "one pair of four is in the wrong order"


def test_tables_count_what_is_right_unsure_and_wrong():
    rows = [row(label, "sharp", 0.9, spec) for label, spec in zip(CLASSES, ("", "gaussian:1", "motion:6", "d", "t"))]
    rows += [row("motion", "motion", 0.9, "motion:6,angle=3"), row("motion", "unsure", 0.4, "motion:6,angle=3")]
    text = tables(rows)
    assert (
        "| motion | 3 | 0 | 1 | 0 | 0 | 0 | 1 | 1 | 33% | 33% |" in text
        and "| motion:6 | 3 | 33% | 33% | 33% |" in text
    )
    assert "sharp pictures that are left: 1 of 1 (100.0%)" in text and "right of all: 2 of 7" in text


@pytest.mark.skipif(not DATA.is_dir(), reason="the measured pictures are not in the repository")
def test_each_class_has_pictures_with_every_noise():
    found = Counter((each.label, each.noise) for each in pictures(Options(first=16)))
    assert all(found[label, noise] for label in BLURS for noise in NOISES)
