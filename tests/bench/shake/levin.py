"""The 32 pictures of Levin and others (2009) with real camera shake: ``python -m tests.bench.shake levin``.

Every PSNR is the largest over shifts of the restored picture, without a border of 23 pixels. The estimator is
measured alone: the PSF that it finds restores with the method `sparse`, at the noise-to-signal ratio (nsr) that
`noise_to_signal` gives for the estimate, and at 3e-3. Beside it the true PSF restores with the same two ratios, and
with the one that `wiener` measures by itself ("auto").

The error ratio is the squared error with the found PSF over that with the true PSF, the method and the nsr the same for
both; that of `deblur` is its error over that of the true PSF at the estimate's nsr.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deblurcli.blur import psf_files
from deblurcli.deconvolution import methods
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.estimation.estimate import Estimate, estimate
from deblurcli.estimation.noise_to_signal import noise_to_signal
from deblurcli.estimation.psf_shape import alike
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.pictures.noise import rounding_noise
from tests.bench.shake import markdown, tool
from tests.bench.shake.alignment import aligned_psnr
from tests.bench.shake.options import Options

FOLDER = "levin"
NSR = 3e-3
RATIOS = (2.0, 3.0)  # of errors, up to which an estimate counts as good

BLURRED, FOUND, FOUND_FIXED, TRUE, TRUE_FIXED, TRUE_AUTO, DEBLUR = (
    "blurred", "found", f"found, {NSR:g}", "true", f"true, {NSR:g}", "true, auto", "deblur",
)  # fmt: skip
COLUMNS = (BLURRED, FOUND, FOUND_FIXED, TRUE, TRUE_FIXED, TRUE_AUTO, DEBLUR)
COMPARED = {FOUND: TRUE, FOUND_FIXED: TRUE_FIXED, DEBLUR: TRUE}  # what each error ratio is relative to


@dataclass(frozen=True)
class Trial:
    """One picture: PSNR in dB by column, the correlation of the found PSF with the true one, and what the tool said."""

    name: str
    scores: dict[str, float]
    alike: float
    found: Estimate
    restored: tool.Restored

    def ratio(self, column: str) -> float:
        """The error ratio of a column of `COMPARED`."""
        return 10 ** ((self.scores[COMPARED[column]] - self.scores[column]) / 10)


def main(options: Options) -> None:
    """Print the table and the summary."""
    files = {path.stem: path for path in options.pictures(FOLDER)}
    restored = tool.deblurred(files)
    trials = [_trial(path, restored[name]) for name, path in files.items()]
    heads = ["picture", *COLUMNS, *(f"ratio {name}" for name in COMPARED), "PSF alike", "size", *tool.TOLD]
    print(markdown.table(heads, [_cells(trial) for trial in trials]) + "\n\n" + _summary(trials))


def _trial(path: Path, restored: tool.Restored) -> Trial:
    """Measure one picture, named im1_kernel1_img.png or the like."""
    image, kernel, _ = path.stem.split("_")
    blurred, sharp = images.read_picture(path), images.read(path.parent / "truth" / f"{image}.png")
    true = psf_files.from_file(str(path.parent / "truth" / f"{kernel}.png"))
    found = estimate(blurred.pixels, "general")
    nsr = noise_to_signal(blurred.pixels, found, rounding_noise(blurred.pixels.dtype))
    pictures = {
        BLURRED: blurred.pixels,
        FOUND: _sparse(blurred, found.psf, nsr),
        FOUND_FIXED: _sparse(blurred, found.psf, NSR),
        TRUE: _sparse(blurred, true, nsr),
        TRUE_FIXED: _sparse(blurred, true, NSR),
        TRUE_AUTO: _sparse(blurred, true, None),
        DEBLUR: restored.pixels,
    }
    scores = {name: aligned_psnr(pixels, sharp) for name, pixels in pictures.items()}
    return Trial(f"{image} {kernel}", scores, alike(true, found.psf), found, restored)


def _sparse(blurred: Picture, psf: np.ndarray, nsr: float | None) -> np.ndarray:
    return methods.restore(blurred, psf, DeconvolutionOptions(nsr=nsr), "sparse").pixels


def _cells(trial: Trial) -> list[str]:
    scores = [markdown.decibels(trial.scores[name]) for name in COLUMNS]
    ratios = [f"{trial.ratio(name):.2f}" for name in COMPARED]
    size = f"{max(trial.found.psf.shape)}"
    return [trial.name, *scores, *ratios, f"{trial.alike:.2f}", size, *trial.restored.told]


def _summary(trials: list[Trial]) -> str:
    """Means, and how many estimates are good and how many pictures were made worse."""
    means = [markdown.decibels(float(np.mean([trial.scores[name] for trial in trials]))) for name in COLUMNS]
    lines = [markdown.table(["mean PSNR", *COLUMNS], [[f"{len(trials)} pictures", *means]]), ""]
    heads = ["", *(f"error ratio ≤ {most:g}" for most in RATIOS), "median ratio", "worse than blurred", "worst gain"]
    return "\n".join([*lines, markdown.table(heads, [_judged(trials, name) for name in COMPARED])])


def _judged(trials: list[Trial], column: str) -> list[str]:
    ratios = np.array([trial.ratio(column) for trial in trials])
    gains = np.array([trial.scores[column] - trial.scores[BLURRED] for trial in trials])
    good = [markdown.share(ratios <= most) for most in RATIOS]
    return [column, *good, f"{np.median(ratios):.2f}", markdown.share(gains < 0), markdown.gain(gains.min())]
