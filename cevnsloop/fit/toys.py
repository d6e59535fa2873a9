"""Toy experiments: what a statistic does when the experiment is repeated, by default chi^2 of Eq. (34).

A toy draws the counts C and AC from Poisson distributions, and the values at which the measurements of signal
normalisation and beam-on background put the minima of their penalties from Gaussian ones. Every function that draws
takes a seed: the same seed gives the same toys, on any machine and for any number of processes. Models are given the
same toys, so that curves over masses are smoother than the error of each of their points.

Eq. (34) cannot be fitted to a toy with a bin that has neither counts nor B_on, its sigma_stat being 0. `fits` gives nan
for it; what is made of many toys leaves it out, and says how many those were (`fitted`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..checks import FrozenDict, Record, frozen
from .draws import throw, throw_from, thrown
from .gaussian import gaussian
from .limits import DELTA_CHI2, flat, rise
from .search import rises

BANDS = {"-2": 0.025, "-1": 0.16, "median": 0.5, "+1": 0.84, "+2": 0.975}  # quantiles: the median, 68% and 95%


def fitted(toys, statistic):
    """Those of the Counts of toys that a statistic.Statistic can be fitted to, and the number of the others.

    Raises ValueError if there are none, as where a bin with data is empty in every toy.
    """
    refused = statistic.refused(toys)
    full = ~refused.any(-1)
    if not full.any():
        always = refused.all(0)
        bins = statistic.named(np.flatnonzero(always if always.any() else refused.any(0)))
        raise ValueError(f"none of {len(full)} toys can be fitted, sigma_stat is 0 in Eq. (34): no count in {bins}")
    return toys.at(full), np.count_nonzero(~full)


@dataclass(frozen=True, eq=False)
class Fits(Record):
    """Fits of N models to T experiments, arrays of shape (T, N).

    g_best, chi2_min   as in limits.Limit, and nan for an experiment that cannot be fitted
    g_limit            by delta_chi2, {delta: array}, likewise
    """

    g_best: np.ndarray
    chi2_min: np.ndarray
    g_limit: Mapping[float, np.ndarray]

    def __post_init__(self):
        self._keep(g_best=np.asarray(self.g_best), chi2_min=np.asarray(self.chi2_min), g_limit=_arrays(self.g_limit))


def _arrays(values):
    return FrozenDict({key: frozen(np.asarray(value)) for key, value in values.items()})


def fits(events, counts, statistic, deltas=()):
    """The Fits of N models, Events with n of shape (3, N, B), to Counts of shape (T, B), with a limit for each of
    `deltas`.

    `statistic` is a statistic.Statistic, such as gaussian(dataset).
    """
    y_best, chi2_min, y_limit = rises(events, counts, statistic, [rise(delta) for delta in deltas])
    return Fits(np.sqrt(y_best), chi2_min, dict(zip(deltas, map(np.sqrt, y_limit), strict=True)))


def excess(events, g, counts, statistic):
    """q(G) = chi^2(G) - chi2_min of N models in T experiments, shape (T, N); `g` broadcasts to that shape."""
    least, curves = fits(events, counts, statistic).chi2_min, statistic.curves(events, counts)
    y = np.broadcast_to(np.square(g), curves.shape).ravel()
    return curves.value(y).reshape(curves.shape) - least


@dataclass(frozen=True, eq=False)
class Bands(Record):
    """Limits to be expected of N models.

    g_limit    quantiles of the limits of toys, {name of BANDS: array (N,)}; inf and nan as in limits.Limit
    left_out   number of toys that cannot be fitted
    """

    g_limit: Mapping[str, np.ndarray]
    left_out: int

    def __post_init__(self):
        self._keep(g_limit=_arrays(self.g_limit))


def bands(events, dataset, delta_chi2, number, seed, statistic=gaussian):
    """The Bands of `number` toys without a signal; `statistic` as in limits.upper_limit. Raises ValueError as `fitted`
    does.
    """
    made = statistic(dataset)
    n_th = _without_signal(events)
    if dataset.templates:
        drawn = throw_from(events.at(0), 0.0, dataset, made, number, seed)
    else:
        drawn = throw(n_th, dataset, number, seed)
    toys, left_out = fitted(drawn, made)
    limits = fits(events, toys, made, [delta_chi2]).g_limit[delta_chi2]
    # the next toy above the quantile: no average with a toy that has no limit
    quantiles = np.quantile(limits, list(BANDS.values()), axis=0, method="higher")
    return Bands(dict(zip(BANDS, quantiles, strict=True)), left_out)


def _without_signal(events):
    """What is expected for G = 0, shape (B,). ValueError unless it is the same for all models."""
    if np.ptp(events.n[0], axis=0).any():
        raise ValueError("models can be given the same toys only if they expect the same without a signal")
    return events.n[0, 0]


@dataclass(frozen=True, eq=False)
class Coverage(Record):
    """How often limits hold at K couplings.

    fractions   of the toys that can be fitted, {delta: array (K,)}; nan where there is nothing to hold: without a
                signal, and for a g that is inf or nan, as limits may be
    left_out    numbers of toys that cannot be fitted, shape (K,)
    """

    fractions: Mapping[float, np.ndarray]
    left_out: np.ndarray

    def __post_init__(self):
        self._keep(fractions=_arrays(self.fractions), left_out=np.asarray(self.left_out))


def coverage(events, g, dataset, deltas, number, seed, statistic=gaussian):
    """The Coverage of toys with a signal g: how often their limits are not below it; `g` has the shape (K,).

    `events` is one model, its parts of shape (1, B). The nuisances are 0 in truth. The binomial error of a fraction f
    is sqrt(f (1 - f) / number). Raises ValueError as `fitted` does.
    """
    g, made = np.asarray(g, dtype=float), statistic(dataset)
    some = np.isfinite(g)
    fractions, left_out = {delta: np.full(len(g), np.nan) for delta in deltas}, np.zeros(len(g), dtype=int)
    for k, toys in enumerate(thrown(events, g, dataset, made, number, seed)):
        if some[k]:
            toys, left_out[k] = fitted(toys, made)
            for delta, limits in fits(events, toys, made, deltas).g_limit.items():
                fractions[delta][k] = np.where(np.isnan(limits), np.nan, limits >= g[k]).mean()
    return Coverage(fractions, left_out)


@dataclass(frozen=True, eq=False)
class FeldmanCousins(Record):
    """Acceptance of couplings by their own toys: N models, K couplings for each.

    g          couplings, shape (N, K)
    q          chi^2(g) - chi2_min of the data, shape (N, K)
    critical   quantile of the same quantity in toys made with g, shape (N, K)
    g_limit    largest coupling that is accepted, q <= critical, shape (N,); nan without a signal, but also if that is
               not inside g, or if there is no g because the data have no limit
    left_out   numbers of toys that cannot be fitted, shape (N, K)
    """

    g: np.ndarray
    q: np.ndarray
    critical: np.ndarray
    g_limit: np.ndarray
    left_out: np.ndarray

    def __post_init__(self):
        self._keep(**{name: np.asarray(getattr(self, name)) for name in ("g", "q", "critical", "g_limit", "left_out")})


FRACTIONS = frozen(np.linspace(0.4, 1.2, 9))  # of the limit that 90% of two parameters gives: where toys are made


def feldman_cousins(events, dataset, level, number, seed, statistic=gaussian):
    """Upper limits of N models, `events` of shape (N, B), with the ordering of Feldman and Cousins.

    Toys are made at each coupling with the nuisances at their best values for the data ("profiled"), and refitted.
    Accepted couplings form an interval; its upper end is the limit. It fails on one side only, so it lies above the
    true coupling more often than `level` says.

    level     confidence, between 0 and 1
    number    toys for each of the N x K couplings; the error of a critical value at level p is sqrt(p (1 - p) / number)
              over the density of q there: 0.09 for p = 0.9 and 3000 toys of chi^2 with one degree of freedom
    Raises ValueError for a level outside (0, 1), and as `fitted` and limits.upper_limit do.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be > 0 and < 1, got {level}")
    far, made = DELTA_CHI2["two parameters"], statistic(dataset)
    data = fits(events, flat(dataset.counts), made, [far])
    g = np.where(np.isfinite(data.g_limit[far][0]), data.g_limit[far][0], np.nan)[:, None] * FRACTIONS
    critical, left_out = np.full(g.shape, np.nan), np.zeros(g.shape, dtype=int)
    y = np.where(np.isnan(g), 0.0, g)[..., None] ** 2
    parts = (events.n, *(events.changes[name] for name in made.changes))
    n_th, *changes = (n[0][:, None] + y * (n[1][:, None] + y * n[2][:, None]) for n in parts)
    chi2, nuisances = made.profile(n_th, dataset.counts, dict(zip(made.changes, changes, strict=True)))
    for n in np.flatnonzero(np.isfinite(g[:, 0])):
        true = {name: values[n] for name, values in nuisances.items()}
        for k, toys in enumerate(thrown(events.at([n]), g[n], dataset, made, number, seed, true)):
            toys, left_out[n, k] = fitted(toys, made)
            critical[n, k] = np.quantile(excess(events.at([n]), g[n, k], toys, made), level)
    q = np.where(np.isnan(g), np.nan, chi2 - data.chi2_min[0][:, None])
    # sqrt(q) is nearly linear in G^2, and so is what is interpolated
    above = np.sqrt(np.maximum(q, 0)) - np.sqrt(np.maximum(critical, 0))
    y_limit = [last_crossing(*row) for row in zip(g**2, above, strict=True)]
    return FeldmanCousins(g, q, critical, np.sqrt(y_limit), left_out)


def last_crossing(x, excess):
    """x where `excess` last turns from accepted (<= 0) to excluded (> 0), interpolated linearly; nan if never."""
    turns = np.flatnonzero((excess[:-1] <= 0) & (excess[1:] > 0))
    if not len(turns) or excess[-1] <= 0:
        return np.nan
    k = turns[-1]
    return x[k] + (x[k + 1] - x[k]) * excess[k] / (excess[k] - excess[k + 1])
