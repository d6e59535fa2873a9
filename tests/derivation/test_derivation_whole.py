"""The nucleus as a whole: gauge invariance of its Born terms, static limit, and the sizes of what is left out."""

import numpy as np
import pytest
from scipy.integrate import quad

from cevnsloop.derivation import completeness, whole
from cevnsloop.derivation.dirac import METRIC
from cevnsloop.nucleus import nuclide

CS = nuclide("Cs133")
DOWN = 1, 2  # down quarks of proton and neutron


def momenta(seed):
    """p_1, l, p_2 with p_1^2 = p_2^2, and off the shell otherwise."""
    rng = np.random.default_rng(seed)
    M, first, second, l = 3.0, *rng.normal(size=(3, 3))
    p_1, p_2 = (np.array([np.sqrt(M**2 + p @ p), *p]) for p in (first, second))
    return p_1, np.array([rng.normal(), *l]), p_2


@pytest.mark.parametrize("seed", range(5))
def test_the_nucleus_answers_to_no_gauge_part_of_a_boson(seed):
    """l_m T^mn = 0 and T^mn l'_n = 0 with the point vertex, and not without."""
    p_1, l, p_2 = momenta(seed)
    born, point = whole.born_terms(p_1, l, p_2)
    out = p_1 + l - p_2
    for total, zero in ((born + point, True), (born, False)):
        left, right = METRIC.astype(float) @ l @ total, total @ METRIC.astype(float) @ out
        size = abs(born).max() * abs(l).max()
        assert (max(abs(left).max(), abs(right).max()) < 1e-13 * size) == zero


@pytest.mark.parametrize("s", [10.0, 1e3, 1e5])
def test_the_trace_is_that_of_the_born_terms_averaged_over_directions(s):
    """Euclidean l = sqrt(s) (i c, sqrt(1 - c^2)), weight (2/pi) sqrt(1 - c^2), forwards."""
    M = 40.0

    def integrand(angle):
        c = np.cos(angle)
        l0, l2, p = 1j * c * np.sqrt(s), -s, M
        two = [((2 * p) ** 2 + sign * 4 * p * l0 + l2) / (l2 + sign * 2 * p * l0) for sign in (1, -1)]
        return np.sin(angle) ** 2 * (sum(two) - 8).real

    expected = -s / (2 * M) * quad(integrand, 0, np.pi, epsabs=0, epsrel=1e-12)[0] * 2 / np.pi
    assert whole.trace(s, M) == pytest.approx(expected, rel=1e-10, abs=0)


def test_a_heavy_nucleus_is_the_static_source_up_to_its_mass_squared():
    """The terms of first order in 1/M cancel between box, crossed box and point vertex."""
    for masses in ((53.0, 106.0), (300.0, 600.0)):
        static = float(completeness.static_exchange(*masses, CS))
        off = [whole.at_rest(*masses, CS, M) / static - 1 for M in (1e4, 1e5, 1e9)]
        assert off[0] / off[1] == pytest.approx(100, rel=0.02, abs=0)  # the next order
        assert abs(off[2]) < 1e-9


def test_sizes_of_what_is_left_out():
    """Recoil at rest below a millionth; excited states a per cent at the edge, a third for a heavy Z' and chi."""
    for masses in ((53.0, 106.0), (53.0, 530.0), (300.0, 600.0)):
        assert 0 < abs(whole.recoil(*masses, CS)) < 1e-6
    assert 0.003 < whole.excitation(53.0, 106.0, CS, DOWN) < 0.02
    assert 0.1 < whole.excitation(300.0, 600.0, CS, DOWN) < 0.4
    narrow, wide = (whole.excitation(53.0, 106.0, CS, DOWN, k_F) for k_F in (240.0, 290.0))
    assert wide < narrow  # a deeper sea blocks more
    charge = CS.Z + 2 * CS.N
    assert whole.another_pair(1.6e-4, 53.0, 106.0, CS, charge, 30.0) < 1e-6


def test_nucleons_that_nothing_blocks_add_up_by_themselves():
    """Without a Fermi sea, point-like limits aside, the ratio at small momenta is sum q^2 / (sum q)^2."""
    ratio = whole.excitation(1e-2, 2e-2, CS, DOWN, k_F=1e-9)
    expected = (CS.Z + 4 * CS.N) / (CS.Z + 2 * CS.N) ** 2
    assert ratio == pytest.approx(expected, rel=1e-4, abs=0)  # momenta of 0.01 MeV over the mass of a nucleon
