"""Write tests/data/darknews.csv: nu N -> chi N through a vector, from DarkNews (PyPI), per unit charge and coupling.

usage: python tests/data/make_darknews_reference.py [OUT]

DarkNews sums the helicities of the heavy lepton one by one; form factor and charges are set to one, so the values are
dsigma/dT in cm^2/MeV for g_chi_L Q_V = 1.
"""

import itertools
import os
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import numpy as np

OUT = Path(__file__).with_name("darknews.csv")
GEV = 1e3  # MeV
M = 123772.53  # MeV, near caesium
ENERGIES, MASSES, MEDIATORS = (30.0, 52.8), (0.1, 10.0, 29.99), (1.0, 100.0)
FRACTIONS = (1e-6, 0.3, 0.9)  # of the allowed range of recoils


def recoil_range(E, m_chi):
    """T_min and T_max in MeV from the centre of mass."""
    s = M * M + 2 * M * E
    p_in = M * E / np.sqrt(s)
    E_out = (s + M * M - m_chi**2) / (2 * np.sqrt(s))
    p_out = np.sqrt((s - (M + m_chi) ** 2) * (s - (M - m_chi) ** 2) / (4 * s))
    gamma, velocity = np.sqrt(1 + (p_in / M) ** 2), p_in / np.sqrt(M * M + p_in**2)
    return [gamma * (E_out + sign * velocity * p_out) - M for sign in (-1, 1)]


def darknews(E, T, m_chi, m_zp):
    """dsigma/dT in cm^2/MeV: dsigma/dQ^2 in cm^2/GeV^2, summed over helicities, times 2 M."""
    from DarkNews.amplitudes import upscattering_dxsec_dQ2

    one = SimpleNamespace(
        mass=M / GEV, Z=1, is_nucleus=True, is_nucleon=False, F1_EM=lambda Q2: 1.0, F1_NC=lambda Q2: 1.0
    )
    theory = SimpleNamespace(
        HNLtype="dirac", has_vector_coupling=True, is_mass_mixed=False, has_TMM=False, has_scalar_coupling=False
    )
    couplings = dict.fromkeys(
        ("Chad", "Cprimehad", "Shad", "Cij", "Cji", "Sij", "Sji", "Tij", "Tji"), 0.0
    ) | dict.fromkeys(("Vhad", "Vij", "Vji"), 1.0)
    t = -2 * M * T
    s = M * M + 2 * M * E
    u = 2 * M * M + m_chi**2 - s - t
    total = 0.0
    for h in (-1, 1):
        process = SimpleNamespace(
            target=one,
            m_ups=m_chi / GEV,
            mzprime=m_zp / GEV,
            mhprime=1e3,
            h_upscattered=h,
            TheoryModel=theory,
            calculable_diagrams=["KinMix_SQR"],
            **couplings,
        )
        point = [np.array([value / GEV**2]) for value in (s, t, u)]
        total += float(upscattering_dxsec_dQ2(point, process, diagrams=["KinMix_SQR"])[0])
    return total * 2 * M / GEV**2


def rows():
    """(E, T, m_chi, m_zp, dsigma/dT) for every combination; all are above the threshold."""
    for E, m_chi, m_zp in itertools.product(ENERGIES, MASSES, MEDIATORS):
        low, high = recoil_range(E, m_chi)
        for fraction in FRACTIONS:
            T = low + fraction * (high - low)
            yield E, T, m_chi, m_zp, darknews(E, T, m_chi, m_zp)


def main(out=OUT):
    """Write the table, whole or not at all."""
    text = f"# DarkNews {metadata.version('DarkNews')}; MeV, cm^2/MeV; M = {M}; form factor, couplings, charge = 1\n"
    text += "E,T,m_chi,m_zp,dsigma_dT\n"
    text += "".join(",".join(repr(float(v)) for v in row) + "\n" for row in rows())
    part = Path(out).with_suffix(".part")
    part.write_text(text, encoding="ascii", newline="\n")
    os.replace(part, out)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
