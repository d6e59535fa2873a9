"""Shared fixtures: the default data set, and the release it was built from where that is at hand."""

import os
from pathlib import Path

import pytest

from cevnsloop.experiments import csi2017

RELEASE = Path(__file__).parents[2] / "shared" / "data" / "coherent" / "csi2017"

# A program that a test starts reads and writes UTF-8, and finds a clone whose path is not ASCII, in any locale.
os.environ["PYTHONUTF8"] = "1"


@pytest.fixture(scope="session")
def dataset():
    return csi2017.dataset()


@pytest.fixture(scope="session")
def release():
    if not RELEASE.is_dir():
        pytest.skip("the COHERENT release is not at ../shared/data: tables are not rebuilt")
    return RELEASE
