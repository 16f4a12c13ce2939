"""What people see: progress and tables on stderr or stdout, data as JSON; scores have `scores` for that."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from deblurcli.batch.planning import Job
from deblurcli.batch.record import DONE, FAILED, PLANNED, SKIPPED, JobT, Outcome, ResultT, Written
from deblurcli.batch.run import Batch
from deblurcli.errors import DeblurError
from deblurcli.inference.cards import Card
from deblurcli.pictures.processed import Fields
from deblurcli.pictures.storage import as_json

if TYPE_CHECKING:
    from deblurcli.reports.contact_sheet import Sheet

MOST_ERRORS = 20
WIDEST = 1000  # of a table that is read by a program
OK, PARTLY, INTERRUPTED = 0, 1, 130
VERBS = {DONE: "done", SKIPPED: "already there", PLANNED: "planned", FAILED: "failed"}


@cache
def _stderr() -> Console:
    """The one console for messages, so that a line printed over a progress bar does not break it."""
    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def say(message: str) -> None:
    """One line to stderr; control characters, which file names may hold, are shown as escapes."""
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in message)
    _stderr().print(shown, markup=False)


def emit(data: str | Table) -> None:
    """Data to stdout, off a terminal as wide as it is; DeblurError when it cannot be written there."""
    if sys.stdout is None:
        raise DeblurError("standard output is closed; leave it open, or use --quiet")
    try:
        if isinstance(data, str):  # as it is: rich would drop control characters, which CSV may hold
            sys.stdout.write(f"{data}\n")
        else:
            Console(highlight=False, emoji=False, width=_width()).print(data, markup=False)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DeblurError(f"standard output: cannot be written ({error.strerror}); send it elsewhere") from error


def fits(table: Table, least_name: int = 12) -> bool:
    """Whether stdout is wide enough for all columns but the first to be shown uncut, and so much of the first."""
    texts = ((column.header, *column.cells) for column in table.columns[1:])
    needed = least_name + sum(max(cell_len(str(text)) for text in column) for column in texts) + 3 * len(table.columns)
    return needed < Console(width=_width()).width


def _width() -> int | None:
    """How wide a table may be: what rich finds where people look, and all it needs where a program reads."""
    return None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDEST


class Ticker:
    """A second progress bar, for the work on one picture, once it comes in parts; call it with the share of each."""

    def __init__(self) -> None:
        self._advance: Callable[[float], None] = lambda share: None

    def show(self, progress: Progress) -> None:
        """Add the bar to those that are shown, from the first part on."""
        task = progress.add_task("this picture, %", total=100, visible=False)
        self._advance = lambda share: progress.update(task, advance=100 * share, visible=True)

    def __call__(self, share: float) -> None:
        self._advance(share)


def follow(
    batch: Batch[JobT, ResultT], title: str, quiet: bool = False, ticker: Ticker | None = None
) -> Iterator[Outcome[JobT, ResultT]]:
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
    batch: Batch[Job, Written],
    title: str,
    quiet: bool = False,
    verbose: bool = False,
    as_json: bool = False,
    ticker: Ticker | None = None,
) -> int:
    """Run a batch to its end, say what happened on stderr, and return the exit code.

    as_json: print the summary on stdout, too. At KeyboardInterrupt the files in work are finished first.
    """
    tally, interrupted, failure, begun = _Tally(), False, None, time.perf_counter()
    try:
        for outcome in follow(batch, title, quiet, ticker):
            tally.add(outcome)
            if verbose or (outcome.status == PLANNED and not quiet):
                say(_line(outcome))
    except KeyboardInterrupt:
        interrupted = True
    except DeblurError as error:  # of the run as a whole; what was done until then is told first
        failure = error
    code = INTERRUPTED if interrupted else PARTLY if tally.errors else OK
    list_errors(sorted(tally.errors))
    if not quiet:
        for note, count in _ranked(tally.notes).items():
            say(f"{title}: {count} × {note}")
        if tally.statuses or not failure:
            say(_summary(title, tally.statuses, batch) + (", interrupted" if interrupted else ""))
    if as_json:
        seconds = round(time.perf_counter() - begun, 3)
        end = {"others": batch.others, "seconds": seconds, "exit_code": code, "errors": sorted(tally.errors)}
        emit(json.dumps({"command": title, **tally.counts(), **end}, indent=2))
    if failure:
        raise failure
    return code


@dataclass
class _Tally:
    """What became of the pictures of a run, counted by status, by method of restoration and by note."""

    statuses: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome[Job, Written]) -> None:
        """Count one picture."""
        self.statuses[outcome.status] += 1
        if outcome.status == FAILED:
            self.errors.append(outcome.error)
        if outcome.result is not None:
            self.methods.update(filter(None, [outcome.result.fields.get("method")]))
            self.notes.update(filter(None, [outcome.result.note]))

    def counts(self) -> Fields:
        """The counts as JSON holds them."""
        statuses = {status: self.statuses[status] for status in VERBS}
        return {**statuses, "methods": _ranked(self.methods), "notes": _ranked(self.notes)}


def _line(outcome: Outcome[Job, Written]) -> str:
    """What became of one picture."""
    if outcome.status == FAILED:
        return f"failed: {outcome.error}"
    note = outcome.result.note if outcome.result else ""
    return f"{outcome.status}: {outcome.job.name} → {outcome.job.target}{f', {note}' if note else ''}"


def _ranked(counts: Counter[str]) -> dict[str, int]:
    """Counts from the largest down; in the order of the alphabet where they are equal."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _summary(title: str, counts: Counter, batch: Batch) -> str:
    nothing = f"nothing to do, as this shard is empty; other shards have {_counted(batch.elsewhere, 'picture')}"
    parts = [f"{counts[status]} {verb}" for status, verb in VERBS.items() if counts[status]] or [
        nothing if batch.elsewhere else "nothing to do"
    ]
    left = f" ({_counted(batch.others, 'other file')} ignored)" if batch.others else ""
    return f"{title}: {', '.join(parts)}{left}"


def _counted(count: int, what: str) -> str:
    """A number of things, as people write it."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def list_errors(errors: Sequence[str]) -> None:
    """The first of the errors to stderr, and how many more there are."""
    for error in errors[:MOST_ERRORS]:
        say(f"error: {error}")
    if len(errors) > MOST_ERRORS:
        say(f"error: … and {len(errors) - MOST_ERRORS} more")


def print_json_lines(batch: Batch[Job, Fields], title: str, quiet: bool = False) -> int:
    """Run a batch to its end, print what it tells of each picture as a line of JSON, and return the exit code.

    The lines come as the pictures are done. At KeyboardInterrupt those in work are finished first.
    """
    errors, count, interrupted = [], 0, False
    on_screen = sys.stdout is not None and sys.stdout.isatty()  # where a bar and the lines would mix
    try:
        for outcome in follow(batch, title, quiet or on_screen):
            count += outcome.status == DONE
            if outcome.result is not None:
                emit(as_json({"input": outcome.job.name, **outcome.result}))
            else:
                errors.append(outcome.error)
    except KeyboardInterrupt:
        interrupted = True
    list_errors(sorted(errors))
    if interrupted and not quiet:
        say(f"{title}: {count} done, interrupted")
    return INTERRUPTED if interrupted else PARTLY if errors else OK


def compared(sheet: Sheet, quiet: bool = False) -> int:
    """Say on stderr what became of a contact sheet, and return the exit code."""
    list_errors(sorted(sheet.errors))
    if not quiet:
        made = "nothing to draw" if sheet.size is None else "{} {}×{}".format(sheet.output, *sheet.size)
        say(f"compare: {sheet.shown} of {sheet.total} pictures, {made}")
    return PARTLY if sheet.errors else OK


def paged(page: Path, errors: Sequence[str], quiet: bool = False) -> int:
    """Say on stderr that a page was written, and what is missing in it, and return the exit code."""
    list_errors(sorted(errors))
    tell_page("compare", page, quiet)
    return PARTLY if errors else OK


def tell_page(title: str, page: Path | None, quiet: bool = False) -> None:
    """Say on stderr that a page was written, if one was."""
    if page is not None and not quiet:
        say(f"{title}: wrote {page}")


def cards(cards: dict[str, Card], as_json: bool = False, in_full: bool = False) -> None:
    """Model cards on stdout: as JSON, each one in full, or a table of what to choose a network by."""
    if as_json:
        emit(json.dumps(cards, indent=2))
    elif in_full:
        for card in cards.values():
            emit(_card(card))
    else:
        emit(_choice(cards))


def _choice(cards: dict[str, Card]) -> Table:
    """What each network is for, when to use it, and how fast it is."""
    table = Table(
        Column("network", no_wrap=True),
        "what it does",
        "use it for",
        "speed, MP/s",
        box=SIMPLE_HEAD,
        pad_edge=False,
        caption_justify="left",
    )
    for name, card in cards.items():
        speed = f"{card['speed']['megapixels_per_second']:.2f}" if "speed" in card else "–"
        table.add_row(name, card.get("description", ""), card.get("good_for", ""), speed)
    table.caption = "MP/s: megapixels per second on one CPU core. To read more: deblurcli models NAME"
    return table


# What is shown of one card: a title, a field of the card, and how its value reads.
_FIELDS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("network", "name", str),
    ("what it does", "description", str),
    ("good for", "good_for", str),
    ("fails at", "fails_at", str),
    (
        "speed",
        "speed",
        lambda speed: "{megapixels_per_second:.2f} megapixels per second on one CPU core".format(**speed),
    ),
    ("memory", "memory", lambda memory: "{megabytes} MB for a picture of {picture} pixels".format(**memory)),
    ("size", "parameters", lambda count: f"{count:,} parameters"),
    ("trained on", "data", str),
    ("checked on", "validation", str),
    ("training", "minutes", lambda minutes: f"{minutes:,.0f} minutes"),
    ("hardware", "hardware", str),
    ("recipe", "recipe", str),
    ("licence", "licence", str),
)


def _card(card: Mapping[str, Any]) -> Table:
    """One card in two columns."""
    table = Table(Column(no_wrap=True), Column(), box=None, show_header=False, pad_edge=False)
    for title, name, read in _FIELDS:
        if name in card:
            table.add_row(title, read(card[name]))
    table.add_row("more", f"deblurcli models {card['name']} --json")
    return table
