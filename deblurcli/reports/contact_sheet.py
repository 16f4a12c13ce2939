"""Contact sheets: pictures of several folders side by side, their scores above them, as in the figures of papers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from deblurcli.batch import pairing, run
from deblurcli.batch.pairing import Row
from deblurcli.batch.record import DONE, Outcome, ResultT
from deblurcli.batch.run import Batch
from deblurcli.choices import PICKS, SHOWN
from deblurcli.errors import ImageError, PlanError
from deblurcli.metrics import table
from deblurcli.metrics.table import METRICS
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.pictures.metadata import NONE, Metadata
from deblurcli.reports import drawing
from deblurcli.reports.drawing import Cell

MOST_PIXELS = 100_000_000  # of a sheet
NO_SCORE = "–"

Rect = tuple[int, int, int, int]
Watch = Callable[[Batch[Row, Any]], Iterator[Outcome[Row, Any]]]
Goodness = Callable[[], dict[str, float]]


@dataclass(frozen=True)
class Look:
    """What a contact sheet shows.

    titles: above the columns; None takes the names of the folders.
    sharp: index of the folder with the sharp pictures; from the end when negative.
    metrics: keys of `table.METRICS`, shown above every picture that is not the sharp one.
    count: most rows. pick: key of `CHOSEN_BY`, how the rows are chosen when there are more.
    width: of a cell in pixels; larger pictures are reduced, smaller ones enlarged by a whole number.
    crop: (x, y, width, height) of the detail to show; None shows all. Scores are of the whole pictures.
    """

    titles: tuple[str, ...] | None = None
    sharp: int = -1
    metrics: tuple[str, ...] = SHOWN
    count: int = 6
    pick: str = PICKS[0]
    width: int = 256
    crop: Rect | None = None


PLAIN = Look()


@dataclass(frozen=True)
class Sheet:
    """What became of a contact sheet: its width and height, None if none was written, and its rows.

    shown: rows on the sheet. total: rows there were. errors: a line for everything that is missing or wrong.
    """

    output: Path
    size: tuple[int, int] | None
    shown: int
    total: int
    errors: tuple[str, ...]


@dataclass(frozen=True)
class _Task:
    """How the rows of one sheet are worked on, what went wrong so far, and the colour profiles of what is shown."""

    look: Look
    titles: tuple[str, ...]
    workers: int
    max_pixels: int
    watch: Watch
    errors: list[str] = field(default_factory=list)
    profiles: set[bytes] = field(default_factory=set)

    def results(self, rows: list[Row], work: Callable[[Row], ResultT]) -> Iterator[tuple[Row, ResultT]]:
        """What `work` makes of the rows, where it comes to an end; errors are kept."""

        def done(row: Row) -> Outcome[Row, ResultT]:
            return Outcome(row, DONE, result=work(row))

        for outcome in self.watch(Batch(len(rows), run.run(rows, done, self.workers))):
            if outcome.result is None:
                self.errors.append(outcome.error)
            else:
                yield outcome.job, outcome.result


def contact_sheet(
    places: Sequence[Path],
    output: Path,
    look: Look = PLAIN,
    workers: int = 0,
    max_pixels: int = images.MAX_PIXELS,
    watch: Watch = lambda under_way: under_way.outcomes,
) -> Sheet:
    """Draw pictures of several folders side by side, a row for every name, and write the sheet.

    places: two or more files or folders, see `pairing.rows`; one of them is the sharp one. Rows that lack a
    picture are errors and not shown; where a picture cannot be read or compared, its cell says so.
    workers: rows in work at a time; 0 takes as many as there are CPUs.
    watch: passes the outcomes of a batch on, for a progress bar.

    Raises PlanError or ImageError when there is nothing to compare, or the output cannot be written.
    """
    found = pairing.rows(places)
    images.format_of(output)
    pairing.check_output(output, places, found, "--output")
    run.prepare(output.parent, {output.parent})
    look = replace(look, sharp=look.sharp % len(places))
    if not places[0].is_dir():
        found = [replace(row, name=places[look.sharp].stem) for row in found]
    task = _Task(
        look,
        look.titles or titles(places),
        workers,
        max_pixels,
        watch,
        [row.complaint(places) for row in found if not row.is_whole],
    )
    strips = _strips(_chosen([row for row in found if row.is_whole], task), task)
    size = _write(output, strips, task) if any(drawing.height(strip) for strip in strips) else None
    return Sheet(output, size, len(strips) if size else 0, len(found), tuple(dict.fromkeys(task.errors)))


def _write(output: Path, strips: list[Sequence[Cell]], task: _Task) -> tuple[int, int]:
    """Draw and write the sheet, with the colour profile that all its pictures share; its width and height."""
    profile = next(iter(task.profiles)) if len(task.profiles) == 1 else b""
    kept = Metadata(icc=profile) if _is_for_rgb(profile) else NONE
    picture = Picture(drawing.draw(strips, task.titles, task.look.width), metadata=kept)
    images.write_picture(output, picture)
    return picture.size


def _is_for_rgb(profile: bytes) -> bool:
    """Whether an ICC profile is whole, as its header tells, and of RGB colours."""
    whole = profile[36:40] == b"acsp" and int.from_bytes(profile[:4], "big") == len(profile)
    return whole and profile[16:20] == b"RGB "


def titles(places: Sequence[Path]) -> tuple[str, ...]:
    """The shortest ends of the paths that tell the places apart; of files of one name, those of their folders."""
    paths = [Path(os.path.abspath(place)) for place in places]  # noqa: PTH100 (a link keeps its own name)
    if not places[0].is_dir() and len({path.stem for path in paths}) == 1:
        paths = [path.parent for path in paths]
    deepest = max(len(path.parts) for path in paths)
    ends = [tuple("/".join(path.parts[-depth:]) for path in paths) for depth in range(1, deepest + 1)]
    return next((names for names in ends if len(set(names)) == len(names)), ends[0])


def _first(rows: list[Row], count: int, _: Goodness) -> list[Row]:
    return rows[:count]


def _spread(rows: list[Row], count: int, _: Goodness) -> list[Row]:
    """The rows in the middle of `count` equal parts."""
    parts = min(count, len(rows))
    return [rows[(2 * index + 1) * len(rows) // (2 * parts)] for index in range(parts)]


def _worst(rows: list[Row], count: int, goodness: Goodness) -> list[Row]:
    known = goodness()
    return sorted(rows, key=lambda row: (row.name not in known, known.get(row.name)))[:count]


def _best(rows: list[Row], count: int, goodness: Goodness) -> list[Row]:
    known = goodness()
    return sorted(rows, key=lambda row: (row.name not in known, -known.get(row.name, 0)))[:count]


# How rows are chosen: from all rows, how many are wanted, and what gives scores by name, more being better.
CHOSEN_BY: dict[str, Callable[[list[Row], int, Goodness], list[Row]]] = {
    "spread": _spread,
    "first": _first,
    "worst": _worst,
    "best": _best,
}


def _chosen(rows: list[Row], task: _Task) -> list[Row]:
    """The rows to show; where scores decide, those of the last column that is not sharp by the first metric."""
    name, sharp = task.look.metrics[0], task.look.sharp
    last = max(index for index in range(len(task.titles)) if index != sharp)

    def work(row: Row) -> dict[str, float | None]:
        paths = row.paths
        restored, truth = (images.read_picture(paths[index], task.max_pixels) for index in (last, sharp))
        return scores_of(paths[last], restored, truth, (name,))

    def goodness() -> dict[str, float]:
        sign = 1 if METRICS[name].higher_is_better else -1
        values = {row.name: scores[name] for row, scores in task.results(rows, work)}
        return {key: sign * value for key, value in values.items() if value is not None}

    return CHOSEN_BY[task.look.pick](rows, task.look.count, goodness)


def _strips(rows: list[Row], task: _Task) -> list[Sequence[Cell]]:
    """The rows as they are shown, in their order; PlanError as soon as the sheet grows too large."""
    strips, pixels = {}, 0
    for row, strip in task.results(rows, lambda row: _strip(row, task.look, task.max_pixels)):
        strips[row.name] = strip.cells
        task.errors.extend(strip.errors)
        task.profiles.update(strip.profiles)
        pixels += drawing.height(strip.cells) * task.look.width * len(strip.cells)
        if pixels > MOST_PIXELS:
            raise PlanError(f"the sheet would have over {MOST_PIXELS:,} pixels; choose a smaller --width or --count")
    return [strips[row.name] for row in rows if row.name in strips]


@dataclass(frozen=True)
class Strip:
    """One row as it is shown, what is wrong with it, and the colour profiles of its pictures."""

    cells: list[Cell]
    errors: list[str]
    profiles: set[bytes]


def _strip(row: Row, look: Look, max_pixels: int) -> Strip:
    """One row as it is shown; no more than two of its pictures are in memory at a time."""
    errors: list[str] = []
    profiles: set[bytes] = set()

    def read(path: Path) -> Picture | None:
        picture = _read(path, max_pixels, errors)
        profiles.update([] if picture is None else [picture.metadata.icc])
        return picture

    sharp = read(row.paths[look.sharp])
    cells = [
        _shown(path, sharp, look, (row.name,), errors)
        if index == look.sharp
        else _compared(path, read(path), sharp, look, errors)
        for index, path in enumerate(row.paths)
    ]
    return Strip(cells, errors, profiles)


def _read(path: Path, max_pixels: int, errors: list[str]) -> Picture | None:
    """A picture; None, and a line more among the errors, when it cannot be read."""
    try:
        return images.read_picture(path, max_pixels)
    except ImageError as error:
        errors.append(str(error))
        return None


def _compared(path: Path, picture: Picture | None, sharp: Picture | None, look: Look, errors: list[str]) -> Cell:
    """A picture that is not the sharp one, with its scores."""
    if picture is None or sharp is None:
        return _shown(path, picture, look, label_of(dict.fromkeys(look.metrics)), errors)
    try:
        label = label_of(scores_of(path, picture, sharp, look.metrics))
    except ImageError as error:
        errors.append(str(error))
        return replace(_shown(path, picture, look, (difference_between(picture, sharp),), errors), warns=True)
    return _shown(path, picture, look, label, errors)


def scores_of(path: Path, picture: Picture, sharp: Picture, names: Sequence[str]) -> dict[str, float | None]:
    """The named scores, None for one that so small a picture has not; ImageError when the two are not alike."""
    if picture.pixels.shape != sharp.pixels.shape:
        difference = difference_between(picture, sharp)
        raise ImageError(f"{path}: {difference}, as the sharp one is; give pictures of one size and kind")
    values, _ = table.measure(picture.pixels, sharp.pixels, names)
    return {name: values.get(name) for name in names}


def difference_between(picture: Picture, sharp: Picture) -> str:
    """In what a picture is not like the sharp one, in a few words."""
    if picture.size != sharp.size:
        return f"{_size(picture)}, not {_size(sharp)}"
    return "grey, not RGB" if picture.pixels.shape[2] == 1 else "RGB, not grey"


def _size(picture: Picture) -> str:
    return "{}×{}".format(*picture.size)


def label_of(scores: dict[str, float | None]) -> tuple[str, ...]:
    """Scores as they stand above a picture."""
    return tuple(
        f"{name.upper()} {NO_SCORE}"
        if value is None
        else f"{name.upper()} {METRICS[name].text(value)} {METRICS[name].unit}".strip()
        for name, value in scores.items()
    )


def _shown(path: Path, picture: Picture | None, look: Look, label: tuple[str, ...], errors: list[str]) -> Cell:
    """A cell with the part of a picture that is to be seen, at the size it is shown in."""
    if picture is None:
        return Cell(None, label, note="cannot be read")
    x, y, width, height = look.crop or (0, 0, *picture.size)
    if x + width > picture.size[0] or y + height > picture.size[1]:
        errors.append(f"{path}: {_size(picture)} pixels do not hold {x},{y},{width},{height}; choose another --crop")
        return Cell(None, label, note="too small for the crop")
    part = np.s_[y : y + height, x : x + width]
    alpha = None if picture.alpha is None else picture.alpha[part]
    return Cell(drawing.reduced(picture.pixels[part], alpha, look.width), label)
