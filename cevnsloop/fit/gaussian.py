"""chi^2 of Eq. (34), at its minimum over the nuisances in closed form.

Nothing is divided by an uncertainty of a nuisance: 0 holds it where it is.
"""

from dataclasses import dataclass

import numpy as np

from .statistic import Binned, Minimum, Profiled


@dataclass(frozen=True, eq=False)
class Gaussian(Binned):
    """chi^2 of Eq. (34): the residual n_on - b_ss with sigma_stat^2 = N_meas + 2 B_SS + B_on = n_on + b_ss + b_on.

    It has no bounds: alpha and beta may be below -1.
    """

    positive = False

    def terms(self, s, n_on, b_ss):
        """chi^2 of a bin and its derivatives, Binned.terms."""
        weight = 1 / (n_on + b_ss + self.b_on[:, None])
        left = n_on - b_ss - s
        return weight * left**2, weight * left, np.broadcast_to(weight, s.shape)

    needs = "Eq. (34) needs sigma_stat > 0: there are neither counts nor beam-on background"

    def refused(self, counts):
        """Bins with neither counts nor beam-on background, shape (..., B): their sigma_stat is 0."""
        return counts.n_on + counts.b_ss + self.b_on == 0

    def minimum(self, pieces, n_on, b_ss, centre, start=None):
        """Statistic.minimum in closed form."""
        weight = self.weight(n_on, b_ss)
        n, others = np.split(weight * self.vectors(*pieces), [1])
        d = weight * (n_on - b_ss) - np.einsum("kp,kbp->bp", centre[1:], others)
        shapes, widths = self.sigmas[1:, None, None] * others, self.sigmas[1:, None]
        value, x, left = least(d, n[0], centre[0], self.sigma_alpha, shapes)
        moved = centre[1:] + widths * np.einsum("bp,kbp->kp", left, shapes)
        return Minimum(value, np.concatenate([x[None], moved]), weight * left, np.empty((0, len(value))))

    def weight(self, n_on, b_ss):
        """1 / sigma_stat for counts of the shape (B, ...), nan where that is 0."""
        variance = n_on + b_ss + self.b_on[:, None]
        return 1 / np.sqrt(np.where(variance > 0, variance, np.nan))

    def curves(self, events, counts):
        """The Curves, in closed form as long as no nuisance changes the shape of the signal."""
        return Profiled(self, events, counts) if self.changes else _quotient(self, events, counts)


gaussian = Gaussian.of  # what limits.upper_limit takes


def least(d, n, c, sigma_alpha, shapes):
    """Least |d - (1 + alpha) n - sum_k theta_k shapes_k|^2 + (1 + alpha - c)^2 / sigma_alpha^2 + sum_k theta_k^2.

    Vectors over the bins (B, P), in units of sigma_stat. The linear equations are solved for one theta after the other,
    see `absorbing`, then for alpha.

    Returns the minimum, 1 + alpha, and the vector that is squared, whose products with the shapes are theta_k. Only d
    and (1 + alpha) n are subtracted, so that the minimum is off by some eps |d| / sqrt(minimum) of itself, eps = 2^-52,
    for every n and for uncertainties down to 0.
    """
    absorbed, left = [], np.stack([*shapes, d, n], axis=1)
    for _ in shapes:
        absorbed.append(absorbing(left[:, :1]))
        left = absorbed[-1](left[:, 1:])
    d, n = left[:, 0], left[:, 1]
    variance = sigma_alpha**2
    nn = 1 + variance * (n * n).sum(0)
    pull = ((d - c * n) * n).sum(0) / nn  # (1 + alpha - c) / sigma_alpha^2
    x = (c + variance * (d * n).sum(0)) / nn
    left = d - x * n
    value = (left**2).sum(0) + variance * pull**2
    for left_by in reversed(absorbed):
        left = left_by(left[:, None])[:, 0]
    return value, x, left


def absorbing(v):
    """A function of vectors u: what is left of u, in its place, where a nuisance theta may add theta v for the price
    theta^2. Bins are the first axis of both.

    The product of two such vectors is the minimum over theta, u.w - (u.v) (w.v) / (1 + v.v), without its difference.
    """
    root = np.sqrt(1 + (v * v).sum(0))
    short = v / (root * (1 + root))

    def left_by(u):
        u -= np.einsum("b...,b...->...", u, v) * short
        return u

    return left_by


class Quotient:
    """chi^2 of Eq. (34) at its minimum over alpha and beta, a function of y = G^2, of T x N curves: limits.Curves.

    Vectors over the bins, in units of sigma_stat and less what beta takes (`absorbing`), are the data
    d = N_meas - (1 + beta_0) B_on and the signal n = n_0 + y n_1 + y^2 n_2; alpha_0, beta_0 are the minima of the
    penalties. With c = 1 + alpha_0 and V = sigma_alpha^2 the minimum over alpha is

        chi^2 = [(d - c n)^2 + V (d^2 n^2 - (d.n)^2)] / (1 + V n^2).

    n has a component a along d and others, s, t and u, perpendicular to it. With D = |d| and K = c^2 + V D^2

        chi^2 = [(D - c a)^2 + K (s^2 + t^2 + u^2)] / [1 + V (a^2 + s^2 + t^2 + u^2)].

    The axes are those of Gram and Schmidt for d, n_0, n_1 and n_2 in turn, so that

        a = a0 + a1 y + a2 y^2,   s = s0 + s1 y + s2 y^2,   t = t1 y + t2 y^2,   u = u2 y^2.

    But for D - c a, data less prediction, nothing is subtracted: chi^2 is never negative, and off by some
    eps D / sqrt(chi^2) of itself, eps = 2^-52, for every y and every V >= 0.
    """

    def __init__(self, V, D, c, a, s, t, u):
        """`a` and `s` are lists of three coefficients, t of two, u of one: arrays of shape (T, N), as D and c are."""
        arrays = np.broadcast_arrays(D, c, c**2 + V * D**2, *a, *s, *t, *u)
        self.V, self.shape, self.coefficients = V, arrays[0].shape, np.stack(arrays).reshape(len(arrays), -1)

    def value(self, y, k=...):
        """chi^2 at y of the curves with the indices k, all T N if none are given."""
        D, c, K, a0, a1, a2, s0, s1, s2, t1, t2, u2 = self.coefficients[:, k]
        a, s = a0 + y * (a1 + y * a2), s0 + y * (s1 + y * s2)
        t, u = y * (t1 + y * t2), y * (y * u2)
        across, along = s * s + t * t + u * u, D - c * a
        return (along * along + K * across) / (1 + self.V * (a * a + across))

    def slope(self, y, k):
        """Derivative of chi^2 by y, times half the square of its denominator."""
        D, c, _, a0, a1, a2, s0, s1, s2, t1, t2, u2 = self.coefficients[:, k]
        a, s = a0 + y * (a1 + y * a2), s0 + y * (s1 + y * s2)
        t, u = y * (t1 + y * t2), y * (y * u2)
        across = s * s + t * t + u * u
        rise = s * (s1 + 2 * y * s2) + t * (t1 + 2 * y * t2) + 2 * u * (y * u2)  # half the derivative of across
        x = c + self.V * D * a  # 1 + alpha, times the denominator
        return x * (x * rise - (a1 + 2 * y * a2) * (D - c * a + self.V * D * across))


def _quotient(statistic, events, counts):
    """The Quotient of N models, n of shape (3, N, B), and T experiments. A bin that `check` refuses makes it nan."""
    weight = statistic.weight(counts.n_on.T, counts.b_ss.T)
    data = counts.n_on.T - counts.b_ss.T
    for name, one in statistic.backgrounds.items():
        data = data - (1 + counts.centre(name)) * one.events[:, None]
    # bins, then toys and models, the larger number last: numpy is quick along the last axis
    more_models = events.n.shape[1] >= len(counts.n_on)
    toys, models = (np.s_[:, :, None], np.s_[:, None]) if more_models else (np.s_[:, None], np.s_[:, :, None])
    weight, data = np.ascontiguousarray(weight)[toys], np.ascontiguousarray(data)[toys]
    absorbed = []
    for one in statistic.backgrounds.values():
        absorbed.append(absorbing(_left(absorbed, weight * (one.sigma * one.events[:, None, None]))))
    axes, components = [], []
    for v in (data, *(np.ascontiguousarray(part.T)[models] for part in events.n)):
        v = _left(absorbed, weight * v)
        for axis in axes:
            along = (v * axis).sum(0)
            v = v - along * axis
            components.append(along)
        length, axis = _length_and_direction(v)
        axes.append(axis)
        components.append(length)
    D, a0, s0, a1, s1, t1, a2, s2, t2, u2 = (x if more_models else x.T for x in components)
    c, V = 1 + counts.centre(statistic.alpha)[:, None], statistic.sigma_alpha**2
    return Quotient(V, D, c, (a0, a1, a2), (s0, s1, s2), (t1, t2), (u2,))


def _left(absorbed, v):
    for left_by in absorbed:
        v = left_by(v)
    return v


def _length_and_direction(v):
    """|v| and v / |v| of vectors along the first axis, 0 for 0; no square of a signal, however small, is 0."""
    largest = abs(v).max(0)
    v = v / np.where(largest == 0, 1, largest)
    length = np.sqrt((v * v).sum(0))
    return largest * length, v / np.where(length == 0, 1, length)
