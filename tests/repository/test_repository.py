"""The parts of the repository agree: contents, stored chapters, citations, version, commands."""

import ast
import hashlib
import json
import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml

import cevnsloop

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
UNCHECKED = {"nbval-skip", "nbval-ignore-output", "raises-exception", "skip-execution"}
# The versions, date and run times of a build are not of the book: nothing is stored, nothing compared, nothing glued.
COMPUTED_UNSTORED = {"status"}


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def contents(entry):
    """All pages of a _toc.yml entry, in reading order."""
    pages = [entry[key] for key in ("root", "file") if key in entry]
    for key in ("parts", "chapters", "sections"):
        for child in entry.get(key, []):
            pages += contents(child)
    return pages


def cells(path, kind):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


def data(output):
    return output.get("data", {})


def prints(code):
    """Whether a cell calls print or glue outside the functions it defines (magics set aside)."""
    python = "\n".join("" if line.lstrip()[:1] in ("%", "!") else line for line in code.splitlines())
    todo = [ast.parse(python)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("print", "glue"):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            todo.extend(ast.iter_child_nodes(node))
    return False


def test_table_of_contents_lists_every_page_once():
    listed = contents(yaml.safe_load(text("_toc.yml")))
    pages = sorted(path.relative_to(ROOT) for path in [*NOTEBOOKS, *(ROOT / "book").glob("*.md")])
    assert sorted(listed) == [str(page.with_suffix("")) for page in pages]


def test_a_page_that_computes_is_a_notebook_that_is_compared():
    computing = {path.stem for path in (ROOT / "book").glob("*.md") if "{code-cell" in path.read_text(encoding="utf-8")}
    assert computing == COMPUTED_UNSTORED
    assert "glue" not in text("book/status.md")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_chapter_was_run_from_top_to_bottom(path):
    code = [cell for cell in cells(path, "code") if source(cell).strip()]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        assert cell["outputs"] or not prints(source(cell)), f"no output stored for:\n{source(cell)}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_chapter_stores_text_only_and_all_of_it_is_compared(path):
    raw = path.read_text(encoding="utf-8")
    metadata = json.loads(raw)["metadata"]
    assert raw.endswith("}\n")
    assert not re.search(r"digest\W+[0-9a-f]{16}\b", raw), "every word of the inputs would change it"
    assert metadata["kernelspec"]["name"] == "python3"
    assert metadata["language_info"] == {"name": "python"}
    ids = [cell["id"] for kind in ("markdown", "code", "raw") for cell in cells(path, kind)]
    assert len(ids) == len(set(ids))
    for cell in cells(path, "code"):
        assert not UNCHECKED & set(cell["metadata"].get("tags", [])), source(cell)
        assert "NBVAL_" not in source(cell)
        assert "execution" not in cell["metadata"], "timings change at every run"
        for output in cell["outputs"]:
            assert output["output_type"] != "error", output["evalue"]
            assert output.get("name") != "stderr", output["text"]
            assert not [kind for kind in data(output) if "image/" in kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_figures_have_a_name_a_caption_and_a_description(path):
    for cell in cells(path, "code"):
        if any("<Figure" in "".join(data(output).get("text/plain", "")) for output in cell["outputs"]):
            mystnb = cell["metadata"].get("mystnb", {})
            figure, image = mystnb.get("figure", {}), mystnb.get("image", {})
            assert figure.get("name", "").startswith("fig-"), source(cell)
            assert figure.get("caption"), source(cell)
            assert image.get("alt"), source(cell)


FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
LONGEST = 40  # lines of code that a reader meets in a chapter, and in a derivation
LONGEST_DERIVATION, DERIVATIONS = 60, {"boxes", "gluons", "nuclei", "loops", "completeness", "model"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_shows_little_code_and_its_asserts_say_what_they_mean(path):
    shown = 0
    for cell in cells(path, "code"):
        folded = FOLDED & set(cell["metadata"].get("tags", []))
        shown += 0 if folded else len([line for line in source(cell).splitlines() if line.strip()])
        if "assert" in source(cell):
            asserts = [node for node in ast.walk(ast.parse(source(cell))) if isinstance(node, ast.Assert)]
            assert all(node.msg for node in asserts), f"an assert without a message:\n{source(cell)}"
    assert shown <= (LONGEST_DERIVATION if path.stem in DERIVATIONS else LONGEST)


def test_every_citation_resolves():
    keys = re.findall(r"^@\w+\{([^,\s]+),", text("book/references.bib"), flags=re.MULTILINE)
    assert len(keys) == len(set(keys))
    pages = [source(cell) for path in NOTEBOOKS for cell in cells(path, "markdown")]
    pages += [path.read_text(encoding="utf-8") for path in (ROOT / "book").glob("*.md")]
    # captions of figures are in the metadata of code cells
    pages += [json.dumps(cell["metadata"]) for path in NOTEBOOKS for cell in cells(path, "code")]
    groups = re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", "\n".join(pages))
    cited = {key.strip() for group in groups for key in group.split(",")}
    assert "chao2021" in cited
    assert cited <= set(keys), cited - set(keys)


def test_every_file_that_is_named_is_there():
    """Whoever looks up a test or a module that a page names finds it."""
    pages = [*NOTEBOOKS, *(ROOT / "book").glob("*.md"), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md"))]
    said = "\n".join(path.read_text(encoding="utf-8") for path in pages if path.is_file())
    named = set(re.findall(r"\b(?:benchmarks|book|cevnsloop|tests|tools)/[\w/]+\.(?:csv|ipynb|md|py|toml)\b", said))
    example = {"book/name.ipynb"}  # of "Add a chapter"
    missing = {name for name in named - example if not (ROOT / name).is_file()}
    assert not missing, missing


def test_citation_file_and_changelog_name_this_version():
    citation = yaml.safe_load(text("CITATION.cff"))
    assert citation["version"] == cevnsloop.__version__
    assert citation["license"] == tomllib.loads(text("pyproject.toml"))["project"]["license"]
    assert f"## [{cevnsloop.__version__}]" in text("CHANGELOG.md")


def entries(name):
    """The entries of a BibTeX file by key, as text."""
    found = re.finditer(r"^@\w+\{([^,\s]+),\n.*?^\}$", text(name), flags=re.MULTILINE | re.DOTALL)
    return {entry[1]: entry[0] for entry in found}


def field(entry, name):
    return re.search(rf"^\s*{name}\s*=\s*\{{(.*)\}},?$", entry, flags=re.MULTILINE)[1]


def test_what_is_to_be_cited_is_what_the_book_cites():
    offered, cited = entries("book/cite.bib"), entries("book/references.bib")
    software = offered.pop("cevnsloop")
    assert set(offered) == {"chao2021", "coherent2017", "coherent2018release"}
    assert all(cited[key] == entry for key, entry in offered.items())
    citation = yaml.safe_load(text("CITATION.cff"))
    assert field(software, "version") == citation["version"] == cevnsloop.__version__
    assert field(software, "note") == f"Version {cevnsloop.__version__}"
    assert field(software, "title") == citation["title"]
    assert field(software, "url") == citation["repository-code"]
    assert field(software, "author") == f"{{{citation['authors'][0]['name']}}}"
    assert field(software, "year") == yaml.safe_load(text("_config.yml"))["copyright"]
    dois = {reference["doi"] for reference in citation["references"]}
    assert {field(entry, "doi") for entry in offered.values()} <= dois
    assert dois <= {field(entry, "doi") for entry in cited.values() if "doi" in entry}


def test_the_public_address_is_the_configured_one():
    """Typed where nothing can insert it: clone, install and citation lines."""
    config = yaml.safe_load(text("_config.yml"))
    address = config["repository"]["url"]
    names = ("README.md", "CITATION.cff", "pyproject.toml", "book/validate.md", "book/cite.bib")
    for name in names:
        typed = set(re.findall(r"https://github\.com/[\w.-]+/[\w-]+", text(name)))
        assert typed <= {address}, name
    assert f"git clone {address}\n" in text("README.md")
    assert f'cevnsloop[book] @ git+{address}"' in text("book/validate.md")


def test_launch_buttons_go_to_binder_and_colab_only():
    config = yaml.safe_load(text("_config.yml"))
    assert set(config["launch_buttons"]) == {"notebook_interface", "binderhub_url", "colab_url"}
    assert config["sphinx"]["recursive_update"], "html_theme_options would wipe the launch buttons"
    assert "sphinx_thebe" not in config["sphinx"]["config"]["extensions"]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "book/validate.md"])
def test_commands_the_reader_is_told_exist(name):
    targets = set(re.findall(r"^([a-z]+):.*##", text("Makefile"), flags=re.MULTILINE))
    told = set(re.findall(r"(?:^[\s$]*|`)make ([a-z]+)\b", text(name), flags=re.MULTILINE))
    assert {"book", "test"} <= told
    assert told <= targets, told - targets


def test_ci_runs_the_tests_the_book_the_checks_of_its_pages_and_builds_a_release():
    script = text(".ci/run")
    assert re.search(r"^make test\b", script, flags=re.MULTILINE)
    assert re.search(r"^make book pages\b", script, flags=re.MULTILINE)
    assert re.search(r"^make dist\b", script, flags=re.MULTILINE)
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_nothing_is_published_that_did_not_pass():
    jobs = yaml.safe_load(text(".github/workflows/book.yml"))["jobs"]
    publishing = [name for name, job in jobs.items() if "actions/deploy-pages" in json.dumps(job)]
    assert publishing == ["deploy"]
    assert jobs["deploy"]["needs"] == "build"
    steps = jobs["build"]["steps"]
    (check,) = [step for step in steps if step.get("run") == ".ci/run"]
    assert check["env"] == {"BROWSER_CHECKS": "required"}  # there a missing browser is a failure
    assert "continue-on-error" not in json.dumps(jobs)
    assert "actions/upload-pages-artifact" in steps[-1]["uses"]
    assert steps.index(check) < len(steps) - 1


def test_checksums_of_the_release_on_the_data_page(release):
    pages = "".join(source(cell) for cell in cells(ROOT / "book/data.ipynb", "markdown"))
    stated = re.findall(r"^([0-9a-f]{32})  (\S+)$", pages, flags=re.MULTILINE)
    assert len(stated) == 5
    for digest, name in stated:
        assert hashlib.md5((release / name).read_bytes()).hexdigest() == digest, name
