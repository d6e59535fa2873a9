"""The Feynman diagrams of the paper's Figs. 1 and 2: as data, and drawn.

A diagram is named points and lines between them. A point with one line is an end, one with more is a vertex. Time runs
from left to right and a fermion along its arrow. The gluons of the two-loop diagrams end on the background field (a
crossed circle): they are external lines, and internal lines - vertices + 1 counts the loops of chi and of the quark.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .look import COLOURS, panels, styled, subplots

# kind, symbol, colour and width of the lines of a particle: nothing is told by colour alone
PARTICLES = {
    "nu": ("fermion", r"\nu", COLOURS["ink"], 1.4),
    "chi": ("fermion", r"\chi", COLOURS["coherent"], 2.8),
    "q": ("fermion", "q", COLOURS["ink"], 1.4),
    "Z'": ("vector", "Z'", COLOURS["ink"], 1.4),
    "phi": ("scalar", r"\varphi", COLOURS["ink"], 1.4),
    "g": ("gluon", "g", COLOURS["ink"], 1.2),
}
TEXT = {"fontsize": 13, "math_fontfamily": "cm"}
LABEL_AT = {"fermion": 0.5, "vector": 0.3, "scalar": 0.3, "gluon": 0.65}  # of the way from start to end
SCALE, TITLE, MARGIN = 0.6, 0.36, (0.15, 0.45)  # inches per unit of length, inches, units in x and y
HALF_WAVE, CURL, AMPLITUDE, LABEL_OFFSET = 0.15, 0.16, 0.07, 0.28  # units


class Line(NamedTuple):
    """A particle from start to end, its momentum (None: no label) and tan(angle/4) of an arc that turns left."""

    particle: str
    start: str
    end: str
    momentum: str | None = ""
    bulge: float = 0.0


class Diagram(NamedTuple):
    """A title, points {name: (x, y)} and a tuple of lines."""

    title: str
    points: dict
    lines: tuple


def meetings(diagram):
    """The particles at each point, {point: (particle, ...)} in the order of PARTICLES."""
    found = {}
    for line in sorted(diagram.lines, key=lambda line: list(PARTICLES).index(line.particle)):
        for point in (line.start, line.end):
            found[point] = (*found.get(point, ()), line.particle)
    return found


def vertices(diagram):
    """The points of `meetings` where lines meet."""
    return {point: particles for point, particles in meetings(diagram).items() if len(particles) > 1}


def loops(diagram):
    """The number of loops of a connected diagram: internal lines - vertices + 1."""
    inner = vertices(diagram)
    return sum(line.start in inner and line.end in inner for line in diagram.lines) - len(inner) + 1


# The diagrams

X, Y = (1.6, 0.7), 1.2  # of ends and vertices; the quark line is at y = 0
POINTS = {
    **{"nu": (-X[0], Y), "first": (-X[1], Y), "upper": (0.0, Y), "second": (X[1], Y), "nu'": (X[0], Y)},
    **{"q": (-X[0], 0.0), "left": (-X[1], 0.0), "lower": (0.0, 0.0), "right": (X[1], 0.0), "q'": (X[0], 0.0)},
}
BOSONS = ("Z'", "Z'"), ("phi", "phi"), ("Z'", "phi"), ("phi", "Z'")
ROUTES = {"direct": ("left", "right", r"k-\ell"), "crossed": ("right", "left", r"k+\ell")}
GLUONS = {"gluons above": ((68, 112), ()), "one on each side": ((90,), (270,)), "gluons below": ((), (248, 292))}
TWICE = r"nu nu first p,chi first second p+\ell,nu second nu' p"  # the neutrino line with two vertices


def _diagram(title, lines, more=(), points=POINTS):
    """A Diagram from `lines`, "particle start end momentum, ...", and `more` of them."""
    lines = (*(Line(*words.split()) for words in lines.split(",")), *more)
    used = {point for line in lines for point in line[1:3]}
    return Diagram(title, {name: point for name, point in points.items() if name in used}, lines)


def _box(first, second, route):
    to_first, to_second, momentum = ROUTES[route]
    quark = f"q q left k,q left right {momentum},q right q' k"
    title = f"${PARTICLES[first][1]}$ ${PARTICLES[second][1]}$, {route}"
    return _diagram(title, f"{TWICE},{quark},{first} first {to_first},{second} second {to_second}")


def _two_loop(boson, title, above, below):
    """Two bosons on a circle of a quark, gluons at the given angles (degrees) on its sides."""
    points = POINTS | {"first": (-0.9, Y), "second": (0.9, Y)}
    stops = [("right", 0), *((f"g{a}", a) for a in above), ("left", 180), *((f"g{a}", a) for a in below)]
    for name, angle in stops:
        x, y = 0.55 * np.cos(np.radians(angle)), 0.55 * np.sin(np.radians(angle)) - 0.3
        points |= {name: (x, y), f"field {name}": (1.3 * x, y + np.copysign(0.42, y + 0.3))}
    gluons = [Line("g", name, f"field {name}") for name, _ in stops if name[0] == "g"]
    arcs = [
        Line("q", start, end, "" if start == "left" else None, np.tan(np.radians(b - a) / 4))  # one label for the loop
        for (start, a), (end, b) in pairwise([*stops, ("right", 360)])
    ]
    return _diagram(title, f"{TWICE},{boson} first left,{boson} second right", (*gluons, *arcs), points)


TREE = tuple(
    _diagram(title, f"nu nu upper p_1,chi upper nu' p_2,q q lower k_1,q lower q' k_2,{boson} upper lower")
    for title, boson in (("cases A and B", "Z'"), ("case B only", "phi"))
)
BOXES = tuple(_box(*bosons, route) for bosons in BOSONS for route in ROUTES)
NARROW = {name: (0.82 * x, y) for name, (x, y) in POINTS.items()}  # three diagrams side by side
NEUTRINO, QUARK = "nu nu upper p,nu upper nu' p", "q q lower k,q lower q' k"
CONTACT = (
    _diagram("triangle, quark", f"{TWICE},{QUARK},phi first lower,phi second lower", (), NARROW),
    _diagram(
        "triangle, neutrino",
        rf"{NEUTRINO},q q left k,q left right k-\ell,q right q' k,phi upper left,phi upper right",
        points=NARROW,
    ),
    _diagram(
        "bubble",
        f"{NEUTRINO},{QUARK}",
        (Line("phi", "upper", "lower", bulge=0.5), Line("phi", "upper", "lower", bulge=-0.5)),
        NARROW,
    ),
)
TWO_LOOP = tuple(_two_loop(boson, title, *sides) for title, sides in GLUONS.items() for boson in ("Z'", "phi"))


# Drawing: points are complex numbers


def course(start, end, bulge, n):
    """n points on the line or arc from start to end, and the unit vectors to its left."""
    t, turned = np.linspace(0, 1, n), 4 * np.arctan(bulge)
    if bulge == 0:
        return start + (end - start) * t, np.full(n, 1j * (end - start) / abs(end - start))
    centre = (start + end) / 2 + 0.5j * (end - start) / np.tan(turned / 2)
    z = centre + (start - centre) * np.exp(1j * turned * t)
    return z, np.sign(bulge) * (centre - z) / abs(centre - z)


def shape(kind, start, end, bulge):
    """The line as drawn: whole numbers of half waves and of curls, so that it ends where it should."""
    (z, left), t = course(start, end, bulge, 400), np.linspace(0, 1, 400)
    length = abs(np.diff(z)).sum()
    if kind == "vector":
        z = z + AMPLITUDE * left * np.sin(np.pi * t * max(2, round(length / HALF_WAVE)))
    if kind == "gluon":
        curls = max(2, round(length / CURL))
        phase = 2 * np.pi * t * curls
        z = z + 0.3 * length / curls * left * (1j * np.sin(phase) + 1 - np.cos(phase))
    return z


def draw(ax, diagram):
    """Draw lines with arrows and labels, which stand on the outer side, dots on vertices, and the ends of gluons."""
    place = {name: complex(*point) for name, point in diagram.points.items()}
    middle = np.mean(list(place.values()))
    for line in diagram.lines:
        kind, symbol, colour, width = PARTICLES[line.particle]
        z = shape(kind, place[line.start], place[line.end], line.bulge)
        ax.plot(z.real, z.imag, "--" if kind == "scalar" else "-", color=colour, lw=width)
        z, left = course(place[line.start], place[line.end], line.bulge, 101)
        if kind == "fermion":
            head = z[50] + left[50] * np.array([-0.14j, 0.09 + 0.06j, -0.09 + 0.06j])
            ax.fill(head.real, head.imag, color=colour, lw=0, zorder=3)
        if line.momentum is not None:
            i = round(100 * LABEL_AT[kind])
            out = (z[i] - middle).imag * left[i].imag if kind == "fermion" else z[i].real * left[i].real
            at = z[i] + (LABEL_OFFSET if out > -1e-9 else -LABEL_OFFSET) * left[i]
            text = f"${symbol}({line.momentum})$" if line.momentum else f"${symbol}$"
            ax.text(at.real, at.imag, text, ha="center", va="center", **TEXT)
    dots = np.array([place[name] for name in vertices(diagram)])
    ax.plot(dots.real, dots.imag, "o", ms=4.5, color=COLOURS["ink"], zorder=4)
    field = np.array([place[line.end] for line in diagram.lines if line.particle == "g"], dtype=complex)
    ax.plot(field.real, field.imag, "o", ms=9, mfc=COLOURS["page"], mec=COLOURS["ink"], zorder=4)
    ax.plot(field.real, field.imag, "x", ms=6, color=COLOURS["ink"], zorder=5)
    ax.set_title(diagram.title, **TEXT)
    ax.set_axis_off()


@styled
def row(diagrams, columns):
    """The diagrams in rows of `columns`, all to one scale."""
    x, y = np.array([point for diagram in diagrams for point in diagram.points.values()]).T
    limits = [(v.min() - margin, v.max() + margin) for v, margin in zip((x, y), MARGIN, strict=True)]
    rows = -(-len(diagrams) // columns)
    figure, axes = panels(rows, columns, np.ptp(limits[0]) * SCALE, np.ptp(limits[1]) * SCALE + TITLE)
    for ax, diagram in zip(axes.flat, diagrams, strict=True):
        draw(ax, diagram)
        ax.set(xlim=limits[0], ylim=limits[1], aspect="equal")
    return figure


def tree():
    """Fig. 1(a): nu -> chi by the exchange of Z' or its Goldstone boson."""
    return row(TREE, 2)


def boxes():
    """Fig. 1(b)-(e): two bosons, in both orders on the quark line."""
    return row(BOXES, 2)


def contact():
    """Diagrams with vertices of two Goldstone bosons, which gauge independence needs beside the boxes."""
    return row(CONTACT, 3)


def two_loop():
    """Fig. 2: two bosons of one kind on a loop of a heavy quark in a gluon field."""
    return row(TWO_LOOP, 2)


@styled
def soft_pngb():
    """The mass of a quark in a constant field of the pNGB: the long side of a right triangle."""
    figure, ax = subplots(figsize=(4.2, 2.4))
    ax.plot([0, 3, 3], [0, 0, 1.6], color=COLOURS["ink"], lw=1.4)
    ax.plot([0, 3], [0, 1.6], color=COLOURS["coherent"], lw=2.8)
    ax.text(1.5, -0.12, "$m_q$", ha="center", va="top", **TEXT)
    ax.text(3.1, 0.8, r"$y\varphi$", va="center", **TEXT)
    ax.text(1.4, 0.95, r"$\sqrt{m_q^2 + y^2\varphi^2}$", ha="right", **TEXT)
    ax.set(xlim=(-0.4, 3.8), ylim=(-0.5, 1.8), aspect="equal")
    ax.axis("off")
    return figure
