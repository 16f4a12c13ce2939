"""Scoring files: pair them, read them, score them on threads, and gather what came of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deblurcli.batch import pairing, run
from deblurcli.batch.pairing import Row
from deblurcli.batch.record import DONE, Outcome
from deblurcli.batch.run import Batch
from deblurcli.choices import MEAN, SCORED
from deblurcli.errors import ImageError, PlanError
from deblurcli.metrics import table
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.pictures.storage import name_of
from deblurcli.reports.gates import Gate, Verdict, judge
from deblurcli.reports.html import document, page
from deblurcli.reports.results import Results, Scored, badness
from deblurcli.reports.thumbnails import ThumbnailMaker, Thumbnails, ThumbnailStore


@dataclass(frozen=True)
class Options:
    """How files are scored.

    names: keys of `table.METRICS`; the first decides what is worst. convention: key of `table.CONVENTIONS`.
    crop_border: pixels to leave out at every side. gates, gate: bounds, and whether the `MEAN` or `EACH` row counts.
    group: from a row's name to its group. allow_missing: whether pictures without a partner are no errors.
    found: from a row's name to words on the blur that was found.
    html: where to write a page that shows everything. workers: rows in work at a time; 0 takes one for each CPU.
    """

    names: tuple[str, ...]
    convention: str = "tf"
    crop_border: int = 0
    gates: tuple[Gate, ...] = ()
    gate: str = MEAN
    group: Callable[[str], str] | None = None
    found: Callable[[str], str] | None = None
    allow_missing: bool = False
    html: Path | None = None
    workers: int = 0
    max_pixels: int = images.MAX_PIXELS


@dataclass(frozen=True)
class ScoredRow:
    """The scores of a row, and its thumbnails where there is to be a page."""

    scored: Scored
    thumbnails: Thumbnails | None = None


@dataclass(frozen=True)
class Run:
    """A run of scoring under way.

    places: restored pictures, sharp ones and the baseline, those there are. batch: its outcomes, to be watched and
    then given to `results`.
    """

    places: page.Places
    options: Options
    batch: Batch[Row, ScoredRow]
    missing: list[str] = field(default_factory=list)

    def results(self, outcomes: Iterable[Outcome[Row, ScoredRow]]) -> tuple[Results, list[Verdict]]:
        """What all outcomes come to; the page is written, if one is wanted."""
        html = self.options.html
        with contextlib.nullcontext() if html is None else ThumbnailStore(html.parent) as store:
            results = self._gathered(outcomes, store)
            verdicts = judge(self.options.gates, results.rows, self.options.gate)
            if html is not None and store is not None:
                page.write(html, page.Contents(results, verdicts, self.places), store)
        return results, verdicts

    def _gathered(self, outcomes: Iterable[Outcome[Row, ScoredRow]], store: ThumbnailStore | None) -> Results:
        rows: list[Scored] = []
        errors: list[str] = []
        total = 0
        for outcome in outcomes:
            total += 1
            if outcome.result is None:
                errors += [outcome.error] if outcome.error else []
                continue
            scored, thumbnails = outcome.result.scored, outcome.result.thumbnails
            errors += scored.errors
            rows.append(scored)
            if store is not None and thumbnails is not None:
                store.add(scored.name, thumbnails)
        return Results(
            self.options.names,
            sorted(rows, key=lambda row: row.name),
            tuple(sorted(errors)),
            total,
            len(self.missing),
            self.options.convention,
            self.options.crop_border,
            self.places.baseline is not None,
            self.options.group is not None,
        )


def score(restored: Path, sharp: Path | None, baseline: Path | None, options: Options) -> Run:
    """Score pictures by what is in `options`, paired by `pairing.rows`.

    restored, sharp, baseline: a file, a folder or `STANDARD` each. Without `sharp` only metrics that need none can be
    named. What cannot be paired, read or compared is a failed outcome and stops no other.

    Raises PlanError when there is nothing to score, or the page cannot be written where it should.
    """
    places = page.Places(restored, sharp, baseline)
    found = pairing.rows(places.given)
    if options.html is not None:
        pairing.check_output(options.html, places.given, found, "--html")
        document.check_name(options.html)
    missing: list[str] = []
    work = _Work(places, options, ThumbnailMaker(len(found)) if options.html else None, missing)
    return Run(places, options, Batch(len(found), run.run(found, work, options.workers)), missing)


@dataclass(frozen=True)
class _Work:
    """From a row to its outcome; a row without a partner is noted in `missing`."""

    places: page.Places
    options: Options
    maker: ThumbnailMaker | None
    missing: list[str]

    def __call__(self, row: Row) -> Outcome[Row, ScoredRow]:
        errors = self._complaints(row)
        pictures = {role: path for role, path in zip(self.places.roles, row.pictures) if path is not None}
        baseline = pictures.pop("baseline", None)
        if len(pictures) < len(self.places.compared):
            if errors:
                raise ImageError(errors[0])
            return Outcome(row, DONE)
        read = {role: self._read(path) for role, path in pictures.items()}
        values, more = self._scores(read["restored"], read.get("sharp"), pictures)
        before, others = ({}, []) if baseline is None else self._baseline(baseline, read, pictures)
        group = self.options.group(row.name) if self.options.group else ""
        found = self.options.found(row.name) if self.options.found else ""
        scored = Scored(row.name, values, before, group, (*errors, *more, *others), found)
        return Outcome(row, DONE, result=ScoredRow(scored, self._thumbnails(scored, read)))

    def _complaints(self, row: Row) -> list[str]:
        """What is wrong with a row that is not whole, as far as it is an error."""
        if row.is_whole:
            return []
        if not row.doubles:
            self.missing.append(row.name)
        return [] if self.options.allow_missing and not row.doubles else [row.complaint(self.places.given)]

    def _read(self, path: Path) -> Picture:
        return images.read_picture(path, self.options.max_pixels)

    def _scores(
        self, restored: Picture, sharp: Picture | None, paths: dict[str, Path]
    ) -> tuple[dict[str, float], list[str]]:
        """The scores there are, and a line for each that there is not."""
        settings = (self.options.names, self.options.convention, self.options.crop_border)
        names = " against ".join(name_of(path) for path in paths.values())
        with run.named(names):
            values, complaints = table.measure(restored.pixels, None if sharp is None else sharp.pixels, *settings)
        return values, [f"{names}: {each}" for each in complaints]

    def _baseline(
        self, path: Path, read: dict[str, Picture], paths: dict[str, Path]
    ) -> tuple[dict[str, float], list[str]]:
        """The scores of the baseline, kept beside the others, and what is wrong with it."""
        try:
            picture = self._read(path)
            values, _ = self._scores(picture, read.get("sharp"), {**paths, "restored": path})
        except ImageError as error:
            return {}, [str(error)]
        read["baseline"] = picture
        return values, []

    def _thumbnails(self, scored: Scored, read: dict[str, Picture]) -> Thumbnails | None:
        """The row's pictures for the page, in the order of `page.Places.roles`."""
        if self.maker is None:
            return None
        name = self.options.names[0]
        return self.maker.thumbnails(badness(scored.values.get(name), name), list(read.values()))


def names_for(given: Sequence[str], gates: Sequence[Gate], has_sharp: bool) -> tuple[str, ...]:
    """The metrics to compute: those given or the usual ones, and those that gates name.

    Raises PlanError for one that needs sharp pictures where there are none.
    """
    usual = SCORED if has_sharp else table.WITHOUT
    names = tuple(dict.fromkeys([*(given or usual), *(gate.name for gate in gates)]))
    for name in names:
        if table.METRICS[name].needs_sharp and not has_sharp:
            raise PlanError(f"{name} needs REF; name the sharp pictures behind OUT, or ask for {table.WITHOUT[0]}")
    return names
