"""Time per value of the loop functions on arrays, against the printed closed forms in the same run.

    python benchmarks/speed.py [--out DIR] [--size N] [--repeat N]

prints a table and writes speed.csv to DIR.  Best of the repeats, so that other work on the machine matters less.
"""

import argparse
import csv
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np

from cevnsloop.amplitudes import gluon, loops

NAMES = ("D0b", "D00b", "D00_ab", "D1b", "D001_ab", "D11_ab")


def nanoseconds(function, size, repeat):
    """Best time of function() over `repeat` calls, per value."""
    best = np.inf
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return 1e9 * best / size


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out"), help="directory to write to")
    parser.add_argument("--size", type=int, default=10**6, help="length of the arrays")
    parser.add_argument("--repeat", type=int, default=5, help="repeats, the best counts")
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    m_chi, m_zp = 10 ** rng.uniform(0, 5, (2, args.size))
    rows = []
    for name in NAMES:
        ours = nanoseconds(partial(getattr(loops, name), m_chi, m_zp), args.size, args.repeat)
        printed = nanoseconds(partial(loops.PRINTED[name], m_chi, m_zp), args.size, args.repeat)
        rows.append((name, f"{ours:.1f}", f"{printed:.1f}", f"{ours / printed:.2f}"))
    few = max(1, args.size // 1000)  # F_G is an integral: fewer values
    for kernel in gluon.KERNELS:
        ours = nanoseconds(partial(gluon.F_G, m_chi[:few], m_zp[:few], 1270.0, kernel), few, args.repeat)
        rows.append((f"F_G {kernel}", f"{ours:.1f}", "", ""))
    header = ("function", "ns_per_value", "printed_ns_per_value", "ratio")
    with (args.out / "speed.csv").open("w", newline="", encoding="ascii") as f:
        csv.writer(f, lineterminator="\n").writerows([header, *rows])
    print(f"arrays of {args.size} values (F_G: {few}); ns per value")
    for row in (("function", "ours", "printed", "ratio"), *rows):
        print(f"{row[0]:14}{row[1]:>12}{row[2]:>10}{row[3]:>8}")


if __name__ == "__main__":
    main(sys.argv[1:])
