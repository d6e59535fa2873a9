"""tools/browser.py finds a Chromium or says what is missing; it installs one for root on Debian and for nobody else."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"
DEBIAN, UBUNTU = "NAME=x\nID=debian\n", "NAME=x\nID=ubuntu\nID_LIKE=debian\n"
MISSING = r"no Chromium here: none of chromium, .* is on PATH; install one of them"


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """machine(system, user, programs): the tool on a machine with what stands on its PATH, and the folder of that."""
    monkeypatch.syspath_prepend(TOOLS)
    tool = importlib.import_module("browser")

    def machine(system=DEBIAN, user=0, **programs):
        (tmp_path / "os-release").write_text(system)
        (tmp_path / "bin").mkdir()
        for name in ("sh", "timeout"):
            (tmp_path / "bin" / name).symlink_to(tool.shutil.which(name))
        for name, script in programs.items():
            program = tmp_path / "bin" / name.replace("_", "-")
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
        monkeypatch.setattr(tool, "OS_RELEASE", tmp_path / "os-release")
        monkeypatch.setattr(os, "geteuid", lambda: user)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        return tool, tmp_path / "bin"

    return machine


def test_a_browser_on_the_path_is_taken_in_order(machine):
    tool, path = machine(chromium_browser="", google_chrome="", apt_get="exit 1")
    assert tool.executable(installing=True) == str(path / "chromium-browser")


@pytest.mark.parametrize("where", [{"system": UBUNTU, "apt_get": "exit 9"}, {"user": 1000, "apt_get": "exit 9"}, {}])
def test_nothing_is_installed_on_other_machines(where, machine):
    tool, _ = machine(**where)
    with pytest.raises(tool.Missing, match=f"{MISSING}$"):
        tool.executable(installing=True)


def test_root_on_debian_gets_the_package_when_it_is_asked_for(machine):
    there = '[ "$1" = update ] || { echo "#!/bin/sh" > "${0%/*}/chromium"; /bin/chmod 755 "${0%/*}/chromium"; }'
    tool, path = machine(apt_get=f'echo "$DEBIAN_FRONTEND $*" >> "$0.log"; {there}')
    with pytest.raises(tool.Missing, match=f"{MISSING}$"):
        tool.executable()
    assert tool.executable(installing=True) == str(path / "chromium")
    said = (path / "apt-get.log").read_text().splitlines()
    assert said == ["noninteractive update", "noninteractive install --yes --no-install-recommends chromium"]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo first >&2; echo no network >&2; exit 100", "chromium` failed: no network"),
        ('[ "$1" = update ] || exit 100', "chromium` failed: exit code 100"),
        ("while :; do :; done", "chromium` failed: exit code 124"),
    ],
)
def test_a_failing_apt_get_is_one_line(script, words, machine, monkeypatch):
    tool, _ = machine(apt_get=script)
    monkeypatch.setattr(tool, "PATIENCE", 0.5)
    with pytest.raises(tool.Missing, match=f"{MISSING}; .*{words}$"):
        tool.executable(installing=True)


@pytest.mark.parametrize(("setting", "code"), [("", 0), ("required", 1)])
def test_without_a_browser_the_checks_are_skipped_unless_they_are_required(setting, code, tmp_path):
    environment = os.environ | {"PATH": str(tmp_path), "BROWSER_CHECKS": setting}
    done = subprocess.run([sys.executable, TOOLS / "browser.py"], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.startswith("the checks in the browser are skipped: no Chromium here")
