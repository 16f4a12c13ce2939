"""Fixtures of the training tests: little pictures and a recipe that takes seconds."""

from dataclasses import replace

import numpy as np
import pytest

from training import recipe


@pytest.fixture(scope="module")
def faces_recipe():
    return recipe.load("faces")


@pytest.fixture(scope="module")
def tiny(faces_recipe):
    """The faces recipe on a network, batch and split that take seconds."""
    return replace(
        faces_recipe,
        data=replace(faces_recipe.data, validation=2),
        network={"name": "residual-unet", "widths": [8, 8], "blocks": [1, 1]},
        rate={"name": "cosine", "warmup": 2},
        schedule=replace(faces_recipe.schedule, epochs=4, batch=3),
    )


@pytest.fixture(scope="module")
def pictures(sharp):
    """Twelve little pictures, float32 (12, 32, 24, 3)."""
    corners = [(row, column) for row in range(0, 224, 60) for column in range(0, 160, 50)][:12]
    return np.stack([sharp[row : row + 32, column : column + 24] for row, column in corners])
