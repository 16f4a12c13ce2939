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
from training.reliability.scenes import Scene, Scenes

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
# The networks, and what each tells, for their cards.
TELLS = {
    reliability.NAME: "Tells how much of what a network changed in a picture is to be kept at each place",
    reliability.PREFERENCE: "Tells how much is to be taken at each place of what a PSF that was found restored, "
    "the rest of what a network did that knows of none",
}


class Reliability(nn.Module):
    """Planes ``(N, P, H, W)`` to the share of the change that is kept in each cell, ``(N, 1, ⌈H / 16⌉, ⌈W / 16⌉)``.

    planes: how many it looks at, P.
    """

    def __init__(self, planes: int = 3) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, (before, behind) in enumerate(zip((planes, *WIDTHS), WIDTHS)):
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
    """The luma of a picture in several forms, 16 bits ``(N, H, W)``, and the number of the picture.

    The last form is the sharp one. How much of the change from the one before the last but one to the one before the
    last is to be kept, a network tells from all but the last.
    """

    lumas: np.ndarray
    picture: int


def gather(scenes: Scenes, restored: Callable[[Scene], Sequence[np.ndarray]], minutes: float) -> Iterator[Example]:
    """Examples of as many scenes as can be restored in that time.

    restored: the forms of a blurred picture ``(H, W, 3)`` that are to be compared; none where nothing is.
    """
    begun, number = time.monotonic(), 0
    while time.monotonic() - begun < 60 * minutes:
        scene = scenes.draw(number)
        number += 1
        if min(scene.blurred.shape[:2]) < SIDE:
            continue
        forms = restored(scene)
        if forms:
            lumas = np.stack([np.clip(to_luma(each), 0, 1) for each in (scene.blurred, *forms, scene.sharp)])
            yield Example(np.rint(65535 * lumas).astype(np.uint16), scene.picture)


def fit(examples: Sequence[Example], minutes: float, seed: int, steps: float = math.inf) -> Reliability:
    """A network fitted to examples, all but those of every `HELD_OUT`-th picture.

    What it minimises is the mean logarithm of the squared error with the change kept as it tells, over that without the
    change. It ends after so many minutes or steps, whatever comes first, and is the running mean of its last
    states.
    """
    torch.manual_seed(seed)
    rng, network = np.random.default_rng(seed), Reliability(len(examples[0].lumas))
    mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(_AVERAGE), use_buffers=True)
    fitted = [example for example in examples if example.picture % HELD_OUT]
    optimiser = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=_WEIGHT_DECAY)
    begun, step = time.monotonic(), 0
    while (passed := max((time.monotonic() - begun) / (60 * minutes), step / steps)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = _RATE * min(1, (step + 1) / _WARMUP) * (1 + math.cos(math.pi * passed)) / 2
        chosen = [fitted[index] for index in rng.integers(len(fitted), size=_BATCH)]
        *seen, sharp = torch.from_numpy(np.stack([_piece(each.lumas, rng) for each in chosen], axis=1))
        with torch.autocast("cpu", torch.bfloat16):
            told = network(_planes(*seen).contiguous(memory_format=torch.channels_last))
        loss = (_log_error(_kept(seen[-2], seen[-1], told.float()), sharp) - _log_error(seen[-2], sharp)).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), _CLIP)
        optimiser.step()
        mean.update_parameters(network)
        step += 1
    network.load_state_dict(mean.module.state_dict())
    return network.eval()


def _piece(lumas: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random piece, turned and mirrored at random, of more or less contrast; float32 ``(N, SIDE, SIDE)``."""
    top, left = (int(rng.integers(length - SIDE + 1)) for length in lumas.shape[1:])
    piece = np.rot90(lumas[:, top : top + SIDE, left : left + SIDE], int(rng.integers(4)), (1, 2))
    values = piece[:, :, :: rng.choice([-1, 1])].astype(np.float32) / 65535
    return np.ascontiguousarray(0.5 + np.float32(rng.uniform(*_CONTRAST)) * (values - 0.5))


def _planes(*seen: Tensor) -> Tensor:
    """As `reliability.planes`, of a batch."""
    change = ((seen[-1] - seen[-2]) * reliability.CHANGE).clamp(-reliability.MOST, reliability.MOST)
    return torch.stack([*(each - 0.5 for each in seen), change], dim=1)


def _kept(before: Tensor, after: Tensor, told: Tensor) -> Tensor:
    """Pictures ``(N, H, W)`` with the change so far as it is kept."""
    share = functional.interpolate(told, size=before.shape[1:], mode="bilinear", align_corners=False)[:, 0]
    return before + share * (after - before)


def _log_error(picture: Tensor, sharp: Tensor) -> Tensor:
    inside = slice(_RIM, -_RIM)
    return torch.log((picture - sharp)[:, inside, inside].square().mean(dim=(1, 2)) + _LEAST)


@torch.no_grad()
def gains(network: Reliability, examples: Sequence[Example]) -> np.ndarray:
    """Of examples held out, the gain of all of the change and of what is kept of it, dB ``(N, 2)``."""
    rows = []
    for example in examples:
        if example.picture % HELD_OUT == 0:
            *seen, sharp = torch.from_numpy(example.lumas.astype(np.float32) / 65535)[:, None]
            kept = _kept(seen[-2], seen[-1], network(_planes(*seen)))
            before, *after = (float(_log_error(each, sharp)) for each in (*seen[-2:], kept))
            rows.append([10 / math.log(10) * (before - each) for each in after])
    return np.array(rows).reshape(-1, 2)


def export(
    network: Reliability,
    examples: Sequence[Example],
    weights: Path,
    about: dict[str, object],
    name: str = reliability.NAME,
) -> Path:
    """Write ``weights/helpers/NAME.onnx`` and its card, checked against torch; returns the path of the former.

    about: what the card says of the pictures, the minutes, and the hardware. name: a key of `TELLS`.
    """
    path = weights / FOLDER / f"{name}.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = torch.randn(2, len(examples[0].lumas), SIDE, SIDE + reliability.CELL)
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
        "name": name,
        "description": TELLS[name],
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
