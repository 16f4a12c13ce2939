import os
from pathlib import Path

import pytest

from deblurcli.batch import finding, planning
from deblurcli.batch.jobs import Options
from deblurcli.errors import ImageError, PlanError
from deblurcli.pictures import images
from deblurcli.pictures.storage import STANDARD


def test_other_files_are_counted(folder, tmp_path):
    (folder / ".hidden.png").write_bytes(b"x")
    assert planning.plan(folder, tmp_path / "out").others == 2


def test_a_format_renames_what_needs_it(folder, tmp_path):
    targets = {job.target.name for job in planning.plan(folder, tmp_path / "out", Options(format="jpeg")).jobs}
    assert targets == {"a.jpg", "b.jpg", "c.jpg"}


@pytest.mark.parametrize("target", [".", "sub/out"])
def test_outputs_in_the_input_folder_are_refused(folder, target):
    with pytest.raises(PlanError, match="input"):
        planning.plan(folder, folder / target)


def test_a_link_to_the_input_is_the_input(folder, tmp_path):
    (tmp_path / "link.png").symlink_to(folder / "a.png")
    with pytest.raises(PlanError, match="replace the input"):
        planning.plan(folder / "a.png", tmp_path / "link.png")


def test_what_cannot_be_planned_is_said(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    for source, target, said in [
        (tmp_path / "nothing", tmp_path / "out", "no such file"),
        (tmp_path / "empty", tmp_path / "out", "no images"),
        (folder, folder / "a.png", "is a file"),
        (folder, STANDARD, "output folder"),
    ]:
        with pytest.raises(PlanError, match=said):
            planning.plan(source, target)
    with pytest.raises(ImageError, match=r"\.xyz"):
        planning.plan(folder / "a.png", tmp_path / "a.xyz")


def test_a_file_goes_into_a_folder_or_to_a_name(folder, tmp_path):
    (tmp_path / "there").mkdir()
    assert planning.plan(folder / "a.png", tmp_path / "there").jobs[0].target == tmp_path / "there" / "a.png"
    assert planning.plan(folder / "a.png", tmp_path / "new").jobs[0].target == tmp_path / "new" / "a.png"
    assert planning.plan(folder / "a.png", tmp_path / "b.webp").jobs[0].target == tmp_path / "b.webp"


def test_an_output_is_never_another_job_s_input(tmp_path, sharp):
    for name in ("n/s/a.png", "n/s/s/a.png"):
        images.write(tmp_path / name, sharp[:8, :8])
    with pytest.raises(PlanError, match=r"n/s/a\.png.*would replace this other input"):
        planning.plan(tmp_path / "n" / "s", tmp_path / "n")


def test_links_to_folders_are_followed_once_and_loops_end(folder, tmp_path):
    (folder / "loop").symlink_to(folder)
    (tmp_path / "elsewhere").mkdir()
    (folder / "a.png").rename(tmp_path / "elsewhere" / "d.png")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    found, _ = finding.find(folder)
    assert sorted(Path(name).name for name in found) == ["b.jpg", "c.png", "d.png"]


def test_a_dangling_link_is_a_job_that_fails_not_one_that_vanishes(folder):
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    assert [Path(name).name for name in finding.find(folder)[0]] == ["a.png", "b.jpg", "gone.png", "c.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_named_pipe_in_a_folder_is_no_picture(folder):
    os.mkfifo(folder / "pipe.png")
    found, others = finding.find(folder)
    assert len(found) == 3 and others == 2


def test_paths_the_system_refuses_are_said(folder, tmp_path):
    for source, target in [(tmp_path / ("x" * 300), tmp_path / "out"), (folder, tmp_path / ("x" * 300) / "out")]:
        with pytest.raises(PlanError, match="File name too long"):
            planning.plan(source, target)


def test_standard_input_goes_to_a_file(tmp_path):
    assert planning.plan(STANDARD, tmp_path / "a.png").jobs[0].target == tmp_path / "a.png"
    with pytest.raises(PlanError, match="name a file in it"):
        planning.plan(STANDARD, tmp_path)
    with pytest.raises(PlanError, match="in place"):
        planning.plan(STANDARD, STANDARD, Options(in_place=True))


def test_an_ending_and_a_format_do_not_contradict_each_other(folder, tmp_path):
    with pytest.raises(PlanError, match=r"jpeg.*png"):
        planning.plan(folder / "a.png", tmp_path / "a.jpg", Options(format="png"))
    assert planning.plan(folder / "a.png", tmp_path / "a.jpg", Options(format="jpeg")).jobs
