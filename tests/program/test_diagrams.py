"""What a Feynman diagram must conserve, and what its drawing must show."""

from collections import Counter

import matplotlib as mpl
import numpy as np
import pytest
import sympy as sp

mpl.use("Agg")

from matplotlib import pyplot as plt

from cevnsloop.results import diagrams
from cevnsloop.results.diagrams import BOXES, CONTACT, PARTICLES, TREE, TWO_LOOP, loops, meetings, vertices

ALL = TREE + BOXES + CONTACT + TWO_LOOP
FIGURES = {"tree": TREE, "boxes": BOXES, "contact": CONTACT, "two_loop": TWO_LOOP}
RENORMALISABLE = {("nu", "chi", "Z'"), ("nu", "chi", "phi"), ("q", "q", "Z'"), ("q", "q", "phi"), ("q", "q", "g")}
TWO_PHI = {("nu", "nu", "phi", "phi"), ("q", "q", "phi", "phi")}
FERMIONS = {"nu", "chi", "q"}
BOSONS = {"Z'", "phi"}


def ends(diagram):
    return {point: particles[0] for point, particles in meetings(diagram).items() if len(particles) == 1}


def name(diagram):
    return diagram.title


@pytest.fixture(params=FIGURES)
def drawn(request):
    figure = getattr(diagrams, request.param)()
    yield figure, FIGURES[request.param]
    plt.close(figure)


@pytest.mark.parametrize("diagram", ALL, ids=name)
def test_vertices_are_those_of_the_lagrangian(diagram):
    allowed = TWO_PHI | RENORMALISABLE if diagram in CONTACT else RENORMALISABLE
    assert set(vertices(diagram).values()) <= allowed
    assert any(particles in TWO_PHI for particles in vertices(diagram).values()) == (diagram in CONTACT)


@pytest.mark.parametrize("diagram", ALL, ids=name)
def test_every_fermion_line_runs_through(diagram):
    """At a vertex one fermion arrives and one leaves: chi and nu on one line, quarks on another."""
    lines = [line for line in diagram.lines if line.particle in FERMIONS]
    for vertex in vertices(diagram):
        (arrives,) = (line.particle for line in lines if line.end == vertex)
        (leaves,) = (line.particle for line in lines if line.start == vertex)
        assert (arrives == "q") == (leaves == "q")


@pytest.mark.parametrize("diagram", ALL, ids=name)
def test_external_legs_are_those_of_the_process(diagram):
    arriving = Counter(line.particle for line in diagram.lines if line.start in ends(diagram))
    leaving = Counter(line.particle for line in diagram.lines if line.end in ends(diagram))
    if diagram in TWO_LOOP:
        assert (arriving, leaving) == ({"nu": 1}, {"nu": 1, "g": 2})
    else:
        assert (arriving, leaving) == ({"nu": 1, "q": 1}, {"chi" if diagram in TREE else "nu": 1, "q": 1})


@pytest.mark.parametrize(("group", "number"), [(TREE, 0), (BOXES, 1), (CONTACT, 1), (TWO_LOOP, 2)])
def test_loops_and_connection(group, number):
    """Gluons end on the background field, so they are external lines and close no third loop."""
    for diagram in group:
        assert loops(diagram) == number
        reached = {"nu"}
        for _ in diagram.lines:
            reached |= {p for line in diagram.lines if reached & {line.start, line.end} for p in line[1:3]}
        assert reached == set(diagram.points)
        assert set(meetings(diagram)) == set(diagram.points)


@pytest.mark.parametrize("diagram", TREE + BOXES + TWO_LOOP, ids=name)
def test_momenta_agree_along_every_boson(diagram):
    """What a boson takes from one fermion line it gives to the other."""
    p_1, p_2, k_1, l, p, k = (sp.Symbol(s) for s in ("p_1", "p_2", "k_1", "l", "p", "k"))
    known = {"p_1": p_1, "p_2": p_2, "k_1": k_1, "k_2": p_1 + k_1 - p_2}
    known |= {"p": p, "k": k, r"p+\ell": p + l, r"k-\ell": k - l, r"k+\ell": k + l}

    def taken(vertex):
        fermions = [line for line in diagram.lines if line.particle in FERMIONS]
        into = sum(known[line.momentum] for line in fermions if line.end == vertex)
        return sum(known[line.momentum] for line in fermions if line.start == vertex) - into

    bosons = [line for line in diagram.lines if line.particle in BOSONS]
    if diagram in TWO_LOOP:  # the quark loop has no momenta written to it
        assert [taken(line.start) for line in bosons] == [l, -l]
    else:
        for line in bosons:
            assert sp.expand(taken(line.start) + taken(line.end)) == 0


def test_both_pairings_of_all_pairs_of_bosons():
    """The same bosons at nu -> chi and chi -> nu, and both orders along the quark line."""
    found = set()
    for diagram in BOXES:
        boson = {line.start: line for line in diagram.lines if line.particle in BOSONS}
        order = [line.end for line in diagram.lines if line.particle == "q"][:2]
        first, second = boson["first"], boson["second"]
        crossed = order.index(first.end) > order.index(second.end)
        found.add((first.particle, second.particle, crossed))
        assert ("crossed" in diagram.title) == crossed
        assert diagram.title.startswith(f"${PARTICLES[first.particle][1]}$ ${PARTICLES[second.particle][1]}$")
    assert len(found) == len(BOXES) == 8


def test_two_loop_diagrams_have_all_attachments_of_the_gluons():
    """Between the two bosons the quark has two stretches: two gluons on one, on the other, or one on each."""
    found = []
    for diagram in TWO_LOOP:
        after = {line.start: line.end for line in diagram.lines if line.particle == "q"}
        (boson,) = {line.particle for line in diagram.lines if line.particle in BOSONS}
        counts = []
        for point, stop in (("left", "right"), ("right", "left")):
            counts.append(0)
            while (point := after[point]) != stop:
                assert "g" in vertices(diagram)[point]
                counts[-1] += 1
        found.append((boson, *counts))
    assert set(found) == {(boson, n, 2 - n) for boson in BOSONS for n in range(3)}
    assert len(found) == 6


@pytest.mark.parametrize("diagram", ALL, ids=name)
def test_every_line_is_labelled_and_a_quark_loop_once(diagram):
    silent = [line for line in diagram.lines if line.momentum is None]
    if diagram in TWO_LOOP:
        quarks = [line for line in diagram.lines if line.particle == "q"]
        assert [line.particle for line in silent] == ["q"] * (len(quarks) - 1)
    else:
        assert silent == []
        assert all(line.momentum for line in diagram.lines if line.particle in FERMIONS)


@pytest.mark.parametrize("kind", ["fermion", "scalar", "vector", "gluon"])
@pytest.mark.parametrize("bulge", [0.0, 0.4, -1.0])
@pytest.mark.parametrize("length", [0.17, 1.0, 1.85])
def test_lines_end_on_their_vertices(kind, bulge, length):
    start, end = 0.3 - 0.2j, 0.3 - 0.2j + length * np.exp(0.7j)
    z = diagrams.shape(kind, start, end, bulge)
    assert abs(z[0] - start) < 1e-12
    assert abs(z[-1] - end) < 1e-12
    # to the left of a straight line is a counterclockwise turn; an arc that turns left bulges to the right
    off = ((z - start) * np.exp(-0.7j)).imag
    if kind in ("fermion", "scalar"):
        furthest = off[abs(off).argmax()]
        assert furthest == pytest.approx(-bulge * length / 2, rel=1e-4, abs=1e-12)  # sagitta; 400 points


def test_kinds_differ_without_colour():
    """Waves cross the middle of the line, curls turn back on it, scalars are dashed, chi is thick."""
    wave, curl = (diagrams.shape(kind, 0j, 1 + 0j, 0.0) for kind in ("vector", "gluon"))
    crossings = (np.diff(np.sign(np.round(wave.imag, 12))) != 0).sum()
    assert crossings >= 6
    assert (np.diff(wave.real) > 0).all()
    assert (np.diff(curl.real) < 0).any()
    assert (curl.imag >= -1e-12).all()
    looks = {(kind, width) for kind, _, _, width in PARTICLES.values() if kind == "fermion"}
    assert len(looks) == 2
    assert len({kind for kind, *_ in PARTICLES.values()}) == 4
    assert set(diagrams.LABEL_AT) == {kind for kind, *_ in PARTICLES.values()}


def test_drawing_shows_the_diagram(drawn):
    figure, group = drawn
    assert len(figure.axes) == len(group)
    for ax, diagram in zip(figure.axes, group, strict=True):
        *drawn_lines, dots, _, crosses = ax.lines
        for line, curve in zip(diagram.lines, drawn_lines, strict=True):
            kind, _, colour, width = PARTICLES[line.particle]
            at = np.array(diagram.points[line.start]), np.array(diagram.points[line.end])
            assert np.allclose(curve.get_xydata()[[0, -1]], at, rtol=0, atol=1e-12)  # 0 is a coordinate
            assert (curve.get_color(), curve.get_linewidth()) == (colour, width)
            assert (curve.get_linestyle() == "--") == (kind == "scalar")
        assert {tuple(point) for point in dots.get_xydata()} == {diagram.points[v] for v in vertices(diagram)}
        gluons = [point for point, particle in ends(diagram).items() if particle == "g"]
        assert {tuple(point) for point in crosses.get_xydata()} == {diagram.points[g] for g in gluons}
        labelled = [line for line in diagram.lines if line.momentum is not None]
        for line, text in zip(labelled, ax.texts, strict=True):
            assert text.get_text().strip("$").startswith(PARTICLES[line.particle][1])
            assert line.momentum in text.get_text()
        arrows = [patch for patch in ax.patches if len(patch.get_xy()) == 4]
        assert len(arrows) == sum(line.particle in FERMIONS for line in diagram.lines)
        assert ax.get_title() == diagram.title


def test_arrows_point_along_their_lines(drawn):
    figure, group = drawn
    for ax, diagram in zip(figure.axes, group, strict=True):
        fermions = [line for line in diagram.lines if line.particle in FERMIONS]
        for line, patch in zip(fermions, ax.patches, strict=True):
            tip, *base = patch.get_xy()[:3]
            forward = np.subtract(diagram.points[line.end], diagram.points[line.start])
            assert (tip - np.mean(base, axis=0)) @ forward > 0


def test_nothing_overlaps(drawn):
    """Labels lie inside their panel, apart from each other, and off the lines of the diagram."""
    figure, _ = drawn
    figure.canvas.draw()
    titles = [ax.title.get_window_extent() for ax in figure.axes]
    assert not any(a.overlaps(b) for i, a in enumerate(titles) for b in titles[:i])
    for ax in figure.axes:
        texts = [*ax.texts, ax.title]
        boxes = [text.get_window_extent().padded(-1) for text in texts]
        for i, (text, box) in enumerate(zip(texts, boxes, strict=True)):
            assert not any(box.overlaps(other) for other in boxes[:i]), text.get_text()
            assert figure.bbox.count_contains(box.corners()) == 4, text.get_text()
            for curve in ax.lines[:-3]:
                points = ax.transData.transform(curve.get_xydata())
                assert not box.count_contains(points), (ax.get_title(), text.get_text())


def test_a_notebook_that_shows_its_first_figure_shows_the_next(monkeypatch):
    """Its backend turns interactive mode on with the first figure: drawing must leave that on."""
    panels = diagrams.panels

    def first_figure(*args, **kwargs):
        plt.interactive(True)
        return panels(*args, **kwargs)

    monkeypatch.setattr(diagrams, "panels", first_figure)
    try:
        plt.close(diagrams.tree())
        assert plt.isinteractive()
    finally:
        plt.interactive(False)
