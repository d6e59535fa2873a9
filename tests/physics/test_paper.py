"""Every number the paper quotes, against the number computed here."""

import math

import numpy as np
import pytest

from cevnsloop import jobs
from cevnsloop.amplitudes.quarks import PUBLISHED, REDERIVED
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.experiments import csi2017
from cevnsloop.fit.gaussian import gaussian
from cevnsloop.fit.limits import upper_limit
from cevnsloop.model import DOWN_TYPE, unit_model
from cevnsloop.rates.events import predict
from cevnsloop.rates.flux import decay_at_rest
from cevnsloop.results import quoted as paper

PER_CENT = 0.01


def limit(case, m_chi, ratio, dataset, delta_chi2=4.61):
    return float(
        upper_limit(
            predict(
                unit_model(case, np.array([m_chi]), ratio * np.array([m_chi]), DOWN_TYPE),
                dataset.experiment,
                Theory(PUBLISHED),
            ),
            dataset,
            delta_chi2,
        ).g_limit[0]
    )


@pytest.mark.parametrize("quoted", [q for q in paper.QUOTED if not q.order_only], ids=lambda q: q.where)
def test_quoted_limits_of_case_a(quoted, dataset):
    assert paper.limit_at(quoted.point, dataset, Theory(PUBLISHED), 4.61) == pytest.approx(
        quoted.g_limit, rel=3 * PER_CENT, abs=0
    )


def test_quoted_limit_of_case_b_at_twice_the_mass(dataset):
    """The text: the level of 1e-6; ours is 2.2e-6."""
    quoted = paper.QUOTED[3]
    assert quoted.g_limit == 1e-6
    ours = paper.limit_at(quoted.point, dataset, Theory(PUBLISHED), 4.61)
    assert math.floor(math.log10(ours)) == -6
    assert ours == pytest.approx(2.22e-6, rel=PER_CENT, abs=0)


def test_quoted_limit_of_case_b_at_ten_times_the_mass_is_not_reached(dataset):
    """The text: the level of 1e-5; ours is 1.4e-4, and the paper's own Fig. 3 sides with us.

    With limits proportional to m_chi^2 above the edge the benchmark of Fig. 3, 5e-4 at 100 MeV, is 1.4e-4 at 53.
    """
    quoted = paper.QUOTED[2]
    assert quoted.g_limit == 1e-5
    ours = paper.limit_at(quoted.point, dataset, Theory(PUBLISHED), 4.61)
    assert ours == pytest.approx(1.41e-4, rel=PER_CENT, abs=0)
    benchmark = paper.BENCHMARKS["B"]
    scaled = benchmark.g * (quoted.point.m_chi / benchmark.m_chi) ** 2
    assert scaled == pytest.approx(ours, rel=2 * PER_CENT, abs=0)


@pytest.mark.parametrize("case", ["A", "B"])
def test_benchmarks_of_fig_3_are_just_excluded(case, dataset):
    point = paper.BENCHMARKS[case]
    ours = paper.limit_at(point, dataset, Theory(PUBLISHED), 4.61)
    assert 1 < point.g / ours < 1.15


def test_kink_of_case_a_is_at_the_kinematic_edge(dataset):
    """Below it the tree sets the limit, above it the loops alone: more than a factor ten within an MeV."""
    for ratio in paper.RATIOS:
        below, above, far = (limit("A", m, ratio, dataset) for m in (52.0, 52.9, 53.9))
        assert above / below > 10
        assert far / above == pytest.approx((53.9 / 52.9) ** 2, rel=PER_CENT, abs=0)
    events = predict(unit_model("A", [52.0, 52.9], [520.0, 529.0]), dataset.experiment, Theory(PUBLISHED))
    assert events.n[1, 0].any()
    assert not events.n[1, 1].any()
    # Eq. (24) at the end point of the Michel spectra, about 53 MeV
    assert max(c.E_max for c in decay_at_rest()) == pytest.approx(53, rel=PER_CENT, abs=0)


def test_kink_near_two_mev_at_twice_the_mass(dataset):
    """Where loops and tree are comparable in case A, m_Z' = 2 m_chi."""
    m_chi = np.array([1.0, 1.6, 2.0, 4.0])
    events = predict(unit_model("A", m_chi, 2 * m_chi), dataset.experiment, Theory(PUBLISHED))
    g = upper_limit(events, dataset, 4.61).g_limit
    share = (g**4 * events.n[2].sum(-1)) / (g**2 * events.n[1].sum(-1))
    assert share[0] > 10
    assert share[3] < 0.1
    assert share[1] > 1 > share[2]


def test_the_tree_flattens_for_light_chi(dataset):
    """Below the scales sqrt(2 M T) and E of Eq. (23) only the couplings matter; at 1 MeV loops are below 1%."""
    events = predict(unit_model("A", [0.05, 0.1, 1.0], [0.5, 1.0, 10.0]), dataset.experiment, Theory(PUBLISHED))
    tree = events.n[1].sum(-1)
    assert tree[1] == pytest.approx(tree[0], rel=PER_CENT, abs=0)
    g2 = limit("A", 1.0, 10, dataset) ** 2
    assert g2 * events.n[2, 2].sum() < PER_CENT * events.n[1, 2].sum()


def test_case_b_depends_more_on_the_mass_than_the_tree(dataset):
    power = {case: np.log2(limit(case, 2.0, 10, dataset) / limit(case, 1.0, 10, dataset)) for case in "AB"}
    assert power["B"] > 3
    assert 0 < power["A"] < 1


def test_line_energy_and_end_point():
    line, nu_e, nubar_mu = decay_at_rest()
    assert round(line.E_max) == 30
    assert round(nu_e.E_max) == round(nubar_mu.E_max) == 53


def test_standard_model_counts(dataset):
    """physics.md, section 6: 154 with the time fraction, 166 without; published prediction 173 +- 48."""
    n_sm = predict(unit_model("A", 1, 10), dataset.experiment, Theory(PUBLISHED)).n[0]
    everything = csi2017.dataset(csi2017.Settings(time_fraction=False))
    n_all = predict(unit_model("A", 1, 10), everything.experiment, Theory(PUBLISHED)).n[0]
    assert n_sm.sum() == pytest.approx(154, rel=PER_CENT, abs=0)
    assert n_all.sum() == pytest.approx(166, rel=PER_CENT, abs=0)
    assert abs(n_all.sum() - 173) < 48
    # chi^2 of the Standard Model for 12 bins: 2.6 with, 2.9 without the time fraction
    assert gaussian(dataset).profile(n_sm, dataset.counts)[0] == pytest.approx(2.63, rel=PER_CENT, abs=0)
    assert gaussian(everything).profile(n_all, everything.counts)[0] == pytest.approx(2.83, rel=3 * PER_CENT, abs=0)


def test_conventions_the_paper_leaves_open(dataset):
    """Delta chi^2 = 4.61 reproduces the text; 2.71, one parameter, is 20% and 10% off."""
    assert limit("A", 1.0, 10, dataset, 2.71) == pytest.approx(5.2e-9, rel=PER_CENT, abs=0)
    assert limit("A", 1.0, 2, dataset, 2.71) == pytest.approx(1.36e-9, rel=PER_CENT, abs=0)


def test_limit_curves_and_points_agree(dataset):
    curves = paper.limit_curves(np.array([1.0, 53.0]), dataset, Theory(PUBLISHED), 4.61)
    assert list(curves) == [("A", 10.0), ("A", 2.0), ("B", 10.0), ("B", 2.0)]
    for quoted in paper.QUOTED:
        p = quoted.point
        on_curve = curves[p.case, p.m_zp / p.m_chi][[1.0, 53.0].index(p.m_chi)]
        assert on_curve == pytest.approx(paper.limit_at(p, dataset, Theory(PUBLISHED), 4.61), rel=1e-12, abs=0)


def test_spectra_are_those_of_the_benchmarks(dataset):
    curves = paper.spectra(dataset.experiment, Theory(PUBLISHED))
    assert list(curves) == ["SM", "A", "B"]
    for case in "AB":
        assert (curves[case] > curves["SM"]).all()
    # the benchmarks double to triple the rate
    assert 1.5 < curves["A"].sum() / curves["SM"].sum() < 3
    assert set(paper.labels()) == set(curves)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((0, 10, 5), "0 < min <= max in MeV, got 0 and 10"),
        ((10, 1, 5), "0 < min <= max in MeV, got 10 and 1"),
        ((1, float("inf"), 5), "0 < min <= max in MeV, got 1 and inf"),
        ((1, 10, 0), "points must be from 1 to 10000000, got 0"),
    ],
)
def test_empty_or_reversed_scans_are_refused(bounds, message):
    with pytest.raises(ValueError, match=message):
        jobs.Masses(*bounds).values()


def test_masses_are_equally_spaced_in_the_logarithm():
    assert jobs.Masses(1, 1000, 4).values() == pytest.approx([1, 10, 100, 1000], rel=1e-14, abs=0)


def test_an_unknown_case_has_no_limit(dataset):
    with pytest.raises(ValueError, match="case must be one of A, B, got 'C'"):
        paper.limit_at(paper.Point("C", 1.0, 10.0), dataset, Theory(PUBLISHED), 4.61)


def test_case_b_is_not_bounded_more_tightly_by_the_printed_loops(dataset):
    """Above the edge, where loops alone set both limits, the text says that those of case B are the stronger ones."""
    m_chi = np.array([54.0, 153.0, 217.0, 870.0])

    def b_over_a(amplitude, ratio):
        a, b = (predict(unit_model(c, m_chi, ratio * m_chi), dataset.experiment, Theory(amplitude)) for c in "AB")
        return upper_limit(b, dataset, 4.61).g_limit / upper_limit(a, dataset, 4.61).g_limit

    assert b_over_a(PUBLISHED, 10.0) == pytest.approx(np.ones(4), rel=3 * PER_CENT, abs=0)
    # c2 of case B passes through zero at 227 MeV; two digits are what is claimed
    assert b_over_a(PUBLISHED, 2.0) == pytest.approx(np.array([0.22, 0.87, 2.0, 1.04]), rel=PER_CENT, abs=0)
    assert (b_over_a(REDERIVED, 10.0) < 0.75).all()
    assert (b_over_a(REDERIVED, 2.0) < 0.6).all()
