"""The page that shows scores: a slider for the pictures, a table, and charts; see `document`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deblurcli.metrics.table import METRICS
from deblurcli.pictures import storage
from deblurcli.reports.gates import Verdict
from deblurcli.reports.html import document
from deblurcli.reports.html.document import MOST_ERRORS, Frame, data_of, picture_elements
from deblurcli.reports.results import Results, Scored, by_group, is_better_higher, summary, worst_first
from deblurcli.reports.thumbnails import ThumbnailStore

FRAME = Frame("page.html", ("base.css", "page.css"), ("common.js", "page.js"))
SIGNIFICANT = 10  # digits of a number in the page


@dataclass(frozen=True)
class Places:
    """Where the pictures are: a file, a folder or `storage.STANDARD` each; None where there are none."""

    restored: Path
    sharp: Path | None = None
    baseline: Path | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """What kinds of pictures there are, in the order of `given`."""
        return tuple(role for role in ("restored", "sharp", "baseline") if getattr(self, role) is not None)

    @property
    def compared(self) -> tuple[str, ...]:
        """Those without which there is no score."""
        return tuple(role for role in self.roles if role != "baseline")

    @property
    def given(self) -> tuple[Path, ...]:
        """The places there are."""
        return tuple(getattr(self, role) for role in self.roles)


@dataclass(frozen=True)
class Contents:
    """What a page tells."""

    results: Results
    verdicts: list[Verdict]
    places: Places


def write(output: Path, contents: Contents, store: ThumbnailStore) -> None:
    """Write the page in place of `output`, picture by picture.

    store: the thumbnails of the rows, by name. Raises ImageError when the disk refuses.
    """
    results = contents.results
    names = [row.name for row in worst_first(results.rows, results.names[0])]
    shown = store.shown(names)
    rows = (_row(row, results, row.name in shown) for row in results.rows)
    order = {row.name: index for index, row in enumerate(results.rows)}
    pictures = picture_elements(order, store, names, shown)
    document.write(output, FRAME, _title(contents.places), _data(contents, len(shown), rows), pictures)


def _data(contents: Contents, shown: int, rows: Iterator[list]) -> Iterator[str]:
    """All the page tells, once it is asked for."""
    yield from data_of(_head(contents, shown), rows)


def _title(places: Places) -> str:
    return f"Scores of {storage.name_of(places.restored)}"


def _head(contents: Contents, shown: int) -> dict:
    """What the page tells besides the rows."""
    results, places = contents.results, contents.places
    return {
        "title": _title(places),
        "places": {role: storage.name_of(place) for role, place in zip(places.roles, places.given)},
        "metrics": [_metric(name) for name in results.names],
        "convention": results.convention,
        "cropBorder": results.crop_border,
        "total": results.total,
        "missing": results.missing,
        "errors": list(results.errors[:MOST_ERRORS]),
        "errorCount": len(results.errors),
        "baseline": results.has_baseline,
        "grouped": results.grouped,
        "summary": {key: _summary(results.rows, key) for key in results.keys},
        "groups": _groups(results),
        "gates": [_verdict(verdict) for verdict in contents.verdicts],
        "roles": list(places.roles),
        "slides": shown,
    }


def _metric(name: str) -> dict:
    metric = METRICS[name]
    return {
        "name": name,
        "unit": metric.unit,
        "higher": metric.higher_is_better,
        "digits": metric.digits,
        "definition": metric.definition,
        "source": metric.source,
    }


def _number(value: float | None) -> float | str | None:
    """A number as the page reads it: rounded, and an infinite one as a text."""
    if value is None or math.isnan(value):
        return None
    return float(f"{value:.{SIGNIFICANT}g}") if math.isfinite(value) else str(value)


def _summary(rows: Sequence[Scored], key: str) -> dict:
    found = summary(rows, key)
    return {
        "count": found.count,
        "mean": _number(found.mean),
        "median": _number(found.median),
        "infinite": found.infinite,
    }


def _groups(results: Results) -> list[dict]:
    """The means of every group; none where rows are not grouped."""
    groups = by_group(results.rows) if results.grouped else {}
    return [
        {
            "name": name,
            "count": len(members),
            "means": {key: _number(summary(members, key).mean) for key in results.keys},
        }
        for name, members in groups.items()
    ]


def _verdict(verdict: Verdict) -> dict:
    return {
        "key": verdict.gate.key,
        "limit": verdict.gate.limit,
        "higher": is_better_higher(verdict.gate.key),
        "on": verdict.on,
        "passed": verdict.passed,
        "mean": _number(verdict.mean),
        "failing": len(verdict.failing),
    }


def _row(row: Scored, results: Results, has_pictures: bool) -> list:
    """Name, group, scores, gains (where there is a baseline), whether there are pictures to look at, the blur found."""
    values = [_number(row.values.get(name)) for name in results.names]
    gains = [_number(row.figure(f"gain-{name}")) for name in results.names] if results.has_baseline else []
    return [row.name, row.group, values, gains, int(has_pictures), row.found]
