"""One-loop boxes at exactly zero momentum by sector decomposition: an outside referee for loops.py.

    python tests/data/make_secdec_reference.py WORKDIR OUT.csv [NAME ...]

needs pySecDec (PyPI), a C++ compiler and make; about 30 s for each of the nine integrals, all by default.  The
tensor coefficients are scalar integrals in more dimensions with the chi propagator raised to a power,

    D_1 = I[6; 2],  D_11 = 2 I[8; 3],  D_00 = -I[6; 1]/2,  D_001 = -I[8; 2]/2,

where I[d; n] is the box in d dimensions with that power n: Feynman parameters, which share nothing with the
expansion in the external momentum used in cevnsloop/referees/loops.py.  Units: m_chi = 1.
"""

import argparse
import csv
import importlib.metadata
import os
import pathlib
import re
import subprocess

TENSORS = {"D0": (1, 4, 1), "D1": (1, 6, 2), "D11": (2, 8, 3), "D00": (-0.5, 6, 1), "D001": (-0.5, 8, 2)}
NAMES = [tensor + box for box in "ba" for tensor in TENSORS if tensor + box != "D0a"]  # D0a: infrared divergent
RATIOS = (0.1, 0.5, 0.999, 1.0, 1.0001, 2.0, 10.0)  # m_zp/m_chi


def build(name):
    """Write and compile the library of one integral in the current directory."""
    import pySecDec  # here, so that the tests can read the tables above without it

    _, dimension, power = TENSORS[name[:-1]]
    integral = pySecDec.LoopIntegralFromPropagators(
        propagators=["k**2", "(k+p)**2-x", "k**2" if name[-1] == "a" else "k**2-z", "k**2-z"],
        loop_momenta=["k"],
        external_momenta=["p"],
        replacement_rules=[("p*p", 0)],
        powerlist=[1, power, 1, 1],
        dimensionality=f"{dimension}-2*eps",
    )
    pySecDec.loop_package(
        name=name,
        loop_integral=integral,
        real_parameters=["x", "z"],
        requested_orders=[0],
        contour_deformation=False,
    )
    subprocess.run(["make", "-C", name], check=True, stdout=subprocess.DEVNULL)


def evaluate(name, ratios):
    """(ratio, value, error estimate) of the eps^0 term at m_chi = 1, m_zp = ratio, as printed by the library."""
    from pySecDec.integral_interface import IntegralLibrary

    library = IntegralLibrary(f"{name}/{name}_pylink.so")
    library.use_Qmc(transform="korobov3", minn=10**5, epsrel=1e-14, epsabs=1e-30, maxeval=10**7)
    factor = TENSORS[name[:-1]][0]
    for ratio in ratios:
        _, _, text = library(real_parameters=[1.0, ratio * ratio])
        value, error = re.search(r"\(([^(,]+),[^)]*\) \+/- \(([^(,]+),", text).groups()
        yield ratio, factor * float(value), abs(factor) * float(error)


def rows(workdir, names, ratios=RATIOS):
    """Build and evaluate `names` in `workdir`; rows of the table."""
    home = pathlib.Path.cwd()
    pathlib.Path(workdir).mkdir(parents=True, exist_ok=True)
    os.chdir(workdir)
    try:
        for name in names:
            build(name)
            for ratio, value, error in evaluate(name, ratios):
                yield [name, repr(ratio), repr(value), f"{error:.1e}"]
    finally:
        os.chdir(home)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workdir", help="directory for the generated C++ sources")
    parser.add_argument("out", help="CSV file to write")
    parser.add_argument("names", nargs="*", default=NAMES, help="integrals, default all")
    args = parser.parse_args()
    table = list(rows(args.workdir, args.names))
    with open(args.out, "w", newline="", encoding="ascii") as f:
        f.write(f"# pySecDec {importlib.metadata.version('pySecDec')}, Qmc korobov3; m_chi = 1, zero momenta\n")
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(["name", "m_zp", "value", "error"])
        writer.writerows(table)


if __name__ == "__main__":
    main()
