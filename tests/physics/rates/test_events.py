import math
from functools import partial

import numpy as np
import pytest

from cevnsloop import inputs
from cevnsloop.amplitudes.quarks import PUBLISHED, REDERIVED, loop_coefficients
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.experiments import csi2017
from cevnsloop.fit.limits import upper_limit
from cevnsloop.model import Model, unit_model
from cevnsloop.rates.events import parts, predict, sm_events
from cevnsloop.referees import events as reference

EPS = np.finfo(float).eps
THEORY = Theory(PUBLISHED)


def edge(symbol):
    """Largest m_chi that the Michel end point can make on a nucleus: where Eq. (24) is an equality."""
    M, E = reference.mass(symbol), reference.M_MU / 2
    return 2 * M * E / (M + math.sqrt(M**2 + 2 * M * E))


# m_chi, m_zp: light and heavy mediators; below the line's edge, between, just below, between and above the two
# nuclei's edges
LINE_EDGE = 29.7
POINTS = [
    (1e-3, 1e-2),
    (1.0, 2.0),
    (1.0, 10.0),
    (10.0, 100.0),
    (LINE_EDGE, 59.4),
    (40.0, 4000.0),
    (edge("I127") * (1 - 1e-6), 106.0),
    ((edge("I127") + edge("Cs133")) / 2, 106.0),
    (edge("Cs133") * (1 - 1e-6), 530.0),
    (edge("Cs133") * (1 + 1e-12), 106.0),
]


def coefficients(model, dataset, amplitude):
    """LoopCoefficients by symbol of the nucleus."""
    nuclides = [target.nuclide for target in dataset.experiment.targets]
    return {n.symbol: loop_coefficients(model, n, amplitude, "mz_rounded") for n in nuclides}


def test_sm_events_agree_with_adaptive_quadrature(dataset):
    expected = reference.events(reference.eq22, 0.0, dataset)
    assert sm_events(dataset.experiment, THEORY) == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.mark.parametrize(("m_chi", "m_zp"), POINTS)
def test_tree_events_agree_with_adaptive_quadrature(m_chi, m_zp, dataset):
    n_tree = parts(unit_model("A", m_chi, m_zp), dataset.experiment, THEORY)["n_tree"]
    expected = np.array(reference.events(lambda E, T, s: reference.eq23(E, T, s, m_chi, m_zp), m_chi, dataset))
    assert np.array_equal(n_tree == 0, expected == 0)
    seen = expected > 0
    # within 1e-6 of the edge the width of the allowed range is itself known to 1e-16 / 1e-6 only
    to_edge = min(abs(m_chi / edge(s) - 1) for s in reference.NUCLEI)
    assert n_tree[seen] == pytest.approx(expected[seen], rel=max(1e-9, 8 * EPS / to_edge), abs=0)


def test_events_vanish_at_the_edge_and_not_before(dataset):
    below, at, above = (
        parts(unit_model("A", edge("Cs133") * factor, 530.0), dataset.experiment, THEORY)["n_tree"].sum()
        for factor in (1 - 1e-6, 1, 1 + 1e-12)
    )
    assert above == 0 < below
    # the spectrum and the recoil range both close: the rate falls at least with the square of the distance
    assert 0 <= at < 1e-12 * below


@pytest.mark.parametrize("case", ["A", "B"])
@pytest.mark.parametrize(("m_chi", "m_zp"), POINTS)
def test_loop_events_agree_with_adaptive_quadrature(case, m_chi, m_zp, dataset):
    model = unit_model(case, m_chi, m_zp)
    c = coefficients(model, dataset, PUBLISHED)

    def dsigma(E, T, symbol):
        return reference.eq25(E, T, symbol, float(c[symbol].c1), float(c[symbol].c2), float(c[symbol].c3))

    n_loop = parts(model, dataset.experiment, THEORY)["n_loop"]
    assert n_loop == pytest.approx(reference.events(dsigma, 0.0, dataset), rel=1e-9, abs=0)


@pytest.mark.parametrize("case", ["A", "B"])
def test_events_are_a_polynomial_in_the_coupling(case, dataset):
    rng = np.random.default_rng(2021)
    masses = 10 ** rng.uniform(0, 2, 6), 10 ** rng.uniform(0, 3, 6)
    events = predict(unit_model(case, *masses), dataset.experiment, THEORY)
    for g_chi, g_q in 10 ** rng.uniform(-6, 0, (5, 2)):
        model = Model(case, *masses, g_chi, g_chi, {q: g_q for q in "dsb"})
        direct = predict(model, dataset.experiment, THEORY)
        assert events.total(g_chi * g_q) == pytest.approx(direct.total(model.G), rel=32 * EPS, abs=0)


def directly(model, dataset):
    """Events of the tree and of the loops for the couplings of a model of u and d quarks, by adaptive quadrature."""
    u, d = model.g_q["u"], model.g_q["d"]
    masses = float(model.m_chi), float(model.m_zp)
    c = coefficients(model, dataset, PUBLISHED)

    def loop(E, T, symbol):
        return reference.eq25(E, T, symbol, float(c[symbol].c1), float(c[symbol].c2), float(c[symbol].c3))

    tree = reference.events(lambda E, T, s: reference.eq23(E, T, s, *masses, u, d, model.g_chi_L), masses[0], dataset)
    return np.array(tree), np.array(reference.events(loop, 0.0, dataset))


@pytest.mark.parametrize("g_q", [{"u": 3e-4, "d": -2e-4}, {"u": -0.1, "d": 0.4}, {"u": 5.0, "d": 5.0}])
@pytest.mark.parametrize("g_chi", [(0.5, 0.25), (1e-3, 7e-3), (3.0, 0.0)])
def test_a_model_of_any_normalisation_and_its_events(g_chi, g_q, dataset):
    """The tree adds amplitudes of quarks, the loop squared couplings; G takes the largest of them out."""
    model = Model("A", 10.0, 100.0, *g_chi, g_q)
    assert max(g_chi) * max(map(abs, g_q.values())) == model.G
    found = parts(model, dataset.experiment, THEORY, model.G)
    for name, expected in zip(("n_tree", "n_loop"), directly(model, dataset), strict=True):
        assert found[name] == pytest.approx(expected, rel=1e-9, abs=0)


def test_a_limit_on_G_is_a_limit_on_the_couplings(dataset):
    """Couplings of other sizes with the product that is just excluded: chi^2 of their spectrum has risen by delta."""
    pattern = {"u": 1.0, "d": -0.7}
    limit = upper_limit(predict(unit_model("A", 10.0, 100.0, pattern), dataset.experiment, THEORY), dataset, 4.61)
    g_chi = 2e-3
    excluded = Model("A", 10.0, 100.0, g_chi, g_chi, {q: g * limit.g_limit / g_chi for q, g in pattern.items()})
    tree, loop = directly(excluded, dataset)
    rise = reference.chi2(sm_events(dataset.experiment, THEORY) + tree + loop, dataset) - limit.chi2_min
    # what the quadratures leave, 1e-9 of the events, moves chi^2 by less than this
    assert rise == pytest.approx(4.61, rel=1e-7, abs=0)


def test_no_coupling_no_signal(dataset):
    none = parts(unit_model("A", 10.0, 100.0, {}), dataset.experiment, THEORY)
    assert not none["n_tree"].any()
    assert not none["n_loop"].any()
    assert not parts(unit_model("B", 10.0, 100.0), dataset.experiment, THEORY)["n_tree"].any()


def test_arrays_of_models_equal_single_models(dataset):
    m_chi, m_zp = np.array([[1.0, 10.0, 60.0]]), np.array([[20.0], [300.0]])
    together = parts(unit_model("A", m_chi, m_zp), dataset.experiment, THEORY)
    assert {together[name].shape for name in ("n_tree", "n_loop", "n_interference")} == {(2, 3, 12)}
    assert predict(unit_model("A", m_chi, m_zp), dataset.experiment, THEORY).n.shape == (3, 2, 3, 12)
    for i in range(2):
        for j in range(3):
            alone = parts(unit_model("A", m_chi[0, j], m_zp[i, 0]), dataset.experiment, THEORY)
            for name in ("n_tree", "n_loop"):
                got, expected = together[name][i, j], alone[name]
                assert np.array_equal(got == 0, expected == 0)
                assert got[expected > 0] == pytest.approx(expected[expected > 0], rel=16 * EPS, abs=0)


def test_totals_refuse_a_negative_coupling(dataset):
    model = unit_model("A", 10.0, 100.0)
    for total in (predict(model, dataset.experiment, THEORY).total, partial(parts, model, dataset.experiment, THEORY)):
        with pytest.raises(ValueError, match=r"g must be >= 0 and finite, got -1e-08"):
            total(-1e-8)


@pytest.mark.parametrize("neutrinos", ["all", "e", "mu"])
def test_interference_agrees_with_adaptive_quadrature(neutrinos, dataset):
    """-+ sqrt(2) G_F Q_w c2 M^3 / (2 pi E) [2 E (E - T) - M T] F^2, minus for neutrinos, plus for antineutrinos."""
    amplitude = PUBLISHED.flipped("interference")
    model = unit_model("A", 200.0, 400.0, neutrinos=neutrinos)
    c2 = {symbol: float(c.c2) for symbol, c in coefficients(model, dataset, amplitude).items()}

    def dsigma(E, T, symbol):
        return reference.with_z(E, T, symbol, c2[symbol] * math.sqrt(reference.helm_squared(symbol, T)))

    spectra = {"all": ("nu_mu", "nu_e", "nubar_mu"), "e": ("nu_e",), "mu": ("nu_mu", "nubar_mu")}[neutrinos]
    signs = {"nu_mu": 1, "nu_e": 1, "nubar_mu": -1}
    expected = np.array(reference.events(dsigma, 0.0, dataset, {name: signs[name] for name in spectra}))
    got = parts(model, dataset.experiment, Theory(amplitude))["n_interference"]
    # contributions of both signs cancel to a few per cent
    assert got == pytest.approx(expected, rel=1e-8, abs=0)


def test_interference_is_left_out_as_published(dataset):
    assert not parts(unit_model("A", 10.0, 100.0), dataset.experiment, THEORY)["n_interference"].any()
    assert parts(unit_model("A", 10.0, 100.0), dataset.experiment, Theory(REDERIVED))["n_interference"].any()


def test_flavours_add_up(dataset):
    """What couples to all flavours is what couples to each: tree, interference and loops are sums over the beam."""
    found = {
        name: parts(unit_model("A", 20.0, 40.0, neutrinos=name), dataset.experiment, Theory(REDERIVED))
        for name in ("all", "e", "mu")
    }
    for kind in ("n_tree", "n_interference", "n_loop"):
        both = found["e"][kind] + found["mu"][kind]
        # the interference of both flavours differs in sign and leaves a few per cent
        assert both == pytest.approx(found["all"][kind], rel=1e-12, abs=0)
        assert found["e"][kind].any()
        assert found["mu"][kind].any()


@pytest.mark.parametrize("label", ["upper", "lower"])
def test_smeared_events_agree_with_adaptive_quadrature(label):
    """Poisson smearing, Standard Model, one bin: each count n has the acceptance of its 1-PE bin."""
    smeared = csi2017.dataset(csi2017.Settings(smearing="poisson", pe_label=label))
    a, k, x0 = reference.ACCEPTANCE
    shift = {"upper": 1, "lower": 0}[label]

    def dsigma(E, T, symbol):
        mean = reference.PE_PER_MEV * T
        seen = sum(
            math.exp(-mean + n * math.log(mean) - math.lgamma(n + 1)) * a / (1 + math.exp(-k * (n - shift + 0.5 - x0)))
            for n in (12 + shift, 13 + shift)
        )
        return reference.eq22(E, T, symbol) * seen

    line = (reference.M_PI**2 - reference.M_MU**2) / (2 * reference.M_PI)
    sums = [
        reference.interval(dsigma, 0.0, s, lo / 1e3, hi / 1e3, line, smeared)
        for s in reference.NUCLEI
        for lo, hi in ((1e-9, 5), (5, 10), (10, 15), (15, 25), (25, 60))
    ]
    expected = sum(sums) * smeared.experiment.fluence * smeared.experiment.targets[0].count
    assert sm_events(smeared.experiment, THEORY)[3] == pytest.approx(expected, rel=1e-9, abs=0)


def standard_model(**choices):
    return sm_events(csi2017.dataset(csi2017.Settings(**choices)).experiment, THEORY)


def test_smearing_keeps_the_events_and_moves_them():
    everything = {"first_bin": 1, "last_bin": 25}
    sharp = standard_model(**everything)
    upper = standard_model(**everything, smearing="poisson")
    lower = standard_model(**everything, smearing="poisson", pe_label="lower")
    # the acceptance rises with PE: a label one PE higher is accepted more often
    assert upper.sum() < lower.sum()
    assert sharp.sum() == pytest.approx(upper.sum(), rel=0.1, abs=0)


def test_the_time_fraction_takes_delayed_neutrinos_only(dataset):
    ratio = standard_model() / standard_model(time_fraction=False)
    (delayed,) = dataset.experiment.arrival["delayed"]
    # above 16.8 PE the line at 29.8 MeV cannot reach: what is left is delayed
    assert ratio[-6:] == pytest.approx(delayed, rel=1e-12, abs=0)
    assert np.all(ratio[:4] > delayed * 1.01)


def test_events_scale_with_the_detector_mass():
    double = standard_model(detector_mass_kg=2 * inputs.entry("csi2017.detector_mass").number)
    assert double == pytest.approx(2 * standard_model(), rel=4 * EPS, abs=0)


def test_the_low_energy_angle_raises_the_standard_model(dataset):
    low = sm_events(dataset.experiment, Theory(weak_angle="low_energy"))
    # |Z g_p + N g_n| grows: g_p falls with sin^2 theta_W
    nuclides = [target.nuclide for target in dataset.experiment.targets]
    assert all(n.Z / n.N > 0.7 for n in nuclides)
    charge = {
        name: np.array([n.N / 2 - n.Z * (0.5 - 2 * inputs.value(f"weak_angle.{name}")) for n in nuclides])
        for name in ("msbar_mz", "low_energy")
    }
    gain = (charge["low_energy"] / charge["msbar_mz"]) ** 2
    ratio = low / standard_model()
    assert np.all((ratio > gain.min()) & (ratio < gain.max()))
