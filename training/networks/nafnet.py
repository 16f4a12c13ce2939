"""A U-Net of NAFNet's blocks, without activation functions (Chen, Chu, Zhang and Sun: "Simple Baselines for Image
Restoration", ECCV 2022).

A block halves channels by multiplying one half with the other (their simple gate), and weighs them by their means over
the whole picture (their simplified channel attention). Between the scales, convolutions of stride two down, and pixel
shuffles up; skips by addition; the input added to the output. Widths and numbers of blocks are the recipe's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from training.networks.network import Network


class ChannelNorm(nn.Module):
    """Layer normalisation of the channels of each pixel, ``(N, C, H, W)``."""

    def __init__(self, width: int, epsilon: float = 1e-6):
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.epsilon = epsilon

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        centred = x - x.mean(dim=1, keepdim=True)
        spread = torch.sqrt(centred.square().mean(dim=1, keepdim=True) + self.epsilon)
        return centred / spread * self.scale[:, None, None] + self.shift[:, None, None]


def gated(x: torch.Tensor) -> torch.Tensor:
    """The first half of the channels times the second, ``(N, C / 2, H, W)``."""
    one, other = x.chunk(2, dim=1)
    return one * other


class Block(nn.Module):
    """NAFNet's block: a gated depthwise convolution with channel attention, then a gated mix of channels."""

    def __init__(self, width: int):
        super().__init__()
        self.norms = nn.ModuleList(ChannelNorm(width) for _ in range(2))
        self.spread = nn.Conv2d(width, 2 * width, 1)
        self.around = nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2 * width)
        self.attention = nn.Conv2d(width, width, 1)
        self.gathered = nn.Conv2d(width, width, 1)
        self.mix = nn.Conv2d(width, 2 * width, 1)
        self.mixed = nn.Conv2d(width, width, 1)
        self.shares = nn.ParameterList(torch.zeros(width, 1, 1) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = gated(self.around(self.spread(self.norms[0](x))))
        y = y * self.attention(y.mean(dim=(2, 3), keepdim=True))
        x = x + self.shares[0] * self.gathered(y)
        return x + self.shares[1] * self.mixed(gated(self.mix(self.norms[1](x))))


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Block(width) for _ in range(count)))


class NAFNet(Network):
    """Batch ``(N, 3, H, W)`` to one of the same shape; H and W multiples of `multiple_of`.

    widths: channels at each scale, finest first. blocks: at each scale of the encoder, and again of the decoder; at
    the last, once.
    """

    looks_everywhere = "its channel attention takes means over the whole picture"

    def __init__(self, widths: Sequence[int], blocks: Sequence[int]):
        super().__init__()
        self.multiple_of = 2 ** (len(widths) - 1)
        steps = list(pairwise(widths))
        self.stem = nn.Conv2d(3, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(_blocks(width, count) for width, count in zip(widths[:-1], blocks))
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in steps)
        self.bottom = _blocks(widths[-1], blocks[-1])
        self.up = nn.ModuleList(nn.Conv2d(coarse, 4 * fine, 1, bias=False) for fine, coarse in steps)
        self.decoder = nn.ModuleList(_blocks(width, count) for width, count in zip(widths[:-1], blocks))
        self.head = nn.Conv2d(widths[0], 3, 3, padding=1)

    def forward(self, blurred: torch.Tensor) -> torch.Tensor:
        x, skips = self.stem(blurred), []
        for encoder, down in zip(self.encoder, self.down):
            skips.append(encoder(x))  # (N, w0, H, W), (N, w1, H/2, W/2), …
            x = down(skips[-1])
        x = self.bottom(x)
        for up, decoder, skip in zip(reversed(self.up), reversed(self.decoder), reversed(skips)):
            x = decoder(functional.pixel_shuffle(up(x), 2) + skip)
        return blurred + self.head(x)
