"""`deblurcli.pictures.power_spectrum.log_power_spectrum` of whole batches."""

from __future__ import annotations

from functools import cache

import torch

from deblurcli.pictures import power_spectrum
from deblurcli.pictures.luma import LUMA_WEIGHTS


def log_power_spectra(images: torch.Tensor) -> torch.Tensor:
    """The logarithm of the mean power of each image ``(N, 3, H, W)``, sides of 64 to 256; float32 ``(N, 64, 33)``."""
    side, device = power_spectrum.SPECTRUM_SIDE, images.device
    luma = torch.einsum("c,nchw->nhw", _weights(device), images)
    rows, columns = (_lines(length, device) for length in luma.shape[1:])
    patches = luma[:, rows][:, :, :, columns].transpose(2, 3)  # (N, m, n, 64, 64)
    line = torch.hann_window(side, device=device)
    window = torch.outer(line, line)
    window = window / window.square().sum().sqrt()
    level = (patches * window).sum(dim=(3, 4), keepdim=True) / window.sum()
    power = torch.fft.rfft2((patches - level) * window).abs().square().mean(dim=(1, 2))
    return torch.fft.fftshift(torch.log(power + power_spectrum.LEAST_POWER), dim=1)


@cache
def _weights(device: torch.device) -> torch.Tensor:
    return torch.tensor(LUMA_WEIGHTS, device=device)


@cache
def _lines(length: int, device: torch.device) -> torch.Tensor:
    """The lines of each patch along an axis of so many, ``(n, 64)``."""
    side = power_spectrum.SPECTRUM_SIDE
    starts = torch.tensor(power_spectrum.starts(length, side), device=device)
    return starts[:, None] + torch.arange(side, device=device)
