"""DeblurGAN's generator and its critic (Kupyn, Budzan, Mykhailych, Mishkin and Matas: "DeblurGAN: Blind Motion
Deblurring Using Conditional Adversarial Networks", CVPR 2018).

Generator: a convolution 7×7, two of stride two, nine residual blocks with instance normalisation, two transposed
convolutions up, a convolution 7×7 and tanh; the input added to the output. Critic: PatchGAN (Isola et al., CVPR 2017),
convolutions 4×4 with instance normalisation and a score for every patch.

Deviations: no dropout in the residual blocks, so that a resumed fit is the uninterrupted one; zero padding;
transposed convolutions of 2×2; the width is the recipe's, 64 in the paper.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from training.networks.network import Network

SLOPE = 0.2  # of the critic's leaky ReLU


def _norm(width: int) -> nn.InstanceNorm2d:
    return nn.InstanceNorm2d(width, affine=False)


def _layer(inputs: int, outputs: int, side: int, stride: int = 1) -> nn.Sequential:
    """Convolution, instance normalisation, ReLU."""
    convolution = nn.Conv2d(inputs, outputs, side, stride, padding=side // 2)
    return nn.Sequential(convolution, _norm(outputs), nn.ReLU())


class Block(nn.Module):
    """Two convolutions 3×3 in a residual."""

    def __init__(self, width: int):
        super().__init__()
        self.parts = nn.Sequential(_layer(width, width, 3), nn.Conv2d(width, width, 3, padding=1), _norm(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.parts(x)


class DeblurGAN(Network):
    """Batch ``(N, 3, H, W)`` in [0, 1] to one of the same shape; H and W multiples of 8.

    width: channels after the first convolution; 64 in the paper. blocks: residual blocks; 9 in the paper.
    """

    multiple_of = 8  # of which two by two pixels are left to normalise
    looks_everywhere = "its instance normalisation takes means over the whole picture"

    def __init__(self, width: int, blocks: int):
        super().__init__()
        widths = [width, 2 * width, 4 * width]
        up = [
            nn.Sequential(nn.ConvTranspose2d(coarse, fine, 2, stride=2), _norm(fine), nn.ReLU())
            for fine, coarse in reversed(list(pairwise(widths)))
        ]
        self.parts = nn.Sequential(
            _layer(3, width, 7),
            *(_layer(fine, coarse, 3, stride=2) for fine, coarse in pairwise(widths)),
            *(Block(widths[-1]) for _ in range(blocks)),
            *up,
            nn.Conv2d(width, 3, 7, padding=3),
        )

    def forward(self, blurred: torch.Tensor) -> torch.Tensor:
        return blurred + torch.tanh(self.parts(blurred))


class PatchCritic(nn.Module):
    """Batch ``(N, 3, H, W)`` to scores ``(N, 1, h, w)``, one for each of many patches that overlap: larger is sharper.

    width: channels after the first convolution; 64 in the paper.
    """

    def __init__(self, width: int):
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, padding=1), nn.LeakyReLU(SLOPE)]
        for index, (inputs, outputs) in enumerate(pairwise(widths)):
            stride = 2 if index < len(widths) - 2 else 1
            layers += [nn.Conv2d(inputs, outputs, 4, stride, padding=1), _norm(outputs), nn.LeakyReLU(SLOPE)]
        self.parts = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, padding=1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.parts(images)
