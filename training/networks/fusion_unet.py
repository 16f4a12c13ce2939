"""A U-Net with multilayer fusion and attention (Z. Lian and H. Wang: "An image deblurring method using improved U-Net
model based on multilayer fusion and attention mechanism", Scientific Reports 13, 2023).

Two parts are the paper's. What a skip brings to a scale of the decoder is fused of the encoder's features at all
scales, brought to its size (multilayer feature fusion). And the blocks are of convolutions with growing dilation, each
of which sees the results of those before it, weighed by channel attention, in a residual (dense multi-receptive-field
attention).

Deviations: widths and numbers of dilations are the recipe's, to fit its budget; the attention looks at means over the
whole picture, so that it is not cut into tiles. Its frequency reconstruction loss is `losses.fourier`, up to a factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from training.networks.network import Network

SQUEEZED = 4  # times fewer channels inside the attention


class Attention(nn.Module):
    """Every channel times a share from 0 to 1, from the means of all over the picture (Hu et al., 2018)."""

    def __init__(self, width: int):
        super().__init__()
        self.squeeze = nn.Conv2d(width, width // SQUEEZED, 1)
        self.excite = nn.Conv2d(width // SQUEEZED, width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        means = x.mean(dim=(2, 3), keepdim=True)
        return x * torch.sigmoid(self.excite(functional.relu(self.squeeze(means))))


class Block(nn.Module):
    """Convolutions 3×3 of several dilations, densely connected; their channels mixed and weighed, in a residual."""

    def __init__(self, width: int, dilations: Sequence[int]):
        super().__init__()
        growth = width // 2
        self.branches = nn.ModuleList(
            nn.Conv2d(width + index * growth, growth, 3, padding=dilation, dilation=dilation)
            for index, dilation in enumerate(dilations)
        )
        self.mixed = nn.Conv2d(width + len(dilations) * growth, width, 1)
        self.attention = Attention(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = x
        for branch in self.branches:
            seen = torch.cat([seen, functional.relu(branch(seen))], dim=1)
        return x + self.attention(self.mixed(seen))


class Fusion(nn.Module):
    """Features of all scales, brought to the size of one of them, as one of its width."""

    def __init__(self, widths: Sequence[int], scale: int):
        super().__init__()
        self.scale = scale
        self.narrow = nn.Conv2d(sum(widths), widths[scale], 1)
        self.smooth = nn.Conv2d(widths[scale], widths[scale], 3, padding=1)

    def forward(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        brought = [_resized(one, self.scale - scale) for scale, one in enumerate(features)]
        return self.smooth(functional.relu(self.narrow(torch.cat(brought, dim=1))))


def _resized(x: torch.Tensor, halvings: int) -> torch.Tensor:
    """Features at half the size so many times; at twice the size where that is negative."""
    if halvings > 0:
        return functional.avg_pool2d(x, 2**halvings)
    return functional.interpolate(x, scale_factor=2.0**-halvings, mode="nearest") if halvings else x


class FusionUNet(Network):
    """Batch ``(N, 3, H, W)`` to one of the same shape; H and W multiples of `multiple_of`.

    widths: channels at each scale, finest first, even. dilations: of the convolutions in each block.
    """

    looks_everywhere = "its channel attention takes means over the whole picture"

    def __init__(self, widths: Sequence[int], dilations: Sequence[int]):
        super().__init__()
        self.multiple_of = 2 ** (len(widths) - 1)
        steps = list(pairwise(widths))
        self.stem = nn.Conv2d(3, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(Block(width, dilations) for width in widths)
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in steps)
        self.fused = nn.ModuleList(Fusion(widths, scale) for scale in range(len(steps)))
        self.up = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in steps)
        self.joined = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for width in widths[:-1])
        self.decoder = nn.ModuleList(Block(width, dilations) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], 3, 3, padding=1)

    def forward(self, blurred: torch.Tensor) -> torch.Tensor:
        features = [self.encoder[0](self.stem(blurred))]  # (N, w0, H, W), (N, w1, H/2, W/2), …
        for down, encoder in zip(self.down, self.encoder[1:]):
            features.append(encoder(down(features[-1])))
        x = features[-1]
        for up, fused, joined, decoder in zip(*map(reversed, (self.up, self.fused, self.joined, self.decoder))):
            x = decoder(joined(torch.cat([up(x), fused(features)], dim=1)))
        return blurred + self.head(x)
