"""Expected events per bin: n(G) = n_sm + G^2 (n_tree + n_interference) + G^4 n_loop (Fig. 3).

At fixed recoil energy every cross section is a polynomial in the neutrino energy, so the integral over the
flux is a sum of moments in closed form. What is left is one integral over T per interval on which the
response is smooth, cut to the recoils that kinematics allows, by Gauss-Legendre quadrature.
"""

from dataclasses import dataclass

import numpy as np

from . import inputs
from .amplitude import loop_coefficients, vector_charge
from .checks import non_negative
from .detector import bin_probability, recoil_breaks
from .flux import decay_at_rest, moment
from .xsec import LOOP_TERMS, interference_powers, loop_powers, minimal_energy, recoil_range, sm_powers, tree_powers

# On each interval the integrand is analytic well beyond the ends, the nearest singularity T = 0 being
# five interval lengths away without smearing: 12 nodes leave a relative error below 1e-13.
NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)


@dataclass(frozen=True, eq=False)
class Events:
    """Expected signal events, the parts of n(G); B bins, (...) the shape of the model's masses.

    n_sm             shape (B,)
    n_tree           coefficient of G^2, shape (..., B)
    n_interference   coefficient of G^2 from the interference of the loops with Z exchange, shape (..., B), of either
                     sign; zero if the amplitude leaves it out, as Eq. (21) does
    n_loop           coefficient of G^4, shape (..., B)
    """

    n_sm: np.ndarray
    n_tree: np.ndarray
    n_interference: np.ndarray
    n_loop: np.ndarray

    def parts(self, g):
        """The four parts of n(G) by name, for a magnitude G = `g` >= 0 that broadcasts against (...); shape (..., B).

        Raises ValueError for g < 0.
        """
        g2 = non_negative("g", g, "")[..., None] ** 2
        return {
            "n_sm": self.n_sm,
            "n_tree": g2 * self.n_tree,
            "n_interference": g2 * self.n_interference,
            "n_loop": g2**2 * self.n_loop,
        }

    def total(self, g):
        """n(G), the sum of `parts`, shape (..., B)."""
        return sum(self.parts(g).values())


def predict(model, dataset, amplitude):
    """The parts of n(G) for `model` in the bins of `dataset`; the model's own couplings are the unit of G.

    With model.unit_model G is g_chi g_q; with any other couplings G = 1 is that model itself.
    `amplitude` is an amplitude.Amplitude, such as PUBLISHED.
    """
    shape = (*model.m_chi.shape, len(dataset.n_on))
    n_interference, n_loop = _loop_events(model, dataset, amplitude)
    return Events(
        sm_events(dataset),
        np.broadcast_to(tree_events(model, dataset), shape),
        np.broadcast_to(n_interference, shape),
        np.broadcast_to(n_loop, shape),
    )


def sm_events(dataset):
    """Events of Eq. (22) per bin, shape (B,)."""
    sin2 = inputs.value(f"weak_angle.{dataset.settings.weak_angle}")
    return sum(
        _integrate(sm_powers, (target.nuclide, sin2), target, dataset, 0.0, beam("all")) for target in dataset.targets
    )


def tree_events(model, dataset):
    """Events of Eq. (23) per bin, shape (..., B); the number 0 if no nucleus is charged, as in case B."""
    m_chi, m_zp = model.m_chi[..., None, None], model.m_zp[..., None, None]
    n = 0.0
    for target in dataset.targets:
        charge = vector_charge(model, target.nuclide)
        if charge:
            args = (target.nuclide, m_chi, m_zp, model.g_chi_L, charge)
            n = n + _integrate(tree_powers, args, target, dataset, m_chi, beam(model.neutrinos))
    return n


def _loop_events(model, dataset, amplitude):
    """Interference and Eq. (25) per bin, each of shape (..., B): forms in c1, c2, c3 with kernels free of the model."""
    sin2 = inputs.value(f"weak_angle.{dataset.settings.weak_angle}")
    components = beam(model.neutrinos)
    n_interference = n_loop = 0.0
    for target in dataset.targets:
        c = loop_coefficients(model, target.nuclide, amplitude, dataset.settings.moments)
        for i, j in LOOP_TERMS:
            kernel = _integrate(loop_powers, (target.nuclide, (i, j)), target, dataset, 0.0, components)
            n_loop = n_loop + (getattr(c, i) * getattr(c, j))[..., None] * kernel
        if amplitude.interference == "rederived":
            args = (target.nuclide, sin2)
            kernel = sum(
                one.lepton_number * _integrate(interference_powers, args, target, dataset, 0.0, [one])
                for one in components
            )
            n_interference = n_interference + c.c2[..., None] * kernel
    return n_interference, n_loop


def beam(neutrinos):
    """The components of the beam that take part: "all", or those of the flavour "e" or "mu"."""
    return [one for one in decay_at_rest() if neutrinos in ("all", one.flavour)]


def _integrate(powers, args, target, dataset, m_chi, components):
    """Events per bin for dsigma/dT = sum_k powers(T, *args)[k] E^k on the nuclei of `target`, shape (..., B).

    m_chi has the shape (..., 1, 1) or (): two axes for the intervals and the nodes of the quadrature.
    """
    M = target.nuclide.M
    n = 0.0
    for component in components:
        T, weight = _recoil_nodes(component.E_max, m_chi, M, dataset.response)
        E_min = minimal_energy(T, m_chi, M)
        rate = weight * sum(a * moment(component, k, E_min) for k, a in powers(T, *args).items())
        in_bins = np.einsum("...ij,...ijb->...b", rate, bin_probability(T, dataset.response))
        n = n + dataset.arrival[component.arrival] * in_bins
    return target.count * dataset.fluence * n


def _recoil_nodes(E_max, m_chi, M, response):
    """Nodes and weights in MeV, shape (..., intervals, nodes), on the recoils that E <= E_max can give."""
    breaks = recoil_breaks(response, recoil_range(E_max, 0.0, M)[1])
    lowest, highest = breaks[:-1, None], breaks[1:, None]
    T_min, T_max = recoil_range(E_max, m_chi, M)
    lo, hi = np.fmax(lowest, T_min), np.fmin(highest, T_max)
    allowed = (hi > lo) & np.isfinite(T_min)
    lo, hi = np.where(allowed, lo, lowest), np.where(allowed, hi, highest)
    T = (lo + hi) / 2 + (hi - lo) / 2 * NODES
    return T, np.where(allowed, (hi - lo) / 2, 0.0) * WEIGHTS
