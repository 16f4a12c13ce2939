"""Quality against speed, a point for every model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

_WIDE, _TALL = 5, 9  # of a letter and of a name, in points
_BELOW = -3  # where a name begins beside its point

KINDS = {"gaussian": "Gaussian blur", "motion": "motion blur"}


def known(rows: Sequence[Mapping]) -> list[Mapping]:
    """The rows of `table.rows` that have a speed and scores of both protocols."""
    return [row for row in rows if row["megapixels"] and all(row[kind] for kind in KINDS)]


def draw(panels: Sequence[Axes], rows: Sequence[Mapping]) -> None:
    """Draw PSNR against megapixels per second, a panel for each of the paper's blurs; faster is further right."""
    for axes, (kind, title) in zip(panels, KINDS.items()):
        points = {row["model"]: (row["megapixels"], row[kind]["psnr"]) for row in known(rows)}
        axes.plot(*zip(*points.values()), "o", color="#1f6fb2")
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
        axes.margins(0.35, 0.1)  # a name stands right of its point
        _name(axes, points)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("MP/s in ONNX Runtime, one core", fontsize=9)
        axes.set_ylabel("PSNR in dB", fontsize=9)
        axes.tick_params(which="both", labelsize=8)
        axes.grid(alpha=0.3, which="both")


def _name(axes: Axes, points: Mapping[str, tuple[float, float]]) -> None:
    """Write names right of their points, from the top down, each below those that it would cover."""
    axes.autoscale_view()
    in_points = 72 / axes.figure.dpi
    placed: list[tuple[float, float, float]] = []  # left, right and height of names
    for name, point in sorted(points.items(), key=lambda each: -each[1][1]):
        left, own = axes.transData.transform(point) * in_points
        right, height = left + _WIDE * len(name), own + _BELOW
        for first, last, other in sorted(placed, key=lambda each: -each[2]):
            if left < last and first < right and abs(height - other) < _TALL:
                height = other - _TALL
        placed.append((left, right, height))
        axes.annotate(name, point, xytext=(5, height - own), textcoords="offset points", fontsize=8)
