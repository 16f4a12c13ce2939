"""Recipes: they load, they build, and wrong ones are refused by name."""

import pytest

from training import losses, networks, recipe
from training.recipe import RecipeError


def test_every_recipe_loads_and_builds():
    for path in recipe.FOLDER.glob("*.toml"):
        loaded = recipe.load(path.stem)
        assert loaded.name == path.stem
        assert networks.build(loaded.network).multiple_of >= 1
        assert set(loaded.loss) <= set(losses.LOSSES)


@pytest.mark.parametrize("text", ["", "name = 3", "nonsense", "[data]\nsource='lfw'"])
def test_a_wrong_recipe_is_refused_by_name(tmp_path, text):
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=r"r\.toml"):
        recipe.load(str(path))
    with pytest.raises(RecipeError, match="faces"):
        recipe.load("nope")
