"""Expected events per bin, a polynomial in y = G^2: n(G) = n_sm + y (n_tree + n_interference) + y^2 n_loop (Fig. 3).

The product of the largest couplings is G = g_chi g_q, g_chi = max(g_chi_L, g_chi_R) and g_q = max |g_q|; the pattern of
couplings, their ratios and signs, is held fixed.
Loops of a separable amplitude (theory.Amplitude) are forms in c1, c2, c3 with kernels that depend on the experiment
alone; others are integrated by general.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from ..amplitudes.theory import Theory, separates
from ..checks import FrozenDict, Record, choice, finite, frozen, instance, non_negative, sealed, shaped
from ..experiments.dataset import Axis, Experiment
from ..model import CASES, NEUTRINOS, Model
from . import general
from .flux import decay_at_rest, together
from .quadrature import grid, integrate
from .xsec import LOOP_TERMS, interference_powers, loop_powers, sm_powers, tree_of

Z_EXCHANGE = ("constants", "weak_angle")  # tables of the inputs that Eq. (22) needs, besides those of the data
BLOCK = 512  # models at once: what is computed at the nodes then stays in the cache


@dataclass(frozen=True, eq=False)
class Events(Record):
    """Expected signal events in B bins as a polynomial in y = G^2; (...) is the shape of the model's masses.

    n         coefficients of 1, y and y^2, shape (3, ..., B): Standard Model, tree with interference, loops
    axes      of the bins, dataset.Axis: these events meet only data of the same bins. (): not known
    changes   how n changes when an ingredient grows by a standard deviation, {name of its nuisance: (3, ..., B)}

    Raises ValueError for other shapes and for what is not finite.
    """

    n: np.ndarray
    axes: tuple[Axis, ...] = ()
    changes: Mapping[str, np.ndarray] = field(default_factory=FrozenDict)

    def __post_init__(self):
        n = shaped("n", finite("n", self.n, ""), (3, *np.shape(self.n)[1:]))
        changes = {name: shaped(name, finite(name, change, ""), n.shape) for name, change in self.changes.items()}
        self._keep(n=n, changes=FrozenDict({name: frozen(change) for name, change in changes.items()}))

    def total(self, g):
        """n(G), shape (..., B), for a magnitude G = `g` >= 0 that broadcasts against (...). ValueError for g < 0."""
        y = non_negative("g", g, "")[..., None] ** 2
        return sealed(self.n[0] + y * (self.n[1] + y * self.n[2]))

    def flat(self):
        """The same with one axis for all models: n of shape (3, N, B)."""
        return self._each(lambda part: part.reshape(3, -1, part.shape[-1]))

    def at(self, index):
        """Those of some of the models, by an index of numpy into (...)."""
        index = index if isinstance(index, tuple) else (index,)
        return self._each(lambda part: part[(slice(None), *index)])

    def _each(self, change):
        return Events(change(self.n), self.axes, {name: change(part) for name, part in self.changes.items()})

    def loop_share(self, g):
        """Part of the signal that is the y^2 term for G = `g`, all events counted positive; nan if g is not finite."""
        y = np.square(np.where(np.isfinite(g), g, np.nan))
        linear, quadratic = y * abs(self.n[1]).sum(-1), y**2 * abs(self.n[2]).sum(-1)
        return quadratic / (linear + quadratic)

    def in_bins_of(self, experiment):
        """These events; ValueError if their bins are not those of `experiment`: chi^2 would compare unlike bins."""
        if self.n.shape[-1] != experiment.n_bins:
            raise ValueError(f"events in {self.n.shape[-1]} bins cannot meet data in {experiment.n_bins} bins")
        for mine, other in zip(self.axes, experiment.axes, strict=bool(self.axes)) if self.axes else ():
            if not np.array_equal(mine.edges, other.edges):
                ends = [f"{axis.edges[0]:g} to {axis.edges[-1]:g} {axis.unit}" for axis in (mine, other)]
                raise ValueError("events and data must have the same bins, got {} and {}".format(*ends))
        return self


def stacked(events):
    """The Events of a list as those of one more model axis, the first: in the same bins, with changes of one set."""
    changes = {name: np.stack([one.changes[name] for one in events], axis=1) for name in events[0].changes}
    return Events(np.stack([one.n for one in events], axis=1), events[0].axes, changes)


@dataclass(frozen=True, eq=False)
class Kernels(Record):
    """What does not depend on the model, for an experiment and the flavours that couple; B bins.

    n_sm           events of Eq. (22), shape (B,)
    loop           events of Eq. (25) for c_i c_j = 1, by target and term of LOOP_TERMS, shape (targets, 4, B)
    interference   events of the interference with Z exchange for c2 = 1, by target, shape (targets, B)
    grids          the quadrature.Grid of each target
    spectra        of the neutrinos that couple, as flux.together gives them

    Raises ValueError for other shapes and for what is not finite.
    """

    n_sm: np.ndarray
    loop: np.ndarray
    interference: np.ndarray
    grids: tuple
    spectra: tuple

    def __post_init__(self):
        n_sm = non_negative("n_sm", self.n_sm, "")
        per_target = (len(self.grids), *n_sm.shape)
        loop = shaped("loop", finite("loop", self.loop, ""), (per_target[0], len(LOOP_TERMS), *n_sm.shape))
        interference = shaped("interference", finite("interference", self.interference, ""), per_target)
        self._keep(n_sm=n_sm, loop=loop, interference=interference, grids=tuple(self.grids))


def kernels(experiment, neutrinos, theory):
    """The Kernels of a dataset.Experiment; `neutrinos` as in model.Model. Kept for the last experiments used.

    Of the theory.Theory only what Z exchange needs matters. Raises ValueError for other neutrinos.
    """
    choice("neutrinos", neutrinos, NEUTRINOS)
    return _kernels(experiment, neutrinos, Theory(weak_angle=theory.weak_angle, inputs=theory.inputs.only(Z_EXCHANGE)))


@lru_cache(maxsize=64)  # with two for each nuisance of the later data
def _kernels(experiment, neutrinos, theory):
    beam = decay_at_rest(experiment.inputs)
    coupled = [one for one in beam if neutrinos in ("all", one.flavour)]
    grids = tuple(grid(target, experiment, max(one.E_max for one in beam)) for target in experiment.targets)

    def massless(powers, at, components, *args):
        zero = np.zeros(1)
        return integrate(lambda T, _: powers(T, *args), at, components, experiment.arrival, zero)[0]

    n_sm, loop, interference = 0.0, [], []
    for target, at in zip(experiment.targets, grids, strict=True):
        nuclide = target.nuclide
        n_sm = n_sm + massless(sm_powers, at, beam, nuclide, theory)
        loop.append([massless(loop_powers, at, coupled, nuclide, term) for term in LOOP_TERMS])
        signed = [one.lepton_number * massless(interference_powers, at, [one], nuclide, theory) for one in coupled]
        interference.append(sum(signed))
    return Kernels(n_sm, np.array(loop), np.array(interference), grids, together(coupled))


def predict(model, experiment, theory):
    """The Events n(G) for the pattern of couplings of `model` in the bins of an Experiment.

    How large its couplings are does not matter: n(G) belongs to Model.pattern, which has max(g_chi_L, g_chi_R) = 1 and
    max |g_q| = 1, and the events of `model` itself are events.total(model.G). A limit on G is a limit on the largest
    g_chi times the largest |g_q|, for any signs and ratios.
    Models are treated in blocks: memory beyond the result does not grow with their number.
    """
    _check(model, experiment, theory)
    n = np.empty((3, model.m_chi.size, experiment.n_bins))
    for here, parts in _blocks(model, experiment, theory):
        n[0, here], n[1, here], n[2, here] = parts["n_sm"], parts["n_tree"] + parts["n_interference"], parts["n_loop"]
    return Events(sealed(n).reshape(3, *model.m_chi.shape, -1), experiment.axes)


def parts(model, experiment, theory, g=1.0):
    """What `predict` adds up, each times its power of G = `g` >= 0: {name: shape (..., B)}.

    n_sm             events of Eq. (22), shape (B,)
    n_tree           of Eq. (23), times G^2
    n_interference   of the loops with Z exchange, times G^2, of either sign; 0 if the amplitude leaves it out
    n_loop           of the loops, Eq. (25) if they are separable, times G^4

    Raises ValueError for g < 0, or so large that events overflow.
    """
    _check(model, experiment, theory)
    g = non_negative("g", g, "")[..., None]
    found = {name: np.empty((model.m_chi.size, experiment.n_bins)) for name in ("n_tree", "n_interference", "n_loop")}
    for here, block in _blocks(model, experiment, theory):
        for name, part in found.items():
            part[here] = block[name]
    with np.errstate(over="ignore", invalid="ignore"):  # `finite` finds them
        y = g**2
        powers = {"n_tree": y, "n_interference": y, "n_loop": y**2}
        scaled = {name: powers[name] * part.reshape(*model.m_chi.shape, -1) for name, part in found.items()}
    checked = {name: sealed(finite(f"{name} at this g", part, "")) for name, part in scaled.items()}
    return FrozenDict({"n_sm": sm_events(experiment, theory)} | checked)


def sm_events(experiment, theory):
    """Events of Eq. (22) per bin, shape (B,)."""
    return kernels(experiment, "all", theory).n_sm


def _check(model, experiment, theory):
    instance("model", model, Model, "unit_model(...)")
    instance("experiment", experiment, Experiment, "csi2017.dataset().experiment")
    instance("theory", theory, Theory, "Theory(PUBLISHED)")


def _blocks(model, experiment, theory):
    """The parts of n(G) for a block of models at a time, with their indices among the flattened masses."""
    model, kernel = model.pattern(), kernels(experiment, model.neutrinos, theory)
    masses = model.m_chi.ravel(), model.m_zp.ravel()
    for those, own in _theories(model, theory):
        if model.case not in getattr(own.amplitude, "cases_with_loops", CASES):
            loops, size = _none, BLOCK
        else:
            separable = separates(own.amplitude, model.case)
            loops, size = (_separable, BLOCK) if separable else (general.loop_events, general.BLOCK)
        for start in range(0, len(those), size):
            here = those[start : start + size]
            block = replace(model, m_chi=masses[0][here], m_zp=masses[1][here])
            tree = _tree_events(block, experiment, kernel, own)
            n_interference, n_loop = loops(block, experiment, kernel, own)
            yield here, {"n_sm": kernel.n_sm, "n_tree": tree, "n_interference": n_interference, "n_loop": n_loop}


def _theories(model, theory):
    """Indices of models, and the Theory for their events: another one where the amplitude has a shortcut."""
    every = np.arange(model.m_chi.size)
    if model.case != "A" or not hasattr(theory.amplitude, "shortcut"):
        return [(every, theory)]
    quick, other = theory.amplitude.shortcut(model.m_chi.ravel())
    return [(every[quick], replace(theory, amplitude=other)), (every[~quick], theory)]


def _tree_events(model, experiment, kernel, theory):
    """Events of the tree per bin, shape (N, B); the number 0 if there is none."""
    n = 0.0
    for target, at in zip(experiment.targets, kernel.grids, strict=True):
        powers = tree_of(model, target.nuclide, theory)
        if powers:
            n = n + integrate(powers, at, kernel.spectra, experiment.arrival, model.m_chi, model.m_zp)
    return n


def _none(model, experiment, kernel, theory):
    """Interference and loops of an amplitude without loops."""
    return 0.0, 0.0


def _separable(model, experiment, kernel, theory):
    """Interference and Eq. (25) per bin, each of shape (N, B): forms in c1, c2, c3 with kernels free of the model."""
    found = theory.amplitude.coefficients([target.nuclide for target in experiment.targets], model, theory)
    n_interference = n_loop = 0.0
    for c, loop, interference in zip(found, kernel.loop, kernel.interference, strict=True):
        products = np.stack([getattr(c, i) * getattr(c, j) for i, j in LOOP_TERMS], axis=-1)
        n_loop = n_loop + products @ loop
        if theory.amplitude.meets_z:
            n_interference = n_interference + c.c2[:, None] * interference
    return n_interference, n_loop
