"""Likelihoods to take away: HistFactory workspaces in JSON, as pyhf and others read them, one patch for each mass.

For the mass point m and the coupling G the bins expect, beside the backgrounds,

    n_sm + y n_tree + y^2 n_loop,    y = (G / g_unit)^2,

n_tree holding the interference too. The workspace has n_sm and the backgrounds; each patch adds the samples `tree` and
`loop`, scaled by the factors y and y2. HistFactory cannot say that y2 is the square of y: keep both fixed, at

    def at(model, y):
        init, fixed = model.config.suggested_init(), model.config.suggested_fixed()
        for name, value in (("y", y), ("y2", y**2)):
            k = model.config.par_slice(name).start
            init[k], fixed[k] = value, True
        return init, fixed

and let the nuisances float. All of them are linear, as in fit/statistic.py: histosys with code 0, pyhf's own choice. Of
data with anticoincidence counts these are a channel of their own, and the steady state is free in each bin.
The time of CsI 2021 has a flat range; a Gaussian of its variance stands for it.
"""

import hashlib
import json

import numpy as np

from ..experiments.combined import Combined
from ..fit.limits import upper_limit
from ..rates.varied import predict_varied

NO_RECORD = "ins0000000"  # a patch set must name a record of HEPData: this is none
SAMPLES = ("sm", "tree", "loop")  # with 1, y and y2


def workspace(asked):
    """The workspace without tree and loops for choices.Choices, as what JSON can hold.

    Raises ValueError for combined data, whose parts have a workspace each, and for the statistic of Eq. (34).
    """
    dataset = _single(asked)
    events = predict_varied(asked.model(1.0, 1.0), dataset, asked.theory)
    channel = [_sample("sm", events, dataset, 0, 1.0)]
    for name, one in dataset.backgrounds.items():
        changes = {name: one.sigma * one.events}
        if name == next(iter(dataset.backgrounds)):
            changes |= dataset.moves
        channel.append(_histogram(name, one.events, changes))
    channels, observed = {"counts": channel}, {"counts": dataset.n_on}
    if not dataset.templates:
        free = {"name": "rate", "type": "shapefactor", "data": None}
        steady = {"name": "steady_state", "data": [1.0] * len(dataset.b_ss), "modifiers": [free]}
        channel.append(steady)
        channels["anticoincidence"], observed["anticoincidence"] = [steady], dataset.b_ss
    return {
        "channels": [{"name": name, "samples": samples} for name, samples in channels.items()],
        "observations": [{"name": name, "data": counts.tolist()} for name, counts in observed.items()],
        "measurements": [{"name": dataset.name, "config": {"poi": "", "parameters": []}}],
        "version": "1.0.0",
    }


def patches(asked, m_chi, m_zp, base):
    """The patch set of a `workspace` for mass points in MeV, (N,) each, as what JSON can hold; one for 1.6 and
    16 MeV is called 1p6_16 and has the values m_chi, m_zp and g_unit, the limit of the same Choices (or 1 without one).

    Raises ValueError for a sample with a negative bin, as interference makes it: HistFactory has none.
    """
    dataset = _single(asked)
    events = predict_varied(asked.model(m_chi, m_zp), dataset, asked.theory).flat()
    found = upper_limit(events, dataset, asked.delta_chi2, asked.fit).g_limit
    rows = []
    for k, (m, z, g) in enumerate(zip(m_chi, m_zp, found, strict=True)):
        g_unit, one = float(g) if np.isfinite(g) else 1.0, events.at([k])
        samples = [_sample(name, one, dataset, power, g_unit) for power, name in enumerate(SAMPLES) if power]
        for sample in samples:
            if min(sample["data"]) < 0:
                raise ValueError(
                    f"{sample['name']} must be >= 0 in all bins, got {min(sample['data']):.3g} at {m:g} MeV"
                )
        added = [{"op": "add", "path": "/channels/0/samples/-", "value": sample} for sample in samples]
        poi = {"op": "replace", "path": "/measurements/0/config/poi", "value": "y"}
        values = [float(m), float(z), g_unit]
        rows.append(
            {"metadata": {"name": f"{m:.6g}_{z:.6g}".replace(".", "p"), "values": values}, "patch": [*added, poi]}
        )
    digest = hashlib.sha256(json.dumps(base, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    about = {
        "description": f"{dataset.name}, case {asked.case}, amplitude {asked.theory.amplitude}",
        "digests": {"sha256": digest},
        "labels": ["m_chi", "m_zp", "g_unit"],
        "references": {"hepdata": NO_RECORD},
        "doi": dataset.doi,
    }
    return {"metadata": about, "patches": rows, "version": "1.0.0"}


def _single(asked):
    dataset = asked.dataset
    if isinstance(dataset, Combined):
        raise ValueError(f"data of a likelihood must be one of {' and '.join(one.name for one in dataset.parts)}")
    if asked.statistic != "poisson":
        raise ValueError(f"statistic of a likelihood must be poisson, got {asked.statistic}")
    return dataset


def _sample(name, events, dataset, power, g_unit):
    """The sample of one power of y, from Events of one model, with its nuisances."""
    unit = g_unit ** (2 * power)
    n = unit * events.n[power].reshape(-1)
    alpha = "flux" if dataset.templates else "alpha"
    changes = {alpha: dataset.sigma_alpha * n}
    for key, change in events.changes.items():
        own = change[power].reshape(-1) - (dataset.moves[key] if key in dataset.moves and not power else 0.0)
        if own.any():
            changes[key] = unit * own
    sample = _histogram(name, n, changes)
    if power:
        factor = {"name": ("y", "y2")[power - 1], "type": "normfactor", "data": None}
        sample["modifiers"].append(factor)
    return sample


def _histogram(name, events, changes):
    """A sample whose nuisances add `changes` per standard deviation."""
    modifiers = [
        {"name": key, "type": "histosys", "data": {"hi_data": (events + c).tolist(), "lo_data": (events - c).tolist()}}
        for key, c in changes.items()
    ]
    return {"name": name, "data": events.tolist(), "modifiers": modifiers}
