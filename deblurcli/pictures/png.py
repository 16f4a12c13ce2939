"""PNG files chunk by chunk: what decoding needs, what describes the picture, and what another PNG file takes over."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOURS = (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI")  # what the numbers mean
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_XMP = b"XML:com.adobe.xmp\0"
_RAW = b"Raw profile type "  # EXIF, IPTC and XMP as ImageMagick once stored them, unaware of any change
_DESCRIBING = (b"iCCP", b"eXIf", b"pHYs", b"acTL", b"fcTL", *_TEXTS)  # what is read by another library
_ESSENTIAL = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk as it stands in a file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind and body of every sound chunk, up to the first essential one that is damaged."""
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 8 + length
        kind, body, check = data[at + 4 : at + 8], data[at + 8 : end], data[end : end + 4]
        sound = check == struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
        if sound:
            yield kind, body
        elif kind in _ESSENTIAL or len(check) < 4:
            return
        at = end + 4


def essential(data: bytes) -> bytes | None:
    """The file with nothing but what decoding needs, about which libpng has no warnings; None when it is damaged."""
    found = [(kind, body) for kind, body in chunks(data) if kind in _ESSENTIAL]
    if not found or found[-1][0] != b"IEND":
        return None
    return SIGNATURE + b"".join(chunk(kind, body) for kind, body in found)


def described(data: bytes) -> Iterator[bytes]:
    """Ways to read a header, the richest first: with all that describes the picture, and with none of it.

    The pixels are left out, so that what stands behind them is before them, where readers look. Where a chunk that
    describes is malformed, only the second way can be read.
    """
    found = [(kind, body) for kind, body in chunks(data) if kind not in (b"IDAT", b"IEND")]
    end = chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    for kinds in ((*_ESSENTIAL, *_DESCRIBING), _ESSENTIAL):
        yield SIGNATURE + b"".join(chunk(kind, body) for kind, body in found if kind in kinds) + end


def kept(data: bytes) -> tuple[bytes, ...]:
    """The chunks that another PNG file takes over: what the numbers mean, and texts."""
    return tuple(
        chunk(kind, body)
        for kind, body in chunks(data)
        if kind in _COLOURS or (kind in _TEXTS and not body.startswith((_XMP, _RAW)))
    )


def with_chunks(data: bytes, added: bytes) -> bytes:
    """A PNG file with further chunks behind its header."""
    behind_header = len(SIGNATURE) + 25
    return data[:behind_header] + added + data[behind_header:]
