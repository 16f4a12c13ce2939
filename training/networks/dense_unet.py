"""A U-Net of residual-in-residual dense blocks (Wu et al., "Dense Block U-Net", 2020, as the paper cites it).

The blocks are those of Wang et al. ("ESRGAN", ECCV 2018 workshops): in a dense block each convolution sees what all
before it made, and its result is added, scaled down, to what went in; several of those stand in one more residual.
Between the scales, convolutions of stride two down and transposed ones up; skips by concatenation; the input added to
the output.

Widths, growth and numbers of blocks are the recipe's own choice, to fit its budget; there is no normalisation.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from training.networks.network import Network

SHARE = 0.2  # of a branch, in what it is added to
SLOPE = 0.2  # of the leaky ReLU
DENSE = 3  # dense blocks in a residual-in-residual one


class DenseBlock(nn.Module):
    """Convolutions 3×3 that see the results of all before; the last one brings the width back.

    growth: channels that each adds. depth: convolutions.
    """

    def __init__(self, width: int, growth: int, depth: int):
        super().__init__()
        outputs = [*[growth] * (depth - 1), width]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(width + index * growth, output, 3, padding=1) for index, output in enumerate(outputs)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = x
        for convolution in self.convolutions[:-1]:
            made = functional.leaky_relu(convolution(seen), SLOPE)
            seen = torch.cat([seen, made], dim=1)
        return x + SHARE * self.convolutions[-1](seen)


class ResidualDense(nn.Module):
    """Dense blocks one after the other, in a residual."""

    def __init__(self, width: int, growth: int, depth: int):
        super().__init__()
        self.blocks = nn.Sequential(*(DenseBlock(width, growth, depth) for _ in range(DENSE)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + SHARE * self.blocks(x)


class DenseUNet(Network):
    """Batch ``(N, 3, H, W)`` to one of the same shape; H and W multiples of `multiple_of`.

    widths: channels at each scale, finest first. growth, depth: of the dense blocks.
    """

    def __init__(self, widths: Sequence[int], growth: int, depth: int):
        super().__init__()
        self.multiple_of = 2 ** (len(widths) - 1)
        steps = list(pairwise(widths))
        self.stem = nn.Conv2d(3, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(ResidualDense(width, growth, depth) for width in widths[:-1])
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in steps)
        self.bottom = ResidualDense(widths[-1], growth, depth)
        self.up = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in steps)
        self.joined = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for width in widths[:-1])
        self.decoder = nn.ModuleList(ResidualDense(width, growth, depth) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], 3, 3, padding=1)

    def forward(self, blurred: torch.Tensor) -> torch.Tensor:
        x, skips = self.stem(blurred), []
        for encoder, down in zip(self.encoder, self.down):
            skips.append(encoder(x))  # (N, w0, H, W), (N, w1, H/2, W/2), …
            x = down(skips[-1])
        x = self.bottom(x)
        parts = zip(reversed(self.up), reversed(self.joined), reversed(self.decoder), reversed(skips))
        for up, joined, decoder, skip in parts:
            x = decoder(joined(torch.cat([up(x), skip], dim=1)))
        return blurred + self.head(x)
