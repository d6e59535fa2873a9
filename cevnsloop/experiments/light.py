"""Light about its mean, and an efficiency at what is reconstructed: the responses of the later COHERENT data.

Both know the light of a recoil as a polynomial, spread it, keep a part of it in fine bins, and put these into bins.
"""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.polynomial import polyval
from scipy.special import erf, gammainc

from ..checks import Record, finite, increasing, non_negative, number, positive, real, shaped

PIECES = 48  # of the recoils, equal in sqrt(T): the light is about as wide as one of them


@dataclass(frozen=True, eq=False)
class SmearedLight(Record):
    """What GammaLight and GaussianLight share.

    quenching   coefficients q_1, q_2, ... of the mean light sum_k q_k T^k in MeV of an electron, T in MeV
    fine_edges  edges of fine bins of reconstructed light, shape (K+1,), increasing
    kept        fraction that is accepted and counted in each of R bins, shape (K, R)

    Raises ValueError for other shapes, edges that do not increase, or fractions outside 0 to 1.
    """

    quenching: tuple[float, ...]
    fine_edges: np.ndarray
    kept: np.ndarray

    nodes = 8

    def __post_init__(self):
        fine_edges = increasing("fine_edges", non_negative("fine_edges", self.fine_edges, ""))
        kept = non_negative("kept", self.kept, "")
        if (kept.sum(-1) > 1 + 1e-9).any():
            raise ValueError(f"kept must be fractions whose sum is at most 1, got {kept.sum(-1).max():.4g}")
        self._keep(
            quenching=tuple(finite("quenching", self.quenching, "").tolist()),
            fine_edges=fine_edges,
            kept=shaped("kept", kept, (len(fine_edges) - 1, *kept.shape[1:])),
        )

    @property
    def n_bins(self):
        """The number of bins."""
        return self.kept.shape[1]

    def breaks(self, T_max):
        """Recoils in MeV, equally spaced in sqrt(T)."""
        return T_max * np.linspace(0, 1, self.pieces(T_max) + 1) ** 2

    def pieces(self, T_max):
        """How many pieces resolve the width of the light."""
        return PIECES

    def light(self, T):
        """Mean light in MeV of an electron for a recoil T in MeV; no less than 0."""
        return np.maximum(polyval(real("T", T, "MeV"), (0.0, *self.quenching)), 0.0)

    def probability(self, T):
        """Probability that a recoil T (MeV) is accepted and counted in each bin; shape (*T.shape, R)."""
        return np.diff(self.below(self.light(T)[..., None], self.fine_edges), axis=-1) @ self.kept


@dataclass(frozen=True, eq=False)
class GammaLight(SmearedLight):
    """Photoelectrons with a Gamma distribution of mean pe_per_MeV E and shape 1 + slope E; fine_edges in PE.

    pe_per_MeV   of an electron
    slope        of the shape, per MeV of an electron
    """

    pe_per_MeV: float
    slope: float

    def __post_init__(self):
        super().__post_init__()
        for name in ("pe_per_MeV", "slope"):
            self._keep(**{name: number(name, getattr(self, name), "", positive)})

    def below(self, light, pe):
        """Probability of fewer photoelectrons than `pe` for a mean `light`."""
        shape = 1 + self.slope * light
        return gammainc(shape, shape * pe / np.maximum(self.pe_per_MeV * light, 1e-12))


@dataclass(frozen=True, eq=False)
class GaussianLight(SmearedLight):
    """Reconstructed light that is Gaussian with sigma = resolution sqrt(light); fine_edges in MeV of an electron.

    resolution   in sqrt(MeV)
    """

    resolution: float

    def __post_init__(self):
        super().__post_init__()
        self._keep(resolution=number("resolution", self.resolution, "MeV^(1/2)", positive))

    def pieces(self, T_max):
        """PIECES, and so many that the light does not grow by more than two of its widths in one."""
        widths = 2 * np.sqrt(self.light(T_max * np.linspace(0, 1, 2 * PIECES + 1) ** 2)) / self.resolution
        return max(PIECES, int(np.ceil(np.diff(widths).max() * PIECES)))

    def below(self, light, energy):
        """Probability to reconstruct less than `energy`; what falls below 0 is lost."""
        width = self.resolution * np.sqrt(2 * np.maximum(light, 1e-15))
        return erf((energy - light) / width) / 2


@dataclass(frozen=True, eq=False)
class TabulatedLight(GaussianLight):
    """GaussianLight whose mean is interpolated linearly between rows of a table, and in proportion to T beyond them.

    recoils, mean   in MeV, shape (n,), increasing
    """

    recoils: np.ndarray
    mean: np.ndarray

    def __post_init__(self):
        super().__post_init__()
        recoils = increasing("recoils", non_negative("recoils", self.recoils, "MeV"))
        self._keep(recoils=recoils, mean=shaped("mean", non_negative("mean", self.mean, "MeV"), recoils.shape))

    def breaks(self, T_max):
        """Those of all SmearedLight, and the rows: there the light bends."""
        inside = self.recoils[(self.recoils > 0) & (self.recoils < T_max)]
        return np.union1d(super().breaks(T_max), inside)

    def light(self, T):
        """Mean light in MeV of an electron for a recoil T in MeV."""
        T = real("T", T, "MeV")
        held = np.clip(T, self.recoils[0], self.recoils[-1])
        return np.interp(held, self.recoils, self.mean) * T / np.maximum(held, 1e-300)
