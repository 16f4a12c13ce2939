import numpy as np
import pytest

from deblurcli.errors import ModelError, ProviderError
from deblurcli.inference import session
from deblurcli.inference.session import Session
from tests.conftest import make_model, make_spectral


def test_a_network_answers_with_its_input_s_shape(identity):
    batch = np.random.default_rng(0).random((2, 3, 5, 7), dtype=np.float32)
    np.testing.assert_array_equal(Session(identity).run(batch), batch)


def test_auto_takes_the_best_that_is_available(identity):
    assert Session(identity, "auto").provider == session.available()[0]
    assert "cpu" in session.available()


def test_an_unknown_provider_is_refused_with_the_known_ones():
    with pytest.raises(ProviderError, match=r"quantum.*cpu"):
        session.choose("quantum")


@pytest.mark.parametrize("provider", session.PROVIDERS)
def test_a_missing_provider_is_refused_with_its_package(provider, identity):
    if provider in session.available():
        assert session.choose(provider) == provider
    else:
        with pytest.raises(ProviderError, match=session.PROVIDERS[provider].package):
            Session(identity, provider)


@pytest.mark.parametrize("content", [b"", b"no network", bytes(1000)])
def test_a_file_that_is_no_network_is_refused(tmp_path, content):
    path = tmp_path / "x.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"x\.onnx") as caught:
        Session(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [{"channels": 1}, {"sides": (64, 64)}, {"sides": ("h",)}])
def test_a_network_of_another_shape_is_refused(tmp_path, shape):
    path = make_model(tmp_path / "x.onnx", **shape)
    with pytest.raises(ModelError, match="expected one input"):
        Session(path)


def test_an_input_a_network_cannot_take_is_a_model_error(identity):
    with pytest.raises(ModelError, match="failed on an input"):
        Session(identity).run(np.zeros((1, 4, 8, 8), np.float32))


def test_auto_goes_on_to_a_provider_that_starts(identity, monkeypatch):
    """A provider may be compiled in and lack its libraries or its device."""
    real = session.started
    monkeypatch.setattr(session, "available", lambda: ["cuda", "cpu"])
    monkeypatch.setattr(session, "started", lambda path, name, threads: real(path, "cpu", 1) if name == "cpu" else None)
    assert Session(identity, "auto").provider == "cpu"
    with pytest.raises(ProviderError, match="could not start"):
        Session(identity, "cuda")


def test_a_network_that_is_told_the_spectrum_says_so_and_gets_it(tmp_path, identity):
    spectral = Session(make_spectral(tmp_path / "spectral.onnx"))
    batch, spectra = np.zeros((2, 3, 5, 7), np.float32), np.ones((2, 64, 33), np.float32)
    spectra[1] = 3
    assert spectral.needs_spectrum and not Session(identity).needs_spectrum
    np.testing.assert_allclose(spectral.run(batch, spectra), np.broadcast_to([[[[0.01]]], [[[0.03]]]], batch.shape))


def test_a_second_input_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ModelError, match="expected one input"):
        Session(make_spectral(tmp_path / "x.onnx", "mask"))
