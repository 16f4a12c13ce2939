"""Scores of an exported network."""

import pytest

from deblurcli.pictures import images
from training.evaluation import protocol as evaluation


def test_evaluation_scores_both_protocols(pictures, identity, here):
    scores = evaluation.evaluate(str(identity), pictures[:4])
    for protocol in ("float", "8-bit"):
        for kind in ("gaussian", "motion", *([evaluation.CENTRED] if protocol == "8-bit" else [])):
            stage = scores[protocol][kind]
            assert stage["restored"]["psnr"] == pytest.approx(stage["blurred"]["psnr"], abs=1e-3)
            assert 10 < stage["blurred"]["psnr"] < 45
    assert scores["float"]["gaussian"]["blurred"]["psnr"] == pytest.approx(
        scores["8-bit"]["gaussian"]["blurred"]["psnr"], abs=0.2
    )


def test_commands_are_processes_and_one_that_fails_is_named(tmp_path, pictures):
    images.write(tmp_path / "sharp" / "a.png", pictures[0])
    folders = str(tmp_path / "sharp"), str(tmp_path / "blurred")
    assert evaluation._command("blur", *folders, "--psf", "gaussian:1") == ""
    assert (tmp_path / "blurred" / "a.png").is_file()
    with pytest.raises(evaluation.EvaluationError, match=r"deblurcli score .*nowhere.* exited 2: .*nowhere"):
        evaluation._command("score", folders[0], str(tmp_path / "nowhere"))
