"""How every figure of the book looks: colours, lines and sizes, and no data.

One thing looks the same everywhere. The colour says which calculation it is, the line which case: A solid, B dashed.
The colours follow Okabe, Ito and Tol, which colour-blind readers can tell apart, and no two curves differ by colour
alone. Labels stand at the curves where there is room. On the pages of the book the style sheet gives each colour its
twin for dark pages, so a figure may use those of COLOURS only.
"""

import functools

import matplotlib.pyplot as plt
import numpy as np

COLOURS = {
    "ink": "#1a1a1a",  # axes, text, what is measured, the Standard Model, and the answer
    "muted": "#5e5e5e",  # what stands behind: marks, notes, medians, the tree
    "grid": "#d9d9d9",
    "shade": "#eaeaea",  # where an approximation fails, what is counted
    "shade-2": "#dadada",
    "page": "#ffffff",
    "published": "#d55e00",
    "rederived": "#0072b2",
    "coherent": "#00845f",
    "partonic": "#aa3377",
    "nu_mu": "#882255",
    "nubar_mu": "#c4568f",
    "nu_e": "#9a6b00",
}
LINES = {"SM": ":", "A": "-", "B": "--", "c1": "-", "c2": "--", "c3": ":", "nu_mu": "-", "nubar_mu": "-.", "nu_e": "--"}
MASS = r"$m_\chi$ [MeV]"
LIMIT = r"upper limit on $G = g_\chi g_q$"
SINGLE, PANEL = (5.2, 3.6), (4.2, 3.2)  # inches; on a telephone 1 pt is about 1 px, and no text is smaller than 11
STYLE = {
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 11.5,
    "axes.titlesize": 11.5,
    "axes.labelsize": 11.5,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "text.color": COLOURS["ink"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.edgecolor": COLOURS["ink"],
    "xtick.color": COLOURS["ink"],
    "ytick.color": COLOURS["ink"],
    "axes.prop_cycle": plt.cycler(color=[COLOURS[k] for k in ("rederived", "published", "coherent", "partonic")]),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": COLOURS["grid"],
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.9,
    "legend.frameon": False,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "svg.hashsalt": "cevnsloop",
    "savefig.dpi": 160,
}


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
        """As matplotlib does. A panel carries its box in its id, by which the book stacks panels on a narrow page."""
        with style():
            if self.subfigs:
                self.get_layout_engine().execute(self)
            for panel in self.subfigs:
                (left, bottom), (right, top) = panel.bbox.get_points()
                box = left, self.bbox.height - top, right - left, top - bottom
                panel.set_gid("panel " + " ".join(f"{length:.2f}" for length in box))
            super().draw(renderer)

    def savefig(self, *args, **kwargs):
        """As matplotlib does."""
        with style():
            super().savefig(*args, **kwargs)


subplots = functools.partial(plt.subplots, FigureClass=Figure)


def single(width=SINGLE[0], height=SINGLE[1]):
    """A figure and its one axes, for use within `style`; width and height in inches."""
    return subplots(figsize=(width, height))


def panels(rows, columns, width=PANEL[0], height=PANEL[1], heights=None):
    """A figure and its (rows, columns) axes, for use within `style`; width and height in inches, of a panel.

    Panels stand beside each other where there is room and below each other on a telephone: each has its own labels.
    With `heights`, relative ones, each panel is a column of axes over one x axis, and what is returned has shape
    (rows, columns, len(heights)).
    """
    figure = plt.figure(FigureClass=Figure, figsize=(columns * width, rows * height))
    parts = figure.subfigures(rows, columns, squeeze=False)
    many = heights or (1,)
    axes = [
        [part.subplots(len(many), 1, sharex=True, squeeze=False, height_ratios=many)[:, 0] for part in row]
        for row in parts
    ]
    axes = np.array(axes, dtype=object)
    return figure, axes if heights else axes[..., 0]


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


def masses(ax, m_chi, ylabel=LIMIT):
    """Make both axes logarithmic, masses in plain numbers of MeV along x, and label them."""
    ax.set(xscale="log", yscale="log", xlim=(m_chi[0], m_chi[-1]), xlabel=MASS, ylabel=ylabel)
    ax.xaxis.set_major_formatter(plain)


def label(ax, x, y, text, colour="ink", **options):
    """Write `text` at (x, y) in the colour of the curve that it names."""
    return ax.text(x, y, text, **{"color": COLOURS[colour], "ha": "center", "va": "center"} | options)
