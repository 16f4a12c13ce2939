"""The names that options take are the keys of the library's tables, in their order."""

import ast
import sys

import pytest

from deblurcli import choices
from deblurcli.blur import psf
from deblurcli.commands import options
from deblurcli.deconvolution import methods, observation
from deblurcli.estimation import estimate
from deblurcli.inference import models, restorer, session
from deblurcli.metrics import table
from deblurcli.pictures import formats, images
from deblurcli.pipeline import sources
from deblurcli.reports import contact_sheet, gates
from tests.conftest import ROOT

# What stands in `choices`, and the library's table or value that it names.
SAME = {
    "MODELS": (choices.MODELS, models.names()),
    "REFINE": (choices.REFINE, restorer.REFINE),
    "PROVIDERS": (choices.PROVIDERS, (session.AUTO, *session.PROVIDERS)),
    "METHODS": (choices.METHODS, methods.METHODS),
    "ITERATIONS": (choices.ITERATIONS, observation.ITERATIONS),
    "METRICS": (choices.METRICS, table.METRICS),
    "SCORED": (choices.SCORED, table.WITH_SHARP),
    "SHOWN": (choices.SHOWN, contact_sheet.PLAIN.metrics),
    "CONVENTIONS": (choices.CONVENTIONS, table.CONVENTIONS),
    "GATES": (choices.GATES, (gates.MEAN, gates.EACH)),
    "MEAN, EACH": ((choices.MEAN, choices.EACH), (gates.MEAN, gates.EACH)),
    "PICKS": (choices.PICKS, contact_sheet.PICKS),
    "DIRECTIONS": (choices.DIRECTIONS, psf.DIRECTIONS),
    "PSFS": (choices.PSFS, psf.PSFS),
    "DRAWN": (choices.DRAWN, psf.DRAWN),
    "RANDOM": (choices.RANDOM, psf.RANDOM),
    "ESTIMATED": (choices.ESTIMATED, estimate.FAMILIES),
    "MANIFEST, AUTO": ((choices.MANIFEST, choices.AUTO), (sources.MANIFEST, sources.AUTO)),
    "QUALITY": (choices.QUALITY, images.DEFAULT_QUALITY),
    "MEGAPIXELS": (options.pixels(choices.MEGAPIXELS), images.MAX_PIXELS),
    "COLOURS": (choices.COLOURS, options.DIGITS),
}


@pytest.mark.parametrize("name", SAME)
def test_a_choice_is_what_the_library_has(name):
    choice, library = SAME[name]
    assert choice == (tuple(library) if isinstance(choice, tuple) else library)


def test_formats_are_those_that_some_opencv_writes():
    """`formats.FORMATS` holds those that the OpenCV of this machine writes."""
    assert tuple(name for name in choices.FORMATS if name in formats.FORMATS) == tuple(formats.FORMATS)
    assert {"jpeg", "png"} <= set(formats.FORMATS)


def test_the_method_that_is_refined_and_the_one_that_iterates():
    assert (choices.REFINED, choices.ITERATING) == ("wiener", "richardson-lucy")


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
