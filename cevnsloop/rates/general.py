"""Events of loop amplitudes in which E and T do not separate: Gauss nodes in the neutrino energy.

The cross section is that of theory.py, nu N -> nu N. At the recoils of an experiment the line needs one energy; a
Michel spectrum is integrated from the least energy that gives the recoil to its end. An amplitude with chi on its
mass shell inside a loop has a square-root cusp at E = m_chi. In sqrt|E - m_chi|, on either side, it is smooth, and
Gauss-Legendre nodes in that converge whether the cusp lies inside or not. The integral over E then has a cusp of its
own, at the recoil T_c whose least energy is m_chi, and another at T = 0, where that energy goes like sqrt(T). In phi,
where T is T_c sin^2(phi) below T_c and T_c cosh^2(phi - pi/2) above, it is smooth on either side: it is computed at
Chebyshev nodes and interpolated to those of the quadrature; so is the response, from its own nodes.
"""

from dataclasses import replace

import numpy as np
from numpy.polynomial.chebyshev import chebvander

from .flux import decay_at_rest, spectrum
from .quadrature import interpolation, nodes
from .xsec import dsigma_of_amplitudes, dsigma_with_z, minimal_energy, recoil_range

# Nodes on either side of the cusp. 1 / |a - i sqrt(E^2 - m_chi^2)|^2 is then integrated to 1e-12 for a = 40 MeV, where
# the size of a nucleus puts it, to 1e-7 for 10 MeV and to 1e-4 for 3 MeV. Interference with Z exchange, where it nearly
# cancels between neutrinos and antineutrinos, is off by 4e-6 of itself, for 3 MeV by up to 3e-2.
ENERGIES = 12
# Chebyshev nodes in each piece of phi, and the longest piece: good to 2e-13 where E and T separate
RECOILS, LONGEST = 20, 1.2
BLOCK = 40  # models at once: each has some thousand nodes, so that these take 25 MB
MORE = 2  # nodes in T than a smooth response needs, because of the square root


def loop_events(model, experiment, kernel, theory):
    """Interference with Z exchange and loops per bin, each of shape (N, B), for a model with masses of shape (N,)."""
    n = np.zeros((2, len(model.m_chi), experiment.n_bins))
    here = replace(model, m_chi=model.m_chi[:, None, None], m_zp=model.m_zp[:, None, None])
    coupled = [one for one in decay_at_rest(experiment.inputs) if model.neutrinos in ("all", one.flavour)]
    for target, grid in zip(experiment.targets, kernel.grids, strict=True):
        for together in _by_energies(coupled):
            T, light = _recoils(grid, together[0].E_max, model.m_chi, target.count * experiment.fluence)
            E, flux = _energies(together, T, grid.M, model.m_chi)
            at = E, T[..., None], target.nuclide
            flip, keep = theory.amplitude.flip_and_keep(*at[:2], here, target.nuclide, theory)
            all_of_them, signed = flux.sum(0), sum(one.lepton_number * f for one, f in zip(together, flux, strict=True))
            rates = (
                signed * dsigma_with_z(*at, keep, 1, theory) * theory.amplitude.meets_z,
                all_of_them * dsigma_of_amplitudes(*at, flip, keep),
            )
            for part, rate in zip(n, rates, strict=True):
                seen = np.matmul(np.broadcast_to(rate, E.shape).sum(-1)[:, None], light)[:, 0]
                seen = target.count * experiment.fluence * seen[:, :, None] * experiment.arrival[together[0].arrival]
                part += seen.reshape(len(seen), -1)
    return n


def _by_energies(components):
    """Components that share arrival and energies, so that one set of nodes and amplitudes serves them."""
    groups = {}
    for one in components:
        groups.setdefault((one.arrival, one.E_max, bool(one.michel)), []).append(one)
    return groups.values()


def _recoils(grid, E_max, m_chi, per_rate):
    """Recoils (N, P) for N masses, in MeV, and what the response makes of a rate given there, shape (N, P, R): weights
    of the quadrature in T, times the response of the `grid`, in MeV; `per_rate` is what that contains besides.
    """
    ends = np.minimum(grid.breaks, recoil_range(E_max, 0.0, grid.M)[1])
    of_chi = recoil_range(np.minimum(m_chi, 2 * E_max), 0.0, grid.M)[1]  # the same for all that are heavy
    T_c, of = np.unique(of_chi, return_inverse=True)
    T_c = T_c[:, None]
    each = np.broadcast_to(ends, (len(T_c), len(ends)))
    cut = np.sort(np.append(each, np.clip(T_c, ends[0], ends[-1]), axis=1))
    T, weights = _side(cut[:, :-1], cut[:, 1:], T_c, grid.T.shape[1] + MORE)
    light = (weights[..., None] * _response(grid, cut, T) / per_rate).reshape(len(T_c), T[0].size, -1)
    T = T.reshape(len(T_c), -1)
    edges = _pieces(*(_phase(end, T_c) for end in (ends[0], ends[-1])))
    phase = _phase(T, T_c)
    piece = (phase[..., None] >= edges[:, None, 1:-1]).sum(-1)
    found = [
        _interpolated(phase, light * (piece == k)[..., None], T_c, edges[:, [k]], edges[:, [k + 1]])
        for k in np.flatnonzero((edges[:, 1:] > edges[:, :-1]).any(0))
    ]
    return tuple(np.concatenate(both, axis=1)[of] for both in zip(*found, strict=True))


def _pieces(low, high):
    """Edges (N, K + 1) of pieces between two phases, of at most LONGEST; some are empty for some masses."""
    more = int(np.ceil(max(high.max() - np.pi / 2, 0) / LONGEST))
    middle = np.where(np.pi / 2 - low > LONGEST + 0.2, np.pi / 4, low)  # not for the sake of a short piece
    edges = (low, middle, *(np.pi / 2 + LONGEST * k for k in range(more + 1)))
    return np.concatenate([np.clip(edge, low, high) for edge in edges], axis=1)


def _response(grid, cut, T):
    """The response at recoils (N, S, K) in S parts of its intervals with edges `cut` (N, S + 1), from that at its own
    nodes; shape (N, S, K, R).
    """
    low, high = grid.breaks[:-1], grid.breaks[1:]
    i = np.clip(np.searchsorted(high, (cut[:, 1:] + cut[:, :-1]) / 2), 0, len(low) - 1)
    local = (2 * T - (low + high)[i, None]) / (high - low)[i, None]
    return interpolation(local, grid.T.shape[1]) @ grid.response[i]


def _phase(T, T_c):
    """phi of a recoil."""
    root = np.sqrt(T / T_c)
    return np.where(root < 1, np.arcsin(np.minimum(root, 1)), np.pi / 2 + np.arccosh(np.maximum(root, 1)))


def _interpolated(phase, light, T_c, low, high):
    """Chebyshev nodes between two phases, as recoils, and `light` at some `phase` between them carried to the nodes."""
    x = np.cos(np.pi * (np.arange(RECOILS) + 0.5) / RECOILS)
    middle, half = (high + low) / 2, (high - low) / 2
    phi = middle + half * x
    nodes = T_c * np.where(phi < np.pi / 2, np.sin(phi), np.cosh(phi - np.pi / 2)) ** 2
    at = np.clip((phase - middle) / np.where(half > 0, half, 1.0), -1, 1)
    basis = chebvander(at, RECOILS - 1) @ np.linalg.inv(chebvander(x, RECOILS - 1))
    return nodes, np.swapaxes(basis, 1, 2) @ light


def _energies(components, T, M, m_chi):
    """Energies (N, P, K) for N masses and P recoils of each, and flux times quadrature weight of each component, one
    more axis.
    """
    E_max, low = components[0].E_max, minimal_energy(T, 0.0, M)
    if not components[0].michel:
        E = np.full((*T.shape, 1), E_max)
        return E, np.ones((len(components), *E.shape))
    at = np.minimum(m_chi, 2 * E_max)[:, None]  # far above all energies there is nothing to resolve, but much to round
    cusp = np.clip(at, low, E_max)
    E_max = np.full_like(cusp, E_max)
    sides = [_side(a, b, at, ENERGIES) for a, b in ((low, cusp), (cusp, E_max)) if (b > a).any()]
    E, weights = (np.concatenate(both, axis=-1) for both in zip(*sides, strict=True))
    return E, np.stack([spectrum(one, E) * weights for one in components])


def _side(low, high, cusp, n):
    """n nodes and weights between `low` and `high`, both on one side of `cusp`, by Gauss-Legendre in the square root
    of the distance to it.
    """
    low, high, cusp = np.broadcast_arrays(low, high, cusp)
    ends = (np.sqrt(abs(edge - cusp)).ravel() for edge in (low, high))
    u, weights = (a.reshape(*cusp.shape, -1) for a in nodes(*ends, n))
    sign = np.where(high > cusp, 1, -1)[..., None]
    return cusp[..., None] + sign * u**2, 2 * sign * u * weights
