from dataclasses import replace

import mpmath as mp
import numpy as np
import pytest
from scipy.optimize import minimize

from cevnsloop.amplitudes.quarks import PUBLISHED, REDERIVED
from cevnsloop.experiments import csi2017 as coherent
from cevnsloop.experiments import settings
from cevnsloop.fit import limits as fit
from cevnsloop.fit.limits import (
    SIGNALS,
    Experiments,
    ceiling,
    coupling_squared,
    curves,
    observed,
    profile,
    reached,
    remark,
    scan,
    search,
    upper_limit,
    why,
)
from cevnsloop.model import DOWN_TYPE, MASSES, Model, unit_model
from cevnsloop.rates.events import Events, predict, sm_events

EPS = 2.0**-52
SPECTRA = [0.0, 0.3, 1.0, 3.0, 100.0]


def printed_chi2(nuisances, n_th, dataset, centre=(0.0, 0.0)):
    """Eq. (34), term by term; the minima of the penalties moved to `centre`."""
    alpha, beta = nuisances
    total = ((alpha - centre[0]) / 0.28) ** 2 + ((beta - centre[1]) / 0.25) ** 2
    for n_meas, n, b_on, b_ss in zip(dataset.n_obs, n_th, dataset.b_on, dataset.b_ss, strict=True):
        total += (n_meas - n * (1 + alpha) - b_on * (1 + beta)) ** 2 / (n_meas + 2 * b_ss + b_on)
    return total


@pytest.mark.parametrize("scale", SPECTRA)
def test_profiled_chi2_is_the_minimum(scale, dataset):
    n_th = scale * sm_events(dataset)
    chi2, alpha, beta = profile(n_th, dataset)
    found = minimize(printed_chi2, [0, 0], args=(n_th, dataset), method="BFGS", options={"gtol": 1e-9})
    # a quadratic minimum: chi2 to eps, its place to about sqrt(eps) of the nuisances' uncertainties
    assert chi2 == pytest.approx(found.fun, rel=1e-12, abs=0)
    assert chi2 == pytest.approx(printed_chi2((alpha, beta), n_th, dataset), rel=1e-13, abs=0)
    assert abs(alpha - found.x[0]) < 1e-6 * dataset.sigma_alpha
    assert abs(beta - found.x[1]) < 1e-6 * dataset.sigma_beta
    for step in ((1e-3, 0), (0, 1e-3)):
        assert printed_chi2((alpha + step[0], beta + step[1]), n_th, dataset) > chi2


def test_profile_takes_arrays(dataset):
    n_th = np.array(SPECTRA)[:, None] * sm_events(dataset)
    together = profile(n_th, dataset)[0]
    assert together == pytest.approx([profile(n, dataset)[0] for n in n_th], rel=1e-14, abs=0)


@pytest.mark.parametrize("case", ["A", "B"])
def test_the_closed_form_is_the_profiled_chi2(case, dataset):
    """chi2 as a quotient of polynomials in G^2 against the two linear equations of `profile`."""
    events = predict(unit_model(case, [1.0, 30.0, 300.0], [10.0, 60.0, 3000.0]), dataset, REDERIVED)
    curve = curves(events, observed(dataset), dataset)
    for level in coupling_squared(events, SIGNALS):
        expected = profile(events.total(np.sqrt(level)), dataset)[0]
        assert curve.chi2(level)[0] == pytest.approx(expected, rel=1e-13, abs=0)


def exact_chi2(y, events, dataset):
    """Eq. (34) for one model at its minimum over alpha and beta, in 60 digits; a nuisance with sigma = 0 is 0."""
    sigmas = [mp.mpf(dataset.sigma_alpha), mp.mpf(dataset.sigma_beta)]
    rows = zip(
        dataset.n_on,
        dataset.b_ss,
        dataset.b_on,
        events.n_sm,
        events.n_tree[0] + events.n_interference[0],
        events.n_loop[0],
        strict=True,
    )
    left, shapes, weights = [], [], []
    for c, a, b, n_sm, *powers in ([mp.mpf(float(x)) for x in row] for row in rows):
        n = n_sm + y * powers[0] + y**2 * powers[1]
        left.append(c - a - n - b)
        shapes.append([sigmas[0] * n, sigmas[1] * b])
        weights.append(1 / (c + a + b))
    left, shapes, weights = mp.matrix(left), mp.matrix(shapes), mp.diag(weights)
    pulls = mp.lu_solve(shapes.T * weights * shapes + mp.eye(2), shapes.T * weights * left)
    rest = left - shapes * pulls
    return (rest.T * weights * rest)[0] + (pulls.T * pulls)[0]


@pytest.mark.parametrize("sigma_beta", [0.25, 1e-6, 0.0])
@pytest.mark.parametrize("sigma_alpha", [0.28, 1e-3, 1e-6, 1e-9, 0.0])
@pytest.mark.parametrize("model", [("A", 1.0, 10.0), ("A", 60.0, 120.0), ("B", 53.0, 106.0)])
def test_chi2_against_60_digits(model, sigma_alpha, sigma_beta, dataset):
    """From no signal to far beyond any that is looked at, both forms of chi2, down to no uncertainty at all."""
    data = replace(dataset, sigma_alpha=sigma_alpha, sigma_beta=sigma_beta)
    events = predict(unit_model(model[0], [model[1]], model[2]), data, REDERIVED)
    curve = curves(events, observed(data), data)
    for (y,) in coupling_squared(events, [0.0, 1e-3, 1.0, 30.0, 100.0, 1e3, 1e6, 1e9, 1e12]):
        with mp.workdps(60):
            expected = exact_chi2(mp.mpf(float(y)), events, data)
            rounding = EPS * max(1, curve.D[0, 0] / float(mp.sqrt(expected)))
            # some 10 of them measured
            for got in (curve.chi2(y)[0, 0], profile(events.total(np.sqrt([y]))[0], data)[0]):
                assert abs(mp.mpf(float(got)) / expected - 1) < 20 * rounding


def test_a_nuisance_without_uncertainty_is_held(dataset):
    n_th = 3 * sm_events(dataset)
    for names in (("sigma_alpha",), ("sigma_beta",), ("sigma_alpha", "sigma_beta")):
        held = replace(dataset, **dict.fromkeys(names, 0.0))
        chi2, alpha, beta = profile(n_th, held)
        assert [alpha == 0, beta == 0] == ["sigma_alpha" in names, "sigma_beta" in names]
        tiny = profile(n_th, replace(dataset, **dict.fromkeys(names, 1e-11)))
        assert chi2 == pytest.approx(tiny[0], rel=1e-13, abs=0)
    left = (dataset.n_obs - n_th - dataset.b_on) / dataset.sigma
    assert chi2 == pytest.approx((left**2).sum(), rel=1e-14, abs=0)


def test_a_limit_with_an_exact_normalisation(dataset):
    """sigma_alpha = 0: the limit is where chi2 without alpha says, and what small sigma_alpha tend to."""
    data = replace(dataset, sigma_alpha=0.0)
    events = predict(unit_model("A", [1.0, 60.0], [10.0, 120.0]), data, PUBLISHED)
    limit = upper_limit(events, data, 4.61)
    rise = profile(events.total(limit.g_limit), data)[0] - limit.chi2_min
    assert rise == pytest.approx([4.61, 4.61], rel=1e-12, abs=0)
    assert (limit.g_limit < 0.7 * upper_limit(events, dataset, 4.61).g_limit).all()
    for sigma_alpha in (1e-3, 1e-6, 1e-9):
        near = upper_limit(events, replace(dataset, sigma_alpha=sigma_alpha), 4.61).g_limit
        # alpha takes sigma_alpha^2 |n|^2 of itself, n being some ten standard deviations
        assert near == pytest.approx(limit.g_limit, rel=1e3 * sigma_alpha**2 + 1e-14, abs=0)


def test_the_closed_form_of_toys_with_moved_penalties(dataset):
    """Two experiments with counts and penalties of their own, three models: each minimised numerically."""
    events = predict(unit_model("A", [1.0, 20.0, 300.0], [10.0, 60.0, 3000.0]), dataset, REDERIVED)
    rng = np.random.default_rng(34)
    n_on, b_ss = rng.poisson(dataset.n_on, (2, 12)).astype(float), rng.poisson(dataset.b_ss, (2, 12)).astype(float)
    experiments = Experiments(n_on, b_ss, np.array([0.3, -0.4]), np.array([-0.2, 0.5]))
    level = coupling_squared(events, [80.0])[0]
    got = curves(events, experiments, dataset).chi2(level)
    assert got.shape == (2, 3)
    for t in range(2):
        toy = replace(dataset, n_on=n_on[t], b_ss=b_ss[t])
        for n, n_th in enumerate(events.total(np.sqrt(level))):
            centre = experiments.alpha[t], experiments.beta[t]
            found = minimize(printed_chi2, centre, args=(n_th, toy, centre), method="BFGS", options={"gtol": 1e-9})
            assert got[t, n] == pytest.approx(found.fun, rel=1e-12, abs=0)


def test_the_slope_is_the_derivative(dataset):
    events = predict(unit_model("A", [1.0, 300.0], [10.0, 3000.0]), dataset, REDERIVED)
    curve = curves(events, observed(dataset), dataset)
    for level in coupling_squared(events, [1.0, 100.0, 1e4]):
        step = 1e-30j * level  # of a complex number: no difference is taken
        derivative = curve.chi2(level + step).imag / 1e-30
        n = events.total(np.sqrt(level)) / dataset.sigma
        b = dataset.b_on / dataset.sigma
        denominator = 1 + 0.28**2 * ((n * n).sum(-1) - (n @ b) ** 2 / (b @ b + 0.25**-2))
        # two terms that nearly cancel near a minimum
        assert 2 * curve.slope(level) * level == pytest.approx(derivative * denominator**2, rel=1e-10, abs=0)


def test_search_of_many_equals_search_of_each(dataset):
    events = predict(unit_model("B", [5.0, 50.0, 500.0], [10.0, 200.0, 3000.0]), dataset, PUBLISHED)
    rng = np.random.default_rng(5)
    n_on, b_ss = rng.poisson(dataset.n_on, (4, 12)).astype(float), rng.poisson(dataset.b_ss, (4, 12)).astype(float)
    experiments = Experiments(n_on, b_ss, np.zeros(4), np.zeros(4))
    y = coupling_squared(events, SIGNALS)
    best, lowest, (small, large) = search(y, curves(events, experiments, dataset), [2.71, 4.61])
    assert best.shape == lowest.shape == small.shape == large.shape == (4, 3)
    for t in range(4):
        for delta, limits in ((2.71, small), (4.61, large)):
            alone = upper_limit(events, replace(dataset, n_on=n_on[t], b_ss=b_ss[t]), delta)
            assert np.sqrt(limits[t]) == pytest.approx(alone.g_limit, rel=1e-12, abs=0)
            assert lowest[t] == pytest.approx(alone.chi2_min, rel=1e-12, abs=0)
            assert np.array_equal(best[t] == 0, alone.g_best == 0)
            assert np.sqrt(best[t])[best[t] > 0] == pytest.approx(alone.g_best[alone.g_best > 0], rel=1e-9, abs=0)


def test_no_rise_no_limit(dataset):
    events = predict(unit_model("B", [5.0, 50.0], 200.0), dataset, PUBLISHED)
    y, curve = coupling_squared(events, SIGNALS), curves(events, observed(dataset), dataset)
    _, lowest, (reached, never) = search(y, curve, [4.61, 50.0])
    assert np.isfinite(reached).all()
    assert np.isposinf(never).all()
    highest = np.max([curve.chi2(level) for level in y], axis=0)
    assert (lowest + 4.61 < highest).all()
    assert (lowest + 50 > highest).all()
    assert ceiling(events, dataset) == pytest.approx((highest - lowest)[0], rel=1e-13, abs=0)


MODELS = [("A", 1.0, 10.0), ("A", 1.0, 2.0), ("A", 60.0, 600.0), ("B", 5.0, 10.0), ("B", 100.0, 1000.0)]


@pytest.mark.parametrize("delta_chi2", [2.71, 4.61])
@pytest.mark.parametrize("model", MODELS)
def test_the_limit_is_the_root_above_the_best_fit(model, delta_chi2, dataset):
    events = predict(unit_model(*model), dataset, PUBLISHED)
    limit = upper_limit(events, dataset, delta_chi2)
    rise = profile(events.total(limit.g_limit), dataset)[0] - limit.chi2_min
    assert rise == pytest.approx(delta_chi2, rel=1e-12, abs=0)
    assert limit.chi2_min == pytest.approx(profile(events.total(limit.g_best), dataset)[0], rel=1e-12, abs=0)
    # nothing below the limit is excluded, and nothing anywhere fits better
    below = np.linspace(0, limit.g_limit, 2000)[:, None] * np.ones(1)
    chi2 = profile(events.total(below[:, 0][:, None])[:, 0], dataset)[0]
    assert (chi2 <= limit.chi2_min + delta_chi2 * (1 + 1e-9)).all()
    assert (chi2 >= limit.chi2_min * (1 - 1e-12)).all()


def test_a_signal_that_interferes_destructively_is_scanned_from_zero(dataset):
    """Few events less, then more: chi2 is followed through the dip, and the limit lies behind it."""
    n_sm = predict(unit_model("A", 10.0, 100.0), dataset, PUBLISHED).n_sm
    events = Events(n_sm, np.zeros(12), -0.5 * n_sm, n_sm)
    limit = upper_limit(events, dataset, 4.61)
    g = np.linspace(0, 2, 4001)
    chi2 = profile(events.total(g), dataset)[0]
    # n = n_sm (1 - g^2/2 + g^4): the data lie 9% below the Standard Model, the dip reaches 6%
    assert limit.g_best == pytest.approx(0.5, rel=0.02, abs=0)
    assert limit.chi2_min <= chi2.min() * (1 + 10 * EPS)  # another order of sums
    first = g[(g > limit.g_best) & (chi2 > limit.chi2_min + 4.61)][0]
    assert first - 5e-4 <= limit.g_limit <= first


@pytest.mark.parametrize("case", ["A", "B"])
def test_limits_of_the_rederived_amplitude_are_roots_too(case, dataset):
    events = predict(unit_model(case, [1.0, 60.0, 500.0], [2.0, 120.0, 5000.0]), dataset, REDERIVED)
    limit = upper_limit(events, dataset, 4.61)
    rise = profile(events.total(limit.g_limit), dataset)[0] - limit.chi2_min
    assert rise == pytest.approx([4.61] * 3, rel=1e-12, abs=0)


def test_a_signal_in_the_data_is_found(dataset):
    """Toy data made of the Standard Model and a known signal, without fluctuation: the fit returns it."""
    events = predict(unit_model("A", [1.0, 40.0], [10.0, 400.0]), dataset, PUBLISHED)
    for i, g in enumerate((4e-9, 4e-7)):
        one = Events(events.n_sm, events.n_tree[i], events.n_interference[i], events.n_loop[i])
        toy = replace(dataset, n_on=one.total(g) + dataset.b_on + dataset.b_ss)
        limit = upper_limit(one, toy, 4.61)
        # chi2 is flat to eps around its minimum: g to about eps^(1/2)
        assert limit.g_best == pytest.approx(g, rel=1e-5, abs=0)
        assert limit.chi2_min < 1e-9
        assert limit.g_limit > g


def test_limits_of_arrays_equal_limits_of_models(dataset):
    together = upper_limit(
        predict(unit_model("A", [[1.0, 10.0], [30.0, 60.0]], [[10.0, 100.0], [40.0, 70.0]]), dataset, PUBLISHED),
        dataset,
        4.61,
    )
    assert together.g_limit.shape == together.g_best.shape == together.chi2_min.shape == (2, 2)
    alone = upper_limit(predict(unit_model("A", 30.0, 40.0), dataset, PUBLISHED), dataset, 4.61)
    assert together.g_limit[1, 0] == pytest.approx(float(alone.g_limit), rel=1e-12, abs=0)


def test_limits_do_not_depend_on_how_a_model_is_normalised(dataset):
    """The limit is on the product of the largest couplings; at these masses it is 4.41e-8 for equal ones."""
    g_q = dict.fromkeys("dsb", 5e-4)
    usual = upper_limit(predict(unit_model("A", 10.0, 100.0), dataset, PUBLISHED), dataset, 4.61).g_limit
    assert f"{usual:.2e}" == "4.41e-08"
    for model in (
        unit_model("A", 10.0, 100.0, dict.fromkeys("dsb", 2.0)),
        Model("A", 10.0, 100.0, 1e-4, 1e-4, g_q),
        Model("A", 10.0, 100.0, 1e-4, 1e-4, {q: -g for q, g in g_q.items()}),
        Model("A", 10.0, 100.0, 1e-200, 1e-200, dict.fromkeys("dsb", 1e155)),
    ):
        limit = upper_limit(predict(model, dataset, PUBLISHED), dataset, 4.61).g_limit
        assert limit == usual
    one = scan("B", np.array([20.0]), 3.0, dataset, PUBLISHED, 4.61, DOWN_TYPE)
    two = scan("B", np.array([20.0]), 3.0, dataset, PUBLISHED, 4.61, {q: 2.0 for q in DOWN_TYPE})
    assert two.g_limit == one.g_limit


@pytest.mark.parametrize("case", "AB")
def test_limits_depend_on_the_pattern_of_the_couplings(case, dataset):
    """A coupling less or one of another sign: the same largest coupling, another limit, at any normalisation."""
    limits = {}
    for d, s in ((1.0, 1.0), (1.0, 0.0), (1.0, -0.5), (0.5, 1.0)):
        for scale in (1.0, 3e-5):
            model = Model(case, 200.0, 400.0, scale, 0.25 * scale, {"d": d * scale, "s": s * scale})
            limits[d, s, scale] = float(upper_limit(predict(model, dataset, REDERIVED), dataset, 4.61).g_limit)
        assert limits[d, s, 3e-5] == pytest.approx(limits[d, s, 1.0], rel=1e-12, abs=0)
    found = [limits[d, s, 1.0] for d, s in ((1.0, 1.0), (1.0, -0.5), (1.0, 0.0))]
    assert found == sorted(found)  # loops add squares: less coupling, weaker limit
    assert found[0] < 0.99 * found[-1]


@pytest.mark.parametrize("amplitude", [PUBLISHED, REDERIVED])
@pytest.mark.parametrize("case", "AB")
def test_the_farthest_masses_have_limits_too(case, amplitude, dataset):
    """Nothing over- or underflows; numpy's warnings are errors here."""
    masses = np.geomspace(*MASSES, 16)
    limit = upper_limit(predict(unit_model(case, masses, masses[:, None]), dataset, amplitude), dataset, 4.61)
    assert (limit.g_limit > 0).all()
    assert np.isfinite(limit.g_limit).all()


def test_limits_are_stronger_with_one_parameter(dataset):
    events = predict(unit_model("A", 10.0, 100.0), dataset, PUBLISHED)
    assert upper_limit(events, dataset, 2.71).g_limit < upper_limit(events, dataset, 4.61).g_limit


@pytest.mark.parametrize("bad", [0.0, -1.0, np.inf, np.nan])
def test_bad_delta_chi2(bad, dataset):
    events = predict(unit_model("A", 10.0, 100.0), dataset, PUBLISHED)
    with pytest.raises(ValueError, match=f"delta_chi2 must be > 0 and finite, got {bad}"):
        upper_limit(events, dataset, bad)


def test_no_limit_is_a_value_and_leaves_the_others_alone(dataset):
    """One array: a limit, no signal because nothing couples, because nothing reaches the bins, and never reached."""
    n_sm, parts = sm_events(dataset), np.zeros((4, 12))
    one = predict(unit_model("A", 1.0, 10.0), dataset, PUBLISHED)
    parts[0], parts[3] = one.n_tree, n_sm  # alpha takes up all of a signal with the shape of the Standard Model
    events = Events(n_sm, parts, np.zeros((4, 12)), np.zeros((4, 12)))
    limit = upper_limit(events, dataset, 13.0)
    assert np.isfinite(limit.g_limit[0])
    assert limit.g_limit[0] == upper_limit(events.at([0]), dataset, 13.0).g_limit[0]
    assert np.isnan(limit.g_limit).tolist() == np.isnan(limit.g_best).tolist() == [False, True, True, False]
    assert np.isposinf(limit.g_limit[3])
    assert limit.chi2_min == pytest.approx(np.full(4, profile(n_sm, dataset)[0]), rel=1e-13, abs=0)
    assert reached(limit.g_limit) == ["reached", "no signal", "no signal", "never"]
    assert ceiling(events, dataset)[1] == 0
    assert remark(limit.g_limit, 13.0) == (
        "no limit at 3 of 4 points: 1 inf, where chi2 never rises by 13 because alpha can absorb any signal; "
        "2 nan, where no signal is expected in the bins of the fit"
    )
    assert remark(limit.g_limit[:1], 13.0) == ""


@pytest.mark.parametrize("g", [{"g_q": {"d": 0.0}}, {"g_q": {}}, {"g_chi_L": 0.0, "g_chi_R": 0.0}])
def test_no_coupling_is_no_signal(g, dataset):
    model = Model(
        **{"case": "A", "m_chi": [1.0, 500.0], "m_zp": 10.0, "g_chi_L": 1.0, "g_chi_R": 1.0, "g_q": {"d": 1.0}, **g}
    )
    events = predict(model, dataset, PUBLISHED)
    assert np.isnan(upper_limit(events, dataset, 4.61).g_limit).tolist() == [True, True]
    assert why(events.at(0), dataset, 4.61).startswith("no signal is expected in the bins of the fit")


def test_why_there_is_no_limit(dataset):
    events = predict(unit_model("A", 10.0, 100.0), dataset, PUBLISHED)
    assert upper_limit(events, dataset, 50.0).g_limit == np.inf
    most = float(ceiling(events, dataset))
    assert np.isfinite(upper_limit(events, dataset, most * (1 - 1e-9)).g_limit)
    assert np.isinf(upper_limit(events, dataset, most * (1 + 1e-9)).g_limit)
    assert 12.8 < most < 20
    assert why(events, dataset, 50.0) == (
        f"chi2 never rises by 50: the most it rises is {most:.3g}, "
        "because alpha absorbs any signal at the price of 1 / sigma_alpha^2 = 12.8"
    )


def test_chi2_that_falls_to_the_end_has_no_limit(dataset):
    """Data with the shape of the signal alone, and a normalisation that hardly costs: a huge signal fits best."""
    events = predict(unit_model("B", 53.0, 530.0), dataset, PUBLISHED)
    excess = events.n_sm.sum() * events.n_loop / events.n_loop.sum()
    data = replace(dataset, n_on=dataset.b_ss + dataset.b_on + excess, sigma_alpha=1e4)
    limit = upper_limit(events, data, 1e-3)
    assert limit.g_limit == np.inf
    assert limit.g_best == pytest.approx(
        float(np.sqrt(coupling_squared(events.flat(), SIGNALS)[-1, 0])), rel=1e-13, abs=0
    )
    assert ceiling(events, data) == 0
    assert why(events, data, 1e-3) == "chi2 still falls at the largest signal that is looked at, 1e+06 events or more"


def test_data_of_many_counts_are_looked_at_up_to_large_signals(dataset):
    """10^8 times everything: alpha absorbs a few per cent of 10^10 events, far more than SIGNALS has."""
    k = 1e8
    big = replace(dataset, n_on=k * dataset.n_on, b_ss=k * dataset.b_ss, b_on=k * dataset.b_on)
    n_sm = k * sm_events(dataset)
    events = Events(n_sm, n_sm[None], np.zeros((1, 12)), np.zeros((1, 12)))
    limit = upper_limit(events, replace(big, n_on=big.b_ss + n_sm + big.b_on), 4.61)
    # (1 + y)(1 + alpha) = 1 and alpha^2 = 4.61 sigma_alpha^2, but for 1 in 10^8 counts
    assert limit.g_limit**2 == pytest.approx([1 / (1 - 4.61**0.5 * 0.28) - 1], rel=1e-6, abs=0)


@pytest.mark.parametrize("case", ["A", "B"])
def test_limits_of_far_masses_scale_like_their_loops(case, dataset):
    """n_loop falls below the smallest square of float64 and below the square of that: G ~ n_loop^(-1/4) goes on."""
    masses = np.array([1e15, 1e30, 1e36])
    events = predict(unit_model(case, masses, 10 * masses), dataset, PUBLISHED)
    limit = upper_limit(events, dataset, 4.61)
    scaled = limit.g_limit * events.n_loop.sum(-1) ** 0.25
    assert scaled == pytest.approx(np.full(3, scaled[0]), rel=1e-12, abs=0)


@pytest.mark.parametrize("bins", [(4, 4), (9, 9), (15, 15), (1, 4)])
@pytest.mark.parametrize("case", ["A", "B"])
def test_few_bins(case, bins, dataset):
    """One bin can be fitted perfectly: chi2 is then 0 to the square of its rounding, and never below."""
    few = coherent.csi2017(settings.csi2017(first_bin=bins[0], last_bin=bins[1]))
    events = predict(unit_model(case, np.geomspace(1, 1000, 40), 1e4), few, REDERIVED)
    limit = upper_limit(events, few, 2.71)
    assert (limit.chi2_min >= 0).all()
    rise = profile(events.total(limit.g_limit), few)[0] - limit.chi2_min
    assert rise == pytest.approx(np.full(40, 2.71), rel=1e-12, abs=0)
    if bins[0] == bins[1]:
        perfect = limit.g_best > 0
        assert (limit.chi2_min[perfect] < (10 * EPS) ** 2 * few.n_obs**2 / few.sigma**2).all()


def test_bins_without_counts_are_refused_by_name(dataset):
    n_on, b_ss, b_on = (a.copy() for a in (dataset.n_on, dataset.b_ss, dataset.b_on))
    n_on[[0, 11]] = b_ss[[0, 11]] = b_on[[0, 11]] = 0
    holes = replace(dataset, n_on=n_on, b_ss=b_ss, b_on=b_on)
    events = predict(unit_model("A", 1.0, 10.0), dataset, PUBLISHED)
    message = r"Eq. \(34\) needs sigma_stat > 0: .* in bin 4 \(6 to 8 PE\), bin 15 \(28 to 30 PE\)"
    with pytest.raises(ValueError, match=message):
        upper_limit(events, holes, 4.61)
    with pytest.raises(ValueError, match=message):
        profile(events.n_sm, holes)
    # a single count is enough
    assert np.isfinite(upper_limit(events, replace(holes, n_on=np.maximum(n_on, 1.0)), 4.61).g_limit)


def test_an_experiment_without_counts_in_a_bin_is_nan(dataset):
    events = predict(unit_model("A", [1.0, 60.0], 100.0), dataset, PUBLISHED)
    none = replace(dataset, b_on=np.zeros(12))
    n_on, b_ss = np.array([dataset.n_on] * 2), np.array([dataset.b_ss] * 2)
    n_on[1, 3] = b_ss[1, 3] = 0
    both = Experiments(n_on, b_ss, np.zeros(2), np.zeros(2))
    rise = search(fit.levels(events, none), curves(events, both, none), [4.61])
    for found in (rise.y_best, rise.chi2_min, rise.y_limit[0]):
        assert np.isnan(found).tolist() == [[False, False], [True, True]]


def test_a_root_where_rounding_hides_the_change_of_sign():
    low, high = np.array([1.0, 1.0, 1.0]), np.array([2.0, 2.0, 2.0])
    shift = np.array([1.5, 1 - EPS, 2 + 2 * EPS])
    got = fit._root(lambda y, shift: y - shift, low, high, [shift])
    assert got.tolist() == [1.5, 1.0, 2.0]
    assert fit._root(lambda y, shift: y - shift, low, high, [shift], high).tolist() == [1.5, 2.0, 2.0]
    with pytest.raises(ArithmeticError, match="did not converge"):
        fit._root(lambda y, shift: y * np.nan, low, high, [shift])


def test_bad_ratio(dataset):
    with pytest.raises(ValueError, match=r"ratio must be > 0 and finite, got -2\.0"):
        scan("A", np.array([1.0]), -2.0, dataset, PUBLISHED, 4.61, DOWN_TYPE)
