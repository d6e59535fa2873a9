"""Figs. 3 and 4 as tables to take away: what each column is, its unit, and what was held fixed."""

from typing import NamedTuple

import numpy as np

from ..checks import shown
from ..fit.limits import remark
from ..model import DOWN_TYPE
from . import quoted

CURRENTS = {"A": "vector", "B": "axial-vector"}  # Eq. (3): the quark current of a case
COUPLINGS = " = ".join([*(f"g_{q}" for q in DOWN_TYPE), "g_q"]) + ", g_chi_L = g_chi_R = g_chi, all neutrino flavours"


class Table(NamedTuple):
    """What output.table and output.write_table take: `output.table(*results.fig3(...))`."""

    title: str
    columns: dict[str, np.ndarray]
    units: dict[str, str]
    settings: tuple[str, ...]


def data(dataset):
    """A line on the data: what they are, where from, and with which settings.Settings."""
    return f"{dataset.name}, doi {dataset.doi}; {dataset.settings}"


def fig3(spectra, dataset, theory):
    """Fig. 3: `spectra` = quoted.spectra(dataset.experiment, theory), with the data and their errors, by bins in PE."""
    bins = {"pe_lo": dataset.pe_edges[:-1], "pe_hi": dataset.pe_edges[1:]}
    events = {f"n_{key}": n for key, n in spectra.items()} | {"n_obs": dataset.n_obs, "sigma": dataset.sigma}
    points = (
        f"n_{case}: case {case} ({CURRENTS[case]} quark current), m_chi {shown(point.m_chi)} MeV, "
        f"m_zp {shown(point.m_zp)} MeV, g_chi g_q {shown(point.g)}"
        for case, point in quoted.BENCHMARKS.items()
    )
    return Table(
        "Fig. 3, residual events per bin of photoelectrons (PE): expected signal n_SM, n_A, n_B; data n_obs +- sigma",
        bins | events,
        dict.fromkeys(bins, "PE") | dict.fromkeys(events, "1"),
        (*points, COUPLINGS, f"{theory}", data(dataset)),
    )


def fig4(m_chi, curves, dataset, theory, delta_chi2):
    """Fig. 4: `curves` = quoted.limit_curves(m_chi, dataset, theory, delta_chi2), a column for each panel."""
    limits = {f"g_limit_{case}_ratio{ratio:g}": g for (case, ratio), g in curves.items()}
    panels = (
        f"g_limit_{case}_ratio{ratio:g}: case {case} ({CURRENTS[case]} quark current), m_zp = {ratio:g} m_chi"
        for case, ratio in curves
    )
    remarks = (f"{name}: {line}" for name, g in limits.items() if (line := remark(g, delta_chi2)))
    return Table(
        "Fig. 4, upper limits on g_chi g_q over m_chi",
        {"m_chi": m_chi} | limits,
        {"m_chi": "MeV"} | dict.fromkeys(limits, "1"),
        (*panels, COUPLINGS, f"delta_chi2 {shown(delta_chi2)}", f"{theory}", data(dataset), *remarks),
    )
