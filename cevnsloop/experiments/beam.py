"""When neutrinos arrive: a Gaussian pulse of protons, folded with the lives of pion and muon.

A pion lives tau_pi after the pulse and decays to the prompt neutrino, the muon of that decay lives tau_mu more and
gives the delayed ones. Both have closed forms in terms of the error function.
"""

import itertools

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.special import erfcx

from ..checks import number, positive, real

TAU_PI, TAU_MU = 0.026033, 2.1969811  # us
STEP, NODES = 1 / 32, 8  # us of a piece of a bin, and Gauss-Legendre nodes in it


def density(t, mean, width):
    """Densities of arrival of prompt and delayed neutrinos in 1/us at times t in us, for a pulse at `mean` of `width`.

    prompt   g_pi(t), a Gaussian convolved with exp(-t / tau_pi) / tau_pi
    delayed  [tau_mu g_mu(t) - tau_pi g_pi(t)] / (tau_mu - tau_pi), convolved with both decays
    """
    t, width = real("t", t, "us") - number("mean", mean, "us"), number("width", width, "us", positive)
    pion, muon = (_decayed(t, width, tau) for tau in (TAU_PI, TAU_MU))
    return {"prompt": pion, "delayed": (TAU_MU * muon - TAU_PI * pion) / (TAU_MU - TAU_PI)}


def _decayed(t, width, tau):
    """exp(-t / tau) / tau for t > 0, convolved with a Gaussian: written so that nothing overflows on either side."""
    z = (width / tau - t / width) / np.sqrt(2)
    early = erfcx(np.maximum(z, 0.0)) * np.exp(-((t / width) ** 2) / 2)
    late = 2 * np.exp((width / tau) ** 2 / 2 - np.maximum(t, 0.0) / tau)
    late = late - np.exp(-((t / width) ** 2) / 2) * erfcx(np.maximum(-z, 0.0))
    return np.where(z > 0, early, late) / (2 * tau)


def arrival(edges, mean, width, efficiency=None):
    """Fractions of prompt and delayed neutrinos that are seen in bins of time with these `edges` (us): {name: (T,)}.

    efficiency   a function of times in us, by default 1
    """
    x, w = leggauss(NODES)
    fractions = {"prompt": [], "delayed": []}
    for low, high in itertools.pairwise(edges):
        ends = np.linspace(low, high, int(np.ceil((high - low) / STEP)) + 1)
        half = np.diff(ends)[:, None] / 2
        t = (ends[1:] + ends[:-1])[:, None] / 2 + half * x
        kept = half * w * (1.0 if efficiency is None else efficiency(t))
        for name, one in density(t, mean, width).items():
            fractions[name].append((one * kept).sum())
    return {name: np.array(values) for name, values in fractions.items()}
