import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cevnsloop.experiments import csi2017
from cevnsloop.experiments.response import csi_acceptance

ROOT = Path(__file__).parents[3]
TABLES = ("counts.csv", "prompt_neutrons.csv", "arrival_times.csv")


def test_sums_of_the_release(dataset):
    # ../shared/physics.md, section 6, and the release's own bins 6 to 30 PE
    assert dataset.n_on.sum() == 547
    assert dataset.b_ss.sum() == 405
    assert dataset.n_obs.sum() == 142
    assert round(dataset.b_on.sum(), 2) == 5.42
    assert dataset.pe_edges.tolist() == list(range(6, 31, 2))
    arrival = dataset.experiment.arrival
    assert arrival["delayed"].round(4).tolist() == [0.9148]
    assert arrival["prompt"] == pytest.approx([1.0], rel=1e-12, abs=0)


def test_sigma_is_that_of_eq_34_and_of_two_poisson_counts(dataset):
    assert dataset.sigma**2 == pytest.approx(dataset.n_on + dataset.b_ss + dataset.b_on, rel=1e-15, abs=0)


def test_targets_make_up_the_detector_mass(dataset):
    from cevnsloop import units

    kg = sum(t.count * t.nuclide.atomic_mass for t in dataset.experiment.targets) / units.kg
    assert kg == pytest.approx(14.6, rel=1e-14, abs=0)
    assert [t.nuclide.symbol for t in dataset.experiment.targets] == ["Cs133", "I127"]


def test_tables_are_rebuilt_from_the_release_byte_for_byte(release, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    import build_tables

    for name, text in build_tables.build(release).items():
        assert csi2017.TABLES.joinpath(name).read_text(encoding="utf-8") == text, name


def test_the_release_is_the_one_its_checksums_name(release):
    import hashlib

    sums = (release.parent / "md5_expected_csi2017.txt").read_text(encoding="utf-8").splitlines()
    checked = 0
    for line in sums:
        digest, name = line.split()
        if (release / name).is_file():
            assert hashlib.md5((release / name).read_bytes()).hexdigest() == digest, name
            checked += 1
    assert checked >= 10


def test_the_table_builder_writes_every_table_whole(release, tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(ROOT / "tools")
    import build_tables

    build_tables.main(release, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*TABLES, "SHA256SUMS"])
    copy = csi2017.dataset(tables=tmp_path)
    assert copy.n_obs.sum() == 142
    assert "counts.csv" in capsys.readouterr().out


@pytest.fixture
def tables(tmp_path):
    folder = tmp_path / "tables"
    shutil.copytree(str(csi2017.TABLES), folder)
    return folder


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("damage", ["digit", "truncated", "empty", "binary"])
def test_a_damaged_table_is_refused_by_name(tables, name, damage):
    data = (tables / name).read_bytes()
    damaged = {
        "digit": data[:-3] + (b"1" if data[-3:-2] != b"1" else b"2") + data[-2:],
        "truncated": data[: len(data) // 2],
        "empty": b"",
        "binary": b"\xff\xfe" + data,
    }[damage]
    (tables / name).write_bytes(damaged)
    with pytest.raises(ValueError, match=rf"data table .*{name}"):
        csi2017.dataset(tables=tables)


@pytest.mark.parametrize("name", [*TABLES, "SHA256SUMS"])
def test_a_missing_table_is_named(tables, name):
    (tables / name).unlink()
    with pytest.raises(ValueError, match=rf"cannot read the data table .*({name}|counts\.csv)"):
        csi2017.dataset(tables=tables)


def test_a_table_that_is_not_listed_is_refused(tables):
    (tables / "SHA256SUMS").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match=r"counts\.csv.* states None"):
        csi2017.dataset(tables=tables)


def test_acceptance_steps_where_the_release_says():
    shape = {"a": 0.6655, "k": 0.4942, "x0": 10.8507, "zero_below": 5.0, "half_below": 6.0}
    below, half, full = csi_acceptance([4.999, 5.5, 6.0], **shape)
    assert below == 0.0
    assert half == pytest.approx(0.5 * 0.6655 / (1 + np.exp(0.4942 * (10.8507 - 5.5))), rel=1e-14, abs=0)
    assert full == pytest.approx(0.6655 / (1 + np.exp(0.4942 * (10.8507 - 6.0))), rel=1e-14, abs=0)
    assert csi_acceptance(10.8507, **shape) == 0.6655 / 2


def test_a_sharp_recoil_falls_into_one_bin(dataset):
    response = dataset.experiment.response
    seen = response.probability(np.array([5.5, 6.5, 7.5, 29.5, 30.5]) / response.pe_per_MeV)
    assert seen.shape == (5, 12)
    assert (seen > 0).sum(axis=1).tolist() == [0, 1, 1, 1, 0]
    assert seen[:, 0].tolist() == [0, response.acceptance[6], response.acceptance[7], 0, 0]
    assert seen[3, 11] == response.acceptance[29]


def test_breaks_hold_every_step_of_the_response(dataset):
    response = dataset.experiment.response
    assert response.breaks(0.05) * response.pe_per_MeV == pytest.approx(np.arange(6, 31), rel=1e-14, abs=0)


@pytest.mark.parametrize("label", ["upper", "lower"])
def test_poisson_counts_are_accepted_by_their_label(label):
    smeared = csi2017.dataset(csi2017.Settings(smearing="poisson", pe_label=label)).experiment.response
    flat = replace(smeared, acceptance=np.ones_like(smeared.acceptance))
    seen = flat.probability(10.0 / flat.pe_per_MeV)
    from scipy.stats import poisson

    first = {"upper": 7, "lower": 6}[label]
    assert seen[0] == pytest.approx(poisson.pmf([first, first + 1], 10.0).sum(), rel=1e-12, abs=0)
    assert not flat.probability(0.0).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"detector_mass_kg": 0}, "detector_mass_kg must be > 0 kg and finite, got 0.0"),
        ({"smearing": "gauss"}, "smearing must be one of none, poisson, got 'gauss'"),
        ({"pe_label": "middle"}, "pe_label must be one of upper, lower, got 'middle'"),
        ({"time_fraction": "yes"}, "time_fraction must be one of True, False, got 'yes'"),
        ({"first_bin": 0}, "first_bin must be >= 1, got 0"),
        ({"first_bin": 4.5}, "first_bin must be a whole number, got 4.5"),
        ({"last_bin": "15"}, "last_bin must be a whole number, got '15'"),
        ({"detector_mass_kg": "14.6"}, "detector_mass_kg must be a number in kg, got '14.6'"),
        ({"detector_mass_kg": [14.6, 14.6]}, "detector_mass_kg must be one number, got 2 of them"),
        ({"first_bin": 9, "last_bin": 8}, "1 <= first_bin <= last_bin, got 9, 8"),
    ],
)
def test_settings_refuse_what_they_do_not_know(changes, message):
    with pytest.raises(ValueError, match=message):
        csi2017.Settings(**changes)


def test_the_release_ends_at_bin_25():
    with pytest.raises(ValueError, match="last_bin must be <= 25 for the CsI 2017 data, got 26"):
        csi2017.dataset(csi2017.Settings(last_bin=26))


def test_the_builder_explains_itself(monkeypatch):
    import runpy

    monkeypatch.setattr(sys, "argv", ["build_tables.py"])
    with pytest.raises(SystemExit, match=r"usage: python tools/build_tables\.py RELEASE_DIR"):
        runpy.run_path(str(ROOT / "tools" / "build_tables.py"), run_name="__main__")
