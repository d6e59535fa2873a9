"""Vertices of Z' and of its would-be Goldstone boson phi, derived from gauge independence: Eqs. 2-4.

A vertex is i times the coefficient of its fields in the Lagrangian; its boson enters with momentum q. In
Feynman-'t Hooft gauge Z' propagates with -i g_mu_nu/(q^2 - z) and phi with i/(q^2 - z), z = m_zp^2; in
unitary gauge there is Z' alone, with -i (g_mu_nu - q_mu q_nu/z)/(q^2 - z). An array of vertices has five
components: Z'^0 ... Z'^3, phi.

1. One exchange (vertices, tree_exchange). The gauges agree if V_phi W_phi = (q.V)(q.W)/z. Between on-shell
   spinors q.V = i (m_out Gamma - m_in Gamma~) with Gamma = g_L P_L + g_R P_R, Gamma~ = g_R P_L + g_L P_R. What
   enters one line leaves the other, so V_phi = -i (q.V)/m_zp on every line: the sign common to all vertices
   is that of the field phi, the sign between nu -> chi and chi -> nu is not free.
2. Two exchanges (compton, ward). The gauges agree if l_mu T^mu_B = i m_zp T^phi_B for every line that absorbs
   A and emits B, in both orders. That takes vertices of two phi on a line (two_goldstones): Eq. 3 is the
   first order of a gauge-invariant mass term, the contact vertices are its second order.
"""

from dataclasses import dataclass

import numpy as np
import sympy as sp

from .dirac import GAMMA, METRIC, ONE, P_L, P_R, dot, lower, slash

m_chi, m_q, m_zp, z = sp.symbols("m_chi m_q m_zp z", positive=True)
g_L, g_R, g_q = sp.symbols("g_L g_R g_q", real=True)
PHI = 4  # index of phi among the components of an array of vertices


def quark_couplings(case, coupling=g_q):
    """(g_qL, g_qR): equal in case A, opposite in case B."""
    return {"A": (coupling, coupling), "B": (coupling, -coupling)}[case]


def vertices(left, right, m_out, m_in, m_zp):
    """The five vertices of a line with the couplings left, right: Eq. 2 and, as a consequence, Eq. 3.

    Z': i gamma^mu Gamma. phi: -i/m_zp times i qslash Gamma = i (pslash_out - pslash_in) Gamma on shell, where
    pslash_out on the left is m_out and pslash_in, brought to the right past Gamma, is m_in.
    """
    Gamma, swapped = left * P_L + right * P_R, right * P_L + left * P_R
    return np.array([*(sp.I * gamma @ Gamma for gamma in GAMMA), (m_out * Gamma - m_in * swapped) / m_zp])


def numerator(gauge, q, m_zp):
    """Numerator of the boson propagator, 5 x 5, in the gauge "feynman" or "unitary"; q in upper components."""
    total = sp.diag(-sp.I * sp.Matrix(METRIC), sp.I)
    if gauge == "unitary":
        q = sp.Matrix([*lower(q), 0])
        total = total + sp.I * q * q.T / m_zp**2
        total[PHI, PHI] = 0
    return total


def tree_exchange(gauge, upper, lower_line, q, m_zp):
    """One boson of momentum q between two arrays of vertices: sum of V (x) W, 16 x 16, denominator left out."""
    weights = numerator(gauge, q, m_zp)
    pairs = [(A, B) for A in range(5) for B in range(5) if weights[A, B] != 0]
    return sum(weights[A, B] * np.kron(upper[A], lower_line[B]) for A, B in pairs)


def exchange_difference(sign):
    """Feynman minus unitary gauge for one exchange, chi -> nu on a quark in case B, between on-shell projectors.

    The vertices of phi at chi -> nu are multiplied by `sign`: the difference is 0 for the right one, 1. Exact numbers
    for masses and momenta (m_chi = 3, m_Z' = 2); the largest matrix element in modulus.
    """
    p_in, p_out, k_in = np.array([5, 0, 0, 4]), np.array([3, 0, 0, 3]), np.array([5, 3, 0, 0])
    q = p_out - p_in
    k_out = k_in - q
    m_in, m_out = (sp.sqrt(k @ (METRIC @ k)) for k in (k_in, k_out))
    upper = vertices(1, 1, 0, 3, 2).copy()
    upper[PHI] = sign * upper[PHI]
    lower = vertices(1, -1, m_out, m_in, 2)
    total = tree_exchange("feynman", upper, lower, q, 2) - tree_exchange("unitary", upper, lower, q, 2)
    left = np.kron(slash(p_out), slash(k_out) + m_out * ONE)
    right = np.kron(slash(p_in) + 3 * ONE, slash(k_in) + m_in * ONE)
    return max(abs(complex(entry)) for entry in (left @ total @ right).flat)


def two_goldstones(charges_L, charges_R, masses, m_zp):
    """(one, two): the vertices of one and of two phi on fermions psi = (f1, f2, ...), from the mass term.

    The U(1) acts on psi_L with the matrix charges_L and on psi_R with charges_R; the mass matrix is diagonal.
    -psibar_L M psi_R + h.c. is made invariant by M -> U_L^dagger M U_R, U = exp(i charge phi/m_zp). Returns
    for each order a pair (coefficient of P_L, coefficient of P_R), matrices between outgoing and incoming
    fermions. Two phi come with the factor 2 of identical fields.
    """
    Q_L, Q_R, M = (sp.Matrix(matrix) for matrix in (charges_L, charges_R, masses))

    def orders(Q_out, Q_in):
        first = -sp.I * (Q_out * M - M * Q_in) / m_zp
        second = -(Q_out**2 * M - 2 * Q_out * M * Q_in + M * Q_in**2) / (2 * m_zp**2)
        return -sp.I * first, -2 * sp.I * second

    (one_R, two_R), (one_L, two_L) = orders(Q_L, Q_R), orders(Q_R, Q_L)
    return (one_L, one_R), (two_L, two_R)


def quark_vertex(case):
    """Vertex of phi on q -> q, a 4 x 4 matrix in m_q and m_zp; 0 in case A."""
    return vertices(*quark_couplings(case), m_q, m_q, m_zp)[PHI]


def neutrino_contact():
    """Vertex of two phi on nu -> nu, times P_L: the second order of Eq. 3 that the model leaves out."""
    off_diagonal = sp.Matrix([[0, 1], [1, 0]])
    _, (left, _) = two_goldstones(g_L * off_diagonal, g_R * off_diagonal, sp.diag(0, m_chi), sp.sqrt(z))
    return left[0, 0]


def quark_contact(case):
    """Vertex of two phi on q -> q, times the unit matrix (it has no gamma5); 0 in case A."""
    left, right = quark_couplings(case)
    _, (of_P_L, of_P_R) = two_goldstones([[left]], [[right]], [[m_q]], sp.sqrt(z))
    if of_P_L != of_P_R:
        raise ArithmeticError("the two-phi vertex of a quark has a gamma5")
    return of_P_L[0, 0]


@dataclass(frozen=True, eq=False)
class Line:
    """A line with two vertices: masses of its ends and its middle, first and second vertices, two-phi vertex."""

    m_end: sp.Expr
    m_middle: sp.Expr
    first: np.ndarray
    second: np.ndarray
    contact: np.ndarray


def neutrino_line():
    """nu -> chi -> nu, left- and right-handed nu."""
    first, second = (vertices(g_L, g_R, *masses, sp.sqrt(z)) for masses in ((m_chi, 0), (0, m_chi)))
    return Line(sp.Integer(0), m_chi, first, second, neutrino_contact() * ONE)


def quark_line(case):
    """q -> q -> q."""
    both = vertices(*quark_couplings(case), m_q, m_q, sp.sqrt(z))
    return Line(m_q, m_q, both, both, quark_contact(case) * ONE)


def compton(line, p, l, p_out):
    """T[B, A], 5 x 5 matrices: the line of momentum p absorbs A of momentum l, emits B and leaves with p_out.

    Both orders of the bosons, and the point vertex of two phi.
    """

    def propagator(k):
        return sp.I * (slash(k) + line.m_middle * ONE) / (dot(k, k) - line.m_middle**2)

    p, l, p_out = (np.array(v, dtype=object) for v in (p, l, p_out))
    direct, crossed = propagator(p + l), propagator(p_out - l)
    T = np.array(
        [
            [line.second[B] @ direct @ line.first[A] + line.second[A] @ crossed @ line.first[B] for A in range(5)]
            for B in range(5)
        ]
    )
    T[PHI, PHI] = T[PHI, PHI] + line.contact
    return T


def ward(line, p, l, p_out, m_zp):
    """l_mu T[B, mu] - i m_zp T[B, phi] and l'_mu T[mu, A] + i m_zp T[phi, A] between the external spinors.

    All ten matrices vanish if the gauges agree for two exchanges; p^2 = p_out^2 = m_end^2. The sign of the
    second differs because l' = p + l - p_out leaves the line. p_out = p would hide the contact vertex of
    massless ends: pslash pslash = 0.
    """
    T = compton(line, p, l, p_out)
    spinors = [slash(v) + line.m_end * ONE for v in (p_out, p)]
    emitted = [a + b - c for a, b, c in zip(p, l, p_out, strict=True)]
    first = np.tensordot(T, np.array([*lower(l), -sp.I * m_zp]), axes=(1, 0))
    second = np.tensordot(T, np.array([*lower(emitted), sp.I * m_zp]), axes=(0, 0))
    return [spinors[0] @ component @ spinors[1] for component in (*first, *second)]
