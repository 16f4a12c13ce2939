"""Fit a network to a recipe, in slices if need be: a checkpoint resumes exactly where it stopped."""

from __future__ import annotations

import csv
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from training import data, losses, networks
from training.recipe import Recipe, RecipeError

CHECKPOINT = "checkpoint.pt"
LOG = "log.csv"
COLUMNS = ("step", "epoch", "minutes", "learning_rate", "loss", "validation_psnr")
LOG_EVERY = 100


@dataclass
class Run:
    """The state of a fit: everything a checkpoint holds."""

    network: torch.nn.Module
    optimiser: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0

    def save(self, path: Path) -> None:
        """Write the checkpoint atomically."""
        state = {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint; one without optimiser state starts the optimiser afresh."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        if "optimiser" in state:
            self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]


def start(recipe: Recipe, device: torch.device) -> Run:
    """A fresh run: the network initialised from the recipe's seed."""
    torch.manual_seed(recipe.schedule.seed)
    network = networks.build(recipe.network).to(device, memory_format=torch.channels_last)
    schedule = recipe.schedule
    optimiser = torch.optim.AdamW(
        network.parameters(), schedule.learning_rate, schedule.betas, weight_decay=schedule.weight_decay
    )
    return Run(network, optimiser)


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Linear warm-up, then cosine decay to zero at `steps`."""
    schedule = recipe.schedule
    if step < schedule.warmup:
        return schedule.learning_rate * (step + 1) / schedule.warmup
    progress = (step - schedule.warmup) / max(steps - schedule.warmup, 1)
    return schedule.learning_rate * 0.5 * (1 + math.cos(math.pi * min(progress, 1)))


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
    folder: of the checkpoint and ``log.csv``; made when missing.
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
    steps = per_epoch * (epochs or recipe.schedule.epochs)
    sampler = data.Batches(len(fitting), recipe.schedule.batch, recipe.schedule.seed, run.step, steps)
    loader = DataLoader(data.Pairs(images[fitting], recipe), batch_sampler=sampler, num_workers=workers)
    watched = data.Pairs(images[watching], recipe)
    _train(run, recipe, loader, watched, folder, per_epoch, steps, minutes)
    return run


def _train(run, recipe, loader, watched, folder, per_epoch, steps, minutes) -> None:
    loss_function = losses.weighted(recipe.loss)
    begun, before, recent = time.monotonic(), run.seconds, []
    for blurred, sharp in tqdm(loader, initial=run.step, total=steps, desc=recipe.name, mininterval=5):
        rate = learning_rate(recipe, run.step, steps)
        recent.append(_step(run, recipe, loss_function, blurred, sharp, rate))
        run.step += 1
        run.seconds = before + time.monotonic() - begun
        if run.step % LOG_EVERY == 0 or run.step % per_epoch == 0:
            score = validate(run.network, watched) if run.step % per_epoch == 0 else None
            _log(folder / LOG, run, per_epoch, rate, float(np.mean(recent)), score)
            run.save(folder / CHECKPOINT)
            recent.clear()
        if time.monotonic() - begun > 60 * minutes:
            break
    run.save(folder / CHECKPOINT)


def _step(run, recipe, loss_function, blurred, sharp, rate) -> float:
    """One step of the optimiser; returns the loss."""
    device = next(run.network.parameters()).device
    for group in run.optimiser.param_groups:
        group["lr"] = rate
    blurred, sharp = (part.to(device, memory_format=torch.channels_last) for part in (blurred, sharp))
    loss = loss_function(run.network(blurred), sharp)
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), recipe.schedule.clip)
    run.optimiser.step()
    return loss.item()


@torch.no_grad()
def validate(network: torch.nn.Module, watched: data.Pairs, batch: int = 46) -> float:
    """Mean PSNR in dB over pairs that stay the same at every call."""
    device = next(network.parameters()).device
    network.eval()
    scores = []
    for first in range(0, len(watched), batch):
        pairs = [watched[0, index] for index in range(first, min(first + batch, len(watched)))]
        blurred, sharp = (torch.stack(part).to(device) for part in zip(*pairs))
        error = (network(blurred).clamp(0, 1) - sharp).square().mean(dim=(1, 2, 3))
        scores.append(-10 * torch.log10(error))
    network.train()
    return float(torch.cat(scores).mean()) if scores else math.nan


def _log(path: Path, run: Run, per_epoch: int, rate: float, loss: float, score: float | None) -> None:
    fresh = not path.exists()
    shown = "" if score is None else f"{score:.3f}"
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if fresh:
            writer.writerow(COLUMNS)
        epoch = f"{run.step / per_epoch:.3f}"
        writer.writerow([run.step, epoch, f"{run.seconds / 60:.2f}", f"{rate:.3e}", f"{loss:.6f}", shown])
