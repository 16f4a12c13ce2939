"""Losses between restored and sharp batches, float32 ``(N, 3, H, W)``: a table of named functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add

import torch

from training.fitting.perceptual import perceptual

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def mse(restored: torch.Tensor, sharp: torch.Tensor) -> torch.Tensor:
    """Mean squared error, ``mean((r − s)²)``."""
    return torch.mean((restored - sharp) ** 2)


def charbonnier(restored: torch.Tensor, sharp: torch.Tensor, epsilon: float = 1e-3) -> torch.Tensor:
    """A smooth absolute error, ``mean(√((r − s)² + ε²))`` (Charbonnier et al., 1994)."""
    return torch.mean(torch.sqrt((restored - sharp) ** 2 + epsilon**2))


def fourier(restored: torch.Tensor, sharp: torch.Tensor) -> torch.Tensor:
    """Mean modulus of the difference of the orthonormal 2-D Fourier transforms, ``mean(|F(r − s)|)``.

    Every frequency counts alike, so that fine detail is not drowned by the coarse.
    """
    return torch.mean(torch.abs(torch.fft.rfft2(restored - sharp, norm="ortho")))


LOSSES: dict[str, Loss] = {
    "mse": mse,
    "charbonnier": charbonnier,
    "fourier": fourier,
    "perceptual": perceptual,
}


def weighted(weights: dict[str, float]) -> Loss:
    """The sum of the named losses, each times its weight; the names, one or more, are keys of `LOSSES`."""

    def loss(restored: torch.Tensor, sharp: torch.Tensor) -> torch.Tensor:
        return reduce(add, (weight * LOSSES[name](restored, sharp) for name, weight in weights.items()))

    return loss
