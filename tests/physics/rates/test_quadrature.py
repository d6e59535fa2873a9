"""Nodes, cut intervals, interpolation; test_events compares the events themselves with adaptive quadrature."""

from dataclasses import replace

import numpy as np
import pytest

from cevnsloop.amplitudes.quarks import REDERIVED
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.experiments import csi2017
from cevnsloop.inputs import STANDARD
from cevnsloop.model import unit_model
from cevnsloop.rates import events
from cevnsloop.rates.events import kernels, parts, predict
from cevnsloop.rates.flux import Spectrum, decay_at_rest, moment, together
from cevnsloop.rates.quadrature import grid, integrate, interpolation
from cevnsloop.rates.xsec import recoil_range

THEORY = Theory()


@pytest.mark.parametrize("n", [2, 4, 12])
def test_interpolation_is_exact_for_polynomials(n):
    nodes, _ = np.polynomial.legendre.leggauss(n)
    x = np.linspace(-0.99, 0.98, 7).reshape(7, 1)
    weights = interpolation(x, n)
    assert weights.shape == (7, 1, n)
    # n terms, each made of n Legendre polynomials with factors up to 2 n
    for degree in range(n):
        assert (weights @ (2 + nodes**degree))[:, 0] == pytest.approx(
            (2 + x**degree)[:, 0], rel=2 * n**2 * 2**-52, abs=0
        )


def test_cut_intervals_integrate_what_is_left(dataset):
    """dsigma/dT = T in the line, of which kinematics leaves a range: per bin a parabola between the cuts."""
    experiment, line = dataset.experiment, decay_at_rest()[0]
    target, response = experiment.targets[0], experiment.response
    at = grid(target, experiment, line.E_max)
    m_chi = np.array([0.0, 15.0, 25.0, 29.0, 29.6, 40.0])
    got = integrate(lambda T, m: {0: T + 0 * m}, at, [line], experiment.arrival, m_chi)
    lowest, highest = recoil_range(line.E_max, m_chi, target.nuclide.M)
    scale = target.count * experiment.fluence * experiment.arrival["prompt"]
    edges = response.fine_edges / response.pe_per_MeV
    expected = np.zeros_like(got)
    for k, bin_ in enumerate(response.assignment):
        if bin_ >= 0:
            low, high = np.maximum(edges[k], lowest), np.minimum(edges[k + 1], highest)
            expected[:, bin_] += response.acceptance[k] * np.where(high > low, high**2 - low**2, 0) / 2 * scale
    assert np.array_equal(got == 0, expected == 0)
    assert (got > 0).any(-1).tolist() == [True] * 4 + [False] * 2
    # where 1e-4 of an interval is left its ends are known to 1e-16 / 1e-4
    assert got[got > 0] == pytest.approx(expected[got > 0], rel=1e-12, abs=0)


def test_components_add_up_in_any_order(dataset):
    """Also where the line is cut and the Michel spectra are not."""
    experiment, beam = dataset.experiment, decay_at_rest()
    at = grid(experiment.targets[0], experiment, beam[1].E_max)
    m_chi = np.array([0.0, 20.0, 28.0])

    def powers(T, m):
        return {0: 1 + T + 0 * m, -1: T + m}

    alone = sum(integrate(powers, at, [one], experiment.arrival, m_chi) for one in beam)
    for order in (beam, beam[::-1]):
        assert integrate(powers, at, order, experiment.arrival, m_chi) == pytest.approx(alone, rel=1e-13, abs=0)


@pytest.mark.parametrize(("smearing", "bound", "fewer"), [("none", 1e-9, 2), ("poisson", 1e-10, 4)])
def test_nodes_are_enough(monkeypatch, smearing, bound, fewer):
    """Against 24 nodes: light and heavy mediators, chi of every mass the beam can make."""
    experiment = csi2017.dataset(csi2017.Settings(smearing=smearing)).experiment
    rng = np.random.default_rng(8)
    m_chi = np.concatenate([10 ** rng.uniform(-2, 1.5, 200), rng.uniform(25, 52.7, 200)])
    model = unit_model("A", m_chi, 10 ** rng.uniform(-1, 4, 400))
    found = parts(model, experiment, THEORY)
    monkeypatch.setattr(type(experiment.response), "nodes", 24)
    many = parts(model, replace(experiment), THEORY)  # another record: its kernels are made anew
    assert found["n_sm"] == pytest.approx(many["n_sm"], rel=1e-13, abs=0)
    seen = many["n_tree"] > 1e-7 * many["n_tree"].max(-1, keepdims=True)
    assert found["n_tree"][seen] == pytest.approx(many["n_tree"][seen], rel=bound, abs=0)
    monkeypatch.setattr(type(experiment.response), "nodes", fewer)
    few = parts(model, replace(experiment), THEORY)
    assert abs(few["n_tree"][seen] / many["n_tree"][seen] - 1).max() > 100 * bound


def test_blocks_change_nothing(monkeypatch, dataset):
    model = unit_model("A", np.geomspace(1, 100, 37), 200.0)
    whole, added = predict(model, dataset.experiment, THEORY), parts(model, dataset.experiment, THEORY)
    monkeypatch.setattr(events, "BLOCK", 5)
    # sums over the same nodes, in another order
    assert predict(model, dataset.experiment, THEORY).n == pytest.approx(whole.n, rel=1e-14, abs=0)
    for kind, part in parts(model, dataset.experiment, THEORY).items():
        assert part == pytest.approx(added[kind], rel=1e-14, abs=0)


def test_kernels_are_made_once_for_an_experiment(dataset):
    experiment = dataset.experiment
    assert kernels(experiment, "all", THEORY) is kernels(experiment, "all", THEORY)
    assert kernels(experiment, "e", THEORY) is not kernels(experiment, "all", THEORY)
    # of a theory only what Z exchange needs matters
    other = replace(THEORY, amplitude=REDERIVED, moments="cteq6l1_mz")
    assert kernels(experiment, "all", other) is kernels(experiment, "all", THEORY)
    for other in (
        replace(THEORY, weak_angle="low_energy"),
        replace(THEORY, inputs=STANDARD.changed({"constants.G_F": 1.2e-5})),
    ):
        assert kernels(experiment, "all", other) is not kernels(experiment, "all", THEORY)


def bare(component):
    """What is left of a component where flavours no longer matter."""
    return Spectrum(component.name, component.arrival, component.E_max, component.michel)


def test_neutrinos_that_come_together_are_added():
    line, *michel = decay_at_rest()
    for order in ((line, *michel), (*michel, line)):
        alone, both = together(order)
        assert alone == bare(line)
        assert (both.name, both.arrival, both.E_max) == ("nu_e + nubar_mu", "delayed", michel[0].E_max)
    # another end point is another threshold, another arrival other bins of time; lines of one energy stay two
    for other in (replace(michel[1], E_max=40.0), replace(michel[1], arrival="prompt")):
        assert together((michel[0], other)) == (bare(michel[0]), bare(other))
    assert together((line, line)) == (bare(line), bare(line))
    assert together(()) == ()
    E_min = np.linspace(0, 60, 13)
    for power in (-2, -1, 0, 1, 2):
        total = sum(moment(one, power, E_min) for one in michel)
        assert moment(both, power, E_min)[total > 0] == pytest.approx(total[total > 0], rel=1e-13, abs=0)
        assert not moment(both, power, E_min)[total == 0].any()


def test_recoils_too_low_for_the_nodes_are_refused(dataset):
    response = dataset.experiment.response
    everywhere = replace(response, acceptance=np.ones_like(response.acceptance))
    low = replace(dataset.experiment, response=replace(everywhere, assignment=np.zeros_like(response.assignment)))
    with pytest.raises(ValueError, match=r"fine bins of 1 PE must be accepted only from 4\.5 times that, got 0 PE"):
        grid(low.targets[0], low, 50.0)
