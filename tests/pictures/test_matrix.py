"""Every format, depth, colour, alpha, orientation and profile of `FORMATS`, through a blur that changes nothing.

Each file is written by another library, and what comes out is read by another library.
"""

import io
from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
import PIL.Image
import PIL.ImageCms
import pytest
import tifffile

from deblurcli.blur.blurrer import Blurrer
from deblurcli.blur.psf import parse
from deblurcli.pictures import images
from deblurcli.pictures.formats import FORMATS
from tests.pictures.test_beside import grey_profile

SRGB = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()
ERROR = {"jpeg": 0.03, "webp": 0.03, "avif": 0.03}  # of the codec at quality 95, on the scale [0, 1]; others have none
HOLDS_ORIENTATION = ("jpeg", "png", "webp", "tiff")  # as EXIF or a tag that Pillow writes
COLOUR_ONLY = ("webp", "avif")  # as Pillow writes them
NOTHING = Blurrer(parse("box:1"))


@dataclass(frozen=True)
class Case:
    form: str
    bits: int
    channels: int
    alpha: bool
    orientation: int
    profile: bool

    def __str__(self):
        return "-".join(map(str, (self.form, self.bits, self.channels, self.alpha, self.orientation, self.profile)))


CASES = [
    case
    for form, spec in FORMATS.items()
    for case in map(Case, *zip(*product(
        [form], sorted({8, spec.bits}), [1, 3], sorted({False, spec.alpha}), [1, 6], [False, True]
    )))
    if (case.orientation == 1 or form in HOLDS_ORIENTATION) and (not case.profile or "ICC" in spec.keeps)
    and (case.bits == 8 or (case.orientation, case.profile) == (1, False))
]  # fmt: skip


def samples(case):
    """A smooth picture with a soft edge of alpha, RGB, grey or with alpha last."""
    rows, columns = np.mgrid[:24, :40] / 40
    planes = [rows, columns, 0.5 + rows / 3][: case.channels] + [0.3 + columns / 2] * case.alpha
    top = 2 ** (16 if case.bits > 8 else 8) - 1
    return np.rint(np.dstack(planes) * top).astype(np.uint16 if case.bits > 8 else np.uint8)


def stored(case):
    """The file as another library writes it."""
    array, written = samples(case), io.BytesIO()
    if case.bits > 8 and case.form == "tiff":
        extra = {"extrasamples": ["unassalpha"], "planarconfig": "contig"} if case.alpha else {}
        plain = array[..., 0] if array.shape[2] == 1 else array
        tifffile.imwrite(written, plain, photometric="rgb" if case.channels == 3 else "minisblack", **extra)
        return written.getvalue()
    if case.bits > 8:
        if array.shape[2] == 2:
            array = array[..., [0, 0, 0, 1]]
        depth = [cv2.IMWRITE_AVIF_DEPTH, 10, cv2.IMWRITE_AVIF_QUALITY, 100] if case.form == "avif" else []
        narrow = array >> 6 if case.form == "avif" else array
        order = [2, 1, 0, 3][: array.shape[2]] if array.shape[2] > 2 else [0]
        return cv2.imencode(f".{case.form}", np.ascontiguousarray(narrow[..., order]), depth)[1].tobytes()
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[array.shape[2]]
    picture = PIL.Image.fromarray(array if array.shape[2] > 1 else array[..., 0])
    block = PIL.Image.Exif()
    block[0x0112], block[0x010F] = case.orientation, "A maker"
    options = {"exif": block} if FORMATS[case.form].keeps else {}
    options |= (
        {"icc_profile": grey_profile() if mode in ("L", "LA") and case.form not in COLOUR_ONLY else SRGB}
        if case.profile
        else {}
    )
    options |= {"quality": 100, "subsampling": 0} if case.form == "jpeg" else {}
    options |= {"lossless": True, "exact": True} if case.form == "webp" else {}
    options |= {"quality": 100, "subsampling": "4:4:4"} if case.form == "avif" else {}
    if case.form == "webp" and mode in ("L", "LA"):
        picture = picture.convert("RGB" if mode == "L" else "RGBA")
    if case.form == "bmp" and case.alpha:  # of which Pillow writes no mask
        return cv2.imencode(".bmp", cv2.cvtColor(np.asarray(picture.convert("RGBA")), cv2.COLOR_RGBA2BGRA))[1].tobytes()
    picture.save(written, case.form, **options)
    return written.getvalue()


def reread(data, case):
    """The samples of an output by another library, on the scale [0, 1], its grey shown as RGB."""
    if case.form == "tiff":
        found = tifffile.imread(io.BytesIO(data))
    elif case.bits > 8:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        found = found[..., [2, 1, 0, 3][: found.shape[2]]] if found.ndim == 3 else found
    else:
        with PIL.Image.open(io.BytesIO(data)) as opened:
            found = np.asarray(opened.convert({"L": "RGB", "P": "RGB", "LA": "RGBA"}.get(opened.mode, opened.mode)))
    found = found if found.ndim == 3 else np.dstack([found] * 3)
    top = 1023 if case.form == "avif" and case.bits > 8 else np.iinfo(found.dtype).max
    assert (found.dtype == np.uint16) == (case.bits > 8)
    return found / top


@pytest.mark.parametrize("case", CASES, ids=str)
def test_nothing_is_lost_on_the_way_through(case):
    blurred = NOTHING(images.decode(stored(case)), "a").picture
    data = images.encode(blurred, case.form, 100 if case.form in ERROR else None)
    expected = samples(case) / (2 ** (16 if case.bits > 8 else 8) - 1)
    if case.channels == 1:
        expected = expected[..., [0, 0, 0, 1][: 3 + case.alpha]]
    if case.orientation == 6:
        expected = np.rot90(expected, -1)
    found = reread(data, case)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= ERROR.get(case.form, 0)
    if case.bits > 8:
        return
    with PIL.Image.open(io.BytesIO(data)) as opened:
        assert opened.getexif().get(0x0112, 1) == 1
        assert (opened.info.get("icc_profile") is not None) == case.profile
        if FORMATS[case.form].keeps:
            assert opened.getexif().get(0x010F) == "A maker"


def test_the_table_has_both_depths_and_all_kinds():
    assert {case.form for case in CASES} == set(FORMATS) and len(CASES) > 60
