"""Blur of whole batches: by PSFs, by motion that differs over the picture, by defocus that differs with depth.

Batches are float32 ``(N, C, H, W)`` in [0, 1]. What they give agrees with `deblurcli.blur`, within rounding.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

REACH = 32  # pixels, of the largest PSF to each side, and of what a scene shows beyond a piece


def bank(psfs: Sequence[np.ndarray], device: torch.device) -> torch.Tensor:
    """PSFs ``(K, L)`` of odd sides as one tensor, float32 ``(N, 65, 65)``, the origin of each in the middle.

    Raises ValueError for one that reaches further than `REACH`.
    """
    grown = np.zeros((len(psfs), 2 * REACH + 1, 2 * REACH + 1), np.float32)
    for whole, psf in zip(grown, psfs):
        down, across = (REACH - side // 2 for side in psf.shape)
        if min(down, across) < 0:
            raise ValueError(f"a PSF of {psf.shape} reaches further than {REACH} pixels")
        whole[down : down + psf.shape[0], across : across + psf.shape[1]] = psf
    return torch.from_numpy(grown).to(device)


def transfer(psfs: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """The transfer functions of PSFs ``(N, 65, 65)`` on scenes of a size, complex ``(N, H, W / 2 + 1)``."""
    side = psfs.shape[-1]
    placed = functional.pad(psfs, (0, size[1] - side, 0, size[0] - side))
    return torch.fft.rfft2(placed.roll((-(side // 2), -(side // 2)), (-2, -1)))


def convolved(scenes: torch.Tensor, transfers: torch.Tensor) -> torch.Tensor:
    """The middles of scenes, blurred: `REACH` pixels smaller on each side, behind which the scene went on."""
    size = scenes.shape[-2:]
    whole = torch.fft.irfft2(torch.fft.rfft2(scenes) * transfers[:, None], s=tuple(size))
    return middle(whole)


def middle(scenes: torch.Tensor) -> torch.Tensor:
    """Scenes without the `REACH` pixels around."""
    return scenes[..., REACH:-REACH, REACH:-REACH]


def mirrored(pieces: torch.Tensor) -> torch.Tensor:
    """Pieces grown to scenes: `REACH` pixels more on each side, mirrored about the outermost ones."""
    return functional.pad(pieces, (REACH,) * 4, mode="reflect")


def out_of_focus(scenes: torch.Tensor, depth: torch.Tensor, transfers: torch.Tensor) -> torch.Tensor:
    """The middles of scenes, each pixel as blurred as its depth says.

    depth: ``(N, 1, h, w)`` of the middles, in [0, 1]. transfers: ``(N, D, H, W / 2 + 1)`` of D blurs, from that at
    depth 0 to that at 1; between two of them both are mixed.
    """
    count = transfers.shape[1]
    place = depth * (count - 1)
    blurred = torch.zeros_like(middle(scenes))
    for index in range(count):
        share = (1 - (place - index).abs()).clamp_min(0)
        blurred = blurred + share * convolved(scenes, transfers[:, index])
    return blurred


def warped(scenes: torch.Tensor, poses: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """What a camera in these poses sees of scenes, ``(N, C, h, w)``, its middle at theirs.

    poses: ``(N, 4)``, shift across and down in pixels, turn in radians and zoom; as in `deblurcli.blur.varying`.
    """
    height, width = size
    down = torch.arange(height, device=scenes.device) - (height - 1) / 2
    across = torch.arange(width, device=scenes.device) - (width - 1) / 2
    right, below, turn, zoom = (part[:, None, None] for part in poses.unbind(1))
    cos, sin = zoom * torch.cos(turn), zoom * torch.sin(turn)
    x = cos * across[None, None, :] - sin * down[None, :, None] + right
    y = sin * across[None, None, :] + cos * down[None, :, None] + below
    half = [(side - 1) / 2 for side in scenes.shape[-2:]]
    grid = torch.stack([x / half[1], y / half[0]], dim=3)
    return functional.grid_sample(scenes, grid, padding_mode="reflection", align_corners=True)


def exposed(
    back: torch.Tensor,
    back_poses: torch.Tensor,
    size: tuple[int, int],
    front: torch.Tensor | None = None,
    front_poses: torch.Tensor | None = None,
) -> torch.Tensor:
    """The mean of what a camera sees of scenes at all instants, ``(N, 3, h, w)``.

    back: ``(N, 3, H, W)``. back_poses, front_poses: ``(T, N, 4)``, a pose for each instant.
    front: what moves on its own before it, ``(N, 4, H, W)``: how much it covers times its colours, and how much.
    """
    frames = warped(*_at_each(back, back_poses), size)
    if front is not None and front_poses is not None:
        ahead = warped(*_at_each(front, front_poses), size)
        frames = ahead[:, :3] + (1 - ahead[:, 3:]) * frames
    return frames.unflatten(0, (len(back_poses), len(back))).mean(dim=0)


def _at_each(scenes: torch.Tensor, poses: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Scenes and poses once for every instant: ``(T · N, C, H, W)`` and ``(T · N, 4)``."""
    return scenes.repeat(len(poses), 1, 1, 1), poses.flatten(0, 1)
