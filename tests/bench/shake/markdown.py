"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with a line for each row."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (heads, *rows)]
    return "\n".join([lines[0], "|---" * len(heads) + "|", *lines[1:]])


def decibels(value: float) -> str:
    """A PSNR as a cell, ∞ where it is infinite."""
    return f"{value:.2f}".replace("inf", "∞")


def gain(value: float) -> str:
    """A difference in dB as a cell."""
    return f"{value:+.2f}"


def share(hits: Sequence[bool] | np.ndarray) -> str:
    """How many of all, and what part that is."""
    return f"{np.count_nonzero(hits)} of {len(hits)} ({np.mean(hits):.1%})"
