import io
import re

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

from cevnsloop.amplitudes.quarks import PUBLISHED
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.results import diagrams, figures, look
from cevnsloop.results import quoted as paper


@pytest.fixture
def fig3(dataset):
    curves = paper.spectra(dataset.experiment, Theory(PUBLISHED))
    figure = figures.fig3(dataset.pe_edges, curves, paper.labels(), dataset.n_obs, dataset.sigma, "published")
    yield figure, curves
    figures.plt.close(figure)


def test_fig3_draws_what_it_is_given(fig3, dataset):
    figure, curves = fig3
    (ax,) = figure.axes
    assert [patch.get_data().values.tolist() for patch in ax.patches] == [c.tolist() for c in curves.values()]
    assert ax.get_legend_handles_labels()[1][:3] == list(paper.labels().values())
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert ax.get_xlim() == (6, 30)


def test_fig4_draws_every_curve_in_its_panel(dataset):
    m_chi = np.geomspace(1, 1000, 4)
    curves = paper.limit_curves(m_chi, dataset, Theory(PUBLISHED), 4.61)
    other = {key: 2 * curve for key, curve in curves.items()}
    shaded = {10.0: [(100.0, "heavy"), (8.0, "light")]}
    figure = figures.fig4(m_chi, {"published": curves, "rederived": other}, paper.quoted_by_panel(), shaded)
    assert len(figure.axes) == 4
    for ax, ((case, ratio), g_limit) in zip(figure.axes, curves.items(), strict=True):
        assert f"case {case}" in ax.get_title()
        assert f"{ratio:g}" in ax.get_title()
        line, second, *others = ax.lines
        quoted = [one for one in others if one.get_marker() == "D"]
        assert line.get_ydata().tolist() == g_limit.tolist()
        assert second.get_ydata().tolist() == (2 * g_limit).tolist()
        assert line.get_linestyle() == second.get_linestyle() == look.LINES[case]
        assert [patch.get_width() for patch in ax.patches] == ([99.0, 7.0] if ratio == 10 else [])
        assert [(q.get_xdata()[0], q.get_ydata()[0]) for q in quoted] == paper.quoted_by_panel()[case, ratio]
        assert (line.get_color(), second.get_color()) == (look.COLOURS["published"], look.COLOURS["rederived"])
        shades = [" heavy ", " light "] if ratio == 10 else []
        assert [text.get_text() for text in ax.texts] == ["published", "rederived", *shades]
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    figures.plt.close(figure)


def test_the_style_stays_in_the_figures(fig3):
    assert mpl.rcParams["savefig.dpi"] == mpl.rcParamsDefault["savefig.dpi"]


PERSONAL = {
    "text.usetex": True,
    "mathtext.fontset": "stix",
    "font.size": 30,
    "savefig.dpi": 30,
    "savefig.facecolor": "red",
    "xtick.minor.visible": True,
    "axes.formatter.min_exponent": 5,
}


@pytest.mark.parametrize(
    "draw", [diagrams.tree, lambda: figures.curves([1, 10], {"$x$": ([1, 9], "published", "-")}, "", "")]
)
@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_set_up_of_a_reader_changes_no_figure(draw, suffix):
    drawn = []
    for personal in ({}, PERSONAL):
        with mpl.rc_context(personal):
            figure, file = draw(), io.BytesIO()
            figure.savefig(file, format=suffix, metadata={"Date": None} if suffix == "svg" else {})
        figures.plt.close(figure)
        drawn.append(file.getvalue())
    assert drawn[0] == drawn[1]


def test_a_notebook_shows_what_is_saved():
    """It prints a figure outside the function that drew it, without savefig."""
    shown = []
    for personal in ({}, PERSONAL):
        with mpl.rc_context(personal):
            figure, file = (
                figures.curves([1, 10], {"$x$": ([1, 9], "published", "-")}, "", "", scale="loglog"),
                io.BytesIO(),
            )
            figure.canvas.print_figure(file, dpi=figure.dpi, facecolor="white", bbox_inches="tight")
        figures.plt.close(figure)
        shown.append(file.getvalue())
    assert shown[0] == shown[1]


def test_colours_and_lines_differ():
    # what can stand in one figure differs; operators and neutrinos never do
    assert len(set(look.COLOURS.values())) == len(look.COLOURS)
    for keys in ({"SM", "A", "B"}, {"c1", "c2", "c3"}, {"nu_mu", "nu_e", "nubar_mu"}):
        assert len({look.LINES[key] for key in keys}) == len(keys)


def test_no_text_is_small():
    """1 pt is at least 1 px on a telephone: a drawing is never shown smaller than it is."""
    assert min(size for key, size in look.STYLE.items() if key.endswith("size") and key != "svg.hashsalt") >= 11


def test_panels_say_where_they_stand():
    with look.style():
        figure, axes = look.panels(1, 2, width=3, height=2)
    assert axes.shape == (1, 2)
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg")
    boxes = [[float(x) for x in box.split()] for box in re.findall('<g id="panel ([^"]+)">', drawn.getvalue())]
    assert np.array(boxes) == pytest.approx(np.array([[0, 0, 216, 144], [216, 0, 216, 144]]), abs=4)  # but the gap
    figures.plt.close(figure)


def test_panels_can_be_columns_of_axes():
    with look.style():
        figure, axes = look.panels(2, 1, heights=(2, 1))
    assert axes.shape == (2, 1, 2)
    above, below = axes[0, 0]
    assert above.get_shared_x_axes().joined(above, below)
    assert above.get_position().height > below.get_position().height
    figures.plt.close(figure)


def test_ticks_are_plain_numbers():
    assert [look.plain(v, None) for v in (0.1, 1.0, 1000.0)] == ["0.1", "1", "1000"]


@pytest.mark.parametrize("scale", ["linear", "loglog", "semilogx", "semilogy"])
def test_curves_draw_lines_bands_and_marks(scale):
    x = np.array([1.0, 10.0, 100.0])
    lines = {"square": (x**2, "published", "--"), "root": (np.sqrt(x), "rederived", ":")}
    figure = figures.curves(x, lines, "x [MeV]", "y", scale, bands=[(2, 3, "shaded")], marks=[(5, "edge")], ylim=(1, 9))
    (ax,) = figure.axes
    assert [line.get_ydata().tolist() for line in ax.lines[:2]] == [(x**2).tolist(), np.sqrt(x).tolist()]
    assert [line.get_linestyle() for line in ax.lines[:2]] == ["--", ":"]
    assert ax.get_legend_handles_labels()[1] == ["square", "root", "shaded"]
    assert [text.get_text() for text in ax.texts] == [" edge"]
    assert ax.get_ylim() == (1, 9)
    logarithmic = {"loglog": ("log", "log"), "semilogx": ("log", "linear"), "semilogy": ("linear", "log")}
    assert (ax.get_xscale(), ax.get_yscale()) == logarithmic.get(scale, ("linear", "linear"))
    figures.plt.close(figure)


def test_recoil_bands_lie_between_their_edges():
    m_chi, low, high = np.array([1.0, 2.0]), np.array([0.1, 0.2]), np.array([3.0, 2.0])
    figure = figures.recoil_bands(m_chi, {"30 MeV": (low, high, "nu_mu")}, (1, 2))
    (ax,) = figure.axes
    assert [line.get_ydata().tolist() for line in ax.lines] == [high.tolist(), low.tolist()]
    assert ax.get_legend_handles_labels()[1] == ["counted in the fit", "30 MeV"]
    figures.plt.close(figure)


def test_expected_limits_are_drawn_with_their_ratio_to_the_median():
    m_chi = np.geomspace(1, 100, 5)
    band = {
        name: factor * m_chi**2 for name, factor in {"-2": 0.5, "-1": 0.8, "median": 1, "+1": 1.5, "+2": np.inf}.items()
    }
    data, few = {("A", 10.0): 1.2 * m_chi**2}, {("A", 10.0): 0.7 * m_chi[::2] ** 2}
    figure = figures.expected(m_chi, {("A", 10.0): band}, {"data": (1, data, "-"), "few": (2, few, "o")})
    above, below = figure.axes
    for ax, unit in ((above, m_chi**2), (below, np.ones(5))):
        median, line, points = ax.lines[:3]
        assert median.get_ydata() == pytest.approx(unit, rel=1e-14, abs=0)
        assert line.get_ydata() == pytest.approx(1.2 * unit, rel=1e-14, abs=0)
        assert points.get_ydata() == pytest.approx(0.7 * unit[::2], rel=1e-14, abs=0)
        wide, narrow = (area.get_paths()[0].vertices[:, 1] for area in ax.collections)
        assert wide.min() == pytest.approx(0.5 * unit[0], rel=1e-14, abs=0)
        assert wide.max() > ax.get_ylim()[1]  # a limit that some toys do not have is beyond the panel
        assert narrow.max() == pytest.approx(1.5 * unit[-1], rel=1e-14, abs=0)
    said = [text.get_text() for text in above.get_legend().get_texts()]
    assert said == ["95%", "68% of the toys", "median", "data", "few"]


def test_shifts_are_bars_to_both_sides():
    figure = figures.shifts({"one": {"flux": (5.0, -4.0), "size": (-1.0, 2.0)}, "other": {"flux": (0, 0)}}, "change")
    down, up = figure.axes[0].containers
    assert [bar.get_width() for bar in down] == [5.0, -1.0]
    assert [bar.get_width() for bar in up] == [-4.0, 2.0]
    assert [label.get_text() for label in figure.axes[1].get_yticklabels()] != ["size", "flux"]
    assert figure.axes[0].yaxis_inverted()  # the first name on top


def test_a_budget_has_its_longest_bar_on_top():
    figure = figures.budget(
        {"case A": ({"few": 1.0, "many": 5.0, "some": 2.0}, "ink"), "case B": ({"one": 3.0}, "coherent")}, "s"
    )
    upper, lower = figure.axes
    assert [bar.get_width() for bar in upper.containers[0]] == [1.0, 2.0, 5.0]  # from below
    assert [label.get_text() for label in upper.get_yticklabels()] == ["few", "some", "many"]
    assert [text.get_text() for text in upper.texts] == ["1.00", "2.00", "5.00"]
    assert lower.get_xlabel() == "s"
    figures.plt.close(figure)
