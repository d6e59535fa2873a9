"""Loop functions A1-A6: 30-digit table, two algorithms, identities, limits, and how the printed forms fail."""

import csv
import math
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cevnsloop.amplitudes import loops
from cevnsloop.amplitudes.loops import D0b, D00_ab, D00b, D001_ab, D1b, D11_ab, scalar_box, twist2_box
from cevnsloop.referees import loops as reference

EPS = 2.0**-52
BOUND = 8 * EPS  # the promise of loops.py
PAIR = 2 * BOUND  # two values that each keep the promise
FUNCTIONS = {f.__name__: f for f in (D0b, D1b, D00b, D00_ab, D001_ab, D11_ab)}
POWER_OF_M = {"D0b": -4, "D1b": -4, "D00b": -2, "D00_ab": -2, "D001_ab": -2, "D11_ab": -4}
DATA = Path(__file__).parents[2] / "data"

each_function = pytest.mark.parametrize("name", FUNCTIONS)
m_chi_values = st.floats(1e-2, 1e4)
wide = st.floats(-13.8, 13.8)  # ln(m_zp/m_chi), ratios 1e-6 to 1e6
tiny = st.builds(lambda sign, e: sign * 10.0**e, st.sampled_from((-1, 1)), st.floats(-17, 0))
edges = st.builds(lambda edge, shift: edge + shift, st.sampled_from(loops.NEAR), tiny)
log_ratios = st.one_of(wide, tiny, edges, st.just(0.0))

quiet = settings(deadline=None, derandomize=True)


def error(value, exact):
    """Relative error of a double against a multiprecision number."""
    with mp.workdps(60):
        return float(abs(mp.mpf(float(value)) / exact - 1))


@pytest.fixture(scope="module")
def rows():
    with (DATA / "loops.csv").open(newline="", encoding="ascii") as f:
        return list(csv.DictReader(f))


@each_function
def test_every_digit_of_the_table(name, rows):
    m_chi, m_zp = (np.array([float(row[key]) for row in rows]) for key in ("m_chi", "m_zp"))
    values = FUNCTIONS[name](m_chi, m_zp)
    with mp.workdps(60):
        errors = [error(v, mp.mpf(row[name])) for v, row in zip(values, rows, strict=True)]
    assert len(rows) >= 300
    assert max(errors) <= BOUND, rows[int(np.argmax(errors))]


def test_table_has_both_sides_of_every_switch_and_equality(rows):
    lam = np.array([math.log(float(row["m_zp"]) / float(row["m_chi"])) for row in rows])
    for switch in loops.NEAR:
        distance = lam - switch
        assert ((distance > 0) & (distance < 1e-13)).any()
        assert ((distance < 0) & (distance > -1e-13)).any()
    assert (lam == 0).any()
    assert ((lam > 0) & (lam < 1e-14)).any()
    assert ((lam < 0) & (lam > -1e-14)).any()
    assert lam.max() > math.log(9.9e5)
    assert lam.min() < math.log(1.1e-6)


@quiet
@given(m_chi_values, log_ratios)
def test_eight_eps_anywhere(m_chi, lam):
    m_zp = m_chi * math.exp(lam)
    for name, function in FUNCTIONS.items():
        assert error(function(m_chi, m_zp), reference.closed(name, m_chi, m_zp)) <= BOUND, name


@each_function
@pytest.mark.parametrize("switch", loops.NEAR)
def test_both_algorithms_agree_around_each_switch(monkeypatch, name, switch):
    m_zp = 53.0 * np.exp(switch + np.linspace(-0.3, 0.3, 301))
    monkeypatch.setattr(loops, "NEAR", (-math.inf, math.inf))
    bessel = FUNCTIONS[name](53.0, m_zp)
    monkeypatch.setattr(loops, "NEAR", (0.0, 0.0))
    printed = FUNCTIONS[name](53.0, m_zp)
    assert np.all(np.abs(bessel / printed - 1) <= 20 * EPS)  # each form beyond its own side of the switch
    assert np.any(bessel != printed)  # they are two algorithms


@each_function
@pytest.mark.parametrize("switch", loops.NEAR)
def test_continuous_across_each_switch(name, switch):
    edge = 53.0 * math.exp(switch)
    m_zp = edge * (1 + EPS * np.arange(-40, 41))
    values = FUNCTIONS[name](53.0, m_zp)
    assert np.all(np.abs(values / values[40] - 1) <= PAIR + 4 * 40 * EPS)  # slope at most 4 in ln m_zp


def test_switches_are_where_the_docstring_says(monkeypatch):
    inside = np.exp([-2.3999, 1.7999])
    outside = np.exp([-2.4001, 1.8001])
    ours_inside, ours_outside = D0b(1.0, inside), D0b(1.0, outside)
    monkeypatch.setattr(loops, "_I0", [math.nan])
    assert np.isnan(D0b(1.0, inside)).all()
    assert np.array_equal(D0b(1.0, outside), ours_outside)
    assert np.isfinite(ours_inside).all()


@quiet
@given(m_chi_values, log_ratios, st.integers(-20, 20))
def test_homogeneous_exactly_under_powers_of_two(m_chi, lam, k):
    m_zp, scale = m_chi * math.exp(lam), 2.0**k
    for name, function in FUNCTIONS.items():
        assert function(scale * m_chi, scale * m_zp) == scale ** POWER_OF_M[name] * function(m_chi, m_zp), name


@quiet
@given(m_chi_values, wide, st.floats(1e-3, 1e3))
def test_homogeneous_under_any_scale(m_chi, lam, scale):
    m_zp = m_chi * math.exp(lam)
    for name, function in FUNCTIONS.items():
        scaled = function(scale * m_chi, scale * m_zp) * scale ** -POWER_OF_M[name]
        # rounding the two scaled masses moves the ratio: slopes in ln m are at most 6
        assert scaled == pytest.approx(function(m_chi, m_zp), rel=PAIR + 12 * EPS, abs=0), name


@quiet
@given(m_chi_values, log_ratios)
def test_relations_between_the_functions(m_chi, lam):
    m_zp = m_chi * math.exp(lam)
    x, z = m_chi * m_chi, m_zp * m_zp
    assert D00_ab(m_chi, m_zp) == pytest.approx(-z * D0b(m_chi, m_zp) / 4, rel=4 * EPS, abs=0)
    assert D001_ab(m_chi, m_zp) == pytest.approx(-z * D1b(m_chi, m_zp) / 6, rel=4 * EPS, abs=0)
    # s/((s+x)(s+z)^2) + x/((s+x)(s+z)^2) = 1/(s+z)^2 under the integral
    assert x * D0b(m_chi, m_zp) - 4 * D00b(m_chi, m_zp) == pytest.approx(1 / z, rel=PAIR, abs=0)
    # D1b is symmetric in the masses
    assert D1b(m_zp, m_chi) == pytest.approx(D1b(m_chi, m_zp), rel=PAIR, abs=0)


@pytest.mark.parametrize("ratio", [1e-3, 0.05, 0.09, 0.5, 0.999, 1.0, 1.5, 5.0, 30.0, 1e4])
def test_D11_ab_is_the_mass_derivative_of_D1b(ratio):
    # D11_ab = (z/3) dD1b/dx, integrated over x from m_chi^2 to 4 m_chi^2
    m_chi, m_zp = 53.0, 53.0 * ratio
    nodes, weights = np.polynomial.legendre.leggauss(40)
    low, high = m_chi**2, 4 * m_chi**2
    x = low + (high - low) * (nodes + 1) / 2
    integral = (high - low) / 2 * weights @ (3 / m_zp**2 * D11_ab(np.sqrt(x), m_zp))
    first, last = D1b(m_chi, m_zp), D1b(2 * m_chi, m_zp)
    # the weights of leggauss are good to 2e-14, more or less with the version of numpy
    cancellation = abs(first) / abs(last - first)
    assert integral == pytest.approx(last - first, rel=5e-14 + PAIR * cancellation, abs=0)


@quiet
@given(m_chi_values, log_ratios, st.floats(1e-9, 1))
def test_signs_bounds_and_monotonicity(m_chi, lam, step):
    m_zp, more = m_chi * math.exp(lam), 1 + step
    x, z = m_chi * m_chi, m_zp * m_zp
    assert 0 < D0b(m_chi, m_zp) < 1 / (x * z) * (1 + PAIR)
    assert 0 < -D00b(m_chi, m_zp) < 1 / (4 * z) * (1 + PAIR)
    assert 0 < -D1b(m_chi, m_zp) < D0b(m_chi, m_zp) / 2
    assert 0 < D11_ab(m_chi, m_zp) < D0b(m_chi, m_zp) * z / x / 3 * (1 + PAIR)
    slack = 1 if abs(lam) < 3 else 1 + PAIR  # slopes fall below eps/step further out
    for name, function in FUNCTIONS.items():
        assert abs(function(more * m_chi, m_zp)) < abs(function(m_chi, m_zp)) * slack, name
    for name in ("D0b", "D1b", "D00b"):
        assert abs(FUNCTIONS[name](m_chi, more * m_zp)) < abs(FUNCTIONS[name](m_chi, m_zp)) * slack, name


COINCIDENT = {"D0b": 1 / 2, "D1b": -1 / 12, "D00b": -1 / 8, "D00_ab": -1 / 8, "D001_ab": 1 / 72, "D11_ab": 1 / 36}


@each_function
@pytest.mark.parametrize("m", [1.0, 53.0, 1e5])
def test_equal_masses(name, m):
    assert FUNCTIONS[name](m, m) == pytest.approx(COINCIDENT[name] * m ** POWER_OF_M[name], rel=4 * EPS, abs=0)


@each_function
def test_mass_ratio_without_bound(name):
    # leading terms of A1-A6; the next ones are smaller by (x/z) ln(z/x) or its inverse, 3e-11 here
    light = {"D0b": lambda L: L - 1, "D1b": lambda L: (2 - L) / 2, "D00b": lambda L: -1 / 4}
    light |= {"D00_ab": lambda L: (1 - L) / 4, "D001_ab": lambda L: (L - 2) / 12, "D11_ab": lambda L: 1e12 / 6}
    heavy = {"D0b": lambda L: 1e12, "D1b": lambda L: (2 + L) / 2, "D00b": lambda L: (1 + L) / 4}
    heavy |= {"D00_ab": lambda L: -1 / 4, "D001_ab": lambda L: -1e-12 * (2 + L) / 12}
    heavy |= {"D11_ab": lambda L: 1e-12 * (-5 - 2 * L) / 6}
    L = math.log(1e12)
    assert FUNCTIONS[name](1e-6, 1.0) == pytest.approx(light[name](L), rel=1e-9, abs=0)
    assert FUNCTIONS[name](1.0, 1e-6) == pytest.approx(heavy[name](-L), rel=1e-9, abs=0)


@pytest.mark.parametrize("function", [*FUNCTIONS.values(), twist2_box])
def test_no_overflow_or_underflow(function):
    m = 10.0 ** np.arange(-6, 9.25, 0.25)
    values = function(m[:, np.newaxis], m)
    assert np.isfinite(values).all()
    assert (np.abs(values) > np.finfo(float).tiny).all()


@pytest.mark.parametrize("function", [*FUNCTIONS.values(), twist2_box])
def test_shapes_and_nan(function):
    m_chi, m_zp = np.array([[1.0], [2.0]]), np.array([0.01, 2.0, np.nan, 300.0])
    values = function(m_chi, m_zp)
    assert values.shape == (2, 4)
    assert values.dtype == np.float64
    assert np.array_equal(np.isnan(values), [[False, False, True, False]] * 2)
    assert values[1, 3] == function(2, 300)
    assert isinstance(function(2, 300), float)
    assert function(10**10, 10**10) == function(1e10, 1e10)  # integers are not squared as integers
    assert function([1, 2], 3).shape == (2,)
    assert function(np.empty(0), 3.0).shape == (0,)
    assert np.isnan(function(math.nan, 1.0))


@pytest.mark.parametrize("function", [*FUNCTIONS.values(), twist2_box])
@pytest.mark.parametrize(("bad", "shown"), [(-3.0, "-3.0"), (0, "0.0"), (math.inf, "inf"), ([1.0, -2.0], "-2.0")])
def test_masses_must_be_positive_and_finite(function, bad, shown):
    with pytest.raises(ValueError, match=f"m_chi must be > 0 MeV and finite, got {shown}"):
        function(bad, 1.0)
    with pytest.raises(ValueError, match=f"m_zp must be > 0 MeV and finite, got {shown}"):
        function(1.0, bad)


@quiet
@given(m_chi_values, log_ratios, st.sampled_from((-4, 12)))
def test_box_brackets_equal_the_sums_of_eqs_5_and_16(m_chi, lam, kappa):
    m_zp = m_chi * math.exp(lam)
    with mp.workdps(40):
        z = mp.mpf(m_zp) ** 2
        ref = {n: reference.closed(n, m_chi, m_zp) for n in FUNCTIONS}
        scalar = kappa * ref["D0b"] + 8 / z * ref["D00_ab"]
        twist2 = 16 / z * (4 * ref["D001_ab"] + ref["D00_ab"]) + 8 * (ref["D1b"] + ref["D0b"])
    assert error(scalar_box(m_chi, m_zp, kappa), scalar) <= BOUND
    assert error(twist2_box(m_chi, m_zp), twist2) <= BOUND


@each_function
@pytest.mark.parametrize("ratio", [0.01, 0.2, 3.0, 10.0, 100.0])
def test_printed_forms_agree_away_from_equality(name, ratio):
    # the terms of A3 reach 100 times the result at these ratios
    printed = loops.PRINTED[name](53.0, 53.0 * ratio)
    assert printed == pytest.approx(FUNCTIONS[name](53.0, 53.0 * ratio), rel=300 * EPS, abs=0)


@pytest.mark.parametrize(("gap", "low", "high"), [(1e-3, 1e-5, 1e-3), (1e-4, 0.1, 10.0), (1e-6, 1e6, 1e10)])
def test_printed_D11_loses_every_digit(gap, low, high):
    # m_chi = 1 is the lucky exception: x and z/x are exact there
    m_chi = np.linspace(50, 200, 301)
    ours = D11_ab(m_chi, m_chi * (1 + gap))
    loss = np.abs(loops.printed_D11_ab(m_chi, m_chi * (1 + gap)) / ours - 1)
    assert low < np.median(loss) < high


def test_all_functions_at_once_are_those_of_their_own():
    m_chi, m_zp = np.array([1.0, 10.0, 53.0, 100.0]), np.array([30.0, 10.0, 100.0, 3.0])  # both sides of both switches
    together = loops.boxes(m_chi, m_zp)
    for name, function in FUNCTIONS.items():
        assert np.array_equal(getattr(together, name), function(m_chi, m_zp))
    assert np.array_equal(together.twist2, twist2_box(m_chi, m_zp))
