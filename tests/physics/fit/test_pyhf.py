"""The Poisson likelihood as a HistFactory model, fitted by pyhf: another definition, another minimiser.

Coincidence and anticoincidence are two channels that share a free steady-state rate in every bin, a shapefactor. alpha
and beta are interpolations of code 0 between one standard deviation down and up, linear as they are here, with Gaussian
constraints; so are the nuisances that change shapes. The signal is that of a fixed G.
"""

import numpy as np
import pyhf
import pytest
from fitting import AS_PUBLISHED, AS_REDERIVED, predict
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import poisson as poisson_law

from cevnsloop.checks import FrozenDict
from cevnsloop.fit.limits import upper_limit
from cevnsloop.fit.poisson import poisson
from cevnsloop.fit.shapes import PARTS, predict_open, sigma_alpha_left
from cevnsloop.model import unit_model

# pyhf 0.7.6 checks its models in a way that jsonschema wants to give up
pytestmark = pytest.mark.filterwarnings("ignore:jsonschema.RefResolver is deprecated:DeprecationWarning")

DELTA = 4.61
POINTS = {
    "tree": ("A", 1.0, 10.0, AS_PUBLISHED),
    "a third tree, loops the rest": ("A", 1.6, 3.2, AS_PUBLISHED),
    "tree at its threshold, a signal fits best": ("A", 52.8, 105.6, AS_PUBLISHED),
    "loops with interference": ("A", 60.0, 120.0, AS_REDERIVED),
    "loops": ("B", 53.0, 106.0, AS_PUBLISHED),
    "loops with interference, light": ("B", 10.0, 20.0, AS_REDERIVED),
}


@pytest.fixture(scope="module", autouse=True)
def backend():
    """Minuit stops 0.002 tolerance above the minimum, 2e-8 in q."""
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(tolerance=1e-5, strategy=1), default=False)
    yield
    pyhf.set_backend("numpy", "scipy")


def moved(nuisance, events, change):
    """A nuisance that adds to events `change` times a number with a constraint of unit width."""
    edges = {"hi_data": list(events + change), "lo_data": list(events - change)}
    return {"name": nuisance, "type": "histosys", "data": edges}


def q(n_th, dataset, changes=FrozenDict(), sigma_alpha=0.28):  # noqa: B008
    """The statistic of pyhf's best fit, and its nuisances in units of their widths."""
    free = {"name": "rate", "type": "shapefactor", "data": None}
    steady = {"name": "steady", "data": [1.0] * len(n_th), "modifiers": [free]}
    shapes = [moved(name, n_th, change) for name, change in changes.items()]
    signal = {"name": "signal", "data": list(n_th), "modifiers": [moved("alpha", n_th, sigma_alpha * n_th), *shapes]}
    beam = [moved("beta", dataset.b_on, 0.25 * dataset.b_on)]
    neutrons = {"name": "neutrons", "data": list(dataset.b_on), "modifiers": beam}
    counts = {"coincidence": dataset.n_on, "anticoincidence": dataset.b_ss}
    samples = {"coincidence": [signal, neutrons, steady], "anticoincidence": [steady]}
    channels = [{"name": name, "samples": those} for name, those in samples.items()]
    linear = {"histosys": {"interpcode": "code0"}, "normsys": {"interpcode": "code1"}}
    model = pyhf.Model({"channels": channels}, poi_name=None, modifier_settings=linear)
    data = np.concatenate([*(counts[name] for name in model.config.channels), model.config.auxdata])
    start, bounds = np.array(model.config.suggested_init()), model.config.suggested_bounds()
    rates = model.config.par_slice("rate")
    start[rates], bounds[rates] = dataset.b_ss, [(1e-3, 500.0)] * len(n_th)
    best, fitted = pyhf.infer.mle.fit(data, model, list(start), bounds, return_fitted_val=True)
    # every expectation equal to its count, and no pull: what the ratio of likelihoods is taken to
    names = ["alpha", "beta", *changes]
    perfect = -2 * sum(poisson_law.logpmf(c, c).sum() for c in counts.values()) + len(names) * np.log(2 * np.pi)
    return float(fitted - perfect), {name: best[model.config.par_slice(name)][0] for name in names}


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 1.3])
@pytest.mark.parametrize("names", [(), tuple(PARTS)], ids=["Eq. 34", "opened"])
@pytest.mark.parametrize("point", POINTS)
def test_pyhf_finds_the_same_minimum(point, names, factor, dataset):
    """With the nuisances of Eq. (34), and with all that sigma_alpha stands for opened."""
    case, m_chi, m_zp, theory = POINTS[point]
    events = predict_open(unit_model(case, m_chi, m_zp), dataset, theory, names)
    y = (factor * upper_limit(events, dataset, DELTA, poisson).g_limit) ** 2
    n_th, *changes = (c[0] + y * c[1] + y**2 * c[2] for c in (events.n, *events.changes.values()))
    changes, left = dict(zip(events.changes, changes, strict=True)), sigma_alpha_left(dataset, names)
    statistic = poisson(dataset, tuple(changes), left)
    value, nuisances = statistic.profile(n_th, dataset.counts, changes)
    found, pulls = q(n_th, dataset, changes, left)
    # what Minuit may leave above the minimum, and the nuisances as the root of that
    assert value == pytest.approx(found, rel=1e-7, abs=0)
    for name, sigma in zip(statistic.names, statistic.sigmas, strict=True):
        assert abs(nuisances[name] / sigma - pulls[name]) < 1e-3, name


@pytest.mark.parametrize("point", POINTS)
def test_pyhf_finds_the_same_limit(point, dataset):
    """Where pyhf's own q has risen by 4.61 above its smallest value over all G."""
    case, m_chi, m_zp, theory = POINTS[point]
    events = predict(unit_model(case, m_chi, m_zp), dataset, theory)
    limit = upper_limit(events, dataset, DELTA, poisson)

    def at(y):
        """q at y = G^2 / G_limit^2."""
        return q(events.total(np.sqrt(y) * limit.g_limit), dataset)[0]

    y = np.array([0.0, 0.02, 0.06, 0.12, 0.25, 0.5])
    seen = [at(one) for one in y]
    k = int(np.argmin(seen))
    lowest = seen[0] if k == 0 else minimize_scalar(at, method="bounded", bounds=(y[k - 1], y[k + 1])).fun
    assert limit.chi2_min == pytest.approx(lowest, rel=1e-7, abs=0)
    assert (k == 0) == (limit.g_best == 0)
    root = brentq(lambda y: at(y) - lowest - DELTA, 0.98, 1.02, xtol=1e-8)
    assert np.sqrt(root) == pytest.approx(1, rel=1e-5, abs=0)
