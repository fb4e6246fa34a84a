// How the run is doing: the rate of its ticks over the last seconds, lateness, and what this page gets.

import { bytes, count, span } from "./format.js";

const WINDOW_MS = 3000;
// A tick that stands still for so long is worth a word.
const STILL_MS = 1500;

const show = Object.fromEntries(
  ["fps", "fps-target", "running", "tick", "late", "skipped", "traffic"].map((id) => [id, document.getElementById(id)]),
);

let fps = 60;
let pulses = [];
let pictures = [];
let moved = 0;

// The panel's own rate.
export function setFps(target) {
  fps = target;
  pulses = [];
  moved = performance.now();
  write("fps-target", `of ${target} fps`);
}

// Takes a `pulse` message.
export function update(pulse) {
  if (pulse.tick !== pulses.at(-1)?.tick) moved = performance.now();
  pulses.push(pulse);
  while (pulses.length > 2 && pulse.at_ms - pulses[0].at_ms > WINDOW_MS) pulses.shift();
  const [first, last] = [pulses[0], pulses.at(-1)];
  const elapsed = last.at_ms - first.at_ms;
  show.fps.toggleAttribute("data-none", elapsed < 400);
  write("fps", elapsed < 400 ? "–" : (((last.tick - first.tick) * 1000) / elapsed).toFixed(1));
  write("tick", count(pulse.tick));
  write("running", span(pulse.tick / fps));
  write("late", share(pulse.late_ticks, pulse.tick));
  write("skipped", share(pulse.skipped_frames, pulse.tick));
  traffic();
}

// Counts a picture that has come.
export function received(size) {
  pictures.push([performance.now(), size]);
}

// For how many seconds the panel has stood still, 0 if it has not.
export function stillFor() {
  const still = performance.now() - moved;
  return still > STILL_MS ? Math.floor(still / 1000) : 0;
}

// Before the first pulse nothing is known.
export function reset() {
  pulses = [];
  pictures = [];
  moved = performance.now();
}

function traffic() {
  const now = performance.now();
  pictures = pictures.filter(([at]) => now - at < WINDOW_MS);
  const size = pictures.reduce((sum, [, size]) => sum + size, 0);
  const [text, unit] = bytes((size * 1000) / WINDOW_MS, "/s");
  write("traffic", `${Math.round((pictures.length * 1000) / WINDOW_MS)} fps, ${text} ${unit}`);
}

function share(part, whole) {
  if (!part) return "none";
  const percent = (100 * part) / Math.max(1, whole);
  return `${count(part)} (${percent < 0.01 ? "< 0.01" : percent.toFixed(2)} %)`;
}

function write(id, text) {
  if (show[id].textContent !== text) show[id].textContent = text;
}
