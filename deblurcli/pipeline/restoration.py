"""What ``wiener`` does to a file: find out its PSF, wherever that is to come from, and undo the blur."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from scipy.special import logit

from deblurcli.batch import phases
from deblurcli.batch.places import Inputs
from deblurcli.blur.poses import PoseDensity
from deblurcli.choices import BLIND
from deblurcli.deconvolution import methods
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.estimation import edges
from deblurcli.pictures.images import Picture
from deblurcli.pictures.luma import central_luma
from deblurcli.pictures.noise import NSR
from deblurcli.pictures.processed import Processed
from deblurcli.pictures.tiles import Progress, unwatched
from deblurcli.pipeline import second_opinion
from deblurcli.pipeline.actions import DECONVOLVED, LEFT, REFINED, blindly, specially
from deblurcli.pipeline.blind import Blind, Network
from deblurcli.pipeline.correction import (
    SHARE_OF_LIGHT,
    Averaged,
    AveragedInLight,
    Refined,
    RefinedInLight,
    Refiner,
    decoded,
    in_tiles,
)
from deblurcli.pipeline.sources import LEAVE, LOOKS_SHARP, SLIGHT, Finding, Source, source
from deblurcli.pipeline.specialist import Specialist

# Pixels above which the quicker refiner does. Four photographs of 12 megapixels take 0.54 to 0.75 times the CPU time
# and lose 0.17 dB at most; six training photographs under eight blurs, of 0.15 megapixels, would lose 0.07 dB.
LARGE = 6_000_000
_STRIP = 256  # rows that are looked at together
_LEAST = 1e-9  # of a share, and of a change
_ROUNDING = 1 / 3  # mean squared gradient of what rounding alone adds, in steps, down and across together
MUCH_CLIPPED = 0.05  # more of a picture newly clipped than right PSFs do (99 of 100 training photographs: 0.04)
# The mean squared change over the mean squared gradient, in dB, up to which a picture is sharp, and how much that rises
# with the logit of how likely it is by its edges. 159 sharp training photographs whose edges leave doubt and 174
# slightly blurred: 97 % and 7 % are left alone. The area under the curve is 0.98, by the edges alone 0.89. Of the
# change as it is, it is 0.96, and where 7 % of the latter are left alone, so are 86 % of the former.
LEAST_CHANGE, _BY_EDGES = -13.3, 0.5


Blindly = Callable[[Picture, Progress], Picture]  # restores a picture of whose blur it is told nothing


@dataclass(frozen=True)
class Restoration:
    """A method, where the PSF comes from, and what corrects the result; call it with a picture and its name.

    blind: the network `BLIND`, which restores what no PSF is certain for; without it such a picture is left as it was.
    special: a network that restores the pictures that show one of its own blurs.
    progress: called as parts of the work on a picture are done.
    smoothing: factor of the noise-to-signal ratio that goes with an estimated PSF; more is smoother, less is noisier.
    forced: a result is kept even where it shows that the PSF may be wrong.
    refiner_of_large: corrects more quickly the results of pictures of more than `LARGE` pixels; None leaves them to
        `refiner`.
    refiner_of_light: corrects, in its place, what is restored where the blur was at work in linear light.
    """

    source: Source
    options: DeconvolutionOptions
    method: str
    refiner: Refiner | None = None
    blind: Blindly | None = None
    special: Specialist | None = None
    progress: Progress = unwatched
    smoothing: float = 1.0
    forced: bool = False
    refiner_of_large: Refiner | None = None
    refiner_of_light: Refiner | None = None

    def __call__(self, picture: Picture, key: str) -> Processed:
        """The restored picture, and what the report says of it."""
        with phases.phase(phases.FIND):
            found = self.source(picture, key)
        special = self.special(picture) if self.special else None
        if special is not None:
            fields = {**found.fields, "psf": str(special.spec)}
            return specially(special.network).made(special.picture, fields, "which was made for its blur")
        if found.psf is None:
            return self._without_psf(picture, found)
        restored = self._restored(picture, found, found.psf if found.poses is None else found.poses)
        if not found.is_estimated or self.forced:
            return self._made(restored, found)
        if _clipped(restored) - _clipped(picture) > MUCH_CLIPPED:
            return self._without_psf(picture, replace(found, reason="undoing its blur would add ripples"))
        if self.blind is None:
            return self._made(restored, found)
        return self._compared(picture, restored, found, self.blind)

    def _made(self, restored: Picture, found: Finding) -> Processed:
        """What a PSF restored, and what the report says of it."""
        action = DECONVOLVED[self.method] if self.refiner is None else REFINED
        return replace(action.made(restored, found.fields, found.note), psf=found.psf)

    def _compared(self, picture: Picture, restored: Picture, found: Finding, blind: Blindly) -> Processed:
        """What a PSF that may be wrong restored, unless a network that knows of none does better; see `second_opinion`.

        A PSF with a formula that was at work in the values of the file is used everywhere or not at all, all others as
        far as they hold.
        """
        reason = "its blur is not the same all over" if found.is_free_form else "the blur that was found does not hold"
        if found.is_free_form or found.linear_nsr is not None:
            trust = second_opinion.OF_ANY_FORM if found.is_free_form else second_opinion.WITH_A_FORMULA
            other = blind(picture, unwatched)
            mixed, share = second_opinion.blended(picture, restored, other, trust)
            if share < second_opinion.LEAST_SHARE:
                return blindly(BLIND).made(other, found.fields, reason)
            return self._made(mixed, replace(found, fields={**found.fields, "photo_share": round(1 - share, 3)}))
        if second_opinion.holds(picture, restored, blind):
            return self._made(restored, found)
        return self._without_psf(picture, replace(found, reason=reason))

    def _nsr(self, found: Finding, own: float | None) -> float | None:
        """The noise-to-signal ratio that was asked for, else that of the source; None leaves it to the picture."""
        if self.options.nsr is not None or own is None:
            return self.options.nsr
        scale = self.smoothing * (1.0 if self.refiner is None else found.refined_nsr_scale)
        return min(max(scale * own, NSR[0]), NSR[1])

    def _without_psf(self, picture: Picture, found: Finding) -> Processed:
        """The picture restored blindly where there is something to restore, and means to; else as it was."""
        if self.blind is None or (found.sharpness or 0) >= edges.BEYOND_DOUBT:
            return LEFT.made(picture, found.fields, found.reason)
        restored = self.blind(picture, self.progress)
        if not self.forced and _is_sharp(picture, restored, found.sharpness):
            return LEFT.made(picture, found.fields, LOOKS_SHARP)
        return blindly(BLIND).made(restored, found.fields, SLIGHT if found.course == LEAVE else found.reason)

    def _restored(self, picture: Picture, found: Finding, psf: np.ndarray | PoseDensity) -> Picture:
        """The picture with the PSF undone where it was at work; one of any form in light, in values as well."""
        options = replace(self.options, nsr=self._nsr(found, found.nsr), compressed=found.is_compressed)
        if self.refiner is None:
            return methods.restore(picture, psf, options, self.method, self.progress)
        if found.linear_nsr is None:
            method = (Averaged if found.is_free_form else Refined)(self._refiner_for(picture, self.refiner))
            return in_tiles(method, picture, psf, options, self.progress)
        lit = self.refiner_of_light or self.refiner
        of_light = replace(options, nsr=self._nsr(found, found.linear_nsr))
        if not found.is_free_form:
            return in_tiles(RefinedInLight(lit), picture, psf, of_light, self.progress, decoded)
        half = partial(_half, self.progress)
        in_values = in_tiles(Refined(self._refiner_for(picture, lit)), picture, psf, options, half)
        in_light = in_tiles(AveragedInLight(lit), picture, psf, of_light, half, decoded)
        return blended(in_light, in_values, SHARE_OF_LIGHT)

    def _refiner_for(self, picture: Picture, refiner: Refiner) -> Refiner:
        """What corrects the result of a picture in its values: a refiner, or that of large pictures."""
        height, width, _ = picture.pixels.shape
        quicker = self.refiner_of_large if height * width > LARGE else None
        return quicker or refiner


def _half(progress: Progress, share: float) -> None:
    """Progress on one half of the work."""
    progress(share / 2)


@dataclass(frozen=True)
class Alone:
    """A network that is given nothing but the picture; call it with a picture and its name.

    name: of the network, in reports and messages. progress: called as parts of the work on a picture are done.
    """

    network: Callable[[Picture, Progress], Picture]
    name: str
    progress: Progress = unwatched

    def __call__(self, picture: Picture, key: str) -> Processed:
        """What the network makes of it."""
        return blindly(self.name).made(self.network(picture, self.progress), {}, "as asked")


@dataclass(frozen=True)
class Blend:
    """What other work makes of a picture, blended with the picture itself; call it like that work.

    strength: share of the former, 0 to 1; 0 leaves pictures as they are.
    """

    work: Callable[[Picture, str], Processed]
    strength: float

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength is {self.strength}; it must be from 0 to 1")

    def __call__(self, picture: Picture, key: str) -> Processed:
        """The blend, and what the work tells; at a strength of 0 the picture, without any work."""
        if self.strength == 0:
            return LEFT.made(picture, {"strength": self.strength}, "as a strength of 0 asks")
        made = self.work(picture, key)
        mixed = blended(made.picture, picture, self.strength)
        return replace(made, picture=mixed, fields={**made.fields, "strength": self.strength})


def blended(restored: Picture, picture: Picture, strength: float) -> Picture:
    """A share of the restored picture, 0 to 1, and the rest of the picture itself."""
    mixed = cv2.addWeighted(restored.pixels, strength, picture.pixels, 1 - strength, 0)
    return picture.with_pixels(mixed.reshape(picture.pixels.shape))


def _is_sharp(picture: Picture, restored: Picture, sharpness: float | None) -> bool:
    """Whether a picture is sharp by what the network changed, and by how likely it is by its edges, where known."""
    by_edges = edges.sharpness(central_luma(picture.pixels)) if sharpness is None else sharpness
    change = 10 * np.log10(max(_change(picture, restored), _LEAST))
    return change < LEAST_CHANGE + _BY_EDGES * logit(min(max(by_edges, _LEAST), 1 - _LEAST))


def _change(picture: Picture, other: Picture) -> float:
    """The mean squared difference of two pictures of the same shape and type over the squared gradient of the first.

    The latter is at least that of rounding.
    """
    change, detail = 0.0, 0.0
    for first in range(0, len(picture.pixels), _STRIP):
        before, after = (each.pixels[first : first + _STRIP].astype(np.float32) for each in (picture, other))
        change += _power(after - before)
        detail += _power(np.diff(before, axis=0)) + _power(np.diff(before, axis=1))
    return change / max(detail, _ROUNDING * picture.pixels.size)


def _power(values: np.ndarray) -> float:
    """The sum of squares."""
    return float(np.square(values).sum(dtype=np.float64))


def _clipped(picture: Picture) -> float:
    """The share of samples at either end of their range."""
    top, count = np.iinfo(picture.pixels.dtype).max, 0
    for first in range(0, len(picture.pixels), _STRIP):
        strip = picture.pixels[first : first + _STRIP]
        count += np.count_nonzero((strip == 0) | (strip == top))
    return count / picture.pixels.size


def restoration(
    psf: str,
    options: DeconvolutionOptions,
    method: str,
    folder: Inputs,
    listing: Path | None = None,
    refiner: Refiner | None = None,
    blind: Network | None = None,
    special: Specialist | None = None,
    adjusts: bool = False,
    progress: Progress = unwatched,
    smoothing: float = 1.0,
    forced: bool = False,
    rolls: bool = False,
    refiner_of_large: Refiner | None = None,
    refiner_of_light: Refiner | None = None,
) -> Restoration:
    """A `Restoration` for what ``--psf`` says: a specification, ``manifest`` or ``auto``.

    folder: of the pictures, or pictures in it, where the manifest lies unless `listing` names it.
    refiner: a network that corrects the result.
    blind: the network `BLIND`, which restores what no PSF is certain for, at the size that suits it; see `blind.Blind`.
    special: a network that restores the pictures that show one of its own blurs.
    adjusts: whether a specification is adjusted to each picture; see `refit.adjusted`.
    progress: called as parts of the work on a picture are done.
    smoothing: factor of the noise that is allowed for where the PSF is estimated; see `Restoration`.
    forced: an estimate is acted on even where it is not certain, and a sharp picture restored blindly.
    rolls: whether a camera that rolled is looked for beside a PSF of any form; see `estimate.with_rolls`.
    refiner_of_large, refiner_of_light: correct the results of large pictures, and in linear light; see `Restoration`.

    Raises PSFError when the specification makes no sense, PlanError when there is no manifest.
    """
    found = source(psf, folder, listing, adjusts, forced, rolls)
    restores = None if blind is None else Blind(blind)
    return Restoration(
        found,
        options,
        method,
        refiner,
        restores,
        special,
        progress,
        smoothing,
        forced,
        refiner_of_large,
        refiner_of_light,
    )
