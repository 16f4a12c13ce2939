import os
import stat

import pytest

from deblurcli.batch import planning, run
from deblurcli.batch.record import DONE, FAILED, PLANNED, SKIPPED
from deblurcli.batch.run import Options
from deblurcli.errors import ImageError, PlanError
from deblurcli.pictures import images
from deblurcli.pictures.storage import STANDARD


def unchanged(picture):
    return picture


def ran(source, target, function=unchanged, **options):
    return list(run.transform(source, target, run.Plain(function), Options(**options)).outcomes)


def test_a_folder_is_mirrored(folder, tmp_path):
    outcomes = ran(folder, tmp_path / "out")
    assert {outcome.status for outcome in outcomes} == {DONE}
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert written == {"a.png", "b.jpg", "süb dir/c.png"}


@pytest.mark.parametrize("names", [("x.png", "x.jpg"), ("X.png", "x.png")])
def test_shared_outputs_are_refused_before_any_work(tmp_path, sharp, names):
    for name in names:
        images.write(tmp_path / "in" / name, sharp[:8, :8])
    if len(list((tmp_path / "in").iterdir())) < 2:
        pytest.skip("this file system does not tell the cases apart")
    with pytest.raises(PlanError, match="share an output"):
        ran(tmp_path / "in", tmp_path / "out", format="png")
    assert not (tmp_path / "out").exists()


def test_an_input_is_replaced_in_place_only(folder):
    before = (folder / "a.png").read_bytes()
    with pytest.raises(PlanError, match="--in-place"):
        planning.plan(folder / "a.png", folder / "a.png")
    with pytest.raises(PlanError, match="--in-place"):
        planning.plan(folder, STANDARD)
    ran(folder, STANDARD, lambda picture: picture.with_pixels(255 - picture.pixels), in_place=True)
    assert (folder / "a.png").read_bytes() != before


def test_an_output_folder_that_cannot_be_made_is_refused(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PlanError, match="cannot be written to"):
        ran(folder, tmp_path / "file" / "out")


def test_one_bad_file_stops_no_other(folder, tmp_path):
    (folder / "bad.jpg").write_text("text")
    (folder / "empty.png").write_bytes(b"")
    outcomes = ran(folder, tmp_path / "out")
    failed = [outcome for outcome in outcomes if outcome.status == FAILED]
    assert sorted(outcome.job.source.name for outcome in failed) == ["bad.jpg", "empty.png"]
    assert all(outcome.job.source.name in outcome.error for outcome in failed)
    assert sum(outcome.status == DONE for outcome in outcomes) == 3


def test_an_error_of_the_function_names_the_file(folder, tmp_path):
    def refuse(_):
        raise ImageError("too blue")

    assert all(str(outcome.job.source) in outcome.error for outcome in ran(folder, tmp_path / "out", refuse))


def test_a_bug_is_not_swallowed(folder, tmp_path):
    with pytest.raises(ZeroDivisionError):
        ran(folder, tmp_path / "out", lambda _: 1 / 0)


def test_existing_outputs_are_skipped_when_asked(folder, tmp_path):
    ran(folder, tmp_path / "out")
    (tmp_path / "out" / "a.png").unlink()
    outcomes = ran(folder, tmp_path / "out", skip_existing=True)
    assert {outcome.job.source.name: outcome.status for outcome in outcomes} == {
        "a.png": DONE, "b.jpg": SKIPPED, "c.png": SKIPPED,
    }  # fmt: skip


def test_a_dry_run_writes_nothing(folder, tmp_path):
    outcomes = ran(folder, tmp_path / "out", dry_run=True)
    assert [outcome.status for outcome in outcomes] == [PLANNED] * 3
    assert not (tmp_path / "out").exists()


def test_one_job_and_many_workers_give_the_same(folder, tmp_path):
    for workers in (1, 4):
        ran(folder, tmp_path / str(workers), workers=workers)
    for path in (tmp_path / "1").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "4" / path.relative_to(tmp_path / "1")).read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
@pytest.mark.parametrize("mode, made", [(0o600, 0o600), (0o640, 0o640), (0o444, 0o644), (0o644, 0o644)])
def test_an_output_is_no_more_open_than_its_input(tmp_path, sharp, mode, made):
    before = os.umask(0o022)
    try:
        images.write(tmp_path / "a.png", sharp[:8, :8])
        (tmp_path / "a.png").chmod(mode)
        inverted = run.Plain(lambda picture: picture.with_pixels(255 - picture.pixels))
        for work, target in ((run.Plain(unchanged), "same.png"), (inverted, "other.png")):
            list(run.transform(tmp_path / "a.png", tmp_path / target, work, Options()).outcomes)
            assert stat.S_IMODE((tmp_path / target).stat().st_mode) == made
    finally:
        os.umask(before)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_in_place_leaves_read_only_files_and_other_hard_links_alone(tmp_path, sharp):
    for name, mode in (("locked.png", 0o444), ("shared.png", 0o640)):
        images.write(tmp_path / "in" / name, sharp[:8, :8])
        (tmp_path / "in" / name).chmod(mode)
    os.link(tmp_path / "in" / "shared.png", tmp_path / "kept.png")
    before = (tmp_path / "kept.png").read_bytes()
    outcomes = ran(
        tmp_path / "in", tmp_path / "in", lambda picture: picture.with_pixels(255 - picture.pixels), in_place=True
    )
    found = {outcome.job.source.name: outcome for outcome in outcomes}
    assert found["locked.png"].status == FAILED and "is read-only; make it writable" in found["locked.png"].error
    assert (tmp_path / "in" / "locked.png").read_bytes() == before == (tmp_path / "kept.png").read_bytes()
    assert found["shared.png"].status == DONE and (tmp_path / "in" / "shared.png").read_bytes() != before
    assert stat.S_IMODE((tmp_path / "in" / "shared.png").stat().st_mode) == 0o640
