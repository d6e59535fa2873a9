"""From quarks to the nucleus: the vector charge of the tree and c1, c2, c3 of the loops.

Everything is at zero momentum transfer, for one neutrino flavour and one chi.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from .. import inputs
from ..checks import Record, choice, finite
from ..nucleus import helm
from . import gluon, loops

LIGHT = ("u", "d", "s")
HEAVY = ("c", "b")

# Eq. (14): valence numbers. Our copy of the text prints c_u^p = c_d^p = 2 and c_d^p = c_u^p = 1; the second
# member of each pair is the neutron's, as Eq. (23) shows.
VALENCE = {"p": {"u": 2, "d": 1}, "n": {"u": 1, "d": 2}}

KAPPA = {"A": -4, "B": 12}  # below Eq. (5)
KAPPA_PRIME = {"A": -3, "B": 13}  # below Eq. (9)
GOLDSTONE_FACTOR = {"published": 1, "rederived": -1 / 2}
TWO_27THS = 2 / 27  # Eq. (12)
LOOP_FACTOR = 1 / (4 * np.pi) ** 2
LARGEST = 1e100  # |g_q| whose square, times masses, stays in the range of float64


FORMS = ("published", "rederived")


@dataclass(frozen=True)
class Quarks(Record):
    """Which form of the loop amplitude is used: four switches, each "published" or "rederived".

    nuclear_matching   twist-2 matrix element of the nucleus: nuclear momentum in Eq. (13), or nucleons at rest
    goldstone_box      coefficients of Eq. (7): as printed, or minus one half of that
    gluon_kernel       kernel of F_G: Eq. (A7), or that with the sign of its third term flipped
    interference       of c2 with Z exchange: left out as in Eq. (21), or kept

    Raises ValueError for any other value.
    """

    nuclear_matching: str
    goldstone_box: str
    gluon_kernel: str
    interference: str

    def __post_init__(self):
        for name in SWITCHES:
            choice(name, getattr(self, name), FORMS)

    separable = True

    @property
    def meets_z(self):
        """Whether the amplitude that keeps the chirality interferes with Z exchange."""
        return self.interference == "rederived"

    def coefficients(self, nuclei, model, theory):
        """`loop_coefficients_of` with the moments and inputs of a theory.Theory."""
        return loop_coefficients_of(nuclei, model, self, theory.moments, theory.inputs)

    def flip_and_keep(self, E, T, model, nucleus, theory):
        """What c1 / (M E) + c3 M E and c2 of Eq. (25) are times the form factor: theory.Amplitude."""
        return separable_flip_and_keep(E, T, model, nucleus, theory, self)

    def flipped(self, *switches):
        """This amplitude with the named switches in the other position; ValueError for an unknown name."""
        other = dict(zip(FORMS, reversed(FORMS), strict=True))
        return replace(self, **{s: other[getattr(self, choice("switch", s, SWITCHES))] for s in switches})

    def __str__(self):
        """The name, if all switches agree; otherwise what is rederived."""
        rederived = [name for name in SWITCHES if getattr(self, name) == "rederived"]
        names = {0: "published", len(SWITCHES): "rederived"}
        return names.get(len(rederived), "published, but rederived " + " and ".join(rederived))


SWITCHES = tuple(field.name for field in fields(Quarks))
PUBLISHED = Quarks(*["published"] * len(SWITCHES))
REDERIVED = Quarks(*["rederived"] * len(SWITCHES))


@dataclass(frozen=True, eq=False)
class LoopCoefficients(Record):
    """c1 (MeV^-2), c2 (MeV^-5), c3 (MeV^-6) of Eqs. (26)-(31), read-only arrays of the model's shape.

    Raises ValueError for what is not finite.
    """

    c1: np.ndarray
    c2: np.ndarray
    c3: np.ndarray

    def __post_init__(self):
        units = {"c1": "MeV^-2", "c2": "MeV^-5", "c3": "MeV^-6"}
        self._keep(**{name: finite(name, getattr(self, name), unit) for name, unit in units.items()})


def separable_flip_and_keep(E, T, model, nucleus, theory, amplitude):
    """F (c1 / (M E) + c3 M E) in MeV^-4 and F c2 in MeV^-5, F being the form factor of the nucleus."""
    (c,) = amplitude.coefficients([nucleus], model, theory)
    M = nucleus.M
    F = helm(2 * M * T, nucleus)
    return F * (c.c1 / (M * E) + c.c3 * M * E), F * c.c2


def vector_charge(model, nucleus):
    """(2 g_u + g_d) Z + (g_u + 2 g_d) N of Eq. (23): the vector charge of the nucleus; 0 in case B, Eq. (15)."""
    if model.case == "B":
        return 0.0
    return sum(
        model.g_q.get(q, 0.0) * (nucleus.Z * VALENCE["p"][q] + nucleus.N * VALENCE["n"][q]) for q in VALENCE["p"]
    )


def scalar_sum(model, nucleus, power=0, table=inputs.STANDARD):
    """sum over u, d, s of g_q^2 m_q^power (Z m_p f_q^p + N m_n f_q^n), MeV^(1+power): Eqs. (11), (26), (29)."""
    f = {nucleon: table.values(f"scalar_form_factors.{nucleon}") for nucleon in "pn"}
    m = table.values("masses")
    m_q = table.values("quark_masses")
    return sum(
        g**2 * m_q[q] ** power * (nucleus.Z * m["m_p"] * f["p"][q] + nucleus.N * m["m_n"] * f["n"][q])
        for q, g in model.g_q.items()
        if q in LIGHT
    )


def gluon_sum(nucleus, table=inputs.STANDARD):
    """Z m_p f_G^p + N m_n f_G^n in MeV, f_G = 1 - f_u - f_d - f_s: Eqs. (12), (26), (29)."""
    f_G = {nucleon: 1 - sum(table.values(f"scalar_form_factors.{nucleon}").values()) for nucleon in "pn"}
    m = table.values("masses")
    return nucleus.Z * m["m_p"] * f_G["p"] + nucleus.N * m["m_n"] * f_G["n"]


def twist2_sum(model, nucleus, amplitude, moments, power=0, table=inputs.STANDARD):
    """Twist-2 matrix element of the nucleus, MeV^(power-1), for the factor of c2 and c3 of Eqs. (27)-(31).

    published: sum over u d s c b of g_q^2 m_q^power [Z/m_p q2^p + N/m_n q2^n], as printed: Eq. (13), which holds for
    a nucleon, with the momentum of the nucleus. rederived: [Z m_p q2^p + N m_n q2^n] / M^2: nucleons at rest in
    the nucleus. q2 = q(2) + qbar(2) are the second moments of the set called `moments`, or a mapping of them; the
    neutron's u and d are the proton's d and u.
    """
    q2 = table.values(f"second_moments.{moments}") if isinstance(moments, str) else moments
    m = table.values("masses")
    m_q = table.values("quark_masses")
    isospin = {"u": "d", "d": "u"}
    weight = {
        "published": (nucleus.Z / m["m_p"], nucleus.N / m["m_n"]),
        "rederived": (nucleus.Z * m["m_p"] / nucleus.M**2, nucleus.N * m["m_n"] / nucleus.M**2),
    }[amplitude.nuclear_matching]
    return sum(
        g**2 * m_q[q] ** power * (weight[0] * q2[q] + weight[1] * q2[isospin.get(q, q)]) for q, g in model.g_q.items()
    )


def loop_coefficients(model, nucleus, amplitude, moments, table=inputs.STANDARD):
    """c1, c2, c3 of the nucleus: Eqs. (26)-(28) in case A, Eqs. (29)-(31) in case B.

    amplitude  a Quarks, such as PUBLISHED: as printed, with g_q^2 restored in the first sum of Eq. (31), which
               our copy leaves out although the same term has it in Eq. (28)
    moments    name of a set of second moments in the inputs
    table      the inputs.Table of masses, form factors and moments

    Returns LoopCoefficients of the model's shape. Raises ValueError for an unknown set and for |g_q| > LARGEST.
    """
    return loop_coefficients_of([nucleus], model, amplitude, moments, table)[0]


def loop_coefficients_of(nuclei, model, amplitude, moments, table=inputs.STANDARD):
    """`loop_coefficients` of several nuclei, a list: what depends on the masses alone is computed once."""
    choice("moments", moments, inputs.names("second_moments"))
    for flavour, g in model.g_q.items():
        if abs(g) > LARGEST:
            raise ValueError(f"g_q[{flavour!r}] must be at most {LARGEST:g} in magnitude, got {g}")
    boxes = loops.boxes(model.m_chi, model.m_zp)
    scalars = [_vector_scalar(model, boxes, table)]
    if model.case == "B":
        scalars.append(_goldstone_scalar(model, boxes, amplitude, table))
    twist2 = twist2_boxes(model, boxes, amplitude)
    found = []
    for nucleus in nuclei:
        c1 = sum(scalar(nucleus) for scalar in scalars)
        found.append(assembled(model, nucleus, c1, twist2, amplitude, moments, table))
    return found


def assembled(model, nucleus, c1, twist2, amplitude, moments, table):
    """LoopCoefficients from c1 without (4 pi)^-2 and the couplings g_chi, and the `twist2_boxes`."""
    sums = [(twist2_sum(model, nucleus, amplitude, moments, power, table), *both) for power, both in twist2.items()]
    c2, c3 = (sum(one[0] * one[i] for one in sums) for i in (1, 2))
    g_LL, g_LR = LOOP_FACTOR * model.g_chi_L**2, LOOP_FACTOR * model.g_chi_L * model.g_chi_R
    return LoopCoefficients(g_LR * c1, g_LL * c2, g_LR * c3)


def twist2_boxes(model, boxes, amplitude):
    """{power of m_q: (of c2, of c3)}: what multiplies `twist2_sum` in Eqs. (27)-(28), in case B in (30)-(31)."""
    m_chi, z = model.m_chi, model.m_zp**2
    found = {0: (boxes.twist2, -8 * m_chi / z * boxes.D11_ab)}
    if model.case == "B":
        factor = GOLDSTONE_FACTOR[amplitude.goldstone_box]
        found[2] = -64 * m_chi**2 / z**3 * boxes.D001_ab * factor, -32 * m_chi**3 / z**3 * boxes.D11_ab * factor
    return found


def _vector_scalar(model, boxes, table):
    """Two Z' in one and two loops: Eq. (26) and the terms of (29) that have the same form.

    Returns the function of the nucleus that gives c1 without (4 pi)^-2 and the couplings g_chi.
    """
    m_chi = model.m_chi
    light_box = -m_chi * (KAPPA[model.case] - 2) * boxes.D0b  # loops.scalar_box
    heavy_box = -m_chi * KAPPA_PRIME[model.case] * boxes.D0b
    heavy = TWO_27THS * sum(model.g_q.get(q, 0.0) ** 2 for q in HEAVY)

    def c1(nucleus):
        return light_box * scalar_sum(model, nucleus, 0, table) + heavy_box * (heavy * gluon_sum(nucleus, table))

    return c1


def _goldstone_scalar(model, boxes, amplitude, table):
    """Z' and pNGB, and two pNGBs in one and two loops: the other terms of Eq. (29).

    Returns the function of the nucleus that gives c1 without (4 pi)^-2 and the couplings g_chi.
    Rederived, the one-loop terms of two pNGBs are minus one half of the printed ones: the current at the second
    neutrino vertex is the Hermitian conjugate of the first.
    """
    m_chi, m_zp, z = model.m_chi, model.m_zp, model.m_zp**2
    factor = GOLDSTONE_FACTOR[amplitude.goldstone_box]
    mixed_box = 32 * m_chi / z * boxes.D00b
    scalar_box = -32 * m_chi**3 / z**3 * boxes.D00_ab * factor
    heavy_box = 0.0
    for q in (q for q in HEAVY if q in model.g_q):
        m_q = table.value(f"quark_masses.{q}")
        F_G = gluon.F_G(m_chi, m_zp, m_q, amplitude.gluon_kernel)
        heavy_box = heavy_box + 2 * TWO_27THS * m_chi**3 / z**2 * (model.g_q[q] * m_q) ** 2 * F_G

    def c1(nucleus):
        light = mixed_box * scalar_sum(model, nucleus, 0, table) + scalar_box * scalar_sum(model, nucleus, 2, table)
        return light + heavy_box * gluon_sum(nucleus, table)

    return c1
