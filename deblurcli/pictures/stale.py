"""Metadata that describes pixels, made true again once they have changed: orientation, size, thumbnails, HDR maps."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

ORIENTATION = 0x0112
_EXIF_POINTER = 0x8769
_ORDERS = {b"II": "<", b"MM": ">"}
_SIDES = {0x0100: 0, 0x0101: 1, 0xA002: 0, 0xA003: 1}  # image width and length, and those of the EXIF directory
_THUMBNAIL_AT, _THUMBNAIL_BYTES = 0x0201, 0x0202
_FORMATS = {3: "H", 4: "I"}  # of EXIF's whole numbers
_XMP_SIDES = {
    b"tiff:ImageWidth": 0, b"tiff:ImageLength": 1, b"exif:PixelXDimension": 0, b"exif:PixelYDimension": 1,
}  # fmt: skip
# What announces further pictures that only the old file holds: gain maps, depth, motion photos, thumbnails, and the
# rest of a packet too long for one JPEG segment.
_ANNOUNCING = (
    rb"(?:hdrgm|HDRGainMap|GDepth|GImage):\w+|Container:Directory|GContainer:\w+|xmp:Thumbnails"
    rb"|GCamera:(?:MotionPhoto|MicroVideo)\w*|xmpNote:HasExtendedXMP"
)
# Packets end in kilobytes of blanks, so no expression begins with a run of them: it would try each in turn.
_ATTRIBUTE = re.compile(rb"(?<=\s)(?:" + _ANNOUNCING + rb")\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_OPENING = re.compile(rb"<(" + _ANNOUNCING + rb")\b[^<>]*>")


@dataclass(frozen=True)
class _Entry:
    """A tag of an EXIF block: where its value stands, how it is packed, and what it is."""

    tag: int
    at: int
    form: str
    value: int


def orientation(block: bytes) -> int:
    """The orientation that an EXIF block gives, of any value; 1 when it gives none or is malformed."""
    order = _ORDERS.get(block[:2])
    try:
        found = _entries(block, struct.unpack_from(order + "I", block, 4)[0], order) if order else ()
        return next((entry.value for entry in found if entry.tag == ORIENTATION), 1)
    except struct.error:
        return 1


def xmp_orientation(packet: bytes) -> int:
    """The orientation that an XMP packet gives, of one digit; 1 when it gives none."""
    found = re.search(rb"tiff:Orientation(?:\s*=\s*[\"']|>)\s*(\d)", packet)
    return int(found[1]) if found else 1


def exif(block: bytes, size: tuple[int, int]) -> bytes:
    """An EXIF block for a picture that is upright and of some width and height, changed in place.

    Nothing else moves, so that what other programs point to stays where it is. The thumbnail is wiped.
    """
    order = _ORDERS.get(block[:2])
    if order is None:
        return block
    changed = bytearray(block)
    try:
        first = struct.unpack_from(order + "I", block, 4)[0]
        for entry in _entries(block, first, order):
            if entry.tag == ORIENTATION:
                struct.pack_into(entry.form, changed, entry.at, 1)
            _set_side(changed, entry, size)
            if entry.tag == _EXIF_POINTER:
                for inner in _entries(block, entry.value, order):
                    _set_side(changed, inner, size)
        _wipe_thumbnail(changed, first, order)
    except struct.error:
        pass
    return bytes(changed)


def _set_side(changed: bytearray, entry: _Entry, size: tuple[int, int]) -> None:
    side = _SIDES.get(entry.tag)
    if side is not None and (entry.form[1:] == "I" or size[side] <= 0xFFFF):
        struct.pack_into(entry.form, changed, entry.at, size[side])


def _wipe_thumbnail(changed: bytearray, first: int, order: str) -> None:
    """Cut the directory of the thumbnail off, and fill what it pointed to with zeros."""
    (count,) = struct.unpack_from(order + "H", changed, first)
    link = first + 2 + 12 * count
    (second,) = struct.unpack_from(order + "I", changed, link)
    if not second:
        return
    found = {entry.tag: entry.value for entry in _entries(bytes(changed), second, order)}
    at, length = found.get(_THUMBNAIL_AT, 0), found.get(_THUMBNAIL_BYTES, 0)
    if at > 8 and at + length <= len(changed):
        changed[at : at + length] = bytes(length)
    struct.pack_into(order + "I", changed, link, 0)


def _entries(block: bytes, directory: int, order: str) -> Iterator[_Entry]:
    """The single whole numbers of a directory."""
    (count,) = struct.unpack_from(order + "H", block, directory)
    for at in range(directory + 2, directory + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", block, at)
        if kind in _FORMATS and number == 1:
            form = order + _FORMATS[kind]
            yield _Entry(tag, at + 8, form, struct.unpack_from(form, block, at + 8)[0])


def xmp(packet: bytes, size: tuple[int, int]) -> bytes:
    """An XMP packet for a picture that is upright, of some width and height, and alone in its file."""
    packet = _without_elements(_ATTRIBUTE.sub(b"", packet))
    values = {b"tiff:Orientation": b"1", **{name: b"%d" % size[side] for name, side in _XMP_SIDES.items()}}
    for name, value in values.items():
        packet = re.sub(rb"(\s" + name + rb"\s*=\s*[\"']|<" + name + rb"\s*>)\s*\d+\s*", rb"\g<1>" + value, packet)
    return packet


def _without_elements(packet: bytes) -> bytes:
    """The packet without the elements that announce; one that never closes stays."""
    kept, at, unclosed = [], 0, set()
    for found in _OPENING.finditer(packet):
        if found.start() < at or found[1] in unclosed:
            continue
        is_whole = found[0].endswith(b"/>")
        last = found if is_whole else re.compile(rb"</" + found[1] + rb"\s*>").search(packet, found.end())
        if last is None:
            unclosed.add(found[1])
            continue
        kept.append(packet[at : found.start()])
        at = last.end()
    return b"".join((*kept, packet[at:]))
