"""Run chapters from top to bottom and store their cleaned outputs.

    python tools/chapter.py [book/spectrum.ipynb ...]

Without arguments: every notebook of _toc.yml, in order. A chapter is written only if all its cells ran
without an error and without a word on stderr. What is stored is what `pytest --nbval` compares: all text,
no PNG or JPEG (it ignores those), no timings, execution counts 1, 2, 3, ...
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parents[1]
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python"}  # a version would change with every machine
NOT_COMPARED = ("image/png", "image/jpeg")  # nbval skips these two types, and only these
TIMING = ("execution", "ExecuteTime")


class ChapterError(Exception):
    """What the author has to mend before the chapter can be stored."""


def files_of(entry):
    """All pages of a _toc.yml entry, in reading order."""
    pages = [entry[key] for key in ("root", "file") if key in entry]
    for key in ("parts", "chapters", "sections"):
        for child in entry.get(key, []):
            pages += files_of(child)
    return pages


def all_chapters():
    """The notebooks of the table of contents, in reading order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [path for page in files_of(toc) if (path := ROOT / f"{page}.ipynb").exists()]


def read(path):
    """The notebook without its outputs, every cell with an id: a kept one, or its place in the page."""
    content = json.loads(path.read_text(encoding="utf-8"))
    content["nbformat"], content["nbformat_minor"] = 4, 5
    content["metadata"] |= {"kernelspec": KERNELSPEC, "language_info": LANGUAGE}
    seen = set()
    for place, cell in enumerate(content["cells"], start=1):
        if cell.get("id") in seen | {None}:
            cell["id"] = f"cell-{place:02d}"
        seen.add(cell["id"])
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return nbformat.reads(json.dumps(content), as_version=4)


def execute(notebook, path):
    """Run all cells in a fresh kernel, in the folder of the chapter."""
    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],  # of the kernel itself; what the cells say is kept
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise ChapterError(str(error)) from None


def merged(outputs):
    """The outputs with consecutive pieces of one stream as one: where a slow cell is cut is a matter of chance."""
    whole = []
    for output in outputs:
        if whole and output.output_type == "stream" == whole[-1].output_type and output.name == whole[-1].name:
            whole[-1].text += output.text
        else:
            whole.append(output)
    return whole


def clean(notebook):
    """Drop what is not compared; refuse what must not be stored."""
    notebook.metadata.kernelspec, notebook.metadata.language_info = KERNELSPEC, LANGUAGE
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        for key in TIMING:
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = merged(cell.outputs)
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                raise ChapterError(f"cell {cell.id} writes to stderr:\n{output.text}")
            if output.output_type == "error":
                raise ChapterError(f"cell {cell.id} stores an error: {output.ename}: {output.evalue}")
            data = output.get("data", {})
            for mime in NOT_COMPARED:
                data.pop(mime, None)
                output.get("metadata", {}).pop(mime, None)
            if images := [mime for mime in data if "image/" in mime]:
                raise ChapterError(f"cell {cell.id} shows {images}: show PNG only, and glue no figures")


def write(notebook, path):
    """Replace the file in one step: an interruption leaves the old chapter whole."""
    nbformat.validate(notebook)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", encoding="utf-8", newline="\n")
    os.replace(draft, path)


def main():
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("chapters", nargs="*", type=Path, help="default: all notebooks of _toc.yml")
    failed = False
    for path in [chapter.resolve() for chapter in parser.parse_args().chapters] or all_chapters():
        print(f"{path.name} ... ", end="", flush=True)
        start = time.perf_counter()
        try:
            notebook = read(path)
            execute(notebook, path)
            clean(notebook)
            write(notebook, path)
        except ChapterError as error:
            failed = True
            print(f"NOT stored\n{error}")
        else:
            print(f"stored, {time.perf_counter() - start:.1f} s")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
