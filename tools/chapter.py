"""Run chapters from top to bottom and store their cleaned outputs.

    python tools/chapter.py [book/spectrum.ipynb ...]
    python tools/chapter.py --text book/spectrum.ipynb      write the chapter as text, into _text/spectrum.md
    python tools/chapter.py _text/spectrum.md               run that text, store it as the chapter, and remove it

Without arguments: every notebook of the book. A chapter is written only if all its cells ran without an error and
without a word on stderr. What is stored is what `pytest --nbval` compares: all text, no PNG or JPEG (it ignores those),
no timings, execution counts 1, 2, 3, ...

The text is MyST Markdown. A cell keeps its id, tags and captions there; a new cell needs none. Nothing that was edited
is lost: a text that is there is not written again, and a chapter that has changed meanwhile not replaced.
"""

import argparse
import hashlib
import itertools
import json
import os
import sys
import time
from pathlib import Path

import jupytext
import nbformat
import yaml
from jupytext.myst import MystMetadataParsingError
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parents[1]
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python"}  # a version would change with every machine
NOT_COMPARED = ("image/png", "image/jpeg")  # nbval skips these two types, and only these
TEXTS = "_text"  # the folder of the texts, beside that of the chapters, where neither git nor Sphinx looks
FILTER = {"notebook_metadata_filter": "made_from,-jupytext.text_representation.jupytext_version"}


class ChapterError(Exception):
    """What the author has to mend before the chapter can be stored."""


def prepared(content):
    """A notebook of the content without its outputs, every cell with an id: a kept one, or its place in the page."""
    content["nbformat"], content["nbformat_minor"] = 4, 5
    content["metadata"] = {"kernelspec": KERNELSPEC, "language_info": LANGUAGE}
    seen = set()
    for place, cell in enumerate(content["cells"], start=1):
        if cell.get("id") in seen | {None}:
            cell["id"] = f"cell-{place:02d}"
        seen.add(cell["id"])
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return nbformat.reads(json.dumps(content), as_version=4)


def read(path):
    """The notebook at a path, without its outputs."""
    return prepared(json.loads(path.read_text(encoding="utf-8")))


def fingerprint(notebook):
    """A digest of all that an author writes: the cells without their outputs."""
    inputs = [[cell.cell_type, cell.id, cell.metadata, cell.source] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def to_text(notebook):
    """The cells as MyST Markdown, headed by their fingerprint."""
    cells = [cell | {"metadata": {**cell.metadata, "id": cell.id}, "outputs": []} for cell in notebook.cells]
    metadata = {"kernelspec": KERNELSPEC, "made_from": fingerprint(notebook), "jupytext": FILTER}
    text = jupytext.writes(nbformat.from_dict({**notebook, "cells": cells, "metadata": metadata}), fmt="md:myst")
    back, made_from = from_text(text)
    if fingerprint(back) != made_from:
        raise ChapterError("some cell would not come back from text as it is: edit it as a notebook")
    return text


def from_text(text):
    """The notebook of a text, and the fingerprint of the chapter that the text was made from (None: of none)."""
    try:
        notebook = jupytext.reads(text, fmt="md:myst")
    except (yaml.YAMLError, MystMetadataParsingError) as error:
        raise ChapterError(f"the metadata of a cell cannot be read: {error}") from None
    ids = [cell.metadata.pop("id", None) for cell in notebook.cells]
    free = (name for n in itertools.count(1) if (name := f"cell-{n:02d}") not in ids)
    cells = [{**cell, "id": name or next(free)} for cell, name in zip(notebook.cells, ids, strict=True)]
    return prepared({"cells": cells}), notebook.metadata.get("made_from")


def run(notebook, path):
    """Run all cells in a fresh kernel, in the folder of the chapter, and store them."""
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # where a slow cell is cut is a matter of chance
        extra_arguments=["--log-level=ERROR"],  # of the kernel itself; what the cells say is kept
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise ChapterError(str(error)) from None
    clean(notebook)
    nbformat.validate(notebook)
    replace(path, nbformat.writes(notebook).rstrip("\n") + "\n")


def clean(notebook):
    """Drop what is not compared; refuse what must not be stored."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": LANGUAGE})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                raise ChapterError(f"cell {cell.id} writes to stderr:\n{output.text}")
            for mime in NOT_COMPARED:
                output.get("data", {}).pop(mime, None)
                output.get("metadata", {}).pop(mime, None)
            if images := [mime for mime in output.get("data", {}) if "image/" in mime]:
                raise ChapterError(f"cell {cell.id} shows {images}: show PNG only, and glue no figures")


def replace(path, text):
    """Replace a file in one step: an interruption leaves the old one whole."""
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text, encoding="utf-8", newline="\n")
    os.replace(draft, path)


def write_text(path):
    """Write the chapter at a path as text, unless one is there, which may have edits."""
    text = path.parents[1] / TEXTS / f"{path.stem}.md"
    if text.exists():
        raise ChapterError(f"{text} may have edits: put them back with `tools/chapter.py {text}`, or remove it")
    written = to_text(read(path))
    text.parent.mkdir(exist_ok=True)
    replace(text, written)


def run_text(text):
    """Run a text and store it as its chapter, unless that was changed since; the text has had its use then."""
    path = text.parents[1] / "book" / f"{text.stem}.ipynb"
    notebook, made_from = from_text(text.read_text(encoding="utf-8"))
    if path.exists() and fingerprint(read(path)) != made_from:
        raise ChapterError(f"{path} has changed since {text} was made: move the text away and make it again")
    run(notebook, path)
    text.unlink()


def main():
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("chapters", nargs="*", type=Path, help="default: all notebooks of the book")
    parser.add_argument("--text", action="store_true", help="write chapters as text instead of running them")
    arguments = parser.parse_args()
    for chapter in arguments.chapters:
        if chapter.suffix != ".ipynb" and (arguments.text or chapter.resolve().parent.name != TEXTS):
            parser.error(f"{chapter} is neither a notebook nor a text in {TEXTS}/")
    failed = False
    for path in [chapter.resolve() for chapter in arguments.chapters] or sorted((ROOT / "book").glob("*.ipynb")):
        print(f"{path.name} ... ", end="", flush=True)
        start = time.perf_counter()
        try:
            if arguments.text:
                write_text(path)
            elif path.suffix == ".md":
                run_text(path)
            else:
                run(read(path), path)
        except ChapterError as error:
            failed = True
            print(f"NOT stored\n{error}")
        else:
            print(f"stored, {time.perf_counter() - start:.1f} s")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
