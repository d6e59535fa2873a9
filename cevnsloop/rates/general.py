"""Events of loop amplitudes in which E and T do not separate: Gauss nodes in the neutrino energy.

The cross section is that of theory.py, nu N -> nu N. At the recoils of an experiment the line needs one energy; a
Michel spectrum is integrated from the least energy that gives the recoil to its end. An amplitude with chi on its
mass shell inside a loop has a square-root cusp at E = m_chi. In u = sqrt|E - m_chi|, on either side, it is smooth,
and Gauss-Legendre nodes in u converge whether the cusp lies inside or not.
"""

from dataclasses import replace

import numpy as np

from .flux import decay_at_rest, spectrum
from .quadrature import interpolation, nodes
from .xsec import dsigma_of_amplitudes, dsigma_with_z, minimal_energy, recoil_range

ENERGIES = 12  # nodes on either side of the cusp: 1 / |a - i sqrt(E^2 - m_chi^2)|^4 is then integrated to 3e-13


def loop_events(model, experiment, kernel, theory):
    """Interference with Z exchange and loops per bin, each of shape (N, B), for a model with masses of shape (N,)."""
    n = np.zeros((2, len(model.m_chi), experiment.n_bins))
    here = replace(model, m_chi=model.m_chi[:, None, None], m_zp=model.m_zp[:, None, None])
    coupled = [one for one in decay_at_rest(experiment.inputs) if model.neutrinos in ("all", one.flavour)]
    for target, grid in zip(experiment.targets, kernel.grids, strict=True):
        for together in _by_energies(coupled):
            T, response = _recoils(grid, together[0].E_max)
            E, flux = _energies(together, T, grid.M, model.m_chi)
            flip, keep = theory.amplitude.flip_and_keep(E, T[:, None], here, target.nuclide, theory)
            all_of_them, signed = flux.sum(0), sum(one.lepton_number * f for one, f in zip(together, flux, strict=True))
            rates = (
                signed * dsigma_with_z(E, T[:, None], target.nuclide, keep, 1, theory) * theory.amplitude.meets_z,
                all_of_them * dsigma_of_amplitudes(E, T[:, None], target.nuclide, flip, keep),
            )
            for part, rate in zip(n, rates, strict=True):
                light = np.broadcast_to(rate, E.shape).sum(-1) @ response
                part += (light[:, :, None] * experiment.arrival[together[0].arrival]).reshape(len(light), -1)
    return n


def _by_energies(components):
    """Components that share arrival and energies, so that one set of nodes and amplitudes serves them."""
    groups = {}
    for one in components:
        groups.setdefault((one.arrival, one.E_max, bool(one.michel)), []).append(one)
    return groups.values()


def _recoils(grid, E_max):
    """Nodes in T below the largest recoil at E_max, shape (P,), and what they add to the bins of light, (P, R)."""
    low, high, T_max = grid.breaks[:-1], grid.breaks[1:], recoil_range(E_max, 0.0, grid.M)[1]
    low, high = low[low < T_max], high[low < T_max]
    T, weights = nodes(low, np.minimum(high, T_max), grid.T.shape[1])
    local = (2 * T - (low + high)[:, None]) / (high - low)[:, None]
    response = np.einsum("ijk,ikr->ijr", interpolation(local, grid.T.shape[1]), grid.response[: len(low)])
    return T.ravel(), (weights[:, :, None] * response).reshape(T.size, -1)


def _energies(components, T, M, m_chi):
    """Energies (N, P, K) for N masses and P recoils, and flux times quadrature weight of each component, one more
    axis.
    """
    E_max, low = components[0].E_max, minimal_energy(T, 0.0, M)
    if not components[0].michel:
        E = np.full((len(m_chi), len(T), 1), E_max)
        return E, np.ones((len(components), *E.shape))
    cusp = np.clip(m_chi[:, None], low, E_max)
    sides = [_side(a, b, m_chi[:, None]) for a, b in ((low, cusp), (cusp, E_max))]
    E, weights = (np.concatenate(both, axis=-1) for both in zip(*sides, strict=True))
    return E, np.stack([spectrum(one, E) * weights for one in components])


def _side(low, high, cusp):
    """Nodes and weights in E between `low` and `high`, both on one side of `cusp`, by Gauss-Legendre in sqrt|E -
    cusp|.
    """
    low, high, cusp = np.broadcast_arrays(low, high, cusp)
    ends = (np.sqrt(abs(edge - cusp)).ravel() for edge in (low, high))
    u, weights = (a.reshape(*cusp.shape, -1) for a in nodes(*ends, ENERGIES))
    sign = np.where(high > cusp, 1, -1)[..., None]
    return cusp[..., None] + sign * u**2, 2 * sign * u * weights
