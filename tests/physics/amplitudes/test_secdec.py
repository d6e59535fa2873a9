"""Sector decomposition at exactly zero momentum against loops.py; the run itself is marked slow."""

import csv
import importlib
from pathlib import Path

import pytest

from cevnsloop.amplitudes import loops
from cevnsloop.referees import loops as reference

TABLE = Path(__file__).parents[2] / "data" / "secdec.csv"
BOUND = 2e-13  # the stored run is good to 6e-14, its own estimate is often smaller


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(TABLE.parent)
    return importlib.import_module("make_secdec_reference")


@pytest.fixture(scope="module")
def table():
    with TABLE.open(newline="", encoding="ascii") as f:
        assert next(f).startswith("# pySecDec 1.6.6")
        return {(row["name"], float(row["m_zp"])): float(row["value"]) for row in csv.DictReader(f)}


def test_table_is_complete(table, tool):
    assert sorted(table) == sorted((name, ratio) for name in tool.NAMES for ratio in tool.RATIOS)


@pytest.mark.parametrize("name", ["D0b", "D1b", "D00b"])
def test_box_b(table, tool, name):
    for ratio in tool.RATIOS:
        assert getattr(loops, name)(1.0, ratio) == pytest.approx(table[name, ratio], rel=BOUND, abs=0)


@pytest.mark.parametrize("tensor", ["D00", "D001", "D11"])
def test_box_a_minus_box_b(table, tool, tensor):
    for ratio in tool.RATIOS:
        a, b = table[f"{tensor}a", ratio], table[f"{tensor}b", ratio]
        cancellation = abs(a) / abs(a - b)
        difference = getattr(loops, f"{tensor}_ab")(1.0, ratio)
        assert difference == pytest.approx(a - b, rel=BOUND * cancellation, abs=0)


def test_every_box_against_the_euclidean_integrals(table):
    for (name, ratio), value in table.items():
        exact = reference.loop(name, 1.0, ratio, reference.hypergeometric, 20)
        assert value == pytest.approx(float(exact), rel=BOUND, abs=0), (name, ratio)


@pytest.mark.slow
def test_run_sector_decomposition_again(table, tool, tmp_path):
    pytest.importorskip("pySecDec")
    for name, ratio, value, _ in tool.rows(tmp_path, ["D1a", "D001b"], ratios=(0.999, 2.0)):
        assert float(value) == pytest.approx(table[name, float(ratio)], rel=BOUND, abs=0)
