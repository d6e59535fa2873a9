"""Imports go one way: a module imports only modules above it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cevnsloop

FOLDER = Path(cevnsloop.__file__).parent
ORDER = (
    *("__init__", "checks", "units", "inputs", "provenance", "model", "loops", "gluon", "reference", "nucleus"),
    *("amplitude", "xsec", "flux", "settings", "detector", "coherent", "quadrature", "events", "fit", "poisson"),
    *("systematics", "toys", "cosmology", "paper", "output", "tasks", "executors", "results", "hepdata", "figures"),
    *("diagrams", "options", "cli", "__main__", "reference_events"),
)
NOT_FOR_PRODUCTION = {"reference", "reference_events", "derivation"}


def imported(module):
    """Names of the modules and folders directly below cevnsloop that a module imports, anywhere in its text."""
    package = ["cevnsloop", *module.split("/")[:-1]]
    names = set()
    for node in ast.walk(ast.parse((FOLDER / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            source = start + (node.module.split(".") if node.module else [])
            if source[0] == "cevnsloop":
                names |= set(source[1:2]) or {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("cevnsloop.")}
    return names - {"__version__"}


def test_every_module_has_its_place():
    assert sorted(path.stem for path in FOLDER.glob("*.py")) == sorted(ORDER)


@pytest.mark.parametrize("module", ORDER)
def test_imports_go_up(module):
    above = set(ORDER[: ORDER.index(module)])
    assert imported(module) <= above


@pytest.mark.parametrize("module", [name for name in ORDER if name not in NOT_FOR_PRODUCTION])
def test_production_does_not_use_the_reference(module):
    assert not imported(module) & NOT_FOR_PRODUCTION


def test_derivations_take_nothing_from_what_they_check():
    """They may use the loop functions and constants of the paper's tables, not amplitudes or cross sections."""
    allowed = {"checks", "units", "inputs", "model", "loops", "gluon", "reference", "nucleus", "derivation"}
    for path in (FOLDER / "derivation").glob("*.py"):
        assert imported(f"derivation/{path.stem}") <= allowed, path.name


def test_importing_the_core_does_not_import_matplotlib_or_mpmath_or_what_is_optional():
    slow = {"matplotlib", "mpmath", "hepdata_lib", "yaml", "scipy.optimize", "scipy.integrate"}
    code = f"import sys, cevnsloop.app.cli; print(sorted({slow} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
