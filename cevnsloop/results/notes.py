"""What a reader must know of a limit besides its number."""

import math

import numpy as np

from ..amplitudes.complete import TREE_DECIDES
from ..amplitudes.exchange import LIGHTEST

PERTURBATIVE = 4 * math.pi  # a larger product of couplings means nothing
WHOLE_MEV = 400.0  # a heavier Z' sees nucleons in the nucleus, by a tenth or more of the `coherent` loops
RESOLVED_MEV = 1000.0  # a lighter Z' does not resolve quarks, which the loops of `published` and `rederived` assume
ODD_MEV = 0.01, 1e6  # masses outside look as if they were meant in GeV, or in keV


def notes(asked, m_chi, m_zp, g, loop_share):
    """What a reader must know of masses and couplings, each kind once."""
    quarks, everywhere = asked.theory.amplitude.separable, getattr(asked.theory.amplitude, "everywhere", False)
    loops = (np.asarray(loop_share) > 0.5) & (not everywhere)
    odd = (np.minimum(m_chi, m_zp) < ODD_MEV[0]) | (np.maximum(m_chi, m_zp) > ODD_MEV[1])
    held = (everywhere and asked.case == "A") & (np.asarray(m_zp) < LIGHTEST) & (np.asarray(m_chi) > TREE_DECIDES)
    light, heavy = np.minimum(m_chi, m_zp) < RESOLVED_MEV, np.asarray(m_zp) > WHOLE_MEV
    reasons = {
        "loops set the limit, and Z' or chi is too light to resolve quarks: not established": quarks & loops & light,
        "loops set the limit, and Z' sees nucleons, which this amplitude leaves out": (not quarks) & loops & heavy,
        f"Z' lighter than {LIGHTEST:g} MeV counts as {LIGHTEST:g} MeV in loops of the whole nucleus: safe": held,
        "G exceeds 4 pi: perturbation theory has no meaning there": np.isfinite(g) & (np.asarray(g) > PERTURBATIVE),
        f"masses below {ODD_MEV[0]:g} or above {ODD_MEV[1]:g} MeV: were they meant in another unit?": odd,
    }
    return tuple(text for text, holds in reasons.items() if np.any(holds))
