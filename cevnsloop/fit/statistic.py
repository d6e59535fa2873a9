"""What counts say of a signal: a statistic, -2 ln L but for a constant, at its minimum over the nuisances.

A `Statistic` is a sum over bins of a function of the excess that is expected over the steady state,

    s_i = (1 + alpha) n_i + sum_j (1 + beta_j) b_ij + sum_k theta_k d_ik,

and a Gaussian penalty for each nuisance: alpha moves the signal n, beta_j the background b_j of the beam, and theta_k
counts standard deviations of an ingredient, d_k being what one of them changes (Events.changes). Everything is linear
in the unknowns x = (1 + alpha, 1 + beta_j, theta_k), so a kind of statistic says only what one bin contributes:
gaussian.py has Eq. (34), with its minimum in closed form, poisson.py the likelihood of the counts. Any other is
minimised by `newton`.

Statistics of different data are added by `Together`: nuisances of one name are one, with one penalty.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..checks import FrozenDict, Record, instance, non_negative, number, shaped
from ..experiments.dataset import Background, Counts, Experiment

# Newton's method ends with the step that lowers the statistic by less than this: by less than it rounds. Its length
# is 1e-7 in units of the nuisances' uncertainties, and what it leaves of the distance to the minimum is the square of
# that.
CONVERGED = 1e-14
ROUNDING = 1e-12  # of the statistic, in which no step has to descend
MOST_STEPS = 200


class Minimum(NamedTuple):
    """A statistic at its minimum over K nuisances, at points (...) of B bins.

    value   of the statistic, shape (...)
    x       1 + alpha, 1 + beta_j, theta_k, shape (K, ...)
    lam     minus half the derivative of the statistic by the excess s_i, shape (..., B)
    """

    value: np.ndarray
    x: np.ndarray
    lam: np.ndarray


class Statistic(Record):
    """What all statistics share. One of its own has the K `names` of its nuisances, the widths `sigmas` of their
    penalties and `none`, the x of no nuisance at all, and the methods `terms`, `vectors`, `of_signal` and `check`.
    """

    block = 2048  # points whose nuisances are fitted together: what one step holds then fits a cache

    def minimum(self, signal, counts):
        """The Minimum for the signal n and its changes d_k, shape (1 + changes, ..., B), and Counts that broadcast
        to it.
        """
        shape = np.broadcast_shapes(signal.shape[1:], counts.n_on.shape)
        centre = np.stack([np.broadcast_to(at, shape[:-1]) for at in self._centre(counts)]).reshape(len(self.names), -1)
        signal = np.broadcast_to(signal, (len(signal), *shape)).reshape(len(signal), -1, shape[-1])
        n_on, b_ss = (np.broadcast_to(c, shape).reshape(-1, shape[-1]) for c in (counts.n_on, counts.b_ss))
        points = len(n_on)
        value, x, lam = np.empty(points), np.empty((len(self.names), points)), np.empty((points, shape[-1]))
        for start in range(0, points, self.block):
            here = slice(start, start + self.block)
            # bins before points: sums over bins are quick
            vectors = self.vectors(np.ascontiguousarray(signal[:, here].swapaxes(1, 2)))
            seen = (np.ascontiguousarray(c[here].T) for c in (n_on, b_ss))
            value[here], x[:, here], lam[here] = newton(self, vectors, *seen, centre[:, here])
        return Minimum(value.reshape(shape[:-1]), x.reshape(-1, *shape[:-1]), lam.reshape(shape))

    def _centre(self, counts):
        return [one + counts.centre(name) for one, name in zip(self.none, self.names, strict=True)]

    def profile(self, n_th, counts, changes=()):
        """The statistic at its minimum over the nuisances, shape (...), and these, {name: (...)}.

        n_th has the shape (..., B), changes (K', ..., B); Counts broadcast to it. Raises ValueError as `check` does.
        """
        self.check(counts)
        found = self.minimum(np.stack([n_th, *changes]), counts)
        return found.value, {name: x - none for name, x, none in zip(self.names, found.x, self.none, strict=True)}

    def gradient(self, n_th, counts, changes=()):
        """Derivative of the profiled statistic by n_th, shape (..., B): the nuisances' own change drops out."""
        found = self.minimum(np.stack([n_th, *changes]), counts)
        return -2 * self.of_signal(found.x)[0] * found.lam

    def curves(self, events, counts):
        """The `Curves` of N models, Events with n of shape (3, N, B), for T experiments, Counts of shape (T, B)."""
        return Profiled(self, events, counts)


@dataclass(frozen=True, eq=False)
class Binned(Statistic):
    """The statistic of the B bins of one experiment.

    experiment    the dataset.Experiment whose bins these are
    sigma_alpha   relative uncertainty of the signal
    backgrounds   of the beam, {name of the nuisance: dataset.Background}
    changes       names of the nuisances that change signal and background together, of unit width
    alpha         name of the nuisance of the signal

    Raises ValueError for other types and shapes, a negative uncertainty, or a name that is there twice.
    """

    experiment: Experiment
    sigma_alpha: float
    backgrounds: Mapping[str, Background]
    changes: tuple[str, ...] = ()
    alpha: str = "alpha"

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
        for name, value in {
            "names": names,
            "sigmas": np.array([self.sigma_alpha, *(one.sigma for one in beam), *[1.0] * len(self.changes)]),
            "none": np.array([1.0] * (1 + len(beam)) + [0.0] * len(self.changes)),
            "b_on": sum((one.events for one in beam), np.zeros(bins)),
        }.items():
            self._keep(**{name: value})

    def vectors(self, signal):
        """What s is linear in, shape (K, B, P), for signal and changes of shape (1 + changes, B, P)."""
        beam = [np.broadcast_to(one.events[:, None], signal.shape[1:]) for one in self.backgrounds.values()]
        return np.stack([signal[0], *beam, *signal[1:]])

    def of_signal(self, x):
        """What the signal and its changes are multiplied by, shape (1 + changes, ..., B or 1), for x (K, ...)."""
        return x[[0, *range(1 + len(self.backgrounds), len(x))]][..., None]

    def terms(self, s, n_on, b_ss):
        """f(s), -f'(s) / 2 and f''(s) / 2 of each bin with the excess s, all of shape (B, P)."""
        raise NotImplementedError

    def check(self, counts):
        """Raise ValueError, naming the bins, if these Counts cannot be used."""

    def named(self, bins):
        """Some of the B bins, for a message."""
        return self.experiment.named(bins)


@dataclass(frozen=True, eq=False)
class Together(Statistic):
    """The sum of statistics, their bins one after the other; nuisances of one name are one and the same.

    Raises ValueError if a nuisance has different widths, or is one of backgrounds here and one of changes there.
    """

    parts: tuple[Statistic, ...]

    def __post_init__(self):
        found = {}
        for part in self.parts:
            for name, *width in zip(part.names, part.sigmas, part.none, strict=True):
                if found.setdefault(name, width) != width:
                    raise ValueError(
                        f"the nuisance {name} must have the same width everywhere, got {found[name]}, {width}"
                    )
        sigmas, none = np.array(list(found.values())).T
        self._keep(parts=tuple(self.parts))
        for name, value in {"names": tuple(found), "sigmas": sigmas, "none": none}.items():
            self._keep(**{name: value})

    @property
    def changes(self):
        """Names of the nuisances that change the shape, of all parts."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.changes))

    @property
    def _bins(self):
        ends = np.cumsum([0, *(len(part.b_on) for part in self.parts)])
        return [slice(*both) for both in itertools.pairwise(ends)]

    @property
    def b_on(self):
        """All backgrounds of the beam, shape (B,)."""
        return np.concatenate([part.b_on for part in self.parts])

    def vectors(self, signal):
        """What s is linear in: 0 in the bins of data that a nuisance does not concern."""
        result = np.zeros((len(self.names), *signal.shape[1:]))
        for part, bins in zip(self.parts, self._bins, strict=True):
            own = [0, *(1 + self.changes.index(name) for name in part.changes)]
            result[[self.names.index(name) for name in part.names], bins] = part.vectors(signal[own, bins])
        return result

    def of_signal(self, x):
        """What the signal and its changes are multiplied by, shape (1 + changes, ..., B)."""
        result = np.zeros((1 + len(self.changes), *x.shape[1:], len(self.b_on)))
        for part, bins in zip(self.parts, self._bins, strict=True):
            own = [0, *(1 + self.changes.index(name) for name in part.changes)]
            result[own, ..., bins] = part.of_signal(x[[self.names.index(name) for name in part.names]])
        return result

    def terms(self, s, n_on, b_ss):
        """Those of the parts."""
        each = [part.terms(s[b], n_on[b], b_ss[b]) for part, b in zip(self.parts, self._bins, strict=True)]
        return tuple(np.concatenate(terms) for terms in zip(*each, strict=True))

    def check(self, counts):
        """Raise ValueError, naming the bins, if these Counts cannot be used."""
        for part, bins in zip(self.parts, self._bins, strict=True):
            part.check(Counts(counts.n_on[..., bins], counts.b_ss[..., bins], counts.centres))

    def named(self, bins):
        """Some of the B bins, for a message."""
        own = [
            (part, [i - at.start for i in bins if at.start <= i < at.stop])
            for part, at in zip(self.parts, self._bins, strict=True)
        ]
        return ", ".join(f"{part.experiment.name} {part.named(some)}" for part, some in own if some)


class Profiled:
    """A statistic along y = G^2, its nuisances fitted anew at every y: Curves, see limits.first_rise."""

    def __init__(self, statistic, events, counts):
        self.statistic, self.counts = statistic, counts
        self.n = np.stack([events.n, *(events.changes[name] for name in statistic.changes)])
        self.shape = (len(counts.n_on), self.n.shape[2])

    def _minimum(self, y, k):
        k = np.arange(np.prod(self.shape)) if k is Ellipsis else k
        y, k = np.broadcast_arrays(y, k)
        toy, model = np.divmod(k, self.shape[1])
        n, y = self.n[:, :, model], y[..., None]
        found = self.statistic.minimum(n[:, 0] + y * (n[:, 1] + y * n[:, 2]), self.counts.at(toy))
        return found, n[:, 1] + 2 * y * n[:, 2]

    def value(self, y, k=...):
        """The statistic at y of the curves with the indices k, all T N if none are given."""
        return self._minimum(y, k)[0].value

    def slope(self, y, k):
        """Its derivative by y: at the minimum over the nuisances it changes through the signal only."""
        found, rise = self._minimum(y, k)
        return -2 * (found.lam * (self.statistic.of_signal(found.x) * rise).sum(0)).sum(-1)


def newton(statistic, vectors, n_on, b_ss, centre):
    """The minima of P points together: value (P,), x (K, P) and lam (P, B).

    vectors   what s is linear in, shape (K, B, P)
    centre    x where the penalties vanish, shape (K, P)

    1 + alpha and 1 + beta cannot be negative. (Eq. (34) has no such bound; to reach it costs 1 / sigma^2, more than a
    limit asks for.) The statistic is convex in x. Newton's method starts at the Gaussian fit and halves steps that do
    not descend; it takes a few, and leaves rounding.
    """
    sigma, bounded = statistic.sigmas[:, None], statistic.none[:, None] > 0
    data = (vectors, n_on, b_ss)
    x, pull = _start(*data, sigma, centre, bounded)
    value, found = np.empty(n_on.shape[1]), np.empty(centre.shape)
    active, length = np.arange(n_on.shape[1]), np.ones(n_on.shape[1])
    state = _evaluate(statistic, x, pull, *data, sigma, bounded)
    for _ in range(MOST_STEPS):
        going = state[-1] > CONVERGED
        if not going.all():
            value[active[~going]] = state[0, ~going]
            found[:, active[~going]] = x[:, ~going] + sigma * state[1:-1, ~going]
            if not going.any():
                s = (vectors * np.maximum(found, np.where(bounded, 0, -np.inf))[:, None]).sum(0)
                return value, found, statistic.terms(s, n_on, b_ss)[1].T
            active, length, centre, data = active[going], length[going], centre[:, going], [a[..., going] for a in data]
            x, pull, state = x[:, going], pull[:, going], state[:, going]
        step = length * state[1:-1]
        trial = _in_bounds(x + sigma * step, pull + step, sigma, centre, bounded)
        new = _evaluate(statistic, *trial, *data, sigma, bounded)
        descends = new[0] <= state[0] - 1e-4 * length * state[-1] + ROUNDING * (1 + state[0])
        x, pull, state = (np.where(descends, *both) for both in zip((*trial, new), (x, pull, state), strict=True))
        length = np.where(descends, 1.0, length / 2)
    kinks = statistic.named(np.flatnonzero(((data[0][0] < 0) & (data[1] + data[2] == 0)).any(1)))
    raise ValueError(f"n_th must be >= 0 without any count, where the statistic has a kink at s = 0: {kinks}")


def _start(vectors, n_on, b_ss, sigma, centre, bounded):
    """Where Newton's method begins: x, and the `pull` of each nuisance, its distance from `centre` in units of sigma.

    Both are kept from here on, because either loses digits in the other: x, near 0, for a signal far above the data,
    the pull for a small sigma. Where sigma is 0, x stays.
    """
    w = 1 / np.maximum(n_on + b_ss, 1.0)
    products = np.einsum("jbp,kbp->jkp", w * vectors, vectors)
    right = sigma**2 * (w * (n_on - b_ss) * vectors).sum(1) + centre
    x = _solved(np.eye(len(sigma))[..., None] + sigma[:, None] ** 2 * products, right)
    pull = sigma * (w * (n_on - b_ss - (x[:, None] * vectors).sum(0)) * vectors).sum(1)
    far = sigma**2 * np.einsum("kkp->kp", products) > 1
    pull[far] = ((x - centre) / np.where(sigma > 0, sigma, 1.0))[far]
    return _in_bounds(np.where(far, x, centre + sigma * pull), pull, sigma, centre, bounded)


def _in_bounds(x, pull, sigma, centre, bounded):
    """x and pull, those of 1 + alpha and 1 + beta put back to 0 where they are below."""
    below = bounded & (x < 0)
    return np.where(below, 0.0, x), np.where(below & (sigma > 0), -centre / np.where(sigma > 0, sigma, 1.0), pull)


def _evaluate(statistic, x, pull, vectors, n_on, b_ss, sigma, bounded):
    """The statistic, Newton's step in terms of the pulls, and the fall that it promises, shape (1 + K + 1, P)."""
    f, lam, curvature = statistic.terms((vectors * x[:, None]).sum(0), n_on, b_ss)
    value = f.sum(0) + (pull**2).sum(0)
    scaled = sigma[:, None] * vectors
    fall = (lam * scaled).sum(1) - pull
    free = ~bounded | (x > 0) | (fall > 0)  # at a bound and drawn beyond it: stay there
    fall, scaled = fall * free, scaled * free[:, None]
    step = _solved(np.eye(len(sigma))[..., None] + np.einsum("jbp,kbp->jkp", curvature * scaled, scaled), fall)
    return np.stack([value, *step, (fall * step).sum(0)])


def _solved(matrix, right):
    """Solutions of P linear equations, matrix (K, K, P) and right side (K, P)."""
    return np.linalg.solve(matrix.transpose(2, 0, 1), right.T[..., None])[..., 0].T
