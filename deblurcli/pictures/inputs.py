"""Formats that are read and not written: HEIC and camera raw, each by a package of an optional extra."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import ModuleType

import numpy as np

from deblurcli.errors import ImageError
from deblurcli.pictures import colours, formats
from deblurcli.pictures.formats import Header

WRITTEN_AS = "tiff"  # where neither the output's name nor --format says more
_SRGB_GAMMA = (2.4, 12.92)


@dataclass(frozen=True)
class Opened:
    """A file before it is decoded: its header, and what gives its samples, upright, as OpenCV would, or None."""

    header: Header
    samples: Callable[[], np.ndarray | None]


@dataclass(frozen=True)
class Input:
    """A format that is only read. extra: of this package, which installs `package`. open: from that and the bytes."""

    suffixes: tuple[str, ...]
    title: str
    extra: str
    package: str
    open: Callable[[ModuleType, bytes], Opened]


def _heic(library: ModuleType, data: bytes) -> Opened:
    """The main picture of a HEIC file, which the decoder turns upright."""
    found = library.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    bits = found.info.get("bit_depth", 8)
    info = {name: found.info.get(name) for name in ("icc_profile", "xmp")}
    width, height = found.size
    mode = "L" if found.mode.startswith("L") else "RGB"
    codes = None if info["icc_profile"] else found.info.get("nclx_profile")
    native = colours.as_chunks(codes["color_primaries"], codes["transfer_characteristics"]) if codes else ()
    header = Header(width, height, 1, mode, bits, info, found.info.get("exif") or b"", "heic", native, "png")

    def samples() -> np.ndarray:
        stored = np.asarray(found)
        if stored.dtype == np.uint16:
            stored = formats.widened(stored >> (16 - bits), bits)  # the decoder fills up with zeros
        if stored.ndim == 3 and stored.shape[2] == 2:
            return stored[..., [0, 0, 0, 1]]
        return np.ascontiguousarray(stored[..., [2, 1, 0, 3][: stored.shape[2]]]) if stored.ndim == 3 else stored

    return Opened(header, samples)


def _raw(library: ModuleType, data: bytes) -> Opened:
    """A camera's raw file, developed with its own white balance into 16 bits of sRGB."""
    found = library.imread(io.BytesIO(data))
    turned = found.sizes.flip in (5, 6)  # by a quarter
    width, height = (found.sizes.width, found.sizes.height)[:: -1 if turned else 1]
    header = Header(width, height, 1, "RGB", 16, {}, formats.describing(data), "raw")

    def samples() -> np.ndarray:
        with found:
            developed = found.postprocess(use_camera_wb=True, output_bps=16, gamma=_SRGB_GAMMA)
        return np.ascontiguousarray(developed[..., ::-1])

    return Opened(header, samples)


INPUTS: dict[str, Input] = {
    "heic": Input((".heic", ".heif", ".hif"), "a HEIC picture", "heic", "pillow_heif", _heic),
    "raw": Input(
        (".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef"), "camera raw", "raw", "rawpy", _raw
    ),
}
SUFFIXES: tuple[str, ...] = tuple(suffix for each in INPUTS.values() for suffix in each.suffixes)


def opened(form: str, data: bytes) -> Opened | None:
    """A file of one of `INPUTS`; None when it is damaged. Raises ImageError that names the extra to install."""
    kind = INPUTS[form]
    try:
        library = import_module(kind.package)
    except ImportError as error:
        raise ImageError(f"is {kind.title}; to read it, run pip install 'deblurcli[{kind.extra}]'") from error
    damaged = (*formats.MALFORMED, getattr(library, "LibRawError", OSError))
    try:
        found = kind.open(library, data)
    except damaged:
        return None
    return Opened(found.header, partial(_samples, found.samples, damaged))


def _samples(read: Callable[[], np.ndarray | None], damaged: tuple[type[Exception], ...]) -> np.ndarray | None:
    try:
        return read()
    except damaged:
        return None
