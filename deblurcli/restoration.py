"""What ``wiener`` does to a file: find out its PSF, wherever that is to come from, and undo the blur."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from deblurcli import deconvolve, estimate, manifest
from deblurcli import psf as psfs
from deblurcli.adjustment import adjusted
from deblurcli.consistency import consistent
from deblurcli.errors import PSFError
from deblurcli.estimate import Estimate
from deblurcli.images import Picture
from deblurcli.noise import NSR, rounding_noise
from deblurcli.observed import Observed, Settings, fitting
from deblurcli.wiener_filter import answers

MANIFEST, AUTO = "manifest", "auto"
LEFT, BLINDLY = "left as it was, ", "restored blindly, "
ADJUSTED = "shows a PSF near the one told, and was restored with it"
_STRIP = 256  # rows that are looked at together
MUCH_CLIPPED = 0.05  # more of a picture newly clipped than right PSFs do (99 of 100 training photographs: 0.04)


@dataclass(frozen=True)
class Finding:
    """What is known of a picture's blur: its PSF, None where none is certain, and what the report says of it.

    nsr: noise-to-signal ratio to restore with, where the source of the PSF knows better than the picture does.
    enough: what part of it is enough where a network corrects the result.
    compressed: whether the picture is known to have gone through JPEG.
    is_guess: the PSF may be wrong; a restoration that shows it is not used.
    doubt: why there is no PSF. is_sharp: because there is nothing to restore.
    """

    psf: np.ndarray | None
    about: dict
    nsr: float | None = None
    enough: float = 1.0
    is_guess: bool = False
    compressed: bool = False
    doubt: str = ""
    is_sharp: bool = False


Source = Callable[[Picture, str], Finding]


@dataclass(frozen=True)
class Known:
    """One PSF for every picture, from its specification.

    adjusts: whether to each picture, where that clearly shows another one nearby.
    """

    spec: str
    adjusts: bool = False

    def __post_init__(self) -> None:
        psfs.array(self.spec)

    def __call__(self, picture: Picture, key: str) -> Finding:
        """That PSF, or the one nearby."""
        told = psfs.parse(self.spec)
        spec = adjusted(picture.pixels, told) if self.adjusts else told
        if spec == told:
            return Finding(psfs.array(self.spec), {"psf": self.spec})
        return Finding(spec.array(), {"psf": str(spec), "told": self.spec, "note": ADJUSTED})


@dataclass(frozen=True)
class Listed:
    """The PSF that a manifest gives for each picture.

    prefix: path of the pictures' folder below the manifest's, with a / behind it, or nothing.
    """

    path: Path
    entries: dict[str, dict]
    prefix: str = ""

    def __call__(self, picture: Picture, key: str) -> Finding:
        """The PSF listed; PSFError when there is no entry, or it is another picture's."""
        entry = self.entries.get(self.prefix + key) or self.entries.get(key)
        if entry is None:
            raise PSFError(f"not in {self.path}; blur it with deblurcli, or name its PSF with --psf")
        size = entry.get("width"), entry.get("height")
        if size not in ((None, None), picture.size):
            sizes = f"{size[0]}×{size[1]}, this picture {picture.size[0]}×{picture.size[1]}"
            raise PSFError(f"the entry in {self.path} is of another picture ({sizes}); name its PSF with --psf")
        compressed = entry.get("jpeg_quality") is not None
        return Finding(psfs.array(entry["psf"]), {"psf": entry["psf"]}, compressed=compressed)


@dataclass(frozen=True)
class Estimated:
    """The PSF that each picture itself shows."""

    def __call__(self, picture: Picture, key: str) -> Finding:
        """The PSF where it is certain, none where it is not or the picture is sharp."""
        return guessed(picture, estimate.estimate(picture.pixels))


def guessed(picture: Picture, found: Estimate) -> Finding:
    """What an estimate is good for: its PSF and the ratio to restore with, or to leave the picture alone."""
    about = {"psf": found.spec, "family": found.family, "confidence": round(found.confidence, 3)}
    if found.family == "none":
        sharp = estimate.is_sharp(found)
        doubt = "it looks sharp" if sharp else "it tells nothing of a blur"
        return Finding(None, about, doubt=doubt, is_sharp=sharp)
    if not estimate.trusted(found):
        return Finding(None, about, doubt="its blur is not certain")
    nsr = estimate.noise_to_signal(picture.pixels, found, rounding_noise(picture.pixels.dtype))
    return Finding(found.psf, about, nsr, estimate.ENOUGH[found.family], is_guess=True)


class Refiner(Protocol):
    """Corrects what the Wiener filter left; `deblur.Restorer` and `deblur.Deferred` of three layers do."""

    @property
    def halo(self) -> int:
        """How far it looks around each pixel."""

    def restore(self, pixels: np.ndarray, *others: np.ndarray) -> np.ndarray:
        """Restored pixels like the blurred ones, from these and both images of `wiener_filter.wiener_twice`."""

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
            return deconvolve.restore(picture, psf, settings, self.method)
        suited = deconvolve.suited(settings, picture)
        pixels = deconvolve.in_tiles(self._refined, picture.pixels, psf, suited, self.refiner.halo)
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
    adjusts: whether a specification is adjusted to each picture; see `adjustment.adjusted`.

    Raises PSFError when the specification makes no sense, PlanError when there is no manifest.
    """
    return Restoration(_source(psf, folder, listing, adjusts), settings, method, refiner, blind)


def _source(psf: str, folder: Path, listing: Path | None, adjusts: bool) -> Source:
    if psf == AUTO:
        return Estimated()
    if psf != MANIFEST:
        return Known(psf, adjusts)
    path = listing or manifest.beside(folder)
    return Listed(path, manifest.read(path), _below(path.parent, folder))


def _below(base: Path, pictures: Path) -> str:
    """The path of a folder, or of a picture's folder, below another, with a / behind it; nothing elsewhere."""
    folder = (pictures if pictures.is_dir() else pictures.parent).resolve()
    inside = folder.is_relative_to(base.resolve()) and folder != base.resolve()
    return folder.relative_to(base.resolve()).as_posix() + "/" if inside else ""


@dataclass(frozen=True)
class Telling:
    """What ``estimate`` tells of a picture; call it with the picture and its name.

    family: of PSFs to look for; see `estimate.estimate`.
    place: folder, or file where there is one picture, to write the PSF to; None writes none.
    """

    family: str = AUTO
    place: Path | None = None

    def __call__(self, picture: Picture, key: str) -> dict:
        """The PSF's family, parameters and specification, how certain it is, and whether `wiener` would act on it."""
        found = estimate.estimate(picture.pixels, self.family)
        if self.place is not None:
            name = "standard-input" if key == "-" else key
            file = self.place if self.place.suffix else self.place / f"{name}.psf.png"
            psfs.write(file, found.psf)
        return {**found.about(), "trusted": estimate.trusted(found)}
