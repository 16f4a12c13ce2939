"""What may stand on the command line for IN and OUT, and what slips of the hand lead to."""

import shutil

import pytest

from deblurcli.choices import did_you_mean
from deblurcli.pictures import images
from tests.shell import TRANSFORMS, messages, run


@pytest.fixture
def shoot(tmp_path, sharp):
    """A folder with four small pictures, one of them in a subfolder, to stand in."""
    for index, name in enumerate(("a.png", "b.png", "c.jpg", "more/d.png")):
        images.write(tmp_path / name, sharp[8 * index : 40 + 8 * index, :40])
    return tmp_path


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("target", ["new", "new/", "new.v2/", "there", "there.png"])
def test_several_pictures_go_into_the_folder_named_last(target, shoot):
    (shoot / "there").mkdir()
    (shoot / "there.png").mkdir()
    done = run("blur", "a.png", "c.jpg", "more/d.png", target, *TRANSFORMS["blur"], cwd=shoot)
    assert done.returncode == 0 and messages(done) == ["blur: 3 done"]
    assert names(shoot / target) == ["a.png", "c.jpg", "d.png", "manifest.jsonl"]


def test_several_pictures_come_out_as_those_of_a_folder(shoot):
    noisy = ("--psf", "random", "--noise", "0.01", "--seed", "3")
    assert run("blur", "a.png", "b.png", "several", *noisy, cwd=shoot).returncode == 0
    shutil.copytree(shoot, shoot / "copy", ignore=shutil.ignore_patterns("several", "more", "c.jpg"))
    assert run("blur", "copy", "folder", *noisy, cwd=shoot).returncode == 0
    assert names(shoot / "several") == names(shoot / "folder")
    for name in names(shoot / "several"):
        one, other = ((shoot / folder / name).read_bytes() for folder in ("several", "folder"))
        if name == "manifest.jsonl":  # its lines come as pictures are done
            one, other = sorted(one.splitlines()), sorted(other.splitlines())
        assert one == other, name


def test_a_slash_makes_a_folder_of_any_name_for_one_picture(shoot):
    assert run("wiener", "a.png", "v1.2/", *TRANSFORMS["wiener"], cwd=shoot).returncode == 0
    assert names(shoot / "v1.2") == ["a.png"]


def test_deblur_and_estimate_take_several_pictures(shoot):
    done = run("deblur", "a.png", "b.png", "out", "--model", "srcnn-gaussian", cwd=shoot)
    assert done.returncode == 0 and names(shoot / "out") == ["a.png", "b.png"]
    done = run("estimate", "a.png", "more/d.png", "--save-psf", "psfs", cwd=shoot)
    assert done.returncode == 0 and done.stdout.count(b'"input"') == 2
    assert names(shoot / "psfs") == ["a.png.psf.png", "d.png.psf.png"]


def test_the_manifest_of_one_folder_serves_several_pictures_in_it(shoot):
    assert run("blur", "a.png", "b.png", "pairs", "--psf", "random", cwd=shoot).returncode == 0
    done = run("wiener", "pairs/a.png", "pairs/b.png", "out", "--psf", "manifest", cwd=shoot)
    assert done.returncode == 0 and names(shoot / "out") == ["a.png", "b.png"]
    done = run("wiener", "pairs/a.png", "b.png", "other", "--psf", "manifest", cwd=shoot)
    assert done.returncode == 2 and "lie in several folders" in messages(done)[-1]


BLUR = ("blur", *TRANSFORMS["blur"])
REFUSED = {
    "no folder at the end": ((*BLUR, "a.png", "b.png", "c.jpg"), "'c.jpg' is no folder; several pictures need one"),
    "a folder among them": ((*BLUR, "a.png", "more", "out"), "more: is a folder among several inputs"),
    "the pipe among them": ((*BLUR, "a.png", "-", "out"), "standard input cannot be one of several inputs"),
    "one that is missing": ((*BLUR, "a.png", "z.png", "out"), "z.png: no such file or folder"),
    "a name with a space": ((*BLUR, "my", "photos", "out"), "my: no such file or folder; check the path, and put"),
    "one named twice": ((*BLUR, "a.png", "./a.png", "out"), "2 inputs share an output"),
    "their own folder": ((*BLUR, "a.png", "b.png", "."), "a.png: the output would replace the input"),
    "a picture for OUT": ((*BLUR, "a.png", "b.png"), "b.png: is there already; name another output or a folder"),
    "that, in place": ((*BLUR, "a.png", "b.png", "--in-place"), "b.png: is there already"),
    "that, rehearsed": ((*BLUR, "a.png", "b.png", "--dry-run"), "b.png: is there already"),
    "that, of a pipe": ((*BLUR, "-", "b.png"), "b.png: is there already"),
    "PSFs of one name": (("estimate", "a.png", "x/a.png", "--save-psf", "psfs"), "a.png: 2 inputs have this name"),
    "no PSF": (("wiener", "a.png", "out", "--psf", ""), "'--psf': the value is empty; is a shell variable unset?"),
    "no blur": (("blur", "a.png", "out", "--psf", ""), "'--psf': the value is empty; is a shell variable unset?"),
    "no network": (("deblur", "a.png", "out", "--model", ""), "'--model': the value is empty"),
    "no report": ((*BLUR, "a.png", "out", "--report", ""), "'--report': the path is empty"),
    "a family misspelt": (("blur", "a.png", "out", "--psf", "moton:5"), "no family 'moton'; did you mean motion?"),
    "random misspelt": (("blur", "a.png", "out", "--psf", "randon"), "no family 'randon'; did you mean random?"),
    "manifest misspelt": (("wiener", "a.png", "o", "--psf", "manifst"), "'manifst'; did you mean manifest?"),
    "a field misspelt": (("blur", "a.png", "o", "--psf", "motion:lenght=5"), "'lenght'; did you mean length?"),
    "one to draw misspelt": (("blur", "a.png", "o", "--psf", "random:gausian"), "did you mean gaussian?"),
    "a model misspelt": (("deblur", "a.png", "out", "--model", "pohto"), "model pohto: unknown; did you mean photo?"),
    "a method misspelt": (("wiener", "a.png", "o", "--psf", "box:3", "--method", "spare"), "did you mean sparse?"),
    "the refiner alone": (
        ("deblur", "a.png", "out", "--model", "refine"),
        "leave --model out, or use deblurcli wiener",
    ),
    "a report nowhere": ((*BLUR, "a.png", "out", "--report", "no/r.jsonl"), "no/r.jsonl: there is no folder 'no'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_slips_are_refused_with_the_remedy_before_anything_is_made(case, shoot):
    arguments, said = REFUSED[case]
    shutil.copytree(shoot, shoot / "x", ignore=shutil.ignore_patterns("more"))
    before = {path: path.is_file() and path.read_bytes() for path in shoot.rglob("*")}
    done = run(*arguments, cwd=shoot, stdin=(shoot / "a.png").read_bytes())
    assert done.returncode == 2 and done.stdout == b""
    assert said in messages(done)[-1]
    assert {path: path.is_file() and path.read_bytes() for path in shoot.rglob("*")} == before


def test_the_refiner_is_not_offered_where_it_cannot_be_used(shoot):
    assert "refine" not in messages(run("deblur", "a.png", "out", "--model", "nope", cwd=shoot))[-1]


@pytest.mark.parametrize("option", ["--overwrite", "--skip-existing"])
def test_a_picture_named_as_output_can_be_replaced_on_purpose_or_kept(option, shoot):
    before = (shoot / "b.png").read_bytes()
    assert run(*BLUR, "a.png", "b.png", option, cwd=shoot).returncode == 0
    assert ((shoot / "b.png").read_bytes() == before) == (option == "--skip-existing")


def test_a_picture_may_still_replace_itself(shoot):
    before = (shoot / "a.png").read_bytes()
    assert run(*BLUR, "a.png", "a.png", "--in-place", cwd=shoot).returncode == 0
    assert (shoot / "a.png").read_bytes() != before


def test_a_report_may_lie_in_the_folder_that_is_made_for_the_outputs(shoot):
    done = run(*BLUR, "a.png", "b.png", "deep/out", "--report", "deep/report.jsonl", cwd=shoot)
    assert done.returncode == 0 and (shoot / "deep" / "report.jsonl").read_text().count("\n") == 3


def test_the_manifest_is_not_one_of_the_other_files(shoot):
    assert run(*BLUR, "more", "pairs", cwd=shoot).returncode == 0
    done = run("wiener", "pairs", "out", "--psf", "manifest", cwd=shoot)
    assert messages(done) == ["wiener: 1 done"]


def test_an_empty_shard_says_that_it_was_empty(shoot):
    found = [messages(run(*BLUR, "more", "out", "--shard", f"{part}/2", cwd=shoot)) for part in (1, 2)]
    empty = ["blur: nothing to do, as this shard is empty; other shards have 1 picture"]
    assert sorted(found) == [["blur: 1 done"], empty]


def test_a_suggestion_is_made_for_what_is_much_alike_only():
    known = ("motion", "gaussian", "photo")
    assert did_you_mean("Gausian", known) == "did you mean gaussian? "
    assert did_you_mean("fog", known) == did_you_mean("", known) == did_you_mean("gpu", ("cpu", "cuda")) == ""
