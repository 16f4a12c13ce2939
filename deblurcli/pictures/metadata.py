"""What travels beside the pixels: EXIF, ICC profile, XMP and resolution, in and out of a file's bytes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import tifffile

from deblurcli.pictures import formats
from deblurcli.pictures.formats import Header

_EXIF_PREFIX = b"Exif\x00\x00"
_XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\x00"
_LONGEST_SEGMENT = 0xFFFF - 2
_ORIENTATION = 0x0112
_METRES_PER_INCH = 0.0254


@dataclass(frozen=True)
class Metadata:
    """Blocks as files hold them, empty where there is none.

    exif: a TIFF structure without prefix, its orientation normal. icc: a colour profile. xmp: an XML packet.
    dpi: pixels per inch across and down, (0, 0) when unknown.
    """

    exif: bytes = b""
    icc: bytes = b""
    xmp: bytes = b""
    dpi: tuple[float, float] = (0.0, 0.0)


NONE = Metadata()


def read(header: Header) -> Metadata:
    """The metadata of a file from its header, with the orientation set to normal."""
    info = header.info
    xmp = info.get("xmp") or info.get("XML:com.adobe.xmp") or b""
    across, down = info.get("dpi", (0, 0))
    known = across > 1 and down > 1  # 1 is what writers leave there when they do not know
    return Metadata(
        exif=_sound(upright(header.exif.removeprefix(_EXIF_PREFIX))),
        icc=info.get("icc_profile") or b"",
        xmp=xmp.encode() if isinstance(xmp, str) else xmp,
        dpi=(float(across), float(down)) if known else (0.0, 0.0),
    )


def _sound(exif: bytes) -> bytes:
    """The same EXIF block, or nothing when other programs could not read it either."""
    return exif if formats.exif(exif) is not None else b""


def orientation(exif: bytes) -> int:
    """The orientation, 1 to 8, that an EXIF block gives; 1 when it gives none or is malformed."""
    place = _orientation_place(exif.removeprefix(_EXIF_PREFIX))
    return place[1] if place and 1 <= place[1] <= 8 else 1


def upright(exif: bytes) -> bytes:
    """The same EXIF block, its orientation set to normal in place, so that nothing else moves."""
    place = _orientation_place(exif)
    if place is None:
        return exif
    at, _, order = place
    return exif[:at] + struct.pack(order + "H", 1) + exif[at + 2 :]


def _orientation_place(exif: bytes) -> tuple[int, int, str] | None:
    """Where the orientation stands in an EXIF block, its value, and the byte order; None without one."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return None
    try:
        (first,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, first)
        for entry in range(first + 2, first + 2 + 12 * count, 12):
            tag, value = struct.unpack_from(order + "H6xH", exif, entry)
            if tag == _ORIENTATION:
                return entry + 8, value, order
    except struct.error:
        pass
    return None


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
    """A JPEG file with the XMP packet and the resolution that OpenCV's encoder leaves out.

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
    return head + segment + data[start:]


def complete_png(data: bytes, metadata: Metadata) -> bytes:
    """A PNG file with the resolution that OpenCV's encoder leaves out."""
    if not metadata.dpi[0]:
        return data
    across, down = (min(round(value / _METRES_PER_INCH), 0xFFFFFFFF) for value in metadata.dpi)
    body = b"pHYs" + struct.pack(">IIB", across, down, 1)
    chunk = struct.pack(">I", 9) + body + struct.pack(">I", zlib.crc32(body))
    behind_header = 8 + 25
    return data[:behind_header] + chunk + data[behind_header:]


def tiff(array: np.ndarray, metadata: Metadata) -> bytes:
    """A TIFF file, deflated, with the metadata that OpenCV's encoder leaves out.

    array: ``(H, W)`` grey, ``(H, W, 3)`` BGR or ``(H, W, 4)`` BGRA, as OpenCV stores it. Of the EXIF block the
    entries of its first directory that describe the picture are kept.
    """
    colour = array.ndim == 3
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
        iccprofile=metadata.icc or None,
        resolution=metadata.dpi if metadata.dpi[0] else None,
        resolutionunit="INCH" if metadata.dpi[0] else None,
        extratags=_tiff_tags(metadata),
        metadata=None,
        software=False,
    )
    return written.getvalue()


def _tiff_tags(metadata: Metadata) -> list[tuple]:
    """Tags in tifffile's form: the XMP packet, and the texts that describe the picture."""
    tags: list[tuple] = [(700, 1, len(metadata.xmp), metadata.xmp, True)] if metadata.xmp else []
    found = formats.exif(metadata.exif) or {}
    texts = {tag: found.get(tag) for tag in formats.DESCRIBING}
    return tags + [(tag, 2, 0, text, True) for tag, text in texts.items() if isinstance(text, str)]


COMPLETE: dict[str, Callable[[bytes, Metadata], bytes]] = {"jpeg": complete_jpeg, "png": complete_png}
