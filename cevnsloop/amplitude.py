"""From quarks to the nucleus: the vector charge of the tree and c1, c2, c3 of the loops.

Everything is at zero momentum transfer, for one neutrino flavour and one chi. N_f below runs over
the quark flavours of `Model.g_q`.
"""

from dataclasses import dataclass

import numpy as np

from . import gluon, inputs, loops
from .checks import choice

LIGHT = ("u", "d", "s")
HEAVY = ("c", "b")
AMPLITUDES = ("published",)

# Eq. (14): valence numbers. Our copy of the text prints c_u^p = c_d^p = 2 and c_d^p = c_u^p = 1; the second
# member of each pair is the neutron's, as Eq. (23) shows.
VALENCE = {"p": {"u": 2, "d": 1}, "n": {"u": 1, "d": 2}}

KAPPA = {"A": -4, "B": 12}  # below Eq. (5)
KAPPA_PRIME = {"A": -3, "B": 13}  # below Eq. (9)
TWO_27THS = 2 / 27  # Eq. (12)
LOOP_FACTOR = 1 / (4 * np.pi) ** 2


@dataclass(frozen=True, eq=False)
class LoopCoefficients:
    """c1 (MeV^-2), c2 (MeV^-5), c3 (MeV^-6) of Eqs. (26)-(31), arrays of the model's shape."""

    c1: np.ndarray
    c2: np.ndarray
    c3: np.ndarray


def vector_charge(model, nucleus):
    """(2 g_u + g_d) Z + (g_u + 2 g_d) N of Eq. (23): the vector charge of the nucleus; 0 in case B, Eq. (15)."""
    if model.case == "B":
        return 0.0
    return sum(
        model.g_q.get(q, 0.0) * (nucleus.Z * VALENCE["p"][q] + nucleus.N * VALENCE["n"][q]) for q in VALENCE["p"]
    )


def scalar_sum(model, nucleus, power=0):
    """sum over u, d, s of g_q^2 m_q^power (Z m_p f_q^p + N m_n f_q^n), MeV^(1+power): Eqs. (11), (26), (29)."""
    f = {nucleon: inputs.values(f"scalar_form_factors.{nucleon}") for nucleon in "pn"}
    m = inputs.values("masses")
    m_q = inputs.values("quark_masses")
    return sum(
        g**2 * m_q[q] ** power * (nucleus.Z * m["m_p"] * f["p"][q] + nucleus.N * m["m_n"] * f["n"][q])
        for q, g in model.g_q.items()
        if q in LIGHT
    )


def gluon_sum(nucleus):
    """Z m_p f_G^p + N m_n f_G^n in MeV, f_G = 1 - f_u - f_d - f_s: Eqs. (12), (26), (29)."""
    f_G = {nucleon: 1 - sum(inputs.values(f"scalar_form_factors.{nucleon}").values()) for nucleon in "pn"}
    m = inputs.values("masses")
    return nucleus.Z * m["m_p"] * f_G["p"] + nucleus.N * m["m_n"] * f_G["n"]


def twist2_sum(model, nucleus, moments, power=0):
    """sum over u d s c b of g_q^2 m_q^power [Z/m_p q2^p + N/m_n q2^n], MeV^(power-1): Eqs. (27), (30), (31).

    q2 = q(2) + qbar(2) are the second moments of the set called `moments`; the neutron's u and d are the
    proton's d and u. The nuclear matching is the one printed: the nuclear momentum with nucleon masses.
    """
    q2 = inputs.values(f"second_moments.{moments}")
    m = inputs.values("masses")
    m_q = inputs.values("quark_masses")
    isospin = {"u": "d", "d": "u"}
    return sum(
        g**2 * m_q[q] ** power * (nucleus.Z / m["m_p"] * q2[q] + nucleus.N / m["m_n"] * q2[isospin.get(q, q)])
        for q, g in model.g_q.items()
    )


def loop_coefficients(model, nucleus, amplitude, moments):
    """c1, c2, c3 of the nucleus: Eqs. (26)-(28) in case A, Eqs. (29)-(31) in case B.

    amplitude  "published": as printed, with g_q^2 restored in the first sum of Eq. (31), which our copy
               leaves out although the same term has it in Eq. (28)
    moments    name of a set of second moments in the inputs

    Returns LoopCoefficients of the model's shape. Raises ValueError for an unknown amplitude or set.
    """
    choice("amplitude", amplitude, AMPLITUDES)
    choice("moments", moments, inputs.names("second_moments"))
    m_chi, m_zp, z = model.m_chi, model.m_zp, model.m_zp**2
    g_LR = LOOP_FACTOR * model.g_chi_L * model.g_chi_R
    g_LL = LOOP_FACTOR * model.g_chi_L**2
    D0b = loops.D0b(m_chi, m_zp)
    D00_ab = loops.D00_ab(m_chi, m_zp)
    D001_ab = loops.D001_ab(m_chi, m_zp)
    D11_ab = loops.D11_ab(m_chi, m_zp)
    heavy = {q: g for q, g in model.g_q.items() if q in HEAVY}

    scalar, twist2 = scalar_sum(model, nucleus), twist2_sum(model, nucleus, moments)
    # Eqs. (26)-(28), and the terms of (29)-(31) that have the same form
    c1 = -g_LR * m_chi * (KAPPA[model.case] * D0b + 8 / z * D00_ab) * scalar
    c1 = c1 - KAPPA_PRIME[model.case] * g_LR * m_chi * TWO_27THS * D0b * gluon_sum(nucleus) * sum(
        g**2 for g in heavy.values()
    )
    c2 = g_LL * (16 / z * (4 * D001_ab + D00_ab) + 8 * (loops.D1b(m_chi, m_zp) + D0b)) * twist2
    c3 = -g_LR * 8 * m_chi / z * D11_ab * twist2
    if model.case == "B":
        # Eq. (29), second, third and fifth term; Eqs. (30) and (31), second term
        twist2_m2 = twist2_sum(model, nucleus, moments, power=2)
        c1 = c1 + g_LR * 32 * m_chi / z * loops.D00b(m_chi, m_zp) * scalar
        c1 = c1 - g_LR * 32 * m_chi**3 / z**3 * D00_ab * scalar_sum(model, nucleus, power=2)
        c1 = c1 + g_LR * m_chi**3 / z**2 * (2 * TWO_27THS) * gluon_sum(nucleus) * sum(
            g**2 * m_q**2 * gluon.F_G(m_chi, m_zp, m_q, "published")
            for m_q, g in ((inputs.value(f"quark_masses.{q}"), g) for q, g in heavy.items())
        )
        c2 = c2 - g_LL * 64 * m_chi**2 / z**3 * D001_ab * twist2_m2
        c3 = c3 - g_LR * 32 * m_chi**3 / z**3 * D11_ab * twist2_m2
    return LoopCoefficients(c1, c2, c3)
