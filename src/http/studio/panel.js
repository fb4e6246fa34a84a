// The panel's picture, at its real size and enlarged. What comes over the wire is described in the
// server's documentation (http::wire): rectangles of changed pixels.

const HEAD_BYTES = 16;
const RECT_HEAD_BYTES = 8;
// The enlarged panel's longer side in CSS pixels, about.
const ENLARGED_MAX = 640;
// What the column beside it needs, the gap between them included.
const BESIDE_MIN = 300;

const canvases = ["enlarged", "real"].map((id) => document.getElementById(id));
const contexts = canvases.map((canvas) => canvas.getContext("2d", { alpha: false }));
const hero = document.getElementById("hero");
const bezel = document.querySelector("#large .bezel");
const size = document.getElementById("size");

// Paints one message.
export function paint(buffer) {
  const view = new DataView(buffer);
  const rects = view.getUint16(2, true);
  resize(view.getUint16(4, true), view.getUint16(6, true));
  let at = HEAD_BYTES;
  for (let rect = 0; rect < rects; rect++) {
    const [x, y, width, height] = [0, 2, 4, 6].map((offset) => view.getUint16(at + offset, true));
    at += RECT_HEAD_BYTES;
    const pixels = new Uint8ClampedArray(buffer, at, width * height * 4);
    at += pixels.length;
    const image = new ImageData(pixels, width, height);
    for (const context of contexts) context.putImageData(image, x, y);
  }
}

// Makes room for a panel of this size.
export function resize(width, height) {
  if (canvases[0].width === width && canvases[0].height === height) return;
  for (const canvas of canvases) {
    // Setting a size wipes the canvas, so it is done only where it differs.
    canvas.width = width;
    canvas.height = height;
  }
  const root = document.documentElement.style;
  root.setProperty("--width", width);
  root.setProperty("--height", height);
  size.textContent = `${width} × ${height}`;
  fit();
}

// Enlarges as far as there is room, by a whole number of the screen's own pixels, so that every pixel of
// the panel stays a sharp square.
function fit() {
  const { width, height } = canvases[0];
  // Another view is shown.
  if (!hero.clientWidth) return;
  const edge = parseFloat(getComputedStyle(bezel).paddingLeft) * 2;
  const stacked = getComputedStyle(hero).display === "flex";
  const room = hero.clientWidth - edge - (stacked ? 0 : Math.max(BESIDE_MIN, width + 16));
  const most = Math.max(1, Math.round(ENLARGED_MAX / Math.max(width, height)));
  const ratio = devicePixelRatio || 1;
  const scale = Math.max(1, Math.min(Math.floor((room * ratio) / width) / ratio, most));
  document.documentElement.style.setProperty("--scale", scale);
}

new ResizeObserver(fit).observe(hero);
