"""Everything that installs or publishes agrees with pyproject.toml and constraints.txt."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "constraints.txt").read_text(encoding="utf-8")
WORKFLOWS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / ".github/workflows").glob("*.yml")}
SCHEDULED = {"newest", "lowest"}
PERSONAL = {"MATPLOTLIBRC": "mine", "MPLCONFIGDIR": "mine", "MPLBACKEND": "svg", "IPYTHONDIR": "mine"}
PERSONAL |= {"JUPYTER_CONFIG_DIR": "mine", "JUPYTER_DATA_DIR": "mine", "JUPYTER_PATH": "mine", "PYTHONUTF8": "0"}


def pins(python):
    """{name: version} of constraints.txt for a version of Python, on this machine."""
    environment = default_environment() | {"python_version": python, "python_full_version": f"{python}.9"}
    lines = [Requirement(line) for line in LOCK.splitlines() if not line.startswith("#")]
    return [(r.name, str(r.specifier)) for r in lines if r.marker is None or r.marker.evaluate(environment)]


def requirements():
    """What pyproject.toml asks for, extras included."""
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    found = [Requirement(line) for one in lists for line in one]
    return [requirement for requirement in found if requirement.name != PROJECT["name"]]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_constraints_meet_every_requirement(python):
    assert python in SpecifierSet(PROJECT["requires-python"])
    pinned = dict(pins(python))
    assert len(pinned) == len(pins(python)), "a package is pinned twice"
    asked = requirements()
    assert {"numpy", "sphinx-book-theme", "nbval", "uv"} <= {requirement.name for requirement in asked}
    for requirement in asked:
        version = pinned[canonicalize_name(requirement.name)].removeprefix("==")
        assert requirement.specifier.contains(version, prereleases=True), requirement


def test_constraints_are_exact_and_name_no_place():
    assert "make lock" in LOCK.splitlines()[1]
    for line in LOCK.splitlines()[2:]:
        assert re.fullmatch(r"[a-z0-9.-]+==[0-9][0-9a-z.]*( ; [^/:@#]+)?", line), line


def test_every_requirement_has_a_lower_bound():
    for requirement in requirements():
        assert {">=", "=="} & {one.operator for one in requirement.specifier}, requirement


def make(*arguments, **environment):
    """What make prints, called as a person would: not from within make, as the tests may be."""
    if shutil.which("make") is None:
        pytest.skip("no make here")
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=outside | environment, check=True, capture_output=True, encoding="utf-8"
    ).stdout


def installs(*targets):
    """The commands that would install something if nothing were there yet."""
    return re.findall(r"\S+ (?:-m )?pip install [^|\n]*", make("--dry-run", "--always-make", *targets))


def test_every_install_of_the_makefile_is_constrained():
    lines = installs("book", "lint", "pages", "slow", "dist")
    assert len(lines) == 9  # uv, then four sets of packages, each by uv or else by pip
    assert all("--constraint constraints.txt" in line for line in lines)


@pytest.mark.parametrize(("target", "option"), [("lowest", "--resolution lowest-direct"), ("newest", "--upgrade")])
def test_bounds_are_tried_without_constraints(target, option):
    uv, *lines = installs(target)
    assert uv.endswith("--constraint constraints.txt uv ")
    assert len(lines) == 2
    assert all(option in line and " --constraint" not in line and f".venv-{target}/bin/" in line for line in lines)


@pytest.mark.parametrize("target", ["book", "test"])
def test_recipes_do_not_see_the_set_up_of_the_person(target):
    printed = make("--eval", f"{target}: show\nshow: ; @env", "show", **PERSONAL)
    seen = dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)
    assert not {"MATPLOTLIBRC", "MPLBACKEND", "JUPYTER_PATH"} & set(seen)
    assert seen["PYTHONUTF8"] == "1"
    for name in ("MPLCONFIGDIR", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        assert Path(seen[name]).is_relative_to(ROOT / ".venv" / "own"), name


def test_conda_and_binder_install_the_same():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, *conda, pip = environment["dependencies"]
    assert environment["name"] == PROJECT["name"]
    assert environment["channels"] == ["conda-forge"]
    assert conda == ["pip"]
    publishing = yaml.safe_load(WORKFLOWS["book"])["jobs"]["build"]["steps"]
    (chosen,) = [step["with"]["python-version"] for step in publishing if "setup-python" in step.get("uses", "")]
    assert python == f"python={chosen}"
    lock, install = pip["pip"]
    assert lock == "-c constraints.txt"
    needed = install.removeprefix("-e ")
    assert f"\nNEEDED := {needed}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.fullmatch(r"\.\[book,test\]", needed)


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_workflows_use_pinned_actions_and_may_only_read(name):
    workflow = yaml.safe_load(WORKFLOWS[name])
    assert workflow["permissions"] == {"contents": "read"}
    used = re.findall(r"uses: (.*)", WORKFLOWS[name])
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    triggers = set(workflow[True])  # YAML reads the key `on` so
    assert triggers == {"schedule", "workflow_dispatch"} if name in SCHEDULED else "push" in triggers
    if name in SCHEDULED:
        assert f"run: make {name}\n" in WORKFLOWS[name]


def test_the_tests_run_on_every_python_that_is_promised():
    matrix = yaml.safe_load(WORKFLOWS["tests"])["jobs"]["test"]["strategy"]["matrix"]["python"]
    promised = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)]
    assert matrix == promised == ["3.11", "3.12", "3.13"]


def test_what_is_archived_is_what_is_to_be_cited():
    archived = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert archived["upload_type"] == citation["type"] == "software"
    assert archived["description"] == citation["abstract"].strip()
    assert archived["creators"] == [{"name": author["name"]} for author in citation["authors"]]
    assert all(archived[key] == citation[key] for key in ("title", "license", "keywords"))
    cited = [reference["doi"] for reference in citation["references"]]
    assert [related["identifier"] for related in archived["related_identifiers"]] == cited
