"""Long computations in pieces: by any executor, the same to the last bit, and never from the beginning again.

The pieces are fixed by the problem alone and the result is put together in their order, so it does not depend on
who computed what, and when. An executor is anything whose `submit` returns a future of concurrent.futures:
those of executors.py, threads and processes of the standard library, `get_executor` of a distributed.Client,
MPIPoolExecutor of mpi4py.futures. The last one follows the same interface, but no test here runs it.
"""

import base64
import contextlib
import hashlib
import itertools
import json
import os
import queue
import shutil
import time
from concurrent.futures import BrokenExecutor, wait

import numpy as np

from . import output, provenance

try:
    import fcntl
except ModuleNotFoundError:  # Windows: two runs on one output are not noticed there
    fcntl = None

AHEAD = 1000  # pieces that an executor holds at once: more than any cluster has cores, and little to cancel
KIND = "cevnsloop pieces"  # how the first line of a waiting file begins
SYNC_S = 0.5  # what a power failure can cost; a killed process loses no finished piece


def run(task, pieces, path, head, settings, progress, note, executor=None):
    """Compute task(piece) for all `pieces`, write the rows as the table `path`, and return it as {column: array}.

    task       function of one piece that a process elsewhere can import, or a functools.partial of one; it returns
               {column: 1-D array of floats}, equally long, with the same columns for every piece
    pieces     at least one; values with a repr that tells them apart, such as tuples of numbers. Each should take
               seconds at most: those that are being computed are finished before an interrupt or an error goes on
    head       what stands in `path` above the names of the columns, or a function of the table that gives it
    settings   all that the result depends on, as what JSON can hold
    progress   tqdm, or a partial of it: called with initial=number of rows, it is told of more by update(n)
    note       function that is given a line of text for the user, when something on disk cannot be used
    executor   by default the pieces are computed here, one after the other

    Finished pieces wait in a file beside `path` called .part until all are there. An interrupted run goes on behind
    them if provenance.line(), `settings` and `pieces` are the same. Else it starts anew, and the file of the other run
    is kept as .part.1 (or 2, 3, ...). A record of that file that is cut short or altered does not have its SHA-256: it
    is dropped and computed again.

    Raises ValueError where output.target does, for `path` and for the waiting file; if that was not written here, which
    leaves it as it is; if another run writes the same `path`; or if a worker has other inputs, data or version.
    Raises ChildProcessError if a worker process dies; and what `task` raises.
    """
    path = output.target(path)
    digest = hashlib.sha256(repr(pieces).encode()).hexdigest()
    key = json.dumps([KIND, provenance.line(), settings, len(pieces), digest])
    with _waiting(path.with_name(path.name + ".part"), key, note) as records:
        finished = records.finished
        with progress(initial=sum(map(_length, finished.values()))) as bar:

            def keep(index, columns):
                if index not in finished:
                    records.add(index, columns)
                    bar.update(_length(columns))

            left = [index for index in range(len(pieces)) if index not in finished]
            try:
                _compute(task, pieces, left, executor, keep)
            except BrokenExecutor:
                raise ChildProcessError("a worker process died; the same command goes on from what is done") from None
        parts = [finished[index] for index in range(len(pieces))]
        table = {name: np.concatenate([columns[name] for columns in parts]) for name in parts[0]}
        with output.whole_file(path) as part, open(part, "w", encoding="utf-8", newline="\n") as file:
            file.write(output.csv(head(table) if callable(head) else head, parts[0]))
            file.writelines(output.rows({name: columns[name] for name in parts[0]}) for columns in parts[1:])
        records.needed = False
    return table


def _length(columns):
    return len(next(iter(columns.values())))


def _compute(task, pieces, left, executor, keep):
    """keep(index, columns) for all indices `left`, as they get done; what has been begun is kept even if one fails."""
    if executor is None:
        for index in left:
            keep(index, _call(task, pieces[index], provenance.line()))
        return
    left, running, ended = iter(left), {}, queue.SimpleQueue()
    try:
        while True:
            for index in itertools.islice(left, AHEAD - len(running)):
                future = executor.submit(_call, task, pieces[index], provenance.line())
                running[future] = index
                future.add_done_callback(ended.put)
            if not running:
                return
            try:
                future = ended.get(timeout=1)  # forever could not be interrupted on Windows
            except queue.Empty:
                continue
            keep(running[future], future.result())
            del running[future]
    except BaseException:
        begun = [future for future in running if not future.cancel()]
        wait(begun)
        for future in begun:
            if future.exception() is None:
                keep(running[future], future.result())
        raise


def _call(task, piece, asked):
    """One piece, in a worker; `asked` is the provenance.line() of the run, which its own must agree with."""
    if asked != (here := provenance.line()):
        raise ValueError(f"a worker has {here}, this is {asked}: they must be the same")
    with np.errstate(all="ignore"):  # of a worker's own; what is not finite is seen in the result
        columns = {name: np.asarray(values, "<f8") for name, values in task(piece).items()}
    if len({values.shape for values in columns.values()}) != 1 or next(iter(columns.values())).ndim != 1:
        raise ValueError(f"piece {piece!r} must give columns of the same length, got {columns}")
    return columns


@contextlib.contextmanager
def _waiting(path, key, note):
    """The `_Records` in the file `path`, locked; it is kept as long as they are needed."""
    records = None
    try:
        with open(output.target(path), "a+b") as file:  # to append: whatever happens, what is there is not written over
            _lock(file)
            records = _Records(file, key, note)
            yield records
    finally:
        if records and not (records.needed and records.finished):
            path.unlink(missing_ok=True)


def _lock(file):
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"{file.name} is in use: another run writes the same output") from None
        except OSError:
            pass  # a file system without locks


class _Records:
    """Finished pieces, {index: columns} in `finished`, in a file: a line that says of what, and one for each."""

    def __init__(self, file, key, note):
        self.file, self.finished, self.needed = file, {}, True
        self.head, self.synced = key.encode() + b"\n", time.monotonic()
        first = self._first_line()
        if first not in (b"", self.head):
            note(f"{file.name} {self._other(first)}: kept as {self._put_aside()}, this run starts anew")
        good = end = len(first) if first == self.head else 0
        dropped = 0
        for line in file if good else ():
            end += len(line)
            try:
                index, columns = self._unpacked(line)
            except ValueError:
                dropped += 1
            else:
                self.finished[index], good = columns, end
        if dropped:
            note(f"{file.name}: {dropped} damaged record{'s' * (dropped > 1)} dropped, to be computed again")
        file.truncate(good)
        if not good:
            file.write(self.head)
            file.flush()

    def _first_line(self):
        """The first line; ValueError unless the file is empty, or begins as one of these does."""
        start = json.dumps([KIND])[:-1].encode()
        self.file.seek(0)
        if not start.startswith(self.file.read(len(start))):
            raise ValueError(f"{self.file.name} is none of this program's files: move it away, or choose another name")
        self.file.seek(0)
        return self.file.readline()

    def _other(self, first):
        """What is wrong with a file that begins with another line."""
        try:
            (_, _, *other), (_, _, *here) = json.loads(first), json.loads(self.head)
        except ValueError:
            return "is damaged"
        return "is of other inputs, data or version" if other == here else "is of other settings, or damaged"

    def _put_aside(self):
        """Move the content of the file to a new one beside it, and return its name."""
        for n in itertools.count(1):
            with contextlib.suppress(FileExistsError), open(f"{self.file.name}.{n}", "xb") as aside:
                self.file.seek(0)
                shutil.copyfileobj(self.file, aside)
                aside.flush()
                os.fsync(aside.fileno())
                self.file.truncate(0)
                return os.path.basename(aside.name)

    def _digest(self, body):
        return hashlib.sha256(self.head + body).hexdigest().encode()

    def _unpacked(self, line):
        digest, body, end = line[:64], line[64:-1], line[-1:]
        if end != b"\n" or digest != self._digest(body):
            raise ValueError
        index, columns = json.loads(body)
        return index, {name: np.frombuffer(base64.b64decode(text), "<f8") for name, text in columns.items()}

    def add(self, index, columns):
        """Put a piece on disk; its record is whole once its line is."""
        text = {name: base64.b64encode(values.tobytes()).decode() for name, values in columns.items()}
        body = json.dumps([index, text]).encode()
        self.file.write(self._digest(body) + body + b"\n")
        self.file.flush()
        self.finished[index] = columns
        if time.monotonic() - self.synced > SYNC_S:
            os.fsync(self.file.fileno())
            self.synced = time.monotonic()
