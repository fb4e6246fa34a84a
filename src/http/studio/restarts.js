// The history of restarts: which actor was started anew, when and why, newest first.

import { ago } from "./format.js";
import { shown, whenShown } from "./views.js";

const KEPT = 100;

const list = document.getElementById("restarts-list");
const empty = document.getElementById("restarts-empty");
// Told by the tick, the actor and its count, so that what comes twice is listed once.
const known = new Map();
let asked = false;
let now = { tick: 0, fps: 60 };

// Forgets all, for a new connection.
export function clear() {
  known.clear();
  list.replaceChildren();
  asked = false;
  if (shown() === "supervision") recall();
}

// Takes an `events` message.
export function add({ events }, fresh) {
  for (const event of events) if (event.type === "actor_restarted") insert(event, fresh);
  empty.hidden = list.childElementCount > 0;
  empty.textContent = "Nothing had to be started anew so far.";
}

// Writes the ages anew.
export function age(tick, fps) {
  now = { tick, fps };
  if (shown() === "supervision") tell();
}

function tell() {
  for (const time of list.querySelectorAll("time")) {
    const text = ago((now.tick - Number(time.dataset.tick)) / now.fps);
    if (time.textContent !== text) time.textContent = text;
  }
}

// The connection tells the newest events of all kinds; further ones are asked for when somebody looks.
async function recall() {
  if (asked) return;
  asked = true;
  try {
    const answer = await fetch("/api/v1/events?limit=1000", { cache: "no-store" });
    if (answer.ok) add(await answer.json(), false);
    tell();
  } catch {
    // What the connection tells is listed in any case.
  }
}

function insert({ tick, coordination_id: actor, data }, fresh) {
  const key = JSON.stringify([tick, actor, data.restarts]);
  if (known.has(key)) return;
  const element = document.createElement("li");
  element.innerHTML = `<span class="what"><b></b> <span></span><small></small></span><time></time>`;
  element.classList.toggle("new", fresh);
  const [name, word, small] = element.querySelectorAll(".what > *");
  name.textContent = actor;
  word.textContent = data.cause ? `after ${CAUSES[data.cause] ?? data.cause}` : "";
  small.textContent = data.restarts > 1 ? `${ordinal(data.restarts)} restart` : "first restart";
  const time = element.querySelector("time");
  Object.assign(time.dataset, { tick });
  time.title = `tick ${tick}`;
  known.set(key, { tick, element });
  const place = [...list.children].find((other) => Number(other.querySelector("time").dataset.tick) <= tick);
  list.insertBefore(element, place ?? null);
  while (list.childElementCount > KEPT) list.lastElementChild.remove();
}

const CAUSES = { error: "an error", panic: "a panic", hang: "a hang", normal: "its end", fatal: "a fatal error" };
const ENDINGS = { one: "st", two: "nd", few: "rd", other: "th" };
const rules = new Intl.PluralRules("en", { type: "ordinal" });

function ordinal(number) {
  return `${number}${ENDINGS[rules.select(number)]}`;
}

whenShown("supervision", recall);
