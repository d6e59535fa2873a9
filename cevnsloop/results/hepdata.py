"""Figs. 3 and 4 as a submission to HEPData, made with hepdata-lib: the only module that needs that package.

One table for Fig. 3 and one for each panel of Fig. 4; what tells curves apart (case, masses, coupling, amplitude)
are qualifiers. There are no images: HEPData draws the tables, and making thumbnails would need ImageMagick. The
likelihoods of the later data go with them, as HistFactory workspaces.
"""

import gzip
import io
import json
import tarfile
import tempfile
import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from .. import __version__
from ..amplitudes.theory import OF_QUARKS
from ..checks import choice, sealed
from ..choices import Choices
from ..fit.limits import DELTA_CHI2, reached
from ..model import CASES
from ..run import output, provenance
from . import likelihood, quoted
from . import tables as results

with warnings.catch_warnings():  # hepdata-validator 0.3.6 imports jsonschema.RefResolver, which is to be dropped
    warnings.filterwarnings("ignore", r"jsonschema\.", DeprecationWarning)
    import hepdata_lib
    import yaml
    from hepdata_validator.full_submission_validator import FullSubmissionValidator

MASSES, RATIO = sealed(np.geomspace(1.0, 40.0, 8)), 10.0  # MeV, m_zp / m_chi: of the likelihoods
DIGITS = 10  # significant, as in the CSV tables
EVENTS = "events / bin"
PAPER_DOI = "10.1103/PhysRevD.104.095017"
LOCATION = "Data from Figure {} of Phys. Rev. D 104 (2021) 095017, recomputed by cevnsloop " + __version__
# The words are those of HEPData's lists of particles and observables
REACTIONS = ["NU NUCLEUS --> NU NUCLEUS", "NU NUCLEUS --> INVISIBLE NUCLEUS"]
PHRASES = ["Neutrino-Nucleus Scattering", "Coherent Elastic Neutrino-Nucleus Scattering", "Vector Mediator"]
ABSTRACT = (
    "Figures 3 and 4 of the paper, computed again by an independent program: these numbers are not the authors' own. "
    "A vector boson $Z'$ couples to quarks, through a vector (case A) or an axial-vector current (case B), and to a "
    "neutrino together with a Dirac fermion $\\chi$. Coherent scattering on the nuclei of CsI then turns a neutrino "
    "into $\\chi$ by tree diagrams (case A), or leaves it a neutrino by loops (both cases). Spectra and upper limits "
    "on the product of couplings $g_\\chi g_q$ rest on the counts that the COHERENT collaboration released. The loop "
    "amplitude 'published' takes the formulas as they are printed; 'rederived' replaces those that a second derivation "
    "did not confirm. "
)


def write(path, dataset, theory, m_chi, delta_chi2):
    """Write the submission to `path`, a .tar.gz that HEPData takes; equal arguments give equal bytes.

    m_chi        masses of Fig. 4, shape (n,) in MeV
    delta_chi2   one of fit.DELTA_CHI2
    Raises ValueError for another delta_chi2, a path that does not end in .tar.gz, and where output.target does; and
    RuntimeError if hepdata-validator finds a fault.
    """
    if not str(path).endswith(".tar.gz"):
        raise ValueError(f"a submission must be called something.tar.gz, got {path}")
    with output.whole_file(path) as part, tempfile.TemporaryDirectory() as folder:
        _write_files(folder, dataset, theory, tables(dataset, theory, m_chi, delta_chi2))
        _validate(folder)
        part.write_bytes(_archive(Path(folder)))


def tables(dataset, theory, m_chi, delta_chi2):
    """The hepdata_lib.Table of Fig. 3 and of each panel of Fig. 4, in this order."""
    choice("delta_chi2", delta_chi2, tuple(DELTA_CHI2.values()))
    limits = {name: quoted.limit_curves(m_chi, dataset, one, delta_chi2) for name, one in _theories(theory).items()}
    panels = [(case, ratio) for case in CASES for ratio in quoted.RATIOS]
    return [_fig3(dataset, theory), *(_panel(*panel, m_chi, limits, delta_chi2) for panel in panels)]


def _fig3(dataset, theory):
    bins = hepdata_lib.Variable("Number of photoelectrons", is_independent=True, is_binned=True, units="PE")
    bins.values = list(zip(dataset.pe_edges[:-1].tolist(), dataset.pe_edges[1:].tolist(), strict=True))
    data = _dependent("Residual events, data", dataset.n_obs, [("Data", f"{dataset.name}, doi {dataset.doi}")], EVENTS)
    errors = hepdata_lib.Uncertainty("stat", is_symmetric=True)
    errors.values = dataset.sigma.tolist()
    data.add_uncertainty(errors)
    description = (
        "Residual events in bins of photoelectrons (PE): the counts less the steady-state background, with the errors "
        "that enter the fit, and the expected signals of the Standard Model and of one point of parameter space in "
        "each case."
    )
    return _table("Figure 3", "3", description, "N", [bins, data, *_signals(dataset, theory)])


def _signals(dataset, theory):
    """The Standard Model, where no loop amplitude enters, and both benchmarks with each loop amplitude."""
    spectra = {name: quoted.spectra(dataset.experiment, one) for name, one in _theories(theory).items()}
    yield _dependent("Residual events, Standard Model", spectra["published"]["SM"], [], EVENTS)
    for name, curves in spectra.items():
        for case, point in quoted.BENCHMARKS.items():
            masses = [("$m_\\chi$", point.m_chi, "MeV"), ("$m_{Z'}$", point.m_zp, "MeV")]
            qualifiers = [*_model(case, name), *masses, ("$g_\\chi g_q$", point.g)]
            yield _dependent(f"Residual events, case {case}", curves[case], qualifiers, EVENTS)


def _theories(theory):
    return {name: replace(theory, amplitude=amplitude) for name, amplitude in OF_QUARKS.items()}


def _panel(case, ratio, m_chi, limits, delta_chi2):
    """The panel of Fig. 4 for one case and m_Z' / m_chi; `limits` {amplitude: {(case, ratio): array}}."""
    place = f"{('top', 'bottom')[CASES.index(case)]} {('left', 'right')[quoted.RATIOS.index(ratio)]}"
    masses = hepdata_lib.Variable("$m_\\chi$", is_independent=True, is_binned=False, units="MeV")
    masses.values = m_chi.tolist()
    fixed = [("$m_{Z'}/m_\\chi$", ratio), ("CL", 90, "%"), ("$\\Delta\\chi^2$", delta_chi2)]
    columns = [
        _dependent("Upper limit on $g_\\chi g_q$", _or_word(curves[case, ratio]), _model(case, name) + fixed)
        for name, curves in limits.items()
    ]
    description = (
        f"Upper limits on $g_\\chi g_q$ at 90% confidence level for case {case} ({results.CURRENTS[case]} quark "
        f"current) and $m_{{Z'}} = {ratio:g} m_\\chi$, with the loop amplitude as published and as rederived."
    )
    return _table(f"Figure 4 {place}", f"4, {place} panel,", description, "CLS", [masses, *columns])


def _or_word(g_limit):
    """Limits, and the word of fit.reached where there is none."""
    return np.where(np.isfinite(g_limit), g_limit.astype(object), reached(g_limit))


def _table(name, figure, description, observable, variables):
    table = hepdata_lib.Table(name)
    table.location = LOCATION.format(figure)
    table.description = f"{description} Computed by {provenance.line()} of version, inputs and data tables."
    table.keywords = {"observables": [observable], "reactions": REACTIONS, "phrases": PHRASES}
    for variable in variables:
        variable.digits = DIGITS
        table.add_variable(variable)
    return table


def _dependent(name, values, qualifiers, units=""):
    variable = hepdata_lib.Variable(name, is_independent=False, is_binned=False, units=units, values=values.tolist())
    for qualifier in qualifiers:
        variable.add_qualifier(*qualifier)
    return variable


def _model(case, amplitude):
    """Qualifiers of a curve."""
    return [
        ("Case", f"{case}, {results.CURRENTS[case]} quark current"),
        ("Couplings", results.COUPLINGS),
        ("Loop amplitude", amplitude),
    ]


def _write_files(folder, dataset, theory, tables):
    """submission.yaml and a data file for each table. Submission.create_files would put a tar file into the
    current folder, with times and owners in it."""
    submission = hepdata_lib.Submission()
    submission.add_link("The paper", f"https://doi.org/{PAPER_DOI}")
    submission.add_link(f"The data, {dataset.name}", f"https://doi.org/{dataset.doi}")
    for (data, case), archive in likelihoods().items():
        name = f"likelihood_{data}_{case}.tar.gz"
        Path(folder, name).write_bytes(archive)
        said = f"HistFactory workspace of {data} with a patch for each mass of case {case}, m_Z' = {RATIO:g} m_chi"
        submission.additional_resources.append({"location": name, "description": said, "type": "HistFactory"})
    head = {
        "comment": f"{ABSTRACT}Computed by {provenance.line()}, with {theory}, {dataset.settings}.",
        "additional_resources": submission.additional_resources,
        "data_license": submission.get_license(),
    }
    Path(folder, "submission.yaml").write_text(yaml.safe_dump(head, explicit_start=True), encoding="utf-8")
    for table in tables:
        table.write_output(folder)


@cache
def likelihoods():
    """Likelihoods of the later data for the complete amplitude as the bytes of a .tar.gz each, {(data, case): bytes}:
    what `cevnsloop likelihood` writes, a workspace and a patch set. Argon has no spin for a tree of case B.
    """
    found = {}
    for data, case in (("csi2021", "A"), ("csi2021", "B"), ("lar2020", "A")):
        asked = Choices(case=case, data=data)
        base = likelihood.workspace(asked)
        with tempfile.TemporaryDirectory() as folder:
            made = {"workspace": base, "patchset": likelihood.patches(asked, MASSES, RATIO * MASSES, base)}
            for name, content in made.items():
                Path(folder, f"{name}.json").write_text(json.dumps(content) + "\n", encoding="utf-8")
            found[data, case] = _archive(Path(folder))
    return found


def _validate(folder):
    """RuntimeError with what hepdata-validator says, if it is not content; its schemas need no network."""
    validator = FullSubmissionValidator()
    with warnings.catch_warnings():  # it leaves data files to the garbage collector to close
        warnings.filterwarnings("ignore", "unclosed file", ResourceWarning)
        valid = validator.validate(directory=folder)
    if not valid:
        faults = [m.message for messages in validator.get_messages().values() for m in messages]
        raise RuntimeError("not a valid submission: " + "; ".join(faults))


def _archive(folder):
    """The files of `folder` as the bytes of a .tar.gz in which nothing depends on when and by whom it was made."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(folder.iterdir()):
            member = tarfile.TarInfo(path.name)
            member.size = path.stat().st_size
            tar.addfile(member, io.BytesIO(path.read_bytes()))
    return gzip.compress(plain.getvalue(), mtime=0)
