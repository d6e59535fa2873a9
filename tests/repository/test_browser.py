"""tools/browser.py finds a Chromium or says what is missing; it installs one for root on Debian and for nobody else."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "browser.py"
DEBIAN, UBUNTU = "NAME=x\nID=debian\n", "NAME=x\nID=ubuntu\nID_LIKE=debian\n"


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module("browser")


@pytest.fixture
def machine(tool, monkeypatch, tmp_path):
    """machine(system, user, programs): what this machine is, who runs on it, and what stands on its PATH."""

    def machine(system=DEBIAN, user=0, **programs):
        (tmp_path / "os-release").write_text(system)
        (tmp_path / "bin").mkdir()
        for name, script in programs.items():
            (tmp_path / "bin" / name.replace("_", "-")).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / "bin" / name.replace("_", "-")).chmod(0o755)
        monkeypatch.setattr(tool, "OS_RELEASE", tmp_path / "os-release")
        monkeypatch.setattr(os, "geteuid", lambda: user)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        return tmp_path / "bin"

    return machine


def test_a_browser_on_the_path_is_taken_in_order(tool, machine):
    path = machine(chromium_browser="", google_chrome="", apt_get="exit 1")
    assert tool.executable(installing=True) == str(path / "chromium-browser")


@pytest.mark.parametrize(
    "where",
    [{"system": UBUNTU, "apt_get": "exit 9"}, {"user": 1000, "apt_get": "exit 9"}, {}],
    ids=["Ubuntu", "user", "no apt"],
)
def test_nothing_is_installed_on_other_machines(where, tool, machine):
    machine(**where)
    assert not tool.may_install()
    with pytest.raises(tool.Missing, match=r"no Chromium here: none of chromium, .* is on PATH; install one of them"):
        tool.executable(installing=True)


def test_root_on_debian_gets_the_package_when_it_is_asked_for(tool, machine):
    path = machine(
        apt_get='echo "$DEBIAN_FRONTEND $*" >> "$0.log"; [ "$1" = update ] || : > "${0%/*}/chromium"; exit 0'
    )
    with pytest.raises(tool.Missing, match="no Chromium here"):
        tool.executable()
    with pytest.raises(tool.Missing, match="no Chromium here"):
        tool.executable(installing=True)  # what was put there cannot be run
    (path / "chromium").chmod(0o755)
    assert tool.executable() == str(path / "chromium")
    said = (path / "apt-get.log").read_text().splitlines()
    assert said == ["noninteractive update", "noninteractive install --yes --no-install-recommends chromium"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo first >&2; echo no network >&2; exit 100", "`apt-get update` failed: no network"),
        (
            '[ "$1" = update ] || exit 100',
            "`apt-get install --yes --no-install-recommends chromium` failed: exit code 100",
        ),
        ("exec sleep 9", "`apt-get update` failed: .* timed out"),
    ],
)
def test_a_failing_apt_get_is_one_line(script, words, tool, machine, monkeypatch):
    monkeypatch.setattr(tool, "PATIENCE", 0.2 if "sleep" in script else 9)
    sleep = os.environ["PATH"]
    machine(apt_get=script)
    monkeypatch.setenv("PATH", os.environ["PATH"] + os.pathsep + sleep)
    monkeypatch.setattr(tool, "on_path", lambda: None)
    with pytest.raises(tool.Missing, match=words) as refusal:
        tool.executable(installing=True)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("setting", "code"), [("", 0), ("required", 1)])
def test_without_a_browser_the_checks_are_skipped_unless_they_are_required(setting, code, tmp_path):
    environment = os.environ | {"PATH": str(tmp_path), "BROWSER_CHECKS": setting}
    done = subprocess.run([sys.executable, TOOL], env=environment, capture_output=True, text=True)
    assert done.returncode == code
    assert done.stdout.startswith("the checks in the browser are skipped: no Chromium here")
    assert done.stderr == ""
