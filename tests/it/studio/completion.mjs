// What completion.js makes of texts; the caret is where | stands.
import assert from "node:assert/strict";
import { candidates, complete, context, marked } from "./module.mjs";

const names = [
  { name: "cpu", kind: "value" },
  { name: "cpu_hot", kind: "value" },
  { name: "system.cpu", kind: "key" },
  { name: "system.temperature", kind: "key" },
  { name: "lab.inner room", kind: "key" },
  { name: "clamp", kind: "function" },
  { name: "ceil", kind: "function" },
  { name: "if", kind: "function" },
  { name: "avg", kind: "function", aliases: ["average", "mean"] },
  { name: "dew_point", kind: "function", aliases: [], file: "comfort.lua", line: 4 },
];

function at(marked) {
  const caret = marked.indexOf("|");
  return [marked.replace("|", ""), caret];
}

for (const [text, start, word, quoted, call] of [
  ["|", 0, "", false, null],
  ["cp|", 0, "cp", false, null],
  ["1 + sys.cp|u", 4, "sys.cp", false, null],
  ["clamp(x, |", 9, "", false, { name: "clamp", argument: 1 }],
  ["if(max(1, 2), cp|", 14, "cp", false, { name: "if", argument: 1 }],
  ["round((a + b|", 11, "b", false, { name: "round", argument: 0 }],
  ["if(x == 'a, b(|", 14, "", true, { name: "if", argument: 0 }],
  ["if(x == 'it\\'s', y|", 17, "y", false, { name: "if", argument: 1 }],
  ["`lab.in|", 0, "lab.in", false, null],
  ["max(1))|", 7, "", false, null],
]) {
  assert.deepEqual(context(...at(text)), { start, word, quoted, call }, text);
}

for (const [word, expected] of [
  ["", []],
  ["12", []],
  ["c", ["cpu", "ceil", "clamp", "cpu_hot", "system.cpu"]],
  ["CPU", ["cpu", "cpu_hot", "system.cpu"]],
  ["temp", ["system.temperature"]],
  ["inner", ["lab.inner room"]],
  ["mper", ["system.temperature"]],
  ["cpu_hot", []],
  ["if", ["if"]],
  ["dew", ["dew_point"]],
  ["mea", ["avg"]],
  ["AVERAGE", ["avg"]],
  ["nothing", []],
]) {
  assert.deepEqual(candidates(names, word).map(({ name }) => name), expected, word);
}
assert.equal(candidates(names, "c", 2).length, 2);

for (const [text, name, kind, expected] of [
  ["1 + cp|", "cpu", "value", "1 + cpu|"],
  ["cp|x + 1", "system.cpu", "key", "system.cpu| + 1"],
  ["cl|", "clamp", "function", "clamp(|)"],
  ["cl|(1)", "clamp", "function", "clamp(|1)"],
  ["cl| x", "clamp", "function", "clamp(| x"],
  ["in|", "lab.inner room", "key", "`lab.inner room`|"],
  ["`lab.in|", "lab.inner room", "key", "`lab.inner room`|"],
  ["`lab.in|` + 1", "lab.inner room", "key", "`lab.inner room`| + 1"],
]) {
  const [written, caret] = complete(...at(text), { name, kind });
  assert.equal(`${written.slice(0, caret)}|${written.slice(caret)}`, expected, text);
}

const bold = (signature, argument) => marked(signature, argument).filter(([, is]) => is).map(([text]) => text.trim()).join();
assert.deepEqual(marked("abs(x)", 0), [["abs(", false], ["x", true], [")", false]]);
assert.equal(bold("clamp(x, low, high)", 1), "low,");
assert.equal(bold("round(x[, digits])", 1), "digits]");
assert.equal(bold("max(x, ...)", 5), "...");
assert.equal(bold("abs(x)", 3), "");
