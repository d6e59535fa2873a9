"""What the tests of the fit share: data sets with other numbers, and Eq. (34) term by term."""

from dataclasses import replace

import numpy as np

from cevnsloop.amplitudes.quarks import PUBLISHED, REDERIVED
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.experiments.dataset import Background
from cevnsloop.rates import events
from cevnsloop.rates.events import Events

AS_PUBLISHED, AS_REDERIVED = Theory(PUBLISHED), Theory(REDERIVED)


def predict(model, dataset, theory):
    return events.predict(model, dataset.experiment, theory)


def sm_events(dataset, theory=AS_PUBLISHED):
    return events.sm_events(dataset.experiment, theory)


def polynomial(n_sm, linear, quadratic):
    """Events from what is expected without a signal, shape (B,), and the coefficients of G^2 and G^4, (..., B)."""
    return Events(np.stack(np.broadcast_arrays(n_sm, linear, quadratic)))


def altered(dataset, sigma_alpha=None, b_on=None, sigma_beta=None, **counts):
    """`dataset` with another background of the beam, other uncertainties or other fields of its Counts."""
    beam = dataset.backgrounds["beta"]
    events, sigma = (old if new is None else new for new, old in ((b_on, beam.events), (sigma_beta, beam.sigma)))
    return replace(
        dataset,
        counts=replace(dataset.counts, **counts),
        sigma_alpha=dataset.sigma_alpha if sigma_alpha is None else sigma_alpha,
        backgrounds={"beta": Background(events, sigma)},
    )


def printed_chi2(nuisances, n_th, dataset, changes=(), centre=(0.0, 0.0)):
    """Eq. (34) from alpha, beta and one theta for each of `changes`; the minima of the penalties moved to `centre`."""
    alpha, beta, *theta = nuisances
    total = ((alpha - centre[0]) / dataset.sigma_alpha) ** 2 + ((beta - centre[1]) / 0.25) ** 2
    total += sum(t**2 for t in theta)
    for i in range(len(n_th)):
        expected = n_th[i] * (1 + alpha) + dataset.b_on[i] * (1 + beta)
        expected += sum(t * d[i] for t, d in zip(theta, changes, strict=True))
        total += (dataset.n_obs[i] - expected) ** 2 / (dataset.n_obs[i] + 2 * dataset.b_ss[i] + dataset.b_on[i])
    return total
