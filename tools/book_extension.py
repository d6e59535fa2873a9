"""What the book asks of Sphinx beyond its configuration: the docstrings of the package as a page.

Docstrings here are plain text for `help()`: paragraphs, indented formulas, and rows of a name and what it is. They
are read as that, and become paragraphs, literal blocks and definition lists of reStructuredText. Constants are
documented too, by the comment beside or above them.
"""

import ast
import functools
import importlib
import inspect
import os
import re
import shutil
import zipfile
from pathlib import Path

from docutils import nodes

import cevnsloop

NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$")
ROW = re.compile(r"(?P<term>\S(?:.*?[^\s.:;=])??)(?P<gap> {2,})(?P<text>[^\s=].*)$")
WIDEST = 72  # characters of a value that is shown
LONGEST = 32  # characters of a name
LICENCE = """The tables in this archive are dedicated to the public domain (CC0 1.0,
https://creativecommons.org/publicdomain/zero/1.0/). Their heads say what they hold and what they rest on; please cite
the sources that the book's page "How to cite" names.
"""


def setup(app):
    app.connect("config-inited", in_parallel)
    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-skip-member", skipped)
    app.connect("doctree-resolved", explained)
    app.connect("doctree-resolved", sourced)
    app.connect("doctree-resolved", ordered)
    app.connect("build-finished", collected)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def in_parallel(app, config):
    """Read the pages, which is mostly running chapters, in as many processes as there are cores.

    `jupyter-book build` has no option for that. Two extensions do not say that it is all the same to them: one numbers
    the sections when all pages are read, the other brings a folder of static files.
    """
    app.parallel = os.cpu_count() or 1
    for name in ("sphinx_multitoc_numbering", "sphinx-mathjax-offline", "sphinx_jupyterbook_latex"):
        app.extensions[name].parallel_read_safe = True


def process(app, what, name, obj, options, lines):
    """Handler of autodoc: replace the lines of a docstring in place."""
    module = name if what == "module" else obj.__module__ if hasattr(obj, "__module__") else name.rpartition(".")[0]
    lines[:] = converted("\n".join(lines), module)
    if what == "module":
        lines += constants(inspect.getsource(obj), name)


def skipped(app, what, name, obj, skip, options):
    """Handler of autodoc: leave out what a named tuple says of its own fields."""
    return True if str(obj.__doc__).startswith("Alias for field number") else None


def explained(app, doctree, page):
    """Handler of Sphinx: a word that leads to the glossary shows its meaning under the pointer."""
    terms = [
        link
        for link in doctree.findall(nodes.reference)
        if any("std-term" in n["classes"] for n in link.findall(nodes.inline))
    ]
    for link in terms:
        link["reftitle"] = _meanings(app.env)[link["refuri"].partition("#")[2] or link["refid"]]


def sourced(app, doctree, page):
    """Handler of Sphinx: a test that a table names as code leads to its line in the repository."""
    options = app.config.html_theme_options
    address = f"{options.get('repository_url')}/blob/{options.get('repository_branch')}"

    def link(match):
        lines = Path(app.srcdir, match[1]).read_text(encoding="utf-8").split("\n")
        number = next(i for i, line in enumerate(lines, start=1) if line.startswith(f"def {match[2]}("))
        return f'<a href="{address}/{match[1]}#L{number}">{match[0]}</a>'

    for raw in doctree.findall(nodes.raw):
        text = re.sub(r"<code>(tests/[\w/]+\.py)::(\w+)</code>", link, raw.astext())
        if text != raw.astext():
            raw.children = [nodes.Text(text)]


def ordered(app, doctree, page):
    """Handler of Sphinx: a table of pages, one in a row, in reading order and with their titles."""
    relations, order, name = app.env.collect_relations(), {}, app.config.root_doc
    while name:
        order[name], name = len(order), relations[name][2]
    for body in doctree.findall(nodes.tbody):
        names = [row[0].astext() for row in body]
        if set(names) <= set(order):
            body[:] = [row for _, row in sorted(zip(names, body, strict=True), key=lambda pair: order[pair[0]])]
            for row in body:
                for text in list(row[0].findall(nodes.Text)):
                    text.parent.replace(text, nodes.Text(app.env.titles[text.astext()].astext()))


def collected(app, exception):
    """Handler of Sphinx: the tables that the chapters have written, one by one and in an archive, below _static."""
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir, "_static", "results")
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out / "cevnsloop-results.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("LICENSE.txt"), LICENCE)
        for file in sorted(Path(app.srcdir, "book", "_results").glob("*.csv")):
            shutil.copy(file, out)
            archive.writestr(zipfile.ZipInfo(file.name), file.read_bytes(), zipfile.ZIP_DEFLATED)


def _meanings(env):
    """The first paragraph of every entry of the glossary, by its id."""
    entries = env.get_doctree("book/glossary").findall(nodes.definition_list_item)
    return {name: entry[-1].astext() for entry in entries for term in entry[:-1] for name in term["ids"]}


def converted(text, module):
    """Lines of reStructuredText from the plain text of a docstring in a module."""
    result = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        if block.startswith(">>> "):
            result += [".. code-block:: pycon", "", *("   " + line for line in block.split("\n")), ""]
            continue
        indented = block.startswith(" ")
        lines = inspect.cleandoc("\n" + block).split("\n") if indented else block.split("\n")
        rows = [ROW.match(line) for line in lines]
        table = rows[0] and all(row or line.startswith("  ") for row, line in zip(rows, lines, strict=True))
        if table and all(_entry(row, indented) for row in rows if row):
            result += _definitions(lines, module)
        elif indented:
            result += [".. code-block:: text", "", *("   " + line for line in lines), ""]
        else:
            result += _prose(lines, module)
    return result


def _entry(row, indented):
    """Whether a row is a name and what it is; an indented one may be a formula: narrow gap, long, or with an =."""
    two_columns = "   " not in row["text"]
    formula = indented and (len(row["gap"]) < 3 or len(row["term"]) > LONGEST or "=" in row["term"])
    return two_columns and not formula


def _definitions(lines, module):
    """Rows `name   what it is`, continued by indented lines, as a definition list."""
    entries = []
    for line in lines:
        if line.startswith(" "):
            entries[-1][1].append(line.strip())
        else:
            row = ROW.match(line)
            entries.append((row["term"], [row["text"]]))
    result = []
    for term, texts in entries:
        result += [f"``{term}``", *("   " + inline(text, module) for text in texts), ""]
    return result


def _prose(lines, module):
    """A paragraph or a numbered list; rows at its start are a definition list of their own."""
    rows = 0
    while rows < len(lines) and (ROW.match(lines[rows]) or (rows and lines[rows].startswith(" "))):
        rows += 1
    result = _definitions(lines[:rows], module) if rows else []
    return [*result, *(re.match(r" *", line)[0] + inline(line.strip(), module) for line in lines[rows:]), ""]


def inline(text, module):
    """One line of plain text with its `code` and "strings" as literals or links, the rest as it stands."""
    pieces = []
    for piece in re.split(r"(`[^`]+`|\"(?:[^\"\s]+|--[^\"]*)\")", text):
        if piece[:1] == "`":
            target = documented(piece[1:-1], module)
            pieces.append(f":py:obj:`{piece[1:-1]} <{target}>`" if target else f"``{piece[1:-1]}``")
        elif piece[:1] == '"':
            pieces.append(f"``{piece}``")
        else:
            pieces.append(re.sub(r"([\\*|_`'\"])", r"\\\1", piece))
    return "".join(pieces)


def documented(word, module):
    """The full name of a public function or class of the package that a word means in a module, or None."""
    if not NAME.match(word):
        return None
    *path, last = word.split(".")
    home = _module(".".join(path)) if path else module
    try:
        found = getattr(importlib.import_module(home), last)
    except (ImportError, AttributeError, UnicodeEncodeError):  # the last: a folder that the locale cannot spell
        return None
    public = inspect.isfunction(found) or inspect.isclass(found)
    public = public and found.__module__.startswith("cevnsloop.") and not last.startswith("_")
    return f"{found.__module__}.{last}" if public else None


@functools.cache
def _module(name):
    """The full name of the module that a short one means, "xsec" or "rates.xsec"."""
    folder = Path(cevnsloop.__file__).parent
    end = f"/{name.replace('.', '/')}.py"
    found = [path for path in folder.rglob("*.py") if path.as_posix().endswith(end)]
    if len(found) != 1:
        return f"cevnsloop.{name}"
    return ".".join(("cevnsloop", *found[0].relative_to(folder).with_suffix("").parts))


def constants(source, module):
    """Directives for the public constants in the source of a module, with their values and comments as they stand."""
    lines = source.split("\n")
    result = []
    for node in ast.parse(source).body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name, value = node.targets[0].id, ast.get_source_segment(source, node.value)
        if name.startswith("_"):
            continue
        readable = len(value) <= WIDEST and not re.search(r"[\n\\]", value)  # on a line, and not TeX
        result += [
            f".. py:data:: {name}",
            *([f"   :value: {value}"] if readable else []),
            "",
            *("   " + inline(text, module) for text in _comment(lines, node)),
            "",
        ]
    return result


def _comment(lines, node):
    """The comment behind a statement, or the lines of comment right above it."""
    behind = re.search(r" # (.*)$", lines[node.lineno - 1])
    if behind:
        return [behind[1]]
    first = node.lineno - 1
    while lines[first - 1].startswith("# "):
        first -= 1
    return [line[2:] for line in lines[first : node.lineno - 1]]
