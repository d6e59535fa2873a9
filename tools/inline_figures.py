"""Figures as a part of the page: each SVG that a chapter draws is written into the HTML.

There it takes the colours of the page by style sheet, light or dark, and its panels stand beside or below each other
as there is room. A figure may use the colours of cevnsloop.results.look.COLOURS only; another one stops the build.
"""

import hashlib
import html
import re
from pathlib import Path
from xml.etree import ElementTree

from docutils import nodes

from cevnsloop.results.look import COLOURS

SVG = "http://www.w3.org/2000/svg"
ElementTree.register_namespace("", SVG)
HREF = "{http://www.w3.org/1999/xlink}href"
COLOUR = re.compile(r"#[0-9a-f]{6}\b")
REFERENCE = re.compile(r"#([\w-]+)")
NAMES = {value: name for name, value in reversed(COLOURS.items())} | {"#000000": "ink"}


def setup(app):
    app.connect("doctree-resolved", replace)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def replace(app, doctree, page):
    """Handler of Sphinx: put the drawing in the place of each image that a cell has made."""
    if app.builder.format != "html":
        return
    for image in list(doctree.findall(nodes.image)):
        path = Path(app.srcdir, image["uri"])
        if path.suffix == ".svg" and "jupyter_execute" in path.parts:
            drawing = inlined(path.read_text(encoding="utf-8"), image.get("alt", ""))
            image.replace_self(nodes.raw("", drawing, format="html"))


def inlined(source, alt):
    """HTML of a figure from the SVG that matplotlib wrote: each panel a drawing of its own.

    Raises ValueError if it has a colour that the style sheet does not know.
    """
    prefix = "f" + hashlib.sha256(source.encode()).hexdigest()[:8]
    root = ElementTree.fromstring(source)
    for part in root.findall(f"{{{SVG}}}metadata"):
        root.remove(part)
    for defs in root.findall(f"{{{SVG}}}defs"):
        if defs.find(f"{{{SVG}}}style") is not None:  # it would hold for the whole page
            root.remove(defs)
    boxes = {}
    for element in root.iter():
        name = element.attrib.pop("id", "")
        if name.startswith("panel "):
            boxes[element] = name.removeprefix("panel ")
        elif element.tag.rpartition("}")[2] in ("path", "clipPath", "use") and name:
            element.set("id", f"{prefix}-{name}")
        _repaint(element, prefix)
    for element in boxes:
        _remove(root, element)
    drawings = [_drawing(box, [panel]) for panel, box in boxes.items()]
    if drawings:  # what is left are clip paths, which all panels use
        drawings.append(_drawing("0 0 0 0", list(root)))
    else:
        drawings = [_drawing(root.get("viewBox"), list(root))]
    label = html.escape(alt, quote=True)
    return f'<div class="drawing" role="img" aria-label="{label}">{"".join(drawings)}</div>'


def _repaint(element, prefix):
    """Colours as names of the style sheet, and ids that no other figure of the page has."""
    if HREF in element.attrib:
        element.set("href", element.attrib.pop(HREF).replace("#", f"#{prefix}-"))
    if "clip-path" in element.attrib:
        element.set("clip-path", REFERENCE.sub(rf"#{prefix}-\1", element.get("clip-path")))
    for name in ("style", "fill", "stroke"):
        if name in element.attrib:
            element.set(name, COLOUR.sub(_variable, element.get(name)))


def _variable(match):
    if match[0] not in NAMES:
        raise ValueError(f"colours of a figure must be among {', '.join(COLOURS)} of results.look, got {match[0]}")
    return f"var(--figure-{NAMES[match[0]]})"


def _remove(root, element):
    for parent in root.iter():
        if element in parent:
            parent.remove(element)
            return


def _drawing(box, content):
    hidden = box == "0 0 0 0"
    width = 0 if hidden else float(box.split()[2])
    size = {"class": "shared", "width": "0", "height": "0"} if hidden else {"style": f"--width: {width:g}"}
    svg = ElementTree.Element(f"{{{SVG}}}svg", {"viewBox": box, "aria-hidden": "true", **size})
    svg.extend(content)
    return ElementTree.tostring(svg, encoding="unicode")
