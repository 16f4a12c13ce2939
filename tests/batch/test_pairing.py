"""Which pictures belong together."""

import pytest

from deblurcli.batch import pairing
from deblurcli.errors import PlanError
from deblurcli.pictures import images
from deblurcli.pictures.storage import STANDARD


@pytest.fixture
def make(tmp_path, sharp):
    """Writes pictures by their names below one folder."""

    def written(*names):
        for name in names:
            images.write(tmp_path / name, sharp[:12, :12])
        return tmp_path

    return written


def test_pairs_go_by_relative_path_not_by_order(make):
    place = make("out/a.png", "out/sub/b.png", "out/only.png", "ref/a.tif", "ref/sub/b.jpg", "ref/aa.png")
    assert {row.name: row.pictures for row in pairing.rows([place / "out", place / "ref"])} == {
        "a": (place / "out/a.png", place / "ref/a.tif"),
        "sub/b": (place / "out/sub/b.png", place / "ref/sub/b.jpg"),
        "only": (place / "out/only.png", None),
        "aa": (None, place / "ref/aa.png"),
    }


def test_a_name_that_is_there_twice_is_a_row_of_its_own(make):
    place = make("out/a.png", "out/a.jpg", "out/b.png", "ref/a.png", "ref/b.png")
    places = [place / "out", place / "ref"]
    first, second = pairing.rows(places)
    assert first.name == "a" and first.pictures == (None, None) and not first.is_whole
    assert first.doubles == (place / "out/a.jpg", place / "out/a.png", place / "ref/a.png")
    assert "have the same name; keep only one of them" in first.complaint(places)
    assert second.is_whole and second.doubles == ()


def test_the_same_names_twice_on_both_sides_are_told_apart_by_their_endings(make):
    place = make("out/a.png", "out/a.jpg", "ref/a.png", "ref/a.jpg", "ref/b.png", "out/b.jpg")
    found = pairing.rows([place / "out", place / "ref"])
    assert [(row.name, *(path.suffix for path in row.pictures)) for row in found] == [
        ("a.jpg", ".jpg", ".jpg"), ("a.png", ".png", ".png"), ("b", ".jpg", ".png"),
    ]  # fmt: skip
    assert len(pairing.rows([place / "out"])[0].doubles) == 0


def test_one_folder_alone_may_hold_a_name_twice(make):
    place = make("out/a.png", "out/a.jpg")
    assert [row.name for row in pairing.rows([place / "out"])] == ["a.jpg", "a.png"]


def test_what_is_no_pair_is_refused(folder, tmp_path):
    with pytest.raises(PlanError, match="two of a kind"):
        pairing.rows([folder, folder / "a.png"])
    with pytest.raises(PlanError, match="standard input"):
        pairing.rows([STANDARD, STANDARD])
    with pytest.raises(PlanError, match="File name too long"):
        pairing.rows([tmp_path / ("x" * 300), folder])


def test_rows_hold_a_picture_of_every_folder_or_none(folder, tmp_path, sharp):
    images.write(tmp_path / "other" / "a.webp", sharp[:8, :8])
    images.write(tmp_path / "third" / "süb dir" / "c.png", sharp[:8, :8])
    places = [folder, tmp_path / "other", tmp_path / "third"]
    rows = pairing.rows(places)
    assert [row.name for row in rows] == ["a", "b", "süb dir/c"]
    assert rows[0].pictures == (folder / "a.png", tmp_path / "other" / "a.webp", None)
    assert rows[0].complaint(places).endswith(f"in {places[2]}; add it or remove this one")
    assert [path is None for path in rows[2].pictures] == [False, True, False]
    assert [row.name for row in rows[1:]] == ["b", "süb dir/c"]
    with pytest.raises(PlanError, match="one is a folder"):
        pairing.rows([folder, tmp_path / "other", folder / "a.png"])
