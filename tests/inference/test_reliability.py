"""The network, and the bundled networks that restore nothing by themselves."""

import shutil

import numpy as np
import pytest
import skimage.data

from deblurcli.errors import ModelError
from deblurcli.inference import models, reliability
from deblurcli.inference.helpers import FOLDER, Helper

LUMA = skimage.data.camera()[:300, :500, None]


def test_there_is_a_share_for_every_cell_also_of_a_picture_of_many_tiles(monkeypatch):
    whole = reliability.shares(LUMA, LUMA)
    assert whole.shape == (19, 32) and whole.min() >= 0 and whole.max() <= 1.25
    monkeypatch.setattr(reliability, "TILE", 128)
    assert reliability.shares(LUMA, LUMA).shape == whole.shape


def test_tiles_lie_where_their_pixels_are(monkeypatch):
    monkeypatch.setattr(reliability, "TILE", 32)
    monkeypatch.setattr(reliability, "helper", lambda name: lambda planes: planes[:, :1, ::16, ::16])
    rows = (np.arange(70)[:, None, None] + np.zeros((1, 50, 1))).astype(np.uint8)
    told = 255 * (reliability.shares(rows, rows) + 0.5)
    np.testing.assert_allclose(told, np.arange(0, 70, 16)[:, None] + np.zeros((1, 4)), atol=1e-3)


def test_planes_are_both_pictures_and_the_change():
    before, after = np.float32([[0.5, 0.25]]), np.float32([[0.6, 0.95]])
    np.testing.assert_allclose(
        reliability.planes(before, after), [[[0, -0.25]], [[0.1, 0.45]], [[0.5, 1.5]]], atol=1e-6
    )


def test_of_ripples_less_is_kept_than_of_edges_made_steeper():
    """What is added is the same in size, but says nothing of the picture."""
    soft = skimage.filters.gaussian(LUMA[..., 0] / 255, 2)[..., None].astype(np.float32)
    steeper = np.clip(soft + (LUMA / 255 - soft) * 0.7, 0, 1).astype(np.float32)
    strength = float(np.sqrt(np.square(steeper - soft).mean()))
    waves = np.sin(np.arange(500) / 2)[None, :, None].astype(np.float32) * np.float32(strength * np.sqrt(2))
    assert reliability.shares(soft, np.clip(soft + waves, 0, 1)).mean() < 0.8 * reliability.shares(soft, steeper).mean()


def test_a_damaged_helper_says_so(tmp_path):
    for end in ("onnx", "json"):
        shutil.copy(models.folder() / FOLDER / f"reliability.{end}", tmp_path / f"reliability.{end}")
    path = tmp_path / "reliability.onnx"
    assert Helper(path)(np.zeros((1, 3, 32, 32), np.float32)).shape == (1, 1, 2, 2)
    with pytest.raises(ModelError, match="failed on an input"):
        Helper(path)(np.zeros((1, 2, 32, 32), np.float32))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"SHA-256 is .*its card says"):
        Helper(path)
