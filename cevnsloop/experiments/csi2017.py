"""The CsI[Na] data of COHERENT of 2017, DOI 10.5281/zenodo.1228631, and the choices that their paper and ours
leave open.
"""

from dataclasses import dataclass, replace
from importlib import resources

import numpy as np

from .. import inputs, units
from ..checks import Record, choice, instance, number, option, positive, whole
from ..nucleus import nuclide
from .dataset import ARRIVALS, Axis, Background, Counts, Dataset, Experiment, Target
from .response import FineBins, PoissonLight, csi_acceptance
from .tables import read_table

TABLES = resources.files("cevnsloop").joinpath("data/zenodo.1228631")
SMEARINGS = ("none", "poisson")
PE_LABELS = ("upper", "lower")


@dataclass(frozen=True)
class Settings(Record):
    """Choices of an analysis of these data that the paper does not state.

    detector_mass_kg   active mass of the detector, None for that of the inputs
    time_fraction      count only neutrinos that arrive inside the time window of the data
    smearing           "none": the signal is its mean, 1.17 PE per keV; "poisson": Poisson about that mean
    pe_label           only for "poisson": a count of n PE lies in the 1-PE bin (n-1, n) ("upper", as in the
                       release's "0.5 for the 1-PE bin") or (n, n+1) ("lower")
    first_bin, last_bin   bins of the fit, counted from 1 as in Eq. (34), both included

    Raises ValueError for a mass that is no number > 0, an unknown name, or bins that are not whole numbers with
    1 <= first <= last.
    """

    detector_mass_kg: float | None = option(
        "data", "active mass in kg; by default that of the inputs", None, flag="detector-mass", metavar="KG"
    )
    time_fraction: bool = option(
        "data", "count only neutrinos inside the time window", True, off="count neutrinos outside the time window too"
    )
    smearing: str = option("data", "of the light about its mean", "none", choices=SMEARINGS)
    pe_label: str = option(
        "data", "with smearing, n photoelectrons lie in (n-1, n) or (n, n+1)", "upper", choices=PE_LABELS
    )
    first_bin: int = option("data", "first bin of the fit, 2 photoelectrons wide, counted from 1", 4, metavar="I")
    last_bin: int = option("data", "last bin of the fit", 15, metavar="I")

    def __post_init__(self):
        if self.detector_mass_kg is not None:
            self._keep(detector_mass_kg=number("detector_mass_kg", self.detector_mass_kg, "kg", positive))
        self._keep(
            time_fraction=bool(choice("time_fraction", self.time_fraction, (True, False))),
            first_bin=whole("first_bin", self.first_bin, 1),
            last_bin=whole("last_bin", self.last_bin, 1),
        )
        choice("smearing", self.smearing, SMEARINGS)
        choice("pe_label", self.pe_label, PE_LABELS)
        if self.first_bin > self.last_bin:
            raise ValueError(f"bins must satisfy 1 <= first_bin <= last_bin, got {self.first_bin}, {self.last_bin}")


def dataset(settings=Settings(), table=inputs.STANDARD, tables=TABLES):
    """The Dataset for these Settings and the inputs.Table `table`.

    Counts are 2 PE wide and summed over 0 to 6 us after the trigger; bin i of Eq. (34) is (2i - 2, 2i) PE.
    Raises ValueError if a table in the folder `tables` is corrupted, or if the settings ask for a bin that the release
    does not have, or for none in which events are accepted.
    """
    instance("settings", settings, Settings, "csi2017.Settings()")
    instance("table", table, inputs.Table, "inputs.STANDARD")
    counts = read_table(tables, "counts.csv")
    available = len(counts["pe_lo"])
    if settings.last_bin > available:
        raise ValueError(f"last_bin must be <= {available} for the CsI 2017 data, got {settings.last_bin}")
    used = slice(settings.first_bin - 1, settings.last_bin)
    axis = Axis("photoelectrons", "PE", np.append(counts["pe_lo"][used], counts["pe_hi"][used][-1]))
    figures, fine = table.values("csi2017"), read_table(tables, "prompt_neutrons.csv")
    response = _response(settings, axis, figures, fine)
    accepted = figures["exposure"] * fine["per_GWh"] * response.acceptance
    b_on = np.array([accepted[response.assignment == i].sum() for i in range(len(axis))])
    return Dataset(
        _experiment(settings, axis, response, table, tables),
        Counts(counts["coincidence"][used], counts["anticoincidence"][used]),
        figures["sigma_alpha"],
        {"beta": Background(b_on, figures["sigma_beta"])},
    )


def _response(settings, axis, figures, fine):
    """Light in the fine bins of 1 PE of the table of prompt neutrons, accepted and put into the bins of `axis`."""
    centres = (fine["pe_lo"] + fine["pe_hi"]) / 2
    shape = {name: figures[f"acceptance_{name}"] for name in ("a", "k", "x0", "zero_below", "half_below")}
    assignment = np.digitize(centres, axis.edges) - 1
    assignment[(centres < axis.edges[0]) | (centres > axis.edges[-1])] = -1
    edges = np.append(fine["pe_lo"], fine["pe_hi"][-1])
    acceptance = csi_acceptance(centres, **shape)
    if not acceptance[assignment >= 0].any():
        bins = f"{settings.first_bin} to {settings.last_bin} ({axis.edges[0]:g} to {axis.edges[-1]:g} PE)"
        raise ValueError(f"the bins must hold events that the detector accepts, got bins {bins}")
    common = (figures["pe_per_recoil"], edges, acceptance, assignment, len(axis))
    if settings.smearing == "none":
        return FineBins(*common)
    return PoissonLight(*common, fine["pe_hi" if settings.pe_label == "upper" else "pe_lo"])


def _experiment(settings, axis, response, table, tables):
    """Targets, exposure and the part of the beam that arrives in the time window."""
    figures = table.values("csi2017")
    atoms = [nuclide(symbol, table) for symbol in ("Cs133", "I127")]
    if settings.detector_mass_kg is None:
        settings = replace(settings, detector_mass_kg=table.entry("csi2017.detector_mass").number)
    molecules = settings.detector_mass_kg * units.kg / sum(atom.atomic_mass for atom in atoms)
    protons = figures["neutrinos_per_proton"] * figures["protons_on_target"]
    times = read_table(tables, "arrival_times.csv")
    window = times["us_hi"] <= figures["time_window"]
    return Experiment(
        name="CsI 2017",
        doi="10.5281/zenodo.1228631",
        settings=settings,
        targets=tuple(Target(atom, molecules) for atom in atoms),
        fluence=protons / (4 * np.pi * figures["distance"] ** 2),
        response=response,
        arrival={name: times[name][window].sum() if settings.time_fraction else 1.0 for name in ARRIVALS},
        axes=(axis,),
        inputs=table,
    )
