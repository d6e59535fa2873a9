"""COHERENT data sets as values: counts, backgrounds, exposure, targets and response in one frozen record.

Nothing outside this module and detector.py knows which nuclei, bins or exposure a data set has.
The tables in data/ are the project's own; each is checked against its SHA-256 before it is used.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import numpy as np

from . import inputs, settings, units
from .checks import FrozenDict, Record, choice, frozen, increasing, instance, non_negative, number, positive, shaped
from .detector import Response, csi_acceptance
from .nucleus import Nuclide, nuclide

ROUNDING = 1e-9  # of the sum of a table's fractions
CSI2017_TABLES = resources.files(__package__).joinpath("data/zenodo.1228631")


@dataclass(frozen=True)
class Target(Record):
    """Nuclei of one kind in the detector and how many there are, a number > 0."""

    nuclide: Nuclide
    count: float

    def __post_init__(self):
        instance("nuclide", self.nuclide, Nuclide)
        self._keep(count=number("count", self.count, "nuclei", positive))


@dataclass(frozen=True, eq=False)
class Dataset(Record):
    """A measured spectrum and all that a prediction of it needs.

    name, doi     what it is and where it is from
    settings      the settings.Settings it was made with
    targets       the nuclei of the detector
    fluence       neutrinos per flavour and area during the run, N_0 of Eq. (32), in MeV^2
    arrival       fraction of "prompt" and "delayed" neutrinos inside the time window
    response      detector.Response for the B bins below
    pe_edges      bin edges, shape (B+1,), increasing
    n_on, b_ss    counts with the beam on, and the steady-state background estimated from anticoincidence, shape (B,);
                  toys have axes in front
    b_on          expected beam-on background (prompt neutrons), shape (B,)
    sigma_alpha, sigma_beta   relative uncertainties of signal and beam-on background, Eq. (34)

    Raises ValueError for other shapes, and for what is negative, not finite or of another type.
    """

    name: str
    doi: str
    settings: settings.Settings
    targets: tuple[Target, ...]
    fluence: float
    arrival: Mapping[str, float]
    response: Response
    pe_edges: np.ndarray
    n_on: np.ndarray
    b_ss: np.ndarray
    b_on: np.ndarray
    sigma_alpha: float
    sigma_beta: float

    def __post_init__(self):
        kinds = {"name": str, "doi": str, "settings": settings.Settings, "response": Response, "arrival": Mapping}
        for name, kind in kinds.items():
            instance(name, getattr(self, name), kind)
        targets = tuple(instance("target", one, Target) for one in instance("targets", self.targets, (tuple, list)))
        arrival = {key: number(f"arrival[{key!r}]", x, "", non_negative) for key, x in self.arrival.items()}
        if not targets or sorted(arrival) != ["delayed", "prompt"] or max(arrival.values()) > 1 + ROUNDING:
            raise ValueError("a data set must have a target, and fractions <= 1 of 'prompt' and 'delayed' that arrive")
        bins = (self.response.n_bins,)
        edges = increasing("pe_edges", non_negative("pe_edges", self.pe_edges, "PE"))
        shapes = {"n_on": (..., *bins), "b_ss": (..., *bins), "b_on": bins}
        counts = {k: shaped(k, non_negative(k, getattr(self, k), ""), shape) for k, shape in shapes.items()}
        self._keep(
            targets=targets,
            fluence=number("fluence", self.fluence, "MeV^2", positive),
            arrival=FrozenDict(arrival),
            pe_edges=shaped("pe_edges", edges, (bins[0] + 1,)),
            **counts,
            sigma_alpha=number("sigma_alpha", self.sigma_alpha, "", non_negative),
            sigma_beta=number("sigma_beta", self.sigma_beta, "", non_negative),
        )

    @property
    def n_obs(self):
        """N_meas of Eq. (34): counts less the steady-state background, shape (B,)."""
        return self.n_on - self.b_ss

    @property
    def sigma(self):
        """sigma_stat of Eq. (34): sqrt(N_meas + 2 B_SS + B_on), shape (B,)."""
        return np.sqrt(self.n_obs + 2 * self.b_ss + self.b_on)


def read_table(folder, name):
    """Columns of folder/name as a mapping from header to array, read-only, after its SHA-256 was found to be right.

    Raises ValueError naming the file if it is missing, or differs from what SHA256SUMS in the folder states.
    """
    path = folder.joinpath(name)
    try:
        sums = folder.joinpath("SHA256SUMS").read_text(encoding="utf-8")
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read the data table {path}: {error}") from None
    stated = {line.split()[1]: line.split()[0] for line in sums.splitlines()}
    found = hashlib.sha256(data).hexdigest()
    if stated.get(name) != found:
        raise ValueError(
            f"the data table {path} is corrupted: its SHA-256 is {found}, SHA256SUMS states {stated.get(name)}"
        )
    lines = [line for line in data.decode().splitlines() if not line.startswith("#")]
    columns = frozen(np.loadtxt(lines[1:], delimiter=",", unpack=True))
    return FrozenDict(zip(lines[0].split(","), columns, strict=True))


def csi2017(choices, tables=CSI2017_TABLES, changes=None):
    """The CsI[Na] data of 2017, DOI 10.5281/zenodo.1228631, for the settings `choices`.

    Counts are 2 PE wide and summed over 0 to 6 us after the trigger; bin i of Eq. (34) is (2i - 2, 2i) PE.
    `changes` maps names of inputs in the table csi2017 to the values, in natural units, to use in their place; counts
    stay what they are. Raises ValueError if a table is corrupted, if the settings ask for a bin the release does not
    have, or for none in which events are accepted, or if `changes` has a value that is not finite and > 0, or a name
    without effect: one that is unknown or informational, and detector_mass, which is a setting.
    """
    instance("choices", choices, settings.Settings, "settings.csi2017()")
    counts = read_table(tables, "counts.csv")
    available = len(counts["pe_lo"])
    if choices.last_bin > available:
        raise ValueError(f"last_bin must be <= {available} for the CsI 2017 data, got {choices.last_bin}")
    used = slice(choices.first_bin - 1, choices.last_bin)
    pe_edges = np.append(counts["pe_lo"][used], counts["pe_hi"][used][-1])

    figures = inputs.values("csi2017")
    effective = [k for k in figures if k != "detector_mass" and not inputs.entry(f"csi2017.{k}").informational]
    for name, value in (changes or {}).items():
        figures[choice("changed input", name, effective)] = number(name, value, "", positive)
    neutrons = read_table(tables, "prompt_neutrons.csv")
    fine_centres = (neutrons["pe_lo"] + neutrons["pe_hi"]) / 2
    shape = {name: figures[f"acceptance_{name}"] for name in ("a", "k", "x0", "zero_below", "half_below")}
    acceptance = csi_acceptance(fine_centres, **shape)
    bin_of = np.digitize(fine_centres, pe_edges) - 1
    bin_of[(fine_centres < pe_edges[0]) | (fine_centres > pe_edges[-1])] = -1
    if not acceptance[bin_of >= 0].any():
        bins = f"{choices.first_bin} to {choices.last_bin} ({pe_edges[0]:g} to {pe_edges[-1]:g} PE)"
        raise ValueError(f"the bins must hold events that the detector accepts, got bins {bins}")
    accepted_neutrons = figures["exposure"] * neutrons["per_GWh"] * acceptance
    n_bins = len(pe_edges) - 1

    atoms = [nuclide(symbol) for symbol in ("Cs133", "I127")]
    molecules = choices.detector_mass_kg * units.kg / sum(atom.atomic_mass for atom in atoms)
    arrival = read_table(tables, "arrival_times.csv")
    window = arrival["us_hi"] <= figures["time_window"]
    return Dataset(
        name="CsI 2017",
        doi="10.5281/zenodo.1228631",
        settings=choices,
        targets=tuple(Target(atom, molecules) for atom in atoms),
        fluence=figures["neutrinos_per_proton"] * figures["protons_on_target"] / (4 * np.pi * figures["distance"] ** 2),
        arrival={
            name: float(arrival[name][window].sum()) if choices.time_fraction else 1.0 for name in ("prompt", "delayed")
        },
        response=Response(
            pe_per_MeV=figures["pe_per_recoil"],
            fine_edges=np.append(neutrons["pe_lo"], neutrons["pe_hi"][-1]),
            acceptance=acceptance,
            assignment=bin_of,
            n_bins=n_bins,
            smearing=choices.smearing,
            counts=neutrons["pe_hi" if choices.pe_label == "upper" else "pe_lo"],
        ),
        pe_edges=pe_edges,
        n_on=counts["coincidence"][used],
        b_ss=counts["anticoincidence"][used],
        b_on=np.array([accepted_neutrons[bin_of == i].sum() for i in range(n_bins)]),
        sigma_alpha=figures["sigma_alpha"],
        sigma_beta=figures["sigma_beta"],
    )
