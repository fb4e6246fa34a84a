// Values and keys, each with its last minute.

import { draw } from "./sparkline.js";
import { reading } from "./format.js";
import { whenShown } from "./views.js";

const named = document.querySelector("#named tbody");
const keys = document.querySelector("#keys");
const keysBody = keys.querySelector("tbody");
const keysCount = document.getElementById("keys-count");
const empty = document.getElementById("values-empty");
const row = template(`<tr><th scope="row"><div class="name"><span></span><svg class="mark" aria-hidden="true"><use/></svg></div><span class="under"></span></th><td><canvas class="spark" aria-hidden="true"></canvas></td><td><div class="reading"></div></td></tr>`);

let rows = [];
let byName = new Map();
let points = 120;

// How many points fill a chart.
export function setPoints(count) {
  points = count;
}

// Takes a `values` message.
export function update({ complete, values }) {
  if (complete) build(values);
  else for (const value of values) byName.get(value.name)?.show(value);
}

// Takes a `trend` message: one new point for each value.
export function extend({ points: newest }) {
  newest.forEach((point, index) => rows[index]?.extend(point));
}

keys.addEventListener("toggle", () => rows.forEach((row) => row.draw()));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => rows.forEach((row) => row.draw()));
addEventListener("resize", () => rows.forEach((row) => row.draw()));
whenShown("panel", () => rows.forEach((row) => row.draw()));

function build(values) {
  rows = values.map((value) => new Row(value));
  byName = new Map(rows.map((row) => [row.name, row]));
  named.replaceChildren(...rows.filter((row) => !row.isKey).map((row) => row.element));
  const elements = rows.filter((row) => row.isKey).map((row) => row.element);
  keysBody.replaceChildren(...elements);
  keysCount.textContent = `(${elements.length})`;
  keys.hidden = !elements.length;
  empty.hidden = named.childElementCount > 0;
  empty.innerHTML = "This panel names no values. A line such as <code>cpu = \"system.cpu\"</code> below <code>[value]</code> in its configuration makes one.";
  rows.forEach((row) => row.draw());
}

class Row {
  constructor(value) {
    this.name = value.name;
    this.isKey = value.formula === null;
    this.trend = value.trend ?? [];
    this.fraction = this.trend.some((point) => !Number.isInteger(point ?? 0));
    this.element = row.cloneNode(true);
    [this.title, this.under] = this.element.querySelectorAll(".name span, .under");
    this.use = this.element.querySelector("use");
    this.mark = this.element.querySelector(".mark");
    this.canvas = this.element.querySelector("canvas");
    this.reading = this.element.querySelector(".reading");
    this.title.textContent = this.title.title = value.name;
    this.show(value);
  }

  show({ value, formula, unit, state, error }) {
    this.fraction ||= typeof value === "number" && !Number.isInteger(value);
    const [text, shownUnit] = reading(value, unit, this.fraction);
    this.reading.textContent = text;
    if (shownUnit) this.reading.append(Object.assign(document.createElement("small"), { textContent: shownUnit }));
    this.reading.classList.toggle("text", typeof value === "string");
    this.reading.title = typeof value === "string" ? value : "";
    this.under.textContent = error ?? formula ?? "";
    this.under.title = this.under.textContent;
    const fine = state === "live" && !error;
    this.element.dataset.state = state;
    this.element.classList.toggle("wrong", Boolean(error));
    this.element.classList.toggle("dim", !fine || value === null);
    this.mark.style.visibility = fine ? "hidden" : "visible";
    const mark = error ? "failed" : state;
    this.use.setAttribute("href", `#mark-${mark}`);
    this.title.ariaDescription = fine ? null : error ? "failed" : state;
  }

  extend(point) {
    this.trend.push(point);
    while (this.trend.length > points) this.trend.shift();
    this.draw();
  }

  draw() {
    // Charts in a closed list are drawn when it is opened.
    if (!this.isKey || keys.open) draw(this.canvas, this.trend, points);
  }
}

function template(html) {
  const element = document.createElement("template");
  element.innerHTML = html;
  return element.content.firstElementChild;
}
