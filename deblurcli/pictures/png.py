"""PNG files chunk by chunk: what decoding needs, what describes the picture, and what another PNG file takes over."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = (b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI")  # what the numbers mean
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_XMP = b"XML:com.adobe.xmp\0"
_RAW = b"Raw profile type "  # EXIF, IPTC and XMP as ImageMagick once stored them, unaware of any change
_ESSENTIAL = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_SRGB_GAMMA = struct.pack(">I", 45455)
_SRGB_CICP = ((1, 13), (1, 1), (1, 6))  # primaries and transfer that sRGB viewers show about right


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk as it stands in a file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind and body of every sound chunk, up to the first essential one that is damaged."""
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body, check = data[at + 4 : at + 8], data[at + 8 : at + 8 + length], data[at + 8 + length :][:4]
        sound = check == struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
        if sound:
            yield kind, body
        elif kind in _ESSENTIAL or len(check) < 4:
            return
        at += 12 + length


def essential(data: bytes) -> bytes | None:
    """The file with nothing but what decoding needs, about which libpng has no warnings; None when it is damaged."""
    found = [(kind, body) for kind, body in chunks(data) if kind in _ESSENTIAL]
    if not found or found[-1][0] != b"IEND":
        return None
    return SIGNATURE + b"".join(chunk(kind, body) for kind, body in found)


def described(data: bytes) -> bytes:
    """The file without its pixels, so that what stands behind them is before them, where readers of headers look."""
    found = [(kind, body) for kind, body in chunks(data) if kind not in (b"IDAT", b"fdAT", b"IEND")]
    return SIGNATURE + b"".join(chunk(kind, body) for kind, body in found) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def kept(data: bytes) -> tuple[bytes, ...]:
    """The chunks that another PNG file takes over: what the numbers mean, and texts."""
    return tuple(
        chunk(kind, body)
        for kind, body in chunks(data)
        if kind in COLOURS or (kind in TEXTS and not body.startswith((_XMP, _RAW)))
    )


def colours_beyond_srgb(kept: tuple[bytes, ...]) -> str:
    """How the chunks that were kept say that numbers mean other colours than those of sRGB; empty if they do not."""
    found = {each[4:8]: each[8:-4] for each in kept}
    coded = found.get(b"cICP", b"")
    if len(coded) == 4 and (coded[0], coded[1]) not in _SRGB_CICP:
        return {16: "PQ (HDR)", 18: "HLG (HDR)", 8: "linear"}.get(coded[1], "other colours than sRGB")
    gamma = found.get(b"gAMA", _SRGB_GAMMA)
    if b"sRGB" in found or b"cICP" in found or len(gamma) != 4:
        return ""
    exponent = struct.unpack(">I", gamma)[0] / 100_000
    return "" if abs(exponent - 0.45455) < 0.02 else f"gamma {exponent:g}"


def with_chunks(data: bytes, added: bytes) -> bytes:
    """A PNG file with further chunks behind its header."""
    behind_header = len(SIGNATURE) + 25
    return data[:behind_header] + added + data[behind_header:]
