"""Recoil spectra from traces: Eqs. 22, 23 and 25, and the interference of c2 with Z exchange.

A neutrino of energy E, massless and left-handed, hits a nucleus of mass M at rest; the lepton that leaves has
mass m_chi (0 if it is a neutrino) and the nucleus the kinetic energy T. Two-body kinematics is exact,

    p1 = (E, 0, 0, E),   k1 = (M, 0, 0, 0),   k2 = (M + T, k_x, 0, k_z),   p2 = p1 + k1 - k2,

with k_z = T + (m_chi^2 + 2 M T)/(2 E) from p2^2 = m_chi^2 and k_x^2 from k2^2 = M^2, and

    dsigma/dT = sum |amplitude|^2 / (32 pi M E^2),

summed over final spins and averaged over the spin of the nucleus; a neutrino has one helicity.

The nucleus is the paper's: spin 1/2 with the elementary currents Nbar gamma^mu N and Nbar N (`spin` = 1/2).
`spin` = 0 is its scalar counterpart, (k1 + k2)^mu and 2 M. Form factors are left out: multiply by F(Q^2)^2.

An amplitude is a list of terms (factor, lepton vertices, kind): factor * lbar A nu * Nbar N for the kind
"scalar" and factor * lbar A^mu nu * Nbar gamma_mu N for "vector", A without its projector P_L. All results are
sympy expressions in the symbols below, energies in MeV, dsigma/dT in MeV^-3.
"""

import numpy as np
import sympy as sp

from ..checks import choice
from .dirac import GAMMA, METRIC, ONE, P_L, adjoint, slash, trace

E, T, M, M_CHI, M_ZP = sp.symbols("E T M m_chi m_zp", positive=True)
G_F, CHARGE, G_CHI_L = sp.symbols("G_F Q g_chi_L", real=True)  # Q: charge of the nucleus, Q_w or Q_V
C1, C2, C3 = sp.symbols("c1 c2 c3", real=True)
HALF = sp.Rational(1, 2)
_K_X = sp.Symbol("k_x", real=True)


def momenta(m_chi):
    """p1, k1, p2, k2 (upper components, one of them the symbol k_x) and the value of k_x^2."""
    k_z = T + (m_chi**2 + 2 * M * T) / (2 * E)
    p1, k1 = np.array([E, 0, 0, E]), np.array([M, 0, 0, 0])
    k2 = np.array([M + T, _K_X, 0, k_z])
    return p1, k1, p1 + k1 - k2, k2, sp.expand((M + T) ** 2 - M**2 - k_z**2)


# Amplitudes


def z_amplitude():
    """Z exchange, from L = -(G_F/sqrt2) nubar gamma^mu (1 - gamma5) nu Nbar gamma_mu N Q, Q = Z g_p^V + N g_n^V."""
    return [(-sp.sqrt(2) * G_F * CHARGE, list(GAMMA), "vector")]


def zprime_amplitude():
    """Z' exchange of Eq. 15, nu N -> chi N, with t = -2 M T.

    The momenta of the propagator's numerator meet a conserved nuclear current and drop out.
    """
    return [(G_CHI_L * CHARGE / (-2 * M * T - M_ZP**2), list(GAMMA), "vector")]


def loop_amplitude(c1=C1, c2=C2, c3=C3, derivative=E):
    """[c1 + c3 (k1.p)^2] nubar P_L nu Nbar N + c2 (k1.p) nubar k1slash P_L nu Nbar N of Eqs. 16-20.

    p is what the derivative of the operator finds, M `derivative` = k1.p: the paper takes p = p1, the default.
    """
    k1_p = M * derivative
    k1slash = slash(momenta(0)[1])
    return [(c1 + c3 * k1_p**2, [ONE], "scalar"), (c2 * k1_p, [k1slash], "scalar")]


# Squares and interferences


def nuclear_tensor(left, right, k1, k2, spin):
    """Sum over spins, averaged over the first, of <k2|left|k1> <k2|right|k1>^*; `left`, `right` are kinds.

    Array of shape (4 or 1, 4 or 1), lower indices. ValueError for a spin that is not 1/2 or 0.
    """
    if spin == 0:
        current = {"vector": METRIC @ (k1 + k2), "scalar": np.array([2 * M])}
        return np.multiply.outer(current[left], current[right])
    if spin != HALF:
        raise ValueError(f"spin must be 1/2 or 0, got {spin}")
    matrices = {"vector": list(np.einsum("ab,bij->aij", METRIC, GAMMA)), "scalar": [ONE]}
    final, initial = slash(k2) + M * ONE, slash(k1) + M * ONE
    table = [[HALF * trace(final, a, initial, adjoint(b)) for b in matrices[right]] for a in matrices[left]]
    return np.array(table, dtype=object)


def lepton_tensor(left, right, incoming, outgoing, mass):
    """Sum over spins of (lbar A P_L nu)(lbar B P_L nu)^*, A in `left` and B in `right`; shape (len, len).

    For antineutrinos the line runs backwards: exchange `incoming` and `outgoing` (mass 0).
    """
    final, initial = slash(outgoing) + mass * ONE, slash(incoming)
    rows = [[trace(final, a @ P_L, initial, adjoint(b @ P_L)) for b in right] for a in left]
    return np.array(rows, dtype=object)


def product(one, other, m_chi=0, spin=HALF, antineutrino=False):
    """sum over spins of one * other^* / (32 pi M E^2) for two amplitudes, factored; MeV^-3.

    The transverse momentum is eliminated by k_x^2; ArithmeticError should an odd power of it survive.
    """
    p1, k1, p2, k2, k_x2 = momenta(m_chi)
    line = (p2, p1) if antineutrino else (p1, p2)
    total = 0
    for f, a, kind_a in one:
        for g, b, kind_b in other:
            tensor = lepton_tensor(a, b, *line, m_chi) * nuclear_tensor(kind_a, kind_b, k1, k2, spin)
            total += f * g * tensor.sum()
    poly = sp.Poly(sp.expand(total), _K_X)
    if any(power % 2 for (power,) in poly.monoms()):
        raise ArithmeticError("an odd power of the transverse momentum survives")
    total = sum(c * k_x2 ** (power // 2) for (power,), c in poly.terms())
    return sp.factor(sp.expand(total) / (32 * sp.pi * M * E**2))


def dsigma_z(spin=HALF):
    """dsigma/dT of Eq. 22 without F^2; CHARGE is Q_w."""
    return product(z_amplitude(), z_amplitude(), spin=spin)


def dsigma_zprime(spin=HALF):
    """dsigma/dT of Eq. 23 without F^2; CHARGE is Q_V."""
    return product(zprime_amplitude(), zprime_amplitude(), m_chi=M_CHI, spin=spin)


def dsigma_loop(spin=HALF):
    """dsigma/dT of Eq. 25 without F^2, a quadratic form in C1, C2, C3."""
    return product(loop_amplitude(), loop_amplitude(), spin=spin)


def interference(antineutrino=False, c1=0, c2=C2, c3=0, derivative="incoming", spin=HALF):
    """2 Re(Z exchange * loops^*) as dsigma_int/dT without F^2, for neutrinos or antineutrinos; CHARGE is Q_w.

    The field nu destroys a neutrino of momentum p1 or creates an antineutrino of momentum p2, so that i d^mu in
    the twist-2 operator becomes p1^mu or -p2^mu: the interference changes sign, the squares do not.
    `derivative` is the energy that stands for i d^0. "incoming", the paper's: it acts on nu, E or -(E - T).
    "symmetric": half on nu, half backwards on nubar, +-(E - T/2). They differ by T/(2 E), as does everything
    that the limit of zero momentum transfer leaves out. ValueError for another one.
    """
    energies = {"incoming": (E, T - E), "symmetric": (E - T / 2, T / 2 - E)}
    energy = energies[choice("derivative", derivative, energies)][bool(antineutrino)]
    loops = loop_amplitude(c1, c2, c3, energy)
    return 2 * product(z_amplitude(), loops, spin=spin, antineutrino=antineutrino)


# The paper's forms


def printed_z():
    """Eq. 22 as printed, without F^2."""
    return G_F**2 * M / (2 * sp.pi) * CHARGE**2 * (2 - M * T / E**2 - 2 * T / E + T**2 / E**2)


def printed_zprime():
    """Eq. 23 as printed, without F^2."""
    front = G_CHI_L**2 * M / (4 * sp.pi * (M_ZP**2 + 2 * M * T) ** 2) * CHARGE**2
    light = 2 - M * T / E**2 - 2 * T / E + T**2 / E**2
    return front * (light - M_CHI**2 / (2 * E**2) * (1 + 2 * E / M - T / M))


def printed_loop():
    """Eq. 25 as printed, without F^2."""
    flip = T * (C1 / (M * E) + C3 * M * E) ** 2
    return M**3 / (8 * sp.pi) * (2 * M + T) * (flip + C2**2 * (2 * M * E * (E - T) - M**2 * T))


def powers_of_energy(dsigma):
    """{k: a_k(T)} with dsigma = sum over k of a_k E^k, the form that xsec.py evaluates."""
    numerator, denominator = sp.fraction(sp.together(dsigma))
    lowest = sp.degree(denominator, E)
    rest = sp.cancel(denominator / E**lowest)
    terms = sp.Poly(sp.expand(numerator), E).terms()
    return {power - lowest: sp.factor(c / rest) for (power,), c in terms}
