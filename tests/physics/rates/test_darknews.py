"""The tree cross section against DarkNews, a program that no one here wrote; the run itself is marked slow."""

import csv
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cevnsloop import nucleus, units
from cevnsloop.rates import xsec

TABLE = Path(__file__).parents[2] / "data" / "darknews.csv"
POINT_LIKE = replace(nucleus.nuclide("Cs133"), M=123772.53)


def read(path):
    with path.open(newline="", encoding="ascii") as f:
        assert next(f).startswith("# DarkNews 0.4.8; MeV, cm^2/MeV; M = 123772.53;")
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(f)]


def test_tree_agrees_with_darknews(monkeypatch):
    monkeypatch.setattr(xsec, "helm", lambda Q2, nucleus: 1.0)
    rows = read(TABLE)
    assert len(rows) == 36
    threshold = [row["m_chi"] * (1 + row["m_chi"] / (2 * POINT_LIKE.M)) for row in rows]
    assert min(row["E"] / least for row, least in zip(rows, threshold, strict=True)) < 1.001
    for row in rows:
        args = (row["E"], row["T"], POINT_LIKE, row["m_chi"], row["m_zp"], 1.0, 1.0)
        ours = units.to_cm2_per_MeV(xsec.dsigma_tree(*args))
        # 1.5e-10 of difference at every point is its hbar c; near the threshold its phase space adds as much
        assert ours == pytest.approx(row["dsigma_dT"], rel=1e-9, abs=0), row


@pytest.mark.slow
def test_run_darknews_again(tmp_path):
    pytest.importorskip("DarkNews")
    out = tmp_path / "darknews.csv"
    subprocess.run([sys.executable, TABLE.with_name("make_darknews_reference.py"), out], check=True)
    for new, old in zip(read(out), read(TABLE), strict=True):
        assert new == pytest.approx(old, rel=1e-10, abs=0)
