import csv
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cevnsloop import __version__, analysis, jobs
from cevnsloop import results as package
from cevnsloop.amplitudes.quarks import PUBLISHED, REDERIVED, Quarks, loop_coefficients
from cevnsloop.amplitudes.theory import AMPLITUDES, Theory
from cevnsloop.app import cli, commands
from cevnsloop.experiments import csi2017
from cevnsloop.fit import toys
from cevnsloop.fit.limits import upper_limit
from cevnsloop.model import DOWN_TYPE, Model, unit_model
from cevnsloop.nucleus import helm, nuclide
from cevnsloop.rates.events import predict
from cevnsloop.referees.loops import loop
from cevnsloop.results import hepdata, quoted, tables
from cevnsloop.run import output, provenance

README_FIGURE = Path(__file__).parents[2] / "book" / "_static" / "fig4.png"
POINT = ["--m-chi", "10", "--m-zp", "100"]


HAVE_PAPER = [(name,) for name in ("coefficients", "limit", "scan", "spectrum", "toys", "likelihood")]


def run(capsys, *arguments):
    """The paper's own analysis: it takes milliseconds."""
    return as_typed(capsys, *arguments, *["--paper"] * (arguments[:1] in HAVE_PAPER))


def as_typed(capsys, *arguments):
    code = cli.main([str(word) for word in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def with_origin(capsys, *arguments):
    """What --json prints: where the results are from, and they themselves."""
    code, out, err = run(capsys, *arguments, "--json")
    assert (code, err) == (0, "")
    got = json.loads(out)
    return {name: got.pop(name) for name in ("cevnsloop", "digest", "chosen")}, got


def as_json(capsys, *arguments):
    return with_origin(capsys, *arguments)[1]


def chosen(capsys, *arguments):
    return with_origin(capsys, *arguments)[0]["chosen"]


def test_loops(capsys):
    got = as_json(capsys, "loops", *POINT)
    assert list(got) == ["D0b", "D1b", "D00b", "D00_ab", "D001_ab", "D11_ab"]
    for name, value in got.items():
        assert value == pytest.approx(float(loop(name, 10.0, 100.0)), rel=1e-14, abs=0)
    code, out, _ = run(capsys, "loops", *POINT)
    assert code == 0
    assert [line.split()[-1] for line in out.splitlines()] == [f"MeV^{commands.LOOP_UNITS[name]}" for name in got]


def test_coefficients(capsys):
    got = as_json(capsys, "coefficients", "--case", "B", "--m-chi", 100, "--m-zp", 1000, "--nuclide", "Cs133")
    c = loop_coefficients(unit_model("B", 100, 1000), nuclide("Cs133"), PUBLISHED, "mz_rounded")
    assert got == {name: float(getattr(c, name)) for name in ("c1", "c2", "c3")}
    half = as_json(
        *(capsys, "coefficients", "--case", "B", *POINT, "--nuclide", "I127"),
        *("--g-chi-L", 0.5, "--g-chi-R", 0.25, "--g-q", "u=2,c=1"),
    )
    c = loop_coefficients(Model("B", 10, 100, 0.5, 0.25, {"u": 2, "c": 1}), nuclide("I127"), PUBLISHED, "mz_rounded")
    assert half == {name: float(getattr(c, name)) for name in ("c1", "c2", "c3")}


def test_amplitudes_at_an_energy_and_a_recoil(capsys):
    """flip and keep are those of the amplitude; numbers of two other derivations, for unit couplings."""
    at, cs = ("--nuclide", "Cs133", "--E", 29.79, "--T", 0.01), nuclide("Cs133")
    got = as_json(capsys, "coefficients", "--case", "A", "--m-chi", 10, "--m-zp", 20, *at, "--amplitude", "coherent")
    flip, keep = (complex(got[f"{name}_real"], got[f"{name}_imag"]) for name in ("flip", "keep"))
    assert flip * cs.M * 29.79 == pytest.approx(4.315297464511e-2 + 2.835966569295e-1j, rel=1e-9, abs=0)
    assert keep == AMPLITUDES["coherent"].flip_and_keep(29.79, 0.01, unit_model("A", 10.0, 20.0), cs, Theory())[1]
    words = ("coefficients", "--case", "A", "--m-chi", 10, "--m-zp", 20, *at, "--amplitude", "coherent")
    assert {"E": 29.79, "T": 0.01}.items() <= chosen(capsys, *words).items()
    got = as_json(capsys, "coefficients", "--case", "B", "--m-chi", 100, "--m-zp", 1000, *at)
    c = loop_coefficients(unit_model("B", 100, 1000), cs, PUBLISHED, "mz_rounded")
    assert got["keep_real"] == pytest.approx(c.c2 * helm(2 * cs.M * 0.01, cs), rel=1e-14, abs=0)
    assert got["keep_imag"] == 0


def test_spectrum(capsys, dataset):
    got = as_json(capsys, "spectrum", "--case", "A", *POINT, "--g", "5e-8")
    parts_of_n = ["n_sm", "n_tree", "n_interference", "n_loop", "n_th"]
    assert list(got) == ["pe_lo", "pe_hi", *parts_of_n, "n_obs", "sigma", "b_on", "notes"]
    assert [*got["pe_lo"], got["pe_hi"][-1]] == dataset.pe_edges.tolist()
    assert got["n_obs"] == dataset.n_obs.tolist()
    events = predict(unit_model("A", 10, 100), dataset.experiment, Theory(PUBLISHED))
    assert got["n_th"] == pytest.approx(events.total(5e-8).tolist(), rel=1e-14, abs=0)
    parts = np.array([got[name] for name in ("n_sm", "n_tree", "n_interference", "n_loop")])
    assert parts.sum(axis=0) == pytest.approx(got["n_th"], rel=1e-14, abs=0)
    code, out, _ = run(capsys, "spectrum", "--case", "A", *POINT, "--g", "5e-8")
    assert code == 0
    assert len(out.splitlines()) == 14
    assert out.splitlines()[-1].split()[:2] == ["sum", "154.609"]


def test_limit(capsys, dataset):
    got = as_json(capsys, "limit", "--case", "A", "--m-chi", 1, "--m-zp", 10)
    parts_of_n = ["n_sm", "n_tree", "n_interference", "n_loop"]
    assert list(got) == ["g_limit", "g_best", "chi2_min", "loop_share", "sets_limit", *parts_of_n, "notes"]
    assert got["sets_limit"] == "tree"
    events = predict(unit_model("A", 1, 10), dataset.experiment, Theory(PUBLISHED))
    assert got["g_limit"] == float(upper_limit(events, dataset, 4.61).g_limit)
    total = sum(got[name] for name in ("n_sm", "n_tree", "n_interference", "n_loop"))
    assert total == pytest.approx(events.total(got["g_limit"]).sum(), rel=1e-13, abs=0)
    other = as_json(capsys, "limit", "--case", "A", "--m-chi", 1, "--m-zp", 10, "--delta-chi2", 2.71)
    assert other["g_limit"] < got["g_limit"]
    code, out, _ = run(capsys, "limit", "--case", "A", "--m-chi", 1, "--m-zp", 10)
    assert code == 0
    assert out.startswith("g_chi g_q < 6.529e-09")


def test_the_band_of_a_limit(capsys):
    point = ["limit", "--case", "B", "--m-chi", 53, "--m-zp", 106, "--amplitude", "complete", "--f-q", "lattice"]
    got, asked = as_json(capsys, *point, "--band"), {"case": "B", "amplitude": "complete", "f_q": "lattice"}
    found = analysis.limit(53, 106, **analysis.paper | asked, band=True)
    assert got["g_limit"] == float(found.g_limit)
    assert got["moved"]["nothing"] == pytest.approx(got["g_limit"], rel=1e-12, abs=0)
    moved = {name or "nothing": float(g) for name, g in found.band.g_limit.items()}
    assert got["moved"] == pytest.approx(moved, rel=1e-12, abs=0)
    assert got["g_band"] == [max(got["moved"].values()), min(got["moved"].values())]
    without = as_json(capsys, *point)
    assert "g_band" not in without
    assert without["g_without"]["nucleons"] > without["g_without"]["quarks"] > without["g_without"]["tree"]
    _, out, _ = run(capsys, *point, "--band")
    assert f"band {got['g_band'][1]:.4g} to {got['g_band'][0]:.4g}, of which the weakest may be quoted" in out
    assert run(capsys, "limit", "--case", "A", *POINT, "--amplitude", "published", "--band")[0] == 2


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        (["--detector-mass", "20"], {"detector_mass_kg": 20}),
        (["--no-time-fraction"], {"time_fraction": False}),
        (["--smearing", "poisson"], {"smearing": "poisson"}),
        (["--smearing", "poisson", "--pe-label", "lower"], {"smearing": "poisson", "pe_label": "lower"}),
        (["--first-bin", "5", "--last-bin", "12"], {"first_bin": 5, "last_bin": 12}),
        (["--weak-angle", "low_energy"], {"weak_angle": "low_energy"}),
        (["--moments", "cteq6l1_mz"], {"moments": "cteq6l1_mz"}),
    ],
)
def test_every_setting_can_be_changed(capsys, options, changes):
    theory = {name: changes[name] for name in ("weak_angle", "moments") if name in changes}
    chosen = csi2017.dataset(csi2017.Settings(**{k: v for k, v in changes.items() if k not in theory}))
    model = unit_model("A", 60, 120)
    expected = upper_limit(predict(model, chosen.experiment, Theory(**theory)), chosen, 4.61).g_limit
    default = as_json(capsys, "limit", "--case", "A", "--m-chi", 60, "--m-zp", 120)
    got = as_json(capsys, "limit", "--case", "A", "--m-chi", 60, "--m-zp", 120, *options)
    assert got["g_limit"] == float(expected) != default["g_limit"]


@pytest.mark.parametrize(
    ("options", "amplitude", "changes"),
    [
        (["--amplitude", "rederived"], REDERIVED, {}),
        (["--flip", "nuclear_matching"], PUBLISHED.flipped("nuclear_matching"), {}),
        (
            ["--amplitude", "rederived", "--flip", "interference", "--flip", "goldstone_box"],
            REDERIVED.flipped("interference", "goldstone_box"),
            {},
        ),
        (["--neutrinos", "mu"], PUBLISHED, {"neutrinos": "mu"}),
        (["--g-q", "u=1,d=-0.5"], PUBLISHED, {"g_q": {"u": 1, "d": -0.5}}),
    ],
)
def test_every_choice_of_theory_can_be_changed(capsys, dataset, options, amplitude, changes):
    point = ["limit", "--case", "B", "--m-chi", 60, "--m-zp", 120]
    events = predict(unit_model("B", 60, 120, **changes), dataset.experiment, Theory(amplitude))
    origin, got = with_origin(capsys, *point, *options)
    assert got["g_limit"] == float(upper_limit(events, dataset, 4.61).g_limit)
    assert got["g_limit"] != as_json(capsys, *point)["g_limit"]
    assert origin["chosen"]["amplitude"] == str(amplitude)
    assert Quarks(**origin["chosen"]["switches"]) == amplitude


MASSES = {"m_chi": 10.0, "m_zp": 100.0}
UNIT = {"g_chi_L": 1.0, "g_chi_R": 1.0}
THEORY = {"amplitude": "published", "switches": asdict(PUBLISHED), "moments": "mz_rounded", "weak_angle": "msbar_mz"}
THEORY |= {"f_q": "micromegas"}
MODEL = UNIT | THEORY | {"case": "B", "g_q": {"d": 1.0, "s": -0.5}, "inputs": {}}
DATA = {
    "data": {"name": "CsI 2017", "doi": "10.5281/zenodo.1228631"},
    "settings": asdict(csi2017.Settings(detector_mass_kg=14.6)),
}
ASKED = MODEL | DATA | {"neutrinos": "all", "delta_chi2": 4.61, "statistic": "gaussian"}
RANGE = {"m_chi_min": 1.0, "m_chi_max": 10.0, "points": 2}
FIGURES = ASKED | {"case": ["A", "B"], "g_q": dict(DOWN_TYPE), "points": 2}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("loops", MASSES),
        (
            "coefficients --nuclide I127 --g-chi-L 0.5 --moments cteq6l1_mz --set quark_masses.b=4.5",
            MASSES | MODEL
            | {"nuclide": "I127", "moments": "cteq6l1_mz", "g_chi_L": 0.5, "inputs": {"quark_masses.b": 4.5}},
        ),
        ("spectrum --g 1e-8", MASSES | ASKED | {"g": 1e-8}),
        (
            "limit --detector-mass 20 --weak-angle low_energy --neutrinos e --delta-chi2 2.71 --g-chi-L 2",
            MASSES | ASKED | {"neutrinos": "e", "delta_chi2": 2.71, "weak_angle": "low_energy", "g_chi_R": 0.5}
            | {"settings": DATA["settings"] | {"detector_mass_kg": 20.0}},
        ),
        ("scan --ratio 2", RANGE | ASKED | {"ratio": 2.0}),
        (
            "scan --m-zp-min 2 --m-zp-max 20 --m-zp-points 2 --statistic poisson",
            RANGE | ASKED | {"m_zp_min": 2.0, "m_zp_max": 20.0, "m_zp_points": 2, "statistic": "poisson"},
        ),
        ("toys --ratio 2 --toys 9 --seed 1", RANGE | ASKED | {"ratio": 2.0, "toys": 9, "seed": 1}),
        ("figures --points 2", FIGURES),
        (
            "hepdata --points 2 --last-bin 14",
            FIGURES | {"amplitude": ["published", "rederived"], "settings": DATA["settings"] | {"last_bin": 14}},
        ),
    ],
    ids=lambda value: value.split()[0] if isinstance(value, str) else "",
)  # fmt: skip
def test_json_holds_all_that_was_chosen_and_what_it_was_computed_from(capsys, tmp_path, command, expected):
    words = command.split()
    given = [] if words[0] in ("figures", "hepdata") else ["--case", "B", "--g-q", "d=1,s=-0.5"]
    given += ["--m-chi-min", "1", "--m-chi-max", "10", "--points", "2"] if words[0] in ("scan", "toys") else []
    given += POINT if MASSES.items() <= expected.items() else []
    given += ["--out", tmp_path / "out.tar.gz"] if "points" in expected else []
    origin, _ = with_origin(capsys, *words, *(given if words[0] != "loops" else POINT))
    if words[0] in ("figures", "hepdata", "coefficients"):
        for name in ("neutrinos", "statistic", *(("switches",) if words[0] == "hepdata" else ())):
            origin["chosen"].pop(name, None)
            expected = {key: value for key, value in expected.items() if key != name}
    assert origin == {**provenance.stamp(), "chosen": {"command": words[0], **expected}}


def read(path):
    lines = path.read_text().splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    return [line for line in lines if line.startswith("#")], {k: [float(r[k]) for r in rows] for k in rows[0]}


PLANE = ["scan", "--case", "A", "--paper", "--m-chi-min", "1", "--m-chi-max", "1000"]
SCAN = [*PLANE[:4], "--ratio", "10", *PLANE[4:]]


def test_scan(capsys, dataset, tmp_path):
    out = tmp_path / "limits.csv"
    got = as_json(capsys, *SCAN, "--points", 7, "--out", out)
    head, table = read(out)
    assert head[0] == "# %ECSV 1.0"
    for text in (
        f"cevnsloop {__version__}: upper limits g_limit on g_chi g_q",
        "{name: m_zp, unit: MeV, datatype: float64}",
        "m_zp = 10 m_chi, 7 points from 1 to 1000 MeV",
        "case A",
        "10.5281/zenodo.1228631",
    ):
        assert any(text in line for line in head), text
    masses = np.geomspace(1, 1000, 7)
    events = predict(unit_model("A", masses, 10 * masses), dataset.experiment, Theory(PUBLISHED))
    expected = upper_limit(events, dataset, 4.61)
    assert list(table) == ["m_chi", "m_zp", "g_limit", "g_best", "chi2_min", "loop_share"]
    assert got["out"] == str(out)
    assert got["g_limit"] == pytest.approx(expected.g_limit.tolist(), rel=1e-12, abs=0)
    assert table["g_limit"] == pytest.approx(expected.g_limit.tolist(), rel=1e-9, abs=0)
    assert table["m_zp"] == pytest.approx((10 * masses).tolist(), rel=1e-9, abs=0)


def test_a_scan_of_one_point(capsys, tmp_path):
    code, out, err = run(capsys, *SCAN[:-1], "1", "--points", 1, "--out", tmp_path / "one.csv")
    assert (code, err) == (0, "")
    assert "1 limits written" in out


def test_a_plane_takes_every_m_chi_at_each_m_zp(capsys, dataset, tmp_path):
    out, plane = tmp_path / "plane.csv", ["--m-zp-min", "20", "--m-zp-max", "2000", "--m-zp-points", "3"]
    got = as_json(capsys, *PLANE, "--points", 2, *plane, "--out", out)
    m_chi, m_zp = np.array([1.0, 1000.0]), np.array([[20.0], [200.0], [2000.0]])
    expected = upper_limit(predict(unit_model("A", m_chi, m_zp), dataset.experiment, Theory(PUBLISHED)), dataset, 4.61)
    assert got["m_chi"] == [1.0, 1000.0] * 3
    assert got["m_zp"] == pytest.approx(np.repeat(m_zp, 2).tolist(), rel=1e-14, abs=0)
    # the same models in another arrangement: sums may be taken in another order
    assert got["g_limit"] == pytest.approx(expected.g_limit.ravel().tolist(), rel=1e-12, abs=0)
    head, table = read(out)
    assert comments(head, "m_chi") == [
        "m_chi 2 points from 1 to 1000 MeV, at each m_zp of 3 points from 20 to 2000 MeV"
    ]
    assert table["g_limit"] == pytest.approx(got["g_limit"], rel=5e-10, abs=0)  # 10 digits are written


def test_a_scan_in_pieces_is_the_scan_by_any_workers(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(analysis, "PIECE", 5)
    plane = [*PLANE, "--m-zp-min", "20", "--m-zp-max", "2000", "--m-zp-points", "4", "--points", "3"]
    for name, arguments in {"curve": [*SCAN, "--points", "12"], "plane": plane}.items():
        one, two, three = (tmp_path / f"{name}{n}.csv" for n in (1, 2, 3))
        assert run(capsys, *arguments, "--out", one) == (0, f"12 limits written to {one}\n", "")
        assert run(capsys, *arguments, "--out", two, "--workers", 2) == (0, f"12 limits written to {two}\n", "")
        with ThreadPoolExecutor(2) as executor:
            assert cli.main([*arguments, "--out", str(three)], executor) == 0
        assert one.read_bytes() == two.read_bytes() == three.read_bytes()
        assert len(read(one)[1]["g_limit"]) == 12
        capsys.readouterr()


def test_what_cannot_go_on_does_not_promise_to(capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(analysis, "limit_of", interrupted)
    assert cli.main(["limit", "--case", "A", "--m-chi", "10", "--m-zp", "100"]) == 130
    assert capsys.readouterr().err == "cevnsloop: interrupted\n"


def test_a_limit_names_the_statistic_and_gives_the_level_whole(capsys):
    words = "limit --case A --m-chi 10 --m-zp 100 --statistic poisson --delta-chi2 2.70554345"  # more than six digits
    assert cli.main(words.split()) == 0
    assert re.search(r"^-2 ln L \(Poisson\) = [\d.]+ \+ 2\.70554345; best fit", capsys.readouterr().out, re.MULTILINE)


def test_the_head_of_a_table_gives_its_masses_whole(tmp_path):
    out = tmp_path / "scan.csv"
    words = f"scan --case A --ratio 2 --m-chi-min 1.23456789 --m-chi-max 2 --points 2 --out {out}"
    assert cli.main(words.split()) == 0
    assert "2 points from 1.23456789 to 2 MeV" in out.read_text()


def test_an_interrupted_scan_says_so_and_goes_on(capsys, tmp_path, monkeypatch):
    out, part = tmp_path / "limits.csv", tmp_path / "limits.csv.part"
    real, calls = jobs.predict_varied, []

    def interrupted(model, *rest):
        calls.append(model.m_chi.size)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(model, *rest)

    monkeypatch.setattr(analysis, "PIECE", 50)
    monkeypatch.setattr(jobs, "predict_varied", interrupted)
    arguments = [*SCAN, "--points", 120, "--out", out]
    code, _, err = run(capsys, *arguments)
    assert code == 130
    assert err == "cevnsloop: interrupted; the same command goes on from here\n"
    assert list(tmp_path.iterdir()) == [part]
    part.write_bytes(part.read_bytes()[:-1])
    code, _, err = run(capsys, *arguments)
    assert code == 0
    assert err == f"cevnsloop: {part}: 1 damaged record dropped, to be computed again\n"
    assert calls == [50, 50, 20, 50, 20]
    assert list(tmp_path.iterdir()) == [out]
    assert len(read(out)[1]["g_limit"]) == 120


def interrupted_once(monkeypatch, name):
    """Interrupt the task of that name at its second piece; returns the pieces that it is asked for."""
    task, calls = getattr(jobs, name), []

    def interrupted(job, piece):
        calls.append(piece)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return task(job, piece)

    monkeypatch.setattr(jobs, name, interrupted)
    return calls


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--m-chi-max", "1000.0000000000001"),
        ("--points", "121"),
        ("--case", "B"),
        ("--g-q", "d=1"),
        ("--delta-chi2", "4.610000000000001"),
        ("--detector-mass", "14.7"),
        ("--flip", "gluon_kernel"),
        ("--neutrinos", "e"),
        ("--no-time-fraction", None),
    ],
)
def test_another_option_starts_anew(capsys, tmp_path, monkeypatch, option, value):
    """Even where the numbers of the head, with six digits, are the same."""
    monkeypatch.setattr(analysis, "PIECE", 60)
    calls = interrupted_once(monkeypatch, "limits")
    arguments = [*SCAN, "--points", 120, "--out", tmp_path / "limits.csv"]
    assert run(capsys, *arguments)[0] == 130
    part = tmp_path / "limits.csv.part"
    other = part.read_bytes()
    code, _, err = run(capsys, *arguments, *([option] if value is None else [option, value]))
    assert code == 0
    assert err == f"cevnsloop: {part} is of other settings, or damaged: kept as {part.name}.1, this run starts anew\n"
    assert part.with_name(f"{part.name}.1").read_bytes() == other
    assert calls[2:] == [(0, 60), (60, 120), (120, 121)][: len(calls) - 2]
    assert len(calls) >= 4


TOYS = ["toys", *SCAN[1:], "--points", "3", "--toys", "50", "--seed", "4"]


def test_toys(capsys, dataset, tmp_path):
    out = tmp_path / "toys.csv"
    got = as_json(capsys, *TOYS, "--out", out, "--delta-chi2", 2.71)
    events = predict(
        unit_model("A", [1.0, 10**1.5, 1000.0], [10.0, 10**2.5, 1e4]), dataset.experiment, Theory(PUBLISHED)
    )
    limits = upper_limit(events, dataset, 2.71).g_limit
    assert got["g_limit"] == pytest.approx(limits.tolist(), rel=1e-12, abs=0)
    # the same toys at every mass, whatever it is computed with: sums may be taken in another order
    expected = toys.bands(events, dataset, 2.71, 50, 4).g_limit
    for (name, band), column in zip(expected.items(), ("m2", "m1", "median", "p1", "p2"), strict=True):
        assert got[f"expected_{column}"] == pytest.approx(band.tolist(), rel=1e-12, abs=0), name
    found = toys.feldman_cousins(events, dataset, 0.9, 50, 4).g_limit
    assert got["g_fc"] == pytest.approx(found.tolist(), rel=1e-9, abs=0)
    for n, g in enumerate(limits):
        assert got["coverage"][n] == toys.coverage(events.at([n]), [g], dataset, [2.71], 50, 4).fractions[2.71][0]
    assert got["left_out"] == [0, 0, 0]
    head, table = read(out)
    assert len(comments(head, "50 toys, seed 4")) == 1
    assert table["g_fc"] == pytest.approx(got["g_fc"], rel=5e-10, abs=0)


def test_what_is_not_finite_is_null_in_json(capsys, tmp_path):
    low = [*TOYS, "--out", tmp_path / "toys.csv", "--delta-chi2", 12.5]  # more than alpha lets most toys rise
    got = as_json(capsys, *low)
    assert None in got["expected_p2"]
    assert [word == "never" for word in got["expected_p2_is"]] == [value is None for value in got["expected_p2"]]
    assert any(np.isinf(value) for value in read(tmp_path / "toys.csv")[1]["expected_p2"])


def comments(head, start):
    """Comments in the head of a table that begin so, without their marks."""
    lines = (line[line.index('"') + 1 : -1] for line in head if line.startswith('#   - "'))
    return [line for line in lines if line.startswith(start)]


def lines_on_limits(head):
    return comments(head, "no limit at")


def test_a_scan_says_where_there_is_no_limit_and_why(capsys, tmp_path, monkeypatch):
    """A plane of five pieces in which alpha absorbs light and heavy signals, and one without any signal."""
    monkeypatch.setattr(analysis, "PIECE", 7)
    out = tmp_path / "plane.csv"
    plane = ["scan", "--case", "A", "--m-chi-min", "1", "--m-chi-max", "1000", "--points", "6", "--out", str(out)]
    plane += ["--m-zp-min", "1", "--m-zp-max", "1000", "--m-zp-points", "6", "--delta-chi2", "13"]
    code, printed, err = run(capsys, *plane, "--json")
    got, (head, table) = json.loads(printed), read(out)
    never = np.isinf(table["g_limit"])
    assert code == 0
    assert 0 < never.sum() < 36
    words = f"no limit at {never.sum()} of 36 points: {never.sum()} inf, where chi2 never rises by 13 because alpha can"
    assert err.startswith(f"cevnsloop: {words}")
    assert lines_on_limits(head) == [err.removeprefix("cevnsloop: ").strip()]
    assert got["g_limit_is"] == ["never" if row else "reached" for row in never]
    assert [g is None for g in got["g_limit"]] == never.tolist()
    assert np.isfinite(table["g_best"]).all()

    got = json.loads(run(capsys, *plane, "--g-q", "d=0", "--json")[1])
    head, table = read(out)
    assert lines_on_limits(head) == [
        "no limit at 36 of 36 points: 36 nan, where no signal is expected in the bins of the fit"
    ]
    assert set(got["g_limit_is"]) == {"no signal"}
    assert set(got["g_limit"]) == set(got["g_best"]) == {None}
    assert np.isnan(table["g_limit"]).all()
    assert run(capsys, *SCAN, "--points", 4, "--out", out) == (0, f"4 limits written to {out}\n", "")
    assert lines_on_limits(read(out)[0]) == []


def test_toys_without_a_limit_or_a_signal(capsys, tmp_path):
    out = tmp_path / "toys.csv"
    got = json.loads(run(capsys, *TOYS, "--out", out, "--delta-chi2", "40", "--json")[1])
    assert got["g_limit_is"] == got["expected_median_is"] == ["never"] * 3
    assert got["coverage"] == [None] * 3  # nothing to hold
    assert got["g_fc_is"] == ["reached"] * 3  # at 90%, whatever delta_chi2 is
    assert len(lines_on_limits(read(out)[0])) == 1
    got = json.loads(run(capsys, *TOYS, "--out", out, "--g-q", "d=0", "--json")[1])
    for name in ("g_limit", "expected_m2", "expected_p2", "g_fc"):
        assert got[name] == [None] * 3
        assert got[f"{name}_is"] == ["no signal"] * 3
    assert got["coverage"] == [None] * 3


def test_toys_that_cannot_be_fitted_are_counted_and_bins_that_no_toy_fills_refused(capsys, tmp_path):
    """In the bin of 2 to 4 PE three counts are expected with the beam on and off, below it none at all."""
    out = tmp_path / "toys.csv"
    code, printed, err = run(capsys, *TOYS, "--toys", "400", "--out", out, "--first-bin", "2", "--json")
    left_out = np.array(json.loads(printed)["left_out"])
    # exp(-6) of 400 toys for bands, of as many for the coverage, and of nine times as many for Feldman and Cousins
    assert (abs(left_out - 11 * 400 * np.exp(-6)) < 5 * np.sqrt(11 * 400 * np.exp(-6))).all()
    said = f"{left_out.sum():.0f} toys left out: a bin has neither counts nor beam-on background, sigma_stat = 0"
    assert (code, err) == (0, f"cevnsloop: {said}\n")
    head, table = read(out)
    assert comments(head, said) == [said]
    assert list(table["left_out"]) == left_out.tolist()
    out.unlink()
    code, printed, err = run(capsys, *TOYS, "--out", out, "--first-bin", "1")
    assert (code, printed) == (2, "")
    assert (
        err == "cevnsloop: none of 50 toys can be fitted, sigma_stat is 0 in Eq. (34): no count in bin 1 (0 to 2 PE)\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_g_fc_that_is_not_found(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(toys, "FRACTIONS", np.array([0.1, 0.2]))
    got = as_json(capsys, *TOYS, "--out", tmp_path / "toys.csv")
    assert got["g_fc"] == [None] * 3
    assert got["g_fc_is"] == ["not found"] * 3
    assert got["g_limit_is"] == ["reached"] * 3


def test_toys_by_any_workers(capsys, tmp_path):
    one, two, three = (tmp_path / f"{n}.csv" for n in (1, 2, 3))
    assert run(capsys, *TOYS, "--out", one) == (0, f"3 masses with 50 toys each written to {one}\n", "")
    assert run(capsys, *TOYS, "--out", two, "--workers", 2)[0] == 0
    with ThreadPoolExecutor(2) as executor:
        assert cli.main([*TOYS, "--out", str(three)], executor) == 0
    assert one.read_bytes() == two.read_bytes() == three.read_bytes()


def test_toys_go_on_after_an_interrupt(capsys, tmp_path, monkeypatch):
    whole, out = tmp_path / "whole.csv", tmp_path / "toys.csv"
    assert run(capsys, *TOYS, "--out", whole)[0] == 0
    calls = interrupted_once(monkeypatch, "toy_limits")
    assert run(capsys, *TOYS, "--out", out)[0] == 130
    assert run(capsys, *TOYS, "--out", out)[0] == 0
    assert calls == [(0, 2), (2, 3), (2, 3)]
    assert out.read_bytes() == whole.read_bytes()


def test_figures(capsys, dataset, tmp_path):
    folder = tmp_path / "new" / "figures"
    got = as_json(capsys, "figures", "--out", folder, "--points", 5)
    names = ["fig3.png", "fig3.pdf", "fig3.csv", "fig4.png", "fig4.pdf", "fig4.csv"]
    assert got["files"] == [str(folder / name) for name in names]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert (folder / "fig3.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "fig4.pdf").read_bytes().startswith(b"%PDF")
    m_chi = np.geomspace(1, 1000, 5)
    curves = quoted.limit_curves(m_chi, dataset, Theory(PUBLISHED), 4.61)
    written = {
        "fig3": tables.fig3(quoted.spectra(dataset.experiment, Theory(PUBLISHED)), dataset, Theory(PUBLISHED)),
        "fig4": tables.fig4(m_chi, curves, dataset, Theory(PUBLISHED), 4.61),
    }
    for name, table in written.items():
        assert (folder / f"{name}.csv").read_text() == output.table(*table)
        assert Image.open(folder / f"{name}.png").text["Description"] == output.table(*table)


def test_figures_of_another_amplitude_say_so(capsys, dataset, tmp_path):
    choices = ["--amplitude", "rederived", "--delta-chi2", "2.71", "--detector-mass", "20", "--points", 2]
    as_json(capsys, "figures", "--out", tmp_path, *choices)
    head, fig4 = read(tmp_path / "fig4.csv")
    assert comments(head, "delta_chi2") == ["delta_chi2 2.71"]
    assert "detector_mass_kg=20.0" in comments(head, "CsI 2017")[0]
    assert comments(head, "digest") == [f"digest {provenance.digest()} of version, inputs and data tables"]
    other = csi2017.dataset(csi2017.Settings(detector_mass_kg=20))
    limits = quoted.limit_curves(np.array([1.0, 1000.0]), other, Theory(REDERIVED), 2.71)
    # 10 digits are written
    assert fig4["g_limit_A_ratio2"] == pytest.approx(limits["A", 2.0].tolist(), rel=5e-10, abs=0)
    for found in (head, read(tmp_path / "fig3.csv")[0]):
        assert comments(found, "amplitude")[0].startswith("amplitude rederived, ")


def test_the_figure_of_the_readme_is_the_one_drawn_today(dataset, tmp_path):
    """The picture carries its curves, and what they are: both must be what the package computes now.

    Which inputs it was drawn from is not compared: a digest changes with every word of their table.
    """
    (tmp_path / "fig4.csv").write_text(Image.open(README_FIGURE).text["Description"])
    head, stored = read(tmp_path / "fig4.csv")
    m_chi = np.array(stored["m_chi"])
    today = tables.fig4(
        m_chi, quoted.limit_curves(m_chi, dataset, Theory(PUBLISHED), 4.61), dataset, Theory(PUBLISHED), 4.61
    )
    written = output.header(today.title, today.units, today.settings).splitlines()
    stored_head, head = ([x for x in lines if not x.startswith('#   - "digest ')] for lines in (head, written))
    assert stored_head == head
    assert list(stored) == list(today.columns)
    for column, curve in zip(stored.values(), today.columns.values(), strict=True):
        # masses are stored with 10 digits, and a limit varies at most like their 60th power, at the edge
        assert column == pytest.approx(curve.tolist(), rel=60 * 1e-10, abs=0)


def test_hepdata(capsys, dataset, tmp_path):
    got = as_json(capsys, "hepdata", "--out", tmp_path / "cli.tar.gz", "--points", 3, "--delta-chi2", 2.71)
    assert got == {"out": str(tmp_path / "cli.tar.gz")}
    hepdata.write(tmp_path / "package.tar.gz", dataset, Theory(), np.geomspace(1, 1000, 3), 2.71)
    assert (tmp_path / "cli.tar.gz").read_bytes() == (tmp_path / "package.tar.gz").read_bytes()
    code, out, err = run(capsys, "hepdata", "--out", tmp_path / "cli.tar.gz", "--points", 3, "--last-bin", 14)
    assert (code, err) == (0, "")
    assert out == f"a HEPData submission, found valid, written to {tmp_path / 'cli.tar.gz'}\n"
    assert (tmp_path / "cli.tar.gz").read_bytes() != (tmp_path / "package.tar.gz").read_bytes()


def test_hepdata_asks_for_the_package_it_needs(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "cevnsloop.results.hepdata")
    monkeypatch.delattr(package, "hepdata")
    monkeypatch.setitem(sys.modules, "hepdata_lib", None)  # as if it were not there
    code, out, err = run(capsys, "hepdata", "--out", "submission.tar.gz", "--points", 3)
    assert (code, out) == (2, "")
    assert err.startswith("cevnsloop: this command needs the package hepdata-lib, pip install hepdata-lib (")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["loops", "--m-chi", "-3", "--m-zp", "1"], "m_chi must be > 0 MeV and finite, got -3.0"),
        (["loops", "--m-chi", "nan", "--m-zp", "1"], "m_chi must be > 0 MeV and finite, got nan"),
        (["loops", "--m-chi", "1", "--m-zp", "inf"], "m_zp must be > 0 MeV and finite, got inf"),
        (["loops", "--m-chi", "heavy", "--m-zp", "1"], "argument --m-chi: invalid float value: 'heavy'"),
        (["loops", "--m-chi", "1"], "the following arguments are required: --m-zp"),
        (["limit", "--case", "C", *POINT], "case must be one of A, B, got 'C'"),
        (
            ["limit", "--case", "A", *POINT, "--amplitude", "mine"],
            "amplitude must be one of published, rederived, partonic, coherent, complete, got 'mine'",
        ),
        (["limit", "--case", "A", *POINT, "--flip", "sign"], "switch must be one of nuclear_matching, goldstone_box"),
        (["limit", "--case", "A", *POINT, "--neutrinos", "tau"], "neutrinos must be one of all, e, mu, got 'tau'"),
        (
            ["limit", "--case", "A", *POINT, "--delta-chi2", "1e-300"],
            "delta_chi2 must be >= 1e-06, above the rounding of chi^2, got 1e-300",
        ),
        (["limit", "--case", "A", *POINT, "--delta-chi2", "0"], "delta_chi2 must be > 0 and finite, got 0.0"),
        (
            ["limit", "--case", "A", *POINT, "--delta-chi2", "99"],
            "no limit: chi2 never rises by 99: the most it rises is 1",
        ),
        (["limit", "--case", "A", *POINT, "--g-q", "d"], "look like d=1,s=1,b=1, got 'd'"),
        (["limit", "--case", "A", *POINT, "--g-q", "d=x"], "look like d=1,s=1,b=1, got 'd=x'"),
        (["limit", "--case", "A", *POINT, "--g-q", "t=1"], "flavour must be one of u, d, s, c, b, got 't'"),
        (["limit", "--case", "A", *POINT, "--g-q", "d=0"], "no limit: no signal is expected in the bins of the fit"),
        (["limit", "--case", "A", *POINT, "--last-bin", "26"], "last_bin must be <= 25"),
        (
            ["limit", "--case", "A", *POINT, "--first-bin", "1", "--last-bin", "2"],
            "accepts, got bins 1 to 2 (0 to 4 PE)",
        ),
        (["spectrum", "--case", "A", *POINT, "--g", "-1e-8"], "g must be >= 0 and finite, got -1e-08"),
        (["loops", "--m-chi", "-inf", "--m-zp", "-1e-3"], "m_chi must be > 0 MeV and finite, got -inf"),
        (
            ["coefficients", "--case", "A", *POINT, "--nuclide", "I127", "--E", "30"],
            "E and T go together",
        ),
        (
            ["coefficients", "--case", "A", *POINT, "--nuclide", "Cs133", "--E", "30", "--T", "0.02"],
            "T must be <= 0.01454 MeV for E = 30 MeV, got 0.02",
        ),
        (
            ["coefficients", "--case", "A", *POINT, "--nuclide", "Xe"],
            "Xe136, got 'Xe'",
        ),
        (
            ["coefficients", "--case", "A", *POINT, "--nuclide", "I127", "--g-chi-L", "-1"],
            "g_chi_L must be >= 0",
        ),
        ([*SCAN, "--points", "0", "--out", "x.csv"], "points must be from 1 to 10000000, got 0"),
        ([*SCAN[:-1], "0.5", "--points", "3", "--out", "x.csv"], "0 < min <= max in MeV, got 1.0 and 0.5"),
        (
            [*SCAN, "--points", "3", "--out", "no/such/folder/x.csv"],
            "the folder no/such/folder does not exist",
        ),
        (
            [*SCAN, "--ratio", "-1", "--points", "3", "--out", "x.csv"],
            "ratio must be > 0 and finite, got -1.0",
        ),
        ([*SCAN, "--points", "3", "--out", "x.csv", "--workers", "0"], "workers must be >= 1, got 0"),
        (
            [*SCAN, "--points", "3", "--out", "x.csv", "--workers", "2", "--dask", "tcp://localhost:8786"],
            "argument --dask: not allowed with argument --workers",
        ),
        ([*TOYS, "--out", "x.csv", "--toys", "0"], "toys must be from 1 to 1000000, got 0"),
        ([*TOYS, "--out", "x.csv", "--seed", "-1"], "seed must be >= 0, got -1"),
        ([*TOYS, "--out", "x.csv", "--ratio", "0"], "ratio must be > 0 and finite, got 0.0"),
        ([*TOYS, "--out", "x.csv", "--case", "C"], "case must be one of A, B, got 'C'"),
        ([*PLANE, "--points", "3", "--out", "x.csv"], "a scan needs either --ratio or all of --m-zp-min, --m-zp-max"),
        (
            [*PLANE, "--points", "3", "--out", "x.csv", "--m-zp-min", "1", "--m-zp-max", "2"],
            "a scan needs either --ratio or all of --m-zp-min, --m-zp-max, --m-zp-points",
        ),
        (
            [*SCAN, "--points", "3", "--out", "x.csv", "--m-zp-points", "2"],
            "a scan needs either --ratio or all of --m-zp-min, --m-zp-max, --m-zp-points",
        ),
        (
            [*PLANE, *["--points", "3", "--out", "x.csv", "--m-zp-min", "3", "--m-zp-max", "2", "--m-zp-points", "2"]],
            "m_zp must satisfy 0 < min <= max in MeV, got 3.0 and 2.0",
        ),
        (
            [*PLANE, *["--points", "3", "--out", "x.csv", "--m-zp-min", "2", "--m-zp-max", "3", "--m-zp-points", "0"]],
            "m_zp_points must be from 1 to 10000000, got 0",
        ),
        (["hepdata", "--out", "x.zip"], "must be called something.tar.gz, got x.zip"),
        (["hepdata", "--out", "no/such/folder/x.tar.gz"], "the folder no/such/folder does not exist"),
        (["hepdata", "--out", "x.tar.gz", "--delta-chi2", "3"], "delta_chi2 must be one of 4.61, 2.71, got 3.0"),
        (["hepdata", "--out", "x.tar.gz", "--points", "0"], "points must be from 1 to 100000, got 0"),
        (["hepdata", "--out", "x.tar.gz", "--last-bin", "26"], "last_bin must be <= 25"),
        (["figures", "--out", "x", "--points", "0"], "points must be from 1 to 100000, got 0"),
        (["figures", "--out", "x", "--points", "100001"], "points must be from 1 to 100000, got 100001"),
        ([*SCAN, "--points", "100000000000", "--out", "x.csv"], "points must be from 1 to 10000000, got 100000000000"),
        (
            [*PLANE, "--out", "x", "--points", "4000", "--m-zp-min", "2", "--m-zp-max", "3", "--m-zp-points", "4000"],
            "points times m_zp_points must be from 1 to 10000000, got 16000000",
        ),
        ([*TOYS, "--out", "x.csv", "--toys", "1" + 400 * "0"], "toys must be from 1 to 1000000, got 1"),
        ([*TOYS, "--out", "x.csv", "--seed", "-1" + 400 * "0"], "seed must be >= 0, got -1"),
        ([*SCAN, "--points", "3", "--out", ""], "argument --out: must name what to write to"),
        ([*TOYS, "--out", "-"], "argument --out: must name what to write to (./- for a file called -), got '-'"),
        (["limit", "--case", "A", *POINT, "--g-q", "d=1,d=2"], "g_q must name each flavour once, got 'd=1,d=2'"),
        (
            ["coefficients", "--case", "A", *POINT, "--nuclide", "I127", "--g-q", "d=1e155"],
            "g_q['d'] must be at most 1e+100 in magnitude, got 1e+155",
        ),
        (["loops", "--m-chi", "1e200", "--m-zp", "1e200"], "m_chi must be from 1e-06 to 1e+09 MeV, got 1e+200"),
        (
            ["coefficients", "--case", "A", "--m-chi", "1e-200", "--m-zp", "1e-160", "--nuclide", "I127"],
            "m_chi must be from 1e-06 to 1e+09 MeV, got 1e-200",
        ),
        (["spectrum", "--case", "A", *POINT, "--g", "1e200"], "n_tree at this g must be finite, got inf"),
        (
            ["limit", "--case", "A", "--m-chi", "1", "--m-zp", "1e-100"],
            "m_zp must be from 1e-06 to 1e+09 MeV, got 1e-100",
        ),
        ([*SCAN, "--points", "3", "--out", "x.csv", "--ratio", "1e308"], "m_zp must be > 0 MeV and finite, got inf"),
        (["limt"], "no command is called 'limt': did you mean limit?"),
        (
            ["tree"],
            "no command is called 'tree': there are loops, coefficients, spectrum, limit, scan, toys, plot, figures",
        ),
        (["loops", "--mchi", "1", "--m-zp", "1"], "loops has no option --mchi: did you mean --m-chi?"),
        (["limit", "--case", "A", *POINT, "--dleta-chi2=2.71"], "no option --dleta-chi2: did you mean --delta-chi2?"),
        (["limit", "--case", "A", *POINT, "-json"], "limit has no option -json: did you mean --json?"),
        (["limit", "--case", "A", *POINT, "--xyz"], "limit has no option --xyz: see limit --help"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_errors_are_one_line_and_leave_nothing_behind(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("cevnsloop: ")
    assert err.count("\n") == 1
    assert message in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="not every system has such nodes")
@pytest.mark.parametrize(
    ("command", "place"),
    [
        ([*SCAN, "--points", "3"], "x.csv"),
        ([*SCAN, "--points", "3"], "x.csv.part"),
        (TOYS, "x.csv"),
        (["hepdata"], "x.tar.gz"),
        (["figures"], "x"),
        (["figures"], "x/fig4.csv"),
    ],
)
def test_what_is_no_ordinary_file_is_refused_before_anything_is_computed(capsys, monkeypatch, tmp_path, command, place):
    def computed(*_):
        raise AssertionError

    monkeypatch.setattr(jobs, "predict_varied", computed)
    monkeypatch.setattr(quoted, "predict", computed)
    node = tmp_path / place
    node.parent.mkdir(exist_ok=True)
    for make in (os.mkfifo, lambda path: path.symlink_to("nowhere"), lambda path: path.touch(0o444)):
        make(node)
        before = node.lstat()
        code, out, err = run(capsys, *command, "--out", tmp_path / place.split("/")[0].removesuffix(".part"))
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith("cevnsloop: cannot write")
        assert node.lstat() == before
        assert list(node.parent.iterdir()) == [node]
        node.unlink()


def shell(line, **environment):
    """Exit code, output and errors of a line of sh, with `cevnsloop` in it."""
    program = f'cevnsloop() {{ "{sys.executable}" -m cevnsloop "$@"; }}\n{line}'
    done = subprocess.run(["sh", "-c", program], capture_output=True, env=os.environ | environment)
    return done.returncode, done.stdout, done.stderr


LIMIT = "cevnsloop limit --paper --case A --m-chi 1 --m-zp 10"
TWO_POINTS = "cevnsloop scan --paper --case A --ratio 2 --m-chi-min 1 --m-chi-max 2 --points 2 --out"
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"({LIMIT} --json; echo $? >&2) | :", (0, b"", b"141\n")),
        ("cevnsloop limit --help | :", (0, b"", b"")),
        ("{ (cevnsloop limt; echo $? >&3) 2>&1 >&3 | :; } 3>&1", (0, b"2\n", b"")),
        ("cevnsloop limt 2>&-", (2, b"", b"")),
        (f"{LIMIT} >&-", (0, b"", b"")),
        (f"{TWO_POINTS} x.csv 2>&-", (0, b"2 limits written to x.csv\n", b"")),
    ],
    ids=["pipe", "help into a pipe", "error into a pipe", "error to nowhere", "result to nowhere", "bar to nowhere"],
)
def test_nobody_reads_what_is_printed(tmp_path, monkeypatch, line, expected):
    monkeypatch.chdir(tmp_path)
    assert shell(line) == expected


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.skipif(not sys.prefix.isascii(), reason="in that locale numpy cannot be loaded from such a path")
def test_a_name_that_the_terminal_cannot_show_is_no_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = shell(f"{TWO_POINTS} ü.csv", **ASCII)
    assert (code, err) == (0, b"")
    assert out.startswith(b"2 limits written to \\")
    assert [path.name for path in tmp_path.iterdir()] == ["ü.csv"]


@pytest.mark.parametrize(
    "start", [["-m", "cevnsloop"], ["-c", "from cevnsloop.app.cli import main; raise SystemExit(main())"]]
)
def test_the_command_starts_from_a_shell(start):
    done = subprocess.run(
        [sys.executable, *start, "limit", "--paper", "--case", "A", *POINT], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("g_chi g_q < 4.41")
    bad = subprocess.run([sys.executable, *start, "limit", "--case", "Z", *POINT], capture_output=True, text=True)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr == "cevnsloop: case must be one of A, B, got 'Z'\n"


def test_version_and_help(capsys):
    for option, text in (("--version", __version__), ("--help", "COMMAND")):
        with pytest.raises(SystemExit, match="0"):
            cli.main([option])
        assert text in capsys.readouterr().out
