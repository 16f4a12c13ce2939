import json

import pytest

from deblurcli.errors import ModelError
from deblurcli.inference import models


def test_the_default_is_bundled_and_its_card_is_whole():
    found = models.find()
    assert found.name == models.DEFAULT in models.names()
    assert {"sha256", "data", "licence", "recipe", "parameters", "scores", "epochs", "hardware"} <= found.card.keys()


@pytest.mark.parametrize("name", models.names())
def test_every_bundled_model_fits_its_card(name):
    found = models.find(name)
    assert found.card["sha256"] == models.sha256(found.path)
    assert found.multiple_of == found.card["multiple_of"] and found.halo == found.card["halo"]


def test_a_file_of_one_s_own_needs_no_card(identity):
    found = models.find(str(identity))
    assert found.path == identity and found.card is None


def test_damaged_weights_are_refused(identity):
    card = {"sha256": "0" * 64, "multiple_of": 8, "halo": 0}
    identity.with_suffix(".json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match=r"identity\.onnx.*SHA-256"):
        models.find(str(identity))


@pytest.mark.parametrize("text", ["no json", "{}", '{"sha256": "a", "multiple_of": "x", "halo": 1}', "[]"])
def test_a_damaged_card_is_refused(identity, text):
    identity.with_suffix(".json").write_text(text)
    with pytest.raises(ModelError, match=r"identity\.json"):
        models.find(str(identity))


@pytest.mark.parametrize("name", ["nope", "nope.onnx", "", "../faces"])
def test_an_unknown_model_is_refused_with_the_known_ones(name):
    with pytest.raises(ModelError, match="faces"):
        models.find(name)


@pytest.mark.parametrize(
    "wrong", [{"multiple_of": 0}, {"halo": -5}, {"overshoot": 0}, {"overshoot": "a"}, {"sha256": 5}]
)
def test_a_card_out_of_range_is_refused(identity, wrong):
    card = {"sha256": models.sha256(identity), "multiple_of": 8, "halo": 0, **wrong}
    identity.with_suffix(".json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="identity"):
        models.find(str(identity))


def test_a_path_the_system_refuses_is_a_model_error():
    with pytest.raises(ModelError, match=r"too long|no such file"):
        models.find("x" * 300 + ".onnx")
