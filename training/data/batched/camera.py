"""What a camera adds to blurred batches: noise, JPEG, rounding. Batches are float32 ``(N, 3, H, W)`` in [0, 1].

Tables go to a device once: each time, the device would have to be waited for.
"""

from __future__ import annotations

import math
from functools import cache

import torch
from torch.nn import functional

BLOCK = 8  # side of what JPEG transforms at once
_LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMA = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99, *[99] * 32,
)  # fmt: skip
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


def noisy(images: torch.Tensor, read: torch.Tensor, shot: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """Images with noise of variance ``read² + shot² · image``; both ``(N, 1, 1, 1)``."""
    deviation = (read.square() + shot.square() * images.clamp_min(0)).sqrt()
    return images + deviation * torch.randn(images.shape, generator=random, device=images.device)


def rounded(images: torch.Tensor) -> torch.Tensor:
    """Images as files of 8 bits hold them."""
    return (images.clamp(0, 1) * 255).round() / 255


def through_jpeg(images: torch.Tensor, quality: torch.Tensor, is_coarse: torch.Tensor) -> torch.Tensor:
    """Images of 8 bits as baseline JPEG gives them back (ITU-T T.81, Annex K).

    quality: 1 to 100, ``(N,)``. is_coarse: where colours are kept at half the resolution, bool ``(N,)``. H and W are
    multiples of 16.
    """
    forth, back = _matrices(images.device)
    planes = torch.einsum("ij,njhw->nihw", forth, 255 * images).round()
    luma = _coded(planes[:, :1] - 128, _steps(_LUMA, quality)) + 128
    steps = _steps(_CHROMA, quality)
    coarse = _coded(functional.avg_pool2d(planes[:, 1:], 2).round(), steps)
    coarse = functional.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
    colours = torch.where(is_coarse[:, None, None, None], coarse, _coded(planes[:, 1:], steps))
    decoded = torch.cat([luma, colours], dim=1).round()
    return rounded(torch.einsum("ij,njhw->nihw", back, decoded) / 255)


def _steps(table: tuple[int, ...], quality: torch.Tensor) -> torch.Tensor:
    """The quantiser's steps at each quality, ``(N, 1, 1, 1, 8, 8)``, as the IJG's library scales the tables."""
    whole = _quantiser(table, quality.device)
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)[:, None, None]
    return ((whole * scale + 50) / 100).floor().clamp(1, 255)[:, None, None, None]


def _coded(planes: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    """Planes ``(N, C, H, W)`` whose cosine transforms, block by block, are rounded to multiples of the steps."""
    transform = _cosines(planes.device)
    blocks = planes.unflatten(2, (-1, BLOCK)).unflatten(4, (-1, BLOCK)).transpose(3, 4)  # (N, C, m, n, 8, 8)
    coefficients = transform @ blocks @ transform.T
    restored = transform.T @ (steps * (coefficients / steps).round()) @ transform
    return restored.transpose(3, 4).flatten(4, 5).flatten(2, 3)


@cache
def _matrices(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """From RGB to luma and differences of colour, and back, ``(3, 3)`` each."""
    forth = torch.tensor(_TO_YCC)
    return forth.to(device), torch.linalg.inv(forth).to(device)


@cache
def _quantiser(table: tuple[int, ...], device: torch.device) -> torch.Tensor:
    return torch.tensor(table, dtype=torch.float32, device=device).view(1, BLOCK, BLOCK)


@cache
def _cosines(device: torch.device) -> torch.Tensor:
    """The orthonormal cosine transform of 8 samples, ``(8, 8)``."""
    place = torch.arange(BLOCK, device=device)
    waves = torch.cos(math.pi / BLOCK * (place[None] + 0.5) * place[:, None])
    waves[0] *= math.sqrt(0.5)
    return waves * math.sqrt(2 / BLOCK)
