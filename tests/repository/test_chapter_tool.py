"""tools/chapter.py: what it stores of a chapter and what it refuses; chapters as text and back without a loss."""

import importlib
import json
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
FIGURE = {"tags": ["hide-input"], "mystnb": {"figure": {"name": "fig-x", "caption": "It's $\\chi$: 1 # 2"}}}
CELLS = [
    ("markdown", "aim", {}, "# Aim\n\n- a list\n\n```python\nx = 1\n```\n\n:::{note}\n++ or not\n:::"),
    ("markdown", "more", {"slideshow": "skip"}, "$$\nx^2\n$$ (eq-x)\n\n---\n\nA line.\\\nAnother, 10⁻⁹."),
    ("code", "cell-02", FIGURE, 'text = """\n```\n+++\n---\n"""\n\nprint(len(text))'),
    ("code", "empty", {}, ""),
    ("code", "sum", {"tags": ["hide-cell"]}, "print(1 + 1)"),
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
    """The path of a chapter that was never run."""
    path = tmp_path / "book" / "small.ipynb"
    path.parent.mkdir()
    cells = [
        {"cell_type": kind, "id": name, "metadata": metadata, "source": source}
        for kind, name, metadata, source in CELLS
    ]
    tool.write(tool.prepared({"cells": cells, "metadata": {}}), path)
    return path


def inputs(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [(cell["cell_type"], cell["id"], cell["metadata"], "".join(cell["source"])) for cell in cells]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_survives_as_text_to_the_byte(path, tool, tmp_path):
    stored = path.read_text(encoding="utf-8")
    notebook = tool.read(path)
    back, made_from = tool.from_text(tool.to_text(notebook))
    assert tool.fingerprint(back) == made_from == tool.fingerprint(notebook)
    for cell, old in zip(back.cells, nbformat.reads(stored, as_version=4).cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = old.outputs, old.execution_count
    tool.write(back, tmp_path / "page.ipynb")
    assert (tmp_path / "page.ipynb").read_text(encoding="utf-8") == stored


def test_a_chapter_is_edited_as_text_and_put_back(chapter, say, tmp_path):
    text = tmp_path / "_text" / "small.md"
    assert inputs(chapter) == CELLS
    assert say(chapter)[0] == 0
    stored = chapter.read_bytes()
    outputs = [cell["outputs"] for cell in json.loads(stored)["cells"] if cell["cell_type"] == "code"]
    assert outputs == [
        [{"name": "stdout", "output_type": "stream", "text": ["13\n"]}],
        [],
        [{"name": "stdout", "output_type": "stream", "text": ["2\n"]}],
    ]

    assert say("--text", chapter)[0] == 0
    written = text.read_bytes()
    assert say(text)[0] == 0, "no edits"
    assert chapter.read_bytes() == stored
    assert text.read_bytes() == written

    edited = written.decode().replace("A line.", "A new line.") + "\n```{code-cell}\nprint(6 * 7)\n```\n\nThe answer."
    text.write_text(edited, encoding="utf-8")
    status, said = say("--text", chapter)
    assert (status, "has edits" in said) == (1, True)
    assert text.read_text(encoding="utf-8") == edited
    assert say(text)[0] == 0
    *kept, code, markdown = inputs(chapter)
    more = (*CELLS[1][:3], CELLS[1][3].replace("A line.", "A new line."))
    assert kept == [CELLS[0], more, *CELLS[2:]]
    assert code == ("code", "cell-01", {}, "print(6 * 7)")
    assert markdown == ("markdown", "cell-03", {}, "The answer.")
    assert json.loads(chapter.read_bytes())["cells"][-2]["outputs"][0]["text"] == ["42\n"]
    assert say("--text", chapter)[0] == 0, "nothing is left that was not put back"


@pytest.mark.parametrize(("old", "new"), [("# Aim", "# The aim"), ("hide-input", "hide-cell"), ('"aim"', '"the-aim"')])
def test_a_text_does_not_undo_what_was_done_to_the_chapter_meanwhile(old, new, chapter, say, tmp_path):
    text = tmp_path / "_text" / "small.md"
    say("--text", chapter)
    chapter.write_text(chapter.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    before = chapter.read_bytes()
    status, said = say(text)
    assert (status, "has changed since" in said) == (1, True)
    assert chapter.read_bytes() == before


@pytest.mark.parametrize("source", ["One cell\n\n+++\n\nand a second", "One cell\n\n```{code-cell}\nx\n```"])
def test_a_cell_that_text_cannot_hold_is_refused(source, chapter, say, tool):
    cell = nbformat.v4.new_markdown_cell(source)
    tool.write(nbformat.v4.new_notebook(cells=[cell]), chapter)
    status, said = say("--text", chapter)
    assert (status, "edit it as a notebook" in said) == (1, True)
    assert not tool.text_path(chapter).exists()


def test_a_text_may_be_a_new_chapter(say, tmp_path):
    for folder in ("book", "_text"):
        (tmp_path / folder).mkdir()
    text = tmp_path / "_text" / "new.md"
    text.write_text("# New\n\n```{code-cell}\n:tags: [hide-input]\n\nprint(1)\n```\n", encoding="utf-8")
    assert say(text)[0] == 0
    assert inputs(tmp_path / "book" / "new.ipynb") == [
        ("markdown", "cell-01", {}, "# New"),
        ("code", "cell-02", {"tags": ["hide-input"]}, "print(1)"),
    ]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import sys\nprint('hm', file=sys.stderr)", "writes to stderr:\nhm"),
        (":tags: [unclosed\n\nprint(1)", "the metadata of a cell cannot be read"),
    ],
)
def test_a_chapter_that_goes_wrong_is_not_stored(cell, message, chapter, say, tmp_path):
    text = tmp_path / "_text" / "small.md"
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


def display(**data):
    return nbformat.v4.new_output("display_data", {mime.replace("_", "/"): text for mime, text in data.items()})


def test_cleaning_drops_what_is_not_compared_and_joins_what_chance_cut(tool):
    stream = [nbformat.v4.new_output("stream", name="stdout", text=text) for text in ("a\n", "b\n")]
    cells = [
        nbformat.v4.new_code_cell("x", outputs=[*stream, display(image_png="AA==", text_plain="<Figure>")]),
        nbformat.v4.new_code_cell("y", outputs=[], metadata={"execution": {"busy": "today"}}),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"widgets": {}})
    tool.clean(notebook)
    assert [output.get("text") for output in cells[0].outputs] == ["a\nb\n", None]
    assert cells[0].outputs[1].data == {"text/plain": "<Figure>"}
    assert cells[1].metadata == {}
    assert notebook.metadata == {"kernelspec": tool.KERNELSPEC, "language_info": tool.LANGUAGE}


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (nbformat.v4.new_output("stream", name="stderr", text="hm"), "writes to stderr"),
        (nbformat.v4.new_output("error", ename="ValueError", evalue="hm"), "stores an error: ValueError: hm"),
        (display(**{"image_svg+xml": "<svg/>"}), "show PNG only"),
    ],
)
def test_cleaning_refuses_what_must_not_be_stored(output, message, tool):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])
    with pytest.raises(tool.ChapterError, match=message):
        tool.clean(notebook)
