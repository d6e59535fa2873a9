"""The curves of any statistic.Statistic: its value along y = G^2, with the nuisances fitted at every y."""

import numpy as np

CLOSE = 1e-13  # of y: a step of Newton's method that is shorter is the last
MOST_STEPS = 100


class Profiled:
    """A statistic along y = G^2, its nuisances fitted anew at every y: search.Curves."""

    def __init__(self, statistic, events, counts):
        missing = [name for name in statistic.changes if name not in events.changes]
        if missing:
            raise ValueError(f"events must say how they change with {', '.join(missing)}, as shapes.predict_open does")
        parts = (events.n, *(events.changes[name] for name in statistic.changes))
        self.statistic, self.shape = statistic, (len(counts.n_on), events.n.shape[1])
        # coefficients of 1, y, y^2, each in pieces (1 + changes, B, N)
        powers = (np.stack(power).swapaxes(-1, -2) for power in zip(*parts, strict=True))
        self.n = [tuple(map(np.ascontiguousarray, statistic.pieces(power))) for power in powers]
        self.counts = (*map(np.ascontiguousarray, (counts.n_on.T, counts.b_ss.T)), statistic.centre(counts))

    def _minimum(self, y, k, start=None):
        """The Minimum at points y of the curves k, and the coefficients of 1, y, y^2 of the signal, in pieces."""
        toy, model = np.divmod(k, self.shape[1])
        powers = [[n[..., model] for n in each] for each in zip(*self.n, strict=True)]
        signal = tuple(n_0 + y * (n_1 + y * n_2) for n_0, n_1, n_2 in powers)
        return self.statistic.minimum(signal, *(a[:, toy] for a in self.counts), start), powers

    def _slope(self, y, found, powers):
        """The derivative by y at a Minimum: over the nuisances it is at rest, so that only the signal moves it."""
        rise = tuple(n_1 + 2 * y * n_2 for _, n_1, n_2 in powers)
        return -2 * self.statistic.along(rise, found.x, found.lam)

    def _each(self, function, *args):
        """`function` of arrays that broadcast, a block of points at once."""
        args = np.broadcast_arrays(*args)
        shape, args = args[0].shape, [a.ravel() for a in args]
        blocks = [function(*(a[here] for a in args)) for here in self.statistic.blocks(args[0].size)]
        return np.concatenate(blocks).reshape(shape)

    def value(self, y, k=...):
        """The statistic at y of the curves with the indices k, all T N if none are given."""
        k = np.arange(np.prod(self.shape)) if k is Ellipsis else k
        return self._each(lambda y, k: self._minimum(y, k)[0].value, y, k)

    def slope(self, y, k):
        """Its derivative by y."""
        return self._each(lambda y, k: self._slope(y, *self._minimum(y, k)), y, k)

    def crossing(self, low, high, goal, k):
        """Where the curves k rise to `goal` between `low`, where they are below it, and `high`, where they are above.

        Newton's method in y, kept between the two; each fit of the nuisances starts from the last one.
        """
        return self._each(self._crossing, low, high, goal, k)

    def _crossing(self, low, high, goal, k):
        y, reached, active, start = np.array(high), np.array(high), np.arange(len(high)), None
        for _ in range(MOST_STEPS):
            found, powers = self._minimum(y, k, start)
            above = found.value > goal
            low, high = np.where(above, low, y), np.where(above, y, high)
            with np.errstate(divide="ignore", invalid="ignore"):
                to = y - (found.value - goal) / self._slope(y, found, powers)
            step = (low <= to) & (to <= high)
            to = np.where(step, to, (low + high) / 2)
            going = (abs(to - y) > CLOSE * y) & (low < high)
            reached[active] = to
            if not going.any():
                return reached
            low, high, goal, k, y, active = (a[going] for a in (low, high, goal, k, to, active))
            start = found.state[..., going]
        raise ArithmeticError("the search for a limit did not converge")
