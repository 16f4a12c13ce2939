"""``python -m tests.bench.text``: how well blurred pages can be read, before and after `deblur` as it comes.

A line for every page, then a summary: the mean character error rate by tesseract. Camera shake is also undone by
``wiener --refine`` with the PSF given, to show what is left to find.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from deblurcli.blur import psf
from deblurcli.blur.blurrer import Blurrer
from deblurcli.deconvolution.options import DeconvolutionOptions
from deblurcli.inference.restorer import refiner
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.pipeline.restoration import restoration
from tests.bench.shake import markdown, tool
from tests.bench.text import reading
from tests.bench.text.pages import Page, page

PAGES = 20
NOISE = 0.01
# What tables call each blur, and its PSF for the page of a number; None leaves it sharp.
BLURS: dict[str, tuple[str, Callable[[int], str] | None]] = {
    "gaussian": ("Gaussian, sigma 3", lambda index: "gaussian:sigma=3"),
    "defocus": ("wrong focus, radius 4", lambda index: "defocus:radius=4"),
    "motion": ("straight motion, 12 pixels", lambda index: f"motion:length=12,angle={37 * index % 180}"),
    "shake": ("camera shake, 25 pixels", lambda index: f"trajectory:length=25,seed={index}"),
    "noise": ("none, noise alone", lambda index: "box:size=1"),
    "sharp": ("none, as drawn", None),
}
GIVEN = "shake"  # the blur that is undone with its PSF given, too


@dataclass(frozen=True)
class Trial:
    """A page after a blur: error rates before and after `deblur`, with the PSF given, and what the report says.

    unchanged: whether `deblur` gave back the same pixels.
    """

    page: Page
    before: float
    after: float
    given: float | None
    unchanged: bool
    told: list[str]


def specification(blur: str, index: int) -> str | None:
    """The PSF of a blur for the page of a number; None for none."""
    of_page = BLURS[blur][1]
    return None if of_page is None else of_page(index)


def blurred(blur: str, index: int) -> np.ndarray:
    """The picture of a page after a blur and noise; as it is where it is to stay sharp."""
    spec, picture = specification(blur, index), Picture(page(index).pixels)
    return picture.pixels if spec is None else Blurrer(psf.parse(spec), NOISE)(picture, str(index)).picture.pixels


def trials(blur: str, count: int, out: Path | None) -> list[Trial]:
    """The first pages, blurred and restored."""
    pages = [page(index) for index in range(count)]
    pictures = {each.name: blurred(blur, index) for index, each in enumerate(pages)}
    restored = tool.deblurred(pictures)
    found = []
    for index, each in enumerate(pages):
        before, after = pictures[each.name], restored[each.name].pixels
        given = _given(before, specification(blur, index)) if blur == GIVEN else None
        if out is not None:
            for place, pixels in (("blurred", before), ("restored", after), ("sharp", each.pixels)):
                images.write_picture(out / blur / place / f"{each.name}.png", Picture(pixels))
        rates = [
            None if pixels is None else reading.error_rate(reading.read(pixels), each.text)
            for pixels in (before, after, given)
        ]
        found.append(
            Trial(
                each,
                rates[0] or 0.0,
                rates[1] or 0.0,
                rates[2],
                np.array_equal(before, after),
                restored[each.name].told,
            )
        )
    return found


def _given(pixels: np.ndarray, spec: str | None) -> np.ndarray:
    """The picture, restored with its PSF given."""
    work = restoration(str(spec), DeconvolutionOptions(), "wiener", Path(), refiner=refiner(workers=1))
    return work(Picture(pixels), "").picture.pixels


def _mean(values: list[float]) -> str:
    return f"{np.mean(values):.3f}" if values else ""


def _summary(blur: str, found: list[Trial]) -> list[str]:
    kinds = [
        _mean([getattr(trial, rate) for trial in found if trial.page.kind == kind])
        for kind in ("scanned", "photographed")
        for rate in ("before", "after")
    ]
    given = [trial.given for trial in found if trial.given is not None]
    readable = markdown.share([trial.after <= 0.05 for trial in found])
    unchanged = markdown.share([trial.unchanged for trial in found])
    means = [_mean([trial.before for trial in found]), _mean([trial.after for trial in found])]
    return [BLURS[blur][0], str(len(found)), *means, *kinds, readable, _mean(given), unchanged]


def main() -> None:
    """Print the table and the summary."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.text")
    parser.add_argument(
        "--blur", choices=BLURS, action="append", help="take this blur only; may be given several times"
    )
    parser.add_argument("--pages", type=int, default=PAGES, help=f"how many pages; {PAGES} by default")
    parser.add_argument("--out", type=Path, help="folder for the pictures")
    given = parser.parse_args()
    rows, summary = [], []
    for blur in given.blur or BLURS:
        found = trials(blur, given.pages, given.out)
        rows += [
            [blur, each.page.name, each.page.kind, f"{each.before:.3f}", f"{each.after:.3f}", *each.told]
            for each in found
        ]
        summary.append(_summary(blur, found))
    print(markdown.table(["blur", "page", "kind", "before", "after", *tool.TOLD], rows) + "\n")
    heads = ["scanned, before", "after", "photographed, before", "after", "at most 0.05", "PSF given", "unchanged"]
    print(markdown.table(["blur", "pages", "before", "after", *heads], summary))


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main()
