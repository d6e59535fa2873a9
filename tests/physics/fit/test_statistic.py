"""One minimum from two sides: closed form and Newton's method, gradients and differences, a whole and its parts."""

from dataclasses import replace

import numpy as np
import pytest
from fitting import AS_REDERIVED, altered, polynomial, sm_events
from scipy.optimize import minimize, minimize_scalar

from cevnsloop.experiments import csi2017
from cevnsloop.experiments.dataset import Background, Counts
from cevnsloop.fit.gaussian import Gaussian, gaussian
from cevnsloop.fit.limits import ceiling, flat, upper_limit
from cevnsloop.fit.poisson import poisson, steady_state
from cevnsloop.fit.search import SIGNALS, coupling_squared
from cevnsloop.fit.shapes import PARTS, ingredients, predict_open
from cevnsloop.fit.statistic import Binned, Statistic
from cevnsloop.fit.together import Together
from cevnsloop.fit.toys import fits
from cevnsloop.model import unit_model
from cevnsloop.rates.events import Events

BINS = 12
EPS = np.finfo(float).eps
ALL, KINDS = ingredients(PARTS), {"gaussian": gaussian, "poisson": poisson}
OPENED = [(), ("quenching",), ALL]


class Generic(Gaussian):
    """Eq. (34) left to Newton's method and to the curves of any statistic."""

    minimum = Statistic.minimum
    curves = Statistic.curves


@pytest.fixture(scope="module")
def events(dataset):
    """Tree and loops, with interference, as they change with every ingredient."""
    model = unit_model("A", [1.0, 30.0, 54.0, 300.0], [10.0, 60.0, 108.0, 3000.0])
    return predict_open(model, dataset, AS_REDERIVED, PARTS)


@pytest.fixture(scope="module")
def toys(dataset):
    """Five experiments with moved penalties: one that draws the signal below 0, and one of the data themselves."""
    rng = np.random.default_rng(12)
    n_on, b_ss = rng.poisson(dataset.n_on, (5, BINS)), rng.poisson(dataset.b_ss, (5, BINS))
    n_on[0], b_ss[0] = dataset.n_on, dataset.b_ss
    centres = {name: np.array([0.0, -1.6, *rng.normal(0, 0.25, 3)]) for name in ("alpha", "beta")}
    return Counts(n_on, b_ss, centres | {name: np.array([0.0, *rng.normal(0, 1, 4)]) for name in ALL})


def spectra(events, counts, names, signals=(0.0, 1.0, 60.0, 1e4)):
    """Signals and changes at G of so many events, shape (S, 1, N, B), for Counts with an axis for the N models."""
    y = coupling_squared(events, signals)[:, None, :, None]
    parts = [events.n, *(events.changes[name] for name in names)]
    n_th, *changes = (c[0] + y * (c[1] + y * c[2]) for c in parts)
    here = {name: counts.centre(name)[:, None] for name in counts.centres}
    return n_th, dict(zip(names, changes, strict=True)), Counts(counts.n_on[:, None], counts.b_ss[:, None], here)


@pytest.mark.parametrize("sigma_beta", [0.25, 0.0])
@pytest.mark.parametrize("sigma_alpha", [0.28, 1e-6, 0.0])
@pytest.mark.parametrize("names", OPENED, ids=len)
def test_newton_finds_the_closed_form(names, sigma_alpha, sigma_beta, dataset, events, toys):
    """Two methods with nothing in common but what a bin contributes: value, nuisances and gradient."""
    data = altered(dataset, sigma_alpha=sigma_alpha, sigma_beta=sigma_beta)
    n_th, changes, counts = spectra(events, toys, names)
    closed, newton = gaussian(data, names), Generic.of(data, names)
    (value, nuisances), (expected, others) = (one.profile(n_th, counts, changes) for one in (closed, newton))
    assert value.shape == (4, 5, 4)
    # what is left of Newton's last step, and the rounding of terms as large as 1 / sigma^2
    assert value == pytest.approx(expected, rel=1e-11, abs=0)
    for name, sigma in zip(closed.names, closed.sigmas, strict=True):
        assert (abs(nuisances[name] - others[name]) <= 1e-7 * sigma).all(), name
    if sigma_alpha < 0.28:  # alpha is drawn below -1: Eq. (34) has no bounds, for Newton's method neither
        assert (nuisances["alpha"] < -1).any()
    (by_n, by_changes), (same, these) = (one.gradient(n_th, counts, changes) for one in (closed, newton))
    assert by_n == pytest.approx(same, rel=1e-6, abs=1e-8 * abs(same).max())
    for name in names:
        assert by_changes[name] == pytest.approx(these[name], rel=1e-6, abs=1e-8 * abs(these[name]).max())


@pytest.mark.parametrize("names", OPENED, ids=len)
def test_the_curves_of_the_closed_form_are_those_of_any_statistic(names, dataset, events, toys):
    closed, newton = (make(dataset, names).curves(events, toys) for make in (gaussian, Generic.of))
    assert closed.shape == newton.shape == (5, 4)
    y, k = np.tile(coupling_squared(events, SIGNALS[::7]), 5), np.arange(20)
    assert closed.value(y) == pytest.approx(newton.value(y), rel=1e-11, abs=0)
    # slopes but for a positive factor, which is 1 for the generic ones
    ratio = closed.slope(y[1:], k) / newton.slope(y[1:], k)
    assert (ratio > 0).all()
    assert (ratio == pytest.approx(1, rel=1e-5, abs=0)) == bool(names)
    for one in (closed, newton):
        at = y[5, 7], y[9, 13]
        assert one.value(np.array(at), np.array([7, 13])) == pytest.approx(
            one.value(y)[[5, 9], [7, 13]], rel=1e-12, abs=0
        )


@pytest.mark.parametrize("names", OPENED, ids=len)
def test_the_limits_of_the_closed_form_are_those_of_newton(names, dataset, events):
    closed, newton = (
        upper_limit(events, dataset, 4.61, lambda data, make=make: make(data, names, 0.1))
        for make in (gaussian, Generic.of)
    )
    for name in ("g_limit", "chi2_min"):
        assert getattr(closed, name) == pytest.approx(getattr(newton, name), rel=1e-12, abs=0)
    assert closed.g_best == pytest.approx(newton.g_best, rel=1e-8, abs=0)


@pytest.mark.parametrize("names", OPENED, ids=len)
@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_what_differences_approach(kind, names, dataset, events, toys):
    """q at n + h and n - h, its nuisances fitted anew: the error is h^2 times a third derivative, and eps q / h."""
    n_th, changes, counts = spectra(events, toys, names, (1.0, 60.0))
    statistic, h = KINDS[kind](dataset, names), 3e-4
    by_n, by_changes = statistic.gradient(n_th, counts, changes)
    assert by_n.shape == (2, 5, 4, BINS)
    assert list(by_changes) == list(names)
    for i in (0, 5, 11):
        step = h * (np.arange(BINS) == i)
        up, down = (statistic.profile(n_th + s * step, counts, changes)[0] for s in (1, -1))
        assert abs((up - down) / (2 * h) - by_n[..., i]).max() < 1e-8
        for name in names:
            up, down = (statistic.profile(n_th, counts, changes | {name: changes[name] + s * step})[0] for s in (1, -1))
            assert abs((up - down) / (2 * h) - by_changes[name][..., i]).max() < 1e-8


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_that_with_the_nuisances_held(kind, dataset, events):
    """The envelope theorem, from the formulas as printed: alpha, beta and theta do not move."""
    names = ("quenching", "nuclear_size")
    n_th, changes, counts = spectra(events, flat(dataset.counts), names)
    statistic = KINDS[kind](dataset, names)
    nuisances = {name: x[..., None] for name, x in statistic.profile(n_th, counts, changes)[1].items()}
    s = (1 + nuisances["alpha"]) * n_th + (1 + nuisances["beta"]) * dataset.b_on
    s = s + sum(nuisances[name] * changes[name] for name in names)
    if kind == "gaussian":
        by_s = -2 * (dataset.n_obs - s) / dataset.sigma**2
    else:
        by_s = 2 * (1 - dataset.n_on / (steady_state(s, dataset.n_on, dataset.b_ss) + s))
    by_n, by_changes = statistic.gradient(n_th, counts, changes)
    # the last digits of data less prediction
    assert by_n == pytest.approx((1 + nuisances["alpha"]) * by_s, rel=1e-9, abs=1e-13)
    for name in names:
        assert by_changes[name] == pytest.approx(nuisances[name] * by_s, rel=1e-9, abs=1e-13)


class Neyman(Binned):
    """Excess against its counted variance, n_on + b_ss: a statistic that says what a bin contributes, and no more."""

    def terms(self, s, n_on, b_ss):
        left, variance = n_on - b_ss - s, n_on + b_ss
        return left**2 / variance, left / variance, 1 / variance + 0 * s


def test_a_statistic_of_ones_own_needs_its_terms_alone(dataset, events):
    n_th, neyman = 2 * sm_events(dataset), Neyman.of
    value, nuisances = neyman(dataset).profile(n_th, dataset.counts)

    def printed(x):
        left = dataset.n_obs - n_th * (1 + x[0]) - dataset.b_on * (1 + x[1])
        return (left**2 / (dataset.n_on + dataset.b_ss)).sum() + (x[0] / 0.28) ** 2 + (x[1] / 0.25) ** 2

    found = minimize(printed, [0, 0], method="BFGS", options={"gtol": 1e-9})
    assert value == pytest.approx(found.fun, rel=1e-12, abs=0)
    assert list(nuisances.values()) == pytest.approx(found.x, rel=1e-5, abs=0)
    limit = upper_limit(events, dataset, 4.61, neyman)
    rise = neyman(dataset).profile(events.total(limit.g_limit), dataset.counts)[0] - limit.chi2_min
    assert rise == pytest.approx(np.full(4, 4.61), rel=1e-12, abs=0)
    assert (ceiling(events, dataset, neyman) > 4.61).all()


@pytest.mark.parametrize("kind", KINDS)
def test_no_points_are_no_trouble(kind, dataset):
    value, nuisances = KINDS[kind](dataset).profile(np.empty((0, BINS)), dataset.counts)
    assert value.shape == nuisances["alpha"].shape == (0,)


def test_what_a_statistic_refuses(dataset, events):
    statistic, n_th = gaussian(dataset, ("quenching",)), sm_events(dataset)
    with pytest.raises(ValueError, match="every nuisance must have a name of its own, got alpha, beta, beta"):
        gaussian(dataset, ("beta",))
    with pytest.raises(ValueError, match=r"sigma_alpha must be >= 0 and finite, got -0\.1"):
        gaussian(dataset, (), -0.1)
    with pytest.raises(ValueError, match=r"changes must be those of quenching, got none"):
        statistic.profile(n_th, dataset.counts)
    with pytest.raises(ValueError, match=r"changes must be those of none, got flux"):
        gaussian(dataset).gradient(n_th, dataset.counts, {"flux": n_th})
    with pytest.raises(ValueError, match=r"n_th must have the shape \(..., 12\), got \(11,\)"):
        gaussian(dataset).profile(n_th[1:], dataset.counts)
    with pytest.raises(ValueError, match=r"n_on must have the shape \(..., 12\), got \(11,\)"):
        gaussian(dataset).profile(n_th, Counts(np.ones(11), np.ones(11)))
    with pytest.raises(ValueError, match=r"quenching must have the shape \(..., 12\), got \(\)"):
        statistic.profile(n_th, dataset.counts, {"quenching": 0.1})
    with pytest.raises(ValueError, match="events must say how they change with quenching, as"):
        poisson(dataset, ("quenching",)).curves(polynomial(*events.n), flat(dataset.counts))


def halves(whole, middle=9):
    """A data set as two with the bins up to `middle`, counted from 1, and beyond; counts and B_on of `whole`."""
    first, last = whole.settings.first_bin, whole.settings.last_bin
    settings = (replace(whole.settings, last_bin=middle), replace(whole.settings, first_bin=middle + 1))
    cut = middle + 1 - first
    beam = whole.backgrounds["beta"]
    return [
        altered(
            csi2017.dataset(one),
            n_on=whole.n_on[..., bins],
            b_ss=whole.b_ss[..., bins],
            b_on=beam.events[bins],
            sigma_alpha=whole.sigma_alpha,
            sigma_beta=beam.sigma,
        )
        for one, bins in zip(settings, (slice(cut), slice(cut, last + 1 - first)), strict=True)
    ]


def together(kind, names=(), sigma_alpha=None):
    """A maker of statistics as limits.upper_limit takes it: halves of a data set put together."""
    return lambda data: Together([KINDS[kind](half, names, sigma_alpha) for half in halves(data)])


@pytest.mark.parametrize("names", OPENED, ids=len)
@pytest.mark.parametrize("kind", KINDS)
def test_two_halves_are_the_whole(kind, names, dataset, events, toys):
    """Values, nuisances, gradients: of data and of toys, with alpha < -1 where Eq. (34) wants that."""
    n_th, changes, counts = spectra(events, toys, names)
    whole, parts = KINDS[kind](dataset, names), together(kind, names)(dataset)
    assert parts.names == whole.names
    (value, nuisances), (expected, others) = (one.profile(n_th, counts, changes) for one in (parts, whole))
    assert value == pytest.approx(expected, rel=1e-11, abs=0)
    for name, sigma in zip(whole.names, whole.sigmas, strict=True):
        assert (abs(nuisances[name] - others[name]) <= 1e-7 * sigma).all(), name
    (by_n, by_changes), (same, these) = (one.gradient(n_th, counts, changes) for one in (parts, whole))
    assert by_n == pytest.approx(same, rel=1e-6, abs=1e-8 * abs(same).max())
    for name in names:
        assert by_changes[name] == pytest.approx(these[name], rel=1e-6, abs=1e-8 * abs(these[name]).max())


@pytest.mark.parametrize("names", OPENED, ids=len)
@pytest.mark.parametrize("kind", KINDS)
def test_two_halves_have_the_limits_of_the_whole(kind, names, dataset, events):
    whole = upper_limit(events, dataset, 4.61, lambda data: KINDS[kind](data, names, 0.1))
    parts = upper_limit(events, dataset, 4.61, together(kind, names, 0.1))
    for name in ("g_limit", "chi2_min"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name), rel=1e-12, abs=0)
    assert parts.g_best == pytest.approx(whole.g_best, rel=1e-8, abs=0)


@pytest.fixture(scope="module")
def apart(dataset):
    """Both halves as likelihoods with nuisances of their own, and their counts."""
    first, second = halves(dataset)
    own = replace(poisson(second), alpha="alpha_2", backgrounds={"beta_2": second.backgrounds["beta"]})
    return (poisson(first), own), (first.counts, second.counts)


def test_what_shares_nothing_is_fitted_apart(dataset, apart):
    n_th, (statistics, counts) = 3 * sm_events(dataset), apart
    value, nuisances = Together(statistics).profile(n_th, dataset.counts)
    each = [one.profile(n, c) for one, n, c in zip(statistics, np.split(n_th, 2), counts, strict=True)]
    assert value == pytest.approx(each[0][0] + each[1][0], rel=1e-12, abs=0)
    assert nuisances == pytest.approx(each[0][1] | each[1][1], rel=1e-6, abs=0)


def test_what_is_shared_has_one_value_and_one_penalty(dataset, apart):
    """alpha alone is shared: the sum of both with alpha held there (sigma_alpha = 0), and (alpha / 0.28)^2 once."""
    n_th, (statistics, counts) = 3 * sm_events(dataset), apart
    shared = [replace(one, alpha="alpha") for one in statistics]
    value, nuisances = Together(shared).profile(n_th, dataset.counts)
    assert list(nuisances) == ["alpha", "beta", "beta_2"]

    def total(alpha):
        held = [replace(one, sigma_alpha=0.0) for one in shared]
        seen = [replace(c, centres={"alpha": alpha}) for c in counts]
        parts = zip(held, np.split(n_th, 2), seen, strict=True)
        return sum(one.profile(n, c)[0] for one, n, c in parts) + (alpha / 0.28) ** 2

    found = minimize_scalar(total, (-0.5, 0.5), options={"xtol": 1e-10})
    assert value == pytest.approx(found.fun, rel=1e-12, abs=0)
    assert nuisances["alpha"] == pytest.approx(found.x, rel=1e-5, abs=0)


@pytest.mark.parametrize("kinds", [("gaussian", "poisson"), ("poisson", "gaussian")])
def test_statistics_of_two_kinds(kinds, dataset, events):
    """chi^2 in some bins and a likelihood in the others: the least sum of both, and limits that are roots of it."""

    def mixed(data):
        return Together([KINDS[kind](half) for kind, half in zip(kinds, halves(data), strict=True)])

    n_th = 3 * sm_events(dataset)
    value, nuisances = mixed(dataset).profile(n_th, dataset.counts)

    def total(x):
        held = {"sigma_alpha": 0.0, "sigma_beta": 0.0, "centres": {"alpha": x[0], "beta": x[1]}}
        parts = zip(kinds, np.split(n_th, 2), [altered(half, **held) for half in halves(dataset)], strict=True)
        each = [KINDS[kind](half).profile(n, half.counts)[0] for kind, n, half in parts]
        return sum(each) + (x[0] / 0.28) ** 2 + (x[1] / 0.25) ** 2

    found = minimize(total, [0, 0], method="BFGS", options={"gtol": 1e-6})
    assert value == pytest.approx(found.fun, rel=1e-11, abs=0)
    assert list(nuisances.values()) == pytest.approx(found.x, rel=1e-5, abs=0)
    limit = upper_limit(events, dataset, 4.61, mixed)
    rise = mixed(dataset).profile(events.total(limit.g_limit), dataset.counts)[0] - limit.chi2_min
    assert rise == pytest.approx(np.full(4, 4.61), rel=1e-12, abs=0)


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize("kind", KINDS)
def test_a_change_that_concerns_one_part(kind, part, dataset, events):
    """One half alone has the nuisance: a whole in whose other bins the change is 0."""
    own = np.arange(BINS) // 6 == part
    cut = {name: change * own for name, change in events.changes.items()}
    only = Events(events.n, events.axes, cut)
    names = [("quenching",) if k == part else () for k in (0, 1)]
    parts = Together([KINDS[kind](half, opened) for half, opened in zip(halves(dataset), names, strict=True)])
    assert sorted(parts.names) == ["alpha", "beta", "quenching"]
    for given in (only, events):  # what is said of the other bins does not matter
        found = upper_limit(given, dataset, 4.61, lambda _: parts)
        whole = upper_limit(only, dataset, 4.61, lambda data: KINDS[kind](data, ("quenching",)))
        assert found.g_limit == pytest.approx(whole.g_limit, rel=1e-12, abs=0)
        assert found.chi2_min == pytest.approx(whole.chi2_min, rel=1e-12, abs=0)
    n_th, changes, counts = spectra(events, flat(dataset.counts), ("quenching",))
    by_changes = parts.gradient(n_th, counts, changes)[1]["quenching"]
    assert (by_changes[..., ~own] == 0).all()
    assert (by_changes[..., own] != 0).all()


def test_parts_name_their_own_bins(dataset):
    first, second = halves(dataset)
    both = Together([gaussian(first), gaussian(second)])
    assert both.named([0, 6, 11]) == ("CsI 2017 bin 4 (6 to 8 PE), CsI 2017 bin 10 (18 to 20 PE), bin 15 (28 to 30 PE)")
    empty = dataset.n_on * (np.arange(BINS) != 6), dataset.b_ss * (np.arange(BINS) != 6)
    holes = altered(dataset, n_on=empty[0], b_ss=empty[1], b_on=dataset.b_on * (np.arange(BINS) != 6))
    with pytest.raises(ValueError, match=r"needs sigma_stat > 0: .* in CsI 2017 bin 10 \(18 to 20 PE\)$"):
        together("gaussian")(holes).profile(sm_events(dataset), holes.counts)
    kink = -1e3 * (np.arange(BINS) == 6.0)
    with pytest.raises(ValueError, match=r"kink at s = 0: CsI 2017 bin 10 \(18 to 20 PE\)$"):
        together("poisson")(holes).profile(kink, holes.counts)
    # the likelihood alone can do without counts in the second half
    mixed = Together([gaussian(halves(holes)[0]), poisson(halves(holes)[1])])
    assert np.isfinite(mixed.profile(sm_events(dataset), holes.counts)[0])


def test_what_cannot_be_put_together(dataset):
    first, second = halves(dataset)
    with pytest.raises(ValueError, match=r"the nuisance alpha must have one width, got 0\.28 and 0\.3$"):
        Together([gaussian(first), gaussian(second, (), 0.3)])
    other = replace(gaussian(second), backgrounds={"quenching": Background(second.b_on, 1.0)})
    with pytest.raises(ValueError, match="the nuisance quenching must either scale events or change shapes, not both"):
        Together([gaussian(first, ("quenching",)), other])
    with pytest.raises(ValueError, match="part must be of the type Binned"):
        Together([dataset])


def test_parts_with_other_bins_than_the_data(dataset, events):
    for parts, size in ((halves(dataset)[:1], 6), ([dataset, dataset], 24)):
        both = Together([poisson(part) for part in parts])
        with pytest.raises(ValueError, match=rf"n_on must have the shape \(..., {size}\), got \(12,\)"):
            upper_limit(events, dataset, 4.61, lambda _, both=both: both)
        with pytest.raises(ValueError, match=rf"events must have the shape \(..., {size}\), got \(3, 4, 12\)"):
            fits(events, flat(dataset.counts), both, [4.61])
