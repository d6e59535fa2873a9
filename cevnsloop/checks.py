"""Validation shared by every constructor and command: a bad value is named, with what is allowed."""

import numpy as np


def positive(name, value, unit, allow_nan=False):
    """Return `value` as float64; ValueError naming the first entry that is not finite and > 0 `unit`."""
    return _checked(name, value, unit, lambda v: v > 0, ">", allow_nan)


def non_negative(name, value, unit, allow_nan=False):
    """Return `value` as float64; ValueError naming the first entry that is not finite and >= 0 `unit`."""
    return _checked(name, value, unit, lambda v: v >= 0, ">=", allow_nan)


def _checked(name, value, unit, allowed, sign, allow_nan):
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number in {unit}, got {value!r}") from None
    good = np.isfinite(array) & allowed(array)
    if allow_nan:
        good |= np.isnan(array)
    if not good.all():
        unit = f" {unit}" if unit else ""
        raise ValueError(f"{name} must be {sign} 0{unit} and finite, got {array[~good].flat[0]!s}")
    return array


def choice(name, value, allowed):
    """Return `value` if it is one of `allowed`; ValueError listing them otherwise."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}, got {value!r}")
    return value
