"""Which pictures of several folders belong together: by relative path, blind to the ending, never by order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from deblurcli.batch.finding import find
from deblurcli.batch.refusals import is_same, paths_checked, real
from deblurcli.errors import PlanError
from deblurcli.pictures import images
from deblurcli.pictures.storage import STANDARD, name_of

Names = tuple[tuple[str, ...], ...]  # for every place the names of one stem, relative to it


@dataclass(frozen=True, slots=True)
class Row:
    """Pictures of one name, one from every place; None is missing.

    doubles: the pictures among which it is not clear which are meant, `pictures` being all None; mostly empty.
    """

    name: str
    pictures: tuple[Path | None, ...]
    doubles: tuple[Path, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether there is a picture from every place."""
        return None not in self.pictures

    @property
    def paths(self) -> tuple[Path, ...]:
        """The pictures of a row that is whole."""
        return tuple(path for path in self.pictures if path is not None)

    def complaint(self, places: Sequence[Path]) -> str:
        """What is wrong with a row that is not whole, in a line with the remedy."""
        if self.doubles:
            return f"{', '.join(map(str, self.doubles))}: have the same name; keep only one of them in each folder"
        present = next(path for path in self.pictures if path is not None)
        lacking = ", ".join(str(place) for place, path in zip(places, self.pictures) if path is None)
        return f"{present}: has no partner of the same relative path in {lacking}; add it or remove this one"


@dataclass(frozen=True)
class Rows(Sequence[Row]):
    """The rows of several folders: names are kept, paths are made when a row is asked for."""

    places: tuple[Path, ...]
    names: Sequence[tuple[str, Names]]

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> Row | Rows:
        """A row, or the rows of a slice."""
        if isinstance(index, slice):
            return Rows(self.places, self.names[index])
        name, found = self.names[index]
        paths = [[place / each for each in names] for place, names in zip(self.places, found)]
        if any(len(each) > 1 for each in paths):
            return Row(name, (None,) * len(paths), tuple(path for each in paths for path in each))
        return Row(name, tuple(each[0] if each else None for each in paths))


@paths_checked()
def rows(places: Sequence[Path]) -> Sequence[Row]:
    """Put pictures of several folders side by side by relative path, blind to the ending, sorted by it.

    places: files or folders; one file may be `STANDARD`. Files are one row whatever their names are; in folders
    partners of a picture may be missing. Where a folder holds several pictures of one name (a.jpg and a.png), and
    all folders hold the same ones, each is a row with its ending; otherwise they are one row of `doubles`.

    Raises PlanError when a path is missing, files and folders are mixed, or a folder has no images.
    """
    for path in places:
        if path != STANDARD and not path.exists():
            raise PlanError(f"{path}: no such file or folder; check the path")
        if path.is_dir() != places[0].is_dir():
            raise PlanError(f"{places[0]} and {path}: one is a folder and one is not; give two of a kind")
    if sum(path == STANDARD for path in places) > 1:
        raise PlanError("only one picture can come from standard input; name the others")
    if not places[0].is_dir():
        return [Row(name_of(places[0]), tuple(places))]
    found = [_by_stem(folder) for folder in places]
    stems = sorted(set().union(*found))
    return Rows(
        tuple(places), [each for stem in stems for each in _told_apart(stem, [of.get(stem, ()) for of in found])]
    )


def _told_apart(stem: str, names: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, Names]]:
    """The rows of one stem: one, or one for every ending where all places have the same endings."""
    if len(names[0]) > 1 and len(set(names)) == 1:
        yield from ((Path(name).as_posix(), ((name,),) * len(names)) for name in names[0])
    else:
        yield stem, tuple(names)


def _by_stem(folder: Path) -> dict[str, tuple[str, ...]]:
    """The names of the images below a folder by their relative path without its ending."""
    found, _ = find(folder)
    if not found:
        raise PlanError(f"{folder}: no images in this folder; they end in {', '.join(images.READ)}")
    stems: dict[str, tuple[str, ...]] = {}
    for name in found:
        stem = Path(name).with_suffix("").as_posix()
        stems[stem] = (*stems.get(stem, ()), name)
    return stems


@paths_checked()
def check_output(output: Path, places: Sequence[Path], found: Sequence[Row], option: str) -> None:
    """Refuse an output made of many pictures that would harm or join the inputs.

    places: the files or folders the rows were found in. option: what names the output. Raises PlanError.
    """
    if output.is_dir():
        raise PlanError(f"{output}: is a folder; name a file in it")
    for path in (path for row in found for path in row.pictures + row.doubles if path is not None):
        if output.exists() and path.exists() and is_same(path, output):
            raise PlanError(f"{path}: the output would replace this input; choose another {option}")
    for folder in places:
        if folder.is_dir() and Path(real(output)).is_relative_to(real(folder)):
            raise PlanError(f"{output}: lies inside the input folder {folder}; choose a place outside")
