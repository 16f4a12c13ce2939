"""Where a fit's batches come from: pairs made one by one by workers, or whole batches made where they are used."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import islice

import numpy as np
import torch
from lightning_fabric import Fabric

from training.data import examples, sources
from training.data import pairs as pairing
from training.data.batched import batches as batched
from training.data.pairs import Batch, Batches
from training.data.sources import Pictures
from training.fitting.devices import DeviceError, workers_for
from training.recipe import Recipe

WATCHED = 8  # batches that a fit is watched with where they are made on the device
AT_ONCE, ACCELERATED = 64, 256  # pairs that a fit is watched with at a time, on a CPU and on anything else
WARM_UP = 3  # batches that do not count when the others are timed

Supplies = tuple[Iterable[Batch], Iterable[Batch]]  # to fit on, and to watch the fit with


def of(
    recipe: Recipe, pictures: Pictures, fabric: Fabric, steps: tuple[int, int], workers: int | None = None
) -> Supplies:
    """The batches of a recipe, from the first of these steps to the last, and those the fit is watched with.

    workers: processes that make pairs one by one; what the machine is good for when left out.

    Raises DeviceError where several processes would share batches that are made on one device.
    """
    split = sources.fitting_split(recipe, len(pictures))
    if recipe.data.varying is None:
        return _one_by_one(recipe, pictures, split, fabric, steps, workers_for(fabric) if workers is None else workers)
    if fabric.world_size > 1:
        raise DeviceError(f"{recipe.name}: its batches are made on one device; take --devices 1")
    shown, watched = (
        batched.Batches(recipe, pictures, part, fabric.device, *span)
        for part, span in zip(split, (steps, (0, WATCHED)))
    )
    return shown, watched


def _one_by_one(
    recipe: Recipe,
    pictures: Pictures,
    split: tuple[np.ndarray, np.ndarray],
    fabric: Fabric,
    steps: tuple[int, int],
    workers: int,
) -> Supplies:
    shown, watched = (examples.pairs(pictures, recipe, part) for part in split)
    place = fabric.global_rank, fabric.world_size
    order = Batches(len(shown), recipe.schedule.batch, recipe.schedule.seed, *steps, *place)
    keys = pairing.watching(len(watched), AT_ONCE if fabric.device.type == "cpu" else ACCELERATED, *place)
    return pairing.supply(shown, order, fabric.device, workers), pairing.supply(watched, keys, fabric.device, 0)


def rate(recipe: Recipe, pictures: Pictures, fabric: Fabric, seconds: float) -> dict[str, float | int]:
    """How fast a recipe's pairs are made while nothing trains: pairs and megapixels a second, by the clock."""
    shown, _ = of(recipe, pictures, fabric, (0, 10**9))
    batches = iter(shown)
    for _ in islice(batches, WARM_UP):
        pass
    _wait(fabric.device)
    begun, pairs, pixels = time.perf_counter(), 0, 0
    while (taken := time.perf_counter() - begun) < seconds:
        sharp = next(batches)[-1]
        pairs, pixels = pairs + len(sharp), pixels + sharp[:, 0].numel()
        _wait(fabric.device)
    return {"a_second": round(pairs / taken, 1), "megapixels_a_second": round(pixels / taken / 1e6, 3)}


def _wait(device: torch.device) -> None:
    """Until what the device was asked for is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
