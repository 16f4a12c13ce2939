"""What travels beside the pixels: EXIF, ICC profile, XMP and resolution, in and out of a file's bytes."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import tifffile

from deblurcli.pictures import colours, directories, formats, icc, iptc, png, stale
from deblurcli.pictures.colours import Colours
from deblurcli.pictures.directories import Directory
from deblurcli.pictures.formats import FORMATS, Header

_EXIF_PREFIX = b"Exif\x00\x00"
_XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\x00"
_LONGEST_SEGMENT = 0xFFFF - 2
_METRES_PER_INCH = 0.0254
_XMP = 700  # TIFF's tag


@dataclass(frozen=True)
class Metadata:
    """Blocks as files hold them, empty where there is none.

    exif: a TIFF structure without prefix, its orientation normal. icc: a colour profile. xmp: an XML packet.
    iptc: its records. dpi: pixels per inch across and down, (0, 0) when unknown.
    native, form: parts that only a file of this format takes over, such as comments of JPEG, colour chunks of PNG.
    """

    exif: bytes = b""
    icc: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    dpi: tuple[float, float] = (0.0, 0.0)
    native: tuple[bytes, ...] = ()
    form: str = ""


NONE = Metadata()


def read(header: Header, size: tuple[int, int] | None = None, is_grey: bool = False) -> Metadata:
    """The metadata of a file from its header, true of the picture once it is upright.

    size: width and height of the upright picture; those of the header when left out.
    is_grey: the file holds grey samples, though its header may not say so.
    """
    info = header.info
    size = size or (header.width, header.height)
    across, down = _resolution(info.get("dpi"))
    if size != (header.width, header.height):
        across, down = down, across
    known = across > 1 and down > 1  # 1 is what writers leave there when they do not know
    profile = info.get("icc_profile") or b""
    model = icc.GREY if is_grey or header.mode in formats.GREY_MODES else icc.RGB
    return Metadata(
        exif=_sound(stale.exif(header.exif.removeprefix(_EXIF_PREFIX), size)),
        icc=profile if icc.model(profile) == model else b"",  # readers do not look at another one
        xmp=stale.xmp(_packet(header), size),
        iptc=info.get("iptc") or b"",
        dpi=(across, down) if known else (0.0, 0.0),
        native=header.native,
        form=header.native_form if header.native else "",
    )


def _resolution(dpi: object) -> tuple[float, float]:
    """Pixels an inch across and down; 0 where a file gives none, or what is no number."""
    try:
        across, down = map(float, dpi)  # type: ignore[call-overload]  # whatever a damaged file holds
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return 0.0, 0.0
    return (across, down) if math.isfinite(across) and math.isfinite(down) else (0.0, 0.0)


def _sound(exif: bytes) -> bytes:
    """The same EXIF block, or nothing when other programs could not read it either."""
    return exif if formats.exif(exif) is not None else b""


def orientation(exif: bytes) -> int:
    """The orientation, 1 to 8, that an EXIF block gives; 1 when it gives none or is malformed."""
    found = stale.orientation(exif.removeprefix(_EXIF_PREFIX))
    return found if 1 <= found <= 8 else 1


def orientation_of(header: Header) -> int:
    """The orientation, 1 to 8, that a file gives: in EXIF, else in XMP."""
    found = stale.xmp_orientation(_packet(header))
    return orientation(header.exif) if header.exif or not 1 <= found <= 8 else found


def _packet(header: Header) -> bytes:
    """The XMP packet of a file; empty when there is none."""
    packet = header.info.get("xmp") or header.info.get("XML:com.adobe.xmp") or b""
    return packet.encode() if isinstance(packet, str) else packet


def fitting(metadata: Metadata, array: np.ndarray, form: str) -> Metadata:
    """The metadata that suits an array as it is stored in a format: a profile of its own colour model, its own parts.

    array: ``(H, W)`` grey, or ``(H, W, 3 or 4)``.
    """
    is_rgb = array.ndim == 3 or form == "webp"  # which has no grey
    meant = _unsaid(metadata, form)
    profile = metadata.icc if meant is None else meant.profile(not is_rgb)
    if icc.model(profile) == icc.GREY and is_rgb:
        profile = icc.as_rgb(profile)
    elif icc.model(profile) == icc.RGB and not is_rgb:
        profile = b""
    return replace(metadata, icc=profile, native=metadata.native if metadata.form == form else ())


def lost(metadata: Metadata, form: str) -> str:
    """What people should know that a format cannot say of a picture's colours; empty for nothing."""
    meant = _unsaid(metadata, form)
    if meant is None or ("ICC" in FORMATS[form].keeps and meant.profile(is_grey=False)):
        return ""
    return f"its colours are {meant.name}, which {form} does not say; write png"


def _unsaid(metadata: Metadata, form: str) -> Colours | None:
    """What a picture's numbers mean where chunks of PNG say so and a file of a format takes none over."""
    return colours.stated(metadata.native) if metadata.form == "png" != form and not metadata.icc else None


def blocks(metadata: Metadata, form: str) -> tuple[list[int], list[np.ndarray]]:
    """The kinds and contents that OpenCV's encoder of a format takes, without what is too long for it."""
    held = {
        cv2.IMAGE_METADATA_EXIF: metadata.exif,
        cv2.IMAGE_METADATA_ICCP: metadata.icc,
        cv2.IMAGE_METADATA_XMP: metadata.xmp,
    }
    if form == "jpeg":
        del held[cv2.IMAGE_METADATA_XMP]  # see `complete_jpeg`
        if len(metadata.exif) > _LONGEST_SEGMENT - len(_EXIF_PREFIX):
            del held[cv2.IMAGE_METADATA_EXIF]
    if form == "png" and metadata.xmp:
        held[cv2.IMAGE_METADATA_XMP] += b"\0"  # OpenCV takes it for a C string, and would read on behind it
    kept = {kind: np.frombuffer(block, np.uint8) for kind, block in held.items() if block}
    return list(kept), list(kept.values())


def complete_jpeg(data: bytes, metadata: Metadata) -> bytes:
    """A JPEG file with the XMP packet, the resolution, IPTC and the comments that OpenCV's encoder leaves out.

    An XMP packet too long for one segment, 65,502 bytes, is left out.
    """
    start = 4 + struct.unpack_from(">H", data, 4)[0]  # behind the JFIF segment, which comes first
    head = data[:start]
    if metadata.dpi[0]:
        across, down = (min(round(value), 0xFFFF) for value in metadata.dpi)
        head = head[:13] + struct.pack(">BHH", 1, across, down) + head[18:]
    packet = _XMP_PREFIX + metadata.xmp
    fits = metadata.xmp and len(packet) <= _LONGEST_SEGMENT
    segment = b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet if fits else b""
    return head + segment + iptc.segment(metadata.iptc) + b"".join(metadata.native) + data[start:]


def complete_png(data: bytes, metadata: Metadata) -> bytes:
    """A PNG file with the resolution, the meaning of its colours and the texts that OpenCV's encoder leaves out."""
    added = b"".join(metadata.native)
    if metadata.dpi[0]:
        across, down = (min(round(value / _METRES_PER_INCH), 0xFFFFFFFF) for value in metadata.dpi)
        added = png.chunk(b"pHYs", struct.pack(">IIB", across, down, 1)) + added
    return png.with_chunks(data, added)


def tiff(array: np.ndarray, metadata: Metadata) -> bytes:
    """A TIFF file, deflated, with the metadata that OpenCV's encoder leaves out.

    array: ``(H, W)`` grey, ``(H, W, 3)`` BGR or ``(H, W, 4)`` BGRA, as OpenCV stores it. Of the EXIF block all
    that describes the picture is kept, except maker notes.
    """
    colour, exif = array.ndim == 3, directories.first(metadata.exif)
    pixels = np.ascontiguousarray(array[..., [2, 1, 0, 3][: array.shape[2]]]) if colour else array
    written = io.BytesIO()
    tifffile.imwrite(
        written,
        pixels,
        photometric="rgb" if colour else "minisblack",
        extrasamples=["unassalpha"] if colour and array.shape[2] == 4 else None,
        compression="zlib",
        predictor=True,
        rowsperstrip=64,
        byteorder="<",
        iccprofile=metadata.icc or None,
        resolution=metadata.dpi if metadata.dpi[0] else None,
        resolutionunit="INCH" if metadata.dpi[0] else None,
        extratags=_tiff_tags(metadata, exif),
        metadata=None,
        software=False,
    )
    return directories.with_directories(
        written.getvalue(), {tag: exif[tag] for tag in formats.BELOW if isinstance(exif.get(tag), dict)}
    )


def _tiff_tags(metadata: Metadata, exif: Directory) -> list[tuple]:
    """Tags in tifffile's form: XMP, IPTC, and the texts that describe the picture."""
    blocks = ((_XMP, directories.BYTE, metadata.xmp), (iptc.TAG, directories.UNDEFINED, metadata.iptc))
    tags: list[tuple] = [(tag, kind, len(block), block, True) for tag, kind, block in blocks if block]
    return tags + [(tag, directories.TEXT, 0, text, True) for tag, text in formats.texts(exif).items()]


COMPLETE: dict[str, Callable[[bytes, Metadata], bytes]] = {"jpeg": complete_jpeg, "png": complete_png}
