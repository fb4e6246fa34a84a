// The studio: hands what the panel says to the parts of the page, and shows how the connection is doing.

import { connect } from "./connection.js";
import * as panel from "./panel.js";
import * as values from "./values.js";
import * as sources from "./sources.js";
import * as events from "./events.js";
import * as status from "./status.js";

const text = document.getElementById("connection-text");
const mark = document.querySelector("#connection use");
const retry = document.getElementById("retry");
const veil = document.getElementById("veil");
const name = document.getElementById("name");

let fps = 60;
let greeted = false;
let pulse = null;

const hear = {
  hello(hello) {
    fps = hello.fps;
    greeted = false;
    name.textContent = hello.panel;
    document.title = `${hello.panel} · tinydisplay`;
    document.getElementById("facts").textContent = `${hello.width} × ${hello.height} pixels, ${hello.fps} ticks a second`;
    document.getElementById("version").textContent = `tinydisplay ${hello.version}`;
    panel.resize(hello.width, hello.height);
    values.setPoints(hello.points);
    status.setFps(hello.fps);
    events.clear();
  },
  values: values.update,
  trend: values.extend,
  sources: sources.update,
  events(message) {
    events.add(message, greeted);
    greeted = true;
    if (pulse) events.age(pulse.tick, fps);
  },
  pulse(message) {
    pulse = message;
    status.update(message);
    events.age(message.tick, fps);
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
    const again = `Next try in ${seconds} s`;
    if (kind === "connecting") show("connecting", "Connecting", pulse ? "Connecting again" : "Connecting to the panel", "connecting");
    if (kind === "open") status.reset();
    if (kind === "waiting") show("waiting", again, ended ? "The panel has ended" : "The panel does not answer", "retrying");
    if (kind === "refused") show("refused", again, "Too many pages show this panel. Close one of them", "failed");
  },
});
retry.addEventListener("click", tryNow);

// A pulse has come, so the connection is well; is the panel?
function judge() {
  const still = status.stillFor();
  if (!pulse.ready) show("connecting", "Starting", "Waiting for the first frame", "connecting");
  else if (still) show("stale", `Still for ${still} s`, `The panel stands still at tick ${pulse.tick}`, "stale");
  else show("live", "Live", "", "live");
}

function show(state, words, veilWords, shape) {
  document.body.dataset.connection = state;
  // Untouched where nothing changed, so that screen readers do not repeat it.
  if (text.textContent !== words) text.textContent = words;
  if (veilWords && veil.textContent !== veilWords) veil.textContent = veilWords;
  mark.setAttribute("href", `#mark-${shape}`);
  retry.hidden = state !== "waiting" && state !== "refused";
}
