"""Rebuild the tables of the later COHERENT data, cevnsloop/data/arXiv.2110.07730 and zenodo.3903810.

usage: python tools/build_later_tables.py RELEASES [OUT_DIR]

RELEASES holds the unpacked releases as csi2021 and lar2020.
"""

import hashlib
import os
import sys
from collections import Counter
from pathlib import Path

import numpy as np

OUT = Path(__file__).parents[1] / "cevnsloop" / "data"
CSI = "# COHERENT CsI[Na] 2021, arXiv:2110.07730 (Phys. Rev. Lett. 129, 081801)\n"
LAR = "# COHERENT CENNS-10 liquid argon 2020, analysis A, DOI 10.5281/zenodo.3903810 (arXiv:2006.12659)\n"
PE, PER_US, US = 60, 8, 6  # CsI: light below 60 PE and times below 6 us, in bins of 1 PE and 1/8 us


def numbers(path):
    """Rows of numbers of a release file, comments left out; shape (rows, columns)."""
    return np.loadtxt(path, ndmin=2)


def cells(path):
    """Events of a list by their cell of 1 PE and 1/8 us, half open as {(PE, eighths): number}."""
    pe, us = np.floor(numbers(path) * [1, PER_US]).astype(int).T
    inside = (pe >= 0) & (pe < PE) & (us >= 0) & (us < US * PER_US)
    return Counter(zip(pe[inside].tolist(), us[inside].tolist(), strict=True))


def coarse(path):
    """A template of times in bins of 0.01 us as fractions in those of 1/8 us: its sum, interpolated linearly."""
    centre, events = numbers(path).T
    below = np.interp(np.arange(US * PER_US + 1) / PER_US, centre + 0.005, np.cumsum(events))
    return np.diff(below) / (below[-1] - below[0])


def csi(release):
    """Tables of CsI 2021 as {name: text}."""
    on, off = (cells(release / f"dataBeamOn{name}.txt") for name in ("C", "AC"))
    text = CSI + "# beam-on events in cells of 1 PE and 1/8 us; cells that are not here have none\n"
    text += "pe_lo,eighth_lo,coincidence,anticoincidence\n"
    text += "".join(f"{pe},{us},{on[pe, us]},{off[pe, us]}\n" for pe, us in sorted(set(on) | set(off)))

    light = [numbers(release / f"{name}PE.txt")[:PE, 1] for name in ("brn", "nin")]
    neutrons = CSI + "# fraction of the neutrons below 60 PE: from the beam, and those made by neutrinos in the lead\n"
    neutrons += "pe_lo,brn,nin\n"
    neutrons += "".join(f"{k},{b:.8g},{n:.8g}\n" for k, (b, n) in enumerate(zip(*light, strict=True)))

    times = [coarse(release / f"{name}Trec.txt") for name in ("brn", "nin")]
    arrival = CSI + "# fraction of them by arrival time, of those from 0 to 6 us\neighth_lo,brn,nin\n"
    arrival += "".join(f"{k},{b:.8g},{n:.8g}\n" for k, (b, n) in enumerate(zip(*times, strict=True)))

    shapes = CSI + "# light in MeV (of an electron) of a recoil T in MeV: a T + b T^2 + c T^3 + d T^4\n"
    shapes += "# first the nominal one, then pairs one standard deviation up and down\na,b,c,d\n"
    shapes += _coefficients(release / "scintRespCoefficients.txt")
    efficiency = CSI + "# a / (1 + exp(-b (PE - c))) + d: nominal, one standard deviation up, down\na,b,c,d\n"
    efficiency += _coefficients(release / "effCoefficients.txt")
    return {
        "counts.csv": text,
        "neutron_light.csv": neutrons,
        "neutron_times.csv": arrival,
        "quenching.csv": shapes,
        "efficiency.csv": efficiency,
    }


def _coefficients(path):
    return "".join(",".join(f"{x:g}" for x in row) + "\n" for row in numbers(path))


LAR_PDFS = {
    "cevns": "cevnspdf",
    "cevns_f90_up": "cevnspdf+1sigF90",
    "cevns_f90_down": "cevnspdf-1sigF90",
    "cevns_late": "cevnspdfCEvNSTimingMeanSyst",
    "brn": "brnpdf",
    "brn_energy_up": "brnpdf+1sigEnergy",
    "brn_energy_down": "brnpdf-1sigEnergy",
    "brn_late": "brnpdf+1sigBRNTimingMean",
    "brn_early": "brnpdf-1sigBRNTimingMean",
    "brn_width": "brnpdfBRNTimingWidthSyst",
    "delayed": "delbrnpdf",
    "steady": "bkgpdf",
}


def lar(release):
    """Tables of LAr 2020 as {name: text}: every PDF is a factor of energy and F90 times one of time."""
    full = {key: numbers(release / f"{name}.txt")[:, 3].reshape(96, 10) for key, name in LAR_PDFS.items()}
    light = {key: pdf.sum(1) / pdf.sum() for key, pdf in full.items()}
    times = {key: pdf.sum(0) / pdf.sum() for key, pdf in full.items()}
    names = ",".join(LAR_PDFS)
    shapes = LAR + "# fractions in the 12 bins of 10 keVee by 8 of 0.05 in F90 from 0.5, energy changing slowest\n"
    shapes += (
        names + "\n" + "".join(",".join(f"{x:.6g}" for x in row) + "\n" for row in zip(*light.values(), strict=True))
    )
    arrival = LAR + "# fractions in 10 bins of 0.5 us from -0.1 us\n" + names + "\n"
    arrival += "".join(",".join(f"{x:.6g}" for x in row) + "\n" for row in zip(*times.values(), strict=True))
    counts = numbers(release / "datanobkgsub.txt")[:, 3].reshape(96, 10)
    seen = LAR + "# events: a row for each bin of energy and F90, a column for each of time\n"
    seen += ",".join(f"t{k}" for k in range(10)) + "\n"
    seen += "".join(",".join(f"{x:g}" for x in row) + "\n" for row in counts)
    kept = LAR + "# efficiency at the reconstructed energy, in the middle of bins of 0.5 keVee\nkeVee,efficiency\n"
    kept += "".join(f"{E:g},{eff:g}\n" for E, _, eff in numbers(release / "CENNS10AnlAEfficiency.txt"))
    return {"counts.csv": seen, "light.csv": shapes, "times.csv": arrival, "efficiency.csv": kept}


def build(releases):
    """All tables, {folder: {name: text}}, with their checksums."""
    found = {"arXiv.2110.07730": csi(Path(releases) / "csi2021"), "zenodo.3903810": lar(Path(releases) / "lar2020")}
    for tables in found.values():
        tables["SHA256SUMS"] = "".join(f"{hashlib.sha256(t.encode()).hexdigest()}  {n}\n" for n, t in tables.items())
    return found


def main(releases, out=OUT):
    """Write every table, each whole or not at all."""
    for folder, tables in build(releases).items():
        (Path(out) / folder).mkdir(exist_ok=True)
        for name, text in tables.items():
            path = Path(out) / folder / name
            part = path.with_suffix(".part")
            part.write_text(text, encoding="utf-8", newline="\n")
            os.replace(part, path)
            print(path)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
