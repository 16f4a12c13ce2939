"""A page that shows scores: one HTML file that holds its own style, script, numbers and pictures, and fetches nothing.

Its parts lie beside this file: ``page.html`` is the frame, ``page.css`` the style, ``page.js`` what it does. Numbers
stand in the page as JSON, pictures as data URIs, both in elements that no browser runs or shows by itself; a content
security policy lets nothing else run or load.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import IO

from deblurcli.errors import PlanError
from deblurcli.metrics.table import METRICS
from deblurcli.pictures import storage
from deblurcli.reports.gates import Verdict
from deblurcli.reports.results import Results, Scored, by_group, is_better_higher, summary, worst_first
from deblurcli.reports.thumbnails import ThumbnailStore

ENDINGS = (".html", ".htm")
SIGNIFICANT = 10  # digits of a number in the page
MOST_ERRORS = 1000


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


def check_name(output: Path) -> None:
    """PlanError for a page whose name has another ending."""
    if output.suffix.lower() not in ENDINGS:
        raise PlanError(f"{output}: does not end in .html; choose a name such as report.html for --html")


def write(output: Path, contents: Contents, store: ThumbnailStore) -> None:
    """Write the page in place of `output`, picture by picture.

    store: the thumbnails of the rows, by name. Raises ImageError when the disk refuses.
    """
    results = contents.results
    names = [row.name for row in worst_first(results.rows, results.names[0])]
    shown = store.shown(names)
    parts = {
        "policy": lambda: iter([_policy()]),
        "title": lambda: iter([escape(_title(contents.places))]),
        "style": lambda: iter([_part("page.css")]),
        "script": lambda: iter([_part("page.js")]),
        "data": lambda: _data(contents, shown),
        "pictures": lambda: _pictures(results, store, names, shown),
    }
    with storage.replacing(output) as file:
        for text in _filled(_part("page.html"), parts):
            _put(file, text)


def _put(file: IO[bytes], text: str) -> None:
    file.write(text.encode("utf-8", "backslashreplace"))


def _filled(frame: str, parts: dict) -> Iterator[str]:
    """The frame with ``[[name]]`` replaced by the parts, which come piece by piece."""
    head, *rest = frame.split("[[")
    yield head
    for piece in rest:
        name, _, after = piece.partition("]]")
        yield from parts[name]()
        yield after


def _part(name: str) -> str:
    return (files("deblurcli.reports.html") / name).read_text(encoding="utf-8")


def _policy() -> str:
    """Nothing but this page's own style and script, and pictures that stand in it."""
    allowed = {
        kind: base64.b64encode(hashlib.sha256(_part(name).encode()).digest()).decode()
        for kind, name in (("style-src", "page.css"), ("script-src", "page.js"))
    }
    rules = "; ".join(f"{kind} 'sha256-{digest}'" for kind, digest in allowed.items())
    return f"default-src 'none'; img-src data:; {rules}; base-uri 'none'; form-action 'none'"


def _title(places: Places) -> str:
    return f"Scores of {storage.name_of(places.restored)}"


def _as_data(value: object) -> str:
    """JSON that cannot end the element it stands in."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _data(contents: Contents, shown: set[str]) -> Iterator[str]:
    """All the page tells, as JSON, row by row."""
    results = contents.results
    yield _as_data(_head(contents, len(shown)))[:-1]
    yield ',"rows":['
    for index, row in enumerate(results.rows):
        yield f"{',' if index else ''}{_as_data(_row(row, results, row.name in shown))}"
    yield "]}"


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
    """Name, group, scores, gains (where there is a baseline), and whether there are pictures to look at."""
    values = [_number(row.values.get(name)) for name in results.names]
    gains = [_number(row.figure(f"gain-{name}")) for name in results.names] if results.has_baseline else []
    return [row.name, row.group, values, gains, int(has_pictures)]


def _pictures(results: Results, store: ThumbnailStore, names: list[str], shown: set[str]) -> Iterator[str]:
    """Thumbnails and pictures, worst first, each in an element of its own that is read when it is looked at."""
    order = {row.name: index for index, row in enumerate(results.rows)}
    for name, thumbnail, pictures in store.read(names, shown):
        index = order[name]
        if thumbnail:
            yield f'<script type="text/plain" id="t{index}">{thumbnail.decode()}</script>\n'
        if pictures:
            yield f'<script type="text/plain" id="p{index}">{pictures.decode()}</script>\n'
