"""Your own detector in a beam of pions that decay at rest, from a TOML file; book/detector.ipynb explains it.

Its keys, energies in keV and those of an electron but for recoils T:

    name                     a text
    distance                 from the source, in m
    protons                  on target, with neutrinos_per_proton of each flavour; or neutrinos of each flavour
    signal_uncertainty       relative
    quenching                light over T, or coefficients [q1, q2, ...] of sum_k q_k T^k, or rows [T, E]
    resolution               sigma = resolution sqrt(E); none is as good as SHARPEST
    threshold                of the light; or efficiency, rows [E, fraction]
    bins                     their edges
    background               events in each bin, with background_uncertainty, relative and common to all
    counts                   events in each bin; without them the data are what is expected
    [nuclides]               a table of kg by nuclide, such as I127: 8.47
"""

import functools
import hashlib
import itertools
import re
import tomllib
from dataclasses import dataclass

import numpy as np

from .. import inputs, units
from ..checks import Record
from ..nucleus import nuclide
from .dataset import Axis, Background, Counts, Dataset, Experiment, Target
from .light import GaussianLight, TabulatedLight

_NUMBERS = {  # key: (least, most, whether it may be missing)
    "distance": (0.1, 1e4, False),
    "protons": (1.0, 1e30, True),
    "neutrinos": (1.0, 1e30, True),
    "neutrinos_per_proton": (1e-6, 10.0, True),
    "signal_uncertainty": (0.0, 10.0, False),
    "threshold": (0.0, 1e3, True),
    "resolution": (1e-3, 100.0, True),
    "background_uncertainty": (0.0, 10.0, False),
}
_OTHERS = ("name", "quenching", "efficiency", "bins", "background", "counts", "nuclides")
SHARPEST = 1e-2  # keV^(1/2), the resolution if none is given
STEPS = 16  # fine bins in each bin


@dataclass(frozen=True)
class Settings(Record):
    """The file that a detector is from, and the digest of what it says."""

    file: str
    sha256: str


def read(path, table=inputs.STANDARD):
    """The Dataset of the file at `path`, without counts (all -1) if it has none.

    Raises ValueError with the line for what is missing, unknown or out of range.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise ValueError(f"cannot read the detector {path}: {error.strerror}") from None
    return of_text(text, str(path), table)


@functools.lru_cache(maxsize=8)
def of_text(text, path, table=inputs.STANDARD):
    """The same from what the file says; equal text gives the same object."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is no TOML: {error}") from None
    return _Reader(text, path, said).dataset(table)


class _Reader:
    """Takes values out of a file, each checked, and knows the line that each stands in."""

    def __init__(self, text, path, said):
        self.text, self.path, self.said = text, path, said
        for key in said:
            if key not in _NUMBERS and key not in _OTHERS:
                self.refuse(key, f"no key of a detector: there are {', '.join((*_NUMBERS, *_OTHERS))}")

    def refuse(self, key, reason):
        """Raise ValueError that names the file, the line of `key` and the reason."""
        pattern = re.compile(rf"\s*\[?{re.escape(key)}\b")
        lines = [n for n, line in enumerate(self.text.splitlines(), 1) if pattern.match(line)]
        where = f"{self.path}, line {lines[0]}" if lines else self.path
        raise ValueError(
            f"{where}: {key} must be {reason}" if "no key" not in reason else f"{where}: {key} is {reason}"
        )

    def number(self, key):
        """A number of _NUMBERS, None if it may be missing and is."""
        least, most, optional = _NUMBERS[key]
        value = self.said.get(key)
        if value is None and optional:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
            self.refuse(key, f"a number from {least:g} to {most:g}, got {value!r}")
        return float(value)

    def array(self, key, size=None, columns=False):
        """An array of numbers >= 0: of `size` numbers, or of rows of two."""
        value = self.said.get(key)
        try:
            found = np.array(value, dtype=float)
        except (TypeError, ValueError):
            found = np.array(np.nan)
        good = found.ndim == 1 + columns and (size is None or len(found) == size) and len(found) > 0
        if not good or (columns and found.shape[1] != 2) or not (np.isfinite(found) & (found >= 0)).all():
            what = "rows of two numbers >= 0" if columns else f"{size or 'some'} numbers >= 0"
            self.refuse(key, f"{what}, got {value!r}")
        return found

    def neutrinos(self):
        """Neutrinos per flavour that the beam made."""
        made, protons, each = (self.number(key) for key in ("neutrinos", "protons", "neutrinos_per_proton"))
        if (made is None) == (protons is None):
            self.refuse("protons", "given, or else neutrinos, and not both")
        if protons is not None and each is None:
            self.refuse("neutrinos_per_proton", "given beside protons")
        return made if protons is None else protons * each

    def targets(self, table):
        """The nuclei of the table [nuclides]."""
        said, known = self.said.get("nuclides"), inputs.names("atomic_masses")
        if not isinstance(said, dict) or not said:
            self.refuse("nuclides", "a table of kg by nuclide, such as I127 = 8.47")
        for name, kg in said.items():
            if name not in known:
                self.refuse(name, f"one of {', '.join(known)}")
            if isinstance(kg, bool) or not isinstance(kg, (int, float)) or not 0 < kg <= 1e9:
                self.refuse(name, f"a mass above 0 and up to 1e9 kg, got {kg!r}")
        atoms = {name: nuclide(name, table) for name in said}
        return tuple(Target(atom, said[name] * units.kg / atom.atomic_mass) for name, atom in atoms.items())

    def response(self, edges):
        """Light and efficiency in the bins with these edges in keV."""
        fine = np.unique(np.concatenate([np.linspace(*pair, STEPS + 1) for pair in itertools.pairwise(edges)]))
        threshold = self.number("threshold")
        if (threshold is None) == ("efficiency" not in self.said):
            self.refuse("threshold", "given, or else efficiency, and not both")
        if threshold is None:
            at, fraction = self.array("efficiency", columns=True).T
            if (np.diff(at) <= 0).any() or (fraction > 1).any():
                self.refuse("efficiency", "rows of increasing energies and fractions from 0 to 1")
            kept = np.interp((fine[1:] + fine[:-1]) / 2, at, fraction)
        else:
            fine = np.union1d(fine, threshold) if edges[0] < threshold < edges[-1] else fine
            kept = ((fine[1:] + fine[:-1]) / 2 >= threshold).astype(float)
        if not kept.any():
            self.refuse("bins", "energies at which something is detected")
        inside = np.digitize((fine[1:] + fine[:-1]) / 2, edges)[:, None] == np.arange(1, len(edges))
        spread = (self.number("resolution") or SHARPEST) * np.sqrt(units.keV)
        return self.light(fine * units.keV, kept[:, None] * inside, spread)

    def light(self, edges, kept, spread):
        """GaussianLight with a polynomial, or TabulatedLight with rows, of the quenching."""
        value = self.said.get("quenching")
        if isinstance(value, list) and value and isinstance(value[0], list):
            T, E = self.array("quenching", columns=True).T
            if len(T) < 2 or (np.diff(T) <= 0).any() or (np.diff(E) <= 0).any():
                self.refuse("quenching", "rows [T, E] that increase, two at least")
            return TabulatedLight((), edges, kept, spread, T * units.keV, E * units.keV)
        if isinstance(value, bool) or not isinstance(value, (int, float, list)):
            self.refuse("quenching", "a number, coefficients or rows [T, E]")
        factors = np.atleast_1d(np.array(value, dtype=float))
        if not np.isfinite(factors).all() or not 0 < factors[0] <= 1:
            self.refuse("quenching", f"coefficients whose first is above 0 and at most 1, got {value!r}")
        return GaussianLight(tuple(q * units.keV ** (-k) for k, q in enumerate(factors)), edges, kept, spread)

    def dataset(self, table):
        """The Dataset."""
        name = self.said.get("name")
        if not isinstance(name, str) or not name:
            self.refuse("name", "a text")
        edges = self.array("bins")
        if len(edges) < 2 or (np.diff(edges) <= 0).any():
            self.refuse("bins", "increasing energies in keV, two at least")
        bins = len(edges) - 1
        counts = self.array("counts", bins) if "counts" in self.said else np.zeros(bins)
        experiment = Experiment(
            name=name,
            doi=self.path,
            settings=Settings(self.path, hashlib.sha256(self.text.encode()).hexdigest()),
            targets=self.targets(table),
            fluence=self.neutrinos() / (4 * np.pi * (self.number("distance") * units.m) ** 2),
            response=self.response(edges),
            arrival={"prompt": 1.0, "delayed": 1.0},
            axes=(Axis("energy", "keV", edges),),
            inputs=table,
        )
        return Dataset(
            experiment,
            Counts(counts, np.zeros(bins)),
            self.number("signal_uncertainty"),
            {"background": Background(self.array("background", bins), self.number("background_uncertainty"))},
            templates=True,
        )
