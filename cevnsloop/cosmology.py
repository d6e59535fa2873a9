"""The early universe of Eq. (33): energies, entropies, N_eff, and whether Z' decays before neutrinos decouple.

Neutrinos are taken to decouple at one instant, so that afterwards each sector keeps its entropy per comoving
volume. Degrees of freedom are counted in bosons: spin states, particles and antiparticles, a fermion 7/8.
Temperatures, masses and rates in MeV, densities in MeV^4.
"""

import numpy as np
from scipy.constants import physical_constants
from scipy.integrate import tanhsinh

from . import units
from .checks import choice, non_negative, positive, real

STATISTICS = ("bose", "fermi")
PHOTON = 2
ELECTRON = 4 * 7 / 8  # with positrons
NEUTRINO = 2 * 7 / 8  # one flavour, with antineutrinos
PLANCK_MASS = physical_constants["Planck mass energy equivalent in GeV"][0] * units.GeV


def degrees(states, statistics):
    """Degrees of freedom of a species with so many spin states: 1 each for "bose", 7/8 for "fermi"."""
    return states * {"bose": 1, "fermi": 7 / 8}[choice("statistics", statistics, STATISTICS)]


def energy_density(g, T):
    """rho = g (pi^2/30) T^4 in MeV^4 of a massless species with g degrees of freedom at temperature T."""
    return g * np.pi**2 / 30 * real("T", T, "MeV") ** 4


def entropy_share(x, statistics):
    """Entropy density of a species of mass m = x T over that of a massless one at T; 1 at x = 0, any shape.

    With E = m + t the integral int p^2 dp (E + p^2/3E) f(E) becomes int dt p (E^2 + p^2/3) f, p^2 = t (t + 2m): no
    difference is taken. Relative error 1e-10 by scipy's tanh-sinh quadrature.
    """
    choice("statistics", statistics, STATISTICS)
    x = non_negative("x", x, "")

    def integrand(t, x):
        p2, E = t * (t + 2 * x), x + t
        # exp(-x) is taken out of f = exp(-E) / (1 -+ exp(-E)), so that heavy species do not underflow
        occupied = np.exp(-t) / {"bose": -np.expm1(-E), "fermi": 1 + np.exp(-E)}[statistics]
        return np.sqrt(p2) * (E * E + p2 / 3) * occupied

    massless = degrees(1, statistics) * 4 * np.pi**4 / 45  # (4/3) int p^3 dp / (exp(p) -+ 1)
    return np.exp(-x) * tanhsinh(integrand, 0.0, np.inf, args=(x,), rtol=1e-10).integral / massless


def decoupled_temperature(heated, kept):
    """T_decoupled / T after `heated` degrees of freedom gave their entropy to the `kept` ones: their T fell less.

    Entropy (kept + heated) T^3 before, kept T^3 after: (kept / (kept + heated))^(1/3).
    """
    return (kept / (kept + heated)) ** (1 / 3)


def n_eff(rho_rad, rho_gamma):
    """N_eff of Eq. (33) with the exponent 4/3 of 11/4; our copy of the text prints 3."""
    return 8 / 7 * (11 / 4) ** (4 / 3) * (rho_rad - rho_gamma) / rho_gamma


def n_eff_into_neutrinos(states, statistics, x):
    """N_eff if a species of mass x T_D, in equilibrium with neutrinos when they decouple at T_D, ends in them.

    Its entropy raises (T_nu)^3 by 1 + g s(x) / (3 g_nu), and N_eff = 3 by that to the power 4/3. Three flavours,
    x of any shape.
    """
    share = degrees(states, statistics) * entropy_share(x, statistics) / (3 * NEUTRINO)
    return 3 * (1 + share) ** (4 / 3)


def hubble(g, T):
    """Expansion rate sqrt(8 pi rho / 3) / m_Planck in MeV of a universe of g relativistic degrees of freedom."""
    return np.sqrt(8 * np.pi * energy_density(g, T) / 3) / PLANCK_MASS


def zp_width(m_zp, m_chi, g_chi_L, g_chi_R):
    """Width in MeV of Z' -> chi nubar and chibar nu, one flavour; 0 for m_chi >= m_zp. From Eq. (2), massless nu.

    (g_L^2 + g_R^2) m_zp / (12 pi) (1 - r)^2 (1 + r/2), r = m_chi^2 / m_zp^2.
    """
    m_zp, m_chi = positive("m_zp", m_zp, "MeV"), positive("m_chi", m_chi, "MeV")
    gap = (1 - m_chi / m_zp) * (1 + m_chi / m_zp)
    open_ = m_zp / (12 * np.pi) * gap**2 * (1 + (m_chi / m_zp) ** 2 / 2)
    return (g_chi_L**2 + g_chi_R**2) * np.where(gap > 0, open_, 0.0)
