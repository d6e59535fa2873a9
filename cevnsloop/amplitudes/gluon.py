"""Gluons by a heavy-quark loop: the function F_G of the Goldstone pair, Eqs. A7-A13, and the exact kernels.

At zero neutrino momentum the X_n of Eqs. A8-A10 are partial fractions: X_n is the loop integral over
1/[(l^2 - m_chi^2)(l^2 - z)(l^2 - Q)^n] with z = m_zp^2, Q = m_q^2/u, u = x(1 - x).  After d/dz and the Wick
rotation, which gives (-1)^(n+1),

    dX_n/dz = (-1)^(n+1) int_0^inf s ds / [(s + m_chi^2)(s + z)^2 (s + Q)^n],

so that with r = s/m_q^2 and d = 1 + u r every version of Eq. A7 is one integral over a kernel without units:

    F_G = int_0^inf ds k(r) / [(s + m_chi^2)(s + z)^2]                                          (MeV^-4)
    published:  k = r int_0^1 dx [-3 u/d - 3 (1 + u)/d^2 - 4 (1 - 3 u)/d^3]     Eq. A7 as printed
    rederived:  k = r int_0^1 dx [-3 u/d - (2 + 5 u)/d^2 + 2 (1 - 2 u)/d^3]     from the heavy-quark loop

The second (one heavy-quark loop in a constant gluon field) is the first with its third sign flipped.  The x
integral is closed: with J_N = int_0^1 dx d^-N,

    published:  k = -13 - 6 J_1 + 15 J_2 + 4 J_3        rederived:  k = -5 - 6 J_1 + 15 J_2 - 4 J_3.

All other gluon exchange by heavy quarks is of the same form (derivation/gluon_background.py derives it). For two Z' and
quarks of the mass m_q, which Eq. (9) takes as massless, and for what the longitudinal Z' and the Goldstone boson do:

    vector: k = 3 - 9 J_2 + 6 J_3      transverse: k = -9 (1 - J_2)      longitudinal: k = 1 - (3 J_2 - J_3)/2.
"""

import math

import numpy as np

from ..checks import choice, non_negative, positive

KERNELS = {"published": (-13, -6, 15, 4), "rederived": (-5, -6, 15, -4)}  # of 1, J_1, J_2, J_3
LOOPS = {"vector": (3, 0, -9, 6), "transverse": (-9, 0, 9, 0), "longitudinal": (1, 0, -1.5, 0.5)}
SWITCH = 0.5  # s/m_q^2 below which the power series replaces the closed form
STEP = 0.4  # of the trapezoid rule in ln s
ENDS = 1e-8, 1e8  # truncation, in units of the smallest and the largest squared mass


def feynman_J(r):
    """J_1, J_2, J_3 at r = s/m_q^2 >= 0: int_0^1 dx (1 + r x(1-x))^-N, each 1 at r = 0 and falling.

    J_1 = asinh(w) / (w sqrt(1 + w^2)), w = sqrt(r)/2, then (4 + r) N J_(N+1) = 2 + (4N - 2) J_N: sums of
    positive terms, so a few eps for every r.  ValueError for r < 0 or infinite; nan passes through.
    """
    r = non_negative("r", r, "", allow_nan=True)
    w = np.maximum(np.sqrt(r) / 2, np.finfo(float).tiny)  # asinh(w)/w is 1 there: no 0/0 at r = 0
    J1 = np.arcsinh(w) / (w * np.sqrt(1 + w * w))
    J2 = (2 + 2 * J1) / (4 + r)
    J3 = (1 + 3 * J2) / (4 + r)
    return J1[()], J2[()], J3[()]


def _series(name, terms=20):
    """Taylor coefficients of k(r), highest first; those of J_N are (-1)^j C(N+j-1, j) j!^2/(2j+1)!."""
    c0, *c = (KERNELS | LOOPS)[name]
    coefficients = [float(c0 + sum(c))]
    for j in range(1, terms):
        J = [math.comb(N + j - 1, j) for N in (1, 2, 3)]
        weight = (-1) ** j * math.factorial(j) ** 2 / math.factorial(2 * j + 1)
        coefficients.append(weight * sum(cN * JN for cN, JN in zip(c, J, strict=True)))
    return coefficients[::-1]


_SERIES = {name: _series(name) for name in KERNELS | LOOPS}


def gluon_kernel(r, kernel):
    """Kernel k(r) at r = s/m_q^2 >= 0 (no unit, any shape), `kernel` one of KERNELS, for F_G, or of LOOPS.

    That of F_G is < 0: it starts as -6 r (-2 r), falls to -13.20 at r = 68 (-5.37 at r = 35) and tends to -13 (-5).
    At small r the closed form subtracts numbers of order 10: below r = 0.5 the power series in r (radius 4) is summed
    instead.  Measured relative error: 1 eps below the switch, 9 (17) eps just above it, for LOOPS up to 40 eps, the
    "vector" one beginning only with 3 r^2/10.  ValueError for an
    unknown kernel and for r < 0 or infinite; nan passes through.
    """
    known = KERNELS | LOOPS
    c0, c1, c2, c3 = known[choice("kernel", kernel, known)]
    J1, J2, J3 = feynman_J(r)
    r = np.asarray(r, dtype=np.float64)
    near = np.minimum(r, SWITCH)
    total = np.zeros_like(r)
    for c in _SERIES[kernel]:
        total = total * near + c
    return np.where(r < SWITCH, total, c0 + c1 * J1 + c2 * J2 + c3 * J3)[()]


def F_G(m_chi, m_zp, m_q, kernel):
    """F_G of Eq. A7 in MeV^-4 for masses in MeV (broadcast together), `kernel` "published" or "rederived".

    It contains the d/dm_zp^2 of Eq. 10 already.  Limits: 24 D00b/m_q^2 (8 D00b/m_q^2) for a heavy quark and
    -13 D0b (-5 D0b) for a light one.  As `loop_integral`. ValueError for another kernel.
    """
    return loop_integral(m_chi, m_zp, m_q, choice("kernel", kernel, KERNELS))


def loop_integral(m_chi, m_zp, m_q, kernel):
    """int_0^inf ds k(s/m_q^2) / [(s + m_chi^2)(s + m_zp^2)^2] in MeV^-4 for masses in MeV (broadcast together).

    `kernel` is one of KERNELS or LOOPS; that of "longitudinal" is used with another weight.  The integrand in ln s is
    analytic in the strip |Im ln s| < pi, so the trapezoid rule with step h is wrong by exp(-2 pi^2/h) times powers of
    1/h; exp(-2 pi^2/h) = 4e-22 at h = 0.4.  The truncated ends are below 1e-15.  The nodes in s/m_q^2 are common to all
    masses, so that the kernel is evaluated once.  Memory: about 150 floats per result and temporary, more for masses
    that span many orders.  ValueError for an unknown kernel and for a mass that is not positive and finite; nan passes
    through.
    """
    named = {"m_chi": m_chi, "m_zp": m_zp, "m_q": m_q}
    m_chi, m_zp, m_q = (positive(name, mass, "MeV", allow_nan=True) for name, mass in named.items())
    x, z = np.square(m_chi / m_q)[..., np.newaxis], np.square(m_zp / m_q)[..., np.newaxis]
    lowest, highest = (pick(*(pick.reduce(a, axis=None, initial=1.0) for a in (x, z))) for pick in (np.fmin, np.fmax))
    ends = math.floor(math.log(ENDS[0] * lowest) / STEP), math.ceil(math.log(ENDS[1] * highest) / STEP)
    r = np.exp(STEP * np.arange(ends[0], ends[1] + 1))
    weight = STEP * r * gluon_kernel(r, kernel)
    return ((1 / ((r + x) * np.square(r + z))) @ weight / m_q**4)[()]
