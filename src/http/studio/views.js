// The views of the page: panel, formulas, supervision, performance. Which one is shown says the address behind the #,
// and the style sheet alone acts on it; here is what else follows from it.

const links = [...document.querySelectorAll("nav a")];
const skip = document.getElementById("skip");
const listeners = [];
let panelName = "";

// The name of the view that is shown.
export function shown() {
  return links.find((link) => link.hash === location.hash && document.querySelector(link.hash))?.hash.slice(1) ?? "panel";
}

// Calls `listener` whenever `view` comes into sight, and now if it is.
export function whenShown(view, listener) {
  listeners.push([view, listener]);
  if (shown() === view) listener();
}

// Says whose views these are.
export function setName(name) {
  panelName = name;
  follow();
}

function follow() {
  const view = shown();
  for (const link of links) {
    const current = link.hash === `#${view}`;
    current ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
    if (current) document.title = [panelName, view === "panel" ? "" : link.firstChild.textContent, "tinydisplay"].filter(Boolean).join(" · ");
  }
  skip.hash = view;
  for (const [wanted, listener] of listeners) if (wanted === view) listener();
}

addEventListener("hashchange", follow);
follow();
