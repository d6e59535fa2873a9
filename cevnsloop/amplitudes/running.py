"""Second moments of the quarks at the scale of the Z', by the leading order of QCD.

With q = q(2) + qbar(2), g the gluons' share and t = ln mu^2, the moments of the splitting functions give

    dq/dt = (alpha_s/2 pi) (-16/9 q + g/3),      dg/dt = (alpha_s/2 pi) sum_q (16/9 q - g/3),

so that sum q + g stays 1. The sum of n_f flavours tends to 3 n_f/(16 + 3 n_f), and with dalpha_s/dt = -(beta_0/4 pi)
alpha_s^2, beta_0 = 11 - 2 n_f/3, everything is a power of r = alpha_s(mu)/alpha_s(mu_0):

    difference of two flavours ~ r^[(32/9)/beta_0],      sum - 3 n_f/(16 + 3 n_f) ~ r^[(32/9 + 2 n_f/3)/beta_0].

Charm and bottom begin with nothing at their thresholds; the set of the lowest scale is kept below it.
"""

import math

import numpy as np

from .. import inputs
from ..checks import positive

START = "cteq6l1_1300MeV"  # the set of second moments at the threshold of charm


def beta_0(n_f):
    """11 - 2 n_f/3."""
    return 11 - 2 * n_f / 3


def second_moments(mu, table=inputs.STANDARD):
    """q(2) + qbar(2) of the proton at mu in MeV (any shape), {flavour: array}; ValueError for mu that is not > 0.

    No flavour is there below its threshold, and the gluons have what is missing from 1.
    """
    mu = positive("mu", mu, "MeV")
    at = table.values("running")
    q = {flavour: np.full(mu.shape, share) for flavour, share in table.values(f"second_moments.{START}").items()}
    alpha = _alpha_at_charm(at)
    low, stop = at["m_c"], at["m_b"]
    for n_f, end in ((4, np.minimum(mu, stop)), (5, mu)):
        log = 2 * np.log(np.maximum(end / low, 1.0))
        r = 1 / (1 + alpha * beta_0(n_f) / (4 * np.pi) * log)
        active = list(q)[:n_f]
        before, limit = sum(q[flavour] for flavour in active), 3 * n_f / (16 + 3 * n_f)
        rise = (before - limit) / n_f * np.expm1((32 / 9 + 2 * n_f / 3) / beta_0(n_f) * np.log(r))
        fall = np.expm1(32 / 9 / beta_0(n_f) * np.log(r))
        for flavour in active:  # both are 0 where r is 1
            q[flavour] = q[flavour] + rise + (q[flavour] - before / n_f) * fall
        alpha, low = alpha * r, stop
    return q


def _alpha_at_charm(at):
    """alpha_s at the threshold of charm, from that at m_Z."""
    inverse = 1 / at["alpha_s_mz"]
    for n_f, high, low in ((5, at["m_Z"], at["m_b"]), (4, at["m_b"], at["m_c"])):
        inverse -= beta_0(n_f) / (4 * math.pi) * 2 * math.log(high / low)
    return 1 / inverse
