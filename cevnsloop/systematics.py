"""What goes into the signal, one standard deviation off: shifted data sets, shifted limits, opened nuisances.

sigma_alpha of Eq. (34) holds the uncertainty of flux, quenching, acceptance and form factor in one number that
moves all bins together. To shift an ingredient and keep alpha counts it twice: `limit_shifts` says how far a curve
would move if an input were off, no more. `upper_limit_open` takes ingredients out of alpha and gives each a
nuisance of its own, which also changes the shape of the spectrum.

Errors are those of the release, which states no correlations. Prompt neutrons follow the acceptance; they
come in PE, so quenching and light yield do not move them.
"""

from dataclasses import replace

import numpy as np

from . import coherent, inputs
from .checks import choice, positive, sealed
from .events import Events, predict
from .fit import Limit, first_rise, levels, limits, minimum, upper_limit, usable

BLOCK = 256  # models at once: their spectra at all SIGNALS, with all parts opened, take 24 MB

ACCEPTANCE = ("acceptance_a", "acceptance_k", "acceptance_x0")
INGREDIENTS = ("quenching", "light_yield", *ACCEPTANCE, "neutrinos_per_proton", "nuclear_size")

# What a part of sigma_alpha stands for
PARTS = {
    "quenching": ("quenching",),
    "flux": ("neutrinos_per_proton",),
    "form_factor": ("nuclear_size",),
    "acceptance": ACCEPTANCE,
}


def shifted(dataset, ingredient, sigmas):
    """`dataset` with one of INGREDIENTS `sigmas` standard deviations above (or below, if < 0) its input.

    The error is the upper one for sigmas > 0 and the lower one for sigmas < 0. Counts, and so n_obs, stay.
    Raises ValueError for an unknown ingredient, a data set other than CsI 2017, whose errors these are, or a
    shift that leaves nothing of the ingredient.
    """
    choice("data set", dataset.name, ("CsI 2017",))
    choice("ingredient", ingredient, INGREDIENTS)
    errors = inputs.values(f"systematics.{ingredient}")
    error = errors["both"] if "both" in errors else errors["up" if sigmas > 0 else "down"]
    nominal = nominal_value(ingredient)
    value = float(positive(ingredient, nominal + sigmas * error, ""))
    if ingredient in ACCEPTANCE:
        fresh = coherent.csi2017(dataset.settings, changes={ingredient: value})
        response = replace(dataset.response, acceptance=fresh.response.acceptance)
        return replace(dataset, response=response, b_on=fresh.b_on)
    if ingredient == "neutrinos_per_proton":
        return replace(dataset, fluence=dataset.fluence * (value / nominal))
    if ingredient == "nuclear_size":
        targets = (replace(target, nuclide=replace(target.nuclide, size=value)) for target in dataset.targets)
        return replace(dataset, targets=tuple(targets))
    response = replace(dataset.response, pe_per_MeV=dataset.response.pe_per_MeV * (value / nominal))
    return replace(dataset, response=response)


def nominal_value(ingredient):
    """The input that one of INGREDIENTS shifts, in natural units: 1 for the size of nuclei, which is relative."""
    if ingredient == "nuclear_size":
        return 1.0
    beside_its_error = "nominal" in inputs.names(f"systematics.{ingredient}")
    return inputs.value(f"systematics.{ingredient}.nominal" if beside_its_error else f"csi2017.{ingredient}")


def variations(dataset):
    """Data sets that differ from `dataset` in one ingredient, {name: (one sigma down, one sigma up)}.

    Under "second_moments" are the data sets with the other sets of second moments in the order of the inputs: which
    to use is a choice and has no standard deviation.
    """
    pairs = {name: (shifted(dataset, name, -1), shifted(dataset, name, 1)) for name in INGREDIENTS}
    others = [name for name in inputs.names("second_moments") if name != dataset.settings.moments]
    pairs["second_moments"] = tuple(
        replace(dataset, settings=replace(dataset.settings, moments=name)) for name in others
    )
    return pairs


def limit_shifts(model, dataset, amplitude, delta_chi2):
    """Relative change of g_limit for every data set of `variations`, {name: array of shape (2, ...)}, down first.

    (...) is the shape of the model's masses; the chi^2 is that of Eq. (34), alpha included. inf where only the shifted
    limit is never reached, nan where that of `dataset` is not, and without a signal.
    """

    def limit(data):
        return upper_limit(predict(model, data, amplitude), data, delta_chi2).g_limit

    nominal = limit(dataset)
    nominal = np.where(np.isfinite(nominal), nominal, np.nan)
    return {name: np.stack([limit(d) / nominal - 1 for d in pair]) for name, pair in variations(dataset).items()}


def sigma_alpha_left(dataset, names):
    """What is left of sigma_alpha when the parts `names` (keys of PARTS) are taken out of it in quadrature.

    Raises ValueError for an unknown name, one that is given twice, or parts that exceed sigma_alpha.
    """
    for name in names:
        choice("part of sigma_alpha", name, PARTS)
    if len(set(names)) < len(names):
        raise ValueError(f"each part of sigma_alpha can be opened once, got {', '.join(names)}")
    left = dataset.sigma_alpha**2 - sum(inputs.value(f"sigma_alpha_parts.{name}") ** 2 for name in names)
    if left < 0:
        raise ValueError(f"sigma_alpha must not be smaller than its opened parts together, got {dataset.sigma_alpha}")
    return np.sqrt(left)


def spectra_open(model, dataset, amplitude, names):
    """Expected events and their slopes as coefficients of 1, G^2 and G^4: shape (1 + K, 3, ..., B).

    The first entry is the signal of events.predict; the others belong to the K ingredients of the parts `names`: half
    the difference between one sigma up and down, of signal and beam-on background together. Where errors are
    asymmetric that is the mean of both sides.
    """

    def coefficients(data, background):
        events = predict(model, data, amplitude)
        n_sm = np.broadcast_to(events.n_sm + background, events.n_loop.shape)
        return np.stack([n_sm, events.n_tree + events.n_interference, events.n_loop])

    slopes = []
    for ingredient in (one for name in names for one in PARTS[choice("part of sigma_alpha", name, PARTS)]):
        down, up = (shifted(dataset, ingredient, sign) for sign in (-1, 1))
        slopes.append((coefficients(up, up.b_on) - coefficients(down, down.b_on)) / 2)
    return np.stack([coefficients(dataset, 0.0), *slopes])


def profile_open(n_th, slopes, dataset, sigma_alpha):
    """chi^2 of Eq. (34) with nuisances theta_k that change the shape, at its minimum over all of them.

    N_th (1 + alpha) + B_on (1 + beta) + sum_k theta_k slopes_k is compared with the data; theta_k counts standard
    deviations. n_th has the shape (..., B), slopes (K, ..., B), sigma_alpha >= 0 is what is left to alpha.
    Returns chi2 of shape (...), and the nuisances alpha, beta, theta_1 ... theta_K, shape (..., 2 + K).
    Accuracy and errors are those of fit.profile.
    """
    chi2, alpha, _, left = _minimum(n_th, slopes, dataset, sigma_alpha)
    beta = dataset.sigma_beta**2 * (left * dataset.b_on).sum(-1)
    return chi2, np.stack([alpha, beta, *((left * slope).sum(-1) for slope in slopes)], axis=-1)


def _minimum(n_th, slopes, dataset, sigma_alpha):
    """fit.minimum; its last result, the data less all that describes them, over sigma_stat^2."""
    usable(dataset.n_on + dataset.b_ss, dataset)
    n, b, d, *shapes = (v / dataset.sigma for v in (n_th, dataset.b_on, dataset.n_obs - dataset.b_on, *slopes))
    chi2, alpha, x, left = minimum(d, n, sigma_alpha, [dataset.sigma_beta * b, *shapes])
    return chi2, alpha, x, left / dataset.sigma


def upper_limit_open(model, dataset, amplitude, delta_chi2, names):
    """fit.Limit for `model` with the parts `names` (keys of PARTS) of sigma_alpha opened; all models at once.

    Each ingredient of an opened part has a nuisance with a slope, see `spectra_open`, and alpha keeps what is left;
    without names it is fit.upper_limit, which searches in the same way.

    No limit is a value, as in fit.upper_limit. Raises ValueError as that and `sigma_alpha_left` do. Linear slopes stand
    for one sigma or so: where an ingredient changes the rate by its own size, as near the edge of the phase space, they
    are a stand-in.
    """
    positive("delta_chi2", delta_chi2, "")
    sigma_alpha = sigma_alpha_left(dataset, names)
    spectra = spectra_open(model, dataset, amplitude, names)
    shape = spectra.shape[2:-1]
    spectra = spectra.reshape(*spectra.shape[:2], -1, spectra.shape[-1])
    found = np.empty((3, spectra.shape[2]))
    for start in range(0, spectra.shape[2], BLOCK):
        here = slice(start, start + BLOCK)
        found[:, here] = _search(spectra[:, :, here], dataset, sigma_alpha, delta_chi2)
    return Limit(*sealed(found).reshape(3, *shape))


def _search(spectra, dataset, sigma_alpha, delta_chi2):
    """g_limit, g_best and chi2_min of N models from their `spectra_open`, shape (1 + K, 3, N, B)."""
    n_sm, quadratic, quartic = spectra[0]
    y = levels(Events(n_sm[0], quadratic, np.zeros_like(quadratic), quartic), dataset)

    def fit(y, models):
        y = y[..., None]
        n = spectra[:, 0, models] + y * (spectra[:, 1, models] + y * spectra[:, 2, models])
        return n, *_minimum(n[0], n[1:], dataset, sigma_alpha)

    def chi2(y, models):
        return fit(y, models)[1]

    def slope(y, models):
        # at the minimum over the nuisances chi^2 changes with y through the spectra only
        n, _, _, x, left = fit(y, models)
        factors = np.stack([x, *(left * n[1:]).sum(-1)])[..., None]
        rise = (factors * (spectra[:, 1, models] + 2 * y[..., None] * spectra[:, 2, models])).sum(0)
        return -2 * (left * rise).sum(-1)

    models = np.arange(y.shape[1])[None]
    return limits(first_rise(chi2, slope, y, [models], [delta_chi2]))
