"""Dirac matrices, exactly: chiral representation, metric (+, -, -, -), gamma5 = i gamma^0 gamma^1 gamma^2 gamma^3.

A matrix is a 4 x 4 numpy array of exact sympy numbers; `@`, `+` and numbers or symbols as factors work on it.

    GAMMA[mu]             gamma^mu, upper index
    ONE, GAMMA5, P_L, P_R unit matrix, gamma5, (1 - gamma5)/2, (1 + gamma5)/2
    sigma(mu, nu)         (i/2) [gamma^mu, gamma^nu]
    slash(p), dot(p, q)   for four-vectors with upper components, numbers or symbols
    trace(A, B, ...)      Tr(A B ...), expanded
    adjoint(A)            gamma^0 A^dagger gamma^0, so that (psibar A chi)^dagger = chibar adjoint(A) psi
    pairings(rank)        the tensor that averages l^mu l^nu ... over the directions of l
    numeric(A), exact(x)  to complex floating point and back, for contractions of large tensors

Every entry is 0, 1, -1, i, -i or a half of it. Sums of products of such numbers are exact in floating point
as long as they stay below 2^50, so a contraction of numeric() arrays is exact too, and exact() takes the
result back, refusing what cannot have come about that way.
"""

from fractions import Fraction

import numpy as np
import sympy as sp

from ..checks import sealed

METRIC = np.diag([sp.Integer(1), *[sp.Integer(-1)] * 3])  # g_mu_nu and g^mu_nu have the same components
_PAULI = ([[0, 1], [1, 0]], [[0, -sp.I], [sp.I, 0]], [[1, 0], [0, -1]])


def _matrix(blocks):
    return np.array(sp.Matrix(blocks).tolist(), dtype=object)


def _off_diagonal(upper, lower):
    return _matrix(sp.BlockMatrix([[sp.zeros(2), upper], [lower, sp.zeros(2)]]).as_explicit())


ONE = _matrix(sp.eye(4))
GAMMA = np.array([_off_diagonal(sp.eye(2), sp.eye(2)), *[_off_diagonal(sp.Matrix(s), -sp.Matrix(s)) for s in _PAULI]])
GAMMA5 = sp.I * (GAMMA[0] @ GAMMA[1] @ GAMMA[2] @ GAMMA[3])
P_L, P_R = (ONE - GAMMA5) * sp.Rational(1, 2), (ONE + GAMMA5) * sp.Rational(1, 2)
for _constant in (METRIC, ONE, GAMMA, GAMMA5, P_L, P_R):
    sealed(_constant)


def sigma(mu, nu):
    """sigma^mu^nu = (i/2) (gamma^mu gamma^nu - gamma^nu gamma^mu)."""
    return sp.I / 2 * (GAMMA[mu] @ GAMMA[nu] - GAMMA[nu] @ GAMMA[mu])


def lower(p):
    """p_mu from p^mu."""
    return METRIC @ np.array([sp.sympify(component) for component in p], dtype=object)


def dot(p, q):
    """p . q for upper components."""
    return sp.expand(sum(a * b for a, b in zip(lower(p), q, strict=True)))


def slash(p):
    """gamma^mu p_mu for upper components p^mu."""
    return sum(component * gamma for component, gamma in zip(lower(p), GAMMA, strict=True))


def trace(*matrices):
    """Tr of the product of the matrices, expanded."""
    product = ONE
    for matrix in matrices:
        product = product @ matrix
    return sp.expand(sum(product[a, a] for a in range(4)))


def adjoint(matrix):
    """gamma^0 A^dagger gamma^0; symbols in A must be declared real."""
    dagger = np.array(sp.Matrix(matrix).H.tolist(), dtype=object)
    return GAMMA[0] @ dagger @ GAMMA[0]


def pairings(rank):
    """(T, d) with < l^mu1 ... l^mu_rank > = (l^2)^(rank/2) T / d  over all directions of l in four dimensions.

    T, an integer array with `rank` indices, is the sum over all ways to pair the indices of the product of
    metrics; d = 4, 24, 192, ... = 4 * 6 * ... * (rank + 2). Rank 0 gives (1, 1). The average is that of a
    Euclidean sphere, reached by l^0 -> i l_4. Raises ValueError for an odd or negative rank.
    """
    if rank < 0 or rank % 2:
        raise ValueError(f"rank must be even and >= 0, got {rank}")
    metric = METRIC.astype(int)
    total, denominator = np.zeros((4,) * rank, dtype=int), 1
    for pairs in _pairs(tuple(range(rank))):
        operands = [operand for pair in pairs for operand in (metric, list(pair))]
        total = total + (np.einsum(*operands, list(range(rank))) if pairs else 1)
    for n in range(rank // 2):
        denominator *= 4 + 2 * n
    return total, denominator


def _pairs(indices):
    """All ways to split the indices into pairs."""
    if not indices:
        return [()]
    first, rest = indices[0], indices[1:]
    return [((first, other), *others) for other in rest for others in _pairs(tuple(i for i in rest if i != other))]


def numeric(matrix):
    """The same array as complex floating-point numbers, for numpy.einsum."""
    return np.asarray(matrix).astype(complex)


def exact(value):
    """The sympy number a + i b behind a floating-point number with small dyadic parts; else ArithmeticError."""
    parts = [Fraction(part) for part in (complex(value).real, complex(value).imag)]
    if any(part.denominator > 2**10 or abs(part) > 2**40 for part in parts):
        raise ArithmeticError(f"{value} is not a small multiple of a power of 1/2")
    real, imaginary = (sp.Rational(part.numerator, part.denominator) for part in parts)
    return real + sp.I * imaginary
