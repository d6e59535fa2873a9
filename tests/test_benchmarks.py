"""The benchmark of limits runs, its file is what the book shows, and its slow side agrees with the fast one."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from cevnsloop.amplitudes.quarks import PUBLISHED, loop_coefficients
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.fit.limits import upper_limit
from cevnsloop.model import unit_model
from cevnsloop.rates.events import predict
from cevnsloop.referees import events as reference_events

ROOT = Path(__file__).resolve().parents[1]
SHOWN = json.loads((ROOT / "book" / "speed.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def limits():
    spec = importlib.util.spec_from_file_location("limits", ROOT / "benchmarks" / "limits.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def quick(limits, tmp_path_factory):
    """What one run with tiny sizes writes."""
    folder = tmp_path_factory.mktemp("bench") / "out"
    limits.main(["--quick", "--out", str(folder)])
    (path,) = folder.iterdir()
    return json.loads(path.read_text(encoding="utf-8"))


def form(value):
    """The keys and kinds of a value; the rows of a list must be alike."""
    if isinstance(value, dict):
        return {key: form(one) for key, one in value.items()}
    if isinstance(value, list):
        forms = [form(one) for one in value]
        assert forms.count(forms[0]) == len(forms)
        return forms[:1]
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def test_the_book_shows_a_file_that_the_benchmark_writes(quick):
    assert form(SHOWN) == form(quick)


def test_what_is_shown_was_measured_in_full(limits):
    size = limits.FULL
    assert SHOWN["points"] == size["points"]
    assert [one["points"] for one in SHOWN["planes"]] == [size["side"] ** 2] * 2
    assert len(SHOWN["direct"]) == len(limits.DIRECT)
    assert len(SHOWN["limits"]) == 2 * len(limits.AMPLITUDES) * len(limits.RANGES)
    assert {row["part"] for row in SHOWN["budget"]} == set(limits.PARTS)
    assert max(row["toys"] for row in SHOWN["growth_toys"]) == size["fits"]
    assert max(row["points"] for row in SHOWN["growth_points"]) == size["side"] ** 2
    bands = [row["fits"] for row in SHOWN["toys"] if "bands" in row["what"]]
    assert bands == [size["toys"] * size["masses"]] * 2


def test_goals_are_what_the_rows_of_the_same_file_say(limits):
    assert SHOWN["goals"] == limits.rounded(limits.goals(SHOWN))
    parts = sum(row["us"] for row in SHOWN["budget"] if row["case"] == "A")
    (whole,) = (
        row["us"]
        for row in SHOWN["limits"]
        if (row["case"], row["amplitude"], row["m_chi"][-8:]) == ("A", "rederived", "1000 MeV")
    )
    # other repeats of the same run
    assert parts == pytest.approx(whole, rel=0.2, abs=0)


def test_the_file_names_the_machine_but_not_its_owner():
    assert set(SHOWN["machine"]) == {"processor", "cores", "system", "python", "numpy", "scipy", "date"}
    assert "/" not in json.dumps(SHOWN)


def test_the_stopwatch_does_not_count_twice(limits):
    clock = iter([0.0, 1.0, 3.0, 7.0])
    watch = limits.Stopwatch()
    inner = watch.named("inner", lambda: None)
    outer = watch.named("outer", inner)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits.time, "perf_counter", lambda: next(clock))
        outer()
    assert watch.seconds == {"outer": 1.0 + 4.0, "inner": 2.0}


POINTS = [
    ("A", 1.0, 2.0),
    ("A", 10.0, 100.0),
    ("A", 52.5, 105.0),
    ("A", 60.0, 600.0),
    ("B", 1.0, 10.0),
    ("B", 53.0, 106.0),
]


@pytest.mark.parametrize(("case", "m_chi", "m_zp"), POINTS)
def test_limits_agree_with_direct_quadrature(case, m_chi, m_zp, dataset):
    """Formulas as printed, nested adaptive integrals, nuisances minimised numerically, one root: no step in common."""
    model, c = unit_model(case, m_chi, m_zp), {}
    for nucleus in (target.nuclide for target in dataset.experiment.targets):
        found = loop_coefficients(model, nucleus, PUBLISHED, Theory().moments)
        c[nucleus.symbol] = tuple(float(x) for x in (found.c1, found.c2, found.c3))
    expected = reference_events.limit_by_quadrature(case, m_chi, m_zp, c, dataset, 4.61)
    limit = upper_limit(predict(model, dataset.experiment, Theory(PUBLISHED)), dataset, 4.61).g_limit
    # four recoil nodes per interval: 1e-9 of an event rate, less of a coupling
    assert limit == pytest.approx(expected, rel=1e-9, abs=0)


def test_the_slow_fit_finds_a_signal(dataset):
    """Its branch for a best fit above zero: spectra that the data ask for."""
    model = unit_model("B", 53.0, 106.0)
    events = predict(model, dataset.experiment, Theory(PUBLISHED))
    less = [0.5 * n for n in events.n[0]]
    expected = reference_events.limit(less, [0.0] * len(less), events.n[2].tolist(), dataset, 2.71)
    found = upper_limit(type(events)(np.stack([events.n[0] * 0.5, *events.n[1:]])), dataset, 2.71)
    assert found.g_best > 0.1 * found.g_limit
    assert found.g_limit == pytest.approx(expected, rel=1e-9, abs=0)
