"""TIFF files of over 8 bits a sample, read by the tags that say what their samples mean."""

from __future__ import annotations

import io

import numpy as np
import tifffile

from deblurcli.errors import ImageError
from deblurcli.pictures import formats
from deblurcli.pictures.orientation import upright

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_ASSOCIATED = 1  # alpha that colours were multiplied by
_ORIENTATION = 274


def samples(data: bytes) -> np.ndarray | None:
    """The samples of the first page as OpenCV would store them: ``(H, W)``, BGR or BGRA, upright; None if damaged.

    Fewer bits than 16 are widened to 16, white is the largest value, and colours are not multiplied by alpha.
    Raises ImageError when the samples are no whole numbers of up to 16 bits, or the compression needs a library that is
    not there.
    """
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as opened:
            page = opened.pages.first
            stored = _stored(page)
            return (
                None
                if stored is None
                else np.ascontiguousarray(upright(stored, page.tags.valueof(_ORIENTATION, default=1)))
            )
    except (*formats.MALFORMED, tifffile.TiffFileError) as error:
        if "imagecodecs" in str(error):
            raise ImageError(
                "its kind of TIFF needs the package imagecodecs; install deblurcli[tiff], or save it uncompressed"
            ) from error
        return None


def is_plain(data: bytes) -> bool:
    """Whether OpenCV reads a file right: interleaved, black at 0, no alpha beside grey or multiplied into colours."""
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as opened:
            page = opened.pages.first
            interleaved = page.planarconfig != tifffile.PLANARCONFIG.SEPARATE or page.samplesperpixel == 1
            grey = page.samplesperpixel <= 2
            return (
                interleaved
                and page.photometric != _WHITE_IS_ZERO
                and _ASSOCIATED not in page.extrasamples
                and not (grey and page.extrasamples)
            )
    except (*formats.MALFORMED, tifffile.TiffFileError):
        return True


def _stored(page: tifffile.TiffPage) -> np.ndarray | None:
    """The samples of a page, widened to 16 bits where they are whole numbers; None for what is no picture."""
    if page.photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB):
        return None
    if page.dtype != np.uint16:  # before its decoder, for which damaged files are dangerous
        raise ImageError(f"samples are {page.dtype}; convert the file to 8 or 16 bits a sample")
    found = page.asarray()
    if page.planarconfig == tifffile.PLANARCONFIG.SEPARATE and found.ndim == 3:
        found = np.moveaxis(found, 0, 2)
    if found.ndim not in (2, 3):
        return None
    found = formats.widened(found, page.bitspersample)
    if page.photometric == _WHITE_IS_ZERO:
        found = np.concatenate([~found[..., :1], found[..., 1:]], axis=2) if found.ndim == 3 else ~found
    if found.ndim == 3 and _ASSOCIATED in page.extrasamples:
        found = _straight(found)
    if found.ndim == 3 and found.shape[2] == 2:
        return found[..., [0, 0, 0, 1]]
    return found[..., [2, 1, 0, 3][: found.shape[2]]] if found.ndim == 3 else found


def _straight(found: np.ndarray) -> np.ndarray:
    """Colours ``(H, W, C + 1)`` divided by their alpha, the last channel, uint16."""
    alpha = found[..., -1:].astype(np.uint32)
    colours = (found[..., :-1] * np.uint32(0xFFFF) + alpha // 2) // np.maximum(alpha, 1)
    return np.concatenate([np.minimum(colours, 0xFFFF).astype(np.uint16), found[..., -1:]], axis=2)
