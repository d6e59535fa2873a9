import math

import numpy as np
import pytest

from cevnsloop import coherent, inputs, settings
from cevnsloop import reference_events as reference
from cevnsloop.amplitude import PUBLISHED, REDERIVED, loop_coefficients
from cevnsloop.events import predict, sm_events
from cevnsloop.fit import upper_limit
from cevnsloop.model import Model, unit_model

EPS = np.finfo(float).eps


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


def test_sm_events_agree_with_adaptive_quadrature(dataset):
    expected = reference.events(reference.eq22, 0.0, dataset)
    assert sm_events(dataset) == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.mark.parametrize(("m_chi", "m_zp"), POINTS)
def test_tree_events_agree_with_adaptive_quadrature(m_chi, m_zp, dataset):
    n_tree = predict(unit_model("A", m_chi, m_zp), dataset, PUBLISHED).n_tree
    expected = np.array(reference.events(lambda E, T, s: reference.eq23(E, T, s, m_chi, m_zp), m_chi, dataset))
    assert np.array_equal(n_tree == 0, expected == 0)
    seen = expected > 0
    # within 1e-6 of the edge the width of the allowed range is itself known to 1e-16 / 1e-6 only
    to_edge = min(abs(m_chi / edge(s) - 1) for s in reference.NUCLEI)
    assert n_tree[seen] == pytest.approx(expected[seen], rel=max(1e-9, 8 * EPS / to_edge), abs=0)


def test_events_vanish_at_the_edge_and_not_before(dataset):
    below, at, above = (
        predict(unit_model("A", edge("Cs133") * factor, 530.0), dataset, PUBLISHED).n_tree.sum()
        for factor in (1 - 1e-6, 1, 1 + 1e-12)
    )
    assert above == 0 < below
    # the spectrum and the recoil range both close: the rate falls at least with the square of the distance
    assert 0 <= at < 1e-12 * below


@pytest.mark.parametrize("case", ["A", "B"])
@pytest.mark.parametrize(("m_chi", "m_zp"), POINTS)
def test_loop_events_agree_with_adaptive_quadrature(case, m_chi, m_zp, dataset):
    model = unit_model(case, m_chi, m_zp)
    c = {t.nuclide.symbol: loop_coefficients(model, t.nuclide, PUBLISHED, "mz_rounded") for t in dataset.targets}

    def dsigma(E, T, symbol):
        return reference.eq25(E, T, symbol, float(c[symbol].c1), float(c[symbol].c2), float(c[symbol].c3))

    n_loop = predict(model, dataset, PUBLISHED).n_loop
    assert n_loop == pytest.approx(reference.events(dsigma, 0.0, dataset), rel=1e-9, abs=0)


@pytest.mark.parametrize("case", ["A", "B"])
def test_events_are_a_polynomial_in_the_coupling(case, dataset):
    rng = np.random.default_rng(2021)
    masses = 10 ** rng.uniform(0, 2, 6), 10 ** rng.uniform(0, 3, 6)
    parts = predict(unit_model(case, *masses), dataset, PUBLISHED)
    for g_chi, g_q in 10 ** rng.uniform(-6, 0, (5, 2)):
        model = Model(case, *masses, g_chi, g_chi, {q: g_q for q in "dsb"})
        direct = predict(model, dataset, PUBLISHED)
        assert parts.total(g_chi * g_q) == pytest.approx(direct.total(model.G), rel=32 * EPS, abs=0)


def directly(model, dataset):
    """Events of the tree and of the loops for the couplings of a model of u and d quarks, by adaptive quadrature."""
    u, d = model.g_q["u"], model.g_q["d"]
    masses = float(model.m_chi), float(model.m_zp)
    c = {t.nuclide.symbol: loop_coefficients(model, t.nuclide, PUBLISHED, "mz_rounded") for t in dataset.targets}

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
    parts = predict(model, dataset, PUBLISHED).parts(model.G)
    for name, expected in zip(("n_tree", "n_loop"), directly(model, dataset), strict=True):
        assert parts[name] == pytest.approx(expected, rel=1e-9, abs=0)


def test_a_limit_on_G_is_a_limit_on_the_couplings(dataset):
    """Couplings of other sizes with the product that is just excluded: chi^2 of their spectrum has risen by delta."""
    pattern = {"u": 1.0, "d": -0.7}
    limit = upper_limit(predict(unit_model("A", 10.0, 100.0, pattern), dataset, PUBLISHED), dataset, 4.61)
    g_chi = 2e-3
    excluded = Model("A", 10.0, 100.0, g_chi, g_chi, {q: g * limit.g_limit / g_chi for q, g in pattern.items()})
    tree, loop = directly(excluded, dataset)
    rise = reference.chi2(sm_events(dataset) + tree + loop, dataset) - limit.chi2_min
    # what the quadratures leave, 1e-9 of the events, moves chi^2 by less than this
    assert rise == pytest.approx(4.61, rel=1e-7, abs=0)


def test_no_coupling_no_signal(dataset):
    parts = predict(unit_model("A", 10.0, 100.0, {}), dataset, PUBLISHED)
    assert not parts.n_tree.any()
    assert not parts.n_loop.any()
    assert not predict(unit_model("B", 10.0, 100.0), dataset, PUBLISHED).n_tree.any()


def test_arrays_of_models_equal_single_models(dataset):
    m_chi, m_zp = np.array([[1.0, 10.0, 60.0]]), np.array([[20.0], [300.0]])
    together = predict(unit_model("A", m_chi, m_zp), dataset, PUBLISHED)
    assert together.n_tree.shape == together.n_loop.shape == together.n_interference.shape == (2, 3, 12)
    for i in range(2):
        for j in range(3):
            alone = predict(unit_model("A", m_chi[0, j], m_zp[i, 0]), dataset, PUBLISHED)
            for name in ("n_tree", "n_loop"):
                got, expected = getattr(together, name)[i, j], getattr(alone, name)
                assert np.array_equal(got == 0, expected == 0)
                assert got[expected > 0] == pytest.approx(expected[expected > 0], rel=16 * EPS, abs=0)


def test_totals_refuse_a_negative_coupling(dataset):
    parts = predict(unit_model("A", 10.0, 100.0), dataset, PUBLISHED)
    with pytest.raises(ValueError, match=r"g must be >= 0 and finite, got -1e-08"):
        parts.total(-1e-8)
    with pytest.raises(ValueError, match="n_loop at this g must be finite, got inf"):
        parts.total([1e-8, 1e100])


@pytest.mark.parametrize("neutrinos", ["all", "e", "mu"])
def test_interference_agrees_with_adaptive_quadrature(neutrinos, dataset):
    """-+ sqrt(2) G_F Q_w c2 M^3 / (2 pi E) [2 E (E - T) - M T] F^2, minus for neutrinos, plus for antineutrinos."""
    amplitude = PUBLISHED.flipped("interference")
    model = unit_model("A", 200.0, 400.0, neutrinos=neutrinos)
    c2 = {
        t.nuclide.symbol: float(loop_coefficients(model, t.nuclide, amplitude, "mz_rounded").c2)
        for t in dataset.targets
    }

    def dsigma(E, T, symbol):
        Z, A = reference.NUCLEI[symbol]
        M = reference.mass(symbol)
        Q_w = Z * (0.5 - 2 * inputs.value("weak_angle.msbar_mz")) - (A - Z) / 2
        size = math.sqrt(2) * inputs.value("constants.G_F") * Q_w * c2[symbol] * M**3 / (2 * math.pi * E)
        return -size * (2 * E * (E - T) - M * T) * reference.helm_squared(symbol, T)

    spectra = {"all": ("nu_mu", "nu_e", "nubar_mu"), "e": ("nu_e",), "mu": ("nu_mu", "nubar_mu")}[neutrinos]
    signs = {"nu_mu": 1, "nu_e": 1, "nubar_mu": -1}
    expected = np.array(reference.events(dsigma, 0.0, dataset, {name: signs[name] for name in spectra}))
    got = predict(model, dataset, amplitude).n_interference
    # contributions of both signs cancel to a few per cent
    assert got == pytest.approx(expected, rel=1e-8, abs=0)


def test_interference_is_left_out_as_published(dataset):
    assert not predict(unit_model("A", 10.0, 100.0), dataset, PUBLISHED).n_interference.any()
    assert predict(unit_model("A", 10.0, 100.0), dataset, REDERIVED).n_interference.any()


def test_flavours_add_up(dataset):
    """What couples to all flavours is what couples to each: tree, interference and loops are sums over the beam."""
    parts = {
        name: predict(unit_model("A", 20.0, 40.0, neutrinos=name), dataset, REDERIVED) for name in ("all", "e", "mu")
    }
    for kind in ("n_tree", "n_interference", "n_loop"):
        both = getattr(parts["e"], kind) + getattr(parts["mu"], kind)
        # the interference of both flavours differs in sign and leaves a few per cent
        assert both == pytest.approx(getattr(parts["all"], kind), rel=1e-12, abs=0)
        assert getattr(parts["e"], kind).any()
        assert getattr(parts["mu"], kind).any()


@pytest.mark.parametrize("label", ["upper", "lower"])
def test_smeared_events_agree_with_adaptive_quadrature(label):
    """Poisson smearing, Standard Model, one bin: each count n has the acceptance of its 1-PE bin."""
    smeared = coherent.csi2017(settings.csi2017(smearing="poisson", pe_label=label))
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
    expected = sum(sums) * smeared.fluence * smeared.targets[0].count
    assert sm_events(smeared)[3] == pytest.approx(expected, rel=1e-9, abs=0)


def test_smearing_keeps_the_events_and_moves_them():
    sharp = sm_events(coherent.csi2017(settings.csi2017(first_bin=1, last_bin=25)))
    upper = sm_events(coherent.csi2017(settings.csi2017(first_bin=1, last_bin=25, smearing="poisson")))
    lower = sm_events(
        coherent.csi2017(settings.csi2017(first_bin=1, last_bin=25, smearing="poisson", pe_label="lower"))
    )
    # the acceptance rises with PE: a label one PE higher is accepted more often
    assert upper.sum() < lower.sum()
    assert sharp.sum() == pytest.approx(upper.sum(), rel=0.1, abs=0)


def test_the_time_fraction_takes_delayed_neutrinos_only(dataset):
    everything = sm_events(coherent.csi2017(settings.csi2017(time_fraction=False)))
    ratio = sm_events(dataset) / everything
    # above 16.8 PE the line at 29.8 MeV cannot reach: what is left is delayed
    assert ratio[-6:] == pytest.approx(dataset.arrival["delayed"], rel=1e-12, abs=0)
    assert np.all(ratio[:4] > dataset.arrival["delayed"] * 1.01)


def test_events_scale_with_the_detector_mass(dataset):
    double = coherent.csi2017(settings.csi2017(detector_mass_kg=2 * inputs.entry("csi2017.detector_mass").number))
    assert sm_events(double) == pytest.approx(2 * sm_events(dataset), rel=4 * EPS, abs=0)


def test_the_low_energy_angle_raises_the_standard_model(dataset):
    low = sm_events(coherent.csi2017(settings.csi2017(weak_angle="low_energy")))
    # |Z g_p + N g_n| grows: g_p falls with sin^2 theta_W
    for target in dataset.targets:
        n = target.nuclide
        assert n.Z / n.N > 0.7
    charge = {
        name: np.array(
            [t.nuclide.N / 2 - t.nuclide.Z * (0.5 - 2 * inputs.value(f"weak_angle.{name}")) for t in dataset.targets]
        )
        for name in ("msbar_mz", "low_energy")
    }
    gain = (charge["low_energy"] / charge["msbar_mz"]) ** 2
    ratio = low / sm_events(dataset)
    assert np.all((ratio > gain.min()) & (ratio < gain.max()))
