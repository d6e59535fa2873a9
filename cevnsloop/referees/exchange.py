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
