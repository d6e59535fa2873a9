"""From a nuclear recoil to the bin it is counted in: the responses of dataset.Experiment."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import gammaln, xlogy

from ..checks import Record, finite, increasing, non_negative, number, positive, real, shaped, whole


class Response(Protocol):
    """From a recoil to the R bins of light it is counted in; FineBins here, and others in light.py.

    n_bins   R
    nodes    of a Gauss-Legendre quadrature that suffice between two breaks
    """

    n_bins: int
    nodes: int

    def breaks(self, T_max):
        """Recoil energies in MeV, increasing, between which `probability` is smooth, from 0 to T_max or more."""

    def probability(self, T):
        """Probability that a recoil T (MeV) is accepted and counted in each bin; shape (*T.shape, R)."""


@dataclass(frozen=True, eq=False)
class FineBins(Record):
    """A scintillator without smearing: the light is its mean, the acceptance constant in fine bins of it.

    pe_per_MeV   mean number of photoelectrons per MeV of nuclear recoil
    fine_edges   edges of the fine bins in PE, shape (K+1,), increasing
    acceptance   fraction of the events that is kept, shape (K,)
    assignment   bin that each fine bin belongs to, shape (K,), -1 for none
    n_bins       number of bins R

    Raises ValueError for other shapes, edges that do not increase, an acceptance outside 0 to 1, a bin that does not
    exist, or a response that accepts nothing.
    """

    pe_per_MeV: float
    fine_edges: np.ndarray
    acceptance: np.ndarray
    assignment: np.ndarray
    n_bins: int

    # With constant acceptance on 1 PE the nearest singularity, T = 0, is at least ten half lengths away, as `breaks`
    # asks for: the error falls by a factor of 400 per node.
    nodes = 4

    def __post_init__(self):
        fine_edges = increasing("fine_edges", non_negative("fine_edges", self.fine_edges, "PE"))
        fine = (len(fine_edges) - 1,)
        n_bins = whole("n_bins", self.n_bins, 1)
        acceptance = shaped("acceptance", non_negative("acceptance", self.acceptance, ""), fine)
        assignment = shaped("assignment", finite("assignment", self.assignment, ""), fine)
        if not np.isin(assignment, np.arange(-1, n_bins)).all():
            raise ValueError(f"assignment must be whole numbers from -1 to {n_bins - 1}")
        if (acceptance > 1).any() or not acceptance[assignment >= 0].any():
            raise ValueError("acceptance must be <= 1, and > 0 in some fine bin that belongs to a coarse one")
        self._keep(
            pe_per_MeV=number("pe_per_MeV", self.pe_per_MeV, "PE/MeV", positive),
            fine_edges=fine_edges,
            acceptance=acceptance,
            assignment=assignment.astype(int),
            n_bins=n_bins,
        )

    def breaks(self, T_max):
        """Edges of the accepted fine bins as recoils in MeV, shape (I+1,).

        Raises ValueError if so low ones are accepted that `nodes` are too few.
        """
        index = np.flatnonzero((self.assignment >= 0) & (self.acceptance > 0))
        pe = self.fine_edges[index[0] : index[-1] + 2]
        if pe[0] < 4.5 * (pe[1] - pe[0]):
            width = pe[1] - pe[0]
            raise ValueError(f"fine bins of {width:g} PE must be accepted only from 4.5 times that, got {pe[0]:g} PE")
        return pe / self.pe_per_MeV

    def probability(self, T):
        """Probability that a recoil T (MeV) is accepted and counted in each bin; shape (*T.shape, R)."""
        mean = real("T", T, "MeV")[..., None] * self.pe_per_MeV
        return self._accepted((mean >= self.fine_edges[:-1]) & (mean < self.fine_edges[1:]))

    def _accepted(self, inside):
        to_bins = self.acceptance[:, None] * (self.assignment[:, None] == np.arange(self.n_bins))
        return inside @ to_bins


@dataclass(frozen=True, eq=False)
class PoissonLight(FineBins):
    """FineBins in which the number of photoelectrons is Poisson about its mean.

    counts   the whole number of PE that each fine bin holds, shape (K,)

    Raises ValueError as FineBins does, and for counts that are not whole.
    """

    counts: np.ndarray

    nodes = 12  # the response varies in an interval

    def __post_init__(self):
        super().__post_init__()
        counts = shaped("counts", non_negative("counts", self.counts, "PE"), self.acceptance.shape)
        if (counts % 1).any():
            raise ValueError(f"counts must be whole numbers of PE, got {counts}")
        self._keep(counts=counts)

    def breaks(self, T_max):
        """Recoils in MeV, one standard deviation of the light apart, so that a fixed quadrature is accurate."""
        steps = int(np.ceil(2 * np.sqrt(T_max * self.pe_per_MeV))) + 1
        return (np.arange(steps) / 2) ** 2 / self.pe_per_MeV

    def probability(self, T):
        """Probability that a recoil T (MeV) is accepted and counted in each bin; shape (*T.shape, R)."""
        mean = real("T", T, "MeV")[..., None] * self.pe_per_MeV
        return self._accepted(np.exp(xlogy(self.counts, mean) - mean - gammaln(self.counts + 1.0)))


def csi_acceptance(pe, a, k, x0, zero_below, half_below):
    """a / (1 + exp(-k (pe - x0))) times a step: 0 below `zero_below`, 1/2 below `half_below` PE, 1 above.

    From the companion text of the 2017 release; it is meant to be evaluated at the centres of 1-PE bins.
    """
    pe = real("pe", pe, "PE")
    step = np.where(pe < zero_below, 0.0, np.where(pe < half_below, 0.5, 1.0))
    return a / (1 + np.exp(-k * (pe - x0))) * step
