"""The tree of case B: one Z' off the spin of the nucleus, nu N -> chi N, which amplitude `coherent` keeps.

An axial current counts spins, and those of a nucleus with an odd number of protons do not all pair off. With
the nucleus at rest, q^2 = 2 M T, x = m_chi^2 and z = m_zp^2,

    dsigma/dT = G^2 M/(4 pi) (1/3) S(q) { [L_ii - L_L] a^2 / (z + q^2)^2 + L_L a_L^2 / z^2 },
    L_ii = 2 + (x + q^2) / (2 E^2),    L_L = x (x + q^2) / (2 E^2 q^2),    S = 4 (J + 1)/J exp(-q^2 b^2),

L_ij being the trace of the neutrino line over 2 E^2 and L_L its part along q. There the longitudinal Z' and the
Goldstone boson add up to 1/z, in any gauge. a = a_p <S_p> + a_n <S_n> with the axial charges of the nucleons, a_p =
sum_q g_q Delta q; a_L has the pole of the pion, m_pi^2 / (m_pi^2 + q^2), on their isovector part. b is the length of
the harmonic oscillator. Two-body currents, and excited nuclei, are left out.
"""

import numpy as np

from .. import inputs


def axial_charges(model, table=inputs.STANDARD):
    """a_p and a_n = sum over u, d, s of g_q Delta q; u of the neutron is d of the proton. No heavy quark has any."""
    Delta = table.values("axial_charges")
    g = {q: model.g_q.get(q, 0.0) for q in Delta}
    strange = g["s"] * Delta["s"]
    return g["u"] * Delta["u"] + g["d"] * Delta["d"] + strange, g["u"] * Delta["d"] + g["d"] * Delta["u"] + strange


def spins(nucleus, table=inputs.STANDARD):
    """J, <S_p> and <S_n> of a nuclide, {name: number}; ValueError for one without data, naming those that have some."""
    known = inputs.names("spins")
    if nucleus.symbol not in known:
        raise ValueError(f"case B needs spins, which are known for {', '.join(known)}, got {nucleus.symbol}")
    return table.values(f"spins.{nucleus.symbol}")


def oscillator_length(A, table=inputs.STANDARD):
    """b in MeV^-1 for A nucleons: b^2 = hbar^2 / (m_N hbar omega), hbar omega = w_1 A^(-1/3) - w_2 A^(-2/3)."""
    w = table.values("oscillator")
    m_N = (table.value("masses.m_p") + table.value("masses.m_n")) / 2
    return float(1 / np.sqrt(m_N * (w["w_1"] / np.cbrt(A) - w["w_2"] / np.cbrt(A) ** 2)))


def tree_powers(T, nucleus, m_chi, m_zp, model, table=inputs.STANDARD):
    """The cross section for G = g_chi_L g_q as a polynomial in E, {power: MeV^(-3 - power)}, as rates.xsec takes it.

    T in MeV > 0 and masses in MeV that broadcast with it; the couplings are those of a model.Model.
    """
    if nucleus.Z % 2 == 0 and nucleus.N % 2 == 0:  # all spins pair off
        return {0: 0.0 * (T + m_chi + m_zp)}
    spin, M = spins(nucleus, table), nucleus.M
    q2, x, z = 2 * M * T, m_chi**2, m_zp**2
    a_p, a_n = axial_charges(model, table)
    pole = table.value("masses.m_pi") ** 2 / (table.value("masses.m_pi") ** 2 + q2)
    a = a_p * spin["S_p"] + a_n * spin["S_n"]
    a_L = (a_p + a_n) / 2 * (spin["S_p"] + spin["S_n"]) + pole * (a_p - a_n) / 2 * (spin["S_p"] - spin["S_n"])
    b2 = oscillator_length(nucleus.A, table) ** 2
    front = model.g_chi_L**2 * M / (4 * np.pi) * 4 * (spin["J"] + 1) / (3 * spin["J"]) * np.exp(-q2 * b2)
    across, along = (a / (z + q2)) ** 2, (a_L / z) ** 2
    tilt = (x + q2) / 2
    return {0: 2 * front * across, -2: front * (tilt * across + x * tilt / q2 * (along - across))}
