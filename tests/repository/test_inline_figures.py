"""Figures become part of a page in the colours of its theme, and no other colour passes."""

import io
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")

from cevnsloop.results import diagrams, look

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import inline_figures  # noqa: E402


def svg(figure):
    file = io.StringIO()
    figure.savefig(file, format="svg")
    look.plt.close(figure)
    return file.getvalue()


@look.styled
def two_panels(colour=look.COLOURS["published"]):
    figure, axes = look.panels(1, 2)
    for ax in axes.flat:
        ax.plot([0, 1], [0, 2], color=colour)
        ax.set_xlim(0.2, 0.8)  # so that there is something to clip
    return figure


def test_each_panel_is_a_drawing_of_its_own():
    root = ElementTree.fromstring(inline_figures.inlined(svg(two_panels()), 'says "what" is seen'))
    assert root.attrib == {"class": "drawing", "role": "img", "aria-label": 'says "what" is seen'}
    left, right, shared = root
    width, height = (72 * length for length in look.PANEL)
    assert [float(x) for x in left.get("viewBox").split()] == pytest.approx([0, 0, width, height], abs=4)  # but the gap
    assert [float(x) for x in right.get("viewBox").split()] == pytest.approx([width, 0, width, height], abs=4)
    assert shared.get("width") == "0"
    text = ElementTree.tostring(root, encoding="unicode")
    assert not re.search(r"#[0-9a-f]{6}\b", text)
    assert "var(--figure-published)" in text
    asked = re.findall(r"url\(#([\w-]+)\)", text) + re.findall(r'href="#([\w-]+)"', text)
    made = re.findall(r' id="([\w-]+)"', text)
    assert asked
    assert set(asked) <= set(made)
    assert len(made) == len(set(made))


def test_a_figure_without_panels_is_one_drawing():
    (drawing,) = ElementTree.fromstring(inline_figures.inlined(svg(diagrams.soft_pngb()), ""))
    assert drawing.get("viewBox").startswith("0 0 ")


def test_two_figures_share_no_id():
    ids = [
        set(re.findall(r' id="([\w-]+)"', inline_figures.inlined(svg(draw()), "")))
        for draw in (two_panels, diagrams.tree)
    ]
    assert not ids[0] & ids[1]


def test_another_colour_stops_the_build():
    with pytest.raises(ValueError, match=r"must be among ink, .* got #123456"):
        inline_figures.inlined(svg(two_panels("#123456")), "")


def luminance(colour):
    """Relative luminance of WCAG 2."""
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


def test_the_style_sheet_knows_every_colour_light_and_dark():
    css = (ROOT / "book/_static/custom.css").read_text(encoding="utf-8")
    blocks = re.findall(r"\nhtml(?:\[data-theme=\"dark\"\])? \{(\n  --figure[^}]+)\}", css)
    light, dark = (dict(re.findall(r"--figure-([\w-]+): ([^;]+);", block)) for block in blocks)
    assert light == {name: value for name, value in look.COLOURS.items() if inline_figures.NAMES[value] == name}
    assert dark.keys() == light.keys()
    for name in light.keys() - {"page", "grid", "shade", "shade-2"}:  # lines and text: the contrast of WCAG 2
        assert 1.05 / (luminance(light[name]) + 0.05) >= 3, name
        assert (luminance(dark[name]) + 0.05) / (luminance("#121212") + 0.05) >= 3, name
