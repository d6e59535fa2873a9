"""Files that are written whole or not at all, and CSV tables that say what they hold."""

import contextlib
import io
import os
from pathlib import Path

from . import __version__


@contextlib.contextmanager
def whole_file(path):
    """Yield a name beside `path` to write to; it becomes `path` only if the block ends without an error."""
    path = _in_a_folder(path)
    part = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _in_a_folder(path):
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


def csv(head, columns, exact=False):
    """A table as text: `head`, a line of column names, and rows with 10 significant digits, or all of them."""
    out = io.StringIO()
    out.write(head + ",".join(columns) + "\n")
    for row in zip(*columns.values(), strict=True):
        out.write(",".join(repr(float(v)) if exact else f"{v:.10g}" for v in row) + "\n")
    return out.getvalue()


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


def resumable(path, head, grid, rows, chunk, progress):
    """Write the table `rows(part of grid)` for a whole `grid`, in chunks, keeping what is done if interrupted.

    Finished rows wait in a file beside `path` that starts with `head`; a later call with the same `head`
    goes on behind them, one with another head starts anew. `path` appears when everything is done.
    rows(part) returns {column: array}; progress(n) is told of n more points. Returns the columns as lists.
    """
    path = _in_a_folder(path)
    waiting = path.with_name(path.name + ".part")
    table = {}
    if waiting.is_file() and (text := waiting.read_text(encoding="utf-8")).startswith(head):
        names, *lines = text[len(head) :].splitlines()
        table = {name: [] for name in names.split(",")}
        for line in lines:
            for column, word in zip(table.values(), line.split(","), strict=True):
                column.append(float(word))
    done = len(next(iter(table.values()), []))
    progress(done)
    while done < len(grid):
        for name, values in rows(grid[done : done + chunk]).items():
            table.setdefault(name, []).extend(values.tolist())
        progress(len(grid[done : done + chunk]))
        done += chunk
        write_text(waiting, csv(head, table, exact=True))
    write_text(path, csv(head, table))
    waiting.unlink()
    return table
