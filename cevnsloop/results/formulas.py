"""Exact results of the derivations as formulas and tables that a notebook shows.

Everything here makes Markdown with TeX, mostly from sympy expressions; nothing is computed.
"""

import re

# how a symbol is shown; z, the square of the mediator's mass, as that
SYMBOLS = {
    "m_chi": r"m_\chi",
    "m_zp": r"m_{Z'}",
    "Q": "Q_w",
    "c2": "c_2",
    "g_L": r"g_{\chi L}",
    "g_R": r"g_{\chi R}",
    "D0b": "D_0^b",
    "D1b": "D_1^b",
    "D00b": "D_{00}^b",
    "D00_ab": "D_{00}^{a-b}",
    "D001_ab": "D_{001}^{a-b}",
    "D11_ab": "D_{11}^{a-b}",
}
INTEGRAL = r"\langle {}\,{}\,{}\rangle"


class Markdown(str):
    """Text that a notebook renders."""

    def _repr_markdown_(self):
        return str(self)


def table(head, rows, align=""):
    """Markdown of a table: a head, rows of as many cells, and a letter of l, c, r for each column (l if none).

    Raises ValueError if a row has another length than the head.
    """
    rows = [[str(cell) for cell in row] for row in rows]
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"rows must have {len(head)} cells as the head has, got {len(row)}: {row}")
    marks = {"l": ":--", "c": ":-:", "r": "--:"}
    lines = [head, [marks[letter] for letter in align.ljust(len(head), "l")], *rows]
    return Markdown("\n".join(f"| {' | '.join(cells)} |" for cells in lines))


def tex(expression):
    """TeX between dollars of a sympy expression, its symbols named as in the book."""
    return f"${_latex(expression)}$"


def integrals(coefficient):
    """TeX of {(a, b, c): factor}, a sum of integrals <a b c>; 0 if there are none."""
    parts = [f"{_latex(factor)}\\,{INTEGRAL.format(*key)}" for key, factor in coefficient.items()]
    return f"${' + '.join(parts).replace('+ - ', '- ').replace('+ -', '- ') or 0}$"


def _latex(expression):
    import sympy as sp

    expression = sp.sympify(expression)
    squares = {symbol: sp.Symbol("m_zp") ** 2 for symbol in expression.free_symbols if symbol.name == "z"}
    expression = expression.subs(squares)
    names = {symbol: SYMBOLS.get(symbol.name, symbol.name) for symbol in expression.free_symbols}
    return sp.latex(expression, symbol_names=names)


def term(name):
    """TeX of a term of a propagator as boxes.name calls it: "lslash (p.l)^2"."""
    name = re.sub(r"\((\w)\.l\)", r"(\1\\cdot\\ell)", name)
    name = re.sub(r"\b([pk])slash", r"\\not{\1}", name).replace("lslash", r"\not{\ell}")
    return f"${name}$"


def combination(numbers, names):
    """TeX of a sum of rational numbers times names; a name is "" for the number itself."""
    import sympy as sp

    said = ""
    for number, name in zip(numbers, names, strict=True):
        if number:
            size = sp.latex(abs(sp.nsimplify(number)))
            said += (" - " if number < 0 else " + ") + (name if size == "1" and name else f"{size}{name}")
    return f"${said.removeprefix(' + ').strip() or 0}$"
