// A formula is tried against the values as they are now: the result as one types, what is wrong at its
// place, and what can be written at the caret.

import { candidates, complete, context, marked } from "./completion.js";
import { shown, whenShown } from "./views.js";

// How long typing rests before the panel is asked, and how often a result is brought up to date.
const REST_MS = 140;
const AGAIN_MS = 1000;
const KEPT = "tinydisplay.formula";

const box = document.getElementById("formula-text");
const echo = document.getElementById("formula-echo");
const list = document.getElementById("formula-choices");
const result = document.getElementById("formula-result");
const hint = document.getElementById("formula-hint");
const problems = document.getElementById("formula-problems");
const examples = document.getElementById("formula-examples");
const kind = document.getElementById("formula-kind");
const choice = template(`<li role="option"><code></code><span></span></li>`);
const problem = template(`<li><svg class="mark" aria-hidden="true"><use/></svg><div><b></b><p></p></div></li>`);

let functions = [];
let variables = [];
let choices = [];
let chosen = -1;
let asked = 0;
let answered = 0;
let last = 0;
let resting = null;
let wrong = [];

// Takes a `values` message: names to complete, and a reason to evaluate again.
export function update({ complete: isComplete, values }) {
  if (isComplete) {
    variables = values.map((value) => ({ ...value, kind: value.formula === null ? "key" : "value" }));
    suggest();
  } else {
    const byName = new Map(values.map((value) => [value.name, value]));
    for (const known of variables) Object.assign(known, byName.get(known.name) ?? {});
  }
  if (shown() === "formulas" && box.value.trim() && performance.now() - last > AGAIN_MS) evaluate();
}

whenShown("formulas", async () => {
  box.dispatchEvent(new Event("resize"));
  if (functions.length) return;
  try {
    const answer = await fetch("/api/v1/expression-functions/flat");
    if (answer.ok) functions = (await answer.json()).map((one) => ({ ...one, kind: "function" }));
  } catch {
    // Without the catalogue nothing completes; the next visit asks again.
  }
  if (box.value.trim()) evaluate();
});

box.value = sessionStorage.getItem(KEPT) ?? "";
box.addEventListener("input", () => {
  sessionStorage.setItem(KEPT, box.value);
  wrong = [];
  show();
  offer();
  clearTimeout(resting);
  resting = setTimeout(evaluate, REST_MS);
});
box.addEventListener("keydown", onKey);
box.addEventListener("blur", close);
for (const event of ["click", "keyup", "focus"]) {
  box.addEventListener(event, () => (choices.length ? null : help()));
}
list.addEventListener("pointerdown", (event) => {
  const item = event.target.closest("li");
  event.preventDefault();
  if (item) take([...list.children].indexOf(item));
});

function onKey(event) {
  const { key } = event;
  if (key === "Enter" && !choices.length) event.preventDefault();
  if (key === " " && event.ctrlKey) {
    event.preventDefault();
    return offer(true);
  }
  if (!choices.length) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (step) choose((chosen + step + choices.length) % choices.length);
  else if (key === "Enter" || key === "Tab") take(Math.max(chosen, 0));
  else if (key === "Escape") close();
  else return;
  event.preventDefault();
}

// Offers what the word at the caret may become; with `all`, also where there is no word yet.
function offer(all = false) {
  const { word, quoted } = context(box.value, box.selectionStart);
  const names = [...variables, ...functions];
  choices = quoted ? [] : word || !all ? candidates(names, word) : names.slice(0, 8);
  list.replaceChildren(...choices.map((name, index) => row(name, index)));
  list.hidden = !choices.length;
  if (choices.length) {
    place();
    choose(0);
  } else {
    choose(-1);
    help();
  }
}

function row(name, index) {
  const element = choice.cloneNode(true);
  element.id = `formula-choice-${index}`;
  element.dataset.kind = name.kind;
  const [code, about] = element.children;
  code.textContent = name.signature ?? name.name;
  about.textContent = name.kind === "function" ? name.description || name.file : `${name.kind} ${now(name)}`;
  return element;
}

function now({ value, unit }) {
  if (value === null || value === undefined) return "without a value";
  return `= ${typeof value === "string" ? JSON.stringify(value) : value}${unit ? ` ${unit}` : ""}`;
}

// The list stands below the word that it completes.
function place() {
  const { start } = context(box.value, box.selectionStart);
  const range = document.createRange();
  const at = textAt(start);
  if (!at) return;
  range.setStart(...at);
  range.setEnd(...at);
  const caret = range.getBoundingClientRect();
  const frame = list.parentElement.getBoundingClientRect();
  const left = Math.max(0, Math.min(caret.left - frame.left - 10, frame.width - list.offsetWidth));
  list.style.translate = `${left}px ${caret.bottom - frame.top + 6}px`;
}

// The node and offset in the echo of a place in the text.
function textAt(offset) {
  const walker = document.createTreeWalker(echo, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (offset <= node.length) return [node, offset];
    offset -= node.length;
  }
  return null;
}

function choose(index) {
  chosen = index;
  [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
  list.children[index]?.scrollIntoView({ block: "nearest" });
  index < 0 ? box.removeAttribute("aria-activedescendant") : box.setAttribute("aria-activedescendant", list.children[index].id);
  if (choices[index]) tell(choices[index]);
}

function take(index) {
  const [text, caret] = complete(box.value, box.selectionStart, choices[index]);
  box.value = text;
  box.setSelectionRange(caret, caret);
  close();
  box.focus();
  box.dispatchEvent(new Event("input"));
  close();
  help();
}

function close() {
  choices = [];
  list.hidden = true;
  choose(-1);
}

// What the call around the caret wants.
function help() {
  const { call } = context(box.value, box.selectionStart);
  const known = call && functions.find((one) => isCalled(one, call.name.toLowerCase()));
  known ? tell(known, call.argument) : hint.replaceChildren();
}

function isCalled({ name, aliases }, wanted) {
  return [name, ...aliases].some((one) => one.toLowerCase() === wanted);
}

function tell(name, argument = -1) {
  if (name.kind !== "function") return hint.replaceChildren(code(name.name), ` ${name.formula ?? `a ${name.kind}`} ${now(name)}`);
  const signature = document.createElement("code");
  for (const [text, isCurrent] of marked(name.signature, argument)) {
    signature.append(isCurrent ? Object.assign(document.createElement("b"), { textContent: text }) : text);
  }
  const place = name.file ? `${name.file}:${name.line}` : `${name.example} = ${name.result}`;
  hint.replaceChildren(signature, name.description ? ` ${name.description}. ` : " ", code(place));
}

function code(text) {
  return Object.assign(document.createElement("code"), { textContent: text });
}

async function evaluate() {
  const expression = box.value;
  const number = ++asked;
  clearTimeout(resting);
  last = performance.now();
  if (!expression.trim()) return told(number, { kind: "empty" });
  try {
    const body = JSON.stringify({ expression });
    const headers = { "content-type": "application/json" };
    const answer = await fetch("/api/v1/evaluate", { method: "POST", headers, body });
    const document = await answer.json();
    if (answer.status === 429 || answer.status === 503) resting = setTimeout(evaluate, AGAIN_MS);
    else if (answer.ok) told(number, { kind: "value", ...document });
    else told(number, { kind: "wrong", problems: document.errors ?? [{ message: document.detail, offset: 0, length: 0 }] });
  } catch {
    told(number, { kind: "lost" });
  }
}

// Shows an answer, unless a later question was answered already or the text has changed since.
function told(number, answer) {
  if (number < answered || number < asked) return;
  answered = number;
  wrong = answer.problems ?? (answer.warnings ?? []).map((warning) => ({ ...warning, severity: "warning" }));
  result.dataset.kind = answer.kind;
  result.classList.toggle("text", typeof answer.value === "string");
  if (answer.kind === "value") display(answer.value);
  else if (answer.kind !== "lost") result.replaceChildren("–");
  kind.textContent = { empty: "", wrong: "no result", lost: "the panel does not answer" }[answer.kind] ?? kindOf(answer.value);
  examples.hidden = answer.kind !== "empty";
  show();
  problems.replaceChildren(...wrong.map(explain));
}

function display(value) {
  if (value === null) return result.replaceChildren("nil");
  result.replaceChildren(typeof value === "string" ? value || "“”" : String(value));
  if (isColor(value)) {
    const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const dot = document.createElementNS(swatch.namespaceURI, "circle");
    for (const [name, number] of [["cx", 8], ["cy", 8], ["r", 7.5]]) dot.setAttribute(name, number);
    dot.setAttribute("fill", value);
    swatch.setAttribute("viewBox", "0 0 16 16");
    swatch.setAttribute("class", "swatch");
    swatch.append(dot);
    result.prepend(swatch);
  }
}

function kindOf(value) {
  if (value === null) return "no value, or none yet";
  if (isColor(value)) return "a colour";
  return typeof value === "string" ? "a text" : "a number";
}

function isColor(value) {
  return typeof value === "string" && /^#[0-9a-f]{6}([0-9a-f]{2})?$/i.test(value);
}

function explain({ message, help: advice, suggestions = [], offset, length, severity }) {
  const element = problem.cloneNode(true);
  element.querySelector("use").setAttribute("href", severity === "warning" ? "#mark-retrying" : "#mark-failed");
  element.dataset.severity = severity ?? "error";
  element.querySelector("b").textContent = message;
  const paragraph = element.querySelector("p");
  for (const name of suggestions) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
    button.addEventListener("click", () => replace(offset, length, name));
    paragraph.append(button, " ");
  }
  if (advice && !suggestions.length) paragraph.append(advice);
  return element;
}

function replace(offset, length, name) {
  const letters = [...box.value];
  const head = letters.slice(0, offset).join("") + name;
  box.value = head + letters.slice(offset + length).join("");
  box.focus();
  box.setSelectionRange(head.length, head.length);
  box.dispatchEvent(new Event("input"));
  close();
}

// The echo behind the text carries the marks below what is wrong.
function show() {
  const letters = [...box.value];
  const parts = [];
  let at = 0;
  for (const { offset, length, severity } of [...wrong].sort((a, b) => a.offset - b.offset)) {
    if (offset < at) continue;
    const end = Math.max(offset + length, offset + 1);
    parts.push(letters.slice(at, offset).join(""));
    const text = letters.slice(offset, end).join("") || " ";
    parts.push(Object.assign(document.createElement("mark"), { textContent: text, className: severity ?? "error" }));
    at = end;
  }
  // A last line that is empty has its height too.
  echo.replaceChildren(...parts, letters.slice(at).join(""), "\u200b");
}

// Examples of what can be asked of this very panel.
function suggest() {
  const number = variables.find(({ kind, value }) => kind === "value" && typeof value === "number") ?? variables.find(({ value }) => typeof value === "number");
  const name = number ? (/^[A-Za-z_][\w.]*$/.test(number.name) ? number.name : `\`${number.name}\``) : "tick";
  const texts = [`round(${name}, 1)`, `if(${name} > 50, 'high', 'low')`, `clamp(${name}, 0, 100) / 100`];
  examples.replaceChildren(
    ...texts.map((text) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
      button.addEventListener("click", () => replace(0, [...box.value].length, text));
      return button;
    }),
  );
}

function template(html) {
  const element = document.createElement("template");
  element.innerHTML = html;
  return element.content.firstElementChild;
}

suggest();
show();
