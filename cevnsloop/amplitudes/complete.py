"""The leading physics at every mass, the amplitude `complete`: one function of s from the nucleus to the quarks.

    A: two Z' off the whole nucleus (exchange.py), then nucleons (nucleons.py), then quarks (partonic.py), added as
       amplitudes: flip = flip_coherent + F (c1/(M E) + c3 M E) and keep = keep_coherent + F c2
    B: the tree off the spin of the nucleus (spin.py), and c1, c2, c3 of nucleons and quarks

No threshold in a mass switches from one to another: regions of s add, and the masses decide which of them matters. In
case B the longitudinal part of the Z' needs a theory beyond this one: `nucleons.longitudinal` is its weight, 0 or 1,
and `nucleons.cutoff` is where it ends.
"""

from dataclasses import dataclass, replace

import numpy as np

from .. import inputs
from ..checks import Record, choice
from ..nucleus import helm
from . import gluon, nucleons
from .exchange import COHERENT, LIGHTEST
from .quarks import (
    HEAVY,
    LIGHT,
    LOOP_FACTOR,
    REDERIVED,
    TWO_27THS,
    LoopCoefficients,
    gluon_sum,
    scalar_sum,
    twist2_sum,
    vector_charge,
)
from .running import second_moments

PARTS = ("tree", "nucleus", "nucleons", "quarks", "longitudinal")
TREE_DECIDES = 52.0  # MeV, just below the largest energy of the beam
OF_QUARKS = {"A": (1, "vector"), "B": (-1, "transverse")}  # sign of S_q, and kernel of the heavy ones
FAR = 1e9  # ends of the integrals in s, in units of the smallest and the largest scale


@dataclass(frozen=True)
class Complete(Record):
    """Nucleus, nucleons and quarks together, theory.Amplitude. In case B loops have c1, c2, c3.

    In loops of the nucleus a Z' lighter than exchange.LIGHTEST counts as that heavy: below threshold these loops only
    grow for a lighter one, so that the limit is on the safe side.

    parts   some of PARTS: without the others, one sees what they are good for

    Raises ValueError for another part, and as exchange.Exchange does.
    """

    parts: tuple[str, ...] = PARTS

    def __post_init__(self):
        self._keep(parts=tuple(choice("part", part, PARTS) for part in self.parts))

    meets_z = True
    runs_moments = True
    separable = False
    everywhere = True

    @property
    def separable_cases(self):
        """Cases in which loops have c1, c2, c3: all without the nucleus."""
        return ("B",) if "nucleus" in self.parts else ("A", "B")

    @property
    def has_tree(self):
        """Whether the tree counts."""
        return "tree" in self.parts

    axial_tree = has_tree

    def without(self, part):
        """The amplitude without one of its parts."""
        return Complete(tuple(one for one in self.parts if one != part))

    def shortcut(self, m_chi):
        """Masses at which the tree decides, and the amplitude for the events there: without loops of the nucleus, which
        move a limit by less than 2e-6. They are the only ones that cost time.
        """
        return m_chi <= TREE_DECIDES * (self.has_tree and "nucleus" in self.parts), self.without("nucleus")

    def coefficients(self, nuclei, model, theory):
        """The quarks.LoopCoefficients of each nucleus, a list; ValueError in case A with loops of the nucleus."""
        if model.case not in self.separable_cases:
            raise ValueError("amplitude complete depends on E and T in case A: it has no coefficients c1, c2, c3")
        return [resolved(nucleus, model, theory.inputs, self.parts) for nucleus in nuclei]

    def flip_and_keep(self, E, T, model, nucleus, theory):
        """flip in MeV^-4 and keep in MeV^-5, complex in case A."""
        c, M, F = resolved(nucleus, model, theory.inputs, self.parts), nucleus.M, helm(2 * nucleus.M * T, nucleus)
        flip, keep = F * (c.c1 / (M * E) + c.c3 * M * E), F * c.c2
        if model.case == "B" or "nucleus" not in self.parts:
            return flip, keep
        whole = COHERENT.flip_and_keep(E, T, replace(model, m_zp=np.maximum(model.m_zp, LIGHTEST)), nucleus, theory)
        return whole[0] + flip, whole[1] + keep

    def __str__(self):
        left_out = [part for part in PARTS if part not in self.parts]
        return "complete" + (f" without {', '.join(left_out)}" if left_out else "")


COMPLETE = Complete()


def resolved(nucleus, model, table=inputs.STANDARD, parts=PARTS):
    """The quarks.LoopCoefficients of nucleons and quarks in a nucleus, if they are among the `parts`.

    These are all loops but that of the nucleus as a whole.
    """
    m_chi, m_zp = np.broadcast_arrays(model.m_chi, model.m_zp)
    at = _Integrals(m_chi, m_zp, table)
    c1, c2, c3 = (c * ("quarks" in parts) for c in _of_quarks(at, model, nucleus, table))
    if model.case == "A":
        K, k_a, k_b = nucleons.vector(at.s, model, nucleus, table)
    else:
        K, _, k_a, _ = nucleons.axial(at.s, model, nucleus, table)
        k_b = k_a
    if "nucleons" not in parts:
        K, k_a, k_b = 0 * K, 0 * k_a, 0 * k_b
    c1 = c1 + m_chi * at.flip(K)
    c2 = c2 + (at.keep(k_a) + at.bent(k_b)) / nucleus.M**2
    c3 = c3 + 4 / 3 * m_chi * at.tilted(K) / nucleus.M**2
    share = table.value("nucleons.longitudinal") * (model.case == "B" and "longitudinal" in parts)
    if share:
        along, kept = longitudinal(m_chi, model, nucleus, table)
        c1 = c1 - share * m_chi / m_zp**4 * along
        c2 = c2 + share * 2 / (3 * m_zp**4) * kept / nucleus.M**2
    g_LL, g_LR = LOOP_FACTOR * model.g_chi_L**2, LOOP_FACTOR * model.g_chi_L * model.g_chi_R
    return LoopCoefficients(g_LR * c1, g_LL * c2, g_LR * c3)


def kernel(s, model, nucleus, table=inputs.STANDARD):
    """K of c1 = m_chi/(16 pi^2) int ds K/[(s + m_chi^2)(s + m_zp^2)^2] at s in MeV^2, {part: array in MeV}: what flips
    chirality at zero momentum of the neutrino, for couplings of 1 to it. In case B it is the transverse part.
    """
    light, S_q, S_s, S_G, heavy = _light_and_heavy(model, nucleus, table)
    sign, name = OF_QUARKS[model.case]
    of_heavy = S_G * sum(g2 * gluon.gluon_kernel(s / m**2, name) for m, g2 in heavy.items())
    found = {
        "nucleons": (nucleons.vector if model.case == "A" else nucleons.axial)(s, model, nucleus, table)[0],
        "quarks": nucleons.quarks(s, table) * (sign * 6 * (S_q + S_s) - 3 * light * S_G) + of_heavy,
    }
    if model.case == "B":
        return found
    return {"nucleus": 4 * np.sqrt(s) * (vector_charge(model, nucleus) * helm(s, nucleus)) ** 2, **found}


class _Integrals:
    """Integrals over s of a function k(s), given at the nodes `s`, with the propagators of chi and two Z'."""

    def __init__(self, m_chi, m_zp, table):
        x, z, k_F = np.square(m_chi), np.square(m_zp), table.value("nucleons.k_F")
        low = min(x.min(), z.min(), k_F**2) / FAR
        high = max(x.max(), z.max(), table.value("nucleons.s_1")) * FAR
        self.s, ds = nucleons.nodes(float(low), float(high), (4 * k_F**2,))
        x, z = x[..., None], z[..., None]
        self._flip = ds / ((self.s + x) * (self.s + z) ** 2)
        self._bent = self._flip * (self.s / (self.s + x))
        self._tilted = self._bent / (self.s + x)

    def flip(self, k):
        """int ds k/[(s + x)(s + z)^2]."""
        return self._flip @ k

    keep = flip

    def bent(self, k):
        """int ds k s/[(s + x)^2 (s + z)^2]."""
        return self._bent @ k

    def tilted(self, k):
        """int ds k s/[(s + x)^3 (s + z)^2]."""
        return self._tilted @ k


def _light_and_heavy(model, nucleus, table):
    """sum g^2 over u, d, s; the sum of g^2 S_q of u and d, and of s; S_G; {mass: g^2} of charm and bottom."""
    light = {q: model.g_q[q] for q in LIGHT if q in model.g_q}
    sums = [
        scalar_sum(replace(model, g_q={q: g for q, g in light.items() if (q == "s") == strange}), nucleus, 0, table)
        for strange in (False, True)
    ]
    heavy = {table.value(f"quark_masses.{q}"): model.g_q[q] ** 2 for q in HEAVY if q in model.g_q}
    return sum(g * g for g in light.values()), *sums, TWO_27THS * gluon_sum(nucleus, table), heavy


def _of_quarks(at, model, nucleus, table):
    """c1, c2, c3 without (4 pi)^-2 and the couplings to the neutrino, of light quarks above s_1 and of heavy ones."""
    m_chi, m_zp = np.broadcast_arrays(model.m_chi, model.m_zp)
    light, S_q, S_s, S_G, heavy = _light_and_heavy(model, nucleus, table)
    sign, name = OF_QUARKS[model.case]
    weight = nucleons.quarks(at.s, table)
    c1 = at.flip(weight) * (sign * 6 * (S_q + S_s) - 3 * light * S_G)
    c1 = m_chi * (c1 + S_G * sum(g2 * gluon.loop_integral(m_chi, m_zp, m, name) for m, g2 in heavy.items()))
    moments = second_moments(m_zp, table)
    twist2 = twist2_sum(model, nucleus, REDERIVED, moments, 0, table)
    c2 = (4 * at.keep(weight) + 4 / 3 * at.bent(weight)) * twist2
    c3 = -8 / 3 * m_chi * at.tilted(weight) * twist2
    if model.case == "B":  # two Goldstone bosons, as in quarks.twist2_boxes
        share = (m_chi / m_zp**2) ** 2 * twist2_sum(model, nucleus, REDERIVED, moments, 2, table)
        c2 = c2 + 8 / 3 * share * at.bent(weight)
        c3 = c3 + 16 / 3 * m_chi * share * at.tilted(weight)
    return c1, c2, c3


def longitudinal(m_chi, model, nucleus, table=inputs.STANDARD):
    """int ds L/(s + x) in MeV up to the cutoff, and int ds L x/(s + x)^2 of the nucleons in MeV."""
    cutoff, k_F, m = table.value("nucleons.cutoff"), table.value("nucleons.k_F"), table.values("masses")
    x = np.square(m_chi)
    s, ds = nucleons.nodes(float(min(x.min(), k_F**2) / FAR), cutoff**2, (4 * k_F**2,))
    _, S_q, S_s, S_G, heavy = _light_and_heavy(model, nucleus, table)
    _, L, _, kept = nucleons.axial(s, model, nucleus, table)
    strange = 2 * m["m_K"] ** 2 - m["m_pi"] ** 2  # the mass squared of a meson of two strange quarks
    L = L + 4 * (S_q * (s / (s + m["m_pi"] ** 2)) ** 2 + S_s * (s / (s + strange)) ** 2)
    L = L + 4 * S_G * sum(g2 * gluon.gluon_kernel(s / mass**2, "longitudinal") for mass, g2 in heavy.items())
    chi = 1 / (s + x[..., None])
    return chi @ (L * ds), x * (np.square(chi) @ (kept * ds))
