"""Pairs made batch by batch agree with what the tool itself does to one picture."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.ndimage
import torch

from deblurcli.blur import psf, varying
from deblurcli.blur.model import blur, through_jpeg
from deblurcli.pictures.luma import to_luma
from deblurcli.pictures.power_spectrum import log_power_spectrum
from training import recipe
from training.data.batched import blurs, camera, scenery, spectra
from training.data.batched.batches import WHOLE_EVERY, Batches, Mixture
from training.data.batched.blurs import REACH
from training.data.batched.gallery import Gallery
from training.recipe import RecipeError, Varying

CPU = torch.device("cpu")
PSFS = "motion:length=20,angle=33", "trajectory:length=35,seed=3", "gaussian:sigma=3", "defocus:radius=5"


@pytest.fixture(scope="module")
def photograph(pictures):
    """An uneven picture with soft and hard edges, float32 ``(160, 192, 3)``."""
    down, across = np.mgrid[:160, :192]
    waves = 0.5 + 0.3 * np.sin(down / 7 + across / 5)[..., None] * np.array([1, 0.5, -0.7])
    waves[40:90, 60:130] = [0.9, 0.2, 0.1]
    noise = np.random.default_rng(5).normal(0, 0.03, waves.shape)
    return np.clip(waves + noise, 0, 1).astype(np.float32)


def batch(image):
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]


def image(batch):
    return batch[0].numpy().transpose(1, 2, 0)


def inside(image):
    return np.ascontiguousarray(image[REACH:-REACH, REACH:-REACH])


@pytest.mark.parametrize("spec", PSFS)
def test_psfs_blur_as_the_tool_does(photograph, spec):
    kernel = psf.parse(spec).array()
    scene = batch(photograph)
    transfer = blurs.transfer(blurs.bank([kernel], CPU), tuple(scene.shape[-2:]))
    np.testing.assert_allclose(
        image(blurs.convolved(scene, transfer)), inside(blur(photograph, kernel)), rtol=0, atol=1e-4
    )
    mirrored = blurs.convolved(blurs.mirrored(blurs.middle(scene)), transfer)
    np.testing.assert_allclose(image(mirrored), blur(inside(photograph), kernel), rtol=0, atol=1e-4)


def test_a_psf_that_reaches_too_far_is_refused():
    with pytest.raises(ValueError, match="further than 32"):
        blurs.bank([psf.parse("motion:length=80").array()], CPU)


def test_a_camera_that_only_shifts_blurs_as_the_psf_of_its_path(photograph):
    """Instants a whole pixel apart along a row: the mean of shifted pictures is a box of one row."""
    poses = torch.tensor([[[float(shift), 0, 0, 1]] for shift in range(-3, 4)])
    seen = blurs.exposed(batch(photograph), poses, (96, 128))
    np.testing.assert_allclose(image(seen), inside(blur(photograph, np.full((1, 7), 1 / 7))), rtol=0, atol=1e-4)


def test_a_camera_that_turns_sees_what_interpolation_says(photograph):
    right, below, turn, zoom = pose = 5.3, -41.2, 0.05, 1.03  # beyond the edge, which mirrors
    seen = image(blurs.warped(batch(photograph), torch.tensor([pose]), (96, 128)))
    down, across = np.mgrid[:96, :128] - np.array([47.5, 63.5])[:, None, None]
    x = zoom * (np.cos(turn) * across - np.sin(turn) * down) + right + 95.5
    y = zoom * (np.sin(turn) * across + np.cos(turn) * down) + below + 79.5
    planes = [
        scipy.ndimage.map_coordinates(photograph[..., channel].astype(float), [y, x], order=1, mode="mirror")
        for channel in range(3)
    ]
    np.testing.assert_allclose(seen, np.stack(planes, axis=2), rtol=0, atol=1e-4)


def test_what_moves_in_front_covers_what_lies_behind(photograph):
    """At rest, a part is laid over the scene; where it covers nothing, only the scene moves."""
    scene, still = batch(photograph), torch.tensor([[[0.0, 0, 0, 1]]])
    cover = torch.zeros(1, 1, 160, 192)
    cover[..., :96] = 1
    part = torch.cat([cover * 0.25, cover * 0.25, cover * 0.25, cover], dim=1)
    composed = image(blurs.exposed(scene, still, (96, 128), part, still))
    np.testing.assert_allclose(composed[:, :64], 0.25, atol=1e-5)
    np.testing.assert_allclose(composed[:, 64:], inside(photograph)[:, 64:], atol=1e-5)
    moving = torch.tensor([[[float(shift), 0, 0, 1]] for shift in (-4, 0, 4)])
    seen = image(blurs.exposed(scene, moving, (96, 128), part, torch.cat([still] * 3)))
    np.testing.assert_allclose(seen[:, :64], 0.25, atol=1e-5)
    np.testing.assert_allclose(seen[:, 64:], image(blurs.exposed(scene, moving, (96, 128)))[:, 64:], atol=1e-5)


def test_motion_that_varies_is_the_tools(photograph):
    """A scene and a part of its mirror image in front, each on its own path."""
    rng, size = np.random.default_rng(4), photograph.shape[:2]
    paths = [varying.random_poses(rng, length, rotation=2, zoom=3, instants=5) for length in (9, 25)]
    down, across = np.mgrid[:160, :192]
    cover = np.clip(40 - np.hypot(down - 70, across - 100), 0, 1).astype(np.float32)
    other = np.ascontiguousarray(photograph[::-1])
    layers = [varying.Layer(photograph, None, paths[0]), varying.Layer(other, cover, paths[1])]
    part = batch(np.concatenate([other * cover[..., None], cover[..., None]], axis=2))
    poses = [torch.tensor(path, dtype=torch.float32)[:, None] for path in paths]
    seen = blurs.exposed(batch(photograph), poses[0], size, part, poses[1])
    np.testing.assert_allclose(image(seen), varying.exposed(layers), rtol=0, atol=1e-4)


def test_depth_chooses_between_blurs(photograph):
    scene = batch(photograph)
    kernels = [psf.parse(spec).array() for spec in ("box:size=1", "defocus:radius=4")]
    transfers = blurs.transfer(blurs.bank(kernels, CPU), tuple(scene.shape[-2:]))[None]
    depth = torch.zeros(1, 1, 96, 128)
    depth[..., 64:], depth[..., 40:50] = 1, 0.5
    seen, (near, far) = (
        image(blurs.out_of_focus(scene, depth, transfers)),
        (inside(blur(photograph, kernel)) for kernel in kernels),
    )
    np.testing.assert_allclose(seen[:, :40], near[:, :40], atol=1e-4)
    np.testing.assert_allclose(seen[:, 40:50], (near + far)[:, 40:50] / 2, atol=1e-4)
    np.testing.assert_allclose(seen[:, 64:], far[:, 64:], atol=1e-4)


@pytest.mark.parametrize("quality", [40, 75, 95])
def test_jpeg_loses_what_jpeg_loses(photograph, quality):
    """Codecs round differently: both agree far better than either does with what was stored, or within a step."""
    stored = np.rint(255 * photograph[:96]).astype(np.uint8)
    theirs = through_jpeg(stored, quality) / np.float32(255)
    ours = camera.through_jpeg(batch(stored / np.float32(255)), torch.tensor([float(quality)]), torch.tensor([False]))
    apart, lost = np.square(image(ours) - theirs).mean(), np.square(theirs - stored / np.float32(255)).mean()
    assert apart < 0.2 * lost or apart < (1 / 255) ** 2
    assert np.square(image(ours) - stored / np.float32(255)).mean() == pytest.approx(lost, rel=0.1)


def test_coarse_colours_leave_luma_alone():
    grey = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(1)).expand(-1, 3, -1, -1)
    quality = torch.tensor([90.0])
    coarse, fine = (camera.through_jpeg(grey, quality, torch.tensor([half])) for half in (True, False))
    torch.testing.assert_close(coarse, fine, rtol=0, atol=1.01 / 255)


def test_noise_is_as_strong_as_it_is_told():
    light = torch.full((2, 3, 128, 128), 0.25)
    read, shot = torch.tensor([0.02, 0.0])[:, None, None, None], torch.tensor([0.0, 0.04])[:, None, None, None]
    noisy = camera.noisy(light, read, shot, torch.Generator().manual_seed(3))
    np.testing.assert_allclose((noisy - light).std(dim=(1, 2, 3)), [0.02, 0.02], rtol=0.03)


@pytest.mark.parametrize("size", [(128, 96), (160, 192)])
def test_spectra_are_the_tools(photograph, size):
    cut = np.ascontiguousarray(photograph[: size[0], : size[1]])
    padded = np.pad(cut, [(0, size[0] - cut.shape[0]), (0, size[1] - cut.shape[1]), (0, 0)], mode="reflect")
    found = spectra.log_power_spectra(batch(padded))[0].numpy()
    np.testing.assert_allclose(found, log_power_spectrum(to_luma(padded)), atol=1e-3)


def test_paths_rest_at_their_middle_instant():
    path = scenery.poses(5, 11, 14.0, Varying(share=1), torch.Generator().manual_seed(2))
    torch.testing.assert_close(path[5], torch.tensor([[0.0, 0, 0, 1]]).expand(5, 4))
    assert (path[0, :, :2] - path[10, :, :2]).abs().max() > 1


def test_pieces_come_from_their_pictures_in_all_orientations():
    made = [np.full((40, 48, 3), value, np.uint8) for value in (50, 200)]
    made[0][:, :, 1] = np.arange(48)
    gallery = Gallery(made, (32, 32), CPU, least=0.9)
    first = torch.tensor([0])
    upright = gallery.cut(first, torch.tensor([[3, 5]]), torch.tensor([[False] * 3]))
    np.testing.assert_allclose(255 * image(upright), made[0][3:35, 5:37], atol=1e-4)
    for turns, turned in {
        (True, False, False): np.flipud,
        (False, True, False): np.fliplr,
        (False, False, True): lambda part: part.transpose(1, 0, 2),
    }.items():
        cut = gallery.cut(first, torch.tensor([[3, 5]]), torch.tensor([turns]))
        np.testing.assert_allclose(255 * image(cut), turned(made[0][3:35, 5:37]), atol=1e-4)
    pieces = gallery.pieces(50, torch.Generator().manual_seed(1))
    assert {round(float(value)) for value in 255 * pieces[:, 0].mean(dim=(1, 2))} == {50, 200}


@pytest.fixture(scope="module")
def moved():
    """A recipe of small pieces that are blurred in every way."""
    chosen = recipe.load("photo")
    data = replace(chosen.data, crop=96, whole=(96, 64), varying=Varying(share=0.5, depth=0.25), jpeg=0.5)
    return replace(chosen, data=data, schedule=replace(chosen.schedule, batch=8))


@pytest.fixture(scope="module")
def shown():
    rng = np.random.default_rng(8)
    large = [rng.integers(0, 256, (170, 200, 3)).astype(np.uint8) for _ in range(3)]
    return [*large, *(rng.integers(0, 256, (96, 64, 3)).astype(np.uint8) for _ in range(2))]


def test_batches_are_a_pure_function_of_seed_and_step(moved, shown):
    one, other = (Batches(moved, shown, np.arange(5), CPU, start, 9) for start in (0, 6))
    assert (len(one), len(other)) == (9, 3)
    for ours, theirs in zip([*one][6:], other):
        for part, same in zip(ours, theirs):
            torch.testing.assert_close(part, same, rtol=0, atol=0)
    blurred, spectrum, sharp = one[0]
    assert blurred.shape == sharp.shape == (8, 3, 96, 96) and spectrum.shape == (8, 64, 33)
    assert blurred.min() >= 0 and blurred.max() <= 1 and sharp.min() >= 0 and sharp.max() <= 1
    assert one[WHOLE_EVERY - 1][0].shape == (12, 3, 96, 64)  # as many pixels
    torch.testing.assert_close(255 * blurred, (255 * blurred).round(), rtol=0, atol=1e-3)


def test_batches_need_pictures_larger_than_a_piece(moved, shown):
    with pytest.raises(RecipeError, match="160 × 160 pixels"):
        Batches(moved, shown, np.array([3, 4]), CPU, 0, 1)


def test_a_mixture_counts_all_pieces():
    assert Mixture.of(64, Varying(share=0.5, parts=0.5, depth=0.06)) == Mixture(32, 16, 4, 28)


def test_the_recipe_s_faces_are_among_its_small_pictures():
    """Sizes of a recipe are lists in its file; a picture's is a tuple."""
    photo = recipe.load("photo")
    face = np.zeros((128, 96, 3), np.uint8)
    large = np.zeros((256, 256, 3), np.uint8)
    assert len(Batches(photo, [large, face, face], np.arange(3), CPU, 0, 1).small or ()) == 2
