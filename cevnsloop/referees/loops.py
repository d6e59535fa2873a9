"""High-precision referees (mpmath) for loops.py and gluon.py; imported by tests, tools and the book only.

Nothing here knows the algorithms of the production modules.  One-loop conventions: zero external momenta,

    int d^4l / (i pi^2)  1 / {l^2 [(l + p_1)^2 - m_chi^2] (l^2 - m_3^2) (l^2 - m_zp^2)}

with m_3 = 0 (box a) or m_zp (box b), and the tensor coefficients D_1 of p_1^mu, D_11 of p_1^mu p_1^nu, D_00 of
g^munu, D_001 of g^munu p_1^rho (and its two other orderings).  Expanding the chi propagator in p_1, averaging
over the directions of l (l l -> l^2 g/4, l l l l -> l^4 (gg + gg + gg)/24) and rotating l^2 -> -s leaves

    factor * int_0^inf ds s^a / [(s + m_chi^2)^b (s + m_3^2) (s + m_zp^2)].

Every result is "guessed and verified": the working precision is raised until two levels agree.
"""

import mpmath as mp

# tensor: numerator and denominator of the factor, power a of s, power b of (s + m_chi^2)
TENSORS = {
    "D0": (1, 1, 0, 1),
    "D1": (-1, 2, 1, 2),
    "D00": (-1, 4, 1, 1),
    "D11": (1, 3, 2, 3),
    "D001": (1, 12, 2, 2),
}


def verified(compute, digits, limit=3000):
    """compute() at rising working precision until two levels agree to `digits`; ArithmeticError if never."""
    work, last = digits + 10, None
    while work <= limit:
        with mp.workdps(work):
            value = compute()
            if last is not None and abs(value - last) <= abs(value) * mp.mpf(10) ** -digits:
                return value
        work, last = work + digits, value
    raise ArithmeticError(f"no two working precisions up to {limit} digits agree to {digits} digits")


def euclidean(a, b, c, x, z):
    """int_0^inf ds s^a (s + x)^-b (s + z)^-c by quadrature in pieces: below, above and, over ln s, between x and z.

    The rule of mpmath stops at an absolute error: the integrand is given in units of its own size.
    """

    def per_log(s):
        return s ** (a + 1) / ((s + x) ** b * (s + z) ** c)

    low, high = min(x, z), max(x, z)
    size = max(per_log(low), per_log(high))
    between = mp.linspace(mp.log(low), mp.log(high), 2 + int(mp.log(high / low) / 5))
    below = mp.quad(lambda t: per_log(low * t) / (t * size), [0, 1])
    above = mp.quad(lambda t: per_log(high / t) / (t * size), [0, 1])
    return size * (below + above + (mp.quad(lambda log: per_log(mp.exp(log)) / size, between) if low < high else 0))


def hypergeometric(a, b, c, x, z):
    """The same integral as z^-n Beta(n, a+1) 2F1(b, n; b+c; 1 - x/z), n = b + c - a - 1."""
    n = b + c - a - 1
    return z**-n * mp.beta(n, a + 1) * mp.hyp2f1(b, n, b + c, 1 - x / z)


def loop(name, m_chi, m_zp, integral=euclidean, digits=30):
    """One-loop function at zero momentum: a tensor of TENSORS followed by "a", "b" or "_ab" (a minus b).

    Masses in MeV (floats are taken as exact), powers of MeV as in loops.py.  ValueError for D0a, which is infrared
    divergent, and for another name.
    """
    tensor = name.removesuffix("_ab") if name.endswith("_ab") else name[:-1]
    which = name[len(tensor) :]
    if tensor not in TENSORS or which not in ("a", "b", "_ab"):
        raise ValueError(f"name must be one of {', '.join(TENSORS)} followed by a, b or _ab, got {name!r}")
    numerator, denominator, a, b = TENSORS[tensor]
    if a == 0 and which == "a":
        raise ValueError("D0a is infrared divergent at zero momentum")

    def compute():
        x, z = mp.mpf(m_chi) ** 2, mp.mpf(m_zp) ** 2
        factor = mp.mpf(numerator) / denominator
        if which == "a":
            return factor * integral(a - 1, b, 1, x, z)
        if which == "b":
            return factor * integral(a, b, 2, x, z)
        if a == 0:
            raise ValueError("D0a is infrared divergent at zero momentum")
        return factor * z * integral(a - 1, b, 2, x, z)  # 1/[s (s+z)] - 1/(s+z)^2 = z/[s (s+z)^2]

    return verified(compute, digits)


def closed(name, m_chi, m_zp, digits=30):
    """The closed forms A1-A6 as printed, with so many digits that nothing is lost; name as in loops.py.

    At equal masses they are 0/0: m_zp^2 is moved by a relative 10^-(digits + 3), the error that costs.
    """
    split = digits + 3
    with mp.workdps(6 * split):  # the smallest numerator is (z - x)^5
        x, z = mp.mpf(m_chi) ** 2, mp.mpf(m_zp) ** 2 * (1 + mp.mpf(10) ** -split)
        d, L = z - x, mp.log(z / x)
        forms = {
            "D0b": lambda: (-z + x + z * L) / (z * d**2),
            "D00_ab": lambda: (z - x - z * L) / (4 * d**2),
            "D11_ab": lambda: z * (d * (z + 5 * x) - 2 * x * (2 * z + x) * L) / (6 * x * d**4),
            "D001_ab": lambda: z * (-2 * z + 2 * x + (z + x) * L) / (12 * d**3),
            "D1b": lambda: (2 * d - (z + x) * L) / (2 * d**3),
            "D00b": lambda: (-z + x + x * L) / (4 * d**2),
        }
        return forms[name]()


def B0(m2, M2):
    """Eq. A11 at p = 0 without the divergent constant, which cancels in A8."""
    return 1 - (m2 * mp.log(m2) - M2 * mp.log(M2)) / (m2 - M2)


def C0(m2, M2):
    """Eq. A12 at p = 0: -int_0^inf s ds / [(s + M2)(s + m2)^2], in closed form."""
    return (M2 - m2 + M2 * mp.log(m2 / M2)) / (m2 - M2) ** 2


def D0(m2, M2):
    """Eq. A13 at p = 0: +int_0^inf s ds / [(s + M2)(s + m2)^3], in closed form."""
    return (m2**2 - M2**2 - 2 * m2 * M2 * mp.log(m2 / M2)) / (2 * m2 * (m2 - M2) ** 3)


def X(n, x, z, Q):
    """X_1, X_2, X_3 of Eqs. A8-A10 as printed, with x = m_chi^2, z = m_zp^2, Q = m_q^2/(x(1-x))."""
    if n == 1:
        return (B0(z, x) - B0(Q, x)) / (z - Q)
    return (X(n - 1, x, z, Q) - {2: C0, 3: D0}[n](Q, x)) / (z - Q)


def A7(m_chi, m_zp, m_q, name, digits=20):
    """F_G by Eq. A7 with X_n, B0, C0, D0 as printed; derivatives and x integral done numerically; MeV^-4.

    `name` "published" is A7 as printed, "rederived" has its third sign flipped.  The X_n are 0/0 at equal
    masses: the three masses are split by a relative 10^-(digits + 3), the error that costs.
    """
    sign = {"published": -1, "rederived": 1}[name]

    def compute():
        split = mp.mpf(10) ** -(digits + 3)
        x, z, m2 = mp.mpf(m_chi) ** 2 * (1 + split), mp.mpf(m_zp) ** 2, mp.mpf(m_q) ** 2 * (1 - split)

        def integrand(t):
            u = t * (1 - t)
            dX = [mp.diff(lambda v, n=n: X(n, x, v, m2 / u), z) for n in (1, 2, 3)]
            second = 3 * m2 * (1 + t - t**2) / u**2
            third = 4 * m2**2 * (1 - 3 * t + 3 * t**2) / u**3
            return -3 * dX[0] + second * dX[1] + sign * third * dX[2]

        return 2 * mp.quad(integrand, [0, mp.mpf(1) / 2])  # symmetric under x -> 1 - x

    return verified(compute, digits)


# Integrand of the kernel, d = 1 + u s/m_q^2, u = x(1-x): coefficients (of 1, of u) of 1/d, 1/d^2, 1/d^3
KERNEL_TERMS = {
    "published": ((0, -3), (-3, -3), (-4, 12)),
    "rederived": ((0, -3), (-2, -5), (2, -4)),
}


def moment_quadrature(N, a, r):
    """int_0^1 dx u^a / (1 + u r)^N, u = x(1-x), by quadrature."""
    return 2 * mp.quad(lambda t: (t * (1 - t)) ** a / (1 + t * (1 - t) * r) ** N, [0, mp.mpf(1) / 2])


def moment(N, a, r):
    """The same as Beta(a+1, a+1) 2F1(N, a+1; a+3/2; -r/4)."""
    return mp.beta(a + 1, a + 1) * mp.hyp2f1(N, a + 1, a + mp.mpf(3) / 2, -r / 4)


def kernel(r, name, moments=moment, digits=20):
    """Kernel k(r) of gluon.py from its x integrand, term by term."""
    return verified(lambda: _kernel(mp.mpf(r), name, moments), digits)


def _kernel(r, name, moments):
    terms = ((N, a, c) for N, row in enumerate(KERNEL_TERMS[name], 1) for a, c in enumerate(row) if c)
    return r * mp.fsum(c * moments(N, a, r) for N, a, c in terms)


def F_G(m_chi, m_zp, m_q, name, digits=10):
    """F_G in MeV^-4 as the integral over s of the kernel `name`; slow (seconds to minutes), for a few points."""

    def compute():
        x, z, m2 = (mp.mpf(m) ** 2 for m in (m_chi, m_zp, m_q))
        pieces = sorted({mp.mpf(0), x, z, m2, mp.inf})
        return mp.quad(lambda s: _kernel(s / m2, name, moment) / ((s + x) * (s + z) ** 2), pieces)

    return verified(compute, digits)
