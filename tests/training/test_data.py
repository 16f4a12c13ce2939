"""The paper's faces, their split and their blurs."""

import hashlib

import cv2
import numpy as np

from deblurcli import images
from deblurcli.images import Picture
from training import data

SPLIT_SHA256 = "5b0588ffea5a73f1e58480548806c796c215c43811b91652d8d2461fecb4c41a"


def test_the_split_is_the_paper_s():
    train, test = data.split(7606)
    assert (len(train), len(test)) == (6084, 1522) and not set(train) & set(test)
    assert hashlib.sha256(np.sort(test).astype("<u4").tobytes()).hexdigest() == SPLIT_SHA256


def test_nothing_is_fitted_on_or_watched_with_the_test_split(faces_recipe):
    _, test = data.split(7606)
    fitting, watching = data.fitting_split(faces_recipe, 7606)
    assert len(watching) == faces_recipe.data.validation
    assert not set(test) & {*fitting, *watching} and not set(fitting) & set(watching)


def test_motion_directions_are_drawn_evenly_and_always_the_same():
    drawn = data.protocol_psfs("motion", 1522)
    assert drawn == data.protocol_psfs("motion", 1522)
    assert all(abs(drawn.count(spec) / 1522 - 1 / 3) < 0.05 for spec in data.MOTIONS)


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
    loaded = data.faces(tmp_path)
    assert loaded.shape == (6, 128, 96, 3) and loaded.dtype == np.float32
    expected = [cv2.resize(face[70:195, 78:172], data.SIZE, interpolation=cv2.INTER_AREA) for face in stored.values()]
    for face in loaded:
        assert min(np.abs(face - candidate).max() for candidate in expected) < 0.02
