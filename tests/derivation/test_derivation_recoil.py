"""Eqs. 22, 23, 25 and the interference of c2 with Z exchange: traces against print, xsec.py and explicit spinors."""

import math

import numpy as np
import pytest
import sympy as sp

from cevnsloop import inputs
from cevnsloop.amplitudes.quarks import LoopCoefficients
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.derivation import dirac, recoil
from cevnsloop.derivation.recoil import C1, C2, C3, CHARGE, G_CHI_L, G_F, HALF, M_CHI, M_ZP, E, M, T
from cevnsloop.nucleus import helm, nuclide
from cevnsloop.rates import xsec

CS = nuclide("Cs133")
THEORY, SIN2 = Theory(), inputs.value("weak_angle.msbar_mz")
PAIRS = [
    (recoil.dsigma_z, recoil.printed_z),
    (recoil.dsigma_zprime, recoil.printed_zprime),
    (recoil.dsigma_loop, recoil.printed_loop),
]
each_equation = pytest.mark.parametrize(("derived", "printed"), PAIRS, ids=["eq22", "eq23", "eq25"])


def zero(expression):
    return sp.simplify(expression) == 0


@each_equation
def test_traces_give_the_printed_equation(derived, printed):
    assert zero(derived() - printed())


def test_kinematics_is_on_shell():
    p1, k1, p2, k2, k_x2 = recoil.momenta(M_CHI)
    k_x = next(iter(sp.Matrix(k2).free_symbols - {E, T, M, M_CHI}))
    squares = [(p1, 0), (k1, M**2), (p2, M_CHI**2), (k2, M**2)]
    assert all(zero(dirac.dot(p, p).subs(k_x**2, k_x2) - m2) for p, m2 in squares)
    assert zero(dirac.dot(k1 - k2, k1 - k2).subs(k_x**2, k_x2) + 2 * M * T)


def test_recoil_range_is_where_the_transverse_momentum_vanishes():
    *_, k_x2 = recoil.momenta(M_CHI)
    values = {E: 30.0, M: CS.M, M_CHI: 12.0}
    for end in xsec.recoil_range(30.0, 12.0, CS.M):
        # k_x^2 is a difference of terms as large as 2 M T
        inside, outside = (float(k_x2.subs(values | {T: end * (1 + s * 1e-9)})) for s in (-1, 1))
        assert inside * outside < 0


def test_a_scalar_nucleus_would_lose_the_last_term_of_eq_22():
    front = G_F**2 * M / (2 * sp.pi) * CHARGE**2
    assert zero(recoil.dsigma_z(0) - front * (2 - M * T / E**2 - 2 * T / E))
    assert zero(recoil.dsigma_z(HALF) - recoil.dsigma_z(0) - front * T**2 / E**2)
    # Nbar N of spin 1/2 is 2 M sqrt(1 + T / 2M); spin 0 has 2 M
    assert zero(recoil.dsigma_loop(0) * (2 * M + T) - recoil.dsigma_loop(HALF) * 2 * M)
    ratio = sp.cancel(recoil.dsigma_zprime(0) / recoil.dsigma_zprime(HALF))
    largest = ratio.subs({E: 50.0, M: CS.M, M_CHI: 5.0, T: xsec.recoil_range(50.0, 5.0, CS.M)[1]})
    assert abs(float(largest) - 1) < 1e-3


@pytest.mark.parametrize("spin", [HALF, 0])
def test_interference_with_z_exchange(spin):
    front = sp.sqrt(2) * G_F * CHARGE * C2 * M**3 / (2 * sp.pi * E)
    bracket = 2 * E * (E - T) - M * T
    assert zero(recoil.interference(spin=spin) + front * bracket)
    assert zero(recoil.interference(True, spin=spin) - front * bracket * (1 - T / E))
    symmetric = recoil.interference(derivative="symmetric", spin=spin)
    assert zero(symmetric + front * bracket * (1 - T / (2 * E)))
    assert zero(symmetric + recoil.interference(True, derivative="symmetric", spin=spin))


@pytest.mark.parametrize("antineutrino", [False, True])
def test_chirality_flip_does_not_interfere(antineutrino):
    assert recoil.interference(antineutrino, c1=C1, c2=0, c3=C3) == 0
    flip, keep = recoil.loop_amplitude(C1, 0, C3), recoil.loop_amplitude(0, C2, 0)
    assert recoil.product(flip, keep, antineutrino=antineutrino) == 0


def test_squares_are_those_of_neutrinos_for_antineutrinos():
    z = recoil.z_amplitude()
    assert zero(recoil.product(z, z, antineutrino=True) - recoil.dsigma_z())
    loop = recoil.loop_amplitude(derivative=E - T / 2)
    assert zero(recoil.product(loop, loop, antineutrino=True) - recoil.product(loop, loop))


def test_interference_saturates_the_schwarz_inequality():
    # one helicity amplitude forward: |2 Re a b*| = 2 |a| |b| there, less elsewhere
    z, loop, both = recoil.dsigma_z(), recoil.dsigma_loop().subs({C1: 0, C3: 0}), recoil.interference()
    deficit = sp.factor(4 * z * loop - both**2)
    assert deficit.subs(T, 0) == 0
    assert float(deficit.subs({T: 1e-3, E: 30, M: CS.M, G_F: 1, CHARGE: 1, C2: 1})) > 0


@pytest.mark.parametrize("T_", [1e-5, 5e-3, 1e-2])
@pytest.mark.parametrize("E_", [29.8, 1e3])
def test_xsec_evaluates_what_is_derived(T_, E_):
    weak = CS.Z * (1 / 2 - 2 * SIN2) - CS.N / 2
    symbols = (E, T, M, M_CHI, M_ZP, G_F, CHARGE, G_CHI_L, C1, C2, C3)
    c = LoopCoefficients(1e-7, 3e-15, -2e-18)
    fermi = inputs.value("constants.G_F")
    production = [
        (xsec.dsigma_sm(E_, T_, CS, THEORY), weak, 0.0),
        (xsec.dsigma_tree(E_, T_, CS, 2e-2, 20.0, 0.3, 211.0), 211.0, 2e-2),
        (xsec.dsigma_loop(E_, T_, CS, c), 0.0, 0.0),
    ]
    for (derived, _), (value, charge, m_chi) in zip(PAIRS, production, strict=True):
        number = sp.lambdify(symbols, derived())(E_, T_, CS.M, m_chi, 20.0, fermi, charge, 0.3, c.c1, c.c2, c.c3)
        # the factored polynomial of 25 cancels for T near its maximum: 1e-11
        assert value == pytest.approx(number * helm(2 * CS.M * T_, CS) ** 2, rel=1e-11, abs=0)


def test_powers_of_energy_are_those_of_xsec():
    T_, charge = 7e-3, 211.0
    numbers = {T: T_, M: CS.M, M_CHI: 5.0, M_ZP: 20.0, CHARGE: charge, G_CHI_L: 0.3}
    derived = recoil.powers_of_energy(recoil.dsigma_zprime())
    production = xsec.tree_powers(T_, CS, 5.0, 20.0, 0.3, charge)
    assert sorted(derived) == sorted(production) == [-2, -1, 0]
    for k, value in production.items():
        number = float(derived[k].subs(numbers)) * helm(2 * CS.M * T_, CS) ** 2
        assert value == pytest.approx(number, rel=1e-13, abs=0)
    assert sorted(recoil.powers_of_energy(recoil.interference())) == [-1, 0, 1]


@pytest.mark.parametrize("T_", [1e-5, 5e-3, 1e-2])
def test_interference_of_xsec(T_):
    E_, c2, weak = 29.8, 3e-15, xsec.weak_charge(CS, SIN2)
    numbers = {E: E_, T: T_, M: CS.M, G_F: inputs.value("constants.G_F"), CHARGE: weak, C2: c2}
    F2 = helm(2 * CS.M * T_, CS) ** 2
    for antineutrino, lepton_number, difference in ((False, 1, 1e-12), (True, -1, 1.01 * T_ / E_)):
        # for antineutrinos the two readings of the derivative differ by T/E, neglected in xsec.py
        derived = float(recoil.interference(antineutrino).subs(numbers)) * F2
        value = xsec.dsigma_interference(E_, T_, CS, c2, lepton_number, THEORY)
        assert value == pytest.approx(derived, rel=difference, abs=0)
    production = xsec.interference_powers(T_, CS, THEORY)
    for k, expression in recoil.powers_of_energy(recoil.interference()).items():
        assert float(expression.subs(numbers)) * F2 == pytest.approx(production[k] * c2, rel=1e-12, abs=0)


def spinors(p, mass, antiparticle=False):
    """Both spinors in the chiral representation: u = (sqrt(p.sigma) x, sqrt(p.sigmabar) x), minus below for v."""
    pauli = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    vector = np.einsum("a,aij->ij", p[1:], pauli)
    low, high = p[0] * np.eye(2) - vector, p[0] * np.eye(2) + vector
    scale = math.sqrt(2 * (p[0] + mass))  # sqrt(p.sigma) = (p.sigma + m) / sqrt(2 (E + m))
    top, bottom = (low + mass * np.eye(2)) / scale, (high + mass * np.eye(2)) / scale
    return [np.concatenate([top[:, k], (-1 if antiparticle else 1) * bottom[:, k]]) for k in (0, 1)]


def explicit(m_chi, E_, T_, terms, antineutrino=False):
    """sum |amplitude|^2 / (32 pi M E^2), amplitude = sum of factor * lepton bilinear * nuclear bilinear."""
    gamma = dirac.numeric(dirac.GAMMA)
    mass = 3.0
    k_z = T_ + (m_chi**2 + 2 * mass * T_) / (2 * E_)
    p1, k1 = np.array([E_, 0, 0, E_]), np.array([mass, 0, 0, 0])
    k2 = np.array([mass + T_, math.sqrt((mass + T_) ** 2 - mass**2 - k_z**2), 0, k_z])
    p2 = p1 + k1 - k2
    left = dirac.numeric(dirac.P_L)
    out, into = ((p2, p1), (p1, p2))[antineutrino]
    total = 0.0
    for a in spinors(out, m_chi, antineutrino):
        for b in spinors(into, 0.0, antineutrino):
            for n2 in spinors(k2, mass):
                for n1 in spinors(k1, mass):
                    bar_a, bar_n = a.conj() @ gamma[0], n2.conj() @ gamma[0]
                    current = np.array([bar_n @ g @ n1 for g in gamma]) * [1, -1, -1, -1]
                    vector = np.array([bar_a @ g @ left @ b for g in gamma])
                    values = {
                        "vector": vector @ current,
                        "keep": mass * vector[0] * (bar_n @ n1),
                        "flip": (bar_a @ left @ b) * (bar_n @ n1),
                    }
                    total += abs(sum(factor * values[name] for name, factor in terms.items())) ** 2 / 2
    return total / (32 * math.pi * mass * E_**2)


POINT = {M: 3.0, E: 1.7, T: 0.4}


def test_explicit_spinors_agree_with_the_traces():
    tree = float(recoil.dsigma_zprime().subs(POINT | {M_CHI: 0.8, M_ZP: 2.0, CHARGE: 1, G_CHI_L: 1}))
    factor = 1 / (2 * 3.0 * 0.4 + 4.0)
    assert explicit(0.8, 1.7, 0.4, {"vector": factor}) == pytest.approx(tree, rel=1e-13, abs=0)
    loop = float(recoil.dsigma_loop().subs(POINT | {C1: 0.3, C2: 0.2, C3: -0.1}))
    k1_p1 = 3.0 * 1.7
    terms = {"flip": 0.3 - 0.1 * k1_p1**2, "keep": 0.2 * k1_p1}
    assert explicit(0.0, 1.7, 0.4, terms) == pytest.approx(loop, rel=1e-13, abs=0)


@pytest.mark.parametrize("antineutrino", [False, True])
def test_explicit_spinors_give_the_sign_of_the_interference(antineutrino):
    energy = (1.7, -(1.7 - 0.4))[antineutrino]
    z, loop = {"vector": -math.sqrt(2) * 0.5}, {"keep": 0.2 * 3.0 * energy}
    both, one, other = (explicit(0.0, 1.7, 0.4, terms, antineutrino) for terms in (z | loop, z, loop))
    derived = recoil.interference(antineutrino).subs(POINT | {G_F: 1, CHARGE: 0.5, C2: 0.2})
    assert both - one - other == pytest.approx(float(derived), rel=1e-12, abs=0)


def test_other_spins_are_refused():
    with pytest.raises(ValueError, match="spin must be 1/2 or 0, got 1"):
        recoil.dsigma_z(1)


def test_unknown_derivatives_are_refused():
    with pytest.raises(ValueError, match="derivative must be one of incoming, symmetric, got 'outgoing'"):
        recoil.interference(derivative="outgoing")


def test_a_left_over_transverse_momentum_is_refused():
    p1, _, _, k2, _ = recoil.momenta(0)
    tilted = [(dirac.dot(k2 + p1, np.array([0, 1, 0, 0])), [dirac.ONE], "scalar")]
    with pytest.raises(ArithmeticError, match="an odd power of the transverse momentum survives"):
        recoil.product(tilted, recoil.loop_amplitude())
