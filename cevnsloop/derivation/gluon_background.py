"""A heavy-quark loop in a constant gluon field: the kernels behind kappa' (Eq. 9) and F_G (Eqs. 10, A7).

Two vertices G, G' carry the momentum l through a loop of one quark of mass m. In Fock-Schwinger gauge,
A_mu(x) = x^nu G_nu_mu / 2, the propagator from 0 obeys (pslash + Aslash - m) S = 1 with x^nu -> -i d/dp_nu and the
coupling in A. By iteration, with S0 = 1/(pslash - m) and d^nu S0 = -S0 gamma^nu S0,

    S1 = -(i/2) G_nu_mu S0 gamma^mu S0 gamma^nu S0,          S2 = (i/2) G_nu_mu S0 gamma^mu d^nu S1.

The propagator to 0 has the same S1 and averaged S2. The scalar part of two fields is <G_ab G_cd> = GG (g_ac g_bd -
g_ad g_bc)/12, and Tr T^a T^b = delta^ab/2. With s = -l^2 > 0, u = x(1 - x), d = 1 + u s/m^2,

    Pi(s) = i int d^4x e^(ilx) <T qbar G q(x)  qbar G' q(0)> = (alpha_s/pi) G^a_ab G^a_ab int_0^1 dx sum_N P_N / d^N

collects S2 S0 + S1 S1 + S0 S2, each convergent. Everything is exact, in units of m = 1 and without (alpha_s/pi) GG.

What it is for: the chi line at zero neutrino momentum, two propagators and the loop are, with all factors i,

    (i/(4pi)^2) g_chi_L g_chi_R g_q^2 m_chi nubar P_L nu int s ds Pi^mu_mu / [(s + m_chi^2)(s + m_zp^2)^2]    for Z'Z'

and the same with m_chi -> 4 m_q^2 m_chi^3/m_zp^4 and Pi of i gamma5 for phi phi. Against Eqs. 9 and 20,

    kappa'(s) = 12 s Pi^mu_mu,          F_G = int ds k/[(s + m_chi^2)(s + m_zp^2)^2],  k = -s K,  K = 24 Pi.

For Z'phi the chi line picks l_mu Pi^mu: Eq. 8 with m qbar q -> -f(s) (alpha_s/12pi) GG, f = -6 l_mu Pi^mu ("mixed").
"""

import math
from functools import cache

import numpy as np
import sympy as sp

from ..amplitudes import gluon
from . import dirac

S, U, J1 = sp.symbols("s u J_1", positive=True)  # s/m^2, x(1 - x), and the only transcendental function that is left
SCALE = {"gamma5": 24 * S, "one": 24 * S, "vector": 12 * S, "axial": 12 * S, "mixed": -6}  # s K, -, kappa', kappa', f
CASES = {"A": "vector", "B": "axial"}
COLOUR = sp.Rational(1, 8)  # (g^2/2) / (16 pi^2) = (alpha_s/pi)/8

_RING = sp.QQ_I[sp.symbols("p_0 p_1 l m")]  # p = (p_0, p_1, 0, 0), l = (l, 0, 0, 0): all that invariants need
_P0, _P1, _L, _M = _RING.gens
_METRIC = [int(dirac.METRIC[a, a]) for a in range(4)]


def _ring(matrix):
    return np.array([[_RING.from_sympy(sp.sympify(x)) for x in row] for row in matrix], dtype=object)


_GAMMA, _ONE, _GAMMA5 = [_ring(g) for g in dirac.GAMMA], _ring(dirac.ONE), _ring(dirac.GAMMA5)
_I = _RING.from_sympy(sp.I)

VERTICES = {  # (weight, G, G'): contracted, or with l_mu l_nu for the Ward identities
    "gamma5": [(1, _GAMMA5 * _I, _GAMMA5 * _I)],
    "one": [(1, _ONE, _ONE)],
    "vector": [(_METRIC[a], _GAMMA[a], _GAMMA[a]) for a in range(4)],
    "axial": [(_METRIC[a], _GAMMA[a] @ _GAMMA5, _GAMMA[a] @ _GAMMA5) for a in range(4)],
    "mixed": [(1, _GAMMA[0] @ _GAMMA5 * _L, _GAMMA5)],
    "l.vector": [(1, _GAMMA[0] * _L, _GAMMA[0] * _L)],
    "l.axial": [(1, _GAMMA[0] @ _GAMMA5 * _L, _GAMMA[0] @ _GAMMA5 * _L)],
}


@cache
def background_propagator(shift):
    """S0, S1, averaged S2 at p + shift * l as numerators over D, D^2, D^4, D = (p + shift l)^2 - m^2.

    S1 is a dict over planes a > b: G_ab gets twice its entry. S2 multiplies GG. One D divides out of the chains.
    """
    energy = _P0 + shift * _L
    D = energy**2 - _P1**2 - _M**2
    S0 = _GAMMA[0] * energy - _GAMMA[1] * _P1 + _ONE * _M

    def chain(*indices):
        out = S0
        for a in indices:
            out = out @ _GAMMA[a] @ S0
        return out

    def divided(matrix):
        return np.array([[entry.exquo(D) for entry in row] for row in matrix], dtype=object)

    quarter = _I * _RING.from_sympy(sp.Rational(-1, 4))
    S1 = {(a, b): divided((chain(b, a) - chain(a, b)) * quarter) for a in range(4) for b in range(a)}
    S2 = np.full((4, 4), _RING.zero)
    for nu in range(4):
        for mu in set(range(4)) - {nu}:
            for (b, a), sign in (((nu, mu), 1), ((mu, nu), -1)):  # G_nu_mu G_b_a
                inserted = chain(mu, nu, a, b) + chain(mu, a, nu, b) + chain(mu, a, b, nu)
                S2 = S2 + inserted * (sign * _METRIC[nu] * _METRIC[mu])
    return S0, S1, divided(S2 * _RING.from_sympy(sp.Rational(-1, 48)))


def _trace(*matrices):
    product = matrices[0]
    for matrix in matrices[1:]:
        product = product @ matrix
    return sum((product[a, a] for a in range(4)), _RING.zero)


def numerators(vertices):
    """{(a, b): N} with Tr[G S(p + l) G' S(p)] = sum of N / [((p+l)^2 - m^2)^a (p^2 - m^2)^b] at order GG."""
    K0, K1, K2 = background_propagator(1)
    P0, P1, P2 = background_propagator(0)
    total = dict.fromkeys([(4, 1), (2, 2), (1, 4)], _RING.zero)
    third = _RING.from_sympy(sp.Rational(1, 3))  # 4/12: both orders of each plane, twice
    for weight, left, right in vertices:
        total[4, 1] += _trace(left, K2, right, P0) * weight
        total[1, 4] += _trace(left, K0, right, P2) * weight
        for (a, b), S1 in K1.items():
            total[2, 2] += _trace(left, S1, right, P1[a, b]) * third * (weight * _METRIC[a] * _METRIC[b])
    return total


def loop_integral(h, n):
    """c in int d^4k/(2pi)^4 (k^2)^h/(k^2 - Delta)^n = (i/16pi^2) c Delta^(h+2-n), for n > h + 2."""
    return (-1) ** (n - h) * sp.gamma(h + 2) * sp.gamma(n - h - 2) / sp.gamma(n)


def _average(j, e):
    """c in <k_0^j k_1^e> = c (k^2)^((j+e)/2) for j, e even; k_1 stands for the length of all three space components."""
    halves = sp.gamma(sp.Rational(j + 1, 2)) * sp.gamma(sp.Rational(e + 3, 2)) / sp.gamma((j + e) // 2 + 2)
    return (-1) ** (e // 2) * 2 / sp.pi * halves


@cache
def integrand(name):
    """{N: P_N(u, s)} of Pi for the vertices `name`, from Feynman's parameter x at (p + l)^2, p = k - x l."""
    x, shifted = sp.symbols("x k")
    terms = {}
    for (a, b), numerator in numerators(VERTICES[name]).items():
        measure = sp.gamma(a + b) / sp.gamma(a) / sp.gamma(b) * x ** (a - 1) * (1 - x) ** (b - 1)
        for (e0, e1, el, _), c in numerator.terms():
            for (j,), cj in sp.Poly((shifted - x) ** e0, shifted).terms():
                if j % 2 == 0:
                    h = (j + e1) // 2
                    value = cj * _average(j, e1) * loop_integral(h, a + b) * (-S) ** ((e0 + el - j) // 2)
                    N = a + b - h - 2
                    terms[N] = terms.get(N, 0) - COLOUR * _RING.domain.to_sympy(c) * value * measure
    return {N: _in_u(sp.Poly(sp.expand(P), x)) for N, P in terms.items()}


def _in_u(poly):
    """A polynomial in x, symmetric under x -> 1 - x, by u: x^n = a_n + b_n x from x^2 = x - u, the b_n must cancel."""
    a, b, even, odd = sp.Integer(1), sp.Integer(0), 0, 0
    for c in reversed(poly.all_coeffs()):
        even, odd = even + c * a, odd + c * b
        a, b = sp.expand(-U * b), sp.expand(a + b)
    if sp.expand(odd) != 0:
        raise ArithmeticError("not symmetric under x -> 1 - x")
    return sp.factor(even)


@cache
def J(N):
    """J_N = int_0^1 dx (1 + u s)^-N by J_1: a polynomial for N <= 0, (4 + s) N J_(N+1) = 2 + (4N - 2) J_N above 1."""
    if N <= 0:
        x = sp.Symbol("x")
        return sp.integrate(sp.expand((1 + S * x * (1 - x)) ** (-N)), (x, 0, 1))
    return J1 if N == 1 else (2 + (4 * N - 6) * J(N - 1)) / ((4 + S) * (N - 1))


def in_J1(terms):
    """int_0^1 dx sum_N P_N(u, s)/(1 + u s)^N as a(s) + b(s) J_1 with rational a, b: a unique form."""
    d, total = sp.Symbol("d"), 0
    for N, P in terms.items():
        for term in sp.Add.make_args(sp.expand(sp.sympify(P).subs(U, (d - 1) / S))):
            c, power = term.as_coeff_exponent(d)
            total += c * J(N - int(power))
    return sp.factor(sp.cancel(total))


@cache
def combination(name):
    """(c0, c1, c2, c3) of `constants` for SCALE Pi: kappa'(s) of case A ("vector") or B ("axial"), -k, f ("mixed")."""
    return constants(SCALE[name] * in_J1(integrand(name)))


def constants(expression):
    """Rational c0..c3 with expression = c0 + c1 J_1 + c2 J_2 + c3 J_3; ArithmeticError if there are none."""
    c = sp.symbols("c0:4")
    difference = sp.together(expression - sum(ci * Ji for ci, Ji in zip(c, (1, J(1), J(2), J(3)), strict=True)))
    found = sp.solve(sp.Poly(sp.numer(difference), S, J1).coeffs(), c, dict=True)
    if len(found) != 1:
        raise ArithmeticError("not a combination of 1, J_1, J_2, J_3 with constant coefficients")
    return tuple(found[0][ci] for ci in c)


def at_zero(name):
    """Pi(0) in units of 1/m^2 (times (alpha_s/pi) GG): the low-energy limit."""
    x = sp.Symbol("x")
    return sp.integrate(sum(integrand(name).values()).subs({S: 0, U: x * (1 - x)}), (x, 0, 1))


def condensate():
    """m <qbar q> of the heavy quark over (alpha_s/pi) GG, from Tr S2: -1/12 is the first part of Eq. 12."""
    c = _trace(background_propagator(0)[2]).coeff(_P0**2 * _M)  # of p^2
    return COLOUR * _RING.domain.to_sympy(c) * loop_integral(1, 4)


@cache
def quark_coefficient(name):
    """C in Pi = C m qbar q / S: scalar part of the tree graphs of a quark q, first order in its momentum k and mass.

    Direct plus crossed: -2 qbar G [(kslash + m)/l^2 - 2 lslash k.l/l^4] G' q; the scalar part of k_a qbar gamma^b q is
    delta_a^b m qbar q/4 by the equation of motion, the rest is twist-2. kappa - 2 = -C for kappa of Eq. 5.
    """
    total = _RING.zero
    for weight, left, right in VERTICES[name]:
        total += _trace(left, right) * (4 * weight)
        for a in range(4):
            inner = _GAMMA[a] * (-1 if a == 0 else 1)  # gamma^a - 2 lslash l^a/l^2 with l = (l, 0, 0, 0)
            total += _trace(left, inner, right, _GAMMA[a]) * (weight * _METRIC[a])
    return _RING.to_sympy(total) / 8


@cache
def massless_gluon_coefficient(name):
    """C_G in Pi = [C_G (alpha_s/pi) GG + C m qbar q]/S for S -> infinity: the rest, with m qbar q from `condensate`."""
    return combination(name)[0] * S / SCALE[name] - quark_coefficient(name) * condensate()


def printed_A7(third=1):
    """{N: P_N} of K = -k/S for Eq. A7 with its third sign as printed (1) or flipped (-1).

    With dX_n/dm_zp^2 = (-1)^(n+1) int s ds (u/d)^n / [(s + m_chi^2)(s + m_zp^2)^2] at zero neutrino momentum.
    """
    return {1: 3 * U, 2: 3 * (1 + U), 3: third * 4 * (1 - 3 * U)}


def values(name, r):
    """SCALE Pi as floats at r = s/m^2 >= 0, any shape; for r < 1/2, where it cancels, by its series (radius 4)."""
    c = [float(value) for value in combination(name)]
    r = np.asarray(r, dtype=float)
    beta = [(-1) ** j * math.factorial(j) ** 2 / math.factorial(2 * j + 1) for j in range(25)]
    series = [b * sum(c[N] * math.comb(N + j - 1, j) for N in (1, 2, 3)) for j, b in enumerate(beta)]
    series[0] += c[0]
    near = np.polynomial.polynomial.polyval(np.minimum(r, 0.5), series)
    closed = c[0] + sum(cN * JN for cN, JN in zip(c[1:], gluon.feynman_J(r), strict=True))
    return np.where(r < 0.5, near, closed)[()]


def loop_average(name, m_chi, m_zp, m_q):
    """Mean of `values` at s/m_q^2 over the loop, weight 1/[(s + m_chi^2)(s + m_zp^2)^2], for scalar masses in MeV.

    "vector", "axial": the kappa' that belongs before D0b in Eq. 9 for this quark mass (-3, 13 for m_q -> 0, 0 for m_q
    -> infinity); "gamma5": -F_G/D0b; "mixed", with another s in the weight: <f>, to multiply D00b. Error below 1e-9.
    """
    x, z, m2 = (float(mass) ** 2 for mass in (m_chi, m_zp, m_q))
    s = np.exp(np.arange(math.log(1e-10 * min(x, z, m2)), math.log(1e12 * max(x, z, m2)), 0.2))
    weight = s ** (2 if name == "mixed" else 1) / ((s + x) * (s + z) ** 2)
    return float((weight * values(name, s / m2)).sum() / weight.sum())
