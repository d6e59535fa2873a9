"""Kernels of the heavy-quark loop: Dirac equation, Ward identities, limits, a self-dual field, production code."""

import math
from functools import cache

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import quad

from cevnsloop import inputs
from cevnsloop.amplitudes import gluon, loops
from cevnsloop.amplitudes import quarks as amplitude
from cevnsloop.amplitudes.quarks import PUBLISHED
from cevnsloop.derivation import dirac
from cevnsloop.derivation import gluon_background as bg
from cevnsloop.derivation.gluon_background import J1, S, U
from cevnsloop.model import unit_model
from cevnsloop.nucleus import nuclide

NAMES = ("gamma5", "one", "vector", "axial")
each_name = pytest.mark.parametrize("name", NAMES)
third = sp.Rational(1, 3)


def zero(expression):
    return sp.cancel(sp.together(expression)) == 0


@cache
def reduced(name):
    return bg.in_J1(bg.integrand(name))


# The propagator


def slash(p):
    return sum((bg._GAMMA[a] * (p[a] * bg._METRIC[a]) for a in range(1, 4)), bg._GAMMA[0] * p[0])


def test_propagator_obeys_the_dirac_equation_from_both_sides():
    """(pslash - m) S1 = -Aslash S0 with Aslash = (1/2) G_nu_mu gamma^mu (-i d/dp_nu); mirrored for S(0, x)."""
    S0, S1, _ = bg.background_propagator(0)
    p = [bg._P0, bg._P1, bg._RING.zero, bg._RING.zero]
    D, inverse = p[0] ** 2 - p[1] ** 2 - bg._M**2, slash(p) - bg._ONE * bg._M
    half_i = bg._I * bg._RING.from_sympy(sp.Rational(1, 2))

    def derivative(a):  # d/dp_a of S0 = N/D, over D^2
        return bg._GAMMA[a] * D - S0 * (2 * p[a])

    for (a, b), entry in S1.items():
        field = [(a, b, 1), (b, a, -1)]  # G_nu_mu
        right = sum(sign * (bg._GAMMA[mu] @ derivative(nu)) for nu, mu, sign in field) * half_i
        left = sum(sign * (derivative(nu) @ bg._GAMMA[mu]) for nu, mu, sign in field) * half_i
        assert not any((inverse @ entry * 2 - right).flat)
        assert not any((entry @ inverse * 2 + left).flat)  # x^nu has the other sign there


def test_second_order_has_the_known_form():
    _, _, S2 = bg.background_propagator(0)
    p2 = bg._P0**2 - bg._P1**2
    half = bg._RING.from_sympy(sp.Rational(1, 2))
    p = [bg._P0, bg._P1, bg._RING.zero, bg._RING.zero]
    expected = (bg._ONE * p2 + slash(p) * bg._M) * (bg._M * half)
    assert not any((S2 - expected).flat)


def test_heavy_quark_condensate_is_the_first_part_of_eq_12():
    assert bg.condensate() == -sp.Rational(1, 12)


# Low energy: Pi(0) is a second derivative of the effective Lagrangian (alpha_s/12 pi) GG ln |mass|


def test_low_energy_theorems():
    m, a = sp.symbols("m a", positive=True)
    for name, mass in (("one", m + a), ("gamma5", sp.sqrt(m**2 + a**2))):
        lagrangian = -bg.condensate() * sp.log(mass)  # d/dm = -<qbar q>
        assert sp.diff(lagrangian, a, 2).subs(a, 0).subs(m, 1) == bg.at_zero(name)
    assert bg.SCALE["gamma5"] / S * bg.at_zero("gamma5") == 2  # K(0) = 2/m^2
    assert bg.at_zero("vector") == 0  # a constant vector field is a choice of gauge


def test_low_energy_limit_is_that_of_the_reduced_form():
    series = sp.series(sp.asinh(sp.sqrt(S) / 2) / (sp.sqrt(S) / 2 * sp.sqrt(1 + S / 4)), S, 0, 5).removeO()
    for name in NAMES:
        assert sp.limit(sp.simplify(reduced(name).subs(J1, series)), S, 0) == bg.at_zero(name)


# Ward identities


def test_vector_current_is_conserved():
    assert zero(bg.in_J1(bg.integrand("l.vector")))


def test_axial_current_is_as_conserved_as_the_mass_allows():
    """l_mu l_nu Pi^mu_nu = 4 m^2 Pi_5 + 4 m <qbar q>."""
    assert zero(bg.in_J1(bg.integrand("l.axial")) - 4 * reduced("gamma5") - 4 * bg.condensate())


# Massless limit: the operator product expansion


@pytest.mark.parametrize(("name", "case"), [("vector", "A"), ("axial", "B")])
def test_kappa_of_a_light_quark(name, case):
    """kappa D0b + 8 (D00a - D00b)/m_zp^2 = (kappa - 2) D0b: the same chi line with the same correlator."""
    assert bg.quark_coefficient(name) == -(amplitude.KAPPA[case] - 2)
    D00_ab, D0b = loops.D00_ab(50.0, 300.0), loops.D0b(50.0, 300.0)
    assert 8 / 300.0**2 * D00_ab == pytest.approx(-2 * D0b, rel=1e-13, abs=0)


def test_gluon_coefficients_of_the_massless_expansion():
    """(alpha_s/pi) GG/12 beside 2 m qbar q for the vector current; 1/8 beside -m qbar q and 3 m qbar q."""
    transverse = 3  # Pi^mu_mu = 3 Q^2 Pi(Q^2)
    assert bg.massless_gluon_coefficient("vector") == transverse * sp.Rational(1, 12)
    assert bg.quark_coefficient("vector") == transverse * 2
    assert bg.massless_gluon_coefficient("axial") == bg.massless_gluon_coefficient("vector")
    assert bg.massless_gluon_coefficient("gamma5") == bg.massless_gluon_coefficient("one") == sp.Rational(1, 8)
    assert (bg.quark_coefficient("gamma5"), bg.quark_coefficient("one")) == (-1, 3)


@pytest.mark.parametrize("case", "AB")
def test_printed_kappa_prime_is_the_limit_of_a_light_quark(case):
    name = bg.CASES[case]
    constant = bg.combination(name)[0]
    assert constant == amplitude.KAPPA_PRIME[case] == amplitude.KAPPA[case] - 2 + 3
    assert 12 * bg.massless_gluon_coefficient(name) == 3


# Kernels


def test_combinations():
    assert bg.combination("vector") == (-3, 0, 9, -6)
    assert bg.combination("axial") == (13, 0, -15, 2)
    assert bg.combination("gamma5") == (5, 6, -15, 4)
    assert bg.combination("one") == (-3, -6, 9, 0)


def test_mixed_correlator_follows_from_the_ward_identity():
    """l_mu Pi^mu = 2 m Pi_5 + 2 <qbar q>, so f = 1 - m^2 K/2: 1 for a light quark, 0 for a heavy one."""
    assert zero(bg.in_J1(bg.integrand("mixed")) - 2 * reduced("gamma5") - 2 * bg.condensate())
    assert bg.combination("mixed") == (1, 0, -sp.Rational(3, 2), sp.Rational(1, 2))


def test_pseudoscalar_integrand():
    K = {1: 3 * U, 2: 2 + 5 * U, 3: -2 * (1 - 2 * U)}
    assert zero(bg.in_J1(K) - 24 * reduced("gamma5"))
    # the same before the integral over x, with u s = d - 1
    terms = sum(P * (1 + U * S) ** -N for N, P in bg.integrand("gamma5").items())
    assert zero(24 * terms - sum(P * (1 + U * S) ** -N for N, P in K.items()))


def test_A7_has_a_sign_slip_in_its_third_term():
    assert zero(bg.in_J1(bg.printed_A7(-1)) - 24 * reduced("gamma5"))
    excess = bg.in_J1(bg.printed_A7()) - 24 * reduced("gamma5")
    assert zero(excess - 2 * bg.in_J1({3: 4 * (1 - 3 * U)}))
    at_zero = sum(bg.printed_A7().values())
    x = sp.Symbol("x")
    assert sp.integrate(at_zero.subs(U, x * (1 - x)), (x, 0, 1)) == 6  # 2 by the low-energy theorem


@pytest.mark.parametrize(("kernel", "derived"), [("rederived", "gamma5"), ("published", None)])
def test_production_kernel_is_the_derived_one(kernel, derived):
    constants = bg.combination(derived) if derived else bg.constants(S * bg.in_J1(bg.printed_A7()))
    assert gluon.KERNELS[kernel] == tuple(-c for c in constants)
    r = np.geomspace(1e-6, 1e8, 57)
    if derived:
        # 17 eps of gluon_kernel and as much here
        assert np.allclose(-bg.values(derived, r), gluon.gluon_kernel(r, kernel), rtol=1e-14, atol=0)


@pytest.mark.parametrize("r", [0.3, 4.0, 60.0])
def test_vector_kernel_of_heavy_quarks_in_closed_form(r):
    """Shifman, Vainshtein, Zakharov 1979: (alpha_s/pi) GG/(48 Q^4) times a function of a^2 = 1 + 4 m^2/Q^2."""
    a2 = 1 + 4 / r
    a = math.sqrt(a2)
    logarithm = math.log((a + 1) / (a - 1)) / (2 * a**5)
    bracket = 3 * (a2 + 1) * (a2 - 1) ** 2 * logarithm - (3 * a2**2 - 2 * a2 + 3) / a2**2
    # Pi^mu_mu = 3 Q^2 Pi and 12 s * 3 s / (48 s^2) = 3/4; the bracket cancels like r^2
    assert bg.values("vector", r) == pytest.approx(0.75 * bracket, rel=1e-12 / min(r, 1) ** 2, abs=0)


@pytest.mark.parametrize("name", bg.SCALE)
@pytest.mark.parametrize("r", [1e-3, 0.3, 0.5, 1.0, 7.0, 300.0])
def test_values_are_the_integral_over_x(name, r):
    x, w = np.polynomial.legendre.leggauss(300)
    u = (1 - x**2) / 4
    total = sum(
        np.broadcast_to(sp.lambdify((S, U), P)(r, u), u.shape) / (1 + u * r) ** N for N, P in bg.integrand(name).items()
    )
    exact = float(sp.sympify(bg.SCALE[name]).subs(S, r)) * (total @ w) / 2
    # 300 nodes at r = 300: 2e-12; kappa' of case A starts as r^2 and its terms as r
    rel = 1e-11 * (max(1, 1 / r) if name == "vector" else 1)
    assert bg.values(name, r) == pytest.approx(exact, rel=rel, abs=0)


@pytest.mark.parametrize("name", bg.SCALE)
def test_series_meets_the_closed_form(name):
    below, above = bg.values(name, [math.nextafter(0.5, 0), 0.5])
    assert below == pytest.approx(above, rel=1e-12, abs=0)  # the closed form loses up to 1/r^2 of 20 eps


def test_no_combination_is_reported():
    with pytest.raises(ArithmeticError, match="not a combination of 1, J_1, J_2, J_3 with constant coefficients"):
        bg.constants(S * J1)


def test_asymmetry_is_reported():
    x = sp.Symbol("x")
    assert zero(bg._in_u(sp.Poly(x**3 + (1 - x) ** 3, x)) - (1 - 3 * U))
    with pytest.raises(ArithmeticError, match="not symmetric under x -> 1 - x"):
        bg._in_u(sp.Poly(x**2, x))


@pytest.mark.parametrize("N", [-2, 0, 1, 2, 3, 4])
def test_J_from_its_definition(N):
    x, w = np.polynomial.legendre.leggauss(60)
    r = 2.5
    value = float(sp.sympify(bg.J(N)).subs({S: r, J1: gluon.feynman_J(r)[0]}))
    assert value == pytest.approx((1 + r * (1 - x**2) / 4) ** -N @ w / 2, rel=1e-13, abs=0)


# Second route: a self-dual field F_12 = F_34 = f in Euclidean space, where twist-2 operators of gluons vanish.
# S = (-Dslash + m) int dt e^(-m^2 t) K_t e^(t f Sigma), K_t = (f/(4 pi sinh ft))^2 exp(-(f x^2/4) coth ft).

_RING = sp.QQ_I[sp.symbols("x_1 x_2 x_3 x_4 f t_1 t_2")]
*X, F, T1, T2 = _RING.gens


def ring(matrix):
    return np.array([[_RING.from_sympy(sp.sympify(e)) for e in row] for row in matrix], dtype=object)


def rational(*value):
    return _RING.from_sympy(sp.Rational(*value))


I = _RING.from_sympy(sp.I)
E = [*(ring(-sp.I * dirac.GAMMA[k]) for k in (1, 2, 3)), ring(dirac.GAMMA[0])]
ONE, G5 = ring(dirac.ONE), ring(dirac.GAMMA5)
SELF_DUAL = {
    "gamma5": [(G5 * I, G5 * I)],
    "one": [(ONE, ONE)],
    "vector": [(e, e) for e in E],
    "axial": [(e @ G5, e @ G5) for e in E],
}


def half_line(t, sign):
    """t times the spinor part of S(sign x, 0) to second order in f; the exponential of x^2 is taken out."""
    x_slash = sum((e * x for e, x in zip(E, X, strict=True)), ONE * 0)
    field = E[1] * X[0] - E[0] * X[1] + E[3] * X[2] - E[2] * X[3]  # 2 Aslash/f
    sigma = (E[0] @ E[1] + E[2] @ E[3]) * (-I)
    spin = ONE + sigma * (t * F) + sigma @ sigma * (t * t * F * F * rational(1, 2))
    return (
        (x_slash * (F * F * t * t * rational(1, 6) + rational(1, 2)) + field * (I * t * F * rational(1, 2))) * sign
        + ONE * t
    ) @ spin


def gaussian(powers, a, s):
    """Average of x_1^a x_2^b x_3^c x_4^d e^(i q x) over exp(-x^2/4a), q along 4: moments about x_4 = 2 i a q."""
    *transverse, e4 = powers
    if any(e % 2 for e in transverse):
        return 0
    value = sp.prod((2 * a) ** (e // 2) * sp.factorial2(e - 1) for e in transverse)
    return value * sum(
        sp.binomial(e4, j) * (2 * a) ** (j // 2) * sp.factorial2(j - 1) * (2 * sp.I * a * sp.sqrt(s)) ** (e4 - j)
        for j in range(0, e4 + 1, 2)
    )


def self_dual(name):
    """{N: P_N(u, s)} with t_1 = T x, t_2 = T (1 - x) and int dT T^n e^(-T d) = n!/d^(n+1)."""
    T, x = sp.symbols("T x", positive=True)
    u = x * (1 - x)
    first, second = half_line(T1, 1), half_line(T2, -1)
    trace = sum(((a @ first @ b @ second)[k, k] for a, b in SELF_DUAL[name] for k in range(4)), _RING.zero)
    x2 = sum(component**2 for component in X)
    trace *= _RING.one - F**2 * ((T1**2 + T2**2) * rational(1, 3) + x2 * (T1 + T2) * rational(1, 12))
    terms = {}
    for (*powers, order, n1, n2), c in trace.terms():
        if order == 2:
            value = gaussian(powers, T * u, S) * (T * x) ** n1 * (T * (1 - x)) ** n2 / (T**3 * u)
            for term in sp.Add.make_args(sp.expand(value)):
                factor, power = term.as_coeff_exponent(T)
                terms[int(power)] = terms.get(int(power), 0) + _RING.domain.to_sympy(c) * factor
    # -Tr; GG stands for 4 f^2; (g^2/2)/(16 pi^2) = (alpha_s/pi)/8
    return {
        n + 1: -sp.factorial(n) * bg._in_u(sp.Poly(sp.cancel(P), x)) / 32 for n, P in terms.items() if sp.cancel(P) != 0
    }


@each_name
def test_self_dual_field_gives_the_same_kernel(name):
    assert zero(bg.in_J1(self_dual(name)) - reduced(name))


# What it does to the amplitude


@pytest.mark.parametrize("case", "AB")
def test_kappa_prime_of_any_quark_mass(case):
    printed = amplitude.KAPPA_PRIME[case]
    light, heavy = (bg.loop_average(bg.CASES[case], 100.0, 300.0, m_q) for m_q in (1e-2, 1e6))
    assert light == pytest.approx(printed, rel=1e-6, abs=0)  # m_q^2/m^2 ln: 1e-8 times 20
    assert abs(heavy) < 1e-5
    scaled = bg.loop_average(bg.CASES[case], 1.0, 3.0, 12.7)
    assert bg.loop_average(bg.CASES[case], 100.0, 300.0, 1270.0) == pytest.approx(scaled, rel=1e-9, abs=0)


@pytest.mark.parametrize("m_q", [1.0, 1270.0, 4180.0])
@pytest.mark.parametrize("m_zp", [20.0, 300.0, 1e4])
def test_average_of_the_pseudoscalar_kernel_is_F_G(m_zp, m_q):
    expected = -gluon.F_G(100.0, m_zp, m_q, "rederived") / loops.D0b(100.0, m_zp)
    assert bg.loop_average("gamma5", 100.0, m_zp, m_q) == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.mark.parametrize("name", bg.SCALE)
def test_average_against_quadrature(name):
    x, z, m2 = 100.0**2, 300.0**2, 1270.0**2
    power = 2 if name == "mixed" else 1

    def integral(function):
        def integrand(y):
            s = math.exp(y)
            return s**power * function(s / m2) / ((s + x) * (s + z) ** 2)

        return quad(integrand, -30, 50, points=[9, 12, 15], epsabs=0, epsrel=1e-10, limit=400)[0]

    expected = integral(lambda r: bg.values(name, r)) / integral(lambda r: 1.0)
    assert bg.loop_average(name, 100.0, 300.0, 1270.0) == pytest.approx(expected, rel=1e-9, abs=0)


def test_decoupling_of_kappa_prime():
    """Heavy quark, case B: kappa'(s) = 4 s/m^2, so that kappa' D0b = -16 D00b/m^2; case A starts as s^2."""
    assert bg.values("axial", 1e-9) == pytest.approx(4e-9, rel=1e-8, abs=0)
    assert bg.values("vector", 1e-6) / bg.values("vector", 1e-5) == pytest.approx(1e-2, rel=1e-4, abs=0)
    m_q = 1e6
    expected = -16 * loops.D00b(10.0, 30.0) / loops.D0b(10.0, 30.0) / m_q**2
    assert bg.loop_average("axial", 10.0, 30.0, m_q) == pytest.approx(expected, rel=1e-6, abs=0)


def test_scalar_goldstone_box_is_minus_half_the_printed_one():
    """The light quark of the phi phi box by the same chi line: Pi = -m qbar q/s instead of K/24."""
    m_chi, m_zp = 40.0, 90.0
    cs, model = nuclide("Cs133"), unit_model("B", m_chi, m_zp, {"s": 1.0})
    derived = 4 * float(bg.quark_coefficient("gamma5")) * m_chi**3 / m_zp**4 * loops.D0b(m_chi, m_zp)
    printed = -32 * m_chi**3 / m_zp**6 * loops.D00_ab(m_chi, m_zp)
    assert derived == pytest.approx(-printed / 2, rel=1e-13, abs=0)
    pair = [
        amplitude.loop_coefficients(model, cs, form, "mz_rounded").c1
        for form in (PUBLISHED, PUBLISHED.flipped("goldstone_box"))
    ]
    m_s2 = inputs.value("quark_masses.s") ** 2
    scale = amplitude.scalar_sum(model, cs) * m_s2 / (4 * math.pi) ** 2
    # a difference of two c1
    assert pair[0] - pair[1] == pytest.approx((printed - derived) * scale, rel=1e-10, abs=0)
