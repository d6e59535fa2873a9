"""Events per bin of a cross section on one target in the beam.

At fixed recoil energy every cross section is a polynomial in the neutrino energy, so the integral over the flux is a
sum of moments in closed form. What is left is one integral over T per interval on which the response is smooth, by
Gauss-Legendre quadrature. The nodes are those of the data set, for all models. An interval that kinematics cuts
for some mass is integrated over the part that is left, with nodes of its own; the response at these is that of
the interval, interpolated from its nodes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial.legendre import leggauss, legvander

from ..checks import FrozenDict, Record, increasing, non_negative, number, positive, shaped
from ..experiments.response import bin_probability, recoil_breaks
from .flux import moment
from .xsec import minimal_energy, recoil_range

# Nodes per interval. With constant acceptance on 1 PE the nearest singularity, T = 0, is at least ten half lengths
# away, as `grid` asks for: the error falls by a factor of 400 per node. A smeared response varies in an interval.
NODES = {"none": 4, "poisson": 12}


@dataclass(frozen=True, eq=False)
class Grid(Record):
    """Recoils at which a data set sees one target: I intervals, J nodes each, B bins.

    M          mass of the nucleus in MeV
    breaks     ends of the intervals in MeV, shape (I+1,), increasing
    T          nodes in MeV, shape (I, J)
    weights    of the quadrature in MeV, shape (I, J)
    response   events per flux and cross section (MeV^-2) at the nodes, shape (I, J, B)
    arrival    fractions of "prompt" and "delayed" neutrinos that are counted

    Raises ValueError for other shapes and for what is negative or not finite.
    """

    M: float
    breaks: np.ndarray
    T: np.ndarray
    weights: np.ndarray
    response: np.ndarray
    arrival: Mapping[str, float]

    def __post_init__(self):
        breaks = increasing("breaks", non_negative("breaks", self.breaks, "MeV"))
        T, response = positive("T", self.T, "MeV"), non_negative("response", self.response, "")
        self._keep(
            M=number("M", self.M, "MeV", positive),
            breaks=breaks,
            T=shaped("T", T, (len(breaks) - 1, *T.shape[1:])),
            weights=shaped("weights", positive("weights", self.weights, "MeV"), T.shape),
            response=shaped("response", response, (*T.shape, *response.shape[-1:])),
            arrival=FrozenDict(self.arrival),
        )


def grid(target, dataset, E_max):
    """The Grid of a coherent.Target for neutrinos of at most E_max in MeV.

    Raises ValueError if a response without smearing sees recoils so low that NODES are too few.
    """
    M, response = target.nuclide.M, dataset.response
    breaks = recoil_breaks(response, recoil_range(E_max, 0.0, M)[1])
    pe = breaks * response.pe_per_MeV
    if response.smearing == "none" and pe[0] < 4.5 * (pe[1] - pe[0]):
        raise ValueError(
            f"fine bins of {pe[1] - pe[0]:g} PE must be accepted only from 4.5 times that, got {pe[0]:g} PE"
        )
    T, weights = _nodes(breaks[:-1], breaks[1:], NODES[response.smearing])
    count = target.count * dataset.fluence
    return Grid(M, breaks, T, weights, count * bin_probability(T, response), dataset.arrival)


def integrate(powers, grid, components, m_chi, *others):
    """Events per bin for dsigma/dT = sum_k powers(T, m_chi, *others)[k] E^k, for N models; shape (N, B).

    components      those of the flux that count
    m_chi, others   arrays of shape (N,), given to `powers` with as many axes more as T needs
    """
    (I, J, B), masses = grid.response.shape, (m_chi, *others)
    low, high = grid.breaks[:-1], grid.breaks[1:]
    limits = [recoil_range(one.E_max, m_chi, grid.M) for one in components]
    seen = np.any([(T_max > low[0]) & (T_min < high[-1]) for T_min, T_max in limits], axis=0)
    at_nodes = np.zeros((np.count_nonzero(seen), I, J))
    here = [a[seen, None, None] for a in masses]
    whole_powers, E_min = powers(grid.T, *here), minimal_energy(grid.T, here[0], grid.M)
    for one, (T_min, T_max) in zip(components, limits, strict=True):
        T_min, T_max = T_min[seen, None], T_max[seen, None]
        share = grid.arrival[one.arrival]
        whole = (T_min <= low) & (high <= T_max)
        at_nodes += _rate(whole_powers, one, E_min) * (whole[..., None] * (share * grid.weights))

        # at most two intervals per model are cut, where the allowed recoils begin and where they end
        row, i = np.nonzero(~whole & (T_min < high) & (low < T_max))
        T, weights = _nodes(np.fmax(low[i], T_min[row, 0]), np.fmin(high[i], T_max[row, 0]), J)
        cut = [a[row, :, 0] for a in here]
        amount = _rate(powers(T, *cut), one, minimal_energy(T, cut[0], grid.M)) * weights * share
        local = (2 * T - low[i, None] - high[i, None]) / (high - low)[i, None]
        at_nodes[row, i] += np.einsum("pk,pkj->pj", amount, _interpolation(local, J))

    events = np.zeros((len(m_chi), B))
    events[seen] = at_nodes.reshape(-1, I * J) @ grid.response.reshape(I * J, B)
    return events


def _rate(powers, component, E_min):
    """dsigma/dT averaged over the flux of a component, in MeV^-3."""
    return sum(a * moment(component, k, E_min) for k, a in powers.items())


_gauss = cache(leggauss)  # each call finds the eigenvalues of a matrix


def _interpolation(x, n):
    """Lagrange polynomials of the n Gauss-Legendre nodes at x in (-1, 1); shape (*x.shape, n)."""
    nodes, weights = _gauss(n)
    degree = np.arange(n)
    return legvander(x, n - 1) @ ((degree + 1 / 2)[:, None] * legvander(nodes, n - 1).T * weights)


def _nodes(low, high, n):
    """Nodes and weights of the intervals (low, high), shape (len(low), n)."""
    x, w = _gauss(n)
    half = (high - low)[:, None] / 2
    return (low + high)[:, None] / 2 + half * x, half * w
