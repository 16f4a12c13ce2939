"""Each picture of a folder, as `images.decode` reads it and as Pillow does."""

from __future__ import annotations

import io
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageOps

from deblurcli.errors import ImageError
from deblurcli.pictures import formats, images

_LOSSLESS = ("png", "bmp", "tiff")
_LOSSY_STEP = 6 / 255  # between two decoders of one lossy file
_SLOW = 2.0
MAX_PIXELS = 60_000_000


@dataclass(frozen=True)
class Reading:
    """Samples ``(H, W, 3)`` and alpha ``(H, W)`` on the scale [0, 1], and the step between two levels."""

    colours: np.ndarray
    alpha: np.ndarray
    step: float


def files(places: list[Path]) -> Iterator[tuple[str, bytes]]:
    """The name and bytes of every picture in folders and zip files."""
    endings = (*images.READ, ".mpo")
    for place in places:
        if place.suffix == ".zip":
            with zipfile.ZipFile(place) as opened:
                yield from ((name, opened.read(name)) for name in opened.namelist() if name.lower().endswith(endings))
        else:
            found = sorted(path for path in place.rglob("*") if path.name.lower().endswith(endings))
            yield from ((str(path), path.read_bytes()) for path in found if path.is_file())


def ours(data: bytes, name: str) -> Reading:
    """What this tool reads."""
    picture = images.decode(data, name, MAX_PIXELS)
    top = np.iinfo(picture.pixels.dtype).max
    alpha = np.full(picture.pixels.shape[:2], top) if picture.alpha is None else picture.alpha
    return Reading(np.broadcast_to(picture.pixels / top, (*alpha.shape, 3)), alpha / top, 1 / top)


def pillow(data: bytes) -> Reading:
    """What Pillow reads of the first frame.

    It gives the level of grey that is transparent as the file stores it, for samples that it has widened; here it is
    widened too.
    """
    with PIL.Image.open(io.BytesIO(data)) as opened:
        if opened.width * opened.height > MAX_PIXELS:
            raise ValueError("too large")
        grey, level = opened.mode in formats.GREY, opened.info.get("transparency")
        picture = PIL.ImageOps.exif_transpose(opened)
        if grey or picture.mode.startswith("I"):
            samples = np.asarray(picture.convert("L") if picture.mode == "1" else picture)
            top = 255 if samples.dtype == np.uint8 else 65535
            bits = data[24] if formats.sniff(data) == "png" else 8
            clear = -1 if not isinstance(level, int) else (level & (2**bits - 1)) * top // (2**bits - 1)
            return Reading(np.repeat(samples[..., None] / top, 3, axis=2), (samples != clear) * 1.0, 1 / top)
        samples = np.asarray(picture.convert("RGBA")) / 255
        return Reading(samples[..., :3], samples[..., 3], 1 / 255)


def difference(one: Reading, other: Reading) -> float:
    """The largest between two readings, colours weighted by alpha; infinite where the sizes differ."""
    if one.colours.shape != other.colours.shape:
        return float("inf")
    alpha = np.abs(one.alpha - other.alpha).max(initial=0)
    return float(max(alpha, (np.abs(one.colours - other.colours) * other.alpha[..., None]).max(initial=0)))


def verdict(name: str, data: bytes) -> tuple[str, str]:
    """How the two readings of a file go together, and what there is to say of it."""
    mine = theirs = None
    said = ""
    begun = time.perf_counter()
    try:
        mine = ours(data, name)
    except ImageError as error:
        said = str(error)
    seconds = time.perf_counter() - begun
    try:
        theirs = pillow(data)
    except formats.MALFORMED as error:
        said = said or repr(error)
    if seconds > _SLOW:
        return "slow", f"{seconds:.1f} s"
    if mine is None or theirs is None:
        return ("refused by both" if mine is theirs else "read by one only: " + ("Pillow" if theirs else "ours")), said
    allowed = max(mine.step, theirs.step) if formats.sniff(data) in _LOSSLESS else _LOSSY_STEP
    if mine.step == theirs.step and formats.sniff(data) in _LOSSLESS:
        allowed = 0
    found = difference(mine, theirs)
    return ("equal", "") if found <= 1.01 * allowed else ("differs", f"by {found * 255:.2f} of 255")


def main(places: list[Path]) -> None:
    """Print what differs, and how many pictures of each format are read alike."""
    counts: Counter[tuple[str, str]] = Counter()
    for name, data in files(places):
        found, said = verdict(name, data)
        counts[formats.sniff(data) or "unknown", found] += 1
        if found not in ("equal", "refused by both"):
            print(f"{found}: {name}: {said}")
    for (form, found), count in sorted(counts.items()):
        print(f"{form:8} {found:28} {count}")
