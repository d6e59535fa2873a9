"""The command line: `cevnsloop COMMAND ...`, or `python -m cevnsloop COMMAND ...`: the front door's first client."""

import argparse
import os
import sys

import numpy as np

from . import options
from .commands import COMMANDS, RESUMED, note

REFUSED = (ValueError, OSError, OverflowError, FloatingPointError, MemoryError)  # others are faults of this program
INTERRUPTED, NOBODY_READS = 130, 141  # what shells make of SIGINT and SIGPIPE


def main(argv=None, executor=None):
    """Run one command; returns the exit code: 0, 2 for an input that is refused, 130 if interrupted, 141 if what
    reads the output has ended.

    `executor` takes the place of --workers and --dask, as in `main(["scan", ...], MPIPoolExecutor())`: tasks.py says
    what it must be.
    """
    _open_closed_streams()
    arguments = argparse.Namespace(command=None)
    try:
        arguments = options.parse(sys.argv[1:] if argv is None else argv)
        arguments.executor = executor
        with np.errstate(all="ignore"):  # what is not finite is seen in the result
            COMMANDS[arguments.command](arguments)
        sys.stdout.flush()
        return 0
    except BrokenPipeError:
        code = NOBODY_READS
    except REFUSED as error:
        note(_reason(error))
        code = 2
    except KeyboardInterrupt:
        note("interrupted" + "; the same command goes on from here" * (arguments.command in RESUMED))
        code = INTERRUPTED
    _drop_what_cannot_be_written()
    return code


def _open_closed_streams():
    """Without this, what is meant for a closed stream would end in the next file that is opened, or be an error."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115


def _drop_what_cannot_be_written():
    """At its end Python would try again to write it, and complain."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _reason(error):
    if isinstance(error, ArithmeticError):
        return f"a number is too large to compute with: {error.args[-1]}"
    return str(error) or type(error).__name__
