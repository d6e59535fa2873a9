"""The benchmark of limits runs, and its file is what the book shows."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOWN = json.loads((ROOT / "cevnsloop" / "data" / "speed.json").read_text(encoding="utf-8"))


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
    assert len(SHOWN["limits"]) == 2 * len(limits.OF_QUARKS) * len(limits.RANGES)
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
