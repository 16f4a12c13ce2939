"""A fitted network to ONNX: checked against torch, with a card beside it."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import torch

from deblurcli import models
from deblurcli.deblur import Restorer
from deblurcli.errors import DeblurError
from deblurcli.session import Session
from training import data
from training.fit import CHECKPOINT, Run, start
from training.recipe import Recipe

OPSET = 18
PARITY = 1e-4
PARITY_SIZES = ((16, 12), (8, 25), (1, 1))  # in multiples of what the network takes
HALOS = (16, 24, 32, 48, 64, 96, 128)
SEAM = 0.5 / 255
DATA = {
    "lfw": "Labeled Faces in the Wild (funneled), the paper's training split at 128 × 96, less those held out",
}
LICENCE = "MIT for the weights; the pictures they were trained on are research data without an open licence"


class ParityError(DeblurError):
    """An exported network that does not compute what the fitted one does."""


def export(recipe: Recipe, runs: Path, weights: Path, hardware: str, images: np.ndarray) -> Path:
    """Write ``weights/NAME.onnx`` and ``NAME.json`` from the run's checkpoint; returns the .onnx path.

    hardware: what the network was trained on, for the card.
    images: sharp pictures, float32 ``(N, H, W, 3)``, to measure tile seams with; none of the test split.

    Raises ParityError when ONNX Runtime's answer differs from torch's by more than 1e-4.
    """
    checkpoint = runs / recipe.name / CHECKPOINT
    if not checkpoint.is_file():
        raise DeblurError(f"{checkpoint}: no such checkpoint; run python -m training fit {recipe.name} first")
    run = start(recipe, torch.device("cpu"))
    run.load(checkpoint)
    chosen, step = run.chosen()
    run.network.load_state_dict(chosen)
    run.network.eval()
    weights.mkdir(parents=True, exist_ok=True)
    path = weights / f"{recipe.name}.onnx"
    to_onnx(run.network, path)
    difference = parity(run.network, path)
    halo = smallest_halo(Session(path, "cpu"), run.network.multiple_of, images)
    card = _card(recipe, run, step, path, difference, halo, hardware, len(images))
    write_card(path.with_suffix(".json"), card)
    return path


def to_onnx(network: torch.nn.Module, path: Path) -> None:
    """Write a network as ONNX with free batch, height and width, weights inside."""
    unit = network.multiple_of
    height, width = (torch.export.Dim(side, min=1, max=2048) for side in ("rows", "columns"))
    batch = torch.export.Dim("batch", min=1, max=64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (torch.rand(2, 3, 4 * unit, 6 * unit),),
            dynamo=True,
            opset_version=OPSET,
            input_names=["blurred"],
            output_names=["restored"],
            dynamic_shapes=({0: batch, 2: unit * height, 3: unit * width},),
            verbose=False,
        )
    program.save(str(path), external_data=False)


@torch.no_grad()
def parity(network: torch.nn.Module, path: Path) -> float:
    """Largest difference between torch and ONNX Runtime on random batches of several sizes."""
    session, generator = Session(path, "cpu"), torch.Generator().manual_seed(0)
    unit = network.multiple_of
    batches = [torch.rand(1, 3, unit * rows, unit * columns, generator=generator) for rows, columns in PARITY_SIZES]
    difference = max(float(np.abs(network(batch).numpy() - session.run(batch.numpy())).max()) for batch in batches)
    if difference > PARITY:
        raise ParityError(f"{path}: differs from torch by {difference:.1e}; at most {PARITY:.0e} is allowed")
    return difference


def smallest_halo(session: Session, multiple_of: int, images: np.ndarray) -> int:
    """The least context in pixels at which tiles join within half a step of 8 bits.

    Measured on a mosaic of blurred faces, whose joints are harder than any photograph.
    """
    mosaic = _mosaic(images)
    whole = Restorer(session, multiple_of, halo=0, tile=4096).restore(mosaic)
    for halo in HALOS:
        tiled = Restorer(session, multiple_of, halo, tile=2 * halo + 64).restore(mosaic)
        if np.abs(tiled - whole).max() <= SEAM:
            return halo
    raise ParityError(f"tiles differ by more than half a step of 8 bits even with {HALOS[-1]} pixels of halo")


def _mosaic(images: np.ndarray) -> np.ndarray:
    """The first sixteen pictures, four by four, each blurred, float32 ``(4·H, 4·W, 3)``."""
    from deblurcli import psf
    from deblurcli.blur import blur

    specs = [psf.parse(text).array() for text in (data.GAUSSIAN, *data.MOTIONS)]
    blurred = [blur(image, specs[index % 4]) for index, image in enumerate(images[:16])]
    return np.concatenate([np.concatenate(blurred[row : row + 4], axis=1) for row in range(0, 16, 4)])


def _card(recipe, run: Run, step: int, path: Path, difference: float, halo: int, hardware: str, count: int) -> dict:
    seen = step * recipe.schedule.batch
    return {
        "name": recipe.name,
        "description": recipe.description,
        "sha256": models.sha256(path),
        "recipe": f"training/recipes/{recipe.name}.toml",
        "data": DATA[recipe.data.source],
        "blur": [{"psf": blur.psf, "weight": blur.weight} for blur in recipe.data.blur],
        "licence": LICENCE,
        "parameters": sum(parameter.numel() for parameter in run.network.parameters()),
        "multiple_of": run.network.multiple_of,
        "halo": halo,
        "epochs": round(seen / count, 2),
        "images_seen": seen,
        "minutes": round(run.seconds / 60, 1),
        "hardware": hardware,
        "parity": float(f"{difference:.1e}"),
    }


def write_card(path: Path, card: dict) -> None:
    """Write a card as readable JSON."""
    path.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
