"""Bundled networks that restore nothing by themselves: what they tell is of use to the code that knows them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from deblurcli.errors import ModelError
from deblurcli.inference import cards, models
from deblurcli.inference.session import RUNTIME_ERRORS, started

FOLDER = "helpers"  # of the bundled weights, as they are none of the models that users choose from


class Helper:
    """A network of that kind, ready to run on the CPU; may be called from many threads at once.

    path: of the .onnx file, with a card beside it that tells its SHA-256.

    Raises ModelError when its weights are missing, damaged or no network.
    """

    def __init__(self, path: Path):
        models.verify(path, cards.read(path.with_suffix(".json")))
        session = started(path, "cpu", threads=1)
        if session is None:
            raise ModelError(f"{path}: could not be started; install deblurcli again")
        self.path, self._session = path, session
        self._input = session.get_inputs()[0].name

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        """What the network tells of stacks, float32 ``(N, C, H, W)``; ModelError when it cannot take them."""
        try:
            return np.asarray(self._session.run(None, {self._input: batch})[0])
        except RUNTIME_ERRORS as error:
            raise ModelError(f"{self.path}: failed on an input of {batch.shape}; install deblurcli again") from error


@cache
def helper(name: str) -> Helper:
    """The bundled network of that name, opened once."""
    return Helper(path_of(name))


def path_of(name: str) -> Path:
    """The file of the bundled network of that name; ModelError when the installation has no weights."""
    return models.folder() / FOLDER / f"{name}.onnx"
