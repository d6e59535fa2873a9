"""tools/pythons.py: which Pythons it finds, what it runs on them, and what it makes of the results."""

import importlib
from pathlib import Path

import pytest


@pytest.fixture
def pythons(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "tools")
    return importlib.import_module("pythons")


def program(path, *lines):
    """An executable of a few lines of shell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine without any Python, whose make writes down its arguments and fails with 3.13."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.delenv("MAKE", raising=False)
    program(tmp_path / "bin" / "make", f'echo "$@" >> "{tmp_path}/made"', 'case "$*" in *3.13*) exit 2;; esac')
    return tmp_path


def made(machine):
    file = machine / "made"
    return file.read_text().splitlines() if file.exists() else []


def test_pythons_are_found_on_path_and_with_pyenv(machine, pythons, capfd):
    on_path = program(machine / "bin" / "python3.11", "echo 3.11")
    program(machine / "bin" / "python3.12", "exit 127")  # as a shim of pyenv does for a version that is not chosen
    for release in ("3.12.9", "3.12.10", "3.12.11t"):
        program(machine / "pyenv" / "versions" / release / "bin" / "python3.12", "echo 3.12")
    program(machine / "bin" / "python3.14", "echo 3.9")
    newest = machine / "pyenv/versions/3.12.10/bin/python3.12"
    assert pythons.main() == 0
    assert made(machine) == [f"test VENV=.venv-3.11 PYTHON={on_path}", f"test VENV=.venv-3.12 PYTHON={newest}"]
    said = capfd.readouterr().out.splitlines()
    skipped = [f"Python {version}: not found here, skipped" for version in ("3.13", "3.14")]
    assert said[2:] == [*skipped, "Python 3.11: passed", "Python 3.12: passed"]


def test_one_failure_is_a_failure_and_the_rest_is_run(machine, pythons, capfd):
    for version in ("3.12", "3.13", "3.14"):
        program(machine / "bin" / f"python{version}", f"echo {version}")
    assert pythons.main() == 1
    assert len(made(machine)) == 3
    assert capfd.readouterr().out.splitlines()[-2:] == ["Python 3.13: failed", "Python 3.14: passed"]


def test_nothing_found_is_a_failure(machine, pythons):
    assert pythons.main() == 1
    assert made(machine) == []
