"""What options and arguments do not go together, refused before any work."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from deblurcli.batch.places import Inputs, is_batch
from deblurcli.commands.options import STANDARD, Shared, is_single


def watched(source: Inputs, shared: Shared, others: dict[str, bool]) -> Path:
    """The folder to watch; what does not go with --watch is refused, and so are `others` that are given."""
    beside = {
        "--in-place": shared.in_place,
        "--dry-run": shared.dry_run,
        "--shard": shared.shard != "1/1",
        "--cluster": shared.cluster is not None,
    }
    for option, is_given in {**beside, **others}.items():
        if is_given:
            raise typer.BadParameter("does not work with --watch; leave one of them out", param_hint=option)
    if not isinstance(source, Path) or not is_batch(source):
        raise typer.BadParameter("needs one folder for IN", param_hint="--watch")
    return source


def check_stdin(source: Inputs, name: str) -> None:
    """Refuse a terminal or nothing at all in place of a picture."""
    if source == STANDARD and (sys.stdin is None or sys.stdin.isatty()):
        raise typer.BadParameter("name a picture or a folder, or pipe a picture in", param_hint=name)


def check_page(html: Path | None, crop: str | None, attempts: str | None, shared: Shared) -> None:
    """Refuse a page of what is not shown in it: parts of pictures, sheets, and what other machines do."""
    for given, option in ((crop, "--crop"), (attempts, "--try"), (shared.cluster, "--cluster")):
        if html is not None and given:
            raise typer.BadParameter(f"does not work with {option}; leave one of them out", param_hint="--html")


def check_preview(crop: str | None, attempts: str | None, shared: Shared) -> None:
    """Refuse to put a part of a picture, or a sheet, in place of the picture."""
    if shared.in_place and (crop or attempts):
        hint = "--crop" if crop else "--try"
        raise typer.BadParameter("would replace the picture by a part of it; leave --in-place out", param_hint=hint)


def form(json: bool, csv: bool) -> str:
    """How results are printed: json, csv or table. Two kinds on one stream are refused."""
    if json and csv:
        raise typer.BadParameter("give either --json or --csv, not both", param_hint="--csv")
    return "json" if json else "csv" if csv else "table"


def check_streams(source: Inputs, target: Path, shared: Shared) -> None:
    """Refuse a terminal in place of a picture, and two things on one stream; say what is missing."""
    to_stdout = target == STANDARD and is_single(source) and not shared.in_place
    if to_stdout and shared.json:
        raise typer.BadParameter("the picture goes to standard output; name a file for it", param_hint="--json")
    check_stdin(source, "IN")
    if to_stdout and (sys.stdout is None or sys.stdout.isatty()):
        raise typer.BadParameter("name an output, or pipe standard output somewhere", param_hint="OUT")
