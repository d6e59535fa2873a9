"""The figures of the book: arrays in, matplotlib axes out, no physics.

A thing has the same colour and line style in every figure; the colours are those of Okabe and Ito, which
colour-blind readers can tell apart, and no line is told from another by its colour alone.
"""

import functools

import matplotlib.pyplot as plt
import numpy as np

COLOURS = {
    "SM": "#000000",
    "A": "#D55E00",
    "B": "#0072B2",
    "data": "#444444",
    "nu_mu": "#009E73",
    "nu_e": "#E69F00",
    "nubar_mu": "#CC79A7",
    "c1": "#009E73",
    "c2": "#E69F00",
    "c3": "#56B4E9",
}
LINES = {"SM": "-", "A": ":", "B": "--"}
STYLE = {
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "svg.hashsalt": "cevnsloop",
    "savefig.dpi": 160,
}
SINGLE = (6.0, 4.0)


def style():
    """A context with the book's style on top of matplotlib's own, whatever the reader's matplotlibrc says."""
    return plt.style.context(["default", STYLE])


class Figure(plt.Figure):
    """A figure that is measured, drawn and saved in the book's style too: only then do its ticks get their labels."""

    def get_tightbbox(self, *args, **kwargs):
        """The box around all that is drawn, as matplotlib says."""
        with style():
            return super().get_tightbbox(*args, **kwargs)

    def draw(self, renderer):
        """As matplotlib does."""
        with style():
            super().draw(renderer)

    def savefig(self, *args, **kwargs):
        """As matplotlib does."""
        with style():
            super().savefig(*args, **kwargs)


subplots = functools.partial(plt.subplots, FigureClass=Figure)


def styled(draw):
    """Let `draw` run in the book's style, and leave matplotlib as it was."""

    @functools.wraps(draw)
    def wrapper(*args, **kwargs):
        with style():
            figure = draw(*args, **kwargs)
            interactive = plt.isinteractive()
        plt.interactive(interactive)  # a notebook's backend turns this on with the first figure, to show the next ones
        return figure

    return wrapper


def plain(value, _):
    """Tick label 1, 10, 100 instead of a power of ten, for logarithmic mass axes."""
    return f"{value:g}"


@styled
def curves(x, lines, xlabel, ylabel, scale="linear", bands=(), marks=(), ylim=None):
    """A plain plot of `lines`: {label: (array over x, colour key, line style)}.

    scale   "linear", "loglog", "semilogx" or "semilogy"
    bands   (low, high, label) ranges of x to shade
    marks   (x, label) vertical lines, labelled at the top
    ylim    range of the y axis, by default that of the lines
    """
    figure, ax = subplots(figsize=SINGLE)
    draw = ax.plot if scale == "linear" else getattr(ax, scale)
    for label, (y, colour, style) in lines.items():
        draw(x, y, style, color=COLOURS[colour], label=label)
    for low, high, label in bands:
        ax.axvspan(low, high, color="#eeeeee", zorder=0, label=label)
    for at, label in marks:
        ax.axvline(at, color="#666666", lw=1, ls="-.")
        ax.text(at, 0.98, " " + label, va="top", fontsize=9, color="#444444", transform=ax.get_xaxis_transform())
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
    figure, ax = subplots(figsize=SINGLE)
    ax.axhspan(*window, color="#eeeeee", zorder=0, label="counted in the fit")
    for label, (T_min, T_max, colour) in bands.items():
        ax.fill_between(m_chi, T_min, T_max, color=COLOURS[colour], alpha=0.3, lw=0)
        ax.plot(m_chi, T_max, color=COLOURS[colour], label=label)
        ax.plot(m_chi, T_min, color=COLOURS[colour])
    ax.set(xlim=(m_chi[0], m_chi[-1]), ylim=(0, None))
    ax.set(xlabel=r"$m_\chi$ [MeV]", ylabel="nuclear recoil $T$ [keV]")
    ax.legend()
    return figure


@styled
def fig3(pe_edges, curves, labels, n_obs, sigma):
    """Fig. 3: residual events per bin, `curves` {key: (B,)} as steps with `labels`, and the data with errors."""
    figure, ax = subplots(figsize=SINGLE)
    centres = (pe_edges[:-1] + pe_edges[1:]) / 2
    for key, curve in curves.items():
        ax.stairs(curve, pe_edges, baseline=None, color=COLOURS[key], ls=LINES[key], lw=1.8, label=labels[key])
    ax.errorbar(
        centres,
        n_obs,
        sigma,
        fmt="o",
        ms=4,
        color=COLOURS["data"],
        capsize=2,
        zorder=1,
        label="COHERENT, CsI 2017",
    )
    ax.axhline(0, color="#888888", lw=0.8)
    top = 1.5 * max(curve.max() for curve in curves.values())
    ax.set(xlabel="number of photoelectrons", ylabel="residual events / 2 PE")
    ax.set(xlim=(pe_edges[0], pe_edges[-1]), ylim=(None, top))
    ax.legend(loc="upper right")
    return figure


@styled
def fig4(m_chi, sets, quoted=None, shaded=None):
    """Fig. 4: upper limits over m_chi (MeV), a panel for each (case, ratio), cases in rows, ratios in columns.

    sets     {label: {(case, ratio): array}}, the first drawn solid, the second dashed
    quoted   {(case, ratio): [(m_chi, g_limit)]}, the numbers of the paper's text
    shaded   {ratio: [(m_chi below which an approximation fails, label)]}
    """
    panels = list(next(iter(sets.values())))
    cases, ratios = list(dict.fromkeys(k[0] for k in panels)), list(dict.fromkeys(k[1] for k in panels))
    figure, axes = subplots(len(cases), len(ratios), figsize=(7.2, 6.2), sharex=True, sharey="row", squeeze=False)
    for case, ratio in panels:
        ax = axes[cases.index(case), ratios.index(ratio)]
        for (label, curves), style in zip(sets.items(), ("-", "--"), strict=False):
            ax.loglog(m_chi, curves[case, ratio], style, color=COLOURS[case], label=label)
        for mass, g in (quoted or {}).get((case, ratio), ()):
            ax.plot(
                *(mass, g, "D"),
                ms=7,
                mfc="none",
                mec="#333333",
                mew=1.5,
                ls="",
                clip_on=False,
                zorder=4,
                label="quoted in the text",
            )
        for grey, (edge, label) in zip(("#eeeeee", "#dddddd"), (shaded or {}).get(ratio, ()), strict=False):
            ax.axvspan(m_chi[0], min(edge, m_chi[-1]), color=grey, zorder=0, label=label)
        ax.set(xlim=(m_chi[0], m_chi[-1]), title=rf"case {case}, $m_{{Z'}} = {ratio:g}\,m_\chi$")
        ax.xaxis.set_major_formatter(plain)
    for ax in axes[-1]:
        ax.set_xlabel(r"$m_\chi$ [MeV]")
    for ax in axes[:, 0]:
        ax.set_ylabel(r"90% C.L. upper limit on $g_\chi g_q$")
    handles = {label: h for ax in axes.flat for h, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    for label in sets:  # the colour tells the case, the style what is compared
        handles[label] = plt.Line2D([], [], color="#333333", ls=handles[label].get_linestyle())
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=min(len(handles), 3))
    return figure


@styled
def expected(m_chi, panels, lines):
    """Limits over m_chi (MeV) with what is expected without a signal, a panel for each (case, ratio) as in `fig4`,
    and below it the same divided by the median.

    panels   {(case, ratio): {"-2", "-1", "median", "+1", "+2": array over m_chi}}; inf is drawn to the upper end
    lines    {label: (every how many masses, {(case, ratio): array}, line style)}
    """
    cases, ratios = list(dict.fromkeys(k[0] for k in panels)), list(dict.fromkeys(k[1] for k in panels))
    heights = [2, 1] * len(cases)
    figure, axes = subplots(
        *(len(heights), len(ratios)),
        figsize=(7.2, 8.6),
        sharex=True,
        sharey="row",
        height_ratios=heights,
        squeeze=False,
    )
    for (case, ratio), band in panels.items():
        row, colour = 2 * cases.index(case), COLOURS[case]
        for ax, unit in zip(axes[row : row + 2, ratios.index(ratio)], (1.0, band["median"]), strict=True):
            for low, high, alpha in (("-2", "+2", 0.15), ("-1", "+1", 0.3)):
                ends = band[low] / unit, np.minimum(band[high], 1e6 * band["median"]) / unit
                ax.fill_between(m_chi, *ends, color=colour, alpha=alpha, lw=0)
            ax.plot(m_chi, band["median"] / unit, "--", color=colour)
            for every, limits, style in lines.values():
                values = limits[case, ratio] / np.broadcast_to(unit, m_chi.shape)[::every]
                ax.plot(m_chi[::every], values, style, color="#111111", lw=1.4, ms=4, clip_on=False)
            ax.set(xscale="log", yscale="log", xlim=(m_chi[0], m_chi[-1]))
            ax.xaxis.set_major_formatter(plain)
        axes[row, ratios.index(ratio)].set(title=rf"case {case}, $m_{{Z'}} = {ratio:g}\,m_\chi$")
    for k, case in enumerate(cases):
        medians = np.concatenate([panels[case, ratio]["median"] for ratio in ratios])
        axes[2 * k, 0].set(ylim=(0.3 * medians.min(), 4 * medians.max()), ylabel=r"limit on $g_\chi g_q$")
        axes[2 * k + 1, 0].set(ylim=(0.45, 6), yticks=[0.5, 1, 2, 5], ylabel="/ median")
        axes[2 * k + 1, 0].yaxis.set_major_formatter(plain)
        axes[2 * k + 1, 0].yaxis.set_minor_formatter(plt.NullFormatter())
    for ax in axes[-1]:
        ax.set_xlabel(r"$m_\chi$ [MeV]")
    handles = {
        "68% of the toys": plt.Rectangle((0, 0), 1, 1, color="#777777", alpha=0.6, lw=0),
        "95%": plt.Rectangle((0, 0), 1, 1, color="#777777", alpha=0.3, lw=0),
        "median": plt.Line2D([], [], color="#777777", ls="--"),
    }
    for label, (_, _, style) in lines.items():
        handles[label] = axes[0, 0].plot([], [], style, color="#111111", lw=1.4, ms=4)[0]
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=3)
    return figure


@styled
def shifts(panels, xlabel):
    """Two-sided bars, a panel for each title: `panels` {title: {name: (down, up)}} of relative changes in per cent."""
    figure, axes = subplots(1, len(panels), figsize=(7.2, 3.4), sharex=True, sharey=True, squeeze=False)
    for ax, (title, bars) in zip(axes[0], panels.items(), strict=True):
        names = list(bars)
        place = range(len(names))
        for side, (label, colour, offset) in enumerate((("down", COLOURS["c1"], -0.2), ("up", COLOURS["nu_e"], 0.2))):
            values = [bars[name][side] for name in names]
            ax.barh([p + offset for p in place], values, 0.4, color=colour, label=rf"$1\sigma$ {label}")
        ax.axvline(0, color="#444444", lw=0.8)
        ax.set_yticks(place, names)
        ax.set(title=title, xlabel=xlabel)
        ax.grid(axis="y", visible=False)
    axes[0, 0].invert_yaxis()
    axes[0, -1].legend(loc="lower right")
    return figure


@styled
def budget(panels, xlabel):
    """Horizontal bars, longest on top, a panel for each title: `panels` {title: ({name: length}, colour key)}."""
    heights = [len(bars) for bars, _ in panels.values()]
    figure, axes = subplots(
        len(panels), 1, figsize=(6.4, 0.9 + 0.36 * sum(heights)), sharex=True, squeeze=False, height_ratios=heights
    )
    for ax, (title, (bars, colour)) in zip(axes[:, 0], panels.items(), strict=True):
        ordered = dict(sorted(bars.items(), key=lambda bar: bar[1]))
        drawn = ax.barh(list(ordered), list(ordered.values()), 0.65, color=COLOURS[colour])
        ax.bar_label(drawn, fmt="%.2f", padding=4, fontsize=9)
        ax.set_title(title)
        ax.grid(axis="y", visible=False)
        ax.margins(x=0.12)
    axes[-1, 0].set_xlabel(xlabel)
    return figure


@styled
def growth(panels):
    """Costs, a panel for each x axis label, with a dotted line through the last point: proportional to x.

    Axes are logarithmic where x spans more than two decades, else linear from 0.
    panels   {x axis label: (y axis label, {curve label: (x, y, colour key, style)})}
    """
    figure, axes = subplots(1, len(panels), figsize=(7.4, 3.3), squeeze=False)
    for ax, (xlabel, (ylabel, lines)) in zip(axes[0], panels.items(), strict=True):
        for label, (x, y, colour, style) in lines.items():
            wide = x[-1] > 100 * x[0]
            start = x[0] if wide else 0.0
            ax.plot(x, y, style, color=COLOURS[colour], ms=4, label=label)
            ax.plot([start, x[-1]], [y[-1] * start / x[-1], y[-1]], ":", color="#888888", lw=1)
        if wide:
            ax.set(xscale="log", yscale="log")
        else:
            ax.set(xlim=(0, None), ylim=(0, None))
        ax.set(xlabel=xlabel, ylabel=ylabel)
        ax.legend()
    return figure
