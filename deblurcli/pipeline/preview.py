"""A part of a picture restored, once or in several ways side by side, so that settings can be chosen on a detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from deblurcli.batch.run import Work
from deblurcli.pictures import crops
from deblurcli.pictures.crops import Crop
from deblurcli.pictures.images import Picture
from deblurcli.pictures.metadata import NONE, Metadata
from deblurcli.pictures.processed import Processed
from deblurcli.pipeline.restoration import Restoration, blended
from deblurcli.pipeline.sources import Finding, Source
from deblurcli.reports import drawing
from deblurcli.reports.drawing import Cell

CONTEXT = 64  # pixels around the part that a network sees as well
MIDDLE = Crop(512, 512)  # of each picture, where no part is named
_NARROWEST = 256  # pixels across a column of the sheet: smaller parts are enlarged
BEFORE = "before"


@dataclass(frozen=True)
class Variant:
    """One way to restore a picture: its title, what is done, and how much of the result is taken, 0 to 1."""

    title: str
    work: Work
    strength: float = 1


@dataclass(frozen=True)
class Detail:
    """One part of each picture restored by itself, but with the blur of the whole picture; call it like any work."""

    variant: Variant
    crop: Crop

    def __call__(self, picture: Picture, key: str) -> Processed:
        """The restored part; ImageError when the picture does not hold it."""
        part = self.crop.within(picture.size)
        made = _restored(self.variant.work, picture, key, part, [])
        return _mixed(made, crops.cut(picture, part), self.variant.strength)


@dataclass(frozen=True)
class Sheet:
    """The same part before and after several restorations, side by side in one picture; call it like any work."""

    variants: Sequence[Variant]
    crop: Crop = MIDDLE

    def __call__(self, picture: Picture, key: str) -> Processed:
        """The sheet, and what is said of its last variant; ImageError when the picture does not hold the part."""
        part = self.crop.within(picture.size)
        before = crops.cut(picture, part)
        known: list[tuple[Source, Finding]] = []
        works = {id(variant.work): variant.work for variant in self.variants}
        made = {name: _restored(work, picture, key, part, known) for name, work in works.items()}
        after = [_mixed(made[id(variant.work)], before, variant.strength) for variant in self.variants]
        width = max(before.size[0], _NARROWEST)
        cells = [_cell(before, "", width), *(_cell(each.picture, each.note, width) for each in after)]
        pixels = drawing.draw([cells], [BEFORE, *(variant.title for variant in self.variants)], width)
        kept = Metadata(icc=picture.metadata.icc) if picture.pixels.shape[2] == 3 else NONE
        return replace(after[-1], picture=Picture(pixels, format=picture.format, metadata=kept))


def preview(crop: str | None, titles: Sequence[str] | None, ways: Sequence[tuple[Work, float]]) -> Work:
    """The work for ``--crop`` and ``--try``.

    crop: as `Crop.parse` reads it; None takes the middle. titles: of each way, for a sheet; None restores the part in
    the first way alone. ways: what is done, and how much of the result is taken.
    """
    part = Crop.parse(crop) if crop else MIDDLE
    if titles is None:
        return Detail(Variant("", *ways[0]), part)
    return Sheet([Variant(title, *way) for title, way in zip(titles, ways, strict=True)], part)


def _cell(picture: Picture, note: str, width: int) -> Cell:
    return Cell(drawing.reduced(picture.pixels, picture.alpha, width), tuple(filter(None, note.split(", "))))


def _mixed(made: Processed, before: Picture, strength: float) -> Processed:
    """What was made, blended with the picture before."""
    return made if strength == 1 else replace(made, picture=blended(made.picture, before, strength))


def _restored(
    work: Work, picture: Picture, key: str, part: crops.Rows, known: list[tuple[Source, Finding]]
) -> Processed:
    """A part of a picture restored; what is found of the whole picture is looked up in `known`, and kept there."""
    reach = CONTEXT
    if isinstance(work, Restoration):
        found = next((found for source, found in known if source == work.source), None)
        if found is None:
            found = work.source(picture, key)
            known.append((work.source, found))
        reach += 0 if found.psf is None else max(found.psf.shape)
        work = replace(work, source=_Known(found))
    outer = crops.grown(part, reach, picture.size)
    made = work(crops.cut(picture, outer), key)
    return replace(made, picture=crops.cut(made.picture, crops.inside(part, outer)))


@dataclass(frozen=True)
class _Known:
    """A `Source` that has found what it finds."""

    found: Finding

    def __call__(self, picture: Picture, key: str) -> Finding:
        return self.found
