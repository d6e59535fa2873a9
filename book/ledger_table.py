"""The ledger as an HTML table with two filters: rows in, text out."""

import re
from html import escape

HEADERS = ("Item", "What it states", "Verdict", "How it was checked")
STATUSES = {"confirmed": "✓", "slip": "≈", "differs": "✗", "taken": "–"}

# In dark mode the theme puts HTML output on a light card; not this one. In a
# narrow column a row is a card: the roles in the table keep it a table for
# readers that do not see it.
STYLE = """
.bd-content div.cell_output .text_html:has(#ledger) {
  background: transparent; color: var(--pst-color-text-base, inherit);
  padding: 0; border-radius: 0; }
.bd-content .cell_output:has(#ledger) { overflow: visible; }
#ledger { container-type: inline-size; }
#ledger .controls { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; }
#ledger .controls label { display: flex; gap: 0.5rem; align-items: center; }
#ledger .controls[hidden], #ledger tr[hidden] { display: none; }
#ledger input, #ledger select { font: inherit; color: inherit;
  background: transparent; min-width: 0; padding: 0.2rem 0.4rem;
  border: 1px solid var(--pst-color-text-muted, currentColor);
  border-radius: 0.25rem; }
#ledger select option { color: var(--pst-color-text-base, CanvasText);
  background: var(--pst-color-background, Canvas); }
#ledger .count { margin: 0.5rem 0; }
#ledger table { display: table; width: 100%; max-width: none; margin: 0;
  border-collapse: collapse; font-size: 0.85em; table-layout: fixed; }
#ledger thead th:first-child { width: 15%; }
#ledger thead th:nth-child(3) { width: 15%; }
#ledger thead th:last-child { width: 28%; }
#ledger th, #ledger td { text-align: left; vertical-align: top;
  padding: 0.4rem 0.5rem; overflow-wrap: break-word; border: 0;
  border-bottom: 1px solid var(--pst-color-border, currentColor); }
#ledger thead th { background: var(--pst-color-surface, Canvas); }
#ledger tbody tr { background: transparent; }
#ledger .status { white-space: nowrap; font-weight: 600; }
#ledger [data-status="confirmed"] .status { color: var(--figure-coherent); }
#ledger [data-status="slip"] .status { color: var(--figure-nu_e); }
#ledger [data-status="differs"] .status { color: var(--figure-published); }
#ledger [data-status="taken"] .status { color: var(--figure-muted); }
#ledger td p { margin: 0 0 0.3rem; }
#ledger .note { color: var(--pst-color-text-muted, inherit); }
#ledger code { overflow-wrap: anywhere; }
#ledger ul { margin: 0.2rem 0 0; padding-left: 1.1rem; }
@container (max-width: 36rem) {
  #ledger table { display: block; font-size: 0.9em; }
  #ledger tbody { display: block; }
  #ledger thead { position: absolute; clip-path: inset(50%);
    width: 1px; height: 1px; overflow: hidden; }
  #ledger tbody tr:not([hidden]) { display: grid; padding: 0.5rem;
    grid-template-columns: 1fr auto; gap: 0.2rem 0.5rem;
    border-bottom: 1px solid var(--pst-color-border, currentColor); }
  #ledger tbody th, #ledger tbody td { padding: 0; border: 0;
    grid-column: 1 / -1; min-width: 0; }
  #ledger tbody th { grid-column: 1; }
  #ledger tbody .status { grid-column: 2; grid-row: 1; }
}
@media print {
  #ledger .controls, #ledger .count { display: none; }
  #ledger tr { break-inside: avoid; }
}
"""

# The controls appear only where the script runs; without it all rows show.
SCRIPT = """
(() => {
  const root = document.getElementById("ledger");
  const text = root.querySelector("input");
  const status = root.querySelector("select");
  const count = root.querySelector(".count");
  const rows = [...root.querySelectorAll("tbody tr")];
  const show = () => {
    const words = text.value.toLowerCase().split(" ").filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const words_in = row.textContent.toLowerCase();
      const is = status.value;
      row.hidden = (is && row.dataset.status !== is)
        || !words.every((word) => words_in.includes(word));
      shown += !row.hidden;
    }
    count.textContent = `${shown} of ${rows.length} rows shown`;
  };
  text.addEventListener("input", show);
  status.addEventListener("change", show);
  root.querySelector(".controls").hidden = false;
  show();
})();
"""


def table(rows):
    """The table of `rows`, a list of mappings as in ledger.toml."""
    head = "".join(
        f'<th scope="col" role="columnheader">{name}</th>' for name in HEADERS
    )
    body = "\n".join(row_of(row) for row in rows)
    options = "".join(f"<option>{name}</option>" for name in STATUSES)
    return f"""<div id="ledger" class="tex2jax_ignore mathjax_ignore">
<style>{STYLE}</style>
<div class="controls" hidden>
<label>Search <input type="search" autocomplete="off"></label>
<label>Verdict <select><option value="">all</option>{options}</select></label>
</div>
<p class="count" role="status" aria-live="polite">{len(rows)} rows</p>
<table role="table">
<thead role="rowgroup"><tr role="row">{head}</tr></thead>
<tbody role="rowgroup">
{body}
</tbody>
</table>
<script>{SCRIPT}</script>
</div>"""


def row_of(row):
    """One row: its item, statement with note and effect, verdict, routes.

    The item leads to the chapter that checks it. The build of the book makes
    a link to the source of every test that stands as code with its full name.
    """
    states = [f"<p>{escape(row['what'])}</p>"]
    if "note" in row:
        states.append(f'<p class="note">{escape(row["note"])}</p>')
    if "effect" in row:
        effects = ", ".join(effect_of(effect) for effect in row["effect"])
        states.append(f"<p>Effect on limits: {effects}</p>")
    routes = escape("; ".join(row["routes"]))
    tests = "".join(
        f"<li><code>{escape(t)}</code></li>" for t in row["tests"]
    )
    number, status = len(row["tests"]), escape(row["status"])
    chapter = escape(row["chapter"])
    return (
        f'<tr role="row" id="ledger-{escape(row["id"])}"'
        f' data-status="{status}"><th scope="row" role="rowheader">'
        f'<a href="{chapter}.html">{escape(item(row["id"]))}</a></th>'
        f'<td role="cell">{"".join(states)}</td>'
        f'<td role="cell" class="status"><span aria-hidden="true">'
        f"{STATUSES.get(row['status'], '')}</span> {status}</td>"
        f'<td role="cell"><p>{routes}</p><details><summary>'
        f"{number} {'test' if number == 1 else 'tests'}</summary>"
        f"<ul>{tests}</ul></details></td></tr>"
    )


def effect_of(effect):
    """A switch as code; a reason why there is no effect as text."""
    if effect.startswith("none"):
        return escape(effect)
    return f"<code>{escape(effect)}</code>"


def item(name):
    """ "Eq. (22)" for the number of an equation, any other name as it is."""
    return f"Eq. ({name})" if re.fullmatch(r"A?\d+", name) else name
