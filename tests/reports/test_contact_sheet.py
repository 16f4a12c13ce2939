"""Contact sheets from files: what is paired, picked, scored, drawn and refused."""

import numpy as np
import pytest
from PIL import ImageCms

from deblurcli.errors import ImageError, PlanError
from deblurcli.metrics import table
from deblurcli.pictures import images
from deblurcli.pictures.images import Picture
from deblurcli.pictures.metadata import Metadata
from deblurcli.reports import contact_sheet as sheets
from deblurcli.reports import drawing
from deblurcli.reports.contact_sheet import Look, contact_sheet
from deblurcli.terminal import console
from deblurcli.terminal import messages as exits
from tests.conftest import DATA
from tests.shell import messages, run

SMALL = Look(width=64)


@pytest.fixture
def folders(tmp_path, sharp):
    """Ten sharp pictures of 48 × 40, blurred and restored ones; noise grows with the name in the restored ones."""
    rng = np.random.default_rng(0)
    for index in range(10):
        picture = sharp[10 * index : 10 * index + 40, 60:108]
        images.write(tmp_path / "sharp" / "sub" / f"{index}.png", picture)
        images.write(tmp_path / "blurred" / "sub" / f"{index}.png", picture * 0.5)
        noise = rng.normal(0, 0.02 * (index + 1), picture.shape).astype(np.float32)
        images.write(tmp_path / "restored" / "sub" / f"{index}.bmp", picture + noise)
    return [tmp_path / name for name in ("blurred", "restored", "sharp")]


def drawn(made):
    return images.read_picture(made.output).pixels


def find(picture, part):
    """The place (x, y) of a picture in a sheet; None when it is not there."""
    tall, wide = part.shape[:2]
    for y, x in np.argwhere((picture == part[0, 0]).all(axis=2)):
        if np.array_equal(picture[y : y + tall, x : x + wide], part):
            return int(x), int(y)
    return None


def pixels(folder, name):
    return images.read_picture(next(folder.rglob(f"{name}.*"))).pixels


def shown_names(made, folder):
    """The names of the pictures of a folder on a sheet, from top to bottom."""
    found = {path.stem: find(drawn(made), images.read_picture(path).pixels) for path in folder.rglob("*.png")}
    return [name for name, place in sorted(found.items(), key=lambda each: (each[1] or (0, 0))[1]) if place]


def test_rows_and_columns_are_in_order_and_pictures_unaltered(folders, tmp_path):
    made = contact_sheet(folders, tmp_path / "sheet.png", SMALL)
    assert (made.shown, made.total, made.errors) == (6, 10, ())
    assert made.size == drawn(made).shape[1::-1]
    names = shown_names(made, folders[-1])
    assert names == sorted(names) and len(names) == 6
    for name in names:
        places = [find(drawn(made), pixels(folder, name)) for folder in folders]
        assert places[0][0] < places[1][0] < places[2][0] and len({y for _, y in places}) == 1


@pytest.mark.parametrize(
    "pick, names",
    [("first", "012"), ("spread", "158"), ("worst", "987"), ("best", "012")],
)
def test_picks(pick, names, folders, tmp_path):
    made = contact_sheet(folders, tmp_path / "sheet.png", Look(width=64, count=3, pick=pick, metrics=("psnr",)))
    assert "".join(shown_names(made, folders[-1])) == names


def test_errors_are_worst_when_large(folders, tmp_path):
    look = Look(width=64, count=2, pick="worst", metrics=("mse",))
    assert shown_names(contact_sheet(folders, tmp_path / "x.png", look), folders[-1]) == ["9", "8"]


@pytest.mark.parametrize("count", range(1, 13))
def test_a_spread_is_even(count):
    picked = sheets._spread(list(range(10)), count, dict)
    assert len(picked) == min(count, 10) and picked == sorted(set(picked))
    assert max(np.diff(picked), default=0) - min(np.diff(picked), default=0) <= 1
    assert sheets._spread([], count, dict) == []


def test_scores_are_the_library_s_and_of_the_whole_picture(folders, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        drawing, "draw", lambda strips, titles, width: seen.append(strips) or np.zeros((9, 9, 3), np.uint8)
    )
    names = ("ssim", "psnr", "mae", "mse")
    contact_sheet(folders, tmp_path / "x.png", Look(count=1, pick="first", metrics=names, width=20, crop=(1, 2, 9, 9)))
    for folder, cell in zip(folders, seen[0][0][:2]):
        pair = [images.to_float(pixels(each, "0")) for each in (folder, folders[-1])]
        scores = table.score(*pair)
        assert cell.label == (
            f"SSIM {scores['ssim']:.4f}", f"PSNR {scores['psnr']:.2f} dB",
            f"MAE {scores['mae']:.5f}", f"MSE {scores['mse']:.6f}",
        )  # fmt: skip
        np.testing.assert_array_equal(cell.picture[::2, ::2], pixels(folder, "0")[2:11, 1:10])
    assert seen[0][0][2].label == ("sub/0",)


def test_the_sharp_folder_may_be_any(folders):
    look = Look(width=64, sharp=0)
    row = sheets.pairing.rows(folders[::-1])[0]
    cells = sheets._strip(row, look, images.MAX_PIXELS).cells
    assert cells[0].label == ("sub/0",) and cells[1].label[0].startswith("SSIM")


def test_titles_tell_the_columns_apart(tmp_path):
    places = [tmp_path / name for name in ("runs/a/out", "runs/b/out", "sharp")]
    for place in places:
        place.mkdir(parents=True)
    assert sheets.titles(places[1:]) == ("out", "sharp")
    assert sheets.titles(places) == ("a/out", "b/out", f"{tmp_path.name}/sharp")
    assert sheets.titles(places[:1] * 2) == ("out", "out")
    assert sheets.titles([place / "cat.png" for place in places[1:]]) == ("out", "sharp")
    assert sheets.titles([tmp_path / "a.png", tmp_path / "b.png"]) == ("a.png", "b.png")


def test_missing_partners_are_listed_and_the_rest_is_drawn(folders, tmp_path):
    next(folders[1].rglob("3.*")).unlink()
    next(folders[2].rglob("4.*")).unlink()
    made = contact_sheet(folders, tmp_path / "x.png", Look(width=64, count=100))
    assert (made.shown, made.total) == (8, 10) and len(made.errors) == 2
    assert "3.png: has no partner" in made.errors[0] and str(folders[1]) in made.errors[0]
    assert "4.png: has no partner" in made.errors[1] and str(folders[2]) in made.errors[1]


def test_a_name_that_is_there_twice_is_listed_and_the_rest_is_drawn(folders, tmp_path):
    images.write(folders[1] / "sub" / "3.jpg", np.zeros((40, 48, 3), np.float32))
    made = contact_sheet(folders, tmp_path / "x.png", Look(width=64, count=100))
    assert (made.shown, made.total) == (9, 10) and len(made.errors) == 1 and "have the same name" in made.errors[0]


def test_what_cannot_be_read_leaves_a_blank_cell(folders, tmp_path):
    next(folders[1].rglob("3.*")).write_text("no picture")
    next(folders[2].rglob("4.*")).write_text("no picture")
    for pick in sheets.CHOSEN_BY:
        made = contact_sheet(folders, tmp_path / "x.png", Look(width=64, count=10, pick=pick))
        assert made.shown == 10 and len(made.errors) == 2 and all("not an image" in error for error in made.errors)
        assert find(drawn(made), pixels(folders[0], "3")) and find(drawn(made), pixels(folders[0], "4"))


def test_other_sizes_and_kinds_say_so(tmp_path, sharp):
    images.write(tmp_path / "a.png", sharp[:48, :64])
    images.write(tmp_path / "b.png", sharp[:72, :96])
    images.write(tmp_path / "c.png", sharp[:72, :96, :1])
    made = contact_sheet([tmp_path / f"{name}.png" for name in "acb"], tmp_path / "x.png")
    assert made.shown == 1 and len(made.errors) == 2
    assert "a.png: 64×48, not 96×72" in made.errors[0] and "c.png: grey, not RGB" in made.errors[1]
    row = sheets.pairing.rows([tmp_path / "a.png", tmp_path / "b.png"])[0]
    cell = sheets._strip(row, Look(sharp=1), images.MAX_PIXELS).cells[0]
    assert cell.warns and cell.label == ("64×48, not 96×72",) and cell.picture is not None


def test_a_picture_too_small_for_ssim_has_a_dash(tmp_path, sharp):
    for name in "ab":
        images.write(tmp_path / f"{name}.png", sharp[:8, :30])
    for pick in sheets.CHOSEN_BY:
        made = contact_sheet([tmp_path / "a.png", tmp_path / "b.png"], tmp_path / "x.png", Look(pick=pick))
        assert made.shown == 1 and made.errors == ()
    row = sheets.pairing.rows([tmp_path / "a.png", tmp_path / "b.png"])[0]
    cell = sheets._strip(row, Look(sharp=1), images.MAX_PIXELS).cells[0]
    assert cell.label == ("SSIM –", "PSNR ∞ dB")


def test_a_crop_that_is_not_in_the_picture_is_an_error(folders, tmp_path):
    made = contact_sheet(folders, tmp_path / "x.png", Look(count=1, crop=(40, 0, 9, 9)))
    assert made.size is None and made.shown == 0 and not made.output.exists()
    assert len(made.errors) == 3 and all("choose another --crop" in error for error in made.errors)


def test_all_kinds_of_pictures_are_drawn(tmp_path):
    rng = np.random.default_rng(0)
    for name, shape, dtype in [("grey", (40, 50, 1), np.uint8), ("deep", (30, 20, 3), np.uint16)]:
        full = rng.integers(0, np.iinfo(dtype).max, shape, dtype)
        for folder in "ab":
            images.write_picture(tmp_path / folder / f"{name}.png", Picture(full))
            images.write_picture(tmp_path / folder / f"{name}-alpha.png", Picture(full, full[..., 0] // 2))
    made = contact_sheet([tmp_path / "a", tmp_path / "b"], tmp_path / "x.tiff", SMALL)
    assert made.shown == 4 and made.errors == ()
    grey = images.read_picture(tmp_path / "a" / "grey.png").pixels
    assert find(drawn(made), np.repeat(grey, 3, axis=2))


RGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PROFILES = {
    "": b"",
    "rgb": RGB,
    "other": RGB[:24] + bytes([RGB[24] ^ 1]) + RGB[25:],
    "grey": RGB[:16] + b"GRAY" + RGB[20:],
    "cut": RGB[:200],
}


@pytest.mark.parametrize(
    "first, second, kept",
    [("rgb", "rgb", "rgb"), ("rgb", "", ""), ("rgb", "other", ""), ("grey", "grey", ""), ("cut", "cut", "")],
)
def test_a_colour_profile_is_kept_if_all_pictures_share_it(first, second, kept, tmp_path):
    for folder, name in zip("ab", (first, second)):
        picture = Picture(np.zeros((20, 20, 3), np.uint8), metadata=Metadata(icc=PROFILES[name]))
        images.write_picture(tmp_path / folder / "x.tiff", picture)
    made = contact_sheet([tmp_path / "a", tmp_path / "b"], tmp_path / "x.png", SMALL)
    assert images.read_picture(made.output).metadata.icc == PROFILES[kept]


def test_a_sheet_that_grows_too_large_is_refused(folders, tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "MOST_PIXELS", 20_000)
    with pytest.raises(PlanError, match="choose a smaller --width"):
        contact_sheet(folders, tmp_path / "x.png", SMALL)
    assert not (tmp_path / "x.png").exists()


def test_outputs_that_would_do_harm_are_refused(folders, tmp_path):
    inside = next(folders[0].rglob("3.*"))
    before = inside.read_bytes()
    (tmp_path / "link.png").symlink_to(inside)
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "dir.png").mkdir()
    for output, said in [
        (inside, "would replace this input"),
        (tmp_path / "link.png", "would replace this input"),
        (folders[1] / "sheet.png", "lies inside the input folder"),
        (tmp_path / "new.d" / "..", "has no file extension"),
        (tmp_path / "dir.png", "is a folder"),
        (inside.parent / "x.png", "lies inside the input folder"),
        (tmp_path / "file" / "x.png", "cannot be"),
    ]:
        with pytest.raises((PlanError, ImageError), match=said):
            contact_sheet(folders, output, SMALL)
    assert inside.read_bytes() == before


def test_rows_are_watched(folders, tmp_path):
    totals = []

    def watch(under_way):
        totals.append(under_way.total)
        yield from under_way.outcomes

    contact_sheet(folders, tmp_path / "x.png", Look(width=64, count=2, pick="best"), watch=watch)
    assert totals == [10, 2]


def test_the_summary_and_the_exit_code(tmp_path, capsys):
    made = sheets.Sheet(tmp_path / "x.png", (3, 2), 1, 4, ())
    assert console.compared(made) == exits.OK
    assert capsys.readouterr().err == f"compare: 1 of 4 pictures, {tmp_path / 'x.png'} 3×2\n"
    assert console.compared(sheets.Sheet(tmp_path / "x.png", None, 0, 4, ("bad",)), quiet=True) == exits.PARTLY
    assert capsys.readouterr().err == "error: bad\n"


def test_the_command_draws_the_samples(tmp_path):
    done = run("compare", DATA / "blurred", DATA / "sharp", "-o", tmp_path / "s.png", "--titles", "Blurred, Sharp")
    picture = images.read_picture(tmp_path / "s.png")
    width, height = picture.size
    assert done.returncode == 0 and done.stdout == b""
    assert messages(done) == [f"compare: 2 of 2 pictures, {tmp_path / 's.png'} {width}×{height}"]
    for name in ("blurred", "sharp"):
        assert find(picture.pixels, images.read_picture(DATA / name / "astronaut.png").pixels)


def test_the_command_lists_what_is_wrong(folders, tmp_path):
    (folders[0] / "text.jpg").write_text("this is no picture")
    for folder in folders[1:]:
        images.write(folder / "text.png", np.zeros((20, 20, 3), np.float32))
    next(folders[2].rglob("4.*")).unlink()
    done = run("compare", *folders, "-o", tmp_path / "out" / "sheet.webp", "--count", "20", "--metric", "psnr,mae")
    lines = messages(done)
    assert done.returncode == 1 and len(lines) == 3
    assert lines[0].startswith(f"error: {folders[0]}") and "partner" in lines[0]
    assert f"{folders[0] / 'text.jpg'}: not an image" in lines[1] and "compare: 10 of 11 pictures" in lines[2]
    assert (tmp_path / "out" / "sheet.webp").exists()


WRONG = {
    "one folder": (["in", "-o", "x.png"], "at least two"),
    "no output": (["in", "in"], "--output"),
    "missing folder": (["in", "missing", "-o", "x.png"], "missing: no such file"),
    "empty folder": (["in", "empty", "-o", "x.png"], "empty: no images"),
    "a file and a folder": (["in", "in/a.png", "-o", "x.png"], "one is a folder and one is not"),
    "no picture's name": (["in", "in", "-o", "x.txt"], "x.txt: '.txt' is not a picture's file extension"),
    "no ending": (["in", "in", "-o", "-"], "has no file extension"),
    "unknown sharp": (["in", "in", "-o", "x.png", "--sharp", "out"], "--sharp"),
    "titles": (["in", "in", "-o", "x.png", "--titles", "a,b,c"], "3 titles for 2 columns"),
    "metric": (["in", "in", "-o", "x.png", "--metric", "psnr,beauty"], "beauty"),
    "pick": (["in", "in", "-o", "x.png", "--pick", "nicest"], "nicest"),
    "crop": (["in", "in", "-o", "x.png", "--crop", "1,2,3"], "X,Y,W,H"),
    "crop of nothing": (["in", "in", "-o", "x.png", "--crop", "1,2,0,3"], "X,Y,W,H"),
    "count": (["in", "in", "-o", "x.png", "--count", "0"], "--count"),
    "width": (["in", "in", "-o", "x.png", "--width", "5"], "--width"),
    "two pipes": (["-", "-", "-o", "x.png"], "only one picture can come from standard input"),
    "an input": (["in", "in", "-o", "in/a.png"], "would replace this input"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_usage_exits_2_and_writes_nothing(case, folder, tmp_path):
    arguments, said = WRONG[case]
    (tmp_path / "empty").mkdir()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    done = run("compare", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and said in messages(done)[-1] and "Traceback" not in done.stderr.decode()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == before


def test_a_picture_from_a_pipe_is_compared(tmp_path):
    cat = DATA / "sharp" / "cat.png"
    done = run("compare", "-", cat, "-o", tmp_path / "x.png", "-q", stdin=cat.read_bytes())
    assert done.returncode == 0 and done.stderr == b"" and (tmp_path / "x.png").exists()
