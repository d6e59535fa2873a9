"""The spin-dependent tree of case B: traces with spinors and spin matrices, its limits, and known numbers."""

from dataclasses import replace

import numpy as np
import pytest

from cevnsloop import analysis, inputs, units
from cevnsloop.amplitudes import spin
from cevnsloop.amplitudes.exchange import COHERENT
from cevnsloop.amplitudes.quarks import REDERIVED
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.model import Model, unit_model
from cevnsloop.nucleus import nuclide
from cevnsloop.rates import xsec
from cevnsloop.rates.events import predict

CS = nuclide("Cs133")
GAMMA = np.zeros((4, 4, 4), dtype=complex)  # chiral representation
PAULI = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
for mu, s in enumerate(PAULI):
    GAMMA[mu, :2, 2:], GAMMA[mu, 2:, :2] = s, s if mu == 0 else -s
LEFT = np.diag([1.0, 1.0, 0.0, 0.0])


def slash(p):
    return p[0] * GAMMA[0] - np.einsum("i,iab->ab", p[1:], GAMMA[1:])


def lepton_tensor(E, m_chi, q2):
    """L_ij / (2 E^2) off a nucleus that takes no energy, and the direction of q: i, j in space."""
    k = np.sqrt(E**2 - m_chi**2)
    cosine = (E**2 + k**2 - q2) / (2 * E * k)
    p, k4 = np.array([E, 0, 0, E]), np.array([E, k * np.sqrt(1 - cosine**2), 0, k * cosine])
    q = (p - k4)[1:]
    heavy = slash(k4) + m_chi * np.eye(4)
    L = [
        [np.trace(heavy @ GAMMA[i] @ LEFT @ slash(p) @ GAMMA[j] @ LEFT) / (2 * E**2) for j in range(1, 4)]
        for i in range(1, 4)
    ]
    return np.array(L).real, q / np.sqrt(q2)


def spin_matrices(J):
    m = np.arange(J, -J - 1, -1)
    up = np.diag(np.sqrt(J * (J + 1) - m[1:] * (m[1:] + 1)), 1)
    return np.array([(up + up.T) / 2, (up - up.T) / 2j, np.diag(m)])


@pytest.mark.parametrize(("E", "m_chi", "m_zp", "T"), [(40.0, 20.0, 50.0, 8e-3), (50.0, 5.0, 200.0, 1e-3)])
def test_the_cross_section_is_the_trace(E, m_chi, m_zp, T):
    """Two polarisations: across q the Z' with its propagator, along q the longitudinal one with 1/z."""
    number, model, q2 = spin.spins(CS), unit_model("B", m_chi, m_zp), 2 * CS.M * T
    J = number["J"]
    matrices = spin_matrices(J)
    average = np.einsum("iab,jba->ij", matrices, matrices).real / (2 * J + 1)  # of J_i J_j over the directions of J
    L, along = lepton_tensor(E, m_chi, q2)
    a_p, a_n = spin.axial_charges(model)
    pole = inputs.value("masses.m_pi") ** 2 / (inputs.value("masses.m_pi") ** 2 + q2)
    parts = {}
    for name, (p, n) in {
        "across": (a_p, a_n),
        "along": ((a_p + a_n) / 2 + pole * (a_p - a_n) / 2, (a_p + a_n) / 2 - pole * (a_p - a_n) / 2),
    }.items():
        parts[name] = (2 * (p * number["S_p"] + n * number["S_n"]) / J) ** 2
    projector = np.outer(along, along)
    rate = parts["across"] * np.einsum("ij,ik,kj->", L, average, np.eye(3) - projector) / (m_zp**2 + q2) ** 2
    rate += parts["along"] * np.einsum("ij,ik,kj->", L, average, projector) / m_zp**4
    b = spin.oscillator_length(CS.A)
    expected = CS.M / (4 * np.pi) * np.exp(-q2 * b**2) * rate
    powers = spin.tree_powers(T, CS, m_chi, m_zp, model)
    assert sum(a * E**k for k, a in powers.items()) == pytest.approx(expected, rel=1e-12, abs=0)


def test_a_massless_chi_sees_three_less_the_cosine():
    """In the normalisation in which the vector current, Eq. (23), has one plus the cosine."""
    E, T, heavy = 40.0, 5e-3, 1e4
    cosine = 1 - CS.M * T / E**2
    powers = spin.tree_powers(T, CS, 0.0, heavy, unit_model("B", 1.0, 1.0))
    shape = sum(a * E**k for k, a in powers.items()) / (powers[0] / 2)
    assert shape == pytest.approx(3 - cosine, rel=1e-12, abs=0)


def test_axial_charges_of_the_patterns():
    D = inputs.values("axial_charges")
    assert spin.axial_charges(unit_model("B", 1.0, 1.0)) == pytest.approx((D["d"] + D["s"], D["u"] + D["s"]), rel=1e-15)
    up = Model("B", 1.0, 1.0, 1.0, 1.0, {"u": 2.0, "c": 5.0})
    assert spin.axial_charges(up) == pytest.approx((2 * D["u"], 2 * D["d"]), rel=1e-15)


def test_the_oscillator_of_caesium():
    assert spin.oscillator_length(133) / units.fm == pytest.approx(2.30, rel=3e-3, abs=0)  # three digits are known


@pytest.mark.parametrize(("m_chi", "m_zp", "g"), [(5.0, 10.0, 2.66e-6), (20.0, 40.0, 6.61e-6), (20.0, 200.0, 6.77e-5)])
def test_limits_of_case_b(m_chi, m_zp, g):
    found = analysis.limit(m_chi, m_zp, case="B", **analysis.paper | {"amplitude": "coherent"})
    assert found.g_limit == pytest.approx(g, rel=2e-3, abs=0)  # the digits that are quoted
    assert found.sets_limit == "tree"
    assert found.loop_share == 0


def test_beyond_the_edge_nothing_is_left(dataset):
    assert np.isnan(analysis.limit(60.0, 120.0, case="B", **analysis.paper | {"amplitude": "coherent"}).g_limit)
    events = predict(unit_model("B", 60.0, 120.0), dataset.experiment, Theory(COHERENT))
    assert not events.n[1:].any()


def test_only_this_amplitude_has_it(dataset):
    model = unit_model("B", 20.0, 40.0)
    assert xsec.tree_of(model, CS, Theory(REDERIVED)) is None
    assert (xsec.dsigma_of_tree(30.0, 5e-3, model, CS, Theory(REDERIVED)) == 0).all()
    assert xsec.dsigma_of_tree(30.0, 5e-3, model, CS, Theory(COHERENT)) > 0
    found = analysis.cross_section(Model("B", 20.0, 40.0, 1.0, 1.0, {"d": 1.0}), "Cs133", amplitude="coherent")
    assert found.tree.max() > 0
    assert not found.loop.any()


def test_a_nuclide_without_spins_is_refused_by_name():
    with pytest.raises(ValueError, match="case B needs spins, which are known for Cs133, I127, got Ar40"):
        spin.tree_powers(1e-3, replace(CS, symbol="Ar40"), 1.0, 1.0, unit_model("B", 1.0, 1.0))


def test_spins_move_the_limit_and_travel_as_inputs():
    usual, larger = (
        analysis.limit(20.0, 40.0, case="B", **analysis.paper | {"amplitude": "coherent"}, inputs=changed).g_limit
        for changed in ({}, {"spins.Cs133.S_p": -0.388})
    )
    assert larger < usual
