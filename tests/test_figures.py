import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

from cevnsloop import figures, paper


@pytest.fixture
def fig3(dataset):
    curves = paper.spectra(dataset, "published")
    figure = figures.fig3(dataset.pe_edges, curves, paper.labels(), dataset.n_obs, dataset.sigma)
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
    curves = paper.limit_curves(m_chi, dataset, "published", 4.61)
    figure = figures.fig4(m_chi, curves, paper.quoted_by_panel())
    assert len(figure.axes) == 4
    for ax, ((case, ratio), g_limit) in zip(figure.axes, curves.items(), strict=True):
        assert f"case {case}" in ax.get_title()
        assert f"{ratio:g}" in ax.get_title()
        line, *quoted = ax.lines
        assert line.get_ydata().tolist() == g_limit.tolist()
        assert [(q.get_xdata()[0], q.get_ydata()[0]) for q in quoted] == paper.quoted_by_panel()[case, ratio]
        assert line.get_color() == figures.COLOURS[case]
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    figures.plt.close(figure)


def test_the_style_stays_in_the_figures(fig3):
    assert mpl.rcParams["savefig.dpi"] == mpl.rcParamsDefault["savefig.dpi"]


def test_colours_and_lines_differ():
    assert len(set(figures.COLOURS.values())) == len(figures.COLOURS)
    assert len(set(figures.LINES.values())) == len(figures.LINES)


def test_ticks_are_plain_numbers():
    assert [figures.plain(v, None) for v in (0.1, 1.0, 1000.0)] == ["0.1", "1", "1000"]
