"""Data sets side by side: their bins one after the other."""

from dataclasses import dataclass

import numpy as np

from ..checks import Record, frozen, instance
from .dataset import Counts, Dataset

CONTAINED = {frozenset(("CsI 2017", "CsI 2021")): "the data of CsI 2017 are contained in those of CsI 2021"}


@dataclass(frozen=True)
class Settings(Record):
    """Those of each data set, in turn."""

    parts: tuple[Record, ...]


@dataclass(frozen=True, eq=False)
class Combined(Record):
    """Several Datasets for one fit. Raises ValueError for one alone, for the same twice, and for data that contain
    others.
    """

    parts: tuple[Dataset, ...]

    def __post_init__(self):
        self._keep(parts=tuple(instance("part", part, Dataset) for part in self.parts))
        names = [part.name for part in self.parts]
        if len(set(names)) < 2 or len(set(names)) < len(names):
            raise ValueError(f"different data must be combined, got {', '.join(names)}")
        for pair, reason in CONTAINED.items():
            if pair <= set(names):
                raise ValueError(f"{' and '.join(sorted(pair))} cannot be combined: {reason}")

    name = property(lambda self: " + ".join(part.name for part in self.parts))
    doi = property(lambda self: " and ".join(part.doi for part in self.parts))
    settings = property(lambda self: Settings(tuple(part.settings for part in self.parts)))
    sigma_alpha = property(lambda self: max(part.sigma_alpha for part in self.parts))
    experiment = property(lambda self: Side(self.parts))
    templates = property(lambda self: any(part.templates for part in self.parts))

    @property
    def counts(self):
        """Counts of all bins."""
        return Counts(*(np.concatenate([getattr(one.counts, key) for one in self.parts]) for key in ("n_on", "b_ss")))

    n_on = property(lambda self: self.counts.n_on)
    b_ss = property(lambda self: self.counts.b_ss)
    n_obs = property(lambda self: frozen(np.concatenate([part.n_obs for part in self.parts])))
    sigma = property(lambda self: frozen(np.concatenate([part.sigma for part in self.parts])))
    b_on = property(lambda self: frozen(np.concatenate([part.b_on for part in self.parts])))


class Side:
    """What answers ask of the experiments of Combined data."""

    axes = ()

    def __init__(self, parts):
        self.targets = tuple(target for part in parts for target in part.experiment.targets)
        self.n_bins = sum(part.experiment.n_bins for part in parts)
