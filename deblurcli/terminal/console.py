"""How runs and cards are told: summaries on stderr, tables and JSON on stdout; `scores` and `triage` have their own."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Column, Table

from deblurcli.batch.jobs import Job
from deblurcli.batch.phases import FIND, READ, WORK, WRITE
from deblurcli.batch.record import DONE, FAILED, PLANNED, SKIPPED, Outcome, Written
from deblurcli.batch.run import Batch
from deblurcli.errors import DeblurError
from deblurcli.inference.cards import Card
from deblurcli.pictures.processed import Fields
from deblurcli.pictures.storage import as_json
from deblurcli.reports.diagnoses import duration
from deblurcli.terminal.messages import INTERRUPTED, OK, PARTLY, counted, emit, list_errors, say
from deblurcli.terminal.progress import Ticker, follow, pictures_per_second

if TYPE_CHECKING:
    from deblurcli.reports.contact_sheet import Sheet

VERBS = {DONE: "done", SKIPPED: "already there", PLANNED: "planned", FAILED: "failed"}
_WORK = {"blur": "blurring"}  # what a command does to pictures; all others restore


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
    seconds = time.perf_counter() - begun
    list_errors(sorted(tally.errors))
    if not quiet:
        for note, count in _ranked(tally.notes).items():
            say(f"{title}: {count} × {note}")
        if tally.statuses or not failure:
            say(_summary(title, tally.statuses, batch) + (", interrupted" if interrupted else ""))
        if tally.phases:
            say(_times(title, tally.statuses[DONE], seconds, tally.phases))
    if as_json:
        phases = {name: round(spent, 3) for name, spent in tally.phases.items()}
        times = {"seconds": round(seconds, 3), "phases": phases, "interrupted": interrupted}
        end = {"others": batch.others, **times, "exit_code": code, "errors": sorted(tally.errors)}
        emit(json.dumps({"command": title, **tally.counts(), **end}, indent=2))
    if failure:
        raise failure
    return code


@dataclass
class _Tally:
    """What became of the pictures of a run, counted by status, method and note; the seconds of those done, by phase."""

    statuses: Counter[str] = field(default_factory=Counter)
    methods: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome[Job, Written]) -> None:
        """Count one picture."""
        self.statuses[outcome.status] += 1
        if outcome.status == FAILED:
            self.errors.append(outcome.error)
        if outcome.result is not None:
            self.phases.update(outcome.phases)
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
    nothing = f"nothing to do, as this shard is empty; other shards have {counted(batch.elsewhere, 'picture')}"
    parts = [f"{counts[status]} {verb}" for status, verb in VERBS.items() if counts[status]] or [
        nothing if batch.elsewhere else "nothing to do"
    ]
    left = f" ({counted(batch.others, 'other file')} ignored)" if batch.others else ""
    return f"{title}: {', '.join(parts)}{left}"


def _times(title: str, pictures: int, seconds: float, phases: Mapping[str, float]) -> str:
    """How long a run took, its pace, and where the time of its pictures went."""
    parts = {
        "finding the blur": phases.get(FIND, 0),
        _WORK.get(title, "restoring"): phases.get(WORK, 0),
        "reading and writing": phases.get(READ, 0) + phases.get(WRITE, 0),
    }
    total = max(sum(parts.values()), 1e-9)
    shares = ", ".join(f"{spent / total:.0%} {name}" for name, spent in parts.items() if spent)
    pace = f", {pictures_per_second(pictures, seconds)}" if pictures > 1 else ""
    return f"{title}: took {duration(seconds)}{pace}; {shares}"


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
