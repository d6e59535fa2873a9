"""The fit of Eq. (34): chi^2 with its nuisances profiled in closed form, upper limits, scans (Fig. 4)."""

import math
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from .checks import Record, finite, frozen, non_negative, positive, real, sealed, shaped
from .events import predict
from .model import unit_model


def profile(n_th, dataset):
    """chi^2 of Eq. (34) at its minimum over alpha and beta; n_th has the shape (..., B), the result (...).

    Returns chi2, alpha, beta. Nothing is divided by sigma_alpha or sigma_beta: 0 holds its nuisance at 0.
    """
    n_th = shaped("n_th", real("n_th", n_th, ""), (..., *dataset.b_on.shape))
    n, b, d = (v / dataset.sigma for v in (n_th, dataset.b_on, dataset.n_obs - dataset.b_on))
    chi2, alpha, _, left = minimum(d, n, dataset.sigma_alpha, [dataset.sigma_beta * b])
    return chi2, alpha, dataset.sigma_beta**2 * (left * b).sum(-1)


def minimum(d, n, sigma_alpha, shapes):
    """Least |d - (1 + alpha) n - sum_k theta_k shapes_k|^2 + (alpha / sigma_alpha)^2 + sum_k theta_k^2.

    Vectors over the bins (..., B), in units of sigma_stat. The linear equations are solved for one theta after the
    other, see `absorbing`, then for alpha.

    Returns the minimum, alpha, 1 + alpha with the digits that alpha loses near -1, and the vector that is squared: its
    products with the shapes are theta_k. Only data and prediction are subtracted. The error of the minimum, relative to
    it, is some 10 eps max(1, |d| / sqrt(minimum)), eps = 2^-52, for every n and for uncertainties down to 0.
    """
    absorbed = []
    for v in shapes:
        for left_by in absorbed:
            v = left_by(v)
        absorbed.append(absorbing(v))
        d, n = absorbed[-1](d), absorbed[-1](n)
    variance = sigma_alpha**2
    nn = 1 + variance * (n * n).sum(-1)
    pull = ((d - n) * n).sum(-1) / nn  # alpha / sigma_alpha^2
    x = (1 + variance * (d * n).sum(-1)) / nn
    left = d - x[..., None] * n
    least = (left**2).sum(-1) + variance * pull**2
    for left_by in reversed(absorbed):
        left = left_by(left)
    return least, variance * pull, x, left


def absorbing(v, axis=-1):
    """A function of vectors u: what is left of u where a nuisance theta may add theta v for the price theta^2.

    The product of two such vectors is the minimum over theta, u.w - (u.v) (w.v) / (1 + v.v), without its difference.
    """
    root = np.sqrt(1 + (v * v).sum(axis, keepdims=True))
    short = v / (root * (1 + root))
    return lambda u: u - (u * v).sum(axis, keepdims=True) * short


DELTA_CHI2 = {"two parameters": 4.61, "one parameter": 2.71}  # 90% confidence
SIGNALS = frozen(np.concatenate([[0.0], np.geomspace(1e-3, 1e6, 120)]))  # events at which chi^2 is looked at first
BLOCK = 8192  # curves at once: their chi^2 at all SIGNALS takes 8 MB


@dataclass(frozen=True, eq=False)
class Limit(Record):
    """Upper limit on G = g_chi g_q and the best fit below it, read-only arrays of the model's shape.

    g_limit    chi2(g_limit) = chi2_min + delta_chi2, the first such G above g_best
    g_best     G of the smallest chi^2, 0 where no signal fits best or less than 1e-3 events do
    chi2_min   chi^2 there
    """

    g_limit: np.ndarray
    g_best: np.ndarray
    chi2_min: np.ndarray

    def __post_init__(self):
        values = {field.name: real(field.name, getattr(self, field.name), "") for field in fields(self)}
        self._keep(**{name: shaped(name, value, values["g_limit"].shape) for name, value in values.items()})


def upper_limit(events, dataset, delta_chi2):
    """The Limit for `events` = events.predict(model, dataset, ...), all models at once.

    chi^2 is scanned in the number of signal events, all counted positive, from 1e-3 to 1e6 in steps of 20%, and
    refined from there to the resolution of float64 by Chandrupatla's root finder: of the slope for the minimum,
    of chi^2 for the limit.

    Raises ValueError if delta_chi2 is not finite and > 0, if a model predicts no signal, or if chi^2
    never rises by delta_chi2: however large G, the nuisance alpha can absorb a signal at the price of
    1 / sigma_alpha^2 (12.8 for CsI 2017), and only what its shape costs adds to that.
    """
    positive("delta_chi2", delta_chi2, "")
    shape, flat = events.n_loop.shape[:-1], events.flat()
    found = np.empty((3, math.prod(shape)))
    for start in range(0, found.shape[1], BLOCK):
        here = slice(start, start + BLOCK)
        models = flat.at(here)
        y, curve = coupling_squared(models, SIGNALS), curves(models, observed(dataset), dataset)
        found[:, here] = limits_or_error(search(y, curve, [delta_chi2]), delta_chi2)
    return Limit(*sealed(found).reshape(3, *shape))


@dataclass(frozen=True, eq=False)
class Experiments(Record):
    """What T experiments with the same detector measure, in B bins; `observed` for the one that was done.

    n_on, b_ss    counts with the beam on, in coincidence and anticoincidence, shape (T, B)
    alpha, beta   where the penalties of Eq. (34) have their minimum, shape (T,): 0, unless the measurements that
                  fix the nuisances are repeated too

    Raises ValueError for other shapes, and for counts that are negative or not finite.
    """

    n_on: np.ndarray
    b_ss: np.ndarray
    alpha: np.ndarray
    beta: np.ndarray

    def __post_init__(self):
        n_on, alpha = non_negative("n_on", self.n_on, ""), finite("alpha", self.alpha, "")
        shape = (*alpha.shape, *n_on.shape[-1:])
        b_ss = shaped("b_ss", non_negative("b_ss", self.b_ss, ""), shape)
        beta = shaped("beta", finite("beta", self.beta, ""), shape[:1])
        self._keep(n_on=shaped("n_on", n_on, shape), b_ss=b_ss, alpha=alpha, beta=beta)

    def at(self, index):
        """Some of the experiments, by an index of numpy."""
        return Experiments(self.n_on[index], self.b_ss[index], self.alpha[index], self.beta[index])


def observed(dataset):
    """The data as one of the Experiments."""
    return Experiments(dataset.n_on[None], dataset.b_ss[None], np.zeros(1), np.zeros(1))


class Curve(NamedTuple):
    """chi^2 of Eq. (34) at its minimum over alpha and beta as a function of y = G^2: arrays of one shape, a curve each.

    Vectors over the bins, in units of sigma_stat and less what beta takes (`absorbing`), are the data
    d = N_meas - (1 + beta_0) B_on and the signal n = n_sm + y quadratic + y^2 quartic; alpha_0, beta_0 are the minima
    of the penalties. With c = 1 + alpha_0 and V = sigma_alpha^2 the minimum over alpha is

        chi^2 = [(d - c n)^2 + V (d^2 n^2 - (d.n)^2)] / (1 + V n^2).

    n has a component a along d and others, s, t and u, perpendicular to it. With D = |d| and K = c^2 + V D^2

        chi^2 = [(D - c a)^2 + K (s^2 + t^2 + u^2)] / [1 + V (a^2 + s^2 + t^2 + u^2)].

    The axes are those of Gram and Schmidt for d, n_sm, quadratic and quartic in turn, so that

        a = a0 + a1 y + a2 y^2,   s = s0 + s1 y + s2 y^2,   t = t1 y + t2 y^2,   u = u2 y^2.

    But for D - c a, data less prediction, nothing is subtracted: chi^2 is never negative. Its error, relative to it, is
    some 10 eps max(1, D / sqrt(chi^2)), eps = 2^-52, from no signal to 10^12 events and for sigma_alpha down to 0. The
    minimum of the parabola in alpha, written as A - B^2 / C, would lose its digits there.
    """

    D: np.ndarray
    c: np.ndarray
    V: np.ndarray
    K: np.ndarray
    a0: np.ndarray
    a1: np.ndarray
    a2: np.ndarray
    s0: np.ndarray
    s1: np.ndarray
    s2: np.ndarray
    t1: np.ndarray
    t2: np.ndarray
    u2: np.ndarray

    def _components(self, y):
        """a, s, t, u and s^2 + t^2 + u^2."""
        a, s = self.a0 + y * (self.a1 + y * self.a2), self.s0 + y * (self.s1 + y * self.s2)
        t, u = y * (self.t1 + y * self.t2), y * (y * self.u2)
        return a, s, t, u, s * s + t * t + u * u

    def chi2(self, y):
        """chi^2 at y."""
        a, *_, across = self._components(y)
        along = self.D - self.c * a
        return (along * along + self.K * across) / (1 + self.V * (a * a + across))

    def slope(self, y):
        """Derivative of chi^2 by y, times half the square of its denominator."""
        a, s, t, u, across = self._components(y)
        rise = s * (self.s1 + 2 * y * self.s2) + t * (self.t1 + 2 * y * self.t2) + 2 * u * (y * self.u2)
        x = self.c + self.V * self.D * a  # 1 + alpha, times the denominator
        return x * (x * rise - (self.a1 + 2 * y * self.a2) * (self.D - self.c * a + self.V * self.D * across))


def curves(events, experiments, dataset):
    """The Curve, of shape (T, N), of N models, `events` of shape (N, B), and T experiments.

    Uncertainties and B_on are those of `dataset`. A bin without any count or B_on has no sigma_stat: chi^2 is nan.
    """
    shaped("n_on", experiments.n_on, (..., *events.in_bins_of(dataset).n_sm.shape))
    n_on, b_ss, b_on = experiments.n_on.T, experiments.b_ss.T, dataset.b_on[:, None]
    variance = n_on + b_ss + b_on  # sigma_stat^2 = N_meas + 2 B_SS + B_on
    weight = 1 / np.sqrt(np.where(variance > 0, variance, np.nan))
    data = n_on - b_ss - (1 + experiments.beta) * b_on
    signal = (events.n_sm[None], events.n_tree + events.n_interference, events.n_loop)
    # bins, then toys and models, the larger number last: numpy is quick along the last axis
    more_models = len(events.n_loop) >= len(experiments.n_on)
    toys, models = (np.s_[:, :, None], np.s_[:, None]) if more_models else (np.s_[:, None], np.s_[:, :, None])
    weight, data = np.ascontiguousarray(weight)[toys], np.ascontiguousarray(data)[toys]
    left_by_beta = absorbing(weight * (dataset.sigma_beta * b_on[..., None]), axis=0)
    axes, components = [], []
    for v in (data, *(np.ascontiguousarray(part.T)[models] for part in signal)):
        v = left_by_beta(weight * v)
        for axis in axes:
            along = (v * axis).sum(0)
            v = v - along * axis
            components.append(along)
        length, axis = _length_and_direction(v)
        axes.append(axis)
        components.append(length)
    D, a0, s0, a1, s1, t1, a2, s2, t2, u2 = (x if more_models else x.T for x in components)
    c, V = 1 + experiments.alpha[:, None], np.array(dataset.sigma_alpha**2)
    return Curve(*np.broadcast_arrays(D, c, V, c**2 + V * D**2, a0, a1, a2, s0, s1, s2, t1, t2, u2))


def _length_and_direction(v):
    """|v| and v / |v| of vectors along the first axis, 0 for 0; no square of a signal, however small, is 0."""
    largest = abs(v).max(0)
    v = v / np.where(largest == 0, 1, largest)
    length = np.sqrt((v * v).sum(0))
    return largest * length, v / np.where(length == 0, 1, length)


def coupling_squared(events, signal):
    """G^2 at which N models give `signal` events, shape (S,), all counted positive: shape (S, N).

    Raises ValueError if a model predicts no signal.
    """
    Q, R = abs(events.n_tree + events.n_interference).sum(-1), abs(events.n_loop).sum(-1)
    if np.any((Q == 0) & (R == 0)):
        raise ValueError("a model that predicts no signal has no upper limit: some coupling must be > 0")
    # the root of Q y + R y^2 = signal in the form that does not cancel for small R
    signal = real("signal", signal, "events")[:, None]
    return 2 * signal / np.where(signal > 0, Q + np.sqrt(Q**2 + 4 * R * signal), 1.0)


def search(y, curve, deltas):
    """`first_rise` of a Curve of shape (T, N)."""
    return first_rise(lambda y, *c: Curve(*c).chi2(y), lambda y, *c: Curve(*c).slope(y), y, curve, deltas)


class Rise(NamedTuple):
    """What `first_rise` finds, in terms of y = G^2; arrays of shape (T, N).

    y_best     where chi^2 is smallest; the last y that was looked at if chi^2 still falls there
    chi2_min   chi^2 there
    y_limit    a list: where chi^2 has first risen by each delta, inf where it never does (or is nan)
    highest    largest chi^2 at all y that were looked at
    """

    y_best: np.ndarray
    chi2_min: np.ndarray
    y_limit: list
    highest: np.ndarray


def first_rise(chi2, slope, y, args, deltas):
    """Smallest chi^2, and where chi^2 has first risen by each of `deltas` above it, of T x N curves together.

    chi2, slope   functions of G^2 and of what tells the curves apart: chi2(y, *args), and its derivative by y but for
                  a positive factor
    y             G^2 at which chi^2 is looked at first, shape (S, N), rising from 0
    args          arrays of shape (T, N)

    Returns a Rise.
    """
    from scipy.optimize import elementwise  # here, not above: it takes longer to load than all the rest

    shape = args[0].shape
    args = [a.ravel() for a in args]
    model = np.tile(np.arange(shape[1]), shape[0])
    seen = np.stack([chi2(level[model], *args) for level in y])
    best = seen.argmin(0)
    y_best, chi2_min = y[best, model], seen.min(0)  # refined below if the minimum lies between levels

    inside = np.flatnonzero((best > 0) & (best < len(y) - 1))
    if len(inside):
        k, n, here = best[inside], model[inside], tuple(a[inside] for a in args)
        falling = (slope(y[k, n], *here) < 0).astype(int)
        found = elementwise.find_root(slope, (y[k - 1 + falling, n], y[k + falling, n]), args=here)
        # no change of sign: chi^2 is the same at neighbouring levels, but for rounding
        y_best[inside] = np.where(found.success, found.x, y[k, n])
        chi2_min[inside] = chi2(y_best[inside], *here)

    y_limit = []
    behind = best + (y[best, model] <= y_best)  # the first level above the minimum
    for delta in deltas:
        above = (seen > chi2_min + delta) & (np.arange(len(y))[:, None] >= behind)
        k, level = above.argmax(0), np.full(len(model), np.inf)
        rising = np.flatnonzero(k > 0)  # level 0 is never behind the minimum
        k, n, here = k[rising], model[rising], tuple(a[rising] for a in args)
        level[rising] = elementwise.find_root(
            lambda at, goal, *here: chi2(at, *here) - goal,
            (np.fmax(y[k - 1, n], y_best[rising]), y[k, n]),
            args=(chi2_min[rising] + delta, *here),
        ).x
        y_limit.append(level.reshape(shape))
    return Rise(y_best.reshape(shape), chi2_min.reshape(shape), y_limit, seen.max(0).reshape(shape))


def limits_or_error(rise, delta_chi2):
    """g_limit, g_best and chi2_min, shape (3, N), from the Rise of N curves by [delta_chi2], its shape being (1, N).

    Raises ValueError if chi^2 of some curve never rises that far.
    """
    (y_limit,) = rise.y_limit
    never = ~np.isfinite(y_limit)
    if never.any():
        most = (rise.highest - rise.chi2_min)[never].min()
        raise ValueError(f"delta_chi2 must be < {most:.3g}, the most a signal adds here, got {delta_chi2}")
    return np.concatenate([np.sqrt(y_limit), np.sqrt(rise.y_best), rise.chi2_min])


def scan(case, m_chi, ratio, dataset, amplitude, delta_chi2, g_q, neutrinos="all"):
    """Upper limits for m_zp = ratio m_chi and an array of m_chi in MeV: one curve of Fig. 4."""
    m_chi = positive("m_chi", m_chi, "MeV")
    model = unit_model(case, m_chi, positive("ratio", ratio, "") * m_chi, g_q, neutrinos)
    return upper_limit(predict(model, dataset, amplitude), dataset, delta_chi2)
