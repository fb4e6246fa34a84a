// The drawings of the performance page: bars made of parts, ranges of times, and the last minute.

import { brief } from "./format.js";

// The times that a range can show, in microseconds, on a logarithmic scale.
const [LEAST, MOST] = [1, 1e6];
const LABELLED = [1, 1e3, 1e6];

// Where a time stands on a range, from 0 to 1.
export function onScale(micros) {
  const within = Math.min(MOST, Math.max(LEAST, micros));
  return Math.log10(within / LEAST) / Math.log10(MOST / LEAST);
}

// Writes the scale's head.
export function writeScale(element) {
  element.replaceChildren(...LABELLED.map((micros) => {
    const label = document.createElement("span");
    label.textContent = round(micros);
    label.style.left = percent(onScale(micros));
    return label;
  }));
}

// A range: from half of all to 99 of 100 a bar, the longest a stroke.
export class Range {
  constructor() {
    this.element = document.createElement("div");
    this.element.className = "scale";
    this.element.ariaHidden = "true";
    this.element.innerHTML = "<i></i><i></i><i></i><i></i><b></b><u></u>";
    [this.bar, this.stroke] = [this.element.querySelector("b"), this.element.querySelector("u")];
    LABELLED.forEach((micros, index) => (this.element.children[index].style.left = percent(onScale(micros))));
    this.border = this.element.children[3];
    this.border.className = "limit";
  }

  // Marks the time that a tick may take.
  limit(micros) {
    this.border.style.left = percent(onScale(micros));
  }

  show(time) {
    this.bar.hidden = this.stroke.hidden = !time;
    if (!time) return;
    const [from, to] = [onScale(time.p50_us), onScale(time.p99_us)];
    Object.assign(this.bar.style, { left: percent(from), width: percent(to - from) });
    this.stroke.style.left = percent(onScale(time.longest_us));
  }
}

// Makes the parts of a bar as wide as their shares; the classes say what they are.
export function fill(track, parts) {
  while (track.childElementCount > parts.length) track.lastElementChild.remove();
  parts.forEach(({ share, kind }, index) => {
    const part = track.children[index] ?? track.appendChild(document.createElement("span"));
    part.className = kind;
    if (share !== undefined) part.style.width = percent(Math.min(1, Math.max(0, share)));
  });
}

// A round time, without digits that say nothing.
export function round(micros) {
  return brief(micros).join(" ").replace(".0 ", " ");
}

export function percent(share) {
  return `${(100 * share).toFixed(2)}%`;
}

// The least round number that is not below `value`.
export function roundUp(value) {
  const decade = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 1.5, 2, 3, 5, 7.5, 10].map((step) => step * decade).find((round) => round >= value * 0.999) ?? value;
}

// The last minute: an area for `low`, a line for `high`, up to `top`; numbers or nulls, the newest last.
export function history(canvas, { low, high, points, top }) {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width || !height) return;
  const [wide, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== tall) Object.assign(canvas, { width: wide, height: tall });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const x = (index, length) => 1 + ((width - 5) * (points - length + index)) / (points - 1);
  const y = (value) => height - 1 - ((height - 5) * Math.min(value, top)) / top;
  const color = getComputedStyle(canvas).color;
  Object.assign(context, { strokeStyle: color, fillStyle: color, lineWidth: 1.5, lineJoin: "round", lineCap: "round" });

  for (const run of runs(low)) {
    const area = new Path2D();
    for (const index of run) area.lineTo(x(index, low.length), y(low[index]));
    area.lineTo(x(run.at(-1), low.length), height);
    area.lineTo(x(run[0], low.length), height);
    context.globalAlpha = 0.18;
    context.fill(area);
    context.globalAlpha = 1;
  }
  for (const run of runs(high)) {
    const line = new Path2D();
    for (const index of run) line.lineTo(x(index, high.length), y(high[index]));
    context.stroke(line);
  }
  if (high.length && high.at(-1) !== null) {
    context.beginPath();
    context.arc(x(high.length - 1, high.length), y(high.at(-1)), 2.5, 0, 2 * Math.PI);
    context.fill();
  }
}

// The indices of the points, cut where there are none.
function runs(points) {
  const found = [[]];
  points.forEach((point, index) => (point === null ? found.push([]) : found.at(-1).push(index)));
  return found.filter((run) => run.length);
}
