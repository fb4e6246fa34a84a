// The studio: hands what the panel says to the parts of the page, and shows how the connection is doing.

import { connect } from "./connection.js";
import * as panel from "./panel.js";
import * as values from "./values.js";
import * as sources from "./sources.js";
import * as events from "./events.js";
import * as status from "./status.js";
import * as formulas from "./formulas.js";
import * as graph from "./graph.js";
import * as supervision from "./supervision.js";
import * as restarts from "./restarts.js";
import * as performance from "./performance.js";
import { setName } from "./views.js";

const text = document.getElementById("connection-text");
const clock = document.getElementById("seconds");
const mark = document.querySelector("#connection use");
const retry = document.getElementById("retry");
const veil = document.getElementById("veil");
const name = document.getElementById("name");

// The mark of each state of the connection.
const MARKS = { connecting: "connecting", live: "live", stale: "stale", waiting: "retrying", refused: "failed" };

let fps = 60;
let greeted = false;
let pulse = null;

const hear = {
  hello(hello) {
    fps = hello.fps;
    greeted = false;
    name.textContent = hello.panel;
    setName(hello.panel);
    document.getElementById("facts").textContent = `${hello.width} × ${hello.height} pixels, ${hello.fps} ticks a second`;
    document.getElementById("version").textContent = `tinydisplay ${hello.version}`;
    panel.resize(hello.width, hello.height);
    values.setPoints(hello.points);
    status.setFps(hello.fps);
    events.clear();
    restarts.clear();
  },
  values(message) {
    values.update(message);
    formulas.update(message);
    graph.update(message);
  },
  trend: values.extend,
  sources(message) {
    sources.update(message);
    supervision.learn(message);
  },
  actors: supervision.update,
  performance: performance.update,
  events(message) {
    events.add(message, greeted);
    restarts.add(message, greeted);
    greeted = true;
    if (pulse) age();
  },
  pulse(message) {
    pulse = message;
    status.update(message);
    age();
    judge();
  },
};

const tryNow = connect({
  onText: (message) => hear[message.type]?.(message),
  onPicture(buffer) {
    status.received(buffer.byteLength);
    panel.paint(buffer);
  },
  onState({ kind, seconds, ended }) {
    if (kind === "connecting") show("connecting", "Connecting", pulse ? "Connecting again" : "Connecting to the panel");
    if (kind === "open") status.reset();
    if (kind === "waiting") {
      show("waiting", "Not connected", ended ? "The panel has ended" : "The panel does not answer", `next try in ${seconds} s`);
    }
    if (kind === "refused") {
      show("refused", "Not admitted", "Too many pages show this panel: close one", `next try in ${seconds} s`);
    }
  },
});
retry.addEventListener("click", tryNow);

function age() {
  events.age(pulse.tick, fps);
  restarts.age(pulse.tick, fps);
  supervision.follow();
}

// A pulse has come, so the connection is well; is the panel?
function judge() {
  const still = status.stillFor();
  if (!pulse.ready) show("connecting", "Starting", "Waiting for the first frame");
  else if (still) show("stale", "Standing still", `The panel stands still at tick ${pulse.tick}`, `${still} s`);
  else show("live", "Live", "");
}

// Shows a state in the head, and over the panel why its picture is not the newest. The time that passes
// stands apart from the words, so that screen readers do not read it out every second.
function show(state, words, veilWords, time = "") {
  document.body.dataset.connection = state;
  if (text.textContent !== words) text.textContent = words;
  if (veilWords && veil.textContent !== veilWords) veil.textContent = veilWords;
  clock.textContent = time;
  mark.setAttribute("href", `#mark-${MARKS[state]}`);
  retry.hidden = state !== "waiting" && state !== "refused";
}
