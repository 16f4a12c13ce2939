"""What ``wiener`` does to a file: find out its PSF, wherever that is to come from, and undo the blur."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from deblurcli.deconvolution import methods, tiled
from deblurcli.deconvolution.data_consistency import consistent
from deblurcli.deconvolution.observation import Observed, Settings, fitting
from deblurcli.deconvolution.wiener import answers
from deblurcli.pictures.images import Picture
from deblurcli.pictures.noise import NSR
from deblurcli.pipeline.sources import Finding, Source, source

LEFT, BLINDLY = "left as it was, ", "restored blindly, "
_STRIP = 256  # rows that are looked at together
MUCH_CLIPPED = 0.05  # more of a picture newly clipped than right PSFs do (99 of 100 training photographs: 0.04)


class Refiner(Protocol):
    """Corrects what the Wiener filter left; `restorer.Restorer` and `restorer.Deferred` of three layers do."""

    @property
    def halo(self) -> int:
        """How far it looks around each pixel."""

    def restore(self, pixels: np.ndarray, *others: np.ndarray) -> np.ndarray:
        """Restored pixels like the blurred ones, from these and both images of `wiener.wiener_twice`."""

    def limited(self, restored: np.ndarray, blurred: np.ndarray) -> np.ndarray:
        """The restored image within what it may go beyond the blurred one's flat areas."""


@dataclass(frozen=True)
class Restoration:
    """A method, where the PSF comes from, and what corrects the result; call it with a picture and its name.

    blind: restores what no PSF is certain for; without it such a picture is left as it was.
    """

    source: Source
    settings: Settings
    method: str
    refiner: Refiner | None = None
    blind: Callable[[Picture], Picture] | None = None

    def __call__(self, picture: Picture, key: str) -> tuple[Picture, dict]:
        """The restored picture, and what the report says of it."""
        found = self.source(picture, key)
        about = {**found.about, "method": self.method}
        if found.psf is None:
            return self._without_psf(picture, about, found)
        settings = replace(self.settings, nsr=self._nsr(found), compressed=found.compressed)
        restored = self._restored(picture, found.psf, settings)
        if found.is_guess and _clipped(restored) - _clipped(picture) > MUCH_CLIPPED:
            doubtful = replace(found, doubt="what was found would make it ring")
            return self._without_psf(picture, about, doubtful)
        return restored, about

    def _nsr(self, found: Finding) -> float | None:
        """The noise-to-signal ratio that was asked for, else that of the source; None leaves it to the picture."""
        if self.settings.nsr is not None or found.nsr is None:
            return self.settings.nsr
        return found.nsr if self.refiner is None else max(found.enough * found.nsr, NSR[0])

    def _without_psf(self, picture: Picture, about: dict, found: Finding) -> tuple[Picture, dict]:
        """The picture restored blindly where there is something to restore, and means to; else as it was."""
        if self.blind is None or found.is_sharp:
            return picture, {**about, "note": LEFT + found.doubt}
        return self.blind(picture), {**about, "method": "blind", "note": BLINDLY + found.doubt}

    def _restored(self, picture: Picture, psf: np.ndarray, settings: Settings) -> Picture:
        if self.refiner is None:
            return methods.restore(picture, psf, settings, self.method)
        suited = methods.suited(settings, picture)
        pixels = tiled.in_tiles(self._refined, picture.pixels, psf, suited, self.refiner.halo)
        return picture.with_pixels(pixels)

    def _refined(self, tile: np.ndarray, psf: np.ndarray, settings: Settings) -> np.ndarray:
        """A tile as the Wiener filter and the refiner restore it, moved towards what was seen."""
        blurred = Observed(*fitting(tile, psf), settings)
        careful, bold = answers(blurred)
        restored = self.refiner.restore(tile, bold, careful)
        return self.refiner.limited(consistent(restored, blurred, settings.compressed), tile)


@dataclass(frozen=True)
class Blend:
    """What other work makes of a picture, blended with the picture itself; call it like that work.

    strength: share of the former, 0 to 1; 0 leaves pictures as they are.
    """

    work: Callable[[Picture, str], tuple[Picture, dict]]
    strength: float

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength is {self.strength}; it must be from 0 to 1")

    def __call__(self, picture: Picture, key: str) -> tuple[Picture, dict]:
        """The blend, and what the work tells."""
        restored, about = self.work(picture, key)
        mixed = cv2.addWeighted(restored.pixels, self.strength, picture.pixels, 1 - self.strength, 0)
        return picture.with_pixels(mixed.reshape(picture.pixels.shape)), {**about, "strength": self.strength}


def _clipped(picture: Picture) -> float:
    """The share of samples at either end of their range."""
    top, count = np.iinfo(picture.pixels.dtype).max, 0
    for first in range(0, len(picture.pixels), _STRIP):
        strip = picture.pixels[first : first + _STRIP]
        count += np.count_nonzero((strip == 0) | (strip == top))
    return count / picture.pixels.size


def restoration(
    psf: str,
    settings: Settings,
    method: str,
    folder: Path,
    listing: Path | None = None,
    refiner: Refiner | None = None,
    blind: Callable[[Picture], Picture] | None = None,
    adjusts: bool = False,
) -> Restoration:
    """A `Restoration` for what ``--psf`` says: a specification, ``manifest`` or ``auto``.

    folder: of the pictures, or a picture in it, where the manifest lies unless `listing` names it.
    refiner: a network that corrects the result.
    blind: restores what no PSF is certain for.
    adjusts: whether a specification is adjusted to each picture; see `refit.adjusted`.

    Raises PSFError when the specification makes no sense, PlanError when there is no manifest.
    """
    return Restoration(source(psf, folder, listing, adjusts), settings, method, refiner, blind)
