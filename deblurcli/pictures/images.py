"""Image files to arrays and back: the only code that opens image files.

A `Picture` keeps the file's own depth; `to_float` and `from_float` convert between it and an *image*,
float32 in [0, 1]. What a file is, its first bytes decide, never its name.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from deblurcli.choices import MEGAPIXELS, QUALITY
from deblurcli.errors import ImageError
from deblurcli.pictures import formats, icc, inputs, metadata, png, tiff
from deblurcli.pictures.formats import FORMATS, SUFFIXES, Header, header, sniff
from deblurcli.pictures.inputs import INPUTS, Opened
from deblurcli.pictures.metadata import Metadata
from deblurcli.pictures.orientation import upright
from deblurcli.pictures.storage import name_of, read_bytes, write_bytes

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

READ = (*SUFFIXES, *inputs.SUFFIXES)  # endings of the files that are read
UNDECODABLE = "cannot be decoded: damaged, cut short, or of a kind this tool does not read; save it again as PNG"
_COLOURS = {"1": "L", "L": "L", "RGBA": "RGBA"}  # what Pillow is asked for, by the mode it finds; RGB for the others
LOSSY_STEP = 1  # how far lossy coding takes the colours of grey apart
MAX_PIXELS = MEGAPIXELS * 1_000_000
_LARGEST_SAMPLE = 10.0  # of a float image; what is larger was not divided by its peak
_STRIP = 256  # rows that are compared together
DEPTHS = {8: np.uint8, 16: np.uint16}


@dataclass(frozen=True)
class Picture:
    """A decoded file: upright, in the file's own depth.

    pixels: ``(H, W, 3)`` RGB or ``(H, W, 1)`` grey, uint8 or uint16.
    alpha: ``(H, W)`` of the same type, straight (not premultiplied), or None.
    format: key of `FORMATS` or `INPUTS` that the file was in.
    metadata: what travels beside the pixels.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    format: str = "png"
    metadata: Metadata = metadata.NONE

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def transparency(self) -> np.ndarray | None:
        """Alpha where it lets something through; None where it is full everywhere."""
        return None if self.alpha is None or self.alpha.min() == np.iinfo(self.alpha.dtype).max else self.alpha

    def without_metadata(self) -> Picture:
        """The same picture with nothing beside its pixels."""
        return replace(self, metadata=metadata.NONE)

    def on(self, background: tuple[int, int, int]) -> Picture:
        """The same picture without transparency, on a colour given as RGB from 0 to 255."""
        if self.alpha is None:
            return self
        colour = np.array(background, np.float32) / 255
        if self.pixels.shape[2] == 1 and len(set(background)) == 1:
            colour = colour[:1]
        share = to_float(self.alpha)[..., None]
        blended = share * to_float(self.pixels) + (1 - share) * colour
        return replace(self, pixels=from_float(blended, self.pixels.dtype), alpha=None)

    def with_pixels(self, pixels: np.ndarray) -> Picture:
        """The same picture with other pixels; all else stays."""
        return replace(self, pixels=pixels)

    def equals(self, other: Picture) -> bool:
        """Whether another picture has the same pixels, alpha and metadata."""
        same = self.metadata == other.metadata and _is_same(self.pixels, other.pixels)
        return same and _is_same(self.alpha, other.alpha)


def _is_same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    """Whether two arrays are of one type and hold the same, seen at the first rows that differ."""
    if one is None or other is None or one is other:
        return one is other
    if (one.shape, one.dtype) != (other.shape, other.dtype):
        return False
    return all(np.array_equal(one[at : at + _STRIP], other[at : at + _STRIP]) for at in range(0, len(one), _STRIP))


def to_float(pixels: np.ndarray) -> np.ndarray:
    """uint8 or uint16 of any shape to float32 in [0, 1]; float32 passes through."""
    if pixels.dtype == np.float32:
        return pixels
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)


def empty_like(pixels: np.ndarray) -> np.ndarray:
    """Room for pixels of the same shape and type, laid out as the encoder wants them, so that it needs no copy."""
    return np.empty(pixels.shape, pixels.dtype)[..., ::-1]


def checked(image: np.ndarray) -> np.ndarray:
    """An image as the library works on it: float32, uint8 or uint16 ``(H, W, 1 or 3)``.

    float16 and float64 become float32, all else stays. Raises ImageError for other types, shapes and no pixels, for
    NaN and infinity, and for floats that were plainly not divided by their largest value.
    """
    array = np.asarray(image)
    if array.ndim != 3 or array.shape[2] not in (1, 3) or array.size == 0:
        raise ImageError(f"an image is an array (H, W, 3) or (H, W, 1), not {array.shape}; add or split off an axis")
    if array.dtype in (np.uint8, np.uint16):
        return array
    if array.dtype.kind != "f":
        raise ImageError(f"an image is float in [0, 1], uint8 or uint16, not {array.dtype}; convert it")
    low, high = float(array.min()), float(array.max())  # of NaN and a number, both take NaN
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ImageError("a sample is NaN or infinite; replace it, as numpy.nan_to_num does")
    if max(-low, high) > _LARGEST_SAMPLE:
        raise ImageError(
            f"samples reach {max(-low, high):g}, but a float image is in [0, 1]; divide by 255 or the peak"
        )
    return array.astype(np.float32, copy=False)


def from_float(image: np.ndarray, dtype: np.dtype | type[np.integer]) -> np.ndarray:
    """float32 of any shape to uint8 or uint16, clipped to [0, 1] and rounded; NaN becomes 0."""
    top = np.float32(np.iinfo(dtype).max)
    scaled = np.fmin(np.fmax(image, np.float32(0)), np.float32(1))  # of NaN and a number, fmax takes the number
    scaled *= top
    return np.rint(scaled, out=scaled).astype(dtype)


def decode(data: bytes, name: str = "standard input", max_pixels: int | None = None) -> Picture:
    """The picture in a file's bytes; `name` is what error messages call it.

    max_pixels: a larger picture is refused before it is decoded; None sets no limit.

    Raises ImageError when the bytes are empty, no image, damaged, of a depth other than 8 or 16 bits, too
    large, of several frames or pages, or CMYK.
    """
    if not data:
        raise ImageError(f"{name}: the file is empty; replace it with an image")
    form = sniff(data)
    if form not in FORMATS and form not in INPUTS:
        raise ImageError(f"{name}: not an image this tool reads; convert it to one of {', '.join(FORMATS)}")
    try:
        found = inputs.opened(form, data) if form in INPUTS else _opened(data, form)
        if found is None:
            raise ImageError(UNDECODABLE)
        promised = found.header
        _refuse(promised, form, max_pixels)
        stored = found.samples()
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from error
    if stored is None or stored.ndim < 2 or stored.shape[2:] not in ((), (3,), (4,)):
        raise ImageError(f"{name}: {UNDECODABLE}")
    if stored.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"{name}: samples are {stored.dtype}; convert the file to 8 or 16 bits a sample")
    picture = _picture(stored, form, icc.model(promised.info.get("icc_profile") or b"") == icc.RGB)
    return replace(picture, metadata=metadata.read(promised, picture.size, stored.ndim == 2))


def _opened(data: bytes, form: str) -> Opened | None:
    """A file of one of `FORMATS` before it is decoded; None when its header makes no sense."""
    promised = header(data)
    return None if promised is None else Opened(promised, lambda: _decoded(data, form, promised))


def _decoded(data: bytes, form: str, promised: Header) -> np.ndarray | None:
    """The array OpenCV would give, upright, from whichever decoder does the file justice; None when none does."""
    if form == "bmp" or (form == "tiff" and promised.mode == "P"):  # OpenCV mistakes some masks and palettes
        return _by_pillow(data, _COLOURS.get(promised.mode, "RGB"))
    if form == "tiff":
        return _deep_tiff(data, promised.bits) if promised.bits > 8 else _shallow_tiff(data, promised.mode)
    decodable = _DECODABLE.get(form, _as_it_is)(data)
    stored = None if decodable is None else _by_opencv(decodable)
    if stored is None:
        return None
    if form == "avif" and stored.dtype == np.uint16:
        stored = formats.widened(stored, promised.bits)
    if form == "png" and promised.clear_level is not None and stored.ndim == 2:
        stored = _with_clear_level(stored, promised.clear_level)
    return upright(stored, metadata.orientation_of(promised))


def _shallow_tiff(data: bytes, mode: str) -> np.ndarray | None:
    """A TIFF file of up to 8 bits a sample: by OpenCV, which turns it upright, else, as for tiles, by Pillow."""
    if mode in formats.ALPHA:  # OpenCV would multiply by alpha
        return _by_pillow(data, "RGBA")
    stored = _by_opencv(data)
    return _by_pillow(data, "L" if mode in ("1", "L") else "RGB") if stored is None else stored


def _deep_tiff(data: bytes, bits: int) -> np.ndarray | None:
    """A TIFF file of over 8 bits a sample: by OpenCV where it reads it right, else by tifffile."""
    stored = _by_opencv(data) if tiff.is_plain(data) else None
    if stored is None or stored.dtype != np.uint16:
        return tiff.samples(data)
    return stored if bits >= 16 else formats.widened(stored >> (16 - bits), bits)  # OpenCV fills up with zeros


def _with_clear_level(grey: np.ndarray, level: float) -> np.ndarray:
    """BGRA of grey samples ``(H, W)`` that are fully transparent at one level, given on the scale [0, 1]."""
    top = np.iinfo(grey.dtype).max
    alpha = np.where(grey == round(level * top), 0, top).astype(grey.dtype)
    return np.dstack([grey, grey, grey, alpha])


def _refuse(promised: Header, form: str, max_pixels: int | None) -> None:
    """ImageError for a picture that had better not be decoded, judged by its header."""
    width, height = promised.width, promised.height
    if max_pixels is not None and width * height > max_pixels:
        raise ImageError(f"{width}×{height} is more than {max_pixels:,} pixels; raise --max-pixels to read it")
    if promised.frames > 1 and form != "jpeg":  # what follows the first picture in a JPEG are previews and maps
        raise ImageError(f"holds {promised.frames} frames or pages; save the ones you want as single pictures")
    if promised.mode in ("CMYK", "LAB"):
        raise ImageError(f"is {promised.mode}, not RGB; convert it to RGB with its colour profile")


def _by_opencv(data: bytes) -> np.ndarray | None:
    """OpenCV's array, None when it cannot; in the stored orientation, except for TIFF."""
    try:
        return cv2.imdecodeWithMetadata(np.frombuffer(data, np.uint8), flags=cv2.IMREAD_UNCHANGED)[0]
    except cv2.error:
        return None


def _by_pillow(data: bytes, mode: str) -> np.ndarray | None:
    """An 8-bit picture as OpenCV would give it, upright, decoded by Pillow in mode L, RGB or RGBA; None if damaged."""
    found = formats.pixels(data, mode)
    if found is None or found.ndim == 2:
        return found
    return cv2.cvtColor(found, cv2.COLOR_RGBA2BGRA if mode == "RGBA" else cv2.COLOR_RGB2BGR)


def _picture(stored: np.ndarray, form: str, has_rgb_profile: bool) -> Picture:
    """Split OpenCV's grey, BGR or BGRA array into pixels and alpha; equal colours are grey without an RGB profile."""
    if stored.ndim == 2:
        return Picture(stored[..., None], None, form)
    alpha = stored[..., 3].copy() if stored.shape[2] == 4 else None
    grey_inside = form in ("webp", "avif") or alpha is not None
    if grey_inside and not has_rgb_profile and _neutral(stored, LOSSY_STEP if form in ("webp", "avif") else 0):
        return Picture(stored[..., 1:2].copy(), alpha, form)
    if alpha is not None:
        return Picture(cv2.cvtColor(stored, cv2.COLOR_BGRA2RGB), alpha, form)
    return Picture(cv2.cvtColor(stored, cv2.COLOR_BGR2RGB, dst=stored), None, form)  # no second copy of a large picture


def _neutral(stored: np.ndarray, step: int) -> bool:
    """Whether the colours are equal in every pixel, give or take a step."""
    blue, green, red = cv2.split(stored[..., :3])
    return max(cv2.absdiff(green, blue).max(), cv2.absdiff(green, red).max()) <= step


def encode(picture: Picture, form: str, quality: int | None = None, name: str = "output") -> bytes:
    """The bytes of a file; the inverse of `decode`.

    form: key of `FORMATS`. 16 bits a sample become as many as the format holds.
    quality: 1 to 100 for the lossy formats, 95 when left out; larger is better and bigger.

    Raises ImageError when the picture has transparency and the format none, or OpenCV refuses it.
    """
    spec = FORMATS[form]
    if not spec.alpha and picture.transparency is not None:
        raise ImageError(
            f"{name}: {form} cannot hold transparency; write png, webp or tiff instead, or give --background"
        )
    array = _storable(picture if spec.alpha else replace(picture, alpha=None), spec.bits)
    refused = f"{name}: cannot be written as {form} at {array.shape[1]}×{array.shape[0]}; choose png"
    if max(array.shape[:2]) > (spec.side or math.inf):
        raise ImageError(refused)
    beside = metadata.fitting(picture.metadata, array, form)
    if form == "tiff":
        return metadata.tiff(array, beside)
    options = list(spec.options)
    if spec.quality is not None:
        options += [spec.quality, QUALITY if quality is None else quality]
    if form == "avif" and array.dtype == np.uint16:
        options += [cv2.IMWRITE_AVIF_DEPTH, spec.bits]
    try:
        ok, data = cv2.imencodeWithMetadata(spec.suffixes[0], array, *metadata.blocks(beside, form), options)
    except cv2.error as error:
        raise ImageError(f"{name}: cannot be written as {form} ({error.err}); choose another format") from error
    if not ok:
        raise ImageError(refused)
    return metadata.COMPLETE.get(form, _as_it_is)(data.tobytes(), beside)


def _as_it_is(data: bytes, _: Metadata = metadata.NONE) -> bytes:
    return data


def _without_xmp(data: bytes) -> bytes:
    """An AVIF file whose XMP packet is called something else; OpenCV reads none that has alpha beside XMP."""
    return data.replace(b"application/rdf+xml", b"application/rdf+xm_", 1)


# What OpenCV is given of a file in place of all of it; None when that is damaged.
_DECODABLE: dict[str, Callable[[bytes], bytes | None]] = {"png": png.essential, "avif": _without_xmp}


def _storable(picture: Picture, bits: int) -> np.ndarray:
    """Grey, BGR or BGRA as OpenCV stores it, in no more bits a sample than the format holds."""
    pixels, alpha = picture.pixels, picture.alpha
    if pixels.dtype == np.uint16 and bits < 16:
        pixels = _shallower(pixels, bits)
        alpha = None if alpha is None else _shallower(alpha, bits)
    if alpha is None:
        return pixels[..., 0] if pixels.shape[2] == 1 else _bgr(pixels)
    colours = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels[..., ::-1]
    return np.dstack([colours, alpha])


def _shallower(samples: np.ndarray, bits: int) -> np.ndarray:
    """uint16 samples in fewer bits: uint8 in 8, uint16 of smaller numbers in more."""
    return from_float(to_float(samples), np.uint8) if bits == 8 else formats.narrowed(samples, bits)


def _bgr(pixels: np.ndarray) -> np.ndarray:
    """RGB pixels as BGR; without a copy where `empty_like` made the room for them."""
    turned = pixels[..., ::-1]
    return turned if turned.flags.c_contiguous else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)


def read_picture(path: str | Path, max_pixels: int | None = None) -> Picture:
    """Decode a file; see `decode`."""
    return decode(read_bytes(path), name_of(path), max_pixels)


def read(path: str | Path, max_pixels: int | None = MAX_PIXELS) -> np.ndarray:
    """A file's colours as an image, float32 ``(H, W, 3)`` RGB or ``(H, W, 1)`` grey in [0, 1]; see `decode`."""
    return to_float(read_picture(path, max_pixels).pixels)


def format_of(path: str | Path) -> str:
    """The key of `FORMATS` that a file name's ending asks for; ImageError when there is none."""
    suffix = Path(path).suffix.lower()
    for name, form in FORMATS.items():
        if suffix in form.suffixes:
            return name
    what = f"'{suffix}' is not a picture's file extension" if suffix else "has no file extension"
    raise ImageError(f"{path}: {what}; use one of {', '.join(SUFFIXES)}")


def write_picture(path: str | Path, picture: Picture, quality: int | None = None) -> None:
    """Encode a picture in the format its file name asks for and replace the file atomically."""
    write_bytes(path, encode(picture, format_of(path), quality, str(path)))


def write(path: str | Path, image: np.ndarray, depth: int = 8, quality: int | None = None) -> None:
    """Write an image, ``(H, W, 3)`` or ``(H, W, 1)``, float in [0, 1], uint8 or uint16, with 8 or 16 bits a sample.

    Raises ImageError when the image is none, the depth is another, or the file cannot be written.
    """
    if depth not in DEPTHS:
        raise ImageError(f"{path}: a depth of {depth} bits is not written; choose 8 or 16")
    write_picture(path, Picture(from_float(to_float(checked(image)), DEPTHS[depth])), quality)
