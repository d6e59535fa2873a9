"""Numbers in prose are carried by glue: a number typed into a sentence stays when an input or the code changes.

Refused in the text of a page: decimal numbers, powers of ten, numbers before a percent or per mille sign or a unit, and
integers of three or more digits. Years, sub- and superscripts (^{133}Cs, D_{001}) and the integers of a displayed
equation are no results and pass; so does what stands in code, in a role ({eq}`...`) or in a link target.

A caption or the description of a figure cannot use glue. There such a number must be one that the chapter holds
where it is run and compared: in the outputs of the figure's cell, or in the code up to there.
"""

import json
import re
from pathlib import Path

import pytest
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / "book").glob("*.ipynb"), *(ROOT / "book").glob("*.md")])

# What may be typed, as it stands in the text, with the reason why it is neither a result nor an input.
EXCEPTIONS = {
    "90% C.L.": "the name of the limits; what is used is a Delta chi2",
    "What does 90% mean here?": "the name of a chapter",
}

CURE = (
    "A typed number stays when the code changes: glue it from where it is computed or kept, or point at the output "
    "that shows it. A name that contains a number goes into EXCEPTIONS of tests/repository/test_prose.py, with its "
    "reason."
)
FIGURE_CURE = (
    "Nothing compares this number with the figure: print it in the figure's cell, as rounded in the text or finer, "
    "or describe the figure without it."
)

# What is no prose: code, addresses, options of a directive. What stands in other directives is prose or an equation.
PARSER = create_md_parser(MdParserConfig(enable_extensions={"amsmath", "colon_fence", "dollarmath"}), RendererHTML)
CODE = ("code", "code-block", "code-cell", "sourcecode", "literalinclude", "raw", "bibliography", "toctree", "image")
OPTIONS = re.compile(r"\A(?::[\w-]+:[^\n]*\n)+|\A---\n.*?\n---\n", flags=re.DOTALL)
ADDRESS = re.compile(r"https?://\S+|\barXiv:\S+|\b10\.\d{4,}/\S+")
SCRIPT = re.compile(r"\^(?:\{[^{}]*\}|\d+)|(?<=\S)_(?:\{[^{}]*\}|\d+)")

# What is refused there. In these patterns LaTeX commands are already replaced: \times by a cross, others by marks.
GAP = r"(?:[\s~{}\0]|\\[,;:! ])*"
UNIT = rf"{GAP}(?:\\(?:text|mathrm)\{{)?(?:[kMGT]?eV|[mcµf]?m|[mμµn]s|kg|days|events|photoelectrons|PE)\b"
EXPONENT = r"(?:\^\{?[-+−]?\d+\}?|[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
POWER = re.compile(rf"(?<![\w.])(?:\d*\.?\d+{GAP}[×·]{GAP}10(?![\w.]){EXPONENT}?|10{EXPONENT})")
DECIMAL = re.compile(r"(?<![\w.])(?:\d*\.\d+(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+)")
THOUSANDS = r"\d{1,3}(?:(?:,|\{,\}|\\,|[\u2009\u202f])\d{3})+"
SHARE = re.compile(rf"(?<!\w)\d+(?={GAP}(?:\\?%|\\?‰|per\s?cent\b|per\s?mille?\b))")
MEASURED = re.compile(rf"(?<![\w.^{{])(?:{THOUSANDS}|\d+)(?={UNIT})")
INTEGER = re.compile(rf"(?<![\w.])(?<![A-Za-z]-)(?:{THOUSANDS}|\d{{3,}})(?!\w)")
YEAR = re.compile(rf"(?:19|20)\d\d(?!\w|{UNIT})")


def blank(match):
    """Marks in place of a match: what follows keeps its place."""
    return "\0" * len(match.group())


def command(match):
    """A LaTeX command as one sign and marks."""
    cross = match.group() in (r"\times", r"\cdot")
    return "×" * cross + "\0" * (len(match.group()) - cross)


def pieces(text):
    """(whether it is a displayed equation, its text) for every piece of prose in a page of Markdown."""
    for token in PARSER.parse(text):
        directive = re.match(r"\{([\w-]+)\}(.*)", token.info)
        if token.type == "inline":
            parts = {"text": "{}", "math_inline": "\0{}\0", "softbreak": "\n"}
            yield False, "".join(parts.get(part.type, "\0").format(part.content) for part in token.children)
        elif token.type.startswith(("math_block", "amsmath")) or (directive and directive[1] == "math"):
            yield True, OPTIONS.sub("", token.content)
        elif directive and directive[1] not in CODE:
            yield from pieces(directive[2])
            yield from pieces(OPTIONS.sub("", token.content))


def typed_numbers(text):
    """(number, the words beside it) for everything the rule refuses in a page of Markdown, in order."""
    return [found for displayed, piece in pieces(text) for found in typed_in(piece, displayed)]


def typed_in(text, displayed=False):
    """The same for a piece of prose, or for a displayed equation, where integers pass."""
    prose = ADDRESS.sub(blank, text)
    for phrase in EXCEPTIONS:
        prose = prose.replace(phrase, "\0" * len(phrase))
    units = re.sub(r"\\(?!text|mathrm)[A-Za-z]+", command, prose)
    prose = re.sub(r"\\[A-Za-z]+", command, prose)
    inline = "" if displayed else SCRIPT.sub(blank, prose)
    found = {}
    for pattern in (POWER, DECIMAL, SHARE):
        found |= {match.start(): match.end() for match in pattern.finditer(prose)}
        prose = pattern.sub(blank, prose)
    for match in MEASURED.finditer("" if displayed else units):
        if prose[match.start()] != "\0":
            found.setdefault(match.start(), match.end())
    for match in INTEGER.finditer(inline):
        if not YEAR.match(inline, match.start()):
            found.setdefault(match.start(), match.end())
    return [
        (text[start:end], " ".join(text[max(0, start - 45) : end + 25].replace("\0", "").split()))
        for start, end in sorted(found.items())
    ]


def cells(path):
    """The cells of a notebook; a Markdown page is one cell."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return [{"cell_type": "markdown", "source": text, "id": path.stem}]
    return [cell | {"source": "".join(cell["source"])} for cell in json.loads(text)["cells"]]


def faults_of_prose(page):
    """One line for every typed number in the text of a page, a list of cells."""
    return [
        f"cell {i}, id {cell['id']}: {number} in “{words}”"
        for i, cell in enumerate(page)
        if cell["cell_type"] == "markdown"
        for number, words in typed_numbers(cell["source"])
    ]


# Figures.
NUMBER = re.compile(r"(?<![\w.])(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
SUPERSCRIPT = str.maketrans("⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹−", "-+0123456789-")
POWERS = re.compile(rf"(?:(?P<factor>\d*\.?\d+){GAP}(?:×|·|\\times|\\cdot){GAP})?10(?P<exponent>{EXPONENT})")


def plain(text):
    """The text with powers of ten as in code, 5e-9, and thousands without a separator."""

    def power(match):
        return f"{match['factor'] or 1}e{match['exponent'].translate(SUPERSCRIPT).strip('^{}')}"

    return re.sub(r"(?<=\d)(?:,|\{,\}|\\,|[\u2009\u202f])(?=\d{3}(?!\d))", "", POWERS.sub(power, text))


def held(number, texts):
    """Whether a text holds the number, or a finer one that is rounded to it."""
    number = plain(number)
    digits = re.sub(r"[eE].*", "", number).replace(".", "").lstrip("0")
    if number.isdigit():  # zeros at the end of an integer may be rounded ones; of 100 take two digits seriously
        digits = digits.rstrip("0").ljust(2)
    rounded = f".{max(len(digits), 1) - 1}e"
    values = (float(match.group()) for text in texts for match in NUMBER.finditer(plain(text)))
    return any(f"{value:{rounded}}" == f"{float(number):{rounded}}" for value in values)


def outputs(cell):
    """All text that is stored below a code cell."""
    parts = [output.get("text", "") for output in cell["outputs"]]
    parts += [part for output in cell["outputs"] for part in output.get("data", {}).values()]
    return "\n".join("".join(part) for part in parts)


def faults_of_figures(page):
    """One line for every number in a caption or a description that the chapter does not hold."""
    faults, code = [], []
    for i, cell in enumerate(page):
        if cell["cell_type"] == "code":
            code.append(cell["source"])
            mystnb = cell["metadata"].get("mystnb", {})
            texts = [mystnb.get("figure", {}).get("caption", ""), mystnb.get("image", {}).get("alt", "")]
            faults += [
                f"cell {i}, id {cell['id']}, {name}: {number} in “{words}”"
                for name, text in zip(("caption", "alt"), texts, strict=True)
                for number, words in typed_numbers(text)
                if not held(number, [*code, outputs(cell)])
            ]
    return faults


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_number_is_typed_in_prose(path):
    faults = faults_of_prose(cells(path))
    assert not faults, "\n".join([f"{path.name}: {CURE}", *faults])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_numbers_about_a_figure_are_held_by_its_chapter(path):
    faults = faults_of_figures(cells(path))
    assert not faults, "\n".join([f"{path.name}: {FIGURE_CURE}", *faults])


@pytest.mark.parametrize("phrase", EXCEPTIONS)
def test_every_exception_is_used_and_needed(phrase, monkeypatch):
    pages = [path.read_text(encoding="utf-8") for path in PAGES]
    assert any(phrase in page for page in pages), "no page says it any more"
    assert EXCEPTIONS[phrase], "no reason is given"
    monkeypatch.delitem(EXCEPTIONS, phrase)
    assert typed_numbers(phrase), "the rule does not refuse it"


REFUSED = [
    ("The limit is 6.7 in these units.", ["6.7"]),
    ("with $\\sigma_\\alpha=0.28$ and $x\\approx0.25$", ["0.28", "0.25"]),
    ("$$ k_F = .265\\,\\text{GeV} $$ (eq-fermi)", [".265"]),
    ("- a list: **14.6** kg", ["14.6"]),
    ("| mass | 4.61 |\n| --- | --- |\n| 1,000 | 173 |", ["4.61", "1,000", "173"]),
    ("$G = 5\\times10^{-9}$", ["5\\times10^{-9}"]),
    ("$$ G = 2.5 \\cdot 10^{-9} $$", ["2.5 \\cdot 10^{-9}"]),
    ("from $10^{-6}$ to $10^6$", ["10^{-6}", "10^6"]),
    ("about 5 × 10⁻⁹, or 10⁻⁴", ["5 × 10⁻⁹", "10⁻⁴"]),
    ("a factor 5 × 10 or 3e-7 or 1.5e9", ["5 × 10", "3e-7", "1.5e9"]),
    ("2 to 12%, $12\\,\\%$, 7 per cent, 3 percent, 1‰", ["12", "12", "7", "3", "1"]),
    ("at 106 MeV and $m_{Z'} < 100$ MeV", ["106", "100"]),
    ("$\\tfrac{1}{192}$ and $m>230$ MeV", ["192", "230"]),
    ("10 to 53 MeV, $m_\\chi = 53\\,\\mathrm{MeV}$, a pulse of 1 μs, 14 events, 5 GeV", ["53", "53", "1", "14", "5"]),
    ("2000 MeV and $1990\\,\\text{keV}$ and 1500 years", ["2000", "1990", "1500"]),
    (
        ":::{admonition} Exercise: 0.5\n:class: tip\nTake 0.7.\n:::\n0.9\n:::{note}\n1.1\n:::",
        ["0.5", "0.7", "0.9", "1.1"],
    ),
    ("```{note}\nTake 0.7.\n```\nand 0.8\n```python\nx = 0.9\n```\n1.1", ["0.7", "0.8", "1.1"]),
    ("[the 173 events](https://example.org)", ["173"]),
    ("{glue:text}`limit` is 3.5, see {eq}`eq-x`", ["3.5"]),
    ("<b>7.5</b> and $a<b$ 250 and $c>d$", ["7.5", "250"]),
    ("90% of them, not at 90% C.L.", ["90"]),
]
PASSED = [
    "a factor of 17, two of the 24 bins, three events, a GeV",
    "Eq. (22) and Eqs. (A1)-(A13), Fig. 4, in 2017 {cite}`coherent2017`, the release of 2021, 1.",
    "{glue:text}`limit-1.5`%, {eq}`eq-100`, {numref}`fig-0.5` and {glue:text}`a`.",
    "charges $2/3$ and $-\\tfrac13$, $\\frac{16}{z}$, $x^2$, $10^n$, $10^{-n}$, $2^{-52}$, $90^\\circ$",
    "$D_{001}^a - D_{00}^b$, $D_{001}$, $\\mathcal I_{012}$, $^{133}$Cs, ${}^{127}\\mathrm{I}$, D001, Cs-133, x_100",
    "$$ \\phi = \\frac{192}{m_\\mu}\\Big(\\frac{E}{m_\\mu}\\Big)^2 - \\frac{1}{1024} $$ (eq-michel-100)",
    "```{math}\n:label: eq-1.5\n\\frac{192}{x}\n```",
    "\\begin{align}\n192 x\n\\end{align}",
    "`x = 0.28`, ``0.5 ` 0.6``, `tests/test_1.5.py`",
    "```python\nx = 0.28\n```\nas above",
    ":::{code-block} python\nx = 0.28\n:::\n```{raw} html\n0.28\n```",
    "[the release](https://doi.org/10.5281/zenodo.1228631), arXiv:1804.09459",
    "https://example.org/1.5/200, 10.1103/PhysRevD.104.095017",
    '<!-- 0.28 --><img src="a-100.png" width="250">\n(sec-100)=\n## Title',
    ":::{figure} fig.svg\n:width: 100%\n:name: fig-1.5\nA caption.\n:::",
    "at 90% C.L.",
]


@pytest.mark.parametrize(("text", "numbers"), REFUSED)
def test_the_rule_bites(text, numbers):
    found = typed_numbers(text)
    assert [number for number, _ in found] == numbers
    assert all(number in words for number, words in found)
    assert len(faults_of_prose([{"cell_type": "markdown", "id": "x", "source": text}])) == len(numbers)


@pytest.mark.parametrize("text", PASSED)
def test_the_rule_lets_pass(text):
    assert typed_numbers(text) == []


def test_only_text_is_prose():
    assert faults_of_prose([figure(caption="0.28", source="x = 0.28", text="0.28")]) == []


def figure(caption="", alt="", source="", text=""):
    metadata = {"mystnb": {"figure": {"name": "fig-x", "caption": caption}, "image": {"alt": alt}}}
    stored = [{"output_type": "stream", "name": "stdout", "text": [text]}]
    return {"cell_type": "code", "id": "x", "source": source, "metadata": metadata, "outputs": stored}


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0.73", "0.734"),
        ("0.73", "7.3e-1"),
        ("100 MeV", "1e2"),
        ("230 MeV", "226.0"),
        ("1000", "1_000"),
        ("1000", "1,000"),
        ("1e-8", "1.2e-08"),
        ("$5\\times10^{-9}$", "5e-9"),
        ("10⁻⁹", "1.0 × 10⁻⁹"),
        ("13 per cent", "13%"),
    ],
)
def test_a_number_about_a_figure_is_found_where_it_is_held(number, text):
    assert faults_of_figures([figure(caption=number, text=text)]) == []
    assert faults_of_figures([figure(alt=number, source=text)]) == []
    assert faults_of_figures([figure(source=text), figure(alt=number)]) == [], "code of an earlier cell"
    assert len(faults_of_figures([figure(text=text), figure(alt=number)])) == 1, "another cell's output"
    assert len(faults_of_figures([figure(caption=number, alt=number)])) == 2
    assert len(faults_of_figures([figure(alt=number), figure(source=text)])) == 1, "code of a later cell"


@pytest.mark.parametrize(
    ("number", "text"), [("0.73", "0.74"), ("230 MeV", "220"), ("100 MeV", "110"), ("4.61", "4.6"), ("1e-8", "1e-9")]
)
def test_a_number_about_a_figure_is_not_mistaken_for_another(number, text):
    assert len(faults_of_figures([figure(caption=number, text=text)])) == 1
