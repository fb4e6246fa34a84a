// The dependency graph where a picture has no room: kind by kind what there is, what it comes from, and what it
// goes to. It is made from the picture.

const SVG = "http://www.w3.org/2000/svg";
// In the order of the way from data to picture.
const KINDS = [
  ["source", "Sources"],
  ["key", "Keys"],
  ["window", "Windows"],
  ["script", "Scripts"],
  ["value", "Values"],
  ["template", "Templates"],
  ["signal", "Signals"],
  ["trigger", "Triggers"],
  ["animation", "Animations"],
  ["widget", "Widgets"],
];

const list = document.getElementById("graph-list");
let rows = new Map();

// Shows the nodes and edges of a picture.
export function outline(nodes, edges) {
  const all = [...nodes].map(([id, node]) => ({ id, node, kind: KINDS.findIndex(([kind]) => node.classList.contains(kind)) }));
  const named = new Map(all.map(({ id, node }) => [id, nameOf(node)]));
  const sections = KINDS.map(([, title], kind) => section(title, all.filter((one) => one.kind === kind), { named, edges }));
  list.replaceChildren(...sections.filter(Boolean));
  rows = new Map([...list.querySelectorAll("li")].map((row) => [row.dataset.id, row]));
}

// A node's value has changed, or how it is doing.
export function tell(id, text, node) {
  const row = rows.get(id);
  if (!row) return;
  row.querySelector(".now").textContent = text;
  for (const name of ["wrong", "stale"]) row.classList.toggle(name, node.classList.contains(name));
}

function section(title, members, around) {
  if (!members.length) return null;
  const heading = Object.assign(document.createElement("h3"), { textContent: title });
  const rows = document.createElement("ul");
  rows.append(...members.map((one) => row(one, around)));
  const element = document.createElement("section");
  element.append(heading, rows);
  return element;
}

function row({ id, node }, { named, edges }) {
  const element = document.createElement("li");
  element.className = node.getAttribute("class");
  element.dataset.id = id;
  const mark = document.createElementNS(SVG, "svg");
  mark.setAttribute("viewBox", "-1 -1 14 14");
  mark.setAttribute("aria-hidden", "true");
  const shape = node.querySelector(".mark").cloneNode();
  shape.removeAttribute("transform");
  mark.append(shape);
  element.append(mark, part("b", nameOf(node)), part("span", node.querySelector(".now")?.textContent ?? "", "now"));
  const below = node.querySelector(".formula, .detail");
  if (below) element.append(part("p", below.classList.contains("formula") ? formulaOf(node) : below.textContent, below.getAttribute("class")));
  const [from, to] = [ends(edges, id, "to", "from"), ends(edges, id, "from", "to")];
  if (from.length) element.append(links("from", from, named));
  if (to.length) element.append(links("to", to, named));
  return element;
}

function ends(edges, id, near, far) {
  return edges.filter((edge) => edge.dataset[near] === id).map((edge) => edge.dataset[far]);
}

// The names of others, each of which leads to its own row.
function links(word, ids, named) {
  const element = part("p", `${word} `, "ends");
  ids.forEach((id, index) => {
    const button = part("button", named.get(id) ?? id);
    button.type = "button";
    button.addEventListener("click", () => visit(id));
    element.append(index ? ", " : "", button);
  });
  return element;
}

function visit(id) {
  const row = rows.get(id);
  if (!row) return;
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  row.scrollIntoView({ block: "center", behavior: isStill ? "auto" : "smooth" });
  for (const other of rows.values()) other.classList.toggle("on", other === row);
}

// The whole name, which the picture may cut.
function nameOf(node) {
  const shown = node.querySelector(".name").textContent;
  return shown.endsWith("…") ? linesOf(node)[0] : shown;
}

function formulaOf(node) {
  return linesOf(node)[2] ?? "";
}

function linesOf(node) {
  return node.querySelector("title").textContent.split("\n");
}

function part(name, textContent, className = "") {
  return Object.assign(document.createElement(name), { textContent, className });
}
