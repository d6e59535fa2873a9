// What the theme leaves undone on every page. Loaded in the head, before the theme's own scripts run.

const root = document.documentElement;

// Without a remembered choice the colours follow the system; the theme takes the empty word for an error.
root.dataset.mode ||= "auto";

document.addEventListener("DOMContentLoaded", () => {
  // docutils gives the list of references children with a role that ARIA has withdrawn.
  for (const entry of document.querySelectorAll("[role=doc-biblioentry]")) entry.setAttribute("role", "listitem");
  // The label that MyST-NB gives to what unfolds a cell hides the words on it, such as "Show the solution".
  for (const prompt of document.querySelectorAll("details.hide > summary")) prompt.removeAttribute("aria-label");
});

// The theme makes code that scrolls a stop for the keyboard when the page is loaded; folded code shows its width later.
document.addEventListener("toggle", ({ target }) => {
  for (const code of target.querySelectorAll("pre")) code.tabIndex = code.scrollWidth > code.clientWidth ? 0 : -1;
}, true);

// Paper is white, and nothing is folded on it but what would fill the narrow columns of a table.
let afterwards = () => {};
addEventListener("beforeprint", () => {
  const theme = root.dataset.theme, folded = [...document.querySelectorAll("details:not([open], td *)")];
  const set = (open, colours) => {
    for (const part of folded) part.open = open;
    root.dataset.theme = colours;
  };
  set(true, "light");
  afterwards = () => set(false, theme);
});
addEventListener("afterprint", () => afterwards());
