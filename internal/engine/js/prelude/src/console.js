// console (Console Standard): lines of text at four levels. It has no colours,
// and no groups that can be folded.
import { table } from "./table.js";

const { now, formatAll, show } = host;
const counts = new Map(), times = new Map();
// Labels are the guest's: there is a bound on what they may keep.
const MOST = 1000;
const key = (label) => label === undefined ? "default" : String(label);
let indent = "";

const log = (level, text) => {
  if (indent !== "") text = indent + text.replaceAll("\n", "\n" + indent);
  host.log(level, text);
};

const remember = (map, label, value) => {
  if (!map.has(label) && map.size >= MOST) map.delete(map.keys().next().value);
  map.set(label, value);
};

const stackHere = () => {
  const lines = new Error().stack.split("\n");
  return lines.filter((line) => line !== "" && !line.includes("(mp:")).join("\n");
};

const elapsed = (label, args) => {
  if (!times.has(label)) return log("warn", `Timer '${label}' does not exist`);
  const ms = now() - times.get(label);
  log("info", `${label}: ${ms.toFixed(3)}ms${args.length ? " " + formatAll(args) : ""}`);
};

const methods = {
  log(...args) { log("info", formatAll(args)); },
  info(...args) { log("info", formatAll(args)); },
  debug(...args) { log("debug", formatAll(args)); },
  warn(...args) { log("warn", formatAll(args)); },
  error(...args) { log("error", formatAll(args)); },
  trace(...args) {
    log("debug", `Trace${args.length ? ": " + formatAll(args) : ""}\n${stackHere()}`);
  },
  assert(condition, ...args) {
    if (condition) return;
    if (typeof args[0] === "string") args[0] = `Assertion failed: ${args[0]}`;
    else args.unshift("Assertion failed");
    log("error", formatAll(args));
  },
  dir(value, options) { log("info", show(value, options)); },
  dirxml(...args) { log("info", formatAll(args)); },
  table(data, properties) { log("info", table(data, properties) ?? formatAll([data])); },
  count(label) {
    label = key(label);
    const n = (counts.get(label) ?? 0) + 1;
    remember(counts, label, n);
    log("info", `${label}: ${n}`);
  },
  countReset(label) {
    label = key(label);
    if (!counts.delete(label)) log("warn", `Count for '${label}' does not exist`);
  },
  time(label) {
    label = key(label);
    if (times.has(label)) log("warn", `Timer '${label}' exists already`);
    else remember(times, label, now());
  },
  timeLog(label, ...args) { elapsed(key(label), args); },
  timeEnd(label) { label = key(label); elapsed(label, []); times.delete(label); },
  group(...args) { if (args.length) log("info", formatAll(args)); if (indent.length < 40) indent += "  "; },
  groupCollapsed(...args) { methods.group(...args); },
  groupEnd() { indent = indent.slice(2); },
  clear() {},
};

const console = Object.create({});
Object.defineProperty(console, Symbol.toStringTag, { value: "console", configurable: true });
for (const name of Object.keys(methods)) {
  Object.defineProperty(console, name, { value: methods[name], writable: true, enumerable: true, configurable: true });
}
Object.defineProperty(globalThis, "console", { value: console, writable: true, enumerable: false, configurable: true });
