"""Expected events with what one standard deviation of each named nuisance of a data set changes in them."""

import numpy as np

from ..experiments.combined import Combined
from .events import Events, parts, predict


def predict_varied(model, dataset, theory):
    """events.predict for a dataset.Dataset, with Events.changes for its variations of the signal and its moves.

    A change is half the difference between one standard deviation up and down, of signal and backgrounds together.
    """
    if isinstance(dataset, Combined):
        return _side_by_side([predict_varied(model, one, theory) for one in dataset.parts], dataset.parts)
    nominal, changes = predict(model, dataset.experiment, theory), {}
    for name, pair in dataset.variations.items():
        down, up = (predict(model, one, theory).n for one in pair)
        changes[name] = (up - down) / 2
    for name, move in dataset.moves.items():
        changes[name] = np.array(changes.get(name, np.zeros(nominal.n.shape)))
        changes[name][0] += move
    return Events(nominal.n, nominal.axes, changes) if changes else nominal


def own_name(dataset, name):
    """The name of a nuisance of one of several data sets: its own, but for the flux, which they share."""
    return f"{dataset.name} {name}"


def _side_by_side(events, datasets):
    """Events of all bins; a change is 0 in the bins of other data."""
    names = {own_name(part, name): (k, name) for k, part in enumerate(datasets) for name in events[k].changes}

    def change(at, name):
        each = [one.changes[name] if k == at else np.zeros(one.n.shape) for k, one in enumerate(events)]
        return np.concatenate(each, axis=-1)

    n = np.concatenate([one.n for one in events], axis=-1)
    return Events(n, (), {own: change(*where) for own, where in names.items()})


def varied_parts(model, dataset, theory, g):
    """events.parts for a Dataset or Combined data, {name: (..., B)}: their bins one after the other."""
    if not isinstance(dataset, Combined):
        return parts(model, dataset.experiment, theory, g)
    each = [parts(model, one.experiment, theory, g) for one in dataset.parts]
    return {name: np.concatenate([one[name] for one in each], axis=-1) for name in each[0]}
