"""The page that shows pictures without a reference: each before and after, and what was found of it; see `document`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deblurcli.reports.html import document
from deblurcli.reports.html.document import MOST_ERRORS, Frame, data_of, picture_elements
from deblurcli.reports.thumbnails import ThumbnailStore

FRAME = Frame("gallery.html", ("base.css", "gallery.css"), ("common.js", "gallery.js"))
NONE = "data:,"  # stands for a picture that a row has not

# A choice of what to look at: its name, and one role, or two with a slider between them.
Pair = tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """What the page says of one picture.

    name: its path, under which its thumbnails are kept. kind: what it can be filtered by, key of `Gallery.kinds`.
    words: a line on it. facts: names and values, to be read beside it. psf: the blur found as a data URI, or nothing.
    """

    name: str
    kind: str
    words: str
    facts: tuple[tuple[str, str], ...] = ()
    psf: str = ""


@dataclass(frozen=True)
class Gallery:
    """What a page shows.

    roles: what the pictures of each row are, in the order of `Thumbnails.pictures`, and how people read them.
    pairs: what can be looked at. kinds: of entries, and how people read them. about: a few words each, below the title.
    entries: in the order to show them in. notes: lines at the end. errors: a line for all that went wrong.
    """

    title: str
    roles: Mapping[str, str]
    pairs: Sequence[Pair]
    kinds: Mapping[str, str]
    entries: Sequence[Entry]
    about: tuple[str, ...] = ()
    notes: tuple[str, ...] = ("Made by deblurcli. Pictures are reduced and compressed for this page.",)
    errors: Sequence[str] = field(default=())


def write(output: Path, gallery: Gallery, store: ThumbnailStore) -> None:
    """Write the page in place of `output`, picture by picture.

    store: the thumbnails of the entries, by name. Raises ImageError when the disk refuses.
    """
    names = [entry.name for entry in gallery.entries]
    shown = store.shown(names)
    rows = ([entry.name, entry.kind, entry.words, entry.facts, entry.psf] for entry in gallery.entries)
    order = {name: index for index, name in enumerate(names)}
    pictures = picture_elements(order, store, names, shown)
    document.write(output, FRAME, gallery.title, _data(gallery, len(shown), rows), pictures)


def _data(gallery: Gallery, shown: int, rows: Iterator[list]) -> Iterator[str]:
    """All the page tells, once it is asked for."""
    head = {
        "roles": list(gallery.roles),
        "names": dict(gallery.roles),
        "pairs": gallery.pairs,
        "kinds": list(gallery.kinds.items()),
        "about": gallery.about,
        "notes": gallery.notes,
        "errors": list(gallery.errors[:MOST_ERRORS]),
        "errorCount": len(gallery.errors),
        "slides": shown,
    }
    yield from data_of(head, rows)
