"""The networks by name: a table; adding one is a file and a line."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from training.networks.paper_unet import PaperUNet
from training.networks.residual_unet import ResidualUNet
from training.networks.srcnn import SRCNN

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "paper-unet": PaperUNet,
    "residual-unet": ResidualUNet,
    "srcnn": SRCNN,
}


def build(settings: dict) -> nn.Module:
    """The network a recipe's ``[network]`` table describes: its name, and its own settings."""
    own = {key: value for key, value in settings.items() if key != "name"}
    return NETWORKS[settings["name"]](**own)
