"""Files that are written whole or not at all, and CSV tables that say what they hold."""

import contextlib
import os
from pathlib import Path

import numpy as np

from . import __version__


@contextlib.contextmanager
def whole_file(path):
    """Yield a name beside `path` to write to; it becomes `path` only if the block ends without an error."""
    path = in_a_folder(path)
    part = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())  # or the name could reach the disk before the content
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def in_a_folder(path):
    """`path` as a Path; ValueError if the folder it names does not exist."""
    path = Path(path)
    if not path.parent.is_dir():
        raise ValueError(f"cannot write {path}: the folder {path.parent} does not exist")
    return path


def header(title, units, settings=()):
    """Comment lines for the head of a table: version and title, {column: unit}, and one line per setting.

    A unit is "1" for a pure number. ValueError for a column whose name is not a Python identifier (a reader may
    want it as one) or that has no unit, and for a line that has a line break.
    """
    for name, unit in units.items():
        if not name.isidentifier():
            raise ValueError(f"a column must be called like a Python variable, got {name!r}")
        if not unit:
            raise ValueError(f'the unit of {name} must be named, "1" for a pure number, got {unit!r}')
    columns = ", ".join(f"{name} [{unit}]" for name, unit in units.items())
    lines = (f"cevnsloop {__version__}: {title}", f"columns: {columns}", *settings)
    for line in lines:
        if line.splitlines() != [line]:
            raise ValueError(f"a line in the head of a table must not be broken, got {line!r}")
    return "".join(f"# {line}\n" for line in lines)


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
    """Write a `table` to `path`; its folder is made if missing."""
    text = table(title, columns, units, settings)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)
