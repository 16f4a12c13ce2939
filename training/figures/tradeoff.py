"""Quality against speed, a point for every model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

KINDS = {"gaussian": "Gaussian blur", "motion": "motion blur"}


def known(rows: Sequence[Mapping]) -> list[Mapping]:
    """The rows of `table.rows` that have a speed and scores of both protocols."""
    return [row for row in rows if row["megapixels"] and all(row[kind] for kind in KINDS)]


def draw(panels: Sequence[Axes], rows: Sequence[Mapping]) -> None:
    """Draw PSNR against megapixels per second, a panel for each of the paper's blurs; faster is further right."""
    for axes, (kind, title) in zip(panels, KINDS.items()):
        for row in known(rows):
            point = row["megapixels"], row[kind]["psnr"]
            axes.plot(*point, "o", color="#1f6fb2")
            axes.annotate(row["model"], point, xytext=(5, 3), textcoords="offset points", fontsize=8)
        axes.set_xscale("log")
        for ticks in (axes.xaxis.set_major_formatter, axes.xaxis.set_minor_formatter):
            ticks("{x:g}")
        axes.margins(0.35, 0.1)  # a name stands right of its point
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("MP/s in ONNX Runtime, one core", fontsize=9)
        axes.set_ylabel("PSNR in dB", fontsize=9)
        axes.tick_params(which="both", labelsize=8)
        axes.grid(alpha=0.3, which="both")
