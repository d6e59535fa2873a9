"""Nuclei: masses, and the Helm form factor."""

from dataclasses import dataclass

import numpy as np
from scipy.special import spherical_jn

from . import inputs
from .checks import Record, choice, number, positive, real, whole


@dataclass(frozen=True)
class Nuclide(Record):
    """A nuclide: symbol, Z, N (neutrons), nuclear mass M and the mass of the neutral atom, both in MeV.

    lengths   (c, a, s) of the Helm form factor in MeV^-1; by default those of `helm_lengths`
    size      multiplies each of them

    Raises ValueError for numbers that are not whole or negative, and for a mass, length, size or radius that is not
    finite and > 0.
    """

    symbol: str
    Z: int
    N: int
    M: float
    atomic_mass: float
    size: float = 1.0
    lengths: tuple[float, float, float] | None = None

    def __post_init__(self):
        self._keep(
            Z=whole("Z", self.Z, 0),
            N=whole("N", self.N, 0),
            M=number("M", self.M, "MeV", positive),
            atomic_mass=number("atomic_mass", self.atomic_mass, "MeV", positive),
            size=number("size", self.size, "", positive),
        )
        lengths = helm_lengths(self.A) if self.lengths is None else self.lengths
        self._keep(lengths=tuple(number("lengths", one, "MeV^-1", positive) for one in lengths))
        positive("R^2 of the Helm form factor", squared_radius(*self.lengths), "MeV^-2")

    @property
    def A(self):
        """Number of nucleons."""
        return self.Z + self.N


def helm_lengths(A, table=inputs.STANDARD):
    """c = c_1 A^(1/3) - c_0, a and s in MeV^-1 for A nucleons (Lewin and Smith 1996, Eq. 4.11)."""
    p = table.values("helm")
    lengths = float(p["c_slope"] * np.cbrt(A) - p["c_offset"]), p["a"], p["s"]
    return tuple(p["size"] * length for length in lengths)


def squared_radius(c, a, s):
    """R^2 = c^2 + (7/3) pi^2 a^2 - 5 s^2 of the ball that is smeared by s, in MeV^-2."""
    return c**2 + (7 / 3) * np.pi**2 * a**2 - 5 * s**2


def nuclide(symbol, table=inputs.STANDARD):
    """The nuclide called `symbol` ("Cs133", "I127"); ValueError listing the known ones otherwise.

    M is the atomic mass less Z electron masses; the electrons' binding (2e-6 of M) is neglected.
    """
    choice("nuclide", symbol, inputs.names("atomic_masses"))
    atom = table.entry(f"atomic_masses.{symbol}")
    M = atom.value - atom.Z * table.value("masses.m_e")
    return Nuclide(symbol, atom.Z, atom.A - atom.Z, M, atom.value, lengths=helm_lengths(atom.A, table))


def helm(Q2, nucleus):
    """Helm form factor F(Q^2), F(0) = 1.

    F = 3 j_1(q R)/(q R) exp(-(q s)^2/2), q = sqrt(Q2), R^2 = c^2 + (7/3) pi^2 a^2 - 5 s^2 with the `lengths` c, a, s of
    the nucleus (Lewin and Smith 1996, Eqs. 4.7 and 4.10). All lengths are multiplied by the `size` of the nucleus,
    which is the same as q times it.

    Q2 in MeV^2, any shape; the result has its shape.
    """
    R, s = np.sqrt(squared_radius(*nucleus.lengths)), nucleus.lengths[-1]
    q = np.sqrt(real("Q2", Q2, "MeV^2")) * nucleus.size
    x = q * R
    safe = np.where(x == 0, 1.0, x)
    # j_1(x) = x/3 + ...: the quotient is 1 at q = 0
    return np.where(x == 0, 1.0, 3 * spherical_jn(1, safe) / safe) * np.exp(-((q * s) ** 2) / 2)
