"""Statistics of different data added up: their bins one after the other, nuisances of one name being one."""

import itertools
from dataclasses import dataclass

import numpy as np

from ..checks import instance
from ..experiments.dataset import Counts
from .newton import Parted
from .statistic import Binned, Statistic


@dataclass(frozen=True, eq=False)
class Together(Statistic):
    """The sum of statistics, their bins one after the other; nuisances of one name are one and the same, with one
    penalty.

    parts   statistic.Binned each

    Events and Counts for it have the bins of all parts; the changes of Events are 0 where they do not concern a part.
    The minimum is that of newton.py: alpha and beta have bounds if one of the parts says so.

    Raises ValueError if a nuisance has different widths, or moves a background here and a shape there.
    """

    parts: tuple[Statistic, ...]

    def __post_init__(self):
        self._keep(parts=tuple(instance("part", part, Binned) for part in self.parts))
        found, bounded = {}, {}
        for part in self.parts:
            for name, width, none, bound in zip(part.names, part.sigmas, part.none, part.bounded, strict=True):
                known = found.setdefault(name, (width, none))
                if known[0] != width:
                    raise ValueError(f"the nuisance {name} must have one width, got {known[0]:g} and {width:g}")
                if known[1] != none:
                    raise ValueError(f"the nuisance {name} must either scale events or change shapes, not both")
                bounded[name] = bounded.get(name, False) or bool(bound)
        sigmas, none = np.array(list(found.values())).T
        ends = np.cumsum([0, *(len(part.b_on) for part in self.parts)])
        changes = tuple(dict.fromkeys(name for part in self.parts for name in part.changes))
        self._keep(
            names=tuple(found),
            sigmas=sigmas,
            none=none,
            bounded=np.array(list(bounded.values())),
            changes=changes,
            b_on=np.concatenate([part.b_on for part in self.parts]),
            bins=tuple(slice(*both) for both in itertools.pairwise(ends)),
            rows=tuple(np.array([list(found).index(name) for name in part.names]) for part in self.parts),
            own=tuple([0, *(1 + changes.index(name) for name in part.changes)] for part in self.parts),
        )

    def vectors(self, signal):
        """Statistic.vectors: 0 in the bins of data that a nuisance does not concern."""
        result = np.zeros((len(self.names), *signal.shape[1:]))
        for part, rows, bins, own in zip(self.parts, self.rows, self.bins, self.own, strict=True):
            result[rows, bins] = part.vectors(signal[own, bins])
        return result

    def pieces(self, signal):
        """Statistic.pieces."""
        return tuple(signal[own, bins] for own, bins in zip(self.own, self.bins, strict=True))

    def shapes(self, pieces):
        """Statistic.shapes."""
        parts = [part.shapes((piece,)) for part, piece in zip(self.parts, pieces, strict=True)]
        return Parted(parts, self.rows, self.bins, len(self.names))

    def along(self, pieces, x, lam):
        """Statistic.along."""
        return sum(
            part.along((piece,), x[rows], lam[bins])
            for part, piece, rows, bins in zip(self.parts, pieces, self.rows, self.bins, strict=True)
        )

    def of_signal(self, x):
        """Statistic.of_signal: 0 in the bins of data that a change does not concern."""
        result = np.zeros((1 + len(self.changes), len(self.b_on), x.shape[1]))
        for part, rows, bins, own in zip(self.parts, self.rows, self.bins, self.own, strict=True):
            result[own, bins] = part.of_signal(x[rows])
        return result

    def terms(self, s, n_on, b_ss):
        """Statistic.terms of the parts."""
        each = [part.terms(s[b], n_on[b], b_ss[b]) for part, b in zip(self.parts, self.bins, strict=True)]
        return tuple(np.concatenate(terms) for terms in zip(*each, strict=True))

    @property
    def every(self):
        """The smallest of the parts."""
        return min(part.every for part in self.parts)

    @property
    def needs(self):
        """What a bin of any part must have, in words."""
        return " and ".join(dict.fromkeys(part.needs for part in self.parts if part.needs))

    def refused(self, counts):
        """Statistic.refused of the parts."""
        each = [Counts(counts.n_on[..., b], counts.b_ss[..., b]) for b in self.bins]
        return np.concatenate([part.refused(own) for part, own in zip(self.parts, each, strict=True)], axis=-1)

    def named(self, bins):
        """Statistic.named, with the names of the experiments."""
        own = [[i - at.start for i in bins if at.start <= i < at.stop] for at in self.bins]
        named = zip(self.parts, own, strict=True)
        return ", ".join(f"{part.experiment.name} {part.named(some)}" for part, some in named if some)
