"""The paper's seven figures, made anew from the recipes, the weights and the logs, and one of all models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from training import networks, recipe
from training.data import sources as data
from training.evaluation import table
from training.figures import architecture, curves, strips, tradeoff
from training.figures.strips import FigureError
from training.fitting import checkpoint

FORMATS = ("png", "svg")
DOTS = 150  # an inch
PAPER = ("paper-gaussian", "paper-motion")
SPELT = {"gaussian": "Gaussian", "motion": "motion"}


@dataclass(frozen=True)
class Sources:
    """What the figures are made from.

    pictures: sharp, float32 ``(128, 96, 3)`` each.
    weights: folder of the .onnx files; runs: of the logs; related: of the related networks' cards.
    """

    pictures: Sequence[np.ndarray]
    weights: Path
    runs: Path
    related: Path = table.RELATED


def _architecture(_: Sources) -> Figure:
    width, height = data.SIZE
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    network = networks.build(recipe.load(PAPER[0]).network)
    count = sum(networks.parameters(network))
    giga = networks.multiply_adds(network, height, width) / 1e9
    title = f"{type(network).__name__}: {count:,} parameters, {giga:.2f} GMAC at {height} × {width}"
    architecture.draw(figure.subplots(), architecture.maps(network, height, width), title)
    return figure


def _shown(sources: Sources, columns: Sequence[strips.Column], specs: Sequence[str], **options):
    """Rows of pictures; the specifications are taken in turn."""
    turns = [specs[index % len(specs)] for index in range(len(sources.pictures))]
    return strips.rows(sources.pictures, turns, columns, **options)


def _strip(sources: Sources, title: str, columns: Sequence[strips.Column], specs: Sequence[str], **options) -> Figure:
    """A figure of pictures."""
    figure = Figure(figsize=(1.9 * len(columns), 2.9 * len(sources.pictures) + 0.4), layout="constrained")
    strips.draw(figure, _shown(sources, columns, specs, **options), title)
    return figure


def _srcnn(sources: Sources) -> Figure:
    figure = Figure(figsize=(11.8, 2.9 * len(sources.pictures) + 0.4), layout="constrained")
    for part, name, specs in zip(
        np.ravel(figure.subfigures(1, 2, squeeze=False)), ("gaussian", "motion"), ([data.GAUSSIAN], data.MOTIONS)
    ):
        columns = [strips.original, strips.blurred, strips.network(f"srcnn-{name}", sources.weights)]
        strips.draw(part, _shown(sources, columns, specs), f"SRCNN, {SPELT[name]} blur")
    return figure


def _fourier(sources: Sources) -> Figure:
    columns = [
        strips.original,
        strips.blurred,
        strips.deconvolution("Fourier division", "inverse"),
        strips.deconvolution("Wiener filter", "wiener"),
    ]
    title = "Known PSFs, pictures of 8 bits"
    return _strip(sources, title, columns, [data.GAUSSIAN, *data.MOTIONS], eight_bits=True)


def _curve(name: str) -> Callable[[Sources], Figure]:
    def figure_of(sources: Sources) -> Figure:
        lines = checkpoint.curve(name, sources.runs)
        figure = Figure(figsize=(10, 6.2), layout="constrained")
        if not lines:
            figure.text(0.5, 0.5, f"{name}: no epoch yet; python -m training fit {name}", ha="center")
            return figure
        panels = figure.subplots(2, 2).ravel()
        curves.draw(panels, lines, curves.AUTHORS.get(name))
        figure.legend(*panels[2].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
        planned = recipe.load(name).schedule.epochs
        figure.suptitle(f"{name}: epoch {lines[-1]['epoch']} of at most {planned}", fontsize=11)
        return figure

    return figure_of


def _restored(kind: str) -> Callable[[Sources], Figure]:
    def figure_of(sources: Sources) -> Figure:
        networks_of = [strips.network(name, sources.weights) for name in (f"paper-{kind}", "faces")]
        specs = [data.GAUSSIAN] if kind == "gaussian" else data.MOTIONS
        title = f"The paper's {SPELT[kind]} blur, restored"
        return _strip(sources, title, [strips.original, strips.blurred, *networks_of], specs)

    return figure_of


def _tradeoff(sources: Sources) -> Figure:
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    tradeoff.draw(figure.subplots(1, 2), [*table.rows(sources.weights), *table.rows(sources.related)])
    figure.suptitle("Quality against speed, the paper's test pictures in float", fontsize=11)
    return figure


FIGURES: dict[str, Callable[[Sources], Figure]] = {
    "1-architecture": _architecture,
    "2-srcnn": _srcnn,
    "3-fourier": _fourier,
    "4-curves-gaussian": _curve(PAPER[0]),
    "5-curves-motion": _curve(PAPER[1]),
    "6-gaussian": _restored("gaussian"),
    "7-motion": _restored("motion"),
    "tradeoff": _tradeoff,
}


def make(sources: Sources, folder: Path) -> list[Path]:
    """Make all figures as PNG and SVG files in a folder; those whose network or log is missing say so.

    Returns the paths. The same sources give the same files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with matplotlib.rc_context({"svg.hashsalt": "deblurcli", "font.family": "DejaVu Sans"}):
        for name, figure_of in FIGURES.items():
            figure = figure_of(sources)
            for form in FORMATS:
                paths.append(folder / f"{name}.{form}")
                about = {"Software": None} if form == "png" else {"Date": None}
                figure.savefig(paths[-1], format=form, dpi=DOTS, metadata=about)
    return paths


__all__ = ["FIGURES", "FigureError", "Sources", "make"]
