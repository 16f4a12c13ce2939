"""ICC profiles: which colour model they are for, a grey one made over for RGB, and new ones for known colours."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

GREY, RGB = b"GRAY", b"RGB "
SRGB = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
_HEADER = 128
# sRGB's primaries under D50, of IEC 61966-2-1; together they are the white D50. Any three that sum to it would do.
_PRIMARIES = {
    b"rXYZ": (0.43607, 0.22249, 0.01392),
    b"gXYZ": (0.38515, 0.71687, 0.09708),
    b"bXYZ": (0.14307, 0.06061, 0.7141),
}
_WHITE = (0.9642, 1.0, 0.8249)  # D50, under which profiles state colours
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_STEPS = 1024  # of a curve that is no power
_DATE = (2026, 1, 1, 0, 0, 0)  # the same always, so that the same picture gives the same file
_FIXED = 0x7FFF  # the largest whole part of a number in a profile


@dataclass(frozen=True)
class Space:
    """Colours that a matrix and a curve describe.

    chromaticities: x and y of white, red, green and blue on the scale [0, 1], in the order of PNG. exponent: the power
    of a number in [0, 1] that is its linear light; None for the curve of sRGB.
    """

    chromaticities: tuple[float, ...] = SRGB
    exponent: float | None = None


def model(profile: bytes) -> bytes:
    """The colour model that a profile is for, as its header says, such as `GREY` and `RGB`."""
    return profile[16:20]


def made(space: Space, is_grey: bool, title: str) -> bytes:
    """A profile of version 2 for RGB or grey numbers of a space; empty where the space is no possible one.

    title: what programs show of it, in ASCII.
    """
    primaries = _primaries(space.chromaticities)
    curve = _curve(space.exponent)
    if primaries is None or not curve:
        return b""
    if is_grey:
        parts = {b"kTRC": curve}
    else:
        parts = {name: _xyz(value) for name, value in zip(_PRIMARIES, primaries.T.tolist())}
        parts |= {name: curve for name in (b"rTRC", b"gTRC", b"bTRC")}
    text = title.encode("ascii", "replace") + b"\0"
    parts = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text\0\0\0\0No copyright, use freely\0",
        b"wtpt": _xyz(_WHITE),
        **parts,
    }
    head = struct.pack(">4sI4s4s4s6H4s", b"", 0x02400000, b"mntr", GREY if is_grey else RGB, b"XYZ ", *_DATE, b"acsp")
    return _assembled(bytes(4) + head + bytes(28) + _xyz(_WHITE)[8:] + bytes(48), parts)


def as_rgb(profile: bytes) -> bytes:
    """An RGB profile that gives equal values the lightness a grey profile gives them; empty if it gives none."""
    curve = _tags(profile).get(b"kTRC")
    if curve is None:
        return b""
    parts = {b"wtpt": _xyz(_WHITE), **{name: _xyz(value) for name, value in _PRIMARIES.items()}}
    parts |= {name: curve for name in (b"rTRC", b"gTRC", b"bTRC")}
    parts |= {name: body for name, body in _tags(profile).items() if name in (b"desc", b"cprt")}
    head = profile[:16] + RGB + b"XYZ " + profile[24:84] + bytes(16) + profile[100:_HEADER]
    return _assembled(head, parts)


def _assembled(head: bytes, parts: dict[bytes, bytes]) -> bytes:
    """A profile of a header, its first four bytes aside, and tags."""
    table, bodies, at = b"", b"", _HEADER + 4 + 12 * len(parts)
    for name, body in parts.items():
        table += struct.pack(">4sII", name, at + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    return struct.pack(">I", at + len(bodies)) + head[4:] + struct.pack(">I", len(parts)) + table + bodies


def _primaries(chromaticities: tuple[float, ...]) -> np.ndarray | None:
    """XYZ of red, green and blue in the columns of a matrix ``(3, 3)``, under D50; None where they span no colours."""
    xy = np.array(chromaticities, np.float64).reshape(4, 2)
    if (xy[:, 1] <= 0).any():
        return None
    white, *colours = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in xy)
    columns = np.array(colours).T
    if abs(np.linalg.det(columns)) < 1e-6:
        return None
    seen = _BRADFORD @ white
    if (seen <= 0).any():
        return None
    to_d50 = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _WHITE / seen) @ _BRADFORD
    found = to_d50 @ (columns * np.linalg.solve(columns, white))
    return found if (np.abs(found) < _FIXED).all() else None


def _curve(exponent: float | None) -> bytes:
    """The tag of a curve; empty for a power that a profile cannot hold."""
    if exponent is None:
        coded = np.arange(_STEPS) / (_STEPS - 1)
        linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
        return b"curv\0\0\0\0" + struct.pack(">I", _STEPS) + np.rint(linear * 0xFFFF).astype(">u2").tobytes()
    power = round(exponent * 256)
    return b"curv\0\0\0\0" + struct.pack(">IH2x", 1, power) if 0 < power <= 0xFFFF else b""


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """The bodies of a profile's tags by their names; none where it is malformed."""
    try:
        (count,) = struct.unpack_from(">I", profile, _HEADER)
        entries = [struct.unpack_from(">4sII", profile, _HEADER + 4 + 12 * index) for index in range(min(count, 100))]
    except struct.error:
        return {}
    return {name: profile[at : at + size] for name, at, size in entries}


def _xyz(value: tuple[float, ...] | list[float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(part * 65536) for part in value))
