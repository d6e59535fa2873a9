import mpmath
import numpy as np
import pytest

from cevnsloop import inputs
from cevnsloop.amplitudes import gluon
from cevnsloop.amplitudes.quarks import (
    PUBLISHED,
    REDERIVED,
    SWITCHES,
    Quarks,
    gluon_sum,
    loop_coefficients,
    scalar_sum,
    twist2_sum,
    vector_charge,
)
from cevnsloop.model import Model, unit_model
from cevnsloop.nucleus import nuclide
from cevnsloop.referees.loops import hypergeometric as integral

CS = nuclide("Cs133")
V = inputs.value


def by_hand(case, m_chi, m_zp, g_L, g_R, g_q, nucleus):
    """c1, c2, c3 of Eqs. (26)-(31), written out with integrals for the closed forms; F_G has tests of its own."""
    x, z = mpmath.mpf(m_chi) ** 2, mpmath.mpf(m_zp) ** 2
    D0b, J = integral(0, 1, 2, x, z), integral(1, 2, 2, x, z)
    D00, D001, D1b = -z * D0b / 4, z * J / 12, -J / 2
    D11, D00b = z / 3 * integral(1, 3, 2, x, z), -integral(1, 1, 2, x, z) / 4
    loop = 1 / (4 * mpmath.pi) ** 2
    Z, N = nucleus.Z, nucleus.N
    m_p, m_n = V("masses.m_p"), V("masses.m_n")
    S = S2 = T0 = T2 = heavy = 0
    for q, g in g_q.items():
        m_q = V(f"quark_masses.{q}")
        q2p = V(f"second_moments.mz_rounded.{q}")
        q2n = V("second_moments.mz_rounded." + {"u": "d", "d": "u"}.get(q, q))
        T0 += g**2 * (Z / m_p * q2p + N / m_n * q2n)
        T2 += g**2 * m_q**2 * (Z / m_p * q2p + N / m_n * q2n)
        if q in "uds":
            f = Z * m_p * V(f"scalar_form_factors.p.{q}") + N * m_n * V(f"scalar_form_factors.n.{q}")
            S += g**2 * f
            S2 += g**2 * m_q**2 * f
        else:
            heavy += g**2
    G = Z * m_p * 0.9209 + N * m_n * 0.9170  # f_G of micrOMEGAs
    kappa, kappa_prime = {"A": (-4, -3), "B": (12, 13)}[case]
    c1 = (
        -loop
        * g_L
        * g_R
        * m_chi
        * ((kappa * D0b + 8 / z * D00) * S + kappa_prime * mpmath.mpf(2) / 27 * D0b * heavy * G)
    )
    c2 = loop * g_L**2 * (16 / z * (4 * D001 + D00) + 8 * (D1b + D0b)) * T0
    c3 = -loop * g_L * g_R * 8 * m_chi / z * D11 * T0
    if case == "B":
        c1 += loop * g_L * g_R * 32 * m_chi / z * D00b * S
        c1 -= loop * g_L * g_R * 32 * m_chi**3 / z**3 * D00 * S2
        for q in set("cb") & set(g_q):
            m_q = V(f"quark_masses.{q}")
            F_G = float(gluon.F_G(m_chi, m_zp, m_q, "published"))
            c1 += loop * g_L * g_R * m_chi**3 / z**2 * mpmath.mpf(4) / 27 * (g_q[q] * m_q) ** 2 * F_G * G
        c2 -= loop * g_L**2 * 64 * m_chi**2 / z**3 * D001 * T2
        c3 -= loop * g_L * g_R * 32 * m_chi**3 / z**3 * D11 * T2
    return c1, c2, c3


@pytest.mark.parametrize("case", ["A", "B"])
@pytest.mark.parametrize(("m_chi", "m_zp"), [(1.0, 2.0), (100.0, 1000.0), (3000.0, 700.0), (50.0, 50.0)])
@pytest.mark.parametrize(
    "g_q", [{"d": 1.0, "s": 1.0, "b": 1.0}, {"u": 0.7, "s": -0.4, "c": 0.2}], ids=["down", "mixed"]
)
def test_coefficients_follow_from_the_euclidean_integrals(case, m_chi, m_zp, g_q):
    model = Model(case, m_chi, m_zp, 0.8, 0.3, g_q)
    c = loop_coefficients(model, CS, PUBLISHED, "mz_rounded")
    expected = by_hand(case, m_chi, m_zp, 0.8, 0.3, g_q, CS)
    # terms of both signs add up; none of these points cancels by more than a factor 1e3
    assert (float(c.c1), float(c.c2), float(c.c3)) == pytest.approx(tuple(map(float, expected)), rel=1e-11, abs=0)


def test_shapes_follow_the_model():
    c = loop_coefficients(unit_model("B", np.ones((2, 3)), 10.0), CS, PUBLISHED, "mz_rounded")
    assert c.c1.shape == c.c2.shape == c.c3.shape == (2, 3)


@pytest.mark.parametrize(
    ("g_q", "expected"),
    [
        ({"u": 1.0}, 2 * 55 + 78),
        ({"d": 1.0}, 55 + 2 * 78),
        ({"s": 1.0, "b": 5.0}, 0),
        ({"u": 1.0, "d": -1.0}, 55 - 78),
    ],
)
def test_vector_charge_counts_valence_quarks(g_q, expected):
    assert vector_charge(unit_model("A", 1, 10, g_q), CS) == expected
    assert vector_charge(unit_model("B", 1, 10, g_q), CS) == 0


def test_baryon_number_is_three_times_the_nucleons():
    assert vector_charge(unit_model("A", 1, 10, {"u": 1.0, "d": 1.0}), CS) == 3 * CS.A


def test_nucleon_masses_are_recovered_by_the_trace_anomaly():
    """sum_q m_q qbar q + heavy quarks through gluons: f_u + f_d + f_s + f_G = 1, so the sums give Z m_p + N m_n."""
    light = unit_model("A", 1, 10, dict.fromkeys("uds", 1.0))
    total = scalar_sum(light, CS) + gluon_sum(CS)
    assert total == pytest.approx(CS.Z * V("masses.m_p") + CS.N * V("masses.m_n"), rel=1e-14, abs=0)


def test_twist2_sum_swaps_u_and_d_in_the_neutron():
    m_p, m_n = V("masses.m_p"), V("masses.m_n")
    only_u = twist2_sum(unit_model("A", 1, 10, {"u": 1.0}), CS, PUBLISHED, "mz_rounded")
    assert only_u == pytest.approx(55 / m_p * 0.254 + 78 / m_n * 0.146, rel=1e-12, abs=0)


@pytest.mark.parametrize("moments", inputs.names("second_moments"))
def test_named_sets_of_moments_reach_the_coefficients(moments):
    c = loop_coefficients(unit_model("A", 10, 100), CS, PUBLISHED, moments)
    other = loop_coefficients(unit_model("A", 10, 100), CS, PUBLISHED, "mz_rounded")
    ratio = twist2_sum(unit_model("A", 10, 100), CS, PUBLISHED, moments) / twist2_sum(
        unit_model("A", 10, 100), CS, PUBLISHED, "mz_rounded"
    )
    assert float(c.c2 / other.c2) == pytest.approx(ratio, rel=1e-14, abs=0)
    assert float(c.c1) == float(other.c1)


def test_nucleons_at_rest_carry_the_rederived_twist2_sum():
    """The printed matching is larger by (M / m_N)^2; with equal nucleon masses exactly so."""
    model = unit_model("A", 10, 100)
    printed, at_rest = (twist2_sum(model, CS, a, "mz_rounded") for a in (PUBLISHED, REDERIVED))
    ratio = CS.M**2 / (V("masses.m_p") * V("masses.m_n"))
    assert printed / at_rest == pytest.approx(ratio, rel=1e-3, abs=0)
    assert printed / at_rest == pytest.approx(CS.A**2, rel=0.03, abs=0)


def test_partons_of_a_nucleus_carry_its_momentum():
    """Momentum sum rule: with moments that add to one, M^2 times the sum is Z m_p + N m_n, not A^2 times that."""
    everything = unit_model("A", 10, 100, dict.fromkeys("udscb", 1.0))
    share = sum(inputs.values("second_moments.mz_rounded").values())
    total = twist2_sum(everything, CS, REDERIVED, "mz_rounded") / share * CS.M**2
    assert total == pytest.approx(CS.Z * V("masses.m_p") + CS.N * V("masses.m_n"), rel=1e-14, abs=0)
    # binding is 0.9% of the mass
    assert total == pytest.approx(CS.M, rel=0.01, abs=0)


def test_goldstone_switch_is_minus_one_half_of_the_two_pngb_terms():
    """Only c2 and c3 of case B: the difference of A and B there is the two-pNGB box alone."""
    flipped = PUBLISHED.flipped("goldstone_box")
    a, b, c = (
        loop_coefficients(unit_model(case, 50, 100), CS, amplitude, "mz_rounded")
        for case, amplitude in (("A", PUBLISHED), ("B", PUBLISHED), ("B", flipped))
    )
    for name in ("c2", "c3"):
        printed = getattr(b, name) - getattr(a, name)
        assert getattr(c, name) - getattr(a, name) == pytest.approx(-printed / 2, rel=1e-10, abs=0)


def test_gluon_switch_changes_c1_of_case_b_alone():
    for case in "AB":
        one = loop_coefficients(unit_model(case, 50, 100), CS, PUBLISHED, "mz_rounded")
        two = loop_coefficients(unit_model(case, 50, 100), CS, PUBLISHED.flipped("gluon_kernel"), "mz_rounded")
        assert (one.c2, one.c3) == (two.c2, two.c3)
        assert (one.c1 == two.c1) == (case == "A")


def test_switches_flip_and_have_names():
    assert SWITCHES == ("nuclear_matching", "goldstone_box", "gluon_kernel", "interference")
    assert PUBLISHED.flipped(*SWITCHES) == REDERIVED
    assert REDERIVED.flipped("interference").flipped("interference") == REDERIVED
    assert str(PUBLISHED) == "published"
    assert str(REDERIVED) == "rederived"
    assert str(PUBLISHED.flipped("gluon_kernel")) == "published, but rederived gluon_kernel"


def test_unknown_names():
    with pytest.raises(ValueError, match=r"switch must be one of nuclear_matching, .*, got 'sign'"):
        PUBLISHED.flipped("sign")
    with pytest.raises(ValueError, match="gluon_kernel must be one of published, rederived, got 'A7'"):
        Quarks("published", "published", "A7", "published")
    with pytest.raises(ValueError, match=r"moments must be one of mz_rounded, .*, got 'pdf'"):
        loop_coefficients(unit_model("A", 1, 10), CS, PUBLISHED, "pdf")
