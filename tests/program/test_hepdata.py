"""The submission to HEPData: valid by their own validator, and every number and label in it compared."""

import json
import re
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pyhf
import pytest
import yaml

import cevnsloop
from cevnsloop import __version__
from cevnsloop.amplitudes.theory import OF_QUARKS, Theory
from cevnsloop.experiments import csi2017
from cevnsloop.fit.limits import DELTA_CHI2
from cevnsloop.results import hepdata
from cevnsloop.results import quoted as paper
from cevnsloop.run import provenance

WRITTEN = 5e-10  # 10 significant digits are written
M_CHI = np.array([1.0, 10.0, 52.0, 300.0])
PANELS = {
    "Figure 4 top left": ("A", 10.0),
    "Figure 4 top right": ("A", 2.0),
    "Figure 4 bottom left": ("B", 10.0),
    "Figure 4 bottom right": ("B", 2.0),
}


@pytest.fixture(scope="module")
def archive(dataset, tmp_path_factory):
    path = tmp_path_factory.mktemp("hepdata") / "submission.tar.gz"
    hepdata.write(path, dataset, Theory(), M_CHI, 4.61)
    return path


def texts(path):
    """The tables of an archive and what is said of them, {name of the file: text}."""
    with tarfile.open(path) as tar:
        return {one.name: tar.extractfile(one).read().decode() for one in tar if one.name.endswith(".yaml")}


@pytest.fixture(scope="module")
def files(archive):
    return texts(archive)


@pytest.fixture(scope="module")
def head(files):
    """What is said of the whole submission."""
    return next(yaml.safe_load_all(files["submission.yaml"]))


@pytest.fixture(scope="module")
def tables(files):
    """{name: (what is said of the table, its data)}."""
    _, *tables = yaml.safe_load_all(files["submission.yaml"])
    return {table["name"]: (table, yaml.safe_load(files[table["data_file"]])) for table in tables}


def numbers(variable):
    return [entry["value"] for entry in variable["values"]]


def qualifiers(variable):
    """{name: value, or (value, unit)}."""
    return {q["name"]: (q["value"], q["units"]) if "units" in q else q["value"] for q in variable.get("qualifiers", [])}


def the(table, name):
    """The dependent variables of that name, in order."""
    found = [variable for variable in table["dependent_variables"] if variable["header"]["name"] == name]
    assert found, name
    return found


# the validator leaves the files it reads to the garbage collector
@pytest.mark.filterwarnings("ignore:unclosed file .*yaml:ResourceWarning")
# and unpacks the archive without saying how far to trust it, which Python 3.12 and 3.13 warn of
@pytest.mark.filterwarnings("ignore:Python 3.14 will, by default, filter extracted tar archives:DeprecationWarning")
def test_the_validator_of_hepdata_finds_no_fault_and_needs_no_network(archive, files, monkeypatch):
    def no_network(*args, **kwargs):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "socket", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    validator = hepdata.FullSubmissionValidator(autoload_remote_schemas=False)
    assert validator.validate(archive=str(archive)), validator.get_messages()
    valid = {kind.value: paths for kind, paths in validator.valid_files.items()}
    assert {Path(path).name for paths in valid.values() for path in paths} == set(files)
    assert len(valid["data"]) == 5


def test_equal_arguments_give_equal_bytes(archive, dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 2e9)
    hepdata.write(tmp_path / "other.tar.gz", dataset, Theory(), M_CHI, 4.61)
    assert (tmp_path / "other.tar.gz").read_bytes() == archive.read_bytes()
    hepdata.write(tmp_path / "other.tar.gz", dataset, Theory(), M_CHI, 2.71)
    assert (tmp_path / "other.tar.gz").read_bytes() != archive.read_bytes()
    with tarfile.open(archive) as tar:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in tar} == {(0, 0, 0, "", "", 0o644)}


def test_there_is_a_table_for_each_panel(tables):
    assert list(tables) == ["Figure 3", *PANELS]
    for name, (about, _) in tables.items():
        figure = name.removeprefix("Figure ").replace("4 ", "4, ") + (" panel," if name != "Figure 3" else "")
        place = f"Data from Figure {figure} of Phys. Rev. D 104 (2021) 095017, recomputed by cevnsloop {__version__}"
        assert about["location"] == place
        assert about["description"].endswith(f"{provenance.line()} of version, inputs and data tables.")
        keywords = {keyword["name"]: keyword["values"] for keyword in about["keywords"]}
        assert keywords["observables"] == ["N" if name == "Figure 3" else "CLS"]
        assert all(" --> " in reaction for reaction in keywords["reactions"])
        assert keywords["phrases"]


def test_the_bins_and_data_of_fig3(tables, dataset):
    _, table = tables["Figure 3"]
    (bins,) = table["independent_variables"]
    assert bins["header"] == {"name": "Number of photoelectrons", "units": "PE"}
    assert [(v["low"], v["high"]) for v in bins["values"]] == list(
        zip(dataset.pe_edges[:-1], dataset.pe_edges[1:], strict=True)
    )
    (data,) = the(table, "Residual events, data")
    assert data["header"]["units"] == "events / bin"
    assert qualifiers(data) == {"Data": "CsI 2017, doi 10.5281/zenodo.1228631"}
    assert numbers(data) == dataset.n_obs.tolist()
    errors = [entry["errors"] for entry in data["values"]]
    assert all(len(e) == 1 and e[0]["label"] == "stat" for e in errors)
    assert [e[0]["symerror"] for e in errors] == pytest.approx(dataset.sigma.tolist(), rel=WRITTEN, abs=0)


def test_the_curves_of_fig3(tables, dataset):
    _, table = tables["Figure 3"]
    assert len(table["dependent_variables"]) == 6
    assert all(v["header"]["units"] == "events / bin" for v in table["dependent_variables"])
    spectra = {name: paper.spectra(dataset.experiment, Theory(amplitude)) for name, amplitude in OF_QUARKS.items()}
    (sm,) = the(table, "Residual events, Standard Model")
    assert qualifiers(sm) == {}
    for curves in spectra.values():
        assert numbers(sm) == pytest.approx(curves["SM"].tolist(), rel=WRITTEN, abs=0)
    for case, current in (("A", "vector"), ("B", "axial-vector")):
        both = the(table, f"Residual events, case {case}")
        assert [qualifiers(v)["Loop amplitude"] for v in both] == ["published", "rederived"]
        for variable in both:
            named = qualifiers(variable)
            assert numbers(variable) == pytest.approx(
                spectra[named["Loop amplitude"]][case].tolist(), rel=WRITTEN, abs=0
            )
            point = paper.BENCHMARKS[case]
            assert named["Case"] == f"{case}, {current} quark current"
            assert named["Couplings"].startswith("g_d = g_s = g_b = g_q, g_chi_L = g_chi_R = g_chi")
            assert named["$m_\\chi$"] == (point.m_chi, "MeV")
            assert named["$m_{Z'}$"] == (point.m_zp, "MeV")
            assert named["$g_\\chi g_q$"] == point.g


@pytest.mark.parametrize("name", PANELS)
def test_the_panels_of_fig4(tables, dataset, name):
    about, table = tables[name]
    case, ratio = PANELS[name]
    current = {"A": "vector", "B": "axial-vector"}[case]
    assert f"case {case} ({current} quark current) and $m_{{Z'}} = {ratio:g} m_\\chi$" in about["description"]
    (masses,) = table["independent_variables"]
    assert masses["header"] == {"name": "$m_\\chi$", "units": "MeV"}
    assert numbers(masses) == M_CHI.tolist()
    limits = table["dependent_variables"]
    assert [qualifiers(v)["Loop amplitude"] for v in limits] == ["published", "rederived"]
    for variable in limits:
        assert variable["header"] == {"name": "Upper limit on $g_\\chi g_q$"}
        named = qualifiers(variable)
        curves = paper.limit_curves(M_CHI, dataset, Theory(OF_QUARKS[named["Loop amplitude"]]), 4.61)
        assert numbers(variable) == pytest.approx(curves[case, ratio].tolist(), rel=WRITTEN, abs=0)
        assert named["Case"] == f"{case}, {current} quark current"
        assert named["$m_{Z'}/m_\\chi$"] == ratio
        assert (named["CL"], named["$\\Delta\\chi^2$"]) == ((90, "%"), 4.61)
    assert len({tuple(numbers(v)) for v in limits}) == 2


def test_where_there_is_no_limit_stands_a_word(dataset, tmp_path, monkeypatch):
    real = paper.limit_curves

    def some(*arguments):
        curves = real(*arguments)
        return curves | {("A", 10.0): np.array([np.inf, np.nan, *curves["A", 10.0][2:]])}

    monkeypatch.setattr(paper, "limit_curves", some)
    hepdata.write(tmp_path / "x.tar.gz", dataset, Theory(), M_CHI, 4.61)  # what is not valid is not written
    with tarfile.open(tmp_path / "x.tar.gz") as tar:
        table = yaml.safe_load(tar.extractfile("figure_4_top_left.yaml").read())
    for variable in table["dependent_variables"]:
        first, second, *others = [row["value"] for row in variable["values"]]
        assert (first, second) == ("never", "no signal")
        assert all(isinstance(g, float) for g in others)
        assert len(others) == len(M_CHI) - 2


def test_the_submission_says_what_it_is(head):
    assert "not the authors' own" in head["comment"]
    assert (
        f"{provenance.line()}, with amplitude published, moments mz_rounded, weak_angle msbar_mz, Settings("
        in head["comment"]
    )
    assert head["data_license"]["name"] == "CC0"
    bibliography = (Path(__file__).parents[2] / "book" / "references.bib").read_text(encoding="utf-8")
    links = {link["location"] for link in head["additional_resources"]}
    for key in ("chao2021", "coherent2018release"):
        (doi,) = re.findall(rf"\{{{key},[^@]*?doi\s*=\s*\{{(.*?)\}}", bibliography)
        assert f"https://doi.org/{doi}" in links


def test_the_settings_of_the_data_are_used(files, tmp_path):
    other = csi2017.dataset(csi2017.Settings(detector_mass_kg=20, last_bin=14))
    hepdata.write(tmp_path / "other.tar.gz", other, Theory(), M_CHI, DELTA_CHI2["one parameter"])
    changed = texts(tmp_path / "other.tar.gz")
    assert "detector_mass_kg=20" in changed["submission.yaml"]
    assert len(yaml.safe_load(changed["figure_3.yaml"])["independent_variables"][0]["values"]) == 11
    (limit, _) = yaml.safe_load(changed["figure_4_top_left.yaml"])["dependent_variables"]
    expected = paper.limit_curves(M_CHI, other, Theory(OF_QUARKS["published"]), 2.71)["A", 10.0]
    assert numbers(limit) == pytest.approx(expected.tolist(), rel=WRITTEN, abs=0)
    assert qualifiers(limit)["$\\Delta\\chi^2$"] == 2.71


@pytest.mark.parametrize(
    ("name", "delta_chi2", "message"),
    [
        ("x.zip", 4.61, "a submission must be called something.tar.gz, got .*x.zip"),
        ("x.tar.gz", 4.0, "delta_chi2 must be one of 4.61, 2.71, got 4.0"),
        ("nowhere/x.tar.gz", 4.61, "the folder .*nowhere does not exist"),
    ],
)
def test_what_makes_no_sense_is_refused(dataset, tmp_path, name, delta_chi2, message):
    with pytest.raises(ValueError, match=message):
        hepdata.write(tmp_path / name, dataset, Theory(), M_CHI, delta_chi2)
    assert list(tmp_path.iterdir()) == []


def test_a_submission_with_a_fault_is_not_written(dataset, tmp_path, monkeypatch):
    twice = hepdata.tables(dataset, Theory(), M_CHI, 4.61)[:1] * 2
    monkeypatch.setattr(hepdata, "tables", lambda *args: twice)
    with pytest.raises(RuntimeError, match=r"not a valid submission: .*Duplicate table name: Figure 3"):
        hepdata.write(tmp_path / "x.tar.gz", dataset, Theory(), M_CHI, 4.61)
    assert list(tmp_path.iterdir()) == []


def test_the_import_warns_of_nothing_and_leaves_no_filter_behind():
    code = "import warnings, cevnsloop.results.hepdata; print(warnings.filters)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "hepdata_lib" not in done.stdout
    assert "jsonschema" not in done.stdout


@pytest.mark.filterwarnings("ignore:jsonschema.RefResolver is deprecated:DeprecationWarning")
def test_likelihoods_of_the_later_data_go_with_the_figures(archive, head):
    """Each is described as a HistFactory model, and its patch set belongs to its workspace, as pyhf reads both; the
    fit itself is that of tests/program/test_likelihood.py.
    """
    described = {one["location"]: one for one in head["additional_resources"] if one.get("type") == "HistFactory"}
    assert sorted(described) == [f"likelihood_{name}.tar.gz" for name in ("csi2021_A", "csi2021_B", "lar2020_A")]
    with tarfile.open(archive) as whole:
        for name, one in described.items():
            with tarfile.open(fileobj=whole.extractfile(name)) as tar:
                base, made = (json.load(tar.extractfile(f"{file}.json")) for file in ("workspace", "patchset"))
            found = pyhf.PatchSet(made)
            found.verify(base)
            data, case = name.removeprefix("likelihood_").removesuffix(".tar.gz").split("_")
            assert (data in one["description"], f"case {case}" in one["description"]) == (True, True)
            masses = np.array([patch.values for patch in found.patches])
            np.testing.assert_allclose(masses[:, 1] / masses[:, 0], hepdata.RATIO)
            wanted = cevnsloop.limit(masses[:, 0], masses[:, 1], case=case, data=data).g_limit
            np.testing.assert_allclose(masses[:, 2], wanted, rtol=1e-9)
            assert pyhf.Workspace(found.apply(base, found.patches[0].name)).model(poi_name="y").config.npars > 9
