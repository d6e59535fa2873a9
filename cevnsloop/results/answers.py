"""What the front door answers: records that say what they are, hold their numbers as a table, and draw themselves."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..checks import Record, shown
from ..choices import Choices
from ..rates.xsec import tree_of
from ..run import output
from .bands import Band, without
from .tables import Table
from .words import limit, quoted, shortened

LIMIT_UNITS = {"m_chi": "MeV", "m_zp": "MeV", "g_limit": "1", "g_best": "1", "chi2_min": "1", "loop_share": "1"}
AXES = {"photoelectrons": "pe", "energy": "keVee", "time": "us"}  # in the heads of tables


@dataclass(frozen=True, eq=False)
class Answer(Record):
    """What the answers of the front door share.

    choices   the Choices that they were computed with
    notes     what a reader must know, a tuple of sentences
    """

    choices: Choices
    notes: tuple[str, ...]

    def __post_init__(self):
        self._keep(**{name: value for name, value in vars(self).items() if isinstance(value, np.ndarray)})

    def table(self):
        """The numbers with their units, a tables.Table: title, columns as arrays, units, settings."""
        columns, units = self._columns()
        return Table(self._title(), columns, units, (*self.choices.lines(), *self.notes))

    def to_csv(self, path):
        """Write the table to `path`, whole or not at all."""
        output.write_table(path, *self.table())

    def plot(self, axes=None):
        """Draw it into matplotlib `axes`, by default of a new figure; returns the axes."""
        from . import plots  # matplotlib takes long to load

        return plots.draw(self, axes)


@dataclass(frozen=True, eq=False, repr=False)
class UpperLimit(Answer):
    """Upper limits on G = g_chi g_q, arrays of the shape of the masses.

    m_chi, m_zp        masses in MeV
    g_limit            the limit; inf where no signal is excluded however large, nan where none is expected
    g_best, chi2_min   where the statistic is smallest
    loop_share         part of the signal at the limit that is due to loops, between 0 and 1; nan without a limit
    band               a bands.Band, limits with each assumption of the theory moved; None: none was computed
    """

    m_chi: np.ndarray
    m_zp: np.ndarray
    g_limit: np.ndarray
    g_best: np.ndarray
    chi2_min: np.ndarray
    loop_share: np.ndarray
    band: Band | None = None

    @property
    def g_band(self):
        """Weakest and strongest limit of the band, shape (2, ...), of which the weakest may be quoted; None without."""
        return None if self.band is None else self.band.ends

    @cached_property
    def g_without(self):
        """Limits without each part of the amplitude `complete`, {part: array}, inf without a limit; {} for others."""
        return without(self.choices, self.m_chi, self.m_zp)

    @property
    def sets_limit(self):
        """What sets the limit, an array of words, "" without a limit.

        The part of the amplitude `complete` without which it weakens most; for others the largest part of the signal at
        the limit, "tree", "interference" or "loops".
        """
        if self.g_without:
            found = np.array(list(self.g_without))[np.array(list(self.g_without.values())).argmax(0)]
        else:
            c = self.choices
            model, targets = c.model(1.0, 1.0), c.dataset.experiment.targets
            has_tree = any(tree_of(model, target.nuclide, c.theory) for target in targets)
            found = np.where(self.loop_share > 0.5, "loops", "tree" if has_tree else "interference")
        return np.where(np.isnan(self.loop_share), "", found)

    def __repr__(self):
        rows = zip(*(np.ravel(a) for a in (self.m_chi, self.m_zp, self.g_limit, self.sets_limit)), strict=True)
        lines = [f"  m_chi = {m:.5g} MeV, m_zp = {z:.5g} MeV: {limit(g, by)}" for m, z, g, by in rows]
        if self.band is not None:
            ends = zip(*(np.ravel(a) for a in (*self.g_band, self.band.weakest)), strict=True)
            lines = [f"{line}\n    {quoted(*end)}" for line, end in zip(lines, ends, strict=True)]
        return "\n".join([self._title(), *shortened(lines), *(f"  note: {note}" for note in self.notes)])

    def _title(self):
        c = self.choices
        return (
            f"upper limits on G = g_chi g_q: case {c.case}, amplitude {c.theory.amplitude}, {c.dataset.name}, "
            f"{c.statistic} statistic, delta_chi2 {shown(c.delta_chi2)}"
        )

    def _columns(self):
        columns = {name: np.ravel(getattr(self, name)) for name in LIMIT_UNITS}
        if self.band is None:
            return columns, LIMIT_UNITS
        ends = {name: g.ravel() for name, g in zip(("g_weakest", "g_strongest"), self.g_band, strict=True)}
        return columns | ends, LIMIT_UNITS | dict.fromkeys(ends, "1")


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum(Answer):
    """Events in the bins of the data for one model; arrays of shape (B,).

    m_chi, m_zp, g    masses in MeV and G = g_chi g_q
    n_sm, n_tree, n_interference, n_loop   expected events, and their sum n_th
    n_obs, sigma, b_on   observed residual, its error, and the beam-on background
    """

    m_chi: float
    m_zp: float
    g: float
    n_sm: np.ndarray
    n_tree: np.ndarray
    n_interference: np.ndarray
    n_loop: np.ndarray
    n_th: np.ndarray
    n_obs: np.ndarray
    sigma: np.ndarray
    b_on: np.ndarray

    def __repr__(self):
        parts = ", ".join(f"{name[2:]} {getattr(self, name).sum():.4g}" for name in _PARTS)
        lines = [f"  expected {self.n_th.sum():.4g} events ({parts}), observed {self.n_obs.sum():.4g}"]
        return "\n".join([self._title(), *lines, *(f"  note: {note}" for note in self.notes)])

    def _title(self):
        c = self.choices
        return (
            f"events in {c.dataset.name}: case {c.case}, m_chi {shown(self.m_chi)} MeV, m_zp {shown(self.m_zp)} MeV, "
            f"G = g_chi g_q = {shown(self.g)}, amplitude {c.theory.amplitude}"
        )

    def _columns(self):
        axes = self.choices.dataset.axes
        names = (*_PARTS, "n_th", "n_obs", "sigma", "b_on")
        columns, units = {}, {}
        for axis, at in zip(axes, np.indices([len(axis) for axis in axes]), strict=True):
            name = AXES.get(axis.name, axis.name)
            columns |= {f"{name}_lo": axis.edges[at.ravel()], f"{name}_hi": axis.edges[at.ravel() + 1]}
            units |= dict.fromkeys((f"{name}_lo", f"{name}_hi"), axis.unit)
        return columns | {name: getattr(self, name) for name in names}, units | dict.fromkeys(names, "1")


_PARTS = ("n_sm", "n_tree", "n_interference", "n_loop")


@dataclass(frozen=True, eq=False, repr=False)
class Expected(Answer):
    """Limits on G that toy experiments without a signal have, beside that of the data; arrays of shape (N,).

    m_chi, m_zp   masses in MeV
    g_limit       of the data
    quantiles     limits below which 2.5, 16, 50, 84 and 97.5% of the toys lie, shape (5, N): -2 ... +2 sigma
    """

    m_chi: np.ndarray
    m_zp: np.ndarray
    g_limit: np.ndarray
    quantiles: np.ndarray

    def __repr__(self):
        rows = zip(self.m_chi, self.m_zp, self.g_limit, self.quantiles.T, strict=True)
        lines = [
            f"  m_chi = {m:.5g} MeV, m_zp = {z:.5g} MeV: G < {g:.4g}; "
            f"expected {q[2]:.4g}, 68% of toys from {q[1]:.4g} to {q[3]:.4g}"
            for m, z, g, q in rows
        ]
        return "\n".join([self._title(), *shortened(lines), *(f"  note: {note}" for note in self.notes)])

    def _title(self):
        c = self.choices
        return (
            f"expected limits on G = g_chi g_q: case {c.case}, amplitude {c.theory.amplitude}, {c.dataset.name}, "
            f"delta_chi2 {shown(c.delta_chi2)}"
        )

    def _columns(self):
        names = ("expected_m2", "expected_m1", "expected_median", "expected_p1", "expected_p2")
        columns = {"m_chi": self.m_chi, "m_zp": self.m_zp, "g_limit": self.g_limit}
        columns |= dict(zip(names, self.quantiles, strict=True))
        return columns, {"m_chi": "MeV", "m_zp": "MeV", "g_limit": "1"} | dict.fromkeys(names, "1")


@dataclass(frozen=True, eq=False, repr=False)
class CrossSection(Answer):
    """dsigma/dT of a neutrino on one nuclide in MeV^-3, for a model with its own couplings; arrays over E and T in MeV.

    sm, tree, interference, loop   Eqs. (22), (23), the interference of the loops with Z exchange, and the loops
    """

    symbol: str
    E: np.ndarray
    T: np.ndarray
    sm: np.ndarray
    tree: np.ndarray
    interference: np.ndarray
    loop: np.ndarray

    def __repr__(self):
        rows = zip(
            *(np.ravel(getattr(self, name)) for name in ("E", "T", "sm", "tree", "interference", "loop")), strict=True
        )
        lines = [
            f"  E = {E:.5g} MeV, T = {T:.5g} MeV: "
            f"sm {sm:.4g}, tree {tree:.4g}, interference {i:.4g}, loop {loop:.4g} MeV^-3"
            for E, T, sm, tree, i, loop in rows
        ]
        return "\n".join([self._title(), *shortened(lines)])

    def _title(self):
        return f"dsigma/dT on {self.symbol}: case {self.choices.case}, amplitude {self.choices.theory.amplitude}"

    def _columns(self):
        names = ("E", "T", "sm", "tree", "interference", "loop")
        units = {"E": "MeV", "T": "MeV"} | dict.fromkeys(names[2:], "MeV^-3")
        return {name: np.ravel(getattr(self, name)) for name in names}, units
