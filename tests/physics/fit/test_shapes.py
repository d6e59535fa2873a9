"""Shifted ingredients against adaptive quadrature and exact scalings; opened nuisances against a general minimiser."""

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
import yaml
from fitting import AS_PUBLISHED, AS_REDERIVED, altered, predict, printed_chi2, sm_events
from scipy.optimize import minimize, minimize_scalar

from cevnsloop import inputs, units
from cevnsloop.experiments import csi2017
from cevnsloop.fit import search
from cevnsloop.fit.gaussian import gaussian
from cevnsloop.fit.limits import ceiling, upper_limit
from cevnsloop.fit.shapes import (
    ACCEPTANCE,
    INGREDIENTS,
    PARTS,
    ingredients,
    limit_shifts,
    nominal_value,
    predict_open,
    shifted,
    sigma_alpha_left,
    upper_limit_open,
    variations,
)
from cevnsloop.model import Model, unit_model
from cevnsloop.nucleus import helm, nuclide
from cevnsloop.rates.events import parts
from cevnsloop.referees import events as reference
from cevnsloop.results import quoted

EPS = np.finfo(float).eps
ALL = tuple(PARTS)
RESPONSE, BEAM = "experiment.response.", "backgrounds.beta.events"
MOVES = {  # what an ingredient may touch of a data set
    "quenching": {RESPONSE + "pe_per_MeV"},
    "light_yield": {RESPONSE + "pe_per_MeV"},
    **{name: {RESPONSE + "acceptance", BEAM} for name in ACCEPTANCE},
    "neutrinos_per_proton": {"experiment.fluence"},
    "nuclear_size": {f"experiment.targets.{k}.nuclide.size" for k in (0, 1)},
}


def leaves(value, path=""):
    """What a record holds at any depth, as pairs of a dotted path and a value."""
    if is_dataclass(value):
        inside = {f.name: getattr(value, f.name) for f in fields(value)}
    elif isinstance(value, (tuple, list)) and any(map(is_dataclass, value)):
        inside = dict(enumerate(value))
    elif isinstance(value, dict):
        inside = value
    else:
        yield path, value
        return
    for name, one in inside.items():
        yield from leaves(one, f"{path}.{name}".strip("."))


def differing(a, b):
    pairs = zip(leaves(a), leaves(b), strict=True)
    return {path for (path, one), (same, other) in pairs if path != same or not np.array_equal(one, other)}


def profile(n_th, changes, dataset, sigma_alpha, names=()):
    """chi2 of Eq. (34), and all nuisances along the first axis; changes are those of the ingredients of `names`."""
    opened = gaussian(dataset, ingredients(names), sigma_alpha)
    chi2, nuisances = opened.profile(n_th, dataset.counts, dict(zip(opened.changes, changes, strict=True)))
    return chi2, np.array(list(nuisances.values()))


def printed(n_th, dataset):
    """chi2 of Eq. (34) without anything opened."""
    return gaussian(dataset).profile(n_th, dataset.counts)[0]


def at(coefficients, g):
    """A polynomial of Events, shape (3, ..., B), at G = `g`."""
    y = np.asarray(g)[..., None] ** 2
    return coefficients[0] + y * (coefficients[1] + y * coefficients[2])


def test_errors_are_those_of_the_release(release):
    text = (release / "coherent_parameters.yaml").read_text(encoding="utf-8")
    stated = yaml.safe_load(text.replace("\t", " "))

    def number(name):
        return inputs.entry(f"systematics.{name}").number

    for name, key in (
        ("quenching", "csiQF"),
        ("light_yield", "csiLightYield"),
        ("neutrinos_per_proton", "neutrinosPerProton"),
    ):
        stated_unit = inputs.entry(f"systematics.{name}.both").unit
        assert number(f"{name}.both") == stated[key]["uncertainty"]
        assert nominal_value(name) == pytest.approx(stated[key]["value"] * units.UNITS[stated_unit], rel=1e-15, abs=0)
    parameters = {p["name"].replace("_", ""): p for p in stated["acceptanceEfficiency"]["parameters"]}
    for short, p in parameters.items():
        found = [number(f"acceptance_{short}.{side}") for side in ("up", "down")]
        assert found == [p["error_hi"], p["error_lo"]]
        assert inputs.entry(f"csi2017.acceptance_{short}").number == p["value"]
    assert {f"acceptance_{short}" for short in parameters} == set(ACCEPTANCE)


def test_every_error_has_an_ingredient_and_its_unit():
    assert sorted(inputs.names("systematics")) == sorted(INGREDIENTS)
    for name in set(INGREDIENTS) - {"nuclear_size"}:
        found = {inputs.entry(f"systematics.{name}.{side}").unit for side in inputs.names(f"systematics.{name}")}
        if name in inputs.names("csi2017"):
            found.add(inputs.entry(f"csi2017.{name}").unit)
        assert len(found) == 1


def test_parts_of_sigma_alpha_add_up_to_it_in_quadrature():
    parts = inputs.values("sigma_alpha_parts")
    assert set(parts) == set(PARTS)
    assert set(INGREDIENTS) - {"light_yield"} == {one for part in PARTS.values() for one in part}
    assert round(sum(p**2 for p in parts.values()) ** 0.5, 2) == inputs.value("csi2017.sigma_alpha")


def test_parts_are_what_one_sigma_moves_the_standard_model_by(dataset):
    """COHERENT's parts against our own spectrum: the flux exactly, quenching to a tenth, the acceptance nearly."""
    half = {}
    for name, pair in variations(dataset, AS_PUBLISHED).items():
        down, up = (sm_events(*one).sum() for one in pair)
        half[name] = abs(up - down) / 2 / sm_events(dataset).sum()
    parts = inputs.values("sigma_alpha_parts")
    assert half["neutrinos_per_proton"] == pytest.approx(parts["flux"], rel=1e-13, abs=0)
    assert half["quenching"] == pytest.approx(parts["quenching"], rel=0.1, abs=0)
    # the size of the nucleus was chosen to give that part, as a number of one digit
    assert half["nuclear_size"] == pytest.approx(parts["form_factor"], rel=0.1, abs=0)
    # three parameters, no correlations stated: together a little more than COHERENT's number
    together = np.sqrt(sum(half[name] ** 2 for name in ACCEPTANCE))
    assert parts["acceptance"] < together < 1.3 * parts["acceptance"]


@pytest.mark.parametrize("name", INGREDIENTS)
@pytest.mark.parametrize("sigmas", [-1, 1])
def test_an_ingredient_touches_its_fields_and_no_other(name, sigmas, dataset):
    assert differing(dataset, shifted(dataset, name, sigmas)) == MOVES[name]


@pytest.mark.parametrize("name", INGREDIENTS)
def test_no_shift_is_the_data_set_itself(name, dataset):
    assert differing(dataset, shifted(dataset, name, 0)) == set()


@pytest.mark.parametrize("name", INGREDIENTS)
@pytest.mark.parametrize(("sigmas", "side"), [(1, "up"), (-1, "down")])
def test_shifts_are_as_large_as_the_error_on_their_side(name, sigmas, side, dataset):
    errors = inputs.values(f"systematics.{name}")
    wanted = 1 + sigmas * errors.get("both", errors.get(side)) / nominal_value(name)
    moved = shifted(dataset, name, sigmas)
    pe = 9.5  # an acceptance with 1 / (1 + exp(-k (pe - x0))), solved for the parameter that moved
    a, k, x0 = reference.ACCEPTANCE
    seen = moved.experiment.response.acceptance[9]
    found = {
        "quenching": moved.experiment.response.pe_per_MeV / dataset.experiment.response.pe_per_MeV,
        "light_yield": moved.experiment.response.pe_per_MeV / dataset.experiment.response.pe_per_MeV,
        "acceptance_a": seen * (1 + np.exp(-k * (pe - x0))) / a,
        "acceptance_k": -np.log(a / seen - 1) / (pe - x0) / k,
        "acceptance_x0": (pe + np.log(a / seen - 1) / k) / x0,
        "neutrinos_per_proton": moved.experiment.fluence / dataset.experiment.fluence,
        "nuclear_size": moved.experiment.targets[0].nuclide.size,
    }[name]
    # log(a / seen - 1) is 0.67 and loses less than a digit
    assert found == pytest.approx(wanted, rel=20 * EPS, abs=0)


def test_a_name_moves_what_it_says(dataset):
    """Acceptance k and x0 are told apart by where they leave the acceptance as it was."""
    used = slice(6, 30)
    before = dataset.experiment.response.acceptance[used]
    steps = {name: shifted(dataset, name, 1).experiment.response.acceptance[used] / before for name in ACCEPTANCE}
    assert np.ptp(steps["acceptance_a"]) < 10 * EPS
    # steeper: less below x0 = 10.85 PE, more above; later: less everywhere, least at the end
    assert (steps["acceptance_k"] < 1).tolist() == [True] * 5 + [False] * 19
    assert (np.diff(steps["acceptance_x0"]) > 0).all()
    assert steps["acceptance_x0"].max() < 1


def test_prompt_neutrons_follow_the_acceptance(dataset):
    for sigmas in (-1, 1):
        moved = shifted(dataset, "acceptance_a", sigmas)
        factor = moved.experiment.response.acceptance[20] / dataset.experiment.response.acceptance[20]
        assert moved.b_on == pytest.approx(factor * dataset.b_on, rel=1e-14, abs=0)
        assert moved.n_obs.tolist() == dataset.n_obs.tolist()
        assert moved.sigma**2 - moved.b_on == pytest.approx(dataset.sigma**2 - dataset.b_on, rel=1e-14, abs=0)


def test_counts_of_a_toy_stay(dataset):
    toy = altered(dataset, n_on=dataset.n_on + 3.0)
    pairs = variations(toy, AS_PUBLISHED).values()
    assert all((one.n_on == toy.n_on).all() for pair in pairs for one, _ in pair)


def test_flux_scales_every_part(dataset):
    model = unit_model("A", [1.0, 40.0], [3.0, 90.0])
    before = parts(model, dataset.experiment, AS_REDERIVED)
    pair = variations(dataset, AS_REDERIVED)["neutrinos_per_proton"]
    down, up = (parts(model, data.experiment, theory) for data, theory in pair)
    for name, one in before.items():
        assert up[name] == pytest.approx(1.1 * one, rel=1e-14, abs=0)
        assert down[name] == pytest.approx(0.9 * one, rel=1e-14, abs=0)


@pytest.mark.parametrize("sigmas", [-1, 1])
@pytest.mark.parametrize("name", ["quenching", "acceptance_a", "acceptance_k", "acceptance_x0", "nuclear_size"])
def test_shifted_spectra_agree_with_adaptive_quadrature(name, sigmas, dataset, monkeypatch):
    errors = inputs.values(f"systematics.{name}")
    step = sigmas * errors.get("both", errors.get("up" if sigmas > 0 else "down"))
    if name == "quenching":
        factor = 1 + step / nominal_value("quenching")
        monkeypatch.setattr(reference, "PE_PER_MEV", reference.PE_PER_MEV * factor)
    elif name == "nuclear_size":
        # q R is all that counts: a larger nucleus is a larger q, and T goes as its square
        unshifted = reference.helm_squared
        monkeypatch.setattr(reference, "helm_squared", lambda symbol, T: unshifted(symbol, T * (1 + step) ** 2))
    else:
        changed = list(reference.ACCEPTANCE)
        changed[ACCEPTANCE.index(name)] += step
        monkeypatch.setattr(reference, "ACCEPTANCE", tuple(changed))
    moved = shifted(dataset, name, sigmas)
    # the accuracy the package promises, as in test_events.py
    assert sm_events(moved) == pytest.approx(reference.events(reference.eq22, 0.0, moved), rel=1e-8, abs=0)
    m_chi, m_zp = 20.0, 30.0
    expected = reference.events(lambda E, T, s: reference.eq23(E, T, s, m_chi, m_zp), m_chi, moved)
    n_tree = parts(unit_model("A", m_chi, m_zp), moved.experiment, AS_PUBLISHED)["n_tree"]
    assert n_tree == pytest.approx(expected, rel=1e-8, abs=0)


def test_a_nucleus_of_another_size():
    larger = replace(nuclide("Cs133"), size=1.04)
    for Q2 in (1e-4, 900.0, 3600.0):
        assert helm(Q2, larger) == pytest.approx(helm(1.04**2 * Q2, nuclide("Cs133")), rel=1e-14, abs=0)
    # 1 - F is Q^2 <r^2> / 6 at small Q
    rise = (1 - helm(1e-2, larger)) / (1 - helm(1e-2, nuclide("Cs133")))
    assert rise == pytest.approx(1.04**2, rel=1e-5, abs=0)


def test_changed_inputs_are_those_of_the_table(dataset):
    def changed(name, number):
        return csi2017.dataset(dataset.settings, inputs.STANDARD.changed({f"csi2017.{name}": number}))

    doubled = changed("exposure", 2 * inputs.entry("csi2017.exposure").number)
    assert doubled.b_on == pytest.approx(2 * dataset.b_on, rel=1e-14, abs=0)
    for name in ("acceptance", "quenching", "light_yield"):
        with pytest.raises(ValueError, match=rf"no input is called 'csi2017.{name}'"):
            changed(name, 1.0)
    for name in ("live_days", "protons_per_year"):
        with pytest.raises(ValueError, match=rf"no prediction depends on the input csi2017.{name}"):
            changed(name, 1.0)
    for bad in (np.nan, np.inf, 0.0, -1.0):
        with pytest.raises(ValueError, match=f"exposure must be > 0 GWh and finite, got {bad}"):
            changed("exposure", bad)


def test_shifts_are_of_the_inputs_that_a_data_set_was_made_with(dataset):
    """Other numbers, other errors: nothing is read from the table as it is stored."""
    table = inputs.STANDARD.changed({"csi2017.acceptance_a": 0.5, "systematics.acceptance_a.up": 0.1})
    mine = csi2017.dataset(dataset.settings, table)
    up, factor = shifted(mine, "acceptance_a", 1), 0.6 / 0.5
    assert up.b_on == pytest.approx(factor * mine.b_on, rel=1e-14, abs=0)
    before, after = (data.experiment.response.acceptance for data in (mine, up))
    assert after == pytest.approx(factor * before, rel=1e-14, abs=0)
    larger = csi2017.dataset(table=inputs.STANDARD.changed({"sigma_alpha_parts.flux": 0.2}))
    assert sigma_alpha_left(larger, ("flux",)) == pytest.approx((0.28**2 - 0.2**2) ** 0.5, rel=1e-14, abs=0)


def test_variations_hold_every_ingredient_and_the_other_moments(dataset):
    found = variations(dataset, AS_REDERIVED)
    assert list(found) == [*INGREDIENTS, "second_moments"]
    assert [theory.moments for _, theory in found["second_moments"]] == ["cteq6l1_mz", "cteq6l1_1300MeV"]
    for data, theory in found["second_moments"]:
        assert data is dataset
        assert replace(theory, moments="mz_rounded") == AS_REDERIVED
    for name in INGREDIENTS:
        for sign, (data, theory) in zip((-1, 1), found[name], strict=True):
            assert differing(data, shifted(dataset, name, sign)) == set()
            assert theory == AS_REDERIVED


@pytest.fixture(scope="module")
def points():
    """Models of both cases: Fig. 4's light, middle and heavy chi, beyond the tree's threshold included."""
    m_chi = np.array([1.0, 25.0, 60.0, 90.0])
    return {case: unit_model(case, m_chi, 2.5 * m_chi) for case in "AB"}


@pytest.mark.parametrize(("case", "theory"), [("A", AS_PUBLISHED), ("B", AS_REDERIVED)])
def test_limit_shifts_are_limits_of_the_shifted_data(case, theory, points, dataset):
    found = limit_shifts(points[case], dataset, theory, 4.61)
    assert list(found) == [*INGREDIENTS, "second_moments"]
    nominal = upper_limit(predict(points[case], dataset, theory), dataset, 4.61).g_limit
    for name, pair in variations(dataset, theory).items():
        assert found[name].shape == (2, 4)
        for i, (moved, other) in enumerate(pair):
            limit = upper_limit(predict(points[case], moved, other), moved, 4.61).g_limit
            assert nominal * (1 + found[name][i]) == pytest.approx(limit, rel=1e-14, abs=0)


def test_moments_move_what_has_a_loop_and_nothing_else(dataset):
    """At the tree's lightest masses nothing depends on them; in case B, m_Z' = 2 m_chi, they decide."""
    light = limit_shifts(unit_model("A", 1.0, 10.0), dataset, AS_REDERIVED, 4.61)["second_moments"]
    assert np.abs(light).max() < 1e-4
    loop = limit_shifts(unit_model("B", 53.0, 106.0), dataset, AS_PUBLISHED, 4.61)
    assert loop["second_moments"].max() > 3
    assert all(abs(loop[name]).max() < 0.2 for name in INGREDIENTS)


@pytest.mark.parametrize("delta_chi2", [2.71, 4.61])
@pytest.mark.parametrize("case", "AB")
def test_nothing_opened_is_the_limit_of_eq_34(case, delta_chi2, points, dataset):
    expected = upper_limit(predict(points[case], dataset, AS_REDERIVED), dataset, delta_chi2)
    found = upper_limit_open(points[case], dataset, AS_REDERIVED, delta_chi2, ())
    # the same chi^2 from two linear solvers: rounding, in the limit enlarged by the slope there
    assert found.g_limit == pytest.approx(expected.g_limit, rel=1e-12, abs=0)
    assert found.chi2_min == pytest.approx(expected.chi2_min, rel=1e-12, abs=0)
    # at the minimum the terms of the slope cancel
    assert found.g_best == pytest.approx(expected.g_best, rel=1e-10, abs=0)


@pytest.mark.parametrize("case", "AB")
def test_flux_opened_is_the_limit_of_eq_34(case, points, dataset):
    """A pure normalisation recombines with what is left of alpha: sqrt(left^2 + part^2) = sigma_alpha."""
    expected = upper_limit(predict(points[case], dataset, AS_REDERIVED), dataset, 4.61)
    found = upper_limit_open(points[case], dataset, AS_REDERIVED, 4.61, ("flux",))
    assert found.g_limit == pytest.approx(expected.g_limit, rel=1e-12, abs=0)
    assert found.chi2_min == pytest.approx(expected.chi2_min, rel=1e-12, abs=0)


def test_flux_opened_shares_alpha_with_it(dataset):
    n_th = 1.7 * sm_events(dataset)
    left = sigma_alpha_left(dataset, ("flux",))
    chi2, (alpha, beta, theta) = profile(n_th, [0.1 * n_th], dataset, left, ("flux",))
    one = profile(n_th, [], dataset, 0.28)
    assert chi2 == pytest.approx(one[0], rel=1e-13, abs=0)
    assert alpha + 0.1 * theta == pytest.approx(one[1][0], rel=1e-13, abs=0)
    assert beta == pytest.approx(one[1][1], rel=1e-12, abs=0)
    # of two normalisations each takes its share of the variance
    assert alpha / left**2 == pytest.approx(theta / 0.1, rel=1e-12, abs=0)


@pytest.mark.parametrize("names", [(), ("quenching",), ("acceptance",), ALL])
@pytest.mark.parametrize("g", [0.0, 6.5e-9, 3e-8])
def test_profiled_chi2_is_the_minimum(names, g, dataset):
    events = predict_open(unit_model("A", 1.0, 10.0), dataset, AS_REDERIVED, names)
    left = sigma_alpha_left(dataset, names)
    n_th, *changes = (at(one, g) for one in (events.n, *events.changes.values()))
    chi2, nuisances = profile(n_th, changes, dataset, left, names)
    assert nuisances.shape == (2 + len(changes),)
    args = (n_th, altered(dataset, sigma_alpha=left), changes)
    found = minimize(printed_chi2, np.zeros(2 + len(changes)), args=args, method="BFGS", options={"gtol": 1e-7})
    # a quadratic minimum: chi2 to the square of what is left of the gradient
    assert chi2 == pytest.approx(found.fun, rel=1e-11, abs=0)
    assert chi2 == pytest.approx(printed_chi2(nuisances, *args), rel=1e-13, abs=0)
    scale = np.array([left, 0.25, *np.ones(len(changes))])
    assert (abs(nuisances - found.x) < 1e-5 * scale).all()
    for i, step in enumerate(1e-3 * scale):
        for sign in (-1, 1):
            assert printed_chi2(nuisances + sign * step * (np.arange(len(scale)) == i), *args) > chi2


def test_changes_are_half_of_up_minus_down(dataset):
    model, g = unit_model("A", [2.0, 30.0], [4.0, 100.0]), np.array([1e-8, 1e-4])
    events = predict_open(model, dataset, AS_REDERIVED, ("acceptance", "form_factor"))
    assert list(events.changes) == [*ACCEPTANCE, "nuclear_size"]
    assert events.total(g) == pytest.approx(predict(model, dataset, AS_REDERIVED).total(g), rel=1e-14, abs=0)
    for name, change in events.changes.items():
        down, up = (
            predict(model, d, AS_REDERIVED).total(g) + d.b_on for d in (shifted(dataset, name, s) for s in (-1, 1))
        )
        # differences of a few per cent of the spectrum, known to its rounding
        assert (abs(at(change, g) - (up - down) / 2) < 20 * EPS * up).all(), name


@pytest.mark.parametrize("names", [("quenching",), ("acceptance",), ("form_factor",), ALL])
@pytest.mark.parametrize(("case", "theory"), [("A", AS_PUBLISHED), ("B", AS_REDERIVED)])
def test_limits_are_roots(names, case, theory, points, dataset):
    limit = upper_limit_open(points[case], dataset, theory, 4.61, names)
    events, left = predict_open(points[case], dataset, theory, names), sigma_alpha_left(dataset, names)

    def chi2(g):
        n_th, *changes = (at(one, g) for one in (events.n, *events.changes.values()))
        return profile(n_th, changes, dataset, left, names)[0]

    assert chi2(limit.g_limit) == pytest.approx(limit.chi2_min + 4.61, rel=1e-12, abs=0)
    assert chi2(limit.g_best) == pytest.approx(limit.chi2_min, rel=1e-12, abs=0)
    # nothing below the limit reaches it, and nothing is better than the best
    for fraction in np.linspace(0.0, 0.999, 40):
        below = chi2(fraction * limit.g_limit)
        assert (below >= limit.chi2_min * (1 - 1e-12)).all()
        assert (below[limit.g_best < fraction * limit.g_limit] < (limit.chi2_min + 4.61).max()).all()


def test_arrays_are_their_single_models(dataset, monkeypatch):
    monkeypatch.setattr(search, "BLOCK", 4)
    m_chi, m_zp = np.array([[1.0], [30.0]]), np.array([[20.0, 300.0, 1000.0]])
    whole = upper_limit_open(unit_model("A", m_chi, m_zp), dataset, AS_REDERIVED, 4.61, ALL)
    shifts = limit_shifts(unit_model("A", m_chi, m_zp), dataset, AS_REDERIVED, 4.61)
    assert whole.g_limit.shape == (2, 3)
    for i, j in ((0, 2), (1, 0), (1, 1)):
        model = unit_model("A", m_chi[i, 0], m_zp[0, j])
        one = upper_limit_open(model, dataset, AS_REDERIVED, 4.61, ALL)
        assert one.g_limit.shape == ()
        assert whole.g_limit[i, j] == pytest.approx(float(one.g_limit), rel=1e-12, abs=0)
        single = limit_shifts(model, dataset, AS_REDERIVED, 4.61)
        for name, pair in shifts.items():
            assert 1 + pair[:, i, j] == pytest.approx(1 + single[name], rel=1e-12, abs=0)


@pytest.mark.parametrize("masses", [(1.0, 10.0), (28.0, 280.0)])
def test_slopes_stand_for_a_quenching_factor_that_really_moves(masses, dataset):
    """The limit with a slope against chi^2 with the spectrum of each quenching factor, a minimum over it included."""
    model, names = unit_model("A", *masses), ("quenching",)
    limit = upper_limit_open(model, dataset, AS_REDERIVED, 4.61, names)
    left = sigma_alpha_left(dataset, names)

    def chi2(theta, g):
        moved = replace(shifted(dataset, "quenching", theta), sigma_alpha=left)
        return float(printed(predict(model, moved, AS_REDERIVED).total(g), moved)) + theta**2

    bounded = {"method": "bounded", "bounds": (-3, 3)}
    best = {g: minimize_scalar(chi2, (-2, 2), args=(g,), **bounded) for g in (0.0, limit.g_limit)}
    assert limit.g_best == 0
    assert -2 < best[limit.g_limit].x < 0
    # the slope leaves out what is quadratic in the shift, of one sigma here
    assert best[limit.g_limit].fun - best[0.0].fun == pytest.approx(4.61, rel=0.25, abs=0)


def test_the_order_of_the_names_does_not_matter(points, dataset):
    one, other = (upper_limit_open(points["A"], dataset, AS_PUBLISHED, 4.61, names) for names in (ALL, ALL[::-1]))
    assert one.g_limit == pytest.approx(other.g_limit, rel=1e-12, abs=0)


def test_a_small_ingredient_opened_is_itself_shifted_and_marginal(dataset):
    """What opening does at first order: with a part of no size the limit moves by the error's square only."""
    errors = {name: entry.number for name, entry in inputs.table().items() if name.startswith("systematics.")}
    tiny = {name: 1e-4 * error for name, error in errors.items() if not name.endswith("nominal")}
    mine = csi2017.dataset(dataset.settings, inputs.STANDARD.changed(tiny))
    model, opened = unit_model("A", 1.0, 10.0), ingredients(ALL)
    nominal = upper_limit(predict(model, mine, AS_REDERIVED), mine, 4.61).g_limit
    events = predict_open(model, mine, AS_REDERIVED, ALL)
    # with nothing taken out of sigma_alpha
    found = upper_limit(events, mine, 4.61, lambda data: gaussian(data, opened)).g_limit
    assert 0 < abs(found / nominal - 1) < 1e-7


def test_all_parts_can_be_opened_along_fig_4(dataset):
    m_chi = np.geomspace(1.0, 100.0, 7)
    for case in "AB":
        for ratio in quoted.RATIOS:
            model = unit_model(case, m_chi, ratio * m_chi)
            nominal = upper_limit(predict(model, dataset, AS_REDERIVED), dataset, 4.61).g_limit
            opened = upper_limit_open(model, dataset, AS_REDERIVED, 4.61, ALL).g_limit
            assert (abs(np.log(opened / nominal)) < np.log(1.5)).all()


@pytest.mark.parametrize(
    ("name", "sigmas", "message"),
    [
        ("pdf", 1, "ingredient must be one of quenching, light_yield, .*, nuclear_size, got 'pdf'"),
        ("acceptance", 1, "ingredient must be one of .*, got 'acceptance'"),
        ("quenching", -6, r"quenching must be > 0 and finite, got -0.01"),
        ("nuclear_size", -25, "nuclear_size must be > 0 and finite, got 0.0"),
        ("acceptance_x0", np.nan, "acceptance_x0 must be > 0 and finite, got nan"),
    ],
)
def test_shifts_that_are_refused(name, sigmas, message, dataset):
    with pytest.raises(ValueError, match=message):
        shifted(dataset, name, sigmas)


def test_errors_belong_to_one_data_set(dataset):
    other = replace(dataset, experiment=replace(dataset.experiment, name="Ar 2020"))
    with pytest.raises(ValueError, match="data set must be one of CsI 2017, got 'Ar 2020'"):
        shifted(other, "quenching", 1)


@pytest.mark.parametrize(
    ("names", "sigma_alpha", "message"),
    [
        (
            ("fluxes",),
            0.28,
            "part of sigma_alpha must be one of quenching, flux, form_factor, acceptance, got 'fluxes'",
        ),
        (("acceptance_a",), 0.28, "part of sigma_alpha must be one of .*, got 'acceptance_a'"),
        (("flux", "flux"), 0.28, "each part of sigma_alpha can be opened once, got flux, flux"),
        (("quenching", "flux"), 0.2, "sigma_alpha must not be smaller than its opened parts together, got 0.2"),
    ],
)
def test_parts_that_cannot_be_opened(names, sigma_alpha, message, dataset):
    changed = altered(dataset, sigma_alpha=sigma_alpha)
    with pytest.raises(ValueError, match=message):
        sigma_alpha_left(changed, names)
    with pytest.raises(ValueError, match=message):
        upper_limit_open(unit_model("A", 1.0, 2.0), changed, AS_PUBLISHED, 4.61, names)


def test_changes_of_an_unknown_part(dataset):
    with pytest.raises(ValueError, match=r"part of sigma_alpha must be one of .*, got 'light_yield'"):
        predict_open(unit_model("A", 1.0, 2.0), dataset, AS_PUBLISHED, ("light_yield",))


def test_left_is_what_the_opened_parts_leave(dataset):
    assert sigma_alpha_left(dataset, ()) == pytest.approx(0.28, rel=1e-15, abs=0)
    assert sigma_alpha_left(dataset, ("quenching",)) == pytest.approx((0.28**2 - 0.25**2) ** 0.5, rel=1e-14, abs=0)
    # 0.28 is rounded: all parts leave 0.03, the root of a difference of 1 in 80
    assert sigma_alpha_left(dataset, ALL) == pytest.approx(0.03, rel=1e-12, abs=0)


@pytest.mark.parametrize("delta_chi2", [0.0, -1.0, np.nan, np.inf])
def test_delta_chi2_must_be_positive(delta_chi2, dataset):
    with pytest.raises(ValueError, match="delta_chi2 must be > 0 and finite"):
        upper_limit_open(unit_model("A", 1.0, 2.0), dataset, AS_PUBLISHED, delta_chi2, ("flux",))


def test_a_limit_that_is_never_reached(dataset):
    """Nuisances can absorb any signal at a price, for the flux the one of Eq. (34)."""
    model = unit_model("A", [1.0, 60.0], 2.0)
    for delta_chi2 in (12.0, 20.0):
        printed = upper_limit(predict(model, dataset, AS_PUBLISHED), dataset, delta_chi2).g_limit
        opened = upper_limit_open(model, dataset, AS_PUBLISHED, delta_chi2, ("flux",)).g_limit
        assert np.isposinf(printed).all() == (delta_chi2 == 20.0)
        assert opened == pytest.approx(printed, rel=1e-11, abs=0)


def test_no_signal_has_no_limit(dataset):
    model = Model("A", [1.0, 3.0], 2.0, 0.0, 0.0, {"d": 1.0})
    limit = upper_limit_open(model, dataset, AS_PUBLISHED, 4.61, ("flux",))
    assert np.isnan(limit.g_limit).tolist() == np.isnan(limit.g_best).tolist() == [True, True]
    chi2 = upper_limit_open(unit_model("A", 1.0, 2.0), dataset, AS_PUBLISHED, 4.61, ("flux",)).chi2_min
    assert limit.chi2_min == pytest.approx(np.full(2, chi2), rel=1e-13, abs=0)


def test_shifts_of_what_has_no_limit(dataset):
    """nan where the limit of the data is none; inf, not -100% or so, where only the shifted one is never reached."""
    with_and_without = Model("A", 1.0, 2.0, 0.0, 0.0, {"d": 1.0}), unit_model("A", 1.0, 2.0)
    for model, delta_chi2 in zip(with_and_without, (4.61, 20.0), strict=True):
        for name, pair in limit_shifts(model, dataset, AS_PUBLISHED, delta_chi2).items():
            assert np.isnan(pair).all(), name
    model = unit_model("A", 1.0, 10.0)
    edge = ceiling(predict(model, dataset, AS_PUBLISHED), dataset)
    just = np.concatenate(list(limit_shifts(model, dataset, AS_PUBLISHED, edge * (1 - 1e-6)).values()))
    assert np.isposinf(just).any()
    assert np.isfinite(just).any()
    assert not np.isnan(just).any()


def test_nothing_left_of_alpha(dataset):
    """sigma_alpha made of what is opened: alpha is held at 0, and a flux alone is Eq. (34) with its own error."""
    part = inputs.value("sigma_alpha_parts.flux")
    exact = altered(dataset, sigma_alpha=part)
    assert sigma_alpha_left(exact, ("flux",)) == 0
    model = unit_model("A", [1.0, 60.0], 2.0)
    opened = upper_limit_open(model, exact, AS_REDERIVED, 4.61, ("flux",))
    expected = upper_limit(predict(model, exact, AS_REDERIVED), exact, 4.61)
    assert opened.g_limit == pytest.approx(expected.g_limit, rel=1e-11, abs=0)
    n_th = sm_events(dataset)
    chi2, nuisances = profile(n_th, [part * n_th], exact, 0.0, ("flux",))
    assert nuisances[0] == 0
    assert chi2 == pytest.approx(printed(n_th, exact), rel=1e-13, abs=0)


def test_opened_parts_need_counts_too(dataset):
    n_on, b_ss, b_on = (a.copy() for a in (dataset.n_on, dataset.b_ss, dataset.b_on))
    n_on[0] = b_ss[0] = b_on[0] = 0
    holes = altered(dataset, n_on=n_on, b_ss=b_ss, b_on=b_on)
    with pytest.raises(ValueError, match=r"Eq. \(34\) needs sigma_stat > 0: .* in bin 4 \(6 to 8 PE\)"):
        profile(sm_events(dataset), [0.1 * sm_events(dataset)], holes, 0.28, ("flux",))
