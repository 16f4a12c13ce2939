"""Fit a network to a recipe, in slices if need be: a checkpoint resumes exactly where it stopped."""

from __future__ import annotations

import csv
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from training import data, losses, measures, networks, rates
from training.pairs import Batches, Pairs
from training.recipe import Recipe, RecipeError

CHECKPOINT = "checkpoint.pt"
LOG = "log.csv"
EPOCHS = "epochs.csv"
COLUMNS = ("step", "epoch", "minutes", "learning_rate", "loss")
EPOCH_COLUMNS = (
    "epoch", "minutes", "learning_rate",
    *(f"{stage}_{name}" for stage in ("training", "validation") for name in ("loss", *measures.MEASURES)),
)  # fmt: skip
LOG_EVERY = 100
OPTIMISERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


@dataclass
class Run:
    """The state of a fit: everything a checkpoint holds.

    sums: of the loss and the measures over the training pictures of this epoch so far, and their number last.
    best: weights of the epoch with the lowest validation loss, where the recipe asks for them.
    """

    network: torch.nn.Module
    optimiser: torch.optim.Optimizer
    rate: rates.Rate
    stop: rates.Stop
    step: int = 0
    seconds: float = 0.0
    sums: torch.Tensor = field(default_factory=lambda: torch.zeros(2 + len(measures.MEASURES)))
    best: dict[str, torch.Tensor] | None = None
    best_step: int = 0

    def save(self, path: Path) -> None:
        """Write the checkpoint atomically."""
        state = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rate": rates.state(self.rate),
            "stop": rates.state(self.stop),
            **{name: getattr(self, name) for name in ("step", "seconds", "sums", "best", "best_step")},
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint; one without optimiser state starts the optimiser afresh."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state.pop("network"))
        if "optimiser" in state:
            self.optimiser.load_state_dict(state.pop("optimiser"))
        for part in ("rate", "stop"):
            rates.restore(getattr(self, part), state.pop(part, {}))
        for name, value in state.items():
            setattr(self, name, value)

    def chosen(self) -> tuple[dict[str, torch.Tensor], int]:
        """The weights a recipe's result has, and the step they were reached at."""
        return (self.network.state_dict(), self.step) if self.best is None else (self.best, self.best_step)


def start(recipe: Recipe, device: torch.device) -> Run:
    """A fresh run: the network initialised from the recipe's seed."""
    torch.manual_seed(recipe.schedule.seed)
    network = networks.build(recipe.network).to(device, memory_format=torch.channels_last)
    chosen = recipe.optimiser
    optimiser = OPTIMISERS[chosen.name](
        network.parameters(), chosen.learning_rate, chosen.betas, chosen.epsilon, weight_decay=chosen.weight_decay
    )
    rate = rates.build(recipe.rate, chosen.learning_rate)
    return Run(network, optimiser, rate, rates.Stop(recipe.schedule.patience))


def fit(
    recipe: Recipe,
    images: np.ndarray,
    folder: Path,
    epochs: int | None = None,
    minutes: float = math.inf,
    workers: int = 0,
) -> Run:
    """Train until the schedule or the minutes are over; resumes from ``folder/checkpoint.pt``.

    images: all sharp pictures, float32 ``(N, H, W, 3)``; the recipe says which of them to use.
    folder: of the checkpoint, ``log.csv`` (every hundred steps) and ``epochs.csv``; made when missing.
    epochs: length of the schedule in place of the recipe's.
    minutes: budget of this call; a checkpoint is left when it is spent.
    workers: processes that make training pairs.

    Raises RecipeError when there are fewer pictures than one batch takes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    run = start(recipe, device)
    if (folder / CHECKPOINT).exists():
        run.load(folder / CHECKPOINT)
    fitting, watching = data.fitting_split(recipe, len(images))
    per_epoch = len(fitting) // recipe.schedule.batch
    if per_epoch == 0:
        raise RecipeError(f"{recipe.name}: {len(fitting)} pictures are fewer than a batch of {recipe.schedule.batch}")
    steps = run.step if run.stop.over else per_epoch * (epochs or recipe.schedule.epochs)
    sampler = Batches(len(fitting), recipe.schedule.batch, recipe.schedule.seed, run.step, steps)
    loader = DataLoader(Pairs(images[fitting], recipe), batch_sampler=sampler, num_workers=workers)
    watched = Pairs(images[watching], recipe)
    _train(run, recipe, loader, watched, folder, per_epoch, steps, minutes)
    return run


def _train(run, recipe, loader, watched, folder, per_epoch, steps, minutes) -> None:
    loss_function = losses.weighted(recipe.loss)
    begun, before, recent = time.monotonic(), run.seconds, []
    for blurred, sharp in tqdm(loader, initial=run.step, total=steps, desc=recipe.name, mininterval=5):
        rate = run.rate.at(run.step, steps)
        recent.append(_step(run, recipe, loss_function, blurred, sharp, rate))
        run.step += 1
        run.seconds = before + time.monotonic() - begun
        ended = run.step % per_epoch == 0
        if ended or run.step % LOG_EVERY == 0:
            _log(folder / LOG, COLUMNS, [*_place(run, per_epoch), f"{rate:.3e}", f"{np.mean(recent):.6g}"])
            recent.clear()
        if ended:
            _end_epoch(run, recipe, loss_function, watched, folder, per_epoch, rate)
        if ended or run.step % LOG_EVERY == 0:
            run.save(folder / CHECKPOINT)
        if run.stop.over or time.monotonic() - begun > 60 * minutes:
            break
    run.save(folder / CHECKPOINT)


def _step(run, recipe, loss_function, blurred, sharp, rate) -> float:
    """One step of the optimiser; returns the loss."""
    device = next(run.network.parameters()).device
    for group in run.optimiser.param_groups:
        group["lr"] = rate
    blurred, sharp = (part.to(device, memory_format=torch.channels_last) for part in (blurred, sharp))
    restored = run.network(blurred)
    loss = loss_function(restored, sharp)
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    if recipe.optimiser.clip:
        torch.nn.utils.clip_grad_norm_(run.network.parameters(), recipe.optimiser.clip)
    run.optimiser.step()
    run.sums += _sums(loss, restored.detach(), sharp)
    return loss.item()


def _sums(loss: torch.Tensor, restored: torch.Tensor, sharp: torch.Tensor) -> torch.Tensor:
    """The loss and the measures summed over the pictures of a batch, and their number."""
    count = len(sharp)
    measured = measures.measure(restored, sharp).sum(dim=0).cpu()
    return torch.cat([count * loss.detach().reshape(1).cpu(), measured, torch.tensor([float(count)])])


def _end_epoch(run, recipe, loss_function, watched, folder, per_epoch, rate) -> None:
    """Validate, let the rate and the stop hear of it, keep the best, write the epoch's line."""
    validation = validate(run.network, loss_function, watched)
    run.rate.heard(validation[0])
    if run.stop.heard(validation[0]) and run.stop.patience:
        run.best = {name: weight.clone() for name, weight in run.network.state_dict().items()}
        run.best_step = run.step
    training = (run.sums[:-1] / run.sums[-1]).tolist()
    row = [run.step // per_epoch, f"{run.seconds / 60:.2f}", f"{rate:.3e}"]
    _log(folder / EPOCHS, EPOCH_COLUMNS, [*row, *(f"{value:.6g}" for value in (*training, *validation))])
    run.sums.zero_()


@torch.no_grad()
def validate(network: torch.nn.Module, loss_function, watched: Pairs, batch: int = 64) -> list[float]:
    """The loss and the measures, means over pairs that stay the same at every call; NaN without pairs."""
    device = next(network.parameters()).device
    network.eval()
    sums = torch.full((2 + len(measures.MEASURES),), 0.0)
    for first in range(0, len(watched), batch):
        pairs = [watched[0, index] for index in range(first, min(first + batch, len(watched)))]
        blurred, sharp = (torch.stack(part).to(device) for part in zip(*pairs))
        restored = network(blurred)
        sums += _sums(loss_function(restored, sharp), restored.clamp(0, 1), sharp)
    network.train()
    return (sums[:-1] / sums[-1]).tolist()


def _place(run: Run, per_epoch: int) -> list:
    return [run.step, f"{run.step / per_epoch:.3f}", f"{run.seconds / 60:.2f}"]


def _log(path: Path, columns: tuple[str, ...], row: list) -> None:
    """Append a line to a CSV file, under a header if it is new."""
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if fresh:
            writer.writerow(columns)
        writer.writerow(row)
