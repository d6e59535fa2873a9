"""Dirac matrices by their identities, direction averages by an exact cubature, and the way to floats and back."""

from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest
import sympy as sp

from cevnsloop.derivation.dirac import (
    GAMMA,
    GAMMA5,
    METRIC,
    ONE,
    P_L,
    P_R,
    adjoint,
    dot,
    exact,
    lower,
    numeric,
    pairings,
    sigma,
    slash,
    trace,
)

INDICES = range(4)
PAIRS = list(product(INDICES, repeat=2))
p, q = (np.array(sp.symbols(f"{name}0:4", real=True), dtype=object) for name in "pq")


def same(a, b):
    return sp.Matrix(a - b).applyfunc(sp.expand) == sp.zeros(4)


@pytest.mark.parametrize(("mu", "nu"), PAIRS)
def test_clifford_algebra(mu, nu):
    assert same(GAMMA[mu] @ GAMMA[nu] + GAMMA[nu] @ GAMMA[mu], 2 * METRIC[mu, nu] * ONE)


def test_gamma5_and_projectors():
    for mu in INDICES:
        assert same(GAMMA[mu] @ GAMMA5, -GAMMA5 @ GAMMA[mu])
    assert same(GAMMA5 @ GAMMA5, ONE)
    assert same(P_L + P_R, ONE)
    assert same(P_R - P_L, GAMMA5)
    for P, other in ((P_L, P_R), (P_R, P_L)):
        assert same(P @ P, P)
        assert same(P @ other, 0 * ONE)
        assert trace(P) == 2


def test_hermiticity():
    for mu in INDICES:
        assert same(adjoint(GAMMA[mu]), GAMMA[mu])
    assert same(adjoint(GAMMA5), -GAMMA5)
    assert same(adjoint(P_L), P_R)
    assert same(adjoint(sp.I * slash(p)), -sp.I * slash(p))


def test_traces():
    assert trace(ONE) == 4
    assert trace(slash(p), slash(q)) == sp.expand(4 * dot(p, q))
    assert trace(slash(p), slash(q), slash(p), slash(q)) == sp.expand(4 * (2 * dot(p, q) ** 2 - dot(p, p) * dot(q, q)))
    assert all(trace(GAMMA5, GAMMA[mu], GAMMA[nu]) == 0 for mu, nu in PAIRS)
    assert all(trace(GAMMA[mu], GAMMA[nu], GAMMA[rho]) == 0 for mu, nu in PAIRS for rho in INDICES)
    for order in permutations(INDICES):
        parity = sp.LeviCivita(*order)
        assert trace(GAMMA5, *(GAMMA[mu] for mu in order)) == -4 * sp.I * parity


def test_contractions_in_four_dimensions():
    contracted = {0: 4 * ONE, 1: -2 * slash(p), 2: 4 * dot(p, q) * ONE, 3: -2 * slash(p) @ slash(q) @ slash(p)}
    inside = {0: ONE, 1: slash(p), 2: slash(p) @ slash(q), 3: slash(p) @ slash(q) @ slash(p)}
    for n, expected in contracted.items():
        total = sum(METRIC[mu, mu] * GAMMA[mu] @ inside[n] @ GAMMA[mu] for mu in INDICES)
        assert same(total, expected)


def test_sixteen_matrices_are_a_basis():
    basis = [ONE, GAMMA5, *GAMMA, *(g @ GAMMA5 for g in GAMMA), *(sigma(m, n) for m, n in PAIRS if m < n)]
    gram = sp.Matrix(16, 16, lambda i, j: trace(basis[i], basis[j]))
    assert gram == sp.diag(*[gram[i, i] for i in range(16)])
    assert {abs(gram[i, i]) for i in range(16)} == {4}


def test_sigma():
    for mu, nu in PAIRS:
        assert same(sigma(mu, nu), -sigma(nu, mu))
        assert same(GAMMA[mu] @ GAMMA[nu], METRIC[mu, nu] * ONE - sp.I * sigma(mu, nu))


def test_slash_squares_to_the_square_and_lower_to_itself():
    assert same(slash(p) @ slash(p), dot(p, p) * ONE)
    assert list(lower(lower(p))) == list(p)
    assert dot([5, 3, 0, 4], [5, 3, 0, 4]) == 0
    assert not any(sp.sympify(entry).has(sp.Float) for entry in slash([1, 2, 3, sp.Rational(1, 3)]).flat)


def cell24():
    """The 24-cell: an exact cubature on the Euclidean three-sphere up to degree five, all points rational."""
    units = [tuple(s * (i == j) for j in INDICES) for i in INDICES for s in (1, -1)]
    return [tuple(map(Fraction, unit)) for unit in units] + list(product((Fraction(1, 2), Fraction(-1, 2)), repeat=4))


@pytest.mark.parametrize("rank", [2, 4])
def test_average_agrees_with_an_exact_cubature_of_the_sphere(rank):
    # l^0 = i n_4 and l^2 = -1, so that <l^mu l^nu ...> = (-1)^(rank/2) T/d
    points = [(sp.I * sp.Rational(n[3]), *map(sp.Rational, n[:3])) for n in cell24()]
    tensor, denominator = pairings(rank)
    for indices in product(INDICES, repeat=rank):
        mean = sum(sp.prod(point[i] for i in indices) for point in points) / len(points)
        assert mean == sp.Rational((-1) ** (rank // 2) * int(tensor[indices]), denominator)


def test_average_of_six():
    tensor, denominator = pairings(6)
    assert denominator == 192
    assert np.count_nonzero(tensor[(0,) * 5]) == 1
    assert tensor[(0,) * 6] == 15
    trace_of_six = np.einsum("abcdef,ef->abcd", tensor, METRIC.astype(int))
    four, denominator_of_four = pairings(4)
    assert (trace_of_six * denominator_of_four == four * denominator).all()  # l^2 comes out of the average
    assert (tensor == tensor.transpose(5, 3, 0, 1, 4, 2)).all()


def test_average_of_nothing_is_one_and_of_odd_ranks_is_refused():
    tensor, denominator = pairings(0)
    assert (tensor.item(), denominator) == (1, 1)
    for rank in (3, -2):
        with pytest.raises(ValueError, match=f"even and >= 0, got {rank}"):
            pairings(rank)


def test_floats_and_back():
    matrix = (ONE - GAMMA5) @ GAMMA[2] * sp.Rational(1, 4)
    back = np.vectorize(exact, otypes=[object])(numeric(matrix))
    assert same(back, matrix)
    assert exact(-2.5 + 0.125j) == sp.Rational(-5, 2) + sp.I / 8
    for value in (0.1, 1j / 3, 1e15):
        with pytest.raises(ArithmeticError, match="power of 1/2"):
            exact(value)
