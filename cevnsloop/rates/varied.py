"""Expected events with what one standard deviation of each named nuisance of a data set changes in them."""

import numpy as np

from .events import Events, predict


def predict_varied(model, dataset, theory):
    """events.predict for a dataset.Dataset, with Events.changes for its variations of the signal and its moves.

    A change is half the difference between one standard deviation up and down, of signal and backgrounds together.
    """
    nominal, changes = predict(model, dataset.experiment, theory), {}
    for name, pair in dataset.variations.items():
        down, up = (predict(model, one, theory).n for one in pair)
        changes[name] = (up - down) / 2
    for name, move in dataset.moves.items():
        changes[name] = np.array(changes.get(name, np.zeros(nominal.n.shape)))
        changes[name][0] += move
    return Events(nominal.n, nominal.axes, changes) if changes else nominal
