"""The options of the command line."""

import argparse
import difflib
import re
import sys

from . import __version__, inputs, settings
from .amplitude import AMPLITUDES, SWITCHES
from .fit import DELTA_CHI2
from .model import DOWN_TYPE, NEUTRINOS


def joined(words):
    """`words` with "--option -1e-8" as "--option=-1e-8": argparse would take such a number for an option."""
    result = []
    for word in words:
        if result and result[-1].startswith("--") and re.match(r"-(\d|\.\d|inf|nan)", word):
            result[-1] += "=" + word
        else:
            result.append(word)
    return result


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message):
        raise ValueError(message)

    def exit(self, status=0, message=None):
        sys.stdout.flush()  # the help: an error must be one of main, not of the end of Python
        super().exit(status, message)


def parse(words, commands):
    """The arguments of the command line `words`, as `parser` returns them; ValueError says what was perhaps meant."""
    top, words = parser(commands), joined(words)
    name = next((word for word in words if not word.startswith("-")), None)
    if name is not None:
        known = top.commands.choices
        if name not in known:
            raise ValueError(f"no command is called {name!r}: {_meant(name, known) or 'there are ' + ', '.join(known)}")
        options = known[name]._option_string_actions
        for word in (word.partition("=")[0] for word in words[words.index(name) + 1 :]):
            if word.startswith("-") and not any(option.startswith(word) for option in options):
                raise ValueError(f"{name} has no option {word}: {_meant(word, options) or f'see {name} --help'}")
    return top.parse_args(words)


def _meant(word, known):
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else ""


def _place(text):
    """What --out names, which is never standard output."""
    if text in ("", "-"):
        raise argparse.ArgumentTypeError(f"must name what to write to (./- for a file called -), got {text!r}")
    return text


def parser(commands):
    """The command line; `commands` {name: function of the parsed arguments}. Errors are raised as ValueError."""
    top = _OneLineParser(prog="cevnsloop", description="Tree and loop effects of a vector mediator in CEvNS.")
    top.add_argument("--version", action="version", version=__version__)
    top.commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name, text):
        p = top.commands.add_parser(name, help=text, description=text)
        p.add_argument("--json", action="store_true", help="print JSON instead of a table")
        p.set_defaults(run=commands[name], command=name)
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
        moments(p)

    def moments(p):
        known = ", ".join(inputs.names("second_moments"))
        p.add_argument("--moments", default="mz_rounded", metavar="SET", help=f"second moments: {known}")

    def theory(p):
        amplitude(p)
        down = ",".join(f"{q}={g:g}" for q, g in DOWN_TYPE.items())
        p.add_argument("--case", required=True, metavar="A|B", help="A: vector, B: axial-vector quark current")
        p.add_argument(
            "--g-q",
            default=down,
            metavar="Q=G,...",
            help="quark couplings; for limits and spectra only ratios and signs count (default: %(default)s)",
        )

    def beam(p):
        p.add_argument(
            "--neutrinos", default="all", metavar="WHICH", help=f"flavours that couple: {', '.join(NEUTRINOS)}"
        )

    def analysis(p):
        p.add_argument("--detector-mass", type=float, metavar="KG", help="active mass (default: 14.6)")
        p.add_argument(
            "--no-time-fraction",
            dest="time_fraction",
            action="store_false",
            help="count neutrinos outside the time window too",
        )
        p.add_argument(
            "--smearing", default="none", metavar="KIND", help=f"of the light: {' or '.join(settings.SMEARINGS)}"
        )
        p.add_argument(
            "--pe-label",
            default="upper",
            metavar="KIND",
            help=f"with smearing, n PE lie in (n-1, n) or (n, n+1): {' or '.join(settings.PE_LABELS)}",
        )
        p.add_argument("--first-bin", type=int, default=4, metavar="I", help="of the fit (default: %(default)s)")
        p.add_argument("--last-bin", type=int, default=15, metavar="I", help="of the fit (default: %(default)s)")
        angles = ", ".join(inputs.names("weak_angle"))
        p.add_argument("--weak-angle", default="msbar_mz", metavar="NAME", help=f"sin^2 theta_W: {angles}")

    def confidence(p):
        known = ", ".join(f"{v:g} for {k}" for k, v in DELTA_CHI2.items())
        p.add_argument(
            "--delta-chi2",
            type=float,
            default=DELTA_CHI2["two parameters"],
            metavar="X",
            help=f"90%% C.L.: {known} (default: %(default)s)",
        )

    def points(p):
        p.add_argument("--points", type=int, default=200, metavar="N", help="masses per curve (default: 200)")

    def curve(p):
        p.add_argument("--m-chi-min", type=float, required=True, metavar="MEV", help="lightest chi")
        p.add_argument("--m-chi-max", type=float, required=True, metavar="MEV", help="heaviest chi")
        p.add_argument("--points", type=int, required=True, metavar="N", help="how many, equally spaced in ln m_chi")

    def work(p):
        p.add_argument(
            "--out",
            type=_place,
            required=True,
            metavar="FILE",
            help="CSV file to write; until it is complete, what is done waits in FILE.part for the same command",
        )
        where = p.add_mutually_exclusive_group()
        where.add_argument(
            "--workers", type=int, default=1, metavar="N", help="processes of this machine (default: %(default)s)"
        )
        where.add_argument(
            "--dask", metavar="ADDRESS", help="scheduler of a Dask cluster that has this package (needs distributed)"
        )

    p = command("loops", "the six loop functions of Eqs. (A1)-(A6)")
    masses(p)
    p = command("coefficients", "c1, c2, c3 of a nucleus, Eqs. (26)-(31)")
    masses(p), theory(p)
    p.add_argument("--nuclide", required=True, metavar="NAME", help=" or ".join(inputs.names("atomic_masses")))
    p.add_argument("--g-chi", type=float, default=1.0, metavar="G", help="g_chi_L = g_chi_R (default: 1)")
    p = command("spectrum", "events per bin (Fig. 3)")
    masses(p), theory(p), beam(p), analysis(p)
    p.add_argument("--g", type=float, required=True, metavar="G", help="g_chi g_q")
    p = command("limit", "upper limit on g_chi g_q at one point (Fig. 4)")
    masses(p), theory(p), beam(p), analysis(p), confidence(p)
    p = command("scan", "upper limits over a range of m_chi, along a curve or in a plane, as a CSV file")
    theory(p), beam(p), analysis(p), confidence(p), curve(p)
    p.add_argument("--ratio", type=float, metavar="R", help="m_Z' / m_chi, for limits along a curve")
    p.add_argument("--m-zp-min", type=float, metavar="MEV", help="lightest Z', for limits in the plane of both masses")
    p.add_argument("--m-zp-max", type=float, metavar="MEV", help="heaviest Z', for the plane")
    p.add_argument(
        "--m-zp-points",
        type=int,
        metavar="N",
        help="how many, equally spaced in ln m_Z', each with every m_chi in turn",
    )
    work(p)
    p = command("toys", "expected limits, coverage and Feldman-Cousins limits over a range of m_chi, as a CSV file")
    theory(p), beam(p), analysis(p), confidence(p), curve(p)
    p.add_argument("--ratio", type=float, required=True, metavar="R", help="m_Z' / m_chi")
    p.add_argument("--toys", type=int, required=True, metavar="N", help="experiments at each mass and coupling")
    p.add_argument("--seed", type=int, required=True, metavar="S", help="the same seed gives the same toys")
    work(p)
    p = command("figures", "Figs. 3 and 4 as PNG (with its data inside) and PDF, every curve as CSV")
    amplitude(p), analysis(p), confidence(p)
    points(p)
    p.add_argument("--out", type=_place, required=True, metavar="DIR", help="folder to write to, made if missing")
    p = command("hepdata", "Figs. 3 and 4, published and rederived, as a submission to HEPData (needs hepdata-lib)")
    moments(p), analysis(p), confidence(p), points(p)
    p.add_argument("--out", type=_place, required=True, metavar="FILE.tar.gz", help="archive to write")
    return top
