"""What the amplitude `coherent` leaves out, as sizes: recoil, nuclear excitation between the exchanges, one more order.

A nucleus of spin 0 and mass M that absorbs l and emits l' answers to two vector bosons with two Born terms and a point
vertex of both,

    T^mn = (2 p_1 + l)^m (2 p_2 + l')^n / ((p_1 + l)^2 - M^2)
           + (2 p_1 - l')^n (2 p_2 - l)^m / ((p_1 - l')^2 - M^2) - 2 g^mn,

and l_m T^mn = 0: of the propagators of Z' the parts q q drop out, and with them all Goldstone bosons. Its trace at rest
is, averaged over the directions of l with l^2 = -s, b = 4 M^2 / s and c the cosine to the time axis,

    K(s) = < [4 M s (1 + 2 c^2) + 3 s^2 / M] / (s + 4 M^2 c^2) >  ->  4 sqrt(s)  for M -> infinity,

and m_chi/(16 pi^2) int ds K F^2 / [(s + m_chi^2)(s + m_zp^2)^2] is c1 of two exchanges with the charge one, which is
completeness.static_exchange in that limit.
"""

import math

import numpy as np

from ..nucleus import helm
from .completeness import static_exchange
from .dirac import METRIC

STEP = 0.01  # of the trapezoid rule in ln s
FERMI = 265.0, 25.0  # MeV, the Fermi momentum of a heavy nucleus and its range


def born_terms(p_1, l, p_2):
    """(T^mn without its point vertex, the point vertex) for real momenta, arrays of four; p_2 + l' = p_1 + l."""
    out = p_1 + l - p_2

    def square(p):
        return p @ METRIC.astype(float) @ p

    M2 = square(p_1)
    direct = np.outer(2 * p_1 + l, 2 * p_2 + out) / (square(p_1 + l) - M2)
    crossed = np.outer(2 * p_2 - l, 2 * p_1 - out) / (square(p_1 - out) - M2)
    return direct + crossed, -2 * METRIC.astype(float)


def trace(s, M):
    """K(s) in MeV for a point nucleus of spin 0 and mass M, s in MeV^2."""
    root = np.sqrt(1 + 4 * M**2 / s)
    plain = 2 / (root + 1)  # <1 / (1 + b c^2)>, without a difference of large numbers
    with_c2 = (1 - plain) / (4 * M**2 / s)
    return 4 * M * (plain + 2 * with_c2) + 3 * s / M * plain


def _integral(K, m_chi, m_zp):
    """int ds K(s) / [(s + m_chi^2)(s + m_zp^2)^2]; scalar masses in MeV."""
    s = np.exp(np.arange(math.log(1e-8 * min(m_chi, m_zp) ** 2), math.log(9e6), STEP))  # F(3 GeV) = 0
    return (s * K(s) / ((s + m_chi**2) * (s + m_zp**2) ** 2)).sum() * STEP


def at_rest(m_chi, m_zp, nucleus, M):
    """c1 in MeV^-2 of two exchanges, for each g_L g_R (charge)^2, with the form factor of a nucleus and any mass M."""
    return m_chi / (16 * math.pi**2) * _integral(lambda s: trace(s, M) * helm(s, nucleus) ** 2, m_chi, m_zp)


def recoil(m_chi, m_zp, nucleus):
    """Relative change of c1 if the nucleus may recoil between the exchanges, with its own mass."""
    return at_rest(m_chi, m_zp, nucleus, nucleus.M) / float(static_exchange(m_chi, m_zp, nucleus)) - 1


def excitation(m_chi, m_zp, nucleus, charges, k_F=FERMI[0]):
    """c1 of all excited states between the exchanges over that of the ground state, by closure.

    charges   of proton and neutron; the nucleus has Z and N of them
    k_F       in MeV: a nucleon that is hit must leave the Fermi sea, which takes 1 - S of it away at l < 2 k_F,
              S = 3 l / (4 k_F) - l^3 / (16 k_F^3)

    Nucleons recoil with their own mass, P = 4 s / (w + sqrt(w^2 + s)), w = s / 2 m_N, and have the dipole form factor
    of 0.71 GeV^2. An estimate: without correlations but Pauli's, and without exchange currents.
    """
    m_N = nucleus.M / nucleus.A
    squares = nucleus.Z * charges[0] ** 2 + nucleus.N * charges[1] ** 2
    charge = nucleus.Z * charges[0] + nucleus.N * charges[1]

    def nucleons(s):
        l, w = np.sqrt(s), s / (2 * m_N)
        free = np.where(l < 2 * k_F, 3 * l / (4 * k_F) - l**3 / (16 * k_F**3), 1.0)
        return squares * free * 4 * s / (w + np.sqrt(w**2 + s)) / (1 + s / 0.71e6) ** 4

    whole = _integral(lambda s: 4 * np.sqrt(s) * charge**2 * helm(s, nucleus) ** 2, m_chi, m_zp)
    return _integral(nucleons, m_chi, m_zp) / whole


def another_pair(G, m_chi, m_zp, nucleus, charge, E):
    """An estimate of what two exchanges more do to the amplitude, relative: its scattering length times m_zp.

    G is the coupling, E the energy in MeV at which the length G^2 charge^2 E c1 / (2 pi) is taken.
    """
    return G**2 * charge**2 * E * float(static_exchange(m_chi, m_zp, nucleus)) / (2 * math.pi) * m_zp
