"""All terms of quarks: against integrals in mpmath, the sum of the diagrams, and the running of the moments."""

import mpmath as mp
import numpy as np
import pytest

from cevnsloop import inputs
from cevnsloop.amplitudes import gluon, loops
from cevnsloop.amplitudes.partonic import PARTONIC, longitudinal
from cevnsloop.amplitudes.quarks import HEAVY, LIGHT, LOOP_FACTOR, REDERIVED, TWO_27THS, gluon_sum, scalar_sum
from cevnsloop.amplitudes.running import START, beta_0, second_moments
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.derivation import completeness, gluon_background
from cevnsloop.inputs import STANDARD
from cevnsloop.model import FLAVOURS, Model, unit_model
from cevnsloop.nucleus import nuclide

CS, ARGON = nuclide("Cs133"), nuclide("Ar40")
G_Q = dict(zip(FLAVOURS, (0.7, 1.0, -0.9, 0.4, 0.8), strict=True))
POINTS = [(1000.0, 2000.0), (1500.0, 1500.0), (30.0, 60.0), (5000.0, 3.0e4), (2.0e4, 500.0)]


def coefficients(case, m_chi, m_zp, nucleus=CS, table=STANDARD, g_q=G_Q):
    model = Model(case, m_chi, m_zp, 1.0, 0.6, g_q)
    (found,) = PARTONIC.coefficients([nucleus], model, Theory(PARTONIC, inputs=table))
    return found


def only(flavours, nucleus):
    """sum g^2 m_N f_q over some of the light quarks."""
    return scalar_sum(unit_model("A", 1.0, 1.0, {q: G_Q[q] for q in flavours}), nucleus)


@pytest.mark.parametrize(("case", "c1"), [("A", 2.493457544e-10), ("B", -1.545473511e-07)])
def test_c1_of_an_independent_calculation(case, c1):
    """Ten digits from another hand, for down-type quarks and Lambda = 10 m_zp; half a unit of the last one."""
    model = unit_model(case, 1000.0, 2000.0)
    (found,) = PARTONIC.coefficients([CS], model, Theory(PARTONIC))
    assert found.c1 == pytest.approx(c1, rel=4e-10, abs=0)


def in_mpmath(weight, kernel, m_q, top=mp.inf):
    """int_0^top ds weight(s) sum of c_N J_N(s/m_q^2), J_N from its integral over x, in ln s."""

    def J(N, r):
        return mp.beta(1, 1) * mp.hyp2f1(N, 1, mp.mpf(3) / 2, -r / 4)

    def integrand(t):
        s = mp.e**t
        return s * weight(s) * (kernel[0] + mp.fsum(c * J(N, s / m_q**2) for N, c in enumerate(kernel[1:], 1) if c))

    last = 75 if top == mp.inf else mp.log(top)
    ends = [t for t in range(-19, 75, 2) if t < last]
    return mp.quad(integrand, [*ends, last], method="gauss-legendre", maxdegree=5)


@pytest.mark.parametrize(("m_chi", "m_zp", "m_q"), [(*POINTS[0], 1273.0), *((*pair, 4183.0) for pair in POINTS[1:])])
def test_integrals_of_heavy_quarks(m_chi, m_zp, m_q):
    with mp.workdps(25):
        x, z = mp.mpf(m_chi) ** 2, mp.mpf(m_zp) ** 2
        for name in ("vector", "transverse"):
            exact = in_mpmath(lambda s: 1 / ((s + x) * (s + z) ** 2), gluon.LOOPS[name], mp.mpf(m_q))
            # the vector kernel, which cancels, costs two digits
            assert gluon.loop_integral(m_chi, m_zp, m_q, name) == pytest.approx(float(exact), rel=2e-14, abs=0)
        for cutoff in (m_zp, 1e4 * m_zp):
            exact = in_mpmath(lambda s: 1 / (s + x), gluon.LOOPS["longitudinal"], mp.mpf(m_q), mp.mpf(cutoff) ** 2)
            assert longitudinal(m_chi, m_q, cutoff) == pytest.approx(float(exact), rel=1e-12, abs=0)


def test_kernels_are_the_derived_ones():
    """The vector current's trace; minus that of the axial one and four times what the longitudinal Z' sees."""
    vector, axial, mixed = (gluon_background.combination(name) for name in ("vector", "axial", "mixed"))
    assert gluon.LOOPS["vector"] == tuple(-c for c in vector)
    assert gluon.LOOPS["transverse"] == tuple(4 * m - a for a, m in zip(axial, mixed, strict=True))
    assert gluon.LOOPS["longitudinal"] == tuple(map(float, mixed))


@pytest.mark.parametrize("name", gluon.LOOPS)
def test_kernels_on_both_sides_of_the_switch(name):
    r = np.array([1e-8, 0.1, np.nextafter(gluon.SWITCH, 0), gluon.SWITCH, 0.7, 40.0, 1e6])
    with mp.workdps(40):
        c = gluon.LOOPS[name]
        exact = [
            float(c[0] + mp.fsum(cN * mp.hyp2f1(N, 1, 1.5, -mp.mpf(x) / 4) for N, cN in enumerate(c[1:], 1))) for x in r
        ]
    assert gluon.gluon_kernel(r, name) == pytest.approx(exact, rel=100 * np.finfo(float).eps, abs=0)


@pytest.mark.parametrize("nucleus", [CS, ARGON], ids=lambda n: n.symbol)
@pytest.mark.parametrize(("m_chi", "m_zp"), POINTS[:3])
def test_case_a_is_the_sum_of_its_diagrams(m_chi, m_zp, nucleus):
    S_G = TWO_27THS * gluon_sum(nucleus)
    terms = [completeness.scalar_quark("A", m_chi, m_zp) * only(LIGHT, nucleus)]
    terms += [completeness.light_gluon("A", m_chi, m_zp) * S_G * G_Q[q] ** 2 for q in LIGHT]
    for q in HEAVY:
        m_q = inputs.value(f"quark_masses.{q}")
        terms.append(completeness.heavy_gluon("A", m_chi, m_zp, m_q) * S_G * G_Q[q] ** 2)
    expected, largest = 0.6 * LOOP_FACTOR * sum(terms), 0.6 * LOOP_FACTOR * max(map(abs, terms))
    assert coefficients("A", m_chi, m_zp, nucleus).c1 == pytest.approx(expected, rel=0, abs=1e-9 * largest)


@pytest.mark.parametrize(("m_chi", "m_zp"), POINTS[:2])
def test_case_b_is_the_sum_of_its_diagrams_far_below_the_cutoff(m_chi, m_zp):
    """Lambda = 10^6 m_zp: only the bubble knows of it. A quark with hardly a mass, since terms with m_q^2 are left out.

    For a heavy quark every diagram is that of a light one with m qbar q -> -f (alpha_s/12 pi) GG, but for Eq. (9).
    """
    big = 1e6
    S_G = TWO_27THS * gluon_sum(CS)
    z, cutoff = m_zp**2, big * m_zp
    mixed = 32 * m_chi / z * loops.D00b(m_chi, m_zp)
    parts = completeness.goldstone_light(m_chi, m_zp, 1e-3)
    light = completeness.scalar_quark("B", m_chi, m_zp) + mixed + parts["triangle_quark"] + parts["triangle_neutrino"]
    light += parts["bubble"] * (np.log(cutoff**2 / z) - 1)
    terms = [light * only(LIGHT, CS)]
    terms += [completeness.light_gluon("B", m_chi, m_zp) * S_G * G_Q[q] ** 2 for q in LIGHT]
    for q in HEAVY:
        m_q = inputs.value(f"quark_masses.{q}")
        heavy = completeness.heavy_gluon("B", m_chi, m_zp, m_q) + completeness.mixed_gluon(m_chi, m_zp, m_q)
        heavy += completeness.goldstone_gluon(m_chi, m_zp, m_q)
        # the diagrams with the neutrino's contact: <f> over the bubble's s/(s + z)^2 in place of the triangle's weight
        weight = in_mpmath(lambda s: s / (s + z) ** 2, gluon.LOOPS["longitudinal"], m_q, cutoff**2)
        heavy += parts["bubble"] * float(weight)
        terms.append(heavy * S_G * G_Q[q] ** 2)
    expected = 0.6 * LOOP_FACTOR * sum(terms)
    found = coefficients("B", m_chi, m_zp, table=STANDARD.changed({"partonic.cutoff": big})).c1
    assert found == pytest.approx(expected, rel=1e-8, abs=0)


def test_the_cutoff_moves_case_b_by_its_logarithm():
    m_chi, m_zp = 1000.0, 2000.0
    c1 = [coefficients("B", m_chi, m_zp, table=STANDARD.changed({"partonic.cutoff": ratio})).c1 for ratio in (1e5, 1e7)]
    sums = only(LIGHT, CS) + TWO_27THS * gluon_sum(CS) * sum(G_Q[q] ** 2 for q in HEAVY)
    rise = -0.6 * LOOP_FACTOR * m_chi * 4 / m_zp**4 * sums * np.log(1e4)
    assert c1[1] - c1[0] == pytest.approx(rise, rel=1e-7, abs=0)
    here, there = (
        coefficients("A", m_chi, m_zp, table=STANDARD.changed({"partonic.cutoff": ratio})).c1 for ratio in (1.0, 1e5)
    )
    assert here == there


def test_moments_run_as_the_equations_say():
    """Runge-Kutta in ln mu^2 of the equations for quarks and gluons, with thresholds where the formula has powers."""
    at = inputs.values("running")
    q = np.array(list(inputs.values(f"second_moments.{START}").values()))
    g, alpha = 1 - q.sum(), None
    log = {"c": 2 * np.log(at["m_c"]), "b": 2 * np.log(at["m_b"]), "Z": 2 * np.log(at["m_Z"])}
    inverse = 1 / at["alpha_s_mz"] - beta_0(5) / (4 * np.pi) * (log["Z"] - log["b"])
    alpha = 1 / (inverse - beta_0(4) / (4 * np.pi) * (log["b"] - log["c"]))

    def slope(y, n_f):
        q, g, alpha = y[:5], y[5], y[6]
        on = np.arange(5) < n_f
        dq = alpha / (2 * np.pi) * (-16 / 9 * q + g / 3) * on
        return np.array([*dq, -dq.sum(), -beta_0(n_f) / (4 * np.pi) * alpha**2])

    y = np.array([*q, g, alpha])
    for n_f, start, end in ((4, log["c"], log["b"]), (5, log["b"], log["Z"])):
        h = (end - start) / 400
        for _ in range(400):
            k1 = slope(y, n_f)
            k2 = slope(y + h / 2 * k1, n_f)
            k3 = slope(y + h / 2 * k2, n_f)
            y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + slope(y + h * k3, n_f))
        mu = np.exp(end / 2)
        found = np.array([*second_moments(mu).values()])
        assert found == pytest.approx(y[:5], rel=1e-9, abs=1e-9)
    assert y[6] == pytest.approx(at["alpha_s_mz"], rel=1e-9, abs=0)


def test_running_reproduces_the_set_at_the_mass_of_the_z():
    """The parametrization itself, integrated at 1.3 GeV and at m_Z: 1% for u, d, 5% for what is radiated."""
    stored, found = inputs.values("second_moments.cteq6l1_mz"), second_moments(inputs.value("running.m_Z"))
    for q, tolerance in zip(FLAVOURS, (0.01, 0.01, 0.03, 0.05, 0.05), strict=True):
        assert found[q] == pytest.approx(stored[q], rel=tolerance, abs=0)


def test_no_flavour_is_heavier_than_the_scale():
    light = second_moments(np.array([1.0, 500.0, 1299.0]))
    for q, share in inputs.values(f"second_moments.{START}").items():
        assert (light[q] == share).all()
    assert second_moments(4499.0)["b"] == 0 < second_moments(4501.0)["b"]
    assert second_moments(1299.0)["c"] == 0 < second_moments(1301.0)["c"]
    with pytest.raises(ValueError, match="mu must be > 0 MeV and finite, got -1"):
        second_moments(-1.0)


@pytest.mark.parametrize("case", ["A", "B"])
def test_c2_and_c3_are_the_rederived_ones_with_moments_at_the_scale_of_the_boson(case):
    m_zp = 2000.0
    q2 = {q: float(share) for q, share in second_moments(m_zp).items()}
    stored = STANDARD.changed({f"second_moments.mz_rounded.{q}": share for q, share in q2.items()})
    model = unit_model(case, 1000.0, m_zp, G_Q)
    (expected,) = REDERIVED.coefficients([CS], model, Theory(REDERIVED, inputs=stored))
    (found,) = PARTONIC.coefficients([CS], model, Theory(PARTONIC))
    for name in ("c2", "c3"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-14, abs=0)


def test_couplings_and_shapes():
    m_chi = np.array([[500.0], [1000.0]])
    both = coefficients("B", m_chi, np.array([800.0, 2000.0, 9000.0]))
    assert both.c1.shape == both.c2.shape == both.c3.shape == (2, 3)
    assert both.c1[1, 1] == pytest.approx(coefficients("B", 1000.0, 2000.0).c1, rel=1e-14, abs=0)
    half = coefficients("A", 1000.0, 2000.0, g_q={q: g / 2 for q, g in G_Q.items()})
    assert half.c1 == pytest.approx(coefficients("A", 1000.0, 2000.0).c1 / 4, rel=1e-14, abs=0)
    only_d = coefficients("A", 1000.0, 2000.0, g_q={"d": 1.0})
    assert only_d.c1 != 0
    assert str(Theory(PARTONIC)) == "amplitude partonic, moments run to m_zp, weak_angle msbar_mz"
