"""Counts of experiments that are only thought: Poisson about what is expected, with nuisances measured anew."""

import numpy as np

from ..checks import FrozenDict, finite, shaped
from ..experiments.dataset import Counts


def throw(n_th, dataset, number, seed, nuisances=FrozenDict()):  # noqa: B008, nobody can change it
    """Counts of `number` toys with the signal n_th, shape (B,); `nuisances` are the true ones, {name: value}, 0 if
    not there.

    C is Poisson about AC_data + (1 + alpha) n_th + (1 + beta) B_on, AC about AC_data; the minima of the penalties are
    Gaussian about the true nuisances. `seed` is what numpy.random.default_rng takes.
    Raises ValueError if n_th has another shape, a mean is negative or number < 1.
    """
    if number < 1:
        raise ValueError(f"number must be >= 1, got {number}")
    n_th = shaped("n_th", finite("n_th", n_th, ""), dataset.b_ss.shape)
    rng, widths = np.random.default_rng(seed), {"alpha": dataset.sigma_alpha}
    widths |= {name: one.sigma for name, one in dataset.backgrounds.items()}
    truth = {name: float(nuisances.get(name, 0.0)) for name in widths}
    beam = sum((1 + truth[name]) * one.events for name, one in dataset.backgrounds.items())
    mean = dataset.b_ss + (1 + truth["alpha"]) * n_th + beam
    if not np.all(mean >= 0):
        nuisances = ", ".join(f"{name} {value}" for name, value in truth.items())
        raise ValueError(f"the mean count of a bin must be >= 0, got {mean.min():.4g} for {nuisances}")
    shape = (number, len(mean))
    n_on, b_ss = rng.poisson(mean, shape).astype(float), rng.poisson(dataset.b_ss, shape).astype(float)
    return Counts(n_on, b_ss, {name: rng.normal(truth[name], width, number) for name, width in widths.items()})


def throw_from(events, g, dataset, statistic, number, seed, nuisances=FrozenDict()):  # noqa: B008
    """Counts of `number` toys of one model at the coupling g, Events of shape (3, B), for any statistic.Statistic.

    `nuisances` are the true ones, {name: value}, 0 if not there; the minima of their penalties are Gaussian about them.
    The mean of a count is what the statistic expects, but no less than 0; data without anticoincidence
    counts draw none. Raises ValueError if number < 1.
    """
    if number < 1:
        raise ValueError(f"number must be >= 1, got {number}")
    rng, y = np.random.default_rng(seed), np.square(g)
    parts = np.stack([events.n, *(events.changes[name] for name in statistic.changes)])
    signal = parts[:, 0] + y * (parts[:, 1] + y * parts[:, 2])
    truth = np.array([float(nuisances.get(name, 0.0)) for name in statistic.names])
    excess = np.tensordot(statistic.none + truth, statistic.vectors(signal[..., None])[..., 0], 1)
    mean = np.maximum(dataset.b_ss + excess, 0.0)
    shape = (number, len(mean))
    n_on, b_ss = rng.poisson(mean, shape).astype(float), rng.poisson(dataset.b_ss, shape).astype(float)
    widths = zip(statistic.names, truth, statistic.sigmas, strict=True)
    return Counts(n_on, b_ss, {name: rng.normal(true, width, number) for name, true, width in widths})


def thrown(events, g, dataset, statistic, number, seed, nuisances=FrozenDict()):  # noqa: B008
    """`number` toys of one model, Events of shape (3, 1, B), for each of the couplings g (K,) in turn, with the true
    nuisances {name: (K,)}: K times Counts.
    """
    g = np.where(np.isfinite(g), g, 0.0)
    if not dataset.templates:
        yield from throw_each(events.total(g[:, None])[:, 0], dataset, number, seed, nuisances)
        return
    for k, one in enumerate(g):
        true = {name: values[k] for name, values in nuisances.items()}
        yield throw_from(events.at(0), one, dataset, statistic, number, [seed, k + 1], true)


def throw_each(n_th, dataset, number, seed, nuisances):
    """`number` toys for each of K signals in turn, n_th (K, B) with nuisances {name: (K,)}: K times Counts."""
    for k, n in enumerate(n_th):  # [seed, 0] would be the same as seed alone
        yield throw(n, dataset, number, [seed, k + 1], {name: values[k] for name, values in nuisances.items()})
