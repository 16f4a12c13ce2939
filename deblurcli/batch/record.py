"""The outcome of a job, and the report that a run writes: a line of JSON per picture."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Generic, TypeVar

from deblurcli.batch.jobs import Job
from deblurcli.batch.phases import PHASES, Seconds
from deblurcli.batch.refusals import real
from deblurcli.errors import PlanError
from deblurcli.pictures import images, storage
from deblurcli.pictures.processed import Fields
from deblurcli.pictures.storage import STANDARD

_LONGEST_LINE = 1 << 20
DONE, FAILED, SKIPPED, PLANNED = "done", "failed", "skipped", "planned"


JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Outcome(Generic[JobT, ResultT]):
    """How one job went.

    seconds: that it took, and phases: those of its parts; see `phases`.
    result: what came of it; None where there is none, as of a job that failed.
    """

    job: JobT
    status: str
    seconds: float = 0.0
    error: str = ""
    result: ResultT | None = None
    phases: Seconds = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """A picture that was written.

    width, height: in pixels. fields: what report and manifest say of it besides. note: a line on it for people; empty
    for none.
    """

    width: int
    height: int
    fields: Fields = field(default_factory=dict)
    note: str = ""

    def record(self) -> Fields:
        """All of this as a line of JSON holds it."""
        note = {"note": self.note} if self.note else {}
        return {"width": self.width, "height": self.height, **self.fields, **note}


Pictures = Iterator[Outcome[Job, Written]]


def check(report: Path, to_be: Path = STANDARD) -> None:
    """Refuse a place for a report that will not do, before there is anything to report.

    to_be: a folder that will be made before the report is opened. Raises PlanError.
    """
    if report.suffix.lower() in images.SUFFIXES:
        raise PlanError(f"{report}: has a picture's file extension; choose a name such as report.jsonl for --report")
    if report == STANDARD:
        raise PlanError("--report takes a file, such as report.jsonl; --json prints a summary on standard output")
    folder = report.parent
    if not folder.is_dir() and (to_be == STANDARD or not Path(real(to_be)).is_relative_to(real(folder))):
        raise PlanError(f"{report}: there is no folder '{folder}'; make it, or choose another file for --report")
    with _writable(report):
        if report.is_file() and not _is_report(report):
            raise PlanError(
                f"{report}: exists, but is not a deblurcli report; remove it, or choose another file for --report"
            )


def opened(report: Path) -> IO[str]:
    """A report's file, emptied; PlanError when it cannot be written. See `check`."""
    with _writable(report):
        return report.open("w", encoding="utf-8", errors="surrogateescape")


@contextlib.contextmanager
def _writable(report: Path) -> Iterator[None]:
    """Make the system's complaints about a report ours."""
    try:
        yield
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


def recorded(outcomes: Pictures, report: IO[str], about: dict[str, str]) -> Pictures:
    """The outcomes, each written to the report as a line of JSON as it comes, and a summary behind the last.

    The summary says whether the run was interrupted. Raises PlanError behind the last outcome when a line could not be
    written; the pictures come first.
    """
    counts: Counter[str] = Counter(dict.fromkeys((DONE, SKIPPED, FAILED), 0))
    begun = time.perf_counter()
    complete, interrupted = True, False
    try:
        for outcome in outcomes:
            counts[outcome.status] += 1
            complete &= _write_line(report, {**_row(outcome), **about, **_result(outcome)})
            yield outcome
    except (KeyboardInterrupt, GeneratorExit):  # the latter where whoever takes the outcomes was interrupted
        interrupted = True
        raise
    finally:
        seconds = round(time.perf_counter() - begun, 3)
        end = {"seconds": seconds, "interrupted": interrupted, **about}
        complete &= _write_line(report, {"summary": True, **counts, **end})
        with contextlib.suppress(OSError):  # it was flushed line by line; what failed then fails again
            report.close()
    if not complete:
        raise PlanError(
            f"{report.name}: the report is incomplete because the disk refused a write; the pictures are done"
        )


def _row(outcome: Outcome[Job, Written]) -> Fields:
    """What the report says of every picture, whatever became of it."""
    return {
        "input": str(outcome.job.source),
        "output": str(outcome.job.target),
        "status": outcome.status,
        "seconds": round(outcome.seconds, 6),
        "phases": {name: round(outcome.phases.get(name, 0.0), 6) for name in PHASES},
        "error": outcome.error or None,
        "width": None,
        "height": None,
    }


def _result(outcome: Outcome[Job, Written]) -> Fields:
    """What the report says of a picture that was written."""
    return {} if outcome.result is None else outcome.result.record()


def _write_line(report: IO[str], row: dict) -> bool:
    """Append a line of JSON; whether the disk took it."""
    try:
        report.write(storage.as_json(row) + "\n")
        report.flush()
    except OSError:
        return False
    return True


def read(report: Path) -> dict[str, Fields]:
    """What a report says of each picture that was written, by the path of its output without its ending, with /.

    The path may begin at any of its folders, as the report may have been written elsewhere. Raises PlanError when the
    file cannot be read, or is no report.
    """
    try:
        lines = report.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError as error:
        raise PlanError(f"{report}: no report could be read ({error.strerror}); check the path") from error
    rows: dict[str, Fields] = {}
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict) or not ("status" in row or "summary" in row):
            raise PlanError(f"{report}: line {number} is not one of a report; name the file that --report wrote")
        if row.get("status") == DONE:
            parts = Path(row["output"]).with_suffix("").parts
            for first in range(len(parts)):
                rows.setdefault("/".join(parts[first:]), row)
    return rows
