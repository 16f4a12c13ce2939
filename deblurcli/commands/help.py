"""How help looks: as wide as the terminal, options in titled groups, examples at the end.

Plain text by typer's own formatter. Panels drawn by rich would more than double the time that ``--help`` takes.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup

WIDEST = 200  # columns
ACTION, OUTPUT, PICTURES, MACHINE = GROUPS = ("What to do", "Output", "Which pictures", "Machine")
ARGUMENTS, OTHER = "Arguments", "Other options"
_RANGE = re.compile(r"(\S+)<=x<=(\S+)(?=\])")
_BRACKETS = re.compile(r" {1,2}(\[[^\]]*\])$")
_FIXED = "\N{NO-BREAK SPACE}"  # stays on its line


def examples(lines: Sequence[tuple[str, str]]) -> str:
    """The end of a command's help: what each example does, and its line."""
    return "\n".join(["Examples:", *(f"  # {does}\n  deblurcli {line}" for does, line in lines)])


def _wrapped(text: str, width: int) -> list[str]:
    """The lines of a paragraph, its words whole: options and names are full of hyphens."""
    return textwrap.wrap(text, width, break_on_hyphens=False, break_long_words=False)


def _tidy(text: str) -> str:
    """The help of an option; typer's last words on it, ``[default: 1; 0<=x<=1]``, as people write them, on one line."""
    plain = _RANGE.sub(r"\1 to \2", text)
    return _BRACKETS.sub(lambda found: " " + found[1].replace(" ", _FIXED), plain)


def _rows(command: TyperCommand | TyperGroup, ctx: Any) -> dict[str, list[tuple[str, str]]]:
    """What help says of each parameter, by group, in the order of `GROUPS`."""
    rows: dict[str, list[tuple[str, str]]] = {ARGUMENTS: [], **{group: [] for group in GROUPS}, OTHER: []}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None:
            is_argument = param.param_type_name == "argument"
            group = ARGUMENTS if is_argument else getattr(param, "rich_help_panel", None) or OTHER
            rows[group].append((record[0].partition(" <")[0], _tidy(record[1])))
    return {group: found for group, found in rows.items() if found}


def _lines(rows: Sequence[tuple[str, str]], first: int, width: int) -> Iterator[str]:
    """Two columns, the first one so wide."""
    for name, text in rows:
        for index, line in enumerate(_wrapped(text, width - first - 4)):
            yield f"  {'' if index else name:<{first}}  {line}\n".replace(_FIXED, " ")


class _Layout:
    """What both kinds of commands write the same way."""

    def format_help_text(self: Any, ctx: Any, formatter: Any) -> None:
        """Write what the command does, a paragraph after the other."""
        for paragraph in self.help.split("\n\n"):
            formatter.write("\n" + "".join(f"  {line}\n" for line in _wrapped(paragraph, formatter.width - 2)))

    def format_options(self: Any, ctx: Any, formatter: Any) -> None:
        """Write the arguments and options by group, their texts all in one column."""
        groups = _rows(self, ctx)
        first = max(len(name) for rows in groups.values() for name, _ in rows)
        for group, rows in groups.items():
            formatter.write(f"\n{group}:\n" + "".join(_lines(rows, first, formatter.width)))

    def format_epilog(self: Any, ctx: Any, formatter: Any) -> None:
        """Write the examples as they are."""
        formatter.write(f"\n{self.epilog}\n")


class Command(_Layout, TyperCommand):
    """A command."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words of the usage line; an argument that must be given stands there without typer's braces."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]


class Commands(_Layout, TyperGroup):
    """The command that holds all others."""

    def get_params(self, ctx: Any) -> list:
        """Its options. A flag left out counts as False from the start: typer would load pydantic to check None."""
        params = super().get_params(ctx)
        for param in params:
            if getattr(param, "is_flag", False) and param.default is None:
                param.default = False
        return params

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, then the options."""
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)
