"""What is sharp should stay as it is: ``python -m tests.bench.shake sharp``.

`deblur` gets the 100 validation photographs of BSDS500, the pictures that scikit-image brings along, 200 of the
paper's test faces as scikit-learn cuts them, and 20 drawings and screenshots; `--first` takes so many of each. The
score is PSNR of the output against the input, ∞ where they are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import skimage.data

from deblurcli.metrics.table import psnr
from deblurcli.pictures import images
from tests.bench.drawings import DRAWINGS
from tests.bench.shake import markdown, tool
from tests.bench.shake.options import Options
from training.data import sources

UNTOUCHED = 50.0  # dB: from here on nobody sees a difference
FACES = 200
# What scikit-image has on disk once installed. All others it downloads, or they are masks or sequences.
BUNDLED = (
    "astronaut", "brick", "camera", "cat", "cell", "clock", "coffee", "coins", "colorwheel", "grass", "gravel",
    "hubble_deep_field", "immunohistochemistry", "logo", "moon", "page", "retina", "rocket", "text",
)  # fmt: skip
BLURRED = ("clock",)  # of these, pictures that are not sharp: they are shown, but do not count

Pictures = Mapping[str, Path | np.ndarray]


def photographs(options: Options) -> Pictures:
    """The validation photographs, by name."""
    return {path.stem: path for path in options.pictures("natural/val")}


def samples(options: Options) -> Pictures:
    """Pictures of scikit-image, by name."""
    return {name: _sample(name) for name in options.some(BUNDLED)}


def _sample(name: str) -> np.ndarray:
    pixels = getattr(skimage.data, name)()
    return np.ascontiguousarray(np.atleast_3d(pixels)[..., :3])


def faces(options: Options) -> Pictures:
    """Test faces at the size at which scikit-learn cuts them, by their index."""
    whole = sources._lfw(options.data_home or options.data)
    chosen = options.some(sources.split(len(whole))[1][:FACES].tolist())
    return {f"face-{index:04d}": images.from_float(whole[index], np.uint8) for index in chosen}


def drawn(options: Options) -> Pictures:
    """Drawings and screenshots, by name."""
    return {name: DRAWINGS[name]() for name in options.some(list(DRAWINGS))}


GROUPS: dict[str, Callable[[Options], Pictures]] = {
    "photographs": photographs,
    "scikit-image": samples,
    "faces": faces,
    "drawings": drawn,
}


def main(options: Options) -> None:
    """Print the table and the summary of each group."""
    rows, summary = [], []
    for group, pictures in ((name, find(options)) for name, find in GROUPS.items()):
        restored = tool.deblurred(pictures)
        scores = {name: psnr(restored[name].pixels, _pixels(picture)) for name, picture in pictures.items()}
        rows += [[group, name, markdown.decibels(score), *restored[name].told] for name, score in scores.items()]
        summary.append(_summary(group, {name: score for name, score in scores.items() if name not in BLURRED}))
    print(markdown.table(["group", "picture", "PSNR", *tool.TOLD], rows) + "\n")
    print(markdown.table(["group", f"≥ {UNTOUCHED:g} dB", "unchanged", "worst", "its PSNR"], summary))


def _pixels(picture: Path | np.ndarray) -> np.ndarray:
    return images.read_picture(picture).pixels if isinstance(picture, Path) else picture


def _summary(group: str, scores: dict[str, float]) -> list[str]:
    values = np.array(list(scores.values()))
    worst = min(scores, key=scores.__getitem__)
    shares = [markdown.share(values >= UNTOUCHED), markdown.share(np.isinf(values))]
    return [group, *shares, worst, markdown.decibels(scores[worst])]
