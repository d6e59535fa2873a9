"""The figure "Explore" of the first page: its numbers are those of the package, its markup is whole and labelled."""

import json
import math
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize

from cevnsloop.amplitudes.complete import COMPLETE
from cevnsloop.amplitudes.quarks import PUBLISHED
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.fit.limits import DELTA_CHI2, upper_limit
from cevnsloop.model import CASES, DOWN_TYPE, unit_model
from cevnsloop.rates.events import predict
from cevnsloop.results import explore as explored
from cevnsloop.results import quoted as paper

ROOT = Path(__file__).resolve().parents[2]
AMPLITUDES = {"published": PUBLISHED, "complete": COMPLETE}
D = DELTA_CHI2["two parameters"]
FOUR_DIGITS = 5.001e-4  # half a unit of the last digit, in the worst case 1.000
SAME = 1e-10  # one model alone or in an array: other sums of the same numbers, and the tolerance of the root


@pytest.fixture(scope="module")
def explore():
    return explored


@pytest.fixture(scope="module")
def grid(explore, dataset):
    return explore.compute(explore.RATIOS, explore.MASSES, dataset, D)


@pytest.fixture(scope="module")
def text(explore, grid, dataset):
    return explore.numbers(grid, explore.SHOWN, dataset)


@pytest.fixture(scope="module")
def stored(text):
    return json.loads(text)


def rounded(value):
    return float(f"{value:.4g}")


def test_grid_is_one_that_a_reader_can_use(explore):
    assert {1, 2, 10, 100} <= set(explore.RATIOS)
    assert {q.point.m_chi for q in paper.QUOTED} <= set(explore.SHOWN) <= set(explore.MASSES)
    assert {q.point.m_zp / q.point.m_chi for q in paper.QUOTED} <= set(explore.RATIOS)
    for values in (explore.RATIOS, explore.MASSES):
        steps = np.diff(np.log10(values))
        assert steps.min() > 0
        assert steps.max() < 0.13  # tenths of a decade, to the roundness of the numbers
    assert (explore.MASSES[0], explore.MASSES[-1]) == (1, 1000)
    case, ratio, mass = explore.START
    assert case in CASES
    assert ratio in explore.RATIOS
    assert mass in explore.SHOWN


@pytest.mark.parametrize("name", AMPLITUDES)
def test_limits_are_those_of_the_paper_module(name, grid, explore, dataset):
    curves = paper.limit_curves(np.array(explore.MASSES), dataset, Theory(AMPLITUDES[name]), D)
    assert len(curves) == 4
    for (case, ratio), curve in curves.items():
        row = grid.limits[case, name][explore.RATIOS.index(ratio)]
        np.testing.assert_allclose(row, curve, rtol=SAME, atol=0)


@pytest.mark.parametrize("quoted", paper.QUOTED, ids=lambda q: q.where)
@pytest.mark.parametrize("name", AMPLITUDES)
def test_stored_limits_at_the_quoted_points(name, quoted, stored, dataset):
    p = quoted.point
    at = stored["ratios"].index(p.m_zp / p.m_chi), stored["masses"].index(p.m_chi)
    limit = stored["limits"][p.case][name][at[0]][at[1]]
    assert limit == rounded(paper.limit_at(p, dataset, Theory(AMPLITUDES[name]), D))
    assert [p.case, p.m_zp / p.m_chi, p.m_chi, quoted.g_limit] in stored["quoted"]
    assert len(stored["quoted"]) == len(paper.QUOTED)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", AMPLITUDES)
def test_stored_spectra_are_those_of_the_published_limit(case, name, stored, dataset):
    """Both amplitudes with the same coupling, the limit of the published one."""
    mass, n_sm = np.array(stored["shown"]), np.array(stored["n_sm"])
    for ratio in (1, 2, 10, 100):
        g = upper_limit(
            predict(unit_model(case, mass, ratio * mass, DOWN_TYPE), dataset.experiment, Theory(PUBLISHED)), dataset, D
        ).g_limit
        total = predict(unit_model(case, mass, ratio * mass), dataset.experiment, Theory(AMPLITUDES[name])).total(g)
        kept = stored["signal"][case][name][stored["ratios"].index(ratio)]
        shown = n_sm + [np.zeros(len(n_sm)) if signal == 0 else np.array(signal) / 100 for signal in kept]
        # the tolerance is what is rounded: half a hundredth of an event, and four digits of the Standard Model
        assert (abs(shown - total) <= 0.00501 + FOUR_DIGITS * n_sm).all(), ratio


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", AMPLITUDES)
def test_stored_prices_are_those_of_a_minimiser(case, name, stored, dataset):
    """What alpha pays at the limit, by scipy's minimiser of chi^2 as Eq. (34) has it, instead of the closed form."""
    ratio, mass = stored["ratios"].index(10), stored["shown"].index(100)
    g = stored["limits"][case][name][ratio][stored["masses"].index(100)]
    n = predict(unit_model(case, 100.0, 1000.0), dataset.experiment, Theory(AMPLITUDES[name])).total(g)
    (background,) = dataset.backgrounds.values()
    b_on, sigma_beta = background.events, background.sigma

    def chi2(x):
        left = dataset.n_on - dataset.b_ss - (1 + x[0]) * n - (1 + x[1]) * b_on
        return (left**2 / dataset.sigma**2).sum() + (x[0] / dataset.sigma_alpha) ** 2 + (x[1] / sigma_beta) ** 2

    alpha = minimize(chi2, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12}).x[0]
    kept = stored["price"][case][name][ratio][mass] / 100
    assert kept == pytest.approx((alpha / dataset.sigma_alpha) ** 2, rel=0, abs=0.0101)  # g has four digits
    assert kept > 0
    assert stored["rise"] == D


def test_published_and_complete_differ_where_loops_matter(grid, explore):
    """Complete, every limit that rests on printed loops is weaker, in case B everywhere; a tree of case A leaves both
    amplitudes the same.
    """
    for case in CASES:
        published, complete = (grid.limits[case, name] for name in AMPLITUDES)
        loops = grid.masses > 52.9 if case == "A" else grid.masses > 0
        assert (complete > (5 if case == "A" else 2) * published)[:, loops].all()
        loops = grid.masses > 52.9
        signals = [grid.signal[case, name].sum(-1)[:, loops] for name in AMPLITUDES]
        assert (signals[0] > 100).all()
        assert (abs(signals[1]) < 1).all()
    tree = (grid.masses > 10) & (grid.masses < 52)
    a = [grid.limits["A", name][:, tree] for name in AMPLITUDES]
    np.testing.assert_allclose(a[0], a[1], rtol=1e-3, atol=0)


def test_data_and_standard_model_are_stored(stored, grid, dataset):
    assert stored["edges"] == dataset.pe_edges.tolist()
    assert stored["n_obs"] == dataset.n_obs.tolist()
    np.testing.assert_allclose(stored["sigma"], dataset.sigma, rtol=FOUR_DIGITS, atol=0)
    np.testing.assert_allclose(stored["n_sm"], grid.n_sm, rtol=FOUR_DIGITS, atol=0)


def test_loops_are_said_to_fail_below_a_gev_or_the_momentum_transfer(stored, dataset):
    """m_Z' = 1 GeV at 1000 MeV / ratio; sqrt(2 M T) at 30 PE / (1.17 PE per keV) on caesium, 133 x 0.93 GeV."""
    outside = dict(zip(stored["ratios"], stored["outside"], strict=True))
    assert (outside[1], outside[2], outside[10]) == (1000, 500, 100)
    q_max = math.sqrt(2 * 133 * 930 * 30 / 1.17e3)
    assert outside[20] == outside[100] == pytest.approx(q_max, rel=0.02, abs=0)


def test_json_keeps_everything_to_four_digits(text, stored, grid, explore):
    assert len(text.encode()) < 68_000
    assert stored["ratios"] == list(explore.RATIOS)
    assert stored["masses"] == list(explore.MASSES)
    assert stored["shown"] == list(explore.SHOWN)
    shape = len(explore.RATIOS), len(explore.MASSES)
    for case in CASES:
        for name in AMPLITUDES:
            kept = np.array(stored["limits"][case][name])
            assert kept.shape == shape
            np.testing.assert_allclose(kept, grid.limits[case, name], rtol=FOUR_DIGITS, atol=0)
            signal = stored["signal"][case][name]
            assert [len(row) for row in signal] == [len(explore.SHOWN)] * len(explore.RATIOS)
            assert {len(s) for row in signal for s in row if s != 0} <= {len(grid.n_sm)}
    # compact, and as Python writes it back
    assert json.loads(json.dumps(stored)) == stored
    assert not re.search(r" |\.0[,\]]|e-0|NaN", text)


def test_no_number_sits_where_rounding_is_a_matter_of_chance(grid, explore):
    """The last bits differ between machines, by 1e-12 at most: no value may be that near to where rounding turns."""
    limits = np.concatenate([g.ravel() for g in grid.limits.values()])
    last = 10.0 ** (np.floor(np.log10(limits)) - 3)
    columns = [explore.MASSES.index(mass) for mass in explore.SHOWN]
    signal = np.concatenate([n[:, columns].ravel() for n in grid.signal.values()])
    for value, unit in ((limits, last), (signal, 0.01)):
        from_half = abs(value / unit - np.floor(value / unit) - 0.5)
        assert (from_half * unit > 1e-11 * abs(value)).all()


def test_where_there_is_no_limit_there_is_a_gap(explore, dataset):
    """Delta chi2 = 13 is more than some shapes of a signal can reach: 1 / sigma_alpha^2 is 12.8."""
    ratios, masses = (10.0, 100.0), (1.0, 2.0, 20.0)
    grid = explore.compute(ratios, masses, dataset, 13.0)
    tree = np.array([[False, False, False], [True, True, False]])  # as far as its shape is that of the Standard Model
    spin = np.array([[False, True, False], [True, False, False]])
    none = {("A", "published"): tree, ("A", "complete"): tree}
    none |= {("B", "published"): np.zeros_like(tree), ("B", "complete"): spin}
    for (case, name), expected in none.items():
        assert (np.isposinf(grid.limits[case, name]) == expected).all()
        assert (np.isnan(grid.signal[case, name]).any(-1) == none[case, "published"]).all()
    g = paper.limit_at(paper.Point("A", 20.0, 2000.0), dataset, Theory(PUBLISHED), 13.0)
    assert grid.limits["A", "published"][1, 2] == pytest.approx(g, rel=SAME, abs=0)
    stored = json.loads(explore.numbers(grid, masses, dataset))
    assert stored["limits"]["A"]["published"][1] == ["never", "never", rounded(g)]
    assert [n is None for n in stored["signal"]["A"]["published"][1]] == [True, True, False]
    assert [n is None for n in stored["signal"]["A"]["complete"][1]] == [True, True, False]
    assert [n is None for n in stored["price"]["A"]["published"][1]] == [True, True, False]
    whole = [g for case in ("A", "B") for g in stored["limits"][case]["published"][0]]
    assert all(isinstance(g, float) for g in whole)


def test_hundredths_of_events(explore):
    assert explore.hundredths(np.array([0.0, 1.239, -0.126])) == [0, 124, -13]
    assert explore.hundredths(np.array([0.004, -0.0049])) == 0
    assert explore.hundredths(np.array([0.004, np.nan])) is None
    assert explore.significant(np.nan) == "no signal"
    assert explore.significant(np.inf) == "never"
    assert explore.significant(1.23456e-7) == 1.235e-7


class Reader(HTMLParser):
    """Elements in order with their attributes, of HTML that must be well nested, and the text of scripts."""

    VOID = frozenset({"input", "link"})

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.stack, self.elements, self.scripts = [], [], []
        self.feed(html)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if self.stack and self.stack[-1] == "script":
            self.scripts.append(data)

    def all(self, tag, **wanted):
        return [a for t, a in self.elements if t == tag and wanted.items() <= a.items()]


@pytest.fixture(scope="module")
def page(explore, text):
    return Reader(explore.page(text))


def test_page_holds_the_numbers_and_starts_where_it_says(page, explore, text, stored):
    (kept,) = page.scripts
    assert json.loads(kept) == stored
    case, ratio, mass = explore.START
    assert [(a["name"], a["value"]) for a in page.all("input", type="radio")] == [("explore-case", c) for c in CASES]
    (checked,) = (radio for radio in page.all("input", type="radio") if "checked" in radio)
    assert checked["value"] == case
    sliders = {a["id"]: a for a in page.all("input", type="range")}
    assert set(sliders) == {"explore-ratio", "explore-mass"}
    for name, values, start in (("ratio", explore.RATIOS, ratio), ("mass", explore.SHOWN, mass)):
        slider = sliders[f"explore-{name}"]
        assert (slider["min"], slider["max"], slider["step"]) == ("0", str(len(values) - 1), "1")
        assert values[int(slider["value"])] == start


def test_page_is_labelled(page, explore, text):
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert Counter(ids).most_common(1)[0][1] == 1
    labelled = {a.get("for") for a in page.all("label")}
    assert {"explore-ratio", "explore-mass"} <= labelled
    assert len(page.all("label")) == 2 + len(CASES)
    assert len(page.all("fieldset")) == len(page.all("legend")) == 1
    plots = page.all("svg", role="img")
    assert len(plots) == 2
    for plot in plots:
        assert {plot["aria-labelledby"], plot["aria-describedby"]} <= set(ids)
    for swatch in page.all("svg", **{"class": "swatch"}):
        assert swatch["aria-hidden"] == "true"
    (status,) = page.all("p", role="status")
    assert status["aria-live"] == "polite"
    # nothing but the note is seen before the script runs
    assert all("hidden" in a for _, a in page.elements if "awake" in a.get("class", ""))
    assert [a for _, a in page.elements if a.get("class") == "asleep"] == [{"class": "asleep"}]


def test_page_takes_its_colours_from_the_style_sheet_and_nothing_from_elsewhere(page, explore):
    assert not re.findall(r"#[0-9A-Fa-f]{6}", explore.page("{}"))
    files = [a[key] for _, a in page.elements for key in ("src", "href") if key in a]
    assert files == ["../_static/explore.css", "../_static/explore.js"]
    for name in files:
        content = (ROOT / "book" / name.removeprefix("../")).read_text(encoding="utf-8")
        assert not re.search(r"@import|url\(|fetch|XMLHttp|import |#[0-9A-Fa-f]{6}", content)
        assert re.findall(r"https?://[^\"]+", content) in ([], ["http://www.w3.org/2000/svg"])
    assert "http" not in explore.page("{}")


def test_every_place_for_a_number_is_filled_by_the_script(page):
    script = (ROOT / "book/_static/explore.js").read_text(encoding="utf-8")
    shown = {a["data-shows"] for _, a in page.elements if "data-shows" in a}
    start = script.index("return {\n      ratio:")
    filled = set(re.findall(r"^ {6}(\w+):", script[start : script.index("};", start)], flags=re.MULTILINE))
    assert shown == filled
