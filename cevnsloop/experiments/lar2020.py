"""The liquid argon data of COHERENT, CENNS-10 analysis A, DOI 10.5281/zenodo.3903810: energy, pulse shape F90, time."""

from dataclasses import dataclass, replace
from importlib import resources

import numpy as np

from .. import inputs, units
from ..checks import Record, choice, instance
from ..nucleus import nuclide
from . import beam
from .dataset import Axis, Background, Counts, Dataset, Experiment, Target
from .light import GaussianLight
from .tables import read_table

TABLES = resources.files("cevnsloop").joinpath("data/zenodo.3903810")
E_EDGES = tuple(range(0, 121, 10))  # keV of an electron
F90_EDGES = tuple(np.linspace(0.5, 0.9, 9).round(2).tolist())
US_EDGES = tuple((np.arange(11) / 2 - 0.1).round(1).tolist())
NORMS = ("release", "absolute")


@dataclass(frozen=True)
class Settings(Record):
    """Choices of an analysis of these data.

    norm   "release": all neutrinos count as if they came inside the window of 5 us, as the 128 events of the release
           do; "absolute": only those that do

    Raises ValueError for an unknown name.
    """

    norm: str = "release"

    def __post_init__(self):
        choice("norm", self.norm, NORMS)


def dataset(settings=Settings(), table=inputs.STANDARD, tables=TABLES):
    """The Dataset of 12 x 8 x 10 bins, energy changing slowest. Raises ValueError if a table is corrupted."""
    instance("settings", settings, Settings, "lar2020.Settings()")
    figures = table.values("lar2020")
    light, times = read_table(tables, "light.csv"), read_table(tables, "times.csv")
    backgrounds = {
        name: Background(figures[name] * np.outer(light[name], times[name]).ravel(), figures[f"sigma_{name}"])
        for name in ("steady", "brn", "delayed")
    }
    seen = np.stack(list(read_table(tables, "counts.csv").values()), axis=1).ravel()
    shapes = {key: np.outer(light[key], times[key]).ravel() for key in light}
    late = float((times["cevns_late"] - times["cevns"]) @ np.arange(10)) / 2  # us that the mean moves
    nominal = experiment(settings, table, tables)
    rest = (1 - figures["sigma_rest"], 1 + figures["sigma_rest"])
    shifted = {
        "rest": [replace(nominal, fluence=nominal.fluence * factor) for factor in rest],
        "f90": [experiment(settings, table, tables, shape=f"cevns_f90_{way}") for way in ("down", "up")],
        "signal_time": [experiment(settings, table, tables, shift=sign * late) for sign in (-1, 1)],
    }
    brn = {
        "brn_energy": (shapes["brn_energy_up"] - shapes["brn_energy_down"]) / 2,
        "brn_time": (shapes["brn_late"] - shapes["brn_early"]) / 2,
        "brn_width": shapes["brn_width"] - shapes["brn"],
    }
    return Dataset(
        nominal,
        Counts(seen, np.zeros(seen.size)),
        figures["sigma_flux"],
        backgrounds,
        {name: tuple(pair) for name, pair in shifted.items()},
        {name: figures["brn"] * change for name, change in brn.items()},
        templates=True,
    )


def experiment(settings=Settings(), table=inputs.STANDARD, tables=TABLES, shape="cevns", shift=0.0):
    """The Experiment: a response of 96 columns, energy times F90 at that energy, and 10 bins of time.

    `shape` as in `response`; neutrinos come `shift` us later than the release says.
    """
    figures, atom = table.values("lar2020"), nuclide("Ar40", table)
    protons = figures["neutrinos_per_proton"] * figures["protons_on_target"]
    axes = (
        Axis("energy", "keV", E_EDGES),
        Axis("F90", "1", F90_EDGES),
        Axis("time", "us", US_EDGES),
    )
    arrival = beam.arrival(US_EDGES, figures["pulse_mean"] + shift, figures["pulse_width"])
    if settings.norm == "release":
        arrival = {name: fractions / fractions.sum() for name, fractions in arrival.items()}
    return Experiment(
        name="LAr 2020",
        doi="10.5281/zenodo.3903810",
        settings=settings,
        targets=(Target(atom, figures["detector_mass"] / atom.atomic_mass),),
        fluence=protons / (4 * np.pi * figures["distance"] ** 2),
        response=response(figures, tables, shape),
        arrival=arrival,
        axes=axes,
        inputs=table,
    )


def response(figures, tables=TABLES, shape="cevns"):
    """The GaussianLight of 12 x 8 columns; F90 at each energy is that of one of the released shapes of the signal."""
    kept = read_table(tables, "efficiency.csv")
    middle = kept["keVee"]
    edges = np.append(middle - 0.25, middle[-1] + 0.25)
    in_energy = np.digitize(middle, E_EDGES)[:, None] == np.arange(1, len(E_EDGES))
    f90 = read_table(tables, "light.csv")[shape].reshape(len(E_EDGES) - 1, -1)
    share = f90 / np.maximum(f90.sum(1, keepdims=True), 1e-300)
    columns = (kept["efficiency"][:, None] * in_energy) @ np.repeat(np.eye(len(share)), share.shape[1], axis=1)
    slope = figures["quenching_slope"] / units.keV
    return GaussianLight(
        (figures["quenching"], slope),
        edges * units.keV,
        columns * share.ravel(),
        figures["resolution"] * np.sqrt(units.keV),
    )


def released(table=inputs.STANDARD, tables=TABLES):
    """The signal that the release predicts, events in the bins of energy, F90 and time, shape (12, 8, 10)."""
    light, times = (read_table(tables, f"{name}.csv")["cevns"] for name in ("light", "times"))
    return table.value("lar2020.cevns") * np.outer(light, times).reshape(12, 8, 10)
