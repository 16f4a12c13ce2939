"""How good restored batches are, on the device they were made on: a table of functions, one value per picture.

They follow `deblurcli.metrics`, in float32; batches are float32 ``(N, 3, H, W)`` in [0, 1].
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

SIDE, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2


def mse(restored: torch.Tensor, sharp: torch.Tensor) -> torch.Tensor:
    """Mean squared error of each picture, ``(N,)``."""
    return (restored - sharp).square().mean(dim=(1, 2, 3))


def mae(restored: torch.Tensor, sharp: torch.Tensor) -> torch.Tensor:
    """Mean absolute error of each picture, ``(N,)``."""
    return (restored - sharp).abs().mean(dim=(1, 2, 3))


def psnr(restored: torch.Tensor, sharp: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio of each picture in dB, ``(N,)``."""
    return -10 * torch.log10(mse(restored, sharp))


def ssim(restored: torch.Tensor, sharp: torch.Tensor) -> torch.Tensor:
    """Structural similarity of each picture as ``tf.image.ssim`` computes it, ``(N,)``; sides of 11 px and up."""
    channels = restored.shape[1]
    both = torch.cat([restored, sharp, restored * restored, sharp * sharp, restored * sharp], dim=1)
    if both.is_cuda:  # or cuDNN convolves it as it lies, and in TF32: too coarse for differences of squares
        both = both.contiguous()
    x, y, xx, yy, xy = _windowed(both).split(channels, dim=1)
    covariance = 2 * (xy - x * y) + C2
    variances = xx - x * x + yy - y * y + C2
    return ((2 * x * y + C1) / (x * x + y * y + C1) * covariance / variances).mean(dim=(1, 2, 3))


def _windowed(batch: torch.Tensor) -> torch.Tensor:
    """Every channel averaged under the Gaussian window, where it fits."""
    channels = batch.shape[1]
    x = torch.arange(SIDE, dtype=batch.dtype, device=batch.device) - SIDE // 2
    line = torch.exp(-(x**2) / (2 * SIGMA**2))
    line = (line / line.sum()).expand(channels, 1, 1, SIDE)
    rows = functional.conv2d(batch, line, groups=channels)
    return functional.conv2d(rows, line.transpose(2, 3), groups=channels)


METRICS: dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "mse": mse,
    "mae": mae,
    "psnr": psnr,
    "ssim": ssim,
}


@torch.no_grad()
def scores(restored: torch.Tensor, sharp: torch.Tensor) -> torch.Tensor:
    """All metrics of each picture, ``(N, metrics)``, in the order of `METRICS`."""
    return torch.stack([function(restored, sharp) for function in METRICS.values()], dim=1)


def sums(loss: torch.Tensor, restored: torch.Tensor, sharp: torch.Tensor) -> torch.Tensor:
    """The loss and the metrics summed over the pictures of a batch, and their number; loss: their mean."""
    count = torch.full((1,), float(len(sharp)), device=sharp.device)
    return torch.cat([count * loss.detach(), scores(restored, sharp).sum(dim=0), count])
