"""How restoration does on ordinary photographs, beside the blurred picture and simpler means: a table of gains.

Each photograph is blurred by eight PSFs and by none, with a reflecting border, gets noise of 2/255, and is rounded to
8 bits. Methods are given the true PSF, one that is a little wrong, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from deblurcli.batch import finding
from deblurcli.blur import psf
from deblurcli.blur.model import blur
from deblurcli.choices import BLIND
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.errors import DeblurError
from deblurcli.estimation.noise_to_signal import NSR_SAFETY
from deblurcli.inference import models
from deblurcli.inference.cards import Card
from deblurcli.inference.restorer import LAYERS_REFINED, refiner, restorer
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.pictures.noise import measured_nsr, rounding_noise
from deblurcli.pictures.tiles import Progress
from deblurcli.pipeline.blind import Blind
from deblurcli.pipeline.correction import Refiner
from deblurcli.pipeline.restoration import Restoration
from deblurcli.pipeline.sources import Estimated, Finding, Given

PSFS = {
    "Gaussian 1": "gaussian:1", "Gaussian 2": "gaussian:2", "Gaussian 3": "gaussian:3",
    "motion 8, 40°": "motion:8,angle=40", "motion 15, 20°": "motion:15,angle=20",
    "defocus 2": "defocus:2", "defocus 4": "defocus:4", "trajectory 25": "trajectory:25,seed=7",
}  # fmt: skip
NONE, SHARP = "none", "sharp, dB"
BLURS: dict[str, str | None] = {**PSFS, NONE: None}
NOISE = 2 / 255
UNSHARP = tuple((sigma, amount) for sigma in (1.0, 2.0, 3.0) for amount in (0.5, 1.0, 2.0))
WRONG = {"length": 1.0, "angle": 5.0}  # what is added to a motion that is given wrongly

SHARPENING = "unsharp"
BEST = "unsharp masking, the best for each"

Gains = dict[str, dict[str | None, float]]
Method = Callable[[Picture, str | None], np.ndarray]  # from 8 bits and the specification of the PSF, None for none


class PhotographsError(DeblurError):
    """A comparison on photographs that cannot be made."""


def observed(sharp: np.ndarray, spec: str | None, noise: float, seed: int = 0) -> Picture:
    """A blurred picture as it comes from a file of 8 bits."""
    blurred = sharp if spec is None else blur(sharp, psf.parse(spec).array())
    noisy = blurred + np.float32(noise) * np.random.default_rng(seed).standard_normal(sharp.shape, np.float32)
    return Picture(images.from_float(noisy, np.uint8))


def unsharp(sigma: float, amount: float) -> Method:
    """Unsharp masking: the difference to a Gaussian blur of `sigma` pixels, times `amount`, added."""

    def sharpen(blurred: Picture, _: str | None) -> np.ndarray:
        image = images.to_float(blurred.pixels)
        return np.clip(image + np.float32(amount) * (image - cv2.GaussianBlur(image, (0, 0), sigma)), 0, 1)

    return sharpen


def with_psf(method: str, refiner: Refiner | None = None, wrong: bool = False) -> Method:
    """Deconvolution with the PSF, or with one a little wrong; where there is no blur, the picture stays as it is.

    With a refiner, either is adjusted to the picture, as ``wiener --refine`` does.
    """

    def restore(blurred: Picture, spec: str | None) -> np.ndarray:
        if spec is None:
            return images.to_float(blurred.pixels)
        given = psf.parse(spec)
        source = Uncertain(_mistaken(given), refiner is not None) if wrong else Given(given, refiner is not None)
        return _applied(Restoration(source, DeconvolutionOptions(), method, refiner), blurred)

    return restore


class _Once:
    """The PSF that a picture itself shows, found once however many methods ask for it in turn."""

    def __init__(self) -> None:
        self._last: tuple[Picture, Finding] | None = None

    def __call__(self, picture: Picture, key: str) -> Finding:
        if self._last is None or self._last[0] is not picture:
            self._last = picture, Estimated()(picture, key)
        return self._last[1]


_ESTIMATED = _Once()


def blind(refiner: Refiner | None = None, fallback: Callable[[Picture, Progress], Picture] | None = None) -> Method:
    """Deconvolution with the PSF that the picture itself shows, as ``wiener --psf auto`` and ``deblur``."""
    restoration = Restoration(_ESTIMATED, DeconvolutionOptions(), "wiener", refiner, fallback)
    return lambda blurred, _: _applied(restoration, blurred)


def network(name: str, ensemble: bool = False) -> Method:
    """A network that is given nothing but the picture, as ``deblur --model``."""
    restore = restorer(name, ensemble=ensemble)
    return lambda blurred, _: images.to_float(restore(blurred).pixels)


def _applied(restoration: Restoration, blurred: Picture) -> np.ndarray:
    return images.to_float(restoration(blurred, "").picture.pixels)


@dataclass(frozen=True)
class Uncertain:
    """A PSF that may be wrong, and is restored with as carefully as an estimate is; not so what the picture shows.

    adjusts: as of `Given`.
    """

    spec: psf.PSFSpec
    adjusts: bool = False

    def __call__(self, picture: Picture, key: str) -> Finding:
        """That PSF and the noise-to-signal ratio of `estimate` for it, or the one nearby that the picture shows."""
        found = Given(self.spec, self.adjusts)(picture, key)
        if found.note:
            return found
        ratio = NSR_SAFETY * measured_nsr(picture.pixels, rounding_noise(picture.pixels.dtype))
        return replace(found, nsr=ratio, is_estimated=True)


def _mistaken(spec: psf.PSFSpec) -> psf.PSFSpec:
    """The specification with each of `WRONG` that it has added to its value."""
    return psf.PSFSpec(
        spec.family,
        tuple((name, float(value) + WRONG[name] if name in WRONG else value) for name, value in spec.values),
    )


def of_model(model: models.Model) -> dict[str, Method]:
    """What a network is measured as, by name.

    One that restores blindly: as it is. One that corrects the Wiener filter: given the PSF, a wrong one, and none.
    """
    name, path = model.name, str(model.path)
    if model.card is None or model.card.get("layers", 1) == 1:
        return {name: network(path)}
    corrects = restorer(path, layers=LAYERS_REFINED)
    return {
        name: with_psf("wiener", corrects),
        f"{name}, wrong": with_psf("wiener", corrects, wrong=True),
        f"{name}, auto": blind(corrects),
    }


def others() -> dict[str, Callable[[], Method]]:
    """What networks are held against, by name, made when it is needed; ``deblur`` is the command as it comes."""
    sharpening = {f"unsharp {sigma:g}, {amount:g}": partial(unsharp, sigma, amount) for sigma, amount in UNSHARP}
    return {
        **sharpening,
        "wiener": partial(with_psf, "wiener"),
        "sparse": partial(with_psf, "sparse"),
        "wiener, wrong": partial(with_psf, "wiener", wrong=True),
        "wiener, auto": blind,
        "deblur": lambda: blind(refiner(), Blind(restorer(BLIND))),
        "photo, ensemble": partial(network, BLIND, ensemble=True),
    }


def chosen(names: Sequence[str]) -> dict[str, Method]:
    """Some of `others`; the name "unsharp" stands for all unsharp masking. PhotographsError for what is not there."""
    known = others()
    choices = [SHARPENING, *(name for name in known if not _is_unsharp(name))]
    for name in names:
        if name not in choices:
            raise PhotographsError(f"{name}: unknown; choose of {'; '.join(choices)}")
    return {name: make() for name, make in known.items() if (SHARPENING if _is_unsharp(name) else name) in names}


def pictures(folder: Path, count: int | None = None) -> list[Path]:
    """The pictures of a folder, or so many of them, taken evenly; PhotographsError when there are none."""
    names, _ = finding.find(folder)
    if not names:
        raise PhotographsError(f"{folder}: holds no pictures; name a folder of photographs")
    taken = np.linspace(0, len(names) - 1, min(count or len(names), len(names))).astype(int)
    return [folder / names[index] for index in taken]


def measured(files: Sequence[Path], chosen: dict[str, Method], noise: float = NOISE) -> Gains:
    """The mean PSNR in dB of every blur, and what every method adds to it: by blur, the method None for the former.

    Where there is no blur, methods that are given a wrong one are left out.
    """
    scores: dict[str, dict[str | None, list[float]]] = {}
    for index, file in enumerate(files):
        sharp = images.read(file)
        for name, spec in BLURS.items():
            blurred = observed(sharp, spec, noise, index)
            before = psnr(images.to_float(blurred.pixels), sharp)
            row = scores.setdefault(name, {})
            row.setdefault(None, []).append(before)
            for method, restore in chosen.items():
                if spec is not None or not method.endswith("wrong"):
                    row.setdefault(method, []).append(psnr(restore(blurred, spec), sharp) - before)
    return {name: {method: float(np.mean(values)) for method, values in row.items()} for name, row in scores.items()}


def left(files: Sequence[Path], chosen: dict[str, Method]) -> dict[str, float]:
    """How near each method leaves sharp photographs of 8 bits without noise: PSNR in dB of all together, may be inf."""
    errors = {
        name: np.mean([_error(restore, images.read_picture(file)) for file in files])
        for name, restore in chosen.items()
        if not name.endswith("wrong")
    }
    return {name: float(-10 * np.log10(error)) if error else float("inf") for name, error in errors.items()}


def _error(restore: Method, picture: Picture) -> float:
    return float(np.square(restore(picture, None) - images.to_float(picture.pixels), dtype=np.float64).mean())


def table(gains: Gains, kept: dict[str, float] | None = None) -> str:
    """The gains as a table in Markdown, a row for each method; of unsharp masking the best for each blur.

    kept: what `left` measured, for a last column.
    """
    sharpened = [method for method in _methods(gains) if _is_unsharp(method)]
    shown = {BEST: {name: max(row[method] for method in sharpened) for name, row in gains.items()}} if sharpened else {}
    for method in _methods(gains):
        if method not in sharpened:
            shown[method] = {name: row[method] for name, row in gains.items() if method in row}
    near = dict(kept or {})
    if left_sharp := [value for method, value in near.items() if _is_unsharp(method)]:
        near[BEST] = max(left_sharp)
    rows = {"*blurred, dB*": {name: f"{row[None]:.2f}" for name, row in gains.items()}}
    for title, cells in shown.items():
        rows[title] = {name: f"{gain:+.2f}" for name, gain in cells.items()}
        rows[title]["mean"] = f"{np.mean([cells[name] for name in PSFS]):+.2f}"
        rows[title][SHARP] = f"{near[title]:.1f}".replace("inf", "∞") if near.get(title) else ""
    heads = [*PSFS, "mean", NONE, SHARP]
    lines = [f"| {title} | " + " | ".join(row.get(head, "") for head in heads) + " |" for title, row in rows.items()]
    return "\n".join(["| gain in dB | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|", *lines])


def _methods(gains: Gains) -> list[str]:
    return [method for method in dict.fromkeys(name for row in gains.values() for name in row) if method]


def _is_unsharp(method: str | None) -> bool:
    return method is not None and method.startswith(SHARPENING)


def carded(gains: Gains, kept: dict[str, float], count: int) -> dict:
    """What was measured as a card holds it: PSNR of the blurred pictures, what each method adds to it, and `left`.

    What is infinite in the latter is None.
    """
    return {
        "pictures": count,
        "noise": "2/255, then 8 bits",
        "blurred_psnr": {blur: round(row[None], 6) for blur, row in gains.items()},
        "gain": {
            method: {blur: round(row[method], 6) for blur, row in gains.items() if method in row}
            for method in _methods(gains)
        },
        "sharp_psnr": {method: round(value, 6) if np.isfinite(value) else None for method, value in kept.items()},
    }


def of_cards(cards: Sequence[Card]) -> tuple[Gains, dict[str, float]]:
    """What cards hold, together, for `table`; PhotographsError where they are not of the same pictures."""
    held = [card["photographs"] for card in cards if "photographs" in card]
    if any(one["blurred_psnr"] != held[0]["blurred_psnr"] for one in held):
        raise PhotographsError("the cards were measured on different photographs; evaluate them anew on the same")
    gains: Gains = {name: {None: before} for name, before in (held[0]["blurred_psnr"] if held else {}).items()}
    kept: dict[str, float] = {}
    for one in held:
        kept |= {method: float("inf") if value is None else value for method, value in one["sharp_psnr"].items()}
        for method, cells in one["gain"].items():
            for name, gain in cells.items():
                gains[name][method] = gain
    return gains, kept
