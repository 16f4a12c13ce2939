"""The outcome of a job, and the report that a run writes: a line of JSON per picture."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from deblurcli.batch.pairing import Row
from deblurcli.batch.planning import Job
from deblurcli.errors import PlanError
from deblurcli.pictures import images, storage
from deblurcli.pictures.storage import STANDARD

_LONGEST_LINE = 1 << 20
DONE, FAILED, SKIPPED, PLANNED = "done", "failed", "skipped", "planned"


@dataclass(frozen=True)
class Outcome:
    """How one job went."""

    job: Job | Row
    status: str
    seconds: float = 0.0
    error: str = ""
    extras: dict = field(default_factory=dict)


def opened(report: Path) -> IO[str]:
    """A report's file, emptied; PlanError when it may not be replaced or cannot be written."""
    if report.suffix.lower() in images.SUFFIXES:
        raise PlanError(f"{report}: is the name of a picture; name the --report something like report.jsonl")
    if report == STANDARD:
        raise PlanError("--report takes a file, such as report.jsonl; --json prints a summary on standard output")
    try:
        if report.is_file() and not _is_report(report):
            raise PlanError(f"{report}: is there and no earlier report; remove it, or choose another file for --report")
        return report.open("w", encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise PlanError(f"{report}: cannot be written ({error.strerror}); choose another file for --report") from error


def _is_report(path: Path) -> bool:
    """Whether a file is empty or begins as reports do."""
    with path.open("rb") as file:
        line = file.readline(_LONGEST_LINE)
    try:
        row = json.loads(line or b'{"summary": true}')
    except ValueError:
        return False
    return isinstance(row, dict) and ("status" in row or "summary" in row)


def recorded(outcomes: Iterator[Outcome], report: IO[str], about: dict[str, str]) -> Iterator[Outcome]:
    """The outcomes, each written to the report as a line of JSON as it comes, and a summary behind the last.

    Raises PlanError behind the last when a line could not be written; the pictures come first.
    """
    counts, begun = Counter(dict.fromkeys((DONE, SKIPPED, FAILED), 0)), time.perf_counter()
    complete = True
    try:
        for outcome in outcomes:
            counts[outcome.status] += 1
            complete &= _write_line(report, {**_row(outcome), **about, **outcome.extras})
            yield outcome
    finally:
        seconds = round(time.perf_counter() - begun, 3)
        complete &= _write_line(report, {"summary": True, **counts, "seconds": seconds, **about})
        with contextlib.suppress(OSError):  # it was flushed line by line; what failed then fails again
            report.close()
    if not complete:
        raise PlanError(f"{report.name}: the report is not complete, the disk refused it; the pictures are done")


def _row(outcome: Outcome) -> dict:
    """What the report says of one picture."""
    return {
        "input": str(outcome.job.source),
        "output": str(outcome.job.target),
        "status": outcome.status,
        "seconds": round(outcome.seconds, 6),
        "error": outcome.error or None,
        "width": outcome.extras.get("width"),
        "height": outcome.extras.get("height"),
    }


def _write_line(report: IO[str], row: dict) -> bool:
    """Append a line of JSON; whether the disk took it."""
    try:
        report.write(storage.as_json(row) + "\n")
        report.flush()
    except OSError:
        return False
    return True
