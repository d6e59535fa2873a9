"""What is computed, apart from the couplings and the data: which amplitude, and the choices it needs, in one record.

A loop ends in the other chirality or keeps it. With the form factor inside both amplitudes,

    dsigma/dT = M^3 (2M + T) / (8 pi) { T |flip|^2 + |keep|^2 [2 M E (E - T) - M^2 T] },

and only `keep` meets Z exchange (xsec.interference_powers). Eq. (25) is the case in which E and T separate:
then flip = F (c1 / (M E) + c3 M E) and keep = F c2.
"""

from dataclasses import dataclass
from typing import Protocol

from ..checks import Record, choice, instance
from ..inputs import STANDARD, Table, names
from .complete import COMPLETE
from .exchange import COHERENT
from .partonic import PARTONIC
from .quarks import LIGHT, PUBLISHED, REDERIVED

OF_QUARKS = {"published": PUBLISHED, "rederived": REDERIVED}  # those of the paper, in both cases
SCALARS = ("micromegas", *names("scalar_sets"))  # f_q: those of the paper, and others
AMPLITUDES = OF_QUARKS | {"partonic": PARTONIC, "coherent": COHERENT, "complete": COMPLETE}


class Amplitude(Protocol):
    """What a loop amplitude must offer; a frozen record, so that it can be a key.

    separable   True if flip = F (c1 / (M E) + c3 M E) and keep = F c2, F being the form factor of the nucleus:
                `coefficients` then says all, and the integrals over the flux are done once for all models
    meets_z     whether the interference of `keep` with Z exchange counts
    separable_cases    may be left out: cases in which one that is not `separable` is
    everywhere  may be left out, False: whether it has the leading physics at every mass
    has_tree    may be left out, True: whether the tree counts
    axial_tree  may be left out, False: whether case B has the tree off the spin of the nucleus
    cases_with_loops   may be left out, all cases
    shortcut(m_chi)    may be left out: where m_chi of case A is such that a cheaper amplitude has the same events, a
                       mask, and that amplitude
    runs_moments       may be left out, False: whether second moments run to m_zp, so that `moments` is not used
    """

    separable: bool
    meets_z: bool

    def coefficients(self, nuclei, model, theory):
        """The quarks.LoopCoefficients of each nucleus, a list."""

    def flip_and_keep(self, E, T, model, nucleus, theory):
        """flip in MeV^-4 and keep in MeV^-5, real or complex, for E and T in MeV that broadcast with the model's
        masses.
        """


@dataclass(frozen=True)
class Theory(Record):
    """All that a prediction depends on besides the model and the experiment.

    amplitude    an Amplitude, one of AMPLITUDES or another
    moments      name of the set of second moments in the inputs
    weak_angle   name of the value of sin^2 theta_W in the inputs
    inputs       the inputs.Table with the numbers

    Raises ValueError for an unknown name or another type.
    """

    amplitude: Amplitude = PUBLISHED
    moments: str = "mz_rounded"
    weak_angle: str = "msbar_mz"
    inputs: Table = STANDARD

    def __post_init__(self):
        if not all(hasattr(self.amplitude, name) for name in ("separable", "meets_z", "flip_and_keep")):
            raise ValueError(f"amplitude must be such as quarks.PUBLISHED, got {self.amplitude!r}")
        choice("moments", self.moments, names("second_moments"))
        choice("weak_angle", self.weak_angle, names("weak_angle"))
        instance("inputs", self.inputs, Table, "inputs.STANDARD")

    def __str__(self):
        """For the head of a table: what was chosen, and which inputs were changed."""
        moments = "run to m_zp" if getattr(self.amplitude, "runs_moments", False) else self.moments
        choices = f"amplitude {self.amplitude}, moments {moments}, weak_angle {self.weak_angle}"
        return choices + "".join(f", {name} = {number:g}" for name, number in self.inputs.changes)

    @property
    def sin2_theta_w(self):
        """sin^2 theta_W."""
        return self.inputs.value(f"weak_angle.{self.weak_angle}")

    @property
    def G_F(self):
        """The Fermi constant in MeV^-2."""
        return self.inputs.value("constants.G_F")


def separates(amplitude, case):
    """Whether the loops of an Amplitude have c1, c2, c3 in a case."""
    return amplitude.separable or case in getattr(amplitude, "separable_cases", ())


def with_scalars(table, name):
    """The inputs.Table with f_q of another set, a name in SCALARS; those that were changed in `table` stay.

    Raises ValueError for an unknown set.
    """
    if choice("f_q", name, SCALARS) == SCALARS[0]:
        return table
    f_q = {f"{n}.{q}": table.entry(f"scalar_sets.{name}.{n}.{q}").number for n in "pn" for q in LIGHT}
    return STANDARD.changed({f"scalar_form_factors.{key}": f for key, f in f_q.items()}).changed(dict(table.changes))
