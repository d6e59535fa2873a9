"""Rebuild cevnsloop/data/zenodo.1228631 from the files of the COHERENT CsI 2017 release.

usage: python tools/build_tables.py RELEASE_DIR [OUT_DIR]
"""

import hashlib
import os
import sys
from collections import defaultdict
from pathlib import Path

from cevnsloop import inputs

WINDOW_US = inputs.value("csi2017.time_window")
OUT = Path(__file__).parents[1] / "cevnsloop" / "data" / "zenodo.1228631"
HEADER = "# COHERENT CsI[Na] 2017, DOI 10.5281/zenodo.1228631 (arXiv:1804.09459)\n"


def rows(path):
    """Rows of numbers of a release file, comments left out, as written."""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield [word.strip() for word in line.split(",")]


def counts(path):
    """Beam-on counts per PE bin centre, summed over arrival times inside the window."""
    total = defaultdict(int)
    for pe, time, n in rows(path):
        total[float(pe)] += int(n) if float(time) < WINDOW_US else 0
    return total


def build(release):
    """The tables as a mapping from file name to text."""
    release = Path(release)
    on = counts(release / "data_coincidence_beamOn.txt")
    off = counts(release / "data_anticoincidence_beamOn.txt")
    text = f"{HEADER}# beam-on counts with arrival time below {WINDOW_US} us\npe_lo,pe_hi,coincidence,anticoincidence\n"
    text += "".join(f"{pe - 1:g},{pe + 1:g},{on[pe]},{off[pe]}\n" for pe in sorted(on))

    neutrons = f"{HEADER}# prompt neutrons per GWh, acceptance not applied\npe_lo,pe_hi,per_GWh\n"
    for centre, value in rows(release / "promptPDF.txt"):
        neutrons += f"{float(centre) - 0.5:g},{float(centre) + 0.5:g},{value}\n"

    columns = [list(rows(release / f"arrivalTimePDF_{name}.txt")) for name in ("promptNeutrinos", "delayedNeutrinos")]
    arrival = f"{HEADER}# fraction of neutrinos per arrival-time bin; analysis window 0 to {WINDOW_US} us\n"
    arrival += "us_lo,us_hi,prompt,delayed\n"
    for (time, prompt), (_, delayed) in zip(*columns, strict=True):
        arrival += f"{float(time) - 0.25:g},{float(time) + 0.25:g},{prompt},{delayed}\n"

    tables = {"counts.csv": text, "prompt_neutrons.csv": neutrons, "arrival_times.csv": arrival}
    sums = "".join(f"{hashlib.sha256(t.encode()).hexdigest()}  {name}\n" for name, t in tables.items())
    return {**tables, "SHA256SUMS": sums}


def main(release, out=OUT):
    """Write every table, each whole or not at all."""
    for name, text in build(release).items():
        part = Path(out) / (name + ".part")
        part.write_text(text, encoding="utf-8", newline="\n")
        os.replace(part, Path(out) / name)
        print(Path(out) / name)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
