"""Pictures for a page: reduced, as data that stands in the page itself, and only as many as it can bear.

The page shows a small thumbnail of every row, and the pictures of the worst rows at the size they are looked at, within
`MOST_BYTES`. They wait in a file without a name, so that memory does not grow with their number.
"""

from __future__ import annotations

import base64
import heapq
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType

import numpy as np

from deblurcli.errors import PlanError
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.reports import drawing

MOST_BYTES = 52_000_000  # of pictures in a page, with the thumbnails
MOST_SHOWN = 1000
MOST_THUMBNAILS = 12_000
# Widest picture in pixels by how many rows there are at most.
WIDTHS = ((40, 1280), (100, 960), (250, 640), (500, 480), (MOST_SHOWN, 400))
NARROWEST = 320
THUMBNAIL, LARGE_THUMBNAIL = 72, 168  # pixels wide; in a table, and in a grid
JPEG_QUALITY, WEBP_QUALITY = 88, 70


@dataclass(frozen=True)
class Thumbnails:
    """A thumbnail and pictures as data URIs; the pictures are empty where the row has none in the page."""

    thumbnail: str
    pictures: tuple[str, ...] = ()


def width_for(rows: int) -> int:
    """How wide pictures are at most in a page of so many rows, in pixels."""
    return next((width for most, width in WIDTHS if rows <= most), NARROWEST)


def psf_uri(psf: np.ndarray) -> str:
    """A PSF ``(K, L)`` as a grey picture in a data URI, its largest weight white, a pixel for each of its pixels."""
    grey = np.round(255 * psf / psf.max()).astype(np.uint8)
    return _uri(Picture(grey[..., None]), "png")


def _data_uri(picture: Picture, width: int, form: str, quality: int) -> str:
    """A picture of at most a width as a data URI; larger ones are averaged, smaller ones stay as they are."""
    pixels = drawing.reduced(picture.pixels, picture.alpha, min(width, picture.size[0]))
    return _uri(Picture(pixels), form, quality)


def _uri(picture: Picture, form: str, quality: int | None = None) -> str:
    data = images.encode(picture, form, quality)
    return f"data:image/{form};base64,{base64.b64encode(data).decode('ascii')}"


class ThumbnailMaker:
    """Makes thumbnails, called from any thread; of which rows with pictures, how bad they are decides."""

    def __init__(self, rows: int, thumbnail: int = THUMBNAIL):
        """rows: how many rows there will be. thumbnail: how wide a thumbnail is, in pixels."""
        self.width = width_for(rows)
        self._thumbnail = thumbnail
        self._thumbnails = rows <= MOST_THUMBNAILS
        self._worst: list[float] = []
        self._guard = threading.Lock()

    def thumbnails(self, badness: float, pictures: Sequence[Picture]) -> Thumbnails:
        """Those of a row; the small one is of the first picture."""
        wanted = self._is_wanted(badness)
        small = self._thumbnails or wanted
        thumbnail = _data_uri(pictures[0], self._thumbnail, "webp", WEBP_QUALITY) if small else ""
        shown = pictures if wanted else ()
        return Thumbnails(thumbnail, tuple(_data_uri(each, self.width, "jpeg", JPEG_QUALITY) for each in shown))

    def _is_wanted(self, badness: float) -> bool:
        """Whether a row is among the worst so far."""
        with self._guard:
            if len(self._worst) < MOST_SHOWN:
                heapq.heappush(self._worst, badness)
                return True
            return heapq.heappushpop(self._worst, badness) != badness


class ThumbnailStore:
    """Thumbnails by name, in a file without a name; only where they lie there is in memory."""

    def __init__(self, folder: Path):
        """folder: where there is room for them, such as that of the page. Raises PlanError when there is none."""
        self._folder = folder
        self._places: dict[str, tuple[int, int, int]] = {}  # offset, bytes of the thumbnail, bytes of the pictures

    def __enter__(self) -> ThumbnailStore:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = TemporaryFile(dir=self._folder)
        except OSError as error:
            raise PlanError(f"{self._folder}: cannot be written to ({error.strerror}); choose another place") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._file.close()

    def add(self, name: str, thumbnails: Thumbnails) -> None:
        """Keep those of a row. Raises PlanError when the disk refuses it."""
        thumbnail, pictures = thumbnails.thumbnail.encode(), " ".join(thumbnails.pictures).encode()
        try:
            offset = self._file.seek(0, 2)
            self._file.write(thumbnail + pictures)
        except OSError as error:
            raise PlanError(f"{self._folder}: cannot be written to ({error.strerror}); choose another place") from error
        self._places[name] = (offset, len(thumbnail), len(pictures))

    def shown(self, names: Sequence[str], most: int = MOST_BYTES) -> set[str]:
        """Those of the names, the first ones first, whose pictures are kept and find room."""
        chosen, room = set(), most - sum(small for _, small, _ in self._places.values())
        for name in names:
            size = self._places.get(name, (0, 0, 0))[2]
            if size and len(chosen) < MOST_SHOWN:
                room -= size
                if room < 0:
                    break
                chosen.add(name)
        return chosen

    def read(self, names: Sequence[str], shown: set[str]) -> Iterator[tuple[str, bytes, bytes]]:
        """Name, thumbnail and pictures with spaces between them, of those that are kept."""
        for name in names:
            if name in self._places:
                offset, small, large = self._places[name]
                self._file.seek(offset)
                yield name, self._file.read(small), self._file.read(large) if name in shown else b""
