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

    Returns chi2, alpha, beta. In units of sigma_stat the residual r = N_meas - N_th - B_on is fitted by
    alpha N_th + beta B_on with penalties: two linear equations, solved by Cramer's rule.
    """
    n_th = shaped("n_th", real("n_th", n_th, ""), (..., *dataset.b_on.shape))
    s = n_th / dataset.sigma
    b = dataset.b_on / dataset.sigma
    r = (dataset.n_obs - n_th - dataset.b_on) / dataset.sigma
    ss = (s * s).sum(-1) + dataset.sigma_alpha**-2
    bb = (b * b).sum(-1) + dataset.sigma_beta**-2
    sb, rs, rb = (s * b).sum(-1), (r * s).sum(-1), (r * b).sum(-1)
    determinant = ss * bb - sb**2
    alpha = (bb * rs - sb * rb) / determinant
    beta = (ss * rb - sb * rs) / determinant
    left = r - alpha[..., None] * s - beta[..., None] * b
    chi2 = (left**2).sum(-1) + (alpha / dataset.sigma_alpha) ** 2 + (beta / dataset.sigma_beta) ** 2
    return chi2, alpha, beta


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
    """The Limit for `events` = events.predict(model, dataset, ...), all models at once: on G, as events.py defines it.

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
        y, chi2 = coupling_squared(models, SIGNALS), curves(models, observed(dataset), dataset)
        found[:, here] = limits_or_error(search(y, chi2, [delta_chi2]), delta_chi2)
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


def curves(events, experiments, dataset):
    """chi^2 of Eq. (34) at its minimum over alpha and beta as a function of y = G^2: the coefficients of `chi2_at`.

    Of N models, `events` of shape (N, B), and T experiments; uncertainties and B_on are those of `dataset`. A bin
    without any count or B_on has no sigma_stat and makes the result nan.

    With the product u.v = sum_i u_i v_i / sigma_i^2 - (u.b)(v.b) / (b.b + 1 / sigma_beta^2), b = B_on, which holds what
    beta takes, with the data d = N_meas - (1 + beta_0) B_on and lam = 1 / sigma_alpha^2,

        chi^2 = d.d + (1 + alpha_0)^2 lam - [d.n + (1 + alpha_0) lam]^2 / (n.n + lam) = A - B^2 / C,

    alpha_0, beta_0 being the minima of the penalties. The signal n(G) = n_sm + y quadratic + y^2 quartic makes B
    quadratic and C quartic in y.

    Returns A, three coefficients of B and five of C, lowest power of y first, all of shape (T, N).
    """
    shaped("n_on", experiments.n_on, (..., *events.in_bins_of(dataset).n_sm.shape))
    b, n = dataset.b_on, (events.n_sm[None], events.n_tree + events.n_interference, events.n_loop)
    weight = 1 / (experiments.n_on + experiments.b_ss + b)  # sigma_stat^2 = N_meas + 2 B_SS + B_on
    d = experiments.n_on - experiments.b_ss - (1 + experiments.beta[:, None]) * b
    bb = (weight @ b**2)[:, None] + dataset.sigma_beta**-2
    db, nb = ((weight * d) @ b)[:, None], [weight @ (part * b).T for part in n]
    lam, centre = dataset.sigma_alpha**-2, 1 + experiments.alpha[:, None]

    def square(i, j):
        return weight @ (n[i] * n[j]).T - nb[i] * nb[j] / bb

    A = (weight * d**2).sum(-1)[:, None] - db**2 / bb + centre**2 * lam
    B0, B1, B2 = ((weight * d) @ part.T - db * part_b / bb for part, part_b in zip(n, nb, strict=True))
    C = square(0, 0) + lam, 2 * square(0, 1), square(1, 1) + 2 * square(0, 2), 2 * square(1, 2), square(2, 2)
    return np.broadcast_arrays(A, B0 + centre * lam, B1, B2, *C)


def chi2_at(y, A, B0, B1, B2, C0, C1, C2, C3, C4):
    """chi^2 of `curves` at y = G^2."""
    B = B0 + y * (B1 + y * B2)
    C = C0 + y * (C1 + y * (C2 + y * (C3 + y * C4)))
    return A - B**2 / C


def _slope_at(y, A, B0, B1, B2, C0, C1, C2, C3, C4):
    """Derivative of chi2_at by y, times C^2 > 0, which leaves a polynomial."""
    B = B0 + y * (B1 + y * B2)
    C = C0 + y * (C1 + y * (C2 + y * (C3 + y * C4)))
    return B * (B * (C1 + y * (2 * C2 + y * (3 * C3 + y * 4 * C4))) - 2 * (B1 + 2 * y * B2) * C)


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


def search(y, coefficients, deltas):
    """`first_rise` for the curves with these coefficients."""
    return first_rise(chi2_at, _slope_at, y, coefficients, deltas)


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
