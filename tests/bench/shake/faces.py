"""The paper's blurs on its 1,522 test faces, restored by `deblur` as it comes: ``python -m tests.bench.shake faces``.

The pictures go through PNG files of 8 bits: blurred by the command ``blur``, restored by ``deblur``, and scored as the
command ``score`` does. So was the column "`faces`, 8-bit" of docs/measured.md made, with ``deblur --model faces``.
`--first` takes so many pictures, evenly, each with the blur that it has among all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from deblurcli.metrics.table import psnr, ssim
from deblurcli.pictures import images
from tests.bench.shake import markdown, tool
from tests.bench.shake.options import Options
from training.data import sources

KINDS = ("gaussian", "motion")
HEADS = ("pictures", "blurred", "deblur", "gain", "made worse", "worst gain")
FOUND = "with the blur that was found"

Scores = tuple[float, float]  # PSNR in dB and SSIM
Pair = tuple[Scores, Scores]  # of the blurred and of the restored picture


@dataclass(frozen=True)
class Round:
    """One blur on all pictures: scores by picture, and what the tool made of each."""

    kind: str
    pairs: dict[str, Pair]
    restored: dict[str, tool.Restored]

    def rows(self) -> list[list[str]]:
        """A row for each picture."""
        return [
            [self.kind, name, *(markdown.decibels(scores[0]) for scores in pair), *self.restored[name].told]
            for name, pair in self.pairs.items()
        ]

    def summary(self) -> list[list[str]]:
        """A row for all pictures, and one for each note of the tool, the most frequent first."""
        notes = {name: str(self.restored[name].row.get("note") or FOUND) for name in self.pairs}
        parts = {
            note: [pair for name, pair in self.pairs.items() if notes[name] == note]
            for note, _ in Counter(notes.values()).most_common()
        }
        rows = [[f"{self.kind}: {note}", *_cells(pairs)] for note, pairs in parts.items()]
        return [[self.kind, *_cells(list(self.pairs.values()))], *rows]


def main(options: Options) -> None:
    """Print the table of pictures and the summary of each blur."""
    sharp = sources.test_pictures(sources.faces(options.data_home or options.data))
    pictures = {f"{index:05d}": images.from_float(sharp[index], np.uint8) for index in _chosen(len(sharp), options)}
    rounds = [_round(kind, pictures, sources.protocol_psfs(kind, len(sharp))) for kind in KINDS]
    rows = [row for each in rounds for row in each.rows()]
    print(markdown.table(["blur", "picture", "blurred", "deblur", *tool.TOLD], rows) + "\n")
    print(markdown.table(["blur", *HEADS], [row for each in rounds for row in each.summary()]))


def _chosen(count: int, options: Options) -> list[int]:
    """Which pictures to take of so many, evenly."""
    return np.linspace(0, count - 1, min(options.first or count, count)).round().astype(int).tolist()


def _round(kind: str, pictures: Mapping[str, np.ndarray], specs: list[str]) -> Round:
    """Blur and restore the pictures; each is named by its index in `specs`."""
    blurred = _blurred(pictures, {name: specs[int(name)] for name in pictures})
    restored = tool.deblurred(blurred)
    pairs = {
        name: (_scores(blurred[name], sharp), _scores(restored[name].pixels, sharp)) for name, sharp in pictures.items()
    }
    return Round(kind, pairs, restored)


def _scores(pixels: np.ndarray, sharp: np.ndarray) -> Scores:
    return psnr(pixels, sharp), ssim(pixels, sharp)


def _blurred(pictures: Mapping[str, np.ndarray], specs: Mapping[str, str]) -> dict[str, np.ndarray]:
    """The pictures as the command ``blur`` writes them, each with its PSF."""
    found: dict[str, np.ndarray] = {}
    with TemporaryDirectory() as place:
        for number, spec in enumerate(sorted(set(specs.values()))):
            source, target = Path(place, f"sharp{number}"), Path(place, f"blurred{number}")
            names = [name for name in pictures if specs[name] == spec]
            for name in names:
                images.write(source / f"{name}.png", pictures[name])
            tool.run("blur", source, target, "--psf", spec, "--quiet")
            found |= {name: images.read_picture(target / f"{name}.png").pixels for name in names}
    return {name: found[name] for name in pictures}


def _cells(pairs: list[Pair]) -> list[str]:
    """The cells for `HEADS`."""
    means = np.mean(pairs, axis=0)
    gains = np.array([after[0] - before[0] for before, after in pairs])
    cells = [f"{mean[0]:.2f} / {mean[1]:.4f}" for mean in means]
    worse = markdown.share(gains < 0)
    return [f"{len(pairs)}", *cells, markdown.gain(gains.mean()), worse, markdown.gain(gains.min())]
