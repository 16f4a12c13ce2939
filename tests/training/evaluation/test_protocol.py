"""Scores of an exported network."""

import pytest

from training.evaluation import protocol as evaluation


def test_evaluation_scores_both_protocols(pictures, identity):
    scores = evaluation.evaluate(str(identity), pictures[:4])
    for protocol in ("float", "8-bit"):
        for kind in ("gaussian", "motion", *([evaluation.CENTRED] if protocol == "8-bit" else [])):
            stage = scores[protocol][kind]
            assert stage["restored"]["psnr"] == pytest.approx(stage["blurred"]["psnr"], abs=1e-3)
            assert 10 < stage["blurred"]["psnr"] < 45
    assert scores["float"]["gaussian"]["blurred"]["psnr"] == pytest.approx(
        scores["8-bit"]["gaussian"]["blurred"]["psnr"], abs=0.2
    )
