"""tools/mutants.py: its slips still apply, and what it says of the book is decided as it should be."""

import importlib
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from cevnsloop.experiments import tables

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def mutants(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module("mutants")


def test_every_mutant_applies_and_leaves_files_that_can_be_read(mutants, tmp_path):
    assert len(mutants.MUTANTS) >= 10
    assert "inputs" not in mutants.chapters()
    shutil.copytree(ROOT / "cevnsloop", tmp_path / "cevnsloop", ignore=shutil.ignore_patterns("__pycache__"))
    for slip in mutants.MUTANTS:
        assert mutants.chapters(slip.chapter)[0] == slip.chapter
        path = tmp_path / "cevnsloop" / slip.file
        before = path.read_text(encoding="utf-8")
        mutants.mutate(slip, tmp_path)
        after = path.read_text(encoding="utf-8")
        assert after == before.replace(slip.old, slip.new) != before, slip.name
        if path.suffix == ".py":
            compile(after, path, "exec")
        elif path.suffix == ".toml":
            assert tomllib.loads(after) != tomllib.loads(before), slip.name
        else:
            tables.read_table(path.parent, path.name)  # raises if the checksum is not that of the file
        with pytest.raises(mutants.MutantError, match="does not apply"):
            mutants.mutate(slip._replace(old=slip.old + "never there"), tmp_path)


@pytest.mark.parametrize(
    ("unchanged", "survivor", "status", "says"),
    [
        (None, "fit, Cell 2", 0, "noticed in fit, Cell 2"),
        (None, None, 1, "SURVIVED"),
        ("fit, Cell 2", None, 2, "fit, Cell 2 fails in an unchanged copy"),
    ],
)
def test_a_survivor_is_an_error_and_a_book_that_fails_unchanged_says_nothing(
    unchanged, survivor, status, says, mutants, monkeypatch, capsys
):
    outcome = {None: unchanged, mutants.MUTANTS[3]: survivor}
    monkeypatch.setattr(mutants, "validate", lambda mutant, *arguments: outcome.get(mutant, "loops, Cell 1"))
    assert mutants.main() == status
    assert says in capsys.readouterr().out


@pytest.mark.parametrize(
    ("package", "output", "returncode", "message"),
    [
        (ROOT, "FAILED book/fit.ipynb::Cell 0\n", 1, "would import"),
        (None, "", 1, "pytest ended with 1"),
        (None, "no tests ran", 5, "pytest ended with 5"),
        (None, "FAILED book/fit.ipynb::Cell 0\n", 2, "pytest ended with 2"),
    ],
)
def test_a_run_that_went_wrong_counts_for_nothing(package, output, returncode, message, mutants, monkeypatch):
    def run(command, cwd, **options):
        said = f"{package or cwd}/cevnsloop/__init__.py" if "-c" in command else output
        return subprocess.CompletedProcess(command, returncode, stdout=said, stderr="")

    monkeypatch.setattr(mutants.shutil, "copytree", lambda source, copy, ignore: copy.mkdir())
    monkeypatch.setattr(mutants.subprocess, "run", run)
    with pytest.raises(mutants.MutantError, match=message):
        mutants.validate(None)
