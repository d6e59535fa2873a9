"""How long limits take and how exact they are: one run, one thread, everything in one file.

    python benchmarks/limits.py [--out DIR] [--quick]

prints the results and writes limits.json to DIR. Times are the best of some repeats; `yardstick_ns`, the time of
numpy.exp for one value of an array that fits into the cache, was measured in the same run: divide by it to compare
machines. The book shows the file of one run, put there by hand: cp benchmarks/out/limits.json cevnsloop/data/speed.json
"""

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")  # before numpy loads

import argparse
import datetime
import json
import platform
import resource
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import scipy
from iminuit import Minuit
from scipy.optimize import brentq, elementwise
from scipy.special import xlogy

from cevnsloop.amplitudes import exchange, gluon, loops, quarks
from cevnsloop.amplitudes.exchange import COHERENT
from cevnsloop.amplitudes.quarks import PUBLISHED, REDERIVED, loop_coefficients
from cevnsloop.amplitudes.theory import OF_QUARKS, Theory
from cevnsloop.analysis import limit
from cevnsloop.choices import made
from cevnsloop.experiments import csi2017
from cevnsloop.fit import gaussian, search, toys
from cevnsloop.fit import limits as fit
from cevnsloop.fit.templates import templates
from cevnsloop.inputs import STANDARD
from cevnsloop.model import unit_model
from cevnsloop.rates import events
from cevnsloop.rates.varied import predict_varied
from cevnsloop.referees import events as reference_events
from cevnsloop.referees import exchange as reference_exchange
from cevnsloop.results import quoted as paper
from cevnsloop.run import output

DELTA = fit.DELTA_CHI2["two parameters"]
RANGES = {"1 to 1000 MeV": (1.0, 1000.0), "1 to 50 MeV": (1.0, 50.0)}  # Fig. 4, and where every model has a tree
DIRECT = (
    ("A", 1.0, 10.0),
    ("A", 1.0, 2.0),
    ("A", 45.0, 90.0),
    ("A", 52.5, 105.0),
    ("B", 1.0, 10.0),
    ("B", 53.0, 106.0),
)
# ratio m_zp/m_chi and ends of m_chi in MeV: above 53 MeV loops alone make the signal; below, Z' is 50 MeV or heavier
COHERENT_CURVES = {"above, 2 m_chi": (2, 54.0, 1e3), "above, 10 m_chi": (10, 54.0, 1e3)}
COHERENT_CURVES |= {"below, 2 m_chi": (2, 25.1, 52.0), "below, 10 m_chi": (10, 5.1, 52.0), "light Z'": (2, 2.6, 24.9)}
LATER = ("csi2021", "csi2021+lar2020")
HEAVY = ("matplotlib", "mpmath", "scipy.integrate", "scipy.optimize", "scipy.special", "yaml", "dask")
IMPORTS = {"interpreter": "pass", "numpy": "import numpy", "cevnsloop": "import cevnsloop.app.cli"}
FULL = {
    "repeats": 12,
    "points": 10_000,  # of the amortised limit
    "side": 1000,  # of the plane
    "growth": 100_000,  # largest number of points there; the plane continues it
    "fits": 1_000_000,  # largest number of toys at one mass
    "toys": 10_000,  # for bands at this many masses:
    "masses": 100,
    "direct": len(DIRECT),
    "coherent": 200,  # masses of a curve
    "bands": 50,  # masses of either kind in a plane
}
QUICK = {
    "repeats": 1,
    "points": 40,
    "side": 8,
    "growth": 10,
    "fits": 100,
    "toys": 20,
    "masses": 2,
    "direct": 1,
    "coherent": 2,
    "bands": 1,
}


def best(function, repeats):
    """Least time of function() in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def machine():
    """What the times were measured on; neither names nor paths."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [
            line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        processor = models[0] if models else processor
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "date": datetime.date.today().isoformat(),
    }


def yardstick(repeats):
    """Nanoseconds of numpy.exp for one value."""
    x = np.linspace(-1, 1, 1000)
    return 1e9 * best(lambda: [np.exp(x) for _ in range(1000)], repeats) / 1e6


def models(case, masses, points):
    """Models with m_chi from `masses` and m_zp between 2 and 10 times that, as in the panels of Fig. 4."""
    m_chi = np.geomspace(*masses, points)
    return unit_model(case, m_chi, m_chi * np.random.default_rng(1).uniform(2, 10, points))


def limits_of(model, dataset, amplitude):
    exchange.kept.cache_clear()  # or the second time would be that of looking up
    return fit.upper_limit(events.predict(model, dataset.experiment, Theory(amplitude)), dataset, DELTA)


def amortised(dataset, size):
    """Microseconds for a limit of many: the prediction, the limit from it, both. Repeats by turns, as in `budget`."""
    rows = {(case, name, label): {} for case in "AB" for name in OF_QUARKS for label in RANGES}
    for _ in range(size["repeats"]):
        for (case, name, label), row in rows.items():
            model = models(case, RANGES[label], size["points"])
            start = time.perf_counter()
            parts = events.predict(model, dataset.experiment, Theory(OF_QUARKS[name]))
            middle = time.perf_counter()
            fit.upper_limit(parts, dataset, DELTA)
            found = {"predict_us": middle - start, "limit_us": time.perf_counter() - middle}
            for key, seconds in found.items():
                row[key] = min(row.get(key, np.inf), 1e6 * seconds / size["points"])
    named = [dict(zip(("case", "amplitude", "m_chi"), key, strict=True)) | row for key, row in rows.items()]
    return [{**row, "us": row["predict_us"] + row["limit_us"]} for row in named]


class Stopwatch:
    """Time spent in named functions, without that in other named functions that they call."""

    def __init__(self):
        self.seconds, self.running = Counter(), []

    def named(self, label, function):
        def wrapped(*args, **kwargs):
            self.switch(label)
            try:
                return function(*args, **kwargs)
            finally:
                self.switch(None)

        return wrapped

    def switch(self, label):
        now = time.perf_counter()
        if self.running:
            self.seconds[self.running[-1]] += now - self.since
        self.running.append(label) if label else self.running.pop()
        self.since = now


PARTS = {
    "tree: recoil integrals": [(events, "integrate")],
    "loops: D functions": [(loops, "boxes")],
    "loops: F_G": [(gluon, "F_G")],
    "loops: c1, c2, c3 and their forms": [(events, "_separable"), (quarks, "loop_coefficients_of")],
    "chi2: coefficients": [(gaussian, "_quotient")],
    "chi2: first look": [(search, "first_rise"), (search, "levels")],
    "chi2: roots": [(elementwise, "find_root")],
    "the rest": [(events, "predict"), (fit, "upper_limit")],
}


def budget(dataset, size):
    """Where the microseconds of a limit go, rederived amplitude, m_chi as in Fig. 4."""
    seconds = {(case, part): np.inf for case in "AB" for part in PARTS}
    for _ in range(size["repeats"]):
        for case in "AB":
            watch = Stopwatch()
            with ExitStack() as patches:
                for label, functions in PARTS.items():
                    for module, name in functions:
                        timed = watch.named(label, getattr(module, name))
                        patches.enter_context(patch.object(module, name, timed))
                limits_of(models(case, RANGES["1 to 1000 MeV"], size["points"]), dataset, REDERIVED)
            for part in PARTS:
                seconds[case, part] = min(watch.seconds[part], seconds[case, part])
    return [{"case": case, "part": part, "us": 1e6 * s / size["points"]} for (case, part), s in seconds.items()]


def direct(dataset, size):
    """One limit at a time by nested adaptive quadrature: seconds, and how far the fast one is from it."""
    rows = []
    for case, m_chi, m_zp in DIRECT[: size["direct"]]:
        model, c = unit_model(case, m_chi, m_zp), {}
        for nucleus in (target.nuclide for target in dataset.experiment.targets):
            found = loop_coefficients(model, nucleus, PUBLISHED, Theory().moments)
            c[nucleus.symbol] = tuple(float(x) for x in (found.c1, found.c2, found.c3))
        start = time.perf_counter()
        g = reference_events.limit_by_quadrature(case, m_chi, m_zp, c, dataset, DELTA)
        seconds = time.perf_counter() - start
        difference = abs(float(limits_of(model, dataset, PUBLISHED).g_limit) / g - 1)
        rows.append({"case": case, "m_chi": m_chi, "m_zp": m_zp, "seconds": seconds, "difference": difference})
    return rows


def coherent(dataset, size):
    """ms per limit with amplitude `coherent` on curves, and for case B, next to that of the tree alone; the spread of
    the amplitude from direct quadrature, and how much longer that takes for one pair of energy and recoil.
    """
    rows = []
    for name, (ratio, *ends) in COHERENT_CURVES.items():
        m_chi = np.geomspace(*ends, size["coherent"])
        model = unit_model("A", m_chi, ratio * m_chi)
        seconds = best(lambda model=model: limits_of(model, dataset, COHERENT), min(3, size["repeats"]))
        middle = m_chi[len(m_chi) // 2]
        nucleus, point = dataset.experiment.targets[0].nuclide, (29.0, 5e-3, middle, ratio * middle)
        at = np.array(point[:1]), np.array(point[1:2]), *point[2:], nucleus
        if len(rows) < size["direct"]:  # a quick run asks once
            start = time.perf_counter()
            exact = np.array(reference_exchange.integrals(*point, nucleus))
            direct_ms = 1e3 * (time.perf_counter() - start)
            difference = float(abs(exchange.integrals(*at)[:, 0] / exact - 1).max())
        rows.append({"curve": name, "ms": 1e3 * seconds / len(m_chi), "direct_ms": direct_ms, "difference": difference})
    return rows


def complete(size):
    """For the data of the paper: how much longer limits take in case A above threshold with amplitude `complete` than
    with `coherent`, and with their band than without; seconds of a plane of both masses with bands, the slower case.
    """

    def limits(*masses, case="A", **asked):
        exchange.kept.cache_clear()
        return limit(*masses, case=case, data="csi2017", delta_chi2=DELTA, **asked)

    m_chi, repeats, n = np.geomspace(54.0, 1e3, size["coherent"]), min(3, size["repeats"]), size["bands"]
    alone, whole, banded = (
        best(lambda asked=asked: limits(m_chi, 2 * m_chi, **asked), repeats)
        for asked in ({"amplitude": "coherent"}, {"amplitude": "complete"}, {"amplitude": "complete", "band": True})
    )
    plane = np.geomspace(1.0, 1e3, n), np.geomspace(10.0, 1e4, n)[:, None]
    seconds = max(
        best(lambda case=case: limits(*plane, case=case, amplitude="complete", band=True), 1) for case in "AB"
    )
    return {"over_coherent": whole / alone, "band": banded / whole, "plane_s": seconds}


def spin_tree(dataset, size):
    """How much longer limits take with the tree of case B off the spin than with the tree of case A."""
    m_chi = np.geomspace(1.0, 50.0, max(size["coherent"], 2))
    pair = (("B", COHERENT), ("A", REDERIVED))
    spin, tree = (
        best(lambda c=c, a=a: limits_of(unit_model(c, m_chi, 10 * m_chi), dataset, a), min(3, size["repeats"]))
        for c, a in pair
    )
    return spin / tree


def later(size):
    """ms per limit on the tree with all nuisances of the later data, amortised over a curve, and by how much that is
    quicker than Minuit with the same likelihood at one mass.
    """
    rows, repeats = [], min(3, size["repeats"])
    m_chi = np.geomspace(1.0, 50.0, size["coherent"])
    for data in LATER:
        dataset, model = made(data, STANDARD), unit_model("A", m_chi, 10 * m_chi)
        seconds = best(lambda m=model, d=dataset: varied_limit(m, d), repeats) / len(m_chi)
        one = unit_model("A", 10.0, 100.0)
        start = time.perf_counter()
        g = by_minuit(predict_varied(one, dataset, Theory()), dataset)
        minuit = time.perf_counter() - start
        difference = abs(g / float(varied_limit(one, dataset).g_limit) - 1)
        rows.append({"data": data, "ms": 1e3 * seconds, "minuit_ratio": minuit / seconds, "difference": difference})
    return rows


def varied_limit(model, dataset):
    """A limit on later data with all nuisances."""
    return fit.upper_limit(predict_varied(model, dataset, Theory()), dataset, DELTA, templates)


def by_minuit(expected, dataset):
    """The limit of one model by Minuit: G^2 and all nuisances free, then a root of the profile in G^2."""
    statistic = templates(dataset)
    parts = [expected.n, *(expected.changes[name] for name in statistic.changes)]
    scale = 1e-2 / expected.n[1].sum()  # of G^2: a hundredth of an event

    def minus_two_ln(x):
        y = scale * x[0]
        signal = np.stack([n[0] + y * (n[1] + y * n[2]) for n in parts])[..., None]
        mu = np.maximum(np.tensordot(x[1:], statistic.vectors(signal)[..., 0], 1), 1e-9)
        pulls = (x[1:] - statistic.none) / statistic.sigmas
        return 2 * (mu - dataset.n_on + xlogy(dataset.n_on, dataset.n_on / mu)).sum() + (pulls**2).sum()

    def profile(start, fixed):
        found = Minuit(minus_two_ln, start)
        found.errordef, found.limits[0], found.fixed[0] = 1, (0, None), fixed
        found.errors = [1e3, *statistic.sigmas / 3]
        return found.migrad()

    best_fit = profile([1e3, *statistic.none], False)
    start = list(best_fit.values)

    def rise(x):
        return profile([x, *start[1:]], True).fval - best_fit.fval - DELTA

    x = brentq(rise, start[0], max(10 * start[0], 1e5), rtol=1e-6)
    return np.sqrt(scale * x)


def fresh(*arguments):
    """Standard output of a new interpreter."""
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True).stdout


def imports(size):
    """Seconds of new processes, by turns; `beyond` is what the command line takes more than the bare interpreter."""
    times = {name: np.inf for name in IMPORTS}
    for _ in range(2 * size["repeats"]):
        for name, code in IMPORTS.items():
            times[name] = min(times[name], best(lambda: fresh("-c", code), 1))  # noqa: B023
    loaded = fresh("-c", f"import sys, cevnsloop.app.cli; print(*({set(HEAVY)} & set(sys.modules)))").split()
    return {**times, "beyond": times["cevnsloop"] - times["interpreter"], "loaded": sorted(loaded)}


def peak():
    """The most memory that this process has had, in MB."""
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def plane(case, side):
    """Limits for side x side masses: to be run in a process of its own."""
    dataset = csi2017.dataset()
    before, start = peak(), time.perf_counter()
    m_chi, m_zp = np.meshgrid(np.geomspace(1.0, 1000.0, side), np.geomspace(1.0, 10_000.0, side), indexing="ij")
    limits_of(unit_model(case, m_chi, m_zp), dataset, REDERIVED)
    seconds = time.perf_counter() - start
    return {"case": case, "points": side**2, "seconds": seconds, "before_MB": before, "peak_MB": peak()}


def decades(last, first=1):
    return [10**k for k in range(7) if first <= 10**k <= last]


def growth_points(dataset, size, planes):
    rows = []
    for case in "AB":
        for n in decades(size["growth"]):
            model = models(case, RANGES["1 to 1000 MeV"], n)
            repeats = size["repeats"] if n < 10_000 else 1
            seconds = best(lambda: limits_of(model, dataset, REDERIVED), repeats)  # noqa: B023
            rows.append({"case": case, "points": n, "seconds": seconds})
        rows += [{key: one[key] for key in ("case", "points", "seconds")} for one in planes if one["case"] == case]
    return rows


def growth_bins(size):
    rows = []
    for case in "AB":
        for bins in (2, 4, 8, 12, 16, 22):
            dataset = csi2017.dataset(csi2017.Settings(first_bin=4, last_bin=3 + bins))
            model = models(case, RANGES["1 to 1000 MeV"], size["points"])
            limits_of(model, dataset, REDERIVED)
            seconds = best(lambda: limits_of(model, dataset, REDERIVED), size["repeats"])  # noqa: B023
            rows.append({"case": case, "bins": bins, "us": 1e6 * seconds / size["points"]})
    return rows


def growth_toys(dataset, size):
    parts = events.predict(unit_model("A", [10.0], [100.0]), dataset.experiment, Theory(REDERIVED))
    rows = []
    for n in decades(size["fits"], 100):
        thrown = toys.throw(parts.n[0, 0], dataset, n, 1)
        repeats = size["repeats"] if n < 100_000 else 1
        seconds = best(lambda: toys.fits(parts, thrown, gaussian.gaussian(dataset), [DELTA]), repeats)  # noqa: B023
        rows.append({"toys": n, "seconds": seconds})
    return rows


def many_toys(dataset, size):
    """Expected bands and Feldman-Cousins limits: seconds, and microseconds for each fit of a model to a toy."""
    m_chi = np.geomspace(1.0, 1000.0, size["masses"])
    rows = []
    for case in "AB":
        parts = events.predict(unit_model(case, m_chi, 10 * m_chi), dataset.experiment, Theory(REDERIVED))
        seconds = best(lambda: toys.bands(parts, dataset, DELTA, size["toys"], 1), 1)  # noqa: B023
        rows.append({"what": f"bands, case {case}", "fits": size["toys"] * size["masses"], "seconds": seconds})
        few = parts.at(slice(None, None, max(1, size["masses"] // 4)))
        number = max(20, size["toys"] // 10)
        seconds = best(lambda: toys.feldman_cousins(few, dataset, 0.9, number, 1), 1)  # noqa: B023
        fits = number * few.n.shape[1] * len(toys.FRACTIONS)
        rows.append({"what": f"Feldman-Cousins, case {case}", "fits": fits, "seconds": seconds})
    return [{**row, "us": 1e6 * row["seconds"] / row["fits"]} for row in rows]


def fig4(dataset, size):
    """Seconds for all curves of Fig. 4 with both amplitudes, kernels included."""
    m_chi = np.geomspace(1.0, 1000.0, 200)

    def both():
        new = replace(dataset, experiment=replace(dataset.experiment))  # its kernels are made anew
        for amplitude in (PUBLISHED, REDERIVED):
            paper.limit_curves(m_chi, new, Theory(amplitude), DELTA)

    return best(both, size["repeats"])


def measured(size):
    """All results: the content of the file. `exps` is a limit in yardsticks, `ratio` a direct limit in fast ones."""
    planes = [json.loads(fresh(__file__, "--plane", case, str(size["side"]))) for case in "AB"]
    dataset = csi2017.dataset()
    repeats = size["repeats"]
    found = {
        "machine": machine(),
        "yardstick_ns": yardstick(50 * repeats),
        "points": size["points"],
        "limits": amortised(dataset, size),
        "budget": budget(dataset, size),
        "kernels_ms": 1e3 * best(lambda: events.kernels(replace(dataset.experiment), "all", Theory()), repeats),
        "fig4_s": fig4(dataset, size),
        "direct": direct(dataset, size),
        "coherent": coherent(dataset, size),
        "later": later(size),
        "complete": complete(size),
        "spin_tree_ratio": spin_tree(dataset, size),
        "import_s": imports(size),
        "planes": planes,
        "toys": many_toys(dataset, size),
        "growth_points": growth_points(dataset, size, planes),
        "growth_bins": growth_bins(size),
        "growth_toys": growth_toys(dataset, size),
    }
    for row in found["limits"]:
        row["exps"] = 1e3 * row["us"] / found["yardstick_ns"]
    for row in found["direct"]:
        row["ratio"] = 1e6 * row["seconds"] / max(one["us"] for one in found["limits"] if one["case"] == row["case"])
    return rounded({**found, "goals": goals(found)})


def goals(found):
    """What was aimed at, and what came out, worst of all rows."""
    rows = [
        (f"a limit, case {case}", "us", 20.0, max(row["us"] for row in found["limits"] if row["case"] == case))
        for case in "AB"
    ]
    rows += [
        ("Fig. 4, both amplitudes", "s", 1.0, found["fig4_s"]),
        ("import, beyond the bare interpreter", "s", 0.4, found["import_s"]["beyond"]),
        ("peak memory of a plane", "MB", 1000.0, max(one["peak_MB"] for one in found["planes"])),
        ("bands from toys", "s", 60.0, max(one["seconds"] for one in found["toys"] if "bands" in one["what"])),
        *(
            (f"coherent, {where} threshold", "ms", goal, max(r["ms"] for r in found["coherent"] if where in r["curve"]))
            for where, goal in (("above", 1.0), ("below", 6.0))
        ),
        ("CsI 2021, all nuisances", "ms", 5.0, found["later"][0]["ms"]),
        ("CsI 2021 and argon, all nuisances", "ms", 15.0, found["later"][1]["ms"]),
        ("complete, over coherent", "1", 2.0, found["complete"]["over_coherent"]),
        ("a band, over its limit", "1", 10.0, found["complete"]["band"]),
        ("a plane of 50 x 50 masses with bands", "s", 60.0, found["complete"]["plane_s"]),
        ("coherent, from direct quadrature", "1", 1e-8, max(one["difference"] for one in found["coherent"])),
        ("difference from direct quadrature", "1", 1e-8, max(one["difference"] for one in found["direct"])),
    ]
    return [dict(zip(("what", "unit", "goal", "measured"), row, strict=True)) for row in rows]


def rounded(value):
    """Floats with four digits: what repeats of a measurement agree in, and more."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def text_of(found):
    """The results for a reader at a terminal: one line for each row."""
    lines = []
    for name, value in found.items():
        if not isinstance(value, list):
            lines.append(
                f"{name}: "
                + (", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value))
            )
            continue
        lines += ["", name, "  ".join(f"{key:>12}" for key in value[0])]
        lines += ["  ".join(f"{one!s:>12}" for one in row.values()) for row in value]
    return "\n".join(lines)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out"), help="directory to write to")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: the same file, without meaning")
    parser.add_argument(
        "--plane", nargs=2, metavar=("CASE", "SIDE"), help="print time and memory of one plane, as JSON"
    )
    args = parser.parse_args(arguments)
    if args.plane:
        print(json.dumps(plane(args.plane[0], int(args.plane[1]))))
        return
    found = measured(QUICK if args.quick else FULL)
    args.out.mkdir(parents=True, exist_ok=True)
    output.write_text(args.out / "limits.json", json.dumps(found, indent=1) + "\n")
    print(text_of(found))


if __name__ == "__main__":
    main(sys.argv[1:])
