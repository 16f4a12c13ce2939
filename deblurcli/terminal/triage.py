"""What people and programs see of a triage: a line for each picture, JSON or CSV on stdout, counts on stderr."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, fields

from rich.table import Column, Table

from deblurcli.batch.jobs import Job
from deblurcli.batch.run import Batch
from deblurcli.choices import COURSES
from deblurcli.errors import DeblurError
from deblurcli.reports.diagnoses import WORDS, Diagnosis, counts, duration, worst_first
from deblurcli.terminal.messages import INTERRUPTED, MOST_ERRORS, OK, PARTLY, emit, list_errors, say
from deblurcli.terminal.progress import follow

TABLE, JSON, CSV = "table", "json", "csv"


def triaged(
    batch: Batch[Job, Diagnosis], form: str = TABLE, quiet: bool = False, fail_on: frozenset[str] = frozenset()
) -> int:
    """Run a triage to its end, show what came of it, worst first, and return the exit code.

    form: what goes to stdout, `TABLE`, `JSON` or `CSV`; no table when quiet. fail_on: verdicts that make the exit code
    1. At KeyboardInterrupt the pictures in work are finished first, and what is known is shown. Raises DeblurError
    behind that when the page could not be written.
    """
    found, errors, interrupted, failure = [], [], False, None
    try:
        for outcome in follow(batch, "triage", quiet):
            found += [] if outcome.result is None else [outcome.result]
            errors += [outcome.error] if outcome.error else []
    except KeyboardInterrupt:
        interrupted = True
    except DeblurError as error:  # of the page; what was found until then is shown first
        failure = error
    found = worst_first(found)
    if form != TABLE:
        emit({JSON: as_json, CSV: as_csv}[form](found, sorted(errors)))
    elif found and not quiet:
        emit(_table(found))
    list_errors(sorted(errors))
    failing = [each for each in found if each.verdict in fail_on]
    _tell_failing(failing)
    if not quiet:
        _summarise(found, batch, interrupted)
    if failure:
        raise failure
    return INTERRUPTED if interrupted else PARTLY if errors or failing else OK


def _table(found: Sequence[Diagnosis]) -> Table:
    """A line for each picture."""
    table = Table(Column("picture", overflow="fold"), "what it shows", "deblur would", box=None, pad_edge=False)
    table.add_column("cost", justify="right", no_wrap=True)
    for each in found:
        table.add_row(each.name, each.words, each.plan, _cost(each))
    return table


def _cost(each: Diagnosis) -> str:
    return "" if each.course == COURSES[-1] else f"~ {duration(each.seconds)}"


def _tell_failing(failing: Sequence[Diagnosis]) -> None:
    """The pictures that --fail-on is about."""
    if failing:
        say(f"triage: {len(failing)} {'picture is' if len(failing) == 1 else 'pictures are'} what --fail-on names")
    for each in failing[:MOST_ERRORS]:
        say(f"  {each.name}: {each.words}")
    if len(failing) > MOST_ERRORS:
        say(f"  … and {len(failing) - MOST_ERRORS} more")


def _summarise(found: Sequence[Diagnosis], batch: Batch[Job, Diagnosis], interrupted: bool) -> None:
    """How many pictures got which verdict, and what `deblur` would do and cost."""
    for verdict, count in counts(found).items():
        if count:
            say(f"triage: {count} × {WORDS[verdict]}")
    acted = [each for each in found if each.course != COURSES[-1]]
    cost = f", in about {duration(sum(each.seconds for each in acted))} of one CPU core" if acted else ""
    left = f" ({batch.others} other {'file' if batch.others == 1 else 'files'} ignored)" if batch.others else ""
    end = ", interrupted" if interrupted else ""
    say(f"triage: deblur would restore {len(acted)} of {len(found)} pictures{cost}{left}{end}")


def as_json(found: Sequence[Diagnosis], errors: Sequence[str]) -> str:
    """Everything as one JSON object."""
    acted = sum(each.course != COURSES[-1] for each in found)
    whole = {
        "command": "triage",
        "pictures": len(found),
        "verdicts": counts(found),
        "acted_on": acted,
        "seconds": round(sum(each.seconds for each in found), 1),
        "files": [{**asdict(each), "words": each.words} for each in found],
        "errors": list(errors),
    }
    return json.dumps(whole, indent=2)


def as_csv(found: Sequence[Diagnosis], _: Sequence[str] = ()) -> str:
    """A line for each picture below a line of titles, the fields of `Diagnosis`."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow([field.name for field in fields(Diagnosis)])
    writer.writerows(asdict(each).values() for each in found)
    return lines.getvalue().rstrip("\n")
