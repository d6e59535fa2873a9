"""The tidy table of all limits: complete, the same numbers as the front door's, readable as CSV."""

import csv

import numpy as np
import pytest

import cevnsloop
from cevnsloop import tidy


@pytest.fixture(scope="module")
def table():
    return tidy.rows(np.array([2.0, 60.0]), (2.0, 10.0), tidy.choices(amplitudes=("published", "rederived")))


def test_a_row_for_everything(table):
    keys = {tuple(row[k] for k in ("case", "ratio", "m_chi", "data", "amplitude")) for row in table}
    assert len(keys) == len(table) == 2 * 2 * 2 * 4 * 2


def test_rows_are_what_the_front_door_answers(table):
    for row in table[::7]:
        asked = {k: row[k] for k in ("case", "m_chi", "m_zp", "data", "amplitude", "statistic", "delta_chi2")}
        found = cevnsloop.limit(**asked)
        # many points together, in other blocks of the same sums
        assert row["g_limit"] == pytest.approx(float(found.g_limit), rel=1e-9, abs=0), row
        assert row["sets_limit"] == str(found.sets_limit), row
        assert row["notes"] == "; ".join(found.notes), row


def test_expected_limits_are_those_of_a_best_fit_at_zero(table):
    ratio = np.array([row["g_limit"] / row["g_expected"] for row in table])
    assert ((ratio > 0.4) & (ratio < 2.5)).all(), ratio
    dataset = tidy.asimov(cevnsloop.choices.made("csi2021", cevnsloop.inputs.STANDARD), cevnsloop.Choices().theory)
    found = cevnsloop.limit(case="A", m_chi=10, ratio=10, data=dataset)
    assert float(found.g_best) == 0
    assert abs(float(found.chi2_min)) < 1e-9


def test_the_text_is_csv(table):
    lines = [line for line in tidy.text(table, ["about this"]).splitlines() if not line.startswith("#")]
    read = list(csv.DictReader(lines))
    assert tuple(read[0]) == tidy.COLUMNS
    assert [float(row["g_limit"]) for row in read] == pytest.approx([row["g_limit"] for row in table], rel=1e-9, abs=0)
