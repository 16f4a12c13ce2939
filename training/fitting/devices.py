"""Where a fit runs: the CPU, an accelerator or many, through Lightning Fabric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

import torch
from lightning_fabric import Fabric
from torch import nn

from deblurcli.errors import DeblurError
from deblurcli.parallel import cpus

ACCELERATORS = ("auto", "cpu", "cuda", "mps")
Precision = Literal["32-true", "bf16-mixed"]
PRECISIONS = get_args(Precision)
MOST_WORKERS = 8  # of one process; more make pairs faster than any network here takes them


class DeviceError(DeblurError):
    """Hardware that is not there, or that a fit cannot be spread over."""


@dataclass(frozen=True)
class Devices:
    """What to run on.

    accelerator: one of `ACCELERATORS`; "auto" takes the best there is.
    devices: of it, on each machine; each has a process of its own, and a part of every batch.
    nodes: machines; start the same command on each with ``torchrun`` or under SLURM.
    precision: one of `PRECISIONS`.
    """

    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    precision: str = "32-true"

    def launched(self) -> Fabric:
        """The processes, started; each returns from here. DeviceError when the hardware is not there."""
        for value, known in ((self.accelerator, ACCELERATORS), (self.precision, PRECISIONS)):
            if value not in known:
                raise DeviceError(f"{value}: unknown; choose one of {', '.join(known)}")
        strategy = "ddp" if self.devices * self.nodes > 1 else "auto"
        try:
            fabric = Fabric(
                accelerator=self.accelerator,
                devices=self.devices,
                num_nodes=self.nodes,
                strategy=strategy,
                precision=cast(Precision, self.precision),
            )
        except (RuntimeError, ValueError) as error:  # Fabric's way of saying that there is no such device
            raise DeviceError(f"{self.accelerator}, {self.devices} devices: {error}") from error
        fabric.launch()
        if fabric.device.type == "cuda":
            torch.set_float32_matmul_precision("high")  # TF32; convolutions take it by default
            torch.backends.cudnn.benchmark = True  # batches have one shape
        return fabric


def workers_for(fabric: Fabric) -> int:
    """Processes to make pairs in: none beside a CPU that has all its cores in use, some beside an accelerator."""
    if fabric.device.type == "cpu":
        return 0
    return min(MOST_WORKERS, max(1, cpus() // max(torch.cuda.device_count(), 1) - 1))


def spread(fabric: Fabric, network: nn.Module, batch: int) -> nn.Module:
    """The network as every process runs it, to the same result as one: gradients and statistics of whole batches.

    Raises DeviceError when the batch is too small for that many processes, or batch normalisation would see
    parts of batches.
    """
    if fabric.world_size > batch:
        raise DeviceError(f"a batch of {batch} cannot be shared by {fabric.world_size} processes; take fewer devices")
    whole = _whole_batches(fabric, network)
    return fabric.setup_module(whole)


def _whole_batches(fabric: Fabric, network: nn.Module) -> nn.Module:
    """The network with batch normalisation over all processes."""
    normalised = any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    if fabric.world_size == 1 or not normalised:
        return network
    if fabric.device.type == "cpu":
        raise DeviceError("batch normalisation over several CPU processes is not supported; take --devices 1")
    return nn.SyncBatchNorm.convert_sync_batchnorm(network)


def described() -> str:
    """This machine in a few words, for cards."""
    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, of which {torch.cuda.device_count()}"
    return f"{cpus()} CPU cores"
