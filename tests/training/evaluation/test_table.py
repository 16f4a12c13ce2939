"""The table of trained models, from their cards."""

import json

import pytest
from typer.testing import CliRunner

from deblurcli.inference import models
from tests.conftest import make_model
from training.__main__ import app
from training.evaluation import speed, table

SCORES = {"psnr": 30.0, "ssim": 0.9, "mae": 0.01, "mse": 1e-3}


@pytest.fixture
def weights(tmp_path):
    """One model that is finished and known, one that is neither."""
    stages = {"blurred": SCORES, "restored": {**SCORES, "psnr": 31.256}}
    card = {
        "parameters": 950_883, "epochs": 12.5, "schedule_epochs": 100, "schedule_over": False, "minutes": 33.3,
        "hardware": "an abacus", "images_seen": 5994, "memory": {"megabytes": 321},
        "speed": {"ratio": 1.0, "megapixels_per_second": 0.987}, "scores": {"float": {"gaussian": stages}},
    }  # fmt: skip
    (tmp_path / "paper-gaussian.json").write_text(json.dumps(card))
    (tmp_path / "other.json").write_text("{}")
    make_model(tmp_path / "paper-gaussian.onnx")
    return tmp_path


def test_a_row_is_what_the_card_says(weights):
    other, paper = table.rows(weights)
    assert paper["gaussian"]["psnr"] == 31.256 and paper["motion"] is None
    assert paper["gmac"] == pytest.approx(0.937) and other["gmac"] is None
    line = table.markdown([paper]).splitlines()[2]
    for cell in (
        "`paper-gaussian`",
        "31.26 / 0.9000 / 0.0100 / 1.00e-03",
        "950,883",
        "12.5 of 100, not over",
        "1.00 ×",
        "0.99",
        "321",
        "3.0",
    ):
        assert f"| {cell} |" in line
    assert table.markdown([other]).splitlines()[2] == f"| `other` |{' – |' * 11}"


def test_every_model_and_measured_speed_has_a_place(weights):
    text = table.markdown(table.rows(weights), {"paper-gaussian": 5.678})
    assert text.splitlines()[0].endswith("| MP/s here, now |") and "| 5.68 |" in text
    assert text.splitlines()[2].endswith("| – |")


@pytest.mark.parametrize("name, text", table.documented(models.folder()).items())
def test_the_documents_hold_the_tables_of_the_cards(name, text):
    """What is timed anew at every call is not in them; the cards' own speed is."""
    document = table.DOCUMENTS[name].read_text(encoding="utf-8")
    assert table.placed(document, name, text) == document, "python -m training table --write"


def test_a_document_without_a_place_is_refused():
    with pytest.raises(table.TableError, match="<!-- table -->"):
        table.placed("nothing", "table", "")


def test_speeds_are_of_one_run(weights):
    speeds = speed.throughputs([weights / "paper-gaussian.onnx"] * 2, side=32, rounds=2)
    assert len(speeds) == 2 and min(speeds) > 0


def test_memory_grows_with_the_picture(weights):
    small, large = (speed.memory(weights / "paper-gaussian.onnx", side)["megabytes"] for side in (64, 1536))
    assert large > small + 1536**2 * 3 * 4 / 1e6 / 2  # at least half of one copy


def test_the_command_prints_both_ways(weights):
    command = ["table", "--weights", str(weights), "--no-speed"]
    assert CliRunner().invoke(app, command).stdout == table.markdown(table.rows(weights))
    printed = CliRunner().invoke(app, [*command, "--json"]).stdout
    assert [row["model"] for row in json.loads(printed)] == ["other", "paper-gaussian"]
