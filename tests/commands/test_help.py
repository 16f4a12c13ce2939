"""Help as people see it: groups, widths, summaries, examples that run."""

import os
import re
import shlex
import shutil

import pytest

from deblurcli import choices
from deblurcli.cli import COMMANDS, EXAMPLES
from deblurcli.commands.help import ARGUMENTS, GROUPS, OTHER
from deblurcli.pictures import images
from tests.conftest import DATA
from tests.shell import messages, run

ALL = [*(line for _, lines in COMMANDS.values() for _, line in lines), *(line for _, line in EXAMPLES)]
# The names that an option takes, by the command whose help is to list them.
LISTED = {
    "blur": (choices.DIRECTIONS, choices.DRAWN, choices.FORMATS),
    "deblur": (choices.PROVIDERS, choices.COLOURS),
    "wiener": (choices.METHODS, choices.PROVIDERS),
    "score": (choices.METRICS, choices.CONVENTIONS, choices.GATES),
    "compare": (choices.METRICS, choices.PICKS),
    "triage": (choices.VERDICTS, (choices.BLURRED,)),
    "estimate": (choices.ESTIMATED,),
}


def help_of(*arguments, width=80):
    done = run(*arguments, "--help", env={**os.environ, "COLUMNS": str(width)})
    assert done.returncode == 0 and done.stderr == b""
    return done.stdout.decode()


@pytest.mark.parametrize("width", [80, 120, 160])
@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=" ".join)
def test_help_takes_the_width_it_has(command, width):
    text = help_of(*command, width=width)
    lines = text.partition("Examples:")[0].splitlines()
    assert max(map(len, lines)) <= width - 2 and "\x1b" not in text
    assert not [line for line in text.splitlines() if line != line.rstrip()]
    if command and command != ["models"] and width > 80:
        assert max(map(len, lines)) > width - 20


@pytest.mark.parametrize("command", COMMANDS)
def test_options_stand_in_groups_in_one_order(command):
    titles = re.findall(r"^(\S.*):$", help_of(command), re.MULTILINE)
    order = [ARGUMENTS, *GROUPS, OTHER, "Examples"]
    assert titles == sorted(titles, key=order.index) and titles[-2:] == [OTHER, "Examples"]


@pytest.mark.parametrize("command", COMMANDS)
def test_words_with_hyphens_stay_whole(command):
    whole = set(re.findall(r"[\w-]+-[\w-]+", help_of(command, width=200)))
    for width in (60, 80, 100):
        assert set(re.findall(r"[\w-]+-[\w-]+", help_of(command, width=width))) == whole


@pytest.mark.parametrize("command", LISTED)
def test_help_lists_every_name_that_an_option_takes(command):
    words = set(re.findall(r"[\w-]+", help_of(command)))
    assert set().union(*LISTED[command]) <= words


def test_ranges_and_defaults_read_as_people_write_them():
    assert "[default: 1; 0 to 1]" in help_of("deblur") and "<=" not in "".join(map(help_of, COMMANDS))


def test_the_summaries_of_commands_are_whole():
    text = help_of()
    for name, (command, _) in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(command.__doc__.partition(chr(10))[0])}$", text, re.MULTILINE)
    assert "..." not in text.partition("Commands:")[2]


def test_every_command_ends_with_two_examples():
    for name, (_, lines) in COMMANDS.items():
        end = help_of(name).splitlines()[-5:]
        assert end == ["Examples:", *(part for does, line in lines for part in (f"  # {does}", f"  deblurcli {line}"))]
        assert all(line.startswith(name) for _, line in lines) and max(map(len, end)) <= 80


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """What the examples work on: sharp, blurred and restored pictures, and pairs with a manifest."""
    place = tmp_path_factory.mktemp("examples")
    pixels = images.read(DATA / "sharp" / "cat.png")[:96, :96]
    for name in ("photos/a.png", "photos/b.png", "restored/a.png", "restored/b.png", "photo.png"):
        images.write(place / name, pixels)
    for target in ("blurred", "moved"):
        assert run("blur", "photos", target, "--motion", "30", "--length", "6", cwd=place).returncode == 0
    assert run("blur", "photos", "pairs", "--psf", "random", cwd=place).returncode == 0
    return place


@pytest.mark.parametrize("line", ALL)
def test_the_examples_run(line, photographs, tmp_path):
    shutil.copytree(photographs, tmp_path / "here")
    done = run(*shlex.split(line), cwd=tmp_path / "here")
    assert done.returncode == 0, messages(done)
