"""An independent prediction of the binned spectrum, and a limit from it: printed formulas, adaptive quadrature.

Imported by tests, benchmarks and the book only. Plain floats and `math`; shares nothing with production but the numbers
in inputs.toml and the counts, backgrounds and arrival times of the data set. Masses and energies are in MeV. The inner
integral over E and the outer one over T are scipy.integrate.quad; chi^2 and limit are left to general methods too.
"""

import itertools
import math
from functools import cache

import mpmath
from scipy.constants import c, e, hbar, value
from scipy.integrate import quad
from scipy.optimize import brentq, least_squares, minimize_scalar

from .. import inputs

V = inputs.value
M_PI, M_MU = V("masses.m_pi"), V("masses.m_mu")
HBARC_CM = hbar * c / e * 1e-6 * 1e2  # MeV cm
NUCLEI = {"Cs133": (55, 133), "I127": (53, 127)}
ACCEPTANCE = (V("csi2017.acceptance_a"), V("csi2017.acceptance_k"), V("csi2017.acceptance_x0"))
PE_PER_MEV = V("csi2017.pe_per_recoil")


def mass(symbol):
    """Mass of a nucleus in MeV: that of the atom less its electrons."""
    return V(f"atomic_masses.{symbol}") - NUCLEI[symbol][0] * V("masses.m_e")


@cache
def helm_squared(symbol, T):
    """Square of the Helm form factor at a recoil T in MeV."""
    p = {k: inputs.entry(f"helm.{k}").number for k in ("c_slope", "c_offset", "a", "s")}
    c_fm = p["c_slope"] * NUCLEI[symbol][1] ** (1 / 3) - p["c_offset"]
    R = math.sqrt(c_fm**2 + 7 / 3 * (math.pi * p["a"]) ** 2 - 5 * p["s"] ** 2)
    q = math.sqrt(2 * mass(symbol) * T) / (HBARC_CM * 1e13)  # 1/fm
    x = q * R
    return (3 * (math.sin(x) - x * math.cos(x)) / x**3) ** 2 * math.exp(-((q * p["s"]) ** 2))


def eq22(E, T, symbol):
    """Eq. (22), Z exchange, in MeV^-3."""
    Z, A = NUCLEI[symbol]
    M = mass(symbol)
    Q = Z * (0.5 - 2 * V("weak_angle.msbar_mz")) + (A - Z) * -0.5
    bracket = 2 - M * T / E**2 - 2 * T / E + T**2 / E**2
    return V("constants.G_F") ** 2 * M / (2 * math.pi) * Q**2 * helm_squared(symbol, T) * bracket


def eq23(E, T, symbol, m_chi, m_zp, g_u=0.0, g_d=1.0, g_chi_L=1.0):
    """Eq. (23), the tree, in MeV^-3; 0 is not set where kinematics forbids."""
    Z, A = NUCLEI[symbol]
    M, N = mass(symbol), A - Z
    charge = (2 * g_u + g_d) * Z + (g_u + 2 * g_d) * N
    bracket = (2 - M * T / E**2 - 2 * T / E + T**2 / E**2) - m_chi**2 / (2 * E**2) * (1 + 2 * E / M - T / M)
    front = g_chi_L**2 * M * helm_squared(symbol, T) / (4 * math.pi * (m_zp**2 + 2 * M * T) ** 2)
    return front * charge**2 * bracket


def eq25(E, T, symbol, c1, c2, c3):
    """Eq. (25), the loops, in MeV^-3."""
    M = mass(symbol)
    bracket = T * (c1 / (M * E) + c3 * M * E) ** 2 + c2**2 * (2 * M * E * (E - T) - M**2 * T)
    return M**3 / (8 * math.pi) * helm_squared(symbol, T) * (2 * M + T) * bracket


def any_loops(E, T, symbol, flip, keep):
    """Loops of any amplitudes, in MeV^-3; they hold the form factor and may be complex."""
    M = mass(symbol)
    bracket = T * abs(flip) ** 2 + abs(keep) ** 2 * (2 * M * E * (E - T) - M**2 * T)
    return M**3 / (8 * math.pi) * (2 * M + T) * bracket


def with_z(E, T, symbol, keep):
    """Interference of `keep`, which holds the form factor, with Z exchange for neutrinos, in MeV^-3."""
    Z, A = NUCLEI[symbol]
    M = mass(symbol)
    Q = Z * (0.5 - 2 * V("weak_angle.msbar_mz")) + (A - Z) * -0.5
    size = math.sqrt(2) * V("constants.G_F") * Q * keep.real * M**3 / (2 * math.pi * E)
    return -size * (2 * E * (E - T) - M * T) * math.sqrt(helm_squared(symbol, T))


def nu_e(E):
    """Spectrum of the electron neutrinos, Eq. (32), in 1/MeV."""
    return 192 / M_MU * (E / M_MU) ** 2 * (0.5 - E / M_MU)


def nubar_mu(E):
    """Spectrum of the muon antineutrinos, Eq. (32), in 1/MeV."""
    return 64 / M_MU * (E / M_MU) ** 2 * (0.75 - E / M_MU)


@cache
def recoil_range(E, m_chi, M):
    """From the centre of mass: the recoil is boosted forwards or backwards. In 80 digits, for edges."""
    with mpmath.workdps(80):
        E, m_chi, M = mpmath.mpf(E), mpmath.mpf(m_chi), mpmath.mpf(M)
        s = M**2 + 2 * M * E
        if s < (M + m_chi) ** 2:
            return None
        p_in = M * E / mpmath.sqrt(s)
        E_out = (s + M**2 - m_chi**2) / (2 * mpmath.sqrt(s))
        p_out = mpmath.sqrt((s - (M + m_chi) ** 2) * (s - (M - m_chi) ** 2) / (4 * s))
        gamma, velocity = mpmath.sqrt(1 + (p_in / M) ** 2), p_in / mpmath.sqrt(M**2 + p_in**2)
        return tuple(float(gamma * (E_out + sign * velocity * p_out) - M) for sign in (-1, 1))


def least_energy(T, m_chi, M):
    """Least neutrino energy in MeV that can give the recoil T."""
    q = math.sqrt(T * T + 2 * M * T)
    return (2 * M * T + m_chi**2) / (2 * (q - T))


EVERY = {"nu_mu": 1, "nu_e": 1, "nubar_mu": 1}


def events(dsigma, m_chi, dataset, weights=EVERY, cusp=0.0):
    """Events per bin of dsigma(E, T, symbol), for the default settings of the CsI 2017 data, as a list.

    `weights` {name: factor} says which neutrinos count, and with which sign; dsigma may have a cusp at one energy.
    """
    fluence = V("csi2017.neutrinos_per_proton") * V("csi2017.protons_on_target")
    fluence /= 4 * math.pi * (inputs.entry("csi2017.distance").number * 100) ** 2  # per cm^2
    kg_per_mol = sum(inputs.entry(f"atomic_masses.{s}").number for s in NUCLEI) * value("molar mass constant")
    count = inputs.entry("csi2017.detector_mass").number / kg_per_mol * value("Avogadro constant")
    line = (M_PI**2 - M_MU**2) / (2 * M_PI)
    bins = []
    for low in dataset.pe_edges[:-1]:
        n = 0.0
        for pe in (low, low + 1):
            a, k, x0 = ACCEPTANCE
            seen = a / (1 + math.exp(-k * (pe + 0.5 - x0))) * (0.5 if pe < 6 else 1.0)
            for symbol in NUCLEI:
                T = pe / PE_PER_MEV, (pe + 1) / PE_PER_MEV
                n += seen * interval(dsigma, m_chi, symbol, *T, line, dataset, weights, cusp)
        bins.append(n * count * fluence * HBARC_CM**2)
    return bins


def interval(dsigma, m_chi, symbol, T_lo, T_hi, line, dataset, weights=EVERY, cusp=0.0):
    """Integral of flux and cross section over the allowed recoils between T_lo and T_hi; prompt neutrinos at `line`."""
    M = mass(symbol)
    backwards = 2 * cusp**2 / (M + 2 * cusp)  # the recoil below which a neutrino needs less energy than the cusp has

    def cut(E):
        allowed = recoil_range(E, m_chi, M)
        return (max(T_lo, allowed[0]), min(T_hi, allowed[1])) if allowed else (0, 0)

    def michel(T):
        low = least_energy(T, m_chi, M)
        if low >= M_MU / 2:
            return 0.0

        def phi(E):
            return weights.get("nu_e", 0) * nu_e(E) + weights.get("nubar_mu", 0) * nubar_mu(E)

        return pieces(lambda E: phi(E) * dsigma(E, T, symbol), low, cusp, M_MU / 2)

    total = 0.0
    for E, integrand, arrival in (
        (line, lambda T: weights.get("nu_mu", 0) * dsigma(line, T, symbol), "prompt"),
        (M_MU / 2, michel, "delayed"),
    ):
        (share,) = dataset.experiment.arrival[arrival]
        low, high = cut(E)
        if high > low:
            total += share * pieces(integrand, low, backwards, high)
    return total


def pieces(integrand, low, middle, high):
    """Integral from `low` to `high`, in two pieces if `middle` lies between."""
    ends = [low, middle, high] if low < middle < high else [low, high]
    return sum(quad(integrand, *both, epsabs=0, epsrel=1e-10, limit=200)[0] for both in itertools.pairwise(ends))


def residuals(nuisances, n_th, dataset):
    """The terms of Eq. (34) before they are squared; `n_th` is a list, one number per bin."""
    alpha, beta = nuisances
    bins = zip(dataset.n_on, dataset.b_ss, dataset.b_on, n_th, strict=True)
    terms = [(on - ss - n * (1 + alpha) - b * (1 + beta)) / math.sqrt(on + ss + b) for on, ss, b, n in bins]
    return [*terms, alpha / V("csi2017.sigma_alpha"), beta / V("csi2017.sigma_beta")]


def chi2(n_th, dataset):
    """chi^2 of Eq. (34), its nuisances varied by the method of Levenberg and Marquardt until nothing improves."""
    tight = dict.fromkeys(("ftol", "xtol", "gtol"), 3e-16)
    return 2 * least_squares(residuals, (0.0, 0.0), args=(n_th, dataset), method="lm", **tight).cost


def limit(n_sm, n_tree, n_loop, dataset, delta_chi2):
    """The first G above the best fit at which chi^2 has risen by delta_chi2, for n(G) of Fig. 3: a float.

    `n_sm`, `n_tree`, `n_loop` are lists, one number per bin. chi^2 is looked at for 0 to 1e4 signal events in steps of
    1/4 octave of their square root u; the smallest value is refined between its neighbours, the limit in the first step
    that crosses it. In u, chi^2 is smooth at no signal.
    """
    Q, R = sum(n_tree), sum(n_loop)

    def squared(u):
        """G^2 at which there are u^2 events: the root of Q y + R y^2 = u^2."""
        return 2 * u**2 / (Q + math.sqrt(Q**2 + 4 * R * u**2)) if u else 0.0

    def at(u):
        y = squared(u)
        return chi2([s + y * t + y**2 * r for s, t, r in zip(n_sm, n_tree, n_loop, strict=True)], dataset)

    steps = [0.0, *(2 ** (k / 4) for k in range(-16, 28))]
    seen = [at(u) for u in steps]
    k = seen.index(min(seen))
    lowest, start = seen[k], steps[k]
    if k > 0:
        inside = {"bounds": (steps[k - 1], steps[k + 1]), "method": "bounded", "options": {"xatol": 1e-9}}
        found = minimize_scalar(at, **inside)
        lowest, start = min((found.fun, found.x), (lowest, start))
    end = next(u for u, value in zip(steps, seen, strict=True) if u > start and value > lowest + delta_chi2)
    return math.sqrt(squared(brentq(lambda u: at(u) - lowest - delta_chi2, start, end, xtol=1e-14, rtol=1e-14)))


def limit_by_quadrature(case, m_chi, m_zp, coefficients, dataset, delta_chi2):
    """The upper limit of one point from the formulas as printed, for couplings 1 to d, s, b quarks: a float.

    coefficients   {symbol of the nucleus: (c1, c2, c3)}: loops have a referee of their own, referees/loops.py
    """
    n_sm = events(eq22, 0.0, dataset)
    n_loop = events(lambda E, T, symbol: eq25(E, T, symbol, *coefficients[symbol]), 0.0, dataset)
    n_tree = [0.0] * len(n_sm)
    if case == "A":
        n_tree = events(lambda E, T, symbol: eq23(E, T, symbol, m_chi, m_zp), m_chi, dataset)
    return limit(n_sm, n_tree, n_loop, dataset, delta_chi2)
