"""Fit a network to a recipe, in slices if need be: a checkpoint resumes exactly where it stopped."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

import torch
from lightning_fabric import Fabric
from torch import nn
from tqdm import tqdm

from deblurcli.errors import DeblurError
from training.data import sources
from training.data.pairs import Batch
from training.data.sources import Pictures
from training.fitting import graphs, losses, metrics, supplies
from training.fitting.checkpoint import CHECKPOINT, EPOCHS, LOG, Checkpoint, resume
from training.fitting.devices import DeviceError, Devices, spread
from training.fitting.logs import Log, board
from training.fitting.losses import Loss
from training.recipe import Recipe, RecipeError

COLUMNS = ("step", "epoch", "minutes", "learning_rate", "loss")
EPOCH_COLUMNS = (
    "epoch", "minutes", "learning_rate",
    *(f"{stage}_{name}" for stage in ("training", "validation") for name in ("loss", *metrics.METRICS)),
)  # fmt: skip
LOG_EVERY = 100
Precision = Callable[[], AbstractContextManager]
SAVE_EVERY = 20  # seconds at least, on a GPU
AGREE_EVERY = 10  # steps, on whether the minutes are over, where there are many processes


class DivergedError(DeblurError):
    """A loss that is no number any more: nothing is learnt from there on."""


def fit(
    recipe: Recipe,
    pictures: Pictures,
    folder: Path,
    epochs: int | None = None,
    minutes: float = math.inf,
    fabric: Fabric | None = None,
    workers: int | None = None,
    kept: Path | None = None,
    tensorboard: bool = False,
) -> Checkpoint:
    """Train until the schedule or the minutes are over; resumes from ``folder/checkpoint.pt``, and returns its state.

    pictures: all sharp ones, as `sources.load` gives them; the recipe says which of them to use.
    folder: of the checkpoint, ``log.csv`` (every hundred steps) and ``epochs.csv``; made when missing.
    epochs: length of the schedule in place of the recipe's.
    minutes: budget of this call; a checkpoint is left when it is spent.
    fabric: the processes to run in, of `Devices.launched`; one on the best device when left out.
    workers: processes that make training pairs, for each of those; what the machine is good for when left out.
    kept: a checkpoint to begin from where the folder has none; see `checkpoint.keep`.
    tensorboard: write the logs for TensorBoard too.

    Raises RecipeError when there are fewer pictures than one batch takes, DeviceError when the processes cannot
    share a batch, CheckpointError when a checkpoint is not of this recipe, DivergedError when the loss is no number.
    """
    fabric = fabric or Devices().launched()
    fitting, _ = sources.fitting_split(recipe, len(pictures))
    batch, count = recipe.schedule.batch, recipe.data.crops * len(fitting)
    _check(recipe, count, fabric)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = resume(recipe, folder, fabric.device, kept)
    if not fabric.is_global_zero:
        checkpoint.sums.zero_()
    per_epoch = count // batch
    over = checkpoint.stop.over or recipe.schedule.spent(checkpoint.seconds)
    steps = checkpoint.step if over else per_epoch * (epochs or recipe.schedule.epochs)
    shown, watched = supplies.of(recipe, pictures, fabric, (checkpoint.step, steps), workers)
    fit = _Fit(
        recipe, checkpoint, fabric, spread(fabric, checkpoint.network, batch), losses.weighted(recipe.loss), per_epoch,
        steps, _logs(folder, checkpoint, per_epoch, tensorboard) if fabric.is_global_zero else None,
        folder / CHECKPOINT, watched,
    )  # fmt: skip
    fit.train(shown, minutes)
    return checkpoint


def _check(recipe: Recipe, count: int, fabric: Fabric) -> None:
    """Raises RecipeError when so many pairs are fewer than a batch, DeviceError when a critic had to be shared."""
    if recipe.critic and fabric.world_size > 1:
        raise DeviceError(f"{recipe.name}: a critic is trained in one process; take --devices 1")
    if count < recipe.schedule.batch:
        raise RecipeError(f"{recipe.name}: {count} pictures are fewer than a batch of {recipe.schedule.batch}")


def _logs(folder: Path, checkpoint: Checkpoint, per_epoch: int, tensorboard: bool) -> tuple[Log, Log]:
    """The log of steps and that of epochs."""
    writer = board(folder / "tensorboard") if tensorboard else None
    return (
        Log(folder / LOG, COLUMNS, checkpoint.step, writer),
        Log(folder / EPOCHS, EPOCH_COLUMNS, checkpoint.step // per_epoch, writer),
    )


@dataclass
class _Fit:
    """One process's part of a fit; the first process logs and saves."""

    recipe: Recipe
    checkpoint: Checkpoint
    fabric: Fabric
    model: nn.Module
    loss: Loss
    per_epoch: int
    steps: int
    logs: tuple[Log, Log] | None
    path: Path
    watched: Iterable[Batch]
    recent: list[torch.Tensor] = field(default_factory=list)
    captured: graphs.Graphs | None = None
    saved: float = 0.0

    def train(self, batches: Iterable[Batch], minutes: float) -> None:
        """Go through the batches, or as many of them as the minutes allow."""
        checkpoint, begun, before = self.checkpoint, time.monotonic(), self.checkpoint.seconds
        self.captured, self.saved = self.graphed(batches), before
        if self.recipe.schedule.minutes:
            minutes = min(minutes, self.recipe.schedule.minutes - before / 60)
        bar = tqdm(
            batches, initial=checkpoint.step, total=self.steps, desc=self.recipe.name, mininterval=5,
            disable=not self.fabric.is_global_zero,
        )  # fmt: skip
        for batch in bar:
            rate = checkpoint.rate.at(checkpoint.step, self.expected())
            self.step(batch, rate)
            checkpoint.step += 1
            checkpoint.seen += checkpoint.batch
            checkpoint.seconds = before + time.monotonic() - begun
            ended = checkpoint.step % self.per_epoch == 0
            if ended or checkpoint.step % LOG_EVERY == 0:
                self.log(rate)
                if ended:
                    bar.set_postfix_str(f"{self.end_epoch(rate):.2f} dB", refresh=False)
                if self.save_is_due():
                    self.save()
            if checkpoint.stop.over or self.spent(begun, minutes):
                break
        self.save()

    def graphed(self, batches: Iterable[Batch]) -> graphs.Graphs | None:
        """The steps as CUDA graphs, where that can be; a critic learns from steps that cannot be one."""
        if self.checkpoint.critic is not None or not graphs.suit(self.fabric, batches):
            return None
        return graphs.Graphs(self.checkpoint.network, self.loss, self.fabric.autocast)

    def step(self, batch: Batch, rate: float) -> None:
        """One step of the optimiser, on this process's part of the batch."""
        checkpoint, device = self.checkpoint, self.fabric.device
        for group in checkpoint.optimiser.param_groups:
            group["lr"] = rate
        loss, sums = (self.captured or self.measured)(*(_moved(part, device) for part in batch))
        checkpoint.optimiser.zero_grad(set_to_none=True)
        processes = self.fabric.world_size
        share = (
            len(batch[0]) * processes / self.recipe.schedule.batch if processes > 1 else 1.0
        )  # gradients are averaged
        self.fabric.backward(loss * share)
        if self.recipe.optimiser.clip:
            nn.utils.clip_grad_norm_(checkpoint.network.parameters(), self.recipe.optimiser.clip)
        checkpoint.optimiser.step()
        if self.recipe.schedule.average:
            checkpoint.averaged(self.recipe.schedule.average)
        checkpoint.sums += sums.detach()
        self.recent.append(loss.detach() * share)

    def measured(self, *batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss on inputs and sharp pictures, and the sums of `metrics.sums`; a critic learns from them first."""
        *inputs, sharp = batch
        restored = self.model(*inputs)
        loss = self.loss(restored, sharp)
        critic = self.checkpoint.critic
        if critic is not None:
            critic.learn(restored, sharp, self.checkpoint.step)
            loss = loss + critic.loss(restored)
        return loss, metrics.sums(loss, restored.detach(), sharp)

    def log(self, rate: float) -> None:
        """A line of the mean loss since the last; DivergedError where that is none, with the checkpoint as it was."""
        loss = self.reduced(torch.stack(self.recent).double().mean(), "mean").item()
        self.recent.clear()
        if not math.isfinite(loss):
            name, step = self.recipe.name, self.checkpoint.step
            raise DivergedError(f"{name}: the loss is {loss} at step {step}; try --precision 32-true or a lower rate")
        if self.logs:
            checkpoint = self.checkpoint
            place = checkpoint.step, f"{checkpoint.step / self.per_epoch:.3f}", f"{checkpoint.seconds / 60:.2f}"
            self.logs[0].add([*place, f"{rate:.3e}", f"{loss:.6g}"])

    def end_epoch(self, rate: float) -> float:
        """Validate, let the rate and the stop hear of it, keep the best, log; returns the validation's PSNR."""
        checkpoint = self.checkpoint
        validation = self.means(self.validation())
        training = self.means(checkpoint.sums)
        checkpoint.rate.heard(validation[0])
        if checkpoint.stop.heard(validation[0]) and checkpoint.stop.patience:
            checkpoint.best = {name: weight.clone() for name, weight in checkpoint.network.state_dict().items()}
            checkpoint.best_step = checkpoint.step
        if self.logs:
            row = [checkpoint.step // self.per_epoch, f"{checkpoint.seconds / 60:.2f}", f"{rate:.3e}"]
            self.logs[1].add([*row, *(f"{value:.6g}" for value in (*training, *validation))])
        checkpoint.sums.zero_()
        return validation[1 + list(metrics.METRICS).index("psnr")]

    def validation(self) -> torch.Tensor:
        """Sums over this process's part of the pairs the fit is watched with."""
        return validate(self.checkpoint.network, self.loss, self.watched, self.fabric.autocast)

    def means(self, sums: torch.Tensor) -> list[float]:
        """Means over all processes; NaN where there are no pairs."""
        total = self.reduced(sums.clone(), "sum")
        return (total[:-1] / total[-1]).tolist()

    def save_is_due(self) -> bool:
        """Always, but for one process on a GPU, whose steps are short and which a checkpoint holds up."""
        often = self.fabric.device.type == "cpu" or self.fabric.world_size > 1
        return often or self.checkpoint.seconds - self.saved > SAVE_EVERY

    def save(self) -> None:
        """Write the checkpoint; what the processes have summed up goes into it as one sum."""
        own = self.checkpoint.sums
        self.checkpoint.sums = self.reduced(own.clone(), "sum")
        if self.fabric.is_global_zero:
            self.checkpoint.save(self.path)
        self.checkpoint.sums, self.saved = own, self.checkpoint.seconds

    def reduced(self, value: torch.Tensor, by: Literal["sum", "mean"]) -> torch.Tensor:
        """The sum or the mean of a tensor over all processes; it may be written to."""
        return cast(torch.Tensor, self.fabric.all_reduce(value, reduce_op=by))

    def expected(self) -> int:
        """How many steps the run will have, as far as one can tell where it goes by the minutes."""
        checkpoint, budget = self.checkpoint, 60 * self.recipe.schedule.minutes
        if not (budget and checkpoint.seconds):
            return self.steps
        return max(checkpoint.step + 1, round(checkpoint.step * budget / checkpoint.seconds))

    def spent(self, begun: float, minutes: float) -> bool:
        """Whether the minutes are over; processes agree on it, the first one's clock counts."""
        if math.isinf(minutes) or (self.fabric.world_size > 1 and self.checkpoint.step % AGREE_EVERY):
            return False
        return self.fabric.broadcast(time.monotonic() - begun > 60 * minutes)


def _moved(part: torch.Tensor, device: torch.device) -> torch.Tensor:
    layout = torch.channels_last if part.dim() == 4 else torch.preserve_format
    return part.to(device, memory_format=layout, non_blocking=True)


@torch.no_grad()
def validate(
    network: nn.Module,
    loss: Loss,
    watched: Iterable[Batch],
    precision: Callable[[], AbstractContextManager] = nullcontext,
) -> torch.Tensor:
    """Sums of the loss and the metrics over batches of pairs, and the number of pairs last.

    precision: makes the context that the network alone runs in; what it gives is measured in single precision.
    """
    device = next(network.parameters()).device
    sums = torch.zeros(2 + len(metrics.METRICS), device=device)
    network.eval()
    for batch in watched:
        *inputs, sharp = (part.to(device) for part in batch)
        with precision():
            restored = network(*inputs)
        restored = restored.float()
        sums += metrics.sums(loss(restored, sharp), restored.clamp(0, 1), sharp)
    network.train()
    return sums
