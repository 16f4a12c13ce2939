"""Figures 4 and 5: what a fit's loss and metrics were in every epoch, beside the authors' own run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from matplotlib.axes import Axes

# Of the loss, which is the mean squared error, and the metrics: name, title, whether it falls by powers of ten.
PANELS = (
    ("mse", "loss: mean squared error", True),
    ("mae", "MAE", True),
    ("psnr", "PSNR in dB", False),
    ("ssim", "SSIM", False),
)
STAGES = {"training": "#1f6fb2", "validation": "#d68910"}
MARK = "#c0392b"  # of the authors' run


@dataclass(frozen=True)
class Known:
    """What is known of the authors' run: its result, and validation PSNR in dB after some epochs."""

    result: Mapping[str, float]
    psnr: Mapping[int, float] = field(default_factory=dict)


# From the training log in the authors' published notebook.
AUTHORS = {
    "paper-gaussian": Known(
        {"psnr": 36.65, "ssim": 0.9629, "mae": 0.0108, "mse": 2.50e-4}, {5: 33.4, 10: 34.6, 25: 36.4, 50: 36.5}
    ),
    "paper-motion": Known(
        {"psnr": 34.34, "ssim": 0.9402, "mae": 0.0139, "mse": 4.17e-4},
        {5: 29.4, 10: 30.0, 25: 32.4, 50: 34.1, 60: 34.3},
    ),
}


def draw(panels: Sequence[Axes], lines: Sequence[Mapping[str, str]], known: Known | None) -> None:
    """Draw the epochs of a fit, the lines of its ``epochs.csv``, into four panels."""
    epochs = [int(line["epoch"]) for line in lines]
    last = max([*epochs, *(known.psnr if known else ())])
    for axes, (name, title, logarithmic) in zip(panels, PANELS):
        for stage, colour in STAGES.items():
            values = [float(line[f"{stage}_{name}"]) for line in lines]
            axes.plot(epochs, values, ".-", color=colour, label=f"our {stage}")
        if known is not None:
            axes.axhline(known.result[name], color=MARK, linestyle=":", label="the authors' result")
            if name == "psnr":
                points, label = (list(known.psnr), list(known.psnr.values())), "the authors' validation"
                axes.plot(*points, color=MARK, marker="x", linestyle="none", label=label)
        axes.set_yscale("log" if logarithmic else "linear")
        axes.set_xlim(0, last + 1)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("epoch", fontsize=9)
        axes.tick_params(which="both", labelsize=8)
        axes.grid(alpha=0.3, which="both")


def lag(lines: Sequence[Mapping[str, str]], known: Known) -> dict[int, float]:
    """Our validation PSNR less the authors', in dB, at the epochs where both are known."""
    ours = {int(line["epoch"]): float(line["validation_psnr"]) for line in lines}
    return {epoch: round(ours[epoch] - theirs, 2) for epoch, theirs in known.psnr.items() if epoch in ours}
