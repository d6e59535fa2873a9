"""Tree and loop effects of a vector mediator in coherent neutrino-nucleus scattering."""

__version__ = "0.1.0"
