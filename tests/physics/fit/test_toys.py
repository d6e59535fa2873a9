"""Toys are drawn as they should be, fitted like the data, and give what is known where it is known."""

import numpy as np
import pytest
from fitting import AS_PUBLISHED, altered, polynomial, predict, sm_events
from scipy import stats

from cevnsloop.experiments.dataset import Counts
from cevnsloop.fit import draws, search, toys
from cevnsloop.fit.gaussian import gaussian
from cevnsloop.fit.limits import flat, upper_limit
from cevnsloop.fit.poisson import poisson
from cevnsloop.model import unit_model

SIGMAS = 5.0  # a statistical comparison may be off by so many standard deviations: seeds are fixed, it never varies


def profile(n_th, dataset):
    """chi2 of Eq. (34)."""
    return gaussian(dataset).profile(n_th, dataset.counts)[0]


@pytest.fixture(scope="module")
def events(dataset):
    return predict(unit_model("A", [1.0, 10.0, 200.0], [10.0, 100.0, 400.0]), dataset, AS_PUBLISHED)


def test_toys_have_the_means_and_spreads_of_their_distributions(dataset):
    n, alpha, beta = 20000, 0.2, -0.1
    n_sm = sm_events(dataset)
    got = toys.throw(n_sm, dataset, n, 7, {"alpha": alpha, "beta": beta})
    mean = dataset.b_ss + (1 + alpha) * n_sm + (1 + beta) * dataset.b_on
    for counts, expected in ((got.n_on, mean), (got.b_ss, dataset.b_ss)):
        assert counts.shape == (n, 12)
        assert np.all(abs(counts.mean(0) - expected) < SIGMAS * np.sqrt(expected / n))
        # the variance of a variance of a Poisson distribution is close to 2 mean^2 / n
        assert np.all(abs(counts.var(0) - expected) < SIGMAS * np.sqrt(2.2 * (expected**2 + expected) / n))
    for centres, truth, sigma in ((got.centre("alpha"), alpha, 0.28), (got.centre("beta"), beta, 0.25)):
        assert stats.kstest(centres, stats.norm(truth, sigma).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(got.n_on[:, 0], got.b_ss[:, 0])[0, 1]) < SIGMAS / np.sqrt(n)


def test_the_background_follows_its_nuisance(dataset):
    thrown = [toys.throw(np.zeros(12), dataset, 20000, 7, {"beta": beta}) for beta in (0.0, 20.0)]
    counts = [one.n_on.sum(-1).mean() for one in thrown]
    error = np.sqrt((dataset.b_ss + 21 * dataset.b_on).sum() / 20000)
    assert abs(counts[1] - counts[0] - 20 * dataset.b_on.sum()) < 2 * SIGMAS * error


def arrays(counts):
    """What was thrown: counts, and the centres of alpha and beta."""
    return counts.n_on, counts.b_ss, counts.centre("alpha"), counts.centre("beta")


def test_a_seed_means_the_same_toys(dataset):
    one, same, other = (arrays(toys.throw(sm_events(dataset), dataset, 50, seed)) for seed in (3, 3, 4))
    assert all(map(np.array_equal, one, same))
    assert not any(map(np.array_equal, one, other))


def test_the_data_are_fitted_like_a_toy(dataset, events):
    got = toys.fits(events, flat(dataset.counts), gaussian(dataset), [2.71, 4.61])
    for delta, limits in got.g_limit.items():
        alone = upper_limit(events, dataset, delta)
        assert limits[0] == pytest.approx(alone.g_limit, rel=1e-14, abs=0)
        assert np.array_equal(got.g_best[0], alone.g_best)
        assert got.chi2_min[0] == pytest.approx(alone.chi2_min, rel=1e-14, abs=0)


def test_toys_are_fitted_like_data(monkeypatch, dataset, events):
    """Each toy as a data set of its own; blocks smaller than the toys."""
    monkeypatch.setattr(search, "BLOCK", 7)
    thrown = toys.throw(events.total(np.array([3e-9, 3e-8, 1e-3]))[1], dataset, 10, 11)
    got = toys.fits(events, Counts(thrown.n_on, thrown.b_ss), gaussian(dataset), [2.71])
    for t in range(10):
        alone = upper_limit(events, altered(dataset, n_on=thrown.n_on[t], b_ss=thrown.b_ss[t]), 2.71)
        assert got.g_limit[2.71][t] == pytest.approx(alone.g_limit, rel=1e-12, abs=0)
        assert got.chi2_min[t] == pytest.approx(alone.chi2_min, rel=1e-12, abs=0)
        assert got.g_best[t][alone.g_best > 0] == pytest.approx(alone.g_best[alone.g_best > 0], rel=1e-8, abs=0)
        assert np.array_equal(got.g_best[t] == 0, alone.g_best == 0)
    assert (got.g_best > 0).any()


def test_the_statistic_is_a_difference_of_chi2(dataset, events):
    thrown = toys.throw(sm_events(dataset), dataset, 6, 2)
    g = np.array([5e-9, 4e-8, 2e-3])
    q = toys.excess(events, g, Counts(thrown.n_on, thrown.b_ss), gaussian(dataset))
    for t in range(6):
        toy = altered(dataset, n_on=thrown.n_on[t], b_ss=thrown.b_ss[t])
        expected = profile(events.total(g), toy) - upper_limit(events, toy, 1.0).chi2_min
        assert q[t] == pytest.approx(expected, rel=1e-10, abs=0)


def many(dataset):
    """A data set with 10^4 times the counts and a precise normalisation, and a signal linear in G^2."""
    scale = 1e4
    n_sm = np.full(12, 12.0) * scale
    big = altered(dataset, b_ss=dataset.b_ss * scale, b_on=dataset.b_on * scale, sigma_alpha=1e-3, sigma_beta=1e-3)
    shape = np.linspace(3, 0.5, 12) * scale
    events = polynomial(n_sm, shape[None], 0.0)
    return altered(big, n_on=big.b_ss + n_sm + big.b_on), events


def test_large_counts_bring_wilks_and_chernoff(dataset):
    """Far from G = 0 the statistic is a chi^2 of one degree of freedom; at G = 0 half of that."""
    big, events = many(dataset)
    n = 20000
    for g, seed in ((0.3, 1), (0.0, 2)):
        thrown = toys.throw(events.total(g)[0], big, n, seed)
        q = toys.excess(events, g, thrown, gaussian(big))[:, 0]
        if g:
            assert stats.kstest(q, stats.chi2(1).cdf).pvalue > 1e-3
        else:
            half = q < 1e-9  # the best fit is at G = 0
            assert abs(half.mean() - 0.5) < SIGMAS * np.sqrt(0.25 / n)
            assert stats.kstest(q[~half], stats.chi2(1).cdf).pvalue > 1e-3


def test_coverage_is_that_of_a_one_sided_limit_for_large_counts(dataset):
    """chi^2 rises by delta above the best fit: the limit misses what lies sqrt(delta) sigma above it."""
    big, events = many(dataset)
    n = 20000
    got = toys.coverage(events, [0.3, 0.5], big, [1.0, 2.71, 4.61], n, 5).fractions
    assert list(got) == [1.0, 2.71, 4.61]
    for delta, fractions in got.items():
        expected = stats.norm.cdf(np.sqrt(delta))
        assert np.all(abs(fractions - expected) < SIGMAS * np.sqrt(expected * (1 - expected) / n))


def test_everything_is_covered_far_below_the_limit(dataset, events):
    one = events.at([1])
    g = upper_limit(one, dataset, 4.61).g_limit[0] * np.array([1e-3, 0.9])
    got = toys.coverage(one, g, dataset, [2.71, 4.61], 500, 5).fractions
    assert got[4.61][0] == 1.0
    assert 0.9 < got[2.71][1] <= got[4.61][1] < 1


def test_bands_are_central_68_and_95_per_cent():
    low2, low1, median, high1, high2 = toys.BANDS.values()
    assert (median, low1 + high1, low2 + high2) == (0.5, 1.0, 1.0)
    assert high1 - low1 == pytest.approx(0.68, rel=1e-12, abs=0)
    assert high2 - low2 == pytest.approx(0.95, rel=1e-12, abs=0)


def test_bands_are_quantiles_of_the_limits_of_toys(dataset, events):
    bands = toys.bands(events, dataset, 2.71, 400, 9)
    got = bands.g_limit
    assert bands.left_out == 0
    assert list(got) == list(toys.BANDS)
    thrown = toys.throw(sm_events(dataset), dataset, 400, 9)
    limits = toys.fits(events, thrown, gaussian(dataset), [2.71]).g_limit[2.71]
    for name, level in toys.BANDS.items():
        below = (limits <= got[name]).mean(0)
        assert np.all((below >= level) & (below < level + 2 / 400))
    assert np.all(np.diff(np.array(list(got.values())), axis=0) > 0)


def test_toys_of_the_likelihood(dataset, events):
    """Bands, coverage and critical values are made of the fits of the statistic that is asked for."""
    number, one = 60, events.at([1])
    thrown = toys.throw(sm_events(dataset), dataset, number, 9)
    limits = toys.fits(one, thrown, poisson(dataset), [2.71]).g_limit[2.71]
    band = toys.bands(one, dataset, 2.71, number, 9, poisson).g_limit["median"]
    assert band == pytest.approx(np.quantile(limits, 0.5, axis=0, method="higher"), rel=1e-12, abs=0)
    assert band != toys.bands(one, dataset, 2.71, number, 9).g_limit["median"]

    g = upper_limit(one, dataset, 4.61, poisson).g_limit
    found = toys.feldman_cousins(one, dataset, 0.9, number, 9, poisson)
    assert found.g[0] == pytest.approx(g * toys.FRACTIONS, rel=1e-12, abs=0)
    n_th = one.total(found.g[:, 3])[0]
    value, nuisances = poisson(dataset).profile(n_th, dataset.counts)
    made = toys.throw(n_th, dataset, number, [9, 4], nuisances)
    q = toys.excess(one, found.g[0, [3]], made, poisson(dataset))
    assert found.critical[0, 3] == pytest.approx(np.quantile(q, 0.9), rel=1e-9, abs=0)
    least = upper_limit(one, dataset, 4.61, poisson).chi2_min
    assert found.q[0, 3] == pytest.approx(value - least[0], rel=1e-9, abs=0)

    g = g * np.linspace(0.6, 1.1, 12)
    covered = [toys.coverage(one, g, dataset, [1.0], number, 9, kind).fractions[1.0] for kind in (poisson, gaussian)]
    each = zip(g, draws.throw_each(one.total(g), dataset, number, 9, {}), strict=True)
    expected = [(toys.fits(one, again, poisson(dataset), [1.0]).g_limit[1.0] >= at).mean() for at, again in each]
    assert covered[0].tolist() == expected
    assert covered[1].tolist() != expected


def test_the_likelihood_can_be_fitted_to_every_toy(sparse, dataset):
    """An empty bin is no trouble for it: none is left out, and a limit holds as often as among the others."""
    n_sm = sm_events(dataset) * (np.arange(12) < 10)
    thrown = toys.throw(n_sm, sparse, 50, 5)
    assert (thrown.n_on + thrown.b_ss == 0).any()
    kept, left_out = toys.fitted(thrown, poisson(sparse))
    assert left_out == 0
    assert np.array_equal(kept.n_on, thrown.n_on)


def test_feldman_and_cousins_for_large_counts(dataset):
    """Far from G = 0 the critical value is the quantile of chi^2, and the limit is where chi^2 rises by it."""
    big, events = many(dataset)
    true = 0.3
    signal = altered(big, n_on=big.b_ss + big.b_on + events.total(np.array([true]))[0])
    got = toys.feldman_cousins(events, signal, 0.9, 4000, 3)
    assert got.g.shape == got.q.shape == got.critical.shape == (1, len(toys.FRACTIONS))
    wanted = stats.chi2(1).ppf(0.9)
    # the error of a quantile: sqrt(p (1 - p) / n) over the density there
    error = np.sqrt(0.09 / 4000) / stats.chi2(1).pdf(wanted)
    at = got.g[0] > true
    assert np.all(abs(got.critical[0][at] - wanted) < SIGMAS * error)
    limit = upper_limit(events, signal, wanted).g_limit[0]
    assert got.g_limit[0] == pytest.approx(limit, rel=0.005, abs=0)  # read off between couplings 10% apart


def test_feldman_and_cousins_take_the_nuisances_from_the_data(dataset, events):
    got = toys.feldman_cousins(events.at([0]), dataset, 0.9, 300, 3)
    k = 4
    n_th = events.at([0]).total(got.g[:, k])
    chi2, nuisances = gaussian(dataset).profile(n_th[0], dataset.counts)
    assert nuisances["alpha"] < -0.1  # signal beyond what is seen: less of it is assumed
    thrown = toys.throw(n_th[0], dataset, 300, [3, k + 1], nuisances)
    q = toys.excess(events.at([0]), got.g[0, [k]], thrown, gaussian(dataset))
    assert got.critical[0, k] == pytest.approx(np.quantile(q, 0.9), rel=1e-12, abs=0)
    assert got.q[0, k] == pytest.approx(chi2 - observed_minimum(events, dataset), rel=1e-10, abs=0)


def observed_minimum(events, dataset):
    return upper_limit(events.at([0]), dataset, 1.0).chi2_min[0]


@pytest.mark.parametrize(
    ("excess", "crossing"),
    [
        ([-2, -1, 1, 2], 2.5),
        ([-1, 1, -3, 1], 3.75),
        ([-1, -3, 1, 2], 2.75),
        ([1, 2, 3, 4], np.nan),
        ([-1, 1, 1, -1], np.nan),
        ([-4, -3, -2, -1], np.nan),
    ],
)
def test_the_last_crossing_counts(excess, crossing):
    got = toys.last_crossing(np.arange(1.0, 5.0), np.array(excess, dtype=float))
    assert got == crossing or (np.isnan(got) and np.isnan(crossing))


def test_toys_of_each_signal_are_toys_of_their_own(dataset, events):
    n_th = events.total(np.array([1e-9, 1e-8, 1e-3]))
    nuisances = {"alpha": np.array([0.0, 0.1, -0.2]), "beta": np.array([0.0, 0.3, 0.0])}
    each = list(draws.throw_each(n_th, dataset, 4, 6, nuisances))
    assert len(each) == 3
    for k, got in enumerate(each):
        alone = toys.throw(n_th[k], dataset, 4, [6, k + 1], {name: values[k] for name, values in nuisances.items()})
        assert all(map(np.array_equal, arrays(got), arrays(alone)))
    plain = toys.throw(n_th[0], dataset, 4, 6)
    assert not np.array_equal(plain.n_on, each[0].n_on)


def test_a_best_fit_beyond_every_signal_is_not_taken_for_none(dataset):
    """With the normalisation measured far too low, alpha near -1 and a huge signal fit best: chi^2 falls to the end."""
    one = predict(unit_model("B", [53.0], [530.0]), dataset, AS_PUBLISHED)
    g = upper_limit(one, dataset, 4.61).g_limit
    thrown, statistic = toys.throw(one.total(g)[0], dataset, 2000, 77, {"alpha": -0.57}), gaussian(dataset)
    assert (toys.excess(one, g, thrown, statistic) > -1e-9).all()
    assert (toys.fits(one, thrown, statistic).g_best > 5 * g).any()  # 10^6 events of loops


@pytest.fixture(scope="module")
def sparse(dataset):
    """No beam-on background, and a steady-state one of 2 counts in the last bin and of 1 in the one before."""
    b_ss = np.array([*dataset.b_ss[:-2], 1.0, 2.0])
    return altered(dataset, b_ss=b_ss, b_on=np.zeros(12), n_on=b_ss + 1)


def test_toys_without_a_count_in_a_bin_are_left_out_and_counted(sparse, dataset, events):
    n_sm = np.array([*sm_events(dataset)[:-2], 0.0, 0.0])
    reaching = polynomial(n_sm, *events.n[1:])
    thrown = toys.throw(n_sm, sparse, 4000, 5)
    empty = (thrown.n_on + thrown.b_ss == 0).any(-1)
    # C and AC are both 0 in exp(-2) of the toys in one bin, and in exp(-4) in the other
    expected = 1 - (1 - np.exp(-2)) * (1 - np.exp(-4))
    assert abs(empty.mean() - expected) < SIGMAS * np.sqrt(expected * (1 - expected) / 4000)

    statistic = gaussian(sparse)
    got = toys.fits(reaching, thrown, statistic, [2.71])
    for found in (got.g_best, got.chi2_min, got.g_limit[2.71], toys.excess(reaching, 0.0, thrown, statistic)):
        assert np.array_equal(np.isnan(found), np.repeat(empty[:, None], 3, axis=1))
    kept, left_out = toys.fitted(thrown, statistic)
    assert left_out == empty.sum()
    assert np.array_equal(kept.n_on, thrown.n_on[~empty])

    limits = got.g_limit[2.71][~empty]
    bands = toys.bands(reaching, sparse, 2.71, 4000, 5)
    assert bands.left_out == empty.sum()
    assert bands.g_limit["median"] == pytest.approx(np.quantile(limits, 0.5, axis=0, method="higher"), rel=1e-12, abs=0)
    # at G = 0 every toy that can be fitted is covered, and no other
    covered = toys.coverage(reaching.at([0]), [0.0], sparse, [2.71], 4000, 5)
    assert covered.fractions[2.71] == [1.0]
    assert abs(covered.left_out[0] / 4000 - expected) < SIGMAS * np.sqrt(expected * (1 - expected) / 4000)


def test_feldman_and_cousins_leave_such_toys_out(sparse, events):
    one = polynomial(events.n[0, 1] * (np.arange(12) < 10), *events.n[1:, [1]])
    got = toys.feldman_cousins(one, sparse, 0.9, 200, 3)
    n_th, statistic = one.total(got.g[:, 4])[0], gaussian(sparse)
    _, nuisances = statistic.profile(n_th, sparse.counts)
    thrown = toys.throw(n_th, sparse, 200, [3, 5], nuisances)
    q = toys.excess(one, got.g[0, [4]], thrown, statistic)[:, 0]
    assert 0 < np.isnan(q).sum() == got.left_out[0, 4]
    assert got.critical[0, 4] == pytest.approx(np.nanquantile(q, 0.9), rel=1e-12, abs=0)


def test_a_bin_that_no_toy_fills_is_refused_by_name(sparse, events):
    b_ss = np.array([0.0, *sparse.b_ss[1:]])
    hole = altered(sparse, b_ss=b_ss, n_on=b_ss + 1)  # the data have a count there
    none = polynomial(*(events.n[:, [0]] * (np.arange(12) > 0)))
    message = r"none of 30 toys can be fitted, .*: no count in bin 4 \(6 to 8 PE\)$"
    for call in (
        lambda: toys.bands(none, hole, 2.71, 30, 1),
        lambda: toys.coverage(none, [1e-9], hole, [2.71], 30, 1),
        lambda: toys.feldman_cousins(none, hole, 0.9, 30, 1),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_no_limit_and_no_signal_are_values(dataset, events):
    none = polynomial(events.n[0, :1], 0.0, 0.0)
    thrown = toys.throw(sm_events(dataset), dataset, 40, 2)
    got = toys.fits(none, thrown, gaussian(dataset), [2.71])
    assert np.isnan(got.g_limit[2.71]).all()
    assert np.isnan(got.g_best).all()
    assert np.isfinite(got.chi2_min).all()
    assert all(np.isnan(band).all() for band in toys.bands(none, dataset, 2.71, 40, 2).g_limit.values())
    assert np.isnan(toys.coverage(none, [1e-8], dataset, [2.71], 40, 2).fractions[2.71]).all()
    assert np.isnan(toys.feldman_cousins(none, dataset, 0.9, 40, 2).g_limit).all()
    # couplings that are no number, as limits may be, beside one that is
    one = events.at([1])
    some = toys.coverage(one, [np.inf, 1e-8, np.nan], dataset, [2.71], 40, 2)
    assert np.isnan(some.fractions[2.71]).tolist() == [True, False, True]
    assert np.isposinf(toys.bands(one, dataset, 50.0, 40, 2).g_limit["-2"]).all()


def test_feldman_and_cousins_where_the_data_have_no_limit(dataset, events):
    """Then there is no coupling to begin with."""
    low = altered(dataset, n_on=dataset.b_ss)
    one = events.at([1])
    assert np.isposinf(upper_limit(one, low, 4.61).g_limit)
    got = toys.feldman_cousins(one, low, 0.9, 10, 3)
    for found in (got.g, got.q, got.critical, got.g_limit):
        assert np.isnan(found).all()


def test_toys_with_exact_nuisances(dataset, events):
    """sigma = 0: the measurements of the nuisances never fluctuate, and the fit holds them."""
    exact = altered(dataset, sigma_alpha=0.0, sigma_beta=0.0)
    thrown = toys.throw(sm_events(dataset), exact, 30, 1)
    assert not thrown.centre("alpha").any()
    assert not thrown.centre("beta").any()
    got = toys.fits(events, thrown, gaussian(exact), [2.71])
    for t in (0, 7, 29):
        alone = upper_limit(events, altered(exact, n_on=thrown.n_on[t], b_ss=thrown.b_ss[t]), 2.71)
        assert got.g_limit[2.71][t] == pytest.approx(alone.g_limit, rel=1e-12, abs=0)


def test_bad_input(dataset, events):
    with pytest.raises(ValueError, match="number must be >= 1, got 0"):
        toys.throw(sm_events(dataset), dataset, 0, 1)
    with pytest.raises(ValueError, match=r"the mean count of a bin must be >= 0, got -\d+.* for alpha -20.0, beta 0.0"):
        toys.throw(sm_events(dataset), dataset, 5, 1, {"alpha": -20.0})
    for level in (0.0, 1.0, np.nan):
        with pytest.raises(ValueError, match=f"level must be > 0 and < 1, got {level}"):
            toys.feldman_cousins(events, dataset, level, 10, 1)


def test_a_signal_of_another_shape_is_named(dataset):
    with pytest.raises(ValueError, match=r"n_th must have the shape \(12,\), got \(5,\)"):
        toys.throw(np.ones(5), dataset, 3, 1)
    with pytest.raises(ValueError, match="delta_chi2 must be >= 1e-06"):
        toys.fits(None, None, None, [1e-9])
