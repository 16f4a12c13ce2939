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
from deblurcli.blur.families import trimmed
from deblurcli.estimation.estimate import GENERAL, estimate, trusted
from deblurcli.estimation.noise_to_signal import LEAST_NSR
from deblurcli.estimation.psf_shape import framed
from deblurcli.pictures.images import from_float, to_float
from training.data.degradation import Blurring, degrade, piece
from training.data.sources import Pictures, fitted_photographs
from training.recipe import FOLDER, Recipe

KEPT = FOLDER / "found-psfs.npz"  # pairs that were found in training photographs
SHAKE = "trajectory"  # family of the PSFs that blur them
_LENGTHS = 14.0, 135.0  # pixels of their paths, evenly by their logarithm
_SIDE = 480  # pixels of the pieces that are searched, at most
_BORDER = 3  # part of a PSF's width that is cut off them, as a photograph is a part of the scene
_FINE = 4  # parts of a pixel, to which a true PSF is moved
_STEPS = 4095  # in which the values of a found PSF are kept, the largest being one


@dataclass(frozen=True)
class FoundPSF:
    """A PSF ``(K, L)`` that blurred a picture, moved to where it is most like the one that was found ``(M, N)``."""

    true: np.ndarray
    found: np.ndarray


def gather(pictures: Pictures, recipe: Recipe, minutes: float, seed: int) -> Iterator[FoundPSF]:
    """Blur photographs that a recipe fits on and search: the PSFs that are found with certainty."""
    rng, begun = np.random.default_rng(seed), time.monotonic()
    fitted = fitted_photographs(recipe, len(pictures))
    while time.monotonic() - begun < 60 * minutes:
        picture, true = to_float(pictures[int(rng.choice(fitted))]), _shake(rng)
        seen = estimate(_photographed(picture, true, recipe, rng), GENERAL)
        if trusted(seen):
            yield FoundPSF(_moved_onto(true, seen.psf), trimmed(seen.psf))


def _shake(rng: np.random.Generator) -> np.ndarray:
    """The PSF of a path of any length."""
    length = float(np.exp(rng.uniform(*np.log(_LENGTHS))))
    return psf.PSFSpec.of(SHAKE, {"length": length, "seed": int(rng.integers(10**9))}).array()


def _photographed(picture: np.ndarray, true: np.ndarray, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """A piece of a picture in 8 bits, blurred, and then degraded as a recipe says."""
    size = tuple(min(_SIDE, length) for length in picture.shape[:2])
    sharp, margin = piece(picture, (size[0], size[1]), 1.0, rng)
    sample = degrade(sharp, margin, Blurring(true, true, exact=True), recipe.data, rng)
    border = max(true.shape) // _BORDER
    inside = tuple(slice(border, length - border) for length in sample.blurred.shape[:2])
    return from_float(sample.blurred[inside], np.uint8)


def _moved_onto(true: np.ndarray, found: np.ndarray) -> np.ndarray:
    """A PSF moved to where it correlates best with another, as where a picture lies nobody can tell."""
    side = max(*true.shape, *found.shape) * 2 + 1
    fine = [
        cv2.resize(framed(each, side), None, fx=_FINE, fy=_FINE, interpolation=cv2.INTER_LINEAR)
        for each in (true, found)
    ]
    likeness = scipy.signal.fftconvolve(fine[1], fine[0][::-1, ::-1], "same")
    down, across = np.subtract(np.unravel_index(likeness.argmax(), likeness.shape), side * _FINE // 2) / _FINE
    moved = ndimage.shift(framed(true, side), (down, across), order=1)
    return trimmed(moved)


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
