"""How long it takes to find camera shake: ``python -m tests.bench.shake time``.

CPU seconds of ``estimate(image, "general")``, for photographs of 0.5 and of 12 megapixels. Each is a large training
photograph, mirrored as often as it takes and cut to size, shaken by a curved PSF, with noise of 1 %, in 8 bits. Set
OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1, so that threads that wait for each other do not count.
"""

from __future__ import annotations

import time

import numpy as np

from deblurcli.blur.model import blur
from deblurcli.estimation.estimate import estimate
from deblurcli.estimation.psf_shape import alike
from deblurcli.pictures import images
from tests.bench.estimation import curved
from tests.bench.shake import markdown
from tests.bench.shake.options import Options

SEED, NOISE = 2026, 0.01
SIZES = {0.5: ((612, 816), 20), 12: ((3000, 4000), 40)}  # by megapixels: height and width, and pixels of the PSF
PICTURES = ("n02013706_limpkin", "n04465501_tractor", "n03063599_coffee_mug", "n02403003_ox", "n01695060_Komodo_dragon")
HEADS = ("picture", "megapixels", "CPU seconds", "PSF", "side found", "PSF alike", "family", "confidence")


def main(options: Options) -> None:
    """Print the table and the medians."""
    rows, seconds = [], {}
    for name, megapixels in ((name, size) for size in SIZES for name in options.some(PICTURES)):
        random = np.random.default_rng([SEED, PICTURES.index(name)])
        size, extent = SIZES[megapixels]
        psf = curved(random, extent, extent)
        blurred = shaken(images.read(options.data / "natural" / "train" / f"{name}.jpg"), size, psf, random)
        begun = time.process_time()
        found = estimate(blurred, "general")
        taken = time.process_time() - begun
        seconds.setdefault(megapixels, []).append(taken)
        sides = f"{extent}", f"{max(found.psf.shape)}", f"{alike(psf, found.psf):.2f}"
        rows.append([name, f"{megapixels:g}", f"{taken:.2f}", *sides, found.family, f"{found.confidence:.3f}"])
    print(markdown.table(HEADS, rows) + "\n")
    for megapixels, taken in seconds.items():
        print(f"{megapixels:g} megapixels: median {np.median(taken):.2f} s, most {max(taken):.2f} s")


def shaken(sharp: np.ndarray, size: tuple[int, int], psf: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A picture continued by its mirror images to a size, blurred, with noise, in 8 bits."""
    height, width = (min(length, wanted) for length, wanted in zip(sharp.shape, size))
    cut = sharp[:height, :width]
    grown = np.pad(cut, ((0, size[0] - height), (0, size[1] - width), (0, 0)), mode="reflect")
    noisy = blur(grown, psf) + np.float32(NOISE) * random.standard_normal(grown.shape, np.float32)
    return images.from_float(noisy, np.uint8)
