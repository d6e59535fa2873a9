import os
import shutil
import socket
import stat
from pathlib import Path

import numpy as np
import pytest

from cevnsloop import __version__, inputs
from cevnsloop.run import output, provenance


def half_way(target):
    with output.whole_file(target) as part:
        part.write_text("half")
        raise RuntimeError("half-way")


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="half-way"):
        half_way(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
    output.write_text(target, "new\n")
    assert target.read_bytes() == b"new\n"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path):
    (tmp_path / "table.csv").touch(mode=0o600)
    output.write_text(tmp_path / "table.csv", "new\n")
    assert (tmp_path / "table.csv").stat().st_mode & 0o777 == 0o600


def bound_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))  # its name may not be long


NODES = {
    "a folder": Path.mkdir,
    "a symbolic link": lambda path: path.symlink_to(path.with_name("other")),
    "a FIFO": os.mkfifo,
    "a socket": bound_socket,
    "read-only": lambda path: path.touch(mode=0o444),
}


@pytest.mark.skipif(os.name != "posix", reason="not every system has such nodes")
@pytest.mark.parametrize("what", NODES)
@pytest.mark.parametrize("there", [True, False], ids=["there", "dangling"])
def test_what_is_not_an_ordinary_file_is_not_replaced(tmp_path, what, there):
    path = tmp_path / "table.csv"
    NODES[what](path)
    if there:
        (tmp_path / "other").write_text("old")
    before = path.lstat(), sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match=rf"cannot write .*table\.csv: it is {what}"):
        output.write_text(path, "new")
    assert (path.lstat(), sorted(tmp_path.iterdir())) == before
    assert not there or (tmp_path / "other").read_text() == "old"


@pytest.mark.parametrize("kind", [stat.S_IFCHR, stat.S_IFBLK])
def test_a_device_is_not_replaced(tmp_path, monkeypatch, kind):
    path, made = tmp_path / "table.csv", Path.lstat
    path.touch()
    monkeypatch.setattr(Path, "lstat", lambda self: os.stat_result([kind | 0o666, *made(self)[1:]]))
    with pytest.raises(ValueError, match=r"cannot write .*table\.csv: it is a device, not a file"):
        output.target(path)


def test_a_link_that_comes_while_a_file_is_written_is_not_replaced(tmp_path):
    path = tmp_path / "table.csv"
    with pytest.raises(ValueError, match="it is a symbolic link"), output.whole_file(path) as part:  # noqa: PT012
        part.write_text("new")
        path.symlink_to("other")
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_missing_or_none_is_named(tmp_path):
    (tmp_path / "taken").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(ValueError, match=r"cannot write .*table\.csv: the folder .*nowhere does not exist"):
        output.write_text(tmp_path / "nowhere" / "table.csv", "")
    for name in ("taken", "dangling"):
        with pytest.raises(ValueError, match=rf"cannot write into .*below: .*{name} is not a folder"):
            output.write_table(tmp_path / name / "below" / "table.csv", "squares", {"x": [1.0]}, {"x": "1"})
    assert output.folder(tmp_path / "new" / "below") == tmp_path / "new" / "below"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "taken"]


UNITS = {"x": "MeV", "y": "MeV^2"}
HEAD = f"""# %ECSV 1.0
# ---
# datatype:
# - {{name: x, unit: MeV, datatype: float64}}
# - {{name: y, unit: MeV^2, datatype: float64}}
# delimiter: ','
# meta:
#   comments:
#   - "cevnsloop {__version__}: squares"
#   - "case A"
#   - "digest {provenance.digest()} of version, inputs and data tables"
# schema: astropy-2.0
"""


def test_the_head_of_a_table_names_units_settings_and_digest():
    assert output.header("squares", UNITS, ("case A",)) == HEAD
    assert output.header("squares", UNITS) == HEAD.replace('#   - "case A"\n', "")


def test_the_digest_tells_inputs_tables_and_versions_apart(tmp_path, monkeypatch):
    compute = provenance.digest.__wrapped__
    assert compute() == provenance.digest()
    found = {compute()}
    data = Path(inputs.__file__).parent / "data"
    copy = tmp_path / "data"
    shutil.copytree(data, copy)
    monkeypatch.setattr(provenance.resources, "files", lambda package: tmp_path)
    assert compute() in found
    tables = sorted(copy.glob("*/*.csv"))
    assert tables
    for table in tables:
        table.write_bytes(table.read_bytes() + b"\n")
        found.add(compute())
    text = inputs.text()
    monkeypatch.setattr(inputs, "text", lambda: text + "\n")
    found.add(compute())
    monkeypatch.setattr(provenance, "__version__", "0")
    found.add(compute())
    assert len(found) == 3 + len(tables)
    assert all(len(digest) == 16 for digest in found)


def test_a_table_names_its_columns_in_the_order_of_the_columns():
    columns = {"x": [1.0, 2.0], "y": np.array([1.0, 1 / 3])}
    text = HEAD + "x,y\n1,1\n2,0.3333333333\n"
    assert output.table("squares", columns, UNITS, ("case A",)) == text
    assert output.table("squares", columns, dict(reversed(UNITS.items())), ("case A",)) == text


def test_rows_are_the_same_alone_and_under_a_head():
    columns = {"n": np.array([1, 20]), "x": [1 / 3, np.nan], "y": np.array([-1e-300, np.inf])}
    assert output.rows(columns) == "1,0.3333333333,-1e-300\n20,nan,inf\n"
    assert output.csv("# head\n", columns) == "# head\nn,x,y\n" + output.rows(columns)


def test_a_written_table_is_that_text(tmp_path):
    path = tmp_path / "new" / "squares.csv"
    output.write_table(path, "squares", {"x": [2.0], "y": [4.0]}, UNITS, ("case A",))
    assert path.read_bytes().decode() == HEAD + "x,y\n2,4\n"


@pytest.mark.parametrize(
    ("title", "columns", "units", "settings", "message"),
    [
        ("t", {"x": [1.0, 2.0], "y": [1.0]}, UNITS, (), "shorter"),
        ("t", {"x": [2.0]}, {"z": "MeV"}, (), r"columns \['x'\] and units \['z'\] must have the same names"),
        ("t", {"x": [2.0]}, UNITS, (), r"columns \['x'\] and units \['x', 'y'\] must have the same names"),
        ("t", {"x": [2.0], "y": [4.0]}, {"x": "MeV"}, (), r"columns \['x', 'y'\] and units \['x'\] must have"),
        ("t", {"x": [2.0]}, {"x": ""}, (), "the unit of x must be named, \"1\" for a pure number, got ''"),
        ("t", {"m [MeV]": [2.0]}, {"m [MeV]": "MeV"}, (), r"like a Python variable, got 'm \[MeV\]'"),
        ("t", {"x,y": [2.0]}, {"x,y": "1"}, (), "like a Python variable, got 'x,y'"),
        ("two\nlines", {"x": [2.0]}, {"x": "1"}, (), r"must not be broken, got 'cevnsloop .*two\\nlines'"),
        ("t", {"x": [2.0]}, {"x": "1"}, ("case A\r",), "must not be broken"),
        ("t", {"x": [2.0]}, {"x": "1"}, ("case A\n1,2",), r"must not be broken, got 'case A\\n1,2'"),
        ("t", {"x": [2.0]}, {"x": "MeV\n"}, (), r"the unit of x must be named, .*got 'MeV\\n'"),
    ],
)
def test_a_table_that_could_be_misread_is_refused(tmp_path, title, columns, units, settings, message):
    with pytest.raises(ValueError, match=message):
        output.write_table(tmp_path / "new" / "t.csv", title, columns, units, settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1.41e-4, 2, "1.4 × 10⁻⁴"), (6.529e-9, 3, "6.53 × 10⁻⁹"), (9.96e11, 2, "1.0 × 10¹²"), (3.0, 1, "3 × 10⁰")],
)
def test_numbers_for_readers(value, digits, text):
    assert output.scientific(value, digits) == text.replace(" ", "\N{NO-BREAK SPACE}")
