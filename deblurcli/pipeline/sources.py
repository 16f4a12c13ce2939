"""Where the PSF of a picture comes from: given, listed in a manifest, or estimated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deblurcli.batch import manifest, planning
from deblurcli.batch.places import Inputs
from deblurcli.blur.poses import PoseDensity
from deblurcli.blur.psf import PSFSpec, parse
from deblurcli.choices import AUTO, COURSES, MANIFEST
from deblurcli.errors import PSFError
from deblurcli.estimation import estimate
from deblurcli.estimation.estimate import Estimate
from deblurcli.estimation.noise_to_signal import REFINED_NSR_SCALE, noise_to_signal
from deblurcli.estimation.refit import adjusted
from deblurcli.pictures.images import Picture
from deblurcli.pictures.noise import rounding_noise
from deblurcli.pictures.processed import Fields
from deblurcli.pipeline.actions import KINDS, ROTATED
from deblurcli.pipeline.verdicts import spread, verdict

UNDO, BLINDLY, LEAVE = COURSES
LOOKS_SHARP = "it looks sharp"
SLIGHT = "its blur is slight"
FORCED = "with its likeliest blur as --force asks"
ADJUSTED = "with a PSF near the given one, which fits better"


@dataclass(frozen=True)
class Finding:
    """What is known of a picture's blur.

    psf: None where none is certain. fields: what the report says of it. note: what people read of it.
    nsr: noise-to-signal ratio to restore with, where the source of the PSF knows better than the picture does.
    refined_nsr_scale: what part of it is enough where a network corrects the result.
    linear_nsr: the same ratio in linear light, where the PSF was at work there and not in the values of the file.
    is_compressed: whether the picture is known to have gone through JPEG.
    is_free_form: the PSF has no formula, and its errors are of no form either.
    is_estimated: the PSF may be wrong; a restoration that shows it is not used.
    reason: why there is no PSF. sharpness: how likely there is nothing to restore, 0 to 1, where that was found.
    poses: where the PSF is another at every place, what tells it; `psf` is that in the middle.
    """

    psf: np.ndarray | None
    fields: Fields
    note: str = ""
    nsr: float | None = None
    refined_nsr_scale: float = 1.0
    is_free_form: bool = False
    is_estimated: bool = False
    linear_nsr: float | None = None
    is_compressed: bool = False
    reason: str = ""
    sharpness: float | None = None
    poses: PoseDensity | None = None

    @property
    def course(self) -> str:
        """What `deblur` does about it: `UNDO` a blur that is certain, `LEAVE` what is sharp, else restore `BLINDLY`."""
        if self.psf is not None:
            return UNDO
        return LEAVE if (self.sharpness or 0) >= estimate.CONFIDENT["none"] else BLINDLY


Source = Callable[[Picture, str], Finding]


@dataclass(frozen=True)
class Given:
    """One PSF for every picture.

    adjusts: whether to each picture, where that clearly shows another one nearby.
    """

    spec: PSFSpec
    adjusts: bool = False

    def __call__(self, picture: Picture, key: str) -> Finding:
        """That PSF, or the one nearby."""
        spec = adjusted(picture.pixels, self.spec) if self.adjusts else self.spec
        if spec == self.spec:
            return Finding(spec.array(), {"psf": str(spec)})
        given = str(self.spec)  # under the name that reports had for it, too
        return Finding(spec.array(), {"psf": str(spec), "given": given, "told": given}, ADJUSTED)


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
            raise PSFError(f"has no entry in {self.path}; blur it with deblurcli, or give its PSF with --psf")
        size = entry.get("width"), entry.get("height")
        if size not in ((None, None), picture.size):
            sizes = f"{size[0]}×{size[1]}, this picture {picture.size[0]}×{picture.size[1]}"
            raise PSFError(
                f"the entry in {self.path} is for a picture of another size ({sizes}); give its PSF with --psf"
            )
        is_compressed = entry.get("jpeg_quality") is not None
        return Finding(parse(entry["psf"]).array(), {"psf": entry["psf"]}, is_compressed=is_compressed)


@dataclass(frozen=True)
class Estimated:
    """The PSF that each picture itself shows.

    forced: whether also where it is not certain. rolls: whether a camera that rolled is looked for as well; see
        `estimate.with_rolls`.
    """

    forced: bool = False
    rolls: bool = False

    def __call__(self, picture: Picture, key: str) -> Finding:
        """The PSF where it is certain, none where it is not or the picture is sharp."""
        found = estimate.estimate(picture.pixels)
        return guessed(picture, estimate.with_rolls(picture.pixels, found) if self.rolls else found, self.forced)


def guessed(picture: Picture, found: Estimate, forced: bool = False) -> Finding:
    """What an estimate is good for: its PSF and the ratio to restore with, or to leave the picture alone.

    forced: a PSF that is not certain will do, and no picture is taken for sharp.
    """
    spec = None if found.spec is None else str(found.spec)
    fields: Fields = {
        "psf": spec,
        "family": found.family,
        "confidence": round(found.confidence, 3),
        "verdict": verdict(found),
        "pixels": round(spread(found), 2),
    }
    if found.family == "none":
        sharp = estimate.is_sharp(found)
        reason = LOOKS_SHARP if sharp else "it shows too little to tell its blur"
        if sharp and forced:
            return Finding(None, fields, reason="although it looks sharp")
        return Finding(None, fields, reason=reason, sharpness=found.confidence)
    certain = estimate.trusted(found)
    if not certain and not forced:
        return Finding(None, fields, reason="its blur is uncertain")
    floor = rounding_noise(picture.pixels.dtype)
    nsr = noise_to_signal(picture.pixels, found, floor)
    linear = noise_to_signal(picture.pixels, found, floor, in_light=True) if found.is_linear else None
    scale = REFINED_NSR_SCALE[found.family]
    kind = KINDS[found.family] if found.poses is None else ROTATED
    note = kind if certain else FORCED
    return Finding(
        found.psf,
        {**fields, "linear_light": found.is_linear},
        note,
        nsr=nsr,
        refined_nsr_scale=scale,
        is_free_form=found.spec is None,
        is_estimated=True,
        linear_nsr=linear,
        poses=found.poses,
    )


def source(
    psf: str, folder: Inputs, listing: Path | None, adjusts: bool, forced: bool = False, rolls: bool = False
) -> Source:
    """Where PSFs come from for what ``--psf`` says; arguments and errors as for `restoration.restoration`."""
    if psf == AUTO:
        return Estimated(forced, rolls)
    if psf != MANIFEST:
        spec = parse(psf, (AUTO, MANIFEST))
        spec.array()  # a file that is no PSF is refused before any work
        return Given(spec, adjusts)
    place = planning.folder_of(folder)
    path = listing or manifest.beside(place)
    return Listed(path, manifest.read(path), _below(path.parent, place))


def _below(base: Path, pictures: Path) -> str:
    """The path of a folder, or of a picture's folder, below another, with a / behind it; nothing elsewhere."""
    folder = (pictures if pictures.is_dir() else pictures.parent).resolve()
    inside = folder.is_relative_to(base.resolve()) and folder != base.resolve()
    return folder.relative_to(base.resolve()).as_posix() + "/" if inside else ""
