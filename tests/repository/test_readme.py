"""What the README and the recipes show works as it stands there."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import cevnsloop
from cevnsloop.app import cli

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^cevnsloop (.+)$", README, re.MULTILINE)
RECIPES = json.loads((Path(__file__).parents[2] / "book" / "recipes.ipynb").read_text(encoding="utf-8"))["cells"]
BESIDE = re.findall(r"^    cevnsloop (.+)$", "\n".join("".join(cell["source"]) for cell in RECIPES), re.MULTILINE)


def test_every_command_is_shown():
    assert {line.split()[0] for line in COMMANDS} == set(cli.COMMANDS)


@pytest.mark.parametrize("line", [*COMMANDS, *BESIDE])
def test_commands_run(line, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if line.startswith("plot"):
        assert cli.main(shlex.split(next(other for other in COMMANDS if "limits.csv" in other and other != line))) == 0
        capsys.readouterr()
    words = shlex.split(line)
    if words[0] in ("figures", "hepdata"):
        words += ["--points", "5"]
    assert cli.main(words) == 0
    captured = capsys.readouterr()
    assert captured.out
    assert captured.err == ""


def test_the_python_example_runs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["scan"].g_limit.shape == (50,)
    assert np.all(names["scan"].g_limit > 0)
    assert capsys.readouterr().out


def test_the_limits_of_the_readme_are_those_of_today():
    """What it calls the weakest ends of bands for m_Z' = 10 m_chi, with two digits; and which part sets them."""
    masses = [float(m) for m in re.findall(r"(\d+) MeV", re.search(r"^\| G = .*$", README, re.MULTILINE)[0])]
    assert len(masses) == 4
    for case in "AB":
        stated = re.search(rf"^\| case {case} \|(.*)\|$", README, re.MULTILINE)[1].split("|")
        found = cevnsloop.limit(masses, ratio=10, case=case, band=True)
        assert [f"{float(g):.1e}" for g in stated] == [f"{g:.1e}" for g in found.g_band[0]]
        assert list(found.sets_limit) == ["tree", "tree", *[{"A": "nucleus", "B": "nucleons"}[case]] * 2]
