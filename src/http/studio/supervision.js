// The tree of actors: what runs, how it is doing, and why it was last started anew.

import { ago, count } from "./format.js";
import { shown, whenShown } from "./views.js";

const STATES = {
  starting: ["connecting", "starting"],
  running: ["live", "running"],
  backing_off: ["retrying", "backing off"],
  degraded: ["retrying", "degraded"],
  stopping: ["stopped", "stopping"],
  stopped: ["stopped", "stopped"],
  failed: ["failed", "failed"],
};
// From calm to grave: a group shows the gravest of its workers.
const GRAVITY = ["running", "stopped", "stopping", "starting", "backing_off", "degraded", "failed"];
const TROUBLES = ["backing_off", "degraded", "failed"];
const CAUSES = { error: "Error", panic: "Panic", hang: "Hang", normal: "Ended", fatal: "Fatal error" };
const STRATEGIES = { one_for_one: "one for one", rest_for_one: "rest for one", one_for_all: "one for all" };
// Silence that is worth a number: below it a beat is "now".
const SILENT_MS = 2000;
// The supervisor speaks every second or so; without a word for so long it hangs itself.
const HEARD_MS = 5000;

const body = document.querySelector("#tree tbody");
const verdict = document.getElementById("verdict");
const verdictUse = verdict.querySelector("use");
const verdictText = document.getElementById("verdict-text");
const verdictMore = document.getElementById("verdict-more");
const troubles = document.getElementById("troubles");

let shape = "";
let rows = [];
let reports = [];
let leftBehindMax = null;
let sources = new Map();
let heard = 0;

// Takes an `actors` message.
export function update({ actors, groups, left_behind_max: most }) {
  heard = performance.now();
  reports = actors;
  leftBehindMax = most;
  const found = JSON.stringify([groups, actors.map(({ name, group }) => [name, group])]);
  if (found !== shape) {
    shape = found;
    build(actors, groups);
  }
  write();
}

// Takes a `sources` message, for what the sources themselves say.
export function learn(message) {
  sources = new Map(message.sources.map((source) => [source.name, source]));
  write();
}

// Root, then what it starts, in the order of the start. A group that is no more than its one worker is a
// worker of the root.
function build(actors, groups) {
  const root = groups.find((group) => group.parent === null) ?? { name: "root", strategy: "one_for_one" };
  const named = [...new Set(actors.map(({ group }) => group))];
  rows = [new Group(root, 0, actors, false)];
  named.forEach((name, index) => {
    const members = actors.filter(({ group }) => group === name);
    const last = index === named.length - 1;
    if (members.length === 1 && members[0].name === name) {
      rows.push(new Worker(members[0].name, 1, last));
      return;
    }
    const group = groups.find((group) => group.name === name) ?? { name, strategy: null };
    rows.push(new Group(group, 1, members, last));
    members.forEach((member, at) => rows.push(new Worker(member.name, 2, at === members.length - 1, last)));
  });
  body.replaceChildren(...rows.flatMap((row) => row.elements));
}

function write() {
  if (!rows.length) return;
  const byName = new Map(reports.map((report) => [report.name, report]));
  const bad = reports.filter(({ state }) => TROUBLES.includes(state));
  troubles.hidden = !bad.length;
  troubles.dataset.state = gravest(bad);
  set(troubles.children[1], String(bad.length));
  if (shown() !== "supervision") return;
  for (const row of rows) row.show(byName);
  judge(bad);
  follow();
}

function judge(bad) {
  const worst = gravest(reports);
  const all = reports.length;
  const trouble = bad.length > 0;
  verdict.dataset.state = trouble ? worst : worst === "running" ? "running" : "starting";
  verdictUse.setAttribute("href", `#mark-${STATES[trouble ? worst : worst === "running" ? "running" : "starting"][0]}`);
  const named = bad.length === 1 ? `${bad[0].name} is ${STATES[bad[0].state][1]}` : `${bad.length} of ${all} actors are in trouble`;
  const calm = worst === "running" ? `All ${all} actors run` : `${reports.filter(({ state }) => state === "running").length} of ${all} actors run`;
  set(verdictText, trouble ? named : calm);
  const restarts = reports.reduce((sum, report) => sum + report.restarts, 0);
  const told = restarts ? `${count(restarts)} ${restarts === 1 ? "restart" : "restarts"} so far` : "Nothing had to be started anew so far";
  const well = all - bad.length;
  const others = trouble && well ? `The other ${well} ${well === 1 ? "is" : "are"} well. ` : "";
  set(verdictMore, `${others}${told}.${leftBehind()}`);
}

// Threads that hang cannot be ended, and there may not be many of them.
function leftBehind() {
  const left = reports.reduce((sum, report) => sum + report.left_behind, 0);
  if (!left) return "";
  const threads = left === 1 ? "1 thread that hangs was" : `${count(left)} threads that hang were`;
  return ` ${threads} left behind; the process ends at ${count(leftBehindMax + 1)}.`;
}

// Writes what changes with time alone: called with each pulse.
export function follow() {
  if (shown() !== "supervision" || !rows.length) return;
  const since = performance.now() - heard;
  for (const row of rows) row.follow?.(since);
  if (since > HEARD_MS && document.body.dataset.connection === "live") {
    set(verdictText, "The supervisor is silent");
    set(verdictMore, `It last spoke ${ago(since / 1000)}: what stands below may no longer be true.`);
    verdict.dataset.state = "failed";
    verdictUse.setAttribute("href", "#mark-failed");
  }
}

whenShown("supervision", write);

class Group {
  constructor({ name, strategy, restarts, period_ms: period }, depth, members, last) {
    const row = document.createElement("tr");
    row.innerHTML = `<th scope="row"><span class="branch"></span><span class="title"></span> <small></small></th><td><span class="state"><svg class="mark" aria-hidden="true"><use/></svg><span class="word"></span></span></td><td></td><td class="number"></td><td></td>`;
    row.className = `group depth-${depth}${last ? " last" : ""}`;
    row.querySelector(".title").textContent = name;
    const limit = restarts ? `, ${restarts} in ${period / 1000} s at most` : "";
    row.querySelector("small").textContent = strategy ? `${STRATEGIES[strategy] ?? strategy}${limit}` : "";
    this.row = row;
    this.elements = [row];
    this.names = members.map((member) => member.name);
    this.word = row.querySelector(".word");
    this.use = row.querySelector("use");
    this.number = row.querySelector(".number");
  }

  show(byName) {
    const members = this.names.map((name) => byName.get(name)).filter(Boolean);
    const worst = gravest(members);
    const same = members.filter(({ state }) => state === worst).length;
    this.row.dataset.state = worst;
    this.use.setAttribute("href", `#mark-${STATES[worst][0]}`);
    const bad = members.filter(({ state }) => TROUBLES.includes(state)).length;
    const told = same === members.length ? `all ${STATES[worst][1]}` : `${same} ${STATES[worst][1]}`;
    set(this.word, bad ? `${bad} in trouble` : told);
    const restarts = members.reduce((sum, { restarts }) => sum + restarts, 0);
    set(this.number, restarts ? count(restarts) : "");
  }
}

class Worker {
  constructor(name, depth, last, underLast = false) {
    const row = document.createElement("tr");
    row.innerHTML = `<th scope="row"><span class="branch"></span><span class="title"></span> <small class="own" hidden><svg class="mark" aria-hidden="true"><use/></svg><span></span></small></th><td><span class="state"><svg class="mark" aria-hidden="true"><use/></svg><span class="word"></span></span></td><td class="beat"></td><td class="number"></td><td class="number"></td>`;
    const why = document.createElement("tr");
    why.innerHTML = `<td colspan="5"><span class="branch"></span><div class="why"><p><b></b> <span></span></p><button type="button" hidden aria-expanded="false">Show all</button></div></td>`;
    const kind = `depth-${depth}${last ? " last" : ""}${underLast ? " under-last" : ""}`;
    row.className = `worker ${kind}`;
    why.className = `told ${kind}`;
    why.hidden = true;
    this.name = name;
    this.row = row;
    this.why = why;
    this.elements = [row, why];
    this.title = row.querySelector(".title");
    this.own = row.querySelector(".own");
    [this.use, this.word] = [row.querySelector(".state use"), row.querySelector(".word")];
    [this.restarts, this.generation] = row.querySelectorAll(".number");
    this.beat = row.querySelector(".beat");
    this.text = why.querySelector("p");
    [this.cause, this.error] = this.text.children;
    this.more = why.querySelector("button");
    this.more.addEventListener("click", () => this.open(this.more.ariaExpanded !== "true"));
    // "source.cpu" below "sources" is cpu: the group has said the rest.
    const dot = name.indexOf(".");
    this.short = depth === 2 && dot > 0 ? name.slice(dot + 1) : name;
    this.title.textContent = this.title.title = this.short;
  }

  show(byName) {
    const report = byName.get(this.name);
    if (!report) return;
    this.report = report;
    const [mark, word] = STATES[report.state] ?? ["stopped", report.state];
    this.row.dataset.state = this.why.dataset.state = report.state;
    this.use.setAttribute("href", `#mark-${mark}`);
    this.label = word;
    set(this.restarts, report.restarts ? count(report.restarts) : "–");
    this.restarts.classList.toggle("none", !report.restarts);
    set(this.generation, count(report.generation));
    this.showSource(report.group === "sources" ? sources.get(this.short) : undefined);
    this.showWhy(report);
  }

  // What the source itself says: one that runs may have nothing to say for long.
  showSource(source) {
    this.own.hidden = !source;
    if (!source) return;
    this.own.dataset.state = source.state;
    this.own.querySelector("use").setAttribute("href", `#mark-${source.state}`);
    set(this.own.lastElementChild, source.state);
  }

  showWhy({ cause, error, left_behind: left }) {
    // Who has never failed has nothing to tell.
    const told = Boolean(cause && cause !== "normal");
    if (this.why.hidden === told) this.why.hidden = !told;
    if (!told) return;
    const threads = left ? `, ${count(left)} ${left === 1 ? "thread" : "threads"} left behind` : "";
    set(this.cause, (CAUSES[cause] ?? cause) + threads);
    if (set(this.error, error ?? "")) this.measure = true;
    if (this.measure) {
      // Only a text that does not fit needs a button; read once for each text.
      this.measure = false;
      this.open(false);
      requestAnimationFrame(() => (this.more.hidden = this.text.scrollHeight <= this.text.clientHeight + 1));
    }
  }

  open(wide) {
    this.more.ariaExpanded = String(wide);
    this.more.textContent = wide ? "Show less" : "Show all";
    this.why.classList.toggle("wide", wide);
  }

  follow(since) {
    const report = this.report;
    if (!report) return;
    const left = report.starts_in_ms === null ? null : Math.max(0, report.starts_in_ms - since) / 1000;
    set(this.word, left === null ? this.label : `${this.label}, ${left < 10 ? left.toFixed(1) : Math.round(left)} s`);
    const lives = report.state === "running" || report.state === "starting";
    const silence = report.silent_ms + (report.silent_ms + since > SILENT_MS ? since : 0);
    const rests = report.rests_ms - since > 0;
    set(this.beat, !lives ? "–" : silence < SILENT_MS ? "now" : ago(silence / 1000));
    this.beat.classList.toggle("none", !lives || silence < SILENT_MS || rests);
  }
}

function gravest(members) {
  return members.reduce((worst, { state }) => (GRAVITY.indexOf(state) > GRAVITY.indexOf(worst) ? state : worst), "running");
}

// Writes a text only where it differs, and says whether it did.
function set(element, text) {
  if (element.textContent === text) return false;
  element.textContent = text;
  return true;
}
