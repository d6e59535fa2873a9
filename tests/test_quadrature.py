"""Nodes, cut intervals, interpolation; test_events compares the events themselves with adaptive quadrature."""

from dataclasses import replace

import numpy as np
import pytest

from cevnsloop.amplitudes.quarks import PUBLISHED
from cevnsloop.experiments import csi2017 as coherent
from cevnsloop.experiments import settings
from cevnsloop.model import unit_model
from cevnsloop.rates import events, quadrature
from cevnsloop.rates.events import kernels, predict
from cevnsloop.rates.flux import decay_at_rest, moment, together
from cevnsloop.rates.quadrature import grid, integrate
from cevnsloop.rates.xsec import recoil_range


@pytest.mark.parametrize("n", [2, 4, 12])
def test_interpolation_is_exact_for_polynomials(n):
    nodes, _ = np.polynomial.legendre.leggauss(n)
    x = np.linspace(-0.99, 0.98, 7).reshape(7, 1)
    weights = quadrature._interpolation(x, n)
    assert weights.shape == (7, 1, n)
    # n terms, each made of n Legendre polynomials with factors up to 2 n
    for degree in range(n):
        assert (weights @ (2 + nodes**degree))[:, 0] == pytest.approx(
            (2 + x**degree)[:, 0], rel=2 * n**2 * 2**-52, abs=0
        )


def test_cut_intervals_integrate_what_is_left(dataset):
    """dsigma/dT = T in the line, of which kinematics leaves a range: per bin a parabola between the cuts."""
    target, line = dataset.targets[0], decay_at_rest()[0]
    at = grid(target, dataset, line.E_max)
    m_chi = np.array([0.0, 15.0, 25.0, 29.0, 29.6, 40.0])
    got = integrate(lambda T, m: {0: T + 0 * m}, at, [line], m_chi)
    lowest, highest = recoil_range(line.E_max, m_chi, target.nuclide.M)
    scale = target.count * dataset.fluence * dataset.arrival["prompt"]
    edges = dataset.response.fine_edges / dataset.response.pe_per_MeV
    expected = np.zeros_like(got)
    for k, bin_ in enumerate(dataset.response.assignment):
        if bin_ >= 0:
            low, high = np.maximum(edges[k], lowest), np.minimum(edges[k + 1], highest)
            expected[:, bin_] += dataset.response.acceptance[k] * np.where(high > low, high**2 - low**2, 0) / 2 * scale
    assert np.array_equal(got == 0, expected == 0)
    assert (got > 0).any(-1).tolist() == [True] * 4 + [False] * 2
    # where 1e-4 of an interval is left its ends are known to 1e-16 / 1e-4
    assert got[got > 0] == pytest.approx(expected[got > 0], rel=1e-12, abs=0)


def test_components_add_up_in_any_order(dataset):
    """Also where the line is cut and the Michel spectra are not."""
    target, beam = dataset.targets[0], decay_at_rest()
    at = grid(target, dataset, beam[1].E_max)
    m_chi = np.array([0.0, 20.0, 28.0])

    def powers(T, m):
        return {0: 1 + T + 0 * m, -1: T + m}

    alone = sum(integrate(powers, at, [one], m_chi) for one in beam)
    for order in (beam, beam[::-1]):
        assert integrate(powers, at, order, m_chi) == pytest.approx(alone, rel=1e-13, abs=0)


@pytest.mark.parametrize(("smearing", "bound"), [("none", 1e-9), ("poisson", 1e-10)])
def test_nodes_are_enough(monkeypatch, smearing, bound):
    """Against 24 nodes: light and heavy mediators, chi of every mass the beam can make."""
    dataset = coherent.csi2017(settings.csi2017(smearing=smearing))
    rng = np.random.default_rng(8)
    m_chi = np.concatenate([10 ** rng.uniform(-2, 1.5, 200), rng.uniform(25, 52.7, 200)])
    model = unit_model("A", m_chi, 10 ** rng.uniform(-1, 4, 400))
    found = predict(model, dataset, PUBLISHED)
    monkeypatch.setattr(quadrature, "NODES", {"none": 24, "poisson": 24})
    many = predict(model, replace(dataset), PUBLISHED)  # another record: its kernels are made anew
    assert found.n_sm == pytest.approx(many.n_sm, rel=1e-13, abs=0)
    seen = many.n_tree > 1e-7 * many.n_tree.max(-1, keepdims=True)
    assert found.n_tree[seen] == pytest.approx(many.n_tree[seen], rel=bound, abs=0)
    monkeypatch.setattr(quadrature, "NODES", {"none": 2, "poisson": 4})
    few = predict(model, replace(dataset), PUBLISHED)
    assert abs(few.n_tree[seen] / many.n_tree[seen] - 1).max() > 100 * bound


def test_blocks_change_nothing(monkeypatch, dataset):
    model = unit_model("A", np.geomspace(1, 100, 37), 200.0)
    whole = predict(model, dataset, PUBLISHED)
    monkeypatch.setattr(events, "BLOCK", 5)
    parts = predict(model, dataset, PUBLISHED)
    for kind in ("n_tree", "n_loop"):
        # sums over the same nodes, in another order
        assert getattr(parts, kind) == pytest.approx(getattr(whole, kind), rel=1e-14, abs=0)


def test_kernels_are_made_once_for_a_data_set(dataset):
    assert kernels(dataset, "all") is kernels(dataset, "all")
    assert kernels(dataset, "e") is not kernels(dataset, "all")


def test_neutrinos_that_come_together_are_added():
    line, *michel = decay_at_rest()
    alone, both = together((line, *michel))
    assert alone is line
    assert (both.name, both.arrival, both.E_max) == ("nu_e + nubar_mu", "delayed", michel[0].E_max)
    other = replace(michel[1], E_max=40.0)
    assert together((michel[0], other)) == (michel[0], other)  # another end point, another threshold
    E_min = np.linspace(0, 60, 13)
    for power in (-2, -1, 0, 1, 2):
        total = sum(moment(one, power, E_min) for one in michel)
        assert moment(both, power, E_min)[total > 0] == pytest.approx(total[total > 0], rel=1e-13, abs=0)
        assert not moment(both, power, E_min)[total == 0].any()


def test_recoils_too_low_for_the_nodes_are_refused(dataset):
    everywhere = replace(dataset.response, acceptance=np.ones_like(dataset.response.acceptance))
    low = replace(dataset, response=replace(everywhere, assignment=np.zeros_like(everywhere.assignment)))
    with pytest.raises(ValueError, match=r"fine bins of 1 PE must be accepted only from 4\.5 times that, got 0 PE"):
        grid(low.targets[0], low, 50.0)
