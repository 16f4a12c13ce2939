"""Scores of many pictures: gains over a baseline, means and medians, worst first. Nothing here reads or prints."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from deblurcli.metrics.table import METRICS

GAIN = "gain-"  # before the name of a metric: how much better than the baseline


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of one picture by metric, those of its baseline, and what is wrong with it.

    name: relative path without its ending. group: empty for none. values, baseline: keys of `table.METRICS`; one
    that could not be computed is not there. errors: a line for each thing that is missing or wrong. found: words on the
    blur that was found and on what was done; empty where nothing is known.
    """

    name: str
    values: dict[str, float]
    baseline: dict[str, float] = field(default_factory=dict)
    group: str = ""
    errors: tuple[str, ...] = ()
    found: str = ""

    def figure(self, key: str) -> float | None:
        """A score, or for ``gain-NAME`` the gain over the baseline; None when there is none.

        A gain is positive where the picture is better than its baseline, whatever the metric's direction. Two
        infinite scores are equal.
        """
        if not key.startswith(GAIN):
            return self.values.get(key)
        name = key.removeprefix(GAIN)
        value, before = self.values.get(name), self.baseline.get(name)
        if value is None or before is None:
            return None
        difference = 0.0 if value == before else value - before
        return difference if METRICS[name].higher_is_better else -difference


@dataclass(frozen=True)
class Summary:
    """What many figures come to.

    mean, median: infinite where an infinite figure makes them so, NaN where there is no such number.
    infinite: how many figures are infinite.
    """

    count: int
    mean: float
    median: float
    infinite: int


def summary(rows: Iterable[Scored], key: str) -> Summary:
    """The mean and median of a figure over the rows that have it.

    >>> summary([Scored("a", {"psnr": 30.0}), Scored("b", {"psnr": math.inf})], "psnr")
    Summary(count=2, mean=inf, median=inf, infinite=1)
    """
    figures = [value for row in rows if (value := row.figure(key)) is not None]
    endless = {value for value in figures if math.isinf(value)}
    if not figures:
        return Summary(0, math.nan, math.nan, 0)
    mean = sum(endless) if endless else statistics.fmean(figures)
    return Summary(len(figures), mean, statistics.median(figures), sum(map(math.isinf, figures)))


def badness(value: float | None, key: str) -> float:
    """A figure so that more is worse; a missing one is the least bad."""
    if value is None:
        return -math.inf
    return -value if is_better_higher(key) else value


def is_better_higher(key: str) -> bool:
    """Whether more is better: of all gains, and of the metrics that say so."""
    return key.startswith(GAIN) or METRICS[key].higher_is_better


def worst_first(rows: Iterable[Scored], key: str) -> list[Scored]:
    """The rows from the worst to the best by a figure, those without it last."""
    return sorted(rows, key=lambda row: (row.figure(key) is None, -badness(row.figure(key), key), row.name))


def by_group(rows: Iterable[Scored]) -> dict[str, list[Scored]]:
    """The rows of every group, sorted by the groups' names."""
    groups: dict[str, list[Scored]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    return dict(sorted(groups.items()))


def text(value: float | None, key: str) -> str:
    """A figure as people read it, without its unit; a gain has a sign."""
    if value is None:
        return "–"
    plain = METRICS[key.removeprefix(GAIN)].text(value)
    return f"+{plain}" if key.startswith(GAIN) and value > 0 else plain


def with_unit(value: float | None, key: str) -> str:
    """A figure as people read it, with its unit."""
    unit = "" if value is None or math.isnan(value) else METRICS[key.removeprefix(GAIN)].unit
    return f"{text(value, key)} {unit}".strip()


@dataclass(frozen=True)
class Results:
    """What a whole run of scoring came to.

    names: the metrics, in their order. rows: of all pictures that could be scored, by name. errors: a line for all
    that is missing or wrong. total: pictures there were. missing: those without a partner.
    """

    names: tuple[str, ...]
    rows: Sequence[Scored]
    errors: tuple[str, ...] = ()
    total: int = 0
    missing: int = 0
    convention: str = "tf"
    crop_border: int = 0
    has_baseline: bool = False
    grouped: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The figures of every row: each metric, and its gain behind it where there is a baseline."""
        return tuple(key for name in self.names for key in ((name, GAIN + name) if self.has_baseline else (name,)))
