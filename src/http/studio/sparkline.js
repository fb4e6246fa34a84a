// A small chart of a value's last minute: a thin line over a faint fill, the newest value dotted.

const PAD = 3;

// Draws `points` (numbers or nulls, the newest last) so that `count` of them fill the width.
export function draw(canvas, points, count) {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width || !height) return;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);

  const known = points.filter((point) => point !== null);
  if (!known.length) return;
  const [low, high_] = range(known);
  const x = (index) => PAD + ((width - 2 * PAD) * (count - points.length + index)) / (count - 1);
  const y = (point) => height - PAD - ((height - 2 * PAD) * (point - low)) / (high_ - low);

  const color = getComputedStyle(canvas).color;
  Object.assign(context, { strokeStyle: color, fillStyle: color, lineWidth: 1.5, lineJoin: "round", lineCap: "round" });
  for (const run of runs(points)) {
    const line = new Path2D();
    for (const index of run) line.lineTo(x(index), y(points[index]));
    context.stroke(line);
    line.lineTo(x(run.at(-1)), height);
    line.lineTo(x(run[0]), height);
    context.globalAlpha = 0.1;
    context.fill(line);
    context.globalAlpha = 1;
  }
  if (points.at(-1) !== null) {
    context.beginPath();
    context.arc(x(points.length - 1), y(points.at(-1)), 2.5, 0, 2 * Math.PI);
    context.fill();
  }
}

// The lowest and highest number, never the same: a steady value is a line in the middle, and noise far
// below its size stays small.
function range(numbers) {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const least = Math.max(Math.abs(low), Math.abs(high)) * 0.02 || 1;
  const widen = Math.max(0, least - (high - low)) / 2;
  return [low - widen, high + widen];
}

// The indices of the points, cut where there are none.
function runs(points) {
  const found = [[]];
  points.forEach((point, index) => (point === null ? found.push([]) : found.at(-1).push(index)));
  return found.filter((run) => run.length);
}
