"""The coefficients of quarks.py from the derivations: diagrams, gluon kernels and nuclear matching put together.

Nothing of the paper's Eqs. (26)-(31) is typed here: `derived` starts from the expressions that boxes.py reduces the
diagrams to, the kernels of gluon_background.py, and the matrix elements of matching.py.
"""

import math

import pytest

from cevnsloop import inputs
from cevnsloop.amplitudes import loops
from cevnsloop.amplitudes.quarks import HEAVY, LIGHT, PUBLISHED, REDERIVED, loop_coefficients
from cevnsloop.derivation import boxes, compare, matching
from cevnsloop.derivation import gluon_background as gluons
from cevnsloop.model import Model
from cevnsloop.nucleus import nuclide

V = inputs.value
MASSES = [(50.0, 100.0), (100.0, 1000.0), (1000.0, 300.0), (3.0, 3.0)]
PATTERNS = {"down": {"d": 1.0, "s": 1.0, "b": 1.0}, "mixed": {"u": 0.7, "d": -0.4, "c": 0.3}}


def box(diagrams, case, operator, **masses):
    """Sum of the derived coefficients of some diagrams at given masses, as a float."""
    coefficients = (boxes.coefficient(boxes.box(diagram, case, operator)) for diagram in diagrams)
    return float(sum(compare.value(one, **masses) for one in coefficients if one))


def derived(case, m_chi, m_zp, g_q, nucleus, scale_phiphi=1.0, M=None):
    """c1, c2, c3 for g_chi_L = g_chi_R = 1; scale_phiphi and M (None: printed matching) as the switches say."""
    c1 = c2 = c3 = 0.0
    for q, g in g_q.items():
        masses = {"m_chi": m_chi, "m_zp": m_zp, "m_q": V(f"quark_masses.{q}")}

        def coefficient(operator, masses=masses):
            plain = box(("ZZ", "Zphi"), case, operator, **masses)
            return plain + scale_phiphi * box(("phiphi",), case, operator, **masses)

        moment = {n: V(f"second_moments.mz_rounded.{q}") for n in "pn"}
        if q in "ud":
            moment["n"] = V("second_moments.mz_rounded." + {"u": "d", "d": "u"}[q])
        weight = float(matching.twist2_weight(matching.nucleons(nucleus, moment["p"], moment["n"]), M))
        c2 += g**2 * coefficient("twist2") * weight
        c3 += g**2 * coefficient("double") * weight
        if q in LIGHT:
            f = [V(f"scalar_form_factors.{n}.{q}") for n in "pn"]
            nucleons = matching.scalar_at_rest(nucleus.M, matching.nucleons(nucleus, *f)) / (2 * nucleus.M)
            c1 += g**2 * coefficient("scalar") / masses["m_q"] * float(nucleons)
        if q in HEAVY:
            c1 += g**2 * heavy(case, **masses) * gluonic_mass(nucleus)
    return [c / (4 * math.pi) ** 2 for c in (c1, c2, c3)]


def gluonic_mass(nucleus):
    """<-(alpha_s/12 pi) GG> of the nucleus over 2 M: 2/27 of what the light quarks leave of the nucleons' mass."""
    f_G = [1 - sum(inputs.values(f"scalar_form_factors.{n}").values()) for n in "pn"]
    total = matching.scalar_at_rest(nucleus.M, matching.nucleons(nucleus, *f_G)) / (2 * nucleus.M)
    return 2 / 27 * float(total)


def heavy(case, m_chi, m_zp, m_q):
    """Coefficient of -(alpha_s/12 pi) GG: kappa' at its limit, as in print, and the two-pNGB loop in case B."""
    D0b = float(loops.D0b(m_chi, m_zp))
    kappa_prime = float(gluons.combination(gluons.CASES[case])[0])
    c = -kappa_prime * m_chi * D0b
    if case == "B":
        c -= 2 * m_q**2 * m_chi**3 / m_zp**4 * D0b * gluons.loop_average("gamma5", m_chi, m_zp, m_q)
    return c


@pytest.mark.parametrize("symbol", ["Cs133", "I127"])
@pytest.mark.parametrize("case", ["A", "B"])
@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize(("m_chi", "m_zp"), MASSES)
def test_rederived_coefficients_are_the_derived_ones(m_chi, m_zp, pattern, case, symbol):
    nucleus = nuclide(symbol)
    c = loop_coefficients(Model(case, m_chi, m_zp, 1.0, 1.0, PATTERNS[pattern]), nucleus, REDERIVED, "mz_rounded")
    expected = derived(case, m_chi, m_zp, PATTERNS[pattern], nucleus, M=nucleus.M)
    # the loop average over the gluon kernel is good to 1e-9
    assert [float(c.c1), float(c.c2), float(c.c3)] == pytest.approx(expected, rel=1e-8, abs=0)


@pytest.mark.parametrize("case", ["A", "B"])
@pytest.mark.parametrize(("m_chi", "m_zp"), MASSES)
def test_published_coefficients_are_the_derived_ones_but_for_the_switches(m_chi, m_zp, case):
    """The two-pNGB box times -2 and the nuclear momentum in the twist-2 element give print, the kernel aside."""
    nucleus, g_q = nuclide("Cs133"), PATTERNS["down"]
    amplitude = PUBLISHED.flipped("gluon_kernel")
    c = loop_coefficients(Model(case, m_chi, m_zp, 1.0, 1.0, g_q), nucleus, amplitude, "mz_rounded")
    expected = derived(case, m_chi, m_zp, g_q, nucleus, scale_phiphi=-2.0)
    assert [float(c.c1), float(c.c2), float(c.c3)] == pytest.approx(expected, rel=1e-8, abs=0)
