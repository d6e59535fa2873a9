"""What counts say of a signal: a statistic, -2 ln L but for a constant, at its minimum over the nuisances.

A `Statistic` is a sum over bins of a function of the excess that is expected over the steady state,

    s_i = (1 + alpha) n_i + sum_j (1 + beta_j) b_ij + sum_k theta_k d_ik,

and a Gaussian penalty for each nuisance: alpha moves the signal n, beta_j the background b_j of the beam, and theta_k
counts standard deviations of an ingredient, d_k being what one of them changes (Events.changes). Everything is linear
in the unknowns x = (1 + alpha, 1 + beta_j, theta_k), so a kind of statistic says only what one bin contributes:
gaussian.py has Eq. (34), with its minimum in closed form, poisson.py the likelihood of the counts. Any other is
minimised by newton.py. together.py adds the statistics of different data.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..checks import FrozenDict, Record, instance, non_negative, number, real, shaped
from ..experiments.dataset import Background, Experiment
from .newton import newton, shapes_of
from .profiled import Profiled

FLOATS = 2**14  # K B P of the points P whose nuisances are fitted together: what one step holds then fits a cache
LEAST = 32  # points together however many bins there are: fewer cost more calls than the cache saves


class Minimum(NamedTuple):
    """A statistic at its minimum over K nuisances, at P points of B bins.

    value   of the statistic, shape (P,)
    x       1 + alpha, 1 + beta_j, theta_k, shape (K, P)
    lam     minus half the derivative of the statistic by the excess s_i, shape (B, P)
    state   what the fit of points nearby can start from, shape (..., P)
    """

    value: np.ndarray
    x: np.ndarray
    lam: np.ndarray
    state: np.ndarray


class Statistic(Record):
    """What all statistics share. One of its own has

    names     of its K nuisances
    sigmas    widths of their penalties, shape (K,)
    none      x without any nuisance, shape (K,): 1 for alpha and beta_j, 0 for theta_k
    bounded   which x cannot be negative, shape (K,)
    changes   names of the theta_k
    b_on      all backgrounds of the beam, shape (B,)
    needs     what a bin must have, in words
    every     how many of search.SIGNALS it takes at once: more than 1 if it costs much and bends slowly

    and the methods that raise NotImplementedError here. Where it computes, bins come before points: sums over bins are
    quick then.
    """

    needs, every = "", 1

    def vectors(self, signal):
        """What s is linear in, shape (K, B, P), for signal and changes of shape (1 + changes, B, P)."""
        raise NotImplementedError

    def of_signal(self, x):
        """What the signal and its changes are multiplied by, shape (1 + changes, B or 1, P), for x (K, P)."""
        raise NotImplementedError

    def terms(self, s, n_on, b_ss):
        """f(s), -f'(s) / 2 and f''(s) / 2 of each bin with the excess s, all of shape (B, P)."""
        raise NotImplementedError

    def named(self, bins):
        """Some of the B bins, by their flat indices, for a message."""
        raise NotImplementedError

    def refused(self, counts):
        """Bins of the Counts that cannot be used, shape (..., B)."""
        return np.zeros(counts.n_on.shape, dtype=bool)

    def meet(self, events, counts):
        """Raise ValueError if Events or Counts have other bins than the statistic."""
        bins = (..., len(self.b_on))
        shaped("events", events.n, bins)
        shaped("n_on", counts.n_on, bins)

    def check(self, counts):
        """Raise ValueError if these Counts have other bins, or, naming them, bins that cannot be used."""
        shaped("n_on", counts.n_on, (..., len(self.b_on)))
        refused = self.refused(counts).reshape(-1, counts.n_on.shape[-1]).any(0)
        if refused.any():
            raise ValueError(f"{self.needs} in {self.named(np.flatnonzero(refused))}")

    def pieces(self, signal):
        """A signal and its changes, shape (1 + changes, B, ...), in a tuple: of each data set those that concern it."""
        return (signal,)

    def shapes(self, pieces):
        """What newton.newton needs of a signal in pieces, with the backgrounds."""
        return shapes_of(self.vectors(*pieces), self.sigmas)

    def along(self, pieces, x, lam):
        """Sum over bins of what a signal in pieces adds to the excess, with the nuisances x, times lam: shape (P,)."""
        return (lam * (self.of_signal(x) * pieces[0]).sum(0)).sum(0)

    def minimum(self, pieces, n_on, b_ss, centre, start=None):
        """The Minimum for a signal in pieces, counts (B, P), and the x where the penalties vanish, (K, P); `start` as
        in newton.newton.
        """
        return Minimum(*newton(self, self.shapes(pieces), n_on, b_ss, centre, start))

    def centre(self, counts):
        """x where the penalties of these Counts vanish, shape (K, ...)."""
        return np.stack([one + counts.centre(name) for one, name in zip(self.none, self.names, strict=True)])

    def profile(self, n_th, counts, changes=FrozenDict()):  # noqa: B008, nobody can change it
        """The statistic at its minimum over the nuisances, shape (...), and these, {name: (...)}.

        n_th has the shape (..., B), as has each of the changes {name: d_k}; Counts broadcast to them. nan passes
        through. Raises ValueError for other shapes, for a change too many or too few, and as `check` does.
        """
        found, shape = self._minima(n_th, counts, changes)
        # [()] makes numbers of arrays without axes
        nuisances = [(x - none).reshape(shape)[()] for x, none in zip(found.x, self.none, strict=True)]
        return found.value.reshape(shape)[()], dict(zip(self.names, nuisances, strict=True))

    def gradient(self, n_th, counts, changes=FrozenDict()):  # noqa: B008
        """Derivatives of the profiled statistic by n_th, shape (..., B), and by each of the changes, {name: (..., B)}.

        At the minimum the nuisances' own change drops out. Arguments and errors as for `profile`.
        """
        found, shape = self._minima(n_th, counts, changes)
        slopes = np.moveaxis(-2 * self.of_signal(found.x) * found.lam, 1, -1)
        by_n, *by_changes = slopes.reshape(len(slopes), *shape, -1)
        return by_n, dict(zip(self.changes, by_changes, strict=True))

    def _minima(self, n_th, counts, changes):
        """The Minimum at all points, and their shape (...)."""
        if sorted(changes) != sorted(self.changes):
            raise ValueError(f"changes must be those of {_listed(self.changes)}, got {_listed(changes)}")
        bins, parts = (..., len(self.b_on)), {"n_th": n_th} | {name: changes[name] for name in self.changes}
        self.check(counts)
        signal = [shaped(name, real(name, a, ""), bins) for name, a in parts.items()]
        shape = np.broadcast_shapes(counts.n_on.shape, *(part.shape for part in signal))
        *signal, n_on, b_ss = (_points(a, shape) for a in (*signal, counts.n_on, counts.b_ss))
        centre = np.stack([np.broadcast_to(at, shape[:-1]).ravel() for at in self.centre(counts)])
        arrays = np.stack(signal), n_on, b_ss, centre
        found = []
        for here in self.blocks(centre.shape[1]):
            signal, *others = (a[..., here] for a in arrays)
            found.append(self.minimum(self.pieces(signal), *others))
        return Minimum(*(np.concatenate(parts, axis=-1) for parts in zip(*found, strict=True))), shape[:-1]

    def blocks(self, points):
        """Slices of so many points whose nuisances are fitted together; one of nothing if there are none."""
        step = max(LEAST, FLOATS // (len(self.names) * len(self.b_on)))
        return [slice(start, start + step) for start in range(0, max(points, 1), step)]

    def curves(self, events, counts):
        """The search.Curves of N models, Events with n of shape (3, N, B), for T experiments, Counts of shape (T, B).

        Raises ValueError for Events without the changes that are among the nuisances.
        """
        return Profiled(self, events, counts)


def _listed(names):
    return ", ".join(names) or "none"


def _points(a, shape):
    """An array that broadcasts to `shape` (..., B) as (B, P)."""
    return np.ascontiguousarray(np.broadcast_to(a, shape).reshape(-1, shape[-1]).T)


@dataclass(frozen=True, eq=False)
class Binned(Statistic):
    """The statistic of the B bins of one experiment.

    experiment    the dataset.Experiment whose bins these are
    sigma_alpha   relative uncertainty of the signal
    backgrounds   of the beam, {name of the nuisance: dataset.Background}
    changes       names of the nuisances that change signal and background together, of unit width
    alpha         name of the nuisance of the signal

    A kind of statistic has `terms`, and `positive` says whether signal and backgrounds cannot be negative: then
    1 + alpha and 1 + beta are bounded.

    Raises ValueError for other types and shapes, a negative uncertainty, or a name that is there twice.
    """

    experiment: Experiment
    sigma_alpha: float
    backgrounds: Mapping[str, Background]
    changes: tuple[str, ...] = ()
    alpha: str = "alpha"

    positive = True

    def __post_init__(self):
        bins = (instance("experiment", self.experiment, Experiment).n_bins,)
        for name, one in instance("backgrounds", self.backgrounds, Mapping).items():
            shaped(f"backgrounds[{name!r}]", instance("background", one, Background).events, bins)
        beam = self.backgrounds.values()
        self._keep(
            sigma_alpha=number("sigma_alpha", self.sigma_alpha, "", non_negative),
            backgrounds=FrozenDict(self.backgrounds),
            changes=tuple(self.changes),
        )
        names = (self.alpha, *self.backgrounds, *self.changes)
        if len(set(names)) < len(names):
            raise ValueError(f"every nuisance must have a name of its own, got {', '.join(names)}")
        self._keep(
            names=names,
            sigmas=np.array([self.sigma_alpha, *(one.sigma for one in beam), *[1.0] * len(self.changes)]),
            none=np.array([1.0] * (1 + len(beam)) + [0.0] * len(self.changes)),
            bounded=np.array([self.positive] * (1 + len(beam)) + [False] * len(self.changes)),
            b_on=sum((one.events for one in beam), np.zeros(bins)),
        )

    @classmethod
    def of(cls, dataset, changes=(), sigma_alpha=None):
        """The statistic of a dataset.Dataset, all its sigma_alpha being that of alpha if nothing else is said."""
        left = dataset.sigma_alpha if sigma_alpha is None else sigma_alpha
        return cls(dataset.experiment, left, dataset.backgrounds, changes)

    def vectors(self, signal):
        """Statistic.vectors: signal, backgrounds, changes."""
        beam = [np.broadcast_to(one.events[:, None], signal.shape[1:]) for one in self.backgrounds.values()]
        return np.stack([signal[0], *beam, *signal[1:]])

    def of_signal(self, x):
        """Statistic.of_signal: x without that of the backgrounds, the same for all bins."""
        return x[[0, *range(1 + len(self.backgrounds), len(x))], None]

    def meet(self, events, counts):
        """Statistic.meet, and whether the bins have the same edges."""
        Statistic.meet(self, events.in_bins_of(self.experiment), counts)

    def named(self, bins):
        """Statistic.named."""
        return self.experiment.named(bins)
