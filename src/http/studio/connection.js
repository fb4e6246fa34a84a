// The connection to the panel: opens a WebSocket, notices when it is silent, and tries again with growing
// pauses. It knows nothing of what is said.

const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 8000;
// The panel speaks four times a second; a connection that is silent for so long is dead.
const SILENCE_MAX_MS = 5000;

// Calls `onText(object)` and `onPicture(buffer)` for what comes in and `onState(state)` for how it goes:
//   { kind: "connecting" }
//   { kind: "open" }
//   { kind: "waiting", seconds, ended }   until the next try; `ended` since the panel said good-bye
//   { kind: "refused", seconds }          the server is there and takes no more viewers
// Returns a function that tries at once.
export function connect({ onState, onText, onPicture }) {
  let socket = null;
  let heard = 0;
  let tries = 0;
  let retryAt = 0;
  let waiting = null;
  let ended = false;

  function open() {
    waiting = null;
    heard = performance.now();
    onState({ kind: "connecting" });
    let opened = false;
    const url = new URL("/ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const current = new WebSocket(url);
    current.binaryType = "arraybuffer";
    socket = current;
    current.onopen = () => {
      opened = true;
      onState({ kind: "open" });
    };
    current.onmessage = ({ data }) => {
      heard = performance.now();
      // Only a server that really speaks makes the pauses short again.
      tries = 0;
      ended = false;
      typeof data === "string" ? onText(JSON.parse(data)) : onPicture(data);
    };
    current.onclose = async ({ code }) => {
      if (socket !== current) return;
      socket = null;
      ended ||= code === 1001;
      wait({ kind: "waiting", ended });
      if (!opened && (await isThere()) && waiting) wait({ kind: "refused" });
    };
  }

  function wait(state) {
    if (!waiting) {
      const pause = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** tries++);
      // Up to half of it at random, so that many pages do not come back at the same moment.
      retryAt = performance.now() + pause * (0.5 + Math.random() / 2);
    }
    waiting = state;
    tellWaiting();
  }

  function tellWaiting() {
    onState({ ...waiting, seconds: Math.max(1, Math.ceil((retryAt - performance.now()) / 1000)) });
  }

  function tryNow() {
    if (waiting) open();
  }

  setInterval(() => {
    const now = performance.now();
    if (waiting) {
      now >= retryAt ? open() : tellWaiting();
    } else if (now - heard > SILENCE_MAX_MS) {
      const silent = socket;
      socket = null;
      silent?.close();
      wait({ kind: "waiting", ended });
    }
  }, 250);
  addEventListener("online", tryNow);
  document.addEventListener("visibilitychange", () => document.hidden || tryNow());

  open();
  return tryNow;
}

async function isThere() {
  try {
    return (await fetch("/healthz", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}
