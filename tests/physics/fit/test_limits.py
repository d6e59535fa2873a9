"""Upper limits: the first root above the best fit, for all models at once, and what there is where there is no root."""

import numpy as np
import pytest
from fitting import AS_PUBLISHED, AS_REDERIVED, altered, polynomial, predict, sm_events

from cevnsloop.experiments import csi2017
from cevnsloop.experiments.dataset import Counts
from cevnsloop.fit.gaussian import gaussian
from cevnsloop.fit.limits import LEAST_RISE, ceiling, flat, reached, remark, upper_limit, why
from cevnsloop.fit.search import SIGNALS, coupling_squared, first_rise, levels, root
from cevnsloop.model import MASSES, Model, unit_model

EPS = 2.0**-52


def profile(n_th, dataset):
    """chi2 of Eq. (34)."""
    return gaussian(dataset).profile(n_th, dataset.counts)[0]


def test_first_rises_of_many_equal_those_of_each(dataset):
    events = predict(unit_model("B", [5.0, 50.0, 500.0], [10.0, 200.0, 3000.0]), dataset, AS_PUBLISHED)
    rng = np.random.default_rng(5)
    n_on, b_ss = rng.poisson(dataset.n_on, (4, 12)).astype(float), rng.poisson(dataset.b_ss, (4, 12)).astype(float)
    curves = gaussian(dataset).curves(events, Counts(n_on, b_ss))
    best, lowest, (small, large) = first_rise(curves, coupling_squared(events, SIGNALS), [2.71, 4.61])
    assert best.shape == lowest.shape == small.shape == large.shape == (4, 3)
    for t in range(4):
        for delta, limits in ((2.71, small), (4.61, large)):
            alone = upper_limit(events, altered(dataset, n_on=n_on[t], b_ss=b_ss[t]), delta)
            assert np.sqrt(limits[t]) == pytest.approx(alone.g_limit, rel=1e-12, abs=0)
            assert lowest[t] == pytest.approx(alone.chi2_min, rel=1e-12, abs=0)
            assert np.array_equal(best[t] == 0, alone.g_best == 0)
            assert np.sqrt(best[t])[best[t] > 0] == pytest.approx(alone.g_best[alone.g_best > 0], rel=1e-9, abs=0)


class Wells:
    """(y - a)^2 (y - b)^2 for T x N pairs a < b: curves with roots that are known, and a hill between two minima."""

    def __init__(self, a, b):
        self.shape, self.a, self.b = a.shape, a.ravel(), b.ravel()

    def value(self, y, k=...):
        return (y - self.a[k]) ** 2 * (y - self.b[k]) ** 2

    def slope(self, y, k):
        return 2 * (y - self.a[k]) * (y - self.b[k]) * (2 * y - self.a[k] - self.b[k])


def test_first_rises_of_curves_that_are_known():
    a = np.array([[0.0, 0.5], [1.013, -2.0], [0.2, 9.5]])
    b = np.array([[4.0, 4.5], [30.0, -1.0], [0.2, 11.0]])
    y = np.stack([np.linspace(0, 10, 401)] * 2, axis=1)
    best, lowest, (small, large) = first_rise(Wells(a, b), y, [1.0, 100.0])
    # the first of two minima alike; at the end of what is looked at, or before its beginning, no minimum lies between
    expected = np.where(a < 0, 0.0, a)
    assert best == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert lowest == pytest.approx(np.where(a < 0, 4.0, 0.0), rel=1e-12, abs=1e-20)
    for delta, found in ((1.0, small), (100.0, large)):
        # (y - m)^2 - h^2 = +- sqrt(delta) with m between a and b and h half their distance
        m, h, goal = (a + b) / 2, (b - a) / 2, np.sqrt(delta + lowest)
        hill = h**2 >= goal
        inner, outer = m - np.sqrt(np.where(hill, h**2 - goal, 0)), m + np.sqrt(h**2 + goal)
        root = np.where(hill & (a >= 0), inner, outer)
        assert found == pytest.approx(np.where(root > 10, np.inf, root), rel=1e-12, abs=0)


@pytest.mark.parametrize("axes", [(6,), (2, 3), (1, 6, 1)])
def test_many_experiments_come_first(axes, dataset):
    """A limit of every model in every experiment, in the shape of both; and the most that chi^2 rises."""
    rng = np.random.default_rng(8)
    events = predict(unit_model("B", [[5.0, 50.0], [60.0, 500.0]], 200.0), dataset, AS_REDERIVED)
    n_on, b_ss = (rng.poisson(mean, (6, 12)).astype(float) for mean in (dataset.n_on, dataset.b_ss))
    alpha = rng.normal(0, 0.3, 6)
    shaped = {
        "n_on": n_on.reshape(*axes, 12),
        "b_ss": b_ss.reshape(*axes, 12),
        "centres": {"alpha": alpha.reshape(axes)},
    }
    many = altered(dataset, **shaped)
    limit, most = upper_limit(events, many, 4.61), ceiling(events, many)
    assert limit.g_limit.shape == limit.g_best.shape == limit.chi2_min.shape == most.shape == (*axes, 2, 2)
    for t in range(6):
        one = altered(dataset, n_on=n_on[t], b_ss=b_ss[t], centres={"alpha": alpha[t]})
        alone, at = upper_limit(events, one, 4.61), np.unravel_index(t, axes)
        assert limit.g_limit[at] == pytest.approx(alone.g_limit, rel=1e-12, abs=0)
        assert limit.chi2_min[at] == pytest.approx(alone.chi2_min, rel=1e-12, abs=0)
        assert most[at] == pytest.approx(ceiling(events, one), rel=1e-12, abs=0)
    flat = Counts(n_on, b_ss, {"alpha": alpha})
    curves = gaussian(dataset).curves(events.flat(), flat)
    rise = first_rise(curves, levels(events.flat(), flat, gaussian(dataset)), [4.61])
    assert limit.g_limit.reshape(6, 4) == pytest.approx(np.sqrt(rise.y_limit[0]), rel=1e-12, abs=0)


def test_no_rise_no_limit(dataset):
    events = predict(unit_model("B", [5.0, 50.0], 200.0), dataset, AS_PUBLISHED)
    y, curves = coupling_squared(events, SIGNALS), gaussian(dataset).curves(events, flat(dataset.counts))
    _, lowest, (reached, never) = first_rise(curves, y, [4.61, 50.0])
    assert np.isfinite(reached).all()
    assert np.isposinf(never).all()
    highest = np.max([curves.value(level) for level in y], axis=0)
    assert (lowest + 4.61 < highest).all()
    assert (lowest + 50 > highest).all()
    assert ceiling(events, dataset) == pytest.approx((highest - lowest)[0], rel=1e-13, abs=0)


MODELS = [("A", 1.0, 10.0), ("A", 1.0, 2.0), ("A", 60.0, 600.0), ("B", 5.0, 10.0), ("B", 100.0, 1000.0)]


@pytest.mark.parametrize("delta_chi2", [2.71, 4.61])
@pytest.mark.parametrize("model", MODELS)
def test_the_limit_is_the_root_above_the_best_fit(model, delta_chi2, dataset):
    events = predict(unit_model(*model), dataset, AS_PUBLISHED)
    limit = upper_limit(events, dataset, delta_chi2)
    rise = profile(events.total(limit.g_limit), dataset) - limit.chi2_min
    assert rise == pytest.approx(delta_chi2, rel=1e-12, abs=0)
    assert limit.chi2_min == pytest.approx(profile(events.total(limit.g_best), dataset), rel=1e-12, abs=0)
    # nothing below the limit is excluded, and nothing anywhere fits better
    chi2 = profile(events.total(np.linspace(0, limit.g_limit, 2000)), dataset)
    assert (chi2 <= limit.chi2_min + delta_chi2 * (1 + 1e-9)).all()
    assert (chi2 >= limit.chi2_min * (1 - 1e-12)).all()


def test_a_signal_that_interferes_destructively_is_scanned_from_zero(dataset):
    """Few events less, then more: chi2 is followed through the dip, and the limit lies behind it."""
    n_sm = sm_events(dataset)
    events = polynomial(n_sm, -0.5 * n_sm, n_sm)
    limit = upper_limit(events, dataset, 4.61)
    g = np.linspace(0, 2, 4001)
    chi2 = profile(events.total(g), dataset)
    # n = n_sm (1 - g^2/2 + g^4): the data lie 9% below the Standard Model, the dip reaches 6%
    assert limit.g_best == pytest.approx(0.5, rel=0.02, abs=0)
    assert limit.chi2_min <= chi2.min() * (1 + 10 * EPS)  # another order of sums
    first = g[(g > limit.g_best) & (chi2 > limit.chi2_min + 4.61)][0]
    assert first - 5e-4 <= limit.g_limit <= first


@pytest.mark.parametrize("case", ["A", "B"])
def test_limits_of_the_rederived_amplitude_are_roots_too(case, dataset):
    events = predict(unit_model(case, [1.0, 60.0, 500.0], [2.0, 120.0, 5000.0]), dataset, AS_REDERIVED)
    limit = upper_limit(events, dataset, 4.61)
    rise = profile(events.total(limit.g_limit), dataset) - limit.chi2_min
    assert rise == pytest.approx([4.61] * 3, rel=1e-12, abs=0)


def test_a_signal_in_the_data_is_found(dataset):
    """Toy data made of the Standard Model and a known signal, without fluctuation: the fit returns it."""
    events = predict(unit_model("A", [1.0, 40.0], [10.0, 400.0]), dataset, AS_PUBLISHED)
    for i, g in enumerate((4e-9, 4e-7)):
        one = events.at(i)
        toy = altered(dataset, n_on=one.total(g) + dataset.b_on + dataset.b_ss)
        limit = upper_limit(one, toy, 4.61)
        # chi2 is flat to eps around its minimum: g to about eps^(1/2)
        assert limit.g_best == pytest.approx(g, rel=1e-5, abs=0)
        assert limit.chi2_min < 1e-9
        assert limit.g_limit > g


def test_limits_of_arrays_equal_limits_of_models(dataset):
    together = upper_limit(
        predict(unit_model("A", [[1.0, 10.0], [30.0, 60.0]], [[10.0, 100.0], [40.0, 70.0]]), dataset, AS_PUBLISHED),
        dataset,
        4.61,
    )
    assert together.g_limit.shape == together.g_best.shape == together.chi2_min.shape == (2, 2)
    alone = upper_limit(predict(unit_model("A", 30.0, 40.0), dataset, AS_PUBLISHED), dataset, 4.61)
    assert together.g_limit[1, 0] == pytest.approx(float(alone.g_limit), rel=1e-12, abs=0)


def test_limits_do_not_depend_on_how_a_model_is_normalised(dataset):
    """The limit is on the product of the largest couplings; at these masses it is 4.41e-8 for equal ones."""
    g_q = dict.fromkeys("dsb", 5e-4)
    usual = upper_limit(predict(unit_model("A", 10.0, 100.0), dataset, AS_PUBLISHED), dataset, 4.61).g_limit
    assert f"{usual:.2e}" == "4.41e-08"
    for model in (
        unit_model("A", 10.0, 100.0, dict.fromkeys("dsb", 2.0)),
        Model("A", 10.0, 100.0, 1e-4, 1e-4, g_q),
        Model("A", 10.0, 100.0, 1e-4, 1e-4, {q: -g for q, g in g_q.items()}),
        Model("A", 10.0, 100.0, 1e-200, 1e-200, dict.fromkeys("dsb", 1e155)),
    ):
        limit = upper_limit(predict(model, dataset, AS_PUBLISHED), dataset, 4.61).g_limit
        assert limit == usual
    one, two = (unit_model("B", 20.0, 60.0, dict.fromkeys("dsb", g)) for g in (1.0, 2.0))
    limits = [upper_limit(predict(model, dataset, AS_PUBLISHED), dataset, 4.61).g_limit for model in (one, two)]
    assert limits[0] == limits[1]


@pytest.mark.parametrize("case", "AB")
def test_limits_depend_on_the_pattern_of_the_couplings(case, dataset):
    """A coupling less or one of another sign: the same largest coupling, another limit, at any normalisation."""
    limits = {}
    for d, s in ((1.0, 1.0), (1.0, 0.0), (1.0, -0.5), (0.5, 1.0)):
        for scale in (1.0, 3e-5):
            model = Model(case, 200.0, 400.0, scale, 0.25 * scale, {"d": d * scale, "s": s * scale})
            limits[d, s, scale] = float(upper_limit(predict(model, dataset, AS_REDERIVED), dataset, 4.61).g_limit)
        assert limits[d, s, 3e-5] == pytest.approx(limits[d, s, 1.0], rel=1e-12, abs=0)
    found = [limits[d, s, 1.0] for d, s in ((1.0, 1.0), (1.0, -0.5), (1.0, 0.0))]
    assert found == sorted(found)  # loops add squares: less coupling, weaker limit
    assert found[0] < 0.99 * found[-1]


@pytest.mark.parametrize("amplitude", [AS_PUBLISHED, AS_REDERIVED])
@pytest.mark.parametrize("case", "AB")
def test_the_farthest_masses_have_limits_too(case, amplitude, dataset):
    """Nothing over- or underflows; numpy's warnings are errors here."""
    masses = np.geomspace(*MASSES, 16)
    limit = upper_limit(predict(unit_model(case, masses, masses[:, None]), dataset, amplitude), dataset, 4.61)
    assert (limit.g_limit > 0).all()
    assert np.isfinite(limit.g_limit).all()


def test_limits_are_stronger_with_one_parameter(dataset):
    events = predict(unit_model("A", 10.0, 100.0), dataset, AS_PUBLISHED)
    assert upper_limit(events, dataset, 2.71).g_limit < upper_limit(events, dataset, 4.61).g_limit


@pytest.mark.parametrize("bad", [0.0, -1.0, np.inf, np.nan])
def test_bad_delta_chi2(bad, dataset):
    events = predict(unit_model("A", 10.0, 100.0), dataset, AS_PUBLISHED)
    with pytest.raises(ValueError, match=f"delta_chi2 must be > 0 and finite, got {bad}"):
        upper_limit(events, dataset, bad)


def test_no_limit_is_a_value_and_leaves_the_others_alone(dataset):
    """One array: a limit, no signal because nothing couples, because nothing reaches the bins, and never reached."""
    n_sm, parts = sm_events(dataset), np.zeros((4, 12))
    one = predict(unit_model("A", 1.0, 10.0), dataset, AS_PUBLISHED)
    parts[0], parts[3] = one.n[1], n_sm  # alpha takes up all of a signal with the shape of the Standard Model
    events = polynomial(n_sm, parts, 0.0)
    limit = upper_limit(events, dataset, 13.0)
    assert np.isfinite(limit.g_limit[0])
    alone = upper_limit(events.at([0]), dataset, 13.0).g_limit[0]
    assert limit.g_limit[0] == pytest.approx(alone, rel=4 * EPS, abs=0)  # sums over bins in another order
    assert np.isnan(limit.g_limit).tolist() == np.isnan(limit.g_best).tolist() == [False, True, True, False]
    assert np.isposinf(limit.g_limit[3])
    assert limit.chi2_min == pytest.approx(np.full(4, profile(n_sm, dataset)), rel=1e-13, abs=0)
    assert reached(limit.g_limit) == ["reached", "no signal", "no signal", "never"]
    assert ceiling(events, dataset)[1] == 0
    assert remark(limit.g_limit, 13.0) == (
        "no limit at 3 of 4 points: 1 inf, where chi2 never rises by 13 because alpha can absorb any signal; "
        "2 nan, where no signal is expected in the bins of the fit"
    )
    assert remark(limit.g_limit[:1], 13.0) == ""


@pytest.mark.parametrize("g", [{"g_q": {"d": 0.0}}, {"g_q": {}}, {"g_chi_L": 0.0, "g_chi_R": 0.0}])
def test_no_coupling_is_no_signal(g, dataset):
    model = Model(
        **{"case": "A", "m_chi": [1.0, 500.0], "m_zp": 10.0, "g_chi_L": 1.0, "g_chi_R": 1.0, "g_q": {"d": 1.0}, **g}
    )
    events = predict(model, dataset, AS_PUBLISHED)
    assert np.isnan(upper_limit(events, dataset, 4.61).g_limit).tolist() == [True, True]
    assert why(events.at(0), dataset, 4.61).startswith("no signal is expected in the bins of the fit")


def test_why_there_is_no_limit(dataset):
    events = predict(unit_model("A", 10.0, 100.0), dataset, AS_PUBLISHED)
    assert upper_limit(events, dataset, 50.0).g_limit == np.inf
    most = float(ceiling(events, dataset))
    assert np.isfinite(upper_limit(events, dataset, most * (1 - 1e-9)).g_limit)
    assert np.isinf(upper_limit(events, dataset, most * (1 + 1e-9)).g_limit)
    assert 12.8 < most < 20
    assert why(events, dataset, 50.0) == (
        f"chi2 never rises by 50: the most it rises is {most:.3g}, "
        "because alpha absorbs any signal at the price of 1 / sigma_alpha^2 = 12.8"
    )


def test_chi2_that_falls_to_the_end_has_no_limit(dataset):
    """Data with the shape of the signal alone, and a normalisation that hardly costs: a huge signal fits best."""
    events = predict(unit_model("B", 53.0, 530.0), dataset, AS_PUBLISHED)
    excess = events.n[0].sum() * events.n[2] / events.n[2].sum()
    data = altered(dataset, n_on=dataset.b_ss + dataset.b_on + excess, sigma_alpha=1e4)
    limit = upper_limit(events, data, 1e-3)
    assert limit.g_limit == np.inf
    assert limit.g_best == pytest.approx(
        float(np.sqrt(coupling_squared(events.flat(), SIGNALS)[-1, 0])), rel=1e-13, abs=0
    )
    assert ceiling(events, data) == 0
    assert why(events, data, 1e-3) == "chi2 still falls at the largest signal that is looked at, 1e+06 events or more"


def test_data_of_many_counts_are_looked_at_up_to_large_signals(dataset):
    """10^8 times everything: alpha absorbs a few per cent of 10^10 events, far more than SIGNALS has."""
    k = 1e8
    big = altered(dataset, n_on=k * dataset.n_on, b_ss=k * dataset.b_ss, b_on=k * dataset.b_on)
    n_sm = k * sm_events(dataset)
    events = polynomial(n_sm, n_sm[None], 0.0)
    limit = upper_limit(events, altered(big, n_on=big.b_ss + n_sm + big.b_on), 4.61)
    # (1 + y)(1 + alpha) = 1 and alpha^2 = 4.61 sigma_alpha^2, but for 1 in 10^8 counts
    assert limit.g_limit**2 == pytest.approx([1 / (1 - 4.61**0.5 * 0.28) - 1], rel=1e-6, abs=0)


@pytest.mark.parametrize("case", ["A", "B"])
def test_limits_of_tiny_couplings_scale_like_their_loops(case, dataset):
    """Far beyond MASSES: loops fall below the smallest square of float64 and its square, but G ~ n_loop^(-1/4)."""
    events = predict(unit_model(case, 1e3, 1e4), dataset, AS_PUBLISHED)
    n_loop = events.n[2] * np.array([[1e-40], [1e-170], [1e-280]])
    limit = upper_limit(polynomial(events.n[0], 0.0, n_loop), dataset, 4.61)
    scaled = limit.g_limit * n_loop.sum(-1) ** 0.25
    assert scaled == pytest.approx(np.full(3, scaled[0]), rel=1e-12, abs=0)


@pytest.mark.parametrize("bins", [(4, 4), (9, 9), (15, 15), (1, 4)])
@pytest.mark.parametrize("case", ["A", "B"])
def test_few_bins(case, bins, dataset):
    """One bin can be fitted perfectly: chi2 is then 0 to the square of its rounding, and never below."""
    few = csi2017.dataset(csi2017.Settings(first_bin=bins[0], last_bin=bins[1]))
    events = predict(unit_model(case, np.geomspace(1, 1000, 40), 1e4), few, AS_REDERIVED)
    limit = upper_limit(events, few, 2.71)
    assert (limit.chi2_min >= 0).all()
    rise = profile(events.total(limit.g_limit), few) - limit.chi2_min
    assert rise == pytest.approx(np.full(40, 2.71), rel=1e-12, abs=0)
    if bins[0] == bins[1]:
        perfect = limit.g_best > 0
        assert (limit.chi2_min[perfect] < (10 * EPS) ** 2 * few.n_obs**2 / few.sigma**2).all()


def test_bins_without_counts_are_refused_by_name(dataset):
    n_on, b_ss, b_on = (a.copy() for a in (dataset.n_on, dataset.b_ss, dataset.b_on))
    n_on[[0, 11]] = b_ss[[0, 11]] = b_on[[0, 11]] = 0
    holes = altered(dataset, n_on=n_on, b_ss=b_ss, b_on=b_on)
    events = predict(unit_model("A", 1.0, 10.0), dataset, AS_PUBLISHED)
    message = r"Eq. \(34\) needs sigma_stat > 0: .* in bin 4 \(6 to 8 PE\), bin 15 \(28 to 30 PE\)"
    with pytest.raises(ValueError, match=message):
        upper_limit(events, holes, 4.61)
    with pytest.raises(ValueError, match=message):
        profile(events.n[0], holes)
    # a single count is enough
    assert np.isfinite(upper_limit(events, altered(holes, n_on=np.maximum(n_on, 1.0)), 4.61).g_limit)


def test_an_experiment_without_counts_in_a_bin_is_nan(dataset):
    events = predict(unit_model("A", [1.0, 60.0], 100.0), dataset, AS_PUBLISHED)
    none = altered(dataset, b_on=np.zeros(12))
    n_on, b_ss = np.array([dataset.n_on] * 2), np.array([dataset.b_ss] * 2)
    n_on[1, 3] = b_ss[1, 3] = 0
    both = Counts(n_on, b_ss)
    rise = first_rise(gaussian(none).curves(events, both), levels(events, both, gaussian(none)), [4.61])
    for found in (rise.y_best, rise.chi2_min, rise.y_limit[0]):
        assert np.isnan(found).tolist() == [[False, False], [True, True]]


def test_a_root_where_rounding_hides_the_change_of_sign():
    low, high = np.array([1.0, 1.0, 1.0]), np.array([2.0, 2.0, 2.0])
    shift = np.array([1.5, 1 - EPS, 2 + 2 * EPS])
    got = root(lambda y, shift: y - shift, low, high, [shift])
    assert got.tolist() == [1.5, 1.0, 2.0]
    assert root(lambda y, shift: y - shift, low, high, [shift], high).tolist() == [1.5, 2.0, 2.0]
    with pytest.raises(ArithmeticError, match="did not converge"):
        root(lambda y, shift: y * np.nan, low, high, [shift])


def test_a_small_rise_is_that_of_the_parabola_or_refused(dataset):
    """Below some 1e-9 the rounding of chi^2 decides: limits were 0."""
    events = predict(unit_model("A", 10.0, 100.0), dataset, AS_REDERIVED)
    least, twice = (upper_limit(events, dataset, delta).g_limit for delta in (LEAST_RISE, 2 * LEAST_RISE))
    assert twice / least == pytest.approx(np.sqrt(2), rel=1e-4, abs=0)  # chi2 rises in proportion to G^2 from G = 0
    for small in (np.nextafter(LEAST_RISE, 0), 1e-16, 1e-300):
        with pytest.raises(ValueError, match=f"delta_chi2 must be >= 1e-06, .*, got {small}"):
            upper_limit(events, dataset, small)


def test_one_rise_at_a_time(dataset):
    events = predict(unit_model("A", 10.0, 100.0), dataset, AS_REDERIVED)
    with pytest.raises(ValueError, match="delta_chi2 must be one number, got 2 of them"):
        upper_limit(events, dataset, [2.71, 4.61])
