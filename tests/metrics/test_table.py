import math

import numpy as np
import pytest
import skimage.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d

from deblurcli.blur.families import gaussian
from deblurcli.blur.model import blur
from deblurcli.errors import ImageError
from deblurcli.metrics import ssim, table
from deblurcli.metrics.table import METRICS, Pair, score
from deblurcli.pictures import images
from tests.conftest import DATA, ROOT

SIZES = st.integers(11, 90)
PAIRS = (SIZES, SIZES, st.sampled_from([1, 3]), st.integers(0, 10**6))


def pair(height, width, channels, seed):
    rng = np.random.default_rng(seed)
    sharp = rng.random((height, width, channels), dtype=np.float32)
    return np.clip(sharp + rng.normal(0, rng.uniform(0.001, 0.3), sharp.shape), 0, 1).astype(np.float32), sharp


@settings(max_examples=500)
@given(*PAIRS)
def test_psnr_and_ssim_agree_with_scikit_image(height, width, channels, seed):
    restored, sharp = pair(height, width, channels, seed)
    expected = skimage.metrics.structural_similarity(
        restored.astype(float), sharp.astype(float), channel_axis=-1, data_range=1,
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
    )  # fmt: skip
    assert table.ssim(restored, sharp) == pytest.approx(expected, abs=1e-6)
    expected = skimage.metrics.peak_signal_noise_ratio(sharp.astype(float), restored.astype(float), data_range=1)
    assert table.psnr(restored, sharp) == pytest.approx(expected, abs=1e-6)


def test_closed_forms():
    sharp = np.zeros((12, 12, 3))
    restored = np.full((12, 12, 3), 0.1)
    assert table.mse(restored, sharp) == pytest.approx(0.01)
    assert table.mae(restored, sharp) == pytest.approx(0.1)
    assert table.psnr(restored, sharp) == pytest.approx(20)
    assert table.ssim(restored, sharp) == pytest.approx(1e-4 / (0.01 + 1e-4))


def test_equal_images_are_perfect():
    image, _ = pair(20, 30, 3, 0)
    assert table.score(image, image) == {"psnr": math.inf, "ssim": pytest.approx(1), "mae": 0, "mse": 0}


@given(st.integers(0, 1000))
def test_scores_are_symmetric_and_know_better_from_worse(seed):
    restored, sharp = pair(48, 48, 3, seed)
    worse = np.clip(restored + np.random.default_rng(seed).normal(0, 0.4, sharp.shape), 0, 1)
    names = [name for name, metric in METRICS.items() if metric.needs_sharp and metric.least_side() <= 48]
    assert len(names) == 7
    there, back, other = score(restored, sharp, names), score(sharp, restored, names), score(worse, sharp, names)
    assert there == pytest.approx(back)
    for name in names:
        assert (there[name] > other[name]) == METRICS[name].higher_is_better, name


def test_swapped_channels_are_seen():
    image, _ = pair(20, 20, 3, 1)
    assert table.psnr(image[..., ::-1], image) < 20


@pytest.mark.parametrize("size", [(10, 40), (40, 10), (1, 1)])
def test_a_picture_smaller_than_the_window_has_no_ssim(size):
    image = np.zeros((*size, 3))
    with pytest.raises(ImageError, match="11 pixels"):
        table.ssim(image, image)
    assert table.score(image, image, ("psnr", "mae"))["mae"] == 0


def test_a_pair_that_differs_is_refused():
    with pytest.raises(ImageError, match="12×11 RGB against 13×11 grey"):
        table.score(np.zeros((11, 12, 3)), np.zeros((11, 13, 1)))


def test_nan_is_refused():
    bad = np.zeros((12, 12, 1))
    bad[3, 3] = np.nan
    with pytest.raises(ImageError, match="NaN or infinite"):
        table.score(bad, np.zeros((12, 12, 1)))


@given(*PAIRS)
def test_the_convention_skimage_is_its_defaults(height, width, channels, seed):
    restored, sharp = pair(height, width, channels, seed)
    expected = skimage.metrics.structural_similarity(
        restored.astype(float), sharp.astype(float), channel_axis=-1, data_range=1
    )
    assert score(restored, sharp, ["ssim"], "skimage")["ssim"] == pytest.approx(expected, abs=1e-6)


def test_the_window_of_a_convention_decides_how_small_a_picture_may_be():
    image = np.zeros((7, 8, 3))
    assert score(image, image, ["ssim"], "skimage") == {"ssim": 1}
    with pytest.raises(ImageError, match="ssim needs 7 pixels"):
        score(image[:6], image[:6], ["ssim"], "skimage")


def window():
    """The 11 × 11 Gaussian of sigma 1.5, from its formula."""
    squares = np.arange(-5, 6)[:, None] ** 2 + np.arange(-5, 6) ** 2
    weights = np.exp(-squares / (2 * 1.5**2))
    return weights / weights.sum()


def ssim_maps(r, s, peak):
    """SSIM and its part without the comparison of means, at every pixel where the window fits, from the formulas."""
    mean_r, mean_s, rr, ss, rs = (convolve2d(each, window(), "valid") for each in (r, s, r * r, s * s, r * s))
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    structure = (2 * (rs - mean_r * mean_s) + c2) / (rr - mean_r**2 + ss - mean_s**2 + c2)
    return (2 * mean_r * mean_s + c1) / (mean_r**2 + mean_s**2 + c1) * structure, structure


@pytest.mark.parametrize("crop", [0, 3])
@given(*PAIRS)
def test_the_convention_basicsr_is_its_formulas(crop, height, width, channels, seed):
    restored, sharp = (
        images.from_float(image, np.uint8) for image in pair(height + 2 * crop, width + 2 * crop, channels, seed)
    )
    names = ["psnr", "ssim", "psnr-y", "ssim-y"]
    found = score(restored, sharp, names, "basicsr", crop)
    inside = slice(crop, -crop or None)
    r, s = (image[inside, inside].astype(np.float64) for image in (restored, sharp))
    luma = [
        image @ [65.481 / 255, 128.553 / 255, 24.966 / 255] + 16 if channels == 3 else image[..., 0] for image in (r, s)
    ]
    expected = {
        "psnr": 20 * np.log10(255 / np.sqrt(np.mean((r - s) ** 2))),
        "ssim": np.mean([ssim_maps(r[..., each], s[..., each], 255)[0].mean() for each in range(channels)]),
        "psnr-y": 20 * np.log10(255 / np.sqrt(np.mean((luma[0] - luma[1]) ** 2))),
        "ssim-y": ssim_maps(*luma, 255)[0].mean(),
    }
    assert found == pytest.approx(expected, abs=1e-6)


@given(*PAIRS)
def test_errors_of_8_bits_are_exact(height, width, channels, seed):
    restored, sharp = (images.from_float(image, np.uint8) for image in pair(height, width, channels, seed))
    for border in (0, 2):
        r, s = (image[border : height - border, border : width - border].astype(int) for image in (restored, sharp))
        found = score(restored, sharp, ["mse", "mae"], crop_border=border)
        assert found["mse"] == pytest.approx(np.square(r - s).mean() / 255**2, rel=1e-13)
        assert found["mae"] == pytest.approx(np.abs(r - s).mean() / 255, rel=1e-13)


def test_errors_of_a_large_picture_do_not_overflow():
    black, white = np.zeros((6000, 4000, 3), np.uint8), np.full((6000, 4000, 3), 255, np.uint8)
    assert score(black, white, ["mse", "mae"]) == {"mse": 1, "mae": 1}


def test_basicsr_rounds_to_8_bits():
    sharp = np.full((12, 12, 3), 100, np.uint8)
    close = np.full((12, 12, 3), 100 * 257 + 120, np.uint16)
    assert score(close, sharp, ["psnr"], "basicsr")["psnr"] == math.inf
    assert 50 < score(close, sharp, ["psnr"])["psnr"] < 60


@pytest.mark.parametrize("size", [(161, 180), (176, 201), (256, 256)])
def test_ms_ssim_is_its_definition(size):
    restored, sharp = pair(*size, 1, 5)
    r, s, product = restored[..., 0].astype(float), sharp[..., 0].astype(float), 1
    for index, exponent in enumerate([0.0448, 0.2856, 0.3001, 0.2363, 0.1333]):
        if index:
            r, s = (halved(each) for each in (r, s))
        whole, structure = (each.mean() for each in ssim_maps(r, s, 1))
        product *= max(whole if index == 4 else structure, 0) ** exponent
    assert score(restored, sharp, ["ms-ssim"])["ms-ssim"] == pytest.approx(product, abs=1e-9)


def halved(plane):
    """Means of 2 × 2 pixels; a last odd row or column is repeated."""
    for axis in (0, 1):
        if plane.shape[axis] % 2:
            plane = np.concatenate([plane, np.take(plane, [-1], axis)], axis)
    return plane.reshape(plane.shape[0] // 2, 2, plane.shape[1] // 2, 2).mean(axis=(1, 3))


@given(st.integers(4, 60), st.integers(4, 60), st.integers(0, 1000))
def test_gmsd_is_its_definition(height, width, seed):
    restored, sharp = pair(height, width, 3, seed)

    def gradient(image):
        grey = image.astype(float) @ [0.299, 0.587, 0.114] * 255
        small = convolve2d(grey, np.full((2, 2), 0.25))[1:, 1:][::2, ::2]
        across = np.array([[1, 0, -1]] * 3) / 3
        return np.hypot(convolve2d(small, across, "same"), convolve2d(small, across.T, "same"))

    r, s = gradient(restored), gradient(sharp)
    expected = np.std((2 * r * s + 170) / (r * r + s * s + 170), ddof=1)
    assert score(restored, sharp, ["gmsd"])["gmsd"] == pytest.approx(expected, abs=1e-9)


def test_perfect_scores_and_a_cropped_border():
    image, other = pair(180, 200, 3, 3)
    perfect = {
        "psnr": math.inf,
        "ssim": 1,
        "mae": 0,
        "mse": 0,
        "ms-ssim": 1,
        "psnr-y": math.inf,
        "ssim-y": 1,
        "gmsd": 0,
    }
    assert score(image, image, list(perfect)) == pytest.approx(perfect)
    framed = image.copy()
    framed[:4], framed[-4:], framed[:, :4], framed[:, -4:] = 0, 0, 1, 1
    assert score(framed, image, ["psnr"], crop_border=4)["psnr"] == math.inf
    assert score(framed, image, ["psnr"], crop_border=3)["psnr"] < 60
    with pytest.raises(ImageError, match="border of 90 pixels leaves nothing of 200×180"):
        score(image, other, crop_border=90)


def test_depths_are_shares_of_their_largest():
    sharp, _ = pair(20, 20, 3, 7)
    eight = images.from_float(sharp, np.uint8)
    assert score(eight, eight.astype(np.uint16) * 257)["psnr"] == math.inf
    assert score(eight, eight.astype(np.float32) / 255)["psnr"] > 130


def test_another_data_range_is_refused():
    image = np.full((12, 12, 3), 200.0)
    with pytest.raises(ImageError, match=r"samples reach 200, but a float image is in \[0, 1\]; divide by 255"):
        score(image, image)
    assert score(image / 255 * 1.5, image / 255 * 1.5)["mse"] == 0


def test_a_small_picture_loses_only_what_needs_more_pixels():
    image, other = pair(8, 30, 3, 0)
    values, complaints = table.measure(image, other, ["psnr", "ssim", "ms-ssim", "mae"])
    assert list(values) == ["psnr", "mae"]
    assert complaints == [
        "ssim needs 11 pixels a side, the picture is 30×8; leave ssim out",
        "ms-ssim needs 161 pixels a side, the picture is 30×8; leave ms-ssim out",
    ]


def test_strips_do_not_show(monkeypatch):
    image, other = pair(200, 170, 3, 11)
    whole = score(image, other, list(METRICS))
    for size in (1, 170 * 31, 10**9):
        monkeypatch.setattr(ssim, "STRIP", size)
        assert score(image, other, list(METRICS)) == pytest.approx(whole, abs=1e-12)


def test_grey_against_colour_says_what_to_do():
    with pytest.raises(ImageError, match="save both as RGB, or both as grey"):
        score(np.zeros((12, 12, 3)), np.zeros((12, 12, 1)))
    with pytest.raises(ImageError, match="needs the sharp picture"):
        score(np.zeros((12, 12, 3)), names=["psnr"])


@pytest.mark.parametrize("name", ["astronaut", "cat"])
@pytest.mark.parametrize("noise", [0, 2, 5])
def test_sharpness_falls_with_blur_also_under_noise(name, noise):
    sharp = images.read(DATA / "sharp" / f"{name}.png")
    rng = np.random.default_rng(0)
    found = []
    for sigma in (0, 1, 2, 3):
        blurred = blur(sharp, gaussian(sigma)) if sigma else sharp
        noisy = images.from_float(blurred + rng.normal(0, noise / 255, sharp.shape).astype(np.float32), np.uint8)
        found.append(score(noisy)["sharpness"])
    assert found == sorted(found, reverse=True)
    assert found[0] - found[1] > 2 and found[1] - found[2] > 2


def test_sharpness_of_a_flat_picture_is_the_least():
    assert score(np.full((20, 20, 1), 0.5)) == {"sharpness": table.LEAST_SHARPNESS}


def flat(*colour):
    return np.ones((32, 32, 3)) * colour


STRIPES = 0.1 * np.sign(np.sin(np.arange(32) * np.pi / 2 + 0.1))[:, None, None] * np.ones((32, 32, 3))

# Where SSIM misleads: restored, sharp.
MISLEADING = {
    "black, and black a hundredth lighter": (flat(0.01, 0.01, 0.01), flat(0, 0, 0)),
    "white, and a light grey a fifth darker": (flat(0.8, 0.8, 0.8), flat(1, 1, 1)),
    "stripes, and the same shifted by half a period": (0.5 - STRIPES, 0.5 + STRIPES),
    "stripes, and nothing at all": (flat(0.5, 0.5, 0.5), 0.5 + STRIPES),
    "green, and a red of the same luma": (flat(0.9, 0, 0), flat(0, 0.9 * 65.481 / 128.553, 0)),
}


def test_where_ssim_misleads():
    names = ["ssim", "ssim-y", "psnr", "mae"]
    dark, bright, against, nothing, colour = (score(*each, names) for each in MISLEADING.values())
    assert dark["ssim"] < 0.51 < 0.97 < bright["ssim"] and dark["mae"] < 0.011 < 0.19 < bright["mae"]
    assert against["ssim"] < -0.8 < 0 < nothing["ssim"]
    assert colour["ssim-y"] == pytest.approx(1) and colour["psnr"] < 10


def test_the_misleading_examples_in_the_documentation_are_these():
    text = (ROOT / "docs" / "scores.md").read_text(encoding="utf-8")
    for name, each in MISLEADING.items():
        found = score(*each, ["psnr", "ssim", "ssim-y", "gmsd"])
        cells = " | ".join(METRICS[key].text(value).replace("-", "−") for key, value in found.items())
        assert f"| {name} | {cells} |" in text, cells


def test_every_metric_says_what_it_is():
    for name, metric in METRICS.items():
        assert metric.definition and metric.source and metric.digits, name
        restored, sharp = pair(170, 170, 3, 1)
        assert isinstance(metric.compute(Pair(restored, sharp if metric.needs_sharp else None)), float)
