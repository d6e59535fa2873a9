"""What measured, and what was measured: experiments, counts and data sets as frozen records.

An `Experiment` holds all that a prediction needs, and is what kernels are kept for. `Counts` are what was seen, or
thrown. A `Dataset` puts both together with the backgrounds of the beam and the uncertainties of a fit. Bins are one
flat axis of length B; named axes stand beside it, for figures and tables.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..checks import (
    FrozenDict,
    Record,
    finite,
    frozen,
    increasing,
    instance,
    non_negative,
    number,
    positive,
    sealed,
    shaped,
)
from ..inputs import STANDARD, Table
from ..nucleus import Nuclide
from .response import Response

ROUNDING = 1e-9  # of the sum of a table's fractions
ARRIVALS = ("prompt", "delayed")  # from the pion, from the muon


@dataclass(frozen=True)
class Target(Record):
    """Nuclei of one kind in the detector and how many there are, a number > 0."""

    nuclide: Nuclide
    count: float

    def __post_init__(self):
        instance("nuclide", self.nuclide, Nuclide)
        self._keep(count=number("count", self.count, "nuclei", positive))


@dataclass(frozen=True, eq=False)
class Axis(Record):
    """One axis of the bins: its name, the unit of its edges, and these, shape (n+1,), increasing."""

    name: str
    unit: str
    edges: np.ndarray

    def __post_init__(self):
        self._keep(edges=increasing(self.name, finite(self.name, self.edges, self.unit)))

    def __len__(self):
        return len(self.edges) - 1


@dataclass(frozen=True, eq=False)
class Experiment(Record):
    """A detector in a beam: what a prediction of its B bins needs.

    name, doi   what it is and where its numbers are from
    settings    the choices it was made with, a frozen record
    targets     the nuclei of the detector, a tuple of Target
    fluence     neutrinos per flavour and area during the run, N_0 of Eq. (32), in MeV^2
    response    a Response with R bins
    arrival     fractions of "prompt" and "delayed" neutrinos that count, in each of T bins of time, shape (T,)
    axes        tuple of Axis, the last one changing fastest: B = R T bins, time being the last axis if T > 1
    inputs      the inputs.Table that its numbers, and those of the beam, are from

    Raises ValueError for other types and shapes, and for fractions that are not between 0 and 1.
    """

    name: str
    doi: str
    settings: Record
    targets: tuple[Target, ...]
    fluence: float
    response: Response
    arrival: Mapping[str, np.ndarray]
    axes: tuple[Axis, ...]
    inputs: Table = STANDARD

    def __post_init__(self):
        kinds = {"name": str, "doi": str, "settings": Record, "arrival": Mapping, "axes": Sequence, "inputs": Table}
        for name, kind in kinds.items():
            instance(name, getattr(self, name), kind)
        if not hasattr(self.response, "probability"):
            raise ValueError(f"response must be such as response.FineBins, got {self.response!r}")
        targets = tuple(instance("target", one, Target) for one in instance("targets", self.targets, Sequence))
        arrival = {key: np.atleast_1d(non_negative(f"arrival[{key!r}]", x, "")) for key, x in self.arrival.items()}
        if not targets or sorted(arrival) != sorted(ARRIVALS) or max(x.sum() for x in arrival.values()) > 1 + ROUNDING:
            raise ValueError(
                "an experiment must have a target, and fractions <= 1 of 'prompt' and 'delayed' that arrive"
            )
        times = arrival["prompt"].size
        self._keep(
            targets=targets,
            fluence=number("fluence", self.fluence, "MeV^2", positive),
            arrival=FrozenDict({key: frozen(shaped(f"arrival[{key!r}]", x, (times,))) for key, x in arrival.items()}),
            axes=tuple(instance("axis", axis, Axis) for axis in self.axes),
        )
        if self.n_bins != self.response.n_bins * times or (times > 1 and len(self.axes[-1]) != times):
            sizes = " x ".join(str(len(axis)) for axis in self.axes)
            raise ValueError(
                f"axes must have {self.response.n_bins} x {times} bins, those of light and time, got {sizes}"
            )

    @property
    def n_bins(self):
        """The number of bins, B in all."""
        return math.prod(map(len, self.axes))

    def named(self, bins):
        """Some bins, by their flat indices, for a message: their numbers, counted from 1, and ranges."""
        index = np.unravel_index(np.asarray(bins), [len(axis) for axis in self.axes])
        first = getattr(self.settings, "first_bin", 1)
        ranges = [
            " and ".join(
                f"{axis.edges[k]:g} to {axis.edges[k + 1]:g} {axis.unit}" for axis, k in zip(self.axes, at, strict=True)
            )
            for at in zip(*index, strict=True)
        ]
        return ", ".join(f"bin {first + i} ({text})" for i, text in zip(bins, ranges, strict=True))


@dataclass(frozen=True, eq=False)
class Counts(Record):
    """What was counted in B bins, once or in many experiments: (...) is () or their axes.

    n_on, b_ss   with the beam on, in coincidence and anticoincidence, shape (..., B)
    centres      where the penalty of a nuisance has its minimum, {name: (...)}: 0, unless the measurement that fixes
                 the nuisance is repeated too

    Raises ValueError for a count that is negative or not finite, and for other shapes.
    """

    n_on: np.ndarray
    b_ss: np.ndarray
    centres: Mapping[str, np.ndarray] = field(default_factory=FrozenDict)

    def __post_init__(self):
        n_on, b_ss = non_negative("n_on", self.n_on, ""), non_negative("b_ss", self.b_ss, "")
        centres = {
            name: shaped(f"centres[{name!r}]", finite(f"centres[{name!r}]", centre, ""), n_on.shape[:-1])
            for name, centre in instance("centres", self.centres, Mapping).items()
        }
        self._keep(
            n_on=n_on,
            b_ss=shaped("b_ss", b_ss, n_on.shape),
            centres=FrozenDict({name: frozen(centre) for name, centre in centres.items()}),
        )

    def centre(self, name):
        """Minimum of the penalty of a nuisance, shape (...); 0 if nothing else is said."""
        return self.centres.get(name, np.zeros(self.n_on.shape[:-1]))

    def at(self, index):
        """Those of some of the experiments, by an index of numpy."""
        centres = {name: centre[index] for name, centre in self.centres.items()}
        return Counts(self.n_on[index], self.b_ss[index], centres)


@dataclass(frozen=True, eq=False)
class Background(Record):
    """Expected events of a background of the beam, shape (B,), and its relative uncertainty."""

    events: np.ndarray
    sigma: float

    def __post_init__(self):
        self._keep(events=non_negative("events", self.events, ""), sigma=number("sigma", self.sigma, "", non_negative))


@dataclass(frozen=True, eq=False)
class Dataset(Record):
    """An experiment, what it counted, and what a fit must know.

    experiment    an Experiment with B bins
    counts        Counts of shape (B,)
    sigma_alpha   relative uncertainty of the signal, Eq. (34)
    backgrounds   {name of its nuisance: Background}; Eq. (34) has one, "beta"
    variations    {name of a nuisance: (Experiment one standard deviation down, up)}: what shapes the signal
    moves         {name of a nuisance: what one standard deviation adds to the backgrounds, shape (B,)}
    templates     whether the steady state is one of the backgrounds: b_ss is 0 then, and there is no Eq. (34)

    Raises ValueError for other types and shapes, and for a negative uncertainty.
    """

    experiment: Experiment
    counts: Counts
    sigma_alpha: float
    backgrounds: Mapping[str, Background]
    variations: Mapping[str, tuple[Experiment, Experiment]] = field(default_factory=FrozenDict)
    moves: Mapping[str, np.ndarray] = field(default_factory=FrozenDict)
    templates: bool = False

    def __post_init__(self):
        bins = (instance("experiment", self.experiment, Experiment).n_bins,)
        for name, pair in instance("variations", self.variations, Mapping).items():
            if [instance(f"variations[{name!r}]", one, Experiment).n_bins for one in pair] != [*bins, *bins]:
                raise ValueError(f"variations[{name!r}] must be two experiments of {bins[0]} bins")
        moves = {name: shaped(f"moves[{name!r}]", finite(name, a, ""), bins) for name, a in self.moves.items()}
        shaped("n_on", instance("counts", self.counts, Counts).n_on, (..., *bins))
        for name, one in instance("backgrounds", self.backgrounds, Mapping).items():
            shaped(f"backgrounds[{name!r}]", instance("background", one, Background).events, bins)
        self._keep(
            sigma_alpha=number("sigma_alpha", self.sigma_alpha, "", non_negative),
            backgrounds=FrozenDict(self.backgrounds),
            variations=FrozenDict(self.variations),
            moves=FrozenDict({name: frozen(move) for name, move in moves.items()}),
        )

    name = property(lambda self: self.experiment.name)
    doi = property(lambda self: self.experiment.doi)
    settings = property(lambda self: self.experiment.settings)
    axes = property(lambda self: self.experiment.axes)
    n_on = property(lambda self: self.counts.n_on)
    b_ss = property(lambda self: self.counts.b_ss)

    @property
    def pe_edges(self):
        """Edges of the first axis: photoelectrons for CsI."""
        return self.axes[0].edges

    @property
    def b_on(self):
        """Expected beam-on background, shape (B,)."""
        return sealed(sum((one.events for one in self.backgrounds.values()), np.zeros(self.experiment.n_bins)))

    @property
    def n_obs(self):
        """N_meas of Eq. (34): counts less the steady-state background, shape (B,)."""
        return frozen(self.n_on - self.b_ss)

    @property
    def sigma(self):
        """sigma_stat of Eq. (34): sqrt(N_meas + 2 B_SS + B_on), shape (B,)."""
        return frozen(np.sqrt(self.n_obs + 2 * self.b_ss + self.b_on))
