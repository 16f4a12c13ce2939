"""Losses and schedules against their closed forms."""

import pytest
import torch

from training.fitting import losses, schedules


def test_losses_have_their_closed_forms():
    sharp = torch.zeros(1, 3, 8, 8)
    restored = torch.full_like(sharp, 0.3)
    assert losses.mse(restored, sharp).item() == pytest.approx(0.09)
    assert losses.charbonnier(restored, sharp).item() == pytest.approx((0.09 + 1e-6) ** 0.5)
    # a constant has one coefficient that is not zero, 8 · 0.3, among 8 × 5
    assert losses.fourier(restored, sharp).item() == pytest.approx(8 * 0.3 / 40, rel=1e-5)
    both = losses.weighted({"mse": 2.0, "fourier": 0.5})(restored, sharp).item()
    assert both == pytest.approx(2 * 0.09 + 0.5 * 8 * 0.3 / 40, rel=1e-5)


def test_a_cosine_warms_up_and_falls_to_zero():
    cosine = schedules.build({"name": "cosine", "warmup": 100}, 1e-3)
    values = [cosine.at(step, 1000) for step in range(1001)]
    assert values[0] < values[50] < max(values) == pytest.approx(1e-3)
    assert values[-1] == pytest.approx(0)
    assert values[100:] == sorted(values[100:], reverse=True)


def test_a_plateau_falls_as_keras_s_does():
    """Three epochs without a gain of 0.1: a fifth of the rate, never below the minimum."""
    settings = {"name": "plateau", "factor": 0.2, "patience": 3, "minimum": 0.01, "least": 0.1}
    plateau, heard = schedules.build(settings, 1.0), []
    for loss in [1.0, 0.95, 0.92, 0.91, 0.5, 0.5, 0.5, 0.5, 0.45, 0.44, 0.43, 0.1]:
        plateau.heard(loss)
        heard.append(plateau.at(0, 1))
    assert heard == pytest.approx([1, 1, 1, 0.2, 0.2, 0.2, 0.2, 0.04, 0.04, 0.04, 0.01, 0.01])


def test_a_fit_stops_after_its_patience_and_not_without_one():
    patient, endless = schedules.Stop(2), schedules.Stop(0)
    heard = []
    for loss in (3.0, 2.0, 2.5, 2.0):
        heard.append((patient.heard(loss), patient.over))
        endless.heard(loss)
    assert heard == [(True, False), (True, False), (False, False), (False, True)] and not endless.over
