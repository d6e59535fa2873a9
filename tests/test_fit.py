from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from cevnsloop.amplitude import PUBLISHED, REDERIVED
from cevnsloop.events import Events, predict, sm_events
from cevnsloop.fit import (
    SIGNALS,
    Experiments,
    _slope_at,
    chi2_at,
    coupling_squared,
    curves,
    observed,
    profile,
    scan,
    search,
    upper_limit,
)
from cevnsloop.model import DOWN_TYPE, MASSES, Model, unit_model

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
    coefficients = curves(events, observed(dataset), dataset)
    for level in coupling_squared(events, SIGNALS):
        expected = profile(events.total(np.sqrt(level)), dataset)[0]
        # A - B^2 / C subtracts numbers of the size of A, some 15 times chi2
        assert chi2_at(level, *coefficients)[0] == pytest.approx(expected, rel=1e-12, abs=0)


def test_the_closed_form_of_toys_with_moved_penalties(dataset):
    """Two experiments with counts and penalties of their own, three models: each minimised numerically."""
    events = predict(unit_model("A", [1.0, 20.0, 300.0], [10.0, 60.0, 3000.0]), dataset, REDERIVED)
    rng = np.random.default_rng(34)
    n_on, b_ss = rng.poisson(dataset.n_on, (2, 12)).astype(float), rng.poisson(dataset.b_ss, (2, 12)).astype(float)
    experiments = Experiments(n_on, b_ss, np.array([0.3, -0.4]), np.array([-0.2, 0.5]))
    level = coupling_squared(events, [80.0])[0]
    got = chi2_at(level, *curves(events, experiments, dataset))
    assert got.shape == (2, 3)
    for t in range(2):
        toy = replace(dataset, n_on=n_on[t], b_ss=b_ss[t])
        for n, n_th in enumerate(events.total(np.sqrt(level))):
            centre = experiments.alpha[t], experiments.beta[t]
            found = minimize(printed_chi2, centre, args=(n_th, toy, centre), method="BFGS", options={"gtol": 1e-9})
            assert got[t, n] == pytest.approx(found.fun, rel=1e-12, abs=0)


def test_the_slope_is_the_derivative(dataset):
    events = predict(unit_model("A", [1.0, 300.0], [10.0, 3000.0]), dataset, REDERIVED)
    coefficients = curves(events, observed(dataset), dataset)
    C0, C1, C2, C3, C4 = coefficients[-5:]
    for level in coupling_squared(events, [1.0, 100.0, 1e4]):
        step = 1e-30j * level  # of a complex number: no difference is taken
        derivative = chi2_at(level + step, *coefficients).imag / 1e-30
        C = C0 + level * (C1 + level * (C2 + level * (C3 + level * C4)))
        # two terms that nearly cancel near a minimum
        assert _slope_at(level, *coefficients) * level == pytest.approx(derivative * C**2, rel=1e-10, abs=0)


def test_search_of_many_equals_search_of_each(dataset):
    events = predict(unit_model("B", [5.0, 50.0, 500.0], [10.0, 200.0, 3000.0]), dataset, PUBLISHED)
    rng = np.random.default_rng(5)
    n_on, b_ss = rng.poisson(dataset.n_on, (4, 12)).astype(float), rng.poisson(dataset.b_ss, (4, 12)).astype(float)
    experiments = Experiments(n_on, b_ss, np.zeros(4), np.zeros(4))
    y = coupling_squared(events, SIGNALS)
    best, lowest, (small, large), _ = search(y, curves(events, experiments, dataset), [2.71, 4.61])
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
    y, coefficients = coupling_squared(events, SIGNALS), curves(events, observed(dataset), dataset)
    _, _, (reached, never), highest = search(y, coefficients, [4.61, 50.0])
    assert np.isfinite(reached).all()
    assert np.isposinf(never).all()
    assert (highest > lowest_of(y, coefficients) + 4.61).all()


def lowest_of(y, coefficients):
    return np.min([chi2_at(level, *coefficients) for level in y], axis=0)


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
    assert limit.chi2_min <= chi2.min()
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


def test_alpha_absorbs_any_signal_at_a_price(dataset):
    events = predict(unit_model("A", 10.0, 100.0), dataset, PUBLISHED)
    with pytest.raises(ValueError, match=r"delta_chi2 must be < 1\d(\.\d)?, the most a signal adds here, got 50"):
        upper_limit(events, dataset, 50.0)


def test_no_signal_no_limit(dataset):
    events = predict(unit_model("A", [1.0, 2.0], 10.0, {"d": 0.0}), dataset, PUBLISHED)
    with pytest.raises(ValueError, match="predicts no signal has no upper limit"):
        upper_limit(events, dataset, 4.61)


def test_bad_ratio(dataset):
    with pytest.raises(ValueError, match=r"ratio must be > 0 and finite, got -2\.0"):
        scan("A", np.array([1.0]), -2.0, dataset, PUBLISHED, 4.61, DOWN_TYPE)
