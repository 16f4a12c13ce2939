"""The paper's faces, their split and their blurs."""

import hashlib
import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest

from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from tests.conftest import ROOT
from training import recipe
from training.data import drawings, packs, sources
from training.recipe import RecipeError

SPLIT_SHA256 = "5b0588ffea5a73f1e58480548806c796c215c43811b91652d8d2461fecb4c41a"
WHOLE_SPLIT_SHA256 = "680a4c741b9ed104a3ec7ba57e2f87e557d1a570888c90568f12d53924b402ea"


def test_the_split_is_the_paper_s():
    train, test = sources.split(7606)
    assert (len(train), len(test)) == (6084, 1522) and not set(train) & set(test)
    assert hashlib.sha256(np.sort(test).astype("<u4").tobytes()).hexdigest() == SPLIT_SHA256


def test_nothing_is_fitted_on_or_watched_with_the_test_split(faces_recipe):
    _, test = sources.split(7606)
    fitting, watching = sources.fitting_split(faces_recipe, 7606)
    assert len(watching) == faces_recipe.data.validation
    assert not set(test) & {*fitting, *watching} and not set(fitting) & set(watching)


MEASURED_ON = "natural/val", "real", "levin", "motion"  # what figures are reported of, and nothing is trained on
DATA = ROOT.parent / "shared" / "data"


def test_recipes_take_their_pictures_from_nowhere_else():
    found = [recipe.load(path.stem).data for path in recipe.FOLDER.glob("*.toml")]
    assert {data.path for data in found} == {"", "natural/train"}
    _, test = sources.split(7606)
    for data in (data for data in found if data.source == "lfw" and data.validation != "test"):
        fitting, watching = sources.fitting_split(replace(recipe.load("faces"), data=data), 7606)
        assert not set(test) & {*fitting, *watching}


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the photographs beside the repository")
def test_what_is_trained_on_is_not_what_is_measured_on():
    trained, measured = (
        {hashlib.sha256(path.read_bytes()).digest() for folder in folders for path in (DATA / folder).rglob("*.*")}
        for folders in (("natural/train",), MEASURED_ON)
    )
    assert len(trained) > 800 and len(measured) > 150 and not trained & measured


def test_motion_directions_are_drawn_evenly_and_always_the_same():
    drawn = sources.protocol_psfs("motion", 1522)
    assert drawn == sources.protocol_psfs("motion", 1522)
    assert all(abs(drawn.count(spec) / 1522 - 1 / 3) < 0.05 for spec in sources.MOTIONS)


def test_faces_are_cropped_and_resized_as_the_paper_does(tmp_path):
    """A data folder as scikit-learn lays it out, with made-up people, read and checked by hand."""
    home, rng = tmp_path / "lfw_home", np.random.default_rng(0)
    stored = {}
    for person in ("Ann_One", "Bea_Two"):
        for number in range(1, 4):
            path = home / "lfw_funneled" / person / f"{person}_{number:04d}.png"
            stored[path] = cv2.resize(rng.integers(0, 255, (25, 25, 3), np.uint8), (250, 250))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".jpg").write_bytes(images.encode(Picture(stored[path]), "jpeg", 95))
            stored[path] = images.read(path.with_suffix(".jpg"))
    for name in ("pairs.txt", "pairsDevTrain.txt", "pairsDevTest.txt"):
        (home / name).write_text("")
    loaded = sources.faces(tmp_path)
    assert loaded.shape == (6, 128, 96, 3) and loaded.dtype == np.float32
    expected = [
        cv2.resize(face[70:195, 78:172], sources.SIZE, interpolation=cv2.INTER_AREA) for face in stored.values()
    ]
    for face in loaded:
        assert min(np.abs(face - candidate).max() for candidate in expected) < 0.02


def test_a_folder_s_pictures_are_checked_and_cut(little, tmp_path):
    loaded = recipe.load(str(little))
    photos = sources.load(loaded, tmp_path)
    checked = sources.check(loaded, photos)
    assert (checked["pictures"], checked["training"], checked["validation"], checked["steps_per_epoch"]) == (
        13,
        10,
        3,
        4,
    )
    assert checked["smallest"] == "40 × 30" and checked["largest"] == "50 × 41"
    fitting, watching = sources.fitting_split(loaded, 13)
    assert sorted([*fitting, *watching]) == list(range(13))
    assert all(photo.dtype == np.uint8 and photo.shape[2] == 3 for photo in photos)


def test_faces_of_the_training_split_alone_are_mixed_in(little, tmp_path, monkeypatch):
    whole = np.random.default_rng(0).random((50, 128, 96, 3), np.float32)
    monkeypatch.setattr(sources, "faces", lambda _: whole)
    loaded = recipe.load(str(little))
    mixed = sources.load(replace(loaded, data=replace(loaded.data, faces=12)), tmp_path)
    assert len(mixed) == 13 + 12
    train, _ = sources.split(50)
    for index, face in zip(train, mixed[13:]):
        np.testing.assert_array_equal(face, images.from_float(whole[index], np.uint8))


def test_drawings_are_mixed_in_and_always_the_same(little, tmp_path):
    loaded = recipe.load(str(little))
    made = sources.load(replace(loaded, data=replace(loaded.data, drawings=8)), tmp_path)[13:]
    for one, other in zip(made, drawings.drawings(8, loaded.schedule.seed), strict=True):
        np.testing.assert_array_equal(one, other)
    assert len({picture.tobytes() for picture in made}) == 8
    for picture in made:  # flat nearly everywhere, and never without a shape
        steps = np.abs(np.diff(picture.astype(int), axis=1)).max(axis=2)
        assert picture.shape == (drawings.SIDE, drawings.SIDE, 3) and (steps <= 2).mean() > 0.8 and steps.max() > 10


def test_a_folder_that_will_not_do_is_named(little, tmp_path):
    loaded = recipe.load(str(little))
    with pytest.raises(RecipeError, match="nowhere"):
        sources.load(replace(loaded, data=replace(loaded.data, path="nowhere")), tmp_path)
    with pytest.raises(RecipeError, match=r"0\.png.*40 × 30.*data\.crop"):
        sources.load(replace(loaded, data=replace(loaded.data, crop=31)), tmp_path)


def test_a_pack_holds_the_same_pictures_of_any_size(little, tmp_path):
    loaded, path = recipe.load(str(little)), tmp_path / "a.npy"
    photos = sources.load(loaded, tmp_path)
    packs.write(path, photos)
    packed = sources.load(loaded, pack=path)
    assert len(packed) == len(photos)
    for one, other in zip(pickle.loads(pickle.dumps(packed)), photos):
        np.testing.assert_array_equal(one, other)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(packs.PackError, match=r"a\.npy"):
        packs.Pack(path)
    with pytest.raises(packs.PackError, match=r"b\.npy.*training pack"):
        packs.Pack(tmp_path / "b.npy")


def test_packed_faces_are_the_same_to_the_bit(tmp_path, monkeypatch):
    whole = np.random.default_rng(0).integers(0, 256, (5, 125, 94, 3), np.uint8)
    monkeypatch.setattr(sources, "_lfw", lambda _: whole.astype(np.float32) / 255)
    faces = recipe.load("faces")
    packs.write(tmp_path / "lfw.npy", sources.SOURCES["lfw"].packable(faces, None))
    np.testing.assert_array_equal(sources.load(faces, pack=tmp_path / "lfw.npy"), sources.load(faces))


def test_the_check_tells_the_paper_s_split():
    """Six pixels stand for the 7,606 faces; the split is of their numbers."""
    checked = sources.check(recipe.load("paper-gaussian"), np.zeros((7606, 2, 1, 3), np.float32))
    assert checked["training"] == 6084 and checked["validation"] == 1522 and checked["steps_per_epoch"] == 507
    assert checked["split_sha256"] == WHOLE_SPLIT_SHA256
    assert (
        sources.check(recipe.load("faces"), np.zeros((7606, 2, 1, 3), np.float32))["split_sha256"] != WHOLE_SPLIT_SHA256
    )
