// The checks' side of the conformance run: api() registers checks, and the
// others fail them by throwing.
const registered = []; // of [api, check, function]
let expected;          // the log lines that the running check expects

// api registers the checks of one API under its name: an object of functions,
// async or not, whose names say what holds.
export const api = (name, checks) => {
  for (const [check, f] of Object.entries(checks)) registered.push([name, check, f]);
};

// names and run are what the harness calls: all checks by name, and one of
// them by its place, which returns the log lines that it expects, or null.
export const names = () => registered.map(([name, check]) => [name, check]);
export const run = async (i) => {
  expected = null;
  await registered[i][2]();
  return expected;
};

// members lists what mp has beyond an object and an EventTarget, sorted.
export const members = () => {
  const names = new Set();
  for (let o = mp; o !== null && o !== EventTarget.prototype && o !== Object.prototype; o = Object.getPrototypeOf(o)) {
    for (const name of Object.getOwnPropertyNames(o)) if (name !== "constructor") names.add(name);
  }
  return [...names].sort();
};

class Failure extends Error { name = "Failure"; }
const fail = (text) => { throw new Failure(text); };

const text = (value) => {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return `${value.constructor.name}[${value}]`;
  if (typeof value !== "object" || value === null) return String(value);
  try { return `${Object.prototype.toString.call(value)} ${JSON.stringify(value)}`; } catch { return Object.prototype.toString.call(value); }
};

const bytes = (value) => new Uint8Array(value.buffer ?? value, value.byteOffset ?? 0, value.byteLength);
const entries = (value) => Reflect.ownKeys(value).filter((k) => Object.prototype.propertyIsEnumerable.call(value, k)).map((k) => [k, value[k]]);

const same = (a, b) => {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (a instanceof RegExp) return String(a) === String(b);
  if (a instanceof Error) return a.name === b.name && a.message === b.message;
  if (a instanceof ArrayBuffer || ArrayBuffer.isView(a)) return a.byteLength === b.byteLength && bytes(a).every((x, i) => x === bytes(b)[i]);
  if (a instanceof Map || a instanceof Set) return same([...a], [...b]);
  const x = entries(a), y = entries(b);
  return (!Array.isArray(a) || a.length === b.length) && x.length === y.length && x.every(([k, v]) => Object.hasOwn(b, k) && same(v, b[k]));
};

// equal holds got against want: the same primitive (Object.is), or objects
// with the same prototype and the same contents.
export const equal = (got, want, what = "") => {
  if (!same(got, want)) fail(`${what && `${what}: `}got ${text(got)}, want ${text(want)}`);
};

// ok holds that value is truthy.
export const ok = (value, what = "the value") => {
  if (!value) fail(`${what} is ${text(value)}`);
};

const judge = (error, kind) => {
  const right = kind === undefined ? true : typeof kind === "string" ? error instanceof DOMException && error.name === kind
    : typeof kind === "function" ? error?.constructor === kind : Object.is(error, kind);
  if (!right) fail(`threw ${text(error)}, want ${typeof kind === "function" ? kind.name : text(kind)}`);
  return error;
};

// throws holds that f throws: kind is a class that the error is of exactly, the
// name of a DOMException, or the very value. It returns the error.
export const throws = (f, kind) => {
  let value;
  try { value = f(); } catch (error) { return judge(error, kind); }
  fail(`returned ${text(value)}, and should throw`);
};

// rejects holds that a promise, or the promise that an async function returns,
// is rejected, as throws does.
export const rejects = async (promise, kind) => {
  let value;
  try { value = await (typeof promise === "function" ? promise() : promise); } catch (error) { return judge(error, kind); }
  fail(`fulfilled with ${text(value)}, and should reject`);
};

// logs holds that exactly these lines are in the program's log when the check
// is over, each begun by its level.
export const logs = (...lines) => { expected = lines; };

// turn waits for the event loop's next turn.
export const turn = (ms = 0) => new Promise((resolve) => { setTimeout(resolve, ms); });
