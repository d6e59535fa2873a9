"""The table of physical inputs, data/inputs.toml, read once.

`entry("masses.m_mu")` is the whole record, `value("masses.m_mu")` the number in natural units (MeV = 1),
`values("quark_masses")` a mapping of them, `names("weak_angle")` the keys of one table.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from .units import UNITS


@dataclass(frozen=True)
class Input:
    """One physical input: the number as its source states it, its unit, TeX symbol and bibliography key.

    No prediction depends on what is `informational`: tests compare it with other inputs, or a chapter shows it.
    """

    name: str
    number: float
    unit: str
    symbol: str
    source: str
    note: str = ""
    Z: int | None = None
    A: int | None = None
    informational: bool = False

    @property
    def value(self):
        """The number in natural units, MeV = 1."""
        return self.number * UNITS[self.unit]


@cache
def text():
    """The text of data/inputs.toml."""
    return resources.files(__package__).joinpath("data/inputs.toml").read_text(encoding="utf-8")


@cache
def table():
    """All inputs as a mapping from dotted name to Input."""
    return MappingProxyType(dict(_flatten("", tomllib.loads(text()))))


def _flatten(prefix, node):
    for key, item in node.items():
        name = prefix + key
        if "value" in item:
            fields = dict(item)
            yield name, Input(name, fields.pop("value"), **fields)
        else:
            yield from _flatten(name + ".", item)


def entry(name):
    """The Input called `name`; ValueError if there is none."""
    if name not in table():
        raise ValueError(f"no input is called {name!r}; see cevnsloop/data/inputs.toml")
    return table()[name]


def value(name):
    """The value of the input called `name` in natural units."""
    return entry(name).value


def values(prefix):
    """Values of all inputs directly below `prefix`, by their last name."""
    return {key: value(f"{prefix}.{key}") for key in names(prefix)}


def names(prefix):
    """The last names of the inputs, or of the tables, directly below `prefix`, in file order."""
    start = prefix + "."
    found = dict.fromkeys(name[len(start) :].split(".")[0] for name in table() if name.startswith(start))
    if not found:
        raise ValueError(f"no table of inputs is called {prefix!r}; see cevnsloop/data/inputs.toml")
    return tuple(found)
