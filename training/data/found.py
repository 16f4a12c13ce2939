"""PSFs of camera shake beside those that `deblurcli.estimation` finds: what a restorer is really given.

Both are kept, as a search takes seconds. One of eight turned and mirrored forms is drawn at a time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import scipy.signal
from scipy import ndimage

from deblurcli.blur import psf
from deblurcli.blur.model import blur, through_jpeg
from deblurcli.estimation.estimate import GENERAL, LEAST_NSR, estimate, trusted
from deblurcli.pictures.images import from_float, to_float
from training.data.degradation import Blurring
from training.data.sources import Pictures, fitting_split
from training.recipe import FOLDER, Recipe

KEPT = FOLDER / "found-psfs.npz"  # pairs that were found in training photographs
SHAKE = "trajectory"  # family of the PSFs that blur them
_SIDES = 300, 520  # of the pictures that are searched, pixels
_NOISE = 0.02  # standard deviation, at most
_COMPRESSED, _QUALITY = 0.3, (75, 98)  # share that goes through JPEG
_FINE = 4  # parts of a pixel, to which a true PSF is moved
_STEPS = 4095  # in which the values of a found PSF are kept, the largest being one


@dataclass(frozen=True)
class FoundPSF:
    """A PSF ``(K, L)`` that blurred a picture, moved to where it is most like the one that was found ``(M, N)``."""

    true: np.ndarray
    found: np.ndarray


def gather(pictures: Pictures, recipe: Recipe, minutes: float, seed: int) -> Iterator[FoundPSF]:
    """Blur photographs that a recipe fits on and search: the PSFs that are found with certainty."""
    rng, shake, begun = np.random.default_rng(seed), psf.RandomPSF((SHAKE,)), time.monotonic()
    count = len(pictures) - recipe.data.faces - recipe.data.drawings
    fitted = [index for index in fitting_split(recipe, len(pictures))[0] if index < count]
    while time.monotonic() - begun < 60 * minutes:
        picture, true = to_float(pictures[int(rng.choice(fitted))]), shake.draw(rng).array()
        seen = estimate(_photographed(picture, true, rng), GENERAL)
        if trusted(seen):
            yield FoundPSF(_moved_onto(true, seen.psf), _trimmed(seen.psf))


def _photographed(picture: np.ndarray, true: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A part of a picture, blurred, with noise, in 8 bits and sometimes through JPEG."""
    side = int(rng.integers(_SIDES[0], _SIDES[1] + 1))
    height, width = (min(side, length) for length in picture.shape[:2])
    top, left = (int(rng.integers(length - kept + 1)) for length, kept in zip(picture.shape, (height, width)))
    blurred = blur(np.ascontiguousarray(picture[top : top + height, left : left + width]), true)
    noisy = blurred + np.float32(rng.uniform(0, _NOISE)) * rng.standard_normal(blurred.shape, np.float32)
    stored = from_float(noisy, np.uint8)
    if rng.random() < _COMPRESSED:
        stored = through_jpeg(stored, int(rng.integers(_QUALITY[0], _QUALITY[1] + 1)))
    return stored


def _moved_onto(true: np.ndarray, found: np.ndarray) -> np.ndarray:
    """A PSF moved to where it correlates best with another, as where a picture lies nobody can tell."""
    side = max(*true.shape, *found.shape) * 2 + 1
    fine = [
        cv2.resize(_centred(each, side), None, fx=_FINE, fy=_FINE, interpolation=cv2.INTER_LINEAR)
        for each in (true, found)
    ]
    likeness = scipy.signal.fftconvolve(fine[1], fine[0][::-1, ::-1], "same")
    down, across = np.subtract(np.unravel_index(likeness.argmax(), likeness.shape), side * _FINE // 2) / _FINE
    moved = ndimage.shift(_centred(true, side), (down, across), order=1)
    return _trimmed(moved / moved.sum())


def _centred(array: np.ndarray, side: int) -> np.ndarray:
    """A PSF in the middle of a square of an odd side."""
    return np.pad(array, [(side // 2 - length // 2,) * 2 for length in array.shape])


def _trimmed(array: np.ndarray) -> np.ndarray:
    """A PSF without the empty rows and columns that lie on both sides of its middle."""
    reach = [int(np.abs(places - length // 2).max()) for places, length in zip(np.nonzero(array), array.shape)]
    rows, columns = (slice(length // 2 - far, length // 2 + far + 1) for length, far in zip(array.shape, reach))
    return array[rows, columns]


def write(path: Path, pairs: Sequence[FoundPSF]) -> None:
    """Keep pairs of PSFs in an ``.npz`` file, in 12 bits."""
    arrays = {
        f"{name}-{index}": np.rint(array / array.max() * _STEPS).astype(np.uint16)
        for index, pair in enumerate(pairs)
        for name, array in (("true", pair.true), ("found", pair.found))
    }
    np.savez_compressed(path, **arrays)


@dataclass(frozen=True)
class FoundPSFs:
    """Pairs of PSFs, to be drawn from."""

    pairs: Sequence[FoundPSF]

    @staticmethod
    @cache
    def kept(path: Path = KEPT) -> FoundPSFs:
        """Those in a file that `write` made."""
        with np.load(path) as file:
            arrays = {name: steps / steps.sum(dtype=np.float64) for name, steps in file.items()}
        return FoundPSFs([FoundPSF(arrays[f"true-{at}"], arrays[f"found-{at}"]) for at in range(len(arrays) // 2)])

    def draw(self, rng: np.random.Generator) -> Blurring:
        """A pair, turned and mirrored at random."""
        pair = self.pairs[int(rng.integers(len(self.pairs)))]
        turns, mirrored = int(rng.integers(4)), int(rng.choice([-1, 1]))
        true, found = (np.rot90(each, turns)[:, ::mirrored] for each in (pair.true, pair.found))
        return Blurring(true, found, exact=False, least_nsr=LEAST_NSR[GENERAL])
