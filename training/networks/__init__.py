"""The networks by name: a table; adding one is a file and a line."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from training.networks.amsa_unet import AMSAUNet
from training.networks.deblurgan import DeblurGAN
from training.networks.dense_unet import DenseUNet
from training.networks.fusion_unet import FusionUNet
from training.networks.nafnet import NAFNet
from training.networks.paper_unet import PaperUNet
from training.networks.residual_unet import ResidualUNet
from training.networks.srcnn import SRCNN

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "amsa-unet": AMSAUNet,
    "deblurgan": DeblurGAN,
    "dense-unet": DenseUNet,
    "fusion-unet": FusionUNet,
    "nafnet": NAFNet,
    "paper-unet": PaperUNet,
    "residual-unet": ResidualUNet,
    "srcnn": SRCNN,
}


def build(settings: dict) -> nn.Module:
    """The network a recipe's ``[network]`` table describes: its name, and its own settings."""
    own = {key: value for key, value in settings.items() if key != "name"}
    return NETWORKS[settings["name"]](**own)


def parameters(network: nn.Module) -> tuple[int, int]:
    """Numbers that training changes, and those it only keeps count of: running means and variances.

    Keras calls their sum the parameters of a network.
    """
    kept = {name: value for name, value in network.named_buffers() if not name.endswith("num_batches_tracked")}
    return sum(value.numel() for value in network.parameters()), sum(value.numel() for value in kept.values())


def multiply_adds(network: nn.Module, height: int, width: int) -> int:
    """Multiply-accumulate operations of the convolutions for one picture; height and width as the network takes."""
    shadow = deepcopy(network).to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        shadow(torch.empty(1, 3 * getattr(network, "layers", 1), height, width, device="meta"))
    return counter.get_total_flops() // 2
