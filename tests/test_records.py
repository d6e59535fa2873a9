"""What the package hands out, nobody can change; what it is given is checked; records survive copies and processes."""

import copy
import importlib
import pickle
import pkgutil
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import FrozenInstanceError, asdict, fields, is_dataclass, replace
from multiprocessing import get_context

import numpy as np
import pytest

import cevnsloop
from cevnsloop.amplitudes.quarks import PUBLISHED, REDERIVED, LoopCoefficients, loop_coefficients
from cevnsloop.experiments import csi2017 as coherent
from cevnsloop.experiments import settings
from cevnsloop.experiments.csi2017 import Target
from cevnsloop.fit import shapes as systematics
from cevnsloop.fit import toys
from cevnsloop.fit.limits import Experiments, Limit, observed, profile, upper_limit
from cevnsloop.fit.poisson import upper_limit_poisson
from cevnsloop.model import DOWN_TYPE, Model, unit_model
from cevnsloop.nucleus import nuclide
from cevnsloop.rates.events import Events, kernels, predict, sm_events
from cevnsloop.results import quoted as paper

MASSES = [1.0, 20.0, 300.0]
MODEL = unit_model("A", MASSES, 40.0)
ONE = unit_model("B", 50.0, 100.0)


def from_kernels(dataset):
    return kernels(dataset, "all")


def from_predict(dataset):
    return predict(MODEL, dataset, REDERIVED)


def from_upper_limit(dataset):
    return upper_limit(from_predict(dataset), dataset, 4.61)


def toy_fits(dataset):
    parts = from_predict(dataset)
    return toys.fits(parts, toys.throw(parts.n_sm, dataset, 5, 1), dataset, [2.71])


HANDED_OUT = {  # what to call with the data set
    "csi2017": lambda d: coherent.csi2017(d.settings),
    "the model": lambda d: MODEL,
    "one model": lambda d: ONE,
    "predict": from_predict,
    "predict of one": lambda d: predict(ONE, d, PUBLISHED),
    "at": lambda d: from_predict(d).at([0, 2]),
    "flat": lambda d: from_predict(d).flat(),
    "parts": lambda d: from_predict(d).parts(1e-8),
    "total": lambda d: from_predict(d).total(1e-8),
    "sm_events": sm_events,
    "kernels": from_kernels,
    "upper_limit": from_upper_limit,
    "upper_limit of one": lambda d: upper_limit(predict(ONE, d, PUBLISHED), d, 4.61),
    "upper_limit_poisson": lambda d: upper_limit_poisson(from_predict(d), d, 4.61),
    "upper_limit_open": lambda d: systematics.upper_limit_open(MODEL, d, REDERIVED, 4.61, ("flux",)),
    "shifted": lambda d: systematics.shifted(d, "acceptance_k", 1),
    "observed": observed,
    "toys": lambda d: toys.throw(sm_events(d), d, 5, 1),
    "fits": toy_fits,
    "bands": lambda d: toys.bands(from_predict(d), d, 4.61, 20, 1),
    "coverage": lambda d: toys.coverage(predict(ONE, d, PUBLISHED).flat(), [1e-9, 1e-8], d, [4.61], 20, 1),
    "feldman_cousins": lambda d: toys.feldman_cousins(from_predict(d), d, 0.9, 20, 1),
    "loop_coefficients": lambda d: loop_coefficients(MODEL, nuclide("Cs133"), PUBLISHED, "mz_rounded"),
    "spectra": lambda d: tuple(paper.spectra(d, PUBLISHED).values()),
    "limit_curves": lambda d: tuple(paper.limit_curves(np.array(MASSES), d, PUBLISHED, 4.61).values()),
    **{
        name: lambda d, name=name: tables.read_table(coherent.TABLES, name)
        for name in ("counts.csv", "prompt_neutrons.csv", "arrival_times.csv")
    },
}


def reachable(thing):
    """Arrays, mappings and records that can be reached from `thing`, itself included."""
    inside = ()
    if is_dataclass(thing):
        inside = [getattr(thing, field.name) for field in fields(thing)]
    elif isinstance(thing, Mapping):
        inside = thing.values()
    elif isinstance(thing, (tuple, list)):
        inside = thing
    if is_dataclass(thing) or isinstance(thing, (np.ndarray, Mapping)):
        yield thing
    for one in inside:
        yield from reachable(one)


def try_to_change(thing):
    if isinstance(thing, np.ndarray):
        with pytest.raises(ValueError, match="read-only"):
            thing *= 0.5
        with pytest.raises(ValueError, match="WRITEABLE"):
            thing[...].flags.writeable = True
    elif isinstance(thing, Mapping):
        key = next(iter(thing))
        for change in (
            lambda: thing.__setitem__(key, 0.0),
            lambda: thing.__delitem__(key),
            lambda: thing.update({key: 0.0}),
            lambda: thing.pop(key),
            lambda: thing.popitem(),
            lambda: thing.setdefault("another", 0.0),
            lambda: thing.__ior__({key: 0.0}),
            thing.clear,
        ):
            with pytest.raises(TypeError, match="read-only"):
                change()
    else:
        with pytest.raises(FrozenInstanceError):
            setattr(thing, fields(thing)[0].name, None)


def bits(thing):
    """The bytes of all that can be reached."""
    arrays = [one for one in reachable(thing) if isinstance(one, np.ndarray)]
    return [(one.shape, one.dtype, one.tobytes()) for one in arrays]


@pytest.mark.parametrize("name", HANDED_OUT)
def test_nothing_that_is_handed_out_can_be_changed(name, dataset):
    before = bits(from_predict(dataset)), bits(from_upper_limit(dataset))
    found = list(reachable(HANDED_OUT[name](dataset)))
    assert found or name == "upper_limit of one"  # numbers in a record, found below
    for one in found:
        try_to_change(one)
    assert (bits(from_predict(dataset)), bits(from_upper_limit(dataset))) == before


def test_every_array_of_the_package_is_read_only():
    """Constants such as fit.SIGNALS: changed, they would change every later result."""
    checked = 0
    for module in pkgutil.walk_packages(cevnsloop.__path__, "cevnsloop."):
        if module.name == "cevnsloop.__main__":
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, np.ndarray) and not name.startswith("_"):
                assert not value.flags.writeable, (module.name, name)
                checked += 1
    assert checked >= 8


RECORDS = {
    "model": lambda d: MODEL,
    "data set": lambda d: d,
    "settings": lambda d: d.settings,
    "response": lambda d: d.response,
    "target": lambda d: d.targets[0],
    "nuclide": lambda d: d.targets[0].nuclide,
    "kernels": from_kernels,
    "grid": lambda d: from_kernels(d).grids[1],
    "events": from_predict,
    "limit": from_upper_limit,
    "experiments": observed,
    "fits": toy_fits,
    "coefficients": HANDED_OUT["loop_coefficients"],
    "table": HANDED_OUT["counts.csv"],
}
COPIES = {
    "pickle": lambda record: pickle.loads(pickle.dumps(record)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "replace": lambda record: replace(record) if is_dataclass(record) else copy.copy(record),
}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("name", RECORDS)
def test_a_copy_is_equal_and_as_read_only(name, how, dataset):
    record = RECORDS[name](dataset)
    copied = COPIES[how](record)
    assert type(copied) is type(record)
    assert repr(copied) == repr(record)
    assert bits(copied) == bits(record)
    for one in reachable(copied):
        if is_dataclass(one) or (isinstance(one, np.ndarray) and is_dataclass(copied)):
            try_to_change(one)


@pytest.mark.parametrize("name", ["model", "data set", "limit", "events"])
def test_records_become_plain_dicts(name, dataset):
    record = RECORDS[name](dataset)
    assert list(asdict(record)) == [field.name for field in fields(record)]


def test_predictions_of_another_process_are_the_same_to_the_last_bit(dataset):
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        there = pool.submit(predict, MODEL, dataset, REDERIVED).result()
    assert bits(there) == bits(from_predict(dataset))


def test_records_do_not_share_what_they_are_made_from(dataset):
    n_on, edges, fractions = dataset.n_on.copy(), dataset.pe_edges.copy(), dict(dataset.arrival)
    acceptance = dataset.response.acceptance.copy()
    response = replace(dataset.response, acceptance=acceptance)
    made = replace(dataset, n_on=n_on, pe_edges=edges, arrival=fractions, response=response)
    before = bits(made), dict(made.arrival)
    for array in (n_on, edges, acceptance):
        array *= 0.5
    fractions["prompt"] = 0.5
    assert (bits(made), dict(made.arrival)) == before


def test_a_read_only_view_of_what_can_change_is_copied(dataset):
    mine = dataset.n_on.copy()
    view = mine[:]
    view.flags.writeable = False
    made = replace(dataset, n_on=view)
    mine[0] = 1000.0
    assert made.n_on[0] == dataset.n_on[0]


BAD_DATA = {
    "too few counts": ({"n_on": [1.0, 2.0, 3.0]}, r"n_on must have the shape \(\.\.\., 12\), got \(3,\)"),
    "one count": ({"b_ss": 3.0}, r"b_ss must have the shape \(\.\.\., 12\), got \(\)"),
    "toys of neutrons": ({"b_on": np.ones((2, 12))}, r"b_on must have the shape \(12,\), got \(2, 12\)"),
    "negative counts": ({"b_ss": np.full(12, -1)}, "b_ss must be >= 0 and finite, got -1.0"),
    "missing counts": ({"n_on": np.full(12, np.nan)}, "n_on must be >= 0 and finite, got nan"),
    "masked counts": ({"n_on": np.ma.masked_equal(np.arange(12), 3)}, "n_on must be without masked entries"),
    "text": ({"n_on": ["1"] * 12}, "n_on must be a number without a unit, got "),
    "edges": ({"pe_edges": np.arange(12.0)}, r"pe_edges must have the shape \(13,\), got \(12,\)"),
    "falling edges": ({"pe_edges": np.arange(13.0)[::-1]}, "pe_edges must be increasing"),
    "sigma": ({"sigma_alpha": -1}, "sigma_alpha must be >= 0 and finite, got -1.0"),
    "sigmas": ({"sigma_beta": [0.25, 0.25]}, "sigma_beta must be one number, got 2 of them"),
    "fluence": ({"fluence": 0}, "fluence must be > 0 MeV\\^2 and finite, got 0.0"),
    "no target": ({"targets": ()}, "must have a target"),
    "a nuclide": ({"targets": (nuclide("Cs133"),)}, "target must be of the type Target, got Nuclide"),
    "percent": ({"arrival": {"prompt": 100.0, "delayed": 91.5}}, "fractions <= 1 of 'prompt' and 'delayed'"),
    "other fractions": ({"arrival": {"prompt": 1.0}}, "fractions <= 1 of 'prompt' and 'delayed'"),
    "settings": ({"settings": {}}, "settings must be of the type Settings, got {}"),
    "response": ({"response": None}, "response must be of the type Response, got None"),
    "name": ({"name": 2017}, "name must be of the type str, got 2017"),
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
    "half a count": ({"counts": np.full(35, 0.5)}, "counts whole numbers"),
    "bins": ({"n_bins": 12.0}, "n_bins must be a whole number, got 12.0"),
}


@pytest.mark.parametrize(("changes", "message"), BAD_RESPONSES.values(), ids=BAD_RESPONSES)
def test_a_response_refuses(changes, message, dataset):
    fine = len(dataset.response.acceptance)
    fitting = {k: np.resize(v, fine) if np.size(v) == 35 else v for k, v in changes.items()}
    with pytest.raises(ValueError, match=message):
        replace(dataset.response, **fitting)


TWELVE = np.ones(12)
CS = nuclide("Cs133")
BAD_RECORDS = {
    "nuclide": (lambda d: replace(CS, Z=55.5), "Z must be a whole number, got 55.5"),
    "mass": (lambda d: replace(CS, M=-1.0), "M must be > 0 MeV and finite, got -1.0"),
    "size": (lambda d: replace(CS, size=np.nan), "size must be > 0 and finite, got nan"),
    "target": (lambda d: Target("Cs133", 1e26), "nuclide must be of the type Nuclide, got 'Cs133'"),
    "count": (lambda d: Target(CS, 0.0), "count must be > 0 nuclei and finite, got 0.0"),
    "events": (lambda d: Events(TWELVE, TWELVE, TWELVE, TWELVE[:3]), r"n_loop must have the shape \(12,\), got \(3,\)"),
    "one tree": (lambda d: Events(TWELVE, 1.0, TWELVE, TWELVE), r"n_tree must have the shape \(12,\), got \(\)"),
    "infinite": (lambda d: Events(TWELVE, TWELVE, TWELVE, TWELVE * np.inf), "n_loop must be finite, got inf"),
    "edges": (lambda d: Events(*[TWELVE] * 4, np.arange(12.0)), r"pe_edges must have the shape \(13,\)"),
    "limit": (lambda d: Limit(TWELVE, TWELVE, 1.0), r"chi2_min must have the shape \(12,\), got \(\)"),
    "toys": (
        lambda d: Experiments(*np.ones((2, 3, 12)), np.zeros(2), np.zeros(3)),
        r"b_ss must have the shape \(2, 12\)",
    ),
    "toy": (lambda d: Experiments(*-np.ones((2, 3, 12)), *np.zeros((2, 3))), "n_on must be >= 0 and finite, got -1.0"),
    "grid": (lambda d: replace(from_kernels(d).grids[0], weights=TWELVE), r"weights must have the shape \("),
    "nodes": (lambda d: replace(from_kernels(d).grids[0], T=TWELVE), r"T must have the shape \("),
    "kernels": (lambda d: replace(from_kernels(d), loop=TWELVE), r"loop must have the shape \(2, 4, 12\)"),
    "coefficients": (lambda d: LoopCoefficients(1.0, np.nan, 1.0), "c2 must be finite, got nan"),
}


@pytest.mark.parametrize(("make", "message"), BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_record_refuses(make, message, dataset):
    with pytest.raises(ValueError, match=message):
        make(dataset)


def test_counts_of_any_kind_give_the_same_limits():
    """Unsigned counts below the steady state went around zero: 3 - 7 = 2^64 - 4."""
    data = coherent.csi2017(settings.csi2017(last_bin=25))
    assert (data.n_obs < 0).any()
    events = predict(MODEL, data, PUBLISHED)
    expected = bits(upper_limit(events, data, 4.61))
    for convert in (
        lambda counts: counts.astype("u8"),
        lambda counts: counts.astype(">i2"),
        lambda counts: counts.astype(object),
        lambda counts: counts.tolist(),
        lambda counts: np.ma.masked_less(counts, 0),  # masks nothing
    ):
        other = replace(data, n_on=convert(data.n_on), b_ss=convert(data.b_ss))
        assert bits(upper_limit(events, other, 4.61)) == expected


@pytest.mark.parametrize("bins", [{"first_bin": 5, "last_bin": 16}, {"last_bin": 14}])
def test_events_meet_only_data_of_the_same_bins(bins, dataset):
    """As many bins and other ones, or fewer: chi^2 compared unlike bins, or numpy said so."""
    events, other = from_predict(dataset), coherent.csi2017(settings.csi2017(**bins))
    toy = toys.throw(sm_events(other), other, 3, 1)
    for meet in (
        lambda: upper_limit(events, other, 4.61),
        lambda: upper_limit_poisson(events, other, 4.61),
        lambda: toys.fits(events, toy, other, [4.61]),
    ):
        with pytest.raises(ValueError, match=r"events and data must have the same bins|cannot meet data in 11 bins"):
            meet()


def test_one_number_is_no_spectrum(dataset):
    for n_th in (1.0, np.ones((3, 1))):
        with pytest.raises(ValueError, match=r"n_th must have the shape \(\.\.\., 12\)"):
            profile(n_th, dataset)
    one = Experiments(np.ones((3, 1)), np.ones((3, 1)), np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match=r"n_on must have the shape \(\.\.\., 12\), got \(3, 1\)"):
        toys.fits(from_predict(dataset), one, dataset)


class Quantity:
    """A number with a unit attached, as those of astropy (`unit`) and pint (`units`): numpy takes the number alone."""

    def __init__(self, number, label):
        self.number = np.asarray(number)
        setattr(self, label, "GeV")

    def __array__(self, dtype=None, copy=None):
        return self.number.astype(dtype)

    def __float__(self):
        return float(self.number)


@pytest.mark.parametrize("label", ["unit", "units"])
def test_quantities_are_refused_by_name(label, dataset):
    """0.01 GeV was read as 0.01 MeV."""
    one, twelve = Quantity(0.01, label), Quantity(TWELVE, label)
    events = from_predict(dataset)
    for name, use in {
        "m_chi": lambda: unit_model("A", one, 100.0),
        "m_zp": lambda: unit_model("A", 1.0, [10.0, one]),
        "g_chi_L": lambda: Model("A", 1.0, 10.0, one, 1.0, DOWN_TYPE),
        r"g_q\['d'\]": lambda: unit_model("A", 1.0, 10.0, {"d": one}),
        "detector_mass_kg": lambda: settings.csi2017(detector_mass_kg=one),
        "n_on": lambda: replace(dataset, n_on=twelve),
        "fluence": lambda: replace(dataset, fluence=one),
        "pe_per_MeV": lambda: replace(dataset.response, pe_per_MeV=one),
        "n_sm": lambda: Events(twelve, TWELVE, TWELVE, TWELVE),
        "g": lambda: events.total(one),
        "delta_chi2": lambda: upper_limit(events, dataset, one),
    }.items():
        with pytest.raises(ValueError, match=f"^{name} must be a plain number .*with the unit GeV attached"):
            use()


@pytest.mark.parametrize("wrong", ["published", None, {"nuclear_matching": "published"}])
def test_predict_says_what_it_expects(wrong, dataset):
    with pytest.raises(ValueError, match=r"amplitude must be of the type Amplitude, such as amplitude\.PUBLISHED, got"):
        predict(MODEL, dataset, wrong)
    with pytest.raises(ValueError, match="model must be of the type Model, such as unit_model"):
        predict(wrong, dataset, PUBLISHED)
    with pytest.raises(ValueError, match=r"dataset must be of the type Dataset, such as coherent\.csi2017"):
        predict(MODEL, wrong, PUBLISHED)
    with pytest.raises(ValueError, match="neutrinos must be one of all, e, mu, got"):
        kernels(dataset, str(wrong))
