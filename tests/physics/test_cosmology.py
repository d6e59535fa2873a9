"""Eq. (33) and the early universe: densities, entropies, N_eff, the width of Z'."""

import math

import mpmath
import numpy as np
import pytest
import sympy as sp
from scipy.constants import speed_of_light
from scipy.integrate import quad

from cevnsloop import cosmology, inputs, units
from cevnsloop.cosmology import ELECTRON, NEUTRINO, PHOTON
from cevnsloop.derivation.dirac import GAMMA, METRIC, ONE, P_L, P_R, adjoint, dot, slash, trace
from cevnsloop.results import quoted as paper

SPECIES = {"Z'": (3, "bose"), "chi": (4, "fermi")}
each_species = pytest.mark.parametrize("name", SPECIES)
SIGN = {"bose": -1, "fermi": 1}


def standard(flavours=3):
    """rho_rad, rho_gamma at T_gamma = 1 MeV after the electrons annihilated."""
    rho_gamma = cosmology.energy_density(PHOTON, 1.0)
    T_nu = cosmology.decoupled_temperature(ELECTRON, PHOTON)
    return rho_gamma + flavours * cosmology.energy_density(NEUTRINO, T_nu), rho_gamma


@pytest.mark.parametrize("statistics", cosmology.STATISTICS)
def test_energy_density_is_the_integral_over_the_distribution(statistics):
    T, states = 0.7, 2
    integral = quad(lambda p: p**3 / (np.exp(p / T) + SIGN[statistics]), 0, 100 * T, epsabs=0, epsrel=1e-12)[0]
    rho = states * integral / (2 * math.pi**2)
    assert cosmology.energy_density(cosmology.degrees(states, statistics), T) == pytest.approx(rho, rel=1e-11, abs=0)


def test_photons_and_neutrinos():
    assert cosmology.energy_density(PHOTON, 1.0) == pytest.approx(math.pi**2 / 15, rel=1e-15, abs=0)
    assert cosmology.degrees(4, "fermi") == ELECTRON == 3.5
    assert cosmology.degrees(2, "fermi") == NEUTRINO == 1.75
    assert cosmology.degrees(2, "bose") == PHOTON


def test_entropy_conservation_gives_four_elevenths():
    assert cosmology.decoupled_temperature(ELECTRON, PHOTON) ** 3 == pytest.approx(4 / 11, rel=1e-15, abs=0)
    assert cosmology.decoupled_temperature(0.0, PHOTON) == 1.0


def test_temperature_through_the_annihilation():
    """T a before and after, from the entropy of photons and electrons of finite mass; neutrinos keep T a."""
    m = 0.511

    def entropy(T):
        return T**3 * (PHOTON + ELECTRON * cosmology.entropy_share(m / T, "fermi"))

    early, late = 200.0, 0.005
    scale = (entropy(early) / entropy(late)) ** (1 / 3)  # a_late/a_early
    # m/T = 2.6e-3 early: relative order (m/T)^2
    assert early / scale / late == pytest.approx((4 / 11) ** (1 / 3), rel=1e-5, abs=0)


@pytest.mark.parametrize("flavours", [1, 2, 3])
def test_eq_33_counts_neutrinos_that_decouple_at_once(flavours):
    assert cosmology.n_eff(*standard(flavours)) == pytest.approx(flavours, rel=1e-14, abs=0)


def test_printed_exponent_of_eq_33_does_not():
    """8/7 (11/4)^3 of our copy: too large by (11/4)^(5/3), 5.4."""
    rho_rad, rho_gamma = standard()
    printed = 8 / 7 * (11 / 4) ** 3 * (rho_rad - rho_gamma) / rho_gamma
    assert printed / 3 == pytest.approx((11 / 4) ** (5 / 3), rel=1e-14, abs=0)
    assert printed > 16


def test_instantaneous_decoupling_is_near_the_quoted_range():
    """Text: 3.043 to 3.045 in the Standard Model. What is above 3 is heating by electrons and thermal QED."""
    for quoted in paper.N_EFF_SM:
        assert quoted == pytest.approx(cosmology.n_eff(*standard()), rel=0.016, abs=0)


@pytest.mark.parametrize("statistics", cosmology.STATISTICS)
@pytest.mark.parametrize("x", [1e-3, 0.3, 1.0, 5.0, 30.0, 300.0])
def test_entropy_share_is_the_series_of_bessel_functions(statistics, x):
    """rho + p = g m^4/(2 pi^2) sum (-+1)^(k+1) K_3(kx)/(kx), from 1/(e^E -+ 1) = sum over k of e^(-kE)."""
    with mpmath.workdps(20):
        eta = -SIGN[statistics]
        if x < 0.1:  # the series needs too many terms

            def f(p):
                E = mpmath.sqrt(p * p + x * x)
                return p * p * (E + p * p / (3 * E)) / (mpmath.exp(E) - eta)

            rho_plus_p = mpmath.quad(f, [0, x, 1, 10, 100])
        else:
            last = int(60 / x) + 2
            terms = (eta ** (k + 1) * mpmath.besselk(3, k * x) / (k * x) for k in range(1, last))
            rho_plus_p = mpmath.mpf(x) ** 4 * mpmath.fsum(terms)
        massless = {"bose": 1, "fermi": mpmath.mpf(7) / 8}[statistics] * 4 * mpmath.pi**4 / 45
        expected = rho_plus_p / massless
    assert cosmology.entropy_share(x, statistics) == pytest.approx(float(expected), rel=1e-9, abs=0)


@pytest.mark.parametrize("statistics", cosmology.STATISTICS)
def test_entropy_share_of_light_species_is_one_and_falls(statistics):
    x = np.array([[0.0, 0.1, 1.0], [3.0, 10.0, 50.0]])
    share = cosmology.entropy_share(x, statistics)
    assert share.shape == x.shape
    assert share[0, 0] == pytest.approx(1, rel=1e-10, abs=0)
    assert (np.diff(share.ravel()) < 0).all()


@each_species
def test_light_species_in_neutrinos_count_as_degrees_of_freedom(name):
    states, statistics = SPECIES[name]
    g = cosmology.degrees(states, statistics)
    # two steps by hand: the species heats the neutrinos, the electrons heat the photons
    T_nu = cosmology.decoupled_temperature(ELECTRON, PHOTON) / cosmology.decoupled_temperature(g, 3 * NEUTRINO)
    rho_gamma = cosmology.energy_density(PHOTON, 1.0)
    by_hand = cosmology.n_eff(rho_gamma + 3 * cosmology.energy_density(NEUTRINO, T_nu), rho_gamma)
    assert cosmology.n_eff_into_neutrinos(states, statistics, 0.0) == pytest.approx(by_hand, rel=1e-9, abs=0)


@each_species
def test_heavy_species_leave_no_trace(name):
    n = cosmology.n_eff_into_neutrinos(*SPECIES[name], np.array([0.0, 1.0, 5.0, 10.0, 20.0]))
    assert (np.diff(n) < 0).all()
    excess = n - 3
    assert excess[0] > 2
    assert excess[3] < 0.06
    assert 0 < excess[4] < 1e-5


def test_expansion_rate():
    """H = 1.66 sqrt(g) T^2 / m_Planck; at 1 MeV and g = 43/4 about 0.68 per second."""
    H = cosmology.hubble(10.75, 1.0)
    assert H * cosmology.PLANCK_MASS / math.sqrt(10.75) == pytest.approx(1.66, rel=1e-3, abs=0)
    per_second = H * units.m * speed_of_light
    assert per_second == pytest.approx(0.676, rel=2e-3, abs=0)


def test_round_decoupling_temperature_is_near_where_the_weak_rate_meets_the_expansion():
    """G_F^2 T^5 = H, both without factors of order one: 1.5 MeV."""
    H = cosmology.hubble(PHOTON + ELECTRON + 3 * NEUTRINO, 1.0)  # times T^2
    estimate = (H / inputs.value("constants.G_F") ** 2) ** (1 / 3)
    assert inputs.value("orientation.T_D") == pytest.approx(estimate, rel=0.5, abs=0)


def width_from_traces(z, x, g_L, g_R):
    """Z'(z = m_zp^2) -> chi (x = m_chi^2) nubar: sum over polarisations and spins, two-body phase space, sympy."""
    m_zp, m_chi = sp.sqrt(z), sp.sqrt(x)
    p = (z - x) / (2 * m_zp)
    chi, nu = np.array([(z + x) / (2 * m_zp), 0, 0, p]), np.array([p, 0, 0, -p])
    total = 0
    vertex = [gamma @ (g_L * P_L + g_R * P_R) for gamma in GAMMA]
    k = [m_zp, 0, 0, 0]
    for a in range(4):
        for b in range(4):
            # sum over polarisations, lower indices
            weight = -METRIC[a, b] + METRIC[a, a] * k[a] * METRIC[b, b] * k[b] / z
            if weight != 0:
                total += weight * trace(slash(chi) + m_chi * ONE, vertex[a], slash(nu), adjoint(vertex[b]))
    assert sp.simplify(dot(chi, chi) - x) == sp.simplify(dot(nu, nu)) == 0
    return total / 3 * p / (8 * sp.pi * z)


@pytest.mark.parametrize(("m_zp", "m_chi"), [(10, 1), (2, 1), (5, 4)])
def test_width_of_zp_from_traces(m_zp, m_chi):
    g_L, g_R = sp.Rational(2, 3), sp.Rational(1, 5)
    one = width_from_traces(sp.Integer(m_zp) ** 2, sp.Integer(m_chi) ** 2, g_L, g_R)
    width = cosmology.zp_width(m_zp, m_chi, 2 / 3, 1 / 5)
    assert width == pytest.approx(2 * float(one), rel=1e-14, abs=0)  # chi nubar and chibar nu


def test_width_closes_at_the_threshold():
    width = cosmology.zp_width(np.array([1.0, 2.0, 2.0 + 1e-9, 20.0]), 2.0, 1.0, 0.0)
    assert width[:2].tolist() == [0.0, 0.0]
    assert (np.diff(width[1:]) > 0).all()
    assert cosmology.zp_width(1.0, 1e-6, 1.0, 0.0) == pytest.approx(1 / (12 * math.pi), rel=1e-11, abs=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cosmology.degrees(1, "dirac"), "statistics must be one of bose, fermi, got 'dirac'"),
        (lambda: cosmology.entropy_share(1.0, "dirac"), "statistics must be one of bose, fermi, got 'dirac'"),
        (lambda: cosmology.entropy_share(-1.0, "bose"), r"x must be >= 0 and finite, got -1\.0"),
        (lambda: cosmology.zp_width(0.0, 1.0, 1.0, 1.0), "m_zp must be > 0 MeV and finite, got 0.0"),
        (lambda: cosmology.zp_width(1.0, -1.0, 1.0, 1.0), "m_chi must be > 0 MeV and finite, got -1.0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
