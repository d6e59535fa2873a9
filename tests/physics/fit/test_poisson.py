"""The Poisson likelihood against Minuit with every nuisance free, a dual bound, mpmath, and chi^2 for large counts."""

import mpmath as mp
import numpy as np
import pytest
from fitting import AS_PUBLISHED, AS_REDERIVED, altered, polynomial, predict, printed_chi2, sm_events
from hypothesis import given, settings
from hypothesis import strategies as st
from iminuit import Minuit
from scipy.optimize import brentq
from scipy.special import kl_div

from cevnsloop.fit import newton, statistic
from cevnsloop.fit.gaussian import gaussian
from cevnsloop.fit.limits import upper_limit
from cevnsloop.fit.poisson import multiplier, poisson, steady_state
from cevnsloop.model import unit_model

EPS = np.finfo(float).eps
POINTS = [
    ("A", 1.0, 10.0, AS_PUBLISHED),
    ("A", 60.0, 120.0, AS_REDERIVED),
    ("B", 53.0, 106.0, AS_PUBLISHED),
    ("B", 400.0, 4000.0, AS_REDERIVED),
]
DELTA = 4.61


def printed_q(nuisances, n_th, dataset, alpha_0=0.0, beta_0=0.0):
    """-2 ln of the likelihood ratio as it is defined, from alpha, beta and all rates b_i."""
    alpha, beta, b = nuisances[0], nuisances[1], np.asarray(nuisances[2:])
    s = n_th * (1 + alpha) + dataset.b_on * (1 + beta)
    counts = kl_div(dataset.n_on, b + s) + kl_div(dataset.b_ss, b)
    return 2 * counts.sum() + ((alpha - alpha_0) / 0.28) ** 2 + ((beta - beta_0) / 0.25) ** 2


def profile(n_th, dataset, kind=poisson):
    """The statistic, alpha and beta."""
    value, nuisances = kind(dataset).profile(n_th, dataset.counts)
    return value, *nuisances.values()


def minuit(printed, start, n_th, dataset):
    """The fit by Minuit. Its distance to the minimum is estimated to be < 0.002 tol: 2e-9 in q."""
    fit = Minuit(lambda x: printed(x, n_th, dataset), start)
    fit.limits = [(None, None)] * 2 + [(1e-3, None)] * (len(start) - 2)
    fit.errordef, fit.strategy, fit.tol = 1, 2, 1e-6
    fit.migrad()
    assert fit.valid
    return fit


@pytest.mark.parametrize("factor", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_minuit_finds_the_same_minimum(point, factor, dataset):
    events = predict(unit_model(*point[:3]), dataset, point[3])
    n_th = events.total(factor * upper_limit(events, dataset, DELTA).g_limit)
    q, alpha, beta = profile(n_th, dataset)
    found = minuit(printed_q, [0, 0, *dataset.b_ss], n_th, dataset)
    # Minuit stops above the minimum, by no more than 100 times what it estimates; the nuisances follow as the root
    assert 0 <= (found.fval - q) / q + 1e-13 < 1e-7
    assert abs(alpha - found.values[0]) < 1e-3 * 0.28
    assert abs(beta - found.values[1]) < 1e-3 * 0.25
    s = n_th * (1 + alpha) + dataset.b_on * (1 + beta)
    b = steady_state(s, dataset.n_on, dataset.b_ss)
    assert b == pytest.approx(found.values[2:], rel=1e-3, abs=0)
    # and the closed form is the printed one at its own nuisances
    assert q == pytest.approx(printed_q([alpha, beta, *b], n_th, dataset), rel=100 * EPS, abs=0)


@pytest.mark.parametrize("factor", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_minuit_finds_the_minimum_of_eq_34(point, factor, dataset):
    events = predict(unit_model(*point[:3]), dataset, point[3])
    n_th = events.total(factor * upper_limit(events, dataset, DELTA).g_limit)
    found = minuit(printed_chi2, [0, 0], n_th, dataset)
    chi2, alpha, beta = profile(n_th, dataset, gaussian)
    # a quadratic function: Minuit is exact but for rounding in its numerical derivatives
    assert chi2 == pytest.approx(found.fval, rel=1e-9, abs=0)
    assert abs(alpha - found.values[0]) < 1e-4 * 0.28
    assert abs(beta - found.values[1]) < 1e-4 * 0.25


STATISTICS = {"poisson": (printed_q, poisson, True), "Eq. 34": (printed_chi2, gaussian, False)}


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_minuit_finds_the_same_limit(point, name, dataset):
    """The root of Minuit's profile in G, above the smallest value that Minuit finds with G free too."""
    printed, kind, with_rates = STATISTICS[name]
    events = predict(unit_model(*point[:3]), dataset, point[3])
    limit = upper_limit(events, dataset, DELTA, kind)
    start = [0, 0, *dataset.b_ss] if with_rates else [0, 0]

    def lowest(x):
        """With G^2 / G_limit^2 as a fit parameter >= 0."""
        return printed(x[1:], events.total(np.sqrt(x[0]) * limit.g_limit), dataset)

    free = Minuit(lowest, [0.1, *start])
    free.limits = [(0, None), *[(None, None)] * 2, *[(1e-3, None)] * (len(start) - 2)]
    free.errordef, free.strategy, free.tol = 1, 2, 1e-6
    free.migrad()
    # q to 1e-6 as Minuit leaves it at a bound; the slope there is of the order of delta per unit
    assert limit.chi2_min == pytest.approx(free.fval, rel=1e-6, abs=0)
    assert abs(limit.g_best / limit.g_limit - np.sqrt(free.values[0])) < 0.01

    def rise(factor):
        return minuit(printed, start, events.total(factor * limit.g_limit), dataset).fval - free.fval - DELTA

    # delta to 1e-6 is the limit to better than that, as q rises at least linearly
    assert brentq(rise, 0.9, 1.1, xtol=1e-7) == pytest.approx(1, rel=1e-6, abs=0)


COUNTS = [(35, 26), (91, 67), (21, 21), (3, 40), (40, 3), (1, 1), (0, 7), (7, 0), (0.5, 1e-3), (1e9, 3e8)]
EXCESS = [1e-12, 1e-3, 0.7, 3.6, 7.3, 51.0, 1e4, 1e9]


@pytest.mark.parametrize(("c", "a"), COUNTS)
def test_multiplier_and_rate_against_mpmath(c, a):
    """Of the roots of the quadratic equation that with b > 0 and b + s > 0, in 60 digits."""
    for s in EXCESS + [-x for x in EXCESS]:
        with mp.workdps(60):
            half = (mp.mpf(c) + a - 2 * mp.mpf(s)) / 4
            b = half + mp.sqrt(half**2 + mp.mpf(a) * s / 2) if a else max(mp.mpf(c) / 2 - s, mp.mpf(0))
            lam = 1 - a / b if a else c / (b + s) - 1
        # sums of positive terms, quotients, one square root; C - AC - s rounds once, and lambda ends one eps before 1
        assert multiplier(s, c, a)[0] == pytest.approx(float(lam), rel=8 * EPS, abs=0)
        assert steady_state(s, c, a) == pytest.approx(float(b), rel=8 * EPS, abs=0) or b == steady_state(s, c, a) == 0


@pytest.mark.parametrize(("c", "a"), [pair for pair in COUNTS if min(pair) > 0])
@pytest.mark.parametrize("s", [-3.3, 1e-3, 0.7, 51.0, 1e4])
def test_derivatives_against_mpmath(s, c, a):
    """f' = -2 lambda and f'' = 2 |dlambda/ds| of the bin's -2 ln L, differentiated in 40 digits."""

    def f(s):
        half = (mp.mpf(c) + a - 2 * s) / 4
        b = half + mp.sqrt(half**2 + mp.mpf(a) * s / 2)
        return 2 * (b + s - c * mp.log(b + s) + b - a * mp.log(b))

    with mp.workdps(40):
        first, second = mp.diff(f, mp.mpf(s)), mp.diff(f, mp.mpf(s), 2)
    lam, curvature = multiplier(s, c, a)
    # lambda is a difference of counts over their sum: its error is absolute
    assert abs(-2 * lam - float(first)) < 10 * EPS
    # 1 - lambda^2 for s >> C: eps over what is left of 1 - |lambda|, here at least C/s > 1e-7
    assert 2 * curvature == pytest.approx(float(second), rel=1e-8, abs=0)


def test_an_empty_bin_costs_its_expectation():
    s = np.array([-2.0, 0.0, 3.0])
    assert multiplier(s, 0.0, 0.0)[0] == pytest.approx([1, -1, -1], rel=EPS, abs=0)
    assert steady_state(s, 0.0, 0.0).tolist() == [2.0, 0.0, 0.0]


def dual(n_th, dataset, lam, alpha_0, beta_0):
    """A lower bound of q for every lambda in [-1, 1]^B: the smallest value of the sum of every bin's tangents."""
    total = 2 * (dataset.n_on * np.log1p(lam) + dataset.b_ss * np.log1p(-lam)).sum()
    for v, sigma, centre in ((n_th, 0.28, 1 + alpha_0), (dataset.b_on, 0.25, 1 + beta_0)):
        pull = (lam * v).sum()
        x = max(0.0, centre + sigma**2 * pull)
        total += ((x - centre) / sigma) ** 2 - 2 * x * pull
    return total


BINS = 12
counts = st.lists(st.one_of(st.sampled_from([0, 1, 2]), st.integers(0, 200)), min_size=BINS, max_size=BINS)
spectra = st.lists(st.floats(1e-3, 1.0), min_size=BINS, max_size=BINS)
sizes = st.sampled_from([1e-2, 1.0, 30.0, 1e3, 1e6])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(counts, counts, spectra, sizes, st.floats(-0.9, 0.9), st.floats(-0.8, 0.8))
def test_a_lower_bound_proves_the_minimum(dataset, n_on, b_ss, n_th, size, alpha_0, beta_0):
    """No other nuisances can do better: q is the value both of printed_q and of its dual, zero counts included."""
    toy = altered(dataset, n_on=np.array(n_on, dtype=float), b_ss=np.array(b_ss, dtype=float))
    n_th = size * np.array(n_th)
    q, alpha, beta = profile(n_th, altered(toy, centres={"alpha": alpha_0, "beta": beta_0}))
    s = n_th * (1 + alpha) + toy.b_on * (1 + beta)
    b = steady_state(s, toy.n_on, toy.b_ss)
    above = printed_q([alpha, beta, *b], n_th, toy, alpha_0, beta_0)
    below = dual(n_th, toy, multiplier(s, toy.n_on, toy.b_ss)[0], alpha_0, beta_0)
    # q is a small difference of sums of the size of the counts: their rounding
    scale = (toy.n_on + toy.b_ss).sum() + q
    assert abs(above - below) < 1e-12 * scale
    assert abs(q - below) < 1e-12 * scale
    assert alpha >= -1
    assert beta >= -1


def test_the_bounds_hold_where_the_data_draw_beyond_them(dataset):
    """No count with the beam on: without bounds signal and background would be made negative."""
    empty = altered(dataset, n_on=np.zeros(BINS), b_ss=np.full(BINS, 40.0))
    n_th = 100 * sm_events(dataset)
    q, alpha, beta = profile(n_th, altered(empty, centres={"beta": -0.9}))
    assert alpha == -1
    # C = 0: f = 2 AC ln 2 + 2 s, linear in s = B_on (1 + beta), so that (1 + beta) = 0.1 - 0.25^2 sum B_on < 0
    assert beta == -1
    cost = BINS * 2 * 40 * np.log(2) + 0.28**-2 + (0.1 / 0.25) ** 2
    assert q == pytest.approx(cost, rel=10 * EPS, abs=0)


def test_newton_converges_quadratically(dataset, monkeypatch):
    """A wrong gradient would end elsewhere; a wrong Hessian would end here, but not in four steps."""
    monkeypatch.setattr(newton, "MOST_STEPS", 4)
    for point in POINTS:
        events = predict(unit_model(*point[:3]), dataset, point[3])
        upper_limit(events, dataset, DELTA, poisson)


@pytest.mark.parametrize("k", [1e4, 1e6, 1e8])
def test_large_counts_give_eq_34(k, dataset):
    """Everything times k but fluctuations, uncertainties and B_on: what is left falls as 1/sqrt(k)."""
    n_th = 1.5 * k * sm_events(dataset)
    pull = np.resize([0.7, -1.3, 0.2, 2.1, -0.4], BINS)
    b_ss = k * dataset.b_ss
    n_on = b_ss + n_th + dataset.b_on + pull * np.sqrt(2 * b_ss + n_th)
    large = altered(dataset, n_on=n_on, b_ss=b_ss, sigma_alpha=0.28 / np.sqrt(k))
    q, alpha, beta = profile(n_th, large)
    chi2, alpha_34, beta_34 = profile(n_th, large, gaussian)
    # the third order of ln(1 + x) at x of one standard deviation, 1/sqrt(17 k) in the smallest bin
    assert q == pytest.approx(chi2, rel=1 / np.sqrt(k), abs=0)
    assert abs(alpha - alpha_34) < large.sigma_alpha / np.sqrt(k)
    assert abs(beta - beta_34) < 0.25 / np.sqrt(k)


def test_arrays_equal_single_points(dataset, monkeypatch):
    """Models along one axis, toys along another, blocks that end within both."""
    rng = np.random.default_rng(6)
    n_th = np.array([0.0, 1.0, 3.0, 1e5])[:, None] * sm_events(dataset)
    toys = altered(
        dataset,
        n_on=rng.poisson(dataset.n_on, (5, 1, BINS)),
        b_ss=rng.poisson(dataset.b_ss, (5, 1, BINS)),
    )
    centres = dict(zip(("alpha", "beta"), rng.normal(0, 0.2, (2, 5, 1)), strict=True))
    monkeypatch.setattr(statistic, "FLOATS", 7 * 2 * BINS)
    together = profile(n_th, altered(toys, centres=centres))
    for i in range(5):
        for j in range(4):
            here = {name: centre[i, 0] for name, centre in centres.items()}
            alone = profile(n_th[j], altered(dataset, n_on=toys.n_on[i, 0], b_ss=toys.b_ss[i, 0], centres=here))
            for many, single in zip(together, alone, strict=True):
                # sums over the bins in another order
                assert many.shape == (5, 4)
                assert single.shape == ()
                assert many[i, j] == pytest.approx(single, rel=1e-12, abs=0)


@pytest.mark.parametrize("delta", [2.71, 4.61])
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_the_limit_is_the_first_root_above_the_best_fit(point, delta, dataset):
    events = predict(unit_model(*point[:3]), dataset, point[3])
    limit = upper_limit(events, dataset, delta, poisson)
    rise = profile(events.total(limit.g_limit), dataset)[0] - limit.chi2_min
    # q is a sum of logarithms of the size of the counts
    assert rise == pytest.approx(delta, rel=1e-12, abs=0)
    assert limit.chi2_min == pytest.approx(profile(events.total(limit.g_best), dataset)[0], rel=1e-12, abs=0)
    q = profile(events.total(np.linspace(0, limit.g_limit, 3000)), dataset)[0]
    assert (q <= limit.chi2_min + delta * (1 + 1e-9)).all()
    assert (q >= limit.chi2_min * (1 - 1e-12)).all()


def test_no_signal_fits_best(dataset):
    """Both cases of the published amplitude only add events, of which the data have too few: g_best is exactly 0."""
    for case in "AB":
        events = predict(unit_model(case, [10.0, 100.0], 1000.0), dataset, AS_PUBLISHED)
        limit = upper_limit(events, dataset, DELTA, poisson)
        assert limit.g_best.tolist() == [0, 0]
        assert limit.chi2_min == pytest.approx(np.full(2, profile(sm_events(dataset), dataset)[0]), rel=1e-13, abs=0)


def test_limits_lie_close_to_those_of_eq_34(dataset):
    """Bins of 17 to 91 counts: the limits of both statistics differ by less than 1%."""
    for case in "AB":
        events = predict(unit_model(case, np.geomspace(1, 1000, 8), 2000.0), dataset, AS_PUBLISHED)
        ratio = upper_limit(events, dataset, DELTA, poisson).g_limit / upper_limit(events, dataset, DELTA).g_limit
        assert ratio == pytest.approx(np.ones(8), rel=0.01, abs=0)


def test_a_signal_in_the_data_is_found(dataset):
    """Two data sets, each made with one of two models."""
    events = predict(unit_model("A", [1.0, 40.0], [10.0, 400.0]), dataset, AS_PUBLISHED)
    g = np.array([4e-9, 4e-7])
    n_on = events.total(g) + dataset.b_on + dataset.b_ss
    both = upper_limit(events, altered(dataset, n_on=n_on, b_ss=np.stack([dataset.b_ss] * 2)), DELTA, poisson)
    # the root of a derivative, not the bottom of a parabola: no square root of eps here
    assert np.diag(both.g_best) == pytest.approx(g, rel=1e-8, abs=0)
    assert (np.diag(both.chi2_min) < 1e-12).all()
    assert (np.diag(both.g_limit) > g).all()


def test_destructive_interference_is_scanned_from_zero(dataset):
    n_sm = sm_events(dataset)
    events = polynomial(n_sm, -0.5 * n_sm, n_sm)
    limit = upper_limit(events, dataset, DELTA, poisson)
    g = np.linspace(0, 2, 4001)
    q = profile(events.total(g), dataset)[0]
    assert limit.g_best == pytest.approx(g[q.argmin()], rel=1e-3, abs=0)
    assert limit.chi2_min <= q.min()
    first = g[(g > limit.g_best) & (q > limit.chi2_min + DELTA)][0]
    assert first - 5e-4 <= limit.g_limit <= first


def test_limits_of_toys_against_models(dataset):
    """The axes of the counts, then those of the models."""
    events = predict(unit_model("A", [1.0, 60.0], [10.0, 70.0]), dataset, AS_PUBLISHED)
    rng = np.random.default_rng(1)
    n_on, b_ss = (rng.poisson(mean, (3, 1, BINS)) for mean in (dataset.n_on, dataset.b_ss))
    toys = altered(dataset, n_on=n_on, b_ss=b_ss, centres={"alpha": np.array([[-0.1], [0.2], [0.0]])})
    together = upper_limit(events, toys, 2.71, poisson)
    assert together.g_limit.shape == together.g_best.shape == together.chi2_min.shape == (3, 1, 2)
    model = predict(unit_model("A", 60.0, 70.0), dataset, AS_PUBLISHED)
    one = altered(dataset, n_on=n_on[1, 0], b_ss=b_ss[1, 0], centres={"alpha": 0.2})
    alone = upper_limit(model, one, 2.71, poisson)
    assert together.g_limit[1, 0, 1] == pytest.approx(float(alone.g_limit), rel=1e-12, abs=0)
    assert together.chi2_min[1, 0, 1] == pytest.approx(float(alone.chi2_min), rel=1e-12, abs=0)


def test_limits_with_empty_bins(dataset):
    """A fiftieth of the counts: most bins hold 0 or 1. Light and heavy, so with and without a tree part in G^2."""
    rng = np.random.default_rng(2)
    events = predict(unit_model("A", [1.0, 40.0, 60.0, 500.0], 50.0), dataset, AS_PUBLISHED)
    events = polynomial(0.02 * events.n[0], *events.n[1:])
    n_on, b_ss = (rng.poisson(0.02 * mean, (50, BINS)) for mean in (dataset.n_on, dataset.b_ss))
    assert ((n_on == 0) & (b_ss == 0)).any(-1).mean() > 0.5
    toys = altered(dataset, n_on=n_on, b_ss=b_ss, b_on=0.02 * dataset.b_on)
    limit = upper_limit(events, toys, 2.71, poisson)
    each = altered(toys, n_on=n_on[:, None], b_ss=b_ss[:, None])  # meets any number of spectra
    rise = profile(events.total(limit.g_limit), each)[0] - limit.chi2_min
    assert rise == pytest.approx(np.full((50, 4), 2.71), rel=1e-12, abs=0)
    # no point of a fine scan fits better; the last digit is that of q itself, which is below 100
    g = np.linspace(0, 1, 200)[:, None, None] * limit.g_limit
    q = profile(events.total(g), each)[0]
    assert (q.min(0) >= limit.chi2_min - 1e-13 * q.max()).all()


def test_alpha_absorbs_any_signal_at_a_price(dataset):
    events = predict(unit_model("A", 10.0, [100.0, 200.0]), dataset, AS_PUBLISHED)
    assert np.isposinf(upper_limit(events, dataset, 50.0, poisson).g_limit).all()
    # a toy with the centre of alpha at -0.8 can absorb any signal for (0.2 / 0.28)^2 < 2.71
    twice = {"n_on": np.stack([dataset.n_on] * 2), "b_ss": np.stack([dataset.b_ss] * 2)}
    toys = altered(dataset, **twice, centres={"alpha": np.array([-0.8, 0.0])})
    limit = upper_limit(events, toys, 2.71, poisson)
    assert np.isposinf(limit.g_limit[0]).all()
    data = upper_limit(events, dataset, 2.71, poisson)
    assert limit.g_limit[1] == pytest.approx(data.g_limit, rel=1e-12, abs=0)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.inf, np.nan])
def test_bad_delta(bad, dataset):
    events = predict(unit_model("A", 10.0, 100.0), dataset, AS_PUBLISHED)
    with pytest.raises(ValueError, match=f"delta_chi2 must be > 0 and finite, got {bad}"):
        upper_limit(events, dataset, bad, poisson)


def test_no_signal_no_limit_and_the_others_as_before(dataset):
    events = predict(unit_model("A", [1.0, 60.0, 500.0], 10.0), dataset, AS_PUBLISHED)
    whole = upper_limit(events, dataset, DELTA, poisson)
    seen = np.array([True, False, True])[:, None]
    some = polynomial(events.n[0], seen * events.n[1], seen * events.n[2])
    limit = upper_limit(some, dataset, DELTA, poisson)
    assert np.isnan(limit.g_limit).tolist() == np.isnan(limit.g_best).tolist() == [False, True, False]
    assert limit.g_limit[[0, 2]] == pytest.approx(whole.g_limit[[0, 2]], rel=1e-13, abs=0)
    assert limit.chi2_min == pytest.approx(np.full(3, profile(sm_events(dataset), dataset)[0]), rel=1e-12, abs=0)


@pytest.mark.parametrize("names", [("sigma_alpha",), ("sigma_beta",), ("sigma_alpha", "sigma_beta")])
def test_a_nuisance_without_uncertainty_is_held(names, dataset):
    """0 is the limit of small uncertainties, and q with what is held fixed is a sum over the bins."""
    n_th = np.array([0.1, 1.0, 3.0])[:, None] * sm_events(dataset)
    held = altered(dataset, **dict.fromkeys(names, 0.0))
    q, *found = profile(n_th, held)
    for name, value in zip(("sigma_alpha", "sigma_beta"), found, strict=True):
        assert (value == 0).all() == (name in names)
    for sigma in (1e-9, 1e-12, 1e-16):
        tiny = profile(n_th, altered(dataset, **dict.fromkeys(names, sigma)))[0]
        assert q == pytest.approx(tiny, rel=1e-12, abs=0)
    if len(names) == 2:
        s = n_th + dataset.b_on
        lam = multiplier(s, dataset.n_on, dataset.b_ss)[0]
        bins = 2 * (dataset.n_on * np.log1p(lam) + dataset.b_ss * np.log1p(-lam) - lam * s)
        assert q == pytest.approx(bins.sum(-1), rel=1e-13, abs=0)
    events = predict(unit_model("A", [1.0, 60.0], 10.0), dataset, AS_REDERIVED)
    limit = upper_limit(events, held, DELTA, poisson)
    rise = profile(events.total(limit.g_limit), held)[0] - limit.chi2_min
    assert rise == pytest.approx([DELTA, DELTA], rel=1e-12, abs=0)


@pytest.mark.parametrize("name", ["n_on", "b_ss"])
def test_bad_counts(name, dataset):
    with pytest.raises(ValueError, match=rf"{name} must be >= 0 and finite, got -1\.0"):
        profile(sm_events(dataset), altered(dataset, **{name: np.array([-1.0, *dataset.b_ss[1:]])}))


def test_a_negative_expectation_in_an_empty_bin(dataset):
    """There q has a kink at s = 0, which Newton's method cannot end on: s = 0 costs nothing, alpha holds it."""
    toy = altered(dataset, n_on=np.array([*dataset.n_on[:-1], 0.0]), b_ss=np.array([*dataset.b_ss[:-1], 0.0]))
    n_th = np.array([*np.zeros(BINS - 1), -0.3])
    with pytest.raises(ValueError, match=r"n_th must be >= 0 without any count, .*: bin 15 \(28 to 30 PE\)"):
        profile(1e3 * n_th, toy)


def test_nan_passes_through(dataset):
    n_th = np.array([1.0, np.nan])[:, None] * sm_events(dataset)
    q, alpha, beta = profile(n_th, dataset)
    assert np.isnan([q[1], alpha[1], beta[1]]).all()
    assert np.isfinite([q[0], alpha[0], beta[0]]).all()


def test_a_minimum_narrower_than_the_scan(dataset):
    """10^4 times the counts and a precise normalisation: the rise lies within one step of the scan, below or above."""
    n_sm, shape = np.full(12, 1.2e5), np.linspace(3e4, 5e3, 12)
    big = altered(dataset, b_ss=1e4 * dataset.b_ss, b_on=1e4 * dataset.b_on, sigma_alpha=1e-3, sigma_beta=1e-3)
    events = polynomial(n_sm, shape[None], 0.0)
    for g in np.linspace(0.8, 1.0, 9):
        toy = altered(big, n_on=big.b_ss + big.b_on + events.total(np.array([g]))[0])
        for limit in (upper_limit(events, toy, 1.0, poisson), upper_limit(events, toy, 1.0)):
            assert limit.g_best[0] == pytest.approx(g, rel=1e-3, abs=0)
            assert g < limit.g_limit[0] < 1.05 * g
