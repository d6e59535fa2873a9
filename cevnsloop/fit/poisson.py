"""The Poisson likelihood of the counts, beside the Gaussian statistic of Eq. (34).

In bin i the beam-on count is C_i ~ Poisson(b_i + s_i) and the anticoincidence count AC_i ~ Poisson(b_i), with the
excess s_i of statistic.py and a steady-state rate b_i >= 0 of its own in every bin. The statistic

    q(G) = -2 ln [L(G, all nuisances at their minimum) / L(every expectation equal to its count)]

contains the penalties of the nuisances. For large counts it goes over into chi^2 with the variance C_i + AC_i, where
Eq. (34) takes C_i + AC_i + B_on,i.

The profile over b_i is in closed form. The number lambda in [-1, 1] with C / (b + s) = 1 + lambda and
AC / b = 1 - lambda solves a quadratic equation, and in terms of it the bin contributes

    f(s) = 2 [C ln(1 + lambda) + AC ln(1 - lambda) - lambda s],     df/ds = -2 lambda,

the largest value of that bracket over lambda, so that f is convex. C and AC are Counts.n_on and Counts.b_ss.
"""

from dataclasses import dataclass

import numpy as np

from .statistic import Binned


@dataclass(frozen=True, eq=False)
class Poisson(Binned):
    """-2 ln L of Poisson counts; neither signal nor background can be negative, alpha >= -1 and beta >= -1."""

    def terms(self, s, n_on, b_ss):
        """f(s) and its derivatives, Binned.terms."""
        lam, curvature = multiplier(s, n_on, b_ss)
        return 2 * (n_on * np.log1p(lam) + b_ss * np.log1p(-lam) - lam * s), lam, curvature


poisson = Poisson.of  # what limits.upper_limit takes


def multiplier(s, n_on, b_ss):
    """lambda and -dlambda/ds of bins with the expected excess `s`, both of the shape that the arguments broadcast to.

    s lambda^2 - (C + AC) lambda + C - AC - s = 0 has one root with b > 0 and b + s > 0, written so that it does not
    cancel; it holds for s < 0 too, and for C = 0 or AC = 0. Where both are 0, f = 2 |s| has a kink at s = 0; lambda is
    -1 there, its slope to the right.
    """
    left = n_on - b_ss - s
    root = np.sqrt((left - s) ** 2 + 4 * n_on * b_ss)
    total = n_on + b_ss + root
    lam = np.full(np.shape(total), -1.0)
    np.divide(2 * left, total, out=lam, where=total > 0)
    # the last float below 1: ln(1 + lambda) is finite, and C = 0 takes it out
    np.maximum(lam, 2.0**-53 - 1, out=lam)
    np.minimum(lam, 1 - 2.0**-53, out=lam)
    return lam[()], (1 - lam) * (1 + lam) / np.where(root > 0, root, 1.0)


def steady_state(s, n_on, b_ss):
    """The rate b >= 0 that fits a bin best for the expected excess `s`: the larger root of
    2 b^2 + (2 s - C - AC) b - AC s = 0, in the form that does not cancel.
    """
    p = n_on + b_ss - 2 * s
    root = np.sqrt((n_on - b_ss - 2 * s) ** 2 + 4 * n_on * b_ss)
    return np.where(p > 0, root + p, 8 * b_ss * s / np.where(p < root, root - p, 1.0)) / 4
