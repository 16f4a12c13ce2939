"""Pictures kept for a page while they are in work, and the page written when all are done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deblurcli.batch import refusals
from deblurcli.batch.jobs import Job
from deblurcli.batch.places import Inputs
from deblurcli.batch.record import SKIPPED, JobT, Outcome, ResultT, Written
from deblurcli.batch.run import Batch, Work
from deblurcli.pictures import crops
from deblurcli.pictures.images import Picture
from deblurcli.pictures.processed import Fields, Processed
from deblurcli.pictures.storage import STANDARD, name_of
from deblurcli.reports import diagnoses
from deblurcli.reports.diagnoses import WORDS, Diagnosis
from deblurcli.reports.html import document, gallery
from deblurcli.reports.html.gallery import Entry, Gallery
from deblurcli.reports.thumbnails import (
    LARGE_THUMBNAIL,
    MOST_SHOWN,
    THUMBNAIL,
    ThumbnailMaker,
    ThumbnailStore,
    psf_uri,
)

DETAIL = 480, 360  # pixels of a picture that are shown at full size
BEFORE, AFTER, DETAIL_BEFORE, DETAIL_AFTER = ROLES = ("before", "after", "detail-before", "detail-after")
_NAMES: dict[str, str] = dict(zip(ROLES, ("Before", "After", "Before", "After")))
_WHOLE, _DETAIL = "whole picture", "detail at full size"
_PAIRS = ((_WHOLE, BEFORE, AFTER), (_DETAIL, DETAIL_BEFORE, DETAIL_AFTER))
_SEEN, _SEEN_DETAIL = "seen", "seen-detail"


class Album:
    """Keeps pictures for a page, from any thread; they wait in a file, so that memory does not grow with them."""

    def __init__(self, output: Path):
        """output: the page to be written. Raises PlanError when its name is no page's."""
        document.check_name(output)
        self.output = output
        self._guard = threading.Lock()
        self._psfs: dict[str, str] = {}

    def keep(self, name: str, badness: float, pictures: Sequence[Picture], psf: np.ndarray | None = None) -> None:
        """Keep a picture in the versions that the page is to show, and its blur; the first version is the thumbnail.

        badness: where room is short, pictures are kept of the rows with the most of it.
        """
        made = self._maker.thumbnails(badness, pictures)
        with self._guard:
            self._store.add(name, made)
            if psf is not None:
                self._psfs[name] = psf_uri(psf)

    def psf(self, name: str) -> str:
        """The blur of a picture as a data URI; nothing where none was kept."""
        return self._psfs.get(name, "")

    @property
    def width(self) -> int:
        """How wide pictures are at most in the page."""
        return self._maker.width

    def listing(
        self,
        batch: Batch[JobT, ResultT],
        page: Callable[[list[Outcome[JobT, ResultT]]], Gallery],
    ) -> Batch[JobT, ResultT]:
        """The same batch; behind its last outcome, or when it is interrupted, the page is written.

        page: what the outcomes come to.
        """
        return replace(batch, outcomes=self._listed(batch, page))

    def _listed(
        self, batch: Batch[JobT, ResultT], page: Callable[[list[Outcome[JobT, ResultT]]], Gallery]
    ) -> Iterator[Outcome[JobT, ResultT]]:
        rows = batch.total or 0
        self._maker = ThumbnailMaker(rows, LARGE_THUMBNAIL if rows <= MOST_SHOWN else THUMBNAIL)
        with ThumbnailStore(self.output.parent) as self._store:
            seen: list[Outcome[JobT, ResultT]] = []
            try:
                for outcome in batch.outcomes:
                    seen.append(outcome)
                    yield outcome
            finally:
                gallery.write(self.output, page(seen), self._store)


def detail(picture: Picture, width: int) -> crops.Rows | None:
    """The part of a picture to be shown at full size; None where all of it is shown so, at a width of its own."""
    return None if picture.size[0] <= width else crops.most_detailed(picture, min(DETAIL[0], width), DETAIL[1])


# ---- what was restored -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Watched:
    """Work that an album looks on at."""

    work: Work
    album: Album

    def __call__(self, picture: Picture, key: str) -> Processed:
        made = self.work(picture, key)
        pictures = [picture, made.picture]
        part = detail(picture, self.album.width)
        if part is not None:
            pictures += [crops.cut(each, part) for each in pictures]
        self.album.keep(key, _badness(made.fields), pictures, made.psf)
        return made


def illustrated(
    html: Path | None, source: Inputs, target: Path, work: Work, start: Callable[[Work], Batch[Job, Written]]
) -> Batch[Job, Written]:
    """The batch that some work starts, and a page with all pictures before and after it.

    html: file for the page; None for none. source, target: where the pictures lie, and lie then. Raises PlanError when
    the page cannot be written where it should.
    """
    if html is None:
        return start(work)
    refusals.check_beside(html, source, target)
    album = Album(html)
    return album.listing(start(_Watched(work, album)), lambda seen: _restored(source, seen, album))


def _restored(source: Inputs, seen: Sequence[Outcome[Job, Written]], album: Album) -> Gallery:
    """What the page says of pictures that were restored."""
    done = [(outcome, outcome.result) for outcome in seen if outcome.result is not None]
    done.sort(key=lambda pair: (-_badness(pair[1].fields), pair[0].job.key))
    entries = [_entry(outcome, written, album) for outcome, written in done]
    others = {entry.kind: f"by {entry.kind}" for entry in entries if entry.kind not in WORDS}
    skipped = sum(outcome.status == SKIPPED for outcome in seen)
    return Gallery(
        f"Restored: {_named(source)}",
        _NAMES,
        _PAIRS,
        {**WORDS, **others},
        entries,
        about=(f"{skipped} already there, not shown",) if skipped else (),
        errors=sorted(outcome.error for outcome in seen if outcome.error),
    )


def _named(source: Inputs) -> str:
    """What titles call the pictures' place."""
    if isinstance(source, tuple):
        return f"{len(source)} pictures"
    return (source != STANDARD and source.resolve().name) or name_of(source)


def _badness(fields: Fields) -> float:
    return diagnoses.badness(fields.get("verdict", "unsure"), fields.get("pixels", 0.0))


def _entry(outcome: Outcome[Job, Written], written: Written, album: Album) -> Entry:
    """One picture: the blur that was found, what was done, and how long it took."""
    about, key = written.fields, outcome.job.key
    verdict = about.get("verdict")
    words = (
        written.note or about.get("psf") or ""
        if verdict is None
        else diagnoses.in_words(verdict, about["family"], about["pixels"])
    )
    facts = [
        ("blur found", words if verdict is not None else ""),
        ("how sure", f"{about['confidence']:.0%}" if "confidence" in about else ""),
        ("as --psf takes it", about.get("psf") or ""),
        ("what was done", written.note),
        ("time", f"{outcome.seconds:.1f} s"),
        ("size", f"{written.width} × {written.height} pixels"),
        ("output", str(outcome.job.target)),
    ]
    kind = verdict or str(about.get("method", ""))
    return Entry(key, kind, words, tuple(fact for fact in facts if fact[1]), album.psf(key))


# ---- what was looked at --------------------------------------------------------------------------------------------


def diagnosed(source: Inputs, seen: Sequence[Outcome[Job, Diagnosis]], album: Album) -> Gallery:
    """What the page says of pictures that were looked at, and not changed."""
    found = diagnoses.worst_first(outcome.result for outcome in seen if outcome.result is not None)
    entries = [
        Entry(each.name, each.verdict, each.words, _facts(each), album.psf(each.name))
        for each in found
    ]  # fmt: skip
    return Gallery(
        f"Triage of {_named(source)}",
        {_SEEN: "", _SEEN_DETAIL: ""},
        ((_WHOLE, _SEEN), (_DETAIL, _SEEN_DETAIL)),
        WORDS,
        entries,
        errors=sorted(outcome.error for outcome in seen if outcome.error),
    )


def _facts(each: Diagnosis) -> tuple[tuple[str, str], ...]:
    facts = [
        ("what it shows", each.words),
        ("how sure", f"{each.confidence:.0%}"),
        ("as --psf takes it", each.spec or ""),
        ("deblur would", each.plan),
        ("which costs", "" if each.seconds == 0 else f"about {diagnoses.duration(each.seconds)} of one CPU core"),
        ("size", f"{each.width} × {each.height} pixels"),
    ]
    return tuple(fact for fact in facts if fact[1])


def keep_seen(album: Album, name: str, badness: float, picture: Picture, psf: np.ndarray | None) -> None:
    """Keep a picture that was looked at, whole and in detail."""
    part = detail(picture, album.width)
    pictures = [picture] if part is None else [picture, crops.cut(picture, part)]
    album.keep(name, badness, pictures, psf)
