"""All that quarks do at one and two loops, each term once: the amplitude `partonic`.

`rederived` mends the paper's terms; derivation/completeness.py finds those that the paper leaves out. Here is their
sum, with s the Euclidean loop momentum squared, x = m_chi^2, z = m_zp^2, and sums over the nucleons
of a nucleus, S_q = sum m_N f_q and S_G = (2/27) sum m_N f_G, times (4 pi)^-2 g_chi_L g_chi_R m_chi:

    A:  D0b sum_uds g^2 (6 S_q - 3 S_G) + sum_cb g^2 S_G I(vector)
    B: -D0b sum_uds g^2 (6 S_q + 3 S_G) + sum_cb g^2 S_G I(transverse)
        - (4/z^2) int_0^(Lambda^2) ds/(s + x) [sum_uds g^2 S_q + sum_cb g^2 S_G longitudinal(s/m_q^2)]

I(k) is the integral of a kernel of gluon.LOOPS over 1/[(s + x)(s + z)^2], and -3 S_G the gluons of a light quark. The
last line is the longitudinal Z' with the Goldstone boson, contact diagrams and all. It grows like ln Lambda: the axial
current of a quark with a mass is not conserved, and what happens above Lambda a fuller theory has to say. Terms with
m_q^2/z of a light quark are left out. c2 and c3 are those of `rederived`, with second moments at mu = m_zp, where no
flavour is heavier than the Z'.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial.legendre import leggauss

from ..checks import Record
from . import gluon, loops
from .quarks import (
    HEAVY,
    LIGHT,
    REDERIVED,
    TWO_27THS,
    assembled,
    gluon_sum,
    scalar_sum,
    separable_flip_and_keep,
    twist2_boxes,
)
from .running import second_moments

PANELS = 12  # of Gauss-Legendre in ln s up to a cutoff
NODES = 20  # in each: 1e-10 over 95 e-folds, 1e-13 over 60
BELOW = 19.0  # e-folds below the smallest squared mass, where the integrand is 1e-16 of its largest


@dataclass(frozen=True)
class Partonic(Record):
    """The sum of all derived terms of quarks and gluons, theory.Amplitude; it has c1, c2, c3 of Eqs. (26)-(31).

    The cutoff Lambda is the input `partonic.cutoff` times m_zp. Established where chi and Z' are heavier than 1 to 2
    GeV: below, quarks are not what they see.
    """

    separable = True
    meets_z = True
    runs_moments = True

    def coefficients(self, nuclei, model, theory):
        """The quarks.LoopCoefficients of each nucleus, a list; relative accuracy of c1 1e-12 of its largest term."""
        table = theory.inputs
        boxes, moments = loops.boxes(model.m_chi, model.m_zp), second_moments(model.m_zp, table)
        twist2, of_quarks, of_gluons = twist2_boxes(model, boxes, REDERIVED), *_scalar(model, boxes.D0b, table)
        found = []
        for nucleus in nuclei:
            c1 = of_quarks * scalar_sum(model, nucleus, 0, table) + of_gluons * TWO_27THS * gluon_sum(nucleus, table)
            found.append(assembled(model, nucleus, c1, twist2, REDERIVED, moments, table))
        return found

    def flip_and_keep(self, E, T, model, nucleus, theory):
        """flip in MeV^-4 and keep in MeV^-5: theory.Amplitude."""
        return separable_flip_and_keep(E, T, model, nucleus, theory, self)

    def __str__(self):
        return "partonic"


PARTONIC = Partonic()


def _scalar(model, D0b, table):
    """What multiplies sum_uds g^2 S_q, and S_G, in c1 without (4 pi)^-2 and the couplings g_chi: MeV^-3."""
    m_chi, m_zp = model.m_chi, model.m_zp
    light = sum(model.g_q.get(q, 0.0) ** 2 for q in LIGHT)
    heavy = {table.value(f"quark_masses.{q}"): model.g_q[q] ** 2 for q in HEAVY if q in model.g_q}
    vector, sign = ("vector", 1) if model.case == "A" else ("transverse", -1)
    of_gluons = -3 * D0b * light + sum(g2 * gluon.loop_integral(m_chi, m_zp, m, vector) for m, g2 in heavy.items())
    of_quarks = sign * 6 * D0b
    if model.case == "B":
        cutoff = table.value("partonic.cutoff") * m_zp
        log = np.log1p((cutoff / m_chi) ** 2)
        of_quarks = of_quarks - 4 / m_zp**4 * log
        along = sum(g2 * longitudinal(m_chi, m, cutoff) for m, g2 in heavy.items())
        of_gluons = of_gluons - 4 / m_zp**4 * along
    return m_chi * of_quarks, m_chi * of_gluons


def longitudinal(m_chi, m_q, cutoff):
    """int_0^(cutoff^2) ds f(s/m_q^2)/(s + m_chi^2) for masses in MeV, f being gluon.LOOPS["longitudinal"].

    Far above both masses it grows like ln(cutoff^2). By Gauss-Legendre in panels of ln s, relative accuracy 1e-12.
    """
    m_chi, m_q, cutoff = (np.asarray(a, dtype=float)[..., None] for a in (m_chi, m_q, cutoff))
    high = 2 * np.log(cutoff)
    low = 2 * np.log(np.minimum(np.minimum(m_chi, m_q), cutoff)) - BELOW
    at, weights = _panels()
    s = np.exp(low + (high - low) * at)
    terms = s * gluon.gluon_kernel(s / m_q**2, "longitudinal") / (s + m_chi**2)
    return (high - low)[..., 0] * (terms @ weights)


@cache
def _panels():
    """Nodes and weights of PANELS equal parts of (0, 1)."""
    x, weight = leggauss(NODES)
    starts = np.arange(PANELS)[:, None]
    return ((starts + (x + 1) / 2) / PANELS).ravel(), np.tile(weight / (2 * PANELS), PANELS)
