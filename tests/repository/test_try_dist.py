"""tools/try_dist.py: what is missing from a build, or should not be in it, is named; `make dist` does the rest."""

import importlib
import tarfile
import zipfile
from pathlib import Path

import pytest

TRACKED = {"README.md", "cevnsloop/__init__.py", "cevnsloop/data/inputs.toml", "tests/conftest.py"}
BUILT = {"PKG-INFO", "setup.cfg", "cevnsloop.egg-info/SOURCES.txt"}
PACKAGE = {"cevnsloop/__init__.py", "cevnsloop/data/inputs.toml"}
INSTALLED = {"cevnsloop-1.dist-info/METADATA"}


@pytest.fixture
def contents(monkeypatch, tmp_path):
    """What the tool says of an sdist and a wheel that hold files of such names."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "tools")
    tool = importlib.import_module("try_dist")

    def compare(source, package):
        sdist, wheel = tmp_path / "x.tar.gz", tmp_path / "x.whl"
        with tarfile.open(sdist, "w:gz") as tar:
            for name in source:
                tar.addfile(tarfile.TarInfo(f"cevnsloop-1/{name}"))
        with zipfile.ZipFile(wheel, "w") as archive:
            for name in package:
                archive.writestr(name, "")
        return tool.contents(sdist, wheel, TRACKED)

    return compare


def test_nothing_is_found_where_nothing_is_wrong(contents):
    assert contents(TRACKED | BUILT, PACKAGE | INSTALLED) == []


def test_differences_are_named(contents):
    source, package = TRACKED | BUILT | {"book/x.part"}, PACKAGE | INSTALLED | {"cevnsloop/old.py"}
    assert contents(source - {"tests/conftest.py"}, package - {"cevnsloop/data/inputs.toml"}) == [
        "the sdist lacks tests/conftest.py",
        "the sdist should not have book/x.part",
        "the wheel lacks cevnsloop/data/inputs.toml",
        "the wheel should not have cevnsloop/old.py",
    ]
