"""Where the PSF of a picture comes from: given, listed in a manifest, or estimated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deblurcli.batch import manifest
from deblurcli.blur import psf as psfs
from deblurcli.errors import PSFError
from deblurcli.estimation import estimate
from deblurcli.estimation.estimate import Estimate
from deblurcli.estimation.refit import adjusted
from deblurcli.pictures.images import Picture
from deblurcli.pictures.noise import rounding_noise

MANIFEST, AUTO = "manifest", "auto"
ADJUSTED = "shows a PSF near the one told, and was restored with it"


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


def source(psf: str, folder: Path, listing: Path | None, adjusts: bool) -> Source:
    """Where PSFs come from for what ``--psf`` says; arguments and errors as for `restoration.restoration`."""
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
