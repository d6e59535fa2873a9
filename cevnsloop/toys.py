"""Toy experiments: what chi^2 of Eq. (34) does when the experiment is repeated.

A toy draws the counts C and AC from Poisson distributions, and the values at which the measurements of signal
normalisation and beam-on background put the minima of their penalties from Gaussian ones. Every function that draws
takes a seed: the same seed gives the same toys, on any machine and for any number of processes. Models are given the
same toys, so that curves over masses are smoother than the error of each of their points.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from .checks import FrozenDict, Record, frozen, real, sealed
from .fit import BLOCK, DELTA_CHI2, SIGNALS, Experiments, chi2_at, coupling_squared, curves, observed, profile, search

BANDS = {"-2": 0.025, "-1": 0.16, "median": 0.5, "+1": 0.84, "+2": 0.975}  # quantiles: the median, 68% and 95%


def throw(n_th, dataset, number, seed, alpha=0.0, beta=0.0):
    """`number` fit.Experiments with the signal n_th, shape (B,), the nuisances being alpha and beta in truth.

    C is Poisson about AC_data + (1 + alpha) n_th + (1 + beta) B_on, AC about AC_data; the minima of the penalties are
    Gaussian about alpha and beta. `seed` is what numpy.random.default_rng takes.
    Raises ValueError if a mean is negative or number < 1.
    """
    if number < 1:
        raise ValueError(f"number must be >= 1, got {number}")
    rng = np.random.default_rng(seed)
    mean = dataset.b_ss + (1 + alpha) * n_th + (1 + beta) * dataset.b_on
    if not np.all(mean >= 0):
        raise ValueError(f"the mean count of a bin must be >= 0, got {mean.min():.4g} for alpha {alpha}, beta {beta}")
    shape = (number, len(mean))
    return Experiments(
        sealed(rng.poisson(mean, shape).astype(float)),  # a million toys are not copied
        sealed(rng.poisson(dataset.b_ss, shape).astype(float)),
        rng.normal(alpha, dataset.sigma_alpha, number),
        rng.normal(beta, dataset.sigma_beta, number),
    )


def throw_each(n_th, dataset, number, seed, alpha, beta):
    """`number` toys for each of K signals in turn, n_th (K, B) with alpha and beta (K,): K times fit.Experiments."""
    signals = enumerate(zip(n_th, alpha, beta, strict=True), start=1)  # [seed, 0] would be the same as seed alone
    return (throw(n, dataset, number, [seed, k], *nuisances) for k, (n, *nuisances) in signals)


@dataclass(frozen=True, eq=False)
class Fits(Record):
    """Fits of N models to T experiments, arrays of shape (T, N).

    g_best, chi2_min   as in fit.Limit
    g_limit            by delta_chi2, {delta: array}; inf where chi^2 never rises that far
    """

    g_best: np.ndarray
    chi2_min: np.ndarray
    g_limit: Mapping[float, np.ndarray]

    def __post_init__(self):
        g_limit = {delta: frozen(real("g_limit", limits, "")) for delta, limits in self.g_limit.items()}
        numbers = {name: real(name, getattr(self, name), "") for name in ("g_best", "chi2_min")}
        self._keep(**numbers, g_limit=FrozenDict(g_limit))


def fits(events, experiments, dataset, deltas=()):
    """The Fits of N models, `events` of shape (N, B), to fit.Experiments, with a limit for each of `deltas`."""
    T, N = len(experiments.n_on), len(events.n_loop)
    found = np.empty((2 + len(deltas), T, N))
    for n in range(0, N, BLOCK):
        models = events.at(slice(n, n + BLOCK))
        y = coupling_squared(models, SIGNALS)
        step = max(1, BLOCK // y.shape[1])
        for t in range(0, T, step):
            rise = search(y, curves(models, experiments.at(slice(t, t + step)), dataset), deltas)
            found[:, t : t + step, n : n + BLOCK] = np.sqrt(rise.y_best), rise.chi2_min, *map(np.sqrt, rise.y_limit)
    found = sealed(found)
    return Fits(found[0], found[1], dict(zip(deltas, found[2:], strict=True)))


def statistic(events, g, experiments, dataset):
    """q(G) = chi^2(G) - chi2_min of N models in T experiments, shape (T, N); `g` broadcasts to that shape."""
    at_truth = chi2_at(np.square(g), *curves(events, experiments, dataset))
    return at_truth - fits(events, experiments, dataset).chi2_min


def bands(events, dataset, delta_chi2, number, seed):
    """Limits to be expected without a signal: quantiles over `number` toys, {name of BANDS: array (N,)}."""
    toys = throw(events.n_sm, dataset, number, seed)
    limits = fits(events, toys, dataset, [delta_chi2]).g_limit[delta_chi2]
    # the next toy above the quantile: no average with a toy that has no limit
    quantiles = np.quantile(limits, list(BANDS.values()), axis=0, method="higher")
    return dict(zip(BANDS, quantiles, strict=True))


def coverage(events, g, dataset, deltas, number, seed):
    """How often the limits of toys with a signal g lie above it: {delta: fractions}, `g` and fractions of shape (K,).

    `events` is one model, its parts of shape (1, B). The nuisances are 0 in truth. The binomial error of a fraction f
    is sqrt(f (1 - f) / number).
    """
    g = real("g", g, "")
    zero = np.zeros(len(g))
    every = throw_each(events.total(g), dataset, number, seed, zero, zero)
    covered = {delta: np.empty(len(g)) for delta in deltas}
    for k, (truth, toys) in enumerate(zip(g, every, strict=True)):
        for delta, limits in fits(events, toys, dataset, deltas).g_limit.items():
            covered[delta][k] = np.mean(limits >= truth)
    return covered


@dataclass(frozen=True, eq=False)
class FeldmanCousins(Record):
    """Acceptance of couplings by their own toys: N models, K couplings for each.

    g          couplings, shape (N, K)
    q          chi^2(g) - chi2_min of the data, shape (N, K)
    critical   quantile of the same quantity in toys made with g, shape (N, K)
    g_limit    largest coupling that is accepted, q <= critical, shape (N,); nan if that is not inside g
    """

    g: np.ndarray
    q: np.ndarray
    critical: np.ndarray
    g_limit: np.ndarray

    def __post_init__(self):
        self._keep(**{field.name: real(field.name, getattr(self, field.name), "") for field in fields(self)})


FRACTIONS = frozen(np.linspace(0.4, 1.2, 9))  # of the limit that 90% of two parameters gives: where toys are made


def feldman_cousins(events, dataset, level, number, seed):
    """Upper limits of N models, `events` of shape (N, B), with the ordering of Feldman and Cousins.

    Toys are made at each coupling with the nuisances at their best values for the data ("profiled"), and refitted.
    Accepted couplings form an interval; its upper end is the limit. It fails on one side only, so it lies above the
    true coupling more often than `level` says.

    level     confidence, between 0 and 1
    number    toys for each of the N x K couplings; the error of a critical value at level p is sqrt(p (1 - p) / number)
              over the density of q there: 0.09 for p = 0.9 and 3000 toys of chi^2 with one degree of freedom
    Raises ValueError for a level outside (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be > 0 and < 1, got {level}")
    far = DELTA_CHI2["two parameters"]
    data = fits(events, observed(dataset), dataset, [far])
    g = data.g_limit[far][0][:, None] * FRACTIONS
    n_th = np.stack([events.total(column) for column in g.T], axis=1)
    chi2, alpha, beta = profile(n_th, dataset)
    q = chi2 - data.chi2_min[0][:, None]
    critical = np.empty_like(q)
    for n in range(len(g)):
        for k, toys in enumerate(throw_each(n_th[n], dataset, number, seed, alpha[n], beta[n])):
            critical[n, k] = np.quantile(statistic(events.at([n]), g[n, k], toys, dataset), level)
    # sqrt(q) is nearly linear in G^2, and so is what is interpolated
    excess = np.sqrt(np.maximum(q, 0)) - np.sqrt(critical)
    y_limit = [_last_crossing(*row) for row in zip(g**2, excess, strict=True)]
    return FeldmanCousins(g, q, critical, np.sqrt(y_limit))


def _last_crossing(x, excess):
    """x where `excess` last turns from accepted (<= 0) to excluded (> 0), interpolated linearly; nan if never."""
    turns = np.flatnonzero((excess[:-1] <= 0) & (excess[1:] > 0))
    if not len(turns) or excess[-1] <= 0:
        return np.nan
    k = turns[-1]
    return x[k] + (x[k + 1] - x[k]) * excess[k] / (excess[k] - excess[k + 1])
