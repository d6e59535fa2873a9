"""Write the reference tables of the loop functions: tests/data/loops.csv, tests/data/gluon.csv, SHA256SUMS.

    python tests/data/make_loop_reference.py [OUTDIR]

Deterministic; about 90 seconds.  The one-loop table holds 30 digits from the hypergeometric form, the F_G table
20 digits from Eq. A7 with A8-A13 as printed (kernel "rederived": third sign flipped).  Masses are written so that
they read back as the same floating-point number.
"""

import csv
import hashlib
import math
import pathlib
import sys

import mpmath as mp

from cevnsloop.referees import loops as reference

LOOPS = ("D0b", "D1b", "D00b", "D00_ab", "D001_ab", "D11_ab")
LOOP_DIGITS, GLUON_DIGITS = 30, 20
SWITCHES = -2.4, 1.8  # ln(m_zp/m_chi) in loops.py; a test compares them
M_CHI = 1.0, 53.0, 105.658, 1000.0, 3.7e-6, 8.1e8  # cycled through


def power(base, exponent):
    """base**exponent correctly rounded, so that the tables do not depend on the C library."""
    with mp.workdps(30):
        return float(mp.power(base, exponent))


def ratios():
    """m_zp/m_chi: six decades each way, a fan towards equality, and both sides of the two switches."""
    wide = [power(10, sign * i * mp.mpf(6) / 75) for i in range(1, 76) for sign in (-1, 1)]
    fan = [1 + sign * power(10, -mp.mpf(i) / 6) / 2 for i in range(90) for sign in (-1, 1)]
    near_switch = (s + sign * d for s in SWITCHES for d in (0.1, 1e-2, 1e-4, 1e-8, 1e-14) for sign in (-1, 1))
    return wide + fan + [power(mp.e, lam) for lam in near_switch]


def loop_masses():
    """Mass pairs (m_chi, m_zp): the ratios above, exact equality, neighbouring floats and simple ratios."""
    pairs = [(M_CHI[i % len(M_CHI)], ratio) for i, ratio in enumerate(ratios())]
    pairs = [(m, m * ratio) for m, ratio in pairs]
    for m in M_CHI:
        up, down = math.nextafter(m, math.inf), math.nextafter(m, 0)
        pairs += [(m, m_zp) for m_zp in (m, up, down, 2 * m, 10 * m, m / 2, m / 10)]
    return list(dict.fromkeys(pairs))


def gluon_masses():
    """Mass triples (m_chi, m_zp, m_q), 1 MeV to 100 GeV (173 GeV): a low-discrepancy set, and equal masses."""
    golden = 1.2207440846057596  # root of t^4 = t + 1: the additive recurrence in three dimensions
    steps = [1 / golden, 1 / golden**2, 1 / golden**3]
    triples = [
        tuple(power(top, (0.5 + i * step) % 1) for top, step in zip((1e5, 1e5, 1.73e5), steps, strict=True))
        for i in range(60)
    ]
    triples += [(a, b, c) for a in (1.0, 1e5) for b in (1.0, 1e5) for c in (1.0, 1270.0, 4180.0, 1.73e5)]
    triples += [(100.0, 200.0, m) for m in (1.0, 100.0, 200.0, 1270.0, 4180.0, 1.73e5)]
    triples += [(m, ratio * m, m_q) for m in (1.0, 53.0) for ratio in (1, 2, 10) for m_q in (4.7, 1270.0)]
    return list(dict.fromkeys(triples))


def text(value, digits):
    return mp.nstr(value, digits, min_fixed=1, max_fixed=0)  # always with an exponent


def loop_row(m_chi, m_zp):
    values = (reference.loop(f, m_chi, m_zp, reference.hypergeometric, LOOP_DIGITS) for f in LOOPS)
    return [repr(m_chi), repr(m_zp), *(text(v, LOOP_DIGITS) for v in values)]


def gluon_row(m_chi, m_zp, m_q):
    values = (reference.A7(m_chi, m_zp, m_q, name, GLUON_DIGITS) for name in ("published", "rederived"))
    return [repr(m_chi), repr(m_zp), repr(m_q), *(text(v, GLUON_DIGITS) for v in values)]


def main(outdir):
    sums = []
    for name, header, table in (
        ("loops.csv", ["m_chi", "m_zp", *LOOPS], (loop_row(*m) for m in loop_masses())),
        ("gluon.csv", ["m_chi", "m_zp", "m_q", "published", "rederived"], (gluon_row(*m) for m in gluon_masses())),
    ):
        path = outdir / name
        with path.open("w", newline="", encoding="ascii") as f:
            writer = csv.writer(f, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(table)
        sums.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n")
    (outdir / "SHA256SUMS").write_text("".join(sums), encoding="ascii")


if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here)
