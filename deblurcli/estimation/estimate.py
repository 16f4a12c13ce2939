"""The PSF of a blurred picture, found from the picture alone.

The steepness of the edges tells sharp pictures from blurred ones (see `edges`), and where it leaves no doubt nothing
else is looked at. Blurs with a formula leave zeros and a slope in the power spectrum: each family of `PARAMETRIC` is
fitted to it (see `families`), and the one that explains it best is taken. How far it is ahead of no blur at all, of the
other families and of its own other optima tells how likely it is right. When that is little and the picture is not more
likely sharp than not, a PSF of any form is sought (see `free_form`), and judged by the same spectrum; also beside a
family that is not beyond doubt. When that is not certain either, the families are fitted to low frequencies alone,
which JPEG leaves as they were. All that is done in the values of the file; where these show no blur, the families are
sought in linear light as well (see `light`). What is too large to be found in a large picture is sought in the picture
at a half and a quarter of its size.

Where a picture shows lights, the PSF that these drew is tried first (see `streaks`), and where nothing is certain all
is done once more without them, as what is clipped follows no PSF (see `lights`), and a PSF of any form sought in linear
light (see `night`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deblurcli.blur.poses import PoseDensity
from deblurcli.blur.psf import PSFSpec
from deblurcli.choices import ESTIMATED
from deblurcli.errors import PSFError
from deblurcli.estimation import (
    confidence,
    edges,
    families,
    free_form,
    light,
    night,
    psf_shape,
    rolling,
    streaks,
    whittle,
)
from deblurcli.estimation.families import PARAMETRIC, Search
from deblurcli.pictures import lights, noise, power_spectrum
from deblurcli.pictures.images import checked
from deblurcli.pictures.luma import central_luma

SMALLEST_SIDE = 32  # below, a picture has too few patches and lines in its spectrum to tell anything

_REDUCTIONS = (2, 4)  # how many times smaller a picture is looked at as well
_REDUCIBLE = 256  # pixels a side that are to be left of it
_SMALL = 9  # side of a PSF: found better without reducing
_FLAT = 4e-3  # standard deviation of a picture that shows nothing: a step of 8 bits
# Of a picture's variance, that a family may take for noise beside what the finest detail shows. Of 204 right estimates
# in 40 training photographs, with noise of up to 5 % and JPEG, none took 0.05; three wrong ones took 0.19 to 0.65.
_UNEXPLAINED = 0.1
_BARELY = 1.5  # times the noise: of one whose noise hides what it shows

# The confidence from which an estimate is acted on: a blur is undone, a sharp picture not looked at further. Of the
# training photographs restored with such PSFs, 19 in 20 came nearer to the sharp ones.
CONFIDENT = {"none": 0.4, "motion": 0.8, "gaussian": 0.8, "defocus": 0.8, "general": free_form.CERTAIN}

GENERAL = "general"
# Confidence in a family from which no PSF of any form is looked for beside it. A soft lens makes shake pass for wrong
# focus or a Gaussian: of four training photographs between 0.9 and 0.95 with a PSF of any form that is well ahead three
# gain 2.4 to 8.6 dB by it, one loses 0.8. Of three straight motions two lose, 1.2 and 3.8 dB.
_BEYOND_DOUBT = {"motion": 0.9, "gaussian": 0.95, "defocus": 0.95}
# Confidence that a picture is sharp from which none is looked for either, nor anything without lights. Of 437 sharp
# training photographs six lie between `CONFIDENT` and this; shaken letters do too, whose thin strokes leave thin,
# steep lines.
_LIKELY = 0.5


@dataclass(frozen=True)
class Estimate:
    """What blurred a picture.

    spec: its specification, or None for a PSF without a formula.
    psf: ``(K, L)``, odd sides, sums to 1; a single 1 when the family is "none".
    confidence: 0 to 1, about the chance that the estimate is right: motion within 2 pixels and 6 degrees, sigma
        and radius within 0.4 pixels, a general PSF so near that restoring with it helps.
    family: "motion", "gaussian", "defocus", "general", or "none" for a picture that is not blurred, or of which
        nothing can be told.
    parameters: the numbers of the specification, by name.
    noise: variance of the noise in the picture's luma, on the scale [0, 1], as its spectrum shows it.
    linear_noise: the same of luma in linear light, if the PSF was at work there and not in the values of the file (see
        `light`); else None.
    poses: where the camera rolled as well as it shifted, the density that tells the PSF at every place; then `psf` is
        that in the middle of the picture. Else None.
    """

    spec: PSFSpec | None
    psf: np.ndarray
    confidence: float
    family: str
    parameters: tuple[tuple[str, float], ...] = ()
    noise: float = 0.0
    linear_noise: float | None = None
    poses: PoseDensity | None = None

    @property
    def is_linear(self) -> bool:
        """Whether the PSF was at work in linear light, not in the values of the file."""
        return self.linear_noise is not None

    def about(self) -> dict[str, Any]:
        """The estimate without its PSF, ready for JSON."""
        return {
            "family": self.family,
            "parameters": dict(self.parameters),
            "confidence": round(self.confidence, 4),
            "size": [*self.psf.shape],
            "linear_light": self.is_linear,
            "spec": None if self.spec is None else str(self.spec),
        }


def estimate(image: np.ndarray, family: str = "auto") -> Estimate:
    """Find the PSF that blurred an image.

    image: ``(H, W, 1 or 3)``, blurred or not; float in [0, 1], uint8 or uint16. The middle 2048 × 2048 pixels are
        looked at; of a picture of at least 512 pixels a side that does not look sharp, also the middle at half its
        size and, from 1024, where nothing is certain yet, at a quarter.
    family: "motion", "gaussian" or "defocus" fits that family whatever the others say; "general" finds a PSF of any
        form, at most about 160 pixels a side; "auto" takes the family that explains the
        picture best, and a general PSF when none does so with confidence.

    The result is of family "none", with a PSF of one pixel, for pictures that show no blur; with confidence 0
    when they are below 32 pixels a side, or show hardly more than noise on a slope.

    Raises ImageError when the image is none, PSFError when there is no such family.

    >>> from deblurcli.blur import families
    >>> from deblurcli.blur.model import blur
    >>> squares = np.kron(np.random.default_rng(0).random((24, 24)), np.ones((9, 9)))[..., None].astype(np.float32)
    >>> found = estimate(blur(squares, families.motion(12, 30)))
    >>> found.family, [round(value) for _, value in found.parameters]
    ('motion', [12, 30])
    """
    if family not in ESTIMATED:
        raise PSFError(f"no family '{family}' to estimate; choose one of {', '.join(ESTIMATED)}")
    image = checked(image)
    lit = central_luma(image)
    unlit = lights.without(lit)
    drawn = _drawn(lit, unlit) if family in (GENERAL, "auto") else _none(0.0)
    found = drawn if trusted(drawn) else _as_seen(image, lit, family, central_luma)
    if trusted(found) or unlit is lit or _is_sharp_by(found, edges.BEYOND_DOUBT):
        return found
    again = found if _is_sharp_by(found, _LIKELY) else _as_seen(image, unlit, family, _without_lights)
    if not trusted(again) and family in (GENERAL, "auto"):
        again = _by_night(lit, unlit)
    return again if trusted(again) else found


def with_rolls(image: np.ndarray, found: Estimate) -> Estimate:
    """The estimate, or the `poses` of a camera that rolled where these explain a picture better than its PSF.

    An estimate that is certain gives way only to poses that are.

    image: as for `estimate`. found: what that found; a sharp picture and a family that is certain stay as they are.

    On pictures rotated by computer it gains several dB, but real motion, whose scene has depth and parts that move, can
    pass for a roll. So `estimate` does not ask for it by itself.
    """
    if is_sharp(found) or (trusted(found) and found.family != GENERAL):
        return found
    luma = central_luma(checked(image))
    poses = rolling.sought(luma)
    if poses is None:
        return found
    rolled, shifted = rolling.evidence(luma, [poses, found.psf])
    if rolled.score <= shifted.score:
        return found
    sure = free_form.sure(luma, poses, rolled.lead)
    roll = Estimate(None, poses.psf(0, 0), sure, GENERAL, noise=found.noise, poses=poses)
    return found if trusted(found) and not trusted(roll) else roll


def from_psf(image: np.ndarray, psf: np.ndarray, spec: PSFSpec | None = None) -> Estimate:
    """The estimate that a PSF ``(K, L)`` blurred an image, of confidence 1, with the noise and the light it then shows.

    image: as for `estimate`. spec: of the PSF, if it is one of the `PARAMETRIC` families; else it is of any form.
    """
    luma = central_luma(checked(image))
    seen = families.spectrum_of(luma)
    shown = whittle.fit_known(seen, power_spectrum.power_of(psf, seen)).noise
    if spec is None:
        return _in_its_values(luma, Estimate(None, psf, 1.0, GENERAL, noise=shown))
    values = [float(dict(spec.values)[name]) for name in PARAMETRIC[spec.family].names]
    found = Estimate(confidence=1.0, family=spec.family, noise=shown, **_specified(spec.family, values))
    return _in_its_values(luma, found)


def _without_lights(image: np.ndarray, times: int = 1) -> np.ndarray:
    """The luma of the middle of an image, so many times smaller, without lights; see `lights.without`."""
    return lights.without(central_luma(image, times))


def _as_seen(image: np.ndarray, luma: np.ndarray, family: str, seen: Callable[..., np.ndarray]) -> Estimate:
    """The estimate from what is seen of an image: its luma, which is `central_luma` or that without lights.

    seen: gives the same of the image so many times smaller.
    """
    found = _estimate(luma, family)
    if family != GENERAL and not is_sharp(found) and min(image.shape[:2]) >= _REDUCTIONS[0] * _REDUCIBLE:
        found = _of_sizes(image, found, family, seen)
        found = _refit(luma, found) if found.spec and trusted(found) else found
    return _in_its_values(luma, found)


def _in_its_values(luma: np.ndarray, found: Estimate) -> Estimate:
    """The estimate, if it is of a blur, with the values in which that was at work."""
    if found.family == "none" or found.is_linear or min(luma.shape) < SMALLEST_SIDE:
        return found
    fits = light.fits(luma, found.psf, found.family)
    return found if fits is None else replace(found, linear_noise=fits[1].noise)


def _estimate(luma: np.ndarray, family: str, seeks_free_form: bool = True) -> Estimate:
    """What blurred a picture, from its luma ``(H, W)``, at this size alone; of any form only where that is sought."""
    if min(luma.shape) < SMALLEST_SIDE or not np.isfinite(luma).all() or _shows_nothing(luma):
        return _none(0.0)
    if family == GENERAL:
        return _general(luma, families.search(luma))
    if family != "auto":
        return _named(family, families.search(luma))
    sharp = _none(edges.sharpness(luma))
    if sharp.confidence >= edges.BEYOND_DOUBT:
        return sharp
    search = families.search(luma)
    named = _explaining(luma, _named(search.best, search))
    if trusted(named):
        return _unrivalled(luma, search, named) if seeks_free_form else named
    if sharp.confidence >= _LIKELY:
        return sharp
    linear = _named_in_light(luma)
    if trusted(linear):
        return linear
    free = _general(luma, search) if seeks_free_form else _none(0.0)
    if trusted(free):
        return free
    if is_sharp(sharp):
        return sharp
    lower = (families.search(luma, highest) for highest in (families.LOW, families.MIDDLE))
    found = (sharp, named, linear, free, *(_explaining(luma, _named(each.best, each)) for each in lower))
    return max(found, key=lambda each: (trusted(each), each.confidence))


def _explaining(luma: np.ndarray, found: Estimate) -> Estimate:
    """The estimate of a picture's luma; of confidence 0 when it takes much of the picture for noise that is none."""
    taken = found.noise - noise.noise(luma[..., None]) ** 2
    return replace(found, confidence=0.0) if taken > _UNEXPLAINED * luma.var() else found


def _named_in_light(luma: np.ndarray) -> Estimate:
    """The likeliest family of blurs that was at work in linear light; of confidence 0 when none was."""
    search = families.search(light.decoded(luma))
    found = _named(search.best, search)
    fits = None if found.family == "none" else light.fits(luma, found.psf, found.family)
    return _none(0.0) if fits is None else replace(found, noise=fits[0].noise, linear_noise=found.noise)


def trusted(found: Estimate) -> bool:
    """Whether an estimate is good enough to restore with: a blur, with the confidence that `CONFIDENT` asks for.

    Leave the picture as it is when not; and when so, restore with the ratio of `noise_to_signal.noise_to_signal`.
    """
    return found.family != "none" and found.confidence >= CONFIDENT[found.family]


def is_sharp(found: Estimate) -> bool:
    """Whether an estimate says with confidence that there is nothing to restore."""
    return _is_sharp_by(found, CONFIDENT["none"])


def _is_sharp_by(found: Estimate, least: float) -> bool:
    """Whether an estimate says that there is nothing to restore, with such confidence at least."""
    return found.family == "none" and found.confidence >= least


def _of_sizes(image: np.ndarray, found: Estimate, family: str, seen: Callable[..., np.ndarray]) -> Estimate:
    """The best of the estimate found and those of the picture at smaller sizes, where large blurs are small."""
    for times in _REDUCTIONS:
        if min(image.shape[:2]) < times * _REDUCIBLE:
            break
        coarse = _estimate(seen(image, times), family, seeks_free_form=False)
        if trusted(coarse) and _is_better(coarse, found):
            found = _enlarged(coarse, times)
        if trusted(found) or is_sharp(coarse):
            break
    return found


def _is_better(coarse: Estimate, fine: Estimate) -> bool:
    """Whether a trusted estimate of a smaller picture is better than that of the picture itself."""
    if not trusted(fine):
        return True
    if fine.family == GENERAL and coarse.confidence < _BEYOND_DOUBT[coarse.family]:
        return False
    return psf_shape.extent(coarse.psf) > _SMALL


def _refit(luma: np.ndarray, found: Estimate) -> Estimate:
    """The estimate of a family fitted once more to the picture at its own size.

    The noise is that of the size at which it was found, if larger: what JPEG adds to low frequencies shows there.
    """
    values = light.decoded(luma) if found.is_linear else luma
    fit = families.refit(values, found.family, [value for _, value in found.parameters])
    if fit is None:
        return found
    noise = "linear_noise" if found.is_linear else "noise"
    larger = {noise: max(getattr(found, noise), fit.noise)}
    return replace(found, **larger, **_specified(found.family, fit.parameters))


def _enlarged(found: Estimate, times: int) -> Estimate:
    """The estimate for a picture so many times larger; white noise is stronger there by the square of that."""
    in_light = None if found.linear_noise is None else found.linear_noise * times**2
    noise = {"noise": found.noise * times**2, "linear_noise": in_light}
    size, *others = (value for _, value in found.parameters)
    return replace(found, **noise, **_specified(found.family, [times * size, *others]))


def _shows_nothing(luma: np.ndarray) -> bool:
    """Whether there is hardly more than noise on a slope, as in a clear sky."""
    slopes = np.zeros_like(luma)
    for axis, side in enumerate(luma.shape):
        ramp = np.linspace(-1, 1, side, dtype=np.float32)
        rise = luma.mean(axis=1 - axis) @ ramp / (ramp @ ramp) * ramp
        slopes += np.expand_dims(rise, 1 - axis)
    return float((luma - slopes).std()) < max(_FLAT, _BARELY * noise.noise(luma[..., None]))


def _named(name: str, search: Search) -> Estimate:
    """The estimate of a family; of confidence 0 when its blur is too small to be one, and then "none", or too large."""
    best = search.fits[name][0]
    if name == "none" or best.parameters[0] < PARAMETRIC[name].least:
        return _none(0.0)
    found = Estimate(
        confidence=confidence.confidence(name, search),
        family=name,
        noise=best.noise,
        **_specified(name, best.parameters),
    )
    return found if max(found.psf.shape) <= search.spectrum.side else replace(found, confidence=0.0)


def _specified(name: str, values: Sequence[float] | np.ndarray) -> dict[str, Any]:
    """The specification of a family with these values, its parameters and its PSF, as `Estimate` holds them."""
    spec = families.specification(name, values)
    parameters = tuple(pair for pair in spec.values if pair[0] in PARAMETRIC[name].names)
    return {"spec": spec, "parameters": parameters, "psf": spec.array()}


def _none(confidence: float) -> Estimate:
    return Estimate(None, np.ones((1, 1)), confidence, "none")


def _drawn(lit: np.ndarray, unlit: np.ndarray) -> Estimate:
    """The PSF that lights drew in a picture, and how well it explains that; of confidence 0 where there is none.

    lit, unlit: the luma with lights and without. None is looked for in a picture that shows nothing but lights, which
    may as well be letters.
    """
    if unlit is lit or min(lit.shape) < SMALLEST_SIDE or _shows_nothing(unlit):
        return _none(0.0)
    psf = streaks.psf(light.decoded(lit))
    return _none(0.0) if psf is None else _in_its_values(lit, _free(free_form.judged(lit, psf)))


def _by_night(lit: np.ndarray, unlit: np.ndarray) -> Estimate:
    """A PSF of any form of a photograph with lights, at work in linear light; of confidence 0 where there is none.

    lit, unlit: its luma with lights and without.
    """
    best = None if _shows_nothing(unlit) else night.find(lit, unlit)
    if best is None:
        return _none(0.0)
    return replace(_free(best.found), noise=best.noise, linear_noise=best.found.fit.noise)


def _unrivalled(luma: np.ndarray, search: Search, named: Estimate) -> Estimate:
    """The estimate of a family, unless it is not beyond doubt and a PSF of any form explains the picture better."""
    is_sure = named.confidence >= _BEYOND_DOUBT[named.family]
    free = _none(0.0) if is_sure else _general(luma, search, named.psf)
    return free if trusted(free) else named


def _general(luma: np.ndarray, search: Search, rival: np.ndarray | None = None) -> Estimate:
    """A PSF of any form, if it explains the picture better than a rival."""
    found = free_form.find(luma, search.spectrum, search.no_blur, rival)
    return _none(0.0) if found is None else _free(found)


def _free(found: free_form.Found) -> Estimate:
    return Estimate(None, found.psf, found.confidence, GENERAL, noise=found.fit.noise)
