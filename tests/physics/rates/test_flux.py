import mpmath
import numpy as np
import pytest

from cevnsloop import inputs
from cevnsloop.rates.flux import decay_at_rest, moment, spectrum

LINE, NU_E, NUBAR_MU = decay_at_rest()
M_MU = mpmath.mpf(inputs.value("masses.m_mu"))


def printed(name, E):
    """Eq. (32) as printed, without N_0."""
    x = E / M_MU
    return {
        "nu_e": 192 / M_MU * x**2 * (mpmath.mpf(1) / 2 - x),
        "nubar_mu": 64 / M_MU * x**2 * (mpmath.mpf(3) / 4 - x),
    }[name]


def test_the_line_is_where_two_body_decay_puts_it():
    # |p| of pi -> mu nu from energy conservation, m_pi = E + sqrt(E^2 + m_mu^2)
    m_pi = inputs.value("masses.m_pi")
    E = LINE.E_max
    assert E + np.sqrt(E**2 + float(M_MU) ** 2) == pytest.approx(m_pi, rel=1e-15, abs=0)
    assert moment(LINE, 0, 29.0) == 1.0
    assert moment(LINE, -2, 29.0) == pytest.approx(E**-2, rel=1e-15, abs=0)
    assert moment(LINE, 1, np.nextafter(E, 0)) == E
    assert moment(LINE, 1, E) == 0.0


@pytest.mark.parametrize("component", [NU_E, NUBAR_MU], ids=lambda c: c.name)
@pytest.mark.parametrize("E", [1e-3, 10.0, 37.5, 52.0])
def test_spectrum_is_the_printed_one(component, E):
    assert spectrum(component, E) == pytest.approx(float(printed(component.name, E)), rel=1e-13, abs=0)


@pytest.mark.parametrize("component", [NU_E, NUBAR_MU], ids=lambda c: c.name)
def test_spectrum_ends_at_half_the_muon_mass(component):
    assert spectrum(component, [component.E_max * (1 + 1e-15), 60.0, -1.0]).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("component", [NU_E, NUBAR_MU], ids=lambda c: c.name)
@pytest.mark.parametrize("power", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize("fraction", [0.0, 1e-6, 0.3, 0.9, 1 - 1e-9])
def test_moments_are_the_integrals_of_the_printed_spectra(component, power, fraction):
    E_max = M_MU / 2
    E_min = float(fraction * E_max)
    with mpmath.workdps(40):
        expected = mpmath.quad(lambda E: printed(component.name, E) * E**power, [mpmath.mpf(E_min), E_max])
    # y = 1 - E_min/E_max carries eps/y; the polynomial loses up to 2 digits near y = 1
    y = 1 - fraction
    assert moment(component, power, E_min) == pytest.approx(float(expected), rel=max(1e-13, 4e-16 / y), abs=0)


@pytest.mark.parametrize("component", [LINE, NU_E, NUBAR_MU], ids=lambda c: c.name)
def test_one_neutrino_and_none_beyond_the_end(component):
    assert moment(component, 0, 0.0) == pytest.approx(1.0, rel=1e-15, abs=0)
    assert moment(component, 0, np.array([component.E_max, 100.0])).tolist() == [0.0, 0.0]


def test_the_line_has_no_density():
    with pytest.raises(ValueError, match=r"nu_mu is a line at 29\.79 MeV"):
        spectrum(LINE, 30.0)


def test_mean_energies():
    # <x> = 3/5 and 7/10 of the end point for the spectra of nu_e and nubar_mu
    assert moment(NU_E, 1, 0.0) / NU_E.E_max == pytest.approx(3 / 5, rel=1e-14, abs=0)
    assert moment(NUBAR_MU, 1, 0.0) / NUBAR_MU.E_max == pytest.approx(7 / 10, rel=1e-14, abs=0)
