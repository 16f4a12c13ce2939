"""What the numbers of a picture mean where its file says so without a profile: PNG's chunks, the codes of H.273."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

from deblurcli.pictures import icc, png
from deblurcli.pictures.icc import Space

_NEAR_GAMMA, _NEAR_CHROMATICITY = 0.02, 0.003  # how far off sRGB nobody sees
_SRGB_GAMMA = 0.45455
_D65, _C = (0.3127, 0.329), (0.31, 0.316)
# White, red, green and blue by the codes of H.273 for primaries, white first.
_PRIMARIES: dict[int, tuple[float, ...]] = {
    1: icc.SRGB,
    2: icc.SRGB,  # unspecified
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06),
    6: (*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    7: (*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    9: (*_D65, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: (*_D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
_NAMES = {4: "NTSC", 5: "PAL", 6: "SMPTE 170M", 7: "SMPTE 240M", 9: "Rec. 2020", 11: "DCI-P3", 12: "Display P3"}
_EXPONENTS: dict[int, float | None] = {4: 2.2, 5: 2.8, 8: 1.0, 13: None}  # by the codes for curves; None for sRGB's
_EXPONENTS |= dict.fromkeys((1, 2, 6, 14, 15))  # of television or unspecified, which viewers show as sRGB's
_OTHER = "not those of sRGB"
_HDR = {16: "PQ (HDR)", 18: "HLG (HDR)"}


@dataclass(frozen=True)
class Colours:
    """What numbers mean that are not those of sRGB. name: for people. space: None where no profile can say it."""

    name: str
    space: Space | None = None

    def profile(self, is_grey: bool) -> bytes:
        """An ICC profile that says so of RGB or grey numbers; empty where none can."""
        return icc.made(self.space, is_grey, f"Colours: {self.name}") if self.space is not None else b""


def stated(chunks: tuple[bytes, ...]) -> Colours | None:
    """What chunks of a PNG file, as they stand in it, say of its numbers; None for sRGB or nothing."""
    found = {each[4:8]: each[8:-4] for each in chunks}
    coded = found.get(b"cICP", b"")
    if len(coded) == 4:
        return _coded(*coded)
    if b"sRGB" in found:
        return None
    gamma, chromaticities = _fractions(found.get(b"gAMA"), 1), _fractions(found.get(b"cHRM"), 8)
    exponent = None if gamma is None or gamma[0] <= 0 else 1 / gamma[0]
    is_srgb_curve = exponent is None or abs(1 / exponent - _SRGB_GAMMA) < _NEAR_GAMMA
    is_srgb = chromaticities is None or math.dist(chromaticities, icc.SRGB) < _NEAR_CHROMATICITY
    if is_srgb and is_srgb_curve:
        return None
    name = _OTHER if is_srgb_curve or exponent is None else f"gamma {1 / exponent:g}"
    return Colours(name, Space(chromaticities or icc.SRGB, exponent))


def as_chunks(primaries: int, curve: int) -> tuple[bytes, ...]:
    """What a PNG file needs to say what two codes of H.273 say of RGB numbers; nothing for sRGB."""
    coded = (primaries, curve, 0, 1)
    known = max(coded) < 256 and _coded(*coded) is not None
    return (png.chunk(b"cICP", bytes(coded)),) if known else ()


def _coded(primaries: int, curve: int, matrix: int, is_full_range: int) -> Colours | None:
    """What the four codes of a cICP chunk say."""
    name = " ".join(filter(None, (_NAMES.get(primaries), "linear" if curve == 8 else _HDR.get(curve))))
    if matrix != 0 or is_full_range != 1 or primaries not in _PRIMARIES or curve not in _EXPONENTS:
        return Colours(name or _OTHER)
    space = Space(_PRIMARIES[primaries], _EXPONENTS[curve])
    return Colours(name or f"gamma {space.exponent:g}", space) if space != Space() else None


def _fractions(body: bytes | None, count: int) -> tuple[float, ...] | None:
    """The numbers of a chunk of so many, which are stored as 100,000th parts; None where it is another length."""
    if body is None or len(body) != 4 * count:
        return None
    return tuple(number / 100_000 for number in struct.unpack(f">{count}I", body))
