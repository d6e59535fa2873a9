"""The ledger: complete, consistent, every test it names exists; the table made from it shows all and escapes all."""

import ast
import importlib
import sys
import tomllib
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cevnsloop.amplitudes.quarks import SWITCHES

ROOT = Path(__file__).resolve().parents[2]
ROWS = tomllib.loads((ROOT / "book" / "ledger.toml").read_text(encoding="utf-8"))["row"]
EQUATIONS = [*map(str, range(2, 35)), *(f"A{n}" for n in range(1, 14))]
NEEDED, OPTIONAL = {"id", "what", "status", "routes", "tests"}, {"note", "effect"}
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
        (changed("7", comment="x"), "7: unknown field comment"),
    ],
)
def test_each_fault_is_found(ledger_table, rows, fault):
    assert fault in faults(rows, ledger_table.STATUSES)


class Reader(HTMLParser):
    """Tags in order and the text of each element, of HTML that must be well nested."""

    VOID = frozenset({"input"})

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.stack, self.tags, self.texts, self.scopes, self.statuses = [], Counter(), {}, Counter(), []
        self.feed(html)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags[tag] += 1
        self.scopes[attributes.get("scope")] += tag == "th"
        if "data-status" in attributes:
            self.statuses.append(attributes["data-status"])
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.texts.setdefault(self.stack[-1] if self.stack else "", []).append(data)


def test_table_shows_every_row(ledger_table):
    page = Reader(ledger_table.table(ROWS))
    assert page.tags["table"] == page.tags["thead"] == page.tags["tbody"] == 1
    assert page.tags["tr"] == len(ROWS) + 1
    assert page.tags["td"] == 3 * len(ROWS)
    assert +page.scopes == {"col": 4, "row": len(ROWS)}
    assert page.statuses == [row["status"] for row in ROWS]
    assert page.texts["th"] == [*ledger_table.HEADERS, *(ledger_table.item(row["id"]) for row in ROWS)]
    paragraphs, codes = page.texts["p"], page.texts["code"]
    for row in ROWS:
        assert row["what"] in paragraphs
        assert row.get("note", row["what"]) in paragraphs
        assert "; ".join(row["routes"]) in paragraphs
        assert set(row["tests"]) <= set(codes)
    assert set(SWITCHES) <= set(codes)
    assert page.texts["option"] == ["all", *ledger_table.STATUSES]


def test_table_has_labelled_controls_and_nothing_from_elsewhere(ledger_table):
    html = ledger_table.table(ROWS)
    for needed in ("<label>Search <input", "<label>Status <select", 'aria-live="polite"', 'tabindex="0"'):
        assert needed in html
    # no network, no fixed colours, no TeX
    for forbidden in ("http", "src=", "@import", "url(", "white;", "black", "rgb(", "$\\", "\\("):
        assert forbidden not in html.replace("white-space", "")


def test_table_stays_one_where_rows_are_cards_and_is_printed_whole(ledger_table):
    """In a narrow column rows are laid out as grids, which hides the table from a screen reader that has no roles."""
    html = ledger_table.table(ROWS)
    rows = len(ROWS)
    roles = {"table": 1, "rowgroup": 2, "row": rows + 1, "columnheader": 4, "rowheader": rows, "cell": 3 * rows}
    assert {role: html.count(f'role="{role}"') for role in roles} == roles
    assert html.count('class="status"') == rows
    narrow, printed = html.split("@container", 1)[1].split("@media print", 1)
    assert "container-type: inline-size" in html
    assert "tr:not([hidden])" in narrow, "the filter hides cards too"
    assert "max-height: none" in printed


def test_table_escapes_everything(ledger_table):
    evil = "<b>&\"'</b><script>"
    row = {"id": evil, "what": evil, "note": evil, "status": evil, "routes": [evil], "tests": [evil]}
    for effect in (evil, f"none: {evil}"):
        html = ledger_table.table([row | {"effect": [effect]}])
        page = Reader(html)
        assert page.tags["script"] == 1
        assert page.tags["b"] == 0
        assert page.statuses == [evil]
        assert html.count("&lt;b&gt;&amp;&quot;&#x27;&lt;/b&gt;&lt;script&gt;") == 8


def test_items_are_named(ledger_table):
    assert [ledger_table.item(name) for name in ("7", "A13", "kink-2")] == ["Eq. (7)", "Eq. (A13)", "kink-2"]
