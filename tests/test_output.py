import numpy as np
import pytest

from cevnsloop import __version__, output


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


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"cannot write .*table\.csv: the folder .*nowhere does not exist"):
        output.write_text(tmp_path / "nowhere" / "table.csv", "")


UNITS = {"x": "MeV", "y": "MeV^2"}
HEAD = f"# cevnsloop {__version__}: squares\n# columns: x [MeV], y [MeV^2]\n# case A\n"


def test_the_head_of_a_table_names_units_and_settings():
    assert output.header("squares", UNITS, ("case A",)) == HEAD
    assert output.header("squares", UNITS) == HEAD.removesuffix("# case A\n")


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
        ("t", {"x": [2.0]}, {"x": "MeV\n"}, (), "must not be broken"),
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
