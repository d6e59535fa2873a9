"""The same bytes by whatever executor, after whatever interrupt, and nothing on disk is trusted that is not whole."""

import functools
import itertools
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import psutil
import pytest

from cevnsloop import analysis, inputs
from cevnsloop.app import cli
from cevnsloop.run import executors, provenance, tasks

PIECES = [(0, 3), (3, 4), (4, 9), (9, 11), (11, 12)]
HEAD = "# numbers\n"
SETTINGS = {"scale": 3.0}


def numbers(scale, piece):
    """Rows whose last digits would show any loss."""
    x = np.arange(*piece) / scale
    return {"x": x, "y": np.sqrt(x)}


class Progress:
    """What tqdm would be told."""

    def __init__(self, initial):
        self.told = [initial]

    def update(self, n):
        self.told.append(n)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class Run:
    """Calls of tasks.run on one path, with what was computed, told and noted by each."""

    def __init__(self, path):
        self.path, self.part = path, path.with_name(path.name + ".part")

    def __call__(self, task=numbers, executor=None, pieces=PIECES, settings=SETTINGS, computed=None):
        self.computed, self.notes, self.progress = [] if computed is None else computed, [], None
        task = functools.partial(task, settings["scale"])
        if executor is None:
            task = functools.partial(self.recorded, task)
        return tasks.run(task, pieces, self.path, HEAD, settings, self.start, self.notes.append, executor)

    def recorded(self, task, piece):
        self.computed.append(piece)
        return task(piece)

    def start(self, initial):
        self.progress = Progress(initial)
        return self.progress


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "numbers.csv")


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The file of a run without incidents."""
    run = Run(tmp_path_factory.mktemp("expected") / "numbers.csv")
    run()
    return run.path.read_bytes()


@pytest.fixture(scope="module")
def waiting(tmp_path_factory):
    """The waiting file when all but the last piece are done."""
    run = Run(tmp_path_factory.mktemp("waiting") / "numbers.csv")
    with pytest.raises(KeyboardInterrupt):
        run(stopping(len(PIECES) - 1))
    return run.part.read_bytes()


def test_the_head_may_depend_on_the_table(tmp_path):
    """It is asked for once, when everything is there, and what it says of rows it knows from all pieces."""
    path, asked = tmp_path / "numbers.csv", []

    def head(table):
        asked.append({name: len(values) for name, values in table.items()})
        return "# of all pieces\n"

    def task(piece):
        return numbers(2.0, piece)

    table = tasks.run(task, PIECES, path, head, SETTINGS, Progress, lambda line: None)
    assert asked == [{name: len(values) for name, values in table.items()}]
    assert path.read_text().startswith("# of all pieces\n" + ",".join(table))


def stopping(at, error=KeyboardInterrupt):
    """numbers() that raises an error instead of piece number `at`."""

    def task(scale, piece):
        if piece == PIECES[at]:
            raise error
        return numbers(scale, piece)

    return task


class Backwards(Executor):
    """Computes nothing before all pieces are there, and then the last one first."""

    def __init__(self):
        self.held = []

    def submit(self, function, *args):
        self.held.append((Future(), function, args))
        if len(self.held) == len(PIECES):
            for future, function, args in reversed(self.held):
                future.set_running_or_notify_cancel()
                future.set_result(function(*args))
        return self.held[-1][0]


def test_the_table_is_that_of_all_pieces_in_their_order(run):
    table = run()
    x = np.arange(12) / 3
    assert {name: column.tolist() for name, column in table.items()} == {"x": x.tolist(), "y": np.sqrt(x).tolist()}
    rows = [f"{a:.10g},{b:.10g}" for a, b in zip(x, np.sqrt(x), strict=True)]
    assert run.path.read_text() == HEAD + "x,y\n" + "\n".join(rows) + "\n"
    assert (run.notes, run.progress.told) == ([], [0, 3, 1, 5, 2, 1])
    assert [path.name for path in run.path.parent.iterdir()] == ["numbers.csv"]


@pytest.mark.parametrize(
    "executor",
    [Backwards, *(functools.partial(ThreadPoolExecutor, n) for n in (1, 2, 3)), executors.local_or_cluster],
    ids=["backwards", "1 thread", "2 threads", "3 threads", "here"],
)
def test_any_executor_gives_the_same_bytes(run, expected, executor):
    with executor() as pool:
        table = run(executor=pool)
    assert run.path.read_bytes() == expected
    assert {name: column.tobytes() for name, column in table.items()} == {
        name: column.tobytes() for name, column in Run(run.path)().items()
    }


def test_an_executor_holds_a_bounded_number_of_pieces(run, expected, monkeypatch):
    two = threading.Event()  # no piece is done before two are held, however busy the machine is

    class Counting(ThreadPoolExecutor):
        held = most = 0

        def submit(self, function, *args):
            self.held += 1
            self.most = max(self.most, self.held)
            if self.held == 2:
                two.set()
            future = super().submit(lambda: two.wait(10) and function(*args))
            future.add_done_callback(self.left)
            return future

        def left(self, _):
            self.held -= 1

    monkeypatch.setattr(tasks, "AHEAD", 2)
    with Counting(1) as pool:
        run(executor=pool)
    assert pool.most == 2
    assert run.path.read_bytes() == expected


def test_an_interrupted_run_goes_on_behind_what_is_done(run, expected):
    with pytest.raises(KeyboardInterrupt):
        run(stopping(3))
    assert [path.name for path in run.path.parent.iterdir()] == ["numbers.csv.part"]
    run()
    assert run.computed == PIECES[3:]
    assert run.progress.told == [9, 2, 1]
    assert run.notes == []
    assert run.path.read_bytes() == expected
    assert [path.name for path in run.path.parent.iterdir()] == ["numbers.csv"]


def test_a_piece_is_in_the_file_before_the_next_one_begins(run):
    found = []

    def task(scale, piece):
        found.append(run.part.read_bytes().count(b"\n"))
        return numbers(scale, piece)

    run(task)
    assert found == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_what_has_been_begun_is_kept_and_the_rest_is_not_begun(run, expected, error):
    together, computed = threading.Barrier(2), []

    def task(scale, piece):
        computed.append(piece)
        if piece in PIECES[:2]:
            together.wait(10)
        if piece == PIECES[0]:
            raise error
        time.sleep(0.2)  # begun when the error is noticed
        return numbers(scale, piece)

    with ThreadPoolExecutor(2) as pool, pytest.raises(error):
        run(task, executor=pool)
    assert set(PIECES[:2]) <= set(computed) < set(PIECES)
    run()
    assert run.computed == [piece for piece in PIECES if piece == PIECES[0] or piece not in computed]
    assert run.path.read_bytes() == expected


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_run_that_finished_nothing_leaves_nothing(run, error):
    with pytest.raises(error):
        run(stopping(0, error))
    assert list(run.path.parent.iterdir()) == []


def test_a_waiting_file_cut_anywhere_is_trusted_as_far_as_it_is_whole(run, expected, waiting, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # no power fails here
    lines = waiting.splitlines(keepends=True)
    ends = list(itertools.accumulate(map(len, lines)))
    for size in range(len(waiting) + 1):
        run.part.write_bytes(waiting[:size])
        run()
        whole = sum(end <= size for end in ends)
        assert run.computed == PIECES[max(whole - 1, 0) :], size
        assert len(run.notes) == (size not in [0, *ends]), size
        assert run.path.read_bytes() == expected, size
        assert not run.part.exists()
        for path in run.path.parent.iterdir():  # a head that was cut is kept as .part.1
            path.unlink()


def test_a_cut_record_does_not_spoil_the_next_one(run, waiting, expected):
    run.part.write_bytes(waiting[:-9])
    with pytest.raises(KeyboardInterrupt):
        run(stopping(4))
    assert run.notes == [f"{run.part}: 1 damaged record dropped, to be computed again"]
    assert run.computed == PIECES[3:]
    run()
    assert (run.computed, run.notes) == (PIECES[4:], [])
    assert run.path.read_bytes() == expected


@pytest.mark.parametrize("bit", [1, 64])
def test_a_bit_that_flipped_anywhere_is_noticed(run, expected, waiting, monkeypatch, bit):
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    for place in range(len(waiting)):
        flipped = bytearray(waiting)
        flipped[place] ^= bit
        run.part.write_bytes(flipped)
        if place < len(json.dumps([tasks.KIND])) - 1:  # no file of ours begins like that
            with pytest.raises(ValueError, match="none of this program's files"):
                run()
            assert run.part.read_bytes() == flipped
            continue
        run()
        assert len(run.notes) == 1, place
        assert len(run.computed) >= 2, place
        assert run.path.read_bytes() == expected, place
        (run.path.parent / "numbers.csv.part.1").unlink(missing_ok=True)


def test_damage_is_counted(run, expected, waiting):
    head, *records = waiting.splitlines(keepends=True)
    run.part.write_bytes(head + records[0] + records[1][1:] + records[2] + b"0\n" + records[3][:-1])
    run()
    assert run.notes == [f"{run.part}: 3 damaged records dropped, to be computed again"]
    assert run.computed == [PIECES[1], *PIECES[3:]]
    assert run.path.read_bytes() == expected


def with_other_inputs(monkeypatch):
    """As if one digit of data/inputs.toml were another, for a process that starts now."""
    text = inputs.text()
    monkeypatch.setattr(inputs, "text", lambda: text.replace("0.28", "0.29"))
    monkeypatch.setattr(provenance, "digest", provenance.digest.__wrapped__)


@pytest.mark.parametrize(
    ("before", "pieces", "settings", "said"),
    [
        (with_other_inputs, PIECES, SETTINGS, "inputs, data or version"),
        (lambda patch: patch.setattr(provenance, "__version__", "0"), PIECES, SETTINGS, "inputs, data or version"),
        (lambda patch: None, [*PIECES[:-1], (11, 13)], SETTINGS, "settings, or damaged"),
        (lambda patch: None, PIECES, {"scale": 3.0000000000000004}, "settings, or damaged"),
    ],
    ids=["inputs", "version", "pieces", "settings"],
)
def test_records_of_another_run_are_kept_and_not_used(run, waiting, expected, before, pieces, settings, said):
    with pytest.MonkeyPatch.context() as patch:
        before(patch)
        with pytest.raises(KeyboardInterrupt):
            run(stopping(3), pieces=pieces, settings=settings)
    head = waiting.splitlines(keepends=True)[0]
    other = run.part.read_bytes()
    taken = run.path.with_name("numbers.csv.part.1")
    taken.write_text("of somebody else")
    run()
    assert run.notes == [f"{run.part} is of other {said}: kept as numbers.csv.part.2, this run starts anew"]
    assert run.computed == PIECES
    assert (taken.read_text(), run.path.with_name("numbers.csv.part.2").read_bytes()) == ("of somebody else", other)
    run.part.write_bytes(head + b"".join(other.splitlines(keepends=True)[1:]))  # under a head that is not theirs
    run()
    assert run.computed == PIECES
    assert run.path.read_bytes() == expected


def test_an_interrupt_while_the_table_is_written_costs_no_piece(run, expected, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    replace = os.replace
    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run()
    monkeypatch.setattr(os, "replace", replace)
    assert [path.name for path in run.path.parent.iterdir()] == ["numbers.csv.part"]
    run()
    assert run.computed == []
    assert run.path.read_bytes() == expected


def test_two_runs_on_one_output_are_refused(run, expected):
    pytest.importorskip("fcntl")
    refused = []

    def task(scale, piece):
        if piece == PIECES[2]:
            with pytest.raises(ValueError, match=r"numbers\.csv\.part is in use: another run writes") as error:
                Run(run.path)()
            refused.append(error)
        return numbers(scale, piece)

    run(task)
    assert len(refused) == 1
    assert run.path.read_bytes() == expected


@pytest.mark.parametrize("result", [{}, {"x": [1.0], "y": [1.0, 2.0]}, {"x": 1.0}, {"x": [[1.0]]}])
def test_a_task_must_give_columns(run, result):
    with pytest.raises(ValueError, match=r"piece \(0, 3\) must give columns of the same length, got"):
        run(lambda scale, piece: result)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda part: part.write_text("a novel"), "is none of this program's files: move it away"),
        (lambda part: part.symlink_to("numbers.csv"), "it is a symbolic link, not a file"),
        (lambda part: part.mkdir(), "it is a folder, not a file"),
    ],
    ids=["foreign", "link", "folder"],
)
def test_a_waiting_file_that_is_not_ours_is_left_alone(run, make, message):
    make(run.part)
    run.path.write_text("what the link leads to")
    before = run.part.lstat()
    with pytest.raises(ValueError, match=message):
        run()
    assert (run.part.lstat(), run.path.read_text()) == (before, "what the link leads to")
    assert run.computed == []


class Elsewhere(Executor):
    """Computes as a process that has read other inputs."""

    def submit(self, function, *args):
        future = Future()
        with pytest.MonkeyPatch.context() as patch:
            with_other_inputs(patch)
            try:
                future.set_result(function(*args))
            except ValueError as error:
                future.set_exception(error)
        return future


def test_a_worker_with_other_inputs_is_refused(run):
    with pytest.raises(ValueError, match=rf"a worker has cevnsloop .*, this is {provenance.line()}: they must be the"):
        run(executor=Elsewhere())
    assert list(run.path.parent.iterdir()) == []


def dying(folder, scale, piece):
    """numbers() that kills its process at the third piece, the first time."""
    if piece == PIECES[2] and not (folder / "died").exists():
        (folder / "died").touch()
        time.sleep(0.1)  # the piece before is done by then
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return numbers(scale, piece)


def test_the_death_of_a_process_is_one_line_and_costs_only_what_was_not_done(run, expected, tmp_path_factory):
    task = functools.partial(dying, tmp_path_factory.mktemp("dying"))
    with (
        pytest.raises(ChildProcessError, match="a worker process died; the same command goes on from what is done"),
        executors.local_or_cluster(2) as pool,
    ):
        run(task, executor=pool)
    assert not run.path.exists()
    assert multiprocessing.active_children() == []
    run(task)
    assert 0 < len(run.computed) < len(PIECES)
    assert run.path.read_bytes() == expected


@pytest.mark.parametrize("workers", [0, -2])
def test_less_than_one_worker_is_refused(workers):
    with pytest.raises(ValueError, match=f"workers must be >= 1, got {workers}"), executors.local_or_cluster(workers):
        pass


SCAN = [
    "scan",
    "--case",
    "A",
    "--paper",
    "--ratio",
    "10",
    "--m-chi-min",
    "1",
    "--m-chi-max",
    "1000",
    "--points",
    "12000",
    "--out",
]
SMALL = """
import signal, sys
from cevnsloop import analysis
from cevnsloop.app import cli
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets jobs in the background ignore it
analysis.PIECE = 50
sys.exit(cli.main(sys.argv[1:]))
"""
INTERRUPTED = "cevnsloop: interrupted; the same command goes on from here\n"


@pytest.fixture(scope="module")
def limits(tmp_path_factory):
    """The file of SCAN in the pieces of SMALL, without incidents."""
    out = tmp_path_factory.mktemp("limits") / "limits.csv"
    with pytest.MonkeyPatch.context() as m:
        m.setattr(analysis, "PIECE", 50)
        assert cli.main([*SCAN, str(out)]) == 0
    return out.read_bytes()


def records(part):
    return part.read_bytes().count(b"\n") - 1 if part.exists() else -1


def started(arguments):
    """The command as a shell starts it: with its workers in a group of its own, which Ctrl-C reaches."""
    command = [sys.executable, "-c", SMALL, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def ended(process):
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize(
    ("workers", "signals"),
    [(1, [signal.SIGINT, signal.SIGKILL]), (2, [signal.SIGKILL, signal.SIGINT])],
)
def test_a_scan_survives_whatever_moment_it_is_interrupted_at(tmp_path, limits, workers, signals):
    out = tmp_path / "limits.csv"
    part = tmp_path / "limits.csv.part"
    command, kept, moment = [*SCAN, str(out), "--workers", str(workers)], b"", random.Random()
    for number in signals:
        with started(command) as process:
            enough = max(records(part), 0) + moment.randint(1, 12)
            while records(part) < enough and process.poll() is None:
                time.sleep(0.001)
            time.sleep(moment.uniform(0, 0.02))
            family = psutil.Process(process.pid).children(recursive=True)
            if number == signal.SIGINT:
                os.killpg(process.pid, number)
            else:
                process.kill()
            said, complained = process.communicate(timeout=30)
        assert said == ""
        if number == signal.SIGINT:
            damage = f"cevnsloop: {part}: 1 damaged record dropped, to be computed again\n"  # by SIGKILL
            assert (process.returncode, complained.removeprefix(damage)) == (130, INTERRUPTED)
        patience = time.monotonic() + 10
        while not all(ended(member) for member in family):
            assert time.monotonic() < patience, family
            time.sleep(0.01)
        assert not out.exists()
        now = part.read_bytes()
        whole = now[: now.rindex(b"\n") + 1]
        assert whole.startswith(kept)
        assert len(whole) > len(kept)
        kept = whole
    with started(command) as process:
        said, complained = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, f"12000 limits written to {out}\n")
    assert out.read_bytes() == limits
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
def test_workers_that_are_just_starting_leave_an_interrupt_to_the_command(tmp_path):
    with started([*SCAN, str(tmp_path / "limits.csv"), "--workers", "2"]) as process:
        while process.poll() is None and len(psutil.Process(process.pid).children()) < 2:  # a tracker, and one worker
            time.sleep(0.001)
        time.sleep(0.2)
        os.killpg(process.pid, signal.SIGINT)
        assert (*process.communicate(timeout=30), process.returncode) == ("", INTERRUPTED, 130)


CLUSTER = """
import sys
from distributed import LocalCluster
with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs="CRITICAL") as cluster:
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()
"""


class Cluster:
    """A Dask cluster of two worker processes, which has seen nothing of this process."""

    def __init__(self, process):
        self.process, self.address = process, process.stdout.readline().strip()

    def workers(self):
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child.pid for child in children if any("spawn_main" in word for word in child.cmdline())]


@pytest.fixture(scope="module")
def cluster():
    command = [sys.executable, "-c", CLUSTER]
    environment = os.environ | {"PYTHONPATH": os.path.dirname(__file__)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        yield Cluster(process)
        process.stdin.close()


def lingering(folder, scale, piece):
    """numbers() that notes its process; the third piece waits there until one process has been killed."""
    (folder / f"{piece[0]}.{os.getpid()}").touch()
    while piece == PIECES[2] and not (folder / "killed").exists():
        time.sleep(0.01)
    return numbers(scale, piece)


IN_DASK = """
import functools, pathlib, sys
import test_tasks
from cevnsloop.run import executors
folder, address = pathlib.Path(sys.argv[1]), sys.argv[2]
with executors.local_or_cluster(address=address) as dask:
    test_tasks.Run(folder / "numbers.csv")(functools.partial(test_tasks.lingering, folder), dask)
"""


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
def test_a_dask_worker_killed_over_a_piece_changes_nothing(tmp_path, expected, cluster):
    command = [sys.executable, "-c", IN_DASK, str(tmp_path), cluster.address]
    with subprocess.Popen(command, cwd=os.path.dirname(__file__), stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not list(tmp_path.glob("4.*")):
            time.sleep(0.01)
        (victim,) = [int(path.suffix[1:]) for path in tmp_path.glob("4.*")]
        os.kill(victim, signal.SIGKILL)
        (tmp_path / "killed").touch()
        complained = process.communicate(timeout=60)[1]
    assert (process.returncode, complained) == (0, "")
    assert len(list(tmp_path.glob("4.*"))) == 2
    assert (tmp_path / "numbers.csv").read_bytes() == expected


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
def test_a_scan_by_dask_survives_an_interrupt_and_the_death_of_a_worker(tmp_path, limits, cluster):
    out, part = tmp_path / "limits.csv", tmp_path / "limits.csv.part"
    for number in (signal.SIGINT, signal.SIGKILL):
        with started([*SCAN, str(out), "--dask", cluster.address]) as process:
            victim = process.pid if number == signal.SIGINT else cluster.workers()[0]
            enough = max(records(part), 0) + 5
            while records(part) < enough and process.poll() is None:
                time.sleep(0.001)
            os.kill(victim, number)
            assert not out.exists()
            said, complained = process.communicate(timeout=60)
        if number == signal.SIGINT:
            assert (process.returncode, said, complained) == (130, "", INTERRUPTED)
    assert (process.returncode, said, complained) == (0, f"12000 limits written to {out}\n", "")
    assert out.read_bytes() == limits
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://127.0.0.1:1", "no Dask scheduler found at 'tcp://127.0.0.1:1': Timed out trying to connect to"),
        ("nowhere", "no Dask scheduler found at 'nowhere': missing port number in address 'nowhere'"),
    ],
)
def test_a_scheduler_that_is_not_there_is_one_line(tmp_path, address, message):
    program = "import sys; from cevnsloop.app import cli; from cevnsloop.run import executors; "
    program += "executors.CONNECT_S = 0.2; sys.exit(cli.main())"
    command = [sys.executable, "-c", program, *SCAN, str(tmp_path / "x.csv"), "--dask", address]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"cevnsloop: {message}")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


class FakeDask:
    """As much of distributed as is asked for, with a worker that gives `answer`."""

    class KilledWorker(Exception):
        pass

    def __init__(self, answer):
        self.comm = SimpleNamespace(resolve_address=str)
        self.client = MagicMock()
        self.client.run.return_value = {"tcp://w:1": answer}
        self.client.__exit__.return_value = False
        self.Client = lambda address, **_: self.client


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("cevnsloop 0.0.0, digest 0", "got cevnsloop 0.0.0, digest 0"),
        (ModuleNotFoundError("No module named 'cevnsloop'"), "got No module named 'cevnsloop'"),
    ],
)
def test_a_dask_worker_without_this_package_is_refused(monkeypatch, answer, message):
    monkeypatch.setitem(sys.modules, "distributed", FakeDask(answer))
    asked = rf"the Dask worker tcp://w:1 must have {provenance.line()}, {message}"
    with pytest.raises(ValueError, match=asked), executors.local_or_cluster(address="tcp://s:1"):
        pass


@pytest.mark.parametrize(
    ("error", "message"),
    [(FakeDask.KilledWorker("x"), r"workers died; the same .* \(x\)"), (CancelledError(), "the Dask scheduler was")],
)
def test_the_end_of_a_cluster_is_one_line(run, monkeypatch, error, message):
    dask = FakeDask(provenance.line())
    dask.client.get_executor.return_value.submit.side_effect = error
    monkeypatch.setitem(sys.modules, "distributed", dask)
    with pytest.raises(ChildProcessError, match=message), executors.local_or_cluster(address="tcp://s:1") as pool:
        run(executor=pool)


def test_dask_asks_for_the_package_it_needs(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)  # as if it were not there
    missing = r"this needs the package distributed, pip install distributed \("
    with pytest.raises(ValueError, match=missing), executors.local_or_cluster(address="tcp://s:1"):
        pass
