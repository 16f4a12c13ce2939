"""How well PSFs are found from pictures alone: ``python -m tests.bench.estimation FOLDER``.

FOLDER holds sharp pictures. They are blurred at random, with noise of 1% and rounding to 8 bits: 200 times by
motion of 5 to 25 pixels at any angle, 100 times by a Gaussian of sigma 1 to 4, 100 times by defocus of radius 2 to
8, 40 times by a curved PSF, and 40 times not at all. Printed are the errors of each family; how well confidence
tells right estimates from wrong ones; and what restoring with the trusted ones does, as ``wiener --psf auto`` would.
A second round, of 200 harder pictures, has noise of 0 to 5%, pieces of 64 to 220 pixels, and JPEG after the blur.
A third has large blurs: 60 pictures, mirrored to four times their area, at most 1200 × 900, blurred by motion of 40 to
90 pixels, a Gaussian of sigma 5 to 10, defocus of radius 10 to 25, a curved PSF of 30 to 60 pixels, or not at all;
noise of 1%.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.stats import rankdata

from deblurcli.blur import families
from deblurcli.blur import psf as psfs
from deblurcli.blur.model import blur
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.estimation.estimate import Estimate, estimate, trusted
from deblurcli.estimation.psf_shape import alike
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.pipeline.restoration import Restoration
from deblurcli.pipeline.sources import guessed

SEED = 2026
NOISE = 0.01
TRIALS = {"motion": 200, "gaussian": 100, "defocus": 100, "curved": 40, "none": 40}
HARD = 200
TOLERANCE = {"motion": (2.0, 6.0), "gaussian": (0.4,), "defocus": (0.4,)}
LARGE_EACH = 12
LARGEST = 900, 1200  # pixels down and across, of mirrored pictures
ALIKE = 0.8  # correlation from which a general PSF is right


def curved(random: np.random.Generator, shortest: float = 8, longest: float = 22) -> np.ndarray:
    """The PSF of a shaken camera: a smooth random path across so many pixels."""
    steps = np.cumsum(random.normal(0, 1, (5, 2)), axis=0)
    path = np.stack([np.interp(np.linspace(0, 4, 500), range(5), axis) for axis in steps.T], 1)
    smooth = np.stack([np.convolve(axis, np.ones(101) / 101, "valid") for axis in path.T], 1)
    smooth = (smooth - smooth.min(axis=0)) * random.uniform(shortest, longest) / np.ptp(smooth, axis=0).max() + 1
    corner, share = np.floor(smooth).astype(int), smooth % 1
    psf = np.zeros(2 * (int(longest) + 4,))
    for down in (0, 1):
        for right in (0, 1):
            weight = np.abs(1 - down - share[:, 0]) * np.abs(1 - right - share[:, 1])
            np.add.at(psf, (corner[:, 0] + down, corner[:, 1] + right), weight)
    return families.centred(psf / psf.sum())


Draw = dict[str, Callable[[np.random.Generator], tuple[tuple[float, ...], np.ndarray | None]]]
DRAW: Draw = {
    "motion": lambda random: ((random.uniform(5, 25), random.uniform(0, 180)), None),
    "gaussian": lambda random: ((random.uniform(1, 4),), None),
    "defocus": lambda random: ((random.uniform(2, 8),), None),
    "curved": lambda random: ((), curved(random)),
    "none": lambda random: ((), np.ones((1, 1))),
}
LARGE: Draw = {
    "motion": lambda random: ((random.uniform(40, 90), random.uniform(0, 180)), None),
    "gaussian": lambda random: ((random.uniform(5, 10),), None),
    "defocus": lambda random: ((random.uniform(10, 25),), None),
    "curved": lambda random: ((), curved(random, 30, 60)),
    "none": DRAW["none"],
}


@dataclass(frozen=True)
class Trial:
    """One blurred picture and what was found; the gain is in dB over the blurred one, 0 where it was left alone."""

    family: str
    truth: tuple[float, ...]
    found: Estimate
    alike: float
    gain: float
    seconds: float

    @property
    def errors(self) -> tuple[float, ...]:
        """Of the parameters; infinite when the family is another."""
        if self.found.family != self.family:
            return (np.inf,) * len(self.truth)
        errors = [abs(value - truth) for (_, value), truth in zip(self.found.parameters, self.truth)]
        return (errors[0], abs((errors[1] + 90) % 180 - 90)) if self.family == "motion" else tuple(errors)

    @property
    def right(self) -> bool:
        """Whether the family and its parameters are right, or the general PSF resembles the true one."""
        if self.found.family == "general":
            return self.alike >= ALIKE
        if self.family in TOLERANCE:
            return all(error <= most for error, most in zip(self.errors, TOLERANCE[self.family]))
        return self.found.family == self.family


def run(
    sharp: np.ndarray, family: str, random: np.random.Generator, noise: float, quality: int | None, draw: Draw = DRAW
) -> Trial:
    """Blur a picture at random, find the PSF, and restore with it."""
    truth, psf = draw[family](random)
    psf = psfs.PSFS[family].make(*truth) if psf is None else psf
    noisy = blur(sharp, psf) + random.normal(0, noise, sharp.shape)
    blurred = images.from_float(noisy.astype(np.float32), np.uint8)
    if quality is not None:
        blurred = _through_opencv_s_jpeg(blurred, quality)
    begun = time.perf_counter()
    found = estimate(blurred)
    seconds = time.perf_counter() - begun
    return Trial(family, truth, found, alike(psf, found.psf), gain(blurred, sharp, found), seconds)


def _through_opencv_s_jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    """As OpenCV compresses by default, its colours at half the size."""
    decoded = cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded


def gain(blurred: np.ndarray, sharp: np.ndarray, found: Estimate) -> float:
    """What restoring brings, in dB; nothing where the picture is left as it was."""
    picture = Picture(blurred)
    work = Restoration(lambda *_: guessed(picture, found), DeconvolutionOptions(), "wiener")
    restored = work(picture, "").picture
    scores = [psnr(images.to_float(each.pixels), sharp) for each in (restored, picture)]
    return 0.0 if restored is picture else scores[0] - scores[1]


def plain(files: list[Path], random: np.random.Generator) -> list[Trial]:
    """The acceptance round: whole pictures, noise of 1%."""
    families = [family for family, count in TRIALS.items() for _ in range(count)]
    return [run(images.read(files[random.choice(len(files))]), family, random, NOISE, None) for family in families]


def hard(files: list[Path], random: np.random.Generator) -> list[Trial]:
    """The harder round."""
    return [_hard(images.read(files[random.choice(len(files))]), random) for _ in range(HARD)]


def _hard(sharp: np.ndarray, random: np.random.Generator) -> Trial:
    if random.random() < 0.3:
        side = random.integers(64, 220)
        top, left = (random.integers(0, length - side + 1) for length in sharp.shape[:2])
        sharp = sharp[top : top + side, left : left + side]
    quality = int(random.integers(60, 97)) if random.random() < 0.3 else None
    return run(sharp, random.choice(list(DRAW)), random, random.choice([0, 0.003, 0.01, 0.02, 0.05]), quality)


def large(files: list[Path], _: np.random.Generator) -> list[Trial]:
    """The round of large blurs, the same ones whatever went before."""
    random = np.random.default_rng(SEED)
    return [
        run(_mirrored(images.read(files[random.choice(len(files))])), family, random, NOISE, None, LARGE)
        for _ in range(LARGE_EACH)
        for family in LARGE
    ]


def _mirrored(sharp: np.ndarray) -> np.ndarray:
    height, width = sharp.shape[:2]
    four = np.pad(sharp, ((0, height - 1), (0, width - 1), (0, 0)), mode="reflect")
    return np.ascontiguousarray(four[: LARGEST[0], : LARGEST[1]])


def separation(trials: list[Trial]) -> float:
    """Area under the curve: the chance that a right estimate has more confidence than a wrong one."""
    right = np.array([trial.right for trial in trials])
    if right.all() or not right.any():
        return float("nan")
    ranks = rankdata([trial.found.confidence for trial in trials])
    count = right.sum()
    return float((ranks[right].sum() - count * (count + 1) / 2) / (count * (~right).sum()))


def summary(trials: list[Trial]) -> None:
    """Print the figures of a round."""
    for family in DRAW:
        some = [trial for trial in trials if trial.family == family]
        kept = [trial for trial in some if trusted(trial.found)]
        right = np.mean([trial.right for trial in some])
        print(f"{family}: {len(some)} pictures, right {right:.1%}, trusted {len(kept)}", end="")
        if family in TOLERANCE:
            errors = np.array([trial.errors for trial in some])
            print(f", median error {np.median(errors, axis=0).round(3)}", end="")
        if family == "curved":
            print(f", median correlation {np.median([trial.alike for trial in some]):.2f}", end="")
        print()
    wrong = sum(not trial.right for trial in trials)
    print(f"confidence: area under the curve {separation(trials):.3f} ({wrong} wrong of {len(trials)})")
    gains = np.array([trial.gain for trial in trials if trial.gain])
    print(
        f"restored: {len(gains)} pictures, {(gains > 0).mean():.1%} improved, median {np.median(gains):+.2f} dB, ",
        end="",
    )
    print(f"worst {gains.min():+.2f} dB, {(gains < -0.5).sum()} lost more than 0.5 dB")
    print(f"seconds per picture: median {np.median([trial.seconds for trial in trials]):.2f}")


def main(folder: Path) -> None:
    """Print all rounds."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in images.SUFFIXES)
    random = np.random.default_rng(SEED)
    for name, rounds in (("noise of 1%", plain), ("harder", hard), ("large blurs", large)):
        print(f"— {name}")
        summary(rounds(files, random))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
