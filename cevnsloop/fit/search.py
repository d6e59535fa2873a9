"""Where a statistic is smallest along y = G^2, and where it has first risen by so much above that, for many curves."""

from typing import NamedTuple, Protocol

import numpy as np

from ..checks import sealed

# Events at which a statistic is looked at first: below a tenth of an event all that it can be is a parabola in y.
SIGNALS = sealed(np.concatenate([[0.0], np.geomspace(1e-3, 0.1, 6, endpoint=False), np.geomspace(0.1, 1e6, 73)]))
MANY = 1e4  # counts beyond which these are too few: see `levels`
BLOCK = 8192  # curves at once: their values at all SIGNALS take 8 MB


class Curves(Protocol):
    """A statistic, at its minimum over the nuisances, as a function of y = G^2: T x N curves.

    shape   (T, N)
    """

    shape: tuple[int, int]

    def value(self, y, k=...):
        """The statistic at y, for the curves with the indices k, of all T N if none are given; y and k broadcast."""

    def slope(self, y, k):
        """Its derivative by y, but for a positive factor."""

    # and perhaps crossing(low, high, goal, k), where they rise to `goal`, if they know a quicker way than `root`


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


def levels(events, counts, statistic):
    """G^2 at which N models are looked at first, shape (S, N): SIGNALS events, and more for data of many counts, or
    each `statistic.every` of them.

    The largest must be so large that alpha takes what it can: it is at least a hundred times the counts.
    """
    most = (counts.n_on + counts.b_ss + statistic.b_on).sum(-1).max()
    return coupling_squared(events, SIGNALS[:: statistic.every] * max(1.0, most / MANY))


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


def rises(events, counts, statistic, deltas):
    """The Rise of N models, Events with n of shape (3, N, B), in T experiments, Counts of shape (T, B), by each of
    `deltas`: BLOCK curves at once, so that memory beyond the result does not grow with their number.

    Raises ValueError if they do not have the bins of the statistic.Statistic.
    """
    statistic.meet(events, counts)
    T, N = len(counts.n_on), events.n.shape[1]
    found = [np.empty((T, N)) for _ in range(2 + len(deltas))]
    for n in range(0, N, BLOCK):
        models = events.at(slice(n, n + BLOCK))
        y = levels(models, counts, statistic)
        step = max(1, BLOCK // y.shape[1])
        for t in range(0, T, step):
            rise = first_rise(statistic.curves(models, counts.at(slice(t, t + step))), y, deltas)
            for whole, part in zip(found, (rise.y_best, rise.chi2_min, *rise.y_limit), strict=True):
                whole[t : t + step, n : n + BLOCK] = part
    return Rise(found[0], found[1], found[2:])


def first_rise(curves, y, deltas):
    """The Rise of `Curves`: their smallest values, and where they have first risen by each of `deltas` above these.

    y   G^2 at which they are looked at first, shape (S, N), rising from 0, or 0 throughout without a signal
    """
    model = np.tile(np.arange(curves.shape[1]), curves.shape[0])
    seen = look(curves, y)
    best, chi2_min = _smallest(seen)
    y_best = y[best, model]

    inside = np.flatnonzero((best > 0) & (best < len(y) - 1))
    if len(inside):  # the minimum lies between levels
        k, n = best[inside], model[inside]
        falling = (curves.slope(y[k, n], inside) < 0).astype(int)
        # no change of sign: the statistic is the same at neighbouring levels, but for rounding
        y_best[inside] = root(curves.slope, y[k - 1 + falling, n], y[k + falling, n], [inside], y[k, n])
        chi2_min[inside] = curves.value(y_best[inside], inside)

    behind = best + (y[best, model] <= y_best)  # the first level above the minimum
    y_limit = [_crossing(curves, y, model, seen, behind, y_best, chi2_min + delta) for delta in deltas]
    for found in (y_best, *y_limit):
        found[(y[-1, model] == 0) | np.isnan(chi2_min)] = np.nan
    return Rise(*(a.reshape(curves.shape) for a in (y_best, chi2_min)), [a.reshape(curves.shape) for a in y_limit])


def look(curves, y):
    """The statistic at y, shape (S, N), of T x N curves: shape (S, T N), computed a few levels at a time."""
    T, N = curves.shape
    seen, rows = np.empty((len(y), T * N)), max(1, BLOCK // (T * N))
    for k in range(0, len(y), rows):
        seen[k : k + rows] = curves.value(np.tile(y[k : k + rows], T))
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
        if hasattr(curves, "crossing"):
            found[rising] = curves.crossing(low, high, goal[rising], rising)
        else:  # no change of sign: the value at an end is the goal, but for rounding
            found[rising] = root(lambda at, goal, k: curves.value(at, k) - goal, low, high, [goal[rising], rising])
    return found


SIGNS_EQUAL = -1  # status of scipy's find_root; below that it means too many steps, or a value that is not finite


def root(function, low, high, args, otherwise=None):
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
