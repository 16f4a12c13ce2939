"""File formats: what each can hold, how a file's first bytes tell it, and what its header promises."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import PIL.Image
import PIL.ImageOps
import tifffile
from PIL.TiffImagePlugin import TiffImageFile

from deblurcli.pictures import colours, directories, iptc, jpeg, png
from deblurcli.pictures.directories import Directory, Entry

warnings.filterwarnings("ignore", category=UserWarning, module="PIL")  # what is damaged is an error of ours
for _library in ("PIL", "tifffile"):  # what they log of damaged files is not for standard error
    logging.getLogger(_library).addHandler(logging.NullHandler())
PIL.Image.MAX_IMAGE_PIXELS = None  # headers are read to refuse large pictures with a message of our own


@dataclass(frozen=True)
class Format:
    """What one file format can hold, and how OpenCV is asked for it.

    keeps: what travels beside the pixels from a file of this format to another of it.
    """

    suffixes: tuple[str, ...]
    alpha: bool
    bits: int  # the most it holds a sample
    keeps: tuple[str, ...] = ()
    quality: int | None = None  # OpenCV's flag, where the format has a quality
    options: tuple[int, ...] = ()
    side: int | None = None  # the most pixels that readers accept along one, where encoders write more


FORMATS: dict[str, Format] = {
    "jpeg": Format(
        (".jpg", ".jpeg", ".jpe", ".jfif"),
        alpha=False,
        bits=8,
        keeps=("EXIF", "ICC", "XMP", "resolution", "IPTC", "comments"),
        quality=cv2.IMWRITE_JPEG_QUALITY,
        options=(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    ),
    "png": Format((".png",), alpha=True, bits=16, keeps=("EXIF", "ICC", "XMP", "resolution", "colour chunks", "texts")),
    "webp": Format((".webp",), alpha=True, bits=8, keeps=("EXIF", "ICC", "XMP"), quality=cv2.IMWRITE_WEBP_QUALITY),
    "tiff": Format((".tif", ".tiff"), alpha=True, bits=16, keeps=("EXIF", "ICC", "XMP", "resolution", "IPTC")),
    "bmp": Format((".bmp", ".dib"), alpha=True, bits=8),
    "avif": Format(
        (".avif",),
        alpha=True,
        bits=10,
        keeps=("EXIF", "ICC", "XMP"),
        quality=cv2.IMWRITE_AVIF_QUALITY,
        side=32768,
    ),
}
FORMATS = {name: form for name, form in FORMATS.items() if cv2.haveImageWriter(form.suffixes[0])}
SUFFIXES: tuple[str, ...] = tuple(suffix for form in FORMATS.values() for suffix in form.suffixes)

ALPHA = ("RGBA", "RGBa", "LA", "La", "PA")  # Pillow's modes with alpha, 8 bits a sample
EXIF_CODING = "latin-1"  # in which Pillow gives texts, so that their bytes, mostly UTF-8, come back as they were
GREY = ("1", "L", "I;16")
GREY_MODES = (*GREY, "LA", "La", "I;16B", "I;16L", "I")
DESCRIBING = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)  # description, make, model … copyright
BELOW = (directories.EXIF, directories.GPS)  # directories that describe: exposure, lens, time, place

_BITS_PER_SAMPLE, _XMP, _ICC = 258, 700, 34675
_MODES = {1: "I;16", 2: "LA"}  # as Pillow would call what it has no mode for, by samples a pixel
_PNG_DEPTH = 24  # where it stands in the file

_MAGIC = {
    b"\xff\xd8\xff": "jpeg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"BM": "bmp",
    b"II*\x00": "tiff",
    b"MM\x00*": "tiff",
    b"II+\x00": "tiff",
    b"MM\x00+": "tiff",
}
_TIFF = (b"II*\x00", b"MM\x00*")
_RAW = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\x00")
_BRANDS = {
    "avif": {b"avif", b"avis"},
    "raw": {b"crx "},
    "heic": {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1"},
}
_NO_PICTURE = 0b101  # of a page's kind: a smaller copy, a mask
_SUBFILE, _MAKE, _SUB_DIRECTORIES, _DNG = 254, 271, 330, 50706


def sniff(data: bytes) -> str | None:
    """The key of `FORMATS` or `inputs.INPUTS` that a file's first bytes announce, or None."""
    if data.startswith(_RAW) or data[8:10] == b"CR" or (data[:4] in _TIFF and _is_raw(data)):
        return "raw"
    if data[4:8] == b"ftyp":
        return _of_brands(data)
    for magic, name in _MAGIC.items():
        if data.startswith(magic):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return None


def _of_brands(data: bytes) -> str | None:
    """What kind of file a box of brands announces."""
    brands = re.findall(b"....", data[8 : min(data[3], 64)], re.DOTALL)
    return next((form for form, known in _BRANDS.items() if known.intersection(brands)), None)


def _is_raw(data: bytes) -> bool:
    """Whether a TIFF structure is a camera's raw file: a DNG, or a preview with a camera's name and more below."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        (first,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, first)
        entries = (struct.unpack_from(order + "HHIH", data, first + 2 + 12 * index) for index in range(count))
        values = {tag: value for tag, _, _, value in entries}
    except struct.error:
        return False
    return _DNG in values or (values.get(_SUBFILE) == 1 and _SUB_DIRECTORIES in values and _MAKE in values)


@dataclass(frozen=True)
class Header:
    """What a file says of itself before it is decoded.

    mode: Pillow's. bits: of a sample of PNG, TIFF and AVIF files, 8 of others. info: Pillow's dictionary of what else
    stands in the header. exif: the EXIF block, empty when there is none. form: as `sniff` gives it. native: the parts
    that only a file of the format `native_form` takes over, which mostly is the same.
    """

    width: int
    height: int
    frames: int
    mode: str
    bits: int
    info: dict
    exif: bytes
    form: str = ""
    native: tuple[bytes, ...] = ()
    native_form: str = ""

    @property
    def clear_level(self) -> float | None:
        """The one level of a grey PNG file that is fully transparent, on the scale [0, 1]; None without one."""
        level, top = self.info.get("transparency"), 2**self.bits - 1
        return (level & top) / top if isinstance(level, int) and self.mode in GREY else None  # higher bits say nothing


# What Pillow and tifffile raise, found by feeding them damaged files.
MALFORMED = (
    ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError, SyntaxError, TypeError, ValueError,
    struct.error, zlib.error,
)  # fmt: skip


def header(data: bytes) -> Header | None:
    """The header of a file, without decoding its picture; None when it makes no sense."""
    form = sniff(data) or ""
    for described in png.described(data) if form == "png" else (data,):
        with contextlib.suppress(*MALFORMED):
            return _header(data, form, described)
    return _tiff_header(data) if form == "tiff" else None


def _header(data: bytes, form: str, described: bytes) -> Header:
    """The header of a file as Pillow finds it in what is described there; one of `MALFORMED` when it makes no sense."""
    with PIL.Image.open(io.BytesIO(described)) as opened:
        tiff = isinstance(opened, TiffImageFile)
        exif = (describing(data) or _describing(opened.getexif())) if tiff else _exif_of(opened)
        bits = max(opened.tag_v2.get(_BITS_PER_SAMPLE, (1,))) if tiff else _bits(data)
        width, height = (int(side) for side in opened.size)  # a damaged TIFF file gives texts and tuples
        mode, info = opened.mode, {**opened.info, "iptc": iptc.read(data, form)}
        frames = _pages(opened) if tiff else getattr(opened, "n_frames", 1)
        return Header(width, height, frames, mode, bits, info, exif, form, *_native(data, form))


def _pages(opened: TiffImageFile) -> int:
    """How many pictures a TIFF file holds; what else there is of the first, such as smaller copies, does not count."""
    others = 0
    for page in range(1, opened.n_frames):
        opened.seek(page)
        others += not int(opened.tag_v2.get(_SUBFILE, 0)) & _NO_PICTURE
    return 1 + others


def _bits(data: bytes) -> int:
    """Bits of a sample of a PNG file, by its header, or an AVIF file, by its AV1 configuration; 8 of other formats."""
    form, at = sniff(data), data.find(b"av1C")
    if form == "png":
        return data[_PNG_DEPTH] or 8
    return {0x40: 10, 0x60: 12}.get(data[at + 6] & 0x60, 8) if form == "avif" and at > 0 else 8


def _native(data: bytes, form: str) -> tuple[tuple[bytes, ...], str]:
    """The parts of a file that only a file of one format takes over, and that format."""
    taken, read = _NATIVE.get(form, ("", lambda _: ()))
    return read(data), taken


def _avif_colours(data: bytes) -> tuple[bytes, ...]:
    """What an AVIF file says of its colours in place of a profile, as chunks of PNG."""
    at = data.find(b"colrnclx") + 8
    return () if at < 8 or b"colrprof" in data else colours.as_chunks(*struct.unpack_from(">HH", data, at))


_NATIVE: dict[str, tuple[str, Callable[[bytes], tuple[bytes, ...]]]] = {
    "png": ("png", png.kept), "jpeg": ("jpeg", jpeg.kept), "avif": ("png", _avif_colours),
}  # fmt: skip


def widened(stored: np.ndarray, bits: int) -> np.ndarray:
    """Samples of so many bits, uint16, widened to all 16, so that the largest stays the largest."""
    if bits == 16:
        return stored
    top = np.uint32(2**bits - 1)
    return ((stored * np.uint32(0xFFFF) + top // 2) // top).astype(np.uint16)


def narrowed(samples: np.ndarray, bits: int) -> np.ndarray:
    """The inverse of `widened`."""
    top = np.uint32(2**bits - 1)
    return ((samples * top + np.uint32(0x7FFF)) // np.uint32(0xFFFF)).astype(np.uint16)


def _tiff_header(data: bytes) -> Header | None:
    """The header of a TIFF file of a kind that Pillow has no mode for."""
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as opened:
            page = opened.pages.first
            width, height, samples, bits = map(
                int, (page.imagewidth, page.imagelength, page.samplesperpixel, page.bitspersample)
            )
            held = {"icc_profile": page.tags.valueof(_ICC), "xmp": page.tags.valueof(_XMP)}
            info = {name: bytes(value) for name, value in held.items() if isinstance(value, (bytes, tuple))}
            others = sum(not _is_beside(other) for other in opened.pages[1:])
            return Header(width, height, 1 + others, _MODES.get(samples, "RGB"), bits, info, b"", "tiff")
    except (*MALFORMED, tifffile.TiffFileError):
        return None


def _is_beside(page: tifffile.TiffPage | tifffile.TiffFrame) -> bool:
    """Whether a page is no picture of its own, but a smaller copy or a mask."""
    return isinstance(page, tifffile.TiffPage) and bool(int(page.subfiletype) & _NO_PICTURE)


def _exif_of(opened: PIL.Image.Image) -> bytes:
    """The EXIF block of a file; also one that older programs stored in PNG as text."""
    stored = opened.info.get("Raw profile type exif")
    return opened.info.get("exif") or (bytes.fromhex("".join(stored.split("\n")[3:])) if stored else b"")


def _describing(own: PIL.Image.Exif) -> bytes:
    """An EXIF block of the describing texts that Pillow finds, also in a TIFF file of over 4 GB."""
    kept = PIL.Image.Exif()
    for tag in DESCRIBING:
        if isinstance(own.get(tag), str):
            kept[tag] = own[tag].encode(EXIF_CODING)
    return kept.tobytes() if len(kept) else b""


def describing(data: bytes) -> bytes:
    """An EXIF block of what a file that is built like TIFF says of its picture, but of its storage nothing."""
    found = directories.first(data)
    return directories.block({tag: entry for tag, entry in found.items() if tag in (*texts(found), *BELOW)})


def texts(found: Directory) -> dict[int, bytes]:
    """The texts in a directory that describe the picture, by their tags."""
    entries = {tag: entry for tag in DESCRIBING if isinstance(entry := found.get(tag), Entry)}
    return {tag: entry.value for tag, entry in entries.items() if entry.kind == directories.TEXT}


def exif(block: bytes) -> PIL.Image.Exif | None:
    """The tags of an EXIF block; None when it is malformed."""
    found = PIL.Image.Exif()
    try:
        found.load(block)
    except MALFORMED:
        return None
    return found


def pixels(data: bytes, mode: str) -> np.ndarray | None:
    """A picture decoded by Pillow in one of its modes, uint8, upright; None when it is damaged."""
    try:
        with PIL.Image.open(io.BytesIO(data)) as opened:
            return np.asarray(PIL.ImageOps.exif_transpose(opened).convert(mode))
    except MALFORMED:
        return None
