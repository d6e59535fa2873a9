"""The fit of Eq. (34): chi^2 with its nuisances profiled in closed form, upper limits, scans (Fig. 4)."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import elementwise

from .checks import positive
from .events import predict
from .model import unit_model


def profile(n_th, dataset):
    """chi^2 of Eq. (34) at its minimum over alpha and beta; n_th has the shape (..., B), the result (...).

    Returns chi2, alpha, beta. In units of sigma_stat the residual r = N_meas - N_th - B_on is fitted by
    alpha N_th + beta B_on with penalties: two linear equations, solved by Cramer's rule.
    """
    s = n_th / dataset.sigma
    b = dataset.b_on / dataset.sigma
    r = (dataset.n_obs - n_th - dataset.b_on) / dataset.sigma
    ss = (s * s).sum(-1) + dataset.sigma_alpha**-2
    bb = (b * b).sum(-1) + dataset.sigma_beta**-2
    sb, rs, rb = (s * b).sum(-1), (r * s).sum(-1), (r * b).sum(-1)
    determinant = ss * bb - sb**2
    alpha = (bb * rs - sb * rb) / determinant
    beta = (ss * rb - sb * rs) / determinant
    left = r - alpha[..., None] * s - beta[..., None] * b
    chi2 = (left**2).sum(-1) + (alpha / dataset.sigma_alpha) ** 2 + (beta / dataset.sigma_beta) ** 2
    return chi2, alpha, beta


DELTA_CHI2 = {"two parameters": 4.61, "one parameter": 2.71}  # 90% confidence


@dataclass(frozen=True, eq=False)
class Limit:
    """Upper limit on G = g_chi g_q and the best fit below it, arrays of the model's shape.

    g_limit    chi2(g_limit) = chi2_min + delta_chi2, the first such G above g_best
    g_best     G of the smallest chi^2, 0 where no signal fits best
    chi2_min   chi^2 there
    """

    g_limit: np.ndarray
    g_best: np.ndarray
    chi2_min: np.ndarray


def upper_limit(events, dataset, delta_chi2):
    """The Limit for `events` = events.predict(model, dataset, ...), all models at once.

    chi^2 is scanned in the number of signal events, all counted positive, from 1e-3 to 1e6 in steps of 20%, and
    refined from there: the minimum by Chandrupatla's method, the limit by his root finder, both to the resolution
    of float64.

    Raises ValueError if delta_chi2 is not finite and > 0, if a model predicts no signal, or if chi^2
    never rises by delta_chi2: however large G, the nuisance alpha can absorb a signal at the price of
    1 / sigma_alpha^2 (12.8 for CsI 2017).
    """
    positive("delta_chi2", delta_chi2, "")
    quadratic = events.n_tree + events.n_interference
    shape = quadratic.shape[:-1]
    quadratic = quadratic.reshape(-1, quadratic.shape[-1])
    quartic = events.n_loop.reshape(quadratic.shape)
    Q, R = abs(quadratic).sum(-1), abs(quartic).sum(-1)
    if np.any((Q == 0) & (R == 0)):
        raise ValueError("a model that predicts no signal has no upper limit: some coupling must be > 0")

    def g2_of(signal, model):
        # G^2 at which Q G^2 + R G^4 = signal, in the form that does not cancel for small R; it rises with signal
        half = Q[model] + np.sqrt(Q[model] ** 2 + 4 * R[model] * signal)
        return 2 * signal / np.where(signal > 0, half, 1.0)

    def chi2(signal, model):
        g2 = g2_of(signal, model)[..., None]
        return profile(events.n_sm + g2 * quadratic[model] + g2**2 * quartic[model], dataset)[0]

    models = np.arange(len(Q))
    signal = np.concatenate([[0.0], np.geomspace(1e-3, 1e6, 120)])
    grid = chi2(signal, models[:, None])
    best = grid.argmin(-1)
    n_best, chi2_min = np.zeros(len(Q)), grid[:, 0]
    inside = models[(best > 0) & (best < len(signal) - 1)]
    if len(inside):
        k = best[inside]
        found = elementwise.find_minimum(chi2, (signal[k - 1], signal[k], signal[k + 1]), args=(inside,))
        n_best[inside], chi2_min[inside] = found.x, found.f_x

    above = (grid > chi2_min[:, None] + delta_chi2) & (np.arange(len(signal)) > best[:, None])
    if not above.any(-1).all():
        ceiling = (grid[:, -1] - chi2_min)[~above.any(-1)].min()
        raise ValueError(f"delta_chi2 must be < {ceiling:.3g}, the most a signal can add here, got {delta_chi2}")
    k = above.argmax(-1)
    found = elementwise.find_root(
        lambda n, model: chi2(n, model) - chi2_min[model] - delta_chi2,
        (signal[k - 1], signal[k]),
        args=(models,),
    )
    n_limit = found.x
    return Limit(
        np.sqrt(g2_of(n_limit, models)).reshape(shape),
        np.sqrt(g2_of(n_best, models)).reshape(shape),
        chi2_min.reshape(shape),
    )


def scan(case, m_chi, ratio, dataset, amplitude, delta_chi2, g_q, neutrinos="all"):
    """Upper limits for m_zp = ratio m_chi and an array of m_chi in MeV: one curve of Fig. 4."""
    model = unit_model(case, m_chi, positive("ratio", ratio, "") * np.asarray(m_chi), g_q, neutrinos)
    return upper_limit(predict(model, dataset, amplitude), dataset, delta_chi2)
