"""One-loop box functions at zero external momentum, Eqs. A1-A6, to the last digit.

With x = m_chi^2, z = m_zp^2 and s the Euclidean loop momentum squared every function is one integral:

    D0b      =        int ds   / ((s + x) (s + z)^2)      (A1)   MeV^-4
    D00_ab   = -z/4   int ds   / ((s + x) (s + z)^2)      (A2)   MeV^-2
    D11_ab   =  z/3   int s ds / ((s + x)^3 (s + z)^2)    (A3)   MeV^-4
    D001_ab  =  z/12  int s ds / ((s + x)^2 (s + z)^2)    (A4)   MeV^-2
    D1b      = -1/2   int s ds / ((s + x)^2 (s + z)^2)    (A5)   MeV^-4
    D00b     = -1/4   int s ds / ((s + x) (s + z)^2)      (A6)   MeV^-2

"_ab" is the difference a - b of the box with masses (0, m_chi, 0, m_zp) and (0, m_chi, m_zp, m_zp).

The printed closed forms subtract numbers that become equal as m_zp -> m_chi: their relative error grows like
eps / |m_zp/m_chi - 1|^2 (A1, A2, A6), ^3 (A4, A5) and ^4 (A3).  In the variable lam = ln(m_zp/m_chi) the same
functions are ratios of the modified spherical Bessel functions i0, i1, i2 of lam, which are entire, have
positive Taylor coefficients and do not vanish:

    D0b    =  (i0 + i1) / (2 m_chi m_zp^3 i0^2)           D1b = -(i1/lam) / (4 m_chi^2 m_zp^2 i0^3)
    D00b   = -(i0 - i1) / (8 m_chi m_zp i0^2)
    D11_ab =  [2 i0 i1/lam + lam (i0 i2/lam^2 - 3 (i1/lam)^2)] / (24 m_chi^4 i0^4)

They are used for |lam| < 2 (mass ratio between 0.135 and 7.39, equality is an ordinary point); outside, the
printed forms divided by powers of z lose at most a factor of five.
"""

import numpy as np

from cevnsloop.checks import positive

SWITCH = 2.0  # |ln(m_zp/m_chi)| where the Bessel form hands over to the printed form


def _bessel_coefficients(n, terms=13):
    """Coefficients c_k of i_n(lam) = lam^n sum_k c_k lam^(2k), highest first: c_k = 1/(2^k k! (2n+2k+1)!!)."""
    c = 1.0 / np.prod(np.arange(1.0, 2 * n + 2, 2))
    coefficients = [c]
    for k in range(1, terms):
        c /= 2 * k * (2 * n + 2 * k + 1)
        coefficients.append(c)
    return np.array(coefficients[::-1])


_I1 = _bessel_coefficients(1)
_I2 = _bessel_coefficients(2)


def _horner(coefficients, w):
    total = np.full_like(w, coefficients[0])
    for c in coefficients[1:]:
        total = total * w + c
    return total


class _Point:
    """What the six functions share at given masses: lam, the Bessel ratios, and r = x/z for the far forms."""

    def __init__(self, m_chi, m_zp):
        m_chi, m_zp = np.broadcast_arrays(
            positive("m_chi", m_chi, "MeV", allow_nan=True), positive("m_zp", m_zp, "MeV", allow_nan=True)
        )
        self.m_chi, self.m_zp = m_chi, m_zp
        # The difference of nearby floats is exact and log1p of a positive number is well conditioned:
        # lam keeps full relative precision down to its last bit, log(m_zp/m_chi) would not.
        gap = m_zp - m_chi
        self.lam = np.copysign(np.log1p(np.abs(gap) / np.minimum(m_chi, m_zp)), gap)
        self.near = np.abs(self.lam) < SWITCH
        w = self.lam * self.lam
        self.a1 = _horner(_I1, w)  # i1/lam, 1/3 at equality
        self.a2 = _horner(_I2, w)  # i2/lam^2, 1/15 at equality
        self.i0 = 3 * self.a1 + w * self.a2  # downward recurrence, a sum of positive terms
        # The far forms are 0/0 at equality: give them a harmless r where they are not used.
        ratio = np.where(self.near, 0.5, m_chi / m_zp)
        self.r = ratio * ratio
        self.L = 2 * self.lam
        self.d = (1 - ratio) * (1 + ratio)  # (z - x)/z

    def choose(self, near, far):
        return np.where(self.near, near, far)[()]


def D0b(m_chi, m_zp):
    p = _Point(m_chi, m_zp)
    near = (p.i0 + p.lam * p.a1) / (2 * (p.m_chi * p.m_zp) * (p.m_zp * p.m_zp) * (p.i0 * p.i0))
    far = (p.L - 1 + p.r) / np.square(p.m_zp * p.m_zp * p.d)
    return p.choose(near, far)


def D1b(m_chi, m_zp):
    p = _Point(m_chi, m_zp)
    mm = p.m_chi * p.m_zp
    near = -p.a1 / (4 * mm * mm * (p.i0 * p.i0 * p.i0))
    far = (2 * p.d - (1 + p.r) * p.L) / (2 * np.square(p.m_zp * p.m_zp) * (p.d * p.d * p.d))
    return p.choose(near, far)


def D00b(m_chi, m_zp):
    p = _Point(m_chi, m_zp)
    near = -(p.i0 - p.lam * p.a1) / (8 * (p.m_chi * p.m_zp) * (p.i0 * p.i0))
    far = (p.r * p.L - p.d) / (4 * (p.m_zp * p.m_zp) * (p.d * p.d))
    return p.choose(near, far)


def D11_ab(m_chi, m_zp):
    p = _Point(m_chi, m_zp)
    x, dd = p.m_chi * p.m_chi, p.d * p.d
    near = (2 * p.i0 * p.a1 + p.lam * (p.i0 * p.a2 - 3 * p.a1 * p.a1)) / (24 * np.square(x * p.i0 * p.i0))
    far = (p.d * (1 + 5 * p.r) - 2 * p.r * (2 + p.r) * p.L) / (6 * x * (p.m_zp * p.m_zp) * (dd * dd))
    return p.choose(near, far)


def D00_ab(m_chi, m_zp):
    return -0.25 * np.square(m_zp) * D0b(m_chi, m_zp)


def D001_ab(m_chi, m_zp):
    return -np.square(m_zp) * D1b(m_chi, m_zp) / 6


def scalar_box(m_chi, m_zp, kappa):
    return (kappa - 2) * D0b(m_chi, m_zp)


def twist2_box(m_chi, m_zp):
    return 4 * D0b(m_chi, m_zp) - 8 / 3 * D1b(m_chi, m_zp)
