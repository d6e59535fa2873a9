"""The Poisson likelihood of counts whose backgrounds are all known as templates.

The steady state then has no rate of its own in every bin, as it has in poisson.py: it is one more background with a
shape and an uncertainty. A bin expects mu_i = B_SS,i + s_i, with the excess s_i of statistic.py, and contributes

    f(s) = 2 [mu - C + C ln(C / mu)],     -f' / 2 = C / mu - 1,     f'' / 2 = C / mu^2,

what -2 ln of the Poisson probability of C exceeds its smallest value by (Baker and Cousins 1984). It is 0 for mu = C.
B_SS,i, Counts.b_ss, is taken as known without error: 0 if the steady state is among the backgrounds.
"""

from dataclasses import dataclass

import numpy as np

from ..experiments.combined import Combined
from ..rates.varied import own_name
from .statistic import Binned
from .together import Together

LEAST = 1e-300  # of C / mu in the logarithm, which C = 0 takes out
FLOOR = 1e-3  # events: where fewer are expected, or less than none, ln mu goes on as its parabola at FLOOR


@dataclass(frozen=True, eq=False)
class Templates(Binned):
    """-2 ln L of Poisson counts with known templates; neither signal nor background can be negative.

    A change of shape, or interference, may still ask for mu < 0 on the way to the minimum. The parabola below FLOOR
    keeps f convex and finite there, and forbids a bin with counts as the logarithm would. It has one more, of height
    FLOOR, which does the same for a bin without: 2 mu alone would go on falling below 0.
    """

    every = 4  # a factor of 1.6 in G from one to the next

    def terms(self, s, n_on, b_ss):
        """f(s) and its derivatives, Binned.terms."""
        mu = s + b_ss
        above = np.maximum(mu, FLOOR)
        ratio = n_on / above
        value, lam, curvature = mu - n_on + n_on * np.log(np.maximum(ratio, LEAST)), ratio - 1, ratio / above
        if (mu < FLOOR).any():
            beyond = (mu - above) / FLOOR  # 0 above the floor
            value = value - n_on * beyond + (n_on + FLOOR) * beyond**2 / 2
            lam = lam - beyond * (ratio + 1)
            curvature = curvature + np.where(mu < FLOOR, 1 / FLOOR, 0.0)
        return 2 * value, lam, curvature


def templates(dataset):
    """The Templates of a dataset.Dataset with all its nuisances, or of combined data: what limits.upper_limit takes.

    The flux is one nuisance of all data, the others are those of each.
    """
    if isinstance(dataset, Combined):
        return Together(tuple(_of(one, lambda name, one=one: own_name(one, name)) for one in dataset.parts))
    return _of(dataset, str)


def _of(dataset, name):
    changes = tuple(dict.fromkeys([*dataset.variations, *dataset.moves]))
    beam = {name(key): one for key, one in dataset.backgrounds.items()}
    return Templates(dataset.experiment, dataset.sigma_alpha, beam, tuple(map(name, changes)), "flux")
