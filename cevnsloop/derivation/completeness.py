"""Sizes of what Eqs. 5-20 leave out, one function for each effect, derived here or from the other derivations.

Except for sections 5-8 a result is what adds to c1 of one nucleon for each (4 pi)^-2 g_L g_R g_q^2 times

    m_N f_q             for an effect on the operator m_q qbar q of a light quark (Eq. 11)
    (2/27) m_N f_G      for one on -(alpha_s/12 pi) GG (Eq. 12)

in MeV^-3; for a nucleus the factors are summed over its nucleons. Masses in MeV, arrays unless scalars are asked for.
"""

import math
from functools import cache

import numpy as np
import sympy as sp

from ..amplitudes import loops
from ..nucleus import helm
from . import gluon_background, goldstone
from .boxes import box, coefficient
from .contact import DIAGRAMS, contact
from .dirac import ONE, trace

STEP = 0.01  # of trapezoid sums in logarithms; 0.2 in gluon_background, whose integrands are smoother


# 1. and 2. Gluons by two Z'


def scalar_quark(case, m_chi, m_zp):
    """m_q qbar q of a light quark by two Z', the yardstick: C m_chi D0b, C = 6 (A), -10 (B), minus kappa - 2."""
    C = float(gluon_background.quark_coefficient(gluon_background.CASES[case]))
    return C * m_chi * loops.D0b(m_chi, m_zp)


def light_gluon(case, m_chi, m_zp):
    """(alpha_s/pi) GG of a light quark by two Z', -3 m_chi D0b in both cases; multiplies (2/27) m_N f_G.

    The current correlator at large s is [C m qbar q + C_G (alpha_s/pi) GG]/s. The paper has C for u, d, s and
    C - 12 C_G for c, b, m qbar q being -(alpha_s/12pi) GG there. C_G is of momenta near m_zp and does not know
    which quark is light: u, d, s have it beside their m qbar q. With -12 (alpha_s/12pi) = -alpha_s/pi, c1 += -12 C_G.
    """
    C_G = float(gluon_background.massless_gluon_coefficient(gluon_background.CASES[case]))
    return -12 * C_G * m_chi * loops.D0b(m_chi, m_zp)


def heavy_gluon(case, m_chi, m_zp, m_q):
    """GG of a quark of any mass by two Z', -<kappa'> m_chi D0b; multiplies (2/27) m_N f_G. Scalar masses."""
    average = gluon_background.loop_average(gluon_background.CASES[case], m_chi, m_zp, m_q)
    return -average * m_chi * loops.D0b(m_chi, m_zp)


# 3. and 4. Gluons and quarks by Z' phi and phi phi, case B


def mixed_gluon(m_chi, m_zp, m_q):
    """GG of a heavy quark by Z' and phi, (32 m_chi/z) <f> D00b; multiplies (2/27) m_N f_G. Scalar masses.

    The chi line picks l_mu from the correlator of the axial and the pseudoscalar current. For a light quark that is
    Eq. 8 with m qbar q; for a heavy one m qbar q becomes -f(s) (alpha_s/12pi) GG, and the Ward identity
    l_mu Pi^mu = 2 m Pi_5 + 2 <qbar q> gives f = (2 - 3 J_2 + J_3)/2: 1 for s >> m_q^2, 0 for s << m_q^2.
    """
    return 32 * m_chi / m_zp**2 * gluon_background.loop_average("mixed", m_chi, m_zp, m_q) * loops.D00b(m_chi, m_zp)


@cache
def _two_goldstones():
    """{diagram: (integral, its factor as a function of m_chi, m_q, z)} for m_q qbar q."""
    found = {"box": coefficient(box("phiphi", "B", "scalar"))} | {name: contact(name, "B") for name in DIAGRAMS}
    symbols = goldstone.m_chi, goldstone.m_q, goldstone.z
    functions = {}
    for name, terms in found.items():
        ((abc, factor),) = terms.items()
        functions[name] = abc, sp.lambdify(symbols, factor / goldstone.m_q)
    return functions


def goldstone_light(m_chi, m_zp, m_q):
    """What two phi do to m_q qbar q of a light quark: {"box", "triangle_quark", "triangle_neutrino", "bubble"}.

    The box is that of Eq. 7, derived; the other three have the two-phi vertices of goldstone.py. The bubble is the
    factor of ln Lambda^2: its integral, int s ds/(s + z)^2 up to Lambda^2, is ln(Lambda^2/z) - 1.
    """
    z = np.square(m_zp, dtype=float)
    integrals = {
        (0, 1, 2): loops.D0b(m_chi, m_zp),
        (1, 1, 2): -4 * loops.D00b(m_chi, m_zp),
        (0, 0, 2): 1 / z,
        (1, 0, 2): 1.0,
    }
    return {name: factor(m_chi, m_q, z) * integrals[abc] for name, (abc, factor) in _two_goldstones().items()}


def goldstone_gluon(m_chi, m_zp, m_q):
    """GG of a heavy quark by two phi with the two-phi vertex of the quark, -16 m_chi^3/z^2 <f> D00b. Scalar masses.

    Eq. 10 alone is 2 m_chi^3 m_q^2/z^2 F_G = -(4 m_chi^3/z^2) int s ds 12 m_q^2 Pi_5/[(s + m_chi^2)(s + z)^2], which
    tends to +16 m_chi^3/z^2 D00b for m_q -> infinity: no decoupling. The triangle of the two-phi vertex is that of
    `goldstone_light` with m qbar q -> -(alpha_s/12pi) GG: -16 m_chi^3/z^2 D00b, the same integral with 1 in place of
    -12 m_q^2 Pi_5. The sum has 1 - 12 m_q^2 Pi_5 = f, that of `mixed_gluon`.
    """
    average = gluon_background.loop_average("mixed", m_chi, m_zp, m_q)
    return -16 * m_chi**3 / m_zp**4 * average * loops.D00b(m_chi, m_zp)


# 5. Momentum transfer

LEGS = ("on shell", "one", "shared")


def box_at_transfer(Q2, m_chi, m_zp, legs):
    """The scalar box at momentum transfer q^2 = -Q2 < 0 (MeV^2), in MeV^-4; D0b at Q2 = 0.

    The external momenta must be something if q is not zero, and how they are chosen matters:

    "on shell"  all four legs massless, (p + k)^2 = 0. With Feynman parameters y v, y (1 - v) for the bosons and
                (1 - y) w for chi,
                int dy dv dw y (1 - y) / [(1 - y) w m_chi^2 + y m_zp^2 + y^2 v (1 - v) Q2]^2,   w done by hand
    "one"       neutrino and quark come in with zero momentum, one boson takes q: l, l, l, l + q for quark, chi and
                the bosons; the legs that go out have q^2
    "shared"    bosons l + q/2, l - q/2; all legs have q^2/4

    The last two by angular average in four Euclidean dimensions and a trapezoid sum in ln s; exponentially accurate,
    below 1e-9 for m_zp > sqrt(Q2)/50. Broadcasts. Raises ValueError for unknown legs.
    """
    if legs not in LEGS:
        raise ValueError(f"legs must be one of {', '.join(LEGS)}, got {legs!r}")
    Q2, x, z = np.broadcast_arrays(Q2, np.square(m_chi, dtype=float), np.square(m_zp, dtype=float))
    Q2, x, z = (a.astype(float)[..., None] for a in (Q2, x, z))
    if legs == "on shell":
        (y, w_y), (v, w_v) = _unit_interval(-1), _unit_interval(-2)
        Q2, x, z = Q2[..., None], x[..., None], z[..., None]
        u = v[..., 0] * v[..., 1]
        inner = w_v / ((z + Q2 * y[..., 0] * u) * (y[..., 1] * x + y[..., 0] * z + Q2 * y[..., 0] ** 2 * u))
        return (inner * w_y * y[..., 1]).sum((-1, -2))[()]
    low, high = 1e-12 * min(x.min(), z.min()), 1e14 * max(x.max(), z.max(), Q2.max())
    s = np.exp(np.arange(math.log(low), math.log(high), STEP))
    if legs == "one":  # < 1/[(l + q)^2 + z] >, the root without its cancellation
        average = 2 / (s + z) / (s + Q2 + z + np.sqrt((s - Q2 + z) ** 2 + 4 * z * Q2))
    else:
        A = s + Q2 / 4 + z
        average = 2 / (A * (A + np.sqrt((s - Q2 / 4 + z) ** 2 + z * Q2)))
    return (STEP * s / (s + x) * average).sum(-1)[()]


def _unit_interval(axis, step=0.07, end=4.2):
    """Tanh-sinh nodes of (0, 1) as pairs (y, 1 - y), and weights, the nodes along `axis` -1 or -2."""
    t = np.arange(-end, end + step / 2, step)
    a = math.pi * np.sinh(t)
    y, one_minus_y = 1 / (1 + np.exp(-a)), 1 / (1 + np.exp(a))
    nodes, weights = np.stack([y, one_minus_y], -1), step * math.pi * np.cosh(t) * y * one_minus_y
    return (nodes, weights) if axis == -1 else (nodes[:, None, :], weights[:, None])


# 6. Expansion in the momentum of the quark


def forward_series(n, m_chi, m_zp):
    """a_n of the forward scalar box, D0(w) = sum a_n w^n with w = 2 k.p, in MeV^-(4 + 2n); a_0 = D0b. Broadcasts.

    Chi gives (-2 p.l)^n/(l^2 - m_chi^2)^(n+1), the quark (2 k.l)^n/l^(2n+2). With p^2 = k^2 = 0 only the n! pairings
    of p with k are left of the average, over 2^n (n + 1)!: < (2p.l 2k.l)^n > = w^n (l^2)^n/(n + 1), hence
    a_n = int ds (s + m_chi^2)^-(n+1) (s + m_zp^2)^-2 / (n + 1). For w > m_chi^2 the series diverges: chi and the quark
    come on shell. The crossed box has (-w)^n: an operator takes every second term.
    """
    n, x, z = (np.asarray(a, dtype=float)[..., None] for a in (n, np.square(m_chi), np.square(m_zp)))
    low, high = 1e-16 * min(x.min(), z.min()), 1e12 * max(x.max(), z.max())
    s = np.exp(np.arange(math.log(low), math.log(high), 0.1))
    total = (0.1 * s * np.exp(-(n + 1) * np.log1p(s / x)) / (s + z) ** 2).sum(-1)
    return (total * x[..., 0] ** -(n[..., 0] + 1) / (n[..., 0] + 1))[()]


# 7. Two Z' off the whole nucleus


def static_exchange(m_chi, m_zp, nucleus=None):
    """c1 by two Z' off a nucleus that stays in its ground state and at rest, in MeV^-2 for each g_L g_R (charge)^2.

    An estimate. A source of charge Q at rest has the field Z'_0 = -Q F(l^2)/(l^2 + z). To second order, neutrino
    energy and momentum neglected beside the masses, i M = i m_chi g_L g_R int d^3l/(2pi)^3 Z'_0^2/(l^2 + m_chi^2), so

        c1 = g_L g_R Q^2 (m_chi/2 pi^2) int l^2 dl F^2(l^2)/[(l^2 + m_chi^2)(l^2 + m_zp^2)^2] ,

    positive as that of case A. nucleus=None is a point, F = 1: m_chi/[8 pi m_zp (m_chi + m_zp)^2]; otherwise Helm's F.
    """
    if nucleus is None:
        return m_chi / (8 * math.pi * m_zp * (m_chi + m_zp) ** 2)
    m_chi, m_zp = (np.asarray(m, dtype=float)[..., None] for m in (m_chi, m_zp))
    l2 = np.exp(2 * np.arange(math.log(1e-6 * min(m_chi.min(), m_zp.min())), math.log(3e3), STEP / 2))  # F(3 GeV) = 0
    total = (l2**1.5 * helm(l2, nucleus) ** 2 / ((l2 + m_chi**2) * (l2 + m_zp**2) ** 2)).sum(-1) * STEP / 2
    return m_chi[..., 0] / (2 * math.pi**2) * total


def point_target(M, m_chi, m_zp):
    """int of direct plus crossed box for a point target of mass M at rest, in MeV^-4: 2 D0b at M = 0. Scalar masses.

    1/(l^2 - 2M l_0) + 1/(l^2 + 2M l_0) turns into -2/(s + 4 M^2 cos^2), s = -l^2; with b = 4 M^2/s its average over
    directions is -(4/(b s)) (sqrt(1 + b) - 1), which tends to -2/s (massless quark) and -2/(M sqrt(s)) (static).
    """
    x, z = float(m_chi) ** 2, float(m_zp) ** 2
    s = np.exp(np.arange(math.log(1e-20 * min(x, z)), math.log(1e14 * max(x, z)), STEP))
    b = 4 * float(M) ** 2 / s
    average = 4 / (1 + np.sqrt(1 + b))  # (4/b)(sqrt(1 + b) - 1)
    return float((STEP * s * average / ((s + x) * (s + z) ** 2)).sum())


# 8. A neutrino mass


def neutrino_mass_log(gauge, contact_vertex=True):
    """Coefficient of g_L g_R m_chi ln Lambda^2/(4 pi)^2 in the Dirac mass that Z' and chi give the neutrino, exact.

    nu -> chi Z' -> nu at zero momentum: i m_chi/(l^2 - x) between two vertices, in Feynman-'t Hooft gauge ("feynman")
    with Z', phi and, unless contact_vertex is False, the loop of phi at the two-phi vertex; in unitary gauge
    ("unitary") with Z' alone. i M = -i delta m. Factors of ln Lambda^2 in integrals over s ds up to Lambda^2: 1 for
    1/[(s + x)(s + z)], -(x + z) for s/[(s + x)(s + z)], -z for 1/(s + z); powers of Lambda are dropped.
    Returns an expression in m_chi and z. Without contact_vertex the result depends on the gauge.
    """
    m_chi, z, g_L, g_R = goldstone.m_chi, goldstone.z, goldstone.g_L, goldstone.g_R
    line, l = goldstone.neutrino_line(), sp.Symbol("l")
    weights = goldstone.numerator(gauge, [l, 0, 0, 0], sp.sqrt(z))
    total = 0
    for A in range(5):
        for B in range(5):
            if weights[A, B] != 0:
                total += weights[A, B] * trace(line.second[A], sp.I * m_chi * ONE, line.first[B]) / 4
    poly = sp.Poly(sp.expand(total), l)
    logs = {0: 1, 2: m_chi**2 + z}  # l^2 -> -s
    mass = sum(-c * logs[power] for (power,), c in poly.terms())
    if gauge == "feynman" and contact_vertex:  # i/(l^2 - z) -> -i/(s + z), one half for identical phi
        mass += -goldstone.neutrino_contact() * (-sp.I) * (-z) / 2
    return sp.expand(mass / (g_L * g_R * m_chi))
