// The newest events, newest first. An event knows its tick alone; its age follows from the panel's tick.

import { ago, reading } from "./format.js";

const SHOWN = 50;
const WORDS = {
  trigger_activated: "fired",
  trigger_deactivated: "armed again",
  animation_started: "started",
  animation_stopped: "stopped",
  animation_completed: "finished",
  source_state: "changed",
  page_shown: "shown",
  state_restored: "restored",
  clock_rebased: "set anew",
  actor_restarted: "restarted",
  signal_received: "came",
};
const KINDS = { trigger: "trigger", animation: "animation", source: "source", page: "page", state: "state", clock: "", actor: "actor", signal: "signal" };

const list = document.getElementById("events-list");
const empty = document.getElementById("events-empty");

// Forgets all events, for a new connection.
export function clear() {
  list.replaceChildren();
}

// Takes an `events` message. `fresh` ones happened just now.
export function add({ events }, fresh) {
  for (const event of events) {
    list.prepend(item(event, fresh));
    if (list.childElementCount > SHOWN) list.lastElementChild.remove();
  }
  empty.hidden = list.childElementCount > 0;
  empty.textContent = "Nothing has happened yet. Triggers that fire, animations and changes of sources are listed here.";
}

// Writes the ages anew.
export function age(tick, fps) {
  for (const time of list.querySelectorAll("time")) {
    const text = ago((tick - Number(time.dataset.tick)) / fps);
    if (time.textContent !== text) time.textContent = text;
  }
}

function item({ tick, type, coordination_id: id, data }, fresh) {
  const element = document.createElement("li");
  element.innerHTML = `<span class="what"><b></b> <span></span><small></small></span><time></time>`;
  element.classList.toggle("new", fresh);
  const [name, word, small] = element.querySelectorAll(".what > *");
  name.textContent = id;
  word.textContent = data.state && type === "source_state" ? `is ${data.state}` : (WORDS[type] ?? type.replaceAll("_", " "));
  const kind = KINDS[type.split("_")[0]];
  const facts = Object.entries(data).filter(([key]) => !(key === "state" && type === "source_state"));
  const told = facts.map(([key, value]) => `${key} ${reading(value, "", !Number.isInteger(value))[0]}`);
  small.textContent = [kind, ...told].filter(Boolean).join(" · ");
  const time = element.querySelector("time");
  time.dataset.tick = tick;
  time.title = `tick ${tick}`;
  return element;
}
