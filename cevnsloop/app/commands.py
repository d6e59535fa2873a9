"""What each command does: arguments in, lines or JSON out. The front door does the work."""

import contextlib
import functools
import json
import sys
from dataclasses import fields, replace

import numpy as np
from tqdm import tqdm

from .. import analysis, jobs
from ..amplitudes import loops
from ..amplitudes.theory import OF_QUARKS, separates
from ..checks import positive, shown
from ..choices import PAPER, Choices, chosen
from ..experiments.csi2017 import Settings
from ..fit import limits
from ..model import CASES, Model, mass
from ..nucleus import nuclide
from ..rates import xsec
from ..rates.varied import predict_varied, varied_parts
from ..results import quoted, tables
from ..run import executors, output, provenance
from . import options

LOOP_FUNCTIONS = ("D0b", "D1b", "D00b", "D00_ab", "D001_ab", "D11_ab")
LOOP_UNITS = dict(zip(LOOP_FUNCTIONS, (-4, -4, -2, -2, -2, -4), strict=True))
STATISTIC = {"gaussian": "chi2", "poisson": "-2 ln L (Poisson)"}  # what is compared, in words
RESUMED = ("scan", "toys")  # they keep what is finished; the others write their files whole at the end
MOST_POINTS = 10**5  # of a figure: some minutes


def note(text):
    """Say something beside the result: on standard error, in one line."""
    with contextlib.suppress(OSError):  # there is nowhere to say that nobody listens
        print("cevnsloop:", *text.splitlines(), file=sys.stderr)


def _print(text):
    """Print, with escapes for what standard output has no characters for."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def _choices(a):
    """The Choices of the arguments; what was not given keeps its default, or is the paper's with --paper."""
    own = PAPER if getattr(a, "paper", False) else options.OWN_DEFAULTS.get(a.command, {})
    given = dict(own) | {one.name: getattr(a, one.name) for one in fields(Choices) if hasattr(a, one.name)}
    if hasattr(a, "g_q"):
        given["g_q"] = options.couplings(given["g_q"])
    if "inputs" in given:
        given["inputs"] = dict(_changed(text) for text in given["inputs"])
    settings = {one.name: getattr(a, one.name) for one in fields(Settings) if hasattr(a, one.name)}
    if settings:
        if (data := given.get("data", Choices.data)) != "csi2017":
            raise ValueError(f"{', '.join(settings)} must be options of --data csi2017, got {data}")
        given["data"] = Settings(**settings)
    return chosen(given)


def _changed(text):
    """Name and number of an input from NAME=VALUE."""
    name, _, number = (part.strip() for part in text.partition("="))
    try:
        return name, float(number)
    except ValueError:
        raise ValueError(f"--set must look like quark_masses.b=4.7, got {text!r}") from None


def _loops(a):
    m_chi, m_zp = mass("m_chi", a.m_chi), mass("m_zp", a.m_zp)
    values = {name: float(getattr(loops, name)(m_chi, m_zp)) for name in LOOP_FUNCTIONS}
    lines = [f"{name:8s} {v:24.16e} MeV^{LOOP_UNITS[name]}" for name, v in values.items()]
    _show(a, _masses(a), values, lines)


def _coefficients(a):
    asked = _choices(a)
    g_q = options.couplings(getattr(a, "g_q", "down"))
    g_chi = (getattr(a, name, getattr(Choices, name)) for name in ("g_chi_L", "g_chi_R"))
    model = Model(asked.case, a.m_chi, a.m_zp, *g_chi, options.PATTERNS.get(g_q, g_q) if isinstance(g_q, str) else g_q)
    theory = asked.theory
    nucleus = nuclide(a.nuclide, asked.inputs)
    own = {"g_q": dict(model.g_q), "g_chi_L": model.g_chi_L, "g_chi_R": model.g_chi_R, "nuclide": a.nuclide}
    if a.E is None and a.T is None:
        if not separates(theory.amplitude, model.case):
            lacks = f"amplitude {theory.amplitude} in case {model.case} needs --E and --T: it has no c1, c2, c3"
            raise ValueError(lacks)
        (c,) = theory.amplitude.coefficients([nucleus], model, theory)
        units = {"c1": "MeV^-2", "c2": "MeV^-5", "c3": "MeV^-6"}
        values = {name: float(getattr(c, name)) for name in units}
    else:
        E, T = xsec.elastic(a.E, a.T, nucleus.M)
        found = zip(("flip", "keep"), theory.amplitude.flip_and_keep(E, T, model, nucleus, theory), strict=True)
        parts = {f"{name}_{part}": getattr(complex(v), part) for name, v in found for part in ("real", "imag")}
        values, units = parts, {name: "MeV^-4" if name.startswith("flip") else "MeV^-5" for name in parts}
        own |= {"E": a.E, "T": a.T}
    others = ("data", "settings", "neutrinos", "delta_chi2", "statistic")
    made = {name: value for name, value in asked.described().items() if name not in others}
    _show(a, made | own | _masses(a), values, [f"{name}  {v:20.12e} {units[name]}" for name, v in values.items()])


def _spectrum(a):
    found = analysis.spectrum_of(_choices(a), a.m_chi, a.m_zp, a.g)
    columns = found.table().columns
    parts = {name: values for name, values in columns.items() if not name.endswith(("_lo", "_hi"))}
    axes = [name[:-3] for name in columns if name.endswith("_lo")]
    lines = ["".join(f"{'PE' if name == 'pe' else name:>5}   " for name in axes) + " ".join(f"{n:>14s}" for n in parts)]
    for i, values in enumerate(zip(*parts.values(), strict=True)):
        ends = ((columns[f"{name}_lo"][i], columns[f"{name}_hi"][i]) for name in axes)
        lines.append("".join(f"{low:3g}-{high:<3g} " for low, high in ends) + " ".join(f"{v:14.6g}" for v in values))
    lines.append(f"{'sum':<{8 * len(axes)}}" + " ".join(f"{v.sum():14.6g}" for k, v in parts.items() if k != "sigma"))
    _show(
        a,
        found.choices.described() | _masses(a) | {"g": a.g},
        columns | {"notes": list(found.notes)},
        [*lines, *map("note: {}".format, found.notes)],
    )


def _limit(a):
    asked = _choices(a)
    found = analysis.limit_of(asked, a.m_chi, a.m_zp, a.band)
    model, dataset, statistic = asked.model(a.m_chi, a.m_zp), asked.dataset, asked.fit
    if not np.isfinite(found.g_limit):
        expected = predict_varied(model, dataset, asked.theory)
        raise ValueError(f"no limit: {limits.why(expected, dataset, asked.delta_chi2, statistic)}")
    parts = varied_parts(model, dataset, asked.theory, found.g_limit)
    values = {name: float(getattr(found, name)) for name in ("g_limit", "g_best", "chi2_min", "loop_share")}
    values |= {"sets_limit": str(found.sets_limit)} | {name: float(part.sum()) for name, part in parts.items()}
    lines = [
        f"g_chi g_q < {values['g_limit']:.4g}, set by the {values['sets_limit']} "
        f"(case {asked.case}, amplitude {asked.theory.amplitude}, {dataset.name})",
        f"{STATISTIC[asked.statistic]} = {values['chi2_min']:.4g} + {shown(asked.delta_chi2)}; "
        f"best fit at {values['g_best']:.4g}",
        "events at the limit: " + ", ".join(f"{name[2:]} {values[name]:.4g}" for name in parts),
        *([f"limits without one: {rest}"] if (rest := _listed(found.g_without)) else ()),
        *_of_band(found),
        *map("note: {}".format, found.notes),
    ]
    if found.g_without:
        values["g_without"] = {name: float(g) for name, g in found.g_without.items()}
    if found.band is not None:
        band = {name or "nothing": float(g) for name, g in found.band.g_limit.items()}
        values |= {"g_band": found.g_band.tolist(), "moved": band}
    _show(a, asked.described() | _masses(a), values | {"notes": list(found.notes)}, lines)


def _listed(limits):
    return ", ".join(f"{name} {g:.4g}" for name, g in limits.items())


def _of_band(found):
    """The band of one limit, in words."""
    if found.band is None:
        return []
    width = max(map(len, found.band.g_limit))
    moved = [f"  {name or 'nothing':{width}s} {g:.4g}" for name, g in found.band.g_limit.items()]
    weakest, strongest = found.g_band
    return [f"band {strongest:.4g} to {weakest:.4g}, of which the weakest may be quoted; moved one by one:", *moved]


def _scan(a):
    plane = (a.m_zp_min, a.m_zp_max, a.m_zp_points)
    if a.ratio is not None and plane == (None, None, None):
        m_zp = a.ratio
    elif a.ratio is None and None not in plane:
        m_zp = jobs.Masses(*plane, "m_zp")
    else:
        raise ValueError("a scan needs either --ratio or all of --m-zp-min, --m-zp-max, --m-zp-points")
    job = jobs.Job(_choices(a), jobs.Masses(a.m_chi_min, a.m_chi_max, a.points), m_zp)
    _written(a, job, "point", f"{len(job)} limits written to {a.out}")


def _toys(a):
    masses = jobs.Masses(a.m_chi_min, a.m_chi_max, a.points)
    job = jobs.Job(_choices(a), masses, a.ratio, a.toys, a.seed)
    _written(a, job, "mass", f"{len(job)} masses with {a.toys} toys each written to {a.out}")


def _written(a, job, unit, done):
    """Compute the rows of a job into a.out, and show them."""
    bar = functools.partial(tqdm, unit=unit, disable=None, leave=False)
    where = contextlib.nullcontext(a.executor)
    if a.executor is None and a.dask is not None:
        where = executors.local_or_cluster(1, a.dask)
    with where as executor:
        table = analysis.write(job, a.out, a.workers, executor, bar, note)
    for line in jobs.remarks(job, table):
        note(line)
    _show(a, job.described(), {"out": a.out, **table, **jobs.reached(table)}, [done])


def _plot(a):
    from ..results import plots  # matplotlib doubles the start-up time of the other commands

    plots.table_file(a.file, a.out)
    _show(a, {"file": a.file}, {"out": a.out}, [f"{a.file} drawn into {a.out}"])


def _figures(a):
    from ..results import figures

    asked, folder = _choices(a), output.folder(a.out)
    asked.only_2017("Figs. 3 and 4")
    names = [f"{figure}{suffix}" for figure in ("fig3", "fig4") for suffix in (".png", ".pdf", ".csv")]
    if folder.exists():
        for name in names:
            output.target(folder / name)
    dataset, theory, m_chi = asked.dataset, asked.theory, _curve(a)
    spectra = quoted.spectra(dataset.experiment, theory)
    curves = quoted.limit_curves(m_chi, dataset, theory, asked.delta_chi2)
    made = {
        "fig3": figures.fig3(
            dataset.pe_edges, spectra, quoted.labels(), dataset.n_obs, dataset.sigma, str(theory.amplitude)
        ),
        "fig4": figures.fig4(m_chi, {str(theory.amplitude): curves}, quoted.quoted_by_panel()),
    }
    written = {
        "fig3": output.table(*tables.fig3(spectra, dataset, theory)),
        "fig4": output.table(*tables.fig4(m_chi, curves, dataset, theory, asked.delta_chi2)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in made.items():
        metadata = {".png": {"Description": written[name]}, ".pdf": {"Title": written[name].splitlines()[0][2:]}}
        for suffix in metadata:
            with output.whole_file(folder / (name + suffix)) as part:
                figure.savefig(part, metadata=metadata[suffix])
        output.write_text(folder / (name + ".csv"), written[name])
    paths = [str(folder / name) for name in names]
    _show(a, _of_the_paper(asked) | {"points": a.points}, {"files": paths}, paths)


def _hepdata(a):
    try:
        from ..results import hepdata  # an optional package, and slow to load
    except ModuleNotFoundError as missing:
        raise ValueError(f"this command needs the package hepdata-lib, pip install hepdata-lib ({missing})") from None

    asked, m_chi = _choices(a), _curve(a)
    asked.only_2017("Figs. 3 and 4")
    hepdata.write(a.out, asked.dataset, asked.theory, m_chi, asked.delta_chi2)
    made = _of_the_paper(asked) | {"amplitude": list(OF_QUARKS), "points": a.points}
    text = f"a HEPData submission, found valid, written to {a.out}"
    _show(a, made, {"out": a.out}, [text])


def _likelihood(a):
    from ..results import likelihood

    asked, folder = _choices(a), output.folder(a.out)
    masses, ratio = jobs.Masses(a.m_chi_min, a.m_chi_max, a.points), positive("ratio", a.ratio, "")
    m_chi, base = masses.values(), likelihood.workspace(asked)
    made = {"workspace.json": base, "patchset.json": likelihood.patches(asked, m_chi, ratio * m_chi, base)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in made.items():
        output.write_text(folder / name, json.dumps(content, indent=1) + "\n")
    paths = [str(folder / name) for name in made]
    _show(a, asked.described() | masses.described() | {"ratio": float(ratio)}, {"files": paths}, paths)


def _curve(a):
    """Masses of chi in Fig. 4, in MeV."""
    if not 1 <= a.points <= MOST_POINTS:
        raise ValueError(f"points must be from 1 to {MOST_POINTS}, got {a.points}")
    return np.geomspace(1.0, 1000.0, a.points)


def _of_the_paper(asked):
    """What the figures are of, in place of one case."""
    return replace(asked, g_q="down").described() | {"case": list(CASES)}


def _masses(a):
    return {"m_chi": a.m_chi, "m_zp": a.m_zp}


def _show(a, made, values, lines):
    """Print `values` as JSON if asked to, headed by where they are from, null for what is not finite; else `lines`.

    `made` holds all that the result depends on.
    """
    if not a.json:
        _print("\n".join(lines))
        return
    arrays = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in values.items()}
    found = {**provenance.stamp(), "chosen": {"command": a.command, **made}, **arrays}
    standard = json.loads(json.dumps(found), parse_constant=lambda _: None)  # JSON has no infinity
    _print(json.dumps(standard, indent=1))


COMMANDS = {
    "loops": _loops,
    "coefficients": _coefficients,
    "spectrum": _spectrum,
    "limit": _limit,
    "scan": _scan,
    "toys": _toys,
    "plot": _plot,
    "figures": _figures,
    "hepdata": _hepdata,
    "likelihood": _likelihood,
}
