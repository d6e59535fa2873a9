"""Two Z' off the whole nucleus: partial waves against averages over the sphere, unitarity, limits, known numbers."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.special import eval_jacobi, eval_legendre

from cevnsloop import analysis
from cevnsloop.amplitudes import waves
from cevnsloop.amplitudes.exchange import COHERENT, integrals
from cevnsloop.amplitudes.quarks import vector_charge
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.derivation import completeness
from cevnsloop.fit.limits import upper_limit
from cevnsloop.model import Model, unit_model
from cevnsloop.nucleus import nuclide
from cevnsloop.rates import xsec
from cevnsloop.rates.events import predict
from cevnsloop.referees import exchange as referee

CS = nuclide("Cs133")
E_LINE, T_10 = np.array([29.79]), np.array([1e-2])


def of_one(E, T, *masses, nucleus=CS):
    """I_0 and I_1 at one energy and recoil."""
    return integrals(np.array([E]), np.array([T]), *masses, nucleus)[:, 0]


# below and above threshold, near it on both sides, Z' light and heavy, recoils small and large
POINTS = [(29.79, 1e-2, 53.0, 106.0), (29.79, 1e-2, 29.9, 60.0), (29.79, 1e-2, 29.7, 60.0), (29.79, 1e-2, 10.0, 20.0)]
POINTS += [(52.0, 3e-2, 60.0, 600.0), (40.0, 1e-3, 20.0, 40.0), (20.0, 5e-3, 300.0, 100.0)]


@pytest.mark.parametrize("point", POINTS)
def test_partial_waves_are_the_integral_over_all_directions(point):
    assert of_one(*point) == pytest.approx(referee.integrals(*point, CS), rel=1e-9, abs=0)  # the referee: some 1e-10


@pytest.fixture
def yukawas(monkeypatch):
    """A form factor with three poles in the place of Helm's; yukawas(m_zp) are the masses and residues of the field."""
    poles = np.array([90.0, 120.0, 150.0])
    monkeypatch.setattr(waves, "helm", lambda Q2, nucleus: np.prod([L**2 / (L**2 + Q2) for L in poles], axis=0))
    forget()

    def yukawas(m_zp):
        squares = np.append(m_zp, poles) ** 2
        residues = [np.prod(poles**2) / np.prod(np.delete(squares, i) - m) for i, m in enumerate(squares)]
        return np.sqrt(squares), residues

    yield yukawas
    forget()


def forget():
    """What is kept for caesium belongs to one form factor."""
    waves._form_factors.cache_clear()
    waves._kept_waves.cache_clear()


BOTH_SIDES = [(29.79, 53.0), (29.79, 29.9), (29.79, 10.0), (50.0, 49.5)]


@pytest.mark.parametrize(("E", "m_chi"), BOTH_SIDES)
@pytest.mark.parametrize("m_zp", [20.0, 60.0, 300.0])
def test_partial_waves_are_those_of_chi_in_space(E, m_chi, m_zp, yukawas):
    """The radial wave equation of chi between two scatterings, by its Green function: without momenta."""
    A, B = waves.partial_waves(np.array([[E]]), np.array([[m_chi]]), np.array([m_zp]), CS)
    for j in range(4):
        found = A[0, 0, j], B[0, 0, j]
        expected = referee.waves_in_space(E, m_chi, *yukawas(m_zp), j)
        # of the largest wave: that is what is promised of their sum
        assert abs(found[0] - expected[0]) < 1e-9 * abs(A[0, 0, 0])
        assert abs(found[1] - expected[1]) < 1e-9 * abs(B[0, 0, 0])


@pytest.mark.parametrize(("E", "m_chi"), BOTH_SIDES)
@pytest.mark.parametrize("m_zp", [10.0, 60.0, 300.0])
def test_a_form_factor_of_yukawas_gives_the_closed_form(E, m_chi, m_zp, yukawas):
    """Forwards: fixed nodes and others, below and above threshold."""
    expected = referee.yukawas(E, m_chi, *yukawas(m_zp))
    found = of_one(E, 0.0, m_chi, m_zp)
    assert found == pytest.approx(expected, rel=1e-9 if m_zp >= 50 else 1e-6, abs=0)  # what is promised


def test_forwards_it_is_a_double_integral_in_mpmath():
    exact = float(referee.forwards(29.79, 53.0, 106.0, CS))
    assert of_one(29.79, 0.0, 53.0, 106.0)[0] == pytest.approx(exact, rel=1e-10, abs=0)


def test_numbers_of_two_other_derivations():
    """C1 and CV for unit couplings at the nu_mu line, as two calculations that did not know of each other had them."""
    charge = vector_charge(unit_model("A", 1.0, 1.0), CS)
    I_0, I_1 = of_one(29.79, 1e-2, 53.0, 106.0)
    assert 53.0 * charge**2 * I_0 == pytest.approx(1.006626193118e-2, rel=1e-9, abs=0)
    assert charge**2 * 29.79 * (I_0 + I_1) == pytest.approx(9.464588864651e-3, rel=1e-9, abs=0)
    I_0, _ = of_one(29.79, 1e-2, 10.0, 20.0)
    assert 10.0 * charge**2 * I_0 == pytest.approx(4.315297464511e-2 + 2.835966569295e-1j, rel=1e-9, abs=0)


@pytest.mark.parametrize(("E", "m_chi", "m_zp"), [(30.0, 10.0, 20.0), (50.0, 49.0, 80.0), (20.0, 1.0, 200.0)])
def test_unitarity(E, m_chi, m_zp):
    """The imaginary part forwards is the cross section of nu -> chi off a nucleus that cannot recoil."""
    heavy = replace(CS, M=1e9)
    sigma = xsec.total(xsec.dsigma_tree, E, m_chi, heavy, m_chi, m_zp, 1.0, 1.0)
    assert 2 * E * of_one(E, 0.0, m_chi, m_zp, nucleus=heavy).sum().imag == pytest.approx(sigma, rel=1e-6, abs=0)  # E/M


def test_below_threshold_nothing_is_absorbed():
    assert (of_one(29.79, 1e-2, 30.0, 60.0).imag == 0).all()


def test_at_rest_it_is_the_static_estimate_of_the_book():
    for m_chi, m_zp in ((53.0, 106.0), (300.0, 600.0), (20.0, 200.0)):
        static = completeness.static_exchange(m_chi, m_zp, CS)
        assert m_chi * of_one(1e-3, 0.0, m_chi, m_zp)[0] == pytest.approx(static, rel=1e-7, abs=0)  # (E R)^2


@pytest.mark.parametrize(("m_chi", "m_zp"), [(30.0, 60.0), (53.0, 106.0), (40.0, 400.0), (300.0, 600.0)])
def test_energies_between_the_nodes_are_those_of_their_own(m_chi, m_zp):
    E = np.linspace(15.0, 52.8, 40)
    T = 0.6 * E**2 / CS.M
    together = integrals(E, T, m_chi, m_zp, CS)
    alone = np.stack([of_one(e, t, m_chi, m_zp) for e, t in zip(E, T, strict=True)], axis=1)
    assert together == pytest.approx(alone, rel=2e-8, abs=0)


def test_the_threshold_itself_is_an_energy_like_any_other():
    """A first energy of exactly m_chi once put all nodes there, and nothing was absorbed above it."""
    E = np.append(30.0, np.linspace(30.5, 52.0, 30))
    found = integrals(E, np.full_like(E, 3e-3), 30.0, 60.0, CS)
    assert (abs(found[:, 0].imag) < 1e-9 * abs(found[:, 0])).all()
    assert (found[:, 1:].imag > 0).all()
    assert found[:, 0] == pytest.approx(of_one(30.0 * (1 - 1e-12), 3e-3, 30.0, 60.0), rel=1e-5, abs=0)  # k is 1e-6 E
    assert found[:, -1] == pytest.approx(of_one(52.0, 3e-3, 30.0, 60.0), rel=2e-8, abs=0)


def test_more_nodes_change_nothing(monkeypatch):
    before = [of_one(*point) for point in POINTS]
    more = {"MORE_ANGLES": 30, "NEAR": 110, "FAR": 120, "DIGITS": 14, "HEAVY": np.inf}  # and no fixed nodes
    for name, value in more.items():
        monkeypatch.setattr(waves, name, value)
    for old, point in zip(before, POINTS, strict=True):
        assert old == pytest.approx(of_one(*point), rel=1e-9, abs=0)


def test_many_masses_together_are_those_of_their_own(dataset):
    """Light Z' and heavy ones, chi that is made and chi that is not, in one call."""
    m_chi = np.array([8.0, 20.0, 29.0, 35.0, 53.0, 60.0, 400.0])
    m_zp = np.array([20.0, 60.0, 51.0, 350.0, 106.0, 49.0, 800.0])
    together = predict(unit_model("A", m_chi, m_zp), dataset.experiment, Theory(COHERENT)).n
    for n, masses in enumerate(zip(m_chi, m_zp, strict=True)):
        alone = predict(unit_model("A", *masses), dataset.experiment, Theory(COHERENT)).n
        # the energies between which a light Z' is interpolated are others, to the accuracy that is promised
        assert together[:, n] == pytest.approx(alone, rel=1e-9 if masses[1] >= 50 else 1e-6, abs=0)


@pytest.mark.parametrize("gap", [1e-5, 1e-3])
def test_close_below_threshold_the_value_at_rest_is_subtracted(gap):
    """There l^2 / (l^2 + kappa^2) has a hole that no node sees."""
    point = (29.79, 1e-2, 29.79 * (1 + gap), 60.0)
    assert of_one(*point) == pytest.approx(referee.integrals(*point, CS), rel=1e-8, abs=0)  # the referee's own error


def test_polynomials_are_those_of_legendre_and_jacobi():
    x = np.linspace(-1.0, 1.0, 9)
    for j, (P, R) in enumerate(zip(waves.legendre(x, 20), waves.jacobi(x, 20), strict=True)):
        assert pytest.approx(eval_legendre(j, x), rel=0, abs=1e-13) == P
        assert pytest.approx(eval_jacobi(j, 0, 1, x), rel=0, abs=1e-12) == R


def test_couplings_scale_flip_and_keep():
    """flip with g_L g_R, keep with g_L^2, both with the square of the charge."""
    one = COHERENT.flip_and_keep(E_LINE, T_10, unit_model("A", 53.0, 106.0), CS, Theory())
    model = Model("A", 53.0, 106.0, 2.0, 3.0, {"d": 5.0, "b": 7.0})
    flip, keep = COHERENT.flip_and_keep(E_LINE, T_10, model, CS, Theory())
    assert flip == pytest.approx(2 * 3 * 25 * one[0], rel=1e-14, abs=0)
    assert keep == pytest.approx(4 * 25 * one[1], rel=1e-14, abs=0)
    assert COHERENT.flip_and_keep(E_LINE, T_10, replace(model, g_chi_R=0.0), CS, Theory())[0] == 0


@dataclass(frozen=True)
class Nothing:
    """An amplitude without loops."""

    separable = False
    meets_z = True

    def flip_and_keep(self, E, T, model, nucleus, theory):
        zero = np.zeros(np.broadcast_shapes(E.shape, T.shape, model.m_chi.shape))
        return zero, zero


LIMITS = {(53.0, 106.0): 1.646e-4, (100.0, 200.0): 6.658e-4, (300.0, 600.0): 8.55e-3}
LIMITS |= {(53.0, 530.0): 3.137e-3, (100.0, 1000.0): 1.484e-2, (300.0, 3000.0): 0.210}


def test_limits_where_loops_alone_set_them(dataset):
    m_chi, m_zp = np.array(list(LIMITS)).T
    found = upper_limit(predict(unit_model("A", m_chi, m_zp), dataset.experiment, Theory(COHERENT)), dataset, 4.61)
    assert found.g_limit == pytest.approx(list(LIMITS.values()), rel=1e-3, abs=0)  # the digits that are quoted


def test_without_a_right_handed_neutrino_only_keep_is_left():
    found = analysis.limit(case="A", m_chi=53.0, m_zp=106.0, g_chi_R=0.0, **analysis.paper | {"amplitude": "coherent"})
    assert found.g_limit == pytest.approx(1.94e-4, rel=3e-3, abs=0)


def test_where_chi_is_made_the_tree_sets_the_limit(dataset):
    m_chi = np.array([5.0, 20.0, 45.0, 52.0])
    for ratio in (2, 10):
        model = unit_model("A", m_chi, ratio * m_chi)
        coherent, tree = (
            upper_limit(predict(model, dataset.experiment, Theory(amplitude)), dataset, 4.61).g_limit
            for amplitude in (COHERENT, Nothing())
        )
        assert coherent == pytest.approx(tree, rel=1e-6, abs=0)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"case": "A", "flip": ["interference"]}, "amplitude coherent has no switches to flip, got interference"),
        ({"case": "A", "m_zp": 4.9}, "m_zp must be >= 5 MeV for amplitude coherent, got 4.9"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(choices, said):
    with pytest.raises(ValueError, match=said):
        analysis.limit(**{"m_chi": 53.0, "m_zp": 106.0, "amplitude": "coherent"} | choices)
    with pytest.raises(ValueError, match="it has no coefficients c1, c2, c3"):
        COHERENT.coefficients([CS], unit_model("A", 53.0, 106.0), Theory())


@pytest.mark.parametrize(
    ("masses", "amplitude", "note"),
    [
        ((53.0, 106.0), "coherent", ()),
        ((53.0, 530.0), "coherent", ("loops set the limit, and Z' sees nucleons, which this amplitude leaves out",)),
        ((20.0, 530.0), "coherent", ()),  # the tree sets it
        (
            (53.0, 530.0),
            "rederived",
            ("loops set the limit, and Z' or chi is too light to resolve quarks: not established",),
        ),
    ],
)
def test_a_limit_says_what_its_amplitude_leaves_out(masses, amplitude, note):
    assert analysis.limit(*masses, case="A", **analysis.paper | {"amplitude": amplitude}).notes == note
