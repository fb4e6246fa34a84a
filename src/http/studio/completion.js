// What can be written at the caret of a formula. It knows nothing of the page.

const WORD = /[\p{L}\p{N}_.]/u;
const BARE = /^[A-Za-z_][A-Za-z0-9_.]*$/;

// What stands at the caret: the word that ends there, and the call around it.
//   { start, word, quoted, call: { name, argument } | null }   `quoted` inside a text or backquotes
export function context(text, caret) {
  const calls = [];
  let quote = "";
  let opened = 0;
  for (let at = 0; at < caret; at++) {
    const c = text[at];
    if (quote) {
      if (c === "\\" && quote !== "`") at++;
      else if (c === quote) quote = "";
    } else if (c === "'" || c === '"' || c === "`") {
      quote = c;
      opened = at;
    } else if (c === "(") {
      calls.push({ name: wordBefore(text, at), argument: 0 });
    } else if (c === ")") {
      calls.pop();
    } else if (c === "," && calls.length) {
      calls.at(-1).argument++;
    }
  }
  const call = calls.filter(({ name }) => name).at(-1) ?? null;
  if (quote === "`") return { start: opened, word: text.slice(opened + 1, caret), quoted: false, call };
  const word = quote ? "" : wordBefore(text, caret);
  return { start: caret - word.length, word, quoted: Boolean(quote), call };
}

function wordBefore(text, end) {
  let start = end;
  while (start > 0 && WORD.test(text[start - 1])) start--;
  return text.slice(start, end);
}

// The names that a word may become, the likeliest first: at most `most`. A name that goes by another one of its
// `aliases` is found by that one too; it is written by its own.
// A name is { name, kind: "function" | "value" | "key" | "constant", aliases?: [name], … }.
export function candidates(names, word, most = 8) {
  const wanted = word.toLowerCase();
  if (!wanted || /^[0-9.]/.test(wanted)) return [];
  const ranked = [];
  for (const candidate of names) {
    const ranks = [candidate.name, ...(candidate.aliases ?? [])].map((name) => rankOf(name.toLowerCase(), wanted));
    const best = ranks.filter((rank) => rank !== null).sort()[0];
    if (best !== undefined) ranked.push([best, candidate]);
  }
  ranked.sort((a, b) => a[0] - b[0] || a[1].name.length - b[1].name.length || (a[1].name < b[1].name ? -1 : 1));
  // What is written in full already needs no help.
  const found = ranked.slice(0, most).map(([, candidate]) => candidate);
  return found.length === 1 && found[0].name === word && found[0].kind !== "function" ? [] : found;
}

function rankOf(name, wanted) {
  if (name === wanted) return 0;
  if (name.startsWith(wanted)) return 1;
  if (name.slice(name.lastIndexOf(".") + 1).startsWith(wanted)) return 2;
  if (wanted.length > 1 && name.includes(wanted)) return 3;
  return null;
}

// The text with the word at the caret replaced by a name: [text, caret].
export function complete(text, caret, { name, kind }) {
  const { start } = context(text, caret);
  let end = caret;
  while (end < text.length && WORD.test(text[end])) end++;
  if (text[start] === "`" && text[end] === "`") end++;
  const isCall = kind === "function";
  const written = isCall || BARE.test(name) ? name : `\`${name}\``;
  const opens = isCall && text[end] !== "(";
  const head = text.slice(0, start) + written + (opens ? "(" : "");
  const closes = opens && !/^[\s]*[\w'"`]/.test(text.slice(end)) ? ")" : "";
  return [head + closes + text.slice(end), head.length + (isCall && !opens ? 1 : 0)];
}

// A signature in parts, `round(x[, digits])`, the one for an argument marked: [[text, isCurrent], …].
export function marked(signature, argument) {
  const open = signature.indexOf("(");
  if (open < 0) return [[signature, false]];
  const parts = signature.slice(open + 1, -1).split(",");
  // The last one of a function that takes any number stands for all further ones.
  const last = parts.length - 1;
  const repeats = /\.\.\./.test(parts[last] ?? "");
  const current = repeats ? Math.min(argument, last) : argument;
  const shown = parts.map((part, index) => [part + (index < last ? "," : ""), index === current]);
  return [[signature.slice(0, open + 1), false], ...shown, [")", false]];
}
