"""Events per bin of a cross section on one target in the beam.

At fixed recoil energy every cross section is a polynomial in the neutrino energy, so the integral over the flux is a
sum of moments in closed form. What is left is one integral over T per interval on which the response is smooth, by
Gauss-Legendre quadrature. The nodes are those of the experiment, for all models. An interval that kinematics cuts
for some mass is integrated over the part that is left, with nodes of its own; the response at these is that of
the interval, interpolated from its nodes. Prompt and delayed neutrinos are summed apart and then put into the bins of
time.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial.legendre import leggauss, legvander

from ..checks import Record, increasing, non_negative, number, positive, shaped
from .flux import moment
from .xsec import minimal_energy, recoil_range


@dataclass(frozen=True, eq=False)
class Grid(Record):
    """Recoils at which an experiment sees one target: I intervals, J nodes each, R bins of light.

    M          mass of the nucleus in MeV
    breaks     ends of the intervals in MeV, shape (I+1,), increasing
    T          nodes in MeV, shape (I, J)
    weights    of the quadrature in MeV, shape (I, J)
    response   events per flux and cross section (MeV^-2) at the nodes, shape (I, J, R)

    Raises ValueError for other shapes and for what is negative or not finite.
    """

    M: float
    breaks: np.ndarray
    T: np.ndarray
    weights: np.ndarray
    response: np.ndarray

    def __post_init__(self):
        breaks = increasing("breaks", non_negative("breaks", self.breaks, "MeV"))
        T, response = positive("T", self.T, "MeV"), non_negative("response", self.response, "")
        self._keep(
            M=number("M", self.M, "MeV", positive),
            breaks=breaks,
            T=shaped("T", T, (len(breaks) - 1, *T.shape[1:])),
            weights=shaped("weights", positive("weights", self.weights, "MeV"), T.shape),
            response=shaped("response", response, (*T.shape, *response.shape[-1:])),
        )


def grid(target, experiment, E_max):
    """The Grid of a dataset.Target for neutrinos of at most E_max in MeV."""
    M, response = target.nuclide.M, experiment.response
    breaks = response.breaks(recoil_range(E_max, 0.0, M)[1])
    T, weights = nodes(breaks[:-1], breaks[1:], response.nodes)
    return Grid(M, breaks, T, weights, target.count * experiment.fluence * response.probability(T))


def integrate(powers, grid, spectra, arrival, m_chi, *others):
    """Events per bin for dsigma/dT = sum_k powers(T, m_chi, *others)[k] E^k, for N models; shape (N, B).

    spectra         those of the flux that count, flux.Spectrum
    arrival         fractions that arrive in each bin of time, as in dataset.Experiment
    m_chi, others   arrays of shape (N,), given to `powers` with as many axes more as T needs
    """
    masses, low, high = (m_chi, *others), grid.breaks[:-1], grid.breaks[1:]
    limits = [recoil_range(one.E_max, m_chi, grid.M) for one in spectra]
    seen = np.any([(T_max > low[0]) & (T_min < high[-1]) for T_min, T_max in limits], axis=0)
    here = [a[seen, None, None] for a in masses]
    whole_powers, E_min = powers(grid.T, *here), minimal_energy(grid.T, here[0], grid.M)
    events = np.zeros((len(m_chi), grid.response.shape[-1] * len(next(iter(arrival.values())))))
    for one, limit in zip(spectra, limits, strict=True):
        T_min, T_max = (edge[seen, None] for edge in limit)
        whole = (T_min <= low) & (high <= T_max)
        at_nodes = _rate(whole_powers, one, E_min) * (whole[..., None] * grid.weights)
        _add_cut(at_nodes, powers, grid, one, here, ~whole, T_min, T_max)
        light = at_nodes.reshape(len(at_nodes), grid.T.size) @ grid.response.reshape(-1, grid.response.shape[-1])
        events[seen] += (light[:, :, None] * arrival[one.arrival]).reshape(len(light), events.shape[1])
    return events


def _add_cut(at_nodes, powers, grid, spectrum, masses, cut, T_min, T_max):
    """Add to `at_nodes` (N, I, J) what the intervals hold that kinematics cuts: at most two per model, where the
    allowed recoils begin and where they end.
    """
    low, high, J = grid.breaks[:-1], grid.breaks[1:], grid.T.shape[1]
    row, i = np.nonzero(cut & (T_min < high) & (low < T_max))
    T, weights = nodes(np.fmax(low[i], T_min[row, 0]), np.fmin(high[i], T_max[row, 0]), J)
    here = [a[row, :, 0] for a in masses]
    amount = _rate(powers(T, *here), spectrum, minimal_energy(T, here[0], grid.M)) * weights
    local = (2 * T - low[i, None] - high[i, None]) / (high - low)[i, None]
    at_nodes[row, i] += np.einsum("pk,pkj->pj", amount, interpolation(local, J))


def _rate(powers, spectrum, E_min):
    """dsigma/dT averaged over a spectrum, in MeV^-3."""
    return sum(a * moment(spectrum, k, E_min) for k, a in powers.items())


_gauss = cache(leggauss)  # each call finds the eigenvalues of a matrix


def interpolation(x, n):
    """Lagrange polynomials of the n Gauss-Legendre nodes at x in (-1, 1); shape (*x.shape, n)."""
    at, weights = _gauss(n)
    degree = np.arange(n)
    return legvander(x, n - 1) @ ((degree + 1 / 2)[:, None] * legvander(at, n - 1).T * weights)


def nodes(low, high, n):
    """Nodes and weights of the intervals (low, high), shape (len(low), n)."""
    x, w = _gauss(n)
    half = (high - low)[:, None] / 2
    return (low + high)[:, None] / 2 + half * x, half * w
