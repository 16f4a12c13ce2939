"""The names that options take are the keys of the library's tables, in their order."""

import ast
import sys

import pytest

from deblurcli import choices
from deblurcli.blur import psf
from deblurcli.commands import values
from deblurcli.deconvolution import methods
from deblurcli.estimation import estimate, families
from deblurcli.inference import models, session
from deblurcli.metrics import table
from deblurcli.pictures import formats
from deblurcli.reports import contact_sheet
from tests.conftest import ROOT

# What stands in `choices`, and the library's table of that name.
SAME = {
    "MODELS": (choices.MODELS, models.names()),
    "PROVIDERS": (choices.PROVIDERS, (choices.AUTO, *session.PROVIDERS)),
    "METHODS": (choices.METHODS, methods.METHODS),
    "METRICS": (choices.METRICS, table.METRICS),
    "CONVENTIONS": (choices.CONVENTIONS, table.CONVENTIONS),
    "PICKS": (choices.PICKS, contact_sheet.CHOSEN_BY),
    "DIRECTIONS": (choices.DIRECTIONS, psf.DIRECTIONS),
    "PSFS": (choices.PSFS, psf.PSFS),
    "VARYING": (choices.VARYING, psf.VARYING),
    "DRAWN": (choices.DRAWN, psf.DRAWN),
    "ESTIMATED": (choices.ESTIMATED, (choices.AUTO, *families.PARAMETRIC, estimate.GENERAL)),
    "COLOURS": (choices.COLOURS, values.DIGITS),
}


@pytest.mark.parametrize("name", SAME)
def test_a_choice_is_what_the_library_has(name):
    choice, library = SAME[name]
    assert choice == tuple(key for key in library if key != "none")  # a blur of that family is none


def test_formats_are_those_that_some_opencv_writes():
    """`formats.FORMATS` holds those that the OpenCV of this machine writes."""
    assert tuple(name for name in choices.FORMATS if name in formats.FORMATS) == tuple(formats.FORMATS)
    assert {"jpeg", "png"} <= set(formats.FORMATS)


def test_the_method_that_is_refined_and_the_one_that_iterates():
    assert (choices.REFINED, choices.ITERATING) == ("wiener", "richardson-lucy")


def test_what_is_used_when_nothing_is_named_can_be_named():
    assert set(choices.SCORED + choices.SHOWN) <= set(choices.METRICS)


def test_the_file_imports_nothing():
    tree = ast.parse((ROOT / "deblurcli" / "choices.py").read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert names <= set(sys.stdlib_module_names)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


def test_no_command_holds_a_copy():
    """No tuple or list of strings in the commands is one of the choices, written out again."""
    known = {value for value in vars(choices).values() if isinstance(value, tuple)}
    for path in (ROOT / "deblurcli" / "commands").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Tuple | ast.List):
                words = tuple(part.value for part in node.elts if isinstance(part, ast.Constant))
                assert words not in known, f"{path.name}: {words}"
