"""What `triage` says of pictures, in words. Nothing here reads or prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deblurcli.choices import BLURRED, COURSES, VERDICTS

# How people read the verdicts, and what `deblur` would do.
WORDS = {
    "shaken": "camera shake",
    "motion": "motion blur",
    "defocus": "out of focus",
    "soft": "soft",
    "slightly-soft": "slightly soft",
    "unsure": "unsure",
    "sharp": "sharp",
}
PLANS: dict[str, str] = dict(zip(COURSES, ("undo it", "restore it blindly", "leave it")))
ACTED_ON = VERDICTS[:-2]  # the verdicts for which a blur is certain
_FAMILIES = {"general": "camera shake", "motion": "motion", "defocus": "wrong focus", "gaussian": "softness"}
_MINUTE, _HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is known of one picture's blur.

    name: path below the input folder. verdict: one of `VERDICTS`. family, spec, confidence: of the estimate; see
    `estimate.Estimate`. pixels: how many a point is spread over. course: one of `COURSES`, what `deblur` would do.
    seconds: CPU time that it would take, about. width, height: of the picture in pixels.
    """

    name: str
    verdict: str
    family: str
    pixels: float
    spec: str | None
    confidence: float
    course: str
    seconds: float
    width: int
    height: int

    @property
    def words(self) -> str:
        """The verdict as people read it, with its size."""
        return in_words(self.verdict, self.family, self.pixels)

    @property
    def plan(self) -> str:
        """What `deblur` would do, as people read it."""
        return PLANS[self.course]

    @property
    def badness(self) -> float:
        """A number that is larger for worse pictures; see the function of that name."""
        return badness(self.verdict, self.pixels)


def in_words(verdict: str, family: str, size: float) -> str:
    """A verdict as people read it, with the size of the blur in pixels.

    >>> in_words("motion", "motion", 11.6), in_words("unsure", "motion", 4.2), in_words("sharp", "none", 0)
    ('motion blur, 12 pixels', 'unsure, maybe motion, 4.2 pixels', 'sharp')
    """
    if verdict in ACTED_ON:
        return f"{WORDS[verdict]}, {pixels(size)}"
    if verdict == "unsure" and family in _FAMILIES:
        return f"unsure, maybe {_FAMILIES[family]}, {pixels(size)}"
    return WORDS[verdict]


def of_report(row: Mapping[str, Any]) -> str:
    """Words on the blur that a line of a report tells of, and on what was done; empty where it tells of neither."""
    known = "verdict" in row
    blur = f"blur found: {in_words(row['verdict'], row['family'], row['pixels'])}" if known else ""
    spec = f"({row['psf']})" if row.get("psf") else ""
    return "; ".join(filter(None, (f"{blur} {spec}".strip(), row.get("note"))))


def badness(verdict: str, size: float) -> float:
    """A number that is larger for worse pictures: a certain blur by its size, then what is unsure, then sharp."""
    if verdict in ACTED_ON:
        return 1 + size
    return 0.0 if verdict == "unsure" else -1.0


def pixels(size: float) -> str:
    """A size as people read it.

    >>> pixels(2.36), pixels(24.8)
    ('2.4 pixels', '25 pixels')
    """
    return f"{size:.1f} pixels" if size < 10 else f"{size:.0f} pixels"


def duration(seconds: float) -> str:
    """A time as people read it, no finer than an estimate deserves.

    >>> duration(0.4), duration(23), duration(400), duration(9000)
    ('1 s', '23 s', '7 minutes', '2.5 hours')
    """
    if seconds < 2 * _MINUTE:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / _MINUTE:.0f} minutes" if seconds < 2 * _HOUR else f"{seconds / _HOUR:.1f} hours"


def worst_first(diagnoses: Iterable[Diagnosis]) -> list[Diagnosis]:
    """From the largest certain blur to the sharp pictures; by name where they are alike."""
    return sorted(diagnoses, key=lambda each: (-each.badness, each.name))


def counts(diagnoses: Iterable[Diagnosis]) -> dict[str, int]:
    """How many pictures got each verdict, in the order of `VERDICTS`."""
    found = Counter(each.verdict for each in diagnoses)
    return {verdict: found[verdict] for verdict in VERDICTS}


def meant(names: Sequence[str]) -> frozenset[str]:
    """The verdicts that names stand for; `BLURRED` stands for several."""
    return frozenset(verdict for name in names for verdict in (ACTED_ON if name == BLURRED else (name,)))
