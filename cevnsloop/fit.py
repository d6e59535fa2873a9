"""The fit of Eq. (34): chi^2 with its nuisances profiled in closed form, upper limits, scans (Fig. 4).

No limit is a value. Wherever this package gives an upper limit, in tables too, it is inf where chi^2 never rises so
far, and nan where there is no signal to limit. JSON has no such numbers: there it is null, and beside it stand the
words of `reached`.
"""

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
    Raises ValueError as `usable` does.
    """
    n_th = shaped("n_th", real("n_th", n_th, ""), (..., *dataset.b_on.shape))
    usable(dataset.n_on + dataset.b_ss, dataset)
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


def usable(counts, dataset):
    """Raise ValueError if the `counts` C + AC, shape (..., B), leave sigma_stat = 0: Eq. (34) has no such bins."""
    empty = np.flatnonzero((counts + dataset.b_on == 0).reshape(-1, len(dataset.b_on)).any(0))
    if len(empty):
        bins = named(empty, dataset)
        raise ValueError(f"Eq. (34) needs sigma_stat > 0: there are neither counts nor beam-on background in {bins}")


def named(bins, dataset):
    """Bins by their indices in `dataset`, for a message: numbered as in Eq. (34), with their range in PE."""
    edges, first = dataset.pe_edges, dataset.settings.first_bin
    return ", ".join(f"bin {first + i} ({edges[i]:g} to {edges[i + 1]:g} PE)" for i in bins)


DELTA_CHI2 = {"two parameters": 4.61, "one parameter": 2.71}  # 90% confidence
SIGNALS = frozen(np.concatenate([[0.0], np.geomspace(1e-3, 1e6, 120)]))  # events at which chi^2 is looked at first
MANY = 1e4  # counts beyond which these are too few: see `levels`
BLOCK = 8192  # curves at once: their chi^2 at all SIGNALS takes 8 MB


@dataclass(frozen=True, eq=False)
class Limit(Record):
    """Upper limit on G = g_chi g_q and the best fit below it, read-only arrays of the model's shape.

    g_limit    chi2(g_limit) = chi2_min + delta_chi2, the first such G above g_best; inf where chi2 never rises so far,
               nan where a model predicts no signal
    g_best     G of the smallest chi^2, 0 where no signal fits best or less than 1e-3 events do, nan as g_limit
    chi2_min   chi^2 there
    """

    g_limit: np.ndarray
    g_best: np.ndarray
    chi2_min: np.ndarray

    def __post_init__(self):
        values = {field.name: real(field.name, getattr(self, field.name), "") for field in fields(self)}
        self._keep(**{name: shaped(name, value, values["g_limit"].shape) for name, value in values.items()})


def upper_limit(events, dataset, delta_chi2):
    """The Limit for `events` = events.predict(model, dataset, ...), all models at once: on G, as events.py defines it.

    chi^2 is scanned in the number of signal events, all counted positive, from 1e-3 to 1e6 in steps of 20%, and
    refined from there to the resolution of float64 by Chandrupatla's root finder: of the slope for the minimum,
    of chi^2 for the limit. All that times counts / 10^4 for data that have more counts than those.

    There may be no limit: however large G, the nuisance alpha can absorb a signal at the price of 1 / sigma_alpha^2
    (12.8 for CsI 2017), and only what its shape costs adds to that. `ceiling` is the most that chi^2 rises.

    Raises ValueError if delta_chi2 is not finite and > 0, and as `usable` does.
    """
    positive("delta_chi2", delta_chi2, "")
    usable(dataset.n_on + dataset.b_ss, dataset)
    shape, flat = events.n_loop.shape[:-1], events.flat()
    found = np.empty((3, math.prod(shape)))
    for start in range(0, found.shape[1], BLOCK):
        here = slice(start, start + BLOCK)
        models = flat.at(here)
        curve = curves(models, observed(dataset), dataset)
        found[:, here] = limits(search(levels(models, dataset), curve, [delta_chi2]))
    return Limit(*sealed(found).reshape(3, *shape))


def limits(rise):
    """g_limit, g_best and chi2_min, shape (3, N), from the Rise by one delta_chi2 of (1, N) curves."""
    return np.concatenate([*np.sqrt(rise.y_limit), np.sqrt(rise.y_best), rise.chi2_min])


def reached(g_limit):
    """In words whether an array of limits has one, a nested list: "reached", "never" for inf, "no signal" for nan."""
    words = np.where(np.isnan(g_limit), "no signal", np.where(np.isinf(g_limit), "never", "reached"))
    return words.tolist()


def ceiling(events, dataset):
    """The most that chi^2 rises above its minimum at a larger G than there, among all SIGNALS; of the model's shape.

    0 where chi^2 still falls at the last, or where there is no signal. upper_limit is inf for a larger delta_chi2.
    """
    flat = events.flat()
    y, curve = levels(flat, dataset), curves(flat, observed(dataset), dataset)
    y_best, chi2_min, _ = search(y, curve, [])
    highest = np.where(y[:, None] > y_best, curve.chi2(y[:, None]), chi2_min).max(0)
    return (highest - chi2_min).reshape(events.n_loop.shape[:-1])


def why(events, dataset, delta_chi2):
    """Why one model has no upper limit, for a reader."""
    if np.isnan(upper_limit(events, dataset, delta_chi2).g_limit):
        return "no signal is expected in the bins of the fit: some coupling must be > 0"
    most = float(ceiling(events, dataset))
    if most == 0:
        return f"chi2 still falls at the largest signal that is looked at, {SIGNALS[-1]:.0e} events or more"
    return (
        f"chi2 never rises by {delta_chi2:g}: the most it rises is {most:.3g}, "
        f"because alpha absorbs any signal at the price of 1 / sigma_alpha^2 = {1 / dataset.sigma_alpha**2:.3g}"
    )


def remark(g_limit, delta_chi2):
    """A line for the head of a table on how many of its limits are none, and why; "" if all are numbers."""
    never, blind = np.count_nonzero(np.isinf(g_limit)), np.count_nonzero(np.isnan(g_limit))
    reasons = {
        f"{never} inf, where chi2 never rises by {delta_chi2:g} because alpha can absorb any signal": never,
        f"{blind} nan, where no signal is expected in the bins of the fit": blind,
    }
    words = "; ".join(reason for reason, number in reasons.items() if number)
    return words and f"no limit at {never + blind} of {np.size(g_limit)} points: {words}"


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

    0 for a model that predicts no signal, or so little of it that float64 has no G for all of them.
    """
    Q, root_R = abs(events.n_tree + events.n_interference).sum(-1), np.sqrt(abs(events.n_loop).sum(-1))
    with np.errstate(divide="ignore", over="ignore"):
        unit = 1 / np.fmax(Q, root_R)  # of G^2: in terms of it no square leaves the range of float64
    unit[np.isinf(unit)] = 0.0  # no signal
    Q, R = np.where(unit > 0, Q * unit, 1.0), (root_R * unit) ** 2
    signal = real("signal", signal, "events")
    y = np.zeros((len(signal), len(unit)))
    some = signal > 0
    n = signal[some, None]
    # the root of Q y + R y^2 = signal in the form that does not cancel for small R
    y[some] = 2 * n / (Q + np.sqrt(Q**2 + 4 * R * n)) * unit
    return y


def levels(events, dataset, signals=SIGNALS):
    """G^2 at which chi^2 of N models is looked at first, shape (S, N): at `signals`, or more for data of many counts.

    The last must be so large that alpha has taken what it can: it is at least a hundred times the counts.
    """
    counts = (dataset.n_on + dataset.b_ss + dataset.b_on).sum(-1).max()
    return coupling_squared(events, signals * max(1.0, counts / MANY))


def search(y, curve, deltas):
    """`first_rise` of a Curve of shape (T, N)."""
    return first_rise(lambda y, *c: Curve(*c).chi2(y), lambda y, *c: Curve(*c).slope(y), y, curve, deltas)


class Rise(NamedTuple):
    """What `first_rise` finds, in terms of y = G^2; arrays of shape (T, N).

    y_best     where chi^2 is smallest; the last y that was looked at if chi^2 still falls there
    chi2_min   chi^2 there
    y_limit    a list: where chi^2 has first risen by each delta, inf where it never does

    y_best and y_limit are nan without a signal, all three where chi^2 is nan.
    """

    y_best: np.ndarray
    chi2_min: np.ndarray
    y_limit: list


def first_rise(chi2, slope, y, args, deltas):
    """Smallest chi^2, and where chi^2 has first risen by each of `deltas` above it, of T x N curves together.

    chi2, slope   functions of G^2 and of what tells the curves apart: chi2(y, *args), and its derivative by y but for
                  a positive factor
    y             G^2 at which chi^2 is looked at first, shape (S, N), rising from 0, or 0 throughout without a signal
    args          arrays of shape (T, N)

    Returns a Rise.
    """
    shape = args[0].shape
    args = [a.ravel() for a in args]
    model = np.tile(np.arange(shape[1]), shape[0])
    seen, rows = np.empty((len(y), len(model))), max(1, BLOCK // len(model))
    for k in range(0, len(y), rows):
        at = np.take(y[k : k + rows], model, axis=1)
        seen[k : k + rows] = chi2(at, *(np.broadcast_to(a, at.shape) for a in args))
    best, chi2_min = np.zeros(len(model), dtype=int), np.full(len(model), np.inf)
    for k in range(len(y)):
        np.copyto(best, k, where=seen[k] < chi2_min)
        np.minimum(chi2_min, seen[k], out=chi2_min)
    y_best = y[best, model]

    inside = np.flatnonzero((best > 0) & (best < len(y) - 1))
    if len(inside):  # the minimum lies between levels
        k, n, here = best[inside], model[inside], [a[inside] for a in args]
        falling = (slope(y[k, n], *here) < 0).astype(int)
        # no change of sign: chi^2 is the same at neighbouring levels, but for rounding
        y_best[inside] = _root(slope, y[k - 1 + falling, n], y[k + falling, n], here, y[k, n])
        chi2_min[inside] = chi2(y_best[inside], *here)

    y_limit = []
    behind = best + (y[best, model] <= y_best)  # the first level above the minimum
    for delta in deltas:
        goal, first = chi2_min + delta, np.zeros(len(model), dtype=int)
        for k in range(len(y) - 1, 0, -1):
            np.copyto(first, k, where=(seen[k] > goal) & (behind <= k))
        found = np.full(len(model), np.inf)
        rising = np.flatnonzero(first > 0)  # level 0 is never behind the minimum
        k, n, here = first[rising], model[rising], [a[rising] for a in args]
        low, high = np.fmax(y[k - 1, n], y_best[rising]), y[k, n]
        # no change of sign: chi^2 at an end is the goal, but for rounding
        found[rising] = _root(lambda at, goal, *here: chi2(at, *here) - goal, low, high, [goal[rising], *here])
        y_limit.append(found)
    for found in (y_best, *y_limit):
        found[(y[-1, model] == 0) | np.isnan(chi2_min)] = np.nan
    return Rise(y_best.reshape(shape), chi2_min.reshape(shape), [found.reshape(shape) for found in y_limit])


SIGNS_EQUAL = -1  # status of scipy's find_root; below that it means too many steps, or a value that is not finite


def _root(function, low, high, args, otherwise=None):
    """Roots of function(y, *args) between `low` and `high`; where its signs there are equal, `otherwise` or the end
    at which it is closer to 0. Raises ArithmeticError if neither can be had.
    """
    from scipy.optimize import elementwise  # here, not above: it takes longer to load than all the rest

    found = elementwise.find_root(function, (low, high), args=tuple(args))
    if otherwise is None:
        otherwise = np.where(abs(found.f_bracket[0]) < abs(found.f_bracket[1]), *found.bracket)
    if np.any(found.status < SIGNS_EQUAL):
        raise ArithmeticError("the search for a limit did not converge")
    return np.where(found.success, found.x, otherwise)


def scan(case, m_chi, ratio, dataset, amplitude, delta_chi2, g_q, neutrinos="all"):
    """Upper limits for m_zp = ratio m_chi and an array of m_chi in MeV: one curve of Fig. 4."""
    m_chi = positive("m_chi", m_chi, "MeV")
    model = unit_model(case, m_chi, positive("ratio", ratio, "") * m_chi, g_q, neutrinos)
    return upper_limit(predict(model, dataset, amplitude), dataset, delta_chi2)
