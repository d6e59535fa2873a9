"""All limits as one tidy table: a row for each mass point, case, amplitude and data set, with what it was made with."""

import csv
import io
import itertools
from dataclasses import replace

import numpy as np

from . import __version__
from .analysis import limit_of
from .checks import positive
from .choices import Choices
from .experiments.dataset import Counts, Dataset
from .fit.limits import upper_limit
from .rates.events import sm_events
from .rates.varied import predict_varied
from .results.notes import notes

COLUMNS = (
    "case",
    "ratio",
    "m_chi",
    "m_zp",
    "data",
    "amplitude",
    "statistic",
    "delta_chi2",
    "g_limit",
    "g_expected",
    "sets_limit",
    "notes",
)


def rows(m_chi, ratios, choices):
    """Rows of the table, {column: number or text} each, for masses m_chi (N,) in MeV, ratios m_zp / m_chi, and a list
    of choices.Choices, combined in all ways.

    g_expected is the limit of the Asimov data, whose counts are what the Standard Model and the backgrounds expect.
    """
    m_chi, found = positive("m_chi", m_chi, "MeV"), []
    for asked, ratio in itertools.product(choices, ratios):
        answer = limit_of(asked, m_chi, ratio * m_chi)
        events = predict_varied(asked.model(m_chi, ratio * m_chi), asked.dataset, asked.theory)
        expected = upper_limit(events, asimov(asked.dataset, asked.theory), asked.delta_chi2, asked.fit).g_limit
        fixed = {
            "case": asked.case,
            "ratio": ratio,
            "data": asked.data if isinstance(asked.data, str) else asked.dataset.name,
            "amplitude": str(asked.theory.amplitude),
            "statistic": asked.statistic,
            "delta_chi2": asked.delta_chi2,
        }
        columns = zip(m_chi, answer.g_limit, expected, answer.sets_limit, answer.loop_share, strict=True)
        for m, g, g_expected, by, share in columns:
            said = "; ".join(notes(asked, m, ratio * m, g, share))
            own = {"m_chi": m, "m_zp": ratio * m, "g_limit": g, "g_expected": g_expected, "sets_limit": by}
            found.append(fixed | own | {"notes": said})
    return found


def asimov(dataset, theory):
    """The same Dataset, or combined data, with the counts that the Standard Model and all backgrounds expect."""
    if not isinstance(dataset, Dataset):
        return replace(dataset, parts=tuple(asimov(part, theory) for part in dataset.parts))
    expected = dataset.b_ss + dataset.b_on + sm_events(dataset.experiment, theory)
    return replace(dataset, counts=Counts(expected, dataset.b_ss))


def text(table, about=()):
    """The rows as CSV with a head of comments: version, and lines `about` them. Numbers have ten digits."""
    out = io.StringIO()
    out.write(f"# upper limits on G = g_chi g_q, masses in MeV; cevnsloop {__version__}\n")
    out.writelines(f"# {line}\n" for line in about)
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in table:
        writer.writerow({k: f"{v:.10g}" if isinstance(v, (float, np.floating)) else str(v) for k, v in row.items()})
    return out.getvalue()


def choices(cases=("A", "B"), data=("csi2017", "csi2021", "lar2020", "csi2021+lar2020"), amplitudes=("published",)):
    """Choices of all these, at a rise by 2.71, each with the statistic of its data."""
    return [
        Choices(case=case, data=name, amplitude=amplitude, delta_chi2=2.71)
        for case, amplitude, name in itertools.product(cases, amplitudes, data)
    ]
