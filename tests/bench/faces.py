"""Deconvolution and the network on the paper's test pictures: ``python -m tests.bench.faces DATA_HOME [COUNT]``.

DATA_HOME is scikit-learn's data folder, with Labeled Faces in the Wild. The paper's own kernels, 8 bits, no noise; the
deconvolutions are given the PSF, the network is not. Prints mean PSNR and SSIM, and milliseconds per picture with one
thread each.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import cv2
import numpy as np

from deblurcli.blur import psf
from deblurcli.blur.model import blur
from deblurcli.deconvolution.methods import METHODS
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.inference.restorer import restorer
from deblurcli.metrics import table
from deblurcli.pictures import images
from deblurcli.pictures.noise import rounding_noise
from training.data import sources

Restore = Callable[[np.ndarray, np.ndarray], np.ndarray]


def contestants() -> dict[str, Restore]:
    """Every method by its name, and the blurred picture itself."""
    settings, network = DeconvolutionOptions(least_noise=rounding_noise(np.uint8)), restorer("faces", workers=1)
    deconvolutions = {
        name: lambda image, array, method=method: method(image, array, settings) for name, method in METHODS.items()
    }
    return {"blurred": lambda image, _: image, **deconvolutions, "faces.onnx": lambda image, _: network.restore(image)}


def row(restore: Restore, sharp: np.ndarray, specs: list[str]) -> tuple[float, float, float]:
    """Mean PSNR, mean SSIM and milliseconds per picture."""
    scores, seconds = [], 0.0
    arrays = {spec: psf.parse(spec).array() for spec in set(specs)}
    for truth, spec in zip(sharp, specs):
        seen = images.to_float(images.from_float(blur(truth, arrays[spec]), np.uint8))
        begun = time.perf_counter()
        restored = restore(seen, arrays[spec])
        seconds += time.perf_counter() - begun
        saved = images.to_float(images.from_float(restored, np.uint8))
        scores.append((table.psnr(saved, truth), table.ssim(saved, truth)))
    return (*np.mean(scores, axis=0), 1000 * seconds / len(sharp))


def main(data_home: str, count: int | None = None) -> None:
    """Print a table in Markdown."""
    cv2.setNumThreads(1)
    pictures = sources.faces(data_home)
    sharp = pictures[sources.split(len(pictures))[1]][:count]
    sharp = np.stack([images.to_float(images.from_float(image, np.uint8)) for image in sharp])
    print(f"{len(sharp)} pictures\n\n| method | Gaussian | ms | motion | ms |\n|---|---|---|---|---|")
    for name, restore in contestants().items():
        cells = [row(restore, sharp, sources.protocol_psfs(kind, len(sharp))) for kind in ("gaussian", "motion")]
        print(f"| {name} | " + " | ".join(f"{p:.2f} / {s:.4f} | {ms:.1f}" for p, s, ms in cells) + " |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
