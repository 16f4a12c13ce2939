"""Deconvolution with a known PSF beside scikit-image's: ``python -m tests.bench.deconvolution FOLDER``.

FOLDER holds sharp pictures; ``--count`` limits how many are taken, evenly, and ``--noise`` to one strength. Each is
blurred by eight PSFs with a reflecting border, gets noise of two strengths, is rounded to 8 bits, and is restored by
every method. scikit-image's work channel by channel on the plain picture and on one padded by reflection, in float64
as its users have it, and with the setting out of SETTINGS that is best on the mean of all pictures and PSFs at that
noise. Prints the mean gain over the blurred picture in dB, and the milliseconds per picture, one thread each.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import skimage.restoration

from deblurcli.batch import finding
from deblurcli.blur import psf
from deblurcli.blur.model import blur
from deblurcli.deconvolution.methods import METHODS
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images
from deblurcli.pictures.noise import rounding_noise
from training.evaluation.photographs import PSFS

NOISES = (0.005, 0.02)
SETTINGS = {"wiener": (0.01, 0.03), "richardson_lucy": (10, 30), "unsupervised_wiener": (None,)}
SLOW = ("unsupervised_wiener", "richardson_lucy|")  # of scikit-image's, far behind where the picture is not padded
SLOW_EVERY = 10  # of the pictures, one in so many is given to them

Restore = Callable[[np.ndarray, np.ndarray], np.ndarray]


def ours(method: str) -> Restore:
    """A method of the tool."""
    return lambda image, array: METHODS[method](
        image, array, DeconvolutionOptions(least_noise=rounding_noise(np.uint8))
    )


def theirs(function: str, setting: float | None) -> Restore:
    """A function of scikit-image with a setting, on every channel."""
    call = getattr(skimage.restoration, function)

    def restore(image: np.ndarray, array: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            planes = np.moveaxis(image.astype(np.float64), 2, 0)
            if function == "unsupervised_wiener":
                return np.dstack([call(plane, array, rng=0)[0] for plane in planes])
            return np.dstack([call(plane, array, setting) for plane in planes])

    return restore


def padded(restore: Restore, image: np.ndarray, array: np.ndarray) -> np.ndarray:
    """A method on a picture padded by reflection, cut to size again."""
    rows, columns = (2 * side for side in array.shape)
    grown = np.pad(image, [(rows, rows), (columns, columns), (0, 0)], mode="reflect")
    return restore(grown, array)[rows:-rows, columns:-columns]


def contestants() -> dict[str, Restore]:
    """Every method by the name it has in the table."""
    found = {method: ours(method) for method in METHODS}
    for function, settings in SETTINGS.items():
        for setting in settings:
            plain = theirs(function, setting)
            found[f"{function}|{setting}"] = plain
            found[f"{function}, padded|{setting}"] = partial(padded, plain)
    return found


def observed(sharp: np.ndarray, array: np.ndarray, noise: float) -> np.ndarray:
    """A blurred picture as it comes from a file of 8 bits."""
    noisy = blur(sharp, array) + np.random.default_rng(0).normal(0, noise, sharp.shape).astype(np.float32)
    return images.to_float(images.from_float(noisy, np.uint8))


def measured(pictures: list[np.ndarray], noise: float) -> tuple[dict, dict]:
    """Gains by (method, PSF), and seconds by method."""
    gains, seconds = defaultdict(list), defaultdict(list)
    for name, spec in PSFS.items():
        array = psf.parse(spec).array()
        for index, sharp in enumerate(pictures):
            seen = observed(sharp, array, noise)
            before = psnr(seen, sharp)
            gains["blurred", name].append(before)
            for method, restore in contestants().items():
                if method.startswith(SLOW) and index % SLOW_EVERY:
                    continue
                begun = time.perf_counter()
                restored = restore(seen, array)
                seconds[method].append(time.perf_counter() - begun)
                gains[method, name].append(psnr(np.clip(restored, 0, 1).astype(np.float32), sharp) - before)
        print(f"  {name} done", file=sys.stderr, flush=True)
    return gains, seconds


def report(gains: dict, seconds: dict, noise: float) -> None:
    """Print a table in Markdown; of scikit-image's settings the best of each function."""
    mean = {method: np.mean([np.mean(gains[method, name]) for name in PSFS]) for method in seconds}
    best: dict[str, str] = {}
    for method in seconds:
        function = method.partition("|")[0]
        if function not in best or mean[method] > mean[best[function]]:
            best[function] = method
    print(f"\nNoise {noise:.1%}; gain in dB over the blurred picture\n")
    print("| method | " + " | ".join(PSFS) + " | mean | ms |\n|---" * 1 + "|---" * (len(PSFS) + 2) + "|")
    print("| *blurred, dB* | " + " | ".join(f"{np.mean(gains['blurred', name]):.2f}" for name in PSFS) + " | | |")
    for function, method in best.items():
        shown = function if function in METHODS else f"scikit-image {method.replace('|', ', ').removesuffix(', None')}"
        cells = " | ".join(f"{np.mean(gains[method, name]):+.2f}" for name in PSFS)
        print(f"| {shown} | {cells} | {mean[method]:+.2f} | {1000 * np.mean(seconds[method]):.0f} |")


def main(folder: Path, count: int | None, noises: list[float]) -> None:
    """Print a table for each noise."""
    cv2.setNumThreads(1)
    names, _ = finding.find(folder)
    chosen = names if count is None else [names[i] for i in np.linspace(0, len(names) - 1, count).astype(int)]
    pictures = [images.read(folder / name) for name in chosen]
    print(f"{len(pictures)} pictures")
    for noise in noises:
        report(*measured(pictures, noise), noise)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int)
    parser.add_argument("--noise", type=float, nargs="*", default=NOISES)
    arguments = parser.parse_args()
    main(arguments.folder, arguments.count, arguments.noise)
