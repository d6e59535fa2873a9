"""Floors: imports go downwards, production does without its referees, and the front door opens quickly."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cevnsloop

FOLDER = Path(cevnsloop.__file__).parent
# From the ground up. A floor is a folder or some files; within one, imports are free of circles because Python runs.
FLOORS = (
    ("__init__", "checks", "units", "inputs"),
    ("model", "nucleus", "cosmology"),
    ("run",),
    ("amplitudes",),
    ("experiments",),
    ("rates",),
    ("fit",),
    ("choices",),
    ("jobs",),
    ("results",),
    ("analysis",),
    ("tidy",),
    ("app", "__main__"),
)
BESIDE = ("derivation", "referees")  # for tests, benchmarks and chapters only
LEVEL = {name: level for level, names in enumerate(FLOORS) for name in names}
LONGEST = 250  # lines of a file; longer ones have a reason:
REASONS = {
    "results/figures.py": "the figures of the book, one function each",
    "derivation/boxes.py": "one derivation",
    "derivation/gluon_background.py": "one derivation",
    "app/commands.py": "one function for each command",
    "app/options.py": "holds the table of all commands",
}
MODULES = sorted(path.relative_to(FOLDER) for path in FOLDER.rglob("*.py") if path.name != "__init__.py")


def floor(path):
    return path.parts[0].removesuffix(".py")


def imported(path):
    """First parts below cevnsloop of the names of all modules that a file imports, anywhere in its text."""
    package, names = ["cevnsloop", *path.parts[:-1]], set()
    for node in ast.walk(ast.parse((FOLDER / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            source = start + (node.module.split(".") if node.module else [])
            if source[0] == "cevnsloop":
                names |= set(source[1:2]) or {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("cevnsloop.")}
    return names - {"__version__"}


def test_every_module_has_its_floor_and_no_floor_is_empty():
    there = {floor(path) for path in MODULES} | {"__init__"}
    assert there == {*LEVEL, *BESIDE}
    for name in (*LEVEL, *BESIDE):
        assert (FOLDER / f"{name}.py").is_file() or len(list((FOLDER / name).glob("*.py"))) > 1, name


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_go_down(path):
    names = imported(path)
    if floor(path) in BESIDE:
        assert floor(path) == "referees" or not names & {
            "rates",
            "fit",
            "experiments",
            "results",
            "run",
            "analysis",
            "app",
        }
    else:
        assert not names & set(BESIDE)
        assert all(LEVEL[name] <= LEVEL[floor(path)] for name in names), names


def test_a_wrong_import_would_be_seen():
    """`imported` finds relative and absolute imports, at the top and inside functions."""
    found = {name: imported(Path(name)) for name in ("analysis.py", "fit/limits.py", "app/commands.py")}
    assert {"fit", "rates", "results"} <= found["analysis.py"]
    assert {"checks", "fit"} <= found["fit/limits.py"]
    assert {"analysis", "results"} <= found["app/commands.py"]


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_file_is_long_without_a_reason(path):
    lines = len((FOLDER / path).read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST or path.as_posix() in REASONS


def test_no_private_name_is_used_in_another_module():
    for path in MODULES:
        for node in ast.walk(ast.parse((FOLDER / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                private = [alias.name for alias in node.names if alias.name.startswith("_") and alias.name[1] != "_"]
                assert not private, f"{path} imports {private}"


def test_the_front_door_and_the_command_line_load_what_they_need_when_they_need_it():
    slow = {"matplotlib", "mpmath", "hepdata_lib", "yaml", "scipy.optimize", "scipy.integrate"}
    code = "import sys, cevnsloop; print('numpy' in sys.modules); import cevnsloop.app.cli; "
    code += f"print({slow} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["False", "set()"]
