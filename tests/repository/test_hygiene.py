"""The checks of stored chapters bite: a small book that passes all of them fails one when it is broken in one way."""

import copy
import json

import pytest
import test_prose
import test_repository
import yaml

FIGURE = {
    "mystnb": {"figure": {"name": "fig-line", "caption": "A line to 1.25."}, "image": {"alt": "A line up to 1.25."}}
}
CODE = [
    ("print(1.25)", [{"output_type": "stream", "name": "stdout", "text": ["1.25\n"]}], {}),
    ("x = 1.25", [], {}),
    (
        "draw(x)\nprint(x)",
        [
            {"output_type": "display_data", "data": {"text/plain": ["<Figure size 640x480>"]}, "metadata": {}},
            {"output_type": "stream", "name": "stdout", "text": ["1.25\n"]},
        ],
        FIGURE,
    ),
]
TEXT = {"cell_type": "markdown", "id": "aim", "metadata": {}, "source": ["What {cite}`chao2021` says.\n"]}


def chapter():
    """A notebook as tools/chapter.py stores it."""
    code = [
        {
            "cell_type": "code",
            "id": f"code-{n}",
            "source": [source],
            "outputs": outputs,
            "metadata": metadata,
            "execution_count": n,
        }
        for n, (source, outputs, metadata) in enumerate(CODE, start=1)
    ]
    metadata = {"kernelspec": {"name": "python3"}, "language_info": {"name": "python"}}
    notebook = {"cells": [TEXT, *code], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return copy.deepcopy(notebook)


CHECKS = {
    "contents": test_repository.test_table_of_contents_lists_every_page_once,
    "order": test_repository.test_chapter_was_run_from_top_to_bottom,
    "outputs": test_repository.test_chapter_stores_text_only_and_all_of_it_is_compared,
    "code": test_repository.test_a_chapter_shows_little_code_and_its_asserts_say_what_they_mean,
    "figures": test_repository.test_figures_have_a_name_a_caption_and_a_description,
    "citations": test_repository.test_every_citation_resolves,
    "files": test_repository.test_every_file_that_is_named_is_there,
    "prose": test_prose.test_no_number_is_typed_in_prose,
    "figure numbers": test_prose.test_numbers_about_a_figure_are_held_by_its_chapter,
}


def fails(test, *arguments):
    try:
        test(*arguments)
    except AssertionError:
        return True
    return False


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Write a notebook and a table of contents into a book of one chapter; return the names of the checks it fails."""
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "references.md").write_text("# References\n", encoding="utf-8")
    (tmp_path / "book" / "references.bib").write_text("@article{chao2021,\n}\n", encoding="utf-8")
    path = tmp_path / "book" / "line.ipynb"
    monkeypatch.setattr(test_repository, "ROOT", tmp_path)
    monkeypatch.setattr(test_repository, "NOTEBOOKS", [path])

    def run(notebook, toc=("book/line", "book/references")):
        path.write_text(json.dumps(notebook) + "\n", encoding="utf-8")
        root, *rest = toc
        contents = {"format": "jb-book", "root": root, "chapters": [{"file": page} for page in rest]}
        (tmp_path / "_toc.yml").write_text(yaml.safe_dump(contents), encoding="utf-8")
        return {name for name, test in CHECKS.items() if fails(test, *[path][: test.__code__.co_argcount])}

    return run


def put(*keys_and_value):
    """A function that sets the entry at the end of a chain of keys into the cells of a notebook."""
    *keys, last, value = keys_and_value

    def breakage(notebook):
        place = notebook["cells"]
        for key in keys:
            place = place[key]
        place[last] = value

    return breakage


def output(kind, **content):
    return lambda notebook: notebook["cells"][1]["outputs"].append({"output_type": kind, **content})


def image(mime):
    return output("display_data", data={mime: "AA==", "text/plain": "<x>"}, metadata={})


def swap(notebook):
    notebook["cells"][1:3] = notebook["cells"][2:0:-1]


BROKEN = {
    "cells out of order": ("order", swap),
    "a cell run again": ("order", put(2, "execution_count", 4)),
    "a cell never run": ("order", put(2, "execution_count", None)),
    "a missing output": ("order", put(1, "outputs", [])),
    "a missing glue": ("order", put(2, "source", ["glue('x', 1, display=False)"])),
    "a stored image": ("outputs", image("image/png")),
    "a stored drawing": ("outputs", image("image/svg+xml")),
    "a word on stderr": ("outputs", output("stream", name="stderr", text=["Warning\n"])),
    "an error": ("outputs", output("error", ename="ValueError", evalue="x", traceback=[])),
    "two cells of one id": ("outputs", put(2, "id", "code-1")),
    "a timing": ("outputs", put(2, "metadata", {"execution": {"iopub.execute_input": "2026"}})),
    "an output that is not compared": ("outputs", put(1, "metadata", {"tags": ["nbval-ignore-output"]})),
    "a comment that stops the comparison": ("outputs", put(1, "source", ["# NBVAL_SKIP\nprint(1.25)"])),
    "an assert without a message": ("code", put(2, "source", ["x = 1.25\nassert x > 1"])),
    "too much code": ("code", put(2, "source", ["x = 1.25\n" * 39])),
    "a figure without a name": ("figures", put(3, "metadata", {"mystnb": {"image": {"alt": "A line."}}})),
    "a figure without a description": (
        "figures",
        put(3, "metadata", {"mystnb": {"figure": CODE[2][2]["mystnb"]["figure"]}}),
    ),
    "a test that is not there": ("files", put(0, "source", ["{cite}`chao2021`, `tests/test_nothing.py`\n"])),
    "a source that nothing names": ("citations", put(0, "source", ["{cite}`chao2021`, {cite}`nobody1900`\n"])),
    "a typed number": ("prose", put(0, "source", ["It is 1.25, says {cite}`chao2021`.\n"])),
    "a stale number about a figure": (
        "figure numbers",
        put(3, "metadata", "mystnb", "image", "alt", "A line to 1.35."),
    ),
}


def test_a_sound_book_passes(check):
    assert check(chapter()) == set()


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_chapter_fails_the_check_meant_for_it(name, check):
    failed, breakage = BROKEN[name]
    notebook = chapter()
    breakage(notebook)
    assert notebook != chapter()
    assert check(notebook) == {failed}


@pytest.mark.parametrize("toc", [["book/references"], ["book/line"], ["book/line", "book/references", "book/line"]])
def test_a_page_missing_or_twice_in_the_contents_is_refused(toc, check):
    assert check(chapter(), toc) == {"contents"}
