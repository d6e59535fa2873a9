"""Formulas and tables: what a notebook shows is what was put in."""

import pytest
import sympy as sp

from cevnsloop.results import formulas

m_chi, z, D0b = sp.symbols("m_chi z D0b")


def test_symbols_are_those_of_the_book():
    assert formulas.tex(8 * D0b * m_chi / z) == r"$\frac{8 D_0^b m_\chi}{m_{Z'}^{2}}$"
    assert formulas.tex(m_chi / z**3) == r"$\frac{m_\chi}{m_{Z'}^{6}}$"
    assert formulas.tex(0) == "$0$"


def test_integrals_add_up_with_their_signs():
    coefficient = {(0, 1, 2): 6 * m_chi, (1, 2, 2): -sp.Rational(4, 3)}
    assert (
        formulas.integrals(coefficient) == r"$6 m_\chi\,\langle 0\,1\,2\rangle - \frac{4}{3}\,\langle 1\,2\,2\rangle$"
    )
    assert formulas.integrals({}) == "$0$"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("m", "$m$"), ("kslash", r"$\not{k}$"), ("lslash (p.l)^2", r"$\not{\ell} (p\cdot\ell)^2$")],
)
def test_terms_of_a_propagator(name, shown):
    assert formulas.term(name) == shown


def test_combinations_leave_out_what_is_zero_and_factors_of_one():
    assert formulas.combination((5, 0, -15, 1), ("", "J_1", "J_2", "J_3")) == "$5 - 15J_2 + J_3$"
    assert formulas.combination((1, sp.Rational(-3, 2)), ("", "J_2")) == r"$1 - \frac{3}{2}J_2$"
    assert formulas.combination((-1, 0), ("x", "y")) == "$- x$"
    assert formulas.combination((0, 0), ("x", "y")) == "$0$"


def test_a_table_is_markdown_with_rows_of_one_length():
    shown = formulas.table(("a", "b"), [(1, 2), ("x", "y")], "lr")
    assert shown._repr_markdown_() == "| a | b |\n| :-- | --: |\n| 1 | 2 |\n| x | y |"
    with pytest.raises(ValueError, match="rows must have 2 cells as the head has, got 3"):
        formulas.table(("a", "b"), [(1, 2, 3)])
