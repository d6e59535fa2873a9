"""A Poisson likelihood of the counts beside the Gaussian one of Eq. (34): its nuisances profiled, its upper limits.

In bin i the beam-on count is C_i ~ Poisson(b_i + s_i) and the anticoincidence count AC_i ~ Poisson(b_i), with the
signal and the beam-on background of Eq. (34) in

    s_i = n_i(G) (1 + alpha) + B_on,i (1 + beta)

and a steady-state rate b_i >= 0 of its own in every bin. The statistic

    q(G) = -2 ln [L(G, all nuisances profiled) / L(every expectation equal to its count)]

contains the penalties of Eq. (34) for alpha and beta. For large counts it goes over into chi^2 with the variance
C_i + AC_i, where Eq. (34) takes C_i + AC_i + B_on,i.

The profile over b_i is in closed form. The number lambda in [-1, 1] with C / (b + s) = 1 + lambda and
AC / b = 1 - lambda solves a quadratic equation, and in terms of it the bin contributes

    f(s) = 2 [C ln(1 + lambda) + AC ln(1 - lambda) - lambda s],     df/ds = -2 lambda,

the largest value of that bracket over lambda, so that f is convex. C and AC are Dataset.n_on and Dataset.b_ss; for
toys give them axes of their own, which broadcast against those of the model: replace(dataset, n_on=..., b_ss=...) with
the shape (toys, 1, B) meets models of the shape (masses, B).
"""

import math

import numpy as np

from .checks import frozen, positive, real, sealed
from .events import Events
from .fit import Limit, first_rise, levels, limits, named

# Newton's method ends with the step that lowers q by less than this: by less than q rounds. Its length is 1e-7 in units
# of the nuisances' uncertainties, and what it leaves of the distance to the minimum is the square of that.
CONVERGED = 1e-14
ROUNDING = 1e-12  # of q, in which no step has to descend
MOST_STEPS = 200
ROWS = 2048  # points per block: what one step of Newton's method holds then fits a cache


def multiplier(s, n_on, b_ss):
    """lambda and -dlambda/ds of bins with the expected excess `s`, both of the shape that the arguments broadcast to.

    s lambda^2 - (C + AC) lambda + C - AC - s = 0 has one root with b > 0 and b + s > 0, written so that it does not
    cancel; it holds for s < 0 too, and for C = 0 or AC = 0. Where both are 0, f = 2 |s| has a kink at s = 0; lambda is
    -1 there, its slope to the right.
    """
    root = np.sqrt((n_on - b_ss - 2 * s) ** 2 + 4 * n_on * b_ss)
    total = n_on + b_ss + root
    lam = np.where(total > 0, 2 * (n_on - b_ss - s) / np.where(total > 0, total, 1.0), -1.0)
    # the last float below 1: ln(1 + lambda) is finite, and C = 0 takes it out
    lam = np.clip(lam, 2.0**-53 - 1, 1 - 2.0**-53)
    return lam, (1 - lam) * (1 + lam) / np.where(root > 0, root, 1.0)


def steady_state(s, n_on, b_ss):
    """The rate b >= 0 that fits a bin best for the expected excess `s`: the larger root of
    2 b^2 + (2 s - C - AC) b - AC s = 0, in the form that does not cancel.
    """
    p = n_on + b_ss - 2 * s
    root = np.sqrt((n_on - b_ss - 2 * s) ** 2 + 4 * n_on * b_ss)
    return np.where(p > 0, root + p, 8 * b_ss * s / np.where(p < root, root - p, 1.0)) / 4


def profile_poisson(n_th, dataset, alpha_0=0.0, beta_0=0.0):
    """q at its minimum over all nuisances; n_th has the shape (..., B), the result (...).

    Returns q, alpha, beta as fit.profile does; the rates are steady_state(s, n_on, b_ss) there.
    alpha_0 and beta_0 are the centres of the constraints: 0 for data, thrown for toys. They, n_th, dataset.n_on and
    dataset.b_ss broadcast, all but the last axis of the vectors. nan passes through.

    Neither signal nor background can be negative: alpha >= -1 and beta >= -1. (Eq. (34) has no such bounds. They cost
    1/sigma_alpha^2 and 1/sigma_beta^2 to reach, more than a limit asks for.)

    q is convex in alpha and beta: Newton's method from the Gaussian fit, halving steps that do not descend, takes a
    few steps; what is left is rounding.

    Raises ValueError for n_th < 0 in a bin without any count if the minimum lies at its kink, s = 0.
    """
    return _profile(n_th, dataset.n_on, dataset.b_ss, dataset, alpha_0, beta_0)


def _profile(n_th, n_on, b_ss, dataset, alpha_0, beta_0):
    """`profile_poisson` for the counts n_on and b_ss in place of those of `dataset`."""
    n_th, alpha_0, beta_0 = (real("n_th and centres", a, "") for a in (n_th, alpha_0, beta_0))
    vectors = (n_th, n_on, b_ss)
    shape = np.broadcast_shapes(*(v.shape[:-1] for v in vectors), alpha_0.shape, beta_0.shape)
    vectors = [np.broadcast_to(v, (*shape, len(dataset.b_on))) for v in vectors]
    centres = [np.broadcast_to(a, shape) for a in (alpha_0, beta_0)]
    found = np.empty((3, *shape))
    for block in blocks(shape, ROWS):
        found[(slice(None), *block)] = _minimise(*(v[block].T for v in vectors), dataset, *(a[block] for a in centres))
    return tuple(found)


def blocks(shape, size):
    """Indices of at most `size` elements each that together cover an array of `shape`."""
    total = math.prod(shape)
    for start in range(0, total, size):
        yield np.unravel_index(np.arange(start, min(start + size, total)), shape or (1,)) if shape else (None,)


def _minimise(n, c, a, dataset, alpha_0, beta_0):
    """q, alpha and beta at the minimum, shape (3, P), for P points: n, c, a have the shape (B, P)."""
    sigma, b_on = np.array([[dataset.sigma_alpha], [dataset.sigma_beta]]), dataset.b_on[:, None]
    data, centre = np.stack(np.broadcast_arrays(n, c, a)), np.stack([1 + alpha_0, 1 + beta_0])
    point, pull = _start(data, b_on, sigma, centre)
    found, active = np.empty((3, n.shape[1])), np.arange(n.shape[1])
    state, length = _evaluate(point, pull, data, b_on, sigma), np.ones(n.shape[1])
    for _ in range(MOST_STEPS):
        going = state[3] > CONVERGED
        if not going.all():
            found[0, active[~going]] = state[0, ~going]
            found[1:, active[~going]] = point[:, ~going] + sigma * state[1:3, ~going] - 1
            if not going.any():
                return found
            active, data, centre, length = active[going], data[:, :, going], centre[:, going], length[going]
            point, pull, state = point[:, going], pull[:, going], state[:, going]
        trial = _bounded(point + length * sigma * state[1:3], pull + length * state[1:3], sigma, centre)
        new = _evaluate(*trial, data, b_on, sigma)
        descends = new[0] <= state[0] - 1e-4 * length * state[3] + ROUNDING * (1 + state[0])
        point, pull, state = (
            np.where(descends, *pair) for pair in zip((*trial, new), (point, pull, state), strict=True)
        )
        length = np.where(descends, 1.0, length / 2)
    n, c, a = data
    kinks = np.flatnonzero(((n < 0) & (c + a == 0)).any(1))
    raise ValueError(f"n_th must be >= 0 without any count, where q has a kink at s = 0: {named(kinks, dataset)}")


def _start(data, b_on, sigma, centre):
    """Where Newton's method begins: 1 + alpha and 1 + beta ("point"), and what they are off from their centres in units
    of sigma ("pull"), each of shape (2, P).

    Both are kept from here on, because either loses digits in the other: the point, near 0, for n far above the data,
    the pull for a small sigma. Where sigma is 0, the point stays.
    """
    n, c, a = data
    w, v = 1 / np.maximum(c + a, 1.0), np.stack(np.broadcast_arrays(n, b_on))
    xx, yy = sigma**2 * (w * v**2).sum(1)
    xy = (w * v[0] * v[1]).sum(0)
    x, y = sigma**2 * (w * (c - a) * v).sum(1) + centre
    point = _solve(1 + xx, sigma[0] ** 2 * xy, sigma[1] ** 2 * xy, 1 + yy, x, y)
    point = np.where(sigma > 0, point, centre)
    return _bounded(point, (point - centre) / np.where(sigma > 0, sigma, 1.0), sigma, centre)


def _bounded(point, pull, sigma, centre):
    """Point and pull, put back to 1 + alpha = 0 or 1 + beta = 0 where they are beyond."""
    beyond = point < 0
    return np.where(beyond, 0.0, point), np.where(beyond & (sigma > 0), -centre / np.where(sigma > 0, sigma, 1.0), pull)


def _evaluate(point, pull, data, b_on, sigma):
    """q, Newton's step in terms of the pulls and the fall of q that it promises, shape (4, P)."""
    n, c, a = data
    s = n * point[0] + b_on * point[1]
    lam, curvature = multiplier(s, c, a)
    q = 2 * (c * np.log1p(lam) + a * np.log1p(-lam) - lam * s).sum(0) + (pull**2).sum(0)
    n, b = sigma[0] * n, sigma[1] * b_on
    fall = np.stack([(lam * n).sum(0), (lam * b).sum(0)]) - pull
    # at a bound and drawn beyond it: stay there, and leave the other unknown its own step
    free = (point > 0) | (fall > 0)
    wn, wb, fall = curvature * n, curvature * b, fall * free
    xy = (wn * b).sum(0) * free.all(0)
    step = _solve(1 + (wn * n).sum(0), xy, xy, 1 + (wb * b).sum(0), *fall)
    return np.stack([q, *step, (fall * step).sum(0)])


def _solve(xx, xy, yx, yy, x, y):
    """Cramer's rule for xx u + xy v = x, yx u + yy v = y; shape (2, P)."""
    return np.stack([yy * x - xy * y, xx * y - yx * x]) / (xx * yy - xy * yx)


def upper_limit_poisson(events, dataset, delta_chi2, alpha_0=0.0, beta_0=0.0):
    """The fit.Limit of q(G), as fit.upper_limit: the first G above the best fit where q has risen by delta_chi2.

    `events` = events.predict(model, dataset, ...); for toys the shape of the result is that to which the models, the
    counts and the centres broadcast. Search as in fit.upper_limit: q is scanned in the number of signal events, all
    counted positive, from 0.1 to 1e6 in steps of 25%, and refined from there by Chandrupatla's root finder: the best
    fit as the root of dq/dG, the limit as that of q, both to the resolution of float64.

    No limit is a value, as in fit.upper_limit: alpha absorbs any signal for (1 + alpha_0)^2 / sigma_alpha^2.
    Raises ValueError as profile_poisson does, and if delta_chi2 is not finite and > 0.
    """
    positive("delta_chi2", delta_chi2, "")
    events = events.in_bins_of(dataset)
    quadratic, quartic = events.n_tree + events.n_interference, events.n_loop
    centres = [real("centres", a, "") for a in (alpha_0, beta_0)]
    vectors = (quadratic, quartic, dataset.n_on, dataset.b_ss)
    shape = np.broadcast_shapes(*(v.shape[:-1] for v in vectors), *(a.shape for a in centres))
    vectors = [np.broadcast_to(v, (*shape, len(dataset.b_on))) for v in vectors]
    centres = [np.broadcast_to(a, shape) for a in centres]
    found = np.empty((3, *shape))
    for block in blocks(shape, ROWS):
        found[(slice(None), *block)] = _limits(
            events.n_sm, dataset, delta_chi2, *(v[block] for v in (*vectors, *centres))
        )
    return Limit(*sealed(found))


SIGNALS = frozen(np.array([0.0, *np.geomspace(0.1, 1e6, 73)]))  # events at which q is looked at first


def _limits(n_sm, dataset, delta_chi2, quadratic, quartic, n_on, b_ss, alpha_0, beta_0):
    """g_limit, g_best and q there, shape (3, P), for P points: the other arrays have the shape (P, B) or (P,)."""
    y = levels(Events(n_sm, quadratic, np.zeros_like(quadratic), quartic), dataset, SIGNALS)

    def fit(y, i):
        y = y[..., None]
        n_th = n_sm + y * (quadratic[i] + y * quartic[i])
        return n_th, *_profile(n_th, n_on[i], b_ss[i], dataset, alpha_0[i], beta_0[i])

    def q(y, i):
        return fit(y, i)[1]

    def slope(y, i):
        """dq/dy but for the factor 2 (1 + alpha): at the minimum the nuisances' own change drops out."""
        n_th, _, alpha, beta = fit(y, i)
        s = n_th * (1 + alpha[..., None]) + dataset.b_on * (1 + beta[..., None])
        return -(multiplier(s, n_on[i], b_ss[i])[0] * (quadratic[i] + 2 * y[..., None] * quartic[i])).sum(-1)

    points = np.arange(y.shape[1])[None]
    return limits(first_rise(q, slope, y, [points], [delta_chi2]))
