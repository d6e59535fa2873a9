"""Partial waves of two Z' off a nucleus at rest, for exchange.py.

With W(q) = F(q^2) / (q^2 + m_zp^2), w_j = (1/2) int dx P_j(x) W((E^2 + l^2 - 2 E l x)^(1/2)) and k^2 = E^2 - m_chi^2,

    A_j = 1/(2 pi^2) int l^2 dl w_j^2 / (l^2 - k^2 - i0),    B_j = 1/(2 pi^2) int l^3 dl w_j w_(j+1) / (l^2 - k^2 - i0).

The angle is integrated in ln(q^2 + m_zp^2), in which a light Z' has no peak, and l in asinh((l - E) / m_zp) as far as
it has one. At a pole l = k its residue is subtracted and added in closed form, below threshold the value at l = 0. For
m_zp >= HEAVY the w_j have no peaks: angles and momenta are the same for all masses, the form factors there are kept for
each nucleus, and w_j is a polynomial in E, and in l up to the first of EDGES.
"""

from functools import cache, lru_cache

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.polynomial.legendre import leggauss

from ..nucleus import helm

MORE_ANGLES = 6  # Gauss nodes in the angle than there are waves, which a rule with fewer could not tell apart
NEAR, FAR = 44, 44  # Gauss nodes in l, up to `REACH` beyond E and from there to `LARGEST`
REACH, LARGEST = 80.0, 1000.0  # MeV; the square of the form factor is below 1e-18 beyond the last
DIGITS = 10  # partial waves are added until they are below 10^-DIGITS
# Fixed nodes for m_zp >= HEAVY: energies between the ends of BEAM, in MeV, momenta up to each of EDGES, angles; waves
HEAVY, BEAM, EDGES = 50.0, (0.0, 54.0), (0.0, 130.0, 400.0, LARGEST)
KEPT_ENERGIES, KEPT_MOMENTA, KEPT_ANGLES, KEPT_WAVES = 14, (40, 26, 18), 30, 22
_gauss = cache(leggauss)  # each call finds the eigenvalues of a matrix


@cache
def chebyshev(n):
    """Chebyshev nodes, and the matrix from values there to coefficients."""
    x = np.cos(np.pi * (np.arange(n) + 0.5) / n)
    return x, np.linalg.inv(chebvander(x, n - 1))


def partial_waves(E, m_chi, m_zp, nucleus):
    """A_j in MeV^-3 and B_j in MeV^-2 for energies E of shape (N, K), m_chi (N, 1) and m_zp (N,), all in MeV: shapes
    (N, K, J + 1) and (N, K, J).
    """
    k2 = (E - m_chi) * (E + m_chi)
    open_ = k2 > 0
    k = np.sqrt(abs(k2))
    fixed = m_zp.min() >= HEAVY and BEAM[0] <= E.min() and E.max() <= BEAM[1]
    most = BEAM[1] if fixed else E.max()
    slowest = np.arccosh(1 + m_zp.min() ** 2 / (2 * most**2))  # w_j falls like exp(-j slowest)
    J = int(np.ceil(DIGITS * np.log(10) / (2 * slowest))) + 8
    if fixed:
        l, weight = _fixed_momenta()
        w = _in_energy(E) @ _kept_waves(tuple(m_zp), nucleus, J + 1).reshape(len(E), KEPT_ENERGIES, -1)
        w = w.reshape(*E.shape, len(l), -1)
    else:
        l, weight = _momenta(E[0], m_zp[0])
        w = _waves(E[0][:, None], l, m_zp[0], nucleus, J + 1)[None]
    at_k = np.zeros((*E.shape, w.shape[-1]))
    at_k[..., 0] = helm(E**2, nucleus) / (E**2 + m_zp[:, None] ** 2)  # w_j(0), subtracted below threshold
    if open_.any():
        # the pole is found among the same nodes: another way to w_j(k) would not cancel where l is close to k
        if fixed:
            at_k[open_] = np.einsum("pl,plj->pj", _in_momentum(k[open_]), w[open_][:, : KEPT_MOMENTA[0]])
        else:
            at_k[open_] = _waves(E[open_][:, None], k[open_][:, None], m_zp[0], nucleus, J + 1)[:, 0]
    weight = weight / (l**2 - k2[..., None])
    # int_0^L dl / (l^2 - k^2) as a principal value with the half circle around the pole; below threshold there is none
    k = np.maximum(k, 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        above = np.log((LARGEST - k) / (LARGEST + k)) / (2 * k) + 0.5j * np.pi / k
    pole = np.where(open_, above, np.arctan(LARGEST / k) / k) - weight.sum(-1)

    def integral(power, left, right):
        both = left * right
        at = at_k[..., : both.shape[-1]] * at_k[..., -both.shape[-1] :]
        whole = np.matmul((weight * l**power)[..., None, :], both)[..., 0, :]
        return (whole + (k2 * k ** (power - 2) * pole)[..., None] * at) / (2 * np.pi**2)

    return integral(2, w, w), integral(3, w[..., :-1], w[..., 1:])


@cache
def _fixed_momenta():
    """Nodes and weights in l for m_zp >= HEAVY, in MeV."""
    parts = [(a, b, *_gauss(n)) for a, b, n in zip(EDGES[:-1], EDGES[1:], KEPT_MOMENTA, strict=True)]
    l = np.concatenate([(a + b) / 2 + (b - a) / 2 * x for a, b, x, _ in parts])
    return l, np.concatenate([(b - a) / 2 * weight for a, b, _, weight in parts])


def _in_energy(E):
    """The matrix from values at the fixed energies to those at E."""
    x = (2 * E - BEAM[0] - BEAM[1]) / (BEAM[1] - BEAM[0])
    return chebvander(x, KEPT_ENERGIES - 1) @ chebyshev(KEPT_ENERGIES)[1]


def _in_momentum(k):
    """The matrix from values at the fixed momenta up to the first of EDGES to those at k of shape (P,): barycentric."""
    x, weight = _gauss(KEPT_MOMENTA[0])
    to = (-1) ** np.arange(len(x)) * np.sqrt((1 - x**2) * weight)
    gap = (2 * k / EDGES[1] - 1)[:, None] - x
    parts = to / np.where(gap == 0, 1e-300, gap)
    return parts / parts.sum(1, keepdims=True)


@cache
def _angles():
    """Cosines, and the matrix from values there to half the integrals with P_0, ..., P_(KEPT_WAVES - 1)."""
    x, weight = _gauss(KEPT_ANGLES)
    return x, np.stack([weight * P / 2 for P in legendre(x, KEPT_WAVES)], axis=-1)


@lru_cache(maxsize=16)
def _form_factors(nucleus):
    """q^2 in MeV^2 and F(q^2) at the fixed energies, momenta and angles of a nucleus."""
    E = (BEAM[1] + BEAM[0]) / 2 + (BEAM[1] - BEAM[0]) / 2 * chebyshev(KEPT_ENERGIES)[0][:, None, None]
    l = _fixed_momenta()[0][:, None]
    q2 = E**2 + l**2 - 2 * E * l * _angles()[0]
    return q2, helm(np.maximum(q2, 0.0), nucleus)


@lru_cache(maxsize=1)  # the line and the Michel spectra ask for the same
def _kept_waves(m_zp, nucleus, J):
    """The first J of the w_j in MeV^-2 at the fixed energies and momenta for a tuple of m_zp, the first axis."""
    q2, F = _form_factors(nucleus)
    return (F / (q2 + np.square(m_zp)[:, None, None, None])) @ _angles()[1][:, :J]


def _momenta(E, m_zp):
    """Nodes and weights in l from 0 to LARGEST, in MeV, both (K, L), crowded about E for a light Z'."""
    x, near = _gauss(NEAR)
    v = np.stack([np.arcsinh(-E / m_zp), np.full_like(E, np.arcsinh(REACH / m_zp))])[..., None]
    v, near = v[0] + (v[1] - v[0]) * (x + 1) / 2, (v[1] - v[0]) / 2 * near
    y, far = _gauss(FAR)
    half = (LARGEST - REACH - E)[:, None] / 2
    l = np.concatenate([E[:, None] + m_zp * np.sinh(v), LARGEST - half * (1 - y)], axis=1)
    return l, np.concatenate([m_zp * np.cosh(v) * near, half * far], axis=1)


def _waves(E, l, m_zp, nucleus, J):
    """w_0, ..., w_(J-1) in MeV^-2 at E (K, 1) and l (K, L), and one m_zp or (K, 1): shape (K, L, J)."""
    x, weight = _gauss(J + MORE_ANGLES)
    low = (l - E) ** 2 + m_zp**2
    length = np.log1p(4 * E * l / low)[..., None]
    scale = low[..., None] * np.exp(length * (x + 1) / 2)  # q^2 + m_zp^2
    cosine = 1 - (scale - low[..., None]) / (2 * E * l)[..., None]
    F = weight * helm(np.maximum(scale - np.square(m_zp)[..., None], 0.0), nucleus)
    sums = [np.einsum("kla,kla->kl", F, P) for P in legendre(cosine, J)]
    return np.stack(sums, axis=-1) * (length / (8 * E * l)[..., None])


def legendre(x, J):
    """P_0, ..., P_(J-1) at x, one after the other."""
    before, P = np.zeros_like(x), np.ones_like(x)
    for j in range(J):
        yield P
        before, P = P, ((2 * j + 1) / (j + 1)) * x * P - (j / (j + 1)) * before


def jacobi(x, J):
    """R_0, ..., R_(J-1) at x, one after the other: (j + 1) R_j = sum_(i <= j) (-1)^(j - i) (2 i + 1) P_i."""
    total = np.zeros_like(x)
    for j, P in enumerate(legendre(x, J)):
        total = (2 * j + 1) * P - total
        yield total / (j + 1)
