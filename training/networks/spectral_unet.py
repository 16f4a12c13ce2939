"""A residual U-Net that also sees what a linear filter makes of the picture, a filter drawn up from its power spectrum.

Blur is the same all over a picture, and its spectrum shows it; convolutions alone see too little of the picture to
tell. So a small U-Net looks at the mean power spectrum and gives each frequency a gain, a real one, since most PSFs are
symmetric and the power spectrum of no other shows its phase. Luma is filtered by those gains, block by block
(overlap-save), and the residual U-Net corrects the blurred picture looking at both.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from deblurcli.pictures.luma import LUMA_WEIGHTS
from deblurcli.pictures.power_spectrum import SPECTRUM_SIDE
from training.networks.network import Network
from training.networks.residual_unet import Block, ResidualUNet, zeroed

BLOCK = 2 * SPECTRUM_SIDE  # side of what is filtered at once; its middle is kept
_TYPICAL, _SPREAD = -5.0, 3.0  # of logarithms of power


def frequencies(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Down and across, in cycles per pixel, of a half plane ``(side, side / 2 + 1)``, its origin in the middle row."""
    down = torch.fft.fftshift(torch.fft.fftfreq(side))
    grid = torch.meshgrid(down, torch.arange(side // 2 + 1) / side, indexing="ij")
    return grid[0], grid[1]


class Gains(nn.Module):
    """Logarithm of a picture's mean power ``(N, 64, 33)`` to gains of the same shape, 1 to begin with: a small U-Net.

    widths: channels at each scale, finest first.
    """

    place: torch.Tensor

    def __init__(self, widths: Sequence[int]):
        super().__init__()
        down, across = frequencies(SPECTRUM_SIDE)
        radius, turn = torch.hypot(down, across).clamp_min(0.5 / SPECTRUM_SIDE), torch.atan2(down, across)
        waves = [wave(count * turn) for count in (2, 4) for wave in (torch.cos, torch.sin)]
        self.register_buffer("place", torch.stack([torch.log(10 * radius), *waves])[None], persistent=False)
        steps = list(pairwise(widths))
        self.stem = nn.Conv2d(6, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(Block(width) for width in widths)
        self.down = nn.ModuleList(nn.Conv2d(fine, coarse, 3, stride=2, padding=1) for fine, coarse in steps)
        self.everywhere = nn.Linear(widths[-1], widths[-1])
        self.up = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in steps)
        self.decoder = nn.ModuleList(Block(width) for width in widths[:-1])
        self.head = zeroed(nn.Conv2d(widths[0], 1, 3, padding=1))

    def forward(self, spectrum: torch.Tensor) -> torch.Tensor:
        seen = ((spectrum - _TYPICAL) / _SPREAD)[:, None]
        x = self.stem(torch.cat([seen, self.place.expand(seen.shape[0], -1, -1, -1)], dim=1))  # (N, w0, 64, 33)
        skips = []
        for encoder, down in zip(self.encoder, self.down):
            skips.append(encoder(x))
            x = down(skips[-1])  # (N, w1, 32, 17), …
        x = self.encoder[-1](x)
        x = x + self.everywhere(x.mean(dim=(2, 3)))[:, :, None, None]
        for up, decoder, skip in zip(reversed(self.up), reversed(self.decoder), reversed(skips)):
            grown = functional.interpolate(up(x), size=skip.shape[2:], mode="bilinear", align_corners=True)
            x = decoder(grown + skip)
        return 1 + self.head(x)[:, 0]


class Filter(nn.Module):
    """Planes ``(N, H, W)`` filtered by gains ``(N, 64, 33)``: the picture is mirrored beyond its border.

    Transforms are products with matrices, which ONNX Runtime is quick at.
    """

    across: torch.Tensor
    down: torch.Tensor
    back_down: torch.Tensor
    back_across: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        side, kept = BLOCK, slice(BLOCK // 4, 3 * BLOCK // 4)
        angle = 2 * torch.pi / side * torch.outer(torch.arange(side), torch.arange(side)).double()
        cos, sin = torch.cos(angle), torch.sin(angle)
        half = side // 2 + 1
        twice = torch.full((half, 1), 2.0, dtype=torch.double)  # a half plane stands for the other half as well
        twice[0] = twice[-1] = 1
        once = twice.T / 2  # at frequencies that are their own opposites, else each counts and so does its opposite
        tables = {
            "across": torch.cat([cos[:, :half], -sin[:, :half]], dim=1),  # (128, 130)
            "down": torch.cat([cos[:half], sin[:half]]),  # (130, 128)
            "back_down": torch.cat([once * cos[kept, :half], once * sin[kept, :half]], dim=1),  # (64, 130)
            "back_across": torch.cat([twice * cos[:half, kept], -twice * sin[:half, kept]]) / side**2,  # (130, 64)
        }
        for name, table in tables.items():
            self.register_buffer(name, table.float(), persistent=False)

    def forward(self, planes: torch.Tensor, gains: torch.Tensor) -> torch.Tensor:
        _, height, width = planes.shape
        whole = torch.cat([gains, gains[:, :1]], dim=1)[:, None]  # the first row is the one past the last as well
        half = BLOCK // 2 + 1
        fine = functional.interpolate(whole, size=(BLOCK + 1, half), mode="bilinear", align_corners=True)[:, :, None]
        below, above = fine[..., half - 1 :, :], fine[..., :half, :].flip(-2)  # opposite frequencies, row by row
        middles = self._filtered(self._blocks(planes), below + above, below - above)  # (N, m, n, 64, 64)
        return middles.transpose(2, 3).flatten(3, 4).flatten(1, 2)[:, :height, :width]

    def _blocks(self, planes: torch.Tensor) -> torch.Tensor:
        """Blocks ``(N, m, n, 128, 128)`` that overlap by half; their middles tile the picture."""
        rows, columns = (_mirrored(side, planes.device) for side in planes.shape[1:])
        step = BLOCK // 2
        grown = planes.index_select(1, rows).index_select(2, columns)
        down = grown.unflatten(1, (-1, step))  # (N, m + 1, 64, W)
        down = torch.cat([down[:, :-1], down[:, 1:]], dim=2).unflatten(3, (-1, step))  # (N, m, 128, n + 1, 64)
        return torch.cat([down[:, :, :, :-1], down[:, :, :, 1:]], dim=4).transpose(2, 3)

    def _filtered(self, blocks: torch.Tensor, even: torch.Tensor, odd: torch.Tensor) -> torch.Tensor:
        """The middles of blocks whose spectra are multiplied by gains, given as sums and differences of opposite rows.

        Cosines and sines down an axis are the same for opposite frequencies but for a sign, so that half of them do.
        """
        half = BLOCK // 2 + 1
        cosines, sines = (self.down @ (blocks @ self.across)).split(half, dim=-2)
        (a, b), (c, d) = cosines.split(half, dim=-1), sines.split(half, dim=-1)
        real = torch.cat([even * a + odd * d, even * c - odd * b], dim=-2)
        imaginary = torch.cat([even * b - odd * c, odd * a + even * d], dim=-2)
        return (self.back_down @ torch.cat([real, imaginary], dim=-1)) @ self.back_across


def _mirrored(side: int, device: torch.device) -> torch.Tensor:
    """Which line of an axis stands at each place of a longer one, by a quarter of a block or more at both ends."""
    blocks = (side + BLOCK // 2 - 1) // (BLOCK // 2)
    places = torch.arange(-(BLOCK // 4), blocks * (BLOCK // 2) + BLOCK // 4, device=device)
    twice = torch.full_like(places, 2 * side - 2)
    return side - 1 - (torch.remainder(places, twice) - (side - 1)).abs()


def _single_precision(device: torch.device) -> AbstractContextManager:
    """Where half of it is on: a filter of many taps needs it."""
    return nullcontext() if device.type == "meta" else torch.autocast(device.type, enabled=False)


class SpectralUNet(Network):
    """Batch ``(N, 3, H, W)`` and the logarithm of each picture's mean power, ``(N, 64, 33)``, to ``(N, 3, H, W)``.

    H and W are multiples of `multiple_of`. The power is that of the whole picture that a tile is of; see
    `power_spectrum.log_power_spectrum`.

    widths, blocks: of the residual U-Net. gains: widths of what draws up the filter.
    """

    needs_spectrum = True
    luma: torch.Tensor

    def __init__(self, widths: Sequence[int], blocks: Sequence[int], gains: Sequence[int]):
        super().__init__()
        self.gains, self.filter = Gains(gains), Filter()
        self.corrected = ResidualUNet(widths, blocks, layers=2)
        self.multiple_of = self.corrected.multiple_of
        self.register_buffer("luma", torch.tensor(LUMA_WEIGHTS)[:, None, None], persistent=False)

    def forward(self, blurred: torch.Tensor, spectrum: torch.Tensor) -> torch.Tensor:
        gains = self.gains(spectrum)
        with _single_precision(blurred.device):
            luma = (blurred * self.luma).sum(dim=1)
            change = (self.filter(luma, gains.float()) - luma)[:, None]
        return blurred + self.corrected.correction(self._stem(torch.cat([blurred, change], dim=1)))

    def _stem(self, x: torch.Tensor) -> torch.Tensor:
        """What the stem makes of ``blurred + change`` and `blurred`, from ``(N, 4, H, W)``, blurred and change.

        It is linear, so that both are one convolution of fewer channels, at stride 2 in place of the unshuffling.
        """
        stem = self.corrected.stem
        filtered, plain = stem.weight.unflatten(1, (2, 3, 2, 2)).unbind(1)  # (w0, 3, 2, 2, 3, 3)
        weight = torch.cat([filtered + plain, filtered.sum(dim=1, keepdim=True)], dim=1)
        taps = weight.permute(0, 1, 4, 2, 5, 3).flatten(4, 5).flatten(2, 3)  # (w0, 4, 6, 6)
        return functional.conv2d(x, taps, stem.bias, stride=2, padding=2)
