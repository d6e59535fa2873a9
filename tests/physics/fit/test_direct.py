"""Limits by another way from end to end: integrals one by one, nuisances minimised numerically, a scalar root."""

import numpy as np
import pytest

from cevnsloop.amplitudes.quarks import PUBLISHED, loop_coefficients
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.fit.limits import upper_limit
from cevnsloop.model import unit_model
from cevnsloop.rates.events import predict
from cevnsloop.referees import events as reference_events

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
