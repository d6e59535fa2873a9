"""The boxes: Goldstone vertices, coefficients against print, and the integrand before any expansion."""

from dataclasses import fields, replace
from functools import cache
from itertools import permutations, product

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

from cevnsloop.amplitudes import loops
from cevnsloop.amplitudes import quarks as amplitude
from cevnsloop.derivation import boxes, compare, contact, goldstone
from cevnsloop.derivation.boxes import box, coefficient, expand_propagator
from cevnsloop.derivation.compare import derived_kappa, in_loop_functions, ratio_to_print
from cevnsloop.derivation.dirac import GAMMA5, ONE, P_L, P_R, adjoint, dot, numeric, slash
from cevnsloop.derivation.goldstone import g_L, g_q, g_R, m_chi, m_q, z

R = sp.Rational
OPERATORS = ("scalar", "twist2", "double")
# on-shell momenta with rational components: nu(p) + q(k) -> chi(p2) + q(k2), m_chi = 2, m_q = 4
p, k, k2 = [R(6, 7) * c for c in (5, -4, 3, 0)], [4, 0, 0, 0], [5, -3, 0, 0]
q = [a - b for a, b in zip(k, k2, strict=True)]
p2 = [a + b for a, b in zip(p, q, strict=True)]
AT = {m_chi: 2, m_q: 4, z: 9, g_L: R(2, 3), g_R: R(-1, 5), g_q: R(3, 7)}


def at(expression):
    if isinstance(expression, np.ndarray):
        return np.vectorize(at, otypes=[object])(expression)
    return sp.sympify(expression).subs(AT)


def vanishes(matrix):
    return not any(sp.expand(entry) for entry in np.asarray(matrix).flat)


# Goldstone vertices


def test_kinematics_of_the_tests():
    assert [dot(v, v) for v in (p, p2, k, k2)] == [0, 4, 16, 16]


def test_vertices_are_those_of_eq_3():
    m_zp = sp.sqrt(z)
    first = goldstone.vertices(g_L, g_R, m_chi, 0, m_zp)[goldstone.PHI]
    assert vanishes(first - sp.I * (-sp.I * m_chi / m_zp) * (g_L * P_L + g_R * P_R))
    second = goldstone.vertices(g_L, g_R, 0, m_chi, m_zp)[goldstone.PHI]
    assert vanishes(second + m_chi / m_zp * (g_L * P_R + g_R * P_L))
    for case, size in {"A": 0, "B": 2}.items():
        couplings = left, right = goldstone.quark_couplings(case)
        quark = goldstone.vertices(*couplings, m_q, m_q, m_zp)[goldstone.PHI]
        assert vanishes(quark - sp.I * (sp.I * m_q / m_zp) * ((right - left) * P_L + (left - right) * P_R))
        assert vanishes(quark + size * g_q * m_q / m_zp * GAMMA5)


def test_the_two_vertices_of_the_neutrino_line_are_conjugate():
    first, second = (goldstone.vertices(g_L, g_R, *m, sp.sqrt(z)) for m in ((m_chi, 0), (0, m_chi)))
    for V_in, V_out in zip(first, second, strict=True):
        assert vanishes(V_out / sp.I - adjoint(V_in / sp.I))


def exchange(gauge, case, sign=1):
    m_zp = sp.Symbol("m_zp", positive=True)
    neutrino = goldstone.vertices(g_L, g_R, 2, 0, m_zp)
    quark = goldstone.vertices(*goldstone.quark_couplings(case), 4, 4, m_zp)
    neutrino[goldstone.PHI] = sign * neutrino[goldstone.PHI]
    out, inn = np.kron(slash(p2) + 2 * ONE, slash(k2) + 4 * ONE), np.kron(slash(p), slash(k) + 4 * ONE)
    return out @ goldstone.tree_exchange(gauge, neutrino, quark, q, m_zp) @ inn


@pytest.mark.parametrize("case", "AB")
def test_one_exchange_is_the_same_in_both_gauges(case):
    assert vanishes(exchange("unitary", case) - exchange("feynman", case))


def test_one_exchange_needs_the_sign_of_the_goldstone():
    assert not vanishes(exchange("unitary", "B") - exchange("feynman", "B", sign=-1))


def test_mass_term_gives_the_same_vertices_and_the_contact_ones():
    flip, m_zp = sp.Matrix([[0, 1], [1, 0]]), sp.sqrt(z)
    (of_L, of_R), _ = goldstone.two_goldstones(g_L * flip, g_R * flip, sp.diag(0, m_chi), m_zp)
    for (out, inn), masses in {(1, 0): (m_chi, 0), (0, 1): (0, m_chi)}.items():
        vertex = goldstone.vertices(g_L, g_R, *masses, m_zp)[goldstone.PHI]
        assert vanishes(vertex - of_L[out, inn] * P_L - of_R[out, inn] * P_R)
    for case in "AB":
        left, right = goldstone.quark_couplings(case)
        (of_L, of_R), _ = goldstone.two_goldstones([[left]], [[right]], [[m_q]], m_zp)
        vertex = goldstone.vertices(left, right, m_q, m_q, m_zp)[goldstone.PHI]
        assert vanishes(vertex - of_L[0, 0] * P_L - of_R[0, 0] * P_R)
    assert sp.expand(goldstone.neutrino_contact() + 2 * sp.I * g_L * g_R * m_chi / z) == 0
    assert goldstone.quark_contact("A") == 0
    assert sp.expand(goldstone.quark_contact("B") - 4 * sp.I * g_q**2 * m_q / z) == 0


LINES = {
    "neutrino": (goldstone.neutrino_line(), p, [5, 0, 3, 4]),
    "quark A": (goldstone.quark_line("A"), k2, [5, 0, 3, 0]),
    "quark B": (goldstone.quark_line("B"), k2, [5, 0, 3, 0]),
}


@cache
def ward_vanishes(name, contact_factor):
    line, momentum, outgoing = LINES[name]
    line = replace(line, **{field.name: at(getattr(line, field.name)) for field in fields(line)})
    line = replace(line, contact=contact_factor * line.contact)
    return [vanishes(matrix) for matrix in goldstone.ward(line, momentum, (R(1, 2), 3, -1, 2), outgoing, 3)]


@pytest.mark.parametrize("name", LINES)
def test_two_exchanges_are_the_same_in_both_gauges(name):
    assert ward_vanishes(name, 1) == [True] * 10


@pytest.mark.parametrize("name", ["neutrino", "quark B"])
@pytest.mark.parametrize("factor", [0, -1, 2])
def test_two_exchanges_need_the_contact_vertices_where_both_are_goldstones(name, factor):
    assert ward_vanishes(name, factor) == ([True] * 4 + [False]) * 2


# Expansion and projection


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("mass_order", [0, 1])
def test_expansion_of_a_propagator(sign, mass_order):
    """Coefficients of t^n in the propagator of momentum t r, with mass m t^mass_order, r^2 = m_end^2."""
    r, l, t = [5, 3, 0, 4], [R(1, 3), 2, -1, 1], sp.Symbol("t")
    m, offset = (3, 9) if mass_order == 0 else (2, 0)  # D = l^2 - 9, or l^2 with r^2 = m^2 = 4
    if mass_order == 1:
        r = [3, 2, 1, 0]
    assert dot(r, r) == (0 if mass_order == 0 else m * m)
    D = dot(l, l) - offset
    core = {"mass": m * ONE, "external": slash(r), "loop": slash(l)}
    exact = (t * slash(r) + sign * slash(l) + m * t**mass_order * ONE) / (1 + 2 * sign * t * dot(r, l) / D) / D
    for n in range(4):
        terms = expand_propagator(n, sign, mass_order)
        total = sum(x.factor * core[x.core] * R(dot(r, l)) ** x.dots / D**x.power for x in terms)
        expected = np.vectorize(lambda e, n=n: sp.diff(e, t, n).subs(t, 0) / sp.factorial(n), otypes=[object])(exact)
        assert vanishes(total - expected)


def test_amplitude_of_another_form_is_refused():
    with pytest.raises(ArithmeticError, match="operator scalar"):
        boxes.coefficient_of("scalar", numeric(P_L @ GAMMA5 + P_R))
    with pytest.raises(ArithmeticError, match="operator twist2"):
        boxes.coefficient_of("twist2", 1 + boxes.neutrino_basis("twist2"))
    assert boxes.coefficient_of("double", 3 * boxes.neutrino_basis("double")) == 3


# Coefficients against print


@pytest.mark.parametrize("case", "AB")
def test_kappa(case):
    assert derived_kappa(case) == amplitude.KAPPA[case]


@pytest.mark.parametrize("case", "AB")
def test_where_kappa_comes_from(case):
    """kappa is mslash and kslash of the quark propagator, (8/z) D00 the derivative of its denominator."""
    pieces = {piece.quark: piece.factor / (m_chi * m_q) for piece in box("ZZ", case, "scalar")}
    assert pieces == {"m": {"A": 8, "B": -8}[case], "kslash": -4, "lslash (k.l)": 2}
    assert -(pieces["m"] + pieces["kslash"]) == amplitude.KAPPA[case]
    total = coefficient(box("ZZ", case, "scalar"))
    assert total == {(0, 1, 2): -(amplitude.KAPPA[case] - 2) * m_chi * m_q}


@pytest.mark.parametrize("case", "AB")
@pytest.mark.parametrize("operator", OPERATORS)
def test_two_vectors_as_printed(case, operator):
    assert ratio_to_print("ZZ", case, operator, amplitude.KAPPA) == 1


def test_twist2_term_by_term():
    """Each printed loop function is one pair of terms of the two propagators (Eq. 16)."""
    pieces = {(x.neutrino, x.quark): in_loop_functions([x]) for x in box("ZZ", "A", "twist2")}
    assert pieces == {
        ("pslash", "kslash"): 8 * compare.D0b,
        ("pslash", "lslash (k.l)"): 16 / z * compare.D00_ab,
        ("lslash (p.l)", "kslash"): 8 * compare.D1b,
        ("lslash (p.l)", "lslash (k.l)"): 64 / z * compare.D001_ab,
    }
    assert coefficient(box("ZZ", "B", "twist2")) == {(0, 1, 2): 4, (1, 2, 2): R(4, 3)}


def test_mixed_box_as_printed():
    assert ratio_to_print("Zphi", "B", "scalar", amplitude.KAPPA) == 1
    assert all(box("Zphi", "B", operator) == () for operator in ("twist2", "double"))


@pytest.mark.parametrize("operator", OPERATORS)
def test_two_goldstones_differ_from_print_by_minus_one_half(operator):
    assert ratio_to_print("phiphi", "B", operator, amplitude.KAPPA) == R(-1, 2)


@pytest.mark.parametrize(("diagram", "operator"), [*product(("Zphi", "phiphi"), OPERATORS)])
def test_no_goldstone_boxes_for_a_vector_current(diagram, operator):
    assert box(diagram, "A", operator) == ()


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("couplings", [(2, 3), (1, 0), (0, 1)])
def test_chirality_of_the_couplings(operator, couplings):
    power = {"scalar": couplings[0] * couplings[1], "twist2": couplings[0] ** 2}
    power["double"] = power["scalar"]
    for diagram in boxes.DIAGRAMS:
        unit, scaled = (coefficient(box(diagram, "B", operator, g_chi=g)) for g in ((1, 1), couplings))
        assert scaled == {key: factor * power[operator] for key, factor in unit.items() if power[operator]}


# Crossing


@pytest.mark.parametrize(("diagram", "operator"), [*product(boxes.DIAGRAMS, OPERATORS)])
def test_c_even_operators_get_the_same_from_direct_and_crossed(diagram, operator):
    direct, crossed = (coefficient(box(diagram, "B", operator, routes=(route,))) for route in boxes.ROUTES)
    assert direct == crossed


@pytest.mark.parametrize("case", "AB")
def test_c_odd_current_cancels_and_the_spin_current_adds_up(case):
    direct, crossed = (coefficient(box("ZZ", case, "vector", routes=(route,))) for route in boxes.ROUTES)
    assert direct == {(1, 1, 2): R(5, 2)}
    assert crossed == {(1, 1, 2): R(-5, 2)}
    assert box("ZZ", case, "vector") == ()
    assert coefficient(box("ZZ", case, "axial")) == {(1, 1, 2): -3}


def test_two_goldstones_give_no_current_at_order_zero():
    direct, crossed = (coefficient(box("phiphi", "B", "vector", routes=(route,))) for route in boxes.ROUTES)
    assert direct == {(1, 1, 2): m_chi**2 * m_q**2 / z**2}
    assert crossed == {(1, 1, 2): -(m_chi**2) * m_q**2 / z**2}
    assert box("phiphi", "B", "axial") == ()


# The integrand before expansion: floating point, another representation, a cubature instead of tensors


def dirac_representation():
    I2, zero = np.eye(2), np.zeros((2, 2))
    pauli = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    g = np.array([np.block([[I2, zero], [zero, -I2]]), *(np.block([[zero, s], [-s, zero]]) for s in pauli)])
    return g, 1j * g[0] @ g[1] @ g[2] @ g[3]


GAMMAS, FIVE = dirac_representation()
G = np.diag([1.0, -1, -1, -1])
UNIT = np.eye(4)
LEFT = (UNIT - FIVE) / 2


@cache
def cell600():
    """The 120 vertices of the 600-cell: an exact cubature on the three-sphere up to degree 11."""
    golden = (1 + 5**0.5) / 2
    points = [tuple(s * (i == j) for j in range(4)) for i in range(4) for s in (1, -1)]
    points += list(product((0.5, -0.5), repeat=4))
    for order in permutations(range(4)):
        if sp.LeviCivita(*order) == 1:
            for signs in product((0.5, -0.5), repeat=3):
                size = [signs[0] * golden, signs[1], signs[2] / golden, 0.0]
                points.append(tuple(size[i] for i in order))
    return np.array(points)


class Integrand:
    """<s X> for X the integrand of i M, X -> sum over operators at given s, in powers of k, m_q and of p."""

    x, z, m_q, g_L, g_R, g_q = 0.6, 1.9, 0.8, 0.7, 1.3, 0.9
    p = np.array([0.65, 0.25, 0.6, 0.0])  # p^2 = 0
    k = np.array([1.0, 0.36, 0.0, 0.48])  # k^2 = m_q^2
    radius, points = 0.05, 16

    def __init__(self, case, s):
        self.l = np.sqrt(s) * cell600() * np.array([1j, 1, 1, 1])
        self.s, m_zp, m_chi = s, self.z**0.5, self.x**0.5
        right = self.g_q if case == "A" else -self.g_q
        current = 1j * GAMMAS @ (self.g_L * LEFT + self.g_R * (UNIT - LEFT))
        self.first = np.array([*current, m_chi / m_zp * (self.g_L * LEFT + self.g_R * (UNIT - LEFT))])
        self.second = np.array([*current, -m_chi / m_zp * (self.g_R * LEFT + self.g_L * (UNIT - LEFT))])
        quark = 1j * GAMMAS @ (self.g_q * LEFT + right * (UNIT - LEFT))
        axial = {"A": 0.0, "B": 1.0}[case]
        self.quark = np.array([*quark, -2 * axial * self.g_q * self.m_q / m_zp * FIVE])
        self.powers = self.radius * np.exp(2j * np.pi * np.arange(self.points) / self.points)

    def taylor(self, values, n):
        """n-th Taylor coefficient from values on a circle, last axis; exact up to radius^points."""
        return (values * self.powers**-n).mean(axis=-1)

    def propagator(self, r, sign, m, scale_mass):
        """i/(tslash - m), t = power * r + sign * l, axes (direction, power, a, b)."""
        t = self.powers[:, None] * r + sign * self.l[:, None]
        m = m * (self.powers if scale_mass else np.ones_like(self.powers))
        square = np.einsum("npm,mk,npk->np", t, G, t) - m**2
        top = np.einsum("npm,mk,kab->npab", t, G, GAMMAS) + m[:, None, None] * UNIT
        return 1j * top / square[..., None, None]

    def neutrino(self, order):
        """T[direction, B, A]: even part at orders 0, 2; contracted with pslash at order 1."""
        S = self.propagator(self.p, 1, self.x**0.5, False)
        end = UNIT if order != 1 else np.einsum("m,mk,kab->ab", self.p, G, GAMMAS)
        trace = np.einsum("ab,Bbc,npcd,Ade,ea->nBAp", end, self.second, S, self.first, LEFT, optimize=True)
        return self.taylor(trace, order) / 2

    def quark_line(self, order):
        """(1/2) Tr (kslash + m_q) T[B, A], both orders of the bosons, at the given order in k and m_q."""
        spinor = np.einsum("m,mk,kab->ab", self.k, G, GAMMAS) + self.m_q * UNIT
        spinor = self.powers[:, None, None] * spinor
        direct, crossed = (self.propagator(self.k, sign, self.m_q, True) for sign in (-1, 1))
        path = {"optimize": True}
        trace = np.einsum("pab,Bbc,npcd,Ada->nBAp", spinor, self.quark, direct, self.quark, **path)
        trace = trace + np.einsum("pab,Abc,npcd,Bda->nBAp", spinor, self.quark, crossed, self.quark, **path)
        return self.taylor(trace, order) / 2

    def weights(self, gauge):
        """Boson numerators (direction, 5, 5), lower indices."""
        total = np.zeros((len(self.l), 5, 5), complex)
        total[:, :4, :4] = -1j * G
        if gauge == "unitary":
            low = self.l @ G
            total[:, :4, :4] += 1j * low[:, :, None] * low[:, None, :] / self.z
        else:
            total[:, 4, 4] = 1j
        return total

    def average(self, neutrino, weights, quark):
        """s <X> over directions."""
        X = np.einsum("nBA,nBC,nAD,nCD->n", neutrino, weights, weights, quark, optimize=True)
        return self.s * X.mean() / (self.s + self.z) ** 2

    def kinematics(self, operator):
        """The operators between the states of the traces above, with their couplings."""
        pk = self.p @ G @ self.k
        both = self.g_L * self.g_R * self.g_q**2
        return {
            "scalar": both * 2 * self.m_q,
            "twist2": self.g_L**2 * self.g_q**2 * 2 * pk**2,
            "double": both * 2 * pk**2,
        }[operator]

    def expected(self, coefficients, operator):
        """The same from {(a, b, c): factor}."""
        values = {goldstone.m_chi: self.x**0.5, goldstone.m_q: self.m_q, goldstone.z: self.z}
        total = sum(
            complex(sp.sympify(factor).subs(values)) * self.s**a / ((self.s + self.x) ** b * (self.s + self.z) ** c)
            for (a, b, c), factor in coefficients.items()
        )
        return total * self.kinematics(operator)


S_VALUES = (0.3, 1.0, 2.7)
FLOAT = 1e-10  # measured 1.2e-12: eps over radius^4 in two second Taylor coefficients


@pytest.mark.parametrize("s", S_VALUES)
@pytest.mark.parametrize(
    ("diagram", "operator", "case"),
    [
        *(("ZZ", *rest) for rest in product(OPERATORS, "AB")),
        *((*key, "B") for key in compare.PRINTED if key[0] != "ZZ"),
    ],
)
def test_integrand_of_each_box(diagram, operator, case, s):
    expected = coefficient(box(diagram, case, operator))
    X = Integrand(case, s)
    neutrino = X.neutrino(boxes.NEUTRINO_ORDER[operator])
    # m_q in the Goldstone vertices is not counted as an order here
    quark = X.quark_line(1 if diagram == "Zphi" else 2)
    allowed = np.zeros((5, 5))
    for bosons in boxes.DIAGRAMS[diagram]:
        rows, columns = (slice(0, 4) if boson == "Z" else slice(4, 5) for boson in bosons[::-1])
        allowed[rows, columns] = 1
    value = X.average(neutrino * allowed, X.weights("feynman"), quark)
    assert value == pytest.approx(X.expected(expected, operator), rel=FLOAT, abs=0)


def total_of_feynman_gauge(operator, case):
    """All contributions of first order in k and m_q."""
    parts = [coefficient(box("ZZ", case, operator))]
    if operator == "scalar":
        parts.append(coefficient(box("Zphi", case, operator)))
        parts += [contact.contact(name, case) for name in ("triangle_quark", "bubble")]
    return parts


def unitary_gauge(operator, case, s):
    X = Integrand(case, s)
    neutrino = X.neutrino(boxes.NEUTRINO_ORDER[operator])
    return X, X.average(neutrino, X.weights("unitary"), X.quark_line(2))


@pytest.mark.parametrize("s", S_VALUES)
@pytest.mark.parametrize("case", "AB")
@pytest.mark.parametrize("operator", OPERATORS)
def test_unitary_gauge_boxes_are_all_diagrams_of_feynman_gauge(operator, case, s):
    X, value = unitary_gauge(operator, case, s)
    expected = sum(X.expected(part, operator) for part in total_of_feynman_gauge(operator, case))
    assert value == pytest.approx(expected, rel=FLOAT, abs=0)


@pytest.mark.parametrize("left_out", range(1, 4))
def test_each_contact_diagram_is_needed(left_out):
    X, value = unitary_gauge("scalar", "B", 1.0)
    parts = [X.expected(part, "scalar") for part in total_of_feynman_gauge("scalar", "B")]
    assert abs(sum(parts) / value - 1) < FLOAT
    assert abs((sum(parts) - parts[left_out]) / value - 1) > 0.01


@pytest.mark.parametrize("s", S_VALUES)
@pytest.mark.parametrize("case", "AB")
@pytest.mark.parametrize("flip", [True, False])
def test_gauges_agree_at_finite_mass_and_momentum(flip, case, s):
    """All orders in k, m_q and p: boxes, triangles and the bubble together, each counted as contact.py says."""
    X = Integrand(case, s)
    X.powers = np.ones(1)
    if flip:  # nubar P_L nu at p = 0, else (1/2) Tr pslash T
        X.p = 0 * X.p
    couplings = {g_L: X.g_L, g_R: X.g_R, g_q: X.g_q, m_chi: X.x**0.5, m_q: X.m_q, z: X.z}
    points = [
        complex(sp.sympify(v).subs(couplings)) for v in (goldstone.neutrino_contact(), goldstone.quark_contact(case))
    ]
    totals = {}
    for gauge in ("feynman", "unitary"):
        neutrino, quark = X.neutrino(0 if flip else 1), X.quark_line(0)
        if gauge == "feynman":
            neutrino[:, 4, 4] += flip * points[0] / 2
            quark[:, 4, 4] += points[1] * 2 * X.m_q
        totals[gauge] = X.average(neutrino, X.weights(gauge), quark)
    assert abs(totals["feynman"]) > 1e-3
    assert totals["feynman"] == pytest.approx(totals["unitary"], rel=1e-12, abs=0)


# Contact diagrams


def test_contact_diagrams():
    assert contact.contact("triangle_quark", "B") == {(1, 1, 2): 4 * m_chi**3 * m_q / z**2}
    assert contact.contact("triangle_neutrino", "B") == {(0, 0, 2): 4 * m_chi * m_q**3 / z**2}
    assert contact.contact("bubble", "B") == {(1, 0, 2): -4 * m_chi * m_q / z**2}
    assert all(contact.contact(name, "A") == {} for name in contact.DIAGRAMS)


@pytest.mark.parametrize("s", S_VALUES)
@pytest.mark.parametrize("name", contact.DIAGRAMS)
def test_integrand_of_each_contact_diagram(name, s):
    X, (upper, lower, _) = Integrand("B", s), contact.DIAGRAMS[name]
    couplings = {g_L: X.g_L, g_R: X.g_R, g_q: X.g_q, m_chi: X.x**0.5, m_q: X.m_q, z: X.z}
    ends = [
        complex(sp.sympify(v).subs(couplings)) for v in (goldstone.neutrino_contact(), goldstone.quark_contact("B"))
    ]
    neutrino, quark = X.neutrino(0) if upper == "line" else 0, X.quark_line(2) if lower == "line" else 0
    points = np.zeros((2, 1, 5, 5), complex)
    points[:, 0, 4, 4] = ends[0] / 2, ends[1] * 2 * X.m_q  # one of the two orders; (1/2) Tr (kslash + m_q)
    scalars = np.zeros((5, 5))
    scalars[4, 4] = 1
    neutrino, quark = ((points[i] if isinstance(T, int) else T * scalars) for i, T in enumerate((neutrino, quark)))
    value = X.average(neutrino, X.weights("feynman"), quark)
    assert value == pytest.approx(X.expected(contact.contact(name, "B"), "scalar"), rel=FLOAT, abs=0)


def test_triangle_in_loop_functions():
    """-16 m_chi^3 m_q/z^2 D00b: bigger than the box of two Goldstones by about z/m_q^2."""
    masses = {"m_chi": 100.0, "m_zp": 200.0, "m_q": 5.0}
    value = compare.value(contact.contact("triangle_quark", "B"), **masses)
    printed = -16 * 100.0**3 * 5.0 / 200.0**4 * loops.D00b(100.0, 200.0)
    assert float(value) == pytest.approx(printed, rel=1e-12, abs=0)
    assert value / compare.value(coefficient(box("phiphi", "B", "scalar")), **masses) < -1000


def test_bubble_diverges():
    with pytest.raises(ValueError, match=r"s\^1 .* diverges"):
        compare.value(contact.contact("bubble", "B"), m_chi=1.0, m_zp=2.0, m_q=1.0)


# Numbers


MASSES = [(1.0, 2.0), (53.0, 530.0), (100.0, 100.0), (100.0, 100.001), (1000.0, 30.0), (2.5, 9e4)]
FUNCTIONS = {str(symbol): getattr(loops, str(symbol)) for symbol in compare.LOOP_FUNCTIONS}


def with_production_functions(expression, m, m_zp, m_quark):
    values = {m_chi: m, m_q: m_quark, z: m_zp**2}
    return float(expression.subs(values | {sp.Symbol(n): float(f(m, m_zp)) for n, f in FUNCTIONS.items()}))


@pytest.mark.parametrize(("m", "m_zp"), MASSES)
@pytest.mark.parametrize(("diagram", "operator"), list(compare.PRINTED))
def test_integrals_agree_with_the_loop_functions(diagram, operator, m, m_zp):
    pieces = box(diagram, "B", operator)
    for piece in pieces:  # term by term: sums may cancel
        with mp.workdps(40):
            exact = compare.value(coefficient([piece]), m_chi=m, m_zp=m_zp, m_q=4.18)
        value = with_production_functions(in_loop_functions([piece]), m, m_zp, 4.18)
        assert value == pytest.approx(float(exact), rel=1e-12, abs=0)


@pytest.mark.parametrize(("m", "m_zp"), MASSES)
@pytest.mark.parametrize("case", "AB")
def test_brackets_used_by_the_package(case, m, m_zp):
    with mp.workdps(40):
        scalar = compare.value(coefficient(box("ZZ", case, "scalar")), m_chi=m, m_zp=m_zp, m_q=1.0)
        twist2 = compare.value(coefficient(box("ZZ", case, "twist2")), m_chi=m, m_zp=m_zp, m_q=1.0)
    bracket = loops.scalar_box(m, m_zp, amplitude.KAPPA[case])
    assert -m * bracket == pytest.approx(float(scalar), rel=1e-12, abs=0)
    assert loops.twist2_box(m, m_zp) == pytest.approx(float(twist2), rel=1e-12, abs=0)
