"""Figures 2, 3, 6 and 7: pictures side by side, SSIM and PSNR over each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from deblurcli.blur import psf
from deblurcli.blur.model import blur
from deblurcli.deconvolution import methods
from deblurcli.errors import DeblurError
from deblurcli.inference.restorer import Restorer, restorer
from deblurcli.metrics import table
from deblurcli.pictures import images
from training.data import sources

HERE = Path(__file__).parent.parent / "pictures"
SHOWN = 4  # pictures of one figure, at most


class FigureError(DeblurError):
    """Pictures that cannot be shown."""


@dataclass(frozen=True)
class Shown:
    """A picture in a figure; one that could not be made has a note in its place."""

    title: str
    image: np.ndarray | None
    note: str = ""


Column = Callable[[np.ndarray, np.ndarray, str], Shown]  # of the sharp picture, the blurred one and its PSF


def folder_pictures(folder: Path = HERE) -> list[np.ndarray]:
    """The first pictures of a folder, cut to the faces' shape and size; float32 ``(128, 96, 3)``."""
    names = sorted(path for path in folder.glob("*") if path.suffix.lower() in images.SUFFIXES)
    if not names:
        raise FigureError(f"{folder}: no pictures there; give --pictures another folder, or lfw")
    return [fitted(images.read(path)) for path in names[:SHOWN]]


def fitted(image: np.ndarray) -> np.ndarray:
    """The middle of a picture at the faces' size."""
    width, height = sources.SIZE
    scale = min(image.shape[0] / height, image.shape[1] / width)
    tall, wide = round(height * scale), round(width * scale)
    top, left = (image.shape[0] - tall) // 2, (image.shape[1] - wide) // 2
    piece = np.ascontiguousarray(np.broadcast_to(image[top : top + tall, left : left + wide], (tall, wide, 3)))
    return piece if (wide, tall) == sources.SIZE else cv2.resize(piece, sources.SIZE, interpolation=cv2.INTER_AREA)


def original(sharp: np.ndarray, _: np.ndarray, __: str) -> Shown:
    """The sharp picture."""
    return Shown("original", sharp)


def blurred(_: np.ndarray, soft: np.ndarray, __: str) -> Shown:
    """The blurred picture."""
    return Shown("blurred", soft)


def network(name: str, weights: Path) -> Column:
    """What a trained network makes of the blurred picture, or that it is not trained yet."""
    path = weights / f"{name}.onnx"
    restore: Restorer | None = restorer(str(path), "cpu") if path.is_file() else None

    def column(_: np.ndarray, soft: np.ndarray, __: str) -> Shown:
        if restore is None:
            return Shown(name, None, f"not there yet:\n{path.name}")
        return Shown(name, restore.restore(soft))

    return column


def deconvolution(title: str, method: str) -> Column:
    """What a deconvolution makes of the blurred picture, given the PSF."""

    def column(_: np.ndarray, soft: np.ndarray, spec: str) -> Shown:
        return Shown(title, methods.METHODS[method](soft, psf.parse(spec).array(), methods.DEFAULTS))

    return column


def rows(
    sharp: Sequence[np.ndarray], specs: Sequence[str], columns: Sequence[Column], eight_bits: bool = False
) -> list[tuple[np.ndarray, list[Shown]]]:
    """For each picture the sharp one and what the columns show of it.

    eight_bits: round the blurred pictures as a file does; otherwise they stay float, as in the paper.
    """
    made = []
    for truth, spec in zip(sharp, specs):
        soft = blur(truth, psf.parse(spec).array())
        if eight_bits:
            soft = images.to_float(images.from_float(soft, np.uint8))
        made.append((truth, [column(truth, soft, spec) for column in columns]))
    return made


def draw(figure: Figure, shown: Sequence[tuple[np.ndarray, list[Shown]]], title: str) -> None:
    """Draw a row of pictures for each, SSIM and PSNR over all but the sharp one."""
    grid = figure.subplots(len(shown), len(shown[0][1]), squeeze=False)
    for line, (truth, cells) in zip(grid, shown):
        for axes, cell in zip(line, cells):
            axes.set_xticks([])
            axes.set_yticks([])
            axes.set_title(f"{cell.title}\n{_scores(cell, truth)}", fontsize=8)
            if cell.image is None:
                axes.text(0.5, 0.5, cell.note, ha="center", va="center", fontsize=8, transform=axes.transAxes)
                axes.set_box_aspect(truth.shape[0] / truth.shape[1])
            else:
                axes.imshow(np.clip(cell.image, 0, 1), interpolation="nearest")
    figure.suptitle(title, fontsize=11)


def _scores(cell: Shown, truth: np.ndarray) -> str:
    if cell.image is None or cell.image is truth:
        return ""
    scores = table.score(cell.image, truth, ("ssim", "psnr"))
    return f"SSIM {scores['ssim']:.3f}, PSNR {scores['psnr']:.2f} dB"
