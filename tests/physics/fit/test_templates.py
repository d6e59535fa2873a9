"""The Poisson likelihood with known templates: its definition in mpmath, and Minuit with all nuisances free."""

import mpmath as mp
import numpy as np
import pytest
from fitting import AS_PUBLISHED, predict
from iminuit import Minuit
from scipy.stats import poisson as scipy_poisson

from cevnsloop.fit.limits import upper_limit
from cevnsloop.fit.templates import FLOOR, templates
from cevnsloop.model import unit_model

EPS = np.finfo(float).eps


def minus_two_ln(n_on, mu):
    """-2 ln of the Poisson probability, above that of mu = n_on."""
    return -2 * (scipy_poisson.logpmf(n_on, mu) - scipy_poisson.logpmf(n_on, n_on))


@pytest.mark.parametrize("n_on", [0.0, 1.0, 7.0, 400.0])
@pytest.mark.parametrize("s", [-3e-3, 0.0, 5e-4, 0.3, 6.9, 1e4])
def test_a_bin_is_the_function_of_its_definition_and_its_derivatives(n_on, s, dataset):
    """In mpmath, below the floor with the parabola written as Taylor's series of the logarithm, and one more."""

    def f(mu):
        bowl = mp.mpf(FLOOR) * ((mu - mp.mpf(FLOOR)) / mp.mpf(FLOOR)) ** 2 if mu < FLOOR else 0
        log = mp.log(mu) if mu >= FLOOR else mp.polyval(mp.taylor(mp.log, mp.mpf(FLOOR), 2)[::-1], mu - mp.mpf(FLOOR))
        return bowl + 2 * (mu - n_on - n_on * log + (n_on * mp.log(n_on) if n_on else 0))

    with mp.workdps(60):
        derivatives = [f(mp.mpf(s)), -mp.diff(f, mp.mpf(s)) / 2, mp.diff(f, mp.mpf(s), 2) / 2]
        expected = np.array([float(one) for one in derivatives])
    found = np.array(templates(dataset).terms(np.array([[s]]), np.array([[n_on]]), 0.0)).ravel()
    # f is a difference of its parts: mu, n_on and n_on ln; 3 roundings of each
    size = np.array([2 * (abs(s) + n_on + abs(expected[0])), 1 + abs(expected[1]), abs(expected[2])])
    # at the floor itself mp.diff looks to both sides, where the third derivative differs: not among the points
    assert (abs(found - expected) <= 8 * EPS * size).all(), (found, expected)


def test_less_than_nothing_is_no_way_to_fit_a_bin_without_counts(dataset):
    """2 mu alone falls without end below 0; f does not, and is smallest where nothing is expected."""
    s = np.array([[-1.0, -1e-3, 0.0, 1e-3]])
    value, slope, _ = templates(dataset).terms(s, np.zeros((1, 4)), 0.0)
    assert (value >= 0).all(), value
    assert value[0].argmin() == 2
    assert (slope[0, :2] > 0).all()
    assert slope[0, 3] == pytest.approx(-1, rel=1e-12, abs=0)


@pytest.mark.parametrize("factor", [0.0, 1.0, 3.0])
def test_minuit_finds_the_same_minimum(factor, dataset):
    events = predict(unit_model("A", 10.0, 100.0), dataset, AS_PUBLISHED)
    n_th = events.total(factor * upper_limit(events, dataset, 4.61).g_limit)
    widths = np.array([dataset.sigma_alpha, *(one.sigma for one in dataset.backgrounds.values())])

    def printed(x):
        beam = sum((1 + b) * one.events for b, one in zip(x[1:], dataset.backgrounds.values(), strict=True))
        mu = dataset.b_ss + (1 + x[0]) * n_th + beam
        return minus_two_ln(dataset.n_on, mu).sum() + ((x / widths) ** 2).sum()

    fit = Minuit(printed, np.zeros(len(widths)))
    fit.limits, fit.errordef, fit.strategy, fit.tol = [(-1, None)] * len(widths), 1, 2, 1e-6
    fit.migrad()
    value, nuisances = templates(dataset).profile(n_th, dataset.counts)
    assert fit.valid, fit
    # Minuit stops 0.002 tol above the minimum as it estimates it, and a hundred times that at worst; the value of
    # -2 ln is a difference of logarithms of size 100
    assert -1e-9 <= fit.fval - value <= 1e-6, (fit.fval, value)
    np.testing.assert_allclose(list(nuisances.values()), list(fit.values), atol=1e-3 * widths.max())


def test_the_slope_of_the_profile_is_that_of_its_values(dataset):
    """The derivative along G^2 that the search uses, against central differences of the value."""
    events = predict(unit_model("A", 10.0, 100.0), dataset, AS_PUBLISHED)
    statistic, g = templates(dataset), 4e-8
    by_n, _ = statistic.gradient(events.total(g), dataset.counts)
    y, h = g**2, 1e-5
    values = [statistic.profile(events.total(np.sqrt(y * (1 + sign * h))), dataset.counts)[0] for sign in (1, -1)]
    rise = (by_n * (events.n[1] + 2 * y * events.n[2])).sum() * y
    # the error of the difference is h^2 of it, its rounding 1e-14 * value / h
    np.testing.assert_allclose((values[0] - values[1]) / (2 * h), rise, rtol=1e-6)
