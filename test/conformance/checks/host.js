// Timers and microtasks (HTML Standard, sections 8.6 and 8.7), the console
// (Console Standard), High Resolution Time and navigator.
import { api, equal, logs, ok, throws, turn } from "./check.js";

api("setTimeout", {
  async "calls later, with its arguments"() {
    const got = [];
    setTimeout((...args) => got.push(...args), 1, "a", 2);
    equal(got, []);
    await turn(5);
    equal(got, ["a", 2]);
  },
  async "calls in the order of time, and of its calls for the same time"() {
    const order = [];
    setTimeout(() => order.push("late"), 6);
    for (const x of ["a", "b", "c"]) setTimeout(() => order.push(x), 2);
    await turn(20);
    equal(order, ["a", "b", "c", "late"]);
  },
  "returns a number above zero, a new one each time"() {
    const a = setTimeout(() => {}), b = setTimeout(() => {});
    ok(Number.isInteger(a) && a > 0 && b > a);
    clearTimeout(a);
    clearTimeout(b);
  },
  async "takes what is no time for none"() {
    let n = 0;
    for (const delay of [undefined, null, -1, NaN, "x", {}]) setTimeout(() => n++, delay);
    await turn(10);
    equal(n, 6);
  },
  "refuses text for a program"() { throws(() => setTimeout("1 + 1"), TypeError); },
  async "runs microtasks between two callbacks"() {
    const order = [];
    setTimeout(() => { order.push(1); queueMicrotask(() => order.push("m")); }, 1);
    setTimeout(() => order.push(2), 1);
    await turn(10);
    equal(order, [1, "m", 2]);
  },
});

api("clearTimeout", {
  async "stops a timer"() {
    let n = 0;
    clearTimeout(setTimeout(() => n++, 1));
    await turn(5);
    equal(n, 0);
  },
  "ignores what is no timer"() { for (const x of [undefined, null, 0, -1, 1e9, "x", {}]) equal(clearTimeout(x), undefined); },
  async "stops one that is due in the same turn"() {
    let n = 0, second;
    setTimeout(() => clearTimeout(second), 1);
    second = setTimeout(() => n++, 1);
    await turn(5);
    equal(n, 0);
  },
  async "stops an interval"() {
    let n = 0;
    const id = setInterval(() => { n++; clearTimeout(id); }, 1);
    await turn(10);
    equal(n, 1);
  },
  async "takes the number as text"() {
    let n = 0;
    clearTimeout(String(setTimeout(() => n++, 1)));
    await turn(5);
    equal(n, 0);
  },
});

api("setInterval", {
  async "calls again and again, with its arguments"() {
    const got = [];
    await new Promise((resolve) => {
      const id = setInterval((x) => { if (got.push(x) === 3) resolve(clearInterval(id)); }, 1, "x");
    });
    equal(got, ["x", "x", "x"]);
  },
  async "goes on after an error"() {
    let n = 0;
    globalThis.onerror = () => true;
    const id = setInterval(() => { n++; throw new Error("again"); }, 1);
    while (n < 2) await turn(2);
    clearInterval(id);
    globalThis.onerror = null;
  },
  "refuses what is no function"() { throws(() => setInterval(), TypeError); },
});

api("clearInterval", {
  async "stops an interval from its own callback"() {
    let n = 0;
    const id = setInterval(() => { n++; clearInterval(id); }, 1);
    await turn(10);
    equal(n, 1);
  },
  async "stops a timeout"() {
    let n = 0;
    clearInterval(setTimeout(() => n++, 1));
    await turn(5);
    equal(n, 0);
  },
  "ignores what is no timer"() { equal(clearInterval(77777777), undefined); },
});

api("queueMicrotask", {
  async "runs before the next task, in the order of promise jobs"() {
    const order = [];
    setTimeout(() => order.push("task"), 0);
    Promise.resolve().then(() => order.push("promise"));
    queueMicrotask(() => order.push("microtask"));
    order.push("now");
    await turn(5);
    equal(order, ["now", "promise", "microtask", "task"]);
  },
  async "gets no arguments"() {
    let n;
    queueMicrotask((...args) => { n = args.length; });
    await null;
    equal(n, 0);
  },
  async "reports an error, and goes on"() {
    let ran = false;
    queueMicrotask(() => { throw "lost"; });
    queueMicrotask(() => { ran = true; });
    await turn(2);
    ok(ran);
    logs("error Uncaught 'lost'");
  },
  "refuses what is no function"() {
    throws(() => queueMicrotask(), TypeError);
    throws(() => queueMicrotask({}), TypeError);
  },
  "returns nothing"() { equal(queueMicrotask(() => {}), undefined); },
});

api("performance.now", {
  "never goes back"() {
    let last = performance.now();
    for (let i = 0; i < 1000; i++) {
      const now = performance.now();
      ok(now >= last);
      last = now;
    }
  },
  async "counts milliseconds"() {
    const start = performance.now();
    await turn(20);
    ok(performance.now() - start >= 19);
  },
  "begins at the program's start"() { ok(performance.now() >= 0 && performance.now() < 600000); },
  "is performance's"() {
    throws(() => performance.now.call({}), TypeError);
    throws(() => new Performance(), TypeError);
    equal(Object.prototype.toString.call(performance), "[object Performance]");
    ok(performance instanceof EventTarget);
  },
});

api("performance.timeOrigin", {
  "is the start's wall clock"() { ok(Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 60000); },
  "stays"() { equal(performance.timeOrigin, performance.timeOrigin); },
  "is in toJSON"() { equal(JSON.parse(JSON.stringify(performance)), { timeOrigin: performance.timeOrigin }); },
  "cannot be set"() { throws(() => { performance.timeOrigin = 1; }, TypeError); },
});

api("navigator.userAgent", {
  "is a product and its version, as RFC 9110 writes it"() { ok(/^mpsupervisor\/[-!#$%&'*+.^_`|~0-9A-Za-z]+$/.test(navigator.userAgent)); },
  "cannot be set"() { throws(() => { navigator.userAgent = "x"; }, TypeError); },
  "is navigator's"() {
    equal(Object.prototype.toString.call(navigator), "[object Navigator]");
    throws(() => Navigator.prototype.userAgent, TypeError);
  },
});

api("console", {
  "is a namespace"() {
    equal(Object.prototype.toString.call(console), "[object console]");
    equal(Object.getPrototypeOf(Object.getPrototypeOf(console)), Object.prototype);
    equal(Object.getOwnPropertyNames(Object.getPrototypeOf(console)), []);
  },
  "has every method of the standard"() {
    for (const name of ["assert", "clear", "debug", "error", "info", "log", "table", "trace", "warn", "dir", "dirxml", "count", "countReset", "group", "groupCollapsed", "groupEnd", "time", "timeLog", "timeEnd"]) {
      const d = Object.getOwnPropertyDescriptor(console, name);
      equal([typeof d.value, d.writable, d.enumerable, d.configurable], ["function", true, true, true], name);
    }
  },
  "has methods that need no this"() {
    const { log, warn } = console;
    log("a");
    [1].forEach(warn);
    logs("info a", "warn 1 0 [ 1 ]");
  },
  "has levels"() {
    console.debug("d");
    console.log("l");
    console.info("i");
    console.warn("w");
    console.error("e");
    logs("debug d", "info l", "info i", "warn w", "error e");
  },
  "formats"() {
    console.log("%s is %d years and %i, %f%%", "Ann", "42.5", 3.9, "1.5", "rest");
    console.log("%o %O", { a: 1 }, [2]);
    console.log("%cstyled", "color: red");
    console.log("%d %i", Symbol("x"), {});
    console.log("%s", Symbol("x"));
    console.log("%x %", 1);
    logs("info Ann is 42.5 years and 3, 1.5% rest", "info { a: 1 } [ 2 ]", "info styled", "info NaN NaN", "info Symbol(x)", "info %x % 1");
  },
  "asserts"() {
    console.assert(true, "not this");
    console.assert(false);
    console.assert();
    console.assert(0, "value %d", 5);
    console.assert(false, { a: 1 });
    logs("error Assertion failed", "error Assertion failed", "error Assertion failed: value 5", "error Assertion failed { a: 1 }");
  },
  "counts"() {
    console.count();
    console.count("default");
    console.count("x");
    console.countReset();
    console.count(undefined);
    console.countReset("never");
    logs("info default: 1", "info default: 2", "info x: 1", "info default: 1", "warn Count for 'never' does not exist");
    console.countReset();
    console.countReset("x");
  },
  "groups"() {
    console.group("outer");
    console.group();
    console.log("a\nb");
    console.groupEnd();
    console.groupCollapsed("inner", 1);
    console.warn("c");
    console.groupEnd();
    console.groupEnd();
    console.groupEnd();
    console.log("d");
    logs("info outer", "info     a\n    b", "info   inner 1", "warn     c", "info d");
  },
  "shows tables of objects"() {
    console.table([{ a: 1, b: "x" }, { a: 22, c: true }]);
    logs(`info ┌─────────┬────┬─────┬──────┐
│ (index) │ a  │ b   │ c    │
├─────────┼────┼─────┼──────┤
│ 0       │ 1  │ 'x' │      │
│ 1       │ 22 │     │ true │
└─────────┴────┴─────┴──────┘`);
  },
  "shows tables of values, of chosen columns, and what is no table"() {
    console.table(new Map([["k", 1]]));
    console.table({ r: { a: 1, b: 2 } }, ["b"]);
    console.table("text");
    logs(`info ┌───────────────────┬─────┬────────┐
│ (iteration index) │ Key │ Values │
├───────────────────┼─────┼────────┤
│ 0                 │ 'k' │ 1      │
└───────────────────┴─────┴────────┘`, `info ┌─────────┬───┐
│ (index) │ b │
├─────────┼───┤
│ r       │ 2 │
└─────────┴───┘`, "info text");
  },
  "warns of timers that are not there, or twice"() {
    console.timeEnd("none");
    console.timeLog("none");
    console.time("t");
    console.time("t");
    logs("warn Timer 'none' does not exist", "warn Timer 'none' does not exist", "warn Timer 't' exists already");
  },
  "shows objects without running their code"() {
    console.log({ get a() { throw 1; } }, new Proxy({}, { ownKeys() { throw 2; } }));
    console.dir({ a: { b: { c: {} } } }, { depth: 0 });
    console.dirxml([1], "x");
    logs("info { a: [Getter] } [Proxy]", "info { a: [Object] }", "info [ 1 ] x");
  },
  "takes any value"() {
    console.log(null, undefined, -0, 1n, Symbol.iterator, () => {}, [,], Object.create(null));
    console.clear();
    logs("info null undefined -0 1n Symbol(Symbol.iterator) [Function (anonymous)] [ <1 empty item> ] [Object: null prototype] {}");
  },
});
