"""Executors of concurrent.futures for this machine and for a Dask cluster, in the state that tasks.run needs them."""

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
from concurrent.futures import CancelledError

from . import provenance

CONNECT_S = 10  # how long to look for a Dask scheduler
LINE = "__import__('importlib').import_module('cevnsloop.run.provenance').line()"


@contextlib.contextmanager
def local_or_cluster(workers=1, address=None):
    """The executor for `workers` processes on this machine, None for one; or for the Dask scheduler at `address`.

    Raises ValueError if workers < 1, if the package distributed or the scheduler is missing, or if its workers
    have not this package, in the same version and with the same inputs and data; ChildProcessError if they die of a
    piece, or the scheduler is lost.
    """
    if workers < 1:
        raise ValueError(f"workers must be >= 1, got {workers}")
    if address is not None:
        with _cluster(address) as found:
            yield found
    elif workers == 1:
        yield None
    else:
        with _Processes(workers) as pool:
            yield pool


class _Processes:
    """Processes that leave Ctrl-C to this one, and end with it even if it is killed."""

    def __init__(self, workers):
        from concurrent.futures import ProcessPoolExecutor  # needs time to load

        spawn = multiprocessing.get_context("spawn")  # forked ones would inherit threads that do not run in them
        self.pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_begin)

    def submit(self, function, *args):
        with _undisturbed():  # this may start a process
            return self.pool.submit(function, *args)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with _undisturbed():
            self.pool.shutdown(cancel_futures=True)


def _begin():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


@contextlib.contextmanager
def _undisturbed():
    """Hold Ctrl-C back until the block has ended; processes that it starts never see it."""
    came = []
    try:
        before = signal.signal(signal.SIGINT, lambda *event: came.append(event))
    except ValueError:  # only the main thread is ever interrupted
        yield
        return
    block = getattr(signal, "pthread_sigmask", None)  # not on Windows
    if block:
        mask = block(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if block:
            block(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, before)
        if came and callable(before):
            before(*came[-1])


@contextlib.contextmanager
def _cluster(address):
    try:
        import distributed
    except ModuleNotFoundError as missing:
        raise ValueError(f"this needs the package distributed, pip install distributed ({missing})") from None
    try:
        distributed.comm.resolve_address(address)  # a Client that cannot read it leaves threads behind
        client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"no Dask scheduler found at {address!r}: {error}") from None
    talkative = [logging.getLogger(name) for name in ("distributed.client", "tornado.application")]
    for logger in talkative:
        logger.disabled = True  # a traceback for each piece that was on its way when all were cancelled
    try:
        for worker, found in client.run(eval, LINE, on_error="return").items():
            if found != provenance.line():  # found out later, it would be by a worker that dies
                raise ValueError(f"the Dask worker {worker} must have {provenance.line()}, got {found}")
        yield client.get_executor(pure=False)
    except distributed.KilledWorker as error:
        raise ChildProcessError(f"workers died; the same command goes on from what is done ({error})") from None
    except CancelledError:
        raise ChildProcessError("the Dask scheduler was lost; the same command goes on from what is done") from None
    finally:
        client.close()
        for logger in talkative:
            logger.disabled = False
