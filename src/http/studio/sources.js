// The sources: what they are, how they are doing and how much they bring.

import { count } from "./format.js";

const WINDOW_MS = 5000;

const list = document.getElementById("sources-list");
const empty = document.getElementById("sources-empty");
const items = new Map();

// Takes a `sources` message.
export function update({ sources }) {
  const now = performance.now();
  for (const name of [...items.keys()]) {
    if (!sources.some((source) => source.name === name)) items.delete(name);
  }
  for (const source of sources) {
    if (!items.has(source.name)) items.set(source.name, new Item(source));
    items.get(source.name).show(source, now);
  }
  const elements = sources.map(({ name }) => items.get(name).element);
  if (elements.some((element, index) => list.children[index] !== element) || list.children.length !== elements.length) {
    list.replaceChildren(...elements);
  }
  empty.hidden = sources.length > 0;
  empty.textContent = "This panel has no sources: it shows only what does not change.";
}

class Item {
  constructor({ name, kind }) {
    this.element = document.createElement("li");
    this.element.innerHTML = `<svg class="mark" aria-hidden="true"><use/></svg><span class="title"></span><span class="word"></span><span class="rate"></span><span class="why" hidden></span>`;
    for (const part of ["title", "word", "rate", "why"]) this[part] = this.element.querySelector(`.${part}`);
    this.use = this.element.querySelector("use");
    this.title.textContent = name;
    if (kind !== name) this.title.append(Object.assign(document.createElement("small"), { textContent: `  ${kind}` }));
    this.past = [];
  }

  show(source, now) {
    this.past.push([now, source.samples]);
    while (this.past.length > 2 && now - this.past[0][0] > WINDOW_MS) this.past.shift();
    this.element.dataset.state = source.state;
    this.use.setAttribute("href", `#mark-${source.state}`);
    this.word.textContent = source.state;
    this.rate.textContent = [`${count(source.samples)} samples`, this.perSecond(), ...losses(source)].filter(Boolean).join(" · ");
    const why = source.state === "live" ? null : source.error;
    this.why.hidden = !why;
    this.why.textContent = why ?? "";
  }

  perSecond() {
    const [[from, few], [to, many]] = [this.past[0], this.past.at(-1)];
    if (to - from < 900) return "";
    const rate = ((many - few) * 1000) / (to - from);
    return `${rate < 10 ? rate.toFixed(1) : count(rate)}/s`;
  }
}

// What went wrong so far, as far as anything did.
function losses({ dropped, rejected, restarts }) {
  const told = [[dropped, "dropped"], [rejected, "rejected"], [restarts, restarts === 1 ? "restart" : "restarts"]];
  return told.filter(([number]) => number > 0).map(([number, word]) => `${count(number)} ${word}`);
}
