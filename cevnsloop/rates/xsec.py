"""Kinematics and cross sections, Eqs. (22)-(25), exact in m_chi / M and T / M.

At fixed recoil energy each dsigma/dT is a polynomial in the neutrino energy, sum_k a_k(T) E^k. The functions
`*_powers` return {k: a_k(T)}: with them the integral over a flux needs only moments of the flux. `dsigma_*`
evaluate the same polynomial at an energy and set what kinematics forbids to exactly 0.

E, T, m_chi in MeV, broadcasting; dsigma/dT in MeV^-3. The charges and coefficients of the nucleus come from
amplitudes.quarks; G_F and sin^2 theta_W from a theory.Theory.
"""

import numpy as np

from ..amplitudes import spin
from ..amplitudes.quarks import vector_charge
from ..checks import number, positive, real
from ..nucleus import helm


def recoil_range(E, m_chi, M):
    """T_min, T_max in MeV of nu N -> chi N; both nan where the reaction is forbidden. m_chi = 0: nu N -> nu N.

    T-+ = [2 M E^2 - m_chi^2 (M + E) -+ E sqrt((2 M E - m_chi^2)^2 - 4 M^2 m_chi^2)] / [2 M (M + 2 E)].

    Eq. (24) is where the square root vanishes. Its argument is taken as the product
    (2 M (E - m_chi) - m_chi^2)(2 M (E + m_chi) - m_chi^2), and T_min from T_min T_max = m_chi^4 / [4 M (M + 2 E)],
    so that neither loses digits near the edge or for light chi.
    """
    E, m_chi = real("E", E, "MeV"), real("m_chi", m_chi, "MeV")
    below = 2 * M * (E - m_chi) - m_chi**2
    with np.errstate(invalid="ignore"):
        root = np.sqrt(np.where(below >= 0, below, np.nan) * (2 * M * (E + m_chi) - m_chi**2))
    total = 2 * M * E**2 - m_chi**2 * (M + E) + E * root
    T_max = total / (2 * M * (M + 2 * E))
    return m_chi**4 / (2 * total), T_max


def elastic(E, T, M):
    """One energy and one recoil of nu N -> nu N in MeV.

    Raises ValueError if either is missing or not > 0, or if T is larger than E allows.
    """
    if E is None or T is None:
        raise ValueError("E and T go together: an amplitude has one value for each pair")
    E, T = number("E", E, "MeV", positive), number("T", T, "MeV", positive)
    most = recoil_range(E, 0.0, M)[1]
    if most < T:
        raise ValueError(f"T must be <= {most:.4g} MeV for E = {E:g} MeV, got {T:g}")
    return E, T


def minimal_energy(T, m_chi, M):
    """Least neutrino energy in MeV that can give the recoil T > 0 in nu N -> chi N; m_chi = 0: nu N -> nu N.

    E_min = (T + sqrt(T^2 + 2 M T)) / 2 (1 + m_chi^2 / (2 M T)), from cos(theta) = 1 between nu and recoil.
    """
    return (T + np.sqrt(T * (T + 2 * M))) / 2 * (1 + m_chi**2 / (2 * M * T))


def weak_charge(nucleus, sin2_theta_w):
    """Z g_p^V + N g_n^V of Eq. (22), with g_n^V = -1/2 and g_p^V = 1/2 - 2 sin^2 theta_W; negative."""
    return nucleus.Z * (1 / 2 - 2 * sin2_theta_w) - nucleus.N / 2


def sm_powers(T, nucleus, theory):
    """Eq. (22): Z exchange."""
    M = nucleus.M
    charge = weak_charge(nucleus, theory.sin2_theta_w)
    front = theory.G_F**2 * M / (2 * np.pi) * charge**2 * helm(2 * M * T, nucleus) ** 2
    return {0: 2 * front, -1: -2 * T * front, -2: (T**2 - M * T) * front}


def tree_powers(T, nucleus, m_chi, m_zp, g_chi_L, charge):
    """Eq. (23): nu N -> chi N by Z' exchange, `charge` = quarks.vector_charge."""
    M = nucleus.M
    front = g_chi_L**2 * M * (charge * helm(2 * M * T, nucleus) / (m_zp**2 + 2 * M * T)) ** 2 / (4 * np.pi)
    return {
        0: 2 * front,
        -1: -(2 * T + m_chi**2 / M) * front,
        -2: (T**2 - M * T - m_chi**2 / 2 * (1 - T / M)) * front,
    }


def tree_of(model, nucleus, theory):
    """The tree of a model off a nucleus, a function of T, m_chi and m_zp in MeV that gives powers of E, or None.

    Case A has Eq. (23). Case B has no coherent tree, Eq. (15); an amplitude that says `axial_tree` has that of spin.py.
    """
    charge = vector_charge(model, nucleus)
    if not getattr(theory.amplitude, "has_tree", True):
        return None
    if charge:
        return lambda T, m_chi, m_zp: tree_powers(T, nucleus, m_chi, m_zp, model.g_chi_L, charge)
    if model.case == "B" and getattr(theory.amplitude, "axial_tree", False):
        return lambda T, m_chi, m_zp: spin.tree_powers(T, nucleus, m_chi, m_zp, model, theory.inputs)
    return None


LOOP_TERMS = (("c1", "c1"), ("c1", "c3"), ("c3", "c3"), ("c2", "c2"))


def loop_powers(T, nucleus, term):
    """Eq. (25): nu N -> nu N through the loops, a quadratic form in c1, c2, c3 of quarks.LoopCoefficients.

    `term` = (i, j) is one of LOOP_TERMS: dsigma/dT = sum over the terms of c_i c_j sum_k a_k E^k.
    """
    M = nucleus.M
    front = M**3 / (8 * np.pi) * helm(2 * M * T, nucleus) ** 2 * (2 * M + T)
    return {
        ("c1", "c1"): {-2: front * T / M**2},
        ("c1", "c3"): {0: 2 * front * T},
        ("c3", "c3"): {2: front * T * M**2},
        ("c2", "c2"): {2: 2 * front * M, 1: -2 * front * M * T, 0: -front * M**2 * T},
    }[term]


def interference_powers(T, nucleus, theory):
    """Interference of the c2 amplitude with Z exchange for neutrinos and c2 = 1; absent from the paper's Eq. (21).

    dsigma/dT = -+ sqrt(2) G_F (Z g_p^V + N g_n^V) c2 M^3 / (2 pi E) [2 E (E - T) - M T] F^2: upper sign for
    neutrinos, lower for antineutrinos, because the twist-2 operator is even under C and the Z current is odd.
    c1 and c3 end in the other chirality and do not interfere. Source: derivation/recoil.py.
    """
    M = nucleus.M
    charge = weak_charge(nucleus, theory.sin2_theta_w)
    front = -np.sqrt(2) * theory.G_F * charge * M**3 / (2 * np.pi) * helm(2 * M * T, nucleus) ** 2
    return {1: 2 * front, 0: -2 * T * front, -1: -M * T * front}


def dsigma_sm(E, T, nucleus, theory):
    """dsigma/dT of Eq. (22) in MeV^-3; 0 above the largest recoil 2 E^2 / (M + 2 E)."""
    return _at_energy(sm_powers(T, nucleus, theory), E, T, nucleus, 0.0)


def dsigma_tree(E, T, nucleus, m_chi, m_zp, g_chi_L, charge):
    """dsigma/dT of Eq. (23) in MeV^-3; 0 outside the two-sided range of `recoil_range`."""
    return _at_energy(tree_powers(T, nucleus, m_chi, m_zp, g_chi_L, charge), E, T, nucleus, m_chi)


def dsigma_of_tree(E, T, model, nucleus, theory):
    """dsigma/dT of nu N -> chi N in MeV^-3 by whatever tree there is, `tree_of`; 0 without one."""
    powers = tree_of(model, nucleus, theory)
    if powers is None:
        return np.zeros(np.broadcast_shapes(np.shape(E), np.shape(T), model.m_chi.shape))
    return _at_energy(powers(T, model.m_chi, model.m_zp), E, T, nucleus, model.m_chi)


def dsigma_loop(E, T, nucleus, coefficients):
    """dsigma/dT of Eq. (25) in MeV^-3; 0 above the largest recoil 2 E^2 / (M + 2 E)."""
    return sum(
        getattr(coefficients, i)
        * getattr(coefficients, j)
        * _at_energy(loop_powers(T, nucleus, (i, j)), E, T, nucleus, 0.0)
        for i, j in LOOP_TERMS
    )


def dsigma_interference(E, T, nucleus, c2, lepton_number, theory):
    """Interference of `interference_powers` in MeV^-3, of either sign; 0 above the largest recoil."""
    powers = interference_powers(T, nucleus, theory)
    return lepton_number * c2 * _at_energy(powers, E, T, nucleus, 0.0)


def dsigma_of_amplitudes(E, T, nucleus, flip, keep):
    """dsigma/dT of nu N -> nu N in MeV^-3 for any amplitudes, as theory.py has it; 0 above the largest recoil."""
    M = nucleus.M
    front = M**3 * (2 * M + T) / (8 * np.pi)
    rate = front * (T * abs(flip) ** 2 + abs(keep) ** 2 * (2 * M * E * (E - T) - M**2 * T))
    return np.where(recoil_range(E, 0.0, M)[1] >= T, rate, 0.0)


def dsigma_with_z(E, T, nucleus, keep, lepton_number, theory):
    """`interference_powers` in MeV^-3 with Re keep in the place of F c2; 0 above the largest recoil."""
    M = nucleus.M
    front = -np.sqrt(2) * theory.G_F * weak_charge(nucleus, theory.sin2_theta_w) * M**3 / (2 * np.pi * E)
    rate = lepton_number * front * helm(2 * M * T, nucleus) * np.real(keep) * (2 * E * (E - T) - M * T)
    return np.where(recoil_range(E, 0.0, M)[1] >= T, rate, 0.0)


def _at_energy(powers, E, T, nucleus, m_chi):
    E, T = real("E", E, "MeV"), real("T", T, "MeV")
    T_min, T_max = recoil_range(E, m_chi, nucleus.M)
    return np.where((T_min <= T) & (T_max >= T), sum(a * E**k for k, a in powers.items()), 0.0)


def total(dsigma, E, m_chi, nucleus, *args):
    """Integral of `dsigma(E, T, nucleus, *args)` over the recoils of nu N -> chi N at E, in MeV^-2.

    E in MeV, any shape; 0 below the threshold of Eq. (24). Relative error 1e-10 by scipy's tanh-sinh quadrature.
    """
    from scipy.integrate import tanhsinh  # here, not above: limits do without it, and it takes long to load

    E = real("E", E, "MeV")
    T_min, T_max = recoil_range(E, m_chi, nucleus.M)
    allowed = np.isfinite(T_max)
    T_min, T_max = np.where(allowed, T_min, 0.0), np.where(allowed, T_max, 0.0)
    return tanhsinh(lambda T, e: dsigma(e, T, nucleus, *args), T_min, T_max, args=(E,), rtol=1e-10).integral
