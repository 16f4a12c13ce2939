"""JPEG files segment by segment."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_START_OF_SCAN, _COMMENT = 0xDA, 0xFE
_ALONE = (0x01, *range(0xD0, 0xD9))  # markers without a body


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
    """The comments, as segments that another JPEG file takes over."""
    return tuple(segment(marker, body) for marker, body in segments(data) if marker == _COMMENT)
