"""The perceptual loss of DeblurGAN: pictures compared by what a network trained on something else makes of them.

Source: J. Johnson, A. Alahi and L. Fei-Fei, Perceptual Losses for Real-Time Style Transfer and Super-Resolution, ECCV
2016; the layer, the third convolution before the third pooling of VGG19, is DeblurGAN's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from training import networks, recipe
from training.networks.residual_unet import ResidualUNet
from training.recipe import RecipeError

VGG_FILE = "vgg19-dcbb9e9d.pth"  # torchvision's, where torch.hub puts it
VGG_LAYERS = 15  # of VGG19's features, up to ReLU 3_3
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, which VGG19 was trained on
STAND_IN = "faces"


def source() -> str:
    """What the features are, for cards: VGG19 where its weights are on this machine, else the encoder of `faces`."""
    return "VGG19, ReLU 3_3" if _vgg_is_here() else f"the encoder of {STAND_IN}, as VGG19's weights were not at hand"


def perceptual(restored: torch.Tensor, sharp: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of the features of restored and sharp pictures, ``(N, 3, H, W)`` in [0, 1]."""
    features = _features(sharp.device)
    with torch.no_grad():
        wanted = features(sharp)
    return functional.mse_loss(features(restored), wanted)


def _vgg_file() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints" / VGG_FILE


def _vgg_is_here() -> bool:
    return find_spec("torchvision") is not None and _vgg_file().is_file()


@lru_cache(maxsize=1)
def _features(device: torch.device) -> Callable[[torch.Tensor], torch.Tensor]:
    made = (_vgg() if _vgg_is_here() else _encoder()).to(device).eval()
    return made.requires_grad_(False)


def _vgg() -> nn.Module:
    from torchvision.models import vgg19  # pyright: ignore[reportMissingImports]  # not a dependency

    whole = vgg19()
    whole.load_state_dict(torch.load(_vgg_file(), weights_only=True))
    return nn.Sequential(_Normalised(), whole.features[:VGG_LAYERS])


class _Normalised(nn.Module):
    """Pictures as ImageNet's networks take them."""

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, values in (("mean", MEAN), ("deviation", DEVIATION)):
            self.register_buffer(name, torch.tensor(values).reshape(3, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) / self.deviation


def _encoder() -> nn.Module:
    """The way down of the network kept beside the recipe `faces`."""
    whole = networks.build(recipe.load(STAND_IN).network)
    if not isinstance(whole, ResidualUNet):
        raise RecipeError(f"{STAND_IN}: its network is a {type(whole).__name__}; the features need a ResidualUNet")
    whole.load_state_dict(torch.load(recipe.kept(STAND_IN), map_location="cpu", weights_only=True)["network"])
    steps = [part for pair in zip(whole.encoder, whole.down) for part in pair]
    return nn.Sequential(nn.PixelUnshuffle(2), whole.stem, *steps)
