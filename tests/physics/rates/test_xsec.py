import math

import mpmath
import numpy as np
import pytest

from cevnsloop import inputs
from cevnsloop.amplitudes.quarks import REDERIVED, LoopCoefficients
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.model import unit_model
from cevnsloop.nucleus import nuclide
from cevnsloop.rates import xsec
from cevnsloop.referees import events as reference

CS = nuclide("Cs133")
EPS = np.finfo(float).eps
THEORY = Theory()


@pytest.mark.parametrize("m_chi", [0.0, 1e-3, 1.0, 25.0, 51.9])
@pytest.mark.parametrize("E", [52.0, 300.0, 1e5])
def test_recoil_range_agrees_with_the_boost_from_the_centre_of_mass(E, m_chi):
    T_min, T_max = xsec.recoil_range(E, m_chi, CS.M)
    low, high = reference.recoil_range(E, m_chi, CS.M)
    # near the threshold of E = 52 MeV the root loses eps M / (2 (E - m_chi)) of its argument: 1e3 eps at most
    assert T_max == pytest.approx(high, rel=1e3 * EPS, abs=0)
    assert T_min == (pytest.approx(low, rel=1e3 * EPS, abs=0) if m_chi else 0.0)


def test_recoil_range_closes_at_the_threshold_of_eq_24():
    m_chi = 10.0
    threshold = m_chi + m_chi**2 / (2 * CS.M)
    T_min, T_max = xsec.recoil_range([threshold * (1 - 1e-12), threshold * (1 + 1e-12)], m_chi, CS.M)
    assert np.isnan([T_min[0], T_max[0]]).all()
    # at the threshold everything moves with the centre of mass
    assert T_max[1] == pytest.approx(m_chi**2 / (2 * (CS.M + m_chi)), rel=1e-5, abs=0)
    assert T_min[1] == pytest.approx(T_max[1], rel=1e-4, abs=0)


@pytest.mark.parametrize("m_chi", [0.0, 5.0, 50.0])
def test_minimal_energy_inverts_the_recoil_range(m_chi):
    for T in xsec.recoil_range(60.0, m_chi, CS.M):
        if T > 0:
            assert xsec.minimal_energy(T, m_chi, CS.M) == pytest.approx(60.0, rel=1e-12, abs=0)


@pytest.mark.parametrize("symbol", ["Cs133", "I127"])
@pytest.mark.parametrize("T", [1e-5, 5e-3, 1e-2])
@pytest.mark.parametrize("E", [29.8, 45.0, 1e3])
def test_cross_sections_are_the_printed_ones(symbol, T, E):
    atom = nuclide(symbol)
    charge = atom.Z + 2 * atom.N
    c = LoopCoefficients(1e-7, 3e-15, -2e-18)
    rel = 1e-12  # the printed sums and ours round differently; Helm near its zero loses a digit
    assert xsec.dsigma_sm(E, T, atom, THEORY) == pytest.approx(reference.eq22(E, T, symbol), rel=rel, abs=0)
    tree = xsec.dsigma_tree(E, T, atom, 5.0, 20.0, 0.3, charge)
    low, high = reference.recoil_range(E, 5.0, atom.M)
    expected = reference.eq23(E, T, symbol, 5.0, 20.0, g_chi_L=0.3) if low <= T <= high else 0.0
    assert tree == (pytest.approx(expected, rel=rel, abs=0) if expected else 0.0)
    loop = xsec.dsigma_loop(E, T, atom, c)
    assert loop == pytest.approx(reference.eq25(E, T, symbol, c.c1, c.c2, c.c3), rel=rel, abs=0)


@pytest.mark.parametrize("m_chi", [0.0, 20.0])
def test_what_kinematics_forbids_is_exactly_zero(m_chi):
    E = 40.0
    T_min, T_max = xsec.recoil_range(E, m_chi, CS.M)
    step = 1e-9
    outside = np.array([T_max * (1 + step), 2 * T_max] + ([T_min * (1 - step), T_min / 2] if m_chi else []))
    inside = np.array([T_max * (1 - step), (T_min + T_max) / 2])
    if m_chi:
        assert not xsec.dsigma_tree(E, outside, CS, m_chi, 50.0, 1.0, 100.0).any()
        assert (xsec.dsigma_tree(E, inside, CS, m_chi, 50.0, 1.0, 100.0) > 0).all()
        assert not xsec.dsigma_tree(m_chi, inside, CS, m_chi, 50.0, 1.0, 100.0).any()
    else:
        assert not xsec.dsigma_sm(E, outside, CS, THEORY).any()
        assert (xsec.dsigma_sm(E, inside, CS, THEORY) > 0).all()
        assert not xsec.dsigma_loop(E, outside, CS, LoopCoefficients(1e-7, 3e-15, -2e-18)).any()


def test_massless_chi_is_a_rescaled_standard_model():
    """With m_chi = 0 and m_Z' heavy, Z' exchange is Z exchange with another charge: (22) and (23) are proportional."""
    T = np.array([1e-4, 5e-3, 1e-2])
    charge, m_zp = 133.0, 1e9
    tree = xsec.dsigma_tree(40.0, T, CS, 0.0, m_zp, 1.0, charge)
    weak = CS.Z * (0.5 - 2 * inputs.value("weak_angle.msbar_mz")) - CS.N / 2
    ratio = (charge / (weak * inputs.value("constants.G_F") * m_zp**2)) ** 2 / 2
    assert tree == pytest.approx(ratio * xsec.dsigma_sm(40.0, T, CS, THEORY), rel=1e-12, abs=0)


def test_contact_loops_are_forward_and_backward():
    """c1 and c3 flip the neutrino's chirality and vanish at T = 0; c2 keeps it and vanishes backwards."""
    E = 40.0
    T_max = float(xsec.recoil_range(E, 0.0, CS.M)[1])
    scalar = LoopCoefficients(1e-7, 0.0, -2e-18)
    vector = LoopCoefficients(0.0, 3e-15, 0.0)
    assert xsec.dsigma_loop(E, 0.0, CS, scalar) == 0.0
    assert xsec.dsigma_loop(E, 1e-9, CS, vector) > 0
    near = xsec.dsigma_loop(E, T_max * (1 - 1e-12), CS, vector) / xsec.dsigma_loop(E, T_max / 2, CS, vector)
    assert near < 1e-9


@pytest.mark.parametrize("E", [10.0, 52.0])
def test_total_agrees_with_mpmath(E):
    T_min, T_max = reference.recoil_range(E, 5.0, CS.M)
    expected = mpmath.quad(
        lambda T: reference.eq23(E, float(T), "Cs133", 5.0, 2.0, g_chi_L=0.3),
        mpmath.linspace(T_min, T_max, 12),
    )
    got = xsec.total(xsec.dsigma_tree, E, 5.0, CS, 5.0, 2.0, 0.3, CS.Z + 2 * CS.N)
    assert got == pytest.approx(float(expected), rel=1e-10, abs=0)


def test_total_is_zero_below_threshold_and_keeps_the_shape():
    E = np.array([[4.0, 5.0, 30.0]])
    sigma = xsec.total(xsec.dsigma_tree, E, 5.0, CS, 5.0, 20.0, 1.0, 211.0)
    assert sigma.shape == E.shape
    assert sigma[0, :2].tolist() == [0.0, 0.0]
    assert sigma[0, 2] > 0


def test_total_standard_model_grows_like_the_energy_squared_times_charge_squared():
    # coherence: sigma = G_F^2 Q_w^2 E^2 / pi for E -> 0, before the form factor and recoil matter
    E = 0.01
    weak = CS.Z * (0.5 - 2 * inputs.value("weak_angle.msbar_mz")) - CS.N / 2
    expected = inputs.value("constants.G_F") ** 2 * weak**2 * E**2 / math.pi
    assert xsec.total(xsec.dsigma_sm, E, 0.0, CS, THEORY) == pytest.approx(expected, rel=1e-6, abs=0)


# Energies and recoils on both sides of the largest recoil
AT = np.array([[29.8], [52.8]]), np.array([1e-9, 5e-3, 1.2e-2, 2.5e-2])


def test_amplitudes_give_eq_25_if_they_are_separable():
    E, T = AT
    flip, keep = REDERIVED.flip_and_keep(E, T, unit_model("B", 20.0, 40.0), CS, THEORY)
    (c,) = REDERIVED.coefficients([CS], unit_model("B", 20.0, 40.0), THEORY)
    expected = xsec.dsigma_loop(E, T, CS, c)
    assert (expected == 0).any(-1).tolist() == [True, False]
    # the printed sums and ours round differently, near the largest recoil with a loss of two digits
    assert xsec.dsigma_of_amplitudes(E, T, CS, flip, keep) == pytest.approx(expected, rel=1e-13, abs=0)
    assert xsec.dsigma_of_amplitudes(E, T, CS, 1j * flip, -keep) == pytest.approx(expected, rel=1e-13, abs=0)
    for lepton_number in (1, -1):
        expected = xsec.dsigma_interference(E, T, CS, c.c2, lepton_number, THEORY)
        got = xsec.dsigma_with_z(E, T, CS, keep * (1 + 0.5j), lepton_number, THEORY)
        assert got == pytest.approx(expected, rel=1e-13, abs=0)


def test_amplitudes_squared_and_with_z_are_the_printed_ones():
    E, T = 45.0, 7e-3
    flip, keep = complex(2e-9, -1e-9), complex(-3e-15, 1e-15)
    loops = xsec.dsigma_of_amplitudes(E, T, CS, flip, keep)
    assert loops == pytest.approx(reference.any_loops(E, T, "Cs133", flip, keep), rel=1e-13, abs=0)
    with_z = xsec.dsigma_with_z(E, T, CS, keep, -1, THEORY)
    assert with_z == pytest.approx(-reference.with_z(E, T, "Cs133", keep), rel=1e-12, abs=0)
