"""Blurred pictures with the sharp one, as a camera would take them, at one of the sizes that a network may see.

A third are blurred by camera shake and a third by motion that differs over the picture; others by straight motion, a
Gaussian or wrong focus, or not at all. Most are blurred in linear light, a fourth of all at night: darkened, with
lights far beyond white. Half are then made smaller, as wide blurs are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import scipy.signal

from deblurcli.blur import psf, varying
from deblurcli.blur.model import blur
from deblurcli.blur.moving import ENCODED, Motion
from deblurcli.blur.varying import GAMMA
from training.data.degradation import BRIGHTEST, encoded, stored
from training.data.sources import Pictures
from training.recipe import Recipe
from training.reliability import told
from training.reliability.subjects import Subjects, softened
from training.reliability.told import Told

SHARP = "sharp"
_KINDS = {"shake": 0.33, "varying": 0.34, "other": 0.2, SHARP: 0.13}
_TIMES = {1.0: 0.5, 1.5: 0.13, 2.0: 0.25, 3.0: 0.12}  # how many times smaller, and how often
_LENGTHS = 2, 45  # pixels, of blurs in a picture that stays as large as it is
_TWICE, _LINEAR, _NIGHT, _CURVED = 0.15, 0.6, 0.25, 0.3
_SOFT = {SHARP: 0.4}  # share of those that are soft, though not blurred
_SOFT_AND_BLURRED = 0.08
_MOVING = 0.6  # share of motion that varies in which parts may move on their own
_STORED = {"noise": (0.0, 0.02), "noiseless": 0.1, "jpeg": 0.4, "quality": (70, 97)}  # in place of the recipe's own
_RIM = 50  # pixels at most, that are cut off where a picture was mirrored to be blurred


@dataclass(frozen=True)
class Scene:
    """A blurred picture and the sharp one, float32 ``(H, W, 3)`` in [0, 1].

    kind: of blur. picture: the number of the one that it was made of. told: what an estimate may say of the blur.
    """

    blurred: np.ndarray
    sharp: np.ndarray
    kind: str
    picture: int
    told: Told


class Scenes:
    """Blurred pictures, made of those that a recipe fits on; the same number and seed, the same one."""

    def __init__(self, pictures: Pictures, recipe: Recipe, seed: int):
        self._subjects, self._seed = Subjects(pictures, recipe), seed
        self._data = replace(recipe.data, **_STORED)

    def draw(self, number: int) -> Scene:
        """That one."""
        rng = np.random.default_rng([self._seed, number])
        kind, times = _any(_KINDS, rng), float(_any(_TIMES, rng))
        sharp, picture = self._subjects.draw(rng)
        if rng.random() < _SOFT.get(kind, _SOFT_AND_BLURRED):
            sharp = softened(sharp, rng)
        longest = min(sharp.shape[:2]) / 4
        length = min(float(np.exp(rng.uniform(*np.log(_LENGTHS))) * times**0.7), longest)
        is_linear = rng.random() < _LINEAR
        scene = _lit(sharp, rng) if is_linear else sharp
        seen, said = _BLURS[kind](scene, length, rng)
        curve = rng.uniform(0.15, 0.5) if rng.random() < _CURVED else 0.0
        blurred, sharp = (_developed(each, is_linear, curve) for each in (seen, scene))
        cut = slice(rim := int(min(length / 2, _RIM)) if kind in ("shake", "varying") else 0, -rim or None)
        blurred, sharp = (_smaller(each[cut, cut], times) for each in (stored(blurred, self._data, rng)[0], sharp))
        return Scene(blurred, sharp, kind, picture, said.smaller(times))


def _any(shares: dict, rng: np.random.Generator) -> str:
    """One of the keys, each as often as its value says."""
    return [*shares][int(rng.choice(len(shares), p=[*shares.values()]))]


def _lit(sharp: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The light that a picture may have come of, which may go beyond white; some are at night."""
    light = sharp**GAMMA
    if rng.random() >= _NIGHT:
        return (light * rng.uniform(1, BRIGHTEST)).astype(np.float32)
    dark = light ** rng.uniform(1, 1.6) * rng.uniform(0.03, 0.4)
    down, across = np.indices(light.shape[:2])
    for _ in range(int(rng.integers(2, 25))):
        top, left = (rng.integers(length) for length in light.shape[:2])
        cover = np.clip(rng.uniform(0.5, 5) + 0.5 - np.hypot(down - top, across - left), 0, 1)
        dark += cover[..., None] * np.exp(rng.uniform(0, 4)) * (0.6 + 0.4 * rng.random(3))  # up to 55 times white
    return dark.astype(np.float32)


def _shaken(scene: np.ndarray, length: float, rng: np.random.Generator) -> tuple[np.ndarray, Told]:
    true, said = told.shake(length, rng)
    if rng.random() < _TWICE:
        true = scipy.signal.convolve2d(true, psf.parse(f"gaussian:sigma={rng.uniform(0.5, 2.5):.2f}").array())
    return _convolved(scene, true), said


def _moved(scene: np.ndarray, length: float, rng: np.random.Generator) -> tuple[np.ndarray, Told]:
    """As a camera sees it that moves, turns and comes nearer, parts of it maybe moving on their own."""
    rotation, zoom = np.abs(rng.normal(0, 2, 2)).tolist()
    parts = int(rng.integers(0, 3)) if rng.random() < _MOVING else 0
    own, travel = length * rng.uniform(0.2, 1), length * rng.uniform(0.3, 1.2)
    motion = Motion(own, rotation, zoom, parts, travel, ENCODED, int(rng.integers(10**6)))
    return varying.exposed(motion.layers(scene)), told.anything(length, rng)


def _otherwise(scene: np.ndarray, length: float, rng: np.random.Generator) -> tuple[np.ndarray, Told]:
    true, said = told.family(length, rng)
    return _convolved(scene, true), said


def _unblurred(scene: np.ndarray, length: float, rng: np.random.Generator) -> tuple[np.ndarray, Told]:
    return scene, told.of_sharp(length, rng)


_BLURS = {"shake": _shaken, "varying": _moved, "other": _otherwise, SHARP: _unblurred}


def _convolved(scene: np.ndarray, true: np.ndarray) -> np.ndarray:
    """A scene blurred; it may go beyond white."""
    brightest = max(1.0, float(scene.max()))
    return blur(np.ascontiguousarray(scene / brightest, np.float32), true) * np.float32(brightest)


def _developed(scene: np.ndarray, is_linear: bool, curve: float) -> np.ndarray:
    """What a camera makes of a scene, float32 in [0, 1], with a tone curve of that strength."""
    values = encoded(scene) if is_linear else np.clip(scene, 0, 1)
    return np.clip(values + curve * values * (1 - values) * (2 * values - 1), 0, 1).astype(np.float32)


def _smaller(picture: np.ndarray, times: float) -> np.ndarray:
    if times == 1:
        return np.ascontiguousarray(picture)
    size = round(picture.shape[1] / times), round(picture.shape[0] / times)
    return np.clip(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), 0, 1)
