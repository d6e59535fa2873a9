"""Does the book notice a wrong number? Change one at a time in a scratch copy and validate the chapters there.

    python tools/mutants.py

Every mutant below is one slip in an input, a coefficient or a count. A copy of the project with that slip must fail
`pytest --nbval`: in some chapter a stored output differs. First all chapters run in an unchanged copy, which
must pass. The chapter that prints the table of inputs takes no part: it would notice any input by itself.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
IGNORED = shutil.ignore_patterns(
    *(".git", ".venv", "_build", "_results", "_text", "__pycache__", "*.egg-info"),
    *(".*_cache", ".hypothesis", ".ipynb_checkpoints"),
)
LEFT_OUT = {"inputs"}
PROCESSES = 2
TIMEOUT = 300  # seconds for one run of pytest


class MutantError(Exception):
    """Why the result would mean nothing."""


class Mutant(NamedTuple):
    """A slip: `old`, which stands once in a file of the package, becomes `new`; `chapter` is where it may show."""

    name: str
    file: str
    old: str
    new: str
    chapter: str


MUTANTS = (
    Mutant("quark mass m_d", "data/inputs.toml", "d = { value = 4.70,", "d = { value = 4.80,", "what_changes"),
    Mutant(
        "second moment of s", "data/inputs.toml", 'value = 0.052, unit = "1"', 'value = 0.062, unit = "1"', "nuclei"
    ),
    Mutant(
        "scalar form factor f_s^p",
        "data/inputs.toml",
        'value = 0.0447, unit = "1", symbol = "f_s^p"',
        'value = 0.0477, unit = "1", symbol = "f_s^p"',
        "completeness",
    ),
    Mutant("muon mass", "data/inputs.toml", "value = 105.6583755", "value = 106.5583755", "spectrum"),
    Mutant("nuclear radius", "data/inputs.toml", "value = 1.23, ", "value = 1.32, ", "cross_sections"),
    Mutant("light per recoil", "data/inputs.toml", "value = 1.17, ", "value = 1.18, ", "spectrum"),
    Mutant("uncertainty sigma_alpha", "data/inputs.toml", "value = 0.28, ", "value = 0.29, ", "fit"),
    Mutant("a count of COHERENT", "data/zenodo.1228631/counts.csv", "12,14,74,49", "12,14,75,49", "fit"),
    Mutant("Helm form factor", "nucleus.py", "-((q * s) ** 2) / 2", "-((q * s) ** 2) / 3", "cross_sections"),
    Mutant(
        "tree cross section", "rates/xsec.py", "m_chi**2 / 2 * (1 - T / M)", "m_chi**2 * (1 - T / M)", "cross_sections"
    ),
    Mutant(
        "box function D_00",
        "amplitudes/loops.py",
        "-(self.i0 - self.lam * self.i1)",
        "-(self.i0 + self.lam * self.i1)",
        "loops",
    ),
    Mutant(
        "two-loop kernel of F_G",
        "amplitudes/gluon.py",
        '"published": (-13, -6, 15, 4)',
        '"published": (-13, -6, 15, 5)',
        "loops",
    ),
    Mutant(
        "exact kernel of the vector current",
        "amplitudes/gluon.py",
        '"vector": (3, 0, -9, 6)',
        '"vector": (3, 0, -9, 6.1)',
        "completeness",
    ),
    Mutant("Michel spectrum", "rates/flux.py", "m_mu / 2, (2.0, 4.0)", "m_mu / 2, (3.0, 0.0)", "spectrum"),
    Mutant("closed form of chi^2", "fit/gaussian.py", "c, V = 1 + counts", "c, V = 1.01 + counts", "fit"),
    Mutant(
        "spread of the toys",
        "fit/draws.py",
        "rng.normal(truth[name], ",
        "rng.normal(truth[name] / 2, 0.5 * ",
        "coverage",
    ),
    Mutant("twist-2 matching", "amplitudes/quarks.py", 'isospin = {"u": "d", "d": "u"}', "isospin = {}", "nuclei"),
)


def mutate(mutant, root):
    """Apply a mutant to the copy of the project at `root`; a checksum of its file is made right again."""
    path = root / "cevnsloop" / mutant.file
    text = path.read_text(encoding="utf-8")
    if (times := text.count(mutant.old)) != 1:
        raise MutantError(f"{mutant.name}: does not apply, '{mutant.old}' stands {times} times in {mutant.file}")
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8", newline="\n")
    sums = path.with_name("SHA256SUMS")
    if sums.exists():
        after = hashlib.sha256(path.read_bytes()).hexdigest()
        sums.write_text(sums.read_text(encoding="utf-8").replace(before, after), encoding="utf-8", newline="\n")


def chapters(first=""):
    """Names of the chapters to run, the one called `first` first."""
    names = {path.stem for path in (ROOT / "book").glob("*.ipynb")} - LEFT_OUT
    return sorted(names, key=lambda name: (name != first, name))


def validate(mutant, *arguments):
    """The first chapter and cell that fail in a copy of the project with `mutant` (None: unchanged), or None."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        root = Path(folder).resolve() / "copy"
        shutil.copytree(ROOT, root, ignore=IGNORED)
        if mutant:
            mutate(mutant, root)
        books = [f"book/{name}.ipynb" for name in chapters(mutant.chapter if mutant else "")]
        environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
        options = {"cwd": root, "env": environment, "capture_output": True, "text": True, "timeout": TIMEOUT}
        where = subprocess.run([sys.executable, "-c", "import cevnsloop; print(cevnsloop.__file__)"], **options).stdout
        if not where.startswith(str(root)):
            raise MutantError(f"the chapters of the copy would import {where.strip()}")
        pytest = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run([*pytest, *books], **options)
    failed = re.search(r"^FAILED book/(\w+)\.ipynb::(Cell \d+)", done.stdout, flags=re.MULTILINE)
    if done.returncode != bool(failed):
        raise MutantError(f"pytest ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return ", ".join(failed.groups()) if failed else None


def report(mutant):
    """Run one mutant and print its line; whether it survived."""
    place = validate(mutant)
    print(f"{mutant.name:28}{f'noticed in {place}' if place else 'SURVIVED'}", flush=True)
    return place is None


def main():
    try:
        if place := validate(None, "-n", str(PROCESSES), "--dist", "loadfile"):
            raise MutantError(f"{place} fails in an unchanged copy: the stored chapters are not those of this package")
        print(f"{'unchanged':28}all chapters pass", flush=True)
        with ThreadPoolExecutor(PROCESSES) as pool:
            survived = sum(pool.map(report, MUTANTS))
    except (MutantError, subprocess.TimeoutExpired) as error:
        print(error)
        return 2
    print(f"{len(MUTANTS) - survived} of {len(MUTANTS)} noticed")
    return int(survived > 0)


if __name__ == "__main__":
    sys.exit(main())
