"""The command line: `cevnsloop COMMAND ...`, or `python -m cevnsloop COMMAND ...`."""

import contextlib
import functools
import json
import os
import sys
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
from tqdm import tqdm

from . import coherent, executors, fit, loops, options, output, paper, provenance, results, settings, tasks, toys
from .amplitude import AMPLITUDES, loop_coefficients
from .checks import choice, positive
from .events import predict
from .fit import upper_limit
from .model import CASES, DOWN_TYPE, Model, mass, unit_model
from .nucleus import nuclide

LOOP_FUNCTIONS = ("D0b", "D1b", "D00b", "D00_ab", "D001_ab", "D11_ab")
LOOP_UNITS = dict(zip(LOOP_FUNCTIONS, (-4, -4, -2, -2, -2, -4), strict=True))
EXPECTED = ("expected_m2", "expected_m1", "expected_median", "expected_p1", "expected_p2")
TOY_COLUMNS = ("g_limit", *EXPECTED, "coverage", "g_fc", "left_out")
TOY_PIECE = 2  # masses that are computed together: a second with 10^4 toys
PIECE = 5000  # points of a scan that are computed together: a call costs as much as many points
NOT_A_CHOICE = ("run", "executor", "workers", "dask", "json", "out")  # of what is computed
SETTINGS = ("time_fraction", "smearing", "pe_label", "first_bin", "last_bin", "weak_angle", "moments")
FIGURES = {"case": CASES, "g_q": dict(DOWN_TYPE), "neutrinos": "all"}  # what the paper's figures are of
MOST_ROWS, MOST_POINTS, MOST_TOYS = 10**7, 10**5, 10**6  # of a table, of a figure, at a mass: some minutes, a GB

REFUSED = (ValueError, OSError, OverflowError, FloatingPointError, MemoryError)  # others are faults of this program
INTERRUPTED, NOBODY_READS = 130, 141  # what shells make of SIGINT and SIGPIPE

# a process asks for the same again and again: one piece after the other
_csi2017 = functools.lru_cache(maxsize=1)(coherent.csi2017)
_masses = functools.lru_cache(maxsize=2)(paper.masses)


def main(argv=None, executor=None):
    """Run one command; returns the exit code: 0, 2 for an input that is refused, 130 if interrupted, 141 if what
    reads the output has ended.

    `executor` takes the place of --workers and --dask, as in `main(["scan", ...], MPIPoolExecutor())`: tasks.py says
    what it must be.
    """
    _open_closed_streams()
    try:
        arguments = options.parse(sys.argv[1:] if argv is None else argv, COMMANDS)
        arguments.executor = executor
        with np.errstate(all="ignore"):  # what is not finite is seen in the result
            arguments.run(arguments)
        sys.stdout.flush()
        return 0
    except BrokenPipeError:
        code = NOBODY_READS
    except REFUSED as error:
        _note(_reason(error))
        code = 2
    except KeyboardInterrupt:
        _note("interrupted; the same command goes on from here")
        code = INTERRUPTED
    _drop_what_cannot_be_written()
    return code


def _open_closed_streams():
    """Without this, what is meant for a closed stream would end in the next file that is opened, or be an error."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115


def _drop_what_cannot_be_written():
    """At its end Python would try again to write it, and complain."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _reason(error):
    if isinstance(error, ArithmeticError):
        return f"a number is too large to compute with: {error.args[-1]}"
    return str(error) or type(error).__name__


def _note(text):
    with contextlib.suppress(OSError):  # there is nowhere to say that nobody listens
        print("cevnsloop:", *text.splitlines(), file=sys.stderr)


def _print(text):
    """Print, with escapes for what standard output has no characters for."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def _loops(a):
    m_chi, m_zp = mass("m_chi", a.m_chi), mass("m_zp", a.m_zp)
    values = {name: float(getattr(loops, name)(m_chi, m_zp)) for name in LOOP_FUNCTIONS}
    _show(a, values, [f"{name:8s} {v:24.16e} MeV^{LOOP_UNITS[name]}" for name, v in values.items()])


def _coefficients(a):
    model = Model(a.case, a.m_chi, a.m_zp, a.g_chi, a.g_chi, _couplings(a.g_q))
    c = loop_coefficients(model, nuclide(a.nuclide), _amplitude(a), a.moments)
    units = {"c1": "MeV^-2", "c2": "MeV^-5", "c3": "MeV^-6"}
    values = {name: float(getattr(c, name)) for name in units}
    _show(a, values, [f"{name}  {v:20.12e} {units[name]}" for name, v in values.items()])


def _spectrum(a):
    dataset, events = _events(a)
    parts = {
        **events.parts(a.g),
        "n_th": events.total(a.g),
        "n_obs": dataset.n_obs,
        "b_on": dataset.b_on,
        "sigma": dataset.sigma,
    }
    values = {"pe_edges": dataset.pe_edges.tolist(), **{k: v.tolist() for k, v in parts.items()}}
    lines = ["   PE   " + " ".join(f"{name:>14s}" for name in parts)]
    for i, low in enumerate(dataset.pe_edges[:-1]):
        row = " ".join(f"{v[i]:14.6g}" for v in parts.values())
        lines.append(f"{low:3g}-{dataset.pe_edges[i + 1]:<3g} {row}")
    lines.append("sum     " + " ".join(f"{v.sum():14.6g}" for k, v in parts.items() if k != "sigma"))
    _show(a, values, lines)


def _limit(a):
    dataset, events = _events(a)
    found = upper_limit(events, dataset, a.delta_chi2)
    if not np.isfinite(found.g_limit):
        raise ValueError(f"no limit: {fit.why(events, dataset, a.delta_chi2)}")
    values = {
        **{name: float(getattr(found, name)) for name in ("g_limit", "g_best", "chi2_min")},
        **{name: float(part.sum()) for name, part in events.parts(found.g_limit).items()},
    }
    lines = [
        f"g_chi g_q < {values['g_limit']:.4g}  (chi2 = {values['chi2_min']:.4g} + {a.delta_chi2:g}; "
        f"best fit at {values['g_best']:.4g})",
        "events at the limit: " + ", ".join(f"{k[2:]} {values[k]:.4g}" for k in list(values)[-4:]),
    ]
    _show(a, values, lines)


def _scan(a):
    rows, m_chi = _points(a), _range_text(a)
    plane = (a.m_zp_min, a.m_zp_max, a.m_zp_points)
    if a.ratio is not None and plane == (None, None, None):
        where = f"m_zp = {positive('ratio', a.ratio, ''):g} m_chi, {m_chi}"
    elif a.ratio is None and None not in plane:
        _count("m_zp_points", a.m_zp_points, MOST_ROWS)
        rows *= len(_m_zp(a))
        _count("points times m_zp_points", rows, MOST_ROWS)
        where = f"m_chi {m_chi}, at each m_zp of {a.m_zp_points} points from {a.m_zp_min:g} to {a.m_zp_max:g} MeV"
    else:
        raise ValueError("a scan needs either --ratio or all of --m-zp-min, --m-zp-max, --m-zp-points")
    units = {"m_chi": "MeV", "m_zp": "MeV", "g_limit": "1", "g_best": "1", "chi2_min": "1"}
    title = "upper limits g_limit on g_chi g_q; g_best fits best, with chi2_min"
    head = functools.partial(_head, a, title, units, _fixed(a, where))
    table = _in_pieces(a, _limits, PIECE, head, "point", rows)
    _show(a, {"out": a.out, **table, **_reached(table)}, [f"{rows} limits written to {a.out}"])


def _limits(choices, piece):
    """Rows piece[0], ..., piece[1] - 1 of a scan with the options `choices`, in whatever process."""
    a, row = SimpleNamespace(**choices), np.arange(*piece)
    m_chi = _m_chi(a)[row % a.points]
    m_zp = a.ratio * m_chi if a.ratio is not None else _m_zp(a)[row // a.points]
    dataset, model = _dataset(a), unit_model(a.case, m_chi, m_zp, _couplings(a.g_q), a.neutrinos)
    found = upper_limit(predict(model, dataset, _amplitude(a)), dataset, a.delta_chi2)
    return {"m_chi": m_chi, "m_zp": m_zp, **{name: getattr(found, name) for name in ("g_limit", "g_best", "chi2_min")}}


def _toys(a):
    _count("toys", a.toys, MOST_TOYS)
    if a.seed < 0:
        raise ValueError(f"seed must be >= 0, got {a.seed}")
    masses, ratio = _points(a), positive("ratio", a.ratio, "")
    choices, data = _fixed(a, f"m_zp = {ratio:g} m_chi, {_range_text(a)}")
    drawn = (
        f"{a.toys} toys, seed {a.seed}; expected: quantiles of limits without a signal, inf where toys have none; "
        "coverage: fraction of toys made with g_limit whose limit is not below it; "
        "g_fc: upper end of the interval of Feldman and Cousins, 90%, nan far from g_limit; "
        "left_out: toys that cannot be fitted"
    )
    units = {"m_chi": "MeV", "m_zp": "MeV"} | dict.fromkeys(TOY_COLUMNS, "1")
    title = "upper limits on g_chi g_q, of the data and of toy experiments"
    head = functools.partial(_head, a, title, units, (choices, drawn, data))
    table = _in_pieces(a, _toy_limits, TOY_PIECE, head, "mass", masses)
    _show(
        a, {"out": a.out, **table, **_reached(table)}, [f"{masses} masses with {a.toys} toys each written to {a.out}"]
    )


def _toy_limits(choices, piece):
    """Rows piece[0], ..., piece[1] - 1 of the toys with the options `choices`, in whatever process."""
    a = SimpleNamespace(**choices)
    m_chi = _m_chi(a)[slice(*piece)]
    m_zp, dataset = a.ratio * m_chi, _dataset(a)
    events = predict(unit_model(a.case, m_chi, m_zp, _couplings(a.g_q), a.neutrinos), dataset, _amplitude(a))
    g_limit = upper_limit(events, dataset, a.delta_chi2).g_limit
    expected = toys.bands(events, dataset, a.delta_chi2, a.toys, a.seed)
    covered = [
        toys.coverage(events.at([n]), [g], dataset, [a.delta_chi2], a.toys, a.seed) for n, g in enumerate(g_limit)
    ]
    fractions = np.array([one.fractions[a.delta_chi2][0] for one in covered])
    fc = toys.feldman_cousins(events, dataset, 0.9, a.toys, a.seed)
    left_out = expected.left_out + np.array([one.left_out[0] for one in covered]) + fc.left_out.sum(1)
    columns = (g_limit, *expected.g_limit.values(), fractions, fc.g_limit, left_out)
    return {"m_chi": m_chi, "m_zp": m_zp, **dict(zip(TOY_COLUMNS, columns, strict=True))}


def _head(a, title, units, settings, table):
    """What stands above a table of limits: its columns, what was chosen, and what the table does not show."""
    return output.header(title, units, (*settings, *_remarks(a, table)))


def _remarks(a, table):
    """Lines on rows without a limit and toys without a fit, if there are any."""
    left_out = int(np.sum(table.get("left_out", 0)))
    lines = (
        fit.remark(table["g_limit"], a.delta_chi2),
        left_out and f"{left_out} toys left out: a bin has neither counts nor beam-on background, sigma_stat = 0",
    )
    return [line for line in lines if line]


def _reached(table):
    """For JSON, which writes null for both: why a limit of a table is none, row by row."""
    words = {f"{name}_is": fit.reached(table[name]) for name in ("g_limit", *EXPECTED, "g_fc") if name in table}
    if "g_fc" in table:
        pairs = zip(words["g_fc_is"], words["g_limit_is"], strict=True)
        words["g_fc_is"] = [
            own if own == "reached" or of_data == "no signal" else "not found" for own, of_data in pairs
        ]
    return words


def _fixed(a, where):
    """Lines for the head of a table of limits: what was chosen, and which data."""
    choice("case", a.case, CASES)
    positive("delta_chi2", a.delta_chi2, "")
    _couplings(a.g_q)
    chosen = f"amplitude {_amplitude(a)}, delta_chi2 {a.delta_chi2:g}, g_q {a.g_q}, neutrinos {a.neutrinos}"
    return f"case {a.case}, {where}, {chosen}", results.data(_dataset(a))


def _range_text(a):
    return f"{a.points} points from {a.m_chi_min:g} to {a.m_chi_max:g} MeV"


def _m_chi(a):
    return _masses(a.m_chi_min, a.m_chi_max, a.points)


def _m_zp(a):
    return _masses(a.m_zp_min, a.m_zp_max, a.m_zp_points, "m_zp")


def _points(a):
    """How many masses of chi there are, after they were found to make sense."""
    _count("points", a.points, MOST_ROWS)
    return len(_m_chi(a))


def _count(name, value, most):
    if not 1 <= value <= most:
        raise ValueError(f"{name} must be from 1 to {most}, got {value}")


def _in_pieces(a, task, size, head, unit, rows):
    """The table of task(choices, (first, last + 1)) for `rows` of it, `size` at once, each a `unit`; also in a.out."""
    pieces = [(start, min(start + size, rows)) for start in range(0, rows, size)]
    choices = {name: value for name, value in vars(a).items() if name not in NOT_A_CHOICE}
    progress = functools.partial(tqdm, total=rows, unit=unit, disable=None, leave=False)
    task = functools.partial(task, choices)  # it knows what identifies its result, and nothing else
    chosen = contextlib.nullcontext(a.executor)
    if a.executor is None:
        chosen = executors.local_or_cluster(min(a.workers, len(pieces)), a.dask)
    with chosen as executor:
        table = tasks.run(task, pieces, a.out, head, choices, progress, _note, executor)
    for line in _remarks(a, table):
        _note(line)
    return table


def _figures(a):
    from . import figures  # matplotlib doubles the start-up time of the other commands

    _count("points", a.points, MOST_POINTS)
    folder = output.folder(a.out)
    names = [f"{figure}{suffix}" for figure in ("fig3", "fig4") for suffix in (".png", ".pdf", ".csv")]
    if folder.exists():
        for name in names:
            output.target(folder / name)
    dataset, amplitude = _dataset(a), _amplitude(a)
    m_chi = paper.masses(1.0, 1000.0, a.points)
    spectra = paper.spectra(dataset, amplitude)
    curves = paper.limit_curves(m_chi, dataset, amplitude, a.delta_chi2)
    made = {
        "fig3": figures.fig3(dataset.pe_edges, spectra, paper.labels(), dataset.n_obs, dataset.sigma),
        "fig4": figures.fig4(m_chi, {"this work": curves}, paper.quoted_by_panel()),
    }
    tables = {
        "fig3": output.table(*results.fig3(spectra, dataset, amplitude)),
        "fig4": output.table(*results.fig4(m_chi, curves, dataset, amplitude, a.delta_chi2)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in made.items():
        metadata = {".png": {"Description": tables[name]}, ".pdf": {"Title": tables[name].splitlines()[0][2:]}}
        for suffix in metadata:
            with output.whole_file(folder / (name + suffix)) as part:
                figure.savefig(part, metadata=metadata[suffix])
        output.write_text(folder / (name + ".csv"), tables[name])
    written = [str(folder / name) for name in names]
    _show(a, {"files": written}, written, FIGURES)


def _hepdata(a):
    try:
        from . import hepdata  # an optional package, and slow to load
    except ModuleNotFoundError as missing:
        raise ValueError(f"this command needs the package hepdata-lib, pip install hepdata-lib ({missing})") from None

    _count("points", a.points, MOST_POINTS)
    dataset, m_chi = _dataset(a), paper.masses(1.0, 1000.0, a.points)
    hepdata.write(a.out, dataset, m_chi, a.delta_chi2)
    text = f"a HEPData submission, found valid, written to {a.out}"
    _show(a, {"out": a.out}, [text], FIGURES | {"amplitude": list(AMPLITUDES)})


def _events(a):
    dataset = _dataset(a)
    model = unit_model(a.case, a.m_chi, a.m_zp, _couplings(a.g_q), a.neutrinos)
    return dataset, predict(model, dataset, _amplitude(a))


def _dataset(a):
    changes = {name: getattr(a, name) for name in SETTINGS}
    if a.detector_mass is not None:
        changes["detector_mass_kg"] = a.detector_mass
    return _csi2017(settings.csi2017(**changes))


def _amplitude(a):
    return AMPLITUDES[choice("amplitude", a.amplitude, AMPLITUDES)].flipped(*a.flip)


def _couplings(text):
    """{"d": 1.0, ...} from "d=1,s=1,b=1"."""
    couplings = {}
    for item in text.split(","):
        flavour, _, number = (part.strip() for part in item.partition("="))
        if flavour in couplings:
            raise ValueError(f"g_q must name each flavour once, got {text!r}")
        try:
            couplings[flavour] = float(number)
        except ValueError:
            raise ValueError(f"g_q must look like d=1,s=1,b=1, got {text!r}") from None
    return couplings


def _chosen(a):
    """All that the result of the command depends on, from its options and their defaults."""
    found = {"command": a.command}
    found |= {name: value for name, value in vars(a).items() if name not in NOT_A_CHOICE and value is not None}
    if "g_q" in found:
        g_chi = found.pop("g_chi", 1.0)
        found |= {"g_q": _couplings(a.g_q), "g_chi_L": g_chi, "g_chi_R": g_chi}
    if "flip" in found:
        del found["flip"]
        found |= {"amplitude": str(_amplitude(a)), "switches": asdict(_amplitude(a))}
    if "last_bin" in found:
        dataset = _dataset(a)
        found = {name: value for name, value in found.items() if name not in (*SETTINGS, "detector_mass")}
        found |= {"data": {"name": dataset.name, "doi": dataset.doi}, "settings": asdict(dataset.settings)}
    return found


def _show(a, values, lines, fixed=None):
    """Print `values` as JSON if asked to, headed by where they are from, null for what is not finite; else `lines`.

    `fixed` holds choices that the command has no option for.
    """
    if not a.json:
        _print("\n".join(lines))
        return
    arrays = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in values.items()}
    found = {**provenance.stamp(), "chosen": _chosen(a) | (fixed or {}), **arrays}
    standard = json.loads(json.dumps(found), parse_constant=lambda _: None)  # JSON has no infinity
    _print(json.dumps(standard, indent=1))


COMMANDS = {
    "loops": _loops,
    "coefficients": _coefficients,
    "spectrum": _spectrum,
    "limit": _limit,
    "scan": _scan,
    "toys": _toys,
    "figures": _figures,
    "hepdata": _hepdata,
}
