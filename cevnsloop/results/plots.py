"""Pictures of the front door's answers and of the tables that it writes."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from ..run import output
from .look import COLOURS, LIMIT, MASS, style

SUFFIXES = (".png", ".pdf", ".svg")
BINS = {"pe": "photoelectrons", "keVee": "energy [keVee]"}  # axes of data, by their names in tables


def draw(answer, axes=None):
    """Draw a record of answers.py into matplotlib `axes`, by default those of a new figure; returns the axes."""
    title, columns, *_ = answer.table()
    return _drawn(title, columns, axes)


def table_file(source, target):
    """Draw a table that scan or toys has written into the picture `target`, .png, .pdf or .svg.

    Raises ValueError for a file that is not such a table, and where output.target does.
    """
    output.target(target)
    if Path(target).suffix not in SUFFIXES:
        raise ValueError(f"a picture must be called something{', something'.join(SUFFIXES)}, got {target}")
    columns, _ = output.read(source)
    if "g_limit" not in columns:
        raise ValueError(f"{source} has no column g_limit to draw: there are {', '.join(columns)}")
    axes = _drawn(Path(source).stem, columns)
    with output.whole_file(target) as part:
        axes.figure.savefig(part)
    plt.close(axes.figure)


def _drawn(title, columns, axes=None):
    with style():
        axes = axes or plt.subplots()[1]
        if "g_limit" in columns:
            _limits(columns, axes)
        elif "n_obs" in columns:
            _bins(columns, axes)
        else:
            _rates(columns, axes)
        axes.set_title(title.split(":")[0])
        if axes.get_legend_handles_labels()[1]:
            axes.legend()
    return axes


def _limits(columns, axes):
    """Limits over m_chi, a curve for each m_zp or ratio; what toys expect as bands."""
    m_chi, m_zp = columns["m_chi"], columns["m_zp"]
    ratio = np.unique(np.round(m_zp / m_chi, 9))
    along = [("", slice(None))] if len(ratio) == 1 else [(f"{z:.4g} MeV", m_zp == z) for z in np.unique(m_zp)]
    if "expected_median" in columns:
        for low, high, shade in (("m2", "p2", 0.15), ("m1", "p1", 0.3)):
            axes.fill_between(
                m_chi, columns[f"expected_{low}"], columns[f"expected_{high}"], color=COLOURS["muted"], alpha=shade
            )
        axes.plot(m_chi, columns["expected_median"], "--", color=COLOURS["muted"], label="expected")
    if "g_weakest" in columns and len(along) == 1:
        axes.fill_between(
            m_chi, columns["g_strongest"], columns["g_weakest"], color=COLOURS["muted"], alpha=0.3, label="band"
        )
    for label, rows in along if len(along) <= 8 else along[:: -(-len(along) // 8)]:
        axes.plot(
            m_chi[rows], columns["g_limit"][rows], "o-" if np.size(m_chi[rows]) < 2 else "-", label=label or "data"
        )
    axes.set(xscale="log", yscale="log", xlabel=MASS, ylabel=LIMIT)


def _bins(columns, axes):
    """A spectrum: the expected events as steps, the data with their errors; over the first axis, summed over others."""
    name = next(column for column in columns if column.endswith("_lo")).removesuffix("_lo")
    low, of = np.unique(columns[f"{name}_lo"], return_inverse=True)
    edges = np.append(low, columns[f"{name}_hi"].max())

    def summed(values):
        return np.bincount(of, values)

    axes.stairs(summed(columns["n_sm"]), edges, baseline=None, color=COLOURS["ink"], label="Standard Model")
    axes.stairs(summed(columns["n_th"]), edges, baseline=None, ls="--", label="expected")
    seen, sigma = summed(columns["n_obs"] - columns["b_on"]), np.sqrt(summed(columns["sigma"] ** 2))
    middle = (edges[:-1] + edges[1:]) / 2
    axes.errorbar(middle, seen, sigma, fmt="o", color=COLOURS["ink"], label="data")
    axes.set(xlabel=BINS.get(name, name), ylabel="events per bin")


def _rates(columns, axes):
    """Cross sections over the recoil."""
    for name in ("sm", "tree", "loop"):
        if np.any(columns[name] > 0):
            axes.plot(columns["T"] / 1e-3, np.where(columns[name] > 0, columns[name], np.nan), label=name)
    axes.set(yscale="log", xlabel="nuclear recoil $T$ [keV]", ylabel=r"$d\sigma/dT$ [MeV$^{-3}$]")
