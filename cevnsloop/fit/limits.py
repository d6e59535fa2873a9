"""Upper limits on G = g_chi g_q: where a statistic has first risen by so much above its smallest value.

No limit is a value. Wherever this package gives an upper limit, in tables too, it is inf where the statistic never
rises so far and nan where there is no signal to limit. JSON, which has no such numbers, has null and beside it the
words of `reached`.
"""

from dataclasses import dataclass, fields

import numpy as np

from ..checks import Record, number, positive, real, sealed, shaped
from ..experiments.dataset import Counts
from .gaussian import gaussian
from .search import SIGNALS, first_rise, levels, look, rises

DELTA_CHI2 = {"two parameters": 4.61, "one parameter": 2.71}  # 90% confidence


LEAST_RISE = 1e-6  # the smallest rise that is asked for: the rounding of chi^2 is 1e-9 of it


def rise(delta_chi2):
    """A rise of the statistic as a float; ValueError for an array and for what is not finite and >= LEAST_RISE."""
    value = number("delta_chi2", delta_chi2, "", positive)
    if value < LEAST_RISE:
        raise ValueError(f"delta_chi2 must be >= {LEAST_RISE:g}, above the rounding of chi^2, got {value!s}")
    return value


@dataclass(frozen=True, eq=False)
class Limit(Record):
    """Upper limit on G = g_chi g_q and the best fit below it, arrays of the model's shape.

    g_limit    chi2(g_limit) = chi2_min + delta_chi2, the first such G above g_best; inf where chi2 never rises so far,
               nan where a model predicts no signal
    g_best     G of the smallest chi^2, 0 where no signal fits best or less than 1e-3 events do, nan as g_limit
    chi2_min   chi^2 there
    """

    g_limit: np.ndarray
    g_best: np.ndarray
    chi2_min: np.ndarray

    def __post_init__(self):
        values = {field.name: real(field.name, getattr(self, field.name), "") for field in fields(self)}
        self._keep(**{name: shaped(name, value, values["g_limit"].shape) for name, value in values.items()})


def upper_limit(events, dataset, delta_chi2, statistic=gaussian):
    """The Limit for `events` = events.predict(model, dataset.experiment, theory), all models at once.

    Its shape is that of the models' masses; if the dataset has the Counts of many experiments, their axes come first.

    statistic   makes a statistic.Statistic of the dataset.Dataset: gaussian.gaussian, poisson.poisson, or another one

    The statistic is looked at for SIGNALS events, all counted positive, from 1e-3 to 1e6, and refined from there to the
    resolution of float64 by Chandrupatla's root finder: of the slope for the minimum, of its value for the limit. All
    that times counts / 10^4 for data that have more counts than those.

    There may be no limit: however large G, the nuisance alpha can absorb a signal at the price of 1 / sigma_alpha^2
    (12.8 for CsI 2017), and only what its shape costs adds to that. `ceiling` is the most that the statistic rises.

    Raises ValueError if delta_chi2 is not what `rise` takes, if the bins of events and data are not the same, or if the
    statistic cannot use a bin.
    """
    delta_chi2 = rise(delta_chi2)
    events, counts, made = events.in_bins_of(dataset.experiment), dataset.counts, statistic(dataset)
    made.check(counts)
    y_best, chi2_min, (y_limit,) = rises(events.flat(), flat(counts), made, [delta_chi2])
    shape = (*counts.n_on.shape[:-1], *events.n.shape[1:-1])
    for y in (y_limit, y_best):
        np.sqrt(y, out=y)
    return Limit(*(sealed(found).reshape(shape) for found in (y_limit, y_best, chi2_min)))


def flat(counts):
    """The same Counts with one axis for all experiments, shape (T, B); T = 1 for those of one alone."""
    n_on, b_ss = (a.reshape(-1, a.shape[-1]) for a in (counts.n_on, counts.b_ss))
    return Counts(n_on, b_ss, {name: np.ravel(centre) for name, centre in counts.centres.items()})


def reached(g_limit):
    """In words whether an array of limits has one, a nested list: "reached", "never" for inf, "no signal" for nan."""
    words = np.where(np.isnan(g_limit), "no signal", np.where(np.isinf(g_limit), "never", "reached"))
    return words.tolist()


def ceiling(events, dataset, statistic=gaussian):
    """The most that the statistic rises above its minimum at a larger G than there, among all SIGNALS; of the shape of
    upper_limit, which is inf for a larger delta_chi2.

    0 where it still falls at the last, or where there is no signal.
    """
    models, counts, made = events.flat(), flat(dataset.counts), statistic(dataset)
    y, curves = levels(models, counts, made), made.curves(models, counts)
    y_best, chi2_min, _ = (np.ravel(found) for found in first_rise(curves, y, []))
    beyond = np.tile(y, curves.shape[0]) > y_best
    highest = np.where(beyond, look(curves, y), chi2_min).max(0)
    return (highest - chi2_min).reshape((*dataset.n_on.shape[:-1], *events.n.shape[1:-1]))


def why(events, dataset, delta_chi2, statistic=gaussian):
    """Why one model has no upper limit, for a reader."""
    if np.isnan(upper_limit(events, dataset, delta_chi2, statistic).g_limit):
        return "no signal is expected in the bins of the fit: some coupling must be > 0"
    most = float(ceiling(events, dataset, statistic))
    if most == 0:
        return f"chi2 still falls at the largest signal that is looked at, {SIGNALS[-1]:.0e} events or more"
    return (
        f"chi2 never rises by {delta_chi2:g}: the most it rises is {most:.3g}, "
        f"because alpha absorbs any signal at the price of 1 / sigma_alpha^2 = {1 / dataset.sigma_alpha**2:.3g}"
    )


def remark(g_limit, delta_chi2):
    """A line on how many of the limits are none, and why, for the head of a table; "" if there is one everywhere."""
    never, blind = np.count_nonzero(np.isinf(g_limit)), np.count_nonzero(np.isnan(g_limit))
    reasons = {
        f"{never} inf, where chi2 never rises by {delta_chi2:g} because alpha can absorb any signal": never,
        f"{blind} nan, where no signal is expected in the bins of the fit": blind,
    }
    words = "; ".join(reason for reason, number in reasons.items() if number)
    return words and f"no limit at {never + blind} of {np.size(g_limit)} points: {words}"
