"""IPTC: captions, keywords and rights, which JPEG and TIFF hold in different ways."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from deblurcli.pictures import directories, jpeg
from deblurcli.pictures.directories import Entry

TAG = 33723  # of TIFF
_PHOTOSHOP, _HOLDER = b"Photoshop 3.0\0", 0xED
_RESOURCE, _FIRST = 0x0404, b"\x1c"
_LONGEST = 0xFFFF - 2


def read(data: bytes, form: str) -> bytes:
    """The records of a file as they stand in it; empty where there are none, and in formats without them."""
    if form == "tiff":
        entry = directories.first(data).get(TAG)
        found = entry.raw if isinstance(entry, Entry) else b""  # as stored: at times as numbers, in the file's order
        return found if found.startswith(_FIRST) else b""
    return b"".join(_records(data)) if form == "jpeg" else b""


def segment(records: bytes) -> bytes:
    """A segment of a JPEG file with records; empty without any, and for more than a segment holds."""
    resource = b"8BIM" + struct.pack(">HHI", _RESOURCE, 0, len(records)) + records + bytes(len(records) % 2)
    fits = records and len(_PHOTOSHOP) + len(resource) <= _LONGEST
    return jpeg.segment(_HOLDER, _PHOTOSHOP + resource) if fits else b""


def _records(data: bytes) -> Iterator[bytes]:
    """The records in each of Photoshop's segments of a JPEG file; thumbnails are among the other resources."""
    for marker, body in jpeg.segments(data):
        if marker == _HOLDER and body.startswith(_PHOTOSHOP):
            yield from (content for kind, content in _resources(body[len(_PHOTOSHOP) :]) if kind == _RESOURCE)


def _resources(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The kind and content of every resource in Photoshop's block."""
    at = 0
    while body[at : at + 4] == b"8BIM" and at + 8 <= len(body):
        (kind,) = struct.unpack_from(">H", body, at + 4)
        size_at = at + 6 + (body[at + 6] + 2) // 2 * 2  # behind a name of even length with its count
        if size_at + 4 > len(body):
            return
        (size,) = struct.unpack_from(">I", body, size_at)
        yield kind, body[size_at + 4 : size_at + 4 + size]
        at = size_at + 4 + size + size % 2
