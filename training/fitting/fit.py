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

from training.data import examples, sources
from training.data import pairs as pairing
from training.data.pairs import Batch, Batches
from training.data.sources import Pictures
from training.fitting import losses, measures
from training.fitting.checkpoint import CHECKPOINT, EPOCHS, LOG, Run, resume
from training.fitting.devices import Machine, MachineError, spread, workers_for
from training.fitting.logs import Log, board
from training.fitting.losses import Loss
from training.recipe import Recipe, RecipeError

COLUMNS = ("step", "epoch", "minutes", "learning_rate", "loss")
EPOCH_COLUMNS = (
    "epoch", "minutes", "learning_rate",
    *(f"{stage}_{name}" for stage in ("training", "validation") for name in ("loss", *measures.MEASURES)),
)  # fmt: skip
LOG_EVERY = 100
Precision = Callable[[], AbstractContextManager]
AGREE_EVERY = 10  # steps, on whether the minutes are over, where there are many processes


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
) -> Run:
    """Train until the schedule or the minutes are over; resumes from ``folder/checkpoint.pt``.

    pictures: all sharp ones, as `sources.load` gives them; the recipe says which of them to use.
    folder: of the checkpoint, ``log.csv`` (every hundred steps) and ``epochs.csv``; made when missing.
    epochs: length of the schedule in place of the recipe's.
    minutes: budget of this call; a checkpoint is left when it is spent.
    fabric: the processes to run in, of `Machine.launched`; one on the best device when left out.
    workers: processes that make training pairs, for each of those; what the machine is good for when left out.
    kept: a checkpoint to begin from where the folder has none; see `checkpoint.keep`.
    tensorboard: write the logs for TensorBoard too.

    Raises RecipeError when there are fewer pictures than one batch takes, MachineError when the processes cannot
    share a batch, CheckpointError when a checkpoint is not of this recipe.
    """
    fabric = fabric or Machine().launched()
    fitting, watching = sources.fitting_split(recipe, len(pictures))
    if recipe.adversary and fabric.world_size > 1:
        raise MachineError(f"{recipe.name}: a critic is trained in one process; take --devices 1")
    batch, shown = recipe.schedule.batch, examples.pairs(pictures, recipe, fitting)
    if len(shown) < batch:
        raise RecipeError(f"{recipe.name}: {len(shown)} pictures are fewer than a batch of {batch}")
    folder.mkdir(parents=True, exist_ok=True)
    run = resume(recipe, folder, fabric.device, kept)
    if not fabric.is_global_zero:
        run.sums.zero_()
    per_epoch = len(shown) // batch
    over = run.stop.over or recipe.schedule.spent(run.seconds)
    steps = run.step if over else per_epoch * (epochs or recipe.schedule.epochs)
    place = fabric.global_rank, fabric.world_size
    order = Batches(len(shown), batch, recipe.schedule.seed, run.step, steps, *place)
    watched = examples.pairs(pictures, recipe, watching)
    keys = pairing.watching(len(watched), 64, *place)
    fit = _Fit(
        recipe, run, fabric, spread(fabric, run.network, batch), losses.weighted(recipe.loss), per_epoch, steps,
        _logs(folder, run, per_epoch, tensorboard) if fabric.is_global_zero else None, folder / CHECKPOINT,
        pairing.supply(watched, keys, fabric.device, 0),
    )  # fmt: skip
    fit.train(pairing.supply(shown, order, fabric.device, workers_for(fabric) if workers is None else workers), minutes)
    return run


def _logs(folder: Path, run: Run, per_epoch: int, tensorboard: bool) -> tuple[Log, Log]:
    """The log of steps and that of epochs."""
    writer = board(folder / "tensorboard") if tensorboard else None
    return (
        Log(folder / LOG, COLUMNS, run.step, writer),
        Log(folder / EPOCHS, EPOCH_COLUMNS, run.step // per_epoch, writer),
    )


@dataclass
class _Fit:
    """One process's part of a fit; the first process logs and saves."""

    recipe: Recipe
    run: Run
    fabric: Fabric
    model: nn.Module
    loss: Loss
    per_epoch: int
    steps: int
    logs: tuple[Log, Log] | None
    checkpoint: Path
    watched: Iterable[Batch]
    recent: list[torch.Tensor] = field(default_factory=list)

    def train(self, batches: Iterable[Batch], minutes: float) -> None:
        """Go through the batches, or as many of them as the minutes allow."""
        run, begun, before = self.run, time.monotonic(), self.run.seconds
        if self.recipe.schedule.minutes:
            minutes = min(minutes, self.recipe.schedule.minutes - before / 60)
        bar = tqdm(
            batches, initial=run.step, total=self.steps, desc=self.recipe.name, mininterval=5,
            disable=not self.fabric.is_global_zero,
        )  # fmt: skip
        for batch in bar:
            rate = run.rate.at(run.step, self.expected())
            self.step(batch, rate)
            run.step += 1
            run.seconds = before + time.monotonic() - begun
            ended = run.step % self.per_epoch == 0
            if ended or run.step % LOG_EVERY == 0:
                self.log(rate)
                if ended:
                    bar.set_postfix_str(f"{self.end_epoch(rate):.2f} dB", refresh=False)
                self.save()
            if run.stop.over or self.spent(begun, minutes):
                break
        self.save()

    def step(self, batch: Batch, rate: float) -> None:
        """One step of the optimiser, on this process's part of the batch."""
        run, device = self.run, self.fabric.device
        for group in run.optimiser.param_groups:
            group["lr"] = rate
        *inputs, sharp = (_moved(part, device) for part in batch)
        restored = self.model(*inputs)
        loss = self.loss(restored, sharp)
        if run.critic is not None:
            run.critic.learn(restored, sharp, run.step)
            loss = loss + run.critic.loss(restored)
        run.optimiser.zero_grad(set_to_none=True)
        share = len(sharp) * self.fabric.world_size / self.recipe.schedule.batch  # gradients are averaged
        self.fabric.backward(loss * share)
        if self.recipe.optimiser.clip:
            nn.utils.clip_grad_norm_(run.network.parameters(), self.recipe.optimiser.clip)
        run.optimiser.step()
        run.sums += _sums(loss, restored.detach(), sharp)
        self.recent.append(loss.detach() * share)

    def log(self, rate: float) -> None:
        """A line of the mean loss since the last."""
        loss = self.reduced(torch.stack(self.recent).double().mean(), "mean").item()
        self.recent.clear()
        if self.logs:
            run = self.run
            place = run.step, f"{run.step / self.per_epoch:.3f}", f"{run.seconds / 60:.2f}"
            self.logs[0].add([*place, f"{rate:.3e}", f"{loss:.6g}"])

    def end_epoch(self, rate: float) -> float:
        """Validate, let the rate and the stop hear of it, keep the best, log; returns the validation's PSNR."""
        run = self.run
        validation = self.means(self.validation())
        training = self.means(run.sums)
        run.rate.heard(validation[0])
        if run.stop.heard(validation[0]) and run.stop.patience:
            run.best = {name: weight.clone() for name, weight in run.network.state_dict().items()}
            run.best_step = run.step
        if self.logs:
            row = [run.step // self.per_epoch, f"{run.seconds / 60:.2f}", f"{rate:.3e}"]
            self.logs[1].add([*row, *(f"{value:.6g}" for value in (*training, *validation))])
        run.sums.zero_()
        return validation[1 + list(measures.MEASURES).index("psnr")]

    def validation(self) -> torch.Tensor:
        """Sums over this process's part of the pairs the fit is watched with."""
        return validate(self.run.network, self.loss, self.watched, self.fabric.autocast)

    def means(self, sums: torch.Tensor) -> list[float]:
        """Means over all processes; NaN where there are no pairs."""
        total = self.reduced(sums.clone(), "sum")
        return (total[:-1] / total[-1]).tolist()

    def save(self) -> None:
        """Write the checkpoint; what the processes have summed up goes into it as one sum."""
        own = self.run.sums
        self.run.sums = self.reduced(own.clone(), "sum")
        if self.fabric.is_global_zero:
            self.run.save(self.checkpoint)
        self.run.sums = own

    def reduced(self, value: torch.Tensor, by: Literal["sum", "mean"]) -> torch.Tensor:
        """The sum or the mean of a tensor over all processes; it may be written to."""
        return cast(torch.Tensor, self.fabric.all_reduce(value, reduce_op=by))

    def expected(self) -> int:
        """How many steps the run will have, as far as one can tell where it goes by the minutes."""
        run, budget = self.run, 60 * self.recipe.schedule.minutes
        return self.steps if not (budget and run.seconds) else max(run.step + 1, round(run.step * budget / run.seconds))

    def spent(self, begun: float, minutes: float) -> bool:
        """Whether the minutes are over; processes agree on it, the first one's clock counts."""
        if math.isinf(minutes) or (self.fabric.world_size > 1 and self.run.step % AGREE_EVERY):
            return False
        return self.fabric.broadcast(time.monotonic() - begun > 60 * minutes)


def _moved(part: torch.Tensor, device: torch.device) -> torch.Tensor:
    layout = torch.channels_last if part.dim() == 4 else torch.preserve_format
    return part.to(device, memory_format=layout, non_blocking=True)


def _sums(loss: torch.Tensor, restored: torch.Tensor, sharp: torch.Tensor) -> torch.Tensor:
    """The loss and the measures summed over the pictures of a batch, and their number."""
    count = torch.full((1,), float(len(sharp)), device=sharp.device)
    return torch.cat([count * loss.detach(), measures.measure(restored, sharp).sum(dim=0), count])


@torch.no_grad()
def validate(
    network: nn.Module,
    loss: Loss,
    watched: Iterable[Batch],
    precision: Callable[[], AbstractContextManager] = nullcontext,
) -> torch.Tensor:
    """Sums of the loss and the measures over batches of pairs, and the number of pairs last.

    precision: makes the context that the network alone runs in; what it gives is measured in single precision.
    """
    device = next(network.parameters()).device
    sums = torch.zeros(2 + len(measures.MEASURES), device=device)
    network.eval()
    for batch in watched:
        *inputs, sharp = (part.to(device) for part in batch)
        with precision():
            restored = network(*inputs)
        restored = restored.float()
        sums += _sums(loss(restored, sharp), restored.clamp(0, 1), sharp)
    network.train()
    return sums
