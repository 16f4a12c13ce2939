"""A larger network that begins as a smaller one: what is new adds nothing until it is trained."""

from __future__ import annotations

import torch
from torch import nn

LAST = "second"  # the layer of a residual block whose zeros make the block the identity


def grown(weights: dict[str, torch.Tensor], network: nn.Module) -> dict[str, torch.Tensor]:
    """The state of `network` that computes what a smaller one of the same form does with its weights.

    Wider layers have the old weights first, and what is new in their input counts nothing for what was in their output;
    further residual blocks add zero. All else that is new stays as it was initialised.

    Raises ValueError when a layer is smaller than the old one.
    """
    state = {name: value.clone() for name, value in network.state_dict().items()}
    for name, value in state.items():
        if name in weights:
            _enlarge(value, weights[name].to(value.dtype), _is_transposed(network, name))
        elif LAST in name.split("."):
            value.zero_()
    return state


def _is_transposed(network: nn.Module, name: str) -> bool:
    """Whether a parameter's inputs come before its outputs."""
    return isinstance(network.get_submodule(name.rpartition(".")[0]), nn.ConvTranspose2d)


def _enlarge(value: torch.Tensor, old: torch.Tensor, is_transposed: bool) -> None:
    """Write old weights into larger ones, in place."""
    if any(new < side for new, side in zip(value.shape, old.shape)):
        raise ValueError(f"{tuple(value.shape)} is smaller than {tuple(old.shape)}")
    if value.dim() > 1:
        new, kept = (value.transpose(0, 1), old.transpose(0, 1)) if is_transposed else (value, old)
        new[: kept.shape[0]] = 0
    value[tuple(slice(side) for side in old.shape)] = old
