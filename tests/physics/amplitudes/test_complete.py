"""The sum over nucleus, nucleons and quarks: integrals, limits, other hands' numbers, and what it says of data."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad, simpson

import cevnsloop
from cevnsloop import inputs
from cevnsloop.amplitudes import complete, nucleons
from cevnsloop.amplitudes.complete import COMPLETE, resolved
from cevnsloop.amplitudes.exchange import COHERENT
from cevnsloop.amplitudes.partonic import PARTONIC
from cevnsloop.amplitudes.quarks import LOOP_FACTOR, scalar_sum, vector_charge
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.derivation.completeness import static_exchange
from cevnsloop.inputs import STANDARD
from cevnsloop.model import Model, unit_model
from cevnsloop.nucleus import helm, nuclide

CS, ARGON = nuclide("Cs133"), nuclide("Ar40")
PAPER = {"data": "csi2017", "delta_chi2": 4.61}
WHOLE = STANDARD.changed({"nucleons.longitudinal": 1.0, "nucleons.cutoff": 100.0})


def limit(case, m_chi, m_zp, amplitude="complete", **more):
    return float(cevnsloop.limit(m_chi, m_zp, case=case, amplitude=amplitude, **PAPER, **more).g_limit)


def in_logarithm(function, low, high, breaks=()):
    """int ds function(s) by scipy, piece by piece in ln s."""
    ends = sorted([*np.linspace(np.log(low), np.log(high), 12), *map(np.log, breaks)])
    pieces = (quad(lambda t: np.exp(t) * function(np.exp(t)), a, b, epsrel=1e-12)[0] for a, b in pairwise(ends))
    return sum(pieces)


@pytest.mark.parametrize("case", ["A", "B"])
@pytest.mark.parametrize(("m_chi", "m_zp"), [(53.0, 106.0), (300.0, 3000.0), (5e3, 2e3)])
def test_coefficients_of_nucleons_by_scipy(case, m_chi, m_zp):
    """Without couplings to quarks' operators that matter here: quarks are subtracted as the module computes them."""
    model, nucleus = unit_model(case, m_chi, m_zp), CS
    x, z, k = m_chi**2, m_zp**2, (4 * inputs.value("nucleons.k_F") ** 2,)
    ends = 1e-9 * min(x, z), 1e8 * max(x, z, 1e6)

    def K(s):
        return (nucleons.vector if case == "A" else nucleons.axial)(s, model, nucleus)[0]

    def keeping(s):
        if case == "A":
            _, k_a, k_b = nucleons.vector(s, model, nucleus)
        else:
            k_a = k_b = nucleons.axial(s, model, nucleus)[2]
        return (k_a + k_b * s / (s + x)) / ((s + x) * (s + z) ** 2)

    at = complete._Integrals(np.array(m_chi), np.array(m_zp), STANDARD)
    c1, c2, c3 = complete._of_quarks(at, model, nucleus, STANDARD)
    c1 = c1 + m_chi * in_logarithm(lambda s: K(s) / ((s + x) * (s + z) ** 2), *ends, k)
    c2 = c2 + in_logarithm(keeping, *ends, k) / nucleus.M**2
    c3 = c3 + m_chi * 4 / 3 * in_logarithm(lambda s: s * K(s) / ((s + x) ** 3 * (s + z) ** 2), *ends, k) / nucleus.M**2
    found = resolved(nucleus, model)
    for name, expected in (("c1", c1), ("c2", c2), ("c3", c3)):
        assert getattr(found, name) == pytest.approx(LOOP_FACTOR * expected, rel=1e-9, abs=0)


@pytest.mark.parametrize(
    ("masses", "A", "B", "along"),
    [((53.0, 106.0), 1.08e-2, -3.28e-3, -0.218), ((300.0, 600.0), 3.44e-4, -1.17e-4, -1.16e-3)],
)
def test_another_hand_had_nearly_these_numbers(masses, A, B, along):
    """16 pi^2 c1 in MeV^-2 of nucleons alone, without Delta, with their own choice of contact terms: a fifth."""
    table = STANDARD.changed({"nucleons.rho_A": 0.0, "nucleons.rho_M": 0.0})
    for case, number in (("A", A), ("B", B)):
        model = unit_model(case, *masses)
        at = complete._Integrals(model.m_chi, model.m_zp, table)
        K = (nucleons.vector if case == "A" else nucleons.axial)(at.s, model, CS, table)[0]
        assert masses[0] * at.flip(K) == pytest.approx(number, rel=0.2, abs=0)
    found = -masses[0] / masses[1] ** 4 * complete.longitudinal(model.m_chi, model, CS, WHOLE)[0]
    assert found == pytest.approx(along, rel=0.1, abs=0)


def test_the_longitudinal_part_by_scipy_and_its_logarithm():
    model, m_chi = unit_model("B", 200.0, 1000.0), np.array(200.0)
    table = WHOLE.changed({"quark_masses.b": 1e9})  # bottom far above the cutoff
    light = {q: scalar_sum(unit_model("A", 1.0, 1.0, {q: 1.0}), CS) for q in "ds"}
    m_pi, m_K, x = inputs.value("masses.m_pi"), inputs.value("masses.m_K"), 200.0**2

    def L(s):
        strange = 2 * m_K**2 - m_pi**2
        of_quarks = 4 * (light["d"] * (s / (s + m_pi**2)) ** 2 + light["s"] * (s / (s + strange)) ** 2)
        return (nucleons.axial(s, model, CS)[1] + of_quarks) / (s + x)

    k = (4 * inputs.value("nucleons.k_F") ** 2,)
    expected = in_logarithm(L, 1e-4, 1e10, k)
    found = complete.longitudinal(m_chi, model, CS, table)
    assert found[0] == pytest.approx(expected, rel=1e-8, abs=0)
    kept = in_logarithm(lambda s: nucleons.axial(s, model, CS)[3] * x / (s + x) ** 2, 1e-4, 1e10, k)
    assert found[1] == pytest.approx(kept, rel=1e-8, abs=0)
    more = complete.longitudinal(m_chi, model, CS, table.changed({"nucleons.cutoff": 1000.0}))[0]
    assert more - found[0] == pytest.approx(4 * sum(light.values()) * np.log(100), rel=1e-3, abs=0)


@pytest.mark.parametrize("case", ["A", "B"])
def test_far_above_a_gev_it_is_the_quark_level(case):
    """At 10^5 GeV nucleons and the weight of quarks are gone; in case B the quark level has the same cutoff. Bottom is
    made so heavy that two Goldstone bosons matter.
    """
    model = Model(case, 1e8, 1e8, 1.0, 0.7, {"u": 0.4, "d": 1.0, "s": -0.8, "c": 0.9, "b": 1.0})
    table = STANDARD.changed({"nucleons.longitudinal": 1.0, "nucleons.cutoff": 1e6, "quark_masses.b": 5e4})
    (expected,) = PARTONIC.coefficients([CS], model, Theory(PARTONIC, inputs=table))
    found = resolved(CS, model, table)
    for name in ("c1", "c2", "c3"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-5, abs=0)


def test_it_is_the_sum_of_its_parts_in_amplitude():
    E, T = np.array([29.79, 45.0]), np.array([4e-3, 1e-2])
    model = unit_model("A", 80.0, 160.0)
    whole = COHERENT.flip_and_keep(E, T, model, CS, Theory(COHERENT))
    both = COMPLETE.flip_and_keep(E, T, model, CS, Theory(COMPLETE))
    c = resolved(CS, model)
    F = helm(2 * CS.M * T, CS)
    assert both[0] - whole[0] == pytest.approx(F * (c.c1 / (CS.M * E) + c.c3 * CS.M * E), rel=1e-9, abs=0)
    assert both[1] - whole[1] == pytest.approx(F * c.c2, rel=1e-9, abs=0)
    with pytest.raises(ValueError, match="amplitude complete depends on E and T in case A"):
        COMPLETE.coefficients([CS], model, Theory(COMPLETE))


@pytest.mark.parametrize(("m_zp", "coherent"), [(106.0, 1.646e-4), (530.0, 3.137e-3)])
def test_case_a_at_the_edge_is_the_nucleus_as_a_whole_and_a_little_more(m_zp, coherent):
    found = limit("A", 53.0, m_zp)
    assert found == pytest.approx(coherent, rel=0.05, abs=0)
    assert found < limit("A", 53.0, m_zp, "coherent") == pytest.approx(coherent, rel=1e-3, abs=0)


@pytest.mark.parametrize(("m_zp", "least", "most"), [(106.0, 3.0e-3, 5.0e-3), (530.0, 2.1e-2, 3.4e-2)])
def test_case_b_at_the_edge(m_zp, least, most):
    """Transverse part only, between two hands; with the longitudinal part up to 100 GeV 5.8 to 6.2e-4 and 1.3e-2."""
    assert least < limit("B", 53.0, m_zp) < most
    with_it = limit("B", 53.0, m_zp, inputs=dict(WHOLE.changes))
    assert with_it == pytest.approx({106.0: 6.0e-4, 530.0: 1.3e-2}[m_zp], rel=0.05, abs=0)


@pytest.mark.parametrize(("m_chi", "m_zp"), [(5.0, 10.0), (20.0, 40.0), (20.0, 200.0), (45.0, 450.0)])
def test_below_the_edge_the_tree_off_the_spin_sets_case_b(m_chi, m_zp):
    assert limit("B", m_chi, m_zp) == pytest.approx(limit("B", m_chi, m_zp, "coherent"), rel=1e-3, abs=0)


def test_argon_has_its_own():
    model = unit_model("A", 400.0, 800.0)
    ratio = resolved(ARGON, model).c1 / resolved(CS, model).c1
    assert 0.2 < ratio < 0.4  # about the number of nucleons


@pytest.mark.parametrize("case", ["A", "B"])
def test_c1_is_the_integral_of_what_the_book_draws(case):
    """Nucleons and quarks, heavy ones included, are those of the amplitude, by scipy; the nucleus as a whole is the
    static exchange of the completeness chapter, which knows nothing of K.
    """
    m_chi, m_zp = 300.0, 600.0
    model, x, z = unit_model(case, m_chi, m_zp), m_chi**2, m_zp**2
    k = 4 * inputs.value("nucleons.k_F") ** 2

    def c1(parts, low, high):
        total = 0.0
        for ends in ((low, k), (k, high)):  # Pauli's factor has a kink in between
            t = np.linspace(*np.log(ends), 8001)
            s = np.exp(t)
            K = sum(complete.kernel(s, model, CS)[part] for part in parts)
            total += simpson(s * K / ((s + x) * (s + z) ** 2), x=t)
        return LOOP_FACTOR * m_chi * total

    assert c1(("nucleons", "quarks"), 1e-9 * x, 1e8 * z) == pytest.approx(resolved(CS, model).c1, rel=1e-9, abs=0)
    if case == "A":
        whole = static_exchange(m_chi, m_zp, CS) * vector_charge(model, CS) ** 2
        assert c1(("nucleus",), 1e-9 * x, 1e7) == pytest.approx(whole, rel=1e-8, abs=0)
    else:
        assert "nucleus" not in complete.kernel(1.0, model, CS)
