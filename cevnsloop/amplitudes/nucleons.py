"""Two Z' off the nucleons of a nucleus, where they are resolved and quarks are not, and how that goes over into quarks.

At zero momentum of the neutrino both cases are an integral over the forward amplitude t^mn of the target at rest, with
s the Euclidean square of the loop momentum l, x = m_chi^2, z = m_zp^2, and a nucleus that is spin-averaged:

    A: c1 = m_chi/(16 pi^2) int ds K_A/[(s + x)(s + z)^2],                             K = s <t^m_m>
    B: c1 = m_chi/(16 pi^2) {int ds K_T/[(s + x)(s + z)^2] - 1/z^2 int ds L/(s + x)},  L = <l_m l_n t^mn>, K_T = K + L
    c3 M^2 = m_chi/(16 pi^2) int ds (4/3) s K/[(s + x)^3 (s + z)^2]                      of what is nearly static

Small s is the nucleus as a whole (exchange.py, not in here), then come nucleons, then quarks; regions of s add. Born
terms of a nucleon of mass m, with tau = s/4m^2, P(s, w) = 4 s/[w + (w^2 + s)^(1/2)] and w = s/2m:

    K_A = S P (G_E^2 - 2 tau G_M^2) + (s/m)(2 F_1^2 - tau F_2^2)
    K_T = -2 S P (1 + tau) a^2 G_A^2 + (2 s/m) a^2 G_A^2,        L = S P g_L^2 G_A^2

The terms with 1/m are contact terms, which a subtraction could change: `nucleons.contact` is their weight. S is what
Pauli leaves of the scattering to other states, 3 l/4k_F - l^3/16k_F^3 up to l = 2 k_F, of a Fermi gas. Delta resonances
are counted with the same P at w = (M_Delta^2 - m^2 + s)/2m. Quarks take over with the weight 1/(1 + (s_1/s)^2).
"""

from functools import cache
from itertools import pairwise

import numpy as np
from numpy.polynomial.legendre import leggauss

from .. import inputs
from .spin import axial_charges

PANEL = 3.0  # longest panel in ln s
NODES = 16  # of Gauss-Legendre in each, 2e-13 of what has poles at s = +-i s_1
DELTA = 32 / 25  # of sum sigma tau of three quarks: to Delta over to nucleons, in the square


def isospin(model):
    """Couplings to (u + d + s)/3, (u - d)/2 and (u + d - 2 s)/6, whose sum with (1, 1, 1), (1, -1, 0), (1, 1, -2) is
    that to u, d, s.
    """
    u, d, s = (model.g_q.get(q, 0.0) for q in "uds")
    return (u + d + s) / 3, (u - d) / 2, (u + d - 2 * s) / 6


def sachs(s, table=inputs.STANDARD):
    """G_E and G_M of proton and neutron at s = Q^2 in MeV^2, {nucleon: (G_E, G_M)}, for the charges 2/3 and -1/3."""
    n, tau = table.values("nucleons"), s / (4 * _mass(table) ** 2)
    dipole = (1 + s / n["dipole"]) ** -2
    neutron = n["galster_a"] * tau / (1 + n["galster_b"] * tau) * dipole
    return {"p": (dipole, n["mu_p"] * dipole), "n": (neutron, n["mu_n"] * dipole)}


def vector_form_factors(s, model, table=inputs.STANDARD):
    """The same for the couplings of the model to u and d: u of the neutron is d of the proton, strange is left out."""
    u, d = model.g_q.get("u", 0.0), model.g_q.get("d", 0.0)
    (E_p, M_p), (E_n, M_n) = sachs(s, table).values()
    first, second = 2 * u + d, u + 2 * d  # what the charges are of the proton, and of the neutron
    return {
        "p": (first * E_p + second * E_n, first * M_p + second * M_n),
        "n": (second * E_p + first * E_n, second * M_p + first * M_n),
    }


def axial_form_factor(s, table=inputs.STANDARD):
    """G_A(s), 1 at s = 0."""
    return (1 + s / table.value("nucleons.M_A") ** 2) ** -2


def longitudinal_charges(s, model, table=inputs.STANDARD):
    """g_L of proton and neutron: axial charges with the poles of pion and eta on the parts that these carry."""
    Delta, m = table.values("axial_charges"), table.values("masses")
    g_3, g_8, all_of_them = Delta["u"] - Delta["d"], Delta["u"] + Delta["d"] - 2 * Delta["s"], sum(Delta.values())
    c_0, c_3, c_8 = isospin(model)
    common = c_0 * all_of_them + c_8 * g_8 * m["m_eta"] ** 2 / (s + m["m_eta"] ** 2)
    pion = c_3 * g_3 * m["m_pi"] ** 2 / (s + m["m_pi"] ** 2)
    return {"p": common + pion, "n": common - pion}


def pauli(s, table=inputs.STANDARD):
    """S, the part of the scattering that leads to other states of a Fermi gas than its ground state: 1 from 2 k_F."""
    l = np.minimum(np.sqrt(s) / table.value("nucleons.k_F"), 2.0)
    return 3 * l / 4 - l**3 / 16


def pole(s, w):
    """P = 4 s/[w + (w^2 + s)^(1/2)] in MeV: what a state above the target, w = (M'^2 - M^2 + s)/2M, does; 4 s^(1/2) for
    a static one.
    """
    return 4 * s / (w + np.sqrt(w * w + s))


def _mass(table):
    return (table.value("masses.m_p") + table.value("masses.m_n")) / 2


def _counts(nucleus):
    return {"p": nucleus.Z, "n": nucleus.N}


def vector(s, model, nucleus, table=inputs.STANDARD):
    """Case A: K and the two functions of `spin-free` c2 at s in MeV^2, each in MeV, summed over the nucleons."""
    n, m = table.values("nucleons"), _mass(table)
    tau, P, S = s / (4 * m * m), pole(s, s / (2 * m)), pauli(s, table)
    K = k_a = k_b = 0.0
    for nucleon, (G_E, G_M) in vector_form_factors(s, model, table).items():
        count = _counts(nucleus)[nucleon]
        F_1, F_2 = (G_E + tau * G_M) / (1 + tau), (G_M - G_E) / (1 + tau)
        K = K + count * S * P * (G_E**2 - 2 * tau * G_M**2)
        K = K + count * n["contact"] * s / m * (2 * F_1**2 - tau * F_2**2)
        charge, magnetic = count * S * P * G_E**2, count * S * P * tau * G_M**2
        k_a, k_b = k_a + 2 * charge + 4 / 3 * magnetic, k_b - 2 / 3 * charge + 4 / 3 * magnetic
    isovector = isospin(model)[1] * (n["mu_p"] - n["mu_n"]) * (1 + s / n["dipole"]) ** -2
    K = K - nucleus.A * 2 * tau * isovector**2 * DELTA * n["rho_M"] * pole(s, _delta(s, table))
    return K, k_a, k_b


def axial(s, model, nucleus, table=inputs.STANDARD):
    """Case B: K_T, L and the function of c2 at s in MeV^2, each in MeV (both functions are equal), and that of the
    longitudinal part.
    """
    n, m = table.values("nucleons"), _mass(table)
    tau, P, S = s / (4 * m * m), pole(s, s / (2 * m)), pauli(s, table)
    G_A, g_L = axial_form_factor(s, table), longitudinal_charges(s, model, table)
    K = L = k = 0.0
    for (nucleon, count), a in zip(_counts(nucleus).items(), axial_charges(model, table), strict=True):
        K = K + count * a * a * G_A**2 * (-2 * S * P * (1 + tau) + n["contact"] * 2 * s / m)
        L = L + count * S * P * (g_L[nucleon] * G_A) ** 2
        k = k + count * S * P * (a * G_A) ** 2 * 4 / 3
    X = nucleus.A * (isospin(model)[1] * n["g_A"] * G_A) ** 2 * DELTA * n["rho_A"] * pole(s, _delta(s, table))
    m2 = table.value("masses.m_pi") ** 2
    return K - 2 * X, L + X * (m2 / (s + m2)) ** 2, k, L


def _delta(s, table):
    m = _mass(table)
    return (table.value("nucleons.m_Delta") ** 2 - m * m + s) / (2 * m)


def quarks(s, table=inputs.STANDARD):
    """The weight 1/(1 + (s_1/s)^2) with which quarks take over from nucleons."""
    return 1 / (1 + (table.value("nucleons.s_1") / s) ** 2)


@cache
def nodes(low, high, breaks=()):
    """Nodes in s from `low` to `high` MeV^2, and weights that include ds, by panels in ln s that end at `breaks`."""
    x, weight = leggauss(NODES)
    ends = np.log([low, *(b for b in sorted(breaks) if low < b < high), high])
    edges = np.concatenate(
        [np.linspace(a, b, int(np.ceil((b - a) / PANEL)), endpoint=False) for a, b in pairwise(ends)] + [ends[-1:]]
    )
    half = np.diff(edges)[:, None] / 2
    s = np.exp((edges[:-1, None] + half * (1 + x)).ravel())
    return s, (half * weight).ravel() * s
