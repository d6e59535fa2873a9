"""Answers of the front door in words."""

import numpy as np

LINES = 12  # of a long answer that are shown


def limit(g, by):
    """A limit on G and what sets it."""
    if np.isfinite(g):
        return f"G < {g:.4g}, set by the {by}"
    return "no limit, no signal is expected" if np.isnan(g) else "no limit, no signal is excluded however large"


def quoted(weakest, strongest, moved):
    """The band of a limit: its ends, and what was moved in the weakest."""
    return f"from {strongest:.4g} to {weakest:.4g} within its band; quote the weakest, {moved or 'with nothing moved'}"


def shortened(lines):
    """At most LINES of the lines, with a word on how many are left out."""
    if len(lines) <= LINES:
        return lines
    half = (LINES - 1) // 2
    return [*lines[:half], f"  ... {len(lines) - 2 * half} more", *lines[-half:]]
