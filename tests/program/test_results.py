"""The tables of Figs. 3 and 4, as a reader finds them in a file: columns, units, what was held fixed."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from cevnsloop import __version__
from cevnsloop.amplitudes.quarks import PUBLISHED, REDERIVED
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.fit.limits import upper_limit
from cevnsloop.model import unit_model
from cevnsloop.rates.events import predict
from cevnsloop.results import quoted, tables
from cevnsloop.run import output, provenance

AMPLITUDES = pytest.mark.parametrize("theory", [Theory(PUBLISHED), Theory(REDERIVED)], ids=["published", "rederived"])
BOOK = Path(__file__).parents[2] / "book"
WRITTEN = 5e-10  # 10 significant digits are written
M_CHI = np.array([1.0, 52.0, 300.0])


def fig3(dataset, theory):
    return tables.fig3(quoted.spectra(dataset.experiment, theory), dataset, theory)


def fig4(dataset, theory, delta_chi2=4.61):
    curves = quoted.limit_curves(M_CHI, dataset, theory, delta_chi2)
    return tables.fig4(M_CHI, curves, dataset, theory, delta_chi2)


def read(text):
    """Title, units, settings and columns of a table, by what its text says alone."""
    lines = text.splitlines()
    head = [line.removeprefix("# ") for line in lines if line.startswith("#")]
    columns = np.genfromtxt(io.StringIO("\n".join(lines[len(head) :])), delimiter=",", names=True)
    units = {
        m[1]: m[2] or "1" for line in head if (m := re.match(r"- \{name: (\w+)(?:, unit: ([^,]+))?, datatype", line))
    }
    title, *settings = (json.loads(line.removeprefix("  - ")) for line in head if line.startswith('  - "'))
    return title, units, settings, {name: columns[name] for name in columns.dtype.names}


@AMPLITUDES
@pytest.mark.parametrize("table", [fig3, fig4])
def test_a_table_read_back_is_the_one_that_was_written(dataset, theory, table):
    made = table(dataset, theory)
    title, units, settings, columns = read(output.table(*made))
    assert title == f"cevnsloop {__version__}: {made.title}"
    assert list(units) == list(columns) == list(made.columns)
    assert units == made.units
    assert settings == [*made.settings, f"digest {provenance.digest()} of version, inputs and data tables"]
    for name, column in made.columns.items():
        assert columns[name].tolist() == pytest.approx(column.tolist(), rel=WRITTEN, abs=0), name


@AMPLITUDES
def test_columns_of_fig3_are_what_their_names_say(dataset, theory):
    """Rebuilt from the settings that the file names, not from quoted.spectra."""
    _, units, settings, columns = read(output.table(*fig3(dataset, theory)))
    assert units == {"pe_lo": "PE", "pe_hi": "PE"} | dict.fromkeys(("n_SM", "n_A", "n_B", "n_obs", "sigma"), "1")
    point = re.compile(r"n_(\w): case (\w) \((.*) quark current\), m_chi (\S+) MeV, m_zp (\S+) MeV, g_chi g_q (\S+)")
    found = [match.groups() for line in settings if (match := point.fullmatch(line))]
    assert [case for case, *_ in found] == ["A", "B"]
    for column, case, current, m_chi, m_zp, g in found:
        assert (column, current) == (case, {"A": "vector", "B": "axial-vector"}[case])
        events = predict(unit_model(case, float(m_chi), float(m_zp)), dataset.experiment, theory)
        assert columns[f"n_{case}"].tolist() == pytest.approx(events.total(float(g)).tolist(), rel=WRITTEN, abs=0)
        assert columns["n_SM"].tolist() == pytest.approx(events.n[0].tolist(), rel=WRITTEN, abs=0)
    assert columns["pe_lo"].tolist() == dataset.pe_edges[:-1].tolist()
    assert columns["pe_hi"].tolist() == dataset.pe_edges[1:].tolist()
    assert columns["n_obs"].tolist() == dataset.n_obs.tolist()
    assert columns["sigma"].tolist() == pytest.approx(dataset.sigma.tolist(), rel=WRITTEN, abs=0)
    assert str(theory) in settings


@AMPLITUDES
@pytest.mark.parametrize("delta_chi2", [4.61, 2.71])
def test_columns_of_fig4_are_what_their_names_say(dataset, theory, delta_chi2):
    _, units, settings, columns = read(output.table(*fig4(dataset, theory, delta_chi2)))
    assert units == {"m_chi": "MeV"} | dict.fromkeys(list(columns)[1:], "1")
    assert columns["m_chi"].tolist() == M_CHI.tolist()
    panel = re.compile(r"(\w+): case (\w) \((.*) quark current\), m_zp = (\S+) m_chi")
    found = [match.groups() for line in settings if (match := panel.fullmatch(line))]
    assert [column for column, *_ in found] == list(columns)[1:]
    assert {(case, float(ratio)) for _, case, _, ratio in found} == {(c, r) for c in "AB" for r in (10.0, 2.0)}
    for column, case, current, ratio in found:
        assert current == {"A": "vector", "B": "axial-vector"}[case]
        events = predict(unit_model(case, M_CHI, float(ratio) * M_CHI), dataset.experiment, theory)
        limit = upper_limit(events, dataset, delta_chi2).g_limit
        assert columns[column].tolist() == pytest.approx(limit.tolist(), rel=WRITTEN, abs=0)
    assert {f"delta_chi2 {delta_chi2}", str(theory)} <= set(settings)


def test_a_column_of_fig4_says_how_many_limits_it_lacks(dataset):
    curves = {("A", 10.0): np.array([np.inf, 1e-8, np.nan]), ("B", 2.0): np.array([1e-8, 2e-8, 3e-8])}
    lines = tables.fig4(np.array([1.0, 2.0, 3.0]), curves, dataset, Theory(PUBLISHED), 4.61).settings
    (line,) = [line for line in lines if "no limit" in line]
    assert line.startswith("g_limit_A_ratio10: no limit at 2 of 3 points: 1 inf, where chi2 never rises by 4.61")


@pytest.mark.parametrize("table", [fig3, fig4])
def test_a_table_names_couplings_data_and_settings(dataset, table):
    *_, couplings, data = [
        line for line in table(dataset, Theory(PUBLISHED)).settings if "g_d" in line or "doi" in line
    ]
    assert couplings == "g_d = g_s = g_b = g_q, g_chi_L = g_chi_R = g_chi, all neutrino flavours"
    assert data == tables.data(dataset)
    assert data.startswith("CsI 2017, doi 10.5281/zenodo.1228631; Settings(detector_mass_kg=14.6, ")


@pytest.mark.parametrize("path", sorted(BOOK.glob("*.ipynb")), ids=lambda path: path.stem)
def test_what_a_chapter_writes_can_be_downloaded_there_and_nothing_else(path):
    page = {"code": "", "markdown": "", "raw": ""}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        page[cell["cell_type"]] += "".join(cell["source"]) + "\n"
    written = set(re.findall(r"\"_results/([\w.-]+)\"", page["code"]))
    named = re.findall(r"\"(\w+)\"", page["code"]) if 'f"_results/{name}.csv"' in page["code"] else ()
    offered = re.findall(r"\{download\}`[^`<]*<_results/([\w.-]+)>`", page["markdown"])
    assert len(set(offered)) == len(offered)
    assert written <= set(offered) <= written | {f"{name}.csv" for name in named}
