"""ICC profiles: which colour model they are for, and a grey one made over for RGB."""

from __future__ import annotations

import struct

GREY, RGB = b"GRAY", b"RGB "
_HEADER = 128
# sRGB's primaries under D50, of IEC 61966-2-1; together they are the white D50. Any three that sum to it would do.
_PRIMARIES = {
    b"rXYZ": (0.43607, 0.22249, 0.01392),
    b"gXYZ": (0.38515, 0.71687, 0.09708),
    b"bXYZ": (0.14307, 0.06061, 0.7141),
}
_WHITE = (0.9642, 1.0, 0.8249)


def model(profile: bytes) -> bytes:
    """The colour model that a profile is for, as its header says, such as `GREY` and `RGB`."""
    return profile[16:20]


def as_rgb(profile: bytes) -> bytes:
    """An RGB profile that gives equal values the lightness a grey profile gives them; empty if it gives none."""
    curve = _tags(profile).get(b"kTRC")
    if curve is None:
        return b""
    parts = {b"wtpt": _xyz(_WHITE), **{name: _xyz(value) for name, value in _PRIMARIES.items()}}
    parts |= {name: curve for name in (b"rTRC", b"gTRC", b"bTRC")}
    parts |= {name: body for name, body in _tags(profile).items() if name in (b"desc", b"cprt")}
    table, bodies, at = b"", b"", _HEADER + 4 + 12 * len(parts)
    for name, body in parts.items():
        table += struct.pack(">4sII", name, at + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    whole = profile[:_HEADER] + struct.pack(">I", len(parts)) + table + bodies
    return struct.pack(">I", len(whole)) + whole[4:16] + RGB + b"XYZ " + whole[24:84] + bytes(16) + whole[100:]


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """The bodies of a profile's tags by their names; none where it is malformed."""
    try:
        (count,) = struct.unpack_from(">I", profile, _HEADER)
        entries = [struct.unpack_from(">4sII", profile, _HEADER + 4 + 12 * index) for index in range(min(count, 100))]
    except struct.error:
        return {}
    return {name: profile[at : at + size] for name, at, size in entries}


def _xyz(value: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(part * 65536) for part in value))
