// HTML Standard, sections 2.7 (structured data), 8.3 (base64) and 9.4 (channel
// messaging).
import { api, equal, ok, throws, turn } from "./check.js";

const refuses = (value, options) => throws(() => structuredClone(value, options), "DataCloneError");

api("structuredClone", {
  "copies primitives"() {
    for (const x of [undefined, null, true, 0, -0, NaN, 1.5, 10n ** 30n, "s", "\ud800"]) equal(structuredClone(x), x);
  },
  "copies plain objects deeply"() {
    const o = { a: 1, b: { c: [1, 2, { d: "x" }] }, [Symbol("s")]: 1 }, copy = structuredClone(o);
    equal(copy, { a: 1, b: { c: [1, 2, { d: "x" }] } });
    ok(copy.b !== o.b && copy.b.c !== o.b.c);
  },
  "loses the class, methods of the prototype and what is not enumerable"() {
    class A { x = 1; f() {} }
    const a = new A();
    Object.defineProperty(a, "hidden", { value: 1 });
    equal(structuredClone(a), { x: 1 });
  },
  "reads getters and copies their values"() {
    const copy = structuredClone({ get a() { return 5; } });
    equal(Object.getOwnPropertyDescriptor(copy, "a"), { value: 5, writable: true, enumerable: true, configurable: true });
  },
  "passes a getter's error on"() { throws(() => structuredClone({ get a() { throw 7; } }), 7); },
  "leaves out what a getter removed"() {
    const o = { get a() { delete this.b; return 1; }, b: 2 };
    equal(structuredClone(o), { a: 1 });
  },
  "keeps cycles"() {
    const o = { list: [] };
    o.self = o;
    o.list.push(o, o.list);
    const copy = structuredClone(o);
    ok(copy.self === copy && copy.list[0] === copy && copy.list[1] === copy.list && copy !== o);
  },
  "keeps what is the same object the same"() {
    const x = {}, { a, b } = structuredClone({ a: x, b: x });
    ok(a === b);
  },
  "copies sparse arrays with their length and other members"() {
    const list = [1, , 3];
    list.length = 10;
    list.extra = "e";
    const copy = structuredClone(list);
    equal([copy.length, 1 in copy, copy.extra, Array.isArray(copy)], [10, false, "e", true]);
  },
  "copies __proto__ as a member"() {
    const copy = structuredClone(JSON.parse('{"__proto__": {"x": 1}}'));
    ok(Object.hasOwn(copy, "__proto__"));
    equal([copy.x, Object.getPrototypeOf(copy) === Object.prototype], [undefined, true]);
  },
  "copies Map and Set in their order, with their cycles"() {
    const m = new Map([["k", 1], [{ a: 1 }, new Set([1, "x"])]]);
    m.set(m, m);
    const copy = structuredClone(m), keys = [...copy.keys()];
    equal([copy.size, copy.get("k"), keys[1], [...copy.get(keys[1])]], [3, 1, { a: 1 }, [1, "x"]]);
    ok(keys[2] === copy && copy.get(copy) === copy);
  },
  "copies Map's entries as they were when it began"() {
    const m = new Map();
    m.set({ get x() { m.set("late", 1); return 1; } }, 1);
    equal(structuredClone(m).size, 1);
  },
  "copies dates, invalid ones too"() {
    equal(structuredClone(new Date(5)), new Date(5));
    equal(structuredClone(new Date(NaN)).getTime(), NaN);
  },
  "copies regular expressions without lastIndex"() {
    const r = /a\/(?<n>b)/giu;
    r.lastIndex = 3;
    const copy = structuredClone(r);
    equal([copy.source, copy.flags, copy.lastIndex], [r.source, "giu", 0]);
  },
  "copies boxed primitives"() {
    for (const x of [true, 1, "s", 5n]) {
      const copy = structuredClone(Object(x));
      equal([typeof copy, copy.valueOf()], ["object", x]);
    }
  },
  "copies errors with message, stack and cause"() {
    for (const type of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
      const e = new type("m", { cause: { a: 1 } }), copy = structuredClone(e);
      equal([Object.getPrototypeOf(copy) === type.prototype, copy.message, copy.stack, copy.cause], [true, "m", e.stack, { a: 1 }]);
      ok(copy !== e);
    }
  },
  "makes an Error of an error of a class of the program's"() {
    class Mine extends Error { name = "Mine"; extra = 1; }
    const copy = structuredClone(new Mine("m"));
    equal([Object.getPrototypeOf(copy) === Error.prototype, copy.message, copy.extra], [true, "m", undefined]);
  },
  "copies DOMException"() {
    const copy = structuredClone(new DOMException("m", "AbortError"));
    equal([copy instanceof DOMException, copy.name, copy.message, copy.code], [true, "AbortError", "m", 20]);
  },
  "copies ArrayBuffer, resizable ones too"() {
    const b = new Uint8Array([1, 2, 3]).buffer, copy = structuredClone(b);
    equal(copy, b);
    ok(copy !== b);
    const r = structuredClone(new ArrayBuffer(2, { maxByteLength: 8 }));
    equal([r.byteLength, r.maxByteLength, r.resizable], [2, 8, true]);
  },
  "copies every kind of typed array"() {
    for (const type of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array]) {
      equal(structuredClone(new type([1, 2, 3])), new type([1, 2, 3]));
    }
    equal(structuredClone(new BigInt64Array([1n, -1n])), new BigInt64Array([1n, -1n]));
  },
  "copies views with their offset and their common buffer"() {
    const buffer = new Uint8Array([1, 2, 3, 4]).buffer;
    const { a, b } = structuredClone({ a: new Uint8Array(buffer, 1, 2), b: new DataView(buffer, 2) });
    equal([a.byteOffset, a.length, b.byteOffset, b.byteLength, b.getUint8(0)], [1, 2, 2, 2, 3]);
    ok(a.buffer === b.buffer);
    equal(a.buffer.byteLength, 4);
  },
  "transfers an ArrayBuffer"() {
    const b = new Uint8Array([1, 2, 3]).buffer;
    const copy = structuredClone({ b, view: new Uint8Array(b, 1) }, { transfer: [b] });
    equal([b.byteLength, b.detached, copy.b.byteLength, [...copy.view]], [0, true, 3, [2, 3]]);
    ok(copy.view.buffer === copy.b);
  },
  "transfers what the value does not hold, too"() {
    const b = new ArrayBuffer(3);
    equal([structuredClone(1, { transfer: [b] }), b.detached], [1, true]);
  },
  "transfers nothing when it fails"() {
    const b = new ArrayBuffer(3);
    throws(() => structuredClone([b, () => {}], { transfer: [b] }), "DataCloneError");
    equal(b.detached, false);
  },
  "refuses detached buffers, and a transfer list with a value twice or of another kind"() {
    const b = new ArrayBuffer(1), view = new Uint8Array(b);
    refuses(1, { transfer: [b, b] });
    refuses(1, { transfer: [{}] });
    refuses(view, { transfer: [view] });
    b.transfer();
    refuses(b);
    refuses(view);
    refuses(1, { transfer: [b] });
    throws(() => structuredClone(1, { transfer: 5 }), TypeError);
    throws(() => structuredClone(1, { transfer: [5] }), TypeError);
  },
  "refuses functions, symbols and what has no copy"() {
    for (const x of [() => {}, class {}, Symbol("x"), Object(Symbol("x")), new WeakMap(), new WeakSet(), new WeakRef({}), Promise.resolve(), new Proxy({}, {}), (function* () {})(), [].values()]) {
      refuses(x);
      refuses({ x });
    }
  },
  "refuses objects of the platform that cannot be copied"() {
    for (const x of [new Event("x"), new EventTarget(), new AbortController(), AbortSignal.abort(), performance, globalThis]) refuses(x);
  },
  "needs an argument, and options that are an object"() {
    throws(() => structuredClone(), TypeError);
    throws(() => structuredClone(1, 1), TypeError);
    equal(structuredClone(1, null), 1);
  },
  "does not use what the program has changed"() {
    const { get } = Map.prototype, { entries } = Map.prototype;
    Map.prototype.entries = () => { throw new Error("changed"); };
    try { equal(get.call(structuredClone(new Map([[1, 2]])), 1), 2); } finally { Map.prototype.entries = entries; }
  },
});

api("atob", {
  "decodes"() { equal([atob("aGVsbG8="), atob(""), atob("/+8="), atob("AAEC")], ["hello", "", "\xff\xef", "\0\x01\x02"]); },
  "takes text without its padding"() { equal([atob("aGVsbG8"), atob("YQ")], ["hello", "a"]); },
  "takes white space anywhere"() { equal(atob(" a G\tV\ns\fb\rG8 = "), "hello"); },
  "takes bits that are left over"() { equal([atob("ab"), atob("YR==")], ["i", "a"]); },
  "refuses other characters, wrong lengths and wrong padding"() {
    for (const x of ["a", "abcde", "ab=", "abc==", "=", "====", "a===", "ab-_", "aGVs\u00a0bG8=", "ab=c", "\u20ac", "YQ==YQ=="]) throws(() => atob(x), "InvalidCharacterError");
  },
  "converts its argument"() { equal([atob(null), atob(1234)], ["\x9e\xe9e", "\xd7\x6d\xf8"]); },
  "needs an argument"() { throws(() => atob(), TypeError); },
});

api("btoa", {
  "encodes"() { equal([btoa("hello"), btoa(""), btoa("\xff\xef"), btoa("\0\x01\x02")], ["aGVsbG8=", "", "/+8=", "AAEC"]); },
  "refuses characters above U+00FF"() {
    for (const x of ["\u0100", "a\u20ac", "\ud83d\ude00", "\ud800"]) throws(() => btoa(x), "InvalidCharacterError");
  },
  "converts its argument"() { equal([btoa(undefined), btoa(12)], ["dW5kZWZpbmVk", "MTI="]); },
  "needs an argument"() { throws(() => btoa(), TypeError); },
  "is undone by atob"() {
    let all = "";
    for (let i = 0; i < 256; i++) all += String.fromCharCode(i);
    equal(atob(btoa(all)), all);
  },
  "takes long text"() { equal(btoa("x".repeat(300000)).length, 400000); },
});

const next = (port) => new Promise((resolve) => { port.onmessage = resolve; });

api("MessageChannel", {
  async "carries copies both ways"() {
    const { port1, port2 } = new MessageChannel(), data = { a: [1] };
    const there = next(port2), back = next(port1);
    port1.postMessage(data);
    port2.postMessage("b");
    const e = await there;
    equal([e.data, e.data === data, e.type, e.target === port2, e.isTrusted], [{ a: [1] }, false, "message", true, true]);
    equal((await back).data, "b");
  },
  "has two ports that stay the same"() {
    const c = new MessageChannel();
    ok(c.port1 === c.port1 && c.port1 !== c.port2 && c.port1 instanceof MessagePort);
  },
  "needs new"() { throws(() => MessageChannel(), TypeError); },
});

api("MessagePort", {
  "cannot be constructed"() { throws(() => new MessagePort(), TypeError); },
  async "keeps messages in order until it is started"() {
    const { port1, port2 } = new MessageChannel(), seen = [];
    port2.addEventListener("message", (e) => seen.push(e.data));
    for (let i = 0; i < 5; i++) port1.postMessage(i);
    await turn(5);
    equal(seen, []);
    port2.start();
    await turn(30);
    equal(seen, [0, 1, 2, 3, 4]);
  },
  async "delivers each message in a task of its own"() {
    const { port1, port2 } = new MessageChannel(), seen = [];
    port2.onmessage = (e) => { seen.push(e.data); queueMicrotask(() => seen.push("m")); };
    port1.postMessage(1);
    port1.postMessage(2);
    equal(seen, []);
    await turn(30);
    equal(seen, [1, "m", 2, "m"]);
  },
  "fails at once for what has no copy"() {
    const { port1 } = new MessageChannel();
    throws(() => port1.postMessage(() => {}), "DataCloneError");
    throws(() => port1.postMessage(port1, [port1]), "DataCloneError");
    throws(() => port1.postMessage(), TypeError);
  },
  async "transfers buffers and ports"() {
    const { port1, port2 } = new MessageChannel(), inner = new MessageChannel(), buffer = new ArrayBuffer(3);
    port1.postMessage({ buffer, port: inner.port1 }, [buffer, inner.port1]);
    const { data, ports } = await next(port2);
    equal([buffer.detached, data.buffer.byteLength, ports.length, ports[0] === data.port], [true, 3, 1, true]);
    inner.port2.postMessage("through");
    equal((await next(ports[0])).data, "through");
  },
  async "hears nothing once it is closed"() {
    const { port1, port2 } = new MessageChannel();
    let n = 0;
    port2.onmessage = () => n++;
    port1.postMessage(1);
    port2.close();
    port1.postMessage(2);
    await turn(5);
    equal(n, 0);
  },
});
