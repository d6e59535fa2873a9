"""The one-loop boxes of Fig. 1(b)-(e), forward: the coefficients of the operators of Eqs. 5, 7, 8.

Four steps, one section of this file each:

1. Feynman rules. nu(p) absorbs boson A, becomes chi(p + l) and emits boson B. The quark emits A and then
   absorbs B, with k - l in between (direct), or absorbs B first, with k + l in between (crossed).
2. Expansion. With p^2 = 0 and k^2 = m_q^2 both propagators expand alike in the external momentum r:
   i (rslash + sign lslash + m) sum_n (-2 sign r.l)^n / D^(n+1),  D = l^2 - m_chi^2 (chi) or l^2 (quark).
   The quark's mass counts as one order, chi's as none.
3. Average over the directions of l, exactly, and Wick rotation: what is left are rational multiples of
   int_0^inf ds s^a (s + x)^-b (s + z)^-c,  x = m_chi^2, z = m_zp^2, s = -l^2, named (a, b, c).
4. Projection on quark bilinears, kslash -> m_q on shell, and on neutrino bilinears. That nothing else is
   there is checked, not assumed.

Conventions: i M = i/(4 pi)^2 * couplings * coefficient * operator, with

    scalar   nubar P_L nu  qbar q                        g_L g_R g_q^2   neutrino order p^0
    twist2   nubar p^mu gamma^nu P_L nu  O_mu_nu         g_L^2 g_q^2     p^1
    double   nubar p^mu p^nu P_L nu  O_mu_nu             g_L g_R g_q^2   p^2
    vector, axial   nubar gamma_mu P_L nu  qbar gamma^mu (gamma5) q      g_L^2 g_q^2   p^0, k^0: C-odd, spin

The operators of chirality nubar ... P_L nu with an even number of gammas end in a right-handed neutrino, so
the second vertex gives g_R, otherwise g_L. A coefficient is a dict {(a, b, c): factor}, factor an exact
expression in m_chi, m_q and z.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import sympy as sp

from .dirac import GAMMA, GAMMA5, METRIC, ONE, P_L, exact, numeric, pairings
from .goldstone import PHI, m_chi, m_q, numerator, quark_couplings, vertices, z

DIAGRAMS = {"ZZ": (("Z", "Z"),), "Zphi": (("Z", "phi"), ("phi", "Z")), "phiphi": (("phi", "phi"),)}
ROUTES = ("direct", "crossed")
NEUTRINO_ORDER = {"scalar": 0, "twist2": 1, "double": 2, "vector": 0, "axial": 0}
QUARK_ORDER = {"scalar": 1, "twist2": 1, "double": 1, "vector": 0, "axial": 0}

_G = METRIC.astype(float)
_GAMMA_LOW = numeric(np.tensordot(METRIC, GAMMA, 1))
_GAMMA5, _ONE, _P_L = (numeric(matrix) for matrix in (GAMMA5, ONE, P_L))


# 1. Feynman rules: matrices with couplings, m_chi, m_q and m_zp set to one; the masses come back in box()

COMPONENTS = {"Z": slice(0, PHI), "phi": slice(PHI, None)}


def neutrino_vertices(boson, place, g_chi):
    """Vertices of a boson at nu -> chi (place "first") or chi -> nu ("second"), one matrix per component."""
    m_out, m_in = {"first": (1, 0), "second": (0, 1)}[place]
    return numeric(vertices(*g_chi, m_out, m_in, 1)[COMPONENTS[boson]])


def quark_vertices(boson, case):
    """Vertices of a boson on the quark line, one matrix per component."""
    return numeric(vertices(*quark_couplings(case, 1), 1, 1, 1)[COMPONENTS[boson]])


def boson_weights(boson):
    """Numerator of the propagator, diagonal in the components: -i g_mu_mu for Z', i for phi."""
    return np.diag(numeric(numerator("feynman", None, 1)))[COMPONENTS[boson]]


# 2. Expansion of a propagator


@dataclass(frozen=True)
class Term:
    """factor * core * (r.l)^dots / D^power, core one of "mass" m, "external" rslash, "loop" lslash."""

    factor: int
    core: str
    dots: int
    power: int


def expand_propagator(order, sign, mass_order):
    """Terms of given order of (rslash + sign lslash + m)/((r + sign l)^2 - m^2), the i left out."""
    cores = (("mass", 1, mass_order), ("external", 1, 1), ("loop", sign, 0))
    return tuple(
        Term(factor * (-2 * sign) ** (order - used), core, order - used, order - used + 1)
        for core, factor, used in cores
        if order >= used
    )


def fermion_line(second, term, first):
    """second * (i term) * first as an array with axes (component of second, of first, a, b, l slots, r slots).

    The array multiplies one l^lambda for each l slot and one r^tau for each r slot.
    """
    core = {"mass": _ONE[None], "external": _GAMMA_LOW, "loop": _GAMMA_LOW}[term.core]
    line = 1j * term.factor * np.einsum("oac,scd,idb->oiabs", second, core, first)
    slots = {"mass": [None], "external": ["r"], "loop": ["l"]}[term.core]
    for _ in range(term.dots):
        line, slots = np.multiply.outer(line, _G), [*slots, "r", "l"]
    if slots[0] is None:
        line, slots = line[:, :, :, :, 0], slots[1:]
    order = sorted(range(len(slots)), key=lambda slot: slots[slot])  # stable: l before r
    return line.transpose(*range(4), *(4 + slot for slot in order)), slots.count("l")


# 3. Average over the directions of l


def average(neutrino, n_l, quark, m_l):
    """Contract bosons and l slots: (array with axes (a, b, p slots, quark's others), integer denominator).

    neutrino has the axes (B, A, a, b, n_l l slots, p slots), quark (B, A, m_l l slots, others). The average is
    array/denominator times (l^2)^((n_l + m_l)/2); the denominator is kept apart to stay exact.
    """
    tensor, denominator = pairings(n_l + m_l)
    B, A, a, b, *slots = range(neutrino.ndim)
    free = list(range(neutrino.ndim, neutrino.ndim + quark.ndim - 2))
    averaged = [B, A, *slots[:n_l], *free[m_l:]]
    quark = np.einsum(tensor, slots[:n_l] + free[:m_l], quark, [B, A, *free], averaged)
    total = np.einsum(neutrino, [B, A, a, b, *slots], quark, averaged, [a, b, *slots[n_l:], *free[m_l:]])
    return total, denominator


# 4. Projection


def quark_bilinear(operator, line, m_l):
    """Coefficient of the quark operator in a line: axes (B, A, l slots, operator's own); None if there is none.

    Between equal, unpolarised quarks kslash = m_q and k_rho gamma_sigma = O_rho_sigma + (1/4) g_rho_sigma m_q.
    """
    k_slots = line.ndim - 4 - m_l
    if operator == "scalar" and k_slots == 0:
        return np.einsum("BAcc...->BA...", line) / 4
    if operator in ("vector", "axial"):
        basis = _GAMMA_LOW if operator == "vector" else _GAMMA5 @ _GAMMA_LOW
        return np.einsum("BAcd...,sdc->BA...s", line, basis) / 4
    if k_slots == 0:
        return None
    vector = np.einsum("BAcd...,sdc->BA...s", line, _GAMMA_LOW) / 4
    if operator == "scalar":
        return np.einsum("...rs,rs->...", vector, _G) / 4
    return traceless(vector)


def traceless(T):
    """Symmetric traceless part of a tensor in its last two axes."""
    symmetric = (T + T.swapaxes(-1, -2)) / 2
    return symmetric - np.multiply.outer(np.einsum("...rs,rs->...", symmetric, _G), _G) / 4


def massless(T):
    """T with axes (a, b, p slot, p slot, ...) as it acts on p p with p^2 = 0."""
    return np.moveaxis(traceless(np.moveaxis(T, (2, 3), (-2, -1))), (-2, -1), (2, 3))


def neutrino_basis(operator):
    """The array that stands for coefficient one: axes (a, b, p slots, operator's own)."""
    if operator == "scalar":
        return _P_L
    if operator in ("vector", "axial"):
        return np.einsum("sac,cb->abs", _GAMMA_LOW, _P_L)
    if operator == "twist2":
        return traceless(np.einsum("tr,sac,cb->abtrs", _G, _GAMMA_LOW, _P_L))
    return massless(traceless(np.einsum("tr,us,ab->abturs", _G, _G, _P_L)))


def coefficient_of(operator, array):
    """The number c with array = c * neutrino_basis(operator), exactly; ArithmeticError if there is none."""
    if operator == "double":
        array = massless(array)
    basis = neutrino_basis(operator)
    place = np.unravel_index(np.argmax(abs(basis)), basis.shape)
    c = array[place] / basis[place]
    if (array != c * basis).any():
        raise ArithmeticError(f"the amplitude is not of the form of the operator {operator}")
    return exact(c)


# The diagrams


@dataclass(frozen=True)
class Piece:
    """factor * (a, b, c) from one term of each propagator, called by name(); the quark's has 1/l^(2 power)."""

    neutrino: str
    quark: str
    power: int
    integral: tuple
    factor: sp.Expr


def name(term, momentum):
    """How the chapter calls a term: "m", "pslash", "lslash (p.l)^2", ..."""
    core = {"mass": "m", "external": f"{momentum}slash", "loop": "lslash"}[term.core]
    return core + {0: "", 1: f" ({momentum}.l)"}.get(term.dots, f" ({momentum}.l)^{term.dots}")


@cache
def box(diagram, case, operator, routes=ROUTES, g_chi=(1, 1)):
    """The pieces of a diagram ("ZZ", "Zphi", "phiphi") in an operator, direct and crossed added up.

    Couplings are left out, see the head of the file; g_chi = (g_L, g_R) puts the neutrino's in, for a test.
    To first order in k and m_q apart from the factor m_q^2 of two Goldstone vertices.
    """
    total = defaultdict(lambda: sp.Integer(0))
    for (first, second), route in product(DIAGRAMS[diagram], routes):
        for piece in _ordering(first, second, case, operator, route, g_chi):
            total[piece.neutrino, piece.quark, piece.power, piece.integral] += piece.factor
    return tuple(Piece(*key, factor) for key, factor in total.items() if factor != 0)


def _ordering(first, second, case, operator, route, g_chi):
    """Pieces with boson `first` at nu -> chi and `second` at chi -> nu, quark line direct or crossed."""
    goldstones = (first, second).count("phi")
    quark_order = QUARK_ORDER[operator] - goldstones % 2  # the mixed box has its m_q from the vertex
    sign = {"direct": -1, "crossed": 1}[route]
    weights = np.multiply.outer(boson_weights(second), boson_weights(first))
    V = neutrino_vertices(second, "second", g_chi), neutrino_vertices(first, "first", g_chi) @ _P_L
    W = quark_vertices(second, case), quark_vertices(first, case)
    if route == "crossed":
        W = W[::-1]
    terms = expand_propagator(NEUTRINO_ORDER[operator], 1, 0), expand_propagator(quark_order, sign, 1)
    for chi, quark in product(*terms):
        (upper, n_l), (lower, m_l) = fermion_line(V[0], chi, V[1]), fermion_line(W[0], quark, W[1])
        if route == "crossed":
            lower = lower.swapaxes(0, 1)
        bilinear = quark_bilinear(operator, lower, m_l)
        if bilinear is None or (n_l + m_l) % 2:
            continue
        upper = np.einsum("BA,BA...->BA...", weights, upper)
        array, denominator = average(upper, n_l, bilinear, m_l)
        n = (n_l + m_l) // 2
        # l^2 -> -s in numerator and denominators, d^4l/(2 pi)^4 -> i/(4 pi)^2 s ds
        wick = (-1) ** (n + chi.power + quark.power)
        factor = wick * coefficient_of(operator, array) / denominator * (m_chi * m_q / z) ** goldstones
        factor *= m_chi if chi.core == "mass" else 1
        factor *= m_q if operator == "scalar" and quark_order else 1
        integral = (1 + n - quark.power, chi.power, 2)
        yield Piece(name(chi, "p"), name(quark, "k"), quark.power, integral, factor)


def coefficient(pieces):
    """{(a, b, c): factor}: the pieces added up by integral."""
    total = defaultdict(lambda: sp.Integer(0))
    for piece in pieces:
        total[piece.integral] += piece.factor
    return {key: sp.factor(value) for key, value in sorted(total.items()) if value != 0}
