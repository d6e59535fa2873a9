"""One-loop box functions at zero external momentum, Eqs. A1-A6, accurate for every mass ratio.

With x = m_chi^2, z = m_zp^2 and s the Euclidean loop momentum squared every function is one integral:

    D0b      =        int ds   / ((s + x) (s + z)^2)      (A1)   MeV^-4
    D00_ab   = -z/4   int ds   / ((s + x) (s + z)^2)      (A2)   MeV^-2
    D11_ab   =  z/3   int s ds / ((s + x)^3 (s + z)^2)    (A3)   MeV^-4
    D001_ab  =  z/12  int s ds / ((s + x)^2 (s + z)^2)    (A4)   MeV^-2
    D1b      = -1/2   int s ds / ((s + x)^2 (s + z)^2)    (A5)   MeV^-4
    D00b     = -1/4   int s ds / ((s + x) (s + z)^2)      (A6)   MeV^-2

"_ab" is the difference a - b of the boxes with masses (0, m_chi, 0, m_zp) and (0, m_chi, m_zp, m_zp).

Cancellation avoided.  The printed closed forms (PRINTED, at the end) subtract numbers that become equal as
m_zp -> m_chi; with eps = 2^-52 their relative error grows like eps/|m_zp/m_chi - 1|^n, n = 2 (A1, A2, A6),
3 (A4, A5), 4 (A3).  In lam = ln(m_zp/m_chi) the same functions are ratios of the modified spherical Bessel
functions i_0 = sinh(lam)/lam, i_1, i_2 of lam, which are entire with positive Taylor coefficients:

    D0b    =  (i_0 + i_1) / (2 m_chi m_zp^3 i_0^2)        D1b = -(i_1/lam) / (4 m_chi^2 m_zp^2 i_0^3)
    D00b   = -(i_0 - i_1) / (8 m_chi m_zp i_0^2)
    D11_ab =  [2 i_0 (i_1/lam) + lam (i_0 i_2/lam^2 - 3 (i_1/lam)^2)] / (24 m_chi^4 i_0^4)

Equal masses are the ordinary point lam = 0.  Switches: these forms are used for -2.4 < lam < 1.8, that is
0.091 < m_zp/m_chi < 6.05; outside, the printed forms with powers of z taken out, where no term is more
than 2.2 times the result.

Measured against mpmath at 10^6 mass pairs with ratios from 1e-6 to 1e6 (benchmarks/precision.py): largest
relative error 4.4 eps (D0b, D00_ab), 3.2 (D00b), 5.9 (D1b, D001_ab), 6.2 (D11_ab), rms about 1 eps; 10^6 more
pairs, crowded at the switches, reached 6.5 eps (D11_ab) and 4.0 eps (twist2_box).
No over- or underflow for masses from 1e-6 to 1e9 MeV.  Every function takes m_chi, m_zp > 0 in MeV (scalars
or arrays, broadcast together), raises ValueError for a mass that is not positive and finite, and passes nan
through.
"""

from typing import NamedTuple

import numpy as np

from ..checks import positive

NEAR = -2.4, 1.8  # range of ln(m_zp/m_chi) where the Bessel forms are used, the printed forms elsewhere


def _bessel_coefficients(n, terms=13):
    """c_k of i_n(lam) = lam^n sum_k c_k lam^(2k), highest k first: c_k = 1/(2^k k! (2n + 2k + 1)!!)."""
    coefficients = [1.0 / np.prod(np.arange(1.0, 2 * n + 2, 2))]
    for k in range(1, terms):
        coefficients.append(coefficients[-1] / (2 * k * (2 * n + 2 * k + 1)))
    return coefficients[::-1]


_I0, _I1, _I2 = (_bessel_coefficients(n) for n in range(3))


def _horner(coefficients, w):
    total = np.full_like(w, coefficients[0])
    for c in coefficients[1:]:
        total = total * w + c
    return total


class _Point:
    """What the functions share at given masses: lam, i0 = i_0, i1 = i_1/lam; r = x/z, d = 1 - r outside."""

    def __init__(self, m_chi, m_zp):
        m_chi, m_zp = np.broadcast_arrays(
            positive("m_chi", m_chi, "MeV", allow_nan=True), positive("m_zp", m_zp, "MeV", allow_nan=True)
        )
        self.m_chi, self.m_zp = m_chi, m_zp
        # The rounding of the ratio leaves an absolute error of half an eps in lam.  That is harmless at equality
        # too: every function is smooth in lam and none vanishes there.
        ratio = m_chi / m_zp
        self.lam = -np.log(ratio)
        self.near = (NEAR[0] < self.lam) & (self.lam < NEAR[1])
        self.w = self.lam * self.lam
        self.i0 = _horner(_I0, self.w)
        self.i1 = _horner(_I1, self.w)
        # The printed forms are 0/0 at equality: they get a harmless ratio where they are not used.
        ratio = np.where(self.near, 0.5, ratio)
        self.r = ratio * ratio
        self.d = (1 - ratio) * (1 + ratio)
        self.L = 2 * self.lam  # ln(z/x)

    def choose(self, near, far):
        return np.where(self.near, near, far)[()]

    def D0b(self):
        z = self.m_zp * self.m_zp
        near = (self.i0 + self.lam * self.i1) / (2 * (self.m_chi * self.m_zp) * z * (self.i0 * self.i0))
        far = (self.L - 1 + self.r) / np.square(z * self.d)
        return self.choose(near, far)

    def D1b(self):
        z = self.m_zp * self.m_zp
        near = -self.i1 / (4 * np.square(self.m_chi * self.m_zp) * (self.i0 * self.i0 * self.i0))
        far = (2 * self.d - (1 + self.r) * self.L) / (2 * z * z * (self.d * self.d * self.d))
        return self.choose(near, far)

    def D00b(self):
        near = -(self.i0 - self.lam * self.i1) / (8 * (self.m_chi * self.m_zp) * (self.i0 * self.i0))
        far = (self.r * self.L - self.d) / (4 * (self.m_zp * self.m_zp) * (self.d * self.d))
        return self.choose(near, far)

    def D11_ab(self):
        r, d, i0, i1, i2 = self.r, self.d, self.i0, self.i1, _horner(_I2, self.w)  # i2 = i_2/lam^2
        x = self.m_chi * self.m_chi
        near = (2 * i0 * i1 + self.lam * (i0 * i2 - 3 * i1 * i1)) / (24 * np.square(x * i0 * i0))
        far = (d * (1 + 5 * r) - 2 * r * (2 + r) * self.L) / (6 * x * (self.m_zp * self.m_zp) * np.square(d * d))
        return self.choose(near, far)


class Boxes(NamedTuple):
    """The functions at the same masses, in the units and with the signs of those below that are called so."""

    D0b: np.ndarray
    D1b: np.ndarray
    D00b: np.ndarray
    D00_ab: np.ndarray
    D001_ab: np.ndarray
    D11_ab: np.ndarray

    @property
    def twist2(self):
        """`twist2_box`."""
        return 4 * self.D0b - 8 / 3 * self.D1b


def boxes(m_chi, m_zp):
    """All six functions at once, as Boxes: the logarithm and the Bessel functions that they share are computed once."""
    p = _Point(m_chi, m_zp)
    D0b, D1b = p.D0b(), p.D1b()
    return Boxes(D0b, D1b, p.D00b(), _D00_ab(p.m_zp, D0b), _D001_ab(p.m_zp, D1b), p.D11_ab())


def D0b(m_chi, m_zp):
    """D_0 of box b, Eq. A1, in MeV^-4: positive, 1/(2 m^4) at equal masses."""
    return _Point(m_chi, m_zp).D0b()


def D1b(m_chi, m_zp):
    """D_1 of box b, Eq. A5, in MeV^-4: negative, symmetric in the masses, -1/(12 m^4) at equal masses."""
    return _Point(m_chi, m_zp).D1b()


def D00b(m_chi, m_zp):
    """D_00 as printed in Eq. A6, in MeV^-2: negative, -1/(8 m^2) at equal masses.

    The closed form belongs to the masses (0, m_chi, m_zp, m_zp); our copy of A6 lists (0, m_zp, m_zp, m_zp).
    """
    return _Point(m_chi, m_zp).D00b()


def D11_ab(m_chi, m_zp):
    """D_11^a - D_11^b, Eq. A3, in MeV^-4: positive, 1/(36 m^4) at equal masses."""
    return _Point(m_chi, m_zp).D11_ab()


def D00_ab(m_chi, m_zp):
    """D_00^a - D_00^b = -(z/4) D_0^b, Eq. A2, in MeV^-2: negative, -1/(8 m^2) at equal masses."""
    return _D00_ab(m_zp, D0b(m_chi, m_zp))


def D001_ab(m_chi, m_zp):
    """D_001^a - D_001^b = -(z/6) D_1^b, Eq. A4, in MeV^-2: positive, 1/(72 m^2) at equal masses."""
    return _D001_ab(m_zp, D1b(m_chi, m_zp))


def _D00_ab(m_zp, D0b):
    return -0.25 * np.square(m_zp, dtype=np.float64) * D0b


def _D001_ab(m_zp, D1b):
    return -np.square(m_zp, dtype=np.float64) * D1b / 6


def scalar_box(m_chi, m_zp, kappa):
    """The bracket of the scalar operator in Eq. 5, kappa D_0^b + (8/z)(D_00^a - D_00^b), in MeV^-4.

    By A1 and A2 it is (kappa - 2) D_0^b: nothing is left to cancel.  kappa = -4 (case A) or 12 (case B).
    """
    return (kappa - 2) * D0b(m_chi, m_zp)


def twist2_box(m_chi, m_zp):
    """The bracket of the twist-2 operator in Eq. 16, in MeV^-4, as a sum of positive terms.

    (16/z)[4 (D_001^a - D_001^b) + D_00^a - D_00^b] + 8 (D_1^b + D_0^b) = 4 D_0^b - (8/3) D_1^b by A1-A5.
    """
    return boxes(m_chi, m_zp).twist2


# The closed forms exactly as printed, for the book, the tests and the benchmarks only: they lose every digit
# near m_zp = m_chi (0/0 at equality) and validate nothing.


def _squares(m_chi, m_zp):
    return np.square(m_chi, dtype=np.float64), np.square(m_zp, dtype=np.float64)


def printed_D0b(m_chi, m_zp):
    """Eq. A1 as printed."""
    x, z = _squares(m_chi, m_zp)
    return (-z + x + z * np.log(z / x)) / (z * (z - x) ** 2)


def printed_D00_ab(m_chi, m_zp):
    """Eq. A2 as printed."""
    x, z = _squares(m_chi, m_zp)
    return (z - x - z * np.log(z / x)) / (4 * (z - x) ** 2)


def printed_D11_ab(m_chi, m_zp):
    """Eq. A3 as printed."""
    x, z = _squares(m_chi, m_zp)
    numerator = (z - x) * (z + 5 * x) - 2 * x * (2 * z + x) * np.log(z / x)
    return z * numerator / (6 * x * (z - x) ** 4)


def printed_D001_ab(m_chi, m_zp):
    """Eq. A4 as printed."""
    x, z = _squares(m_chi, m_zp)
    return z * (-2 * z + 2 * x + (z + x) * np.log(z / x)) / (12 * (z - x) ** 3)


def printed_D1b(m_chi, m_zp):
    """Eq. A5 as printed."""
    x, z = _squares(m_chi, m_zp)
    return (2 * (z - x) - (z + x) * np.log(z / x)) / (2 * (z - x) ** 3)


def printed_D00b(m_chi, m_zp):
    """Eq. A6 as printed."""
    x, z = _squares(m_chi, m_zp)
    return (-z + x + x * np.log(z / x)) / (4 * (z - x) ** 2)


PRINTED = {
    "D0b": printed_D0b,
    "D00_ab": printed_D00_ab,
    "D11_ab": printed_D11_ab,
    "D001_ab": printed_D001_ab,
    "D1b": printed_D1b,
    "D00b": printed_D00b,
}
