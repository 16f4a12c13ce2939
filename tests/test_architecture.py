"""The rooms of the house: imports point down the list only, and some libraries have one door."""

import ast
import os
import subprocess
import sys
import zipfile
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import deblurcli
from tests.conftest import ROOT

# Layers from the bottom up: what stands in one of them imports from those above it in this table, and no other.
LAYERS = {
    "deblurcli": [
        {"errors", "parallel", "choices"},
        {"pictures"},
        {"blur", "metrics", "batch", "inference"},
        {"deconvolution", "reports"},
        {"estimation", "terminal"},
        {"pipeline"},
        {"commands"},
        {"cli"},
        {"__main__"},
    ],
    "training": [
        {"recipe"},
        {"networks", "data"},
        {"fitting", "reliability"},
        {"export"},
        {"evaluation"},
        {"figures", "queue"},
        {"__main__"},
    ],
}
DOORS = {
    "onnxruntime": {"inference"},
    "rich": {"terminal"},
    "distributed": {"batch"},
    "watchdog": {"batch"},
    "typer": {"cli", "commands"},
}
TOP = {
    "deblurcli", "training", "weights", "tests", "docs", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md",
}  # fmt: skip


def sources(package):
    return sorted((ROOT / package).rglob("*.py"))


def room(path, package):
    """The room a file stands in: the folder below the package, or its module."""
    return path.relative_to(ROOT / package).parts[0].removesuffix(".py")


def imported(path):
    """Every module a file imports, as dotted names; names taken from a package count as its modules."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module(path):
    """The dotted name of a file; a package's is that of its folder."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("package", LAYERS)
def test_every_file_has_a_room(package):
    assert {room(path, package) for path in sources(package)} == set().union(*LAYERS[package], {"__init__"})


@pytest.mark.parametrize("package", LAYERS)
def test_imports_point_down(package):
    floor = {name: index for index, layer in enumerate(LAYERS[package]) for name in layer}
    for path in sources(package):
        here = room(path, package)
        if here == "__init__":
            continue
        used = {name.split(".")[1] for name in imported(path) if name.startswith(f"{package}.")} & set(floor) - {here}
        above = {name for name in used if floor[name] >= floor[here]}
        assert not above, f"{path.relative_to(ROOT)} imports {above} from its own layer or above"


@pytest.mark.parametrize("package", LAYERS)
def test_no_files_import_each_other_in_a_circle(package):
    names = {module(path) for path in sources(package)}
    graph = {module(path): names & set(imported(path)) - {module(path), package} for path in sources(package)}
    assert list(TopologicalSorter(graph).static_order()), "raises CycleError where there is one"


def test_few_things_lie_in_the_package_itself():
    own = {"__init__.py", "__main__.py", "py.typed", "__pycache__", "weights"}
    assert len({path.name for path in (ROOT / "deblurcli").iterdir()} - own) <= 15


def test_the_tool_never_imports_training():
    assert not [path for path in sources("deblurcli") if any(name.startswith("training") for name in imported(path))]


@pytest.mark.parametrize("library", DOORS)
def test_some_libraries_have_one_door(library):
    users = {room(path, "deblurcli") for path in sources("deblurcli") if library in set(imported(path))}
    assert users <= DOORS[library]


def test_commands_hold_no_pixels_and_no_try():
    for path in sources("deblurcli/commands"):
        heavy = {"numpy", "cv2", "scipy", "skimage"} & {name.split(".")[0] for name in imported(path)}
        assert not heavy, path


def test_the_public_api_is_sorted_and_whole():
    assert list(deblurcli.__all__) == sorted(deblurcli.__all__) and set(deblurcli.__all__) == set(deblurcli._HOMES)
    for name in deblurcli.__all__:
        assert getattr(deblurcli, name).__doc__, name
    with pytest.raises(AttributeError):
        deblurcli.nothing  # noqa: B018


@pytest.mark.parametrize("package", ["deblurcli", "training"])
def test_everything_public_is_documented(package):
    for path in sources(package):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree) or not tree.body, path
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                if node.name == "forward" or _is_nested(tree, node):
                    continue
                assert ast.get_docstring(node), f"{path}: {node.name}"


def _is_nested(tree, node):
    functions = [outer for outer in ast.walk(tree) if isinstance(outer, ast.FunctionDef) and outer is not node]
    return any(node in ast.walk(outer) for outer in functions)


def test_the_top_level_holds_what_it_should():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    kept = {name.split("/")[0] for name in listed.stdout.split("\n") if name}
    assert {name for name in kept if not name.startswith(".")} == TOP


def test_a_wheel_holds_the_parts_of_pages_and_the_weights_and_finds_them(tmp_path):
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    made = subprocess.run([sys.executable, "-c", build, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True)
    zipfile.ZipFile(tmp_path / made.stdout.split()[-1]).extractall(tmp_path / "site")
    for part in ("shell.html", "viewer.html", "page.html", "page.css", "page.js"):
        place = Path("deblurcli", "reports", "html", part)
        assert (tmp_path / "site" / place).read_text() == (ROOT / place).read_text()
    find = "import deblurcli.inference.models as m; print(m.find().path)"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    found = subprocess.run([sys.executable, "-c", find], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert found.stdout.strip() == str(tmp_path / "site" / "deblurcli" / "weights" / "photo.onnx"), found.stderr


def test_python_is_new_enough():
    assert sys.version_info >= (3, 11)
