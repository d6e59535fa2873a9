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

where R_j = (P_j + P_(j+1)) / (1 + c) is the Jacobi polynomial P_j^(0,1), so that nothing is 0/0 at c = -1 (waves.py has
the integrals). In E both have a square-root cusp at m_chi: they are interpolated in |E - m_chi|^(1/2), on either side.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.polynomial.chebyshev import chebvander

from ..checks import Record, sealed
from .quarks import vector_charge
from .waves import BEAM, HEAVY, chebyshev, jacobi, legendre, partial_waves

ENERGIES = 16  # Chebyshev nodes in |E - m_chi|^(1/2) on either side of the cusp
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
    cases_with_loops = ("A",)

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
        I_0, I_1 = kept(*map(_Array, (E, T, model.m_chi, model.m_zp)), nucleus)
        flip = model.g_chi_L * model.g_chi_R * model.m_chi * charge**2 * I_0 / (nucleus.M * E)
        return flip, model.g_chi_L**2 * charge**2 * (I_0 + I_1) / nucleus.M**2

    def __str__(self):
        return "coherent"


COHERENT = Exchange()


class _Array:
    """An array by what it holds, for what is kept."""

    def __init__(self, array):
        self.array = np.asarray(array)
        self.key = self.array.shape, hashlib.sha256(np.ascontiguousarray(self.array)).digest()

    def __hash__(self):
        return hash(self.key)

    def __eq__(self, other):
        return self.key == other.key


@lru_cache(maxsize=48)  # what a band and the parts of a limit ask for again: up to 100 MB
def kept(E, T, m_chi, m_zp, nucleus):
    """I_0 and I_1 in MeV^-3, shape (2, ...), for _Arrays that broadcast with each other."""
    masses = np.broadcast_arrays(m_chi.array, m_zp.array)
    pairs, of = np.unique(np.stack([one.ravel() for one in masses]), axis=1, return_inverse=True)
    E, T, of = np.broadcast_arrays(E.array, T.array, of.reshape(masses[0].shape))
    order = np.argsort(of.ravel(), kind="stable")
    at = [np.array_split(a.ravel()[order], np.cumsum(np.bincount(of.ravel()))[:-1]) for a in (E, T)]
    together = len({len(energies) for energies in at[0]}) == 1 and BEAM[0] <= E.min() and E.max() <= BEAM[1]
    heavy = (pairs[1] >= HEAVY) & together
    found = [None] * len(heavy)
    if heavy.any():
        some = (np.stack([one for one, is_heavy in zip(a, heavy, strict=True) if is_heavy]) for a in at)
        of_heavy = _many(*some, *pairs[:, heavy], nucleus)
        for k, n in enumerate(np.flatnonzero(heavy)):
            found[n] = of_heavy[:, k]
    for n in np.flatnonzero(~heavy):
        found[n] = integrals(at[0][n], at[1][n], *pairs[:, n], nucleus)
    both = np.empty((2, E.size), dtype=complex)
    both[:, order] = np.concatenate(found, axis=1)
    return sealed(both.reshape(2, *E.shape))


def integrals(E, T, m_chi, m_zp, nucleus):
    """I_0 and I_1 in MeV^-3, for arrays of E and T in MeV of one shape (P,) and one pair of masses in MeV."""
    return _many(E[None], T[None], np.array([m_chi]), np.array([m_zp]), nucleus)[:, 0]


def _many(E, T, m_chi, m_zp, nucleus):
    """I_0 and I_1 for N pairs of masses, shape (2, N, P), at E and T of shape (N, P). N is 1 if a w_j has peaks."""
    found = np.empty((2, *E.shape), dtype=complex)
    c = 1 - nucleus.M * T / E**2
    for sign in (-1, 1):
        side = (m_chi[:, None] > E) == (sign < 0)
        here = side.any(1)
        if here.any():
            one_side = _one_side(E[here], c[here], side[here], sign, m_chi[here], m_zp[here], nucleus)
            found[:, side] = one_side[:, side[here]]
    return found


def _one_side(E, c, side, sign, m_chi, m_zp, nucleus):
    """I_0 and I_1 where energies are on the `side` of m_chi that `sign` says: waves at some energies, interpolated to
    the others. Elsewhere they are not to be used.
    """
    alone, m_chi = np.unique(E[0]), m_chi[:, None]
    if (E[:1] == E).all() and len(alone) <= ENERGIES:
        at = np.minimum(np.searchsorted(alone, E), len(alone) - 1)[..., None]
        energies = np.broadcast_to(alone, (len(E), len(alone)))
        A, B = (np.take_along_axis(waves, at, axis=1) for waves in partial_waves(energies, m_chi, m_zp, nucleus))
    else:
        u = np.sqrt(np.maximum(sign * (E - m_chi), 0))
        most, least = (ends(np.where(side, u, u_0), axis=1) for ends, u_0 in ((np.max, 0.0), (np.min, np.inf)))
        middle, half = ((most + a * least)[:, None] / 2 for a in (1, -1))
        nodes, inverse = chebyshev(ENERGIES)
        energies = m_chi + sign * (middle + half * nodes) ** 2
        x = np.clip((u - middle) / np.where(half > 0, half, 1.0), -1, 1)
        to_u = chebvander(x, ENERGIES - 1) @ inverse
        A, B = (to_u @ waves for waves in partial_waves(energies, m_chi, m_zp, nucleus))
    j = np.arange(B.shape[-1])
    P, R = (np.stack(list(polynomials(c, len(j))), axis=-1) for polynomials in (legendre, jacobi))
    I_0 = np.einsum("npj,npj->np", (2 * j + 1) * P, A[..., : len(j)])
    return np.stack([I_0, np.einsum("npj,npj->np", 2 * (j + 1) * R, B) / E])
