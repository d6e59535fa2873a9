"""Figures that are drawn more than once, in the look of look.py: arrays in, a matplotlib figure out, no physics."""

import matplotlib.pyplot as plt
import numpy as np

from .look import COLOURS, LIMIT, LINES, MASS, label, masses, panels, plain, single, styled

SHADES = COLOURS["shade-2"], COLOURS["shade"]  # of regions that lie within each other, from the inside


@styled
def curves(x, lines, xlabel, ylabel, scale="linear", bands=(), marks=(), ylim=None):
    """A plain plot of `lines`: {label: (array over x, colour key, line style)}.

    scale   "linear", "loglog", "semilogx" or "semilogy"
    bands   (low, high, label) ranges of x to shade
    marks   (x, label) vertical lines, labelled at the top
    ylim    range of the y axis, by default that of the lines
    """
    figure, ax = single()
    draw = ax.plot if scale == "linear" else getattr(ax, scale)
    for name, (y, colour, style) in lines.items():
        draw(x, y, style, color=COLOURS[colour], label=name)
    for low, high, name in bands:
        ax.axvspan(low, high, color=COLOURS["shade"], zorder=0, label=name)
    for at, name in marks:
        ax.axvline(at, color=COLOURS["muted"], lw=1, ls="-.")
        ax.text(at, 0.98, " " + name, va="top", fontsize=11, color=COLOURS["muted"], transform=ax.get_xaxis_transform())
    ax.set(xlim=(x[0], x[-1]), ylim=ylim, xlabel=xlabel, ylabel=ylabel)
    if scale in ("loglog", "semilogx"):
        ax.xaxis.set_major_formatter(plain)
    ax.legend()
    return figure


@styled
def recoil_bands(m_chi, bands, window):
    """Allowed recoils in keV over m_chi in MeV: `bands` {label: (T_min, T_max, colour key)}, nan where forbidden.

    window   (low, high) recoils in keV that the analysis counts
    """
    figure, ax = single()
    ax.axhspan(*window, color=COLOURS["shade"], zorder=0, label="counted in the fit")
    for name, (T_min, T_max, colour) in bands.items():
        ax.fill_between(m_chi, T_min, T_max, color=COLOURS[colour], alpha=0.3, lw=0)
        ax.plot(m_chi, T_max, color=COLOURS[colour], label=name)
        ax.plot(m_chi, T_min, color=COLOURS[colour])
    ax.set(xlim=(m_chi[0], m_chi[-1]), ylim=(0, None))
    ax.set(xlabel=MASS, ylabel="nuclear recoil $T$ [keV]")
    ax.legend()
    return figure


@styled
def fig3(pe_edges, curves, labels, n_obs, sigma, amplitude):
    """Fig. 3: residual events per bin, `curves` {key: (B,)} as steps with `labels`, and the data with errors."""
    figure, ax = single()
    centres = (pe_edges[:-1] + pe_edges[1:]) / 2
    for key, curve in curves.items():
        colour = COLOURS["ink" if key == "SM" else amplitude]
        ax.stairs(curve, pe_edges, baseline=None, color=colour, ls=LINES[key], lw=1.9, label=labels[key])
    ax.errorbar(
        *(centres, n_obs, sigma),
        fmt="o",
        ms=4,
        color=COLOURS["ink"],
        capsize=2,
        zorder=1,
        label="COHERENT, CsI 2017",
    )
    ax.axhline(0, color=COLOURS["muted"], lw=0.8)
    top = 1.6 * max(curve.max() for curve in curves.values())
    ax.set(xlabel="number of photoelectrons", ylabel="residual events / 2 PE")
    ax.set(xlim=(pe_edges[0], pe_edges[-1]), ylim=(None, top))
    ax.legend(loc="upper right")
    return figure


@styled
def fig4(m_chi, sets, quoted=None, shaded=None, bands=None):
    """Fig. 4: upper limits over m_chi (MeV), a panel for each (case, ratio), cases in rows, ratios in columns.

    sets     {amplitude: {(case, ratio): array}}, each labelled where it is farthest from the others; the first has all
             panels
    quoted   {(case, ratio): [(m_chi, g_limit)]}, the numbers of the paper's text, as diamonds
    bands    {(case, ratio): (weakest, strongest)}, arrays between which is shaded
    shaded   {ratio: [(m_chi below which an approximation fails, label)]}, two of them, the larger one first
    """
    panel_keys = list(next(iter(sets.values())))
    figure, axes = panels(*(len(names) for names in _grid(panel_keys)))
    for ax, (case, ratio) in zip(axes.flat, panel_keys, strict=True):
        masses(ax, m_chi)
        ax.set_title(_title(case, ratio))
        here = {name: curves[case, ratio] for name, curves in sets.items() if (case, ratio) in curves}
        for name, curve in here.items():
            ax.plot(m_chi, curve, LINES[case], color=COLOURS[_colour(name)])
        if bands:
            ax.fill_between(m_chi, *bands[case, ratio], color=COLOURS["shade-2"], lw=0)
        if len(here) > 1:
            _name_curves(ax, m_chi, here)
        for mass, g in (quoted or {}).get((case, ratio), ()):
            ax.plot(
                mass,
                g,
                "D",
                ms=7,
                mfc="none",
                mec=COLOURS["ink"],
                mew=1.4,
                ls="",
                clip_on=False,
                zorder=4,
                label="quoted in the text",
            )
        for shade, side, (edge, text) in zip(
            SHADES[::-1], ("left", "right"), (shaded or {}).get(ratio, ()), strict=False
        ):
            ax.axvspan(m_chi[0], min(edge, m_chi[-1]), color=shade, lw=0, zorder=0)
            ax.axvline(edge, color=COLOURS["muted"], lw=0.6, zorder=0)
            where = {"transform": ax.get_xaxis_transform(), "rotation": 90, "va": "bottom", "ha": side}
            label(ax, edge, 0.03, f" {text} ", "muted", **where)
    return figure


def _grid(panel_keys):
    """The cases and the ratios of panels, each once."""
    return tuple(list(dict.fromkeys(names)) for names in zip(*panel_keys, strict=True))


def _title(case, ratio):
    return rf"case {case}, $m_{{Z'}} = {ratio:g}\,m_\chi$"


def _name_curves(ax, x, curves):
    """Write the name of each curve where it is far from the nearest other one, on its free side."""
    logs = {name: np.log(np.where(np.isfinite(y), y, np.nan)) for name, y in curves.items()}
    for name, y in logs.items():
        others = np.array([other for key, other in logs.items() if key != name])
        gap = np.nan_to_num(np.abs(others - y).min(axis=0))
        edge = len(x) // 5  # where a name would run into the axes
        inner = gap[edge : len(x) - edge]
        at = edge + int(np.median(np.flatnonzero(inner > 0.8 * inner.max())))
        above = y[at] > others[:, at].min()
        beside = {"va": "bottom", "ha": "right"} if above else {"va": "top", "ha": "left"}
        label(ax, x[at], curves[name][at] * (1.5 if above else 1 / 1.5), name, _colour(name), **beside)


def _colour(amplitude):
    """Its own, or that of the answer."""
    return amplitude if amplitude in COLOURS else "ink"


@styled
def expected(m_chi, bands, lines):
    """Limits over m_chi (MeV) with what is expected without a signal, a panel for each (case, ratio) as in `fig4`,
    and below it the same divided by the median.

    bands   {(case, ratio): {"-2", "-1", "median", "+1", "+2": array over m_chi}}; inf is drawn to the upper end
    lines   {label: (every how many masses, {(case, ratio): array}, line style)}
    """
    figure, axes = panels(*(len(names) for names in _grid(bands)), height=4.2, heights=(2, 1))
    for pair, ((case, ratio), band) in zip(axes.reshape(-1, 2), bands.items(), strict=True):
        for ax, unit in zip(pair, (1.0, band["median"]), strict=True):
            for low, high, alpha, text in (("-2", "+2", 0.18, "95%"), ("-1", "+1", 0.34, "68% of the toys")):
                ends = band[low] / unit, np.minimum(band[high], 1e6 * band["median"]) / unit
                ax.fill_between(m_chi, *ends, color=COLOURS["muted"], alpha=alpha, lw=0, label=text)
            ax.plot(m_chi, band["median"] / unit, LINES[case], color=COLOURS["muted"], label="median")
            for text, (every, limits, line) in lines.items():
                values = limits[case, ratio] / np.broadcast_to(unit, m_chi.shape)[::every]
                ax.plot(m_chi[::every], values, line, color=COLOURS["ink"], lw=1.4, ms=4, clip_on=False, label=text)
            masses(ax, m_chi, "")
        above, below = pair
        above.set(title=_title(case, ratio), xlabel="", ylabel=LIMIT)
        above.set_ylim(0.3 * band["median"].min(), 4 * band["median"].max())
        above.legend(loc="upper left" if band["median"][0] < band["median"][-1] else "upper right")
        below.set(ylim=(0.45, 6), yticks=[0.5, 1, 2, 5], ylabel="/ median")
        below.yaxis.set_major_formatter(plain)
        below.yaxis.set_minor_formatter(plt.NullFormatter())
    return figure


@styled
def shifts(bars, xlabel):
    """Two-sided bars, a panel for each title: `bars` {title: {name: (down, up)}} of relative changes in per cent."""
    figure, axes = panels(1, len(bars), height=3.4)
    widest = max(np.max(np.abs(both)) for named in bars.values() for both in named.values())
    for ax, (title, named) in zip(axes.flat, bars.items(), strict=True):
        place = np.arange(len(named))
        for side, (text, colour, offset) in enumerate((("down", "rederived", -0.2), ("up", "published", 0.2))):
            values = [both[side] for both in named.values()]
            ax.barh(place + offset, values, 0.4, color=COLOURS[colour], label=rf"$1\sigma$ {text}")
        ax.axvline(0, color=COLOURS["muted"], lw=0.8)
        ax.set_yticks(place, list(named))
        ax.set(title=title, xlabel=xlabel, xlim=(-1.1 * widest, 1.1 * widest))
        ax.grid(axis="y", visible=False)
        ax.invert_yaxis()
    axes[0, -1].legend(loc="lower right")
    return figure


@styled
def budget(bars, xlabel):
    """Horizontal bars, longest on top, a panel for each title: `bars` {title: ({name: length}, colour key)}."""
    most = max(len(named) for named, _ in bars.values())
    figure, axes = panels(len(bars), 1, width=5.2, height=0.9 + 0.3 * most)
    for ax, (title, (named, colour)) in zip(axes.flat, bars.items(), strict=True):
        ordered = dict(sorted(named.items(), key=lambda bar: bar[1]))
        drawn = ax.barh(list(ordered), list(ordered.values()), 0.65, color=COLOURS[colour])
        ax.bar_label(drawn, fmt="%.2f", padding=4)
        ax.set(title=title, xlabel=xlabel)
        ax.grid(axis="y", visible=False)
        ax.margins(x=0.12)
    return figure
