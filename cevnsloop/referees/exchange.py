"""Two Z' off the whole nucleus without partial waves: averages over the sphere, and Cauchy's principal value.

I_0 and I_1 of amplitudes/exchange.py as integrals over l of an average over the directions of l, which is taken by
Gauss points in the cosine to P and by the trapezoid rule around it; what is left is one integral by QUADPACK, at a pole
with its weight for principal values.
"""

from itertools import pairwise

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.integrate import quad

from ..nucleus import helm

LARGEST = 1200.0  # MeV


def averages(l, E, q2, m_zp, nucleus, points=96):
    """Averages of W(|l - p|) W(|l - p'|) and of the same times l.P / P^2 over the directions of l, in MeV^-4."""
    x, weight = leggauss(points)
    phi = 2 * np.pi * np.arange(points) / points
    P, half = np.sqrt(E**2 - q2 / 4), np.sqrt(q2) / 2  # p and p' are P -+ q/2, q across P
    across = l * np.sqrt(1 - x**2)[:, None] * np.cos(phi)
    common = l**2 + E**2 - 2 * l * P * x[:, None]
    product = 1.0
    for sign in (1, -1):
        Q2 = np.maximum(common + sign * 2 * half * across, 0.0)
        product = product * helm(Q2, nucleus) / (Q2 + m_zp**2)
    mean = product.mean(1)
    return (weight * mean).sum() / 2, (weight * mean * l * x / P).sum() / 2


def integrals(E, T, m_chi, m_zp, nucleus):
    """I_0 and I_1 in MeV^-3 at one energy and recoil in MeV, to some 1e-10."""
    q2, k2 = 2 * nucleus.M * T, (E - m_chi) * (E + m_chi)

    def numerator(l):
        return l**2 * averages(l, E, q2, m_zp, nucleus)[which]

    def regular(l):
        return numerator(l) / (l**2 - k2)

    found, exact = [], {"epsabs": 0, "epsrel": 1e-11, "limit": 200}
    for which in (0, 1):  # noqa: B007, the functions above read it
        ends = [E + m_zp, 300.0, LARGEST] if k2 > 0 else [0.0, E, E + m_zp, 300.0, LARGEST]
        whole = sum(quad(regular, *pair, **exact)[0] for pair in pairwise(ends))
        if k2 > 0:
            k = np.sqrt(k2)
            whole += quad(lambda l, k=k: numerator(l) / (l + k), 0.0, E + m_zp, weight="cauchy", wvar=k, **exact)[0]
            whole += 0.5j * np.pi * numerator(k) / k
        found.append(whole / (2 * np.pi**2))
    return tuple(found)


def yukawas(E, m_chi, masses, residues):
    """I_0 and I_1 forwards in closed form for the field W(q) = sum_i residues_i / (q^2 + masses_i^2); sum residues = 0.

    With kappa = sqrt(m_chi^2 - E^2), -i k above threshold, int d^3l/(2 pi)^3 1 / [((l - p)^2 + a^2)(l^2 + kappa^2)] is
    J(a) = atan(E / (a + kappa)) / (4 pi E); all else are its differences and, for equal masses, its derivative.
    """
    kappa = np.sqrt(complex((m_chi - E) * (m_chi + E)))
    kappa = kappa if kappa.real > 0 else -1j * abs(kappa)

    def J(a):
        return np.arctan(E / (a + kappa)) / (4 * np.pi * E)

    def both(a, b):
        """1 / [((l - p)^2 + a^2)((l - p)^2 + b^2)(l^2 + kappa^2)]."""
        if a == b:
            return 1 / (8 * np.pi * a * ((a + kappa) ** 2 + E**2))
        return (J(a) - J(b)) / (b**2 - a**2)

    pairs = [
        (a, b, r * s) for a, r in zip(masses, residues, strict=True) for b, s in zip(masses, residues, strict=True)
    ]
    I_0 = sum(weight * both(a, b) for a, b, weight in pairs)
    # l.p = [l^2 + kappa^2 + E^2 - kappa^2 - (l - p)^2] / 2, and (l - p)^2 / (((l - p)^2 + b^2)) = 1 - b^2 / (...)
    fields = sum(weight / (4 * np.pi * (a + b)) for a, b, weight in pairs)
    shifted = sum(weight * (J(a) - b**2 * both(a, b)) for a, b, weight in pairs)
    return I_0, (fields + (E**2 - kappa**2) * I_0 - shifted) / (2 * E**2)


def forwards(E, m_chi, m_zp, nucleus):
    """I_0 forwards and below threshold in mpmath: two nested integrals, another form factor routine."""
    import mpmath as mp

    c, a, s = (mp.mpf(length) for length in nucleus.lengths)
    R = mp.sqrt(c**2 + mp.mpf(7) / 3 * mp.pi**2 * a**2 - 5 * s**2)
    E, m_chi, m_zp = (mp.mpf(value) for value in (E, m_chi, m_zp))

    def square(Q2):
        x = mp.sqrt(Q2) * R
        form = 3 * (mp.sin(x) - x * mp.cos(x)) / x**3 * mp.exp(-Q2 * s**2 / 2)
        return (form / (Q2 + m_zp**2)) ** 2

    def average(l):
        low, high = (l - E) ** 2, (l + E) ** 2
        return mp.quad(square, [low, (low + high) / 2, high]) / (high - low)

    with mp.workdps(18):
        ends = [0, E, 2 * E, 150, 300, 500, 800]
        return mp.quad(lambda l: l**2 * average(l) / (l**2 + m_chi**2 - E**2), ends) / (2 * mp.pi**2)
