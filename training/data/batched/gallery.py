"""Sharp pictures on a device, and pieces gathered out of them."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import torch

SCALES = (1.0, 0.8, 0.64, 0.51, 0.41)  # that each picture is kept at, where it is large enough


class Gallery:
    """Pictures of any size in one flat buffer, reduced as well, out of which pieces are gathered.

    pictures: uint8 ``(H, W, 3)``. size: height and width of the pieces; what is smaller is left out.
    least: scale to reduce to at most.
    """

    def __init__(self, pictures: Iterable[np.ndarray], size: tuple[int, int], device: torch.device, least: float = 1.0):
        levels = [_levels(picture, size, least) for picture in pictures]
        flat = [level for kept in levels for level in kept]
        counts = [level.shape[0] * level.shape[1] for level in flat]
        self.size, self.device = size, device
        self.pixels = torch.from_numpy(np.concatenate([level.reshape(-1, 3) for level in flat])).to(device)
        self.starts = torch.tensor([0, *np.cumsum(counts)[:-1]], device=device)
        self.sides = torch.tensor([level.shape[:2] for level in flat], device=device)
        self.room = self.sides - torch.tensor(size, device=device) + 1  # down and across, that a piece may begin at
        self.chances = torch.tensor([1 / len(kept) for kept in levels for _ in kept], device=device)

    def __len__(self) -> int:
        return len(self.starts)

    def pieces(self, count: int, random: torch.Generator) -> torch.Tensor:
        """So many pieces at random places, mirrored and, where they are square, turned; float32 ``(N, 3, H, W)``."""
        chosen = torch.multinomial(self.chances, count, replacement=True, generator=random)
        room = self.room[chosen]
        shares = torch.rand(count, 2, generator=random, device=self.device)
        corners = (shares * room).long().clamp_max(room - 1)
        turns = torch.rand(count, 3, generator=random, device=self.device) < 0.5
        return self.cut(chosen, corners, turns)

    def cut(self, chosen: torch.Tensor, corners: torch.Tensor, turns: torch.Tensor) -> torch.Tensor:
        """The pieces of these levels with these corners, ``(N, 2)``, mirrored down, across, and along the diagonal.

        turns: bool ``(N, 3)``; the last holds for square pieces alone.
        """
        height, width = self.size
        down = torch.arange(height, device=self.device)[None, :, None]
        across = torch.arange(width, device=self.device)[None, None, :]
        flipped = [part[:, None, None] for part in turns.unbind(1)]
        down = torch.where(flipped[0], height - 1 - down, down).expand(-1, -1, width)
        across = torch.where(flipped[1], width - 1 - across, across).expand(-1, height, -1)
        if height == width:
            down, across = torch.where(flipped[2], across, down), torch.where(flipped[2], down, across)
        top, left = (corners[:, axis, None, None] for axis in range(2))
        row = self.sides[chosen, 1][:, None, None]
        places = self.starts[chosen][:, None, None] + (top + down) * row + left + across
        return self.pixels[places].permute(0, 3, 1, 2) / 255


def _levels(picture: np.ndarray, size: tuple[int, int], least: float) -> list[np.ndarray]:
    """A picture at each of `SCALES` at which it is no smaller than a size."""
    kept = []
    for scale in SCALES:
        height, width = (round(scale * side) for side in picture.shape[:2])
        if height >= size[0] and width >= size[1] and scale >= least:
            kept.append(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
    return kept
