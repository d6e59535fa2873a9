"""The figure "Explore" of the first page: a grid of models, kept as JSON.

The page holds the numbers and the controls that this module writes;
_static/explore.js draws them, _static/explore.css dresses them.
"""

import json
import re
from dataclasses import dataclass

import numpy as np

from cevnsloop import units
from cevnsloop.amplitudes.complete import COMPLETE
from cevnsloop.amplitudes.quarks import PUBLISHED
from cevnsloop.amplitudes.theory import Theory
from cevnsloop.fit import limits as fit
from cevnsloop.fit.gaussian import gaussian
from cevnsloop.model import CASES, unit_model
from cevnsloop.rates.events import predict, sm_events
from cevnsloop.results import quoted as paper

# Ten round numbers per decade, nearly equidistant in the logarithm
STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
RATIOS = (*STEPS, *(10 * step for step in STEPS), 100.0)  # m_Z' / m_chi
# The curves in MeV: with 53, where the paper quotes and the tree ends
MASSES = tuple(sorted({k * step for k in (1, 10, 100) for step in STEPS} | {53.0, 1e3}))
# The spectra, a subset: 1, 2, 5 per decade, and 53
SHOWN = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 53.0, 100.0, 200.0, 500.0, 1e3)
AMPLITUDES = (PUBLISHED, COMPLETE)
START = ("A", 10.0, 100.0)  # case, ratio, mass before anything is moved


@dataclass(frozen=True, eq=False)
class Grid:
    """Limits and spectra of both amplitudes; (R,) ratios, (M,) masses in MeV.

    limits   {(case, amplitude): (R, M)}, upper limits on G = g_chi g_q,
             inf and nan where there is none, as in fit.Limit
    signal   {(case, amplitude): (R, M, B)}, events beyond the Standard Model
             if G is the published limit, with the formulas of `amplitude`
    price    {(case, amplitude): (R, M)}, what the normalisation alpha pays of
             the chi2 at the limit of `amplitude`, (alpha / sigma_alpha)^2
    n_sm     events of the Standard Model, (B,)
    outside  (R,), m_chi in MeV below which m_Z' is below 1 GeV or m_chi below
             the largest momentum transfer: there the loops lie outside their
             approximation
    """

    ratios: np.ndarray
    masses: np.ndarray
    limits: dict
    signal: dict
    price: dict
    n_sm: np.ndarray
    outside: np.ndarray


def compute(ratios, masses, dataset, delta_chi2):
    """The Grid of both cases for m_zp = ratio m_chi, amplitudes by name."""
    ratios, masses = np.asarray(ratios), np.asarray(masses)
    limits, signal, price = {}, {}, {}
    for case in CASES:
        model = unit_model(case, masses, ratios[:, None] * masses)
        for amplitude in AMPLITUDES:
            events = predict(model, dataset.experiment, Theory(amplitude))
            key = case, str(amplitude)
            limits[key] = fit.upper_limit(events, dataset, delta_chi2).g_limit
            there = np.isfinite(limits[key])
            n = events.total(np.where(there, limits[key], 0.0))
            price[key] = np.where(there, paid(n, dataset), np.nan)
            g = limits[case, str(PUBLISHED)]
            found = np.where(np.isfinite(g), g, 0.0)
            n = events.total(found) - events.n[0]
            signal[key] = np.where(np.isfinite(g)[..., None], n, np.nan)
    T_max = dataset.pe_edges[-1] / dataset.experiment.response.pe_per_MeV
    q_max = max(np.sqrt(2 * t.nuclide.M * T_max) for t in dataset.experiment.targets)
    outside = np.maximum(units.GeV / ratios, q_max)
    n_sm = sm_events(dataset.experiment, Theory())
    return Grid(ratios, masses, limits, signal, price, n_sm, outside)


def paid(n, dataset):
    """(alpha / sigma_alpha)^2 at the least chi2 for spectra n, (..., B)."""
    alpha = gaussian(dataset).profile(n, dataset.counts)[1]["alpha"]
    return (alpha / dataset.sigma_alpha) ** 2


def significant(value):
    """`value` with four significant digits; the word of fit.reached if it is
    inf or nan, as a limit may be."""
    return float(f"{value:.3e}") if np.isfinite(value) else fit.reached(value)


def hundredth(value):
    """`value` in hundredths as an integer, None if it is nan."""
    return None if np.isnan(value) else round(100 * float(value))


def hundredths(n):
    """A spectrum in hundredths of an event, as integers.

    None if there is no limit that it could belong to, and the number 0 if no
    bin holds half a hundredth.
    """
    if not np.isfinite(n).all():
        return None
    whole = [round(100 * float(x)) for x in n]
    return whole if any(whole) else 0


def numbers(grid, shown, dataset):
    """The JSON text of a Grid: spectra at the masses `shown`, and the data.

    limits   four significant digits, [case][amplitude][ratio][mass]; "never"
             or "no signal" where there is none
    signal   spectra as `hundredths` keeps them, in the same order
    price    of alpha, in hundredths; null where there is no limit
    quoted   the limits of the paper's text: case, ratio, mass, limit
    """
    columns = [list(grid.masses).index(mass) for mass in shown]
    content = {
        "ratios": grid.ratios.tolist(),
        "masses": grid.masses.tolist(),
        "shown": list(shown),
        "edges": dataset.pe_edges.tolist(),
        "n_obs": dataset.n_obs.tolist(),
        "sigma": [significant(x) for x in dataset.sigma],
        "n_sm": [significant(x) for x in grid.n_sm],
        "outside": [significant(x) for x in grid.outside],
        "rise": fit.DELTA_CHI2["two parameters"],
        "quoted": [(p.case, p.m_zp / p.m_chi, p.m_chi, q.g_limit) for q in paper.QUOTED for p in (q.point,)],
        "price": nested(grid.price, lambda rows: [[hundredth(row[i]) for i in columns] for row in rows]),
        "limits": nested(grid.limits, lambda rows: [[significant(g) for g in row] for row in rows]),
        "signal": nested(grid.signal, lambda rows: [[hundredths(row[i]) for i in columns] for row in rows]),
    }
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    text = re.sub(r"\.0(?=[,\]])", "", text).replace("e-0", "e-")
    return text.replace("],", "],\n")


def nested(table, stored):
    """{(case, amplitude): values} as {case: {amplitude: stored(values)}}."""
    return {case: {str(amplitude): stored(table[case, str(amplitude)]) for amplitude in AMPLITUDES} for case in CASES}


G = "<i>g<sub>χ</sub></i> <i>g<sub>q</sub></i>"
M_CHI, M_ZP = "<i>m<sub>χ</sub></i>", "<i>m</i><sub>Z′</sub>"
KEYS = {
    "limit": (
        ("line published", "published"),
        ("line complete", "complete"),
        ("chosen", f"the chosen {M_CHI}"),
        ("quoted", "quoted in the paper’s text"),
        ("four-pi", "4π: no perturbation theory above"),
        ("outside", "printed loops outside their approximation"),
    ),
    "spectrum": (
        ("data", "COHERENT, CsI 2017, with errors"),
        ("line sm", "Standard Model (SM)"),
        ("line published", "SM + signal, published"),
        ("line complete", "SM + signal, complete"),
    ),
}
TITLES = {
    "limit": f"Upper limit on {G}, 90% C.L.",
    "spectrum": "Spectrum at the published limit",
}


def shows(name):
    """A place that the script fills with a number."""
    return f'<b data-shows="{name}"></b>'


READOUT = f"""Case {shows("case")}, {M_ZP} = {shows("ratio")} {M_CHI},
{M_CHI} = {shows("mass")} MeV, {M_ZP} = {shows("mediator")} MeV: the upper
limit on {G} is {shows("published")} published and {shows("complete")}
complete. At the published limit the printed formulas give a signal of
{shows("more")} events, the complete ones {shows("less")}, beside
{shows("sm")} events of the Standard Model; {shows("data")} are observed.
At its limit χ² has risen by {shows("rise")}; the pull of the normalisation α
costs {shows("price")} published and {shows("fee")} complete; what that is
above the rise is gained back in the shape."""


def page(text):
    """The markup of the figure around the JSON `text`."""
    case, ratio, mass = START
    currents = {"A": "vector", "B": "axial-vector"}
    radios = "\n".join(
        f'<label><input type="radio" name="explore-case" value="{c}"'
        f"{' checked' if c == case else ''}> {c}: {currents[c]}</label>"
        for c in CASES
    )
    sliders = "\n".join(
        f'<div class="slider"><label for="explore-{name}">{label}</label>'
        f'<span aria-hidden="true"> = {shows(name)}{unit}</span>'
        f'<input type="range" id="explore-{name}" min="0" step="1"'
        f' max="{len(values) - 1}" value="{values.index(start)}"></div>'
        for name, label, unit, values, start in (
            ("ratio", f"{M_ZP} / {M_CHI}", "", RATIOS, ratio),
            ("mass", M_CHI, " MeV", SHOWN, mass),
        )
    )
    panels = "\n".join(panel(name) for name in TITLES)
    return f"""<div id="explorer" class="tex2jax_ignore mathjax_ignore">
<link rel="stylesheet" href="../_static/explore.css">
<p class="asleep">This figure needs JavaScript, on a page of the built book;
the figure above shows two of its ratios without.</p>
<form class="awake" autocomplete="off" hidden>
<fieldset><legend>Case: quark current</legend>
{radios}
</fieldset>
{sliders}
</form>
<p class="awake readout" role="status" aria-live="polite" hidden>
{READOUT}</p>
<div class="awake panels" hidden>
{panels}
</div>
<script type="application/json">
{text}
</script>
<script src="../_static/explore.js" defer></script>
</div>"""


def panel(name):
    """An empty drawing with its title and the key to its lines."""
    key = "\n".join(
        f'<li><svg class="swatch" data-draws="{draws}" viewBox="0 0 30 12"'
        f' aria-hidden="true"></svg><span>{text}</span></li>'
        for draws, text in KEYS[name]
    )
    return f"""<div class="panel">
<p class="title" id="explore-{name}-title">{TITLES[name]}</p>
<svg class="plot" id="explore-{name}" viewBox="0 0 320 280" role="img"
 aria-labelledby="explore-{name}-title"
 aria-describedby="explore-{name}-desc"></svg>
<p class="desc" id="explore-{name}-desc" hidden></p>
<ul class="key">
{key}
</ul>
</div>"""
