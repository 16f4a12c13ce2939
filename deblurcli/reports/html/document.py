"""A page in one HTML file that holds its own style, script, data and pictures, and fetches nothing.

Its parts lie beside this file: a shell that all kinds of pages have, to be filled with one frame, one style and one
script, the last two put together from files. Data stands in the page as JSON, pictures as data URIs, both in elements
that no browser runs or shows by itself; a content security policy lets nothing else run or load.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path

from deblurcli.errors import PlanError
from deblurcli.pictures import storage
from deblurcli.reports.thumbnails import ThumbnailStore

ENDINGS = (".html", ".htm")
MOST_ERRORS = 1000


@dataclass(frozen=True)
class Frame:
    """What a kind of page is made of: names of the files of its main part, its style and its script."""

    main: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...]

    @property
    def html(self) -> str:
        """The shell with the main part in it, and in that the viewer of one picture."""
        return _part("shell.html").replace("[[main]]", _part(self.main)).replace("[[viewer]]", _part("viewer.html"))

    @property
    def style(self) -> str:
        """All of the style."""
        return "".join(map(_part, self.styles))

    @property
    def script(self) -> str:
        """All of the script."""
        return "".join(map(_part, self.scripts))


def check_name(output: Path) -> None:
    """PlanError for a page whose name has another ending."""
    if output.suffix.lower() not in ENDINGS:
        raise PlanError(f"{output}: does not end in .html; choose a name such as report.html for --html")


def write(output: Path, frame: Frame, title: str, data: Iterator[str], pictures: Iterator[str]) -> None:
    """Write a page in place of `output`, piece by piece. Raises ImageError when the disk refuses.

    data: the JSON that the script reads. pictures: elements, see `picture_elements`.
    """
    style, script = frame.style, frame.script
    parts: dict[str, Callable[[], Iterator[str]]] = {
        "policy": lambda: iter([_policy(style, script)]),
        "title": lambda: iter([escape(title)]),
        "style": lambda: iter([style]),
        "script": lambda: iter([script]),
        "data": lambda: data,
        "pictures": lambda: pictures,
    }
    with storage.replacing(output) as file:
        for text in _filled(frame.html, parts):
            file.write(text.encode("utf-8", "backslashreplace"))


def _filled(frame: str, parts: Mapping[str, Callable[[], Iterator[str]]]) -> Iterator[str]:
    """The frame with ``[[name]]`` replaced by the parts, which come piece by piece."""
    head, *rest = frame.split("[[")
    yield head
    for piece in rest:
        name, _, after = piece.partition("]]")
        yield from parts[name]()
        yield after


def _part(name: str) -> str:
    return (files("deblurcli.reports.html") / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Nothing but this page's own style and script, and pictures that stand in it."""
    allowed = {
        kind: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for kind, text in (("style-src", style), ("script-src", script))
    }
    rules = "; ".join(f"{kind} 'sha256-{digest}'" for kind, digest in allowed.items())
    return f"default-src 'none'; img-src data:; {rules}; base-uri 'none'; form-action 'none'"


def as_data(value: object) -> str:
    """JSON that cannot end the element it stands in."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def data_of(head: dict, rows: Iterator[list]) -> Iterator[str]:
    """A JSON object with the fields of `head` and the list `rows`, row by row."""
    yield as_data(head)[:-1]
    yield ',"rows":['
    for index, row in enumerate(rows):
        yield f"{',' if index else ''}{as_data(row)}"
    yield "]}"


def picture_elements(
    order: Mapping[str, int], store: ThumbnailStore, names: Sequence[str], shown: set[str]
) -> Iterator[str]:
    """Thumbnails and pictures of rows, each in an element of its own that is read when it is looked at.

    order: the index of each row by its name. names: of the rows, as they are to come. shown: those with pictures.
    """
    for name, thumbnail, pictures in store.read(names, shown):
        index = order[name]
        if thumbnail:
            yield f'<script type="text/plain" id="t{index}">{thumbnail.decode()}</script>\n'
        if pictures:
            yield f'<script type="text/plain" id="p{index}">{pictures.decode()}</script>\n'
