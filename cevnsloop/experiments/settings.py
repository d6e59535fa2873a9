"""The choices the paper leaves open, as one frozen record."""

from dataclasses import dataclass

from .. import inputs
from ..checks import Record, choice, number, positive, whole

SMEARINGS = ("none", "poisson")
PE_LABELS = ("upper", "lower")


@dataclass(frozen=True)
class Settings(Record):
    """Choices of an analysis of COHERENT data that the paper does not state.

    detector_mass_kg   active mass of the detector
    time_fraction      count only neutrinos that arrive inside the time window of the data
    smearing           "none": the signal is its mean, 1.17 PE per keV; "poisson": Poisson about that mean
    pe_label           only for "poisson": a count of n PE lies in the 1-PE bin (n-1, n) ("upper", as in the
                       release's "0.5 for the 1-PE bin") or (n, n+1) ("lower")
    first_bin, last_bin   bins of the fit, counted from 1 as in Eq. (34), both included
    weak_angle         name of the value of sin^2 theta_W in the inputs
    moments            name of the set of second moments in the inputs

    Raises ValueError for a mass that is no number > 0, an unknown name, or bins that are not whole numbers with
    1 <= first <= last.
    """

    detector_mass_kg: float
    time_fraction: bool = True
    smearing: str = "none"
    pe_label: str = "upper"
    first_bin: int = 4
    last_bin: int = 15
    weak_angle: str = "msbar_mz"
    moments: str = "mz_rounded"

    def __post_init__(self):
        self._keep(
            detector_mass_kg=number("detector_mass_kg", self.detector_mass_kg, "kg", positive),
            time_fraction=bool(choice("time_fraction", self.time_fraction, (True, False))),
            first_bin=whole("first_bin", self.first_bin, 1),
            last_bin=whole("last_bin", self.last_bin, 1),
        )
        choice("smearing", self.smearing, SMEARINGS)
        choice("pe_label", self.pe_label, PE_LABELS)
        choice("weak_angle", self.weak_angle, inputs.names("weak_angle"))
        choice("moments", self.moments, inputs.names("second_moments"))
        if self.first_bin > self.last_bin:
            raise ValueError(f"bins must satisfy 1 <= first_bin <= last_bin, got {self.first_bin}, {self.last_bin}")


def csi2017(**changes):
    """The default settings of the CsI 2017 analysis; keyword arguments replace single fields."""
    return Settings(**{"detector_mass_kg": inputs.entry("csi2017.detector_mass").number, **changes})
