"""A slider whose every position shows numbers that were computed before: HTML for a notebook, no library, no network.

Where scripts do not run, all positions stand below each other.
"""

import json
from html import escape

SCRIPT = """(() => {
  const root = document.currentScript.parentElement, input = root.querySelector("input");
  const rows = JSON.parse(root.querySelector("[type='application/json']").textContent);
  const show = () => {
    const [value, text] = rows[input.value];
    root.querySelector("b").textContent = value;
    root.querySelector("output").textContent = text;
    input.setAttribute("aria-valuetext", value);
  };
  input.addEventListener("input", show);
  root.querySelector(".all").hidden = true;
  root.querySelector(".one").hidden = false;
  show();
})();"""


def slider(name, label, rows, start=0):
    """HTML of a slider called `name`, an id, that says `label` and shows one of `rows`, pairs of its value and a text.

    Raises ValueError without rows, or if there is no position `start`.
    """
    if not 0 <= start < len(rows):
        raise ValueError(f"start must be a position among {len(rows)} rows, got {start}")
    listed = "\n".join(f"<li>{escape(label)} {escape(value)}: {escape(text)}</li>" for value, text in rows)
    data = json.dumps(rows, ensure_ascii=False).replace("<", "\\u003c")
    return f"""<div id="{escape(name)}" class="slide tex2jax_ignore mathjax_ignore">
<div class="one" hidden><label for="{escape(name)}-input">{escape(label)}</label>
<b></b><input type="range" id="{escape(name)}-input" min="0" max="{len(rows) - 1}" value="{start}">
<output aria-live="polite"></output></div>
<ul class="all">
{listed}
</ul>
<script type="application/json">{data}</script>
<script>{SCRIPT}</script>
</div>"""
