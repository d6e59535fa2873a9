"""Experiments, counts and data sets of any kind: what they refuse, responses, and neutrinos in bins of time."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import stats

from cevnsloop.amplitudes.theory import OF_QUARKS, Theory
from cevnsloop.checks import Record
from cevnsloop.experiments import csi2017
from cevnsloop.experiments.dataset import Axis, Background, Counts, Dataset, Experiment, Target
from cevnsloop.experiments.response import FineBins, PoissonLight
from cevnsloop.model import unit_model
from cevnsloop.nucleus import nuclide
from cevnsloop.rates import xsec
from cevnsloop.rates.events import kernels, predict, sm_events
from cevnsloop.rates.flux import decay_at_rest

CS, TWELVE = nuclide("Cs133"), np.ones(12)
THEORY = Theory()


# What is refused

BAD_EXPERIMENTS = {
    "name": ({"name": 2017}, "name must be of the type str, got 2017"),
    "doi": ({"doi": None}, "doi must be of the type str, got None"),
    "settings": ({"settings": {}}, "settings must be of the type Record, got {}"),
    "response": ({"response": None}, r"response must be such as response\.FineBins, got None"),
    "inputs": ({"inputs": {"quark_masses.b": 4.7}}, "inputs must be of the type Table, got {"),
    "no target": ({"targets": ()}, "must have a target"),
    "targets": ({"targets": None}, "targets must be of the type Sequence, got None"),
    "a nuclide": ({"targets": (CS,)}, "target must be of the type Target, got Nuclide"),
    "fluence": ({"fluence": 0}, r"fluence must be > 0 MeV\^2 and finite, got 0.0"),
    "percent": ({"arrival": {"prompt": 100.0, "delayed": 91.5}}, "fractions <= 1 of 'prompt' and 'delayed'"),
    "too many": ({"arrival": {"prompt": [0.6, 0.6], "delayed": [0.5, 0.5]}}, "fractions <= 1 of 'prompt'"),
    "other fractions": ({"arrival": {"prompt": 1.0}}, "fractions <= 1 of 'prompt' and 'delayed'"),
    "late": ({"arrival": {"prompt": 1.0, "delayed": 0.5, "late": 0.5}}, "fractions <= 1 of 'prompt' and 'delayed'"),
    "negative": ({"arrival": {"prompt": 1.0, "delayed": -0.1}}, r"arrival\['delayed'\] must be >= 0 and finite"),
    "a row": ({"arrival": [1.0, 0.9]}, "arrival must be of the type Mapping"),
    "two times": (
        {"arrival": {"prompt": 1.0, "delayed": [0.4, 0.5]}},
        r"arrival\['delayed'\] must have the shape \(1,\), got \(2,\)",
    ),
    "a table": (
        {"arrival": {"prompt": np.full((2, 2), 0.1), "delayed": np.full((2, 2), 0.1)}},
        r"arrival\['prompt'\] must have the shape \(4,\), got \(2, 2\)",
    ),
    "no axis": ({"axes": ()}, r"axes must have 12 x 1 bins, those of light and time, got $"),
    "edges": ({"axes": (np.arange(13.0),)}, "axis must be of the type Axis, got array"),
    "short axis": ({"axes": (Axis("photoelectrons", "PE", np.arange(12.0)),)}, "axes must have 12 x 1 bins.*got 11"),
    "no time axis": ({"arrival": {"prompt": [0.5, 0.5], "delayed": [0.5, 0.4]}}, "axes must have 12 x 2 bins.*got 12"),
}


@pytest.mark.parametrize(("changes", "message"), BAD_EXPERIMENTS.values(), ids=BAD_EXPERIMENTS)
def test_an_experiment_refuses(changes, message, dataset):
    with pytest.raises(ValueError, match=message):
        replace(dataset.experiment, **changes)


def test_time_is_the_last_axis(dataset):
    light, time = dataset.axes[0], Axis("time", "us", [0.0, 1.0, 6.0])
    arrival = {"prompt": [0.5, 0.5], "delayed": [0.5, 0.4]}
    made = replace(dataset.experiment, axes=(light, time), arrival=arrival)
    assert made.n_bins == 24
    with pytest.raises(ValueError, match="axes must have 12 x 2 bins, those of light and time, got 2 x 12"):
        replace(dataset.experiment, axes=(time, light), arrival=arrival)


BAD_RECORDS = {
    "target": (lambda d: Target("Cs133", 1e26), "nuclide must be of the type Nuclide, got 'Cs133'"),
    "count": (lambda d: Target(CS, 0.0), "count must be > 0 nuclei and finite, got 0.0"),
    "falling edges": (lambda d: Axis("time", "us", np.arange(13.0)[::-1]), "time must be increasing"),
    "one edge": (lambda d: Axis("time", "us", [1.0]), "time must be increasing, at least two numbers"),
    "edge at infinity": (lambda d: Axis("time", "us", [0.0, np.inf]), "time must be finite"),
    "one count": (lambda d: replace(d.counts, b_ss=3.0), r"b_ss must have the shape \(12,\), got \(\)"),
    "toys of one": (
        lambda d: replace(d.counts, n_on=np.ones((2, 12))),
        r"b_ss must have the shape \(2, 12\), got \(12,\)",
    ),
    "negative counts": (lambda d: replace(d.counts, b_ss=np.full(12, -1)), "b_ss must be >= 0 and finite, got -1.0"),
    "missing counts": (lambda d: replace(d.counts, n_on=np.full(12, np.nan)), "n_on must be >= 0 and finite, got nan"),
    "masked counts": (
        lambda d: replace(d.counts, n_on=np.ma.masked_equal(np.arange(12), 3)),
        "n_on must be without masked entries",
    ),
    "text": (lambda d: replace(d.counts, n_on=["1"] * 12), "n_on must be a number without a unit, got "),
    "centre": (
        lambda d: replace(d.counts, centres={"alpha": np.zeros(12)}),
        r"centres\['alpha'\] must have the shape \(\), got \(12,\)",
    ),
    "toy without a centre": (
        lambda d: Counts(np.ones((3, 12)), np.ones((3, 12)), {"alpha": 0.0}),
        r"centres\['alpha'\] must have the shape \(3,\), got \(\)",
    ),
    "no centre": (
        lambda d: replace(d.counts, centres={"alpha": np.nan}),
        r"centres\['alpha'\] must be finite, got nan",
    ),
    "centres": (lambda d: replace(d.counts, centres=[0.0]), "centres must be of the type Mapping"),
    "negative neutrons": (lambda d: Background(-TWELVE, 0.1), "events must be >= 0 and finite, got -1.0"),
    "width": (lambda d: Background(TWELVE, -0.1), "sigma must be >= 0 and finite, got -0.1"),
    "widths": (lambda d: Background(TWELVE, [0.25, 0.25]), "sigma must be one number, got 2 of them"),
}


@pytest.mark.parametrize(("make", "message"), BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_record_refuses(make, message, dataset):
    with pytest.raises(ValueError, match=message):
        make(dataset)


BAD_DATA = {
    "experiment": ({"experiment": "CsI 2017"}, "experiment must be of the type Experiment, got 'CsI 2017'"),
    "counts": ({"counts": TWELVE}, "counts must be of the type Counts, got array"),
    "too few counts": (
        {"counts": Counts([1.0] * 3, [1.0] * 3)},
        r"n_on must have the shape \(\.\.\., 12\), got \(3,\)",
    ),
    "toys of neutrons": (
        {"backgrounds": {"beta": Background(np.ones((2, 12)), 0.1)}},
        r"backgrounds\['beta'\] must have the shape \(12,\), got \(2, 12\)",
    ),
    "neutrons": ({"backgrounds": {"beta": TWELVE}}, "background must be of the type Background, got array"),
    "nameless": ({"backgrounds": [Background(TWELVE, 0.1)]}, "backgrounds must be of the type Mapping"),
    "sigma": ({"sigma_alpha": -1}, "sigma_alpha must be >= 0 and finite, got -1.0"),
    "sigmas": ({"sigma_alpha": [0.28, 0.28]}, "sigma_alpha must be one number, got 2 of them"),
}


@pytest.mark.parametrize(("changes", "message"), BAD_DATA.values(), ids=BAD_DATA)
def test_a_data_set_refuses(changes, message, dataset):
    with pytest.raises(ValueError, match=message):
        replace(dataset, **changes)


BAD_RESPONSES = {
    "light": ({"pe_per_MeV": 0.0}, "pe_per_MeV must be > 0 PE/MeV and finite, got 0.0"),
    "edges": ({"fine_edges": [0.0, 2.0, 1.0]}, "fine_edges must be increasing"),
    "shape": ({"acceptance": np.ones(3)}, r"acceptance must have the shape \("),
    "percent": ({"acceptance": np.full(35, 66.0)}, "acceptance must be <= 1"),
    "nothing": ({"acceptance": np.zeros(35)}, "> 0 in some fine bin that belongs to a coarse one"),
    "assignment": ({"assignment": np.full(35, 12)}, "assignment must be whole numbers from -1 to 11"),
    "half a bin": ({"assignment": np.full(35, 0.5)}, "assignment must be whole numbers from -1 to 11"),
    "bins": ({"n_bins": 12.0}, "n_bins must be a whole number, got 12.0"),
}
BAD_COUNTS = {
    "half a count": ({"counts": np.full(35, 0.5)}, "counts must be whole numbers of PE, got "),
    "negative count": ({"counts": np.full(35, -1.0)}, "counts must be >= 0 PE and finite, got -1.0"),
    "three counts": ({"counts": np.ones(3)}, r"counts must have the shape \("),
}


def refuses(response, changes, message):
    fine = len(response.acceptance)
    fitting = {k: np.resize(v, fine) if np.size(v) == 35 else v for k, v in changes.items()}
    with pytest.raises(ValueError, match=message):
        replace(response, **fitting)


@pytest.mark.parametrize(("changes", "message"), BAD_RESPONSES.values(), ids=BAD_RESPONSES)
def test_a_response_refuses(changes, message, dataset, smeared):
    refuses(dataset.experiment.response, changes, message)
    refuses(smeared.response, changes, message)


@pytest.mark.parametrize(("changes", "message"), BAD_COUNTS.values(), ids=BAD_COUNTS)
def test_a_smeared_response_refuses(changes, message, smeared):
    refuses(smeared.response, changes, message)


# What they are


@pytest.fixture(scope="module")
def smeared():
    return csi2017.dataset(csi2017.Settings(smearing="poisson")).experiment


def test_a_data_set_says_what_its_parts_say(dataset):
    experiment, counts = dataset.experiment, dataset.counts
    for name in ("name", "doi", "settings", "axes"):
        assert getattr(dataset, name) is getattr(experiment, name)
    assert (dataset.n_on, dataset.b_ss) == (counts.n_on, counts.b_ss)
    assert dataset.pe_edges is experiment.axes[0].edges
    assert dataset.n_obs.tolist() == (counts.n_on - counts.b_ss).tolist()
    another = Background(2 * TWELVE, 0.5)
    more = replace(dataset, backgrounds={**dataset.backgrounds, "gamma": another})
    assert more.b_on.tolist() == (dataset.b_on + 2).tolist()
    assert more.sigma**2 == pytest.approx(dataset.sigma**2 + 2, rel=1e-15, abs=0)
    none = replace(dataset, backgrounds={})
    assert none.b_on.tolist() == [0.0] * 12
    assert none.sigma**2 == pytest.approx(counts.n_on + counts.b_ss, rel=1e-15, abs=0)


def test_counts_of_many_experiments():
    rng = np.random.default_rng(1)
    n_on, b_ss, centre = rng.poisson(5.0, (4, 12)), rng.poisson(5.0, (4, 12)), rng.normal(size=4)
    counts = Counts(n_on, b_ss, {"alpha": centre})
    assert counts.centre("alpha").tolist() == centre.tolist()
    assert counts.centre("beta").tolist() == [0.0] * 4
    some = counts.at([2, 0])
    assert (some.n_on.tolist(), some.b_ss.tolist()) == (n_on[[2, 0]].tolist(), b_ss[[2, 0]].tolist())
    assert some.centre("alpha").tolist() == centre[[2, 0]].tolist()
    assert counts.at(1).n_on.shape == (12,)
    assert counts.at(1).centre("alpha") == centre[1]


def test_bins_are_named_by_their_ranges(dataset):
    assert dataset.experiment.named([0, 11]) == "bin 4 (6 to 8 PE), bin 15 (28 to 30 PE)"
    timed = in_time(dataset.experiment, [0.5, 0.5], [0.5, 0.4])
    assert timed.named([3]) == "bin 7 (8 to 10 PE and 1 to 2 us)"


# Responses


def test_without_smearing_a_recoil_is_in_one_bin_or_in_none():
    response = FineBins(1000.0, [5.0, 6.0, 7.0, 8.0, 9.0], [0.5, 0.25, 1.0, 0.0], [0, 1, 1, -1], 2)
    seen = response.probability(np.array([[4.9, 5.0, 5.9], [6.0, 7.5, 8.5]]) / 1000.0)
    assert seen.tolist() == [[[0, 0], [0.5, 0], [0.5, 0]], [[0, 0.25], [0, 1.0], [0, 0]]]
    assert (response.breaks(1.0) * 1000).tolist() == pytest.approx([5.0, 6.0, 7.0, 8.0], rel=1e-15, abs=0)
    assert response.n_bins == 2


@pytest.mark.parametrize("mean", [0.5, 7.0, 40.0])
def test_smeared_light_is_poisson_about_its_mean(mean):
    """Bins of n = 5 and 6 and of n = 7 photoelectrons, the second accepted half of the time."""
    response = PoissonLight(1000.0, [5.0, 6.0, 7.0, 8.0], [1.0, 1.0, 0.5], [0, 0, 1], 2, [5, 6, 7])
    seen = response.probability(mean / 1000.0)
    p = stats.poisson.pmf([5, 6, 7], mean)
    assert seen == pytest.approx([p[0] + p[1], p[2] / 2], rel=1e-12, abs=0)


def test_smeared_light_is_integrated_in_steps_of_its_width(smeared):
    response = smeared.response
    breaks = response.breaks(0.05)
    assert breaks[0] == 0.0
    assert breaks[-2] < 0.05 <= breaks[-1]
    mean = breaks * response.pe_per_MeV
    middle = (mean[1:] + mean[:-1]) / 2
    assert np.diff(mean)[4:] == pytest.approx(np.sqrt(middle)[4:], rel=0.01, abs=0)


@dataclass(frozen=True)
class Everything(Record):
    """A Response of one's own: recoils below and above `edge` in MeV, all of them seen."""

    edge: float
    n_bins = 2
    nodes = 12

    def breaks(self, T_max):
        return np.concatenate([np.linspace(0, self.edge, 9), np.linspace(self.edge, max(T_max, 2 * self.edge), 9)[1:]])

    def probability(self, T):
        return np.stack([self.edge > T, self.edge <= T], axis=-1).astype(float)


def test_a_response_of_ones_own_sees_the_total_cross_section(dataset):
    """Prompt neutrinos alone: both bins together are flux times cross section, the low one what is left above none."""
    line, edge = decay_at_rest()[0], 0.004
    arrival, axis = {"prompt": 1.0, "delayed": 0.0}, Axis("recoil", "keV", [0.0, 4.0, 100.0])
    experiment = Experiment(
        "all recoils", "", dataset.settings, [Target(CS, 2.0)], 3.0, Everything(edge), arrival, [axis]
    )
    low, high = sm_events(experiment, THEORY)
    total = xsec.total(xsec.dsigma_sm, line.E_max, 0.0, CS, THEORY)
    # the total is integrated to 1e-10
    assert low + high == pytest.approx(6 * total, rel=1e-9, abs=0)
    assert 0 < high < low


# Arrival in bins of time


def in_time(experiment, prompt, delayed):
    """The experiment with the fractions of neutrinos in bins of time of 1 us each."""
    axis = Axis("time", "us", np.arange(len(prompt) + 1.0))
    return replace(experiment, arrival={"prompt": prompt, "delayed": delayed}, axes=(*experiment.axes, axis))


PROMPT, DELAYED = (0.0, 0.6, 0.3), (0.25, 0.0, 0.5)
MODEL = unit_model("A", [3.0, 25.0, 51.0], [30.0, 2.0, 500.0])


@pytest.fixture(params=["none", "poisson"])
def experiment(request, dataset, smeared):
    return {"none": dataset.experiment, "poisson": smeared}[request.param]


@pytest.mark.parametrize("amplitude", OF_QUARKS)
@pytest.mark.parametrize("neutrinos", ["all", "e", "mu"])
def test_bins_of_time_add_up_to_one(amplitude, neutrinos, experiment):
    model, theory = replace(MODEL, neutrinos=neutrinos), Theory(OF_QUARKS[amplitude])
    timed = in_time(experiment, PROMPT, DELAYED)
    whole = replace(experiment, arrival={"prompt": sum(PROMPT), "delayed": sum(DELAYED)})
    split = predict(model, timed, theory)
    assert split.n.shape == (3, 3, 36)
    assert split.axes == timed.axes
    added = split.n.reshape(3, 3, 12, 3).sum(-1)
    expected = predict(model, whole, theory).n
    # the interference of neutrinos and antineutrinos cancels to a few per cent
    assert added == pytest.approx(expected, rel=1e-13, abs=0)


def test_prompt_and_delayed_neutrinos_arrive_when_they_should(experiment):
    theory = Theory(OF_QUARKS["rederived"])
    timed = predict(MODEL, in_time(experiment, PROMPT, DELAYED), theory).n.reshape(3, 3, 12, 3)
    prompt, delayed = (
        predict(MODEL, replace(experiment, arrival=dict(zip(("prompt", "delayed"), shares, strict=True))), theory).n
        for shares in ((1.0, 0.0), (0.0, 1.0))
    )
    assert prompt.any()
    assert delayed.any()
    for t, shares in enumerate(zip(PROMPT, DELAYED, strict=True)):
        assert timed[..., t] == pytest.approx(shares[0] * prompt + shares[1] * delayed, rel=1e-13, abs=0)


def test_electron_neutrinos_are_delayed(experiment):
    n = predict(replace(MODEL, neutrinos="e"), in_time(experiment, PROMPT, DELAYED), THEORY).n.reshape(3, 3, 12, 3)
    assert n[0, ..., 1].any()  # Z exchange knows no flavour
    assert not n[1:, ..., 1].any()
    assert n[1:, :2, :, 2] == pytest.approx(2 * n[1:, :2, :, 0], rel=1e-13, abs=0)


def test_kernels_of_time_bins(experiment):
    timed = in_time(experiment, PROMPT, DELAYED)
    one = replace(experiment, arrival={"prompt": sum(PROMPT), "delayed": sum(DELAYED)})
    split, whole = kernels(timed, "mu", THEORY), kernels(one, "mu", THEORY)
    assert split.loop.shape == (2, 4, 36)
    for name in ("n_sm", "loop", "interference"):
        added = getattr(split, name).reshape(*getattr(whole, name).shape, 3).sum(-1)
        assert added == pytest.approx(getattr(whole, name), rel=1e-13, abs=0)


def test_a_data_set_in_bins_of_time(dataset):
    """The counts of a data set are flat, time fastest, as are its predictions."""
    timed = in_time(dataset.experiment, PROMPT, DELAYED)
    n_on = np.arange(36.0).reshape(12, 3)
    made = Dataset(timed, Counts(n_on.ravel(), n_on.ravel() / 2), 0.28, {"beta": Background(np.ones(36), 0.25)})
    assert made.n_obs.reshape(12, 3)[4].tolist() == (n_on[4] / 2).tolist()
    with pytest.raises(ValueError, match="events in 12 bins cannot meet data in 36 bins"):
        predict(MODEL, dataset.experiment, THEORY).in_bins_of(timed)
    events = predict(MODEL, timed, THEORY)
    assert events.in_bins_of(timed) is events
    later = replace(timed, axes=(timed.axes[0], Axis("time", "us", [1.0, 2.0, 3.0, 4.0])))
    with pytest.raises(ValueError, match="events and data must have the same bins, got 0 to 3 us and 1 to 4 us"):
        events.in_bins_of(later)
