"""What a limit rests on, and how well it is known: each assumption moved alone over its range.

The assumptions of the amplitude `complete` are inputs with a `range`; sets of f_q; and in case B the spins and axial
charges, by their uncertainty.
What may be quoted is the weakest limit of the band.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ..amplitudes.quarks import LIGHT
from ..amplitudes.theory import SCALARS, with_scalars
from ..checks import Record
from ..experiments.combined import Combined
from ..fit.limits import upper_limit
from ..inputs import names
from ..rates.events import stacked
from ..rates.general import BLOCK
from ..rates.varied import predict_varied

SIZE = "helm.size"  # of all nuclei, also where the data have it as a nuisance
OF_VECTORS = ("k_F", "rho_M", "contact", "s_1")  # of the inputs "nucleons", those of case A
OF_AXIALS = ("k_F", "rho_A", "M_A", "contact", "s_1", "longitudinal")  # and of case B


@dataclass(frozen=True, eq=False)
class Band(Record):
    """Limits on G for each end of each assumption.

    g_limit   {what was moved: array of the shape of the masses}, first "", with nothing moved; inf without a limit
    """

    g_limit: dict

    @property
    def ends(self):
        """Weakest and strongest limit, shape (2, ...); no limit at all, inf, is the weakest."""
        every = np.array(list(self.g_limit.values()))
        return np.stack([every.max(0), every.min(0)])

    @property
    def weakest(self):
        """What was moved in the weakest limit, an array of names."""
        every = np.array(list(self.g_limit.values()))
        return np.array(list(self.g_limit))[every.argmax(0)]


def moves(asked):
    """What is moved for the choices.Choices of a limit: {in words: {input: number}}.

    Raises ValueError for another amplitude than `complete`: the others leave out more than a band could show.
    """
    if str(asked.theory.amplitude) != "complete":
        raise ValueError(f"a band must be of the amplitude complete, got {asked.theory.amplitude}")
    table = asked.theory.inputs
    found = {
        f"{name} = {end:g}": {name: end}
        for name in (SIZE, *(f"nucleons.{name}" for name in (OF_VECTORS if asked.case == "A" else OF_AXIALS)))
        for end in table.entry(name).range
        if end != table.entry(name).number
    }
    f_q = [f"scalar_form_factors.{n}.{q}" for n in "pn" for q in LIGHT]
    for name in SCALARS:
        if name != asked.f_q:
            other = with_scalars(asked.inputs, name)
            found[f"f_q {name}"] = {one: other.entry(one).number for one in f_q}
    if asked.case == "B":
        for name in ("S_p", "S_n"):  # of all nuclei together
            every = [f"spins.{nuclide}.{name}" for nuclide in names("spins")]
            found |= {f"{name} {word}": {one: _moved(table, one, word) for one in every} for word in _STEPS}
        for name in (f"axial_charges.{quark}" for quark in names("axial_charges")):
            found |= {f"{name} {word}": {name: _moved(table, name, word)} for word in _STEPS}
    return found


_STEPS = {"smaller": -1, "larger": 1}


def _moved(table, name, word):
    """A number of either sign with a magnitude that is one uncertainty smaller or larger, but never past zero."""
    entry = table.entry(name)
    return float(np.copysign(max(abs(entry.number) + _STEPS[word] * entry.uncertainty, 0.0), entry.number))


def band(asked, m_chi, m_zp):
    """The Band of the choices.Choices `asked` for masses in MeV that broadcast."""
    model, usual, moved = asked.model(m_chi, m_zp), asked.inputs.entry(SIZE).number, {"": {}} | moves(asked)
    variants = []
    for change in moved.values():
        factor = change.get(SIZE, usual) / usual
        dataset = asked.dataset if factor == 1 else resized(asked.dataset, factor)
        variants.append((dataset, replace(asked.theory, inputs=asked.theory.inputs.changed(change))))
    return Band(dict(zip(moved, _limits(asked, model, variants), strict=True)))


def without(asked, m_chi, m_zp):
    """Limits without each part of the amplitude `complete`, {part: array}, inf without one; {} for other amplitudes.

    The part that sets a limit is the one without which it weakens most.
    """
    model, theory = asked.model(m_chi, m_zp), asked.theory
    has_none = {"A": ("longitudinal",), "B": ("nucleus",)}[asked.case]
    parts = [part for part in getattr(theory.amplitude, "parts", ()) if part not in has_none]
    if not theory.inputs.value("nucleons.longitudinal"):
        parts = [part for part in parts if part != "longitudinal"]
    each = {part: replace(theory, amplitude=theory.amplitude.without(part)) for part in parts}
    variants = [(asked.dataset, other) for other in each.values()]
    return dict(zip(parts, _limits(asked, model, variants), strict=True)) if parts else {}


def _limits(asked, model, variants):
    """Limits on G for variants of data and theory, all at once, an array for each; inf where there is none.

    BLOCK masses at a time, so that loops of the nucleus that several variants share are still there.
    """
    m_chi, m_zp = (a.ravel() for a in (model.m_chi, model.m_zp))
    found = np.empty((len(variants), m_chi.size))
    for start in range(0, m_chi.size, BLOCK):
        here = slice(start, start + BLOCK)
        block = replace(model, m_chi=m_chi[here], m_zp=m_zp[here])
        events = stacked([predict_varied(block, dataset, theory) for dataset, theory in variants])
        found[:, here] = upper_limit(events, asked.dataset, asked.delta_chi2, asked.fit).g_limit
    found[np.isnan(found)] = np.inf
    return found.reshape(len(variants), *model.m_chi.shape)


@lru_cache(maxsize=8)  # the kernels of an experiment are kept by its identity
def resized(dataset, factor):
    """The data with all nuclei larger by a factor."""
    if isinstance(dataset, Combined):
        return Combined(tuple(resized(part, factor) for part in dataset.parts))

    def larger(experiment):
        targets = [replace(t, nuclide=replace(t.nuclide, size=t.nuclide.size * factor)) for t in experiment.targets]
        return replace(experiment, targets=tuple(targets))

    pairs = {name: tuple(map(larger, pair)) for name, pair in dataset.variations.items()}
    return replace(dataset, experiment=larger(dataset.experiment), variations=pairs)
