"""What is made up about scenes: how camera and things move, what moves in front, how far away all is."""

from __future__ import annotations

import torch
from torch.nn import functional

from training.recipe import Varying

FAR = 500.0  # pixels, at most, from a piece's middle to what the camera turns about
BENT = 0.7  # of a path's length, how far its bends go
FAINTEST = 0.1  # of the strongest motion, the least
PARTS, DISTANCES = 3, 4  # how often outlines and depth change along a side, about


def poses(count: int, instants: int, reach: float, varying: Varying, random: torch.Generator) -> torch.Tensor:
    """Paths of a camera or a thing, ``(T, N, 4)``, at rest at the middle instant: shift, turn and zoom.

    A curved shift, a turn about a point that may be far, and a zoom; how strong all are together is drawn for each.

    reach: standard deviation of the length of the strongest shifts in pixels.
    """
    device = random.device
    time = torch.linspace(-0.5, 0.5, instants, device=device)[:, None, None]
    strength = FAINTEST + (1 - FAINTEST) * torch.rand(count, 1, generator=random, device=device)
    straight, bent, twisted = strength * torch.randn(3, count, 2, generator=random, device=device)
    shift = reach * (straight * time + BENT * (bent * time**2 + twisted * time**3))
    turn, zoom = strength * torch.randn(2, count, 1, generator=random, device=device)
    turns = varying.turn * turn * time  # (T, N, 1)
    far = FAR * (2 * torch.rand(count, 2, generator=random, device=device) - 1)
    shift = shift + turns * torch.stack([far[:, 1], -far[:, 0]], dim=1)
    return torch.cat([shift, turns, 1 + varying.zoom * zoom * time], dim=2)


def fronts(scenes: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """Parts of each other with soft outlines, ``(N, 4, H, W)``: what they cover times colours, and how much."""
    count, _, *size = scenes.shape
    level = uniform(count, random, -0.2, 1.0)
    sharpness = 2 ** uniform(count, random, 3, 6)
    cover = torch.sigmoid(sharpness * (_smooth(count, size, PARTS, random) - level))
    return torch.cat([cover * scenes.roll(1, 0).flip(3), cover], dim=1)


def depths(count: int, size: tuple[int, int], random: torch.Generator) -> torch.Tensor:
    """How far away all is, ``(N, 1, H, W)`` in [0, 1]."""
    return torch.sigmoid(2 * _smooth(count, size, DISTANCES, random))


def uniform(count: int, random: torch.Generator, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
    """Numbers drawn between two bounds, ``(N, 1, 1, 1)``."""
    return low + (high - low) * torch.rand(count, 1, 1, 1, generator=random, device=random.device)


def _smooth(count: int, size: list[int] | tuple[int, int], changes: int, random: torch.Generator) -> torch.Tensor:
    """Smooth random fields ``(N, 1, H, W)``, about normal."""
    noise = torch.randn(count, 1, changes + 1, changes + 1, generator=random, device=random.device)
    return functional.interpolate(noise, size=tuple(size), mode="bicubic", align_corners=True)
