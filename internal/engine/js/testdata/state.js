// A program that has a bit of everything in its heap, and says whether it still
// is what it was. check(n) holds everything to what it must be after n steps and
// makes one more.
const wrong = [];
const equal = (what, got, want) => { if (!Object.is(got, want)) wrong.push(`${what}: ${String(got)} is not ${String(want)}`); };

// Closures and classes.
const counter = (() => { let n = 0; return { next: () => n++, get n() { return n; } }; })();
class Base {
  #hidden = 0;
  static #made = 0;
  static get made() { return Base.#made; }
  constructor() { Base.#made++; }
  #step() { return this.#hidden++; }
  step() { return this.#step(); }
  static holds(o) { return #hidden in o; }
  get hidden() { return this.#hidden; }
}
class Derived extends Base {
  static { Derived.block = "ran"; }
  accessorCalls = 0;
  step() { this.accessorCalls++; return super.step(); }
}
const derived = new Derived();

// Collections, weak ones too.
const key = { key: true }, lost = [];
const map = new Map([[key, 0], [NaN, "nan"], ["list", [1, , 3]]]);
const set = new Set(["a", "b", 3n]);
const weakMap = new WeakMap([[key, { n: 0 }]]), weakSet = new WeakSet([key]);
const weak = new WeakRef(key);
const finalized = [];
const registry = new FinalizationRegistry((held) => finalized.push(held));
const iterator = map.entries();
iterator.next();

// Generators in the middle of things.
const generator = (function* () { let i = 0; try { for (;;) { yield i++; } } finally { finalized.push("closed"); } })();
generator.next();
const nested = (function* () { yield* (function* () { for (let i = 0; ; i++) yield [i, yield i]; })(); })();
nested.next();
const gates = [];
const asyncGenerator = (async function* () { for (let i = 0; ; i++) { await new Promise((open) => gates.push(open)); yield i; } })();
let asked = asyncGenerator.next(), answered = -1;
const follow = (promise) => promise.then(({ value }) => { answered = value; });
follow(asked);

// An async function that waits in the middle of a loop, with a destructured state.
let turns = 0, open;
const waiting = (async () => { const { a, ...rest } = { a: 1, b: { c: 2 } }; for (;;) { await new Promise((r) => { open = r; }); turns += a; rest.b.c++; } })();

// Proxies, symbols, accessors, frozen objects.
const traps = [];
const proxy = new Proxy({ n: 0 }, { get: (t, k, r) => (traps.push(k), Reflect.get(t, k, r)), has: () => true });
const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();
const unique = Symbol("unique"), shared = Symbol.for("shared");
const keyed = { [unique]: 1, [shared]: 2, get twice() { return this.n * 2; }, set twice(v) { this.n = v / 2; }, n: 3 };
const frozen = Object.freeze([Object.freeze({ deep: true })]);

// Bytes.
const buffer = new ArrayBuffer(1 << 16, { maxByteLength: 1 << 20 });
const bytes = new Uint8Array(buffer), view = new DataView(buffer, 8, 64), floats = new Float64Array(buffer, 128, 4);
const big = new Uint32Array(1 << 16).map((_, i) => i * 2654435761);
let huge = 3n ** 500n;

// Text and patterns.
const sticky = /(?<word>\w+)\s*/y, global = /o/g, text = "one two three four five six seven eight nine ten ".repeat(200);
let rope = "";
const emoji = ["👩‍👩‍👧‍👦", "\ud800", "𝒳"];
const matches = text.matchAll(/t(\w+)/g);

// Timers, promises and jobs.
let ticks = 0, fired = [], listened = 0;
const interval = setInterval(() => ticks++, 1);
setTimeout(() => fired.push("late"), 1e9);
const cleared = setTimeout(() => fired.push("cleared"), 1e9);
const deferred = Promise.withResolvers();
let settled = "pending";
deferred.promise.then((v) => { settled = v; });
const race = Promise.race([deferred.promise, new Promise(() => {})]);
const handled = Promise.reject(new RangeError("kept")).catch((e) => e);
const bound = function (a, b) { return [this.n, a, b]; }.bind({ n: 7 }, 8);
const date = new Date(86400e3);
const error = new AggregateError([new TypeError("inner")], "outer", { cause: key });

// The clock.
const origin = performance.timeOrigin;
let clock = performance.now();

// Streams and events.
let controller;
const stream = new ReadableStream({ start(c) { controller = c; } });
const [left, right] = stream.tee();
const reader = left.getReader(), other = right.pipeThrough(new TransformStream({ transform: (n, c) => c.enqueue(n * 2) })).getReader();
const target = new EventTarget(), aborter = new AbortController();
target.addEventListener("step", (e) => { listened += e instanceof Event; });
let aborted = false;
aborter.signal.addEventListener("abort", () => { aborted = true; });

const sync = (n) => {
  equal("closure", counter.next(), n);
  equal("private field", derived.step(), n);
  equal("class field", derived.accessorCalls, n + 1);
  equal("private static", Base.made, 1);
  equal("brand", Base.holds(derived) && !Base.holds({}), true);
  equal("static block", Derived.block, "ran");

  equal("Map", map.get(key), n);
  map.set(key, n + 1);
  map.set(`step${n}`, n);
  map.delete(`step${n - 10}`);
  equal("Map of NaN", map.get(NaN), "nan");
  equal("hole", 1 in map.get("list"), false);
  equal("Map iterator", iterator.next().value === undefined, false);
  set.add(n % 7);
  equal("Set", set.has(3n) && [...set].slice(0, 3).join(), "a,b,3");
  equal("WeakMap", weakMap.get(key).n++, n);
  equal("WeakSet", weakSet.has(key), true);
  equal("WeakRef", weak.deref(), key);
  const gone = { n };
  gone.self = gone;
  lost.push(new WeakRef(gone));
  if (lost.length > 5) lost.shift();
  registry.register(gone, n);

  equal("generator", generator.next().value, n + 1);
  equal("yield*", nested.next(n).value?.[1] ?? nested.next(n).value[1], n);
  equal("proxy", proxy.n, 0);
  equal("trap", traps.pop(), "n");
  equal("has trap", "anything" in proxy, true);
  try { revoked.x; wrong.push("a revoked proxy answers"); } catch (e) { equal("revoked", e instanceof TypeError, true); }
  equal("Symbol", keyed[unique] + keyed[Symbol.for("shared")], 3);
  equal("setter", (keyed.twice = n * 2, keyed.n), n);
  equal("frozen", Object.isFrozen(frozen) && frozen[0].deep, true);

  equal("typed array", bytes[1000 + n], 0);
  bytes[1000 + n] = 1;
  equal("typed array before", bytes[1000 + n - 1], n > 0 ? 1 : 0);
  view.setFloat32(4, n);
  equal("DataView", view.getFloat32(4), Math.fround(n));
  floats[1] = n / 3;
  equal("shared bytes", new Float64Array(buffer, 136, 1)[0], n / 3);
  equal("large array", big[n % big.length], (n % big.length * 2654435761) >>> 0);
  huge = huge * 3n;
  equal("BigInt", huge / 3n ** BigInt(n + 1), 3n ** 500n);

  const at = sticky.lastIndex;
  equal("sticky", sticky.exec(text)?.groups.word, text.slice(at).split(" ")[0]);
  if (!global.test(text)) global.test(text);
  equal("lastIndex", text[global.lastIndex - 1], "o");
  rope += `${n},`;
  equal("rope", rope.length, [...Array(n + 1).keys()].join().length + 1);
  equal("surrogates", emoji.map((s) => s.length).join(), "11,1,2");
  if (n < 300) equal("matchAll", matches.next().value[0][0], "t");

  equal("bound", bound(9).join(), "7,8,9");
  equal("Date", date.toISOString(), "1970-01-02T00:00:00.000Z");
  equal("cause", error.cause === key && error.errors[0].message, "inner");
  equal("late timer", fired.length, 0);
  equal("timeOrigin", performance.timeOrigin, origin);
  equal("clock", performance.now() >= clock, true);
  clock = performance.now();
  target.dispatchEvent(new Event("step"));
  equal("listener", listened, n + 1);
  equal("signal", aborted, false);
};

const later = async (n) => {
  equal("kept rejection", (await handled).message, "kept");
  gates.shift()();
  await new Promise((r) => setTimeout(r));
  equal("async generator", answered, n);
  follow(asyncGenerator.next());
  equal("async function", turns, n);
  open();
  equal("pending", settled, "pending");
  controller.enqueue(n);
  equal("stream", (await reader.read()).value, n);
  equal("transform", (await other.read()).value, n * 2);
};

export const check = async (n) => {
  sync(n);
  await later(n);
  return wrong.splice(0);
};

// churn makes so much garbage that it is collected, and tells what is left of
// what can be, and how many heard of it.
export const churn = () => {
  for (let i = 0; i < 15000; i++) { const a = { bytes: new Uint8Array(2048) }; a.a = a; }
  return [lost.filter((r) => r.deref()).length, finalized.length > 0];
};

// end lets go of what waits.
export const end = async () => {
  clearInterval(interval);
  clearTimeout(cleared);
  deferred.resolve("resolved");
  aborter.abort();
  generator.return();
  controller.close();
  await deferred.promise;
  await null;
  return { settled, race: await race, aborted, ticks: ticks > 0, closed: finalized.includes("closed"), done: (await reader.read()).done };
};
