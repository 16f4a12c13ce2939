"""Pairs averaged from high-speed video, in which camera and things move: ``python -m tests.bench.shake motion``.

PSNR and SSIM of the blurred pictures and of what `deblur` makes of them, without any shift.
"""

from __future__ import annotations

import numpy as np

from deblurcli.metrics.table import psnr, ssim
from deblurcli.pictures import images
from tests.bench.shake import markdown, tool
from tests.bench.shake.options import Options

BLURRED, SHARP = "motion/blurred", "motion/sharp"
HEADS = ("picture", "blurred", "deblur", "gain", "SSIM blurred", "SSIM deblur", "gain in SSIM")


def main(options: Options) -> None:
    """Print the table and the summary."""
    files = {path.stem: path for path in options.pictures(BLURRED)}
    restored = tool.deblurred(files)
    scores = {}
    for name, path in files.items():
        sharp = images.read_picture(options.data / SHARP / path.name).pixels
        both = images.read_picture(path).pixels, restored[name].pixels
        scores[name] = [psnr(pixels, sharp) for pixels in both] + [ssim(pixels, sharp) for pixels in both]
    rows = [[name, *_cells(each), *restored[name].told] for name, each in scores.items()]
    mean = np.mean(list(scores.values()), axis=0)
    rows.append(["mean", *_cells(mean), *("" for _ in tool.TOLD)])
    gains = {name: each[1] - each[0] for name, each in scores.items()}
    worst = min(gains, key=gains.__getitem__)
    print(markdown.table([*HEADS, *tool.TOLD], rows))
    print(f"\nmade worse: {markdown.share([gain < 0 for gain in gains.values()])}", end="")
    print(f"; worst {worst}, {markdown.gain(gains[worst])} dB")


def _cells(scores: list[float] | np.ndarray) -> list[str]:
    before, after, similar, more_similar = scores
    decibels = [markdown.decibels(before), markdown.decibels(after), markdown.gain(after - before)]
    return [*decibels, f"{similar:.4f}", f"{more_similar:.4f}", f"{more_similar - similar:+.4f}"]
