"""Every page of the built book, on a screen and on paper."""

import page_checks
import pytest
from print_pages import SITE, pages, pdf

BUILT = (SITE / "searchindex.js").is_file()
BOOK = [f"{name}.html" for name in pages(SITE)] if BUILT else ["index.html"]  # where nothing is built, that one fails
TOOLS = ["search.html", "genindex.html"]
# asked in both themes; asked by plain_links; only moderate, so never counted: these three take most of the time
ELSEWHERE = ["color-contrast", "link-in-text-block", "region"]
PAPER = 680  # px at 96 dpi: the width of A4 less the margins of the style sheet
PRINTED = [f"book/{name}.html" for name in ("fit", "ledger")]  # as PDF; all take too long
A4 = [595, 842]  # points
NOT_ON_PAPER = ".bd-sidebar-primary, .bd-sidebar-secondary, .bd-header-article, .bd-header, .prev-next-footer, .copybtn"
FOUND_AGAIN = 0.999  # of the words of a page; the rest is set in two fonts or cut by a line


def at_400_px(page):
    yield "telephone", page_checks.too_wide(page)
    yield "telephone", page_checks.out_of_reach(page)


def at_1280_px(page):
    page.set_viewport_size({"width": 1280, "height": 900})
    yield "formula", page_checks.mathematics(page)
    yield "raw source", page_checks.raw_source(page)
    yield "equation", page_checks.wide_equations(page)
    yield "column", page_checks.too_wide(page)
    yield "link", page_checks.plain_links(page)
    yield "accessibility", page_checks.accessibility(page, without=ELSEWHERE)


def on_paper(page):
    page.set_viewport_size({"width": PAPER, "height": 900})
    page.emulate_media(media="print")
    yield "paper", page_checks.cut(page)
    yield "paper", page_checks.shown(page, NOT_ON_PAPER)
    page.emulate_media(media="null")


def in_colours(page, seen):
    """The last checks: they leave little of the page. What was seen in colour on other pages is not asked again."""
    page.set_viewport_size({"width": 1280, "height": 900})
    page_checks.recolour(page, "dark")
    yield "figure in the dark", page_checks.faint_figures(page)
    new = page_checks.one_of_each(page, seen)
    for theme in ("dark", "light") if new else ():
        page_checks.recolour(page, theme)
        yield theme, page_checks.accessibility(page, only=["color-contrast"])
    seen.update(new)


@pytest.fixture(scope="module")
def seen():
    return set()


@pytest.mark.parametrize("name", [*BOOK, *TOOLS])
def test_page(name, open_page, trouble, seen):
    page = open_page(name, width=400)
    page_checks.unfold(page)
    found = [*at_400_px(page), *at_1280_px(page), *(on_paper(page) if name in BOOK else [])]
    found += [("browser", [*trouble]), *in_colours(page, seen)]
    findings = "\n".join(f"{check}: {one}" for check, ones in found for one in ones)
    assert not findings, f"\n{findings}"


@pytest.mark.parametrize("name", PRINTED)
def test_pdf_holds_what_the_page_shows(name, open_page):
    page = open_page(name, theme="dark")
    folded = page.locator("details:not([open])").count()
    sheets = page_checks.sheets(pdf(page))
    assert len(sheets) > 1
    assert all(sheet.mediabox[2:] == pytest.approx(A4, abs=1) for sheet in sheets)
    assert page.locator("details:not([open])").count() == folded, "left open after printing"
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert not page_checks.lost(page, sheets, FOUND_AGAIN)


def test_paper_is_white_and_nothing_is_folded_on_it(open_page):
    page = open_page("book/fit.html", theme="dark")
    state = "() => [document.documentElement.dataset.theme, document.querySelectorAll('details:not([open])').length]"
    before = page.evaluate(state)
    assert before[0] == "dark"
    assert before[1] > 0
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(state) == ["light", 0]
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(state) == before


def test_no_link_leads_nowhere(site):
    assert not page_checks.dead_links(site, ["index.html", *BOOK, *TOOLS])
