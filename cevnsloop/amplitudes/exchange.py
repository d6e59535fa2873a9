"""Two Z' exchanged with the whole nucleus, case A: the amplitude `coherent`.

A Z' far lighter than a nucleon does not see quarks, and two of them between the neutrino line and a nucleus that stays
whole see its charge density twice. For a heavy, static nucleus of vector charge Q_V, with k^2 = E^2 - m_chi^2 and
W(q) = F(q^2) / (q^2 + m_zp^2) (Born terms of a spin-0 nucleus: box, crossed box and seagull, at leading order in 1/M),

    I_0 = int d^3l/(2 pi)^3 W(|l - p|) W(|l - p'|) / (l^2 - k^2 - i0),     I_1: the same with the factor l.P / P^2,
    flip = g_L g_R m_chi Q_V^2 I_0 / (M E),     keep = g_L^2 Q_V^2 (I_0 + I_1) / M^2,

with P = (p + p') / 2 and |p| = |p'| = E, in the normalisation of theory.py. The form factors are inside. Above
threshold, E > m_chi, both are complex: chi is made and scatters back.

Partial waves. With c = 1 - q^2 / (2 E^2) and w_j = (1/2) int dx P_j(x) W((E^2 + l^2 - 2 E l x)^(1/2)),

    I_0 = sum_j (2j + 1) A_j P_j(c),           A_j = 1/(2 pi^2) int l^2 dl w_j^2 / (l^2 - k^2 - i0),
    E I_1 = sum_j 2 (j + 1) B_j R_j(c),        B_j = 1/(2 pi^2) int l^3 dl w_j w_(j+1) / (l^2 - k^2 - i0),

where R_j = (P_j + P_(j+1)) / (1 + c) is the Jacobi polynomial P_j^(0,1), so that nothing is 0/0 at c = -1. The angle is
integrated in ln(q^2 + m_zp^2), in which a light Z' has no peak, and l in asinh((l - E) / m_zp) as far as it has one. At
a pole l = k its residue is subtracted and added in closed form. In E both have a square-root cusp at m_chi: they are
interpolated in |E - m_chi|^(1/2), on either side.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from numpy.polynomial.legendre import leggauss

from ..checks import Record
from ..nucleus import helm
from .quarks import vector_charge

ENERGIES = 16  # Chebyshev nodes in |E - m_chi|^(1/2) on either side of the cusp
MORE_ANGLES = 6  # Gauss nodes in the angle than there are waves, which a rule with fewer could not tell apart
NEAR, FAR = 44, 44  # Gauss nodes in l, up to `REACH` beyond E and from there to `LARGEST`
REACH, LARGEST = 80.0, 1000.0  # MeV; the square of the form factor is below 1e-18 beyond the last
DIGITS = 10  # partial waves are added until they are below 10^-DIGITS
LIGHTEST = 5.0  # MeV; a lighter Z' needs more than a hundred waves


@dataclass(frozen=True)
class Exchange(Record):
    """What a nucleus as a whole does, without quark loops, theory.Amplitude: in case A two Z' off its charge; in case
    B, in which no charge is coherent, the tree off its spin (spin.py) and no loops.

    Relative accuracy 1e-8 for m_zp >= 50 MeV, 1e-6 for m_zp >= 10 MeV, at recoils that are not close to the largest.
    Raises ValueError, when it is used, for m_zp < LIGHTEST in case A, and for a nuclide without spins in case B.
    """

    separable = False
    meets_z = True
    axial_tree = True

    def coefficients(self, nuclei, model, theory):
        """Raises ValueError: there are no constants c1, c2, c3."""
        raise ValueError("amplitude coherent depends on E and T: it has no coefficients c1, c2, c3")

    def flip_and_keep(self, E, T, model, nucleus, theory):
        """flip in MeV^-4 and keep in MeV^-5, complex, for E and T in MeV that broadcast with the model's masses."""
        if model.case == "B":
            zero = np.zeros(np.broadcast_shapes(np.shape(E), np.shape(T), model.m_chi.shape))
            return zero, zero
        if (model.m_zp < LIGHTEST).any():
            found = f"m_zp must be >= {LIGHTEST:g} MeV for amplitude coherent, got {model.m_zp.min():g}"
            raise ValueError(f"{found}: a lighter Z' needs too many partial waves, and the tree sets the limit there")
        charge = vector_charge(model, nucleus)
        masses = dict.fromkeys(zip(model.m_chi.ravel(), model.m_zp.ravel(), strict=True))
        E, T, m_chi, m_zp = np.broadcast_arrays(E, T, model.m_chi, model.m_zp)
        I_0, I_1 = np.empty((2, *E.shape), dtype=complex)
        for chi, zp in masses:
            here = (m_chi == chi) & (m_zp == zp)
            I_0[here], I_1[here] = integrals(E[here], T[here], chi, zp, nucleus)
        flip = model.g_chi_L * model.g_chi_R * m_chi * charge**2 * I_0 / (nucleus.M * E)
        return flip, model.g_chi_L**2 * charge**2 * (I_0 + I_1) / nucleus.M**2

    def __str__(self):
        return "coherent"


COHERENT = Exchange()
_gauss = cache(leggauss)  # each call finds the eigenvalues of a matrix


def integrals(E, T, m_chi, m_zp, nucleus):
    """I_0 and I_1 in MeV^-3, for arrays of E and T in MeV of one shape (P,) and one pair of masses in MeV."""
    found = np.empty((2, len(E)), dtype=complex)
    c = 1 - nucleus.M * T / E**2
    below = m_chi > E
    for side, sign in ((below, -1), (~below, 1)):
        if side.any():
            found[:, side] = _one_side(E[side], c[side], sign, m_chi, m_zp, nucleus)
    return found


def _one_side(E, c, sign, m_chi, m_zp, nucleus):
    """I_0 and I_1 where all energies lie on one side of m_chi, the one that `sign` says: waves at some of them,
    interpolated to the others.
    """
    alone = np.unique(E)
    if len(alone) <= ENERGIES:
        at = np.searchsorted(alone, E)
        A, B = (waves[at] for waves in partial_waves(alone, m_chi, m_zp, nucleus))
    else:
        u = np.sqrt(abs(E - m_chi))
        middle, half = (u.max() + u.min()) / 2, (u.max() - u.min()) / 2
        nodes = np.cos(np.pi * (np.arange(ENERGIES) + 0.5) / ENERGIES)
        energies = m_chi + sign * (middle + half * nodes) ** 2
        to_u = chebvander((u - middle) / half, ENERGIES - 1) @ np.linalg.inv(chebvander(nodes, ENERGIES - 1))
        A, B = (to_u @ waves for waves in partial_waves(energies, m_chi, m_zp, nucleus))
    J = B.shape[1]
    I_0 = sum((2 * j + 1) * A[:, j] * P for j, P in enumerate(_legendre(c, J)))
    I_1 = sum(2 * (j + 1) * B[:, j] * R for j, R in enumerate(_jacobi(c, J))) / E
    return np.stack([I_0, I_1])


def partial_waves(E, m_chi, m_zp, nucleus):
    """A_j in MeV^-3 and B_j in MeV^-2 for energies E of shape (K,): shapes (K, J + 1) and (K, J)."""
    slowest = np.arccosh(1 + m_zp**2 / (2 * E.max() ** 2))  # w_j falls like exp(-j slowest)
    J = int(np.ceil(DIGITS * np.log(10) / (2 * slowest))) + 8
    l, weight = _momenta(E, m_zp)
    w = _waves(E[:, None], l, m_zp, nucleus, J + 1)
    k2 = (E - m_chi) * (E + m_chi)
    open_ = k2 > 0
    k = np.sqrt(np.where(open_, k2, 1.0))
    at_k = _waves(E[:, None], k[:, None], m_zp, nucleus, J + 1)[:, 0] * open_[:, None]
    weight = weight / (l**2 - k2[:, None])
    # the principal value of int_0^L dl / (l^2 - k^2), and the half circle around the pole
    pole = np.where(open_, np.log((LARGEST - k) / (LARGEST + k)) / (2 * k) + 0.5j * np.pi / k, 0.0)
    pole = pole - weight.sum(1) * open_

    def integral(power, both, both_at_k):
        whole = np.einsum("kl,klj->kj", weight * l**power, both)
        return (whole + (k**power * pole)[:, None] * both_at_k) / (2 * np.pi**2)

    return integral(2, w**2, at_k**2), integral(3, w[..., :-1] * w[..., 1:], at_k[:, :-1] * at_k[:, 1:])


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
    """w_0, ..., w_(J-1) in MeV^-2 at E (K, 1) and l (K, L): shape (K, L, J)."""
    x, weight = _gauss(J + MORE_ANGLES)
    low = (l - E) ** 2 + m_zp**2
    length = np.log1p(4 * E * l / low)[..., None]
    scale = low[..., None] * np.exp(length * (x + 1) / 2)  # q^2 + m_zp^2
    cosine = 1 - (scale - low[..., None]) / (2 * E * l)[..., None]
    F = weight * helm(np.maximum(scale - m_zp**2, 0.0), nucleus)
    sums = [np.einsum("kla,kla->kl", F, P) for P in _legendre(cosine, J)]
    return np.stack(sums, axis=-1) * (length / (8 * E * l)[..., None])


def _legendre(x, J):
    """P_0, ..., P_(J-1) at x, one after the other."""
    before, P = np.zeros_like(x), np.ones_like(x)
    for j in range(J):
        yield P
        before, P = P, ((2 * j + 1) / (j + 1)) * x * P - (j / (j + 1)) * before


def _jacobi(x, J):
    """R_0, ..., R_(J-1) at x, one after the other: (j + 1) R_j = sum_(i <= j) (-1)^(j - i) (2 i + 1) P_i."""
    total = np.zeros_like(x)
    for j, P in enumerate(_legendre(x, J)):
        total = (2 * j + 1) * P - total
        yield total / (j + 1)
