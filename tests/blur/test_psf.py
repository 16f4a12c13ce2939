import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deblurcli.blur import families, psf, psf_files
from deblurcli.errors import ImageError, PSFError
from deblurcli.pictures import images

SPECS = st.one_of(
    st.builds(lambda sigma: f"gaussian:sigma={sigma}", st.floats(0.1, 8)),
    st.builds(lambda length, angle: f"motion:length={length},angle={angle}", st.floats(1, 40), st.floats(-360, 360)),
    st.builds(lambda radius: f"defocus:radius={radius}", st.floats(0.5, 15)),
    st.builds(lambda size: f"box:size={size}", st.floats(1, 20)),
    st.builds(lambda length, seed: f"trajectory:length={length},seed={seed}", st.floats(1, 40), st.integers(0, 999)),
)


def centroid(array):
    """Offset of the centroid from the centre of the array, in pixels (rows, columns)."""
    rows, columns = np.indices(array.shape)
    return (array * rows).sum() - array.shape[0] // 2, (array * columns).sum() - array.shape[1] // 2


@given(SPECS)
def test_a_psf_is_odd_nonnegative_normalised_and_centred(spec):
    array = psf.parse(spec).array()
    assert array.dtype == np.float64 and array.shape[0] % 2 == array.shape[1] % 2 == 1
    assert array.min() >= 0
    assert array.sum() == pytest.approx(1, abs=1e-12)
    assert centroid(array) == pytest.approx((0, 0), abs=1e-9)


@given(SPECS)
def test_the_text_of_a_spec_gives_the_spec_again(spec):
    parsed = psf.parse(spec)
    again = psf.parse(str(parsed))
    assert again == parsed


def test_even_motion_has_half_weight_ends_and_odd_motion_full_ones():
    np.testing.assert_allclose(families.motion(4, 0), [[1 / 8, 1 / 4, 1 / 4, 1 / 4, 1 / 8]])
    np.testing.assert_allclose(families.motion(3, 90), [[1 / 3], [1 / 3], [1 / 3]])


@given(st.floats(2, 40), st.floats(0, 180))
def test_motion_has_the_length_and_angle_asked_for(length, angle):
    array = families.motion(length, angle)
    rows, columns = np.indices(array.shape)
    y, x = array.shape[0] // 2 - rows, columns - array.shape[1] // 2
    along = x * np.cos(np.deg2rad(angle)) + y * np.sin(np.deg2rad(angle))
    across = -x * np.sin(np.deg2rad(angle)) + y * np.cos(np.deg2rad(angle))
    assert np.sqrt(12 * (array * along**2).sum()) == pytest.approx(length, abs=1)
    assert (array * across**2).sum() < 0.3


def test_direction_names_follow_the_picture():
    diagonal = psf.parse("motion:length=9,angle=diagonal").array()
    assert np.trace(diagonal) > 0.9
    assert np.trace(psf.parse("motion:length=9,angle=antidiagonal").array()[::-1]) > 0.9
    assert psf.parse("motion:length=9,angle=horizontal").array().shape == (1, 9)
    assert psf.parse("motion:length=9,angle=vertical").array().shape == (9, 1)


def test_defocus_is_a_disc_of_the_right_area():
    array = families.defocus(6)
    assert 1 / array.max() == pytest.approx(np.pi * 36, rel=0.02)
    assert array[0, 0] == 0


def test_gaussian_samples_the_curve_opencv_samples():
    line = cv2.getGaussianKernel(9, 2, cv2.CV_64F)
    np.testing.assert_allclose(families.gaussian(2, 9), line @ line.T, atol=1e-12)


@pytest.mark.parametrize(
    "direction, shift", [("horizontal", (1, 0.5)), ("vertical", (0.5, 1)), ("diagonal", (0.5, 0.5))]
)
def test_the_paper_s_motion_is_off_centre_as_documented(direction, shift):
    assert centroid(families.paper_motion(direction)) == pytest.approx(shift)


@pytest.mark.parametrize(
    "spec, said",
    [
        ("gauss:2", ["gauss", "gaussian"]),
        ("gaussian:sigma=-2", ["sigma=-2", "0.1 to 50"]),
        ("gaussian:sigma=x", ["sigma=x", "0.1 to 50"]),
        ("gaussian:sigma=nan", ["sigma=nan", "0.1 to 50"]),
        ("gaussian", ["sigma", "missing"]),
        ("gaussian:sigma=2,size=8", ["size=8", "odd"]),
        ("gaussian:sigma=2,width=8", ["width", "sigma, size"]),
        ("gaussian:sigma=2,sigma=3", ["sigma", "twice"]),
        ("motion:length=0", ["length=0", "1 to 500"]),
        ("motion:length=5,angle=up", ["angle=up", "-360 to 360", "diagonal"]),
        ("paper-motion:direction=up", ["direction=up", "horizontal, vertical, diagonal"]),
        ("", ["choose one of"]),
    ],
)
def test_a_wrong_spec_names_the_field_the_value_and_the_range(spec, said):
    with pytest.raises(PSFError) as caught:
        psf.parse(spec).array()
    assert all(part in str(caught.value) for part in said)
    assert "\n" not in str(caught.value)


def asymmetric(side=5):
    array = np.zeros((side, side + 2))
    array[0, 0], array[1, 1], array[3, 2] = 0.5, 0.3, 0.2
    return array


def test_a_psf_file_is_normalised_and_centred(tmp_path):
    np.save(tmp_path / "k.npy", 7 * asymmetric())
    array = psf.parse(str(tmp_path / "k.npy")).array()
    assert array.sum() == pytest.approx(1) and centroid(array) == pytest.approx((0, 0), abs=1e-9)


def test_a_psf_file_can_be_taken_as_it_is(tmp_path):
    np.save(tmp_path / "k.npy", asymmetric())
    array = psf.parse(f"file:path={tmp_path / 'k.npy'},centre=no").array()
    np.testing.assert_allclose(array, asymmetric())


def test_a_psf_image_gives_the_psf_it_shows(tmp_path):
    shown = families.defocus(4)
    images.write(tmp_path / "k.png", (shown / shown.max())[..., None].astype(np.float32), depth=16)
    np.testing.assert_allclose(psf.parse(str(tmp_path / "k.png")).array(), shown, atol=1e-4)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_centring_keeps_the_sum_and_moves_the_centroid(rows, columns, seed):
    array = np.random.default_rng(seed).random((rows, columns))
    moved = families.centred(array / array.sum())
    assert moved.sum() == pytest.approx(1) and moved.min() >= 0
    assert centroid(moved) == pytest.approx((0, 0), abs=1e-9)


def test_centring_a_symmetric_psf_changes_nothing():
    np.testing.assert_allclose(families.centred(families.defocus(3)), families.defocus(3), atol=1e-12)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((3, 3)),
        -np.ones((3, 3)),
        np.full((3, 3), np.nan),
        np.ones(3),
        np.ones((1, 2000)),
        np.ones((3, 3), complex),
        np.zeros((3, 3), "datetime64[s]"),
    ],
)
def test_a_senseless_psf_file_is_refused(tmp_path, array):
    np.save(tmp_path / "k.npy", array)
    with pytest.raises(PSFError, match=r"k\.npy"):
        psf.parse(str(tmp_path / "k.npy")).array()


def test_a_psf_file_that_is_missing_or_no_array_is_refused(tmp_path):
    with pytest.raises(ImageError, match=r"nothing\.npy"):
        psf.parse(str(tmp_path / "nothing.npy")).array()
    (tmp_path / "text.npy").write_text("text")
    with pytest.raises(PSFError, match=r"text\.npy"):
        psf.parse(str(tmp_path / "text.npy")).array()


def test_a_psf_file_may_have_any_name_and_any_scale(tmp_path):
    for name in ("a:b.npy", "a,b=c.npy"):
        np.save(tmp_path / name, np.full((3, 3), 1e308))
        np.testing.assert_allclose(psf.parse(str(tmp_path / name)).array(), 1 / 9)


def test_a_psf_file_whose_header_lies_is_refused(tmp_path):
    np.save(tmp_path / "k.npy", np.ones((3, 3)))
    data = (tmp_path / "k.npy").read_bytes().replace(b"(3, 3), }         ", b"(300000, 300000)}")
    (tmp_path / "k.npy").write_bytes(data)
    with pytest.raises(PSFError, match=r"k\.npy"):
        psf.parse(str(tmp_path / "k.npy")).array()


@given(st.integers(0, 200))
def test_a_trajectory_is_of_its_length_connected_and_its_own(seed):
    array = families.trajectory(20, seed)
    count, _ = cv2.connectedComponents((array > 0).astype(np.uint8))
    assert count == 2, "the background and one path"
    assert max(array.shape) <= 20 + 4
    np.testing.assert_array_equal(array, families.trajectory(20, seed))
    assert array.shape != families.trajectory(20, seed + 1).shape or not np.allclose(
        array, families.trajectory(20, seed + 1)
    )


def test_random_specifications_stay_in_their_bounds_and_families():
    rng = np.random.default_rng(0)
    drawn = [psf.parse_or_random("random").draw(rng) for _ in range(400)]
    assert {spec.family for spec in drawn} == set(psf.DRAWN)
    for spec in drawn:
        assert psf.parse(str(spec)) == spec
        for name, value in spec.values:
            low, high = psf.DRAWN[spec.family].get(name, (value, value))
            assert low <= value <= high
    assert {psf.parse_or_random("random:motion+defocus").draw(rng).family for _ in range(50)} == {"motion", "defocus"}
    with pytest.raises(PSFError, match=r"random draws from gaussian, motion.*, not 'box'"):
        psf.parse_or_random("random:box")


@pytest.mark.parametrize("text", ["random", "random:motion+defocus", "motion:length=9,angle=30"])
def test_a_specification_or_random_is_written_as_it_is_read(text):
    assert str(psf.parse_or_random(text)) == text


@pytest.mark.parametrize("name", ["k.npy", "k.png", "k.tiff"])
def test_a_written_psf_is_read_again(tmp_path, name):
    array = families.trajectory(15, 3)
    psf_files.write(tmp_path / name, array)
    read = psf.parse(str(tmp_path / name)).array()
    margins = [(max(a - b, 0) // 2,) * 2 for a, b in zip(read.shape, array.shape)]
    np.testing.assert_allclose(read, np.pad(array, margins), atol=2e-5)
