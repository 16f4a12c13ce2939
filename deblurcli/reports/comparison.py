"""The page of `compare`: pictures of several folders, any two of them with a slider between, their scores beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deblurcli.batch import pairing, run
from deblurcli.batch.pairing import Row
from deblurcli.batch.record import DONE, Outcome
from deblurcli.batch.run import Batch
from deblurcli.errors import ImageError
from deblurcli.pictures import crops, images
from deblurcli.reports import contact_sheet
from deblurcli.reports.album import Album, detail
from deblurcli.reports.contact_sheet import Look, Watch
from deblurcli.reports.html.gallery import Entry, Gallery, Pair
from deblurcli.reports.results import badness


@dataclass(frozen=True)
class _Compared:
    """One row: what is said of it, and how bad it is."""

    entry: Entry
    badness: float


@dataclass(frozen=True)
class _Work:
    """From a row to what is said of it, its pictures kept in an album."""

    album: Album
    look: Look
    titles: tuple[str, ...]
    max_pixels: int

    def __call__(self, row: Row) -> Outcome[Row, _Compared]:
        """The outcome; ImageError where a picture is missing or cannot be read."""
        read = [images.read_picture(path, self.max_pixels) for path in row.paths]
        sharp, names = self.look.sharp, self.look.metrics
        facts, bad = [], float("-inf")
        for index, (path, picture) in enumerate(zip(row.paths, read)):
            if index == sharp:
                continue
            try:
                found = contact_sheet.scores_of(path, picture, read[sharp], names)
            except ImageError:
                facts.append((self.titles[index], contact_sheet.difference_between(picture, read[sharp])))
                continue
            facts.append((self.titles[index], ", ".join(contact_sheet.label_of(found))))
            bad = badness(found[names[0]], names[0])
        part = detail(read[sharp], self.album.width)
        alike = part is not None and all(picture.size == read[sharp].size for picture in read)
        parts = [crops.cut(picture, part) for picture in read] if alike and part is not None else []
        self.album.keep(row.name, bad, [*read, *parts])
        return Outcome(row, DONE, result=_Compared(Entry(row.name, "", facts[-1][1], tuple(facts)), bad))


def page(
    places: Sequence[Path],
    output: Path,
    look: Look,
    workers: int = 0,
    max_pixels: int = images.MAX_PIXELS,
    watch: Watch = lambda under_way: under_way.outcomes,
) -> tuple[str, ...]:
    """Write a page that shows the pictures of all rows, the worst first; a line for everything that is wrong.

    Arguments and errors as for `contact_sheet.contact_sheet`; of `look` the titles, the sharp place and the metrics
    count.
    """
    found = pairing.rows(places)
    pairing.check_output(output, places, found, "--html")
    album, titles = Album(output), look.titles or contact_sheet.titles(places)
    if not places[0].is_dir():
        found = [replace(row, name=places[look.sharp].stem) for row in found]
    errors = [row.complaint(places) for row in found if not row.is_whole]
    whole = [row for row in found if row.is_whole]
    work = _Work(album, replace(look, sharp=look.sharp % len(places)), titles, max_pixels)

    def told(seen: list[Outcome[Row, _Compared]]) -> Gallery:
        errors.extend(outcome.error for outcome in seen if outcome.error)
        done = [outcome.result for outcome in seen if outcome.result is not None]
        done.sort(key=lambda each: (-each.badness, each.entry.name))
        return _gallery(titles, work.look, [each.entry for each in done], errors)

    batch: Batch[Row, Any] = Batch(len(whole), run.run(whole, work, workers))
    for _ in watch(album.listing(batch, told)):
        pass
    return tuple(errors)


def _gallery(titles: tuple[str, ...], look: Look, entries: Sequence[Entry], errors: Sequence[str]) -> Gallery:
    count = len(titles)
    roles = {f"{kind}{index}": title for kind in ("whole", "detail") for index, title in enumerate(titles)}
    sides = dict.fromkeys((*zip(range(count), range(1, count)), *((each, look.sharp) for each in range(count))))
    pairs = [_pair(kind, one, other, titles) for kind in ("whole", "detail") for one, other in sides if one < other]
    named = f"{', '.join(titles[:-1])} and {titles[-1]}"
    return Gallery(f"Compared: {named}", roles, pairs, {}, entries, errors=sorted(errors))


def _pair(kind: str, one: int, other: int, titles: tuple[str, ...]) -> Pair:
    """A choice of two columns, whole or in detail."""
    name = f"{titles[one]} | {titles[other]}"
    return (name if kind == "whole" else f"{name}, detail", f"{kind}{one}", f"{kind}{other}")
