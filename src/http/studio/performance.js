// How the panel performs: where a tick's time goes, how long things take, what waits, what costs most.

import { brief, bytes, count } from "./format.js";
import { Range, fill, history, percent, round, roundUp, writeScale } from "./plots.js";
import { shown, whenShown } from "./views.js";

const STAGES = {
  seal: "taking in",
  formulas: "formulas",
  triggers: "triggers and animations",
  page: "page",
  painting: "painting",
  between: "handing over",
};
const LATENCIES = {
  ingest_to_ring: "arrival to ring",
  ring_to_trigger: "ring to triggers",
  tick_to_frame: "tick to picture",
  sample_to_frame: "arrival to picture",
  frame_to_output: "picture to ",
  sample_to_output: "arrival to ",
};
const PARTS = { ring: "the ring's samples", windows: "windows over time", glyphs: "glyphs", lua: "formulas", sqlite: "database cache, at most" };
const QUEUES = { port: ["readings", "waiting for the ring"], writer: ["ticks", "waiting for the database"], recorder: ["ticks", "waiting for the recording"] };

const find = (id) => document.getElementById(id);
const plot = find("history-plot");
const queues = new Map();
const latencies = new Map();
const costs = new Map();
let newest = null;

// Takes a `performance` message.
export function update(message) {
  newest = message;
  if (shown() === "performance") show();
}

function show() {
  if (!newest) return;
  showTicks(newest);
  showHistory();
  showLatencies(newest);
  showQueues(newest.queues);
  showFacts(newest);
  showCosts(newest);
}

writeScale(find("latency-axis"));
whenShown("performance", show);
addEventListener("resize", () => shown() === "performance" && showHistory());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showHistory);

function showTicks({ budget_us: budget, ticks }) {
  const { duration, lateness, stages } = ticks;
  const time = find("tick-time");
  time.toggleAttribute("data-none", !duration);
  write(time, brief(duration?.p50_us)[0]);
  const [, unit] = brief(duration?.p50_us);
  write(find("tick-of"), duration ? `${unit} of the ${(budget / 1000).toFixed(1)} ms that a tick may take` : "no tick was made lately");
  write(find("tick-p99"), brief(duration?.p99_us).join(" "));
  write(find("tick-longest"), brief(duration?.longest_us).join(" "));
  write(find("tick-lateness"), brief(lateness?.p99_us).join(" "));
  write(find("tick-rate"), `${ticks.per_second.toFixed(1)} of ${(1e6 / budget).toFixed(0)}`);
  write(find("tick-late"), ticks.late ? count(ticks.late) : "none");
  write(find("tick-skipped"), ticks.skipped ? count(ticks.skipped) : "none");
  find("budget").classList.toggle("over", (duration?.p99_us ?? 0) > budget);
  find("budget").classList.toggle("far-over", (duration?.p50_us ?? 0) > budget);

  const mean = stages.reduce((sum, { mean_us: mean }) => sum + mean, 0);
  const share = (micros, whole) => (whole ? micros / whole : 0);
  write(find("parts-of"), duration ? `in an average tick of ${brief(mean).join(" ")}` : "");
  const parts = duration ? stages.map((stage) => ({ ...stage, kind: `part ${stage.name}` })) : [];
  const used = parts.map(({ mean_us, kind }) => ({ kind, share: share(mean_us, Math.max(budget, mean)) }));
  const mark = duration ? [{ kind: "p99" }] : [];
  fill(find("budget-bar"), [...used, ...mark]);
  const stroke = find("budget-bar").querySelector(".p99");
  if (stroke) stroke.style.left = percent(Math.min(1, share(duration.p99_us, budget)));
  find("budget-bar").ariaLabel = duration
    ? `${Math.round(100 * share(mean, budget))} % of a tick's time is used, in 99 of 100 ticks at most ${Math.round(100 * share(duration.p99_us, budget))} %`
    : "No tick was made lately";
  showAxis(budget);
  fill(find("parts-bar"), parts.map(({ mean_us, kind }) => ({ kind, share: share(mean_us, mean) })));
  showParts(parts, mean);
}

function showAxis(budget) {
  const axis = find("budget-axis");
  if (axis.dataset.budget === String(budget)) return;
  axis.dataset.budget = budget;
  const labels = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const label = document.createElement("span");
    label.textContent = share ? `${((budget * share) / 1000).toFixed(1)} ms` : "0";
    return label;
  });
  axis.replaceChildren(...labels);
}

function showParts(parts, mean) {
  const list = find("parts");
  while (list.childElementCount > parts.length) list.lastElementChild.remove();
  parts.forEach(({ name, mean_us: micros, kind }, index) => {
    const item = list.children[index] ?? list.appendChild(template(`<li><span class="swatch"></span><span class="name"></span><span class="time"></span><span class="share"></span></li>`));
    item.className = kind;
    write(item.children[1], STAGES[name] ?? name);
    write(item.children[2], brief(micros).join(" "));
    write(item.children[3], !mean ? "" : micros < mean / 200 ? "< 1 %" : `${Math.round((100 * micros) / mean)} %`);
  });
}

function showHistory() {
  if (!newest) return;
  const { p50_us: low, p99_us: high, points } = newest.history;
  const known = high.filter((point) => point !== null);
  const top = roundUp(Math.max(...known, 1));
  write(find("history-top"), known.length ? round(top) : "");
  history(plot, { low, high, points, top });
}

function showLatencies({ ticks, latencies: told, database, budget_us: budget, window_ms: span }) {
  write(find("window"), `over the last ${Math.max(1, Math.round(span / 1000))} s; dashed: what a tick may take`);
  const rows = [
    ["a whole tick", ticks.duration],
    ["a tick's lateness", ticks.lateness],
    ...told.map(({ name, output, time }) => [`${LATENCIES[name] ?? name.replaceAll("_", " ")}${output === "web" ? "this page" : (output ?? "")}`, time]),
    ...(database ? [["a write to the database", database.flush]] : []),
  ];
  sync(find("latency-rows"), latencies, rows, ([name]) => name, LatencyRow);
  for (const [name, time] of rows) latencies.get(name).show(time, budget);
}

class LatencyRow {
  constructor([name]) {
    this.element = template(`<tr><th scope="row"></th><td></td><td class="number"></td><td class="number"></td><td class="number"></td></tr>`);
    this.range = new Range();
    const [title, place, ...numbers] = this.element.children;
    title.textContent = name;
    place.append(this.range.element);
    this.numbers = numbers;
  }

  show(time, budget) {
    this.range.limit(budget);
    this.range.show(time);
    this.element.classList.toggle("none", !time);
    [time?.p50_us, time?.p99_us, time?.longest_us].forEach((micros, index) => write(this.numbers[index], brief(micros).join(" ")));
  }
}

function showQueues(told) {
  const key = ({ kind, name }) => JSON.stringify([kind, name]);
  sync(find("queues"), queues, told, key, Queue);
  for (const queue of told) queues.get(key(queue)).show(queue);
  find("queues-empty").hidden = told.length > 0;
  write(find("queues-empty"), "There is nothing that could wait.");
}

class Queue {
  constructor({ kind, name }) {
    this.element = template(`<li><span class="title"></span><span class="number"></span><span class="track"><span class="part"></span></span><span class="lost"></span></li>`);
    [this.title, this.number, this.track, this.lost] = this.element.children;
    this.words = QUEUES[kind] ?? ["", "waiting"];
    this.title.textContent = this.title.title = name ?? kind;
    this.title.append(Object.assign(document.createElement("small"), { textContent: ` ${this.words.join(" ")}` }));
  }

  show({ waiting, capacity, dropped }) {
    const share = capacity ? waiting / capacity : 0;
    write(this.number, `${count(waiting)} of ${count(capacity)}`);
    fill(this.track, [{ kind: "part", share }]);
    this.element.classList.toggle("full", share > 0.5);
    this.lost.hidden = !dropped;
    write(this.lost, dropped ? `${count(dropped)} found no room` : "");
  }
}

function showFacts({ drawing, database, memory }) {
  const outputs = drawing.outputs.map(({ name, frames_per_second: frames, bytes_per_second: size }) => {
    const amount = size ? `, ${bytes(size, "/s").join(" ")}` : "";
    return [name === "web" ? "to this page and others" : `to ${name}`, `${frames.toFixed(1)} fps${amount}`];
  });
  facts("drawing", [
    ["painted", `${drawing.frames_per_second.toFixed(1)} fps`],
    ["of the panel anew each time", `${(100 * drawing.damage_share).toFixed(1)} %`],
    ...outputs,
  ]);
  const stored = database
    ? [
        ["database", database.degraded ? "cannot be written" : bytes(database.bytes).join(" "), database.degraded],
        ["rows written", `${database.rows_per_second.toFixed(1)} a second`],
      ]
    : [["database", "none: nothing is kept"]];
  facts("stores", [
    ...stored,
    ["this process in memory", memory.resident_bytes ? bytes(memory.resident_bytes).join(" ") : "–"],
    ...memory.parts.filter(({ bytes: size }) => size).map(({ name, bytes: size }) => [PARTS[name] ?? name, bytes(size).join(" ")]),
  ]);
}

function facts(id, told) {
  const list = find(id);
  while (list.childElementCount > told.length) list.lastElementChild.remove();
  told.forEach(([name, value, bad], index) => {
    const item = list.children[index] ?? list.appendChild(template(`<div><dt></dt><dd></dd></div>`));
    write(item.firstElementChild, name);
    write(item.lastElementChild, value);
    item.lastElementChild.classList.toggle("bad", Boolean(bad));
  });
}

function showCosts({ formulas }) {
  find("costs-empty").hidden = formulas.length > 0;
  find("costs").querySelector("table").hidden = !formulas.length;
  write(find("costs-empty"), "This panel has no formulas, or none was measured yet.");
  const key = ({ name, text }) => JSON.stringify([name, text]);
  sync(find("cost-rows"), costs, formulas, key, CostRow);
  const most = Math.max(...formulas.map(({ mean_us: mean }) => mean), 1e-9);
  for (const cost of formulas) costs.get(key(cost)).show(cost, most);
}

class CostRow {
  constructor({ name, text }) {
    this.element = template(`<tr><th scope="row"><span class="title"></span><code></code></th><td><span class="track"><span class="part"></span></span><span class="number"></span></td></tr>`);
    const [title, code] = this.element.firstElementChild.children;
    title.textContent = name ?? "";
    title.hidden = !name;
    code.textContent = code.title = text;
    [this.track, this.number] = this.element.lastElementChild.children;
  }

  // The bar compares it with the costliest.
  show({ mean_us: mean }, most) {
    fill(this.track, [{ kind: "part", share: mean / most }]);
    write(this.number, brief(mean).join(" "));
  }
}

// Gives `list` one row for each of `told`, in their order, made where there is none yet.
function sync(list, rows, told, key, Row) {
  const keys = told.map(key);
  for (const known of [...rows.keys()]) if (!keys.includes(known)) rows.delete(known);
  told.forEach((one, index) => rows.has(keys[index]) || rows.set(keys[index], new Row(one)));
  const elements = keys.map((key) => rows.get(key).element);
  if (elements.some((element, index) => list.children[index] !== element) || list.children.length !== elements.length) {
    list.replaceChildren(...elements);
  }
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function template(html) {
  const element = document.createElement("template");
  element.innerHTML = html;
  return element.content.firstElementChild;
}
