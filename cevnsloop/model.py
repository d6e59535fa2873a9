"""The model: a Dirac fermion chi and a leptophobic vector Z', Eqs. (2) and (3) of the paper."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from .checks import FrozenDict, Record, choice, finite, instance, non_negative, number, positive

CASES = ("A", "B")
FLAVOURS = ("u", "d", "s", "c", "b")
NEUTRINOS = ("all", "e", "mu")
DOWN_TYPE = MappingProxyType({"d": 1.0, "s": 1.0, "b": 1.0})
MASSES = (1e-6, 1e9)  # in MeV: where the loop functions are tested, and nothing over- or underflows


def mass(name, value):
    """Return masses in MeV as float64; ValueError naming the first that is not > 0, finite and inside MASSES."""
    value = positive(name, value, "MeV")
    outside = (value < MASSES[0]) | (value > MASSES[1])
    if outside.any():
        raise ValueError(f"{name} must be from {MASSES[0]:g} to {MASSES[1]:g} MeV, got {value[outside].flat[0]}")
    return value


@dataclass(frozen=True, eq=False)
class Model(Record):
    """Couplings and masses of Eq. (2), or a family of such models that share the couplings.

    case     "A": g_qL = g_qR = g_q, vector quark current; "B": g_qL = -g_qR = g_q, axial-vector current
    m_chi    mass of chi in MeV, scalar or array, from 1 eV to 1 PeV
    m_zp     mass of Z' in MeV in the same range, broadcast against m_chi
    g_chi_L, g_chi_R   couplings of chi to the neutrino, >= 0
    g_q      mapping flavour -> coupling over u d s c b; a flavour left out does not couple.
             The top quark is neglected, as in the paper's numbers.
    neutrinos   which flavours couple: "all" with the same strength, each to a chi of its own, or one of "e", "mu".
             The paper does not say; its numbers need "all".

    Raises ValueError for an unknown case or flavour, a mass that is not finite and > 0 or lies outside MASSES, masses
    that do not broadcast, a negative or non-finite g_chi, a non-finite g_q.
    """

    case: str
    m_chi: np.ndarray
    m_zp: np.ndarray
    g_chi_L: float
    g_chi_R: float
    g_q: Mapping[str, float]
    neutrinos: str = "all"

    def __post_init__(self):
        choice("case", self.case, CASES)
        choice("neutrinos", self.neutrinos, NEUTRINOS)
        m_chi, m_zp = mass("m_chi", self.m_chi), mass("m_zp", self.m_zp)
        try:
            shape = np.broadcast_shapes(m_chi.shape, m_zp.shape)
        except ValueError:
            raise ValueError(
                f"m_chi and m_zp must have shapes that broadcast, got {m_chi.shape} and {m_zp.shape}"
            ) from None
        couplings = {
            choice("flavour", flavour, FLAVOURS): number(f"g_q[{flavour!r}]", coupling, "", finite)
            for flavour, coupling in instance("g_q", self.g_q, Mapping).items()
        }
        self._keep(
            m_chi=np.broadcast_to(m_chi, shape),
            m_zp=np.broadcast_to(m_zp, shape),
            g_chi_L=number("g_chi_L", self.g_chi_L, "", non_negative),
            g_chi_R=number("g_chi_R", self.g_chi_R, "", non_negative),
            g_q=FrozenDict(couplings),
        )

    @property
    def G(self):
        """G = g_chi g_q, the product of the largest couplings: max(g_chi_L, g_chi_R) times max |g_q|; 0 without one."""
        g_chi, g_q = self._largest()
        return g_chi * g_q

    def pattern(self):
        """The same model with max(g_chi_L, g_chi_R) = 1 and max |g_q| = 1: what a limit on G holds fixed.

        Ratios and signs of the couplings stay; couplings that are all 0 stay 0.
        """
        g_chi, g_q = (largest or 1.0 for largest in self._largest())
        quarks = {flavour: coupling / g_q for flavour, coupling in self.g_q.items()}
        return replace(self, g_chi_L=self.g_chi_L / g_chi, g_chi_R=self.g_chi_R / g_chi, g_q=quarks)

    def _largest(self):
        return max(self.g_chi_L, self.g_chi_R), max(map(abs, self.g_q.values()), default=0.0)


def unit_model(case, m_chi, m_zp, g_q=DOWN_TYPE, neutrinos="all"):
    """The model with g_chi_L = g_chi_R = 1 and the quark couplings `g_q`, by default 1 for each down-type quark as in
    the paper: amplitudes and cross sections are then coefficients of powers of G = g_chi g_q.
    """
    return Model(case, m_chi, m_zp, 1.0, 1.0, g_q, neutrinos)
