"""SRCNN, the first network the paper tried (Dong, Loy, He and Tang, 2015: "Image Super-Resolution Using Deep
Convolutional Networks", section 3).

Three convolutions: patches are extracted, mapped without a non-linearity between neighbours but ReLU, and put
together again. Here the picture keeps its size: zero padding instead of the valid region, three channels in and out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from training.networks.network import Network
from training.networks.paper_unet import glorot_uniform


class SRCNN(Network):
    """Batch ``(N, 3, H, W)`` to a batch of the same shape, any size.

    sides: of the convolution windows in pixels, odd; 9, 1, 5 in the paper, or 9, 5, 5.
    widths: channels between them; 64 and 32.
    """

    multiple_of = 1

    def __init__(self, sides: Sequence[int], widths: Sequence[int]):
        super().__init__()
        channels = pairwise([3, *widths, 3])
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, side, padding=side // 2) for side, (inputs, outputs) in zip(sides, channels)
        )
        self.apply(glorot_uniform)

    def forward(self, blurred: torch.Tensor) -> torch.Tensor:
        x = blurred
        for layer in self.convolutions[:-1]:
            x = functional.relu(layer(x))
        return self.convolutions[-1](x)
