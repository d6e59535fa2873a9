"""The front door: its examples run, its answers are those of the floors below, and wrong inputs are named."""

import doctest
import importlib

import matplotlib.pyplot as plt
import numpy as np
import pytest

import cevnsloop
from cevnsloop import analysis
from cevnsloop.amplitudes.theory import PUBLISHED, REDERIVED, Theory
from cevnsloop.experiments import csi2017
from cevnsloop.fit.limits import upper_limit
from cevnsloop.model import Model, unit_model
from cevnsloop.nucleus import nuclide
from cevnsloop.rates import events, xsec
from cevnsloop.results import quoted
from cevnsloop.run import output

M_CHI = np.geomspace(1, 100, 5)
PAPER = cevnsloop.paper
MODEL = Model("A", 10.0, 100.0, 1.0, 1.0, {"d": 5e-8})


def test_the_examples_of_the_front_door_print_what_they_say():
    """Every function has one, and none is only for show."""
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    found = {test.name.rpartition(".")[2]: test for test in finder.find(analysis, "analysis") if test.examples}
    functions = {name for name in cevnsloop._NAMES["analysis"] if callable(getattr(analysis, name))}
    assert set(found) == functions
    for test in found.values():
        assert runner.run(test).failed == 0, test.name


def test_every_name_of_the_front_door_is_there():
    for name in cevnsloop.__all__:
        assert getattr(cevnsloop, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'limits'"):
        cevnsloop.limits  # noqa: B018


@pytest.mark.parametrize(("case", "amplitude"), [("A", PUBLISHED), ("B", REDERIVED)])
def test_a_limit_is_that_of_the_floors_below(dataset, case, amplitude):
    got = cevnsloop.limit(case=case, m_chi=M_CHI, ratio=10, **PAPER | {"amplitude": amplitude})
    below = events.predict(unit_model(case, M_CHI, 10 * M_CHI), dataset.experiment, Theory(amplitude))
    want = upper_limit(below, dataset, 4.61)
    np.testing.assert_array_equal(got.g_limit, want.g_limit)
    np.testing.assert_array_equal(got.chi2_min, want.chi2_min)
    assert not got.g_limit.flags.writeable


def test_the_keywords_of_the_paper_give_the_curves_of_the_paper(dataset):
    curves = quoted.limit_curves(M_CHI, dataset, Theory(PUBLISHED), 4.61)
    for (case, ratio), curve in curves.items():
        got = cevnsloop.limit(M_CHI, ratio=ratio, case=case, **cevnsloop.paper)
        np.testing.assert_allclose(got.g_limit, curve, rtol=1e-12)


def test_masses_broadcast_and_only_ratios_of_couplings_count():
    plane = cevnsloop.limit(M_CHI[:, None], [30.0, 300.0], case="A", **PAPER)
    assert plane.g_limit.shape == (5, 2)
    one = cevnsloop.limit(
        M_CHI[3], 300.0, case="A", g_chi_L=0.5, g_chi_R=0.5, **PAPER | {"g_q": {"d": 4, "s": 4, "b": 4}}
    )
    assert float(one.g_limit) == pytest.approx(plane.g_limit[3, 1], rel=1e-12)


def test_what_sets_the_limit_is_the_larger_part_of_the_signal(dataset):
    """Between light and heavy chi the tree closes, since no neutrino can make chi: beyond it only loops are left."""
    got = cevnsloop.limit([10.0, 60.0], ratio=10, case="A", **PAPER)
    assert list(got.sets_limit) == ["tree", "loops"]
    for m_chi, share, g in zip(got.m_chi, got.loop_share, got.g_limit, strict=True):
        parts = cevnsloop.spectrum(m_chi, ratio=10, g=g, case="A", **PAPER)
        tree, loops = parts.n_tree.sum(), parts.n_interference.sum() + parts.n_loop.sum()
        assert share == pytest.approx(loops / (tree + loops), rel=1e-9, abs=1e-12)


def test_a_spectrum_is_the_sum_of_its_parts_and_the_data(dataset):
    got = cevnsloop.spectrum(10, 100, 5e-8, case="A", **PAPER)
    np.testing.assert_allclose(got.n_th, got.n_sm + got.n_tree + got.n_interference + got.n_loop, rtol=1e-15)
    np.testing.assert_array_equal(got.n_obs, dataset.n_obs)
    np.testing.assert_allclose(cevnsloop.spectrum(10, 100, case="A", **PAPER).n_th, got.n_sm, rtol=1e-15)


def test_a_scan_is_limits_one_by_one_on_disk_and_off(tmp_path):
    free = cevnsloop.scan((1, 100, 5), ratio=10, case="A", **PAPER)
    kept = cevnsloop.scan((1, 100, 5), ratio=10, case="A", **PAPER, out=tmp_path / "scan.csv", note=pytest.fail)
    np.testing.assert_array_equal(free.g_limit, cevnsloop.limit(M_CHI, ratio=10, case="A", **PAPER).g_limit)
    np.testing.assert_array_equal(free.g_limit, kept.g_limit)
    columns, _ = output.read(tmp_path / "scan.csv")
    np.testing.assert_allclose(columns["g_limit"], kept.g_limit, rtol=1e-9)  # written with 10 digits
    plane = cevnsloop.scan((1, 100, 5), m_zp=(30, 300, 2), case="A", **PAPER)
    np.testing.assert_array_equal(
        plane.g_limit.reshape(2, 5)[1], cevnsloop.limit(M_CHI, 300, case="A", **PAPER).g_limit
    )


def test_a_cross_section_is_that_of_dsigma():
    got = cevnsloop.cross_section(MODEL, "Cs133", E=[20.0, 40.0], T=0.01)
    np.testing.assert_array_equal(got.sm, xsec.dsigma_sm(np.array([20.0, 40.0]), 0.01, nuclide("Cs133"), Theory()))
    assert cevnsloop.cross_section(MODEL, "Cs133").sm.shape == (100,)


def test_expected_limits_lie_in_order_and_are_repeatable():
    got, again, other = (
        cevnsloop.expected(M_CHI[:2], ratio=10, case="A", **PAPER, number=50, seed=n) for n in (3, 3, 4)
    )
    assert (np.diff(got.quantiles, axis=0) >= 0).all()
    np.testing.assert_array_equal(got.quantiles, again.quantiles)
    assert not np.array_equal(got.quantiles, other.quantiles)


@pytest.mark.parametrize(
    ("make", "x", "y"),
    [
        (lambda: cevnsloop.limit(M_CHI, ratio=10, case="A", **PAPER), "[MeV]", r"g_\chi g_q"),
        (lambda: cevnsloop.expected(M_CHI, ratio=10, case="A", **PAPER, number=20), "[MeV]", r"g_\chi g_q"),
        (lambda: cevnsloop.spectrum(10, 100, 5e-8, case="A", **PAPER), "photoelectrons", "events per bin"),
        (
            lambda: cevnsloop.cross_section(MODEL, "I127"),
            "[keV]",
            "MeV$^{-3}$",
        ),
    ],
    ids=["limit", "expected", "spectrum", "cross_section"],
)
def test_every_answer_prints_draws_and_writes_itself(tmp_path, make, x, y):
    answer = make()
    assert "case A" in repr(answer)
    axes = answer.plot()
    assert x in axes.get_xlabel()
    assert y in axes.get_ylabel()
    assert answer.plot(axes) is axes
    plt.close(axes.figure)
    answer.to_csv(tmp_path / "answer.csv")
    columns, _ = output.read(tmp_path / "answer.csv")
    assert list(columns) == list(answer.table().columns)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cevnsloop.limit(10, 100, case="C"), "case must be one of A, B, got 'C'"),
        (lambda: cevnsloop.limit(10, case="A"), "either m_zp in MeV or ratio"),
        (lambda: cevnsloop.limit(10, 100, ratio=10, case="A"), "either m_zp in MeV or ratio"),
        (lambda: cevnsloop.limit(10, ratio=0, case="A"), "ratio must be > 0 and finite, got 0"),
        (lambda: cevnsloop.limit(-10, 100, case="A"), "m_chi must be > 0 MeV and finite, got -10"),
        (lambda: cevnsloop.limit(10, 100, case="A", amplitud="published"), "did you mean amplitude?"),
        (
            lambda: cevnsloop.limit(10, 100, case="A", statistic="normal", data="csi2017"),
            "statistic must be one of gaussian, poisson",
        ),
        (lambda: cevnsloop.limit(10, 100, case="A", inputs={"m_z": 1.0}), "m_z"),
        (lambda: cevnsloop.spectrum(10, 100, -1.0, case="A"), "g must be >= 0 and finite, got -1"),
        (
            lambda: cevnsloop.expected(10, 100, case="A", statistic="poisson", data="csi2017"),
            "statistic must be one of gaussian",
        ),
        (lambda: cevnsloop.scan((1, 10, 3), case="A"), "either a ratio m_zp / m_chi or a range of m_zp"),
        (lambda: cevnsloop.csi2017(first=1), "setting must be one of"),
        (lambda: cevnsloop.cross_section("A", "Cs133"), "model must be"),
        (lambda: cevnsloop.cross_section(MODEL, "Xx1"), "Xx1"),
    ],
)
def test_a_wrong_input_is_named(call, words):
    with pytest.raises(ValueError) as error:
        call()
    assert words in str(error.value)


def test_the_front_door_makes_data_as_the_floor_below_does():
    ours, below = cevnsloop.csi2017(smearing="poisson"), csi2017.dataset(csi2017.Settings(smearing="poisson"))
    np.testing.assert_array_equal(ours.n_obs, below.n_obs)
    assert ours.settings == below.settings
    assert importlib.import_module("cevnsloop").csi2017 is analysis.csi2017


def test_without_a_word_a_limit_is_the_best_there_is():
    """All derived physics, the later data and one parameter; a spectrum has the bins of the larger of them."""
    got = cevnsloop.limit(10, 100, case="A")
    assert (str(got.choices.theory.amplitude), got.choices.data) == ("complete", "csi2021+lar2020")
    assert got.choices.delta_chi2 == 2.71
    assert got.choices.fit.__name__ == "templates"
    weaker = cevnsloop.limit(10, 100, case="A", **PAPER)
    assert 1.5 < float(weaker.g_limit / got.g_limit) < 3
    for words in ("amplitude complete", "CsI 2021 + LAr 2020", "delta_chi2 2.71"):
        assert words in repr(got)
    assert cevnsloop.spectrum(10, 100, case="A").choices.data == "csi2021"


@pytest.mark.parametrize("data", ["csi2021", "lar2020"])
def test_a_picture_of_a_spectrum_is_summed_over_all_axes_but_the_first(data):
    answer = cevnsloop.spectrum(10, 100, 2e-8, case="A", data=data)
    axes = answer.plot()
    standard, expected = (patch.get_data() for patch in axes.patches)
    np.testing.assert_allclose(standard.values.sum(), answer.n_sm.sum(), rtol=1e-12)
    first = answer.choices.dataset.axes[0]
    np.testing.assert_array_equal(expected.edges, first.edges)
    np.testing.assert_allclose(expected.values, answer.n_th.reshape(len(first), -1).sum(1), rtol=1e-12)
    plt.close(axes.figure)
