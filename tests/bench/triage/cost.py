"""How long `deblur` takes by what it does: ``python -m tests.bench.triage cost``, for the constants of `triage`.

CPU seconds of one photograph at two sizes, the smaller one mirrored to make the larger: moved, shaken, sharp, and
moved again with a network alone. Set OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from deblurcli.blur.blurrer import Blurrer
from deblurcli.blur.psf import parse
from deblurcli.choices import AUTO, BLIND
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.estimation.estimate import estimate
from deblurcli.inference.restorer import refiner, restorer
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.pipeline.restoration import restoration
from deblurcli.pipeline.sources import Finding
from tests.bench.shake import markdown
from tests.bench.shake.options import Options

SIZES = (1, 2, 4)  # times that the photograph stands beside and above itself
NOISE = 0.005
WAYS = {"undo": "motion:12,angle=37", "undo, free form": "trajectory:25,seed=3", "blindly": "", "leave": "box:1"}


def main(options: Options) -> None:
    """Print seconds by size, and what a line through them says: seconds for a picture, and for each megapixel."""
    photograph = images.read_picture(options.pictures("natural/val")[5]).pixels
    rows = []
    for way, spec in WAYS.items():
        found = [_seconds(_grown(photograph, times), spec) for times in SIZES]
        slope, start = np.polyfit([megapixels for megapixels, _ in found], [taken for _, taken in found], 1)
        cells = [f"{taken:.1f}" for _, taken in found]
        rows.append([way, *cells, f"{start:.1f}", f"{slope:.1f}"])
    sizes = [
        f"{_grown(photograph, times).shape[0] * _grown(photograph, times).shape[1] / 1e6:.2f} MP" for times in SIZES
    ]
    print(markdown.table(["what deblur does", *sizes, "s a picture", "s a megapixel"], rows))


def _grown(pixels: np.ndarray, times: int) -> np.ndarray:
    """A picture and its mirror images, so many times beside and above each other."""
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, (times - 1) * height), (0, (times - 1) * width), (0, 0)), mode="symmetric")


def _seconds(pixels: np.ndarray, spec: str) -> tuple[float, float]:
    """Megapixels, and CPU seconds of `deblur`."""
    picture = Blurrer(parse(spec or "gaussian:1"), NOISE if spec != "box:1" else 0)(Picture(pixels), "a").picture
    work = _work(blind=not spec)
    begun = time.process_time()
    work(picture)
    return pixels.shape[0] * pixels.shape[1] / 1e6, time.process_time() - begun


def _work(blind: bool) -> Callable[[Picture], object]:
    """What `deblur` does; where it is to be blind, the estimate, which then counts for nothing, and the network."""
    network = restorer(BLIND, workers=1)
    made = restoration(AUTO, DeconvolutionOptions(), "wiener", Path(), refiner=refiner(workers=1), blind=network)
    if not blind:
        return lambda picture: made(picture, "a")

    def uncertain(picture: Picture, key: str) -> Finding:
        estimate(picture.pixels)
        return Finding(None, {})

    alone = restoration(AUTO, DeconvolutionOptions(), "wiener", Path(), blind=network)
    return lambda picture: type(alone)(uncertain, alone.options, alone.method, None, alone.blind)(picture, "a")
