"""What can be wrong with a rendered page.

A check takes playwright's Page as it stands (size, theme, medium) and returns its findings, one line each.
"""

import io
import re
from contextlib import contextmanager
from html.parser import HTMLParser
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

import numpy as np
from PIL import Image

RAW_TEX = r"\$|\\[a-zA-Z]{2,}|\\[()\[\]]|[_^]\{|\{(eq|glue|numref|doc|ref|cite|download|term|math|py)\b|:::"
NOT_PROSE = "pre, code, kbd, script, style, textarea, mjx-container, [hidden]"
IMPACTS = ("serious", "critical")
CONTRAST = 4.5  # WCAG 2 AA, for text; what a figure shows has to reach it somewhere
DRAWN = 0.002  # the least fraction of a figure's pixels that stands out so: a frame, ticks and their labels
ICON = 48  # px, the size above which a picture is a figure

# Everything in the text, and not what scrolls in a box of its own: that is asked of print, where nothing scrolls.
IN_BOX = """element => {
    for (let box = element.parentElement; box && box.tagName !== "ARTICLE"; box = box.parentElement)
        if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(box).overflowX)) return true;
    return false;
}"""
NAMED = """element => {
    const place = element.closest("[id]")?.id, text = (element.alt ?? element.textContent).trim().replace(/\\s+/g, " ");
    const tag = `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}">`;
    return `${tag} near #${place}: ${text.slice(0, 60)}`;
}"""


def unfold(page):
    """Open what is folded and stop what moves, so that every check sees everything as it stays."""
    page.add_style_tag(content="*, ::before, ::after { animation: none !important; transition: none !important }")
    page.evaluate("() => document.querySelectorAll('details').forEach(folded => (folded.open = true))")


def recolour(page, theme):
    """Change between the themes light and dark, as a change of the system does."""
    page.emulate_media(color_scheme=theme)
    page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
    page.evaluate(
        "() => document.getAnimations().forEach(change => change instanceof CSSTransition && change.finish())"
    )


@contextmanager
def simplified(page):
    """For checks of every element: without the glyphs of formulas, which nobody reads aloud, and the parts of code."""
    page.evaluate(
        """() => {
            window.kept = [...document.querySelectorAll("mjx-math, pre")].map(whole => [whole, [...whole.childNodes]]);
            kept.forEach(([whole]) => whole.replaceChildren(whole.textContent));
        }"""
    )
    yield
    page.evaluate("() => kept.forEach(([whole, inside]) => whole.replaceChildren(...inside))")


def one_of_each(page, seen=()):
    """Leave one text of each kind that is not in `seen`, for checks of colours, and return the kinds that are left.

    Colours follow from a kind: tags, classes and styles from the text up to the root, and whether a row is odd.
    """
    return page.evaluate(
        """before => {
            const kinds = new Map(), seen = new Set(before), left = [], again = [];
            const kind = element => {
                if (element && !kinds.has(element)) {
                    const odd = element.tagName === "TR" ? element.rowIndex % 2 : "";
                    const own = `${element.tagName}.${element.className}${odd}${element.getAttribute("style") ?? ""}`;
                    kinds.set(element, `${kind(element.parentElement)}>${own}`);
                }
                return kinds.get(element) ?? "";
            };
            document.querySelectorAll("mjx-container").forEach(formula => formula.replaceChildren("x"));
            const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            for (let text = texts.nextNode(); text; text = texts.nextNode()) {
                if (!text.data.trim()) continue;
                const its = kind(text.parentElement);
                if (seen.has(its)) again.push(text);
                else left.push(its);
                seen.add(its);
            }
            again.forEach(text => text.remove());
            document.querySelectorAll("body .svg-inline--fa").forEach(icon => icon.remove());
            for (const element of document.querySelectorAll("body *:not(script, style, svg, svg *)"))
                if (!element.textContent.trim() && !element.querySelector("img, svg") && element.tagName !== "IMG")
                    element.remove();
            return left;
        }""",
        list(seen),
    )


def text(page):
    """The text of the page as it is shown, formulas left out."""
    return page.evaluate(
        """() => {
            for (const unseen of document.querySelectorAll("mjx-assistive-mml")) unseen.style.display = "none";
            return document.querySelector("article").innerText;
        }"""
    )


def mathematics(page):
    """Formulas that MathJax did not set, set as an error, or with a macro it does not know (shown in red)."""
    return page.evaluate(
        """() => {
            const found = [...document.querySelectorAll(".math:not(:has(mjx-container))")].map(
                formula => "not set: " + formula.textContent.trim());
            for (const formula of window.MathJax?.startup?.document?.math ?? [])
                formula.root?.walkTree(node => {
                    if (node.isKind("merror")) found.push(`${node.attributes.get("data-mjx-error")}: ${formula.math}`);
                    if (node.isKind("mtext") && node.attributes.get("mathcolor") === "red")
                        found.push(`unknown macro: ${formula.math}`);
                });
            return found;
        }"""
    )


def raw_source(page):
    """Text outside code that is TeX or Markdown not rendered."""
    return page.evaluate(
        """([pattern, outside]) => {
            const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            for (let text = texts.nextNode(); text; text = texts.nextNode())
                if (!text.parentElement.closest(outside) && new RegExp(pattern).test(text.data))
                    found.push(text.data.trim());
            return found;
        }""",
        [RAW_TEX, NOT_PROSE],
    )


def wide_equations(page):
    """Display equations wider than their column."""
    return page.evaluate(
        """() => [...document.querySelectorAll("mjx-container[display=true]")].flatMap(equation => {
            const column = equation.closest("div.math") ?? equation.parentElement;
            const width = Math.max(equation.scrollWidth, column.scrollWidth,
                equation.firstElementChild.getBoundingClientRect().width);
            const said = `${Math.round(width)} px in ${column.clientWidth}: #${column.id} ${equation.textContent}`;
            return width > column.clientWidth + 1 ? [said] : [];
        })"""
    )


def too_wide(page):
    """Whether the page scrolls sideways, and what of the text sticks out of its column without a box that scrolls."""
    return page.evaluate(
        f"""() => {{
            const inBox = {IN_BOX}, named = {NAMED}, found = [], root = document.scrollingElement;
            if (root.scrollWidth > root.clientWidth)
                found.push(`the page scrolls: ${{root.scrollWidth}} px in ${{root.clientWidth}}`);
            const column = document.querySelector("article")?.getBoundingClientRect().right;
            for (const element of document.querySelectorAll("article *")) {{
                const right = element.getBoundingClientRect().right;
                if (right > Math.min(column, root.clientWidth) + 1 && !inBox(element))
                    found.push(`ends at ${{Math.round(right)}} px: ${{named(element)}}`);
            }}
            return found;
        }}"""
    )


def cut(page):
    """What would be cut on paper: it sticks out of the page, or does not fit its box. In print nothing scrolls."""
    return too_wide(page) + page.evaluate(
        f"""() => {{
            const named = {NAMED};
            return [...document.querySelectorAll("article *")].filter(element =>
                element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX !== "visible"
                && element.clientWidth && !element.closest("mjx-assistive-mml, span.math")
            ).map(element => `${{element.scrollWidth}} px in ${{element.clientWidth}}: ${{named(element)}}`);
        }}"""
    )


def shown(page, selector):
    """Which of the elements that a selector names can be seen."""
    return [element.evaluate(NAMED) for element in page.locator(selector).filter(visible=True).all()]


def sheets(pdf):
    """The pages of a PDF."""
    from pypdf import PdfReader

    return PdfReader(io.BytesIO(pdf)).pages


def lost(page, sheets, least):
    """Words of the page as it is shown that its sheets of paper lack, if fewer than that fraction are found again.

    Both are compared after NFKC normalisation: on paper a font may have set fi, fl or ffi as one ligature.
    """
    paper = re.sub(r"\s", "", normalize("NFKC", "".join(sheet.extract_text() for sheet in sheets)))
    words = re.findall(r"[A-Za-z]{4,}", normalize("NFKC", text(page)))
    missing = [word for word in words if word not in paper]
    enough = len(missing) <= (1 - least) * len(words)
    return [] if enough else [f"{len(missing)} of {len(words)} words: {sorted(set(missing))}"]


def luminance(rgb):
    """Relative luminance of WCAG 2 for colours of shape (..., 3) in [0, 255]."""
    c = rgb / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


def standing_out(png):
    """The fraction of the pixels of a picture whose contrast with its most frequent colour is CONTRAST or more."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=np.uint32) @ [1 << 16, 1 << 8, 1]
    colours, counts = np.unique(pixels, return_counts=True)
    light = luminance(colours[:, None] >> np.array([16, 8, 0]) & 255) + 0.05
    ground = light[counts.argmax()]
    return counts[np.maximum(light / ground, ground / light) >= CONTRAST].sum() / counts.sum()


def faint_figures(page):
    """Figures (icons left out) that a filter recolours, or that hardly stand out from their own ground."""
    pictures = page.query_selector_all("article img, article svg:not(.svg-inline--fa, .copybtn *)")
    found = []
    for picture in pictures:
        name, colours, *size = picture.evaluate(
            f"""picture => [({NAMED})(picture), getComputedStyle(picture).filter,
                picture.clientWidth, picture.clientHeight]"""
        )
        if min(size) < ICON:
            continue
        if colours != "none":
            found.append(f"filter {colours}: {name}")
        if (part := standing_out(picture.screenshot())) < DRAWN:
            found.append(f"only {part:.2%} of it stands out: {name}")
    return found


def plain_links(page):
    """Links in text that only their colour tells apart: stricter than link-in-text-block of axe-core, and faster."""
    return page.evaluate(
        f"""() => {{
            const named = {NAMED}, style = element => getComputedStyle(element);
            const decorated = link => [link, ...link.querySelectorAll("*")].some(part =>
                style(part).textDecorationLine !== "none" || style(part).borderBottomStyle !== "none");
            const alone = link => link.innerText.trim() === link.closest("p, li, dd, td").innerText.trim();
            return [...document.querySelectorAll("article :is(p, li, dd, td) a[href]:not(.headerlink)")].filter(link =>
                link.innerText.trim() && !alone(link) && !decorated(link)).map(named);
        }}"""
    )


def out_of_reach(page, patience=3000):
    """Boxes that scroll and that the keyboard does not reach even after some ms: the theme takes 300 to see them."""
    return page.evaluate(
        f"""async patience => {{
            const named = {NAMED}, stops = "a[href], button, input, [tabindex]";
            const boxes = () => [...document.querySelectorAll("article, article *")].filter(box =>
                box.scrollWidth > box.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(box).overflowX)
                && box.tabIndex < 0 && ![...box.querySelectorAll(stops)].some(inside => inside.tabIndex >= 0));
            for (const end = performance.now() + patience; boxes().length && performance.now() < end;)
                await new Promise(later => setTimeout(later, 50));
            return boxes().map(named);
        }}""",
        patience,
    )


def accessibility(page, only=(), without=(), excepted=()):
    """Violations that axe-core calls serious or critical.

    only, without   rules to ask for, all if none are named, and rules not to ask for
    excepted        pairs of a rule and the one selector, as axe writes it, that it does not hold for
    """
    from axe_playwright_python.base import AXE_SCRIPT

    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {
        "resultTypes": ["violations"],
        "preload": False,
    }  # preload: it would fetch style sheets, which file:// forbids
    options |= {"runOnly": list(only)} if only else {}
    options |= {"rules": {rule: {"enabled": False} for rule in without}}
    result = page.evaluate("options => axe.run(options)", options)
    return [
        f"{rule['id']} ({rule['impact']}): {node['target'][0]} {node['html'][:120]}: {node['failureSummary']}"
        for rule in result["violations"]
        if rule["impact"] in IMPACTS
        for node in rule["nodes"]
        if (rule["id"], node["target"][0]) not in excepted
    ]


class Links(HTMLParser):
    """ids: what an anchor can name; links: what the page points to, as it is written."""

    ATTRIBUTES = ("href", "src", "data", "poster")

    def __init__(self, text):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id" or (tag == "a" and name == "name"):
                self.ids.add(value)
            elif name in self.ATTRIBUTES and value:
                self.links.append(value)
            elif tag == "meta" and name == "content" and "url=" in value.lower():
                self.links.append(value.split("=", 1)[1])


def dead_links(site, names):
    """Links, pictures, styles, scripts and downloads of pages that lead nowhere inside their site."""
    pages = {site / name: Links((site / name).read_text(encoding="utf-8")) for name in names}
    found = []
    for page, content in pages.items():
        for link in content.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (page.parent / unquote(url.path)).resolve() if url.path else page
            if not target.is_file() or not target.is_relative_to(site):
                found.append(f"{page.relative_to(site)}: no file {link}")
            elif url.fragment and (target not in pages or unquote(url.fragment) not in pages[target].ids):
                found.append(f"{page.relative_to(site)}: no anchor {link}")
    return found
