"""The ledger: complete, consistent, every test it names exists; the table made from it shows all and escapes all."""

import ast
import importlib
import re
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cevnsloop.amplitudes.quarks import SWITCHES

ROOT = Path(__file__).resolve().parents[2]
ROWS = tomllib.loads((ROOT / "book" / "ledger.toml").read_text(encoding="utf-8"))["row"]
EQUATIONS = [*map(str, range(2, 35)), *(f"A{n}" for n in range(1, 14))]
NEEDED, OPTIONAL = {"id", "chapter", "what", "status", "routes", "tests"}, {"note", "effect"}
LISTS = {"routes", "tests", "effect"}


@pytest.fixture(scope="module")
def ledger_table():
    sys.path.insert(0, str(ROOT / "book"))
    yield importlib.import_module("ledger_table")
    sys.path.remove(str(ROOT / "book"))


@cache
def functions(name):
    """Names of the top-level functions of a test file, empty if there is none."""
    path = ROOT / name
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def faults(rows, statuses):
    """What is wrong with a ledger, one line each."""
    found = [f"{name}: no row" for name in EQUATIONS if name not in {row.get("id") for row in rows}]
    found += [f"{name}: twice" for name, n in Counter(row.get("id") for row in rows).items() if n > 1]
    for row in rows:
        name = row.get("id")
        found += [f"{name}: no {key}" for key in sorted(NEEDED - set(row))]
        found += [f"{name}: unknown field {key}" for key in sorted(set(row) - NEEDED - OPTIONAL)]
        for key, value in row.items():
            entries = value if key in LISTS else [value]
            whole = isinstance(entries, list) and all(isinstance(e, str) and e.strip() for e in entries)
            if not (entries and whole):
                found.append(f"{name}: empty {key}")
        if row.get("status") not in statuses:
            found.append(f"{name}: unknown status {row.get('status')}")
        elif row["status"] != "confirmed" and "note" not in row:
            found.append(f"{name}: {row['status']} without a note")
        if row.get("status") in ("differs", "slip") and "effect" not in row:
            found.append(f"{name}: {row['status']} without an effect")
        for effect in row.get("effect", []):
            reason = effect.removeprefix("none: ") if effect.startswith("none: ") else ""
            if effect not in SWITCHES and not reason.strip():
                found.append(f"{name}: effect {effect!r} is neither a switch nor none with a reason")
        if not (ROOT / "book" / f"{row.get('chapter')}.ipynb").is_file():
            found.append(f"{name}: there is no chapter {row.get('chapter')}")
        for test in row.get("tests", []):
            file, _, function = test.partition("::")
            if not function.startswith("test_") or function not in functions(file):
                found.append(f"{name}: there is no {test}")
    return found


def test_ledger_is_complete_and_consistent(ledger_table):
    assert faults(ROWS, ledger_table.STATUSES) == []


def changed(identity, **fields):
    """The ledger with fields of one row replaced; None takes a field out."""
    copy = [dict(row) for row in ROWS]
    (row,) = (row for row in copy if row["id"] == identity)
    for key, value in fields.items():
        if value is None:
            del row[key]
        else:
            row[key] = value
    return copy


A_FILE = "tests/physics/test_paper.py"
A_TEST = f"{A_FILE}::test_quoted_limits_of_case_a"


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([row for row in ROWS if row["id"] != "17"], "17: no row"),
        ([row for row in ROWS if row["id"] != "A13"], "A13: no row"),
        ([*ROWS, ROWS[5]], f"{ROWS[5]['id']}: twice"),
        (changed("7", status="wrong"), "7: unknown status wrong"),
        (changed("7", status=None), "7: no status"),
        (changed("7", what=" "), "7: empty what"),
        (changed("7", routes=[]), "7: empty routes"),
        (changed("7", routes=["traces", ""]), "7: empty routes"),
        (changed("7", routes="traces"), "7: empty routes"),
        (changed("7", note=""), "7: empty note"),
        (changed("7", note=None), "7: differs without a note"),
        (changed("6", note=None), "6: taken without a note"),
        (changed("7", effect=None), "7: differs without an effect"),
        (changed("4", effect=None), "4: slip without an effect"),
        (changed("7", effect=["sign"]), "7: effect 'sign' is neither a switch nor none with a reason"),
        (changed("7", effect=["none: "]), "7: effect 'none: ' is neither a switch nor none with a reason"),
        (changed("7", tests=[]), "7: empty tests"),
        (changed("7", tests=None), "7: no tests"),
        (changed("7", tests=[f"{A_TEST}s"]), f"7: there is no {A_TEST}s"),
        (changed("7", tests=[f"{A_TEST}[1]"]), f"7: there is no {A_TEST}[1]"),
        (changed("7", tests=["tests/test_none.py::test_x"]), "7: there is no tests/test_none.py::test_x"),
        (
            changed("7", tests=["tests/physics/test_paper.py::limit"]),
            "7: there is no tests/physics/test_paper.py::limit",
        ),
        (changed("7", tests=["tests/physics/test_paper.py"]), "7: there is no tests/physics/test_paper.py"),
        (changed("7", chapter="box"), "7: there is no chapter box"),
        (changed("7", comment="x"), "7: unknown field comment"),
    ],
)
def test_each_fault_is_found(ledger_table, rows, fault):
    assert fault in faults(rows, ledger_table.STATUSES)


@pytest.fixture(scope="module")
def page(ledger_table):
    """table(rows) as a tree, of HTML that is well nested."""

    def page(rows):
        html = re.sub(r"<(input[^>]*)>", r"<\1/>", ledger_table.table(rows))
        html = re.sub(r"(<script>)(.*?)(</script>)", r"\1<![CDATA[\2]]>\3", html, flags=re.DOTALL)
        html = re.sub(r"(?<= )(hidden)(?=>)", r'hidden=""', html)
        return ElementTree.fromstring(html)

    return page


def texts(tree, path):
    return ["".join(element.itertext()) for element in tree.findall(path)]


def test_table_shows_every_row_and_leads_to_its_chapter(page, ledger_table):
    tree, said = page(ROWS), []
    for tr, row in zip(tree.findall(".//tbody/tr"), ROWS, strict=True):
        (link,), cells = tr.findall("th/a"), tr.findall("td")
        assert (tr.get("data-status"), link.get("href")) == (row["status"], f"{row['chapter']}.html")
        assert link.text == ledger_table.item(row["id"])
        assert texts(cells[0], "p")[: 1 + ("note" in row)] == [row[key] for key in ("what", "note") if key in row]
        assert "".join(cells[1].itertext()) == f"{ledger_table.STATUSES[row['status']]} {row['status']}"
        assert texts(cells[2], "p") == ["; ".join(row["routes"])]
        assert texts(cells[2], ".//code") == row["tests"]
        said += texts(cells[0], ".//code")
    assert set(said) == set(SWITCHES)
    assert texts(tree, ".//thead//th") == list(ledger_table.HEADERS)
    assert texts(tree, ".//option") == ["all", *ledger_table.STATUSES]
    assert [ledger_table.item(name) for name in ("7", "A13", "kink-2")] == ["Eq. (7)", "Eq. (A13)", "kink-2"]


def test_table_is_one_for_every_reader_and_takes_nothing_from_elsewhere(ledger_table):
    """In a narrow column rows are laid out as grids, which hides the table from a screen reader that has no roles."""
    html, rows = ledger_table.table(ROWS), len(ROWS)
    roles = {"table": 1, "rowgroup": 2, "row": rows + 1, "columnheader": 4, "rowheader": rows, "cell": 3 * rows}
    assert {role: html.count(f'role="{role}"') for role in roles} == roles
    for needed in ("<label>Search <input", "<label>Verdict <select", 'aria-live="polite"', "tr:not([hidden])"):
        assert needed in html
    for forbidden in ("http", "src=", "@import", "url(", "white;", "black", "rgb(", "$\\", "\\(", "max-height"):
        assert forbidden not in html.replace("white-space", "")


def test_table_escapes_everything(page):
    evil = "<b>&\"'</b><script>"
    row = {key: evil for key in ("id", "chapter", "what", "note", "status")} | {"routes": [evil], "tests": [evil]}
    for effect in (evil, f"none: {evil}"):
        tree = page([row | {"effect": [effect]}])
        assert len(tree.findall(".//script")) == 1
        assert not tree.findall(".//b")
        assert tree.find(".//tbody/tr").get("data-status") == evil
        assert "".join(tree.find(".//tbody").itertext()).count(evil) == 7
