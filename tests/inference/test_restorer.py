import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deblurcli.blur import families
from deblurcli.blur.model import blur
from deblurcli.errors import ModelError
from deblurcli.inference.ensemble import Ensemble
from deblurcli.inference.restorer import Restorer, deferred, refiners, restorer
from deblurcli.metrics.table import psnr
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from tests.conftest import make_last


class Unchanged:
    """A session that changes nothing, and remembers the sizes it was given."""

    def __init__(self):
        self.sizes = set()

    def run(self, batch):
        assert batch.dtype == np.float32 and batch.shape[:2] == (1, 3)
        self.sizes.add(batch.shape[2:])
        return batch


@pytest.fixture(scope="module")
def faces():
    return restorer("faces", workers=2)


@pytest.fixture(scope="module")
def blurred(sharp):
    return blur(sharp, families.gaussian(2, 9))


@given(
    st.integers(1, 150), st.integers(1, 150), st.sampled_from([1, 3]),
    st.sampled_from([np.uint8, np.uint16]), st.integers(0, 9),
)  # fmt: skip
def test_tiling_and_blending_lose_nothing(height, width, channels, dtype, seed):
    session = Unchanged()
    pixels = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (height, width, channels), dtype)
    restored = Restorer(session, multiple_of=8, halo=10, tile=64).restore(pixels)
    np.testing.assert_array_equal(restored, pixels)
    assert all(side % 8 == 0 and side <= 4 * 16 + 8 + 8 for size in session.sizes for side in size)


@given(st.integers(1, 40), st.integers(1, 40))
def test_float_images_pass_through_unrounded(height, width):
    image = np.random.default_rng(0).random((height, width, 3), dtype=np.float32)
    np.testing.assert_allclose(Restorer(Unchanged(), 8, 0, 64).restore(image), image, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(30, 200), (150, 70)])
def test_a_network_may_look_at_several_pictures(tmp_path, channels, size):
    rng = np.random.default_rng(0)
    blurred = rng.integers(0, 65535, (*size, channels), np.uint16)
    guess = rng.random((*size, channels), dtype=np.float32)
    last = restorer(str(make_last(tmp_path / "last.onnx", 2)), tile=128, workers=2, layers=2)
    np.testing.assert_allclose(images.to_float(last.restore(blurred, guess)), guess, atol=1.1 / 65535)
    again = pickle.loads(pickle.dumps(last))
    np.testing.assert_array_equal(again.restore(blurred, guess), last.restore(blurred, guess))


def test_a_network_for_another_number_of_pictures_is_refused(tmp_path, identity):
    with pytest.raises(ModelError, match=r"last\.onnx: expected one input \(N, 3, H, W\)"):
        restorer(str(make_last(tmp_path / "last.onnx", 2)))
    with pytest.raises(ModelError, match=r"expected one input \(N, 6, H, W\)"):
        deferred(str(identity), layers=2).restore(np.zeros((8, 8, 3)), np.zeros((8, 8, 3)))


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (2, 3), (7, 9), (255, 191)])
def test_any_size_is_restored(faces, blurred, size):
    part = images.from_float(blurred[: size[0], : size[1]], np.uint8)
    restored = faces.restore(part)
    assert restored.shape == part.shape and restored.dtype == np.uint8


def test_tiled_and_whole_agree_everywhere(faces, sharp):
    rng = np.random.default_rng(0)
    hard = np.clip(blur(sharp, families.motion(8, 30)) + rng.normal(0, 0.03, sharp.shape), 0, 1).astype(np.float32)
    hard[100:140, 60:120] = rng.random((40, 60, 3))
    tiled = Restorer(faces.session, faces.multiple_of, faces.halo, tile=128).restore(hard)
    whole = Restorer(faces.session, faces.multiple_of, faces.halo, tile=512).restore(hard)
    rounding = 1 / 255 / np.sqrt(12)
    assert 0 < np.sqrt(np.square(tiled - whole).mean()) <= rounding


def test_workers_change_nothing(faces, blurred):
    alone = Restorer(faces.session, faces.multiple_of, faces.halo, tile=128)
    many = Restorer(faces.session, faces.multiple_of, faces.halo, tile=128, map=faces.map)
    np.testing.assert_array_equal(alone.restore(blurred), many.restore(blurred))


def test_the_network_restores_what_it_was_trained_on(faces, sharp, blurred):
    assert psnr(faces.restore(blurred), sharp) > psnr(blurred, sharp) + 1


def test_borders_are_restored_as_well_as_the_rest(faces, sharp, blurred):
    restored = faces.restore(blurred)
    rim = np.ones(sharp.shape[:2], bool)
    rim[8:-8, 8:-8] = False
    before, after = (np.abs(image - sharp)[rim].mean() for image in (blurred, restored))
    assert after < before
    assert abs((restored - sharp)[rim].mean()) < 0.004


def test_grey_stays_grey_and_alpha_is_kept(faces, blurred):
    grey = images.from_float(blurred.mean(axis=2, keepdims=True), np.uint8)
    alpha = np.random.default_rng(0).integers(0, 255, grey.shape[:2], np.uint8)
    restored = faces(Picture(grey, alpha))
    assert restored.pixels.shape == grey.shape and (restored.pixels != grey).any()
    np.testing.assert_array_equal(restored.alpha, alpha)


def test_sixteen_bits_hold_more_than_eight(faces, sharp, blurred):
    restored = faces.restore(images.from_float(blurred, np.uint16))
    assert restored.dtype == np.uint16
    assert (restored % 257 != 0).mean() > 0.9
    eight = faces.restore(images.from_float(blurred, np.uint8))
    deep, shallow = (psnr(images.to_float(pixels), sharp) for pixels in (restored, eight))
    assert deep > shallow + 1, "what 8 bits round away, 16 keep, and it helps"


@pytest.mark.parametrize("halo, multiple", [(240, 8), (256, 8), (1024, 1), (0, 512)])
def test_any_halo_makes_progress(halo, multiple):
    restore = Restorer(Unchanged(), multiple, halo)
    assert len(restore._spans(4000)) <= 16


class Leaning:
    """A session whose answer is the batch and a ramp: an error that depends on where up and left are."""

    provider = "cpu"

    def run(self, batch):
        rows, columns = np.mgrid[: batch.shape[2], : batch.shape[3]].astype(np.float32)
        return batch[:, -3:] + 0.01 * rows + 0.03 * columns


@pytest.mark.parametrize("size", [(8, 8), (16, 40)])
def test_an_ensemble_turns_every_answer_back_and_leans_nowhere(size):
    batch = np.random.default_rng(0).random((2, 6, *size), np.float32)
    answer = Ensemble(Leaning()).run(batch)
    error = answer - batch[:, 3:]
    assert answer.shape == (2, 3, *size)
    np.testing.assert_allclose(error, np.full_like(error, error.mean()), atol=1e-5)


def test_an_ensemble_of_faces_is_no_worse_and_travels(faces, sharp, blurred):
    """Its blurs look the same in all orientations or are shifted by them, so only the former are shown."""
    ensemble = restorer("faces", ensemble=True)
    assert psnr(ensemble.restore(blurred), sharp) > psnr(faces.restore(blurred), sharp)
    again = pickle.loads(pickle.dumps(ensemble))
    np.testing.assert_array_equal(again.restore(blurred), ensemble.restore(blurred))


@pytest.mark.parametrize("workers", [None, 2])
def test_a_deferred_network_is_the_same_network(faces, blurred, workers):
    later = pickle.loads(pickle.dumps(deferred("faces", workers=workers)))
    np.testing.assert_array_equal(later.restore(blurred), faces.restore(blurred))
    assert later._opened() is later._opened()


def test_large_pictures_and_light_have_refiners_of_their_own_the_former_but_in_an_ensemble():
    one, of_large, of_light = refiners("cpu", workers=1)
    assert (one.halo, of_large.halo, of_light.halo) == (48, 48, 48) and one.source[0] == "refine"
    assert of_light.model.endswith("refine-light.onnx") and of_light.workers == 1 and not of_light.ensemble
    assert refiners("cpu", workers=1, ensemble=True)[2].ensemble
    assert of_large.model.endswith("refine-small.onnx") and of_large.workers == 1
    assert refiners("cpu", workers=1, elsewhere=True)[1].workers is None
    assert refiners("cpu", workers=1, ensemble=True)[1] is None
