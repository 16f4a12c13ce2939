"""Pictures whose blur is known, because we blurred them.

The 100 validation photographs of BSDS500 and the photographs of scikit-image, none of which a network was trained on.
Each is taken once as it is, and twice blurred, the blurs of `BLURS` by turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deblurcli.blur.blurrer import Blurrer
from deblurcli.blur.psf import parse
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from tests.bench.shake import sharp
from tests.bench.shake.options import Options

SHARP = "sharp"
# Of scikit-image's pictures the photographs, at their own sharpness; the others are drawings, or seen by instruments.
PHOTOGRAPHS = ("astronaut", "brick", "camera", "cat", "coffee", "coins", "grass", "gravel", "rocket")
# The specifications of each class; a trajectory's form comes from its seed.
BLURS = {
    "gaussian": ("gaussian:0.7", "gaussian:1", "gaussian:1.5", "gaussian:2", "gaussian:3"),
    "motion": ("motion:6,angle={angle}", "motion:12,angle={angle}", "motion:20,angle={angle}"),
    "defocus": ("defocus:2", "defocus:4", "defocus:6"),
    "shake": ("trajectory:15,seed={seed}", "trajectory:25,seed={seed}", "trajectory:35,seed={seed}"),
}
CLASSES = (SHARP, *BLURS)
NOISES = (0.0, 0.005, 0.01, 0.02)  # standard deviation, on the scale [0, 1]
QUALITIES = (None, None, 95, 85)  # of JPEG after the blur


@dataclass(frozen=True)
class Labelled:
    """A picture, its class, the specification of its blur, and what else was done to it."""

    name: str
    label: str
    spec: str
    noise: float
    quality: int | None
    picture: Picture


def pictures(options: Options) -> Iterator[Labelled]:
    """All labelled pictures, one after the other, always the same ones."""
    sources = {path.stem: path for path in options.pictures("natural/val")}
    own = {name: sharp._sample(name) for name in options.some(PHOTOGRAPHS)}
    turns = [(label, spec) for specs in zip(*map(_repeated, BLURS.values())) for label, spec in zip(BLURS, specs)]
    for index, (name, source) in enumerate({**sources, **own}.items()):
        pixels = source if isinstance(source, np.ndarray) else images.read_picture(source).pixels
        noise, quality = NOISES[index // 2 % len(NOISES)], QUALITIES[index // 8 % len(QUALITIES)]
        blurs = [turns[(2 * index + part) % len(turns)] for part in range(2)]
        for label, template in ((SHARP, ""), *blurs):
            spec = template.format(angle=37 * index % 180, seed=index)
            yield Labelled(f"{name}-{label}", label, spec, noise, quality, _made(Picture(pixels), spec, noise, quality))


def _repeated(specs: tuple[str, ...], times: int = 15) -> list[str]:
    """Specifications over and over."""
    return [specs[index % len(specs)] for index in range(times)]


def _made(picture: Picture, spec: str, noise: float, quality: int | None) -> Picture:
    """A picture with its blur, noise and compression."""
    return Blurrer(parse(spec or "box:1"), noise, quality)(picture, spec).picture
