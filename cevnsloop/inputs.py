"""The table of physical inputs, data/inputs.toml, read once; a `Table` is it with some numbers changed for one run.

`entry("masses.m_mu")` is the whole record, `value("masses.m_mu")` the number in natural units (MeV = 1),
`values("quark_masses")` a mapping of them, `names("weak_angle")` the keys of one table. They belong to `STANDARD`, the
table as it is stored. Another one is a value that is handed on, `STANDARD.changed({"quark_masses.b": 4.7})`: nothing is
changed for anybody else.
"""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from .checks import FrozenDict, instance, non_negative, number, positive
from .units import UNITS


@dataclass(frozen=True)
class Input:
    """One physical input: the number as its source states it, its unit, TeX symbol and bibliography key.

    uncertainty   one standard deviation in the same unit, None where it is not known or does not matter
    range         of an assumption: the least and the largest number that it may have

    No prediction depends on what is `informational`: tests compare it with other inputs, or a chapter shows it.
    """

    name: str
    number: float
    unit: str
    symbol: str
    source: str
    note: str = ""
    uncertainty: float | None = None
    Z: int | None = None
    A: int | None = None
    informational: bool = False
    range: tuple[float, float] | None = None

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
    """All inputs as they are stored, a mapping from dotted name to Input."""
    return FrozenDict(_flatten("", tomllib.loads(text())))


def _flatten(prefix, node):
    for key, item in node.items():
        name = prefix + key
        if "value" in item:
            fields = item | ({"range": tuple(item["range"])} if "range" in item else {})
            yield name, Input(name, fields.pop("value"), **fields)
        else:
            yield from _flatten(name + ".", item)


@dataclass(frozen=True)
class Table:
    """The inputs, some of them changed; equal tables compare equal, and can be keys.

    changes   pairs of a dotted name and a number in the unit of that entry, kept in the order of the names

    Raises ValueError for a name that no input has, with the nearest ones, for one without effect, and for what is not
    one finite number > 0, or >= 0 without a unit, or of either sign if the stored one is negative.
    """

    changes: tuple[tuple[str, float], ...] = ()

    def __post_init__(self):
        checked = {name: _changed(name, new) for name, new in dict(self.changes).items()}
        object.__setattr__(self, "changes", tuple(sorted(checked.items())))

    def changed(self, numbers):
        """This table with other numbers, a mapping {name: number in the unit of its entry}."""
        return Table((*self.changes, *instance("inputs", numbers, Mapping).items()))

    def only(self, tables):
        """This table with no other changes than those in some of its parts, by their first names."""
        return Table(tuple(one for one in self.changes if one[0].split(".")[0] in tables))

    def entry(self, name):
        """The Input called `name`; ValueError if there is none."""
        entries = _entries(self.changes)
        if name not in entries:
            raise ValueError(f"no input is called {name!r}; see cevnsloop/data/inputs.toml")
        return entries[name]

    def value(self, name):
        """The value of the input called `name` in natural units."""
        return self.entry(name).value

    def values(self, prefix):
        """Values of all inputs directly below `prefix`, by their last name."""
        return {key: self.value(f"{prefix}.{key}") for key in names(prefix)}


def _changed(name, new):
    """A new number for the input called `name`, checked."""
    known = _entries(())
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; see cevnsloop/data/inputs.toml"
        raise ValueError(f"no input is called {name!r}{hint}")
    if known[name].informational:
        raise ValueError(f"no prediction depends on the input {name}: it is informational")
    unit = known[name].unit
    if known[name].number < 0:  # of either sign, as a spin
        return number(name, new, "" if unit == "1" else unit)
    return number(name, new, *(("", non_negative) if unit == "1" else (unit, positive)))


@cache
def _entries(changes):
    entries = dict(table())
    for name, new in changes:
        entries[name] = replace(entries[name], number=new)
    return entries


STANDARD = Table()
entry, value, values = STANDARD.entry, STANDARD.value, STANDARD.values


@cache
def names(prefix):
    """The last names of the inputs, or of the tables, directly below `prefix`, in file order."""
    start = prefix + "."
    found = dict.fromkeys(name[len(start) :].split(".")[0] for name in table() if name.startswith(start))
    if not found:
        raise ValueError(f"no table of inputs is called {prefix!r}; see cevnsloop/data/inputs.toml")
    return tuple(found)
