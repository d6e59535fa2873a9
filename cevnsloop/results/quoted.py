"""What the paper quotes and plots: the points of Figs. 3 and 4 and the numbers of its text, as records."""

from dataclasses import dataclass
from types import MappingProxyType

from ..fit.limits import upper_limit
from ..model import CASES, DOWN_TYPE, unit_model
from ..rates.events import predict, sm_events


@dataclass(frozen=True)
class Point:
    """A point of parameter space in the paper: case, masses in MeV and, where it is a benchmark, G = g_chi g_q."""

    case: str
    m_chi: float
    m_zp: float
    g: float | None = None


@dataclass(frozen=True)
class Quoted:
    """An upper limit the paper quotes: where, the point, the value, and whether only its power of ten is stated."""

    where: str
    point: Point
    g_limit: float
    order_only: bool


# Section III, below Eq. (32), and the caption of Fig. 3
BENCHMARKS = MappingProxyType({"A": Point("A", 10.0, 100.0, 5.0e-8), "B": Point("B", 100.0, 1000.0, 5.0e-4)})

# Fig. 4: m_Z' / m_chi of its left and right panels; Section IV B for the numbers
RATIOS = (10.0, 2.0)
QUOTED = (
    Quoted("Sec. IV B, Fig. 4 top left", Point("A", 1.0, 10.0), 6.7e-9, False),
    Quoted("Sec. IV B, Fig. 4 top right", Point("A", 1.0, 2.0), 1.5e-9, False),
    Quoted("Sec. IV B, Fig. 4 bottom left", Point("B", 53.0, 530.0), 1e-5, True),
    Quoted("Sec. IV B, Fig. 4 bottom right", Point("B", 53.0, 106.0), 1e-6, True),
)

# Section IV A: N_eff of the Standard Model, and how much more of it future experiments can see
N_EFF_SM = (3.043, 3.045)
N_EFF_PRECISION = 0.03


def spectra(experiment, theory):
    """Fig. 3: expected signal events per bin for the SM and for both benchmarks, {label: array of shape (B,)}."""
    curves = {"SM": sm_events(experiment, theory)}
    for case, point in BENCHMARKS.items():
        events = predict(unit_model(case, point.m_chi, point.m_zp), experiment, theory)
        curves[case] = events.total(point.g)
    return curves


def limit_curves(m_chi, dataset, theory, delta_chi2, g_q=DOWN_TYPE):
    """Fig. 4: upper limits on g_chi g_q at the masses `m_chi` (MeV), {(case, ratio): array}."""
    return {
        (case, ratio): _limits(unit_model(case, m_chi, ratio * m_chi, g_q), dataset, theory, delta_chi2)
        for case in CASES
        for ratio in RATIOS
    }


def limit_at(point, dataset, theory, delta_chi2):
    """Upper limit on g_chi g_q at one point, as a float."""
    return float(_limits(unit_model(point.case, point.m_chi, point.m_zp), dataset, theory, delta_chi2))


def _limits(model, dataset, theory, delta_chi2):
    return upper_limit(predict(model, dataset.experiment, theory), dataset, delta_chi2).g_limit


def labels():
    """Legend texts of the curves of `spectra`."""
    texts = {"SM": "Standard Model"}
    for case, point in BENCHMARKS.items():
        mantissa, exponent = f"{point.g:.1e}".split("e")
        coupling = rf"{mantissa}\times10^{{{int(exponent)}}}"
        masses = rf"$m_\chi={point.m_chi:g}$ MeV, $m_{{Z'}}={point.m_zp:g}$ MeV"
        texts[case] = rf"case {case}: {masses}, $g_\chi g_q={coupling}$"
    return texts


def quoted_by_panel():
    """The quoted limits by panel of Fig. 4, {(case, ratio): [(m_chi, g_limit)]}."""
    panels = {}
    for q in QUOTED:
        panels.setdefault((q.point.case, q.point.m_zp / q.point.m_chi), []).append((q.point.m_chi, q.g_limit))
    return panels
