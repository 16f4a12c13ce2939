"""Damaged pictures: files of every format, changed at random, are read or refused by an error of ours, soon."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import random
import resource
import time
import traceback
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import tifffile

from deblurcli.errors import ImageError
from deblurcli.pictures import formats, images, png

_SECONDS = 60.0  # that a small file may take, on a machine with other work
_MEMORY = 6 << 30
_MAX_PIXELS = 20_000_000
_EXTREMES = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\0\0",
    b"\xff\xff",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
)


def seeds() -> list[bytes]:
    """Small files of every format that is written, with what may stand beside the pixels."""
    rows, columns = np.mgrid[:40, :56]
    colour = np.dstack([rows * 6, columns * 4, (rows + columns) * 2]).astype(np.uint8)
    block = PIL.Image.Exif()
    block[0x0112], block[0x010F] = 6, "A maker"
    found = []
    for form in formats.FORMATS:
        for mode in ("L", "RGB", "RGBA", "P"):
            written = io.BytesIO()
            try:
                beside = {} if form == "bmp" else {"exif": block, "dpi": (300, 300)}
                PIL.Image.fromarray(colour).convert(mode).save(written, form, **beside)
            except OSError:
                continue  # a mode that the format does not hold
            found.append(written.getvalue())
    deep = colour.astype(np.uint16) * 257
    found.append(cv2.imencode(".png", deep)[1].tobytes())
    found.append(cv2.imencode(".avif", deep >> 6, [cv2.IMWRITE_AVIF_DEPTH, 10])[1].tobytes())
    layouts: list[dict[str, Any]] = [
        {}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)}, {"planarconfig": "separate"},
    ]  # fmt: skip
    for layout in layouts:
        written = io.BytesIO()
        array = np.moveaxis(deep, 2, 0).copy() if "planarconfig" in layout else deep
        tifffile.imwrite(written, array, photometric="rgb", **layout)
        found.append(written.getvalue())
    beside = png.chunk(b"gAMA", b"\0\1\x86\xa0") + png.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>")
    return [*found, *(png.with_chunks(data, beside) for data in found if data.startswith(png.SIGNATURE))]


def changed(data: bytes, rng: random.Random) -> bytes:
    """A file with a few changes, mostly near its beginning, where headers are; the sums of PNG's chunks often right."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        near = rng.random() < 0.7
        at = rng.randrange(min(len(made), 400) if near else len(made)) if made else 0
        kind = rng.randrange(6)
        if kind == 0:
            made[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            extreme = rng.choice(_EXTREMES)
            made[at : at + len(extreme)] = extreme
        elif kind == 2:
            del made[at : at + rng.randrange(1, 64)]
        elif kind == 3:
            made[at:at] = rng.randbytes(rng.randrange(1, 32))
        elif kind == 4 and rng.random() < 0.3:
            del made[rng.randrange(len(made) + 1) :]
        else:
            other = rng.randrange(len(made) + 1)
            made[at:at] = made[other : other + rng.randrange(1, 200)]
    return _mended(bytes(made)) if made.startswith(png.SIGNATURE) and rng.random() < 0.7 else bytes(made)


def _mended(data: bytes) -> bytes:
    """A PNG file whose chunks have the right sums again, as far as their lengths are right."""
    at, made = len(png.SIGNATURE), [png.SIGNATURE]
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        made.append(png.chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return b"".join(made)


def tried(data: bytes, target: str) -> str:
    """Read a file and write it as another format; what came of it. Raises what is no error of ours."""
    try:
        picture = images.decode(data, "a", _MAX_PIXELS)
    except ImageError:
        return "refused"
    try:
        images.decode(images.encode(picture.on((0, 0, 0)) if target == "jpeg" else picture, target))
    except ImageError as error:
        if "cannot be written" not in str(error):
            raise RuntimeError("what was written cannot be read") from error
        return "not written"
    return "read"


def _serve(connection: Connection) -> None:
    """Try one file after the other, in a process that may crash."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    while True:
        data, target = connection.recv()
        try:
            connection.send((tried(data, target), ""))
        except MemoryError:
            connection.send(("out of memory", ""))
        except BaseException as error:  # whatever it is, it is a fault
            connection.send((f"fault: {type(error).__name__}", traceback.format_exc()))


class _Server:
    """The process that tries files, started anew after a crash."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._end, far = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(target=_serve, args=(far,), daemon=True)
        self._process.start()
        far.close()

    def ask(self, data: bytes, target: str) -> tuple[str, str]:
        """What came of a file, and the traceback of a fault."""
        try:
            self._end.send((data, target))
            if self._end.poll(_SECONDS):
                return self._end.recv()
            found = f"fault: over {_SECONDS:.0f} seconds"
        except (EOFError, OSError):
            found = "fault: crash"
        self._process.kill()
        self._process.join()
        self._start()
        return found, ""


def main(files: list[bytes], minutes: float, out: Path, seed: int) -> None:
    """Change files for so long, print the counts, and keep those at fault in a folder."""
    rng, server = random.Random(seed), _Server()
    counts: Counter[tuple[str, str]] = Counter()
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        data = changed(rng.choice(files), rng)
        target = rng.choice(list(formats.FORMATS))
        found, trace = server.ask(data, target)
        counts[formats.sniff(data) or "unknown", found] += 1
        if found.startswith("fault"):
            out.mkdir(parents=True, exist_ok=True)
            name = hashlib.sha256(data).hexdigest()[:12]
            (out / name).write_bytes(data)
            print(f"{found}: {name} to {target}\n{trace}", flush=True)
    for (form, found), count in sorted(counts.items()):
        print(f"{form:8} {found:28} {count}")
    print(f"{counts.total()} files, {sum(count for (_, found), count in counts.items() if 'fault' in found)} faults")
