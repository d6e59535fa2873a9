"""The options of the command line, made from the fields of the records they fill: no default is typed twice."""

import argparse
import difflib
import re
import sys
from dataclasses import fields

from .. import __version__, inputs
from ..choices import PAPER, PATTERNS, Choices
from ..experiments.csi2017 import Settings

G = "G = g_chi g_q is the largest coupling to a neutrino times the largest to a quark; masses are in MeV."
CHOICES = {one.name: one for one in fields(Choices)}
SETTINGS = {one.name: one for one in fields(Settings)}
OWN_DEFAULTS = {"figures": PAPER, "hepdata": PAPER, "spectrum": {"data": "csi2021"}, "likelihood": {"data": "csi2021"}}

MODEL = ("case", "g_q", "g_chi_L", "g_chi_R")
THEORY = ("amplitude", "flip", "moments", "f_q", "weak_angle", "inputs")
STATISTICS = ("delta_chi2", "statistic")

# Name: (what it does, fields of Choices, whether it has data, two examples)
COMMANDS = {
    "loops": ("the six loop functions of Eqs. (A1)-(A6)", (), False, ["--m-chi 10 --m-zp 100", "--m-chi 1 --m-zp 1"]),
    "coefficients": (
        "c1, c2, c3 of a nucleus: what scatters a neutrino by loops, Eqs. (26)-(31), or the amplitudes at E and T",
        (*MODEL, *THEORY),
        False,
        [
            "--case B --m-chi 100 --m-zp 1000 --nuclide Cs133",
            "--case A --m-chi 53 --m-zp 106 --nuclide Cs133 --amplitude coherent --E 29.79 --T 0.01",
        ],
    ),
    "spectrum": (
        "events in each bin of the data for one model (Fig. 3)",
        (*MODEL, "neutrinos", *THEORY),
        True,
        [
            "--case A --m-chi 10 --m-zp 100 --g 5e-8",
            "--case A --m-chi 10 --m-zp 100 --g 5e-8 --smearing poisson --json",
        ],
    ),
    "limit": (
        "upper limit on G at one point (Fig. 4)",
        (*MODEL, "neutrinos", *THEORY, *STATISTICS),
        True,
        [
            "--case A --m-chi 1 --m-zp 10",
            "--case B --m-chi 53 --m-zp 106 --amplitude complete --delta-chi2 2.71 --band",
        ],
    ),
    "scan": (
        "upper limits over a range of m_chi, along a curve or in a plane of both masses, as a CSV file",
        (*MODEL, "neutrinos", *THEORY, *STATISTICS),
        True,
        [
            "--case A --ratio 10 --m-chi-min 1 --m-chi-max 1000 --points 200 --out limits.csv",
            "--case A --m-chi-min 1 --m-chi-max 100 --points 50 --m-zp-min 1 --m-zp-max 1000 --m-zp-points 50 "
            "--out plane.csv --workers 2",
        ],
    ),
    "toys": (
        "expected limits, coverage and limits of Feldman and Cousins over a range of m_chi, as a CSV file",
        (*MODEL, "neutrinos", *THEORY, "delta_chi2"),
        True,
        [
            "--case A --ratio 10 --m-chi-min 1 --m-chi-max 1000 --points 5 --toys 1000 --seed 1 --out toys.csv",
            "--case A --ratio 2 --m-chi-min 1 --m-chi-max 50 --points 3 --toys 1000 --seed 1 --delta-chi2 2.71 "
            "--out toys.csv",
        ],
    ),
    "plot": (
        "a scan that is done, as a picture",
        (),
        False,
        ["limits.csv --out limits.png", "limits.csv --out limits.pdf"],
    ),
    "figures": (
        "Figs. 3 and 4 as PNG (with its data inside) and PDF, every curve as CSV",
        (*THEORY, "delta_chi2"),
        True,
        ["--out figures", "--out figures --amplitude rederived"],
    ),
    "hepdata": (
        "Figs. 3 and 4, published and rederived, as a submission to HEPData (needs hepdata-lib)",
        ("moments", "weak_angle", "inputs", "delta_chi2"),
        True,
        ["--out submission.tar.gz", "--out submission.tar.gz --points 50"],
    ),
    "likelihood": (
        "likelihoods to take away, as pyhf reads them: a workspace, and a patch for each mass",
        (*MODEL, "neutrinos", *THEORY, *STATISTICS),
        True,
        [
            "--case A --ratio 10 --m-chi-min 1 --m-chi-max 50 --points 20 --data csi2021 --out likelihood",
            "--case A --ratio 2 --m-chi-min 1 --m-chi-max 20 --points 5 --statistic poisson --out likelihood",
        ],
    ),
}


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


def parse(words):
    """The arguments of the command line `words`, as `parser` returns them; ValueError says what was perhaps meant."""
    top, words = parser(), joined(words)
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


def couplings(text):
    """The name of a pattern, or {"d": 1.0, ...} from "d=1,s=1,b=1"; ValueError for a flavour that is there twice."""
    if text in PATTERNS:
        return text
    found = {}
    for item in text.split(","):
        flavour, _, number = (part.strip() for part in item.partition("="))
        try:
            value = float(number)
        except ValueError:
            raise ValueError(f"g_q must be {', '.join(PATTERNS)} or look like d=1,s=1,b=1, got {text!r}") from None
        if flavour in found:
            raise ValueError(f"g_q must name each flavour once, got {text!r}")
        found[flavour] = value
    return found


def parser():
    """The command line. Errors are raised as ValueError."""
    text = f"Tree and loop effects of a vector mediator in coherent neutrino-nucleus scattering. {G}"
    top = _OneLineParser(prog="cevnsloop", description=text)
    top.add_argument("--version", action="version", version=__version__)
    top.commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name, (text, names, has_data, examples) in COMMANDS.items():
        lines = "\n".join(f"  cevnsloop {name} {example}" for example in examples)
        p = top.commands.add_parser(
            name,
            help=text,
            description=f"{text[0].upper()}{text[1:]}. {G}",
            epilog=f"examples:\n{lines}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        p.set_defaults(command=name)
        _own(name, p)
        records = [CHOICES[one] for one in (*names, "data")[: len(names) + has_data]]
        records += SETTINGS.values() if has_data else ()
        groups = {
            title: p.add_argument_group(title) for title in dict.fromkeys(one.metadata["group"] for one in records)
        }
        for one in records:
            default = OWN_DEFAULTS.get(name, {}).get(one.name, one.default)
            _add(groups[one.metadata["group"]], one, default, required=one.name == "case")
        _add_paper(p, OWN_DEFAULTS.get(name, {}), {one.name for one in records})
    return top


def _add_paper(p, own, has):
    """--paper, where it changes a default."""
    of_paper = {name: PAPER[name] for name in PAPER if name in has}
    if of_paper and own != PAPER:
        said = ", ".join(f"{name} {value}" for name, value in of_paper.items() if name != "g_q")
        p.add_argument("--paper", action="store_true", help=f"the paper's own analysis: {said}, unless given otherwise")


def _add(group, field, default, required):
    """The option of one field of a record; what is not given keeps the `default`."""
    known, text = field.metadata.get("choices"), field.metadata["help"]
    flag = "--" + field.metadata.get("flag", field.name).replace("_", "-")
    if known and len(known) > 2:
        text += ": " + ", ".join(known)
    if field.name == "g_q":
        text += f": {', '.join(PATTERNS)}, or such as d=1,s=-1"
    shown = "" if required or default in (None, (), inputs.STANDARD) else f" (default: {default})"
    given = {"dest": field.name, "default": argparse.SUPPRESS, "help": (text + shown).replace("%", "%%")}
    if default is True:
        off = given | {"help": field.metadata["off"]}
        group.add_argument(f"--no-{field.name.replace('_', '-')}", action="store_false", **off)
    elif field.name in ("flip", "inputs"):
        metavar = "NAME=VALUE" if field.name == "inputs" else "SWITCH"
        group.add_argument(flag, action="append", metavar=metavar, **given | {"help": given["help"] + " (repeatable)"})
    else:
        kind = type(default) if isinstance(default, (int, float)) else float if default is None and not known else str
        metavar = field.metadata.get("metavar", "|".join(known or ()) if len(known or ()) in (1, 2) else "NAME")
        group.add_argument(flag, type=kind, metavar=metavar, required=required, **given)


def _own(name, p):
    """What a command has beside the choices: masses, couplings, where the result goes."""
    group, out = p.add_argument_group("masses and points"), p.add_argument_group("output")
    if name in ("loops", "coefficients", "spectrum", "limit"):
        group.add_argument("--m-chi", type=float, required=True, metavar="MEV", help="mass of chi, the fermion")
        group.add_argument("--m-zp", type=float, required=True, metavar="MEV", help="mass of Z', the mediator")
    if name == "coefficients":
        known = " or ".join(inputs.names("atomic_masses"))
        group.add_argument("--nuclide", required=True, metavar="NAME", help=known)
        group.add_argument("--E", type=float, metavar="MEV", help="neutrino energy, with --T: amplitudes flip and keep")
        group.add_argument("--T", type=float, metavar="MEV", help="recoil energy of the nucleus")
    if name == "limit":
        text = "move each assumption of the amplitude complete over its range: weakest and strongest limit"
        out.add_argument("--band", action="store_true", help=text)
    if name == "spectrum":
        group.add_argument("--g", type=float, required=True, metavar="G", help="G = g_chi g_q")
    if name in ("scan", "toys", "likelihood"):
        _range(group, name)
    if name in ("scan", "toys"):
        _work(out)
    if name == "toys":
        group.add_argument("--toys", type=int, required=True, metavar="N", help="experiments at each mass and coupling")
        group.add_argument("--seed", type=int, required=True, metavar="S", help="the same seed gives the same toys")
    if name in ("figures", "hepdata"):
        group.add_argument("--points", type=int, default=200, metavar="N", help="masses per curve (default: 200)")
    if name == "plot":
        group.add_argument("file", metavar="FILE.csv", help="table that scan has written")
    if name in ("figures", "hepdata", "plot", "likelihood"):
        what = {
            "figures": "folder, made if missing",
            "likelihood": "folder, made if missing",
            "hepdata": "archive, .tar.gz",
            "plot": "picture, .png, .pdf or .svg",
        }
        out.add_argument("--out", type=_place, required=True, metavar="PLACE", help=what[name])
    out.add_argument("--json", action="store_true", help="print JSON instead of a table")


def _range(group, name):
    group.add_argument("--m-chi-min", type=float, required=True, metavar="MEV", help="lightest chi")
    group.add_argument("--m-chi-max", type=float, required=True, metavar="MEV", help="heaviest chi")
    group.add_argument("--points", type=int, required=True, metavar="N", help="how many, equally spaced in ln m_chi")
    group.add_argument("--ratio", type=float, required=name != "scan", metavar="R", help="m_Z' / m_chi along a curve")
    if name == "scan":
        group.add_argument("--m-zp-min", type=float, metavar="MEV", help="lightest Z', for a plane of both masses")
        group.add_argument("--m-zp-max", type=float, metavar="MEV", help="heaviest Z', for the plane")
        text = "how many, equally spaced in ln m_Z', each with every m_chi in turn"
        group.add_argument("--m-zp-points", type=int, metavar="N", help=text)


def _work(group):
    text = "CSV file to write; until it is complete, what is done waits in FILE.part for the same command"
    group.add_argument("--out", type=_place, required=True, metavar="FILE", help=text)
    where = group.add_mutually_exclusive_group()
    text = "processes of this machine (default: 1)"
    where.add_argument("--workers", type=int, default=1, metavar="N", help=text)
    text = "scheduler of a Dask cluster that has this package (needs distributed)"
    where.add_argument("--dask", metavar="ADDRESS", help=text)
