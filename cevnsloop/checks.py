"""Validation shared by every constructor and command: a bad value is named, with what is allowed.

What a record keeps is its own and cannot be changed: `Record`, `frozen` arrays and mappings.
"""

import operator
from dataclasses import field, fields
from numbers import Real

import numpy as np


def real(name, value, unit):
    """Return `value` as an array of float64, nan and infinities too; ValueError for anything but real numbers.

    numpy alone would drop the unit of a quantity and the mask of a masked array without a word, and would take text
    and truth values for numbers.
    """
    if isinstance(value, float) or (type(value) is np.ndarray and value.dtype == np.float64):
        return np.asarray(value)
    wanted = f"in {unit}" if unit else "without a unit"
    for one in _parts(value):
        attached = getattr(one, "unit", getattr(one, "units", None))
        if attached is not None:
            given = f"got one with the unit {attached} attached: convert it and take its value"
            raise ValueError(f"{name} must be a plain number {wanted}, {given}")
        if np.ma.is_masked(one):
            raise ValueError(f"{name} must be without masked entries: leave them out, or fill them")
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "iufO" or not all(isinstance(one, Real) for one in _objects(array)):
            raise TypeError
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} must be a number {wanted}, got {value!r}") from None


def _parts(value):
    """`value`, and what a list or an array of objects holds, at any depth."""
    yield value
    for one in value if isinstance(value, (list, tuple)) else _objects(value):
        if not isinstance(one, (float, int)):
            yield from _parts(one)


def _objects(value):
    return value.flat if isinstance(value, np.ndarray) and value.dtype == object else ()


def positive(name, value, unit, allow_nan=False):
    """Return `value` as float64; ValueError naming the first entry that is not finite and > 0 `unit`."""
    return _checked(name, value, unit, lambda v: v > 0, "> 0", allow_nan)


def non_negative(name, value, unit, allow_nan=False):
    """Return `value` as float64; ValueError naming the first entry that is not finite and >= 0 `unit`."""
    return _checked(name, value, unit, lambda v: v >= 0, ">= 0", allow_nan)


def finite(name, value, unit):
    """Return `value` as float64; ValueError naming the first entry that is not finite."""
    return _checked(name, value, unit, np.isfinite, "")


def _checked(name, value, unit, allowed, bound, allow_nan=False):
    """`allowed` holds for what is large enough: the extremes decide for all, without a mask of a large array."""
    array = real(name, value, unit)
    if array.size:
        lowest, highest = (np.fmin, np.fmax) if allow_nan else (np.minimum, np.maximum)
        ends = np.array([lowest.reduce(array, axis=None), highest.reduce(array, axis=None)])
        if not _good(ends, allowed, allow_nan).all():
            bound = f"{bound} {unit}".strip() + " and " if bound else ""
            first = array[~_good(array, allowed, allow_nan)].flat[0]
            raise ValueError(f"{name} must be {bound}finite, got {first!s}")
    return array


def _good(array, allowed, allow_nan):
    return np.isfinite(array) & allowed(array) | (allow_nan & np.isnan(array))


def number(name, value, unit, allowed=finite):
    """Return `value` as one float; ValueError for an array, and as `allowed`, a function such as `positive`, says."""
    array = allowed(name, value, unit)
    if array.ndim:
        raise ValueError(f"{name} must be one number, got {array.size} of them")
    return float(array)


def shown(number):
    """A number as text that reads back as the same number, short where it can be: 10, 4.61, 0.1234567."""
    short = f"{number:g}"
    return short if float(short) == number else repr(float(number))


def whole(name, value, least):
    """Return `value` as an int >= `least`; ValueError otherwise, for 4.0 too."""
    try:
        result = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} must be a whole number, got {value!r}") from None
    if result < least:
        raise ValueError(f"{name} must be >= {least}, got {result}")
    return result


def choice(name, value, allowed):
    """Return `value` if it is one of `allowed`; ValueError listing them otherwise."""
    if value not in tuple(allowed):
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}, got {value!r}")
    return value


def instance(name, value, kind, such_as=""):
    """Return `value` if it is a `kind`; ValueError otherwise, with an example of what is meant."""
    if not isinstance(value, kind):
        example = f", such as {such_as}" if such_as else ""
        raise ValueError(f"{name} must be of the type {kind.__name__}{example}, got {value!r}")
    return value


def shaped(name, array, shape):
    """Return `array` if it has this shape; ValueError otherwise. A leading ... in `shape` stands for any axes."""
    if shape[:1] == (...,):
        good = array.shape[array.ndim - len(shape) + 1 :] == shape[1:] and array.ndim >= len(shape) - 1
    else:
        good = array.shape == shape
    if not good:
        wanted = ", ".join("..." if n is ... else str(n) for n in shape) + "," * (len(shape) == 1)
        raise ValueError(f"{name} must have the shape ({wanted}), got {array.shape}")
    return array


def increasing(name, array):
    """Return `array` if it is a row of at least two numbers, each above the one before; ValueError otherwise."""
    if array.ndim != 1 or len(array) < 2 or not (np.diff(array) > 0).all():
        raise ValueError(f"{name} must be increasing, at least two numbers, got {array}")
    return array


def sealed(array):
    """`array`, which nobody else holds yet, made read-only."""
    array.flags.writeable = False
    return array


def frozen(array):
    """`array` read-only: itself if nothing can be written through it or what it is a view of, a copy otherwise."""
    owner = array
    while isinstance(owner, np.ndarray) and not owner.flags.writeable:
        owner = owner.base
    if owner is not None:
        return sealed(np.array(array))
    return array


def option(group, text, default, **more):
    """A dataclass field with a default, the group of options it belongs to and a text for the reader of a help.

    more   choices: what it may be; on the command line, flag: its name, if not that of the field, metavar: what stands
           for its value, off: the text for the option that turns it off
    """
    return field(default=default, metadata={"group": group, "help": text, **more})


class FrozenDict(dict):
    """A dict that nobody can change. Unlike MappingProxyType it can be pickled, deep-copied and written as JSON."""

    def _refuse(self, *_, **__):
        """Raise TypeError."""
        raise TypeError("this mapping is read-only; dict(...) makes a copy to change")

    __setitem__ = __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = _refuse

    def __reduce__(self):
        return type(self), (dict(self),)


class Record:
    """What the frozen records share: copies, deep or pickled, are made anew from the fields, and so checked again.

    numpy forgets on the way that an array is read-only; the constructor says it again.
    """

    def __reduce__(self):
        return type(self), tuple(getattr(self, field.name) for field in fields(self))

    def _keep(self, **values):
        """Set fields while the record is made; arrays become read-only."""
        for name, value in values.items():
            # [()] makes numbers of arrays without axes
            object.__setattr__(self, name, frozen(value)[()] if isinstance(value, np.ndarray) else value)
