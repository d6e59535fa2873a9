"""Print the built book to PDF, one file a page, with the browser that also checks the pages.

    python tools/print_pages.py [FOLDER]

FOLDER is _build/pdf if it is not given; the book is the one in _build/html, or in the folder that the environment
variable CEVNSLOOP_SITE names. How a page looks on paper is said by book/_static/custom.css (@media print) and pages.js.
"""

import json
import os
import sys
from pathlib import Path

from browser import Missing, executable, launched

ROOT = Path(__file__).resolve().parents[1]
SITE = Path(os.environ.get("CEVNSLOOP_SITE", ROOT / "_build" / "html")).resolve()
NUMBER = '<div style="font: 8px sans-serif; text-align: center; width: 100%"><span class="pageNumber"></span></div>'


def pages(site):
    """The pages that the last build of a site made, by Sphinx's own list: older files may lie beside them."""
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    return json.loads(text[text.index("(") + 1 : text.rindex(")")])["docnames"]


def open_page(page, file):
    """Load a file into playwright's Page and wait until its mathematics is set."""
    page.goto(file.as_uri())
    page.evaluate("() => window.MathJax?.startup?.promise")


def pdf(page):
    """The bytes of the PDF of playwright's Page; paper and margins are those of the style sheet."""
    return page.pdf(
        prefer_css_page_size=True, display_header_footer=True, header_template="<i></i>", footer_template=NUMBER
    )


def main(out=ROOT / "_build" / "pdf"):
    out = Path(out)
    with launched(executable(installing=True)) as browser:
        page = browser.new_page()
        for name in pages(SITE):
            open_page(page, SITE / f"{name}.html")
            file = out / f"{Path(name).name}.pdf"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(pdf(page))
    print(f"The pages on paper: {out}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Missing as missing:
        sys.exit(f"nothing printed: {missing}")
