"""Newton's method for the nuisances of a statistic.Statistic, at many points together."""

import numpy as np

# It ends with the step that lowers the statistic by less than this: by less than it rounds. Its length is 1e-7 in units
# of the nuisances' uncertainties, and what it leaves of the distance to the minimum is the square of that.
CONVERGED = 1e-14
ROUNDING = 1e-12  # of the statistic, in which no step has to descend
MOST_STEPS = 200
FEW = 4  # nuisances up to which loops over them are quicker than libraries of linear algebra, which copy


def newton(statistic, shapes, n_on, b_ss, centre, start=None):
    """The minima of P points together: value (P,), x (K, P), lam (B, P) and state, as in statistic.Minimum.

    shapes    what s is linear in, from `shapes_of` or a Parted
    centre    x where the penalties vanish, shape (K, P)
    start     the state of minima nearby, x and pull, shape (2, K, P); by default the Gaussian fit

    The statistic is convex in x. The method halves steps that do not descend; it takes a few, and leaves rounding.
    Those of x that are statistic.bounded stay >= 0.
    """
    sigma, bounded, whole = statistic.sigmas[:, None], statistic.bounded[:, None], shapes
    x, pull = _start(shapes, n_on, b_ss, centre, sigma, bounded) if start is None else start
    x, pull = _in_bounds(x, pull, centre, sigma, bounded)
    data, value, found, pulls = (shapes, n_on, b_ss), np.empty(n_on.shape[1]), np.empty(x.shape), np.empty(x.shape)
    active, length = np.arange(n_on.shape[1]), np.ones(n_on.shape[1])
    state = _evaluate(statistic, x, pull, *data)
    for _ in range(MOST_STEPS):
        value[active], found[:, active], pulls[:, active] = state[0], x + sigma * state[1:-1], pull + state[1:-1]
        going = state[-1] > CONVERGED
        if not going.any():
            s = whole.excess(np.where(bounded, np.maximum(found, 0), found))
            return value, found, statistic.terms(s, n_on, b_ss)[1], np.stack([found, pulls])
        if not going.all():
            active, length, centre = active[going], length[going], centre[:, going]
            data = data[0].of(going), *(a[..., going] for a in data[1:])
            x, pull, state = x[:, going], pull[:, going], state[:, going]
        step = length * state[1:-1]
        trial = _in_bounds(x + sigma * step, pull + step, centre, sigma, bounded)
        new = _evaluate(statistic, *trial, *data)
        descends = new[0] <= state[0] - 1e-4 * length * state[-1] + ROUNDING * (1 + state[0])
        x, pull, state = (np.where(descends, *both) for both in zip((*trial, new), (x, pull, state), strict=True))
        length = np.where(descends, 1.0, length / 2)
    kinks = statistic.named(np.flatnonzero(((data[0].signal < 0) & (data[1] + data[2] == 0)).any(1)))
    raise ValueError(f"n_th must be >= 0 without any count, where the statistic has a kink at s = 0: {kinks}")


def _start(shapes, n_on, b_ss, centre, sigma, bounded):
    """Where Newton's method begins: x, and the `pull` of each nuisance, its distance from `centre` in units of sigma.

    Both are kept from here on, because either loses digits in the other: x, near 0, for a signal far above the data,
    the pull for a small sigma. Where sigma is 0, x stays.
    """
    w = 1 / np.maximum(n_on + b_ss, 1.0)
    # in terms of the pulls; x is what they leave of the centre
    left = shapes.along(w * (n_on - b_ss - shapes.excess(centre)))
    pull = _solved(shapes.products(w, np.ones(centre.shape)), left)
    return centre + sigma * pull, pull


def _in_bounds(x, pull, centre, sigma, bounded):
    """x and pull, those of what is bounded put back to x = 0 where they are below."""
    below = bounded & (x < 0)
    return np.where(below, 0.0, x), np.where(below & (sigma > 0), -centre / np.where(sigma > 0, sigma, 1.0), pull)


def _evaluate(statistic, x, pull, shapes, n_on, b_ss):
    """The statistic, Newton's step in terms of the pulls, and the fall that it promises, shape (1 + K + 1, P)."""
    f, lam, curvature = statistic.terms(shapes.excess(x), n_on, b_ss)
    value = f.sum(0) + (pull**2).sum(0)
    fall = shapes.along(lam) - pull
    free = ~statistic.bounded[:, None] | (x > 0) | (fall > 0)  # at a bound and drawn beyond it: stay there
    fall = fall * free
    step = _solved(shapes.products(curvature, free), fall)
    return np.stack([value, *step, (fall * step).sum(0)])


def shapes_of(vectors, sigmas):
    """Vectors (K, B, P) and what Newton's method needs of them."""
    return (_Few if len(vectors) <= FEW else _Many)(vectors, sigmas)


class _Few:
    """Vectors (K, B, P) and what Newton's method needs of them, for few nuisances: sums over the bins."""

    def __init__(self, vectors, sigmas):
        self.vectors, self.sigmas, self.signal = vectors, sigmas, vectors[0]
        self.scaled = sigmas[:, None, None] * vectors

    def of(self, going):
        """The same at some of the points."""
        return _Few(self.vectors[..., going], self.sigmas)

    def excess(self, x):
        """s for x (K, P): (B, P)."""
        return (self.vectors * x[:, None]).sum(0)

    def along(self, lam):
        """Products of lam (B, P) with the vectors, times sigma: (K, P)."""
        return (lam * self.scaled).sum(1)

    def products(self, curvature, free):
        """Products of the vectors with each other, weighted by curvature (B, P), of those that are free: (K, K, P)."""
        scaled = self.scaled * free[:, None]
        return np.einsum("jbp,kbp->jkp", curvature * scaled, scaled)


class _Many:
    """The same for many nuisances, by products of matrices: points come first, as linear algebra has it."""

    def __init__(self, vectors, sigmas):
        self.signal, self.sigmas = vectors[0], sigmas
        self.vectors = np.ascontiguousarray(vectors.transpose(2, 0, 1))

    def of(self, going):
        """As _Few.of."""
        some = object.__new__(_Many)
        some.signal, some.sigmas, some.vectors = self.signal[:, going], self.sigmas, self.vectors[going]
        return some

    def excess(self, x):
        """As _Few.excess."""
        return (x.T[:, None] @ self.vectors)[:, 0].T

    def along(self, lam):
        """As _Few.along."""
        return self.sigmas[:, None] * (self.vectors @ lam.T[..., None])[..., 0].T

    def products(self, curvature, free):
        """As _Few.products."""
        both = (self.vectors * curvature.T[:, None]) @ self.vectors.swapaxes(1, 2)
        scale = (self.sigmas[:, None] * free).T
        return (both * scale[:, :, None] * scale[:, None]).transpose(1, 2, 0)


class Parted:
    """The same for data side by side, of which each has some of the nuisances and none of the others' vectors.

    parts   shapes of each
    rows    which of all K nuisances each has, arrays of indices
    bins    which of all bins, slices
    """

    def __init__(self, parts, rows, bins, K):
        self.parts, self.rows, self.bins, self.K = parts, rows, bins, K

    @property
    def signal(self):
        """Of all bins, (B, P)."""
        return np.concatenate([part.signal for part in self.parts])

    def of(self, going):
        """As _Few.of."""
        return Parted([part.of(going) for part in self.parts], self.rows, self.bins, self.K)

    def excess(self, x):
        """As _Few.excess."""
        return np.concatenate([part.excess(x[rows]) for part, rows in zip(self.parts, self.rows, strict=True)])

    def along(self, lam):
        """As _Few.along."""
        result = np.zeros((self.K, lam.shape[1]))
        for part, rows, bins in zip(self.parts, self.rows, self.bins, strict=True):
            result[rows] += part.along(lam[bins])
        return result

    def products(self, curvature, free):
        """As _Few.products."""
        result = np.zeros((self.K, self.K, curvature.shape[1]))
        free = np.broadcast_to(free, (self.K, curvature.shape[1]))
        for part, rows, bins in zip(self.parts, self.rows, self.bins, strict=True):
            result[np.ix_(rows, rows)] += part.products(curvature[bins], free[rows])
        return result


def _solved(products, right):
    """Solutions of P linear equations with the matrix 1 + products (K, K, P) and the right side (K, P).

    Products are those of a Gram matrix, so that elimination meets no number below 1 to divide by.
    """
    K = len(right)
    if K > FEW:
        matrix = products.transpose(2, 0, 1) + np.eye(K)
        return np.linalg.solve(matrix, right.T[..., None])[..., 0].T
    rows, right = [list(row) for row in products], list(right)
    for k in range(K):
        rows[k][k] = 1 + rows[k][k]
    for k in range(K):
        for j in range(k + 1, K):
            factor = rows[j][k] / rows[k][k]
            rows[j] = [a - factor * b for a, b in zip(rows[j], rows[k], strict=True)]
            right[j] = right[j] - factor * right[k]
    for k in reversed(range(K)):
        known = sum(rows[k][j] * right[j] for j in range(k + 1, K))
        right[k] = (right[k] - known) / rows[k][k]
    return np.stack(right)
