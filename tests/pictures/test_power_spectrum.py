import numpy as np
import pytest

from deblurcli.blur import families
from deblurcli.blur.model import blur
from deblurcli.inference.ensemble import ORIENTATIONS, Ensemble
from deblurcli.inference.restorer import Restorer
from deblurcli.inference.session import Session
from deblurcli.pictures.luma import central_luma, to_luma
from deblurcli.pictures.power_spectrum import log_power_spectrum, turn_spectrum
from tests.conftest import make_spectral


def test_what_is_told_is_the_logarithm_of_mean_power(sharp):
    """White noise of variance v has power v at every frequency but the lowest, which the level takes away."""
    noise = 0.1 * np.random.default_rng(0).standard_normal((512, 512)).astype(np.float32)
    power = np.exp(log_power_spectrum(noise))
    assert power.shape == (64, 33) and power.dtype == np.float32
    assert power[:, 3:].mean() == pytest.approx(0.01, rel=0.05)
    assert power[32, 0] < 0.001, "the origin lies in the middle row"


def test_a_wave_stands_at_its_frequency():
    rows, columns = np.mgrid[:128, :128]
    wave = np.cos(2 * np.pi * (8 * rows + 16 * columns) / 64).astype(np.float32)
    assert np.unravel_index(log_power_spectrum(wave).argmax(), (64, 33)) == (32 + 8, 16)


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (63, 64), (100, 65)])
def test_any_size_is_told(shape):
    assert np.isfinite(log_power_spectrum(np.random.default_rng(0).random(shape, np.float32))).all()


@pytest.mark.parametrize("turns, mirrored", ORIENTATIONS)
def test_a_turned_spectrum_is_that_of_the_turned_picture(sharp, turns, mirrored):
    luma = to_luma(blur(sharp, families.motion(9, 30)))
    side = min(luma.shape) // 64 * 64
    luma = luma[:side, :side]
    seen = np.rot90(luma[:, ::-1] if mirrored else luma, turns)
    expected, made = (
        log_power_spectrum(np.ascontiguousarray(seen)),
        turn_spectrum(log_power_spectrum(luma), turns, mirrored),
    )
    assert (
        np.abs(made - expected).mean()
        < 0.05
        < np.abs(turn_spectrum(log_power_spectrum(luma), turns + 1, mirrored) - expected).mean()
    )


def test_a_restorer_tells_the_whole_picture_s_spectrum_for_every_tile(tmp_path):
    session = Session(make_spectral(tmp_path / "spectral.onnx"))
    pixels = 0.3 + 0.4 * np.random.default_rng(0).random((150, 130, 3), np.float32)
    expected = pixels + 0.01 * log_power_spectrum(central_luma(pixels)).mean()
    for asked in (session, Ensemble(session)):
        restored = Restorer(asked, 2, halo=8, tile=48, needs_spectrum=asked.needs_spectrum).restore(pixels)
        np.testing.assert_allclose(restored, expected, atol=1e-5)
    assert np.abs(expected - pixels).min() > 0.01
