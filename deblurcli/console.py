"""What people see: progress and tables on stderr or stdout, data as JSON. The only code that imports rich."""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from deblurcli.batch import DONE, FAILED, PLANNED, SKIPPED, Batch, Outcome
from deblurcli.errors import DeblurError
from deblurcli.metrics import METRICS
from deblurcli.report import Sheet
from deblurcli.storage import as_json

MOST_ERRORS = 20
WIDEST_TABLE = 20
OK, PARTLY, INTERRUPTED = 0, 1, 130
VERBS = {DONE: "done", SKIPPED: "already there", PLANNED: "planned", FAILED: "failed"}


@cache
def _stderr() -> Console:
    """The one console for messages, so that a line printed over a progress bar does not break it."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(message: str) -> None:
    """One line to stderr; control characters, which file names may hold, are shown as escapes."""
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in message)
    _stderr().print(shown, markup=False)


def emit(data: str | Table) -> None:
    """Data to stdout; DeblurError when it cannot be written there."""
    if sys.stdout is None:
        raise DeblurError("standard output is closed; leave it open, or use --quiet")
    try:
        Console(highlight=False).print(data, markup=False, soft_wrap=isinstance(data, str))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DeblurError(f"standard output: cannot be written ({error.strerror}); send it elsewhere") from error


class Ticker:
    """A second progress bar, for the steps of work on one picture; call it after each."""

    def __init__(self, steps: int):
        self._steps = steps
        self._advance: Callable[[], None] = lambda: None

    def show(self, progress: Progress) -> None:
        """Add the bar to those that are shown, if there are steps at all."""
        if self._steps:
            task = progress.add_task("iterations", total=self._steps)
            self._advance = lambda: progress.advance(task)

    def __call__(self) -> None:
        self._advance()


def follow(batch: Batch, title: str, quiet: bool = False, ticker: Ticker | None = None) -> Iterator[Outcome]:
    """The outcomes of a batch as they come, with a progress bar on stderr when that is a terminal."""
    console = _stderr()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task(title, total=batch.total)
        if ticker is not None:
            ticker.show(progress)
        for outcome in batch.outcomes:
            progress.advance(task)
            yield outcome


def transformed(
    batch: Batch,
    title: str,
    quiet: bool = False,
    verbose: bool = False,
    as_json: bool = False,
    ticker: Ticker | None = None,
) -> int:
    """Run a batch to its end, say what happened on stderr, and return the exit code.

    as_json: print the summary on stdout, too. At KeyboardInterrupt the files in work are finished first.
    """
    counts: Counter[str] = Counter()
    errors: list[str] = []
    notes: Counter[str] = Counter()
    interrupted, failure, begun = False, None, time.perf_counter()
    try:
        for outcome in follow(batch, title, quiet, ticker):
            counts[outcome.status] += 1
            note = outcome.extras.get("note")
            notes.update([note] if note else [])
            if outcome.status == FAILED:
                errors.append(outcome.error)
                if verbose:
                    say(f"failed: {outcome.error}")
            elif verbose or (outcome.status == PLANNED and not quiet):
                say(f"{outcome.status}: {outcome.job.name} → {outcome.job.target}{f', {note}' if note else ''}")
    except KeyboardInterrupt:
        interrupted = True
    except DeblurError as error:  # of the run as a whole; what was done until then is told first
        failure = error
    code = INTERRUPTED if interrupted else PARTLY if errors else OK
    _list_errors(sorted(errors))
    if not quiet:
        for note, count in notes.items():
            say(f"{title}: {count} × {note}")
        if counts or not failure:
            say(_summary(title, counts, batch.others) + (", interrupted" if interrupted else ""))
    if as_json:
        seconds = round(time.perf_counter() - begun, 3)
        summary = {"command": title, **{status: counts[status] for status in VERBS}, "others": batch.others}
        emit(json.dumps({**summary, "seconds": seconds, "exit_code": code, "errors": sorted(errors)}, indent=2))
    if failure:
        raise failure
    return code


def _summary(title: str, counts: Counter, others: int) -> str:
    parts = [f"{counts[status]} {verb}" for status, verb in VERBS.items() if counts[status]] or ["nothing to do"]
    left = f" ({others} other files left alone)" if others else ""
    return f"{title}: {', '.join(parts)}{left}"


def _list_errors(errors: list[str]) -> None:
    for error in errors[:MOST_ERRORS]:
        say(f"error: {error}")
    if len(errors) > MOST_ERRORS:
        say(f"error: … and {len(errors) - MOST_ERRORS} more")


def told(batch: Batch, title: str, quiet: bool = False) -> int:
    """Run a batch to its end, print what it tells of each picture as a line of JSON, and return the exit code.

    The lines come as the pictures are done. At KeyboardInterrupt those in work are finished first.
    """
    errors, count, interrupted = [], 0, False
    on_screen = sys.stdout is not None and sys.stdout.isatty()  # where a bar and the lines would mix
    try:
        for outcome in follow(batch, title, quiet or on_screen):
            count += outcome.status == DONE
            if outcome.status == DONE:
                emit(as_json({"input": outcome.job.name, **outcome.extras}))
            else:
                errors.append(outcome.error)
    except KeyboardInterrupt:
        interrupted = True
    _list_errors(sorted(errors))
    if interrupted and not quiet:
        say(f"{title}: {count} done, interrupted")
    return INTERRUPTED if interrupted else PARTLY if errors else OK


def scored(
    batch: Batch,
    names: tuple[str, ...],
    as_json: bool = False,
    quiet: bool = False,
    group: Callable[[str], str] | None = None,
) -> int:
    """Run a batch of comparisons, show the scores on stdout as a table or JSON, and return the exit code.

    group: from a pair's name to its group; the table then has a row for each group.
    """
    outcomes = sorted(follow(batch, "score", quiet), key=lambda outcome: outcome.job.name)
    done = [outcome for outcome in outcomes if outcome.status == DONE]
    errors = [outcome.error for outcome in outcomes if outcome.status == FAILED]
    groups = _grouped(done, group) if group else {}
    if as_json:
        emit(json.dumps(_scores_json(done, errors, names, groups), indent=2))
    elif done and not quiet:
        emit(_groups_table(groups, names) if group else _scores_table(done, names))
    _list_errors(errors)
    if errors and not quiet:
        say(f"score: {len(done)} of {len(outcomes)} pairs scored")
    return PARTLY if errors else OK


def _grouped(done: list[Outcome], group: Callable[[str], str]) -> dict[str, list[Outcome]]:
    groups: dict[str, list[Outcome]] = {}
    for outcome in done:
        groups.setdefault(group(outcome.job.name), []).append(outcome)
    return dict(sorted(groups.items()))


def _scores_json(done: list[Outcome], errors: list[str], names: tuple[str, ...], groups: dict) -> dict:
    """Scores as JSON holds them: an infinite one is null, and its name stands in "infinite"."""
    files = [
        {
            "name": outcome.job.name,
            **_finite(outcome.extras),
            "infinite": [name for name, value in outcome.extras.items() if math.isinf(value)],
        }
        for outcome in done
    ]
    return {
        "pairs": len(done),
        "failed": len(errors),
        "mean": _finite(_means(done, names)),
        "groups": {
            name: {"pairs": len(members), "mean": _finite(_means(members, names))} for name, members in groups.items()
        },
        "files": files,
        "errors": errors,
    }


def _finite(scores: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in scores.items()}


def _means(done: list[Outcome], names: tuple[str, ...]) -> dict[str, float]:
    return {name: statistics.fmean(outcome.extras[name] for outcome in done) for name in names if done}


def _scores_table(done: list[Outcome], names: tuple[str, ...]) -> Table:
    """Every pair when they are few, the worst of the first metric when they are many, and the mean."""
    first = METRICS[names[0]]
    worst = sorted(done, key=lambda outcome: outcome.extras[names[0]], reverse=not first.higher_is_better)
    shown = done if len(done) <= WIDEST_TABLE else worst[:WIDEST_TABLE]
    title = None if len(done) <= WIDEST_TABLE else f"the {WIDEST_TABLE} worst of {len(done)} by {names[0]}"
    table = Table("picture", title=title, show_footer=len(done) > 1)
    table.columns[0].footer = f"mean of {len(done)}"
    means = _means(done, names)
    for name in names:
        table.add_column(_heading(name), justify="right", footer=METRICS[name].text(means[name]))
    for outcome in shown:
        table.add_row(outcome.job.name, *(METRICS[name].text(outcome.extras[name]) for name in names))
    return table


def compared(sheet: Sheet, quiet: bool = False) -> int:
    """Say on stderr what became of a contact sheet, and return the exit code."""
    _list_errors(sorted(sheet.errors))
    if not quiet:
        made = "nothing to draw" if sheet.size is None else "{} {}×{}".format(sheet.output, *sheet.size)
        say(f"compare: {sheet.shown} of {sheet.total} pictures, {made}")
    return PARTLY if sheet.errors else OK


def _groups_table(groups: dict[str, list[Outcome]], names: tuple[str, ...]) -> Table:
    """The means of every group."""
    table = Table("group", Column("pictures", justify="right"))
    for name in names:
        table.add_column(_heading(name), justify="right")
    for group, members in groups.items():
        means = _means(members, names)
        table.add_row(group, str(len(members)), *(METRICS[name].text(means[name]) for name in names))
    return table


def _heading(name: str) -> str:
    unit = METRICS[name].unit
    return f"{name} ({unit})" if unit else name


def cards(cards: dict[str, dict], as_json: bool = False) -> None:
    """Model cards on stdout, as a table or as JSON."""
    if as_json:
        emit(json.dumps(cards, indent=2))
        return
    table = Table("model", "description", "parameters", "trained on", "licence")
    for name, card in cards.items():
        table.add_row(name, card["description"], f"{card['parameters']:,}", card["data"], card["licence"])
    emit(table)
