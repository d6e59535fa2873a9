"""tools/chapter.py: what it stores of a chapter and what it refuses; chapters as text and back without a loss."""

import importlib
import json
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
FIGURE = {"tags": ["hide-input"], "mystnb": {"figure": {"name": "fig-x", "caption": "It's $\\chi$: 1 # 2"}}}
SLOW = "import time\nprint('a', flush=True)\ntime.sleep(0.3)\nprint('b')"
CELLS = [
    ("markdown", "aim", {}, "# Aim\n\n- a list\n\n```python\nx = 1\n```\n\n:::{note}\n++ or not\n:::"),
    ("markdown", "more", {"slideshow": "skip"}, "$$\nx^2\n$$ (eq-x)\n\n---\n\nA line.\\\nAnother, 10⁻⁹."),
    ("code", "cell-02", FIGURE, 'text = """\n```\n+++\n---\n"""\n\nprint(len(text))'),
    ("code", "empty", {}, ""),
    ("code", "slow", {"tags": ["hide-cell"]}, SLOW),
]


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module("chapter")


@pytest.fixture
def say(tool, monkeypatch, capsys):
    """Run the tool with arguments; its exit status and what it says."""

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["chapter.py", *map(str, arguments)])
        return tool.main(), capsys.readouterr().out

    return run


@pytest.fixture
def chapter(tool, tmp_path):
    """The path of a chapter that was never run; its text will be _text/small.md."""
    path = tmp_path / "book" / "small.ipynb"
    path.parent.mkdir()
    cells = [dict(zip(("cell_type", "id", "metadata", "source"), cell, strict=True)) for cell in CELLS]
    path.write_text(nbformat.writes(tool.prepared({"cells": cells})), encoding="utf-8")
    return path


@pytest.fixture
def text(tmp_path):
    return tmp_path / "_text" / "small.md"


def inputs(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(cell["cell_type"], cell["id"], cell["metadata"], "".join(cell["source"])) for cell in cells]


def printed(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(out["text"]) for cell in cells if cell["cell_type"] == "code" for out in cell["outputs"]]


@pytest.mark.parametrize("path", sorted((ROOT / "book").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_chapter_survives_as_text(path, tool):
    notebook = tool.read(path)
    back, made_from = tool.from_text(tool.to_text(notebook))
    assert tool.fingerprint(back) == made_from == tool.fingerprint(notebook)
    assert back == notebook


def test_a_chapter_is_edited_as_text_and_put_back(chapter, text, say):
    assert inputs(chapter) == CELLS
    assert say(chapter)[0] == 0
    stored = chapter.read_bytes()
    assert printed(chapter) == ["13\n", "a\nb\n"]

    assert say("--text", chapter)[0] == 0
    written = text.read_text(encoding="utf-8")
    assert say(text)[0] == 0, "no edits"
    assert chapter.read_bytes() == stored
    assert not text.exists()

    edited = written.replace("A line.", "A new line.") + "\n```{code-cell}\nprint(6 * 7)\n```\n\nThe answer."
    text.write_text(edited, encoding="utf-8")
    status, said = say("--text", chapter)
    assert (status, "may have edits" in said) == (1, True)
    assert text.read_text(encoding="utf-8") == edited
    assert say(text)[0] == 0
    *kept, code, markdown = inputs(chapter)
    more = (*CELLS[1][:3], CELLS[1][3].replace("A line.", "A new line."))
    assert kept == [CELLS[0], more, *CELLS[2:]]
    assert code == ("code", "cell-01", {}, "print(6 * 7)")
    assert markdown == ("markdown", "cell-03", {}, "The answer.")
    assert printed(chapter)[-1] == "42\n"


@pytest.mark.parametrize(("old", "new"), [("# Aim", "# The aim"), ("hide-input", "hide-cell"), ('"aim"', '"the-aim"')])
def test_a_text_does_not_undo_what_was_done_to_the_chapter_meanwhile(old, new, chapter, text, say):
    say("--text", chapter)
    chapter.write_text(chapter.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    before = chapter.read_bytes()
    status, said = say(text)
    assert (status, "has changed since" in said) == (1, True)
    assert (chapter.read_bytes(), text.exists()) == (before, True)


@pytest.mark.parametrize("source", ["One cell\n\n+++\n\nand a second", "One cell\n\n```{code-cell}\nx\n```"])
def test_a_cell_that_text_cannot_hold_is_refused(source, chapter, text, say):
    cells = [nbformat.v4.new_markdown_cell(source)]
    chapter.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)), encoding="utf-8")
    status, said = say("--text", chapter)
    assert (status, "edit it as a notebook" in said) == (1, True)
    assert not text.exists()


def test_a_text_may_be_a_new_chapter(say, chapter, text):
    chapter.unlink()
    text.parent.mkdir()
    text.write_text("# New\n\n```{code-cell}\n:tags: [hide-input]\n\nprint(1)\n```\n", encoding="utf-8")
    assert say(text)[0] == 0
    code = ("code", "cell-02", {"tags": ["hide-input"]}, "print(1)")
    assert inputs(chapter) == [("markdown", "cell-01", {}, "# New"), code]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import sys\nprint('hm', file=sys.stderr)", "writes to stderr:\nhm"),
        ("from IPython.display import SVG\nSVG('<svg/>')", "show PNG only"),
        (":tags: [unclosed\n\nprint(1)", "the metadata of a cell cannot be read"),
    ],
)
def test_a_chapter_that_goes_wrong_is_not_stored(cell, message, chapter, text, say):
    say("--text", chapter)
    edited = text.read_text(encoding="utf-8") + f"\n```{{code-cell}}\n{cell}\n```\n"
    text.write_text(edited, encoding="utf-8")
    before = chapter.read_bytes()
    status, said = say(text)
    assert status == 1
    assert message in said
    assert chapter.read_bytes() == before
    assert text.read_text(encoding="utf-8") == edited


@pytest.mark.parametrize("arguments", [["book/references.md"], ["--text", "_text/small.md"], ["README.md"]])
def test_other_files_are_refused(arguments, say):
    with pytest.raises(SystemExit, match="2"):
        say(*arguments)


def test_cleaning_drops_what_is_not_compared(tool):
    figure = nbformat.v4.new_output("display_data", {"image/png": "AA==", "text/plain": "<Figure>"})
    cell = nbformat.v4.new_code_cell("x", outputs=[figure], metadata={"execution": {"busy": "today"}})
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {}})
    tool.clean(notebook)
    assert cell.outputs[0].data == {"text/plain": "<Figure>"}
    assert cell.metadata == {}
    assert notebook.metadata == {"kernelspec": tool.KERNELSPEC, "language_info": tool.LANGUAGE}
