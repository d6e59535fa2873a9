"""Tree and loop effects of a vector mediator in coherent neutrino-nucleus scattering.

The front door: `limit`, `spectrum`, `scan`, `expected` and `cross_section` answer in one call what the book derives;
names are loaded when they are used.
"""

import importlib

__version__ = "0.1.0"

_NAMES = {
    "analysis": ("limit", "spectrum", "scan", "expected", "cross_section", "csi2017", "paper"),
    "choices": ("Choices",),
    "model": ("Model",),
    "amplitudes.theory": ("AMPLITUDES", "Theory"),
    "results.answers": ("UpperLimit", "Spectrum", "Expected", "CrossSection"),
    "inputs": ("STANDARD",),
}
_FROM = {name: module for module, names in _NAMES.items() for name in names}
__all__ = ["__version__", *sorted(_FROM)]


def __getattr__(name):
    if name not in _FROM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_FROM[name]}", __name__), name)


def __dir__():
    return sorted({*globals(), *__all__})
