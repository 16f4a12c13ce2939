"""AMSA-UNet: an asymmetric U-Net of several inputs with self-attention in its decoder (Y. Wang: "AMSA-UNet: An
Asymmetric Multiple Scales U-net Based on Self-attention for Deblurring", 2024, arXiv 2406.09015).

The blurred picture enters the encoder at every scale, through a shallow module of convolutions; skips are fused of all
scales (both after Cho et al., "Rethinking Coarse-to-Fine Approach in Single Image Deblurring", ICCV 2021). Blocks work
on the Fourier transforms of patches of 8 × 8 (after Kong et al., "Efficient Frequency Domain-based Transformers", CVPR
2023): those of the encoder weigh frequencies by a learned matrix, inside a gated feed-forward part; those of the
decoder attend as well, queries and keys being correlated by the product of their transforms.

Deviations: widths and numbers of blocks are the recipe's, to fit its budget; one picture comes out, not one for each
scale; transforms are products with the matrices of the discrete Fourier transform, which every runtime has.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from training.networks.fusion_unet import Fusion
from training.networks.nafnet import ChannelNorm
from training.networks.network import Network

PATCH = 8


def _transform() -> tuple[torch.Tensor, torch.Tensor]:
    """Real and imaginary part of the orthonormal transform of a patch, each ``(64, 64)``, symmetric."""
    turns = torch.outer(*2 * [torch.arange(PATCH, dtype=torch.float64)]) / PATCH
    line = torch.exp(-2j * torch.pi * turns) / PATCH**0.5
    both = torch.kron(line, line)
    return both.real.float(), both.imag.float()


def patches(x: torch.Tensor) -> torch.Tensor:
    """``(N, C, H, W)`` as patches ``(N, C, H / 8, W / 8, 64)``."""
    count, channels, height, width = x.shape
    cut = x.reshape(count, channels, height // PATCH, PATCH, width // PATCH, PATCH)
    return cut.transpose(3, 4).flatten(4)


def joined(cut: torch.Tensor) -> torch.Tensor:
    """Patches ``(N, C, h, w, 64)`` put together again."""
    count, channels, rows, columns, _ = cut.shape
    whole = cut.reshape(count, channels, rows, columns, PATCH, PATCH).transpose(3, 4)
    return whole.reshape(count, channels, rows * PATCH, columns * PATCH)


class Fourier(nn.Module):
    """What works on the transforms of patches."""

    real: torch.Tensor
    imaginary: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, part in zip(("real", "imaginary"), _transform()):
            self.register_buffer(name, part, persistent=False)

    def forward_of(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Real and imaginary parts of the patches' transforms, ``(N, C, h, w, 64)``."""
        cut = patches(x)
        return cut @ self.real, cut @ self.imaginary

    def back_of(self, real: torch.Tensor, imaginary: torch.Tensor) -> torch.Tensor:
        """The real part of what has these transforms, ``(N, C, H, W)``."""
        return joined(real @ self.real + imaginary @ self.imaginary)


class Attention(Fourier):
    """Self-attention by correlation: ``v · norm(F⁻¹(F(q) · conj F(k)))`` in each patch."""

    def __init__(self, width: int):
        super().__init__()
        self.hidden = nn.Conv2d(width, 3 * width, 1)
        self.around = nn.Conv2d(3 * width, 3 * width, 3, padding=1, groups=3 * width)
        self.norm = ChannelNorm(width)
        self.out = nn.Conv2d(width, width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        query, key, value = self.around(self.hidden(x)).chunk(3, dim=1)
        (a, b), (c, d) = self.forward_of(query), self.forward_of(key)
        return self.out(value * self.norm(self.back_of(a * c + b * d, b * c - a * d)))


class FeedForward(Fourier):
    """Channels widened, their frequencies weighed, gated by one another, and narrowed again."""

    def __init__(self, width: int, growth: int = 2):
        super().__init__()
        inner = growth * width
        self.widen = nn.Conv2d(width, 2 * inner, 1)
        self.weights = nn.Parameter(torch.ones(2 * inner, 1, 1, PATCH * PATCH))
        self.around = nn.Conv2d(2 * inner, 2 * inner, 3, padding=1, groups=2 * inner)
        self.narrow = nn.Conv2d(inner, width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        real, imaginary = self.forward_of(self.widen(x))
        weighed = self.back_of(real * self.weights, imaginary * self.weights)
        gate, value = self.around(weighed).chunk(2, dim=1)
        return self.narrow(functional.gelu(gate) * value)


class Block(nn.Module):
    """A feed-forward part in a residual; after attention in another, where that is asked for."""

    def __init__(self, width: int, attends: bool):
        super().__init__()
        parts = ([Attention(width)] if attends else []) + [FeedForward(width)]
        self.parts = nn.ModuleList(parts)
        self.norms = nn.ModuleList(ChannelNorm(width) for _ in parts)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for norm, part in zip(self.norms, self.parts):
            x = x + part(norm(x))
        return x


class Shallow(nn.Module):
    """The blurred picture at a scale as features: 3×3 and 1×1 by turns, the picture itself beside them."""

    def __init__(self, width: int):
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(3, width // 4, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width // 4, width // 2, 1), nn.ReLU(),
            nn.Conv2d(width // 2, width // 2, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width // 2, width - 3, 1), nn.ReLU(),
        )  # fmt: skip
        self.mixed = nn.Conv2d(width, width, 1)

    def forward(self, blurred: torch.Tensor) -> torch.Tensor:
        return self.mixed(torch.cat([blurred, self.convolutions(blurred)], dim=1))


def _blocks(width: int, count: int, attends: bool) -> nn.Sequential:
    return nn.Sequential(*(Block(width, attends) for _ in range(count)))


class AMSAUNet(Network):
    """Batch ``(N, 3, H, W)`` to one of the same shape; H and W multiples of `multiple_of`.

    widths: channels at each scale, finest first, multiples of 4, at least 8. blocks: at each scale of the encoder, and
    again of the decoder.
    """

    def __init__(self, widths: Sequence[int], blocks: Sequence[int]):
        super().__init__()
        self.multiple_of = PATCH * 2 ** (len(widths) - 1)
        steps, finer = list(pairwise(widths)), list(zip(widths, blocks))
        self.stem = nn.Conv2d(3, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(_blocks(width, count, False) for width, count in finer)
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in steps)
        self.shallow = nn.ModuleList(Shallow(width) for width in widths[1:])
        self.entered = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for width in widths[1:])
        self.fused = nn.ModuleList(Fusion(widths, scale) for scale in range(len(steps)))
        self.bottom = _blocks(*finer[-1], True)
        self.up = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in steps)
        self.joined = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for width in widths[:-1])
        self.decoder = nn.ModuleList(_blocks(width, count, True) for width, count in finer[:-1])
        self.head = nn.Conv2d(widths[0], 3, 3, padding=1)

    def forward(self, blurred: torch.Tensor) -> torch.Tensor:
        features, smaller = [self.encoder[0](self.stem(blurred))], blurred
        for down, shallow, entered, encoder in zip(self.down, self.shallow, self.entered, self.encoder[1:]):
            smaller = functional.avg_pool2d(smaller, 2)
            both = torch.cat([down(features[-1]), shallow(smaller)], dim=1)
            features.append(encoder(entered(both)))  # (N, w1, H/2, W/2), (N, w2, H/4, W/4), …
        x = self.bottom(features[-1])
        for up, fused, joined, decoder in zip(*map(reversed, (self.up, self.fused, self.joined, self.decoder))):
            x = decoder(joined(torch.cat([up(x), fused(features)], dim=1)))
        return blurred + self.head(x)
