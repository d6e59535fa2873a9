"""chi^2 of Eq. (34) in closed form against a general minimiser, 60 digits, and its own limits."""

import mpmath as mp
import numpy as np
import pytest
from fitting import AS_PUBLISHED, AS_REDERIVED, altered, predict, printed_chi2, sm_events
from scipy.optimize import minimize

from cevnsloop.experiments.dataset import Counts
from cevnsloop.fit.gaussian import gaussian
from cevnsloop.fit.limits import flat, upper_limit
from cevnsloop.fit.search import SIGNALS, coupling_squared
from cevnsloop.model import unit_model

EPS = 2.0**-52
SPECTRA = [0.0, 0.3, 1.0, 3.0, 100.0]


def profile(n_th, dataset):
    """chi2, alpha and beta."""
    chi2, nuisances = gaussian(dataset).profile(n_th, dataset.counts)
    return chi2, *nuisances.values()


@pytest.mark.parametrize("scale", SPECTRA)
def test_profiled_chi2_is_the_minimum(scale, dataset):
    n_th = scale * sm_events(dataset)
    chi2, alpha, beta = profile(n_th, dataset)
    found = minimize(printed_chi2, [0, 0], args=(n_th, dataset), method="BFGS", options={"gtol": 1e-9})
    # a quadratic minimum: chi2 to eps, its place to about sqrt(eps) of the nuisances' uncertainties
    assert chi2 == pytest.approx(found.fun, rel=1e-12, abs=0)
    assert chi2 == pytest.approx(printed_chi2((alpha, beta), n_th, dataset), rel=1e-13, abs=0)
    assert abs(alpha - found.x[0]) < 1e-6 * 0.28
    assert abs(beta - found.x[1]) < 1e-6 * 0.25
    for step in ((1e-3, 0), (0, 1e-3)):
        assert printed_chi2((alpha + step[0], beta + step[1]), n_th, dataset) > chi2


def test_profile_takes_arrays(dataset):
    n_th = np.array(SPECTRA)[:, None] * sm_events(dataset)
    together = profile(n_th, dataset)[0]
    assert together == pytest.approx([profile(n, dataset)[0] for n in n_th], rel=1e-14, abs=0)


@pytest.mark.parametrize("case", ["A", "B"])
def test_the_closed_form_is_the_profiled_chi2(case, dataset):
    """chi2 as a quotient of polynomials in G^2 against the linear equations of `profile`."""
    events = predict(unit_model(case, [1.0, 30.0, 300.0], [10.0, 60.0, 3000.0]), dataset, AS_REDERIVED)
    curves = gaussian(dataset).curves(events, flat(dataset.counts))
    for level in coupling_squared(events, SIGNALS):
        expected = profile(events.total(np.sqrt(level)), dataset)[0]
        assert curves.value(level) == pytest.approx(expected, rel=1e-13, abs=0)


def exact_chi2(y, events, dataset):
    """Eq. (34) for one model at its minimum over alpha and beta, in 60 digits; a nuisance with sigma = 0 is 0."""
    sigmas = [mp.mpf(dataset.sigma_alpha), mp.mpf(dataset.backgrounds["beta"].sigma)]
    left, shapes, weights = [], [], []
    rows = zip(dataset.n_on, dataset.b_ss, dataset.b_on, *events.n[:, 0], strict=True)
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
    data = altered(dataset, sigma_alpha=sigma_alpha, sigma_beta=sigma_beta)
    events = predict(unit_model(model[0], [model[1]], model[2]), data, AS_REDERIVED)
    curves, length = gaussian(data).curves(events, flat(data.counts)), np.linalg.norm(data.n_obs / data.sigma)
    for (y,) in coupling_squared(events, [0.0, 1e-3, 1.0, 30.0, 100.0, 1e3, 1e6, 1e9, 1e12]):
        with mp.workdps(60):
            expected = exact_chi2(mp.mpf(float(y)), events, data)
            rounding = EPS * max(1, length / float(mp.sqrt(expected)))
            # some 10 of them measured
            for got in (curves.value(np.array([y]))[0], profile(events.total(np.sqrt([y]))[0], data)[0]):
                assert abs(mp.mpf(float(got)) / expected - 1) < 20 * rounding


def test_a_nuisance_without_uncertainty_is_held(dataset):
    n_th = 3 * sm_events(dataset)
    for names in (("sigma_alpha",), ("sigma_beta",), ("sigma_alpha", "sigma_beta")):
        held = altered(dataset, **dict.fromkeys(names, 0.0))
        chi2, alpha, beta = profile(n_th, held)
        assert [alpha == 0, beta == 0] == ["sigma_alpha" in names, "sigma_beta" in names]
        tiny = profile(n_th, altered(dataset, **dict.fromkeys(names, 1e-11)))
        assert chi2 == pytest.approx(tiny[0], rel=1e-13, abs=0)
    left = (dataset.n_obs - n_th - dataset.b_on) / dataset.sigma
    assert chi2 == pytest.approx((left**2).sum(), rel=1e-14, abs=0)


def test_a_limit_with_an_exact_normalisation(dataset):
    """sigma_alpha = 0: the limit is where chi2 without alpha says, and what small sigma_alpha tend to."""
    data = altered(dataset, sigma_alpha=0.0)
    events = predict(unit_model("A", [1.0, 60.0], [10.0, 120.0]), data, AS_PUBLISHED)
    limit = upper_limit(events, data, 4.61)
    rise = profile(events.total(limit.g_limit), data)[0] - limit.chi2_min
    assert rise == pytest.approx([4.61, 4.61], rel=1e-12, abs=0)
    assert (limit.g_limit < 0.7 * upper_limit(events, dataset, 4.61).g_limit).all()
    for sigma_alpha in (1e-3, 1e-6, 1e-9):
        near = upper_limit(events, altered(dataset, sigma_alpha=sigma_alpha), 4.61).g_limit
        # alpha takes sigma_alpha^2 |n|^2 of itself, n being some ten standard deviations
        assert near == pytest.approx(limit.g_limit, rel=1e3 * sigma_alpha**2 + 1e-14, abs=0)


@pytest.mark.parametrize("models", [3, 1])
def test_the_closed_form_of_toys_with_moved_penalties(models, dataset):
    """Two experiments with counts and penalties of their own: each minimised numerically, more or fewer than models."""
    events = predict(unit_model("A", [1.0, 20.0, 300.0], [10.0, 60.0, 3000.0]), dataset, AS_REDERIVED).at(slice(models))
    rng = np.random.default_rng(34)
    n_on, b_ss = rng.poisson(dataset.n_on, (2, 12)).astype(float), rng.poisson(dataset.b_ss, (2, 12)).astype(float)
    centres = {"alpha": np.array([0.3, -0.4]), "beta": np.array([-0.2, 0.5])}
    curves = gaussian(dataset).curves(events, Counts(n_on, b_ss, centres))
    assert curves.shape == (2, models)
    level = coupling_squared(events, [80.0])[0]
    got = curves.value(np.tile(level, 2)).reshape(2, models)
    for t in range(2):
        toy = altered(dataset, n_on=n_on[t], b_ss=b_ss[t])
        centre = [at[t] for at in centres.values()]
        for n, n_th in enumerate(events.total(np.sqrt(level))):
            args = (n_th, toy, (), centre)
            found = minimize(printed_chi2, centre, args=args, method="BFGS", options={"gtol": 1e-9})
            assert got[t, n] == pytest.approx(found.fun, rel=1e-12, abs=0)


def test_the_slope_is_the_derivative(dataset):
    events = predict(unit_model("A", [1.0, 300.0], [10.0, 3000.0]), dataset, AS_REDERIVED)
    curves, k = gaussian(dataset).curves(events, flat(dataset.counts)), np.arange(2)
    for level in coupling_squared(events, [1.0, 100.0, 1e4]):
        step = 1e-30j * level  # of a complex number: no difference is taken
        derivative = curves.value(level + step).imag / 1e-30
        n = events.total(np.sqrt(level)) / dataset.sigma
        b = dataset.b_on / dataset.sigma
        denominator = 1 + 0.28**2 * ((n * n).sum(-1) - (n @ b) ** 2 / (b @ b + 0.25**-2))
        # two terms that nearly cancel near a minimum
        assert 2 * curves.slope(level, k) * level == pytest.approx(derivative * denominator**2, rel=1e-10, abs=0)
