"""The tables in data/: the project's own, each checked against its SHA-256 before it is used."""

import hashlib

import numpy as np

from ..checks import FrozenDict, frozen


def read_table(folder, name):
    """Columns of folder/name as a mapping from header to array, read-only, after its SHA-256 was found to be right.

    Raises ValueError naming the file if it is missing, or differs from what SHA256SUMS in the folder states.
    """
    path = folder.joinpath(name)
    try:
        sums = folder.joinpath("SHA256SUMS").read_text(encoding="utf-8")
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read the data table {path}: {error}") from None
    stated = {line.split()[1]: line.split()[0] for line in sums.splitlines()}
    found = hashlib.sha256(data).hexdigest()
    if stated.get(name) != found:
        raise ValueError(
            f"the data table {path} is corrupted: its SHA-256 is {found}, SHA256SUMS states {stated.get(name)}"
        )
    lines = [line for line in data.decode().splitlines() if not line.startswith("#")]
    columns = frozen(np.loadtxt(lines[1:], delimiter=",", unpack=True))
    return FrozenDict(zip(lines[0].split(","), columns, strict=True))
