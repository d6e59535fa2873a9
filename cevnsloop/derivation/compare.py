"""The coefficients of boxes.py in the notation of the appendix, beside Eqs. 5, 7, 8, 16 as printed.

in_loop_functions(pieces)     derived, as an expression in D0b, D1b, D00b, D00_ab, D001_ab, D11_ab
PRINTED[diagram, operator]    printed, in the same symbols and kappa
ratio_to_print(...)           derived over printed
value(coefficient, ...)       the number at given masses
"""

import mpmath as mp
import sympy as sp

from ..referees import loops as reference
from .boxes import box
from .goldstone import m_chi, m_q, z

LOOP_FUNCTIONS = D0b, D1b, D00b, D00_ab, D001_ab, D11_ab = sp.symbols("D0b D1b D00b D00_ab D001_ab D11_ab")
kappa = sp.Symbol("kappa")
# (a, b, c) in loop functions; where the quark propagator is 1/l^4, one of its two factors combines with one
# of 1/(l^2 - z) into [1/(l^2 - z) - 1/l^2]/z, the difference of boxes b and a
IN_LOOP_FUNCTIONS = {
    "b": {(0, 1, 2): D0b, (1, 2, 2): -2 * D1b, (1, 1, 2): -4 * D00b},
    "a - b": {(0, 1, 2): -4 / z * D00_ab, (1, 2, 2): 12 / z * D001_ab, (1, 3, 2): 3 / z * D11_ab},
}
PRINTED = {
    ("ZZ", "scalar"): -m_chi * m_q * (kappa * D0b + 8 / z * D00_ab),
    ("ZZ", "twist2"): 16 / z * (4 * D001_ab + D00_ab) + 8 * (D1b + D0b),  # Eq. 16
    ("ZZ", "double"): -8 / z * m_chi * D11_ab,
    ("Zphi", "scalar"): 32 * m_chi * m_q / z * D00b,
    ("phiphi", "scalar"): -32 * m_chi**3 * m_q**3 / z**3 * D00_ab,
    ("phiphi", "twist2"): -64 * m_chi**2 * m_q**2 / z**3 * D001_ab,
    ("phiphi", "double"): -32 * m_chi**3 * m_q**2 / z**3 * D11_ab,
}


def in_loop_functions(pieces):
    """The pieces in D0b, D1b, ..., each term where the paper has it."""
    total = sp.Integer(0)
    for piece in pieces:
        which = "b" if piece.power == 1 else "a - b"
        total += piece.factor * IN_LOOP_FUNCTIONS[which][piece.integral]
    return sp.expand(total)


def derived_kappa(case):
    """kappa of Eq. 5: the part of the scalar operator that is not in (8/z) D00_ab, over -m_chi m_q D0b."""
    return in_loop_functions(box("ZZ", case, "scalar")).coeff(D0b) / (-m_chi * m_q)


def ratio_to_print(diagram, case, operator, kappas):
    """Derived over printed coefficient: a number if they are proportional; kappas as {"A": -4, "B": 12}."""
    printed = PRINTED[diagram, operator].subs(kappa, kappas[case])
    return sp.simplify(in_loop_functions(box(diagram, case, operator)) / printed)


def value(coefficient, **masses):
    """The number behind {(a, b, c): factor} at masses m_chi, m_zp, m_q in MeV, in mpmath's working precision.

    Raises ValueError for a divergent integral.
    """
    at = {m_chi: mp.mpf(masses["m_chi"]), m_q: mp.mpf(masses["m_q"]), z: mp.mpf(masses["m_zp"]) ** 2}
    total = mp.mpf(0)
    for (a, b, c), factor in coefficient.items():
        if b + c <= a + 1:
            raise ValueError(f"int ds s^{a} (s + x)^-{b} (s + z)^-{c} diverges")
        total += sp.lambdify(tuple(at), factor, "mpmath")(*at.values()) * reference.hypergeometric(
            a, b, c, at[m_chi] ** 2, at[z]
        )
    return total
