"""The U-Net of the paper, layer for layer as Keras builds it (Bomben, De Laurentis, Illiano).

Encoder of 32, 64 and 128 channels with 2×2 max pooling, 256 at the bottom, transposed convolutions back up, skips
by concatenation, one sigmoid at the end. 950,883 parameters as Keras counts them: 949,475 that are trained and
the 1,408 running means and variances of batch normalisation.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from training.networks.network import Network

KERAS_MOMENTUM = 0.99
KERAS_EPSILON = 1e-3


def batch_norm(width: int) -> nn.BatchNorm2d:
    """Batch normalisation with Keras's constants; torch counts momentum from the other side, ``1 − 0.99``."""
    return nn.BatchNorm2d(width, eps=KERAS_EPSILON, momentum=1 - KERAS_MOMENTUM)


class Block(nn.Sequential):
    """Convolution 3×3, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(nn.Conv2d(inputs, outputs, 3, padding=1), batch_norm(outputs), nn.ReLU())


class PaperUNet(Network):
    """Batch ``(N, 3, H, W)`` to a batch of the same shape in (0, 1); H and W multiples of `multiple_of`.

    widths: channels at each scale, finest first; the last is the bottom's.
    """

    def __init__(self, widths: Sequence[int]):
        super().__init__()
        self.multiple_of = 2 ** (len(widths) - 1)
        *fine, bottom = widths
        self.encoder = nn.ModuleList(Block(*pair) for pair in zip([3, *fine], fine))
        self.bottom = Block(fine[-1], bottom)
        coarse = [*fine[1:], bottom]
        self.up = nn.ModuleList(nn.ConvTranspose2d(*pair, 2, stride=2) for pair in zip(coarse, fine))
        self.decoder = nn.ModuleList(Block(2 * width, width) for width in fine)
        self.head = nn.Conv2d(fine[0], 3, 1)
        self.apply(glorot_uniform)

    def forward(self, blurred: torch.Tensor) -> torch.Tensor:
        x, skips = blurred, []
        for encoder in self.encoder:
            skips.append(encoder(x))  # (N, 32, H, W), (N, 64, H/2, W/2), (N, 128, H/4, W/4)
            x = functional.max_pool2d(skips[-1], 2)
        x = self.bottom(x)  # (N, 256, H/8, W/8)
        for up, decoder, skip in zip(reversed(self.up), reversed(self.decoder), reversed(skips)):
            x = decoder(torch.cat([up(x), skip], dim=1))
        return torch.sigmoid(self.head(x))


def glorot_uniform(layer: nn.Module) -> None:
    """Keras's start of a convolution: weights uniform in ±√(6 / (inputs + outputs)) of its window, biases zero."""
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
