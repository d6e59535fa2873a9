import mpmath
import numpy as np
import pytest
from particle import Particle

from cevnsloop import inputs
from cevnsloop.nucleus import helm, nuclide


@pytest.mark.parametrize("symbol", inputs.names("atomic_masses"))
def test_atomic_masses_agree_with_the_particle_package(symbol):
    atom = nuclide(symbol)
    # its table of nuclei holds masses of neutral atoms, known to a few keV
    listed = Particle.from_nucleus_info(z=atom.Z, a=atom.A).mass
    assert atom.atomic_mass == pytest.approx(listed, rel=3e-8, abs=0)
    assert atom.atomic_mass - atom.M == pytest.approx(atom.Z * inputs.value("masses.m_e"), rel=1e-12, abs=0)


@pytest.mark.parametrize("symbol", inputs.names("atomic_masses"))
def test_symbols_say_what_the_nuclide_is(symbol):
    atom = nuclide(symbol)
    assert atom.A == atom.Z + atom.N == int("".join(filter(str.isdigit, symbol)))
    assert Particle.from_nucleus_info(z=atom.Z, a=atom.A).name == f"{symbol.rstrip('0123456789')}{atom.A}"
    # binding: a nucleus is lighter than its nucleons by 8 to 9 MeV each
    binding = atom.Z * inputs.value("masses.m_p") + atom.N * inputs.value("masses.m_n") - atom.M
    assert 8 < binding / atom.A < 9


def test_unknown_nuclide():
    with pytest.raises(ValueError, match=r"nuclide must be one of Cs133, Ar40, I127, .*, got 'Xe127'"):
        nuclide("Xe127")


@pytest.mark.parametrize("symbol", inputs.names("atomic_masses"))
@pytest.mark.parametrize("q", [1e-6, 1.0, 30.0, 60.0, 150.0])
def test_helm_is_the_transform_of_a_smeared_ball(symbol, q):
    """F is the Fourier transform of a uniform ball of radius R, times that of a Gaussian of width s."""
    atom = nuclide(symbol)
    p = {name: mpmath.mpf(v) for name, v in inputs.values("helm").items()}
    c = p["c_slope"] * mpmath.cbrt(atom.A) - p["c_offset"]
    R = mpmath.sqrt(c**2 + mpmath.mpf(7) / 3 * mpmath.pi**2 * p["a"] ** 2 - 5 * p["s"] ** 2)
    ball = mpmath.quad(lambda r: r**2 * mpmath.sinc(q * r), [0, R / 2, R]) * 3 / R**3
    gauss = mpmath.quad(
        lambda r: r**2 * mpmath.sinc(q * r) * mpmath.exp(-((r / p["s"]) ** 2) / 2),
        [0, 3 * p["s"], 12 * p["s"]],
    ) / mpmath.quad(lambda r: r**2 * mpmath.exp(-((r / p["s"]) ** 2) / 2), [0, 3 * p["s"], 12 * p["s"]])
    # j_1 is evaluated to a few eps of its scale 1/3: near a zero that is not relative
    assert helm(q**2, atom) == pytest.approx(float(ball * gauss), rel=1e-13, abs=2**-53)


def test_helm_is_one_at_zero_and_keeps_the_shape():
    F = helm(np.array([[0.0, 900.0]]), nuclide("Cs133"))
    assert F.shape == (1, 2)
    assert F[0, 0] == 1.0
    assert 0 < F[0, 1] < 1
