"""What the front door opens: limits, spectra, scans, expected limits and cross sections, in one call each.

Every call takes masses in MeV and, by keyword, what choices.Choices holds; it returns a record of results/answers.py.
"""

import contextlib
import functools
from dataclasses import fields, replace

import numpy as np

from . import jobs
from .checks import choice, instance, non_negative, number, positive, whole
from .choices import PAPER, chosen, made
from .experiments import csi2017 as csi
from .experiments.dataset import Dataset
from .fit import toys
from .fit.limits import upper_limit
from .inputs import STANDARD
from .model import Model
from .nucleus import nuclide
from .rates import events as rates
from .rates import xsec
from .rates.varied import predict_varied
from .results import bands
from .results.answers import CrossSection, Expected, Spectrum, UpperLimit
from .results.notes import notes
from .run import executors, output, tasks

paper = PAPER  # limit(1, 10, case=..., **paper) is the paper's own analysis

# Points of a scan that are computed together, of one of other data or loops, and masses with toys: about a second
PIECE = 5000
LATER_PIECE = 50
TOY_PIECE = 2


def limit(m_chi, m_zp=None, *, ratio=None, band=False, **choices):
    """Upper limits on G = g_chi g_q, the largest coupling to the neutrino times the largest to a quark.

    m_chi, m_zp   masses of chi and Z' in MeV, numbers or arrays that broadcast
    ratio         m_zp / m_chi, in place of m_zp
    band          whether to move each assumption of the amplitude `complete` over its range, for g_band
    choices       `case`, and whatever else choices.Choices holds

    Returns an answers.UpperLimit of the shape of the masses. Raises ValueError for masses that are not > 0, if not
    exactly one of m_zp and ratio is given, for choices that do not exist, and for the band of another amplitude.

    >>> import cevnsloop
    >>> print(cevnsloop.limit(case="A", m_chi=10, m_zp=100))
    upper limits on G = g_chi g_q: case A, amplitude complete, CsI 2021 + LAr 2020, poisson statistic, delta_chi2 2.71
      m_chi = 10 MeV, m_zp = 100 MeV: G < 2.027e-08, set by the tree
    """
    return limit_of(chosen(choices), m_chi, _m_zp(m_chi, m_zp, ratio), band)


def limit_of(asked, m_chi, m_zp, band=False):
    """`limit` for Choices that are made already."""
    model, dataset = asked.model(m_chi, m_zp), asked.dataset
    events = predict_varied(model, dataset, asked.theory)
    found = upper_limit(events, dataset, asked.delta_chi2, asked.fit)
    columns = (found.g_limit, found.g_best, found.chi2_min, events.loop_share(found.g_limit))
    found = _answer(asked, model.m_chi, model.m_zp, *columns)
    return replace(found, band=bands.band(asked, m_chi, m_zp)) if band else found


def _answer(asked, m_chi, m_zp, g_limit, g_best, chi2_min, loop_share):
    arrays = (np.asarray(a) for a in (m_chi, m_zp, g_limit, g_best, chi2_min, loop_share))
    return UpperLimit(asked, notes(asked, m_chi, m_zp, g_limit, loop_share), *arrays)


def spectrum(m_chi, m_zp=None, g=0.0, *, ratio=None, **choices):
    """Expected and observed events in the bins of the data for one model, with G = g_chi g_q = `g`.

    Masses in MeV and choices as in `limit`, but that the data are CsI 2021 if nothing else is said: bins of one
    experiment. Returns an answers.Spectrum.

    >>> import cevnsloop
    >>> print(round(float(cevnsloop.spectrum(case="A", m_chi=10, m_zp=100, g=5e-8, data="csi2017").n_th.sum()), 1))
    416.8
    """
    return spectrum_of(chosen({"data": "csi2021"} | choices), m_chi, _m_zp(m_chi, m_zp, ratio), g)


def spectrum_of(asked, m_chi, m_zp, g):
    """`spectrum` for Choices that are made already."""
    model = asked.model(number("m_chi", m_chi, "MeV", positive), number("m_zp", m_zp, "MeV", positive))
    g, dataset = number("g", g, "", non_negative), instance("data of a spectrum", asked.dataset, Dataset)
    parts = rates.parts(model, dataset.experiment, asked.theory, g)
    seen = (dataset.n_obs, dataset.sigma, dataset.b_on)
    said = notes(asked, model.m_chi, model.m_zp, g, np.nan)
    return Spectrum(asked, said, float(model.m_chi), float(model.m_zp), g, *parts.values(), sum(parts.values()), *seen)


def scan(m_chi, *, ratio=None, m_zp=None, out=None, workers=1, executor=None, progress=None, note=print, **choices):
    """Upper limits over masses equally spaced in the logarithm, along a curve or in a plane.

    m_chi     (lightest, heaviest, how many) in MeV
    ratio     m_zp / m_chi along a curve; or
    m_zp      (lightest, heaviest, how many), each with every m_chi in turn
    out       a CSV file to write; what is done waits beside it, and the same call goes on from there
    workers   processes of this machine; or `executor`, any of concurrent.futures
    progress  tqdm or the like, told how far it is; note, told in words what cannot be used on disk

    Returns an answers.UpperLimit, its arrays flat. Raises ValueError as `limit` does, for more than 10^7 points, and if
    `out` cannot be written.

    >>> import cevnsloop
    >>> cevnsloop.scan((1, 1000, 4), ratio=10, case="A", amplitude="rederived").g_limit.shape
    (4,)
    """
    asked = chosen(choices)
    if (ratio is None) == (m_zp is None):
        raise ValueError("a scan needs either a ratio m_zp / m_chi or a range of m_zp")
    job = jobs.Job(asked, jobs.Masses(*m_chi), jobs.Masses(*m_zp, "m_zp") if ratio is None else ratio)
    if out is None:
        return limit(*job.masses(), **choices)
    return _answer(asked, *write(job, out, workers, executor, progress, note).values())


def write(job, out, workers=1, executor=None, progress=None, note=print, head=None):
    """The table of a jobs.Job as {column: array}, computed in pieces and written to the CSV file `out`; resumes.

    `head` is a function of the table that gives what stands above it, by default jobs.head. The rest is
    as in `scan`. Raises ValueError as run.tasks.run does.
    """
    quick = not job.choices.later and job.choices.theory.amplitude.separable
    task, size = (jobs.toy_limits, TOY_PIECE) if job.toys else (jobs.limits, PIECE if quick else LATER_PIECE)
    pieces = [(start, min(start + size, len(job))) for start in range(0, len(job), size)]
    output.target(out)
    local = contextlib.nullcontext(executor) if executor else executors.local_or_cluster(min(workers, len(pieces)))
    with local as where:
        return tasks.run(
            functools.partial(task, job),
            pieces,
            out,
            head or functools.partial(jobs.head, job),
            job.described(),
            functools.partial(progress or _Silent, total=len(job)),
            note,
            where,
        )


class _Silent:
    """What tasks.run asks of a progress bar, for nobody."""

    def __init__(self, **_):
        pass

    def update(self, n):
        """Nothing."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def csi2017(*, bins=(4, 15), inputs=None, **settings):
    """The CsI[Na] data of COHERENT of 2017, dataset.Dataset: what `data=` takes.

    bins       first and last bin of the fit, 2 PE wide and counted from 1 as in Eq. (34)
    inputs     numbers for this run, `{"csi2017.sigma_alpha": 0.2}`, in the units of inputs.toml
    settings   `smearing`, `time_fraction` ...: those of experiments.csi2017.Settings

    Equal arguments give the same object, so that its kernels are computed once. Raises ValueError as Settings does.

    >>> import cevnsloop
    >>> cevnsloop.csi2017(bins=(4, 15)).n_on.sum()
    np.float64(547.0)
    """
    known = [one.name for one in fields(csi.Settings)]
    for name in settings:
        choice("setting", name, known)
    table = STANDARD if inputs is None else STANDARD.changed(inputs)
    return made(csi.Settings(first_bin=bins[0], last_bin=bins[1], **settings), table)


def cross_section(model, symbol, E=None, T=None, **choices):
    """dsigma/dT of nu N -> chi N and nu N -> nu N on the nuclide `symbol`, for a model.Model with its own couplings.

    E, T      neutrino energy and recoil in MeV, arrays that broadcast with each other and the masses; by
              default the energy of the prompt neutrinos and a hundred recoils up to the largest
    choices   amplitude, moments, inputs ...: those of choices.Choices that belong to the theory

    The interference is that of a neutrino; it has the other sign for an antineutrino.
    Returns an answers.CrossSection. Raises ValueError for a nuclide that is not in the inputs.

    >>> import cevnsloop
    >>> model = cevnsloop.Model("A", m_chi=10, m_zp=100, g_chi_L=1, g_chi_R=1, g_q={"d": 5e-8})
    >>> cevnsloop.cross_section(model, "Cs133", E=30, T=0.01)
    dsigma/dT on Cs133: case A, amplitude complete
      E = 30 MeV, T = 0.01 MeV: sm 1.379e-15, tree 2.42e-15, interference 3.255e-22, loop 3.719e-29 MeV^-3
    """
    instance("model", model, Model, "Model('A', 10.0, 100.0, 1.0, 1.0, {'d': 1.0})")
    asked = chosen({"case": model.case, "g_q": model.g_q, "neutrinos": model.neutrinos, **choices})
    theory, nucleus = asked.theory, nuclide(symbol, asked.inputs)
    E = rates.decay_at_rest(asked.inputs)[0].E_max if E is None else positive("E", E, "MeV")
    T_max = np.max(xsec.recoil_range(E, 0.0, nucleus.M)[1])
    T = np.linspace(0, T_max, 102)[1:-1] if T is None else positive("T", T, "MeV")
    flip, keep = theory.amplitude.flip_and_keep(E, T, model, nucleus, theory)
    parts = (
        xsec.dsigma_sm(E, T, nucleus, theory),
        xsec.dsigma_of_tree(E, T, model, nucleus, theory),
        xsec.dsigma_with_z(E, T, nucleus, keep, 1, theory) * theory.amplitude.meets_z,
        xsec.dsigma_of_amplitudes(E, T, nucleus, flip, keep),
    )
    arrays = map(np.array, np.broadcast_arrays(E, T, *parts))
    return CrossSection(asked, (), symbol, *arrays)


def expected(m_chi, m_zp=None, *, ratio=None, number=1000, seed=1, **choices):
    """Limits to be expected without a signal: those of `number` toy experiments, the same ones for all masses.

    Masses in MeV and choices as in `limit`; `seed` as in numpy.random.default_rng. Returns an answers.Expected, its
    arrays flat. Raises ValueError as `limit` does, and for another statistic of CsI 2017 than Eq. (34).

    >>> import cevnsloop
    >>> cevnsloop.expected(case="A", m_chi=[1, 10], ratio=10, number=100, seed=1).quantiles.shape
    (5, 2)
    """
    asked = chosen(choices)
    if not asked.later:
        choice("statistic", asked.statistic, ("gaussian",))
    model, dataset = asked.model(m_chi, _m_zp(m_chi, m_zp, ratio)), asked.dataset
    events = predict_varied(model, dataset, asked.theory).flat()
    found = upper_limit(events, dataset, asked.delta_chi2, asked.fit).g_limit
    bands = toys.bands(events, dataset, asked.delta_chi2, whole("number", number, 1), seed, asked.fit)
    said = (f"{number} toys, seed {seed}, {bands.left_out} of them left out because they cannot be fitted",)
    masses = model.m_chi.ravel(), model.m_zp.ravel()
    return Expected(asked, said, *masses, found, np.stack(list(bands.g_limit.values())))


def _m_zp(m_chi, m_zp, ratio):
    if (m_zp is None) == (ratio is None):
        raise ValueError("give either m_zp in MeV or ratio = m_zp / m_chi")
    return number("ratio", ratio, "", positive) * positive("m_chi", m_chi, "MeV") if m_zp is None else m_zp
