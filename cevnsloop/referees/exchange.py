"""Two Z' off the whole nucleus without partial waves: averages over the sphere, and Cauchy's principal value.

I_0 and I_1 of amplitudes/exchange.py as integrals over l of an average over the directions of l, which is taken by
Gauss points in the cosine to P and by the trapezoid rule around it; what is left is one integral by QUADPACK, at a pole
with its weight for principal values.
"""

from itertools import pairwise

import numpy as np
from numpy.polynomial.legendre import leggauss, legint, legval, legvander
from scipy.integrate import quad
from scipy.special import spherical_in, spherical_jn, spherical_kn, spherical_yn

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


def waves_in_space(E, m_chi, masses, residues, j):
    """A_j and B_j of amplitudes/waves.py from the radial waves of chi between two scatterings at r and r'.

    For the field V(r) = sum_i residues_i exp(-masses_i r) / (4 pi r), with f_j = r^2 V(r) j_j(E r) and the Green
    function i k j_j(k r_<) h_j(k r_>) of the radial wave equation, k = i kappa below threshold,

        A_j = 4 pi i k int int f_j(r) j_j(k r_<) h_j(k r_>) f_j(r'),
        B_j = 4 pi i k^2 int int f_j(r) f_(j+1)(r') [j_j(k r) h_(j+1)(k r') or h_j(k r) j_(j+1)(k r')],

    the first for r' > r. By Gauss points on many intervals, the inner integral from one to the next.
    """
    k = np.sqrt(complex((E - m_chi) * (E + m_chi)))
    x, weight = leggauss(12)
    ends = np.linspace(0.0, 60.0 / min(masses), 1500)
    half = np.diff(ends)[:, None] / 2
    r = ends[:-1, None] + half * (x + 1)
    field = sum(c * np.exp(-mass * r) for mass, c in zip(masses, residues, strict=True)) / (4 * np.pi * r)
    f = [r**2 * field * spherical_jn(n, E * r) for n in (j, j + 1)]
    if m_chi < E:
        small = [spherical_jn(n, k.real * r) for n in (j, j + 1)]
        large = [spherical_jn(n, k.real * r) + 1j * spherical_yn(n, k.real * r) for n in (j, j + 1)]
    else:  # j_n(i x) = i^n i_n(x), h_n(i x) = -(2/pi) i^-n k_n(x)
        small = [1j**n * spherical_in(n, k.imag * r) for n in (j, j + 1)]
        large = [-2 / np.pi * (-1j) ** n * spherical_kn(n, k.imag * r) for n in (j, j + 1)]
    within = _from_the_left(x)

    def up_to(g):
        """int_0^r g at every point."""
        before = np.concatenate([[0], np.cumsum((g * weight * half).sum(1))[:-1]])
        return before[:, None] + half * (g @ within.T)

    def whole(g):
        return (g * weight * half).sum()

    A = 2 * whole(f[0] * large[0] * up_to(f[0] * small[0]))
    B = whole(f[1] * large[1] * up_to(f[0] * small[0])) + whole(f[0] * large[0] * up_to(f[1] * small[1]))
    return 4j * np.pi * k * A, 4j * np.pi * k**2 * B


def _from_the_left(x):
    """The matrix from values at Gauss points x of (-1, 1) to the integrals from -1 to each of them."""
    n = len(x)
    integrals = np.array([legval(x, legint(np.eye(n)[i], lbnd=-1)) for i in range(n)]).T
    return integrals @ np.linalg.inv(legvander(x, n - 1))
