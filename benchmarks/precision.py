"""Measured error of the loop functions against mpmath, ours beside the printed closed forms.

    python benchmarks/precision.py [--out DIR] [--points N]

writes precision.csv (one line per mass pair) and precision.png to DIR, and prints the largest errors.  The masses
are random with a fixed seed: half of the pairs with ratios from 1e-6 to 1e6, half close to equality.
"""

import argparse
import csv
import sys
from pathlib import Path

import matplotlib
import mpmath as mp
import numpy as np

from cevnsloop.amplitudes import loops
from cevnsloop.referees import loops as reference

matplotlib.use("Agg")
from matplotlib import pyplot as plt

EPS = 2.0**-52
LARGEST = 1e16  # errors are drawn up to here: no digit left is 4.5e15 eps
NAMES = ("D0b", "D00b", "D00_ab", "D1b", "D001_ab", "D11_ab")
OURS, PRINTED = "#0072B2", "#D55E00"  # blue and vermillion: distinct for every kind of colour vision


def masses(points, seed=1):
    """m_chi and m_zp in MeV."""
    rng = np.random.default_rng(seed)
    m_chi = 10 ** rng.uniform(0, 5, points)
    ratio = 10 ** rng.uniform(-6, 6, points)
    close = points // 2
    ratio[:close] = 1 + rng.choice([-1, 1], close) * 10 ** rng.uniform(-16, np.log10(0.9), close)
    return m_chi, m_chi * ratio


def errors(name, m_chi, m_zp):
    """Relative errors in eps of our function and of the printed form (nan where that is 0/0)."""
    with np.errstate(all="ignore"):
        columns = getattr(loops, name)(m_chi, m_zp), loops.PRINTED[name](m_chi, m_zp)
    exact = [reference.closed(name, float(a), float(b), 20) for a, b in zip(m_chi, m_zp, strict=True)]
    with mp.workdps(40):
        return [
            np.array([float(abs(mp.mpf(float(v)) / e - 1)) for v, e in zip(c, exact, strict=True)]) / EPS
            for c in columns
        ]


def draw(m_chi, m_zp, table, path):
    """One panel per function, at most 6000 points; errors below 0.1 eps are drawn at 0.1, above 1e16 at 1e16."""
    figure, axes = plt.subplots(2, 3, figsize=(10, 6), sharex=True, sharey=True, layout="constrained")
    distance = np.abs(m_zp / m_chi - 1)
    every = slice(None, None, max(1, len(distance) // 3000))
    for ax, name in zip(axes.flat, NAMES, strict=True):
        for label, column, colour, marker in (("printed", 1, PRINTED, "^"), ("cevnsloop", 0, OURS, "o")):
            shown = np.clip(np.nan_to_num(table[name][column], nan=LARGEST), 0.1, LARGEST)[every]
            ax.plot(distance[every], shown, marker, ms=1.5, color=colour, alpha=0.5, label=label, rasterized=True)
        ax.axhline(1, color="black", lw=1, ls="--")
        ax.set(title=name, xscale="log", yscale="log", xlim=(3e-17, 3e6), xticks=[1e-16, 1e-12, 1e-8, 1e-4, 1, 1e4])
    axes[0, 0].text(1e-16, 10, "dashed: 1 eps", fontsize=9)
    axes[0, 2].legend(loc="upper right", markerscale=5, framealpha=1)
    figure.supxlabel(r"$|m_{Z'}/m_\chi - 1|$")
    figure.supylabel(r"relative error in units of eps $= 2^{-52}$")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out"), help="directory to write to")
    parser.add_argument("--points", type=int, default=3000, help="number of mass pairs")
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    m_chi, m_zp = masses(args.points)
    table = {name: errors(name, m_chi, m_zp) for name in NAMES}
    with (args.out / "precision.csv").open("w", newline="", encoding="ascii") as f:
        writer = csv.writer(f, lineterminator="\n")
        kinds = ("ours_eps", "printed_eps")
        writer.writerow(["m_chi", "m_zp", *(f"{name}_{kind}" for name in NAMES for kind in kinds)])
        columns = [column for name in NAMES for column in table[name]]
        for row in zip(m_chi, m_zp, *columns, strict=True):
            writer.writerow([repr(float(row[0])), repr(float(row[1])), *(f"{value:.3g}" for value in row[2:])])
    draw(m_chi, m_zp, table, args.out / "precision.png")
    print(f"{args.points} mass pairs; relative error in eps\n{'':8}  largest    rms   printed: median, largest")
    for name in NAMES:
        ours, printed = table[name]
        rms = np.sqrt(np.mean(ours**2))
        print(f"{name:8}  {ours.max():7.2f}{rms:7.2f}{np.nanmedian(printed):12.2g}{np.nanmax(printed):12.2g}")


if __name__ == "__main__":
    main(sys.argv[1:])
