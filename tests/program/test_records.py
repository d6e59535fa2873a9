"""What the package hands out, nobody can change; records survive copies and processes. test_dataset.py and others hold
what records refuse.
"""

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
from cevnsloop.amplitudes.quarks import REDERIVED, LoopCoefficients, loop_coefficients
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.experiments import csi2017, tables
from cevnsloop.experiments import dataset as records
from cevnsloop.fit import shapes, toys
from cevnsloop.fit.gaussian import gaussian
from cevnsloop.fit.limits import Limit, upper_limit
from cevnsloop.fit.poisson import poisson
from cevnsloop.inputs import STANDARD
from cevnsloop.model import DOWN_TYPE, Model, unit_model
from cevnsloop.nucleus import nuclide
from cevnsloop.rates import flux
from cevnsloop.rates.events import Events, kernels, parts, predict, sm_events
from cevnsloop.results import quoted

MASSES = [1.0, 20.0, 300.0]
MODEL = unit_model("A", MASSES, 40.0)
ONE = unit_model("B", 50.0, 100.0)
THEORY = Theory(REDERIVED, inputs=STANDARD.changed({"quark_masses.b": 4.7}))
PUBLISHED = Theory()


def from_kernels(data):
    return kernels(data.experiment, "all", PUBLISHED)


def from_predict(data):
    return predict(MODEL, data.experiment, THEORY)


def from_upper_limit(data):
    return upper_limit(from_predict(data), data, 4.61)


def thrown(data):
    return toys.throw(sm_events(data.experiment, PUBLISHED), data, 5, 1)


def toy_fits(data):
    return toys.fits(from_predict(data), thrown(data), gaussian(data), [2.71])


HANDED_OUT = {  # what to call with the data set
    "csi2017": lambda d: csi2017.dataset(d.settings),
    "the model": lambda d: MODEL,
    "one model": lambda d: ONE,
    "the theory": lambda d: THEORY,
    "the beam": lambda d: flux.decay_at_rest(),
    "predict": from_predict,
    "predict of one": lambda d: predict(ONE, d.experiment, PUBLISHED),
    "predict_open": lambda d: shapes.predict_open(MODEL, d, THEORY, ["flux", "quenching"]),
    "at": lambda d: from_predict(d).at([0, 2]),
    "flat": lambda d: from_predict(d).flat(),
    "parts": lambda d: parts(MODEL, d.experiment, THEORY, 1e-8),
    "total": lambda d: from_predict(d).total(1e-8),
    "sm_events": lambda d: sm_events(d.experiment, PUBLISHED),
    "kernels": from_kernels,
    "statistics": lambda d: (gaussian(d), poisson(d)),
    "upper_limit": from_upper_limit,
    "upper_limit of one": lambda d: upper_limit(predict(ONE, d.experiment, PUBLISHED), d, 4.61),
    "upper_limit by poisson": lambda d: upper_limit(from_predict(d), d, 4.61, poisson),
    "upper_limit_open": lambda d: shapes.upper_limit_open(MODEL, d, THEORY, 4.61, ("flux",)),
    "shifted": lambda d: shapes.shifted(d, "acceptance_k", 1),
    "what was counted": lambda d: (d.n_obs, d.sigma, d.b_on, d.pe_edges, d.counts.at(...)),
    "toys": thrown,
    "some toys": lambda d: thrown(d).at([0, 3]),
    "fits": toy_fits,
    "bands": lambda d: toys.bands(from_predict(d), d, 4.61, 20, 1),
    "feldman_cousins": lambda d: toys.feldman_cousins(from_predict(d), d, 0.9, 20, 1),
    "loop_coefficients": lambda d: loop_coefficients(MODEL, nuclide("Cs133"), REDERIVED, "mz_rounded"),
    "spectra": lambda d: tuple(quoted.spectra(d.experiment, PUBLISHED).values()),
    "limit_curves": lambda d: tuple(quoted.limit_curves(np.array(MASSES), d, PUBLISHED, 4.61).values()),
    **{
        name: lambda d, name=name: tables.read_table(csi2017.TABLES, name)
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
        key = next(iter(thing), "the first")
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
    """Constants such as search.SIGNALS: changed, they would change every later result."""
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
    "theory": lambda d: THEORY,
    "amplitude": lambda d: REDERIVED,
    "inputs": lambda d: THEORY.inputs,
    "data set": lambda d: d,
    "experiment": lambda d: d.experiment,
    "axis": lambda d: d.axes[0],
    "counts": lambda d: d.counts,
    "background": lambda d: d.backgrounds["beta"],
    "settings": lambda d: d.settings,
    "response": lambda d: d.experiment.response,
    "smeared response": lambda d: csi2017.dataset(csi2017.Settings(smearing="poisson")).experiment.response,
    "target": lambda d: d.experiment.targets[0],
    "nuclide": lambda d: d.experiment.targets[0].nuclide,
    "beam": lambda d: flux.decay_at_rest()[1],
    "kernels": from_kernels,
    "grid": lambda d: from_kernels(d).grids[1],
    "events": from_predict,
    "events with changes": HANDED_OUT["predict_open"],
    "limit": from_upper_limit,
    "gaussian": gaussian,
    "poisson": poisson,
    "toys": thrown,
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


@pytest.mark.parametrize("name", ["model", "theory", "amplitude", "inputs", "settings", "target", "nuclide", "beam"])
def test_records_of_numbers_are_values_and_those_of_arrays_are_not(name, dataset):
    """A Theory is a key of kernels, and so is an Experiment: the first by its value, the second by what it is."""
    record = RECORDS[name](dataset)
    copied = pickle.loads(pickle.dumps(record))
    assert (copied == record) is (name != "model")
    assert (hash(copied) == hash(record)) is (name != "model")
    assert pickle.loads(pickle.dumps(dataset.experiment)) != dataset.experiment == dataset.experiment


@pytest.mark.parametrize("name", ["model", "theory", "data set", "experiment", "limit", "events"])
def test_records_become_plain_dicts(name, dataset):
    record = RECORDS[name](dataset)
    assert list(asdict(record)) == [field.name for field in fields(record)]


def test_predictions_of_another_process_are_the_same_to_the_last_bit(dataset):
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        there = pool.submit(predict, MODEL, dataset.experiment, THEORY).result()
    assert bits(there) == bits(from_predict(dataset))


def test_records_do_not_share_what_they_are_made_from(dataset):
    n_on, edges, delayed = dataset.n_on.copy(), dataset.pe_edges.copy(), dataset.experiment.arrival["delayed"].copy()
    acceptance, events, centre = dataset.experiment.response.acceptance.copy(), dataset.b_on.copy(), np.zeros(())
    fractions, centres = {**dataset.experiment.arrival, "delayed": delayed}, {"alpha": centre}
    backgrounds = {"beta": replace(dataset.backgrounds["beta"], events=events)}
    made = replace(
        dataset,
        experiment=replace(
            dataset.experiment,
            axes=[replace(dataset.axes[0], edges=edges)],
            arrival=fractions,
            response=replace(dataset.experiment.response, acceptance=acceptance),
        ),
        counts=replace(dataset.counts, n_on=n_on, centres=centres),
        backgrounds=backgrounds,
    )
    before = bits(made)
    for array in (n_on, edges, acceptance, events, delayed):
        array *= 0.5
    centre += 1.0
    for mapping in (fractions, centres, backgrounds):
        mapping.clear()
    assert bits(made) == before


def test_a_read_only_view_of_what_can_change_is_copied(dataset):
    mine = dataset.n_on.copy()
    view = mine[:]
    view.flags.writeable = False
    made = replace(dataset.counts, n_on=view)
    mine[0] = 1000.0
    assert made.n_on[0] == dataset.n_on[0]


TWELVE, SPECTRA = np.ones(12), np.ones((3, 12))
CS = nuclide("Cs133")
BAD_RECORDS = {
    "nuclide": (lambda d: replace(CS, Z=55.5), "Z must be a whole number, got 55.5"),
    "mass": (lambda d: replace(CS, M=-1.0), "M must be > 0 MeV and finite, got -1.0"),
    "size": (lambda d: replace(CS, size=np.nan), "size must be > 0 and finite, got nan"),
    "length": (lambda d: replace(CS, lengths=(1.0, -1.0, 1.0)), r"lengths must be > 0 MeV\^-1 and finite, got -1.0"),
    "events": (lambda d: Events(SPECTRA[:2]), r"n must have the shape \(3, 12\), got \(2, 12\)"),
    "one number": (lambda d: Events(1.0), r"n must have the shape \(3,\), got \(\)"),
    "infinite": (lambda d: Events(SPECTRA * np.inf), "n must be finite, got inf"),
    "changes": (
        lambda d: Events(SPECTRA, d.axes, {"flux": TWELVE}),
        r"flux must have the shape \(3, 12\), got \(12,\)",
    ),
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
    data = csi2017.dataset(csi2017.Settings(last_bin=25))
    assert (data.n_obs < 0).any()
    events = predict(MODEL, data.experiment, PUBLISHED)
    expected = bits(upper_limit(events, data, 4.61))
    for convert in (
        lambda counts: counts.astype("u8"),
        lambda counts: counts.astype(">i2"),
        lambda counts: counts.astype(object),
        lambda counts: counts.tolist(),
        lambda counts: np.ma.masked_less(counts, 0),  # masks nothing
    ):
        other = replace(data, counts=records.Counts(convert(data.n_on), convert(data.b_ss)))
        assert bits(upper_limit(events, other, 4.61)) == expected


@pytest.mark.parametrize("bins", [{"first_bin": 5, "last_bin": 16}, {"last_bin": 14}])
def test_events_meet_only_data_of_the_same_bins(bins, dataset):
    """As many bins and other ones, or fewer: chi^2 compared unlike bins, or numpy said so."""
    events, other = from_predict(dataset), csi2017.dataset(csi2017.Settings(**bins))
    for meet in (
        lambda: upper_limit(events, other, 4.61),
        lambda: upper_limit(events, other, 4.61, poisson),
        lambda: toys.fits(events, thrown(other), gaussian(other), [4.61]),
    ):
        with pytest.raises(ValueError, match=r"events and data must have the same bins|cannot meet data in 11 bins"):
            meet()


def test_one_number_is_no_spectrum(dataset):
    for n_th in (1.0, np.ones((3, 1))):
        with pytest.raises(ValueError, match=r"n_th must have the shape \(\.\.\., 12\)"):
            gaussian(dataset).profile(n_th, dataset.counts)
    one = records.Counts(np.ones((3, 1)), np.ones((3, 1)))
    with pytest.raises(ValueError, match=r"n_on must have the shape \(\.\.\., 12\), got \(3, 1\)"):
        toys.fits(from_predict(dataset), one, gaussian(dataset))


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
    events, experiment = from_predict(dataset), dataset.experiment
    for name, use in {
        "m_chi": lambda: unit_model("A", one, 100.0),
        "m_zp": lambda: unit_model("A", 1.0, [10.0, one]),
        "g_chi_L": lambda: Model("A", 1.0, 10.0, one, 1.0, DOWN_TYPE),
        r"g_q\['d'\]": lambda: unit_model("A", 1.0, 10.0, {"d": one}),
        "quark_masses.b": lambda: STANDARD.changed({"quark_masses.b": one}),
        "detector_mass_kg": lambda: csi2017.Settings(detector_mass_kg=one),
        "n_on": lambda: replace(dataset.counts, n_on=twelve),
        r"centres\['alpha'\]": lambda: replace(dataset.counts, centres={"alpha": one}),
        "events": lambda: replace(dataset.backgrounds["beta"], events=twelve),
        "fluence": lambda: replace(experiment, fluence=one),
        "photoelectrons": lambda: records.Axis("photoelectrons", "PE", twelve),
        "pe_per_MeV": lambda: replace(experiment.response, pe_per_MeV=one),
        "n": lambda: Events(twelve),
        "g": lambda: events.total(one),
        "delta_chi2": lambda: upper_limit(events, dataset, one),
    }.items():
        with pytest.raises(ValueError, match=f"^{name} must be a plain number .*with the unit GeV attached"):
            use()


@pytest.mark.parametrize("wrong", ["published", None, {"nuclear_matching": "published"}])
def test_predict_says_what_it_expects(wrong, dataset):
    experiment = dataset.experiment
    for call in (predict, parts):
        with pytest.raises(ValueError, match=r"theory must be of the type Theory, such as Theory\(PUBLISHED\), got"):
            call(MODEL, experiment, wrong)
        with pytest.raises(ValueError, match="model must be of the type Model, such as unit_model"):
            call(wrong, experiment, THEORY)
        for other in (wrong, dataset):
            with pytest.raises(ValueError, match=r"experiment must be of the type Experiment, such as csi2017\."):
                call(MODEL, other, THEORY)
    with pytest.raises(ValueError, match="neutrinos must be one of all, e, mu, got"):
        kernels(experiment, str(wrong), THEORY)
    for argument in ({"settings": wrong}, {"table": wrong}):
        with pytest.raises(ValueError, match=rf"{next(iter(argument))} must be of the type (Settings|Table), such as"):
            csi2017.dataset(**argument)


def test_a_limit_is_made_of_arrays_of_one_shape():
    with pytest.raises(ValueError, match=r"chi2_min must have the shape \(12,\), got \(\)"):
        Limit(TWELVE, TWELVE, 1.0)
