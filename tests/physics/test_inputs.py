import pickle
import re
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
from particle import Particle
from scipy import constants

from cevnsloop import inputs, units
from cevnsloop.amplitudes.complete import resolved
from cevnsloop.amplitudes.exchange import COHERENT
from cevnsloop.amplitudes.partonic import PARTONIC
from cevnsloop.amplitudes.quarks import REDERIVED
from cevnsloop.amplitudes.theory import SCALARS, Theory, with_scalars
from cevnsloop.experiments import csi2017, csi2021, lar2020
from cevnsloop.fit import shapes
from cevnsloop.inputs import STANDARD, Table
from cevnsloop.model import unit_model
from cevnsloop.nucleus import nuclide
from cevnsloop.rates.events import parts
from cevnsloop.rates.varied import predict_varied

BIBLIOGRAPHY = Path(__file__).parents[2] / "book" / "references.bib"


def test_every_source_is_in_the_bibliography():
    keys = set(re.findall(r"^@\w+\{([^,\s]+),", BIBLIOGRAPHY.read_text(encoding="utf-8"), re.MULTILINE))
    missing = {name: entry.source for name, entry in inputs.table().items() if entry.source not in keys}
    assert set(missing.values()) <= {"without source"}, missing
    for name in missing:  # what is quoted from memory says how far it may be off, but for what is a choice
        entry = inputs.entry(name)
        assert entry.uncertainty or entry.range or name.startswith("oscillator."), name


def test_every_entry_is_complete():
    for name, entry in inputs.table().items():
        assert entry.symbol, name
        assert entry.unit in units.UNITS, name
        assert np.isfinite(entry.number), name
        if entry.range:
            least, most = entry.range
            assert least <= entry.number <= most, name
            assert least < most, name


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
    ({}, {}),
    ({"first_bin": 3, "last_bin": 5}, {"weak_angle": "low_energy", "moments": "cteq6l1_mz"}),
    ({}, {"moments": "cteq6l1_1300MeV"}),
)


def everything(table):
    """What the package predicts and fits with, and what shapes.py makes of it: one row of numbers for each."""
    rows = []
    for choices, theory in CHOICES:
        data = csi2017.dataset(csi2017.Settings(**choices), table)
        rows += [data.n_obs, data.b_on, data.sigma, [data.sigma_alpha, data.backgrounds["beta"].sigma]]
        for case in "AB":
            model = unit_model(case, [5.0, 200.0], 400.0, ALL_QUARKS)
            rows += parts(model, data.experiment, Theory(REDERIVED, inputs=table, **theory)).values()
        rows += parts(model, data.experiment, Theory(COHERENT, inputs=table, **theory)).values()
    data = csi2017.dataset(table=table)
    for name, part in [(name, part) for part, names in shapes.PARTS.items() for name in (*names, "light_yield")]:
        rows.append([shapes.sigma_alpha_left(data, (part,))])
        for sign in (-1, 1):
            moved = shapes.shifted(data, name, sign).experiment
            rows += [
                moved.response.acceptance,
                [moved.response.pe_per_MeV, moved.fluence, moved.targets[0].nuclide.size],
            ]
    heavy = unit_model("B", 1000.0, 6000.0, ALL_QUARKS)  # above the threshold of bottom
    rows += parts(heavy, data.experiment, Theory(PARTONIC, inputs=table)).values()
    with_all = table.changed({"nucleons.longitudinal": 1 - table.entry("nucleons.longitudinal").number})
    for case, numbers in (("A", table), ("B", table), ("B", with_all)):
        c = resolved(nuclide("Cs133", table), unit_model(case, 100.0, 300.0, ALL_QUARKS), numbers)
        rows.append([c.c1, c.c2, c.c3])
    for name in SCALARS[1:]:
        only = with_scalars(Table(tuple(one for one in table.changes if "scalar_form" not in one[0])), name)
        c = resolved(nuclide("Cs133", table), unit_model("A", 100.0, 300.0, ALL_QUARKS), only)
        rows.append([c.c1])
    rows += later(table)
    return np.concatenate([np.ravel(row) for row in rows])


def later(table):
    """What depends on the inputs of the data after 2017."""
    rows, model = [[nuclide(name, table).M for name in inputs.names("atomic_masses")]], unit_model("A", [5.0], 50.0)
    for data in (csi2021.dataset(table=table), lar2020.dataset(lar2020.Settings("absolute"), table)):
        events = predict_varied(model, data, Theory(REDERIVED, inputs=table))
        rows += [events.n, *events.changes.values(), data.b_on, [data.sigma_alpha]]
        rows.append([one.sigma for one in data.backgrounds.values()])
    return rows


@pytest.fixture(scope="module")
def usual():
    return everything(STANDARD)


@pytest.mark.parametrize("name", list(inputs.table()))
def test_an_input_moves_something_unless_it_is_informational(name, usual, monkeypatch):
    """An input that is accepted and ignored would be a promise that is not kept; so would one that reaches less than
    everything: a changed Table gives what a file with the other number would give.
    """
    # 11%: steps of the acceptance pass a fine centre, edges of time a bin, and a part of sigma_alpha stays below it
    other = 1.11 * inputs.entry(name).number or 0.01
    if inputs.entry(name).informational:
        expected = usual
        with pytest.raises(ValueError, match=f"no prediction depends on the input {name}: it is informational"):
            STANDARD.changed({name: other})
    else:
        expected = everything(STANDARD.changed({name: other}))
        assert (expected != usual).any()

    stored, moved = Table.entry, replace(inputs.entry(name), number=other)

    def as_if_stored(table, wanted):
        return moved if wanted == name and name not in dict(table.changes) else stored(table, wanted)

    monkeypatch.setattr(Table, "entry", as_if_stored)
    assert (everything(STANDARD) == expected).all()


def test_a_changed_table_is_a_value():
    table = STANDARD.changed({"quark_masses.b": 4.7, "weak_angle.msbar_mz": 0.24})
    same = STANDARD.changed({"weak_angle.msbar_mz": 0.24}).changed({"quark_masses.b": np.float64(4.7)})
    assert table == same == Table(table.changes) == pickle.loads(pickle.dumps(table))
    assert hash(table) == hash(same)
    assert len({table, same, STANDARD, Table(), STANDARD.changed({})}) == 2
    assert table != STANDARD.changed({"quark_masses.b": 4.7}) != STANDARD
    assert table.changes == (("quark_masses.b", 4.7), ("weak_angle.msbar_mz", 0.24))
    # the last number counts
    assert table.changed({"quark_masses.b": 4.8}).value("quark_masses.b") == 4800.0
    with pytest.raises(FrozenInstanceError):
        table.changes = ()


def test_a_changed_table_changes_nothing_for_anybody_else():
    before = {name: inputs.value(name) for name in inputs.table()}
    table = STANDARD.changed({"quark_masses.b": 4.7, "helm.s": 1.0})
    entry = table.entry("quark_masses.b")
    assert (entry.number, entry.unit, entry.value) == (4.7, "GeV", 4700.0)
    assert replace(entry, number=4.183) == inputs.entry("quark_masses.b")
    assert table.values("helm") == {**inputs.values("helm"), "s": units.fm}
    assert table.values("masses") == inputs.values("masses")
    assert {name: inputs.value(name) for name in inputs.table()} == before
    with pytest.raises(TypeError, match="read-only"):
        inputs.table()["quark_masses.b"] = entry


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"quark_masses.bottom": 4.7}, r"no input is called 'quark_masses.bottom'; did you mean quark_masses\.b.*\?"),
        ({"weak_angle.msbar_zm": 0.24}, r"'weak_angle.msbar_zm'; did you mean weak_angle.msbar_mz\b"),
        ({"xyzzy": 1.0}, "no input is called 'xyzzy'; see cevnsloop/data/inputs.toml"),
        ({"quark_masses": 4.7}, "no input is called 'quark_masses'"),
        ({3: 4.7}, "no input is called 3"),
        ({"lar2020.cevns": 500.0}, "no prediction depends on the input lar2020.cevns: it is informational"),
        ({"quark_masses.b": "4.7"}, "quark_masses.b must be a number in GeV, got '4.7'"),
        ({"quark_masses.b": [4.7, 4.8]}, "quark_masses.b must be one number, got 2 of them"),
        ({"quark_masses.b": np.nan}, "quark_masses.b must be > 0 GeV and finite, got nan"),
        ({"csi2017.distance": 0.0}, r"csi2017.distance must be > 0 m and finite, got 0\.0"),
        ({"weak_angle.msbar_mz": -0.2}, r"weak_angle.msbar_mz must be >= 0 and finite, got -0\.2"),
        ([("quark_masses.b", 4.7)], "inputs must be of the type Mapping"),
        (None, "inputs must be of the type Mapping"),
    ],
)
def test_a_table_refuses(numbers, message):
    with pytest.raises(ValueError, match=message):
        STANDARD.changed(numbers)
    if isinstance(numbers, dict):
        with pytest.raises(ValueError, match=message):
            Table(tuple(numbers.items()))


def test_what_is_without_a_unit_may_be_nothing():
    table = STANDARD.changed({"second_moments.mz_rounded.b": 0.0, "csi2017.sigma_alpha": 0})
    assert csi2017.dataset(table=table).sigma_alpha == 0.0
    bottom, theory = unit_model("A", 10.0, 100.0, {"b": 1.0}), Theory(inputs=table)
    (c,) = theory.amplitude.coefficients([nuclide("Cs133")], bottom, theory)
    assert c.c2 == c.c3 == 0.0 < c.c1


def test_helm_lengths_must_make_a_ball():
    with pytest.raises(ValueError, match=r"R\^2 of the Helm form factor must be > 0 MeV\^-2 and finite, got -"):
        csi2017.dataset(table=STANDARD.changed({"helm.s": 9.0}))


def predicted(case, table):
    """Parts of n(G) for all quarks, rederived, with these inputs in theory and data."""
    experiment = csi2017.dataset(table=table).experiment
    return parts(unit_model(case, 20.0, 40.0, ALL_QUARKS), experiment, Theory(REDERIVED, inputs=table))


Z_EXCHANGE, LOOPS = {"n_sm", "n_interference"}, {"n_interference", "n_loop"}
EVERYTHING = {"n_sm", "n_tree", *LOOPS}


@pytest.mark.parametrize(
    ("name", "A", "B"),
    [
        ("weak_angle.msbar_mz", Z_EXCHANGE, Z_EXCHANGE),
        ("weak_angle.low_energy", set(), set()),
        ("constants.G_F", Z_EXCHANGE, Z_EXCHANGE),
        # masses of quarks belong to Goldstone bosons, which couple to axial-vector currents only
        ("quark_masses.b", set(), LOOPS),
        ("quark_masses.d", set(), LOOPS),
        ("second_moments.mz_rounded.s", LOOPS, LOOPS),
        ("second_moments.cteq6l1_mz.s", set(), set()),
        ("scalar_form_factors.p.s", {"n_loop"}, {"n_loop"}),
        ("helm.a", EVERYTHING, EVERYTHING),
        ("masses.m_mu", EVERYTHING, EVERYTHING),
        ("csi2017.distance", EVERYTHING, EVERYTHING),
        ("csi2017.pe_per_recoil", EVERYTHING, EVERYTHING),
        ("csi2017.exposure", set(), set()),
        ("csi2017.sigma_alpha", set(), set()),
    ],
)
def test_an_input_moves_what_it_should_and_nothing_else(name, A, B):
    table = STANDARD.changed({name: 1.03 * inputs.entry(name).number})
    for case, expected in (("A", A), ("B", B - {"n_tree"})):
        before, after = predicted(case, STANDARD), predicted(case, table)
        assert {part for part, n in after.items() if (n != before[part]).any()} == expected


def test_inputs_scale_predictions_as_the_formulas_say():
    usual = predicted("A", STANDARD)
    for name, powers in {
        "constants.G_F": {"n_sm": 2, "n_tree": 0, "n_interference": 1, "n_loop": 0},
        "csi2017.distance": dict.fromkeys(usual, -2),
        "csi2017.detector_mass": dict.fromkeys(usual, 1),
    }.items():
        moved = predicted("A", STANDARD.changed({name: 1.5 * inputs.entry(name).number}))
        for part, n in usual.items():
            assert moved[part] == pytest.approx(1.5 ** powers[part] * n, rel=1e-13, abs=0)


def test_helm_lengths_are_the_size_of_nuclei():
    lengths = [f"helm.{name}" for name in inputs.names("helm") if inputs.entry(f"helm.{name}").unit == "fm"]
    experiment = csi2017.dataset().experiment
    larger = [replace(target, nuclide=replace(target.nuclide, size=1.2)) for target in experiment.targets]
    model = unit_model("A", 20.0, 40.0, ALL_QUARKS)
    expected = parts(model, replace(experiment, targets=larger), Theory(REDERIVED))
    for numbers in ({name: 1.2 * inputs.entry(name).number for name in lengths}, {"helm.size": 1.2}):
        for part, n in predicted("A", STANDARD.changed(numbers)).items():
            # where the form factor is small it loses a digit
            assert n == pytest.approx(expected[part], rel=1e-12, abs=0)


def test_figures_of_the_detector_reach_the_background_and_the_fit():
    usual = csi2017.dataset()
    moved = csi2017.dataset(
        table=STANDARD.changed({"csi2017.exposure": 15.0, "csi2017.sigma_beta": 0.3, "csi2017.pe_per_recoil": 1.3})
    )
    assert moved.b_on == pytest.approx(usual.b_on * 15.0 / inputs.value("csi2017.exposure"), rel=1e-15, abs=0)
    assert moved.backgrounds["beta"].sigma == 0.3
    assert moved.experiment.response.pe_per_MeV == 1300.0
    assert moved.counts.n_on.tolist() == usual.counts.n_on.tolist()
    assert moved.experiment.inputs.changes[1] == ("csi2017.pe_per_recoil", 1.3)


def test_what_is_informational_is_known():
    """A change of this list is a decision: such an input is shown, and nothing comes of it."""
    found = {name for name, entry in inputs.table().items() if entry.informational}
    checks = {"lar2020.cevns", "csi2017.protons_per_year", "csi2017.live_days"}
    compared = ("fitted", "fitted_error", "significance")
    checks |= {f"{data}.{name}" for data in ("csi2021", "lar2020") for name in compared}
    checks |= {"csi2021.predicted_least", "csi2021.predicted_most"}
    assert found == checks | {name for name in inputs.table() if name.startswith("orientation.")}
