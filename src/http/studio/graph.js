// The dependency graph, drawn by the panel. Here it gets its values as they change, and shows what belongs
// to the node that is pointed at.

import { reading } from "./format.js";
import { outline, tell } from "./outline.js";
import { shown, whenShown } from "./views.js";

// How often the picture is drawn anew, for the times that formulas take.
const AGAIN_MS = 10_000;
const SVG = "http://www.w3.org/2000/svg";
// What is taken over from the picture: shapes and texts, and nothing that could act.
const ELEMENTS = new Set(["svg", "g", "path", "rect", "text", "title"]);
const ATTRIBUTES = new Set(["class", "d", "transform", "x", "y", "width", "height", "rx", "viewBox", "data-id", "data-from", "data-to"]);

const box = document.getElementById("graph-box");
const empty = document.getElementById("graph-empty");
let nodes = new Map();
let edges = [];
let drawn = -Infinity;
let fractions = new Set();

// Takes a `values` message.
export function update({ complete, values }) {
  for (const { name, formula, value, state, error } of values) {
    const node = nodes.get(`${formula === null ? "key" : "value"}:${name}`);
    if (!node) continue;
    if (typeof value === "number" && !Number.isInteger(value)) fractions.add(name);
    const text = node.querySelector(".now");
    const now = short(reading(value, "", fractions.has(name))[0]);
    if (text) text.textContent = now;
    node.classList.toggle("wrong", Boolean(error));
    node.classList.toggle("stale", !error && state !== "live");
    tell(node.dataset.id, now, node);
  }
  if (shown() === "formulas" && (complete || performance.now() - drawn > AGAIN_MS) && !box.matches(":hover, :focus-within")) draw();
}

whenShown("formulas", draw);

async function draw() {
  if (performance.now() - drawn < 500) return;
  drawn = performance.now();
  try {
    const answer = await fetch("/api/v1/graph?format=svg");
    if (answer.ok) show(parsed(await answer.text()));
    else if (!nodes.size) empty.textContent = answer.status === 422 ? "This graph is too large to be drawn." : "The graph cannot be drawn now.";
  } catch {
    drawn = -Infinity;
  }
}

// The picture without the rules that it brings along: the page has the same ones and, rightly, allows no others.
// Even a document that is never shown would have them refused, with a message in the console.
function parsed(text) {
  return new DOMParser().parseFromString(text.replace(/<style>[^]*?<\/style>/, ""), "image/svg+xml").documentElement;
}

function show(root) {
  const picture = taken(root);
  const [left, top] = [box.scrollLeft, box.scrollTop];
  box.replaceChildren(picture);
  box.scrollTo(left, top);
  empty.hidden = true;
  nodes = new Map([...picture.querySelectorAll(".node")].map((node) => [node.dataset.id, node]));
  edges = [...picture.querySelectorAll(".edge")];
  outline(nodes, edges);
  for (const node of nodes.values()) {
    node.setAttribute("tabindex", "0");
    node.setAttribute("role", "img");
    node.setAttribute("aria-label", node.querySelector("title").textContent.replaceAll("\n", ", "));
    for (const event of ["pointerenter", "focus"]) node.addEventListener(event, () => light(node.dataset.id));
    for (const event of ["pointerleave", "blur"]) node.addEventListener(event, () => light(null));
  }
}

// A copy of the elements and attributes that are known to be harmless.
function taken(element) {
  const copy = document.createElementNS(SVG, element.localName);
  for (const { name, value } of element.attributes) if (ATTRIBUTES.has(name)) copy.setAttribute(name, value);
  for (const child of element.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) copy.append(child.data);
    else if (child.namespaceURI === SVG && ELEMENTS.has(child.localName)) copy.append(taken(child));
  }
  return copy;
}

// Sets off a node with all that it needs and all that needs it.
function light(id) {
  const lit = new Set(id === null ? [] : [...reached(id, "from", "to"), ...reached(id, "to", "from")]);
  box.classList.toggle("lit", id !== null);
  for (const [name, node] of nodes) node.classList.toggle("on", lit.has(name));
  for (const edge of edges) edge.classList.toggle("on", lit.has(edge.dataset.from) && lit.has(edge.dataset.to));
}

function reached(start, near, far) {
  const found = new Set([start]);
  for (const id of found) for (const edge of edges) if (edge.dataset[near] === id) found.add(edge.dataset[far]);
  return found;
}

function short(text) {
  return text.length > 14 ? `${text.slice(0, 13)}…` : text;
}
