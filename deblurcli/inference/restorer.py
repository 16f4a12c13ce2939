"""Restoration by network: pad, cut into tiles, run the session, blend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np

from deblurcli import parallel
from deblurcli.choices import AUTO, REFINE
from deblurcli.inference import dehalo, helpers, models
from deblurcli.inference.ensemble import Ensemble
from deblurcli.inference.session import Session
from deblurcli.pictures import images, power_spectrum, tiles, tiling
from deblurcli.pictures.images import Picture
from deblurcli.pictures.luma import central_luma
from deblurcli.pictures.tiles import Map, Progress, Window, unwatched
from deblurcli.pictures.tiling import Span

# Side in pixels of what is kept of a tile, to which its halo comes twice. `photo`, 6 megapixels, one core: 2.1 CPU s/MP
# and 570 MB, against 2.65 and 400 at 448, 2.0 and 600 at 832.
TILE = 640
OVERLAP = 8
TILES_AHEAD = 4  # of one picture, begun and not yet blended
REFINE_SMALL = "refine-small"  # what `refine` does, for large pictures; no model that users choose
REFINE_LIGHT = "refine-light"  # the same for blurs that were at work in linear light
LAYERS_REFINED = 3  # blurred, restored boldly, restored carefully
REFINED = 1280  # the most that is refined at once: what a deconvolution hands over is a tile with its context already


@dataclass(frozen=True)
class Restorer:
    """A network and the tiles it is fed with; call it with a picture.

    session: runs the network, or an ensemble of it.
    multiple_of, halo: what the network asks of its input; see `models.Model`.
    overshoot: how far its output may go beyond flat areas; None limits nothing.
    needs_spectrum: whether the network takes the picture's log power spectrum; see `power_spectrum.log_power_spectrum`.
    tile: side in pixels of the largest input the network gets; larger wastes less on context and takes more memory.
    map: runs a function over windows, in order; `map`, or an executor's.
    source: the model, provider, tile, layers and ensemble it was made from; with them it can be sent to another
        process, where it works on its tiles one by one.
    """

    session: Session | Ensemble
    multiple_of: int
    halo: int | None
    tile: int = TILE
    map: Map = map
    overshoot: float | None = None
    needs_spectrum: bool = False
    source: tuple[str, str, int, int, bool] | None = None

    def __reduce__(self) -> tuple:
        if self.source is None:
            raise TypeError("a Restorer travels only if `restorer` made it")
        return _rebuilt, self.source

    @property
    def runs_on(self) -> str:
        """The provider that runs the network."""
        return self.session.provider

    def __call__(self, picture: Picture, progress: Progress = unwatched) -> Picture:
        """The restored picture, of the same size, depth and kind; its alpha is kept as it is.

        progress: called after each tile.
        """
        return picture.with_pixels(self.restore(picture.pixels, progress=progress))

    def restore(self, pixels: np.ndarray, *others: np.ndarray, progress: Progress = unwatched) -> np.ndarray:
        """Restored pixels, of the same shape and type.

        pixels: ``(H, W, 3)`` RGB or ``(H, W, 1)`` grey; uint8, uint16, or float in [0, 1] (float64 becomes
            float32).
        others: images of the same height and width that the network looks at as well, if it is made for more than one.
            What it makes of them is worked on further, so that limiting its halos is left to `suppress_halos`.
        progress: called after each tile.

        Raises ImageError when one is no image, ModelError when the network fails on them.
        """
        layers = [images.checked(layer) for layer in (pixels, *others)]
        height, width, _ = layers[0].shape
        rows, columns = self._spans(height), self._spans(width)
        spectra = (power_spectrum.log_power_spectrum(central_luma(layers[0]))[None],) if self.needs_spectrum else ()
        return tiles.assembled(layers[0], rows, columns, partial(self._tile, layers, spectra), self.map, progress)

    def suppress_halos(self, restored: np.ndarray, blurred: np.ndarray) -> np.ndarray:
        """A restored image within `overshoot` of the blurred one's flat areas; both float32 ``(H, W, C)``."""
        if self.overshoot is None:
            return restored
        height, width, channels = restored.shape
        full = [np.broadcast_to(image, (height, width, 3)) for image in (restored, blurred)]
        return dehalo.suppress_halos(full[0], full[1], self.overshoot)[..., :channels]

    def _spans(self, length: int) -> list[Span]:
        """Tiles along one axis, on sizes rounded to what the network takes."""
        multiple = self.multiple_of
        if self.halo is None:
            whole = tiling.padded(length, multiple)
            return [Span(0, whole, 0, whole)]
        halo = tiling.padded(self.halo, multiple)
        tile = tiling.padded(max(self.tile, 4 * halo + OVERLAP + multiple), multiple)  # half of each is kept, at least
        return tiling.spans(tiling.padded(length, multiple), tile, halo, OVERLAP, multiple)

    def _tile(self, layers: Sequence[np.ndarray], spectra: Sequence[np.ndarray], window: Window) -> np.ndarray:
        """The network's output for one window, float32 ``(h, w, C)``, cut to what is kept."""
        batch = self._batch(layers, window)
        output = self.session.run(batch, *spectra)[0].transpose(1, 2, 0)
        if len(layers) == 1:
            output = self.suppress_halos(output, batch[0].transpose(1, 2, 0))
        output = tiles.kept(output, window)
        return output.mean(axis=2, keepdims=True) if layers[0].shape[2] == 1 else output

    def _batch(self, layers: Sequence[np.ndarray], window: Window) -> np.ndarray:
        """What the network gets for one window, float32 ``(1, 3 · layers, h, w)``."""
        height, width = (span.stop - span.start for span in window)
        batch = np.empty((1, 3 * len(layers), height, width), np.float32)
        for index, layer in enumerate(layers):
            image = images.to_float(tiles.cut(layer, window))
            batch[0, 3 * index : 3 * index + 3] = _mirrored(image, height, width).transpose(2, 0, 1)
        return batch


def _mirrored(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The image grown to a size by reflection at the bottom and right, however small it is."""
    missing = height - image.shape[0], width - image.shape[1]
    if missing == (0, 0):
        return image
    return np.pad(image, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="reflect")


def restorer(
    model: str = models.DEFAULT,
    provider: str = AUTO,
    workers: int = 0,
    tile: int = 0,
    layers: int = 1,
    ensemble: bool = False,
) -> Restorer:
    """A `Restorer` for a bundled model's name or an .onnx file's path; it may be called from many threads.

    provider: a key of `session.PROVIDERS`, or "auto".
    workers: tiles in work at a time, over all pictures; 0 takes as many as there are CPUs.
    tile: side in pixels of the largest input the network gets; 0 keeps `TILE` of it.
    layers: images that the network looks at together; see `Restorer.restore`.
    ensemble: average over all orientations of each picture; see `ensemble.Ensemble`.

    Raises ModelError or ProviderError.
    """
    workers = max(workers, 0) or parallel.cpus()
    spread = partial(_spread, ThreadPoolExecutor(workers), TILES_AHEAD)
    return replace(_open(model, provider, tile, layers, ensemble), map=spread)


@dataclass(frozen=True)
class Deferred:
    """What `restorer` returns, opened when it is first called: where not every run needs it, or on other machines.

    workers: tiles in work at a time, as for `restorer`; None works on them one by one.
    """

    model: str
    provider: str = AUTO
    tile: int = 0
    layers: int = 1
    ensemble: bool = False
    workers: int | None = None

    @property
    def runs_on(self) -> None:
        """The provider that runs the network: known only where it is opened."""
        return None

    def __call__(self, picture: Picture, progress: Progress = unwatched) -> Picture:
        """The restored picture; raises ModelError or ProviderError when the network does not open."""
        return self._opened()(picture, progress)

    @property
    def halo(self) -> int | None:
        """What the network asks of its input; raises as `__call__` does."""
        return self._opened().halo

    def restore(self, pixels: np.ndarray, *others: np.ndarray, progress: Progress = unwatched) -> np.ndarray:
        """Restored pixels; see `Restorer.restore`, and for what else is raised `__call__`."""
        return self._opened().restore(pixels, *others, progress=progress)

    def suppress_halos(self, restored: np.ndarray, blurred: np.ndarray) -> np.ndarray:
        """As `Restorer.suppress_halos`, and for what is raised `__call__`."""
        return self._opened().suppress_halos(restored, blurred)

    def _opened(self) -> Restorer:
        source = self.model, self.provider, self.tile, self.layers, self.ensemble
        if self.workers is None:
            return _rebuilt(*source)
        return _shared(self.model, self.provider, self.workers, *source[2:])


def deferred(
    model: str = models.DEFAULT,
    provider: str = AUTO,
    tile: int = 0,
    layers: int = 1,
    ensemble: bool = False,
    workers: int | None = None,
) -> Deferred:
    """A `Deferred` for a bundled model's name or an .onnx file's path, which must be there.

    Raises ModelError when it is not.
    """
    found = _portable(model, models.find(model))
    return Deferred(found, provider, tile, layers, ensemble, workers)


def refiner(
    provider: str = AUTO, workers: int = 0, elsewhere: bool = False, ensemble: bool = False
) -> Restorer | Deferred:
    """The network that corrects what a Wiener filter restores; see `restoration.Refiner`.

    provider, workers, ensemble and errors as for `restorer`. elsewhere: it is to be opened where it is called; see
    `Deferred`.
    """
    if elsewhere:
        return deferred(REFINE, provider, REFINED, LAYERS_REFINED, ensemble)
    return restorer(REFINE, provider, workers, REFINED, LAYERS_REFINED, ensemble)


def refiner_of_large(provider: str = AUTO, workers: int | None = None) -> Deferred:
    """The network that does what `refiner` does for large pictures, at a third of the cost; opened at its first use.

    provider, workers and errors as for `deferred`.
    """
    path = helpers.path_of(REFINE_SMALL)
    return deferred(str(path), provider, REFINED, LAYERS_REFINED, workers=workers)


def refiner_of_light(provider: str = AUTO, workers: int | None = None, ensemble: bool = False) -> Deferred:
    """The network that does what `refiner` does where the blur was at work in linear light; opened at its first use.

    provider, workers, ensemble and errors as for `deferred`.
    """
    path = helpers.path_of(REFINE_LIGHT)
    return deferred(str(path), provider, REFINED, LAYERS_REFINED, ensemble, workers)


def refiners(
    provider: str = AUTO, workers: int = 0, elsewhere: bool = False, ensemble: bool = False
) -> tuple[Restorer | Deferred, Deferred | None, Deferred]:
    """What `refiner`, `refiner_of_large` and `refiner_of_light` return.

    The second gives way to the first in an ensemble: that is asked for the best.

    Arguments and errors as for `refiner`.
    """
    own = None if elsewhere else workers
    of_large = None if ensemble else refiner_of_large(provider, own)
    return refiner(provider, workers, elsewhere, ensemble), of_large, refiner_of_light(provider, own, ensemble)


def _portable(model: str, found: models.Model) -> str:
    """How other processes find the same model: by its name, or the full path of its file."""
    return str(found.path.resolve()) if models.is_file(model) else model


def _open(model: str, provider: str, tile: int, layers: int, ensemble: bool) -> Restorer:
    """A `Restorer` that works on its tiles one by one."""
    found = models.find(model)
    session = Session(found.path, provider, layers=layers)
    source = (_portable(model, found), provider, tile, layers, ensemble)
    asked = Ensemble(session) if ensemble else session
    return Restorer(
        asked,
        found.multiple_of,
        found.halo,
        tile or TILE + 2 * (found.halo or 0),
        overshoot=found.overshoot,
        needs_spectrum=session.needs_spectrum,
        source=source,
    )


@lru_cache(maxsize=4)
def _rebuilt(model: str, provider: str, tile: int, layers: int, ensemble: bool) -> Restorer:
    """The `Restorer` of this process for one that was sent here; opened once."""
    return _open(model, provider, tile, layers, ensemble)


@lru_cache(maxsize=4)
def _shared(model: str, provider: str, workers: int, tile: int, layers: int, ensemble: bool) -> Restorer:
    """The `Restorer` of this process for all that ask for it with so many workers; opened once."""
    return restorer(model, provider, workers, tile, layers, ensemble)


def _spread(pool: Executor, ahead: int, function: Callable, windows: Iterable[Window]) -> Iterator[np.ndarray]:
    return parallel.in_order(pool, function, windows, ahead)
