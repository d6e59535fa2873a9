"""Neutrinos from pions and muons that decay at rest, Eq. (32).

Each component is normalised to one neutrino. A Michel spectrum is written in y = 1 - E / E_max, in which
phi dE = w(y) (1 - y)^2 dy with a polynomial w: moments above a threshold E_min near the end point then are
positive powers of y_min, where differences of powers of E_min and E_max would cancel.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial import Polynomial

from .. import inputs
from ..checks import real


@dataclass(frozen=True)
class Spectrum:
    """Energies of neutrinos of the beam that arrive together.

    name       of the species, or of several
    arrival    "prompt" (from the pion) or "delayed" (from the muon)
    E_max      end point, or the energy of the line, in MeV
    michel     coefficients of w(y), lowest first; empty for the line
    """

    name: str
    arrival: str
    E_max: float
    michel: tuple[float, ...] = ()


@dataclass(frozen=True)
class Component(Spectrum):
    """One neutrino species of the beam, "nu_mu", "nu_e" or "nubar_mu".

    flavour    "e" or "mu"
    lepton_number   +1 for a neutrino, -1 for an antineutrino
    """

    flavour: str = ""
    lepton_number: int = 0


def decay_at_rest(table=inputs.STANDARD):
    """The three components of Eq. (32): nu_mu line, nu_e and nubar_mu Michel spectra.

    With x = E / m_mu = (1 - y) / 2: 192 x^2 (1/2 - x) dx = 12 y (1 - y)^2 dy and
    64 x^2 (3/4 - x) dx = (2 + 4 y) (1 - y)^2 dy.
    """
    m_pi, m_mu = table.value("masses.m_pi"), table.value("masses.m_mu")
    return (
        Component("nu_mu", "prompt", (m_pi**2 - m_mu**2) / (2 * m_pi), flavour="mu", lepton_number=1),
        Component("nu_e", "delayed", m_mu / 2, (0.0, 12.0), flavour="e", lepton_number=1),
        Component("nubar_mu", "delayed", m_mu / 2, (2.0, 4.0), flavour="mu", lepton_number=-1),
    )


def together(components):
    """The Spectrum of each line, and of all Michel spectra that share arrival and end point: their moments come as
    a sum.
    """
    lines = [Spectrum(one.name, one.arrival, one.E_max) for one in components if not one.michel]
    groups = {}
    for one in (one for one in components if one.michel):
        groups.setdefault((one.arrival, one.E_max), []).append(one)
    return (*lines, *(Spectrum(_names(same), *shared, _michel(same)) for shared, same in groups.items()))


def _names(components):
    return " + ".join(one.name for one in components)


def _michel(components):
    return tuple(sum(Polynomial(one.michel) for one in components).coef)


def spectrum(component, E):
    """phi(E) in 1/MeV of a Michel component, Eq. (32); 0 beyond the end point. ValueError for the line."""
    if not component.michel:
        raise ValueError(f"{component.name} is a line at {component.E_max:.4g} MeV and has no density")
    x = real("E", E, "MeV") / component.E_max
    density = Polynomial(component.michel)(1 - x) * x**2 / component.E_max
    return np.where((x >= 0) & (x <= 1), density, 0.0)


def moment(component, power, E_min):
    """Integral of phi(E) E^power over E > E_min, in MeV^power, for power >= -2; 0 where E_min >= E_max.

    E_min in MeV, any shape.
    """
    E_min = real("E_min", E_min, "MeV")
    if not component.michel:
        return (E_min < component.E_max) * component.E_max**power
    y = np.minimum(np.maximum(1 - E_min / component.E_max, 0.0), 1.0)
    highest, *others = _moment_coefficients(component, power)
    total = np.full_like(y, highest)
    for coefficient in others:
        total *= y
        total += coefficient
    return total


@cache
def _moment_coefficients(component, power):
    """Coefficients in y = 1 - E_min / E_max of a moment, highest first."""
    integrand = Polynomial(component.michel) * Polynomial([1, -1]) ** (2 + power)
    return (component.E_max**power * integrand.integ().coef[::-1]).tolist()
