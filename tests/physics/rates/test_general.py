"""Loop amplitudes as functions of E and T: events against adaptive quadrature, and against the kernels of what is
separable.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from cevnsloop.amplitudes.quarks import PUBLISHED, REDERIVED, Quarks
from cevnsloop.amplitudes.theory import OF_QUARKS, Theory
from cevnsloop.checks import Record
from cevnsloop.experiments import csi2017
from cevnsloop.inputs import STANDARD
from cevnsloop.model import unit_model
from cevnsloop.nucleus import helm
from cevnsloop.rates import general
from cevnsloop.rates.events import parts, predict
from cevnsloop.rates.flux import decay_at_rest
from cevnsloop.referees import events as reference

SCALE = 1e-3, 1e-6  # of flip in MeV^-1 and keep in MeV^-2
LINE = decay_at_rest()[0].E_max
SPECTRA = {"all": ("nu_mu", "nu_e", "nubar_mu"), "e": ("nu_e",), "mu": ("nu_mu", "nubar_mu")}
SIGN = {"nu_mu": 1, "nu_e": 1, "nubar_mu": -1}


@dataclass(frozen=True)
class Toy(Record):
    """Exchange of Z' times a propagator of range 1/a: 1 / (E + a) if it is "smooth"; "real" and "complex" have a
    square-root cusp where chi can be made, the second an imaginary part above that.
    """

    kind: str
    a: float = 40.0
    phase: complex = 1.0
    flips: bool = True
    keeps: bool = True

    separable = False
    meets_z = True

    def flip_and_keep(self, E, T, model, nucleus, theory):
        k = np.sqrt((E - model.m_chi) * (E + model.m_chi) + 0j)
        if self.kind == "smooth":
            propagator = 1 / (E + self.a)
        else:
            propagator = 1 / (self.a + abs(k)) if self.kind == "real" else 1 / (self.a - 1j * k)
        common = self.phase * propagator * helm(2 * nucleus.M * T, nucleus) / (model.m_zp**2 + 2 * nucleus.M * T)
        return SCALE[0] * common if self.flips else 0.0, SCALE[1] * common if self.keeps else 0.0


def by_hand(kind, m_chi, m_zp, E, T, symbol, a=40.0):
    """flip and keep of a Toy in plain numbers."""
    k2 = E * E - m_chi * m_chi
    if kind == "smooth":
        propagator = 1 / (E + a)
    elif kind == "real":
        propagator = 1 / (a + math.sqrt(abs(k2)))
    else:  # below the threshold k = i |k|
        propagator = 1 / complex(a, -math.sqrt(k2)) if k2 > 0 else 1 / (a + math.sqrt(-k2))
    common = propagator * math.sqrt(reference.helm_squared(symbol, T)) / (m_zp**2 + 2 * reference.mass(symbol) * T)
    return SCALE[0] * common, SCALE[1] * common


def directly(kind, m_chi, m_zp, dataset, neutrinos="all"):
    """Interference and loops per bin by adaptive quadrature."""

    def loops(E, T, symbol):
        return reference.any_loops(E, T, symbol, *by_hand(kind, m_chi, m_zp, E, T, symbol))

    def interference(E, T, symbol):
        return reference.with_z(E, T, symbol, by_hand(kind, m_chi, m_zp, E, T, symbol)[1])

    cusp = 0.0 if kind == "smooth" else m_chi
    names = SPECTRA[neutrinos]
    return (
        reference.events(interference, 0.0, dataset, {name: SIGN[name] for name in names}, cusp),
        reference.events(loops, 0.0, dataset, dict.fromkeys(names, 1), cusp),
    )


@pytest.fixture(scope="module")
def two_bins():
    """10 to 14 PE: recoils of 8.5 to 12 keV need 23 to 27.4 MeV."""
    return csi2017.dataset(csi2017.Settings(first_bin=6, last_bin=7))


# cusps below all energies, below those that reach the bins, inside them, at the line, near the end, and beyond it
CUSPS = (1e-6, 12.0, 23.5, 26.0, LINE, 40.0, 52.8, 60.0, 3e3)
EACH = [("smooth", 20.0), *((kind, m_chi) for kind in ("real", "complex") for m_chi in CUSPS)]


@pytest.mark.parametrize(("kind", "m_chi"), EACH)
def test_loops_agree_with_adaptive_quadrature(kind, m_chi, two_bins):
    model, theory = unit_model("A", m_chi, 50.0), Theory(Toy(kind))
    interference, loops = directly(kind, m_chi, 50.0, two_bins)
    found = parts(model, two_bins.experiment, theory)
    assert found["n_loop"] == pytest.approx(loops, rel=1e-9, abs=0)
    # neutrinos and antineutrinos cancel to a few per cent
    assert found["n_interference"] == pytest.approx(interference, rel=1e-8, abs=0)


@pytest.mark.parametrize("neutrinos", ["e", "mu"])
def test_leptons_and_antileptons_interfere_with_opposite_signs(neutrinos, two_bins):
    model, theory = unit_model("B", 26.0, 50.0, neutrinos=neutrinos), Theory(Toy("complex"))
    interference, loops = directly("complex", 26.0, 50.0, two_bins, neutrinos)
    found = parts(model, two_bins.experiment, theory)
    assert found["n_loop"] == pytest.approx(loops, rel=1e-9, abs=0)
    assert found["n_interference"] == pytest.approx(interference, rel=1e-8, abs=0)
    assert not found["n_tree"].any()


@pytest.mark.parametrize("kind", ["real", "complex"])
def test_all_bins_agree_with_adaptive_quadrature(kind, dataset):
    """Also those that the line cannot reach, and the one where the beam ends."""
    found = parts(unit_model("A", 35.0, 50.0), dataset.experiment, Theory(Toy(kind)))
    interference, loops = directly(kind, 35.0, 50.0, dataset)
    assert found["n_loop"] == pytest.approx(loops, rel=1e-9, abs=0)
    assert found["n_interference"] == pytest.approx(interference, rel=1e-8, abs=0)


def test_smeared_events_agree_with_adaptive_quadrature():
    """Poisson smearing, one bin: each count n has the acceptance of its 1-PE bin."""
    smeared = csi2017.dataset(csi2017.Settings(smearing="poisson"))
    a, k, x0 = reference.ACCEPTANCE
    m_chi = 26.0

    def dsigma(E, T, symbol):
        mean = reference.PE_PER_MEV * T
        seen = sum(
            math.exp(-mean + n * math.log(mean) - math.lgamma(n + 1)) * a / (1 + math.exp(-k * (n - 0.5 - x0)))
            for n in (13, 14)
        )
        return seen * reference.any_loops(E, T, symbol, *by_hand("complex", m_chi, 50.0, E, T, symbol))

    line = (reference.M_PI**2 - reference.M_MU**2) / (2 * reference.M_PI)
    sums = [
        reference.interval(dsigma, 0.0, s, lo / 1e3, hi / 1e3, line, smeared, cusp=m_chi)
        for s in reference.NUCLEI
        for lo, hi in ((1e-9, 5), (5, 10), (10, 15), (15, 25), (25, 60))
    ]
    expected = sum(sums) * smeared.experiment.fluence * smeared.experiment.targets[0].count
    found = parts(unit_model("A", m_chi, 50.0), smeared.experiment, Theory(Toy("complex")))["n_loop"]
    assert found[3] == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.fixture(params=["none", "poisson"])
def experiment(request, dataset):
    smeared = csi2017.dataset(csi2017.Settings(smearing="poisson"))
    return {"none": dataset, "poisson": smeared}[request.param].experiment


@dataclass(frozen=True)
class Slow(Record):
    """The amplitude of the quarks, as if E and T did not separate."""

    quarks: Quarks
    separable = False

    @property
    def meets_z(self):
        return self.quarks.meets_z

    def flip_and_keep(self, *arguments):
        return self.quarks.flip_and_keep(*arguments)


def anywhere(number):
    """Masses over their whole range, half of the chi where the beam could make them."""
    rng = np.random.default_rng(3)
    m_chi = np.concatenate([10 ** rng.uniform(-6, 9, number), rng.uniform(15, 53, number)])
    return m_chi, np.clip(m_chi * 10 ** rng.uniform(-1, 1, 2 * number), 1e-6, 1e9)


@pytest.mark.parametrize("amplitude", [*OF_QUARKS.values(), PUBLISHED.flipped("interference")], ids=str)
@pytest.mark.parametrize("case", ["A", "B"])
@pytest.mark.parametrize("neutrinos", ["all", "e", "mu"])
def test_what_is_separable_takes_both_ways(amplitude, case, neutrinos, experiment):
    model = unit_model(case, *anywhere(20), {"u": 0.7, "d": -0.4, "b": 1.0}, neutrinos)
    quick, slow = (parts(model, experiment, Theory(one)) for one in (amplitude, Slow(amplitude)))
    for name in ("n_sm", "n_tree"):
        assert np.array_equal(quick[name], slow[name])
    for name in ("n_loop", "n_interference"):
        some = abs(quick[name]) > 1e-290  # below that digits are lost
        # measured: 5e-14, and a few times more where neutrinos and antineutrinos cancel
        assert slow[name][some] == pytest.approx(quick[name][some], rel=1e-11, abs=0)
        assert slow[name].any() == (name == "n_loop" or amplitude.meets_z)


def test_both_ways_know_changed_inputs(dataset):
    """Of the beam, of the nuclei, of Z exchange and of the amplitude."""
    table = STANDARD.changed({"masses.m_mu": 107.0, "helm.a": 0.6, "weak_angle.msbar_mz": 0.3, "quark_masses.b": 4.7})
    model, changed = unit_model("B", 20.0, 40.0), csi2017.dataset(table=table).experiment
    quick, slow = (parts(model, changed, Theory(one, inputs=table)) for one in (REDERIVED, Slow(REDERIVED)))
    usual = parts(model, dataset.experiment, Theory(REDERIVED))
    for name in ("n_loop", "n_interference"):
        assert slow[name] == pytest.approx(quick[name], rel=1e-11, abs=0)
        assert (abs(quick[name] / usual[name] - 1) > 0.01).any()


def test_only_what_is_in_phase_meets_z(dataset):
    model, real = unit_model("A", 12.0, 50.0), Toy("real")
    found = {
        phase: parts(model, dataset.experiment, Theory(replace(real, phase=phase)))
        for phase in (1.0, -1.0, 1j, complex(math.cos(1.0), math.sin(1.0)))
    }
    usual = found[1.0]
    assert usual["n_interference"].all()
    for phase, turned in found.items():
        assert turned["n_loop"] == pytest.approx(usual["n_loop"], rel=1e-14, abs=0)
        expected = np.real(phase) * usual["n_interference"]
        assert turned["n_interference"] == pytest.approx(expected, rel=1e-12, abs=0)


def test_flip_and_keep_add_up(dataset):
    """No interference with each other, and only keep meets Z; amplitudes may be numbers."""
    model = unit_model("A", 26.0, 50.0)
    both, flip, keep, none = (
        parts(model, dataset.experiment, Theory(Toy("complex", flips=flips, keeps=keeps)))
        for flips, keeps in ((True, True), (True, False), (False, True), (False, False))
    )
    assert flip["n_loop"].all()
    assert keep["n_loop"].all()
    assert flip["n_loop"] + keep["n_loop"] == pytest.approx(both["n_loop"], rel=1e-14, abs=0)
    assert keep["n_interference"].tolist() == both["n_interference"].tolist()
    assert not flip["n_interference"].any()
    assert not none["n_loop"].any()


@dataclass(frozen=True)
class Alone(Toy):
    """A Toy that is told not to meet Z exchange."""

    meets_z = False


def test_interference_is_left_out_if_the_amplitude_says_so(dataset):
    model = unit_model("A", 26.0, 50.0)
    usual, alone = (parts(model, dataset.experiment, Theory(kind("complex"))) for kind in (Toy, Alone))
    assert usual["n_interference"].any()
    assert not alone["n_interference"].any()
    assert alone["n_loop"].tolist() == usual["n_loop"].tolist()


def test_arrays_of_models_equal_single_models(experiment):
    m_chi, m_zp = np.array([[3.0, 26.0, 400.0]]), np.array([[20.0], [300.0]])
    theory = Theory(Toy("complex"))
    together = predict(unit_model("A", m_chi, m_zp), experiment, theory)
    assert together.n.shape == (3, 2, 3, 12)
    for i in range(2):
        for j in range(3):
            alone = predict(unit_model("A", m_chi[0, j], m_zp[i, 0]), experiment, theory)
            # sums over the same nodes, in another order; interference cancels to a few per cent
            assert together.n[:, i, j] == pytest.approx(alone.n, rel=1e-12, abs=0)


def test_blocks_change_nothing(monkeypatch, dataset):
    model, theory = unit_model("A", np.geomspace(1, 100, 7), 50.0), Theory(Toy("complex"))
    whole = predict(model, dataset.experiment, theory)
    monkeypatch.setattr(general, "BLOCK", 3)
    # sums over the same nodes, in another order; interference cancels to a few per cent
    assert predict(model, dataset.experiment, theory).n == pytest.approx(whole.n, rel=1e-12, abs=0)
    taken = []
    monkeypatch.setattr(general, "loop_events", lambda block, *_: taken.append(block.m_chi.size) or (0.0, 0.0))
    predict(model, dataset.experiment, theory)
    assert taken == [3, 3, 1]


def test_bins_of_time_add_up(experiment):
    prompt, delayed = (0.0, 0.6, 0.3), (0.25, 0.0, 0.5)
    axis = replace(experiment.axes[0], name="time", unit="us", edges=np.arange(4.0))
    timed = replace(experiment, arrival={"prompt": prompt, "delayed": delayed}, axes=(*experiment.axes, axis))
    model, theory = unit_model("A", [3.0, 26.0], 50.0), Theory(Toy("complex"))
    early, late = (
        predict(model, replace(experiment, arrival=dict(zip(("prompt", "delayed"), shares, strict=True))), theory).n
        for shares in ((1.0, 0.0), (0.0, 1.0))
    )
    split = predict(model, timed, theory).n.reshape(3, 2, 12, 3)
    for t, shares in enumerate(zip(prompt, delayed, strict=True)):
        assert split[..., t] == pytest.approx(shares[0] * early + shares[1] * late, rel=1e-12, abs=0)
    assert early[2].any()
    assert late[2].any()


@pytest.mark.parametrize("kind", ["smooth", "real", "complex"])
def test_nodes_are_enough(kind, experiment, monkeypatch):
    """Cusps anywhere, against twice as many nodes in E and T; with a third of them it fails."""
    rng = np.random.default_rng(5)
    model, theory = unit_model("A", rng.uniform(10, 54, 100), 50.0), Theory(Toy(kind))
    found = parts(model, experiment, theory)["n_loop"]
    usual = type(experiment.response).nodes
    monkeypatch.setattr(general, "ENERGIES", 24)
    monkeypatch.setattr(type(experiment.response), "nodes", 2 * usual)
    many = parts(model, replace(experiment), theory)["n_loop"]
    # measured: 1e-13 and less, and 2e-9 for a response that is interpolated between its nodes
    assert found == pytest.approx(many, rel=1e-8 if usual > 4 else 1e-11, abs=0)
    monkeypatch.setattr(general, "ENERGIES", 4)
    few = parts(model, replace(experiment), theory)["n_loop"]
    assert abs(few / many - 1).max() > 1e-9


@dataclass(frozen=True)
class Mine(Record):
    """A separable amplitude of one's own: coefficients of another, times a number."""

    quarks: Any
    factor: float
    separable = True
    meets_z = True

    def coefficients(self, nuclei, model, theory):
        found = self.quarks.coefficients(nuclei, model, theory)
        return [replace(c, c1=self.factor * c.c1, c2=self.factor * c.c2, c3=self.factor * c.c3) for c in found]

    def flip_and_keep(self, E, T, model, nucleus, theory):
        flip, keep = self.quarks.flip_and_keep(E, T, model, nucleus, theory)
        return self.factor * flip, self.factor * keep


def test_a_separable_amplitude_of_ones_own(dataset):
    model = unit_model("B", [20.0, 70.0], 140.0)
    usual, mine, slow = (
        parts(model, dataset.experiment, Theory(one))
        for one in (REDERIVED, Mine(REDERIVED, -3.0), Slow(Mine(REDERIVED, -3.0)))
    )
    for name, factor in (("n_loop", 9.0), ("n_interference", -3.0)):
        assert mine[name] == pytest.approx(factor * usual[name], rel=1e-14, abs=0)
        assert slow[name] == pytest.approx(mine[name], rel=1e-11, abs=0)
