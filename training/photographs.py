"""How restoration does on ordinary photographs, beside the blurred picture and simpler means: a table of gains.

Each photograph is blurred by eight PSFs and by none, with a reflecting border, gets noise of 2/255, and is rounded to
8 bits. Methods are told the true PSF, one that is a little wrong, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from deblurcli import images, psf
from deblurcli.blur import blur
from deblurcli.deblur import LAYERS_REFINED, Restorer, restorer
from deblurcli.estimate import PRUDENCE
from deblurcli.images import Picture
from deblurcli.metrics import psnr
from deblurcli.noise import noise_to_signal, rounding_noise
from deblurcli.observed import Settings
from deblurcli.restoration import Estimated, Finding, Known, Restoration

PSFS = {
    "Gaussian 1": "gaussian:1", "Gaussian 2": "gaussian:2", "Gaussian 3": "gaussian:3",
    "motion 8, 40°": "motion:8,angle=40", "motion 15, 20°": "motion:15,angle=20",
    "defocus 2": "defocus:2", "defocus 4": "defocus:4", "trajectory 25": "trajectory:25,seed=7",
}  # fmt: skip
NONE = "none"
BLURS: dict[str, str | None] = {**PSFS, NONE: None}
NOISE = 2 / 255
UNSHARP = tuple((sigma, amount) for sigma in (1.0, 2.0, 3.0) for amount in (0.5, 1.0, 2.0))
WRONG = {"length": 1.0, "angle": 5.0}  # what is added to a motion that is told wrongly

Gains = dict[str, dict[str | None, float]]
Method = Callable[[Picture, str | None], np.ndarray]  # from 8 bits and the specification of the PSF, None for none


def observed(sharp: np.ndarray, spec: str | None, noise: float, seed: int = 0) -> Picture:
    """A blurred picture as it comes from a file of 8 bits."""
    blurred = sharp if spec is None else blur(sharp, psf.array(spec))
    noisy = blurred + np.float32(noise) * np.random.default_rng(seed).standard_normal(sharp.shape, np.float32)
    return Picture(images.from_float(noisy, np.uint8))


def unsharp(sigma: float, amount: float) -> Method:
    """Unsharp masking: the difference to a Gaussian blur of `sigma` pixels, times `amount`, added."""

    def sharpen(blurred: Picture, _: str | None) -> np.ndarray:
        image = images.to_float(blurred.pixels)
        return np.clip(image + np.float32(amount) * (image - cv2.GaussianBlur(image, (0, 0), sigma)), 0, 1)

    return sharpen


def told(method: str, refiner: Restorer | None = None, wrong: bool = False) -> Method:
    """Deconvolution with the PSF, or with one a little wrong; where there is no blur, the picture stays as it is."""

    def restore(blurred: Picture, spec: str | None) -> np.ndarray:
        if spec is None:
            return images.to_float(blurred.pixels)
        source = Doubtful(_mistaken(spec)) if wrong else Known(spec)
        return _applied(Restoration(source, Settings(), method, refiner), blurred)

    return restore


def blind(method: str, refiner: Restorer | None = None) -> Method:
    """Deconvolution with the PSF that the picture itself shows, as ``wiener --psf auto``."""
    return lambda blurred, _: _applied(Restoration(Estimated(), Settings(), method, refiner), blurred)


def network(name: str) -> Method:
    """A network that is told nothing, as ``deblur --model``."""
    restore = restorer(name)
    return lambda blurred, _: images.to_float(restore(blurred).pixels)


def _applied(restoration: Restoration, blurred: Picture) -> np.ndarray:
    return images.to_float(restoration(blurred, "")[0].pixels)


@dataclass(frozen=True)
class Doubtful:
    """A PSF that may be wrong, and is restored with as carefully as an estimate is."""

    spec: str

    def __call__(self, picture: Picture, key: str) -> Finding:
        """That PSF, and the noise-to-signal ratio of `estimate` for it."""
        ratio = PRUDENCE * noise_to_signal(picture.pixels, rounding_noise(picture.pixels.dtype))
        return Finding(psf.array(self.spec), {"psf": self.spec}, ratio, is_guess=True)


def _mistaken(spec: str) -> str:
    """The specification with each of `WRONG` that it has added to its value."""
    parsed = psf.parse(spec)
    values = tuple((name, value + WRONG[name] if name in WRONG else value) for name, value in parsed.values)
    return str(psf.Spec(parsed.family, values))


def methods(refine: str) -> dict[str, Method]:
    """What is compared, by name; `refine` is the name or file of a refining network."""
    refiner = restorer(refine, layers=LAYERS_REFINED)
    return {
        **{f"unsharp {sigma:g}, {amount:g}": unsharp(sigma, amount) for sigma, amount in UNSHARP},
        "faces": network("faces"),
        "wiener": told("wiener"),
        "sparse": told("sparse"),
        "refine": told("wiener", refiner),
        "wiener, wrong": told("wiener", wrong=True),
        "refine, wrong": told("wiener", refiner, wrong=True),
        "wiener, auto": blind("wiener"),
        "refine, auto": blind("wiener", refiner),
    }


def measured(files: Iterable[Path], chosen: dict[str, Method], noise: float = NOISE) -> Gains:
    """The mean PSNR in dB of every blur, and what every method adds to it: by blur, the method None for the former.

    Where there is no blur, methods that are told a wrong one are left out.
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


def table(gains: Gains) -> str:
    """The gains as a table in Markdown, a row for each method; of unsharp masking the best for each blur."""
    blurs = list(gains)
    rows = {"*blurred, dB*": {name: f"{gains[name][None]:.2f}" for name in blurs}}
    sharpened = {name: max(gain for method, gain in gains[name].items() if _is_unsharp(method)) for name in blurs}
    others = dict.fromkeys(method for name in blurs for method in gains[name] if method and not _is_unsharp(method))
    for title, cells in {
        "unsharp masking, the best for each": sharpened,
        **{method: {name: gains[name].get(method) for name in blurs} for method in others},
    }.items():
        rows[title] = {name: "" if value is None else f"{value:+.2f}" for name, value in cells.items()}
        rows[title]["mean"] = f"{np.mean([cells[name] for name in PSFS]):+.2f}"
    heads = [*PSFS, "mean", NONE]
    lines = [f"| {title} | " + " | ".join(row.get(head, "") for head in heads) + " |" for title, row in rows.items()]
    return "\n".join(["| gain in dB | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|", *lines])


def _is_unsharp(method: str | None) -> bool:
    return method is not None and method.startswith("unsharp")
