"""Toy experiments: what chi^2 of Eq. (34) does when the experiment is repeated.

A toy draws the counts C and AC from Poisson distributions, and the values at which the measurements of signal
normalisation and beam-on background put the minima of their penalties from Gaussian ones. Every function that draws
takes a seed: the same seed gives the same toys, on any machine and for any number of processes. Models are given the
same toys, so that curves over masses are smoother than the error of each of their points.

A toy with a bin that has neither counts nor B_on cannot be fitted, its sigma_stat being 0. `fits` gives nan for it;
what is made of many toys leaves it out, and says how many those were (`fitted`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from .checks import FrozenDict, Record, frozen, real, sealed
from .fit import BLOCK, DELTA_CHI2, Experiments, curves, levels, named, observed, profile, search

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


def fitted(toys, dataset):
    """Those of the fit.Experiments that Eq. (34) can be fitted to, and the number of the others.

    Raises ValueError if there are none, as where a bin with data is empty in every toy.
    """
    empty = toys.n_on + toys.b_ss + dataset.b_on == 0
    full = ~empty.any(-1)
    if not full.any():
        always = empty.all(0)
        bins = named(np.flatnonzero(always if always.any() else empty.any(0)), dataset)
        raise ValueError(f"none of {len(full)} toys can be fitted, sigma_stat is 0 in Eq. (34): no count in {bins}")
    return toys.at(full), np.count_nonzero(~full)


@dataclass(frozen=True, eq=False)
class Fits(Record):
    """Fits of N models to T experiments, arrays of shape (T, N).

    g_best, chi2_min   as in fit.Limit, and nan for an experiment that cannot be fitted
    g_limit            by delta_chi2, {delta: array}, likewise
    """

    g_best: np.ndarray
    chi2_min: np.ndarray
    g_limit: Mapping[float, np.ndarray]

    def __post_init__(self):
        numbers = {name: real(name, getattr(self, name), "") for name in ("g_best", "chi2_min")}
        self._keep(**numbers, g_limit=_arrays("g_limit", self.g_limit))


def _arrays(name, values):
    return FrozenDict({key: frozen(real(name, value, "")) for key, value in values.items()})


def fits(events, experiments, dataset, deltas=()):
    """The Fits of N models, `events` of shape (N, B), to fit.Experiments, with a limit for each of `deltas`."""
    T, N = len(experiments.n_on), len(events.n_loop)
    found = np.empty((2 + len(deltas), T, N))
    for n in range(0, N, BLOCK):
        models = events.at(slice(n, n + BLOCK))
        y = levels(models, dataset)
        step = max(1, BLOCK // y.shape[1])
        for t in range(0, T, step):
            rise = search(y, curves(models, experiments.at(slice(t, t + step)), dataset), deltas)
            found[:, t : t + step, n : n + BLOCK] = np.sqrt(rise.y_best), rise.chi2_min, *map(np.sqrt, rise.y_limit)
    found = sealed(found)
    return Fits(found[0], found[1], dict(zip(deltas, found[2:], strict=True)))


def statistic(events, g, experiments, dataset):
    """q(G) = chi^2(G) - chi2_min of N models in T experiments, shape (T, N); `g` broadcasts to that shape."""
    at_truth = curves(events, experiments, dataset).chi2(np.square(g))
    return at_truth - fits(events, experiments, dataset).chi2_min


@dataclass(frozen=True, eq=False)
class Bands(Record):
    """Limits to be expected of N models.

    g_limit    quantiles of the limits of toys, {name of BANDS: array (N,)}; inf and nan as in fit.Limit
    left_out   number of toys that cannot be fitted
    """

    g_limit: Mapping[str, np.ndarray]
    left_out: int

    def __post_init__(self):
        self._keep(g_limit=_arrays("g_limit", self.g_limit))


def bands(events, dataset, delta_chi2, number, seed):
    """The Bands of `number` toys without a signal. Raises ValueError as `fitted` does."""
    toys, left_out = fitted(throw(events.n_sm, dataset, number, seed), dataset)
    limits = fits(events, toys, dataset, [delta_chi2]).g_limit[delta_chi2]
    # the next toy above the quantile: no average with a toy that has no limit
    quantiles = np.quantile(limits, list(BANDS.values()), axis=0, method="higher")
    return Bands(dict(zip(BANDS, quantiles, strict=True)), left_out)


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
        self._keep(fractions=_arrays("fractions", self.fractions), left_out=real("left_out", self.left_out, ""))


def coverage(events, g, dataset, deltas, number, seed):
    """The Coverage of toys with a signal g: how often their limits are not below it; `g` has the shape (K,).

    `events` is one model, its parts of shape (1, B). The nuisances are 0 in truth. The binomial error of a fraction f
    is sqrt(f (1 - f) / number). Raises ValueError as `fitted` does.
    """
    g = real("g", g, "")
    some, zero = np.isfinite(g), np.zeros(len(g))
    n_th = events.total(np.where(some, g, 0.0))
    fractions, left_out = {delta: np.full(len(g), np.nan) for delta in deltas}, np.zeros(len(g))
    for k, toys in enumerate(throw_each(n_th, dataset, number, seed, zero, zero)):
        if some[k]:
            toys, left_out[k] = fitted(toys, dataset)
            for delta, limits in fits(events, toys, dataset, deltas).g_limit.items():
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
    Raises ValueError for a level outside (0, 1), and as `fitted` and fit.usable do.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be > 0 and < 1, got {level}")
    far = DELTA_CHI2["two parameters"]
    data = fits(events, observed(dataset), dataset, [far])
    g = np.where(np.isfinite(data.g_limit[far][0]), data.g_limit[far][0], np.nan)[:, None] * FRACTIONS
    critical, left_out = np.full(g.shape, np.nan), np.zeros(g.shape)
    n_th = np.stack([events.total(column) for column in np.where(np.isnan(g), 0.0, g).T], axis=1)
    chi2, alpha, beta = profile(n_th, dataset)
    for n in np.flatnonzero(np.isfinite(g[:, 0])):
        for k, toys in enumerate(throw_each(n_th[n], dataset, number, seed, alpha[n], beta[n])):
            toys, left_out[n, k] = fitted(toys, dataset)
            critical[n, k] = np.quantile(statistic(events.at([n]), g[n, k], toys, dataset), level)
    q = np.where(np.isnan(g), np.nan, chi2 - data.chi2_min[0][:, None])
    # sqrt(q) is nearly linear in G^2, and so is what is interpolated
    excess = np.sqrt(np.maximum(q, 0)) - np.sqrt(np.maximum(critical, 0))
    y_limit = [_last_crossing(*row) for row in zip(g**2, excess, strict=True)]
    return FeldmanCousins(g, q, critical, np.sqrt(y_limit), left_out)


def _last_crossing(x, excess):
    """x where `excess` last turns from accepted (<= 0) to excluded (> 0), interpolated linearly; nan if never."""
    turns = np.flatnonzero((excess[:-1] <= 0) & (excess[1:] > 0))
    if not len(turns) or excess[-1] <= 0:
        return np.nan
    k = turns[-1]
    return x[k] + (x[k + 1] - x[k]) * excess[k] / (excess[k] - excess[k + 1])
