"""From a nuclear recoil to the bin it is counted in."""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlogy

from ..checks import Record, choice, finite, increasing, non_negative, number, positive, real, shaped, whole
from .settings import SMEARINGS


@dataclass(frozen=True, eq=False)
class Response(Record):
    """What a scintillator makes of a recoil: light, acceptance per fine bin, coarse bins.

    pe_per_MeV   mean number of photoelectrons per MeV of nuclear recoil
    fine_edges   edges of the fine bins in PE, shape (K+1,), increasing: the acceptance is constant in each
    acceptance   fraction of the events that is kept, shape (K,)
    assignment   coarse bin of each fine bin, shape (K,), -1 for none
    n_bins       number of coarse bins B
    smearing     "none" or "poisson"
    counts       only for "poisson": the whole number of PE that each fine bin holds, shape (K,)

    Raises ValueError for other shapes, edges that do not increase, an acceptance outside 0 to 1, a coarse bin that does
    not exist, counts that are not whole, or a response that accepts nothing.
    """

    pe_per_MeV: float
    fine_edges: np.ndarray
    acceptance: np.ndarray
    assignment: np.ndarray
    n_bins: int
    smearing: str
    counts: np.ndarray

    def __post_init__(self):
        choice("smearing", self.smearing, SMEARINGS)
        fine_edges = increasing("fine_edges", non_negative("fine_edges", self.fine_edges, "PE"))
        fine = (len(fine_edges) - 1,)
        n_bins = whole("n_bins", self.n_bins, 1)
        acceptance = shaped("acceptance", non_negative("acceptance", self.acceptance, ""), fine)
        counts = shaped("counts", non_negative("counts", self.counts, "PE"), fine)
        assignment = shaped("assignment", finite("assignment", self.assignment, ""), fine)
        if not (np.isin(assignment, np.arange(-1, n_bins)).all() and (counts % 1 == 0).all()):
            raise ValueError(f"assignment must be whole numbers from -1 to {n_bins - 1}, and counts whole numbers")
        if (acceptance > 1).any() or not acceptance[assignment >= 0].any():
            raise ValueError("acceptance must be <= 1, and > 0 in some fine bin that belongs to a coarse one")
        self._keep(
            pe_per_MeV=number("pe_per_MeV", self.pe_per_MeV, "PE/MeV", positive),
            fine_edges=fine_edges,
            acceptance=acceptance,
            assignment=assignment.astype(int),
            n_bins=n_bins,
            counts=counts,
        )


def csi_acceptance(pe, a, k, x0, zero_below, half_below):
    """a / (1 + exp(-k (pe - x0))) times a step: 0 below `zero_below`, 1/2 below `half_below` PE, 1 above.

    From the companion text of the 2017 release; it is meant to be evaluated at the centres of 1-PE bins.
    """
    pe = real("pe", pe, "PE")
    step = np.where(pe < zero_below, 0.0, np.where(pe < half_below, 0.5, 1.0))
    return a / (1 + np.exp(-k * (pe - x0))) * step


def recoil_breaks(response, T_max):
    """Recoil energies in MeV, shape (I+1,), between which `bin_probability` is smooth, from 0 to T_max or more.

    Without smearing they are the edges of the accepted fine bins. With it the response is smooth
    everywhere; the breaks, one standard deviation of the light apart, keep a fixed quadrature accurate.
    """
    if response.smearing == "none":
        used = (response.assignment >= 0) & (response.acceptance > 0)
        index = np.flatnonzero(used)
        return response.fine_edges[index[0] : index[-1] + 2] / response.pe_per_MeV
    mean_max = T_max * response.pe_per_MeV
    steps = int(np.ceil(2 * np.sqrt(mean_max))) + 1
    return (np.arange(steps) / 2) ** 2 / response.pe_per_MeV


def bin_probability(T, response):
    """Probability that a recoil T (MeV) is accepted and counted in each coarse bin; shape (*T.shape, B)."""
    mean = real("T", T, "MeV")[..., None] * response.pe_per_MeV
    if response.smearing == "none":
        inside = (mean >= response.fine_edges[:-1]) & (mean < response.fine_edges[1:])
    else:
        inside = np.exp(xlogy(response.counts, mean) - mean - gammaln(response.counts + 1.0))
    to_bins = response.acceptance[:, None] * (response.assignment[:, None] == np.arange(response.n_bins))
    return inside @ to_bins
