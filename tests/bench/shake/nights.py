"""Photographs made nights, with lights, and shaken: ``python -m tests.bench.shake nights``.

The 100 validation photographs of BSDS500, darkened in linear light, with 2 to 24 round lights of up to 150 times white.
Each is blurred in light along a random path of 12 to 60 pixels, clipped, gets noise of 0.5 % and is rounded to 8 bits.
The same nights without shake tell whether a sharp one stays as it is.

PSNR is the largest over shifts, without a border of 23 pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deblurcli.blur.model import blur
from deblurcli.blur.psf import parse
from deblurcli.blur.varying import GAMMA
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images
from tests.bench.shake import markdown, tool
from tests.bench.shake.alignment import aligned_psnr
from tests.bench.shake.options import Options

PHOTOGRAPHS, SEED, NOISE = "natural/val", 2026, 0.005
CONTRAST, EXPOSURE = (1, 1.6), (0.03, 0.4)  # the power and the factor by which light is made less
LIGHTS, BRIGHTEST, RADIUS = (2, 25), 5, (0.5, 3)  # how many, the logarithm of the brightest, and pixels
LENGTH = 12, 60  # pixels, of the path
KEPT = 50  # dB, from which on a picture is left as it was
HEADS = ("path", "blurred", "deblur", "gain", "sharp night")


@dataclass(frozen=True)
class Night:
    """A night: sharp and shaken, 8 bits, and how long the path was."""

    sharp: np.ndarray
    shaken: np.ndarray
    length: float


def main(options: Options) -> None:
    """Print the table and the summary."""
    found = {path.stem: night(images.read(path), index) for index, path in enumerate(options.pictures(PHOTOGRAPHS))}
    restored = tool.deblurred({name: each.shaken for name, each in found.items()})
    unshaken = tool.deblurred({name: each.sharp for name, each in found.items()})
    rows, gains, kept = [], [], []
    for name, each in found.items():
        before, after = (aligned_psnr(made, each.sharp) for made in (each.shaken, restored[name].pixels))
        same = psnr(unshaken[name].pixels, each.sharp)
        cells = markdown.decibels(before), markdown.decibels(after), markdown.gain(after - before)
        rows.append([name, f"{each.length:.0f} px", *cells, markdown.decibels(same), *restored[name].told])
        gains.append(after - before)
        kept.append(same >= KEPT)
    print(markdown.table(["picture", *HEADS, *tool.TOLD], rows))
    changes = np.array(gains)
    print(f"\nmean gain {markdown.gain(changes.mean())} dB; gained 0.3 dB: {markdown.share(changes > 0.3)}", end="")
    print(f"; lost 0.1 dB: {markdown.share(changes < -0.1)}, worst {markdown.gain(changes.min())} dB", end="")
    print(f"; nothing done: {markdown.share(changes == 0)}; sharp nights at {KEPT} dB: {markdown.share(kept)}")


def night(photograph: np.ndarray, number: int) -> Night:
    """A photograph ``(H, W, 3)`` in [0, 1] made a night; the same number, the same night."""
    random = np.random.default_rng([SEED, number])
    scene = lit(photograph, random)
    length = float(np.exp(random.uniform(*np.log(LENGTH))))
    path = parse(f"trajectory:{length:.1f},seed={random.integers(10**6)}").array()
    brightest = float(scene.max())
    shaken = blur((scene / brightest).astype(np.float32), path) * brightest
    return Night(_taken(scene, random), _taken(shaken, random), length)


def lit(photograph: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The light of a photograph ``(H, W, 3)`` by night, where 1 is white, with lights far beyond that."""
    scene = photograph ** (GAMMA * random.uniform(*CONTRAST)) * random.uniform(*EXPOSURE)
    down, across = np.indices(scene.shape[:2])
    for _ in range(int(random.integers(*LIGHTS))):
        top, left = (random.integers(length) for length in scene.shape[:2])
        cover = np.clip(random.uniform(*RADIUS) + 0.5 - np.hypot(down - top, across - left), 0, 1)
        scene += cover[..., None] * np.exp(random.uniform(0, BRIGHTEST)) * (0.6 + 0.4 * random.random(3))
    return scene


def _taken(scene: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The picture of a scene, 8 bits."""
    values = np.clip(scene, 0, 1) ** (1 / GAMMA) + NOISE * random.standard_normal(scene.shape)
    return images.from_float(values.astype(np.float32), np.uint8)
