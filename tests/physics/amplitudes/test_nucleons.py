"""Nucleons between nucleus and quarks: an explicit sum over a Dirac nucleon, a Fermi gas, self-energies."""

import numpy as np
import pytest
from scipy.integrate import quad

from cevnsloop import inputs
from cevnsloop.amplitudes import nucleons
from cevnsloop.inputs import STANDARD
from cevnsloop.model import Model, unit_model
from cevnsloop.nucleus import Nuclide, nuclide

PROTON, NEUTRON = Nuclide("p", 1, 0, 938.9, 938.9), Nuclide("n", 0, 1, 938.9, 938.9)
CS = nuclide("Cs133")
M = (inputs.value("masses.m_p") + inputs.value("masses.m_n")) / 2
S = [50.0**2, 300.0**2, 900.0**2, 3000.0**2]
BARE = STANDARD.changed({"nucleons.rho_M": 0.0, "nucleons.rho_A": 0.0, "nucleons.k_F": 1e-3})  # no Delta, no Pauli

METRIC = np.diag([1.0, -1.0, -1.0, -1.0])
SIGMA = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
GAMMA = np.array(
    [np.kron(np.diag([1, -1]), np.eye(2)), *(np.kron(np.array([[0, 1], [-1, 0]]), sigma) for sigma in SIGMA)]
)
GAMMA5 = 1j * GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3]


def slash(v):
    return np.einsum("m,mab->ab", METRIC @ v, GAMMA)


def born(s, vertices, where):
    """Mean over the sphere of Euclidean l, l^2 = -s, of a function of l and t^mn, for a nucleon at rest.

    t^mn is the sum of both orders of two vertices (4, 4, 4) that depend on l; l = (i l sin, 0, 0, l cos) but for
    rotations of space.
    """
    step, b = 0.2, min(np.sqrt(s) / (2 * M), 0.5)  # cos = sin(phi), tan(phi) = b sinh(t): the pole is at t = i pi/2
    t = np.arange(-22, 22, step)
    phi = np.arctan(b * np.sinh(t))
    weight = step * b * np.cosh(t) / (1 + (b * np.sinh(t)) ** 2) * np.cos(phi) ** 2 * 2 / np.pi
    total, l = 0.0, np.sqrt(s)
    at_rest = (GAMMA[0] + np.eye(4)) / 2
    for angle, w in zip(phi, weight, strict=True):
        k = np.array([1j * l * np.sin(angle), 0, 0, l * np.cos(angle)])
        t = np.zeros((4, 4), dtype=complex)
        for q, flipped in ((k, False), (-k, True)):
            P = np.array([M, 0, 0, 0]) + q
            middle = (slash(P) + M * np.eye(4)) / (P @ METRIC @ P - M * M)
            first, second = vertices(q), vertices(-q)
            one = -np.einsum("ab,mbc,cd,nda->mn", at_rest, second, middle, first) / 2
            t += one.T if flipped else one
        total = total + w * where(k, t)
    return np.real(total)


def electric(F_1, F_2):
    """gamma^m F_1 + i sigma^mn q_n F_2/2M for a momentum q that comes in."""

    def vertices(q):
        commutators = np.array([GAMMA[m] @ slash(q) - slash(q) @ GAMMA[m] for m in range(4)])
        return F_1 * GAMMA - F_2 / (4 * M) * commutators

    return vertices


def weak(_):
    return GAMMA @ GAMMA5


def trace(s):
    return lambda k, t: s * np.einsum("mn,mn", METRIC, t)


@pytest.mark.parametrize("s", S)
@pytest.mark.parametrize(
    ("nucleus", "g_q"), [(PROTON, {"d": 1.0}), (NEUTRON, {"d": 1.0}), (PROTON, {"u": 0.3, "d": -1.0})]
)
def test_vector_current_of_a_dirac_nucleon(s, nucleus, g_q):
    model = unit_model("A", 1.0, 1.0, g_q)
    G_E, G_M = nucleons.vector_form_factors(s, model)[nucleus.symbol]
    tau = s / (4 * M * M)
    F_1, F_2 = (G_E + tau * G_M) / (1 + tau), (G_M - G_E) / (1 + tau)
    expected = born(s, electric(F_1, F_2), trace(s))
    assert nucleons.vector(s, model, nucleus, BARE)[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("s", S)
def test_axial_current_of_a_dirac_nucleon(s):
    """K_T is trace and longitudinal part together; what is not the pole is a contact term."""
    model = unit_model("B", 1.0, 1.0)
    a = (inputs.value("axial_charges.d") + inputs.value("axial_charges.s")) * nucleons.axial_form_factor(s)
    along = born(s, weak, lambda k, t: (METRIC @ k) @ t @ (METRIC @ k))
    both = born(s, weak, trace(s)) + along
    K, *_ = nucleons.axial(s, model, PROTON, BARE)
    assert pytest.approx(a * a * both, rel=1e-9, abs=0) == K
    # the longitudinal part with a = g_L = 1, of which the nucleon pole is P
    assert nucleons.pole(s, s / (2 * M)) == pytest.approx(along, rel=1e-9, abs=0)


def kept(s, vertices):
    """Two numbers: what keeps the chirality, at first order in the momentum p of the neutrino, of E ubar gamma^0 P_L u

    over P. gamma_m r gamma_n t^mn is r_a X^an gamma_n; with p for r, and with l for r times 2 p.l; pslash u = 0.
    """

    def transverse(k, t):
        project = np.eye(4) + np.outer(k, METRIC @ k) / s
        t = project @ t @ project.T
        return t + t.T - METRIC * np.einsum("mn,mn", METRIC, t)

    def first(k, t):
        X = transverse(k, t)
        return s * (X[0, 0] + np.trace(X[1:, 1:]) / 3)

    def second(k, t):
        along = METRIC @ k @ transverse(k, t)
        return 2 * (k[0] * along[0] + k[1:] @ along[1:] / 3)

    return np.array([born(s, vertices, one) for one in (first, second)]) / nucleons.pole(s, 0.0)


CHARGE, MAGNETIC, AXIAL = (2, -2 / 3), (4 / 3, 4 / 3), (4 / 3, 4 / 3)  # functions of c2 over P, and P tau


@pytest.mark.parametrize(
    ("vertices", "power", "expected"),
    [(electric(1.0, 0.0), 0, CHARGE), (electric(0.0, 1.0), 1, MAGNETIC), (weak, 0, AXIAL)],
    ids=["charge", "magnetic", "axial"],
)
def test_functions_of_c2_of_a_slow_nucleon(vertices, power, expected):
    """The limit of small s, where a nucleon is static: extrapolated from two values, the first order being l/M."""
    scale = [kept(s, vertices) / (s / (4 * M * M)) ** power for s in (0.01, 0.04)]
    assert 2 * scale[0] - scale[1] == pytest.approx(expected, rel=0, abs=1e-6)


@pytest.mark.parametrize("s", [300.0, 2e5])
def test_functions_of_c2_are_made_of_these(s):
    P, tau = nucleons.pole(s, s / (2 * M)), s / (4 * M * M)
    model = unit_model("A", 1.0, 1.0, {"u": 0.3, "d": -1.0})
    _, *found = nucleons.vector(s, model, NEUTRON, BARE)
    G_E, G_M = nucleons.vector_form_factors(s, model)["n"]
    expected = [P * (c * G_E**2 + m * tau * G_M**2) for c, m in zip(CHARGE, MAGNETIC, strict=True)]
    assert found == pytest.approx(expected, rel=1e-13, abs=0)
    model = unit_model("B", 1.0, 1.0, {"d": 1.0})
    a = inputs.value("axial_charges.u") * nucleons.axial_form_factor(s)
    assert nucleons.axial(s, model, NEUTRON, BARE)[2] == pytest.approx(AXIAL[0] * P * a * a, rel=1e-13, abs=0)


@pytest.mark.parametrize(("s", "w"), [(1e4, 300.0), (1e6, 200.0)])
def test_pole_is_the_mean_over_the_sphere(s, w):
    mean = quad(lambda t: np.sin(t) ** 2 * 4 / np.pi * w * s / (s * np.cos(t) ** 2 + w * w), 0, np.pi)[0]
    assert nucleons.pole(s, w) == pytest.approx(mean, rel=1e-9, abs=0)
    assert nucleons.pole(s, 0.0) == 4 * np.sqrt(s)


def test_strength_of_the_delta_in_the_quark_model():
    """What sum sigma_z tau_3 of three quarks makes of a proton: 5/3 of it and Deltas, 32/9 in the square."""
    up_up, up_down, down_up = np.eye(4)[[0, 1, 2]]  # (flavour, spin) of one quark: u up, u down, d up
    O = np.diag([1.0, -1.0, -1.0, 1.0])

    def product(*quarks):
        return np.einsum("a,b,c->abc", *quarks)

    proton = np.zeros((4, 4, 4))
    down_down = np.eye(4)[3]
    for k in range(3):  # d in each place, beside two u quarks whose spins make 1
        spots = [0, 1, 2]
        spots.remove(k)
        for single, pair, weight in (
            (down_down, (up_up, up_up), 2.0),
            (down_up, (up_up, up_down), -1.0),
            (down_up, (up_down, up_up), -1.0),
        ):
            quarks = [None] * 3
            quarks[k], quarks[spots[0]], quarks[spots[1]] = single, *pair
            proton += weight * product(*quarks)
    proton /= np.sqrt((proton**2).sum())
    one = np.eye(4)
    total = sum(
        np.einsum("ad,be,cf,def->abc", *(O if place == k else one for place in range(3)), proton) for k in range(3)
    )
    axial = (total * proton).sum()
    assert axial == pytest.approx(5 / 3, rel=1e-14, abs=0)
    assert ((total**2).sum() - axial**2) / axial**2 == pytest.approx(nucleons.DELTA, rel=1e-13, abs=0)


@pytest.mark.parametrize("s", S)
def test_delta_resonances(s):
    """Down-type quarks have isovector couplings of -1/2: (4.706/2)^2 and g_A^2/4, and the pole of a heavier state."""
    none = STANDARD.changed({"nucleons.rho_M": 0.0, "nucleons.rho_A": 0.0})
    w = (1232.0**2 - M * M + s) / (2 * M)
    mean = quad(lambda t: np.sin(t) ** 2 * 4 / np.pi * w * s / (s * np.cos(t) ** 2 + w * w), 0, np.pi)[0]
    vector = [nucleons.vector(s, unit_model("A", 1.0, 1.0), CS, table)[0] for table in (STANDARD, none)]
    expected = -133 * 2 * s / (4 * M * M) * (4.70589 / 2) ** 2 * 1.28 * 1.75 * mean / (1 + s / 0.71e6) ** 4
    assert vector[0] - vector[1] == pytest.approx(expected, rel=1e-6, abs=0)
    axial = [nucleons.axial(s, unit_model("B", 1.0, 1.0), CS, table)[:2] for table in (STANDARD, none)]
    X = 133 * 1.2754**2 / 4 * 1.28 * 1.9 * mean / (1 + s / 1050.0**2) ** 4
    m2 = inputs.value("masses.m_pi") ** 2
    assert axial[0][0] - axial[1][0] == pytest.approx(-2 * X, rel=1e-9, abs=0)
    assert axial[0][1] - axial[1][1] == pytest.approx(X * (m2 / (s + m2)) ** 2, rel=1e-9, abs=0)


def test_pauli_is_what_a_fermi_gas_leaves():
    """Of a million nucleons drawn from the Fermi sphere, the part that a momentum l lifts out of it."""
    k_F, rng = inputs.value("nucleons.k_F"), np.random.default_rng(16)
    p = rng.normal(size=(10**6, 3))
    p *= (k_F * np.cbrt(rng.uniform(size=10**6)) / np.linalg.norm(p, axis=1))[:, None]
    for l in (30.0, 150.0, 300.0, 500.0, 600.0):
        out = np.mean(np.linalg.norm(p + np.array([0, 0, l]), axis=1) > k_F)
        assert nucleons.pauli(l * l) == pytest.approx(out, rel=0, abs=5e-4 * 4)  # four standard deviations at most
    assert nucleons.pauli((2 * k_F) ** 2) == nucleons.pauli(1e7) == 1


def test_electromagnetic_self_energies_are_those_of_the_literature():
    """(alpha/8 pi) int ds K/s of the Born terms: elastic parts of 0.63 and -0.13 MeV are quoted for p and n.

    The contact terms are a model, so that a tenth of an MeV is all that can be asked.
    """
    charges = Model("A", 1.0, 1.0, 1.0, 1.0, {"u": 2 / 3, "d": -1 / 3})
    alpha = 1 / 137.036

    def shift(nucleus):
        def integrand(t):
            return nucleons.vector(np.exp(t), charges, nucleus, BARE)[0]

        return alpha / (8 * np.pi) * quad(integrand, -15, 25, epsrel=1e-10, limit=200)[0]

    mass = {nucleus.symbol: shift(nucleus) for nucleus in (PROTON, NEUTRON)}
    assert mass["p"] == pytest.approx(0.63, rel=0, abs=0.1)
    assert mass["n"] == pytest.approx(-0.13, rel=0, abs=0.1)
    assert mass["p"] - mass["n"] == pytest.approx(0.76, rel=0, abs=0.1)


def test_form_factors_at_zero_are_charges():
    charges = nucleons.vector_form_factors(0.0, unit_model("A", 1.0, 1.0, {"u": 0.3, "d": 1.0, "s": 5.0}))
    assert [G_E for G_E, _ in charges.values()] == pytest.approx([2 * 0.3 + 1, 0.3 + 2], rel=1e-15, abs=0)
    model = unit_model("B", 1.0, 1.0, {"u": 0.3, "d": 1.0, "s": -0.4})
    found = nucleons.longitudinal_charges(0.0, model)
    Delta = inputs.values("axial_charges")
    assert found["p"] == pytest.approx(0.3 * Delta["u"] + Delta["d"] - 0.4 * Delta["s"], rel=1e-14, abs=0)
    assert found["n"] == pytest.approx(0.3 * Delta["d"] + Delta["u"] - 0.4 * Delta["s"], rel=1e-14, abs=0)
    # far above the mesons only the singlet is left
    assert nucleons.longitudinal_charges(1e14, model)["p"] == pytest.approx(0.3 * sum(Delta.values()), rel=1e-6, abs=0)


def test_tilt_of_a_static_charge_is_the_energy_in_the_closed_form():
    """c3 by (4/3) s K/[(s + x)^3 (s + z)^2], K = 4 s^(1/2), against d/dE^2 of 1/[8 pi mu (m^2 + mu^2 + 2 mu kappa)]."""
    m, mu = 70.0, 160.0
    s, ds = nucleons.nodes(1e-12, 1e16)
    found = (4 / 3 * s * 4 * np.sqrt(s) / ((s + m * m) ** 3 * (s + mu * mu) ** 2)) @ ds / (16 * np.pi**2)
    assert found == pytest.approx(1 / (8 * np.pi * m * (m + mu) ** 4), rel=1e-9, abs=0)
    box = (4 * np.sqrt(s) / ((s + m * m) * (s + mu * mu) ** 2)) @ ds / (16 * np.pi**2)
    assert box == pytest.approx(1 / (8 * np.pi * mu * (m + mu) ** 2), rel=1e-9, abs=0)


def test_nodes_end_where_they_are_told():
    s, ds = nucleons.nodes(2.0, 5e4, (100.0, 1e9))
    assert ds.sum() == pytest.approx(5e4 - 2, rel=1e-12, abs=0)
    assert (s < 100).sum() % nucleons.NODES == 0 < (s < 100).sum()
