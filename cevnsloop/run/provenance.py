"""What a result was computed from, in one line: this version, the table of inputs and the data tables."""

import hashlib
from functools import cache
from importlib import resources

from .. import __version__, inputs


@cache
def digest():
    """16 hexadecimal digits of a SHA-256 over the version, data/inputs.toml as it was read, and every data table.

    The tables are the .csv files in the folders of data/. A result with another digest may be another number. The
    files are read once for the life of the process: what is changed below a running program is not noticed by it,
    but by the next one, and by workers that start later.
    """
    folder = resources.files("cevnsloop").joinpath("data")
    parts = {"version": __version__.encode(), "inputs.toml": inputs.text().encode()}
    parts |= {f"{place.name}/{name}": data for place in folder.iterdir() for name, data in _tables(place)}
    found = hashlib.sha256()
    for name, data in sorted(parts.items()):
        found.update(f"{name} {len(data)}\n".encode() + data)  # with the length, nothing can move between two parts
    return found.hexdigest()[:16]


def _tables(place):
    """Name and content of each table in a folder of data/."""
    if place.is_dir():
        for path in place.iterdir():
            if path.name.endswith(".csv"):
                yield path.name, path.read_bytes()


def stamp():
    """Version and digest, as what JSON can hold."""
    return {"cevnsloop": __version__, "digest": digest()}


def line():
    """The same in words: two runs whose lines differ may give other numbers."""
    return ", ".join(f"{name} {value}" for name, value in stamp().items())
