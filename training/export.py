"""A fitted network to ONNX: checked against torch, with a card beside it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from itertools import cycle, islice
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from deblurcli.errors import DeblurError
from deblurcli.inference import cards, models
from deblurcli.inference.restorer import Restorer
from deblurcli.inference.session import SPECTRUM, Session
from training import networks
from training.data import examples, sources
from training.data.sources import Pictures
from training.fitting import perceptual
from training.fitting.checkpoint import Checkpoint, found, start
from training.networks.network import Network
from training.recipe import Recipe

OPSET = 18
_WORTH_HALVING = 256  # values of a weight
PARITY = 1e-4
EXAMPLE = 80, 144  # pixels, at least, of what a network is traced with: more than one block of any that works in blocks
PARITY_SIZES = ((16, 12), (8, 25), (1, 1))  # in multiples of what the network takes
HALOS = (16, 24, 32, 48, 64, 96, 128, 144, 160, 176, 192, 224, 256)
SEAM = 1 / 255 / 12**0.5  # root mean square, what rounding to 8 bits costs
SPREAD = 6 * HALOS[-1]  # pixels of the mosaic that seams are measured on; a tile has at least four times its halo
DATA = {
    "lfw": "Labeled Faces in the Wild (funneled), the paper's training split at 128 × 96",
    "folder": "{about}, pieces of {piece[1]} × {piece[0]}",
}
VARYING = "share", "parts", "depth"  # what a card says of blur that differs over a picture
LICENCES = {
    "lfw": "MIT for the weights; the pictures they were trained on are research data without an open licence",
    "folder": "MIT for the weights; the pictures they were trained on have licences of their own",
}
SPECTRUM_INPUT = (
    "the log power spectrum of the whole picture's luma, (N, 64, 33); see power_spectrum.log_power_spectrum"
)
WATCHED = {
    "test": "the test split, as in the paper: it set the learning rate, the end and the epoch that was kept",
}


class ParityError(DeblurError):
    """An exported network that does not compute what the fitted one does."""


def export(
    recipe: Recipe, runs: Path, weights: Path, hardware: str, pictures: Pictures, kept: Path | None = None
) -> Path:
    """Write ``weights/NAME.onnx`` and ``NAME.json`` from the run's checkpoint; returns the .onnx path.

    A run that is not over can be exported too; its card says so.

    hardware: what the network was trained on, for the card.
    pictures: all sharp ones, as `sources.load` gives them; tile seams are measured on those of the training split.
    kept: the checkpoint to take where `runs` has none.

    Raises ParityError when ONNX Runtime's output differs from torch's by more than 1e-4, CheckpointError when there
    is no checkpoint.
    """
    checkpoint = start(recipe, torch.device("cpu"))
    checkpoint.load(found(recipe, runs, kept))
    checkpoint.network.load_state_dict(checkpoint.chosen()[0])
    checkpoint.network.eval()
    fitted = sources.fitting_split(recipe, len(pictures))[0]
    weights.mkdir(parents=True, exist_ok=True)
    path = weights / f"{recipe.name}.onnx"
    part = path.with_suffix(".part.onnx")
    try:
        to_onnx(checkpoint.network, part)
        measured = {
            "halo": halo(checkpoint.network, part, examples.seen(pictures, recipe, fitted)),
            "parity": float(f"{parity(checkpoint.network, part):.1e}"),
        }
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    card = {
        **_about(recipe, path),
        **_architecture(checkpoint.network),
        **measured,
        **_training(recipe, checkpoint, recipe.data.crops * len(fitted)),
    }
    cards.write(path.with_suffix(".json"), {**card, "hardware": hardware})
    return path


@torch.no_grad()
def to_onnx(network: Network, path: Path) -> None:
    """Write a network as ONNX with free batch, height and width, weights inside."""
    unit = network.multiple_of
    height, width = (torch.export.Dim(side, min=1, max=2048) for side in ("rows", "columns"))
    batch = torch.export.Dim("batch", min=1, max=64)
    example = networks.inputs(network, 2, *(unit * max(4, -(-side // unit)) for side in EXAMPLE))
    free = ({0: batch, 2: unit * height, 3: unit * width}, {0: batch})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            example,
            dynamo=True,
            opset_version=OPSET,
            input_names=["blurred", SPECTRUM][: len(example)],
            output_names=["restored"],
            dynamic_shapes=free[: len(example)],
            verbose=False,
        )
    cast(torch.onnx.ONNXProgram, program).save(str(path), external_data=False)
    strip_metadata(path)
    halve(path)


def strip_metadata(path: Path) -> None:
    """Remove from an ONNX file what torch notes beside each node: stack traces, with paths of this machine."""
    model = onnx.load(path)
    for function in model.functions:
        for part in (function, *function.node, *function.value_info):
            del part.metadata_props[:]
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
    onnx.save(model, path)


def halve(path: Path) -> None:
    """Store the weights of an ONNX file in half precision where that loses nothing, as of a checkpoint kept so.

    They are brought back to single precision when the file is opened.
    """
    model = onnx.load(path)
    for weight in model.graph.initializer:
        values, name = numpy_helper.to_array(weight), weight.name
        if values.dtype != np.float32 or values.size < _WORTH_HALVING:
            continue
        half = values.astype(np.float16)
        if np.array_equal(half, values):
            weight.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
            model.graph.node.insert(0, helper.make_node("Cast", [weight.name], [name], to=TensorProto.FLOAT))
    onnx.save(model, path)


@torch.no_grad()
def parity(network: Network, path: Path) -> float:
    """Largest difference between torch and ONNX Runtime on random batches of several sizes."""
    torch.manual_seed(0)
    session, unit = _session(path, network), network.multiple_of
    batches = [networks.inputs(network, 1, unit * rows, unit * columns) for rows, columns in PARITY_SIZES]
    outputs = [session.run(*(part.numpy() for part in batch)) for batch in batches]
    difference = max(float(np.abs(network(*batch).numpy() - output).max()) for batch, output in zip(batches, outputs))
    if difference > PARITY:
        raise ParityError(f"{path}: differs from torch by {difference:.1e}; at most {PARITY:.0e} is allowed")
    return difference


def halo(network: Network, path: Path, seen: Iterable[np.ndarray]) -> int | None:
    """The least context in pixels at which tiles differ from the whole by no more than rounding to 8 bits does.

    seen: blurred pictures as the network looks at them, ``(H, W, 3 · layers)``, all of one size.

    Measured on a mosaic of blurred pictures, whose joints are harder than any photograph, cut so small that half of
    each tile is context. None for a network that says, by ``looks_everywhere``, why there is none; ParityError when
    none of `HALOS` is wide enough.
    """
    if network.looks_everywhere:
        return None
    session, multiple_of, layers = _session(path, network), network.multiple_of, _mosaic(seen)
    needs_spectrum = network.needs_spectrum
    whole = Restorer(session, multiple_of, halo=0, tile=4096, needs_spectrum=needs_spectrum).restore(*layers)
    for reach in HALOS:
        tile = 2 * reach + 64
        tiled = Restorer(session, multiple_of, reach, tile, needs_spectrum=needs_spectrum).restore(*layers)
        if np.square(tiled - whole).mean() <= SEAM**2:
            return reach
    raise ParityError(f"tiles differ by more than rounding to 8 bits even with {HALOS[-1]} pixels of halo")


def _mosaic(seen: Iterable[np.ndarray]) -> list[np.ndarray]:
    """Inputs side by side, so many that several tiles of the widest halo are needed along each axis.

    An image ``(H, W, 3)`` for each picture that the network looks at.
    """
    endless = cycle(seen)
    first = next(endless)
    rows, columns = (-(-SPREAD // side) for side in first.shape[:2])
    shown = [first, *islice(endless, rows * columns - 1)]
    strips = [np.concatenate(shown[start : start + columns], axis=1) for start in range(0, len(shown), columns)]
    whole = np.concatenate(strips)
    return [np.ascontiguousarray(whole[..., layer : layer + 3]) for layer in range(0, whole.shape[2], 3)]


def _session(path: Path, network: Network) -> Session:
    return Session(path, "cpu", layers=network.layers)


def _about(recipe: Recipe, path: Path) -> dict:
    """What the network is for and what it was made from."""
    about, held = recipe.data, recipe.data.validation
    return {
        "name": recipe.name,
        "description": recipe.description,
        **{name: said for name in ("good_for", "fails_at", "overshoot") if (said := getattr(recipe, name))},
        "sha256": models.sha256(path),
        "recipe": f"training/recipes/{recipe.name}.toml",
        "data": DATA[about.source].format(about=about.about or f"the pictures below {about.path}", piece=about.piece),
        "validation": WATCHED.get(str(held), f"{held} pictures held out of training"),
        "blur": [{"psf": blur.psf, "weight": blur.weight} for blur in about.blur],
        **({"varying": {name: getattr(about.varying, name) for name in VARYING}} if about.varying else {}),
        **({"perceptual_features": perceptual.source()} if "perceptual" in recipe.loss else {}),
        "licence": LICENCES[about.source],
    }


def _architecture(network: Network) -> dict:
    trainable, fixed = networks.parameters(network)
    return {
        "network": type(network).__name__,
        "parameters": trainable + fixed,
        "trainable_parameters": trainable,
        "layers": network.layers,
        "multiple_of": network.multiple_of,
        **({"spectrum": SPECTRUM_INPUT} if network.needs_spectrum else {}),
        **({"whole_pictures": network.looks_everywhere} if network.looks_everywhere else {}),
    }


def _training(recipe: Recipe, checkpoint: Checkpoint, count: int) -> dict:
    """What was really done: epochs, pictures and minutes, of how many the recipe asks for."""
    per_epoch, schedule = count // recipe.schedule.batch, recipe.schedule
    return {
        "epochs": round(checkpoint.step / per_epoch, 2),
        "best_epoch": round(checkpoint.chosen()[1] / per_epoch, 2),
        "schedule_epochs": schedule.epochs,
        "schedule_over": checkpoint.stop.over
        or checkpoint.step >= per_epoch * schedule.epochs
        or schedule.spent(checkpoint.seconds),
        "images_seen": checkpoint.seen,
        "minutes": round(checkpoint.seconds / 60, 1),
        "curve": f"training/recipes/{recipe.name}.csv",
    }
