"""The page of the package: every public module and name is on it, and every docstring reads as it does in help()."""

import ast
import importlib
import re
from pathlib import Path

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives, roles
from test_architecture import FOLDER

ROOT = Path(__file__).resolve().parents[2]
NOT_FOR_IMPORT = {"__init__", "__main__"}  # the version and a call of cli.main
FILES = sorted(path for path in FOLDER.rglob("*.py") if path.stem != "__main__")


@pytest.fixture
def extension(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module("book_extension")


def name_of(path):
    """The dotted name of a module of the package."""
    return ".".join(path.relative_to(FOLDER.parent).with_suffix("").parts).removesuffix(".__init__")


def documented(path):
    """(name, node) of a module and of its public functions, classes and methods."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    todo = [(name_of(path), module)]
    while todo:
        name, node = todo.pop()
        yield name, node
        todo += [
            (f"{name}.{child.name}", child)
            for child in node.body
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)) and not child.name.startswith("_")
            if not isinstance(node, ast.FunctionDef)
        ]


def test_every_public_module_is_on_the_page_once_and_the_floors_together():
    page = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\.\. automodule:: cevnsloop\.(\S+)$", page, flags=re.MULTILINE)
    modules = {name_of(path).removeprefix("cevnsloop.") for path in FILES if path.name != "__init__.py"}
    assert sorted(shown) == sorted(modules | {"derivation"})
    floors = [name.split(".")[0] for name in shown if name != "results.answers"]  # it stands at the front door
    for floor in set(floors):
        first, last = floors.index(floor), len(floors) - 1 - floors[::-1].index(floor)
        assert set(floors[first : last + 1]) == {floor}, floor
    assert re.findall(r"^###? (\S+)$", page, flags=re.MULTILINE) == shown


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_public_name_has_a_docstring(path):
    for name, node in documented(path):
        assert ast.get_docstring(node), name


STRICT = {"report_level": 2, "halt_level": 2}  # warnings are errors


class Data(Directive):
    """A stand-in for Sphinx's py:data."""

    required_arguments, final_argument_whitespace, has_content = 1, True, True
    option_spec = {"value": directives.unchanged}  # noqa: RUF012

    def run(self):
        found = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, found)
        return [found]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_docstring_is_valid_and_keeps_its_words(path, extension):
    roles.register_generic_role("py:obj", nodes.literal)
    directives.register_directive("py:data", Data)
    for name, node in documented(path):
        plain = ast.get_docstring(node)
        text = "\n".join(extension.converted(plain, name_of(path)))
        document = publish_doctree(text, settings_overrides=STRICT)
        for message in list(document.findall(nodes.system_message)):  # at first sight of the role, not a warning
            message.parent.remove(message)
        shown = re.sub(r" <cevnsloop\.[\w.]+>", "", document.astext())  # the stand-in shows the target of a link too
        assert re.sub(r"[\s`]", "", shown) == re.sub(r"[\s`]", "", without_numbers_of_lists(plain)), name


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_constant_is_shown(path, extension):
    roles.register_generic_role("py:obj", nodes.literal)
    directives.register_directive("py:data", Data)
    code = path.read_text(encoding="utf-8")
    text = "\n".join(extension.constants(code, name_of(path)))
    publish_doctree(text, settings_overrides=STRICT)
    public = re.findall(r"^([A-Za-z]\w*) = ", code, flags=re.MULTILINE)
    assert re.findall(r"^\.\. py:data:: (\w+)$", text, flags=re.MULTILINE) == public


def without_numbers_of_lists(text):
    return re.sub(r"^\d+\. ", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ("One `name` and m_chi * |x|.", ["One ``name`` and m\\_chi \\* \\|x\\|.", ""]),
        ('Either "a" or "--b c" or "two words".', ['Either ``"a"`` or ``"--b c"`` or \\"two words\\".', ""]),
        ("    D0b = -x/2    (A1)", [".. code-block:: text", "", "   D0b = -x/2    (A1)", ""]),
        ("    int d^4l  1 / l^2", [".. code-block:: text", "", "   int d^4l  1 / l^2", ""]),
        ("    published:  k = 1", [".. code-block:: text", "", "   published:  k = 1", ""]),
        ("    D0b   first   second", [".. code-block:: text", "", "   D0b   first   second", ""]),
        ("    GAMMA[mu]   upper index", ["``GAMMA[mu]``", "   upper index", ""]),
        (
            "m_chi  mass\n       in MeV\nz      its square",
            ["``m_chi``", "   mass", "   in MeV", "", "``z``", "   its square", ""],
        ),
        ("m_chi  mass\nThen prose.", ["``m_chi``", "   mass", "", "Then prose.", ""]),
        ("A sentence.  Another.", ["A sentence.  Another.", ""]),
        ("1. One\n   more\n2. Two", ["1. One", "   more", "2. Two", ""]),
    ],
)
def test_plain_text_becomes(plain, expected, extension):
    assert extension.converted(plain, "cevnsloop.amplitudes.loops") == expected


def test_names_become_links_where_they_mean_a_function_or_class(extension):
    inline = extension.inline
    assert inline("`D0b`", "cevnsloop.amplitudes.loops") == ":py:obj:`D0b <cevnsloop.amplitudes.loops.D0b>`"
    assert inline("`xsec.total`", "cevnsloop.amplitudes.loops") == ":py:obj:`xsec.total <cevnsloop.rates.xsec.total>`"
    assert inline("`unit_model`", "cevnsloop.results.quoted") == ":py:obj:`unit_model <cevnsloop.model.unit_model>`"
    for word in ("m_chi", "np", "NEAR", "_Point", "D0b(1, 2)", "nowhere.total"):
        assert inline(f"`{word}`", "cevnsloop.amplitudes.loops") == f"``{word}``"


def test_constants_come_with_their_values_and_comments(extension):
    code = (FOLDER / "amplitudes" / "quarks.py").read_text(encoding="utf-8")
    text = "\n".join(extension.constants(code, "cevnsloop.amplitudes.quarks"))
    assert '.. py:data:: KAPPA\n   :value: {"A": -4, "B": 12}\n\n   below Eq. (5)\n' in text
    assert "   Eq. (14): valence numbers." in text, "a comment above the statement"
    code = (FOLDER / "amplitudes" / "loops.py").read_text(encoding="utf-8")
    text = "\n".join(extension.constants(code, "cevnsloop.amplitudes.loops"))
    assert ".. py:data:: NEAR\n   :value: -2.4, 1.8\n\n   range of" in text
    assert ".. py:data:: PRINTED\n\n" in text, "a long value is left to the source"
    assert "_I0" not in text
