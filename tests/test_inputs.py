import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from particle import Particle
from scipy import constants

from cevnsloop import coherent, inputs, settings, systematics, units
from cevnsloop.amplitude import REDERIVED
from cevnsloop.events import predict
from cevnsloop.model import unit_model

BIBLIOGRAPHY = Path(__file__).parents[1] / "book" / "references.bib"


def test_every_source_is_in_the_bibliography():
    keys = set(re.findall(r"^@\w+\{([^,\s]+),", BIBLIOGRAPHY.read_text(encoding="utf-8"), re.MULTILINE))
    missing = {name: entry.source for name, entry in inputs.table().items() if entry.source not in keys}
    assert not missing


def test_every_entry_is_complete():
    for name, entry in inputs.table().items():
        assert entry.symbol, name
        assert entry.unit in units.UNITS, name
        assert np.isfinite(entry.number), name


def test_lookups_that_fail_say_where_to_look():
    with pytest.raises(ValueError, match=r"no input is called 'masses.tau'; see cevnsloop/data/inputs.toml"):
        inputs.value("masses.tau")
    with pytest.raises(ValueError, match="no table of inputs is called 'leptons'"):
        inputs.names("leptons")


@pytest.mark.parametrize(
    ("name", "constant", "rtol"),
    [
        ("masses.m_e", "electron mass energy equivalent in MeV", 1e-8),
        ("masses.m_mu", "muon mass energy equivalent in MeV", 1e-7),
        ("masses.m_p", "proton mass energy equivalent in MeV", 1e-8),
        ("masses.m_n", "neutron mass energy equivalent in MeV", 1e-8),
    ],
)
def test_masses_agree_with_codata(name, constant, rtol):
    # the relative tolerances cover the changes between CODATA releases that scipy versions carry
    assert inputs.value(name) == pytest.approx(constants.physical_constants[constant][0], rel=rtol, abs=0)


def test_fermi_constant_agrees_with_codata():
    G_F = constants.physical_constants["Fermi coupling constant"][0]
    assert inputs.value("constants.G_F") == pytest.approx(G_F * units.GeV**-2, rel=1e-6, abs=0)


def test_low_energy_weak_angle_is_above_the_one_at_the_z_mass():
    # the running from m_Z to zero is +3% (PDG review of the electroweak model)
    ratio = inputs.value("weak_angle.low_energy") / inputs.value("weak_angle.msbar_mz")
    assert ratio == pytest.approx(1.03, rel=0.005, abs=0)


@pytest.mark.parametrize(
    ("name", "pdgid", "rtol"),
    [
        ("masses.m_pi", 211, 1e-6),
        ("masses.m_K", 321, 1e-6),
        ("masses.m_mu", 13, 1e-7),
        ("quark_masses.u", 2, 0.1),
        ("quark_masses.d", 1, 0.05),
        ("quark_masses.s", 3, 0.05),
        ("quark_masses.c", 4, 0.01),
        ("quark_masses.b", 5, 0.01),
    ],
)
def test_particle_masses_agree_with_the_pdg_table(name, pdgid, rtol):
    # quark masses move between editions by about their uncertainty
    assert inputs.value(name) == pytest.approx(Particle.from_pdgid(pdgid).mass, rel=rtol, abs=0)


def test_units_convert_with_hbar_c():
    hbar_c = constants.hbar * constants.c / constants.e * 1e9  # MeV fm
    assert 1 / units.fm == pytest.approx(hbar_c, rel=1e-14, abs=0)
    assert units.m / units.fm == pytest.approx(1e15, rel=1e-14, abs=0)
    assert units.cm / units.fm == pytest.approx(1e13, rel=1e-14, abs=0)
    # 1 u is 1.66e-27 kg
    assert units.u / units.kg == pytest.approx(constants.atomic_mass, rel=1e-8, abs=0)
    # 1 GeV^-2 is 0.3894 mb
    assert units.to_cm2(units.GeV**-2) == pytest.approx(0.3893793721e-27, rel=1e-9, abs=0)
    assert units.to_cm2_per_MeV(1.0) == units.to_cm2(1.0)


def test_light_yield_times_quenching_is_the_light_per_recoil():
    product = inputs.value("systematics.light_yield.nominal") * inputs.value("systematics.quenching.nominal")
    assert round(product * units.keV, 2) == inputs.entry("csi2017.pe_per_recoil").number


def test_protons_on_target_agree_with_the_yearly_rate():
    year_days = constants.year / constants.day
    total = inputs.value("csi2017.protons_per_year") * inputs.value("csi2017.live_days") / year_days
    # the paper rounds its rate to two digits
    assert inputs.value("csi2017.protons_on_target") == pytest.approx(total, rel=0.01, abs=0)


@pytest.mark.parametrize("moments", inputs.names("second_moments"))
def test_quarks_carry_about_half_of_the_momentum(moments):
    # what is left to the gluons is between 0.35 and 0.5 at these scales
    assert 0.5 < sum(inputs.values(f"second_moments.{moments}").values()) < 0.65


def test_notes_of_the_rounded_moments_add_up():
    for q in "udscb":
        entry = inputs.entry(f"second_moments.mz_rounded.{q}")
        terms = re.findall(r"[\d.]+ x [\d.]+|[\d.]+", entry.note.split(",")[0])
        total = sum(np.prod([float(x) for x in term.split(" x ")]) for term in terms)
        assert entry.number == pytest.approx(total, rel=1e-12, abs=0)


ALL_QUARKS = {"u": 0.7, "d": 1.0, "s": 1.0, "c": 0.8, "b": 0.9}
# every named set of inputs, and bins at the steps of the acceptance
CHOICES = (
    {},
    {"first_bin": 3, "last_bin": 5, "weak_angle": "low_energy", "moments": "cteq6l1_mz"},
    {"moments": "cteq6l1_1300MeV"},
)


def everything():
    """What the package predicts and fits with, and what systematics.py makes of it: one row of numbers for each."""
    rows = []
    for choice in CHOICES:
        data = coherent.csi2017(settings.csi2017(**choice))
        rows += [data.n_obs, data.b_on, data.sigma, [data.sigma_alpha, data.sigma_beta]]
        for case in "AB":
            parts = predict(unit_model(case, [5.0, 200.0], 400.0, ALL_QUARKS), data, REDERIVED)
            rows += [parts.n_sm, parts.n_tree, parts.n_interference, parts.n_loop]
    data = coherent.csi2017(settings.csi2017())
    for name, part in [(name, part) for part, names in systematics.PARTS.items() for name in (*names, "light_yield")]:
        rows.append([systematics.sigma_alpha_left(data, (part,))])
        for sign in (-1, 1):
            moved = systematics.shifted(data, name, sign)
            rows += [
                moved.response.acceptance,
                [moved.response.pe_per_MeV, moved.fluence, moved.targets[0].nuclide.size],
            ]
    return np.concatenate([np.ravel(row) for row in rows])


@pytest.fixture(scope="module")
def usual():
    return everything()


@pytest.mark.parametrize("name", list(inputs.table()))
def test_an_input_moves_something_unless_it_is_informational(name, usual, monkeypatch):
    """An input that is accepted and ignored would be a promise that is not kept."""
    entry = inputs.entry(name)
    # 11%: steps of the acceptance pass a fine centre, edges of time a bin, and a part of sigma_alpha stays below it
    changed = {**inputs.table(), name: replace(entry, number=1.11 * entry.number or 0.01)}
    monkeypatch.setattr(inputs, "table", lambda: changed)
    assert (everything() != usual).any() != entry.informational


def test_what_is_informational_is_known():
    """A change of this list is a decision: such an input is shown, and nothing comes of it."""
    found = {name for name, entry in inputs.table().items() if entry.informational}
    checks = {"masses.m_K", "csi2017.protons_per_year", "csi2017.live_days"}
    assert found == checks | {name for name in inputs.table() if name.startswith("orientation.")}
