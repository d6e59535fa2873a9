"""Expected events per bin: n(G) = n_sm + G^2 (n_tree + n_interference) + G^4 n_loop (Fig. 3).

The product of the largest couplings is G = g_chi g_q, g_chi = max(g_chi_L, g_chi_R) and g_q = max |g_q|; the pattern
of couplings, their ratios and signs, is held fixed. All but the tree are forms in the coefficients c1, c2, c3 with
kernels that depend on the data set alone.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from . import inputs
from .amplitude import Amplitude, loop_coefficients_of, vector_charge
from .checks import FrozenDict, Record, choice, finite, increasing, instance, non_negative, sealed, shaped
from .coherent import Dataset
from .flux import decay_at_rest, together
from .model import NEUTRINOS, Model
from .quadrature import grid, integrate
from .xsec import LOOP_TERMS, interference_powers, loop_powers, sm_powers, tree_powers

BLOCK = 512  # models at once: what is computed at the nodes then stays in the cache


@dataclass(frozen=True, eq=False)
class Events(Record):
    """Expected signal events, the parts of n(G); B bins, (...) the shape of the model's masses.

    n_sm             shape (B,)
    n_tree           coefficient of G^2, shape (..., B)
    n_interference   coefficient of G^2 from the interference of the loops with Z exchange, shape (..., B), of either
                     sign; zero if the amplitude leaves it out, as Eq. (21) does
    n_loop           coefficient of G^4, shape (..., B)
    pe_edges         edges of the bins, shape (B+1,): these events meet only data of the same bins. None: not known

    Raises ValueError for other shapes and for what is not finite.
    """

    n_sm: np.ndarray
    n_tree: np.ndarray
    n_interference: np.ndarray
    n_loop: np.ndarray
    pe_edges: np.ndarray | None = None

    def __post_init__(self):
        n_sm = finite("n_sm", self.n_sm, "")
        shape = (*np.shape(self.n_loop)[:-1], *n_sm.shape)
        names = ("n_tree", "n_interference", "n_loop")
        parts = {name: shaped(name, finite(name, getattr(self, name), ""), shape) for name in names}
        self._keep(n_sm=shaped("n_sm", n_sm, (n_sm.size,)), **parts)
        if self.pe_edges is not None:
            edges = increasing("pe_edges", finite("pe_edges", self.pe_edges, "PE"))
            self._keep(pe_edges=shaped("pe_edges", edges, (len(n_sm) + 1,)))

    def parts(self, g):
        """The four parts of n(G) by name, for a magnitude G = `g` >= 0 that broadcasts against (...); shape (..., B).

        Raises ValueError for g < 0, or so large that events overflow.
        """
        g = non_negative("g", g, "")[..., None]
        with np.errstate(over="ignore", invalid="ignore"):  # `finite` finds them
            g2 = g**2
            powers = {"n_sm": 1, "n_tree": g2, "n_interference": g2, "n_loop": g2**2}
            parts = {name: power * getattr(self, name) for name, power in powers.items()}
        return FrozenDict({name: sealed(finite(f"{name} at this g", part, "")) for name, part in parts.items()})

    def total(self, g):
        """n(G), the sum of `parts`, shape (..., B)."""
        return sealed(sum(self.parts(g).values()))

    def flat(self):
        """The same with one axis for all models: shape (N, B)."""
        return self._each(lambda part: part.reshape(-1, len(self.n_sm)))

    def at(self, index):
        """Those of some of the models, by an index of numpy."""
        return self._each(lambda part: part[index])

    def _each(self, change):
        parts = (self.n_tree, self.n_interference, self.n_loop)
        return Events(self.n_sm, *map(change, parts), self.pe_edges)

    def in_bins_of(self, dataset):
        """These events; ValueError if their bins are not those of `dataset`: chi^2 would compare unlike bins."""
        if self.n_sm.shape != dataset.b_on.shape:
            raise ValueError(f"events in {len(self.n_sm)} bins cannot meet data in {len(dataset.b_on)} bins")
        if self.pe_edges is not None and not np.array_equal(self.pe_edges, dataset.pe_edges):
            edges = f"{self.pe_edges.tolist()} and {dataset.pe_edges.tolist()}"
            raise ValueError(f"events and data must have the same bins, got the edges {edges} PE")
        return self


@dataclass(frozen=True, eq=False)
class Kernels(Record):
    """What does not depend on the model, for a data set and the flavours that couple; B bins.

    n_sm           events of Eq. (22), shape (B,)
    loop           events of Eq. (25) for c_i c_j = 1, by target and term of LOOP_TERMS, shape (targets, 4, B)
    interference   events of the interference with Z exchange for c2 = 1, by target, shape (targets, B)
    grids          the quadrature.Grid of each target
    components     those of the beam that couple, as flux.together gives them

    Raises ValueError for other shapes and for what is not finite.
    """

    n_sm: np.ndarray
    loop: np.ndarray
    interference: np.ndarray
    grids: tuple
    components: tuple

    def __post_init__(self):
        n_sm = non_negative("n_sm", self.n_sm, "")
        per_target = (len(self.grids), *n_sm.shape)
        loop = shaped("loop", finite("loop", self.loop, ""), (per_target[0], len(LOOP_TERMS), *n_sm.shape))
        interference = shaped("interference", finite("interference", self.interference, ""), per_target)
        self._keep(n_sm=n_sm, loop=loop, interference=interference, grids=tuple(self.grids))


@lru_cache(maxsize=16)
def kernels(dataset, neutrinos):
    """The Kernels of a coherent.Dataset; `neutrinos` as in model.Model. Kept for the last data sets used.

    Raises ValueError for other neutrinos.
    """
    choice("neutrinos", neutrinos, NEUTRINOS)
    sin2 = inputs.value(f"weak_angle.{dataset.settings.weak_angle}")
    beam = decay_at_rest()
    coupled = [one for one in beam if neutrinos in ("all", one.flavour)]
    n_sm, loop, interference = 0.0, [], []
    grids = tuple(grid(target, dataset, max(one.E_max for one in beam)) for target in dataset.targets)
    for target, at in zip(dataset.targets, grids, strict=True):
        nuclide = target.nuclide
        n_sm = n_sm + _massless(sm_powers, at, beam, nuclide, sin2)
        loop.append([_massless(loop_powers, at, coupled, nuclide, term) for term in LOOP_TERMS])
        signed = [one.lepton_number * _massless(interference_powers, at, [one], nuclide, sin2) for one in coupled]
        interference.append(sum(signed))
    return Kernels(n_sm, np.array(loop), np.array(interference), grids, together(coupled))


def _massless(powers, grid, components, *args):
    return integrate(lambda T, _: powers(T, *args), grid, components, np.zeros(1))[0]


def predict(model, dataset, amplitude):
    """The parts of n(G) for the pattern of couplings of `model` in the bins of `dataset`.

    How large its couplings are does not matter: n(G) belongs to Model.pattern, which has max(g_chi_L, g_chi_R) = 1 and
    max |g_q| = 1, and the events of `model` itself are events.total(model.G). A limit on G is a limit on the largest
    g_chi times the largest |g_q|, for any signs and ratios.
    `amplitude` is an amplitude.Amplitude, such as PUBLISHED. Models are treated in blocks: memory beyond
    the result does not grow with their number.
    """
    instance("model", model, Model, "unit_model(...)")
    instance("dataset", dataset, Dataset, "coherent.csi2017(...)")
    instance("amplitude", amplitude, Amplitude, "amplitude.PUBLISHED")
    model, kernel = model.pattern(), kernels(dataset, model.neutrinos)
    shape = (*model.m_chi.shape, len(kernel.n_sm))
    parts = np.zeros((3, model.m_chi.size, len(kernel.n_sm)))
    masses = model.m_chi.ravel(), model.m_zp.ravel()
    for start in range(0, model.m_chi.size, BLOCK):
        here = slice(start, start + BLOCK)
        block = replace(model, m_chi=masses[0][here], m_zp=masses[1][here])
        parts[0, here] = _tree_events(block, dataset, kernel)
        parts[1, here], parts[2, here] = _loop_events(block, dataset, kernel, amplitude)
    return Events(kernel.n_sm, *sealed(parts).reshape(3, *shape), dataset.pe_edges)


def sm_events(dataset):
    """Events of Eq. (22) per bin, shape (B,)."""
    return kernels(dataset, "all").n_sm


def _tree_events(model, dataset, kernel):
    """Events of Eq. (23) per bin, shape (N, B); the number 0 if no nucleus is charged, as in case B."""
    n = 0.0
    for target, at in zip(dataset.targets, kernel.grids, strict=True):
        charge = vector_charge(model, target.nuclide)
        if charge:

            def powers(T, m_chi, m_zp, nuclide=target.nuclide, charge=charge):
                return tree_powers(T, nuclide, m_chi, m_zp, model.g_chi_L, charge)

            n = n + integrate(powers, at, kernel.components, model.m_chi, model.m_zp)
    return n


def _loop_events(model, dataset, kernel, amplitude):
    """Interference and Eq. (25) per bin, each of shape (N, B): forms in c1, c2, c3 with kernels free of the model."""
    nuclides = [target.nuclide for target in dataset.targets]
    found = loop_coefficients_of(nuclides, model, amplitude, dataset.settings.moments)
    n_interference = n_loop = 0.0
    for c, loop, interference in zip(found, kernel.loop, kernel.interference, strict=True):
        products = np.stack([getattr(c, i) * getattr(c, j) for i, j in LOOP_TERMS], axis=-1)
        n_loop = n_loop + products @ loop
        if amplitude.interference == "rederived":
            n_interference = n_interference + c.c2[:, None] * interference
    return n_interference, n_loop
