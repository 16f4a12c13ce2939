"""Drawings that no camera made: flat shapes, slopes, lines and letters, for networks to learn what has no texture."""

from __future__ import annotations

import cv2
import numpy as np

SIDE = 320
_FINER = 2  # times the side while drawing, so that edges are smooth
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def drawings(count: int, seed: int) -> list[np.ndarray]:
    """So many drawings, uint8 ``(SIDE, SIDE, 3)``, the same ones for the same seed."""
    return [drawing(np.random.default_rng([seed, index])) for index in range(count)]


def drawing(rng: np.random.Generator) -> np.ndarray:
    """A drawing, uint8 ``(SIDE, SIDE, 3)``: up to a dozen shapes over a flat ground or a slope."""
    canvas = _ground(rng)
    shapes = list(SHAPES.values())
    for _ in range(rng.integers(1, 13)):
        shapes[rng.integers(len(shapes))](canvas, rng)
    return cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _ground(rng: np.random.Generator) -> np.ndarray:
    """One colour, or a slope from one to another."""
    side = _FINER * SIDE
    one, other = rng.uniform(0, 255, (2, 3))
    angle, steep = rng.uniform(0, 2 * np.pi), rng.random() < 0.5
    down, across = np.mgrid[:side, :side] / side - 0.5
    share = 0.5 + 0.5 * steep * (np.cos(angle) * across + np.sin(angle) * down)
    return np.ascontiguousarray((one + share[..., None] * (other - one)).astype(np.uint8))


def _colour(rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(value) for value in rng.integers(0, 256, 3))


def _points(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.integers(0, _FINER * SIDE, (count, 2)).astype(np.int32)


def _polygon(canvas: np.ndarray, rng: np.random.Generator) -> None:
    cv2.fillPoly(canvas, [_points(rng, int(rng.integers(3, 6)))], _colour(rng), cv2.LINE_AA)


def _ellipse(canvas: np.ndarray, rng: np.random.Generator) -> None:
    axes = tuple(int(value) for value in rng.integers(8, SIDE, 2))
    centre = tuple(int(value) for value in _points(rng, 1)[0])
    cv2.ellipse(canvas, centre, axes, float(rng.uniform(0, 180)), 0, 360, _colour(rng), -1, cv2.LINE_AA)


def _line(canvas: np.ndarray, rng: np.random.Generator) -> None:
    first, last = (tuple(int(value) for value in point) for point in _points(rng, 2))
    cv2.line(canvas, first, last, _colour(rng), int(rng.integers(1, 16)), cv2.LINE_AA)


def _word(canvas: np.ndarray, rng: np.random.Generator) -> None:
    word = "".join(rng.choice(list(_LETTERS), int(rng.integers(2, 12))))
    place = tuple(int(value) for value in _points(rng, 1)[0])
    size, thick = float(rng.uniform(0.8, 4)), int(rng.integers(1, 8))
    cv2.putText(canvas, word, place, cv2.FONT_HERSHEY_SIMPLEX, size, _colour(rng), thick, cv2.LINE_AA)


SHAPES = {"polygon": _polygon, "ellipse": _ellipse, "line": _line, "word": _word}
