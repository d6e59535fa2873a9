"""Every check finds the defect it is for, planted into a chapter of the built book, and nothing where there is none."""

import shutil
from types import SimpleNamespace

import page_checks
import print_pages
import pytest

CHAPTER = "book/model.html"
DARK, PHONE = {"theme": "dark"}, {"width": 400}
SVG = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><path d='M0 0 9 3 0 6 9 9'/></svg>"
CURVE = f"data:image/svg+xml;utf8,{SVG}"
IMAGE = f'<img class="dark-light" width="99" alt="a curve, black on nothing" src="{CURVE}"'
FAR = '<div style="width: 2000px">far</div>'
TERMS = " + ".join(["x_1 y_2"] * 40)
WORDS = "<p style='position: absolute; left: -5000px'>these words leave paper</p>"


def printed(page):
    return page_checks.sheets(print_pages.pdf(page))


def on_paper(check, **also):
    """The check on a page as it is printed."""

    def check_on_paper(page):
        given = {name: make(page) for name, make in also.items()}
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 680, "height": 900})
        return check(page, **given)

    return check_on_paper


def out_of_reach(page):
    return page_checks.out_of_reach(page, tries=6)


def lost(page, sheets):
    return page_checks.lost(page, sheets, 0.9)


def menu(page):
    return page_checks.shown(page, "#menu, .bd-sidebar-primary")


CHECKS = {
    "formula": page_checks.mathematics,
    "source": page_checks.raw_source,
    "equation": page_checks.wide_equations,
    "width": page_checks.too_wide,
    "keyboard": out_of_reach,
    "figure": page_checks.faint_figures,
    "link": page_checks.plain_links,
    "axe": page_checks.accessibility,
    "cut": on_paper(page_checks.cut),
    "lost": on_paper(lost, sheets=printed),
    "menu": on_paper(menu),
}
DEFECTS = [
    ("formula", {}, r'<p class="math">\(\frac{1}\)</p>', r"Missing argument for \frac"),
    ("formula", {}, r'<p class="math">\(\frac{1}{2\)</p>', r"not set: \(\frac{1}{2"),
    ("formula", {}, r'<p class="math">\(\slashed{p}\)</p>', r"unknown macro: \slashed{p}"),
    ("source", {}, "<p>half of $x$</p>", "$x$"),
    ("source", {}, "<p>see {eq}`eq-tree`</p>", "{eq}`eq-tree`"),
    ("source", {}, r"<li>a fraction \frac12</li>", r"\frac12"),
    ("source", {}, "<p>the coefficient D_{001}</p>", "D_{001}"),
    ("source", {}, "<p>:::{note}</p>", ":::{note}"),
    ("equation", {}, rf'<div class="math">\[{TERMS}\]</div>', "px in "),
    ("width", {}, '<div style="width: 900px">wide</div>', "near #planted: wide"),
    ("width", PHONE, '<div style="width: 1000px">wide</div>', "the page scrolls: 10"),
    ("keyboard", {}, f'<div style="overflow-x: auto">{FAR}</div>', "near #planted: far"),
    ("figure", DARK, f'<p>{IMAGE} style="filter: none; background: none"></p>', "of it stands out: <img"),
    ("figure", DARK, f'<p>{IMAGE} style="filter: invert(1); background: #fff"></p>', "filter invert(1): <img"),
    ("figure", DARK, '<svg width="99" height="99"><path d="M0 0 99 9" /></svg>', "of it stands out: <svg"),
    ("link", {}, '<p>See <a href="#x" style="text-decoration: none">this</a>.</p>', "near #planted: this"),
    ("axe", {}, f'<p><img src="{CURVE}" width="99"></p>', "image-alt (critical)"),
    ("axe", {}, '<p><a href="#x"></a></p>', "link-name (serious)"),
    ("axe", {}, "<p><button></button></p>", "button-name (critical)"),
    ("axe", {}, '<p style="color: #999">pale</p>', "color-contrast (serious)"),
    ("axe", DARK, '<p style="color: #333">dark</p>', "color-contrast (serious)"),
    ("cut", {}, f"<section>{FAR}</section>", "ends at 20"),
    ("cut", {}, f'<p style="overflow: hidden; width: 90px; white-space: nowrap">{"cut" * 50}</p>', "px in 90"),
    ("lost", {}, WORDS, "'leave', 'paper', 'these'"),
    ("menu", {}, '<p id="menu">elsewhere</p>', "near #menu: elsewhere"),
]
GOOD = (
    r'<p>One dollar is spelled <code>$1</code>, a coefficient <span class="math">\(D_{001}\)</span>.</p>'
    r'<p>See <a href="#x">this</a>.</p><p><a href="#x" style="text-decoration: none">All of it</a></p>'
    r'<div class="math">\[a = \frac{b}{c}\]</div>'
    r'<pre tabindex="0">' + r"\frac and $x$ in code " * 20 + "</pre>"
    '<div tabindex="0" class="pst-scrollable-table-container"><table><tr>'
    + "<td>immeasurably</td>"
    * 6
    + "</tr></table></div>"
    "<figure>" + IMAGE.replace(' class="dark-light"', "") + "><figcaption>On a card of its own.</figcaption></figure>"
    "<details><summary>Show more</summary><p>folded away</p></details>"
)


@pytest.fixture
def plant(kept_page, site):
    """plant(body, theme, width) puts a body in place of that of a chapter, which is loaded only once."""

    def plant(body, theme="light", width=1280):
        file = site / CHAPTER
        if kept_page.url != file.as_uri():
            print_pages.open_page(kept_page, file)
        kept_page.set_viewport_size({"width": width, "height": 900})
        kept_page.emulate_media(media="null")
        page_checks.recolour(kept_page, theme)
        kept_page.evaluate(
            """body => {
                document.querySelector("article").innerHTML = `<section id="planted"><h1>Planted</h1>${body}</section>`;
                MathJax.startup.document.clear();
                return MathJax.typesetPromise();
            }""",
            body,
        )
        return kept_page

    return plant


@pytest.mark.parametrize(("check", "look", "body", "said"), DEFECTS)
def test_a_defect_is_found(check, look, body, said, plant):
    found = CHECKS[check](plant(body, **look))
    assert any(said in one for one in found), found


def test_a_word_set_with_ligatures_is_not_lost(plant):
    sheet = SimpleNamespace(extract_text=lambda: "an oﬃce in a ﬂat")
    page = plant("<p>an office in a flat</p>")
    assert page_checks.lost(page, [sheet], 1) == ["1 of 3 words: ['Planted']"]


@pytest.mark.parametrize("look", [{}, DARK, PHONE])
def test_nothing_is_found_where_nothing_is_wrong(look, plant):
    page = plant(GOOD, **look)
    assert {name: check(page) for name, check in CHECKS.items()} == {name: [] for name in CHECKS}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('<p><img src="https://example.org/x.png" alt="x"></p>', ["leaves the site: https://example.org/x.png"]),
        ('<p><img src="nowhere.png" alt="x"></p>', ["failed: file:", "nowhere.png"]),
        ("<script>console.error('lost')</script>", ["console: lost"]),
        ("<script>missing()</script>", ["exception: ReferenceError: missing is not defined"]),
    ],
)
def test_trouble_is_noted(body, said, open_page, trouble, tmp_path):
    (tmp_path / "trouble.html").write_text(f"<!doctype html><title>Trouble</title>{body}")
    open_page(tmp_path / "trouble.html")
    assert all(any(part in one for one in trouble) for part in said), trouble


def test_one_text_of_each_kind_is_kept(plant):
    """Two kinds of code, and the rows of a striped table."""
    word = '<span class="k">in</span><span class="n">x</span>'
    page = plant(f"<pre>{word * 9}</pre><table>{'<tr><td>cell' * 9}</table>")
    page_checks.one_of_each(page)
    assert page.locator("#planted pre").text_content() == "inx"
    assert page.locator("#planted td").all_text_contents() == ["cell", "cell"]


def test_dead_links_are_found(tmp_path):
    shutil.copy(__file__, tmp_path / "file.py")
    (tmp_path / "book").mkdir()
    (tmp_path / "index.html").write_text(
        '<meta http-equiv="Refresh" content="0; url=book/gone.html"><a href="book/a.html#here">a</a>'
        '<a href="#top">b</a><a href="https://example.org/gone">c</a>'
        '<a href="book/a.html?x=1#there">d</a><a href="file.py">e</a>'
    )
    (tmp_path / "book" / "a.html").write_text(
        '<p id="here"></p><a href="#here">a</a><a href="../index.html">b</a><img src="%67one.png">'
        '<a href="../../out.html">c</a><a href="../file.py">d</a><a href="../data.csv">e</a>'
    )
    assert sorted(page_checks.dead_links(tmp_path, ["index.html", "book/a.html"])) == [
        "book/a.html: no file %67one.png",
        "book/a.html: no file ../../out.html",
        "book/a.html: no file ../data.csv",
        "index.html: no anchor #top",
        "index.html: no anchor book/a.html?x=1#there",
        "index.html: no file book/gone.html",
    ]
