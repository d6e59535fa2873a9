"""tools/mutants.py: its slips still apply, and what it says of the book is decided as it should be."""

import dataclasses
import importlib
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from cevnsloop.experiments import tables

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def mutants(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module("mutants")


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(ROOT / "cevnsloop", tmp_path / "cevnsloop", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_there_are_ten_or_more_and_no_two_are_the_same(mutants):
    slips = mutants.MUTANTS
    assert len(slips) >= 10
    assert len({slip.name for slip in slips}) == len({(slip.file, slip.old) for slip in slips}) == len(slips)
    assert {slip.chapter for slip in slips} <= set(mutants.chapters())
    assert all(slip.old != slip.new for slip in slips)


def test_every_mutant_applies_and_leaves_files_that_can_be_read(mutants, copy):
    for slip in mutants.MUTANTS:
        path = copy / "cevnsloop" / slip.file
        before = path.read_text(encoding="utf-8")
        mutants.mutate(slip, copy)
        after = path.read_text(encoding="utf-8")
        assert after == before.replace(slip.old, slip.new) != before, slip.name
        if path.suffix == ".py":
            compile(after, path, "exec")
        elif path.suffix == ".toml":
            assert tomllib.loads(after) != tomllib.loads(before), slip.name
        else:
            table = tables.read_table(path.parent, path.name)  # raises if the checksum is not that of the file
            assert any((table[key] != column).any() for key, column in read_table(path).items()), slip.name
        with pytest.raises(mutants.MutantError, match=re.escape(f"{slip.name}: does not apply")):
            mutants.mutate(dataclasses.replace(slip, old=slip.old + "never there"), copy)


def read_table(path):
    return tables.read_table(ROOT / "cevnsloop" / "data" / path.parent.name, path.name)


def test_the_page_of_inputs_takes_no_part_and_the_hinted_chapter_comes_first(mutants):
    assert "inputs" not in mutants.chapters()
    assert mutants.chapters({"what_changes"})[0] == "what_changes"
    assert sorted(mutants.chapters({"what_changes"})) == mutants.chapters()


@pytest.mark.parametrize(
    ("place", "status", "says"), [("fit, Cell 2", 0, "noticed in fit, Cell 2"), (None, 1, "SURVIVED")]
)
def test_a_survivor_is_an_error(place, status, says, mutants, monkeypatch, capsys):
    survivor = mutants.MUTANTS[3]
    outcome = {None: None, survivor: place}
    monkeypatch.setattr(mutants, "validate", lambda mutant, arguments: outcome.get(mutant, "loops, Cell 1"))
    assert mutants.main() == status
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(mutants.MUTANTS) + 2
    assert [line for line in lines if line.startswith(survivor.name) and says in line]
    assert lines[-1].startswith(f"{len(mutants.MUTANTS) - status} of {len(mutants.MUTANTS)} noticed")


def test_a_book_that_fails_unchanged_says_nothing(mutants, monkeypatch, capsys):
    monkeypatch.setattr(mutants, "validate", lambda mutant, arguments: "fit, Cell 2")
    assert mutants.main() == 2
    assert "fit, Cell 2 fails in an unchanged copy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("output", "returncode", "message"),
    [
        ("FAILED book/witness.ipynb::Cell 0\n", 1, "do not import the package of the copy"),
        ("", 1, "pytest ended with 1"),
        ("no tests ran", 5, "pytest ended with 5"),
        ("FAILED book/fit.ipynb::Cell 0\n", 2, "pytest ended with 2"),
    ],
)
def test_a_run_that_went_wrong_counts_for_nothing(output, returncode, message, mutants, monkeypatch):
    done = mutants.subprocess.CompletedProcess([], returncode, stdout=output, stderr="")
    monkeypatch.setattr(mutants.shutil, "copytree", lambda source, copy, ignore: (copy / "book").mkdir(parents=True))
    monkeypatch.setattr(mutants.subprocess, "run", lambda *arguments, **options: done)
    with pytest.raises(mutants.MutantError, match=message):
        mutants.validate(None, ())
