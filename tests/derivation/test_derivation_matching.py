"""From the nucleon to the nucleus: the twist-2 element, its covariance, and the momentum sum rule."""

import numpy as np
import pytest
import sympy as sp

from cevnsloop import inputs
from cevnsloop.amplitudes.quarks import PUBLISHED, REDERIVED, gluon_sum, scalar_sum, twist2_sum, vector_charge
from cevnsloop.derivation import dirac, matching
from cevnsloop.derivation.matching import Nucleon
from cevnsloop.model import unit_model
from cevnsloop.nucleus import nuclide

Z, N, m_p, m_n, q_p, q_n, M = sp.symbols("Z N m_p m_n q_p q_n M", positive=True)
PARTS = [Nucleon(Z, m_p, q_p), Nucleon(N, m_n, q_n)]
ALL_PARTONS = [Nucleon(Z, m_p, 1), Nucleon(N, m_n, 1)]
AT_REST = np.array([M, 0, 0, 0])
MOVING = np.array([sp.Rational(13, 5) * M, 0, 0, sp.Rational(12, 5) * M])  # beta gamma = 12/5
NUCLIDES = [nuclide("Cs133"), nuclide("I127")]
each_nucleus = pytest.mark.parametrize("nucleus", NUCLIDES, ids=lambda n: n.symbol)
each_frame = pytest.mark.parametrize("k", [AT_REST, MOVING], ids=["at rest", "moving"])


def zero(expression):
    return sp.simplify(expression) == 0


@each_frame
def test_nucleons_at_rest_give_mass_over_nuclear_mass_squared(k):
    element = matching.at_rest(k, M, PARTS)
    assert zero(matching.weight_of(element, k, M) - (Z * m_p * q_p + N * m_n * q_n) / M**2)
    rest = element - matching.quarter(k) * matching.twist2_weight(PARTS, M) * 2 * M
    assert all(zero(entry) for entry in rest.flat)  # covariant: the form of Eq. 13 in every frame


@each_frame
def test_printed_prescription_gives_the_printed_weight(k):
    element = matching.printed(k, M, PARTS)
    assert zero(matching.weight_of(element, k, M) - (Z * q_p / m_p + N * q_n / m_n))
    assert zero(matching.weight_of(element, k, M) - matching.twist2_weight(PARTS))


def test_the_two_are_a_squared_apart():
    m, A, q = sp.symbols("m A q", positive=True)
    one_kind = [Nucleon(A, m, q)]
    ratio = matching.twist2_weight(one_kind) / matching.twist2_weight(one_kind, M)
    assert zero(ratio - (M / m) ** 2)
    assert zero(ratio.subs(M, A * m) - A**2)


def test_one_nucleon_is_a_nucleon():
    """A nucleus of one nucleon must be that nucleon: both prescriptions and Eq. 13 agree there."""
    proton = Nucleon(1, m_p, q_p)
    k = np.array([m_p, 0, 0, 0])
    for tensor in (matching.at_rest, matching.printed):
        assert all(zero(e) for e in (tensor(k, m_p, [proton]) - matching.nucleon_twist2(k, proton)).flat)


def test_two_copies_of_a_nucleus_count_twice():
    """2 M times a density doubles when two lumps of matter are taken as one; the printed form gives 8 instead of 4."""
    double = [Nucleon(2 * n.count, n.mass, n.moment) for n in PARTS]
    for tensor, factor in ((matching.at_rest, 4), (matching.printed, 16)):
        ratio = tensor(2 * AT_REST, 2 * M, double)[0, 0] / tensor(AT_REST, M, PARTS)[0, 0]
        assert zero(ratio - factor)  # 2M doubles, and the energy in it doubles: 4


def test_traceless_and_symmetric():
    element = matching.at_rest(MOVING, M, PARTS)
    assert zero(sum(dirac.METRIC[a, a] * element[a, a] for a in range(4)))
    assert all(zero(entry) for entry in (element - element.T).flat)


def test_energy_is_the_sum_of_the_masses():
    assert zero(matching.energy(M, ALL_PARTONS) - Z * m_p - N * m_n)
    excess = matching.energy(M, ALL_PARTONS, matching.printed)
    quarter, three = sp.Rational(1, 4), sp.Rational(3, 4)
    assert zero(excess - three * M**2 * (Z / m_p + N / m_n) - quarter * (Z * m_p + N * m_n))


def test_momentum_sum_rule():
    assert zero(matching.momentum_fraction(M, ALL_PARTONS) - (Z * m_p + N * m_n) / M)
    printed = matching.momentum_fraction(M, ALL_PARTONS, matching.printed)
    assert zero(printed - M * (Z / m_p + N / m_n))


@each_nucleus
def test_sum_rule_with_real_masses(nucleus):
    """1 + binding/M for nucleons at rest (8.4 MeV of 938 bind a nucleon); A^2 times 0.99 as printed."""
    parts = matching.nucleons(nucleus, 1, 1)
    m = inputs.values("masses")
    binding = (nucleus.Z * m["m_p"] + nucleus.N * m["m_n"] - nucleus.M) / nucleus.A
    assert binding == pytest.approx(8.42, rel=5e-3, abs=0)  # caesium 8.41, iodine 8.45
    fraction = float(matching.momentum_fraction(nucleus.M, parts))
    assert fraction == pytest.approx(1 + nucleus.A * binding / nucleus.M, rel=1e-12, abs=0)
    assert float(matching.energy(nucleus.M, parts)) == pytest.approx(fraction * nucleus.M, rel=1e-12, abs=0)
    printed = float(matching.momentum_fraction(nucleus.M, parts, matching.printed))
    assert printed / nucleus.A**2 == pytest.approx(1, rel=1e-2, abs=0)


@each_nucleus
@pytest.mark.parametrize(("amplitude", "rederived"), [(PUBLISHED, False), (REDERIVED, True)])
def test_weight_is_what_the_package_sums(nucleus, amplitude, rederived):
    q2 = inputs.values("second_moments.mz_rounded")
    parts = matching.nucleons(nucleus, q2["d"], q2["u"])  # of the d quark
    model = unit_model("A", 10.0, 100.0, {"d": 1.0})
    weight = matching.twist2_weight(parts, nucleus.M if rederived else None)
    assert twist2_sum(model, nucleus, amplitude, "mz_rounded") == pytest.approx(weight, rel=1e-13, abs=0)


@each_nucleus
def test_excess_of_the_printed_weight(nucleus):
    """(M/m_N)^2: below A^2 by twice the 0.9 per cent that bind a nucleon; its mass is known to 0.14 per cent."""
    for q2 in ((1.0, 0.0), (0.0, 1.0), (0.146, 0.254)):
        parts = matching.nucleons(nucleus, *q2)
        excess = matching.twist2_weight(parts) / matching.twist2_weight(parts, nucleus.M)
        assert excess == pytest.approx(nucleus.A**2 * (1 - 0.018), rel=3e-3, abs=0)


@each_nucleus
def test_scalar_and_vector_matching_is_the_printed_one(nucleus):
    f = {nucleon: inputs.values(f"scalar_form_factors.{nucleon}") for nucleon in "pn"}
    strange = unit_model("A", 10.0, 100.0, {"s": 1.0})
    parts = matching.nucleons(nucleus, f["p"]["s"], f["n"]["s"])
    element = matching.scalar_at_rest(nucleus.M, parts) / (2 * nucleus.M)
    assert element == pytest.approx(scalar_sum(strange, nucleus), rel=1e-13, abs=0)
    f_G = [1 - sum(f[nucleon].values()) for nucleon in "pn"]
    element = matching.scalar_at_rest(nucleus.M, matching.nucleons(nucleus, *f_G)) / (2 * nucleus.M)
    assert element == pytest.approx(gluon_sum(nucleus), rel=1e-13, abs=0)
    down = unit_model("A", 10.0, 100.0, {"d": 1.0})
    charge = matching.vector_at_rest(nucleus.M, matching.nucleons(nucleus, 1, 2)) / (2 * nucleus.M)
    assert charge == pytest.approx(vector_charge(down, nucleus), rel=1e-13, abs=0)


def test_contraction_with_the_neutrino_leaves_no_trace():
    E, w = sp.symbols("E w", positive=True)
    p1 = np.array([E, 0, 0, E])
    scalar, vector = matching.contraction(AT_REST, p1, w)
    p1_lower = dirac.lower(p1)
    tensor = matching.quarter(AT_REST) * w  # lower indices; p1 with upper ones
    assert zero(p1 @ tensor @ p1 - scalar)
    full = sum((p1 @ tensor)[a] * dirac.GAMMA[a] for a in range(4))
    trace_part = -(M**2) * w / 4 * sum(p1_lower[a] * dirac.GAMMA[a] for a in range(4))
    difference = full - vector * dirac.slash(AT_REST) - trace_part
    assert all(zero(entry) for entry in difference.flat)
    with pytest.raises(ValueError, match="p1 must be light-like"):
        matching.contraction(AT_REST, AT_REST, w)


def test_fermi_motion_is_a_few_per_cent():
    mass, k_fermi = 938.9, 265.0
    p2 = 3 / 5 * k_fermi**2
    first_order = float(matching.fermi_motion(mass, p2))
    p = np.linspace(0, k_fermi, 20001)
    energy = np.hypot(mass, p)
    share = (energy**2 - mass**2 / 4) / energy / (0.75 * mass)
    exact = np.trapezoid(3 * p**2 / k_fermi**3 * share, p) - 1
    assert first_order == pytest.approx(exact, rel=0.1, abs=0)  # next order: p^2/m^2 = 5 per cent
    assert 0.03 < exact < 0.05
