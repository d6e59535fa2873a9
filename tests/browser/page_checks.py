"""What can be wrong with a rendered page.

A check takes playwright's Page as it stands (size, theme, medium) and returns its findings, one line each.
"""

import io
import re
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

import numpy as np
from bs4 import BeautifulSoup
from PIL import Image

RAW_TEX = r"\$|\\[a-zA-Z]{2,}|\\[()\[\]]|[_^]\{|\{(eq|glue|numref|doc|ref|cite|download|term|math|py)\b|:::"
NOT_PROSE = "pre, code, kbd, script, style, textarea, mjx-container, [hidden]"
UNREAD = ["mjx-math", "pre *"]  # the glyphs of formulas, which nobody reads aloud, and the parts of code
FAINT = 110  # steps of grey, of 255, by which something in a figure has to differ from its ground
DRAWN = 0.002  # the least fraction of a figure's pixels that stands out so: a frame, ticks and their labels
ICON = 48  # px, the size above which a picture is a figure

# An element in words, whether it scrolls in a box of its own (which paper cannot), and how a check lists what it finds.
JS = """const named = element => {
    const place = element.closest("[id]")?.id, text = (element.alt ?? element.textContent).trim().replace(/\\s+/g, " ");
    const tag = `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}">`;
    return `${tag} near #${place}: ${text.slice(0, 60)}`;
};
const boxed = element => {
    for (let box = element.parentElement; box && box.tagName !== "ARTICLE"; box = box.parentElement)
        if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(box).overflowX)) return true;
    return false;
};
const each = (selector, say) => [...document.querySelectorAll(selector)].map(say).filter(said => said);
const texts = () => {
    const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) if (walk.currentNode.data.trim()) found.push(walk.currentNode);
    return found;
};
"""


def ask(page, code, argument=None):
    """What a page says to the body of a function of `argument`, in JavaScript."""
    return page.evaluate(f"argument => {{ {JS} {code} }}", argument)


def unfold(page):
    """Open what is folded and stop what moves, so that every check sees everything as it stays."""
    page.add_style_tag(content="*, ::before, ::after { animation: none !important; transition: none !important }")
    ask(page, "each('details', folded => { folded.open = true; })")


def recolour(page, theme):
    """Change between the themes light and dark, as a change of the system does."""
    page.emulate_media(color_scheme=theme)
    page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
    ask(page, "document.getAnimations().forEach(change => change instanceof CSSTransition && change.finish())")


def one_of_each(page, seen=()):
    """Leave one text of each kind that is not in `seen`, for checks of colours, and return the kinds that are left.

    Colours follow from a kind: tags, classes and styles from the text up to the root, and whether a row is odd.
    """
    code = """
        const kinds = new Map(), seen = new Set(argument), left = [];
        const kind = element => {
            if (element && !kinds.has(element)) {
                const odd = element.tagName === "TR" ? element.rowIndex % 2 : "";
                const own = `${element.tagName}.${element.className}${odd}${element.getAttribute("style") ?? ""}`;
                kinds.set(element, `${kind(element.parentElement)}>${own}`);
            }
            return kinds.get(element) ?? "";
        };
        each("mjx-container", formula => formula.replaceChildren("x"));
        for (const [text, its] of texts().map(text => [text, kind(text.parentElement)])) {
            if (seen.has(its)) text.remove();
            else left.push(its);
            seen.add(its);
        }
        each("body .svg-inline--fa", icon => icon.remove());
        each("body *:not(script, style, svg, svg *, img)",
            empty => empty.textContent.trim() || empty.querySelector("img, svg") || empty.remove());
        return left;"""
    return ask(page, code, list(seen))


def mathematics(page):
    """Formulas that MathJax did not set, set as an error, or with a macro it does not know (shown in red)."""
    code = """
        const found = each(".math:not(:has(mjx-container))", formula => "not set: " + formula.textContent.trim());
        for (const formula of window.MathJax?.startup?.document?.math ?? [])
            formula.root?.walkTree(node => {
                if (node.isKind("merror")) found.push(`${node.attributes.get("data-mjx-error")}: ${formula.math}`);
                if (node.isKind("mtext") && node.attributes.get("mathcolor") === "red")
                    found.push(`unknown macro: ${formula.math}`);
            });
        return found;"""
    return ask(page, code)


def raw_source(page):
    """Text outside code that is TeX or Markdown not rendered."""
    code = """const [pattern, outside] = argument;
        return texts().filter(text => !text.parentElement.closest(outside) && new RegExp(pattern).test(text.data))
            .map(text => text.data.trim());"""
    return ask(page, code, [RAW_TEX, NOT_PROSE])


def wide_equations(page):
    """Display equations wider than their column."""
    code = """return each("mjx-container[display=true]", equation => {
            const column = equation.closest("div.math") ?? equation.parentElement;
            const width = Math.max(equation.scrollWidth, column.scrollWidth,
                equation.firstElementChild.getBoundingClientRect().width);
            if (width > column.clientWidth + 1)
                return `${Math.round(width)} px in ${column.clientWidth}: #${column.id} ${equation.textContent}`;
        });"""
    return ask(page, code)


def too_wide(page):
    """Whether the page scrolls sideways, and what of the text sticks out of its column without a box that scrolls."""
    code = """
        const root = document.scrollingElement, column = document.querySelector("article")?.getBoundingClientRect();
        const scrolls = root.scrollWidth > root.clientWidth;
        return (scrolls ? [`the page scrolls: ${root.scrollWidth} px in ${root.clientWidth}`] : []).concat(
            each("article *", element => {
                const right = element.getBoundingClientRect().right;
                if (right > Math.min(column.right, root.clientWidth) + 1 && !boxed(element))
                    return `ends at ${Math.round(right)} px: ${named(element)}`;
            }));"""
    return ask(page, code)


def cut(page):
    """What would be cut on paper: it sticks out of the page, or does not fit its box. In print nothing scrolls."""
    code = """return each("article *", box => {
            if (box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX !== "visible"
                && box.clientWidth && !box.closest("mjx-assistive-mml, span.math"))
                return `${box.scrollWidth} px in ${box.clientWidth}: ${named(box)}`;
        });"""
    return too_wide(page) + ask(page, code)


def shown(page, selector):
    """Which of the elements that a selector names can be seen."""
    return ask(page, "return each(argument, element => element.checkVisibility() && named(element));", selector)


def sheets(pdf):
    """The pages of a PDF."""
    from pypdf import PdfReader

    return PdfReader(io.BytesIO(pdf)).pages


def lost(page, sheets, least):
    """Words of the page as it is shown that its sheets of paper lack, if fewer than that fraction are found again.

    Both are compared after NFKC normalisation: on paper a font may have set fi, fl or ffi as one ligature.
    """
    paper = re.sub(r"\s", "", normalize("NFKC", "".join(sheet.extract_text() for sheet in sheets)))
    unseen = "each('mjx-assistive-mml', unseen => { unseen.style.display = 'none'; });"
    text = ask(page, unseen + "return document.querySelector('article').innerText;")  # formulas left out
    words = re.findall(r"[A-Za-z]{4,}", normalize("NFKC", text))
    missing = [word for word in words if word not in paper]
    enough = len(missing) <= (1 - least) * len(words)
    return [] if enough else [f"{len(missing)} of {len(words)} words: {sorted(set(missing))}"]


def standing_out(png):
    """The fraction of the pixels of a picture that differ from its most frequent grey by more than FAINT."""
    counts = np.array(Image.open(io.BytesIO(png)).convert("L").histogram())
    return counts[np.abs(np.arange(256) - counts.argmax()) > FAINT].sum() / counts.sum()


def faint_figures(page):
    """Figures (icons left out) that a filter recolours, or that hardly stand out from their own ground."""
    found = []
    for picture in page.query_selector_all("article img, article svg:not(.svg-inline--fa, .copybtn *)"):
        name, colours, size = picture.evaluate(
            f"""picture => {{ {JS} return [named(picture), getComputedStyle(picture).filter,
                Math.min(picture.clientWidth, picture.clientHeight)]; }}"""
        )
        if size >= ICON and colours != "none":
            found.append(f"filter {colours}: {name}")
        if size >= ICON and (part := standing_out(picture.screenshot())) < DRAWN:
            found.append(f"only {part:.2%} of it stands out: {name}")
    return found


def plain_links(page):
    """Links in text that only their colour tells apart: stricter than link-in-text-block of axe-core, and faster."""
    code = """
        const plain = part => getComputedStyle(part).textDecorationLine === "none"
            && getComputedStyle(part).borderBottomStyle === "none";
        const alone = link => link.innerText.trim() === link.closest("p, li, dd, td").innerText.trim();
        return each("article :is(p, li, dd, td) a[href]:not(.headerlink)", link => link.innerText.trim()
            && [link, ...link.querySelectorAll("*")].every(plain) && !alone(link) && named(link));"""
    return ask(page, code)


def out_of_reach(page, tries=30):
    """Boxes that scroll and that the keyboard does not reach: the theme takes its time to see them."""
    code = """return each("article, article *", box =>
            box.scrollWidth > box.clientWidth + 1 && ["auto", "scroll"].includes(getComputedStyle(box).overflowX)
            && [box, ...box.querySelectorAll("a[href], button, input, [tabindex]")].every(it => it.tabIndex < 0)
            && named(box));"""
    for _ in range(tries):
        if not (found := ask(page, code)):
            break
        page.wait_for_timeout(100)
    return found


def accessibility(page, only=(), without=()):
    """Violations that axe-core calls serious or critical, of the rules named, or of all without some."""
    from axe_playwright_python.base import AXE_SCRIPT

    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"], "preload": False}  # it would fetch style sheets, which file:// forbids
    options |= {"runOnly": list(only)} if only else {"rules": {rule: {"enabled": False} for rule in without}}
    result = page.evaluate("([options, unread]) => axe.run({exclude: unread}, options)", [options, UNREAD])
    return [
        f"{rule['id']} ({rule['impact']}): {node['target'][0]} {node['html'][:120]}: {node['failureSummary']}"
        for rule in result["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def dead_links(site, names):
    """Links, pictures, styles, scripts and downloads of pages that lead nowhere inside their site."""
    pages = {site / name: BeautifulSoup((site / name).read_text(encoding="utf-8"), "html.parser") for name in names}
    ids = {page: {tag.get("id", tag.get("name")) for tag in soup.select("[id], a")} for page, soup in pages.items()}
    found = []
    for page, soup in pages.items():
        links = [tag[key] for key in ("href", "src", "data", "poster") for tag in soup.select(f"[{key}]")]
        links += [tag["content"].split("=", 1)[1] for tag in soup.select('meta[content*="url=" i]')]
        for link in links:
            url = urlsplit(link)
            if not link or url.scheme or url.netloc:
                continue
            target = (page.parent / unquote(url.path)).resolve() if url.path else page
            if not target.is_file() or not target.is_relative_to(site):
                found.append(f"{page.relative_to(site)}: no file {link}")
            elif url.fragment and unquote(url.fragment) not in ids.get(target, ()):
                found.append(f"{page.relative_to(site)}: no anchor {link}")
    return found
