"""A small residual U-Net without batch normalisation.

Pixel-unshuffle by two, residual blocks of plain 3×3 convolutions at three scales, skips by addition, and
the input added to the output, so that the network only learns what the blur took away. It may look at several pictures
together, such as the blurred one and what a Wiener filter makes of it; the last is then the one that is corrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from training.networks.network import Network


class Block(nn.Module):
    """``x + conv(relu(conv(x)))``, 3×3, at one width."""

    def __init__(self, width: int):
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.second(functional.relu(self.first(x)))


def zeroed(layer: nn.Conv2d) -> nn.Conv2d:
    """The convolution, its weights and biases set to zero, so that a residual begins as nothing."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Block(width) for _ in range(count)))


class ResidualUNet(Network):
    """Batch ``(N, 3 · layers, H, W)`` to one of ``(N, 3, H, W)``; H and W multiples of `multiple_of`.

    widths: channels at each scale, finest first.
    blocks: residual blocks at each scale, in the encoder and again in the decoder; at the last, once.
    layers: pictures that it looks at together.
    """

    def __init__(self, widths: Sequence[int], blocks: Sequence[int], layers: int = 1):
        super().__init__()
        self.multiple_of = 2 ** len(widths)
        self.layers = layers
        steps = list(pairwise(widths))
        self.stem = nn.Conv2d(12 * layers, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(_blocks(width, count) for width, count in zip(widths[:-1], blocks))
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in steps)
        self.bottom = _blocks(widths[-1], blocks[-1])
        self.up = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in steps)
        self.decoder = nn.ModuleList(_blocks(width, count) for width, count in zip(widths[:-1], blocks))
        self.head = zeroed(nn.Conv2d(widths[0], 12, 3, padding=1))

    def forward(self, blurred: torch.Tensor) -> torch.Tensor:
        return blurred[:, -3:] + self.correction(self.stem(functional.pixel_unshuffle(blurred, 2)))

    def correction(self, x: torch.Tensor) -> torch.Tensor:
        """What is to be added ``(N, 3, H, W)``, from what the stem makes of a batch, ``(N, w0, H/2, W/2)``."""
        skips = []
        for encoder, down in zip(self.encoder, self.down):
            skips.append(encoder(x))
            x = down(skips[-1])  # (N, w1, H/4, W/4), …
        x = self.bottom(x)
        for up, decoder, skip in zip(reversed(self.up), reversed(self.decoder), reversed(skips)):
            x = decoder(up(x) + skip)
        return functional.pixel_shuffle(self.head(x), 2)
