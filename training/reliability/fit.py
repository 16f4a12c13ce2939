"""The reliability network's network, its fit, and its export."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from deblurcli.errors import DeblurError
from deblurcli.inference import cards, models, reliability
from deblurcli.inference.helpers import FOLDER, Helper
from deblurcli.pictures.luma import to_luma
from training.reliability.scenes import Scenes

WIDTHS = 16, 32, 48, 64  # of convolutions at a half, a fourth, an eighth and a sixteenth of the size
WIDE = 64  # of two that look further around, at the last size
SIDE = 160  # pixels a side of the pieces it is fitted on; smaller scenes are left out
HELD_OUT = 5  # every so many pictures
_RATE, _WEIGHT_DECAY, _WARMUP, _BATCH, _AVERAGE, _CLIP = 2e-3, 1e-2, 100, 24, 0.99, 1.0
_CONTRAST = 0.7, 1.15  # of the pieces, drawn uniformly
_LEAST = 3e-5  # added to mean squared errors, so that none counts that nobody sees: -45 dB
_RIM = 8  # pixels at the sides of a piece that do not count
_MOST = 1.25  # share of a change
_ALL = 1.4  # logit to begin with, of about one
_PARITY, _OPSET = 1e-4, 18


class Reliability(nn.Module):
    """Planes ``(N, 3, H, W)`` to the share of the change that is kept in each cell, ``(N, 1, ⌈H / 16⌉, ⌈W / 16⌉)``."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, (before, behind) in enumerate(zip((3, *WIDTHS), WIDTHS)):
            side = 5 if index == 0 else 3
            layers += _block(nn.Conv2d(before, behind, side, stride=2, padding=side // 2, bias=False))
        for before, reach in ((WIDTHS[-1], 2), (WIDE, 4)):
            layers += _block(nn.Conv2d(before, WIDE, 3, padding=reach, dilation=reach, bias=False))
        self.features = nn.Sequential(*layers)
        self.everywhere = nn.Linear(WIDE, WIDE)
        self.head = nn.Conv2d(WIDE, 1, 1)
        nn.init.zeros_(self.head.weight)
        self.head.bias = nn.Parameter(torch.full((1,), _ALL))

    def forward(self, planes: Tensor) -> Tensor:
        seen = self.features(planes)
        seen = functional.relu(seen + self.everywhere(seen.mean(dim=(2, 3)))[:, :, None, None])
        return _MOST * torch.sigmoid(self.head(seen))


def _block(convolution: nn.Conv2d) -> list[nn.Module]:
    return [convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU()]


@dataclass(frozen=True)
class Example:
    """The luma of a picture blurred, restored and sharp, 16 bits ``(3, H, W)``, and the number of the picture."""

    lumas: np.ndarray
    picture: int


def gather(scenes: Scenes, restore: Callable[[np.ndarray], np.ndarray], minutes: float) -> Iterator[Example]:
    """Examples of as many scenes as can be restored in that time, about four a second."""
    begun, number = time.monotonic(), 0
    while time.monotonic() - begun < 60 * minutes:
        scene = scenes.draw(number)
        number += 1
        if min(scene.blurred.shape[:2]) < SIDE:
            continue
        shown = scene.blurred, restore(scene.blurred), scene.sharp
        lumas = np.stack([np.clip(to_luma(each), 0, 1) for each in shown])
        yield Example(np.rint(65535 * lumas).astype(np.uint16), scene.picture)


def fit(examples: Sequence[Example], minutes: float, seed: int, steps: float = math.inf) -> Reliability:
    """A network fitted to examples, all but those of every `HELD_OUT`-th picture.

    What it minimises is the mean logarithm of the squared error with the change kept as it tells, over that of the
    blurred picture. It ends after so many minutes or steps, whatever comes first, and is the running mean of its last
    states.
    """
    torch.manual_seed(seed)
    rng, network = np.random.default_rng(seed), Reliability()
    mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(_AVERAGE), use_buffers=True)
    fitted = [example for example in examples if example.picture % HELD_OUT]
    optimiser = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=_WEIGHT_DECAY)
    begun, step = time.monotonic(), 0
    while (passed := max((time.monotonic() - begun) / (60 * minutes), step / steps)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = _RATE * min(1, (step + 1) / _WARMUP) * (1 + math.cos(math.pi * passed)) / 2
        chosen = [fitted[index] for index in rng.integers(len(fitted), size=_BATCH)]
        blurred, restored, sharp = torch.from_numpy(np.stack([_piece(each.lumas, rng) for each in chosen], axis=1))
        with torch.autocast("cpu", torch.bfloat16):
            told = network(_planes(blurred, restored).contiguous(memory_format=torch.channels_last))
        loss = (_log_error(_kept(blurred, restored, told.float()), sharp) - _log_error(blurred, sharp)).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), _CLIP)
        optimiser.step()
        mean.update_parameters(network)
        step += 1
    network.load_state_dict(mean.module.state_dict())
    return network.eval()


def _piece(lumas: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random piece, turned and mirrored at random, of more or less contrast; float32 ``(3, SIDE, SIDE)``."""
    top, left = (int(rng.integers(length - SIDE + 1)) for length in lumas.shape[1:])
    piece = np.rot90(lumas[:, top : top + SIDE, left : left + SIDE], int(rng.integers(4)), (1, 2))
    values = piece[:, :, :: rng.choice([-1, 1])].astype(np.float32) / 65535
    return np.ascontiguousarray(0.5 + np.float32(rng.uniform(*_CONTRAST)) * (values - 0.5))


def _planes(blurred: Tensor, restored: Tensor) -> Tensor:
    """As `reliability.planes`, of a batch."""
    change = ((restored - blurred) * reliability.CHANGE).clamp(-reliability.MOST, reliability.MOST)
    return torch.stack([blurred - 0.5, restored - 0.5, change], dim=1)


def _kept(blurred: Tensor, restored: Tensor, told: Tensor) -> Tensor:
    """The blurred pictures ``(N, H, W)`` with the change so far as it is kept."""
    share = functional.interpolate(told, size=blurred.shape[1:], mode="bilinear", align_corners=False)[:, 0]
    return blurred + share * (restored - blurred)


def _log_error(picture: Tensor, sharp: Tensor) -> Tensor:
    inside = slice(_RIM, -_RIM)
    return torch.log((picture - sharp)[:, inside, inside].square().mean(dim=(1, 2)) + _LEAST)


@torch.no_grad()
def gains(network: Reliability, examples: Sequence[Example]) -> np.ndarray:
    """Of examples held out, the gain of the network restored from and of of what is kept, dB ``(N, 2)``."""
    rows = []
    for example in examples:
        if example.picture % HELD_OUT == 0:
            blurred, restored, sharp = torch.from_numpy(example.lumas.astype(np.float32) / 65535)[:, None]
            kept = _kept(blurred, restored, network(_planes(blurred, restored)))
            before, *after = (float(_log_error(each, sharp)) for each in (blurred, restored, kept))
            rows.append([10 / math.log(10) * (before - each) for each in after])
    return np.array(rows).reshape(-1, 2)


def export(network: Reliability, examples: Sequence[Example], weights: Path, about: dict[str, object]) -> Path:
    """Write ``weights/helpers/reliability.onnx`` and its card, checked against torch; returns the path of the former.

    about: what the card says of the pictures, the minutes, and the hardware.
    """
    path = weights / FOLDER / f"{reliability.NAME}.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = torch.randn(2, 3, SIDE, SIDE + reliability.CELL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (shown,),
            str(path),
            input_names=["planes"],
            output_names=["share"],
            dynamic_axes={"planes": {0: "n", 2: "h", 3: "w"}, "share": {0: "n", 2: "m", 3: "l"}},
            opset_version=_OPSET,
            dynamo=False,
        )
    plain, kept = gains(network, examples).mean(axis=0).round(3).tolist()
    card = {
        "name": reliability.NAME,
        "description": "Tells how much of what a network changed in a picture is to be kept at each place",
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "examples": sum(example.picture % HELD_OUT > 0 for example in examples),
        "held_out": {"gain": plain, "gain_kept": kept},
        **about,
        "sha256": models.sha256(path),
    }
    cards.write(path.with_suffix(".json"), card)
    with torch.no_grad():
        difference = np.abs(network(shown).numpy() - Helper(path)(shown.numpy())).max()
    if difference > _PARITY:
        raise DeblurError(f"{path}: the exported network tells other shares than the fitted one")
    return path
