"""A network with its loss and its metrics as one CUDA graph, which a GPU runs at once and not kernel by kernel.

A small network on small pictures is over before the next kernel is asked for; a graph takes that wait away.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import cast

import torch
from lightning_fabric import Fabric
from torch import nn

from training.data.batched.batches import Batches as MadeOnDevice
from training.data.pairs import Batch, Resident
from training.fitting import metrics
from training.fitting.losses import Loss

Measured = Callable[..., tuple[torch.Tensor, torch.Tensor]]  # inputs and sharp pictures to the loss, and `metrics.sums`


def suit(fabric: Fabric, batches: Iterable[Batch]) -> bool:
    """Whether the batches of a fit may go through graphs.

    One process on a GPU, whose batches lie or are made there. While a graph is recorded, no other thread may use the
    GPU, as those that load batches do.
    """
    stay_there = isinstance(batches, Resident | MadeOnDevice)
    return fabric.device.type == "cuda" and fabric.world_size == 1 and stay_there


class _Step(nn.Module):
    """What is recorded: from the inputs and the sharp pictures to the loss and the sums of the metrics."""

    def __init__(self, network: nn.Module, loss: Loss, precision: Callable[[], AbstractContextManager]):
        super().__init__()
        self.network, self.loss, self.precision = network, loss, precision

    def forward(self, *batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        *inputs, sharp = batch
        with self.precision():
            restored = self.network(*inputs)
        restored = restored.float()
        loss = self.loss(restored, sharp)
        return loss, metrics.sums(loss, restored.detach(), sharp)


class Graphs:
    """The network with its loss and metrics on batches of a few shapes: a graph is recorded at the sight of each."""

    def __init__(self, network: nn.Module, loss: Loss, precision: Callable[[], AbstractContextManager]):
        self.network, self.loss, self.precision = network, loss, precision
        self.of_shape: dict[tuple[torch.Size, ...], Measured] = {}

    def __call__(self, *batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        shapes = tuple(part.shape for part in batch)
        if shapes not in self.of_shape:
            sample = tuple(part.clone() for part in batch)
            found = recorded(self.network, self.loss, self.precision, sample)
            self.of_shape[shapes] = found or _Step(self.network, self.loss, self.precision)
        return self.of_shape[shapes](*batch)


def recorded(
    network: nn.Module, loss: Loss, precision: Callable[[], AbstractContextManager], batch: Batch
) -> Measured | None:
    """The network with its loss and metrics as a graph; None, and a warning, where it cannot be recorded.

    batch: of the shapes and in the layout of all that follow; the graph keeps it and writes to it.
    precision: makes the context that the network alone runs in.

    Recording runs the network a few times; its running means and variances are put back.
    """
    kept = [(buffer, buffer.clone()) for buffer in network.buffers()]
    try:
        step = torch.cuda.make_graphed_callables(_Step(network, loss, precision), batch)
    except RuntimeError as error:  # of CUDA, and of torch where an operation waits for the GPU
        warnings.warn(f"no CUDA graph, the fit goes on without ({str(error).partition(chr(10))[0]})", stacklevel=2)
        return None
    finally:
        for buffer, value in kept:
            buffer.copy_(value)
    return cast(Measured, step)
