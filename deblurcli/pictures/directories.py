"""Directories of TIFF and EXIF, tag by tag: out of one file, and into another one at another place."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

EXIF, GPS, INTEROPERABILITY = 0x8769, 0x8825, 0xA005  # tags that point to directories
BYTE, TEXT, LONG, UNDEFINED = 1, 2, 4, 7  # kinds of values
_MAKER_NOTE = 0x927C  # which points to places in its own file
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 1, 7: 1, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8}  # bytes that belong together
_PARTS = {5: 2, 10: 2}  # fractions are of two numbers
_DEEPEST, _MOST, _LARGEST = 3, 250, 1 << 18  # levels, entries of a directory, bytes of a value


@dataclass(frozen=True)
class Entry:
    """A value. kind: TIFF's number for its type. value: its bytes, the lowest of each number first. raw: as stored."""

    kind: int
    value: bytes
    raw: bytes = b""


Directory: TypeAlias = "dict[int, Entry | Directory]"


def first(data: bytes) -> Directory:
    """The first directory of a TIFF structure, with those that EXIF keeps below it; empty where there is none.

    Entries that are malformed, point outside or are very large are left out, and so are maker notes.
    """
    order = _ORDERS.get(data[:4])
    if order is None or len(data) < 8:
        return {}
    return _read(data, struct.unpack_from(order + "I", data, 4)[0], order, _DEEPEST)


def _read(data: bytes, at: int, order: str, levels: int) -> Directory:
    found: Directory = {}
    if at + 2 > len(data):
        return found
    (count,) = struct.unpack_from(order + "H", data, at)
    for entry_at in range(at + 2, min(at + 2 + 12 * min(count, _MOST), len(data) - 11), 12):
        tag, kind, number = struct.unpack_from(order + "HHI", data, entry_at)
        size = _SIZES.get(kind, 0) * _PARTS.get(kind, 1) * number
        if tag == _MAKER_NOTE or not 0 < size <= _LARGEST:
            continue
        (pointed,) = struct.unpack_from(order + "I", data, entry_at + 8)
        if tag in (EXIF, GPS, INTEROPERABILITY):
            below = _read(data, pointed, order, levels - 1) if levels > 1 else {}
            if below:
                found[tag] = below
            continue
        start = entry_at + 8 if size <= 4 else pointed
        raw = data[start : start + size]
        if len(raw) == size:
            found[tag] = Entry(kind, _lowest_first(raw, kind, order), raw)
    return found


def _lowest_first(raw: bytes, kind: int, order: str) -> bytes:
    return raw if order == "<" else np.frombuffer(raw, f">u{_SIZES[kind]}").astype(f"<u{_SIZES[kind]}").tobytes()


def packed(directory: Directory, at: int) -> bytes:
    """A directory with all below it, as it stands at an even place in a file, the lowest bytes first."""
    head, behind = struct.pack("<H", len(directory)), b""
    start = at + 2 + 12 * len(directory) + 4
    for tag, entry in sorted(directory.items()):
        place = start + len(behind)
        if isinstance(entry, dict):
            head += struct.pack("<HHII", tag, LONG, 1, place)
            behind += packed(entry, place)
            continue
        size = _SIZES[entry.kind] * _PARTS.get(entry.kind, 1)
        head += struct.pack("<HHI", tag, entry.kind, len(entry.value) // size)
        if len(entry.value) <= 4:
            head += entry.value.ljust(4, b"\0")
        else:
            head += struct.pack("<I", place)
            behind += entry.value + bytes(len(entry.value) % 2)
    return head + bytes(4) + behind


def block(directory: Directory) -> bytes:
    """An EXIF block with a directory; empty for an empty one."""
    return b"II*\0" + struct.pack("<I", 8) + packed(directory, 8) if directory else b""


def with_directories(data: bytes, below: Directory) -> bytes:
    """A TIFF file of one page, lowest bytes first, with further directories below its first, which moves to the end."""
    if not below:
        return data
    (old,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, old)
    entries = {data[at : at + 2]: data[at : at + 12] for at in range(old + 2, old + 2 + 12 * count, 12)}
    at = len(data) + len(data) % 2
    behind, place = b"", at + 2 + 12 * (count + len(below)) + 4
    for tag, found in below.items():
        if isinstance(found, dict):
            entries[struct.pack("<H", tag)] = struct.pack("<HHII", tag, LONG, 1, place + len(behind))
            behind += packed(found, place + len(behind))
    head = struct.pack("<H", len(entries)) + b"".join(
        entries[tag] for tag in sorted(entries, key=lambda tag: tag[::-1])
    )
    return data[:4] + struct.pack("<I", at) + data[8:].ljust(at - 8, b"\0") + head + bytes(4) + behind
