"""The command line: `cevnsloop COMMAND ...`, or `python -m cevnsloop COMMAND ...`."""

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from . import __version__, coherent, inputs, loops, output, paper, settings
from .amplitude import AMPLITUDES, SWITCHES, loop_coefficients
from .checks import choice, non_negative, positive
from .events import predict
from .fit import DELTA_CHI2, scan, upper_limit
from .model import CASES, DOWN_TYPE, NEUTRINOS, Model, unit_model
from .nucleus import nuclide

LOOP_FUNCTIONS = ("D0b", "D1b", "D00b", "D00_ab", "D001_ab", "D11_ab")
LOOP_UNITS = dict(zip(LOOP_FUNCTIONS, (-4, -4, -2, -2, -2, -4), strict=True))
CHUNKS = 100  # savings of a long scan


def main(argv=None):
    """Run one command; returns the exit code: 0, 2 for an input that is refused, 130 if interrupted."""
    try:
        arguments = _parser().parse_args(_joined(sys.argv[1:] if argv is None else argv))
        arguments.run(arguments)
    except (ValueError, OSError) as error:
        print(f"cevnsloop: {error}".replace("\n", " "), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("cevnsloop: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


def _loops(a):
    m_chi, m_zp = positive("m_chi", a.m_chi, "MeV"), positive("m_zp", a.m_zp, "MeV")
    values = {name: float(getattr(loops, name)(m_chi, m_zp)) for name in LOOP_FUNCTIONS}
    _show(a, values, [f"{name:8s} {v:24.16e} MeV^{LOOP_UNITS[name]}" for name, v in values.items()])


def _coefficients(a):
    model = Model(a.case, a.m_chi, a.m_zp, a.g_chi, a.g_chi, _couplings(a.g_q))
    c = loop_coefficients(model, nuclide(a.nuclide), _amplitude(a), a.moments)
    values = {"nuclide": a.nuclide, "c1": float(c.c1), "c2": float(c.c2), "c3": float(c.c3)}
    units = {"c1": "MeV^-2", "c2": "MeV^-5", "c3": "MeV^-6"}
    _show(a, values, [f"{k}  {v:20.12e} {units[k]}" for k, v in values.items() if k in units])


def _spectrum(a):
    g2 = float(non_negative("g", a.g, "")) ** 2
    dataset, events = _events(a)
    parts = {
        "n_sm": events.n_sm,
        "n_tree": g2 * events.n_tree,
        "n_interference": g2 * events.n_interference,
        "n_loop": g2**2 * events.n_loop,
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
    g2 = found.g_limit**2
    values = {
        "case": a.case,
        "m_chi": a.m_chi,
        "m_zp": a.m_zp,
        "amplitude": str(_amplitude(a)),
        "delta_chi2": a.delta_chi2,
        **{name: float(getattr(found, name)) for name in ("g_limit", "g_best", "chi2_min")},
        "n_sm": float(events.n_sm.sum()),
        "n_tree": float(g2 * events.n_tree.sum()),
        "n_interference": float(g2 * events.n_interference.sum()),
        "n_loop": float(g2**2 * events.n_loop.sum()),
    }
    lines = [
        f"g_chi g_q < {values['g_limit']:.4g}  (chi2 = {values['chi2_min']:.4g} + {a.delta_chi2:g}; "
        f"best fit at {values['g_best']:.4g})",
        "events at the limit: " + ", ".join(f"{k[2:]} {values[k]:.4g}" for k in list(values)[-4:]),
    ]
    _show(a, values, lines)


def _scan(a):
    dataset, g_q, amplitude = _dataset(a), _couplings(a.g_q), _amplitude(a)
    m_chi = paper.masses(a.m_chi_min, a.m_chi_max, a.points)
    choice("case", a.case, CASES)
    positive("ratio", a.ratio, "")
    positive("delta_chi2", a.delta_chi2, "")
    remarks = (
        "m_chi, m_zp in MeV; g_limit is the upper limit on g_chi g_q, g_best the best fit",
        f"case {a.case}, m_zp = {a.ratio:g} m_chi, {a.points} points from {a.m_chi_min:g} to {a.m_chi_max:g} MeV, "
        f"amplitude {amplitude}, delta_chi2 {a.delta_chi2:g}, g_q {a.g_q}, neutrinos {a.neutrinos}",
        f"{dataset.name}, doi {dataset.doi}; {dataset.settings}",
    )
    head = output.header("upper limits on g_chi g_q", remarks)

    def rows(chunk):
        found = scan(a.case, chunk, a.ratio, dataset, amplitude, a.delta_chi2, g_q, a.neutrinos)
        columns = (chunk, a.ratio * chunk, found.g_limit, found.g_best, found.chi2_min)
        return dict(zip(("m_chi", "m_zp", "g_limit", "g_best", "chi2_min"), columns, strict=True))

    with tqdm(total=len(m_chi), unit="point", disable=None, leave=False) as bar:
        table = output.resumable(a.out, head, m_chi, rows, max(50, len(m_chi) // CHUNKS), bar.update)
    _show(a, {"out": a.out, **table}, [f"{len(m_chi)} limits written to {a.out}"])


def _figures(a):
    from . import figures  # matplotlib doubles the start-up time of the other commands

    folder = Path(a.out)
    folder.mkdir(parents=True, exist_ok=True)
    dataset, amplitude = _dataset(a), _amplitude(a)
    m_chi = paper.masses(1.0, 1000.0, a.points)
    spectra = paper.spectra(dataset, amplitude)
    curves = paper.limit_curves(m_chi, dataset, amplitude, a.delta_chi2)
    made = {
        "fig3": figures.fig3(dataset.pe_edges, spectra, paper.labels(), dataset.n_obs, dataset.sigma),
        "fig4": figures.fig4(m_chi, {"this work": curves}, paper.quoted_by_panel()),
    }
    remarks = (f"{dataset.name}, doi {dataset.doi}; amplitude {amplitude}; {dataset.settings}",)
    fig3 = {"pe_lo": dataset.pe_edges[:-1], "pe_hi": dataset.pe_edges[1:]}
    fig3 |= {f"n_{key}": value for key, value in spectra.items()}
    fig3 |= {"n_obs": dataset.n_obs, "sigma": dataset.sigma}
    fig4 = {"m_chi_MeV": m_chi} | {f"g_limit_{case}_ratio{ratio:g}": g for (case, ratio), g in curves.items()}
    tables = {
        "fig3": output.csv(output.header("Fig. 3, residual events per bin of photoelectrons", remarks), fig3),
        "fig4": output.csv(
            output.header(f"Fig. 4, upper limits on g_chi g_q, delta_chi2 {a.delta_chi2:g}", remarks), fig4
        ),
    }
    written = []
    for name, figure in made.items():
        metadata = {".png": {"Description": tables[name]}, ".pdf": {"Title": tables[name].splitlines()[0][2:]}}
        for suffix in metadata:
            with output.whole_file(folder / (name + suffix)) as part:
                figure.savefig(part, metadata=metadata[suffix])
            written.append(str(folder / (name + suffix)))
        output.write_text(folder / (name + ".csv"), tables[name])
        written.append(str(folder / (name + ".csv")))
    _show(a, {"files": written}, written)


def _events(a):
    dataset = _dataset(a)
    model = unit_model(a.case, a.m_chi, a.m_zp, _couplings(a.g_q), a.neutrinos)
    return dataset, predict(model, dataset, _amplitude(a))


def _dataset(a):
    names = ("time_fraction", "smearing", "pe_label", "first_bin", "last_bin", "weak_angle", "moments")
    changes = {name: getattr(a, name) for name in names}
    if a.detector_mass is not None:
        changes["detector_mass_kg"] = a.detector_mass
    return coherent.csi2017(settings.csi2017(**changes))


def _amplitude(a):
    return AMPLITUDES[choice("amplitude", a.amplitude, AMPLITUDES)].flipped(*a.flip)


def _couplings(text):
    """{"d": 1.0, ...} from "d=1,s=1,b=1"."""
    couplings = {}
    for item in text.split(","):
        flavour, equals, number = item.partition("=")
        try:
            couplings[flavour.strip()] = float(number)
        except ValueError:
            equals = ""
        if not equals:
            raise ValueError(f"g_q must look like d=1,s=1,b=1, got {text!r}")
    return couplings


def _show(a, values, lines):
    """Print `values` as JSON if asked to, else `lines`."""
    if a.json:
        arrays = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in values.items()}
        print(json.dumps(arrays, indent=1))
    else:
        print("\n".join(lines))


def _joined(words):
    """`words` with "--option -1e-8" as "--option=-1e-8": argparse would take such a number for an option."""
    joined = []
    for word in words:
        if joined and joined[-1].startswith("--") and re.match(r"-(\d|\.\d|inf|nan)", word):
            joined[-1] += "=" + word
        else:
            joined.append(word)
    return joined


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message):
        raise ValueError(message)


def _parser():
    parser = _OneLineParser(prog="cevnsloop", description=__doc__.splitlines()[0])
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name, run, text):
        p = commands.add_parser(name, help=text, description=text)
        p.add_argument("--json", action="store_true", help="print JSON instead of a table")
        p.set_defaults(run=run)
        return p

    def masses(p):
        p.add_argument("--m-chi", type=float, required=True, metavar="MEV", help="mass of chi")
        p.add_argument("--m-zp", type=float, required=True, metavar="MEV", help="mass of Z'")

    def amplitude(p):
        p.add_argument("--amplitude", default="published", metavar="NAME", help=" or ".join(AMPLITUDES))
        p.add_argument(
            "--flip",
            action="append",
            default=[],
            metavar="SWITCH",
            help=f"put one switch of the amplitude into its other position (repeatable): {', '.join(SWITCHES)}",
        )
        moments = ", ".join(inputs.names("second_moments"))
        p.add_argument("--moments", default="mz_rounded", metavar="SET", help=f"second moments: {moments}")

    def theory(p):
        amplitude(p)
        down = ",".join(f"{q}={g:g}" for q, g in DOWN_TYPE.items())
        p.add_argument("--case", required=True, metavar="A|B", help="A: vector, B: axial-vector quark current")
        p.add_argument("--g-q", default=down, metavar="Q=G,...", help="quark couplings (default: %(default)s)")

    def beam(p):
        p.add_argument("--neutrinos", default="all", metavar="WHICH", help=f"that couple: {', '.join(NEUTRINOS)}")

    def analysis(p):
        p.add_argument("--detector-mass", type=float, metavar="KG", help="default: 14.6")
        p.add_argument(
            "--no-time-fraction",
            dest="time_fraction",
            action="store_false",
            help="count neutrinos outside the time window too",
        )
        p.add_argument("--smearing", default="none", metavar="KIND", help=" or ".join(settings.SMEARINGS))
        p.add_argument("--pe-label", default="upper", metavar="KIND", help=" or ".join(settings.PE_LABELS))
        p.add_argument("--first-bin", type=int, default=4, metavar="I", help="default: %(default)s")
        p.add_argument("--last-bin", type=int, default=15, metavar="I", help="default: %(default)s")
        angles = ", ".join(inputs.names("weak_angle"))
        p.add_argument("--weak-angle", default="msbar_mz", metavar="NAME", help=angles)

    def confidence(p):
        known = ", ".join(f"{v:g} for {k}" for k, v in DELTA_CHI2.items())
        p.add_argument(
            "--delta-chi2",
            type=float,
            default=DELTA_CHI2["two parameters"],
            metavar="X",
            help=f"90%% C.L.: {known} (default: %(default)s)",
        )

    p = command("loops", _loops, "the six loop functions of Eqs. (A1)-(A6)")
    masses(p)
    p = command("coefficients", _coefficients, "c1, c2, c3 of a nucleus, Eqs. (26)-(31)")
    masses(p), theory(p)
    p.add_argument("--nuclide", required=True, metavar="NAME", help=", ".join(inputs.names("atomic_masses")))
    p.add_argument("--g-chi", type=float, default=1.0, metavar="G", help="g_chi_L = g_chi_R (default: 1)")
    p = command("spectrum", _spectrum, "events per bin (Fig. 3)")
    masses(p), theory(p), beam(p), analysis(p)
    p.add_argument("--g", type=float, required=True, metavar="G", help="g_chi g_q")
    p = command("limit", _limit, "upper limit on g_chi g_q at one point (Fig. 4)")
    masses(p), theory(p), beam(p), analysis(p), confidence(p)
    p = command("scan", _scan, "upper limits over a range of m_chi, as a CSV file")
    theory(p), beam(p), analysis(p), confidence(p)
    p.add_argument("--ratio", type=float, required=True, metavar="R", help="m_Z' / m_chi")
    p.add_argument("--m-chi-min", type=float, required=True, metavar="MEV")
    p.add_argument("--m-chi-max", type=float, required=True, metavar="MEV")
    p.add_argument("--points", type=int, required=True, metavar="N")
    p.add_argument("--out", required=True, metavar="FILE")
    p = command("figures", _figures, "Figs. 3 and 4 as PNG (with its data inside) and PDF, every curve as CSV")
    amplitude(p), analysis(p), confidence(p)
    p.add_argument("--points", type=int, default=200, metavar="N", help="masses per curve (default: 200)")
    p.add_argument("--out", required=True, metavar="DIR")
    return parser
