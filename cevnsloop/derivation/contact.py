"""Diagrams with the two-phi vertices of goldstone.py, which Eqs. 5-10 leave out: case B, scalar operator.

    triangle_quark      both phi of the neutrino line end in one point of the quark line
    triangle_neutrino   both phi of the quark line end in one point of the neutrino line
    bubble              point to point; its integral diverges like a logarithm

Same conventions as boxes.py: i M = i/(4 pi)^2 g_L g_R g_q^2 * coefficient * nubar P_L nu qbar q. Adding up
both orders on both lines counts everything twice, l and -l: a box has two orders, a triangle one, the bubble
one half. To first order in k and m_q apart from the factor m_q^2 of two Goldstone vertices. A point has no
momentum: it contributes to no operator with p or k.
"""

from collections import defaultdict
from itertools import product

import numpy as np
import sympy as sp

from .boxes import (
    average,
    boson_weights,
    coefficient_of,
    expand_propagator,
    fermion_line,
    neutrino_vertices,
    quark_bilinear,
    quark_vertices,
)
from .dirac import P_L, numeric
from .goldstone import g_L, g_q, g_R, m_chi, m_q, neutrino_contact, quark_contact, z

DIAGRAMS = {  # neutrino side, quark side, how often
    "triangle_quark": ("line", "point", sp.Integer(1)),
    "triangle_neutrino": ("point", "line", sp.Integer(1)),
    "bubble": ("point", "point", sp.Rational(1, 2)),
}


def neutrino_side(kind):
    """(array, number of l, power of the chi propagator, scale) for each term of a side, p -> 0."""
    if kind == "point":
        yield numeric(P_L)[None, None], 0, 0, neutrino_contact() / (g_L * g_R)
        return
    second, first = (neutrino_vertices("phi", place, (1, 1)) for place in ("second", "first"))
    for term in expand_propagator(0, 1, 0):
        scale = m_chi**2 / z * (m_chi if term.core == "mass" else 1)
        yield *fermion_line(second, term, first @ numeric(P_L)), term.power, scale


def quark_side(kind, case):
    """The same for the quark, projected on qbar q."""
    if kind == "point":
        yield np.ones((1, 1)), 0, 0, quark_contact(case) / g_q**2
        return
    W = quark_vertices("phi", case)
    for term in expand_propagator(1, 1, 1):
        line, m_l = fermion_line(W, term, W)
        yield quark_bilinear("scalar", line, m_l), m_l, term.power, m_q**3 / z


def contact(diagram, case):
    """{(a, b, c): factor} of a diagram named in DIAGRAMS; empty in case A."""
    upper, lower, count = DIAGRAMS[diagram]
    total = defaultdict(lambda: sp.Integer(0))
    for (line, n_l, chi, m_upper), (bilinear, m_l, quark, m_lower) in product(
        neutrino_side(upper), quark_side(lower, case)
    ):
        if (n_l + m_l) % 2:
            continue
        array, denominator = average(line * boson_weights("phi") ** 2, n_l, bilinear, m_l)
        n = (n_l + m_l) // 2
        factor = (-1) ** (n + chi + quark) * coefficient_of("scalar", array) / denominator
        total[1 + n - quark, chi, 2] += count * factor * m_upper * m_lower
    return {key: sp.expand(factor) for key, factor in total.items() if sp.expand(factor) != 0}
