"""Workspaces to take away: pyhf reads them, and its fits rise by as much as ours at the limit."""

import json

import numpy as np
import pyhf
import pytest

from cevnsloop.app.cli import main
from cevnsloop.choices import Choices
from cevnsloop.fit.limits import upper_limit
from cevnsloop.rates.varied import predict_varied
from cevnsloop.results import likelihood

pytestmark = pytest.mark.filterwarnings("ignore:jsonschema.RefResolver is deprecated:DeprecationWarning")

M_CHI, M_ZP = np.array([1.6, 10.0]), np.array([3.2, 100.0])  # loops are a part of the first one's signal


@pytest.fixture(scope="module", autouse=True)
def backend():
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(tolerance=1e-4, strategy=1), default=False)
    yield
    pyhf.set_backend("numpy", "scipy")


def at(model, y):
    """As the module says."""
    init, fixed = model.config.suggested_init(), model.config.suggested_fixed()
    for name, value in (("y", y), ("y2", y**2)):
        k = model.config.par_slice(name).start
        init[k], fixed[k] = value, True
    return init, fixed


@pytest.mark.parametrize("data", ["csi2017", "csi2021"])
def test_pyhf_finds_the_same_rise_at_the_limit(data):
    asked = Choices(case="A", data=data, statistic="poisson", delta_chi2=2.71)
    base = likelihood.workspace(asked)
    made = likelihood.patches(asked, M_CHI, M_ZP, base)
    workspace, patchset = pyhf.Workspace(base), pyhf.PatchSet(made)
    patchset.verify(workspace)
    dataset = asked.dataset
    events = predict_varied(asked.model(M_CHI, M_ZP), dataset, asked.theory)
    found = upper_limit(events, dataset, 2.71, asked.fit)
    for k, patch in enumerate(patchset.patches):
        model = pyhf.Workspace(patch.apply(workspace)).model(poi_name="y")
        counts = pyhf.Workspace(patch.apply(workspace)).data(model)
        g_unit = patch.values[2]
        assert g_unit == pytest.approx(float(found.g_limit[k]), rel=1e-12, abs=0)

        def twice_nll(g, model=model, counts=counts, g_unit=g_unit):
            init, fixed = at(model, (g / g_unit) ** 2)
            bounds = [(-8.0, 8.0) if low < 0 else (low, high) for low, high in model.config.suggested_bounds()]
            if data == "csi2017":
                rates = model.config.par_slice("rate")
                bounds[rates] = [(1e-6, 1e3)] * (rates.stop - rates.start)
                init[rates] = list(np.maximum(dataset.b_ss, 1e-3))
            fit = pyhf.infer.mle.fit(counts, model, init, bounds, fixed, return_fitted_val=True)
            return float(fit[1])

        rise = twice_nll(float(found.g_limit[k])) - twice_nll(float(found.g_best[k]))
        # Minuit stops within 1e-5 or so of both minima; the limit follows to half of that over 2.71
        assert rise == pytest.approx(2.71, rel=1e-4, abs=0), (data, k)


def test_what_histfactory_cannot_say_is_refused():
    with pytest.raises(ValueError, match="data of a likelihood must be one of CsI 2021 and LAr 2020"):
        likelihood.workspace(Choices(case="A", data="csi2021+lar2020"))
    with pytest.raises(ValueError, match="statistic of a likelihood must be poisson, got gaussian"):
        likelihood.workspace(Choices(case="A", data="csi2017"))
    asked = Choices(case="A", data="csi2021", amplitude="rederived", delta_chi2=2.71)
    with pytest.raises(ValueError, match=r"tree must be >= 0 in all bins, got -.* at 60 MeV"):
        likelihood.patches(asked, np.array([60.0]), np.array([120.0]), likelihood.workspace(asked))


def test_the_command_writes_what_the_functions_give(tmp_path, capsys):
    words = [
        "--case",
        "A",
        "--ratio",
        "10",
        "--m-chi-min",
        "1",
        "--m-chi-max",
        "10",
        "--points",
        "2",
        "--data",
        "csi2021",
    ]
    assert main(["likelihood", *words, "--data", "csi2021", "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.split() == [
        str(tmp_path / "out" / f"{name}.json") for name in ("workspace", "patchset")
    ]
    base, made = (json.loads((tmp_path / "out" / f"{name}.json").read_text()) for name in ("workspace", "patchset"))
    asked = Choices(case="A", data="csi2021")
    assert base == likelihood.workspace(asked)
    assert made == likelihood.patches(asked, np.array([1.0, 10.0]), np.array([10.0, 100.0]), base)


@pytest.mark.parametrize("command", ["figures", "hepdata"])
def test_the_figures_of_the_paper_are_of_its_data(command, tmp_path, capsys):
    assert main([command, "--data", "csi2021", "--out", str(tmp_path / "x.tar.gz")]) == 2
    assert "Figs. 3 and 4 must be of csi2017, got CsI 2021" in capsys.readouterr().err
