"""Upper limits on G = g_chi g_q: where a statistic has first risen by so much above its smallest value.

No limit is a value. Wherever this package gives an upper limit, in tables too, it is inf where the statistic never
rises so far and nan where there is no signal to limit. JSON, which has no such numbers, has null and beside it the
words of `reached`.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from ..checks import Record, positive
from ..experiments.dataset import Counts
from .gaussian import gaussian

DELTA_CHI2 = {"two parameters": 4.61, "one parameter": 2.71}  # 90% confidence
SIGNALS = np.concatenate([[0.0], np.geomspace(1e-3, 1e6, 120)])  # events at which the statistic is looked at first
MANY = 1e4  # counts beyond which these are too few: see `levels`
BLOCK = 8192  # curves at once: their chi^2 at all SIGNALS takes 8 MB


class Curves(Protocol):
    """A statistic, at its minimum over the nuisances, as a function of y = G^2: T x N curves.

    shape   (T, N)
    """

    shape: tuple[int, int]

    def value(self, y, k=...):
        """The statistic at y, for the curves with the indices k, of all T N if none are given; y and k broadcast."""

    def slope(self, y, k):
        """Its derivative by y, but for a positive factor."""


@dataclass(frozen=True, eq=False)
class Limit(Record):
    """Upper limit on G = g_chi g_q and the best fit below it, arrays of the model's shape.

    g_limit    chi2(g_limit) = chi2_min + delta_chi2, the first such G above g_best; inf where chi2 never rises so far,
               nan where a model predicts no signal
    g_best     G of the smallest chi^2, 0 where no signal fits best or less than 1e-3 events do, nan as g_limit
    chi2_min   chi^2 there
    """

    g_limit: np.ndarray
    g_best: np.ndarray
    chi2_min: np.ndarray

    def __post_init__(self):
        self._keep(**{name: np.asarray(getattr(self, name)) for name in ("g_limit", "g_best", "chi2_min")})


def upper_limit(events, dataset, delta_chi2, statistic=gaussian):
    """The Limit for `events` = events.predict(model, dataset.experiment, theory), all models at once.

    statistic   makes a statistic.Statistic of the dataset.Dataset: gaussian.gaussian, poisson.poisson, or another one

    The statistic is scanned in the number of signal events, all counted positive, from 1e-3 to 1e6 in steps of 20%, and
    refined from there to the resolution of float64 by Chandrupatla's root finder: of the slope for the minimum,
    of its value for the limit. All that times counts / 10^4 for data that have more counts than those.

    There may be no limit: however large G, the nuisance alpha can absorb a signal at the price of 1 / sigma_alpha^2
    (12.8 for CsI 2017), and only what its shape costs adds to that. `ceiling` is the most that the statistic rises.

    Raises ValueError if delta_chi2 is not finite and > 0, if the bins of events and data are not the same, or if the
    statistic cannot use a bin.
    """
    positive("delta_chi2", delta_chi2, "")
    events = events.in_bins_of(dataset.experiment)
    made, counts = statistic(dataset), once(dataset.counts)
    made.check(counts)
    shape, flat = events.n.shape[1:-1], events.flat()
    found = np.empty((3, math.prod(shape)))
    for start in range(0, found.shape[1], BLOCK):
        here = slice(start, start + BLOCK)
        models = flat.at(here)
        rise = first_rise(made.curves(models, counts), levels(models, counts, made.b_on), [delta_chi2])
        found[:, here] = np.concatenate([*np.sqrt(rise.y_limit), np.sqrt(rise.y_best), rise.chi2_min])
    return Limit(*found.reshape(3, *shape))


def once(counts):
    """Counts of one experiment, shape (B,), as those of T = 1 experiments."""
    return Counts(counts.n_on[None], counts.b_ss[None], {name: at[None] for name, at in counts.centres.items()})


def reached(g_limit):
    """In words whether an array of limits has one, a nested list: "reached", "never" for inf, "no signal" for nan."""
    words = np.where(np.isnan(g_limit), "no signal", np.where(np.isinf(g_limit), "never", "reached"))
    return words.tolist()


def ceiling(events, dataset, statistic=gaussian):
    """The most that the statistic rises above its minimum at a larger G than there, among all SIGNALS; of the model's
    shape.

    0 where it still falls at the last, or where there is no signal. upper_limit is inf for a larger delta_chi2.
    """
    flat, made, counts = events.flat(), statistic(dataset), once(dataset.counts)
    y, curves = levels(flat, counts, made.b_on), made.curves(flat, counts)
    y_best, chi2_min, _ = first_rise(curves, y, [])
    highest = np.where(y > y_best[0], curves.value(y, np.arange(y.shape[1])), chi2_min[0]).max(0)
    return (highest - chi2_min[0]).reshape(events.n.shape[1:-1])


def why(events, dataset, delta_chi2, statistic=gaussian):
    """Why one model has no upper limit, for a reader."""
    if np.isnan(upper_limit(events, dataset, delta_chi2, statistic).g_limit):
        return "no signal is expected in the bins of the fit: some coupling must be > 0"
    most = float(ceiling(events, dataset, statistic))
    if most == 0:
        return f"chi2 still falls at the largest signal that is looked at, {SIGNALS[-1]:.0e} events or more"
    return (
        f"chi2 never rises by {delta_chi2:g}: the most it rises is {most:.3g}, "
        f"because alpha absorbs any signal at the price of 1 / sigma_alpha^2 = {1 / dataset.sigma_alpha**2:.3g}"
    )


def remark(g_limit, delta_chi2):
    """A line on how many of the limits are none, and why, for the head of a table; "" if there is one everywhere."""
    never, blind = np.count_nonzero(np.isinf(g_limit)), np.count_nonzero(np.isnan(g_limit))
    reasons = {
        f"{never} inf, where chi2 never rises by {delta_chi2:g} because alpha can absorb any signal": never,
        f"{blind} nan, where no signal is expected in the bins of the fit": blind,
    }
    words = "; ".join(reason for reason, number in reasons.items() if number)
    return words and f"no limit at {never + blind} of {np.size(g_limit)} points: {words}"


def coupling_squared(events, signal):
    """G^2 at which N models give `signal` events, shape (S,), all counted positive: shape (S, N).

    0 for a model that predicts no signal, or so little of it that float64 has no G for all of them.
    """
    Q, root_R = abs(events.n[1]).sum(-1), np.sqrt(abs(events.n[2]).sum(-1))
    with np.errstate(divide="ignore", over="ignore"):
        unit = 1 / np.fmax(Q, root_R)  # of G^2: in terms of it no square leaves the range of float64
    unit[np.isinf(unit)] = 0.0  # no signal
    Q, R = np.where(unit > 0, Q * unit, 1.0), (root_R * unit) ** 2
    y = np.zeros((len(signal), len(unit)))
    some = np.asarray(signal, dtype=float) > 0
    n = np.asarray(signal, dtype=float)[some, None]
    # the root of Q y + R y^2 = signal in the form that does not cancel for small R
    y[some] = 2 * n / (Q + np.sqrt(Q**2 + 4 * R * n)) * unit
    return y


def levels(events, counts, b_on):
    """G^2 at which N models are looked at first, shape (S, N): SIGNALS events, and more for data of many counts.

    The largest must be so large that alpha takes what it can: it is at least a hundred times the counts.
    """
    most = (counts.n_on + counts.b_ss + b_on).sum(-1).max()
    return coupling_squared(events, SIGNALS * max(1.0, most / MANY))


class Rise(NamedTuple):
    """What `first_rise` finds, in terms of y = G^2; arrays of shape (T, N).

    y_best     where the statistic is smallest; the last y that was looked at if it still falls there
    chi2_min   its value there
    y_limit    a list: where it has first risen by each delta, inf where it never does

    y_best and y_limit are nan without a signal, all three where the statistic is nan.
    """

    y_best: np.ndarray
    chi2_min: np.ndarray
    y_limit: list


def first_rise(curves, y, deltas):
    """The Rise of `Curves`: their smallest values, and where they have first risen by each of `deltas` above these.

    y   G^2 at which they are looked at first, shape (S, N), rising from 0, or 0 throughout without a signal
    """
    model = np.tile(np.arange(curves.shape[1]), curves.shape[0])
    seen = _seen(curves, y, model)
    best, chi2_min = _smallest(seen)
    y_best = y[best, model]

    inside = np.flatnonzero((best > 0) & (best < len(y) - 1))
    if len(inside):  # the minimum lies between levels
        k, n = best[inside], model[inside]
        falling = (curves.slope(y[k, n], inside) < 0).astype(int)
        # no change of sign: the statistic is the same at neighbouring levels, but for rounding
        y_best[inside] = _root(curves.slope, y[k - 1 + falling, n], y[k + falling, n], [inside], y[k, n])
        chi2_min[inside] = curves.value(y_best[inside], inside)

    behind = best + (y[best, model] <= y_best)  # the first level above the minimum
    y_limit = [_crossing(curves, y, model, seen, behind, y_best, chi2_min + delta) for delta in deltas]
    for found in (y_best, *y_limit):
        found[(y[-1, model] == 0) | np.isnan(chi2_min)] = np.nan
    return Rise(*(a.reshape(curves.shape) for a in (y_best, chi2_min)), [a.reshape(curves.shape) for a in y_limit])


def _seen(curves, y, model):
    """The statistic at all levels, shape (S, T N), a few levels at a time."""
    seen, rows = np.empty((len(y), len(model))), max(1, BLOCK // len(model))
    for k in range(0, len(y), rows):
        seen[k : k + rows] = curves.value(np.take(y[k : k + rows], model, axis=1))
    return seen


def _smallest(seen):
    """The level of the smallest value, and that value; nan is never the smallest, unless there is nothing else."""
    best, smallest = np.zeros(seen.shape[1], dtype=int), np.full(seen.shape[1], np.inf)
    for k, level in enumerate(seen):
        np.copyto(best, k, where=level < smallest)
        np.minimum(smallest, level, out=smallest)
    return best, smallest


def _crossing(curves, y, model, seen, behind, y_best, goal):
    """Where the statistic first exceeds `goal` at a level from `behind` on, refined; inf where it never does."""
    first, found = np.zeros(len(model), dtype=int), np.full(len(model), np.inf)
    for k in range(len(y) - 1, 0, -1):
        np.copyto(first, k, where=(seen[k] > goal) & (behind <= k))
    rising = np.flatnonzero(first > 0)  # level 0 is never behind the minimum
    if len(rising):
        k, n = first[rising], model[rising]
        low, high = np.fmax(y[k - 1, n], y_best[rising]), y[k, n]
        # no change of sign: the value at an end is the goal, but for rounding
        found[rising] = _root(lambda at, goal, k: curves.value(at, k) - goal, low, high, [goal[rising], rising])
    return found


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
