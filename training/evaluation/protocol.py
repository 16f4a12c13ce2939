"""Scores of an exported network on the paper's test split, by the float and by the 8-bit protocol."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from deblurcli.blur import psf
from deblurcli.blur.model import blur
from deblurcli.errors import DeblurError
from deblurcli.inference import cards, models
from deblurcli.inference.restorer import Restorer, restorer
from deblurcli.metrics import table
from deblurcli.pictures import images
from training.data import sources

PROTOCOLS = ("gaussian", "motion")
CENTRED = "centred-motion"  # shifts nothing, as what `blur` makes


class EvaluationError(DeblurError):
    """A command of the evaluation that failed."""


def carded(model: str, needed: bool = True) -> models.Model:
    """The model of that name or file; EvaluationError when a card is needed and it has none."""
    found = models.find(model)
    if needed and found.card is None:
        raise EvaluationError(f"{found.path}: has no card to write into; export it with training export")
    return found


def note(model: models.Model, measured: dict) -> None:
    """Write what was measured into the model's card."""
    path = model.path.with_suffix(".json")
    cards.write(path, {**cards.read(path), **measured})


def evaluate(model: str, sharp: np.ndarray) -> dict:
    """Mean scores by protocol and blur, of the blurred and of the restored pictures.

    model: a bundled name or an .onnx file.
    sharp: the test pictures, float32 ``(N, H, W, 3)``.

    "float" blurs float pictures and never rounds them; "8-bit" goes through PNG files and the commands
    ``blur``, ``deblur`` and ``score``, as a user would.
    """
    return {
        "pictures": len(sharp),
        "float": {kind: float_protocol(restorer(model), sharp, kind) for kind in PROTOCOLS},
        "8-bit": {kind: file_protocol(model, sharp, kind) for kind in (*PROTOCOLS, CENTRED)},
    }


def float_protocol(restore: Restorer, sharp: np.ndarray, kind: str) -> dict:
    """Mean scores on pictures blurred in float; kind is a key of `sources.PROTOCOL_PSFS`."""
    specs = sources.protocol_psfs(kind, len(sharp))
    arrays = {spec: psf.parse(spec).array() for spec in set(specs)}
    blurred = [blur(image, arrays[spec]) for image, spec in zip(sharp, specs)]
    return {
        "blurred": _means(table.score(image, truth) for image, truth in zip(blurred, sharp)),
        "restored": _means(table.score(restore.restore(image), truth) for image, truth in zip(blurred, sharp)),
    }


def _means(scores: Iterator[dict[str, float]]) -> dict[str, float]:
    rows = list(scores)
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def file_protocol(model: str, sharp: np.ndarray, kind: str) -> dict:
    """Mean scores on 8-bit PNG files that the commands blur, restore and score."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        specs = sources.protocol_psfs(kind, len(sharp))
        for index, (image, spec) in enumerate(zip(sharp, specs)):
            images.write(folder / "sharp" / _part(spec) / f"{index:05d}.png", image)
        for spec in sorted(set(specs)):
            part = _part(spec)
            _command("blur", str(folder / "sharp" / part), str(folder / "blurred" / part), "--psf", spec)
        _command("deblur", str(folder / "blurred"), str(folder / "restored"), "--model", model)
        return {
            stage: json.loads(_command("score", str(folder / stage), str(folder / "sharp"), "--json"))["mean"]
            for stage in ("blurred", "restored")
        }


def _part(spec: str) -> str:
    """A folder name for the pictures of one PSF."""
    return spec.partition(":")[2].replace("=", "-").replace(",", "-")


def _command(*arguments: str) -> str:
    """Run a command of the tool and return its standard output."""
    done = subprocess.run([sys.executable, "-m", "deblurcli", *arguments, "--quiet"], capture_output=True, text=True)
    if done.returncode:
        raise EvaluationError(f"deblurcli {' '.join(arguments)} exited {done.returncode}: {done.stderr.strip()}")
    return done.stdout
