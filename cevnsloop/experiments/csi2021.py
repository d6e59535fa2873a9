"""The full CsI[Na] data of COHERENT, arXiv:2110.07730: light and arrival time of each event, nuisances with shapes."""

from dataclasses import dataclass, replace
from importlib import resources

import numpy as np

from .. import inputs, units
from ..checks import Record, instance
from ..nucleus import nuclide
from . import beam
from .dataset import Axis, Background, Counts, Dataset, Experiment, Target
from .light import GammaLight
from .tables import read_table

TABLES = resources.files("cevnsloop").joinpath("data/arXiv.2110.07730")
PE_EDGES = (0, 8, 12, 16, 20, 24, 32, 40, 50, 60)
US_EDGES = (*(k / 8 for k in range(9)), 2.0, 4.0, 6.0)
FINE = 4  # bins of the response for each photoelectron


@dataclass(frozen=True)
class Settings(Record):
    """Choices of an analysis of these data: `nuisances`, whether the shape of the signal may vary within its errors."""

    nuisances: bool = True


def dataset(settings=Settings(), table=inputs.STANDARD, tables=TABLES):
    """The Dataset of 9 x 11 bins of light and time. Raises ValueError if a table is corrupted."""
    instance("settings", settings, Settings, "csi2021.Settings()")
    figures, axes = table.values("csi2021"), (Axis("photoelectrons", "PE", PE_EDGES), Axis("time", "us", US_EDGES))
    counts = read_table(tables, "counts.csv")
    at = counts["pe_lo"] + 0.5, (counts["eighth_lo"] + 0.5) / 8
    seen, quiet = (
        np.histogram2d(*at, (PE_EDGES, US_EDGES), weights=counts[name])[0]
        for name in ("coincidence", "anticoincidence")
    )
    decay = np.exp(-figures["efficiency_decay"] * np.array(US_EDGES))
    steady = np.outer(quiet.sum(1) / quiet.sum(), (decay[:-1] - decay[1:]) / (decay[0] - decay[-1]))
    backgrounds = {"steady": Background(figures["steady"] * steady.ravel(), figures["sigma_steady"])}
    light, times = read_table(tables, "neutron_light.csv"), read_table(tables, "neutron_times.csv")
    for name in ("brn", "nin"):
        in_pe = np.histogram(light["pe_lo"], PE_EDGES, weights=light[name])[0]
        in_us = np.histogram((times["eighth_lo"] + 0.5) / 8, US_EDGES, weights=times[name])[0]
        backgrounds[name] = Background(figures[name] * np.outer(in_pe, in_us).ravel(), figures[f"sigma_{name}"])
    experiment = _experiment(settings, axes, table, tables)
    return Dataset(
        experiment,
        Counts(seen.ravel(), np.zeros(seen.size)),
        figures["sigma_flux"],
        backgrounds,
        _variations(experiment, figures, tables) if settings.nuisances else {},
        templates=True,
    )


def _variations(experiment, figures, tables):
    """Pairs of the experiment, one standard deviation down and up in what shapes the signal.

    The range of the time is flat; a Gaussian of the same variance stands for it.
    """
    size = experiment.inputs.value("systematics.nuclear_size.both")
    width = figures["sigma_time"] / np.sqrt(3)

    def with_light(**rows):
        return replace(experiment, response=response(figures, tables, **rows))

    def with_size(factor):
        atoms = (replace(one, nuclide=replace(one.nuclide, size=factor)) for one in experiment.targets)
        return replace(experiment, targets=tuple(atoms))

    return {
        "quenching": (with_light(quenching=2), with_light(quenching=1)),
        "quenching_shape": (with_light(quenching=4), with_light(quenching=3)),
        "efficiency": (with_light(efficiency=2), with_light(efficiency=1)),
        "nuclear_size": (with_size(1 - size), with_size(1 + size)),
        "time": tuple(replace(experiment, arrival=arrival(figures, sign * width)) for sign in (-1, 1)),
    }


def _experiment(settings, axes, table, tables):
    figures = table.values("csi2021")
    atoms = [nuclide(symbol, table) for symbol in ("Cs133", "I127")]
    molecules = figures["detector_mass"] / sum(atom.atomic_mass for atom in atoms)
    protons = figures["neutrinos_per_proton"] * figures["protons_on_target"]
    return Experiment(
        name="CsI 2021",
        doi="10.48550/arXiv.2110.07730",
        settings=settings,
        targets=tuple(Target(atom, molecules) for atom in atoms),
        fluence=protons / (4 * np.pi * figures["distance"] ** 2),
        response=response(figures, tables),
        arrival=arrival(figures),
        axes=axes,
        inputs=table,
    )


def response(figures, tables=TABLES, quenching=0, efficiency=0):
    """The GammaLight with rows of the tables of quenching and efficiency, 0 being the nominal ones."""
    pe = np.linspace(0, PE_EDGES[-1], FINE * PE_EDGES[-1] + 1)
    middle = (pe[1:] + pe[:-1]) / 2
    a, b, c, d = (column[efficiency] for column in read_table(tables, "efficiency.csv").values())
    kept = np.maximum(a / (1 + np.exp(-b * (middle - c))) + d, 0.0)
    inside = np.digitize(middle, PE_EDGES)[:, None] == np.arange(1, len(PE_EDGES))
    coefficients = [column[quenching] for column in read_table(tables, "quenching.csv").values()]
    return GammaLight(
        coefficients, pe, kept[:, None] * inside, figures["light_yield"], figures["shape_slope"] / units.keV
    )


def arrival(figures, shift=0.0):
    """Fractions of the neutrinos that are seen in each bin of time, all later by `shift` us."""
    until, decay = figures["efficient_until"], figures["efficiency_decay"]
    mean, width = figures["pulse_mean"] + shift, figures["pulse_width"]
    return beam.arrival(US_EDGES, mean, width, lambda t: np.exp(-decay * np.maximum(t - until, 0.0)))
