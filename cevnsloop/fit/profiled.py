"""The curves of any statistic.Statistic: its value along y = G^2, with the nuisances fitted at every y."""

import numpy as np


class Profiled:
    """A statistic along y = G^2, its nuisances fitted anew at every y: search.Curves."""

    def __init__(self, statistic, events, counts):
        missing = [name for name in statistic.changes if name not in events.changes]
        if missing:
            raise ValueError(f"events must say how they change with {', '.join(missing)}, as shapes.predict_open does")
        parts = (events.n, *(events.changes[name] for name in statistic.changes))
        self.statistic, self.shape = statistic, (len(counts.n_on), events.n.shape[1])
        # coefficients of 1, y, y^2, each (1 + changes, B, N)
        self.n = [np.ascontiguousarray(np.stack(power).swapaxes(-1, -2)) for power in zip(*parts, strict=True)]
        self.counts = (*map(np.ascontiguousarray, (counts.n_on.T, counts.b_ss.T)), statistic.centre(counts))

    def _minimum(self, y, k):
        """The Minimum at points y of the curves k."""
        toy, model = np.divmod(k, self.shape[1])
        n_0, n_1, n_2 = (n[..., model] for n in self.n)
        return self.statistic.minimum(n_0 + y * (n_1 + y * n_2), *(a[:, toy] for a in self.counts))

    def _each(self, function, y, k):
        """`function` of y and k, a block of points at once."""
        k = np.arange(np.prod(self.shape)) if k is Ellipsis else k
        y, k = np.broadcast_arrays(y, k)
        shape, y, k = y.shape, y.ravel(), k.ravel()
        blocks = [function(y[here], k[here]) for here in self.statistic.blocks(y.size)]
        return np.concatenate(blocks).reshape(shape)

    def value(self, y, k=...):
        """The statistic at y of the curves with the indices k, all T N if none are given."""
        return self._each(lambda y, k: self._minimum(y, k).value, y, k)

    def slope(self, y, k):
        """Its derivative by y: at the minimum over the nuisances it changes through the signal only."""

        def of_points(y, k):
            found, (_, n_1, n_2) = self._minimum(y, k), (n[..., k % self.shape[1]] for n in self.n)
            rise = self.statistic.of_signal(found.x) * (n_1 + 2 * y * n_2)
            return -2 * (found.lam * rise.sum(0)).sum(0)

        return self._each(of_points, y, k)
