"""A detector from a file: that of argon and CsI again, Asimov data, quenching as a table, and every refusal."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

import cevnsloop
from cevnsloop import inputs, units
from cevnsloop.amplitudes.quarks import PUBLISHED
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.experiments import detector, lar2020
from cevnsloop.nucleus import nuclide
from cevnsloop.rates.events import sm_events
from cevnsloop.rates.flux import decay_at_rest, spectrum
from cevnsloop.rates.xsec import dsigma_sm

EXAMPLES = Path(__file__).parents[3] / "book" / "detectors"
THEORY = Theory(PUBLISHED)
NAI = (EXAMPLES / "nai.toml").read_text(encoding="utf-8")


def changed(old, new):
    assert old in NAI, old
    return NAI.replace(old, new)


def test_argon_written_as_a_file_is_argon():
    """The efficiency at points of 0.5 keV is linear between them in a file, constant in the release's table."""
    figures = inputs.STANDARD.values("lar2020")
    kept = np.loadtxt(lar2020.TABLES.joinpath("efficiency.csv"), delimiter=",", skiprows=3)
    rows = ", ".join(f"[{E}, {e}]" for E, e in kept)
    text = f"""
        name = "argon"
        distance = 27.5
        neutrinos = {figures["neutrinos_per_proton"] * figures["protons_on_target"]}
        signal_uncertainty = 0.1
        quenching = [0.246, 0.00078]
        resolution = 0.58
        efficiency = [{rows}]
        bins = [0, 10, 20, 30, 40]
        background = [1, 1, 1, 1]
        background_uncertainty = 0.1
        [nuclides]
        Ar40 = 24.4
    """
    found = sm_events(detector.of_text(text, "argon.toml").experiment, THEORY)
    own = lar2020.dataset(lar2020.Settings("absolute")).experiment
    share = {name: part.sum() for name, part in own.arrival.items()}
    expected = sm_events(own, THEORY).reshape(12, -1).sum(1)[:4]
    assert share["prompt"] == pytest.approx(1, abs=1e-6)
    # delayed neutrinos after the window: all of them count in the file
    assert (found >= expected).all()
    assert (found * share["delayed"] <= expected * 1.01).all(), (found, expected)


def test_events_are_the_integral_over_flux_and_response():
    """nu_e on one nuclide, without resolution, by nested adaptive quadrature."""
    text = changed("I127 = 8.47", "").replace("resolution = 0.4", "")
    experiment = detector.of_text(text, "nai.toml").experiment
    sodium = nuclide("Na23")
    (electron,) = (one for one in decay_at_rest() if one.name == "nu_e")

    def rate(T):
        lowest = np.sqrt(sodium.M * T / 2)
        value = quad(lambda E: spectrum(electron, E) * dsigma_sm(E, T, sodium, THEORY), lowest, electron.E_max)
        return value[0]

    low, high = (edge / 0.15 * units.keV for edge in (4.0, 6.0))
    count = 1.53 * units.kg / sodium.atomic_mass
    expected = quad(rate, low, high, epsrel=1e-8)[0] * experiment.fluence * count
    only = cevnsloop.rates.events.kernels(experiment, "all", THEORY)
    found = cevnsloop.rates.quadrature.integrate(
        lambda T, _: cevnsloop.rates.xsec.sm_powers(T, sodium, THEORY),
        only.grids[0],
        [electron],
        experiment.arrival,
        np.zeros(1),
    )[0, 2]
    # the resolution that stands for none moves edges by 0.02 keV of 2 at random: its square counts
    assert found == pytest.approx(expected, rel=2e-3, abs=0)


def test_a_table_of_the_quenching_is_the_number_that_it_holds():
    number = sm_events(detector.of_text(NAI, "nai.toml").experiment, THEORY)
    rows = changed("quenching = 0.15 ", "quenching = [[1.0, 0.15], [7.0, 1.05], [100.0, 15.0]] ")
    table = sm_events(detector.of_text(rows, "nai.toml").experiment, THEORY)
    polynomial = sm_events(
        detector.of_text(changed("quenching = 0.15 ", "quenching = [0.15, 0.0] "), "nai.toml").experiment, THEORY
    )
    # other breaks of the same integral
    np.testing.assert_allclose(table, number, rtol=1e-8)
    np.testing.assert_allclose(polynomial, number, rtol=1e-12)


@pytest.mark.parametrize("name", ["nai", "germanium"])
def test_without_counts_the_data_are_what_is_expected(name):
    path = EXAMPLES / f"{name}.toml"
    found = cevnsloop.limit(case="A", m_chi=10, m_zp=100, data=str(path))
    dataset = found.choices.dataset
    np.testing.assert_allclose(dataset.n_on, sm_events(dataset.experiment, THEORY) + dataset.b_on, rtol=1e-14)
    # q is 0 at its minimum, which is without a signal
    assert abs(float(found.chi2_min)) < 1e-10
    assert float(found.g_best) == 0
    assert "Poisson" not in repr(found.choices.dataset.settings)
    assert dataset.settings.sha256, dataset.settings


def test_counts_of_the_file_are_the_data(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(changed("background_unc", "counts = [95, 70, 110, 105]\nbackground_unc"), encoding="utf-8")
    assert cevnsloop.limit(case="A", m_chi=10, m_zp=100, data=str(path)).choices.dataset.n_on.tolist() == [
        95,
        70,
        110,
        105,
    ]
    # a file that has changed is read again
    path.write_text(changed("background_unc", "counts = [96, 70, 110, 105]\nbackground_unc"), encoding="utf-8")
    assert cevnsloop.limit(case="A", m_chi=10, m_zp=100, data=str(path)).choices.dataset.n_on[0] == 96


REFUSED = {
    "no TOML": ("distance = 20.0", "distance = ", "mine.toml is no TOML"),
    "unknown key": ("distance", "distanse", "line 3: distanse is no key of a detector"),
    "out of range": (
        "resolution = 0.4",
        "resolution = -1",
        "line 8: resolution must be a number from 0.001 to 100, got -1",
    ),
    "text": ("distance = 20.0", 'distance = "far"', "line 3: distance must be a number from 0.1 to 10000, got 'far'"),
    "no name": ('name = "NaI, 10 kg"', "name = 3", "line 2: name must be a text"),
    "no beam": ("protons = 3e23", "", "protons must be given, or else neutrinos, and not both"),
    "no share": ("neutrinos_per_proton = 0.0848", "", "neutrinos_per_proton must be given beside protons"),
    "unknown nuclide": ("Na23 = 1.53", "Na24 = 1.53", "line 15: Na24 must be one of Cs133"),
    "no mass": ("Na23 = 1.53", "Na23 = 0", "line 15: Na23 must be a mass above 0 and up to 1e9 kg, got 0"),
    "no nuclides": ("[nuclides] ", "[nuclides.all] ", "Na23 = 1.53|all must be one of"),
    "falling bins": ("[2.0, 3.0, 4.0,", "[3.0, 2.0, 4.0,", "line 10: bins must be increasing energies in keV"),
    "few backgrounds": ("[60.0, 40.0,", "[60.0,", "line 11: background must be 4 numbers >= 0"),
    "both": (
        "threshold = 2.0",
        "threshold = 2.0\nefficiency = [[1, 1]]",
        "line 9: threshold must be given, or else efficiency",
    ),
    "efficiency": (
        "threshold = 2.0",
        "efficiency = [[1, 2]]",
        "line 9: efficiency must be rows of increasing energies",
    ),
    "quenching": (
        "quenching = 0.15 ",
        "quenching = 2.0 ",
        "line 7: quenching must be coefficients whose first is above 0",
    ),
    "table": ("quenching = 0.15 ", "quenching = [[2, 1], [1, 2]] ", "line 7: quenching must be rows"),
    "nothing seen": ("threshold = 2.0", "threshold = 900.0", "line 10: bins must be energies at which something"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_refused_with_its_line(case):
    old, new, message = REFUSED[case]
    with pytest.raises(ValueError, match=message if "|" in message else re.escape(message)):
        detector.of_text(changed(old, new), "mine.toml")


def test_a_missing_file_and_a_nuclide_without_spin_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"cannot read the detector .*none\.toml: No such file"):
        cevnsloop.limit(case="A", m_chi=10, m_zp=100, data=str(tmp_path / "none.toml"))
    with pytest.raises(ValueError, match="case B needs spins, which are known for Cs133, I127, got Na23"):
        cevnsloop.limit(case="B", amplitude="coherent", m_chi=10, m_zp=100, data=str(EXAMPLES / "nai.toml"))
