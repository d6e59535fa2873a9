"""Scans and toy runs as values: a `Job` says which rows there are, and any process can compute some of them."""

import math
from dataclasses import dataclass

import numpy as np

from .checks import Record, instance, positive, shown, whole
from .choices import Choices
from .fit import toys
from .fit.limits import reached as limits_reached
from .fit.limits import remark, upper_limit
from .rates.varied import predict_varied
from .run import output

MOST_ROWS, MOST_TOYS = 10**7, 10**6  # of a table, at a mass: some minutes, a GB
LIMITS = ("g_limit", "g_best", "chi2_min", "loop_share")
EXPECTED = ("expected_m2", "expected_m1", "expected_median", "expected_p1", "expected_p2")
TOYS = ("g_limit", *EXPECTED, "coverage", "g_fc", "left_out")


def counted(name, value, most):
    """Return `value` as an int from 1 to `most`; ValueError otherwise."""
    if not 1 <= whole(name, value, -math.inf) <= most:
        raise ValueError(f"{name} must be from 1 to {most}, got {value}")
    return int(value)


@dataclass(frozen=True)
class Masses(Record):
    """`points` masses from `low` to `high` in MeV, equally spaced in the logarithm, called `name` in messages.

    Raises ValueError unless 0 < low <= high and 1 <= points <= MOST_ROWS.
    """

    low: float
    high: float
    points: int
    name: str = "m_chi"

    def __post_init__(self):
        low, high = (float(x) for x in (self.low, self.high))
        if not (0 < low <= high < np.inf):
            raise ValueError(f"{self.name} must satisfy 0 < min <= max in MeV, got {self.low} and {self.high}")
        self._keep(low=low, high=high, points=counted(self._points, self.points, MOST_ROWS))

    @property
    def _points(self):
        return "points" if self.name == "m_chi" else f"{self.name}_points"

    def values(self):
        """The masses, shape (points,)."""
        return np.geomspace(self.low, self.high, self.points)

    def described(self):
        """Range and number, as what JSON can hold."""
        return {f"{self.name}_min": self.low, f"{self.name}_max": self.high, self._points: self.points}

    def __str__(self):
        return f"{self.points} points from {shown(self.low)} to {shown(self.high)} MeV"


@dataclass(frozen=True)
class Job(Record):
    """Rows of a table over masses.

    choices   the Choices
    m_chi     Masses of chi
    m_zp      a ratio m_zp / m_chi, or Masses of Z', each with every m_chi in turn
    toys      experiments thrown at each mass and coupling, None for limits alone
    seed      of the toys

    Raises ValueError for another type, more than MOST_ROWS rows or MOST_TOYS toys.
    """

    choices: Choices
    m_chi: Masses
    m_zp: float | Masses
    toys: int | None = None
    seed: int = 0

    def __post_init__(self):
        instance("choices", self.choices, Choices)
        instance("m_chi", self.m_chi, Masses)
        if not isinstance(self.m_zp, Masses):
            self._keep(m_zp=float(positive("ratio", self.m_zp, "")))
        self._keep(seed=whole("seed", self.seed, 0))
        if self.toys is not None:
            self._keep(toys=counted("toys", self.toys, MOST_TOYS))
        counted("points times m_zp_points", len(self), MOST_ROWS)

    def __len__(self):
        return self.m_chi.points * (self.m_zp.points if isinstance(self.m_zp, Masses) else 1)

    def masses(self, rows=slice(None)):
        """m_chi and m_zp of the rows, an index of numpy."""
        row = np.arange(len(self))[rows]
        m_chi = self.m_chi.values()[row % self.m_chi.points]
        return m_chi, self.m_zp.values()[row // self.m_chi.points] if isinstance(
            self.m_zp, Masses
        ) else self.m_zp * m_chi

    def where(self):
        """The masses in words."""
        if isinstance(self.m_zp, Masses):
            return f"m_chi {self.m_chi}, at each m_zp of {self.m_zp}"
        return f"m_zp = {shown(self.m_zp)} m_chi, {self.m_chi}"

    def described(self):
        """All that the rows depend on, as what JSON can hold."""
        m_zp = self.m_zp.described() if isinstance(self.m_zp, Masses) else {"ratio": self.m_zp}
        drawn = {"toys": self.toys, "seed": self.seed} if self.toys else {}
        return self.choices.described() | self.m_chi.described() | m_zp | drawn


def head(job, table):
    """What stands above the table of a job's rows: its columns, what was chosen, and what the table does not show."""
    units = {"m_chi": "MeV", "m_zp": "MeV"} | dict.fromkeys([name for name in table if not name.startswith("m_")], "1")
    title = (
        "upper limits g_limit on g_chi g_q, of the data and of toy experiments"
        if job.toys
        else ("upper limits g_limit on g_chi g_q; g_best fits best, with chi2_min; loop_share of the signal at g_limit")
    )
    lines = (job.where(), *job.choices.lines(), *([DRAWN.format(job.toys, job.seed)] if job.toys else []))
    return output.header(title, units, (*lines, *remarks(job, table)))


DRAWN = (
    "{} toys, seed {}; expected: quantiles of limits without a signal, inf where toys have none; coverage: fraction of "
    "toys made with g_limit whose limit is not below it; g_fc: upper end of the interval of Feldman and Cousins, 90%, "
    "nan far from g_limit; left_out: toys that cannot be fitted"
)


def remarks(job, table):
    """Lines on rows without a limit and toys without a fit, if there are any."""
    left_out = int(np.sum(table.get("left_out", 0)))
    lines = (
        remark(table["g_limit"], job.choices.delta_chi2),
        left_out and f"{left_out} toys left out: a bin has neither counts nor beam-on background, sigma_stat = 0",
    )
    return [line for line in lines if line]


def reached(table):
    """For JSON, which writes null for both: why a limit of the table is none, row by row, {name_is: words}."""
    words = {f"{name}_is": limits_reached(v) for name, v in table.items() if name.startswith(("g_limit", "expected"))}
    if "g_fc" in table:
        pairs = zip(limits_reached(table["g_fc"]), words["g_limit_is"], strict=True)
        words["g_fc_is"] = [
            own if own == "reached" or of_data == "no signal" else "not found" for own, of_data in pairs
        ]
    return words


def limits(job, piece):
    """Rows piece[0], ..., piece[1] - 1 of a Job, {column: array}: masses and LIMITS."""
    m_chi, m_zp = job.masses(slice(*piece))
    events, dataset = _predicted(job, m_chi, m_zp)
    found = upper_limit(events, dataset, job.choices.delta_chi2, job.choices.fit)
    columns = (found.g_limit, found.g_best, found.chi2_min, events.loop_share(found.g_limit))
    return {"m_chi": m_chi, "m_zp": m_zp, **dict(zip(LIMITS, columns, strict=True))}


def toy_limits(job, piece):
    """The same rows with toys, {column: array}: masses and TOYS."""
    m_chi, m_zp = job.masses(slice(*piece))
    events, dataset = _predicted(job, m_chi, m_zp)
    delta, drawn, fit = job.choices.delta_chi2, (job.toys, job.seed), job.choices.fit
    g_limit = upper_limit(events, dataset, delta, fit).g_limit
    expected = toys.bands(events, dataset, delta, *drawn, fit)
    covered = [toys.coverage(events.at([n]), [g], dataset, [delta], *drawn, fit) for n, g in enumerate(g_limit)]
    fc = toys.feldman_cousins(events, dataset, 0.9, *drawn, fit)
    left_out = expected.left_out + np.array([one.left_out[0] for one in covered]) + fc.left_out.sum(-1)
    columns = (g_limit, *expected.g_limit.values(), np.array([one.fractions[delta][0] for one in covered]), fc.g_limit)
    return {"m_chi": m_chi, "m_zp": m_zp, **dict(zip(TOYS, (*columns, left_out), strict=True))}


def _predicted(job, m_chi, m_zp):
    dataset = job.choices.dataset
    return predict_varied(job.choices.model(m_chi, m_zp), dataset, job.choices.theory), dataset
