"""Files that are written whole or not at all, and CSV tables that say what they hold."""

import contextlib
import json
import os
import stat
from pathlib import Path

import numpy as np

from .. import __version__
from . import provenance

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def target(path):
    """`path` as a Path that a file can be written to; only looked at, nothing is touched.

    Raises ValueError unless it is a new name in a folder that exists, or a regular file that is not read-only. What
    is replaced would be lost, and a link, a device or a FIFO is never what a result should take the place of. The
    mode of the file decides, since for root nothing else does.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise ValueError(f"cannot write {path}: the folder {path.parent} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"cannot write {path}: the folder {path.parent} is read-only")
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return path
    if not stat.S_ISREG(mode):
        raise ValueError(f"cannot write {path}: it is {KINDS.get(stat.S_IFMT(mode), 'something else')}, not a file")
    if not (mode & 0o222 and os.access(path, os.W_OK)):
        raise ValueError(f"cannot write {path}: it is read-only")
    return path


def folder(path):
    """`path` as a Path of a folder that is there or can be made; only looked at. ValueError if it cannot."""
    path = Path(path)
    there = next(place for place in (path, *path.parents) if os.path.lexists(place))
    if not there.is_dir():
        raise ValueError(f"cannot write into {path}: {there} is not a folder")
    if not os.access(there, os.W_OK):
        raise ValueError(f"cannot write into {path}: the folder {there} is read-only")
    return path


@contextlib.contextmanager
def whole_file(path):
    """Yield a new file beside `path` to write to; it becomes `path` only if the block ends without an error.

    A file that is replaced keeps its permissions. ValueError where `target` raises it, before and after the block.
    """
    path = target(path)
    part = path.with_name(f".{path.stem}.{os.urandom(4).hex()}{path.suffix}")
    part.touch(exist_ok=False)  # a name that nothing had: what is written does not go through a link
    try:
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())  # or the name could reach the disk before the content
        if target(path).exists():
            part.chmod(path.stat().st_mode & 0o777)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def header(title, units, settings=()):
    """The head of a table in ECSV, comment lines that people, pandas, numpy and astropy read: columns with their units,
    what the table is, one line per setting, and the digest of what it was computed from.

    A unit is "1" for a pure number. ValueError for a column whose name is not a Python identifier (a reader may
    want it as one) or that has no unit, and for a line that has a line break.
    """
    for name, unit in units.items():
        if not name.isidentifier():
            raise ValueError(f"a column must be called like a Python variable, got {name!r}")
        if not unit or unit.splitlines() != [unit]:
            raise ValueError(f'the unit of {name} must be named, "1" for a pure number, got {unit!r}')
    lines = (
        f"cevnsloop {__version__}: {title}",
        *settings,
        f"digest {provenance.digest()} of version, inputs and data tables",
    )
    for line in lines:
        if line.splitlines() != [line]:
            raise ValueError(f"a line in the head of a table must not be broken, got {line!r}")
    columns = [f"- {{name: {name}{_unit(unit)}, datatype: float64}}" for name, unit in units.items()]
    meta = ["meta:", "  comments:", *(f"  - {json.dumps(line, ensure_ascii=False)}" for line in lines)]
    ecsv = ["%ECSV 1.0", "---", "datatype:", *columns, "delimiter: ','", *meta, "schema: astropy-2.0"]
    return "".join(f"# {line}\n" for line in ecsv)


def _unit(unit):
    return "" if unit == "1" else f", unit: {unit}"


def read(path):
    """A table that was written here, as {column: array} and {column: unit}.

    Raises ValueError for a file that is not such a table.
    """
    text = Path(path).read_text(encoding="utf-8")
    head = [line[2:] for line in text.splitlines() if line.startswith("# ")]
    body = [line for line in text.splitlines() if not line.startswith("#")]
    if head[:1] != ["%ECSV 1.0"] or len(body) < 2:
        raise ValueError(f"{path} is not a table that this program has written")
    named = [
        dict(pair.split(": ", 1) for pair in line[3:-1].split(", ")) for line in head if line.startswith("- {name: ")
    ]
    values = np.atleast_2d(np.loadtxt(body[1:], delimiter=","))
    return dict(zip(body[0].split(","), values.T, strict=True)), {one["name"]: one.get("unit", "1") for one in named}


def csv(head, columns):
    """A table as text: `head`, a line of column names, and the `rows`."""
    return head + ",".join(columns) + "\n" + rows(columns)


def rows(columns):
    """The rows of a table {name: values}, with 10 significant digits: one line each, and nothing else."""
    line = ",".join(["%.10g"] * len(columns)) + "\n"
    return "".join(line % row for row in zip(*(np.asarray(v).tolist() for v in columns.values()), strict=True))


def scientific(value, digits):
    """`value` > 0 with `digits` significant digits for a reader, 1.4 × 10⁻⁴, never broken over lines."""
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10{raised}"


def write_text(path, text):
    """Write `text` to `path`, whole or not at all."""
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def table(title, columns, units, settings=()):
    """The text of a table: `columns` {name: array} as CSV under a head that says what they are.

    units      {name: unit} for every column, "1" for a pure number
    settings   lines on what was held fixed: model, amplitude, data
    ValueError if a column has no unit, or a unit no column, and where header and csv raise it.
    """
    if set(columns) != set(units):
        raise ValueError(f"columns {sorted(columns)} and units {sorted(units)} must have the same names")
    return csv(header(title, {name: units[name] for name in columns}, settings), columns)


def write_table(path, title, columns, units, settings=()):
    """Write a `table` to `path`; its folder is made if missing. ValueError where table, folder or target raise it."""
    text = table(title, columns, units, settings)
    folder(Path(path).parent)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)
