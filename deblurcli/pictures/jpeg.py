"""JPEG files segment by segment: what another JPEG file takes over beside EXIF, ICC profile and XMP."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_START_OF_SCAN, _IPTC_HOLDER, _COMMENT = 0xDA, 0xED, 0xFE
_ALONE = (0x01, *range(0xD0, 0xD9))  # markers without a body
_PHOTOSHOP = b"Photoshop 3.0\0"
_IPTC = 0x0404


def segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The marker and body of every segment before the picture itself."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _START_OF_SCAN:
            return
        if marker in _ALONE or marker == 0xFF:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + max(length, 2)


def segment(marker: int, body: bytes) -> bytes:
    """A segment as it stands in a file."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def kept(data: bytes) -> tuple[bytes, ...]:
    """The segments that another JPEG file takes over: comments, and captions and keywords (IPTC)."""
    found = []
    for marker, body in segments(data):
        if marker == _COMMENT:
            found.append(segment(marker, body))
        if marker == _IPTC_HOLDER and body.startswith(_PHOTOSHOP):
            captions = b"".join(whole for kind, whole in _resources(body[len(_PHOTOSHOP) :]) if kind == _IPTC)
            found += [segment(marker, _PHOTOSHOP + captions)] if captions else []
    return tuple(found)


def _resources(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The kind and whole bytes of every resource in Photoshop's block; thumbnails are among the others."""
    at = 0
    while body[at : at + 4] == b"8BIM" and at + 8 <= len(body):
        (kind,) = struct.unpack_from(">H", body, at + 4)
        size_at = at + 6 + (body[at + 6] + 2) // 2 * 2  # behind a name of even length with its count
        if size_at + 4 > len(body):
            return
        (size,) = struct.unpack_from(">I", body, size_at)
        end = size_at + 4 + size + size % 2
        yield kind, body[at:end]
        at = end
