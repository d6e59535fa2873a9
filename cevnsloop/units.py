"""Natural units with MeV = 1: hbar = c = 1, so a length or a time is a number of MeV^-1.

The names below are plain floats: `19.3 * m` is a length, `14.6 * kg` a mass. The exact SI constants
come from scipy. `to_cm2_per_MeV` is the one place where a cross section leaves natural units.
"""

from scipy.constants import c, e, hbar, physical_constants

MeV = 1.0
keV = 1e-3
GeV = 1e3

joule = 1 / (e * 1e6)
m = 1e6 * e / (hbar * c)
cm = 1e-2 * m
fm = 1e-15 * m
kg = c**2 * joule
u = physical_constants["atomic mass constant energy equivalent in MeV"][0]

# What the `unit` of an entry of inputs.toml may be, as a multiple of the matching power of MeV.
# Quantities that are only ever compared or multiplied among themselves keep their unit in the name.
UNITS = {
    "1": 1.0,
    "MeV": MeV,
    "GeV": GeV,
    "GeV^2": GeV**2,
    "GeV^-2": GeV**-2,
    "u": u,
    "fm": fm,
    "m": m,
    "kg": kg,
    "PE/keV": 1 / keV,
    "PE": 1.0,
    "day": 1.0,
    "us": 1.0,
    "GWh": 1.0,
    "1/year": 1.0,
}


def to_cm2_per_MeV(dsigma):
    """dsigma/dT in cm^2/MeV from MeV^-3."""
    return dsigma / cm**2


def to_cm2(sigma):
    """A total cross section in cm^2 from MeV^-2."""
    return sigma / cm**2
