"""The networks by name: a table; adding one is a file and a line."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from deblurcli.pictures.power_spectrum import SPECTRUM_SHAPE
from training.networks.amsa_unet import AMSAUNet
from training.networks.deblurgan import DeblurGAN
from training.networks.dense_unet import DenseUNet
from training.networks.fusion_unet import FusionUNet
from training.networks.nafnet import NAFNet
from training.networks.network import Network
from training.networks.paper_unet import PaperUNet
from training.networks.residual_unet import ResidualUNet
from training.networks.spectral_unet import SpectralUNet
from training.networks.srcnn import SRCNN

NETWORKS: dict[str, Callable[..., Network]] = {
    "amsa-unet": AMSAUNet,
    "deblurgan": DeblurGAN,
    "dense-unet": DenseUNet,
    "fusion-unet": FusionUNet,
    "nafnet": NAFNet,
    "paper-unet": PaperUNet,
    "residual-unet": ResidualUNet,
    "spectral-unet": SpectralUNet,
    "srcnn": SRCNN,
}


def build(settings: dict) -> Network:
    """The network a recipe's ``[network]`` table describes: its name, a key of `NETWORKS`, and its own settings.

    Raises KeyError for a name that is not there, TypeError for settings that the network does not have.
    """
    own = {key: value for key, value in settings.items() if key != "name"}
    return NETWORKS[settings["name"]](**own)


def inputs(network: Network, count: int, height: int, width: int) -> tuple[torch.Tensor, ...]:
    """A batch of noise ``(count, 3 · layers, height, width)``; a log power spectrum too where the network needs one."""
    batch = torch.rand(count, 3 * network.layers, height, width)
    return (batch, torch.randn(count, *SPECTRUM_SHAPE) - 5) if network.needs_spectrum else (batch,)


def parameters(network: nn.Module) -> tuple[int, int]:
    """Numbers that training changes, and those it only keeps count of: running means and variances.

    Keras calls their sum the parameters of a network.
    """
    trainable = dict(network.named_parameters())
    kept = (name for name in network.state_dict() if not (name in trainable or name.endswith("num_batches_tracked")))
    return sum(value.numel() for value in trainable.values()), sum(network.get_buffer(name).numel() for name in kept)


def multiply_adds(network: Network, height: int, width: int) -> int:
    """Multiply-accumulate operations of the convolutions for one picture; height and width as the network takes."""
    shadow = deepcopy(network).to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        shadow(*(part.to("meta") for part in inputs(network, 1, height, width)))
    return counter.get_total_flops() // 2
