"""All that a result depends on in one record: what the front door takes by keyword and the command line as options."""

import difflib
import functools
import hashlib
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from typing import Any

from .amplitudes.quarks import SWITCHES
from .amplitudes.theory import AMPLITUDES, SCALARS, Theory, with_scalars
from .checks import FrozenDict, Record, choice, option, shown
from .experiments import csi2017 as csi
from .experiments import csi2021, detector, lar2020
from .experiments.combined import Combined
from .experiments.dataset import Counts, Dataset
from .fit.gaussian import gaussian
from .fit.limits import DELTA_CHI2, rise
from .fit.poisson import poisson
from .fit.templates import templates
from .inputs import STANDARD, Table, names
from .model import CASES, DOWN_TYPE, FLAVOURS, NEUTRINOS, Model
from .rates.events import sm_events

PATTERNS = FrozenDict(
    {"down": DOWN_TYPE, "up": FrozenDict({"u": 1.0, "c": 1.0}), "universal": FrozenDict(dict.fromkeys(FLAVOURS, 1.0))}
)
DATA = FrozenDict({"csi2017": csi.dataset, "csi2021": csi2021.dataset, "lar2020": lar2020.dataset})
TOGETHER = "csi2021+lar2020"
SETTINGS = FrozenDict({csi.Settings: csi.dataset, csi2021.Settings: csi2021.dataset, lar2020.Settings: lar2020.dataset})
STATISTICS = FrozenDict({"gaussian": gaussian, "poisson": poisson})

# The paper's own analysis whatever the defaults are, as keywords
PAPER = FrozenDict(amplitude="published", data="csi2017", delta_chi2=DELTA_CHI2["two parameters"], g_q="down")


@dataclass(frozen=True)
class Choices(Record):
    """All that a result depends on, but for masses and couplings: what every call of the front door takes by keyword.

    case         "A": vector, "B": axial-vector current of the quarks
    g_q          pattern of the quark couplings: "down", "up", "universal", or a mapping such as {"d": 1, "s": -1}; only
                 ratios and signs matter, as limits are on G = g_chi g_q, the largest g_chi times the largest |g_q|
    g_chi_L, g_chi_R   pattern of the couplings to the neutrino; g_chi_R = 0 without a light right-handed neutrino
    neutrinos    flavours that couple: "all", each to a chi of its own, "e" or "mu"
    amplitude    of the loops, a name in AMPLITUDES, or a theory.Amplitude of your own
    flip         switches of the amplitude that are put into their other position
    moments, weak_angle   names of the second moments and of sin^2 theta_W in the inputs
    f_q          set of scalar form factors of the nucleons, a name in theory.SCALARS
    inputs       numbers for this run only, `{"quark_masses.b": 4.7}`, in the units of inputs.toml
    data         a name in DATA, several joined by "+", a detector of your own ("my.toml"), settings as of
                 csi2017.Settings, or a dataset.Dataset
    delta_chi2   rise of the statistic that excludes: 4.61 or 2.71 are 90% for two parameters or one
    statistic    "gaussian" is Eq. (34), "poisson" the likelihood of the counts; None is Eq. (34) for CsI 2017 and the
                 likelihood for later data, which have no other

    Raises ValueError for an unknown name and for what does not fit together.
    """

    case: str = option("model", "quark current that Z' couples to: A vector, B axial-vector", "A", choices=CASES)
    g_q: Any = option(
        "model", "pattern of quark couplings, of which only ratios and signs count", "down", metavar="PATTERN"
    )
    g_chi_L: float = option("model", "coupling of chi to the left-handed neutrino, in proportion", 1.0, metavar="G")
    g_chi_R: float = option(
        "model", "to the right-handed one, in proportion; 0 if there is none that is light", 1.0, metavar="G"
    )
    neutrinos: str = option("model", "flavours that couple", Model.neutrinos, choices=NEUTRINOS)
    amplitude: Any = option(
        "theory",
        "loops as printed, rederived, with all terms of quarks, off the nucleus as a whole, or all of it together",
        "complete",
        choices=tuple(AMPLITUDES),
    )
    flip: tuple = option("theory", "put one switch of the amplitude into its other position", (), choices=SWITCHES)
    moments: str = option("theory", "momentum fractions of the quarks", Theory.moments, choices=names("second_moments"))
    f_q: str = option("theory", "scalar form factors of the nucleons", SCALARS[0], choices=SCALARS)
    weak_angle: str = option("theory", "value of sin^2 theta_W", Theory.weak_angle, choices=names("weak_angle"))
    inputs: Any = option(
        "theory", "another number for one input, in the unit it has in inputs.toml", STANDARD, flag="set"
    )
    data: Any = option("data", "which data, or a file such as my.toml", TOGETHER, choices=(*DATA, TOGETHER))
    delta_chi2: float = option(
        "statistics",
        "rise of chi^2 that excludes, 4.61 or 2.71 for 90% in two or one parameters",
        DELTA_CHI2["one parameter"],
        metavar="X",
    )
    statistic: str | None = option(
        "statistics",
        "chi^2 of Eq. (34), the default for csi2017, or Poisson likelihood, that of later data",
        None,
        choices=tuple(STATISTICS),
    )

    def __post_init__(self):
        pattern = PATTERNS.get(self.g_q, self.g_q) if isinstance(self.g_q, str) else self.g_q
        if not isinstance(pattern, Mapping):
            raise ValueError(f"g_q must be {', '.join(PATTERNS)} or a mapping of flavours, got {self.g_q!r}")
        self._keep(
            g_q=FrozenDict(pattern),
            flip=tuple(self.flip),
            inputs=self._table(),
            delta_chi2=rise(self.delta_chi2),
        )
        model = self.model(1.0, 1.0).pattern()
        self._keep(g_q=model.g_q, g_chi_L=model.g_chi_L, g_chi_R=model.g_chi_R)
        if not isinstance(self.data, (Dataset, Combined, *SETTINGS)):
            names = str(self.data).split("+")
            for name in names:
                if not name.endswith(".toml"):
                    choice("data", name, DATA)
        elif isinstance(self.data, Dataset) and any(name.startswith("csi2017.") for name, _ in self.inputs.changes):
            raise ValueError("inputs of the data belong to the data: csi2017(inputs=...)")
        self.theory  # noqa: B018, raises for names that do not exist
        if self.statistic is None:
            self._keep(statistic="poisson" if self.later else "gaussian")
        choice("statistic", self.statistic, STATISTICS)
        if self.later and self.statistic != "poisson":
            raise ValueError(f"{self.dataset.name} needs the statistic poisson, got {self.statistic}")

    def _table(self):
        if isinstance(self.inputs, Table):
            return self.inputs
        short = {"weak_angle": f"weak_angle.{self.weak_angle}"}
        return STANDARD.changed({short.get(name, name): value for name, value in dict(self.inputs).items()})

    def model(self, m_chi, m_zp):
        """The model.Model with this pattern of couplings, for masses in MeV."""
        return Model(self.case, m_chi, m_zp, self.g_chi_L, self.g_chi_R, self.g_q, self.neutrinos)

    @property
    def theory(self):
        """The theory.Theory."""
        amplitude = self.amplitude
        if isinstance(amplitude, str):
            amplitude = AMPLITUDES[choice("amplitude", amplitude, AMPLITUDES)]
        if self.flip and not hasattr(amplitude, "flipped"):
            raise ValueError(f"amplitude {amplitude} has no switches to flip, got {', '.join(self.flip)}")
        if self.flip:
            amplitude = amplitude.flipped(*self.flip)
        return Theory(amplitude, self.moments, self.weak_angle, with_scalars(self.inputs, self.f_q))

    @property
    def dataset(self):
        """The dataset.Dataset."""
        return self.data if isinstance(self.data, (Dataset, Combined)) else made(self.data, self.inputs)

    @property
    def later(self):
        """Whether the steady state of the data is a template, as in the releases after that of 2017."""
        return self.dataset.templates

    def only_2017(self, what):
        """Raise ValueError if the data are later ones: `what` is not made for them."""
        if self.later:
            raise ValueError(f"{what} must be of csi2017, got {self.dataset.name}")

    @property
    def fit(self):
        """What makes the statistic.Statistic of the data."""
        return templates if self.later else STATISTICS[self.statistic]

    def lines(self):
        """What was chosen, in words: for the head of a table."""
        couplings = ", ".join(f"g_{flavour} = {shown(g)}" for flavour, g in self.g_q.items())
        pattern = f"{couplings}, g_chi_L = {shown(self.g_chi_L)}, g_chi_R = {shown(self.g_chi_R)}"
        model = f"case {self.case}, couplings in proportion to {pattern}, neutrinos {self.neutrinos}"
        data = f"{self.dataset.name}, doi {self.dataset.doi}; {self.dataset.settings}"
        return model, str(self.theory), data, f"statistic {self.statistic}, delta_chi2 {shown(self.delta_chi2)}"

    def described(self):
        """What was chosen, as what JSON can hold."""
        data, amplitude = self.dataset, self.theory.amplitude
        return {
            **{one.name: getattr(self, one.name) for one in fields(self) if one.name != "flip"},
            "amplitude": str(amplitude),
            "switches": asdict(amplitude) if is_dataclass(amplitude) else repr(amplitude),
            "inputs": dict(self.inputs.changes),
            "data": {"name": data.name, "doi": data.doi, **_own(self.data)},
            "settings": asdict(data.settings),
        }


def _own(data):
    """A digest of data that somebody made: their name and settings do not say what they are."""
    return {"sha256": hashlib.sha256(pickle.dumps(data)).hexdigest()} if isinstance(data, (Dataset, Combined)) else {}


def made(data, table):
    """Data by name, file or settings, the same object for the same: its kernels are kept."""
    return _asimov(detector.read(data, table)) if str(data).endswith(".toml") else _made(data, table)


@functools.lru_cache(maxsize=8)
def _made(data, table):
    if not isinstance(data, str):
        return SETTINGS[type(data)](data, table)
    parts = tuple(made(name, table) for name in data.split("+")) if "+" in data else ()
    return Combined(parts) if parts else DATA[data](table=table)


@functools.lru_cache(maxsize=8)
def _asimov(dataset):
    """A detector with counts; one that has none expects the Standard Model and its background, and counts just that."""
    if dataset.counts.n_on.any():
        return dataset
    expected = sm_events(dataset.experiment, Theory(inputs=dataset.experiment.inputs)) + dataset.b_on
    return replace(dataset, counts=Counts(expected, dataset.b_ss))


def chosen(choices):
    """The Choices with these keywords; ValueError for a name that none has, with the nearest."""
    known = [one.name for one in fields(Choices)]
    for name in choices:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise ValueError(
                f"no choice is called {name!r}: " + (f"did you mean {near[0]}?" if near else ", ".join(known))
            )
    return Choices(**choices)
