"""What goes into the signal, one standard deviation off: shifted data sets, shifted limits, opened nuisances.

sigma_alpha of Eq. (34) holds the uncertainty of flux, quenching, acceptance and form factor in one number that
moves all bins together. To shift an ingredient and keep alpha counts it twice: `limit_shifts` says how far a curve
would move if an input were off, no more. `upper_limit_open` takes ingredients out of alpha and gives each a
nuisance of its own, which also changes the shape of the spectrum.

Errors are those of the release, which states no correlations. Prompt neutrons follow the acceptance; they
come in PE, so quenching and light yield do not move them.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from .. import inputs
from ..checks import choice, positive
from ..experiments import csi2017
from ..experiments.dataset import Dataset
from ..rates.events import Events, predict
from ..rates.varied import predict_varied
from .gaussian import gaussian
from .limits import upper_limit
from .templates import templates

ACCEPTANCE = ("acceptance_a", "acceptance_k", "acceptance_x0")
INGREDIENTS = ("quenching", "light_yield", *ACCEPTANCE, "neutrinos_per_proton", "nuclear_size")

# What a part of sigma_alpha stands for
PARTS = {
    "quenching": ("quenching",),
    "flux": ("neutrinos_per_proton",),
    "form_factor": ("nuclear_size",),
    "acceptance": ACCEPTANCE,
}


@lru_cache(maxsize=2 * len(INGREDIENTS))
def shifted(dataset, ingredient, sigmas):
    """`dataset` with one of INGREDIENTS `sigmas` standard deviations above (or below, if < 0) its input.

    The error is the upper one for sigmas > 0 and the lower one for sigmas < 0. Counts, and so n_obs, stay. The last
    results are kept, and with them their kernels.
    Raises ValueError for an unknown ingredient, a data set other than CsI 2017, whose errors these are, or a
    shift that leaves nothing of the ingredient.
    """
    choice("data set", dataset.name, ("CsI 2017",))
    choice("ingredient", ingredient, INGREDIENTS)
    experiment, table = dataset.experiment, dataset.experiment.inputs
    errors = table.values(f"systematics.{ingredient}")
    error = errors["both"] if "both" in errors else errors["up" if sigmas > 0 else "down"]
    nominal = nominal_value(ingredient, table)
    value = float(positive(ingredient, nominal + sigmas * error, ""))
    if ingredient in ACCEPTANCE:
        fresh = csi2017.dataset(dataset.settings, table.changed({f"csi2017.{ingredient}": value}))
        response = replace(experiment.response, acceptance=fresh.experiment.response.acceptance)
        return Dataset(replace(experiment, response=response), dataset.counts, dataset.sigma_alpha, fresh.backgrounds)
    if ingredient == "neutrinos_per_proton":
        changed = replace(experiment, fluence=experiment.fluence * (value / nominal))
    elif ingredient == "nuclear_size":
        targets = (replace(target, nuclide=replace(target.nuclide, size=value)) for target in experiment.targets)
        changed = replace(experiment, targets=tuple(targets))
    else:
        light = experiment.response.pe_per_MeV * (value / nominal)
        changed = replace(experiment, response=replace(experiment.response, pe_per_MeV=light))
    return replace(dataset, experiment=changed)


def nominal_value(ingredient, table=inputs.STANDARD):
    """The input that one of INGREDIENTS shifts, in natural units: 1 for the size of nuclei, which is relative."""
    if ingredient == "nuclear_size":
        return 1.0
    beside_its_error = "nominal" in inputs.names(f"systematics.{ingredient}")
    return table.value(f"systematics.{ingredient}.nominal" if beside_its_error else f"csi2017.{ingredient}")


def variations(dataset, theory):
    """Pairs of a data set and a theory.Theory that differ in one ingredient, {name: (one sigma down, one sigma up)}.

    Under "second_moments" are the theories with the other sets of second moments in the order of the inputs: which
    to use is a choice and has no standard deviation. Of later data these are their own variations.
    """
    if dataset.templates:
        own = {name: [replace(dataset, experiment=one) for one in pair] for name, pair in dataset.variations.items()}
        pairs = {name: tuple((one, theory) for one in pair) for name, pair in own.items()}
    else:
        pairs = {name: tuple((shifted(dataset, name, sign), theory) for sign in (-1, 1)) for name in INGREDIENTS}
    others = [name for name in inputs.names("second_moments") if name != theory.moments]
    pairs["second_moments"] = tuple((dataset, replace(theory, moments=name)) for name in others)
    return pairs


def limit_shifts(model, dataset, theory, delta_chi2):
    """Relative change of g_limit for every pair of `variations`, {name: array of shape (2, ...)}, down first.

    (...) is the shape of the model's masses; the chi^2 is that of Eq. (34), alpha included, of later data the
    likelihood with all its nuisances, so that an ingredient is counted twice there too. inf where only the shifted
    limit is never reached, nan where that of `dataset` is not, and without a signal.
    """

    def limit(data, theory):
        if data.templates:
            return upper_limit(predict_varied(model, data, theory), data, delta_chi2, templates).g_limit
        return upper_limit(predict(model, data.experiment, theory), data, delta_chi2).g_limit

    nominal = limit(dataset, theory)
    nominal = np.where(np.isfinite(nominal), nominal, np.nan)
    pairs = variations(dataset, theory)
    return {name: np.stack([limit(*one) / nominal - 1 for one in pair]) for name, pair in pairs.items()}


def sigma_alpha_left(dataset, names):
    """What is left of sigma_alpha when the parts `names` (keys of PARTS) are taken out of it in quadrature.

    Raises ValueError for an unknown name, one that is given twice, or parts that exceed sigma_alpha.
    """
    for name in names:
        choice("part of sigma_alpha", name, PARTS)
    if len(set(names)) < len(names):
        raise ValueError(f"each part of sigma_alpha can be opened once, got {', '.join(names)}")
    parts = dataset.experiment.inputs.values("sigma_alpha_parts")
    left = dataset.sigma_alpha**2 - sum(parts[name] ** 2 for name in names)
    if left < 0:
        raise ValueError(f"sigma_alpha must not be smaller than its opened parts together, got {dataset.sigma_alpha}")
    return np.sqrt(left)


def ingredients(names):
    """The ingredients of the parts `names` (keys of PARTS) of sigma_alpha. Raises ValueError for an unknown part."""
    return tuple(one for name in names for one in PARTS[choice("part of sigma_alpha", name, PARTS)])


def predict_open(model, dataset, theory, names):
    """events.predict, with changes for the `ingredients` of the parts `names`.

    A change is half the difference between one sigma up and down, of signal and beam-on background together. Where
    errors are asymmetric that is the mean of both sides.
    """

    def expected(data):
        n = np.array(predict(model, data.experiment, theory).n)
        n[0] += data.b_on
        return n

    changes = {
        one: (expected(shifted(dataset, one, 1)) - expected(shifted(dataset, one, -1))) / 2
        for one in ingredients(names)
    }
    return Events(predict(model, dataset.experiment, theory).n, dataset.axes, changes)


def upper_limit_open(model, dataset, theory, delta_chi2, names):
    """limits.Limit for `model` with the parts `names` (keys of PARTS) of sigma_alpha opened; all models at once.

    Each ingredient of an opened part is a nuisance of its own, see `predict_open`, and alpha keeps what is left;
    without names it is limits.upper_limit.

    Raises ValueError as `sigma_alpha_left` and limits.upper_limit do. Changes linear in the nuisance stand for one
    sigma or so: where an ingredient changes the rate by its own size, as near the edge of the phase space, they are a
    stand-in.
    """
    left, opened = sigma_alpha_left(dataset, names), ingredients(names)
    events = predict_open(model, dataset, theory, names)
    return upper_limit(events, dataset, delta_chi2, lambda data: gaussian(data, opened, left))
