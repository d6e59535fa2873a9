"""From the nucleon to the nucleus: what Eqs. 11-13 become for nucleons in a nucleus, and the momentum sum rule.

States are normalised covariantly, <p'|p> = 2 E (2 pi)^3 delta^3(p' - p), so that a state in a box of volume V
has the norm 2 E V and a one-body operator is the sum over its nucleons of what each adds to the box,

    <A|O|A> / (2 E_A V) = sum over N of  <N|O|N> / (2 E_N V) .                                       (*)

V cancels. Nothing else is assumed: no interaction currents, every nucleon N with its own momentum. Nbar N is
2 m_N forward, and the effective current of the nucleus in Eqs. 16-31, called Nbar N there too, is 2 M.

    at_rest(...)   nucleons that share the velocity of the nucleus, p_N = m_N k/M: the momenta of Eq. 13 are the
                   nucleons', and with k the momentum of the nucleus
                   <A|O_mu_nu|A> = (k_mu k_nu - M^2 g_mu_nu/4) (1/M^2) sum m_N q2_N * 2M
    printed(...)   Eqs. 16-18 and 26-31: p_N = k in Eq. 13 with the nucleon's mass,
                   <A|O_mu_nu|A> = (k_mu k_nu - M^2 g_mu_nu/4) sum (1/m_N) q2_N * 2M

The sums run over Z protons and N neutrons. Energies in MeV; numbers or sympy symbols; tensors have lower indices.
"""

from dataclasses import dataclass

import numpy as np
import sympy as sp

from .. import inputs
from .dirac import METRIC, dot, lower


@dataclass(frozen=True)
class Nucleon:
    """How many there are, their mass, and their moment q2 of Eq. 13 (or the f of Eqs. 11, 12); numbers or symbols."""

    count: object
    mass: object
    moment: object


def nucleons(nucleus, moment_p, moment_n):
    """The protons and neutrons of a `nucleus` of nucleus.py, with a moment for each kind; masses of the inputs."""
    m = inputs.values("masses")
    return [Nucleon(nucleus.Z, m["m_p"], moment_p), Nucleon(nucleus.N, m["m_n"], moment_n)]


def quarter(p):
    """p_mu p_nu - p^2 g_mu_nu/4, the traceless tensor of Eq. 13; p with upper components."""
    p_lower = lower(p)
    return np.multiply.outer(p_lower, p_lower) - dot(p, p) * METRIC * sp.Rational(1, 4)


def nucleon_twist2(p, nucleon):
    """<N|O_mu_nu|N> of Eq. 13 for a nucleon of momentum p, with Nbar N = 2 m_N: 2 (p p - p^2 g/4) q2, MeV^2."""
    return quarter(p) / nucleon.mass * nucleon.moment * (2 * nucleon.mass)


def nucleon_scalar(nucleon):
    """<N|m_q qbar q|N> of Eq. 11, or the gluon operator of Eq. 12, with Nbar N = 2 m_N, MeV^2."""
    return nucleon.mass * nucleon.moment * (2 * nucleon.mass)


def one_body(elements, energies, counts, energy):
    """<A|O|A> by (*) from the <N|O|N>, the energies of the nucleons, how many there are, and the energy of A."""
    return energy * sum(n * x / e for x, e, n in zip(elements, energies, counts, strict=True))


def at_rest(k, M, parts):
    """<A|O_mu_nu|A> for nucleons with the velocity of the nucleus of momentum k and mass M, MeV^2."""
    momenta = [np.array([component * n.mass / M for component in k]) for n in parts]
    elements = [nucleon_twist2(p, n) for p, n in zip(momenta, parts, strict=True)]
    return one_body(elements, [p[0] for p in momenta], [n.count for n in parts], k[0])


def printed(k, M, parts):
    """<A|O_mu_nu|A> of Eqs. 16-18, 26-31: Eq. 13 with the momentum of the nucleus and the nucleon's mass, MeV^2."""
    return quarter(k) * sum(n.count * n.moment / n.mass for n in parts) * (2 * M)


def scalar_at_rest(M, parts):
    """<A|m_q qbar q|A> (or the gluon operator) for nucleons at rest: 2 M sum m_N f, as Eqs. 26 and 29 have it."""
    masses, counts = [n.mass for n in parts], [n.count for n in parts]
    return one_body([nucleon_scalar(n) for n in parts], masses, counts, M)


def vector_at_rest(M, parts):
    """<A|qbar gamma_0 q|A> for nucleons at rest, <N|qbar gamma_0 q|N> = 2 m_N c_q: 2 M sum c_q, Eqs. 14 and 23."""
    masses, counts = [n.mass for n in parts], [n.count for n in parts]
    return one_body([2 * n.mass * n.moment for n in parts], masses, counts, M)


def twist2_weight(parts, M=None):
    """What stands for [Z/m_p q2^p + N/m_n q2^n] in Eqs. 27, 28, 30, 31, in 1/MeV.

    M = None: as printed. M the mass of the nucleus: sum of m_N q2_N over M^2, from `at_rest`.
    """
    if M is None:
        return sum(n.count * n.moment / n.mass for n in parts)
    return sum(n.count * n.moment * n.mass for n in parts) / M**2


def weight_of(element, k, M):
    """The weight w in <A|O_mu_nu|A> = (k_mu k_nu - M^2 g_mu_nu/4) w * 2M, from the 00 component."""
    return sp.simplify(element[0, 0] / (quarter(k)[0, 0] * 2 * M))


def contraction(k, p1, weight):
    """(scalar, vector): p1^mu p1^nu and p1^mu gamma^nu with (k_mu k_nu - k^2 g/4) * weight, for p1slash nu = 0.

    scalar = (k.p1)^2 weight multiplies nubar P_L nu (c3), `vector` = (k.p1) weight multiplies nubar kslash P_L nu
    (c2): the trace part meets p1^2 = 0 or p1slash nu = 0. ValueError for p1^2 != 0.
    """
    if sp.simplify(dot(p1, p1)) != 0:
        raise ValueError("p1 must be light-like")
    return dot(k, p1) ** 2 * weight, dot(k, p1) * weight


def energy(M, parts, tensor=at_rest):
    """<A|T_00|A>/(2M) in MeV, T_mu_nu the energy-momentum tensor of all quarks and gluons; nucleus at rest.

    T_mu_nu = sum over partons of O_mu_nu + g_mu_nu/4 * (trace). The moments of all partons add to 1 in each
    nucleon, and so do the f of Eqs. 11 and 12, since the trace is sum m_q qbar q plus the anomaly: with every
    `moment` 1 the two parts are 3/4 and 1/4 of the energy. `tensor` is `at_rest` or `printed`.
    """
    k = np.array([M, 0, 0, 0])
    trace = scalar_at_rest(M, parts)
    return (tensor(k, M, parts)[0, 0] + trace * sp.Rational(1, 4)) / (2 * M)


def momentum_fraction(M, parts, tensor=at_rest):
    """Share of the momentum of the nucleus that the partons carry, from <A|O_++|A> = 2 k_+ k_+ * share.

    k_+ = n.k with n light-like, so that the frame does not matter and the trace is not seen. With the moments of all
    partons the share must be 1, up to the binding energy.
    """
    k, n = np.array([M, 0, 0, 0]), np.array([1, 0, 0, -1])
    return sp.simplify(n @ tensor(k, M, parts) @ n / (2 * dot(n, k) ** 2))


def fermi_motion(mass, k2):
    """Relative change of a nucleon's O_00 share by isotropic motion with <p^2> = k2 (MeV^2), first order.

    <N|O_00|N>/(2 E) = (E^2 - m^2/4) q2/E, E = sqrt(m^2 + p^2), against its value 3 m q2/4 at p = 0.
    """
    p2 = sp.Symbol("p2", positive=True)
    E = sp.sqrt(mass**2 + p2)
    share = (E**2 - mass**2 * sp.Rational(1, 4)) / E
    return sp.simplify(sp.diff(share, p2).subs(p2, 0) / share.subs(p2, 0)) * k2
