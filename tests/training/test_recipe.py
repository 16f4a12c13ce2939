"""Recipes: they load, they build, and wrong ones are refused by name."""

import re
import tomllib
from dataclasses import fields, replace

import pytest

from deblurcli.inference import cards, models
from training import networks, recipe
from training.evaluation.table import RELATED
from training.fitting import losses
from training.recipe import RecipeError


def test_every_recipe_loads_and_builds():
    for path in recipe.FOLDER.glob("*.toml"):
        loaded = recipe.load(path.stem)
        assert loaded.name == path.stem
        assert networks.build(loaded.network).multiple_of >= 1
        assert set(loaded.loss) <= set(losses.LOSSES)


def test_a_recipe_may_be_like_another_but_for_some_sections(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('like = "photo"\nname = "mine"\n[network]\nname = "paper-unet"\nwidths = [4, 8]')
    mine, photo = recipe.load(str(path)), recipe.load("photo")
    assert mine.name == "mine" and mine.network == {"name": "paper-unet", "widths": [4, 8]}
    assert (mine.data, mine.loss, mine.schedule) == (photo.data, photo.loss, photo.schedule)
    other = tmp_path / "other.toml"
    other.write_text(f'like = "{path}"\nname = "other"\n[loss]\nmse = 1.0')
    theirs = recipe.load(str(other))
    assert (theirs.name, theirs.network, theirs.loss) == ("other", mine.network, {"mse": 1.0})
    other.write_text(f'like = "{other}"')
    with pytest.raises(RecipeError, match=r"other\.toml.*not a valid recipe"):
        recipe.load(str(other))
    path.write_text('like = "nope"\nname = "mine"')
    with pytest.raises(RecipeError, match=r"mine\.toml.*nope"):
        recipe.load(str(path))


@pytest.mark.parametrize(
    "slip, said",
    [
        ("minutes = 3\nbatch = 4", "schedule lacks 'epochs' and 'seed'"),
        ("epochs = 3\nbatches = 4", "knows no 'batches'"),
    ],
)
def test_a_slip_names_its_section(tmp_path, slip, said):
    path = tmp_path / "mine.toml"
    path.write_text(f'like = "photo"\n[schedule]\n{slip}')
    with pytest.raises(RecipeError, match=said):
        recipe.load(str(path))


def test_the_guide_s_recipe_is_one_and_its_keys_are_known(tmp_path):
    guide = (recipe.FOLDER.parent / "README.md").read_text(encoding="utf-8")
    whole, more = re.findall(r"^```toml\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)
    (tmp_path / "mine.toml").write_text(whole, encoding="utf-8")
    mine = recipe.load(str(tmp_path / "mine.toml"))
    assert mine.data.source == "folder" and mine.network == recipe.load("faces").network and mine.schedule.minutes
    section = tomllib.loads(more)["data"]
    for keys, kind in ((section, recipe.Data), (section["varying"], recipe.Varying), (section["blur"][0], recipe.Blur)):
        assert set(keys) <= {field.name for field in fields(kind)}


def test_a_critic_is_read_under_the_name_its_section_once_had(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('like = "deblurgan"\nname = "mine"\n[adversary]\nnetwork = { name = "patch-critic", width = 8 }\n'
                    "steps = 2\npenalty = 10.0\nweight = 1.0\nlearning_rate = 1e-4\nbetas = [0.5, 0.999]")  # fmt: skip
    assert recipe.load(str(path)).critic == replace(
        recipe.load("deblurgan").critic, network={"name": "patch-critic", "width": 8}, steps=2
    )


@pytest.mark.parametrize("text", ["", "name = 3", "nonsense", "[data]\nsource='lfw'"])
def test_a_wrong_recipe_is_refused_by_name(tmp_path, text):
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=r"r\.toml"):
        recipe.load(str(path))
    with pytest.raises(RecipeError, match="faces"):
        recipe.load("nope")


@pytest.mark.parametrize(
    "old, new, reason",
    [
        ('source = "folder"', 'source = "web"', "lfw, folder"),
        ("crop = 16", "crop = 4", r"data\.crop"),
        ("validation = 3", 'validation = "test"', r"data\.validation"),
        ('path = "photos"', "", r"data\.path"),
        ("noise = [0.0, 0.02]", "noise = [0.1, 0.02]", r"data\.noise"),
        ("quality = [70, 95]", "quality = [0, 95]", r"data\.quality"),
        ("jpeg = 0.3", "jpeg = 3", r"data\.jpeg"),
        ("motion+defocus", "motion+fog", "fog"),
        ('psf = "gaussian:sigma=1"', 'psf = "gaussian:sigma=x"', "sigma"),
        ('psf = "gaussian:sigma=1"', 'psf = "random:motion+varying"', "blurs with a PSF only"),
    ],
)
def test_what_a_recipe_s_data_may_be(little, old, new, reason):
    text = little.read_text()
    assert old in text
    little.write_text(text.replace(old, new))
    with pytest.raises(RecipeError, match=rf"little\.toml.*{reason}"):
        recipe.load(str(little))


@pytest.mark.parametrize("path", [*models.folder().glob("*.json"), *RELATED.glob("*.json")], ids=lambda path: path.stem)
def test_every_card_says_what_its_network_is_good_for_and_where_it_fails(path):
    said, card = recipe.load(path.stem), cards.read(path)
    assert card["good_for"] == said.good_for != "" and card["fails_at"] == said.fails_at != ""
