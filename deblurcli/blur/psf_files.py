"""Point spread functions in files: NumPy arrays and grey pictures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from deblurcli.blur.families import centred, normalised
from deblurcli.errors import PSFError
from deblurcli.pictures import images
from deblurcli.pictures.storage import read_bytes, write_bytes

LARGEST_SIDE = 1023


def from_file(path: str, centre: str = "yes") -> np.ndarray:
    """A PSF from a .npy array ``(K, L)`` or a grey image, normalised to sum 1.

    path: of the file, at most 1023 a side; a colour image is averaged to grey.
    centre: "yes" moves the centroid to the centre of the array (by whole pixels, the rest by linear
        interpolation); "no" takes the array as it is, padded to odd sides at the bottom and right.

    Raises PSFError when the array is not two-dimensional, not finite, negative, empty or too large, and
    ImageError when the file cannot be read.
    """
    array = _load_npy(path) if Path(path).suffix.lower() == ".npy" else images.read(path, LARGEST_SIDE**2).mean(axis=2)
    if array.ndim != 2 or array.size == 0 or max(array.shape) > LARGEST_SIDE:
        raise PSFError(f"psf {path}: shape {array.shape}; a PSF is two-dimensional, 1 to {LARGEST_SIDE} a side")
    if not np.isfinite(array).all() or array.min() < 0 or array.max() == 0:
        raise PSFError(f"psf {path}: values must be finite, nowhere negative and not all zero")
    psf = normalised(array.astype(np.float64) / array.max())
    return centred(psf) if centre == "yes" else np.pad(psf, [(0, 1 - side % 2) for side in psf.shape])


def _load_npy(path: str) -> np.ndarray:
    try:
        array = np.atleast_1d(np.load(io.BytesIO(read_bytes(path)), allow_pickle=False))
    except (EOFError, ValueError, TypeError, MemoryError) as error:
        raise PSFError(f"psf {path}: not a readable .npy array; save a two-dimensional array of numbers") from error
    if array.dtype.kind not in "fiub":
        raise PSFError(f"psf {path}: holds {array.dtype}; save a two-dimensional array of real numbers")
    return array.astype(np.float64)


def check_name(path: str | Path) -> None:
    """Raise ImageError when a PSF cannot be written to a file of that name; its ending is .npy or a picture's."""
    if Path(path).suffix.lower() != ".npy":
        images.format_of(path)


def write(path: str | Path, psf: np.ndarray) -> None:
    """Write a PSF ``(K, L)`` as a .npy array, or as a grey picture of 16 bits, its largest weight white.

    Raises ImageError when the file cannot be written, or its ending is no format's.
    """
    if Path(path).suffix.lower() == ".npy":
        written = io.BytesIO()
        np.save(written, psf)
        write_bytes(path, written.getvalue())
    else:
        images.write(path, (psf / psf.max()).astype(np.float32)[..., None], depth=16)
