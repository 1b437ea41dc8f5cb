// Streams Standard.
import { api, equal, ok, rejects, throws, turn } from "./check.js";

const tag = (value) => Object.prototype.toString.call(value);
const collect = async (stream, options) => {
  const chunks = [];
  for await (const chunk of stream.values(options)) chunks.push(chunk);
  return chunks;
};
// source is a stream of chunks, as they are asked for; sink keeps what it gets.
const source = (...chunks) => new ReadableStream({
  pull(controller) {
    if (chunks.length > 0) controller.enqueue(chunks.shift());
    else controller.close();
  },
}, { highWaterMark: 0 });
const sink = () => {
  const got = [];
  return { got, stream: new WritableStream({ write(chunk) { got.push(chunk); }, close() { got.push("closed"); }, abort(reason) { got.push("aborted", reason); } }) };
};
const byteSource = (...chunks) => new ReadableStream({
  type: "bytes",
  pull(controller) {
    if (chunks.length > 0) controller.enqueue(Uint8Array.from(chunks.shift()));
    else { controller.close(); controller.byobRequest?.respond(0); }
  },
});
const error = new Error("no");
const members = (type) => Object.keys(type.prototype).sort();
const illegal = (...types) => { for (const type of types) throws(() => new type(), TypeError); };

api("ReadableStream", {
  "is an interface of Web IDL"() {
    equal([tag(new ReadableStream()), ReadableStream.name, ReadableStream.length, ReadableStream.from.length], ["[object ReadableStream]", "ReadableStream", 0, 1]);
    equal(members(ReadableStream), ["cancel", "getReader", "locked", "pipeThrough", "pipeTo", "tee", "values"]);
    equal(ReadableStream.prototype[Symbol.asyncIterator], ReadableStream.prototype.values);
    equal(Object.getOwnPropertyDescriptor(globalThis, "ReadableStream").enumerable, false);
    throws(() => ReadableStream(), TypeError);
    throws(() => ReadableStream.prototype.locked, TypeError);
    equal(Object.getOwnPropertyDescriptor(ReadableStream.prototype, "pipeTo").value.name, "pipeTo");
  },
  "checks its arguments"() {
    throws(() => new ReadableStream(null), TypeError);
    throws(() => new ReadableStream({ pull: 1 }), TypeError);
    throws(() => new ReadableStream({ type: "none" }), TypeError);
    throws(() => new ReadableStream({}, { highWaterMark: -1 }), RangeError);
    throws(() => new ReadableStream({}, { size: 1 }), TypeError);
    throws(() => new ReadableStream({ type: "bytes" }, { size() {} }), RangeError);
    throws(() => new ReadableStream({ start() { throw error; } }), error);
  },
  async "asks for chunks as they are read"() {
    let pulls = 0;
    const s = new ReadableStream({ pull(controller) { controller.enqueue(++pulls); } }, { highWaterMark: 2 });
    await turn();
    equal(pulls, 2);
    const r = s.getReader();
    equal([(await r.read()).value, (await r.read()).value], [1, 2]);
    await turn();
    equal(pulls, 4);
  },
  async "has one reader at a time"() {
    const s = source(1, 2), r = s.getReader();
    equal(s.locked, true);
    throws(() => s.getReader(), TypeError);
    await rejects(s.cancel(), TypeError);
    throws(() => s.tee(), TypeError);
    r.releaseLock();
    equal([s.locked, (await s.getReader().read()).value], [false, 1]);
  },
  async "comes from any iterable"() {
    equal(await collect(ReadableStream.from([1, 2])), [1, 2]);
    equal(await collect(ReadableStream.from("a€😀")), ["a", "€", "😀"]);
    equal(await collect(ReadableStream.from(new Set([1]))), [1]);
    equal(await collect(ReadableStream.from((async function* () { yield 1; yield Promise.resolve(2); })())), [1, 2]);
    equal(await collect(ReadableStream.from([Promise.resolve(1)])), [1]);
    equal(await collect(ReadableStream.from(source(1))), [1]);
    for (const x of [1, null, undefined, {}]) throws(() => ReadableStream.from(x), TypeError);
  },
  async "ends the iterator that it comes from"() {
    let ended;
    const s = ReadableStream.from({ [Symbol.asyncIterator]: () => ({ next: async () => ({ value: 1 }), return: async (x) => { ended = x; return {}; } }) }), r = s.getReader();
    await r.read();
    await r.cancel("enough");
    equal(ended, "enough");
  },
  async "hands on errors"() {
    const s = new ReadableStream({ pull() { throw error; } }), r = s.getReader();
    await rejects(r.read(), error);
    await rejects(r.closed, error);
    await rejects(collect(new ReadableStream({ start: (c) => { c.error(error); } })), error);
  },
  async "cancels its source"() {
    let reason;
    const s = new ReadableStream({ cancel(r) { reason = r; return "x"; } });
    equal([await s.cancel("enough"), reason, (await s.getReader().read()).done], [undefined, "enough", true]);
    await rejects(new ReadableStream({ cancel() { throw error; } }).cancel(), error);
  },
  async "can be iterated over"() {
    const s = source(1, 2, 3), seen = [];
    for await (const x of s) seen.push(x);
    equal([seen, s.locked, (await s.getReader().read()).done], [[1, 2, 3], false, true]);
    const cut = source(1, 2, 3), iterator = cut.values();
    equal([await iterator.next(), await iterator.return("x")], [{ value: 1, done: false }, { value: "x", done: true }]);
    equal([cut.locked, (await cut.getReader().read()).done, await iterator.next()], [false, true, { value: undefined, done: true }]);
    const kept = source(1, 2, 3);
    for await (const x of kept.values({ preventCancel: true })) if (x === 1) break;
    await turn(); // the engine does not wait for return
    equal(await collect(kept), [2, 3]);
    const asyncIterator = Object.getPrototypeOf(Object.getPrototypeOf((async function* () {}).prototype));
    equal(Object.getPrototypeOf(Object.getPrototypeOf(source().values())) === asyncIterator, true);
  },
  async "tees"() {
    const [a, b] = source({ n: 1 }, 2).tee(), [x, y] = await Promise.all([collect(a), collect(b)]);
    equal([x, y, x[0] === y[0]], [[{ n: 1 }, 2], [{ n: 1 }, 2], true]);
    let reason;
    const [c, d] = new ReadableStream({ cancel(r) { reason = r; } }).tee();
    await Promise.all([c.cancel(1), d.cancel(2)]);
    equal(reason, [1, 2]);
  },
  async "pipes to a writable stream"() {
    const { got, stream } = sink();
    equal(await source(1, 2).pipeTo(stream), undefined);
    equal(got, [1, 2, "closed"]);
    const open = sink();
    await source(1).pipeTo(open.stream, { preventClose: true });
    equal([open.got, open.stream.locked], [[1], false]);
  },
  async "hands errors through a pipe, both ways"() {
    const { got, stream } = sink(), bad = new ReadableStream({ start: (c) => { c.error(error); } });
    await rejects(bad.pipeTo(stream), error);
    equal(got, ["aborted", error]);
    let reason;
    const s = new ReadableStream({ start: (c) => { c.enqueue(1); }, cancel(r) { reason = r; } });
    await rejects(s.pipeTo(new WritableStream({ write() { throw error; } })), error);
    equal(reason, error);
    const kept = sink();
    await rejects(new ReadableStream({ start: (c) => { c.error(error); } }).pipeTo(kept.stream, { preventAbort: true }), error);
    equal(kept.got, []);
  },
  async "stops a pipe by a signal"() {
    const control = new AbortController(), { got, stream } = sink();
    let reason;
    const piping = new ReadableStream({ cancel(r) { reason = r; } }).pipeTo(stream, { signal: control.signal });
    control.abort();
    const thrown = await rejects(piping, "AbortError");
    equal([reason === thrown, got[0], got[1] === thrown], [true, "aborted", true]);
    await rejects(source(1).pipeTo(sink().stream, { signal: AbortSignal.abort(error) }), error);
    await rejects(source(1).pipeTo(sink().stream, { signal: {} }), TypeError);
  },
  async "pipes through a transform"() {
    equal(await collect(source(1, 2).pipeThrough(new TransformStream({ transform(x, c) { c.enqueue(x * 2); } }))), [2, 4]);
    throws(() => source().pipeThrough({}), TypeError);
    throws(() => source().pipeThrough({ readable: source(), writable: 1 }), TypeError);
    const { writable } = new TransformStream();
    writable.getWriter();
    throws(() => source().pipeThrough({ readable: source(), writable }), TypeError);
  },
  async "passes on a million chunks"() {
    let n = 0;
    const s = new ReadableStream({ pull(c) { for (let i = 0; i < 1000; i++) c.enqueue(n++); if (n === 100000) c.close(); } });
    let sum = 0;
    for await (const x of s) sum += x;
    equal(sum, 99999 * 50000);
  },
});

api("ReadableStreamDefaultReader", {
  "is an interface of Web IDL"() {
    const r = new ReadableStreamDefaultReader(source());
    equal([tag(r), ReadableStreamDefaultReader.length, members(ReadableStreamDefaultReader)], ["[object ReadableStreamDefaultReader]", 1, ["cancel", "closed", "read", "releaseLock"]]);
    throws(() => new ReadableStreamDefaultReader(), TypeError);
    throws(() => new ReadableStreamDefaultReader({}), TypeError);
  },
  async "reads in order, and then the end"() {
    const r = source(1, 2).getReader();
    equal(await Promise.all([r.read(), r.read(), r.read(), r.read()]), [{ value: 1, done: false }, { value: 2, done: false }, { value: undefined, done: true }, { value: undefined, done: true }]);
    equal(await r.closed, undefined);
  },
  async "gives its stream free, and its reads up"() {
    const s = new ReadableStream(), r = s.getReader(), reading = r.read();
    r.releaseLock();
    await rejects(reading, TypeError);
    await rejects(r.closed, TypeError);
    await rejects(r.read(), TypeError);
    await rejects(r.cancel(), TypeError);
    r.releaseLock();
  },
  async "cancels"() {
    const r = source(1).getReader();
    await r.cancel();
    equal(await r.read(), { value: undefined, done: true });
  },
  async "is asked of the right object"() { await rejects(ReadableStreamDefaultReader.prototype.read.call({}), TypeError); },
});

api("ReadableStreamDefaultController", {
  "cannot be made"() { illegal(ReadableStreamDefaultController); },
  "knows how much is wanted"() {
    let c;
    new ReadableStream({ start(x) { c = x; } }, { highWaterMark: 5, size: (x) => x });
    equal([tag(c), c.desiredSize], ["[object ReadableStreamDefaultController]", 5]);
    c.enqueue(7);
    equal(c.desiredSize, -2);
    c.close();
    throws(() => c.enqueue(1), TypeError);
    throws(() => c.close(), TypeError);
    equal(c.desiredSize, -2);
    c.error(error);
    equal(c.desiredSize, null);
  },
  async "closes when what is queued was read"() {
    const s = new ReadableStream({ start(c) { c.enqueue(1); c.close(); } });
    equal(await collect(s), [1]);
  },
  async "errors at once"() {
    const s = new ReadableStream({ start(c) { c.enqueue(1); c.error(error); } });
    await rejects(s.getReader().read(), error);
  },
  async "hands on what size throws"() {
    const s = new ReadableStream({ start(c) { throws(() => c.enqueue(1), error); } }, { size() { throw error; } });
    await rejects(s.getReader().read(), error);
    new ReadableStream({ start(c) { throws(() => c.enqueue(1), RangeError); } }, { size: () => -1 }).getReader().closed.catch(() => {});
  },
});

api("ReadableByteStreamController", {
  "cannot be made"() { illegal(ReadableByteStreamController); },
  async "takes bytes only, and takes their buffer away"() {
    let c;
    const s = new ReadableStream({ type: "bytes", start(x) { c = x; } }), chunk = Uint8Array.of(1, 2, 3);
    equal([tag(c), c.desiredSize, c.byobRequest], ["[object ReadableByteStreamController]", 0, null]);
    throws(() => c.enqueue("a"), TypeError);
    throws(() => c.enqueue(new Uint8Array(0)), TypeError);
    c.enqueue(chunk.subarray(1));
    equal([chunk.byteLength, c.desiredSize], [0, -2]);
    c.close();
    equal(await collect(s), [Uint8Array.of(2, 3)]);
  },
  async "allocates for ordinary readers"() {
    let size;
    const s = new ReadableStream({ type: "bytes", autoAllocateChunkSize: 16, pull(c) { size = c.byobRequest.view.byteLength; c.byobRequest.view[0] = 7; c.byobRequest.respond(1); } });
    equal([(await s.getReader().read()).value, size], [Uint8Array.of(7), 16]);
    throws(() => new ReadableStream({ type: "bytes", autoAllocateChunkSize: 0 }), TypeError);
  },
  async "does not close in the middle of a number"() {
    let c;
    const s = new ReadableStream({ type: "bytes", start(x) { c = x; } }), reading = s.getReader({ mode: "byob" }).read(new Uint16Array(1));
    c.enqueue(Uint8Array.of(1));
    throws(() => c.close(), TypeError);
    await rejects(reading, TypeError);
  },
  async "tees bytes into copies"() {
    const [a, b] = byteSource([1, 2]).tee(), x = await a.getReader({ mode: "byob" }).read(new Uint8Array(4)), y = await b.getReader().read();
    equal([x.value, y.value, x.value.buffer === y.value.buffer], [Uint8Array.of(1, 2), Uint8Array.of(1, 2), false]);
  },
});

api("ReadableStreamBYOBReader", {
  "is an interface of Web IDL"() {
    const r = new ReadableStreamBYOBReader(byteSource());
    equal([tag(r), members(ReadableStreamBYOBReader)], ["[object ReadableStreamBYOBReader]", ["cancel", "closed", "read", "releaseLock"]]);
    throws(() => new ReadableStreamBYOBReader(source()), TypeError);
    throws(() => source().getReader({ mode: "byob" }), TypeError);
    throws(() => byteSource().getReader({ mode: "other" }), TypeError);
  },
  async "reads into the caller's memory"() {
    const r = byteSource([1, 2, 3]).getReader({ mode: "byob" }), mine = new Uint8Array(2), a = await r.read(mine);
    equal([a, mine.byteLength], [{ value: Uint8Array.of(1, 2), done: false }, 0]);
    const b = await r.read(a.value);
    equal([b.value, b.value.buffer.byteLength], [Uint8Array.of(3), 2]);
    const c = await r.read(new DataView(new ArrayBuffer(3)));
    equal([c.done, c.value.byteLength, tag(c.value)], [true, 0, "[object DataView]"]);
  },
  async "waits for as much as is wanted"() {
    const r = byteSource([1], [2], [3], [4]).getReader({ mode: "byob" });
    equal((await r.read(new Uint8Array(4), { min: 3 })).value, Uint8Array.of(1, 2, 3));
    await rejects(r.read(new Uint8Array(1), { min: 2 }), RangeError);
    await rejects(r.read(new Uint8Array(1), { min: 0 }), TypeError);
  },
  async "keeps the kind of view"() {
    const r = byteSource([1, 0, 2], [0]).getReader({ mode: "byob" });
    equal([(await r.read(new Uint16Array(2))).value, (await r.read(new Uint16Array(2))).value], [Uint16Array.of(1), Uint16Array.of(2)]);
  },
  async "refuses views without memory"() {
    const r = byteSource([1]).getReader({ mode: "byob" }), gone = new Uint8Array(1);
    gone.buffer.transfer();
    for (const view of [undefined, {}, new ArrayBuffer(1), new Uint8Array(0), gone]) await rejects(r.read(view), TypeError);
  },
  async "gives the memory back at the end and when cancelled"() {
    const s = new ReadableStream({ type: "bytes" }), r = s.getReader({ mode: "byob" }), reading = r.read(new Uint8Array(1));
    await r.cancel();
    equal(await reading, { value: undefined, done: true });
  },
});

api("ReadableStreamBYOBRequest", {
  "cannot be made"() { illegal(ReadableStreamBYOBRequest); },
  async "is answered with a number of bytes"() {
    const s = new ReadableStream({ type: "bytes", pull(c) { const q = c.byobRequest; equal(tag(q), "[object ReadableStreamBYOBRequest]"); q.view[0] = 9; q.respond(1); equal(q.view, null); throws(() => q.respond(1), TypeError); } });
    equal((await s.getReader({ mode: "byob" }).read(new Uint8Array(3))).value, Uint8Array.of(9));
  },
  async "is answered with a view"() {
    const s = new ReadableStream({ type: "bytes", pull(c) { const { view } = c.byobRequest; view[0] = 9; c.byobRequest.respondWithNewView(new Uint8Array(view.buffer, view.byteOffset, 1)); } });
    equal((await s.getReader({ mode: "byob" }).read(new Uint8Array(3))).value, Uint8Array.of(9));
  },
  async "refuses too much, and nothing"() {
    const s = new ReadableStream({ type: "bytes", pull(c) { throws(() => c.byobRequest.respond(4), RangeError); throws(() => c.byobRequest.respond(0), TypeError); throws(() => c.byobRequest.respondWithNewView(new Uint8Array(4)), RangeError); c.byobRequest.respond(1); } });
    equal((await s.getReader({ mode: "byob" }).read(new Uint8Array(3))).value.length, 1);
  },
});

api("WritableStream", {
  "is an interface of Web IDL"() {
    equal([tag(new WritableStream()), WritableStream.name, WritableStream.length, members(WritableStream)], ["[object WritableStream]", "WritableStream", 0, ["abort", "close", "getWriter", "locked"]]);
    throws(() => WritableStream(), TypeError);
    throws(() => new WritableStream({ type: "bytes" }), RangeError);
    throws(() => new WritableStream({ write: 1 }), TypeError);
    throws(() => new WritableStream({ start() { throw error; } }), error);
  },
  async "writes one chunk after the other"() {
    let active = 0, most = 0;
    const got = [], s = new WritableStream({ async write(x) { most = Math.max(most, ++active); await turn(); got.push(x); active--; } }), w = s.getWriter();
    w.write(1); w.write(2); w.write(3);
    await w.close();
    equal([got, most], [[1, 2, 3], 1]);
  },
  async "closes once, and then takes nothing"() {
    const { got, stream } = sink();
    await stream.close();
    equal(got, ["closed"]);
    await rejects(stream.close(), TypeError);
    await rejects(stream.getWriter().write(1), TypeError);
  },
  async "aborts its sink"() {
    const { got, stream } = sink();
    await stream.abort(error);
    equal(got, ["aborted", error]);
    await rejects(stream.getWriter().closed, error);
    equal(await stream.abort().catch((e) => e.constructor), TypeError);
  },
  async "hands on errors"() {
    const s = new WritableStream({ write() { throw error; } }), w = s.getWriter();
    await rejects(w.write(1), error);
    await rejects(w.write(2), error);
    await rejects(w.closed, error);
  },
  async "is locked by a writer"() {
    const s = new WritableStream(), w = s.getWriter();
    equal(s.locked, true);
    throws(() => s.getWriter(), TypeError);
    await rejects(s.close(), TypeError);
    await rejects(s.abort(), TypeError);
    w.releaseLock();
    equal(s.locked, false);
  },
});

api("WritableStreamDefaultWriter", {
  "is an interface of Web IDL"() {
    equal([tag(new WritableStreamDefaultWriter(new WritableStream())), members(WritableStreamDefaultWriter)],
      ["[object WritableStreamDefaultWriter]", ["abort", "close", "closed", "desiredSize", "ready", "releaseLock", "write"]]);
    throws(() => new WritableStreamDefaultWriter(), TypeError);
  },
  async "is ready while there is room"() {
    let done;
    const w = new WritableStream({ write: () => new Promise((r) => { done = r; }) }, { highWaterMark: 2 }).getWriter();
    equal(w.desiredSize, 2);
    await w.ready;
    w.write(1); w.write(2);
    equal(w.desiredSize, 0);
    let ready = false;
    const waiting = w.ready.then(() => { ready = true; });
    await turn();
    equal(ready, false);
    done();
    await waiting;
    equal(w.desiredSize, 1);
  },
  async "gives its stream free"() {
    const w = new WritableStream().getWriter();
    w.releaseLock();
    await rejects(w.write(1), TypeError);
    await rejects(w.closed, TypeError);
    await rejects(w.ready, TypeError);
    throws(() => w.desiredSize, TypeError);
  },
  async "says when its stream is closed"() {
    const w = new WritableStream().getWriter();
    await w.close();
    equal([await w.closed, w.desiredSize], [undefined, 0]);
  },
  async "aborts what is waiting"() {
    const w = new WritableStream({ write: () => turn(20) }).getWriter(), first = w.write(1), second = w.write(2);
    await turn(); // the first has begun
    const closed = rejects(w.closed, error), failed = rejects(second, error), aborted = w.abort(error);
    equal(await first, undefined);
    await Promise.all([closed, failed]);
    equal(await aborted, undefined);
    equal(w.desiredSize, null);
  },
});

api("WritableStreamDefaultController", {
  "cannot be made"() { illegal(WritableStreamDefaultController); },
  "has a signal, and no more than the standard says"() {
    let c;
    new WritableStream({ start(x) { c = x; } });
    equal([tag(c), c.signal instanceof AbortSignal, c.signal.aborted, members(WritableStreamDefaultController)], ["[object WritableStreamDefaultController]", true, false, ["error", "signal"]]);
  },
  async "signals an abort with its reason, while a write goes on"() {
    let c;
    const s = new WritableStream({ start(x) { c = x; }, write: () => new Promise((r) => { c.signal.onabort = () => r(); }) }), w = s.getWriter();
    const writing = w.write(1);
    await turn();
    await w.abort("why");
    equal([await writing, c.signal.aborted, c.signal.reason], [undefined, true, "why"]);
  },
  async "errors its stream"() {
    const s = new WritableStream({ start(c) { c.error(error); } });
    await rejects(s.getWriter().closed, error);
  },
});

api("TransformStream", {
  "is an interface of Web IDL"() {
    const s = new TransformStream();
    equal([tag(s), TransformStream.length, members(TransformStream), s.readable instanceof ReadableStream, s.writable instanceof WritableStream], ["[object TransformStream]", 0, ["readable", "writable"], true, true]);
    throws(() => TransformStream(), TypeError);
    throws(() => new TransformStream({ readableType: "bytes" }), RangeError);
    throws(() => new TransformStream({ start() { throw error; } }), error);
  },
  async "passes chunks on without a transformer"() { equal(await collect(source(1, 2).pipeThrough(new TransformStream())), [1, 2]); },
  async "starts, transforms and flushes"() {
    const s = new TransformStream({ start(c) { c.enqueue("start"); }, transform(x, c) { c.enqueue(x); c.enqueue(x); }, flush(c) { c.enqueue("end"); } });
    equal(await collect(source(1, 2).pipeThrough(s)), ["start", 1, 1, 2, 2, "end"]);
  },
  async "hands errors to both sides"() {
    const s = new TransformStream({ transform() { throw error; } }), w = s.writable.getWriter(), r = s.readable.getReader(), reading = r.read();
    await rejects(w.write(1), error);
    await rejects(reading, error);
    await rejects(w.closed, error);
  },
  async "cancels its transformer"() {
    const reasons = [], cancel = (reason) => { reasons.push(reason); };
    await new TransformStream({ cancel }).readable.cancel("reader");
    await new TransformStream({ cancel }).writable.abort("writer");
    equal(reasons, ["reader", "writer"]);
  },
  async "holds the writer back"() {
    const s = new TransformStream(), w = s.writable.getWriter();
    equal(w.desiredSize, 1);
    w.write(1);
    equal(w.desiredSize, 0);
    const r = s.readable.getReader();
    equal((await r.read()).value, 1);
    await w.ready;
    equal(w.desiredSize, 1);
  },
});

api("TransformStreamDefaultController", {
  "cannot be made"() { illegal(TransformStreamDefaultController); },
  async "ends both sides"() {
    let c;
    const s = new TransformStream({ start(x) { c = x; } }), w = s.writable.getWriter();
    equal([tag(c), c.desiredSize], ["[object TransformStreamDefaultController]", 0]);
    c.terminate();
    equal((await s.readable.getReader().read()).done, true);
    await rejects(w.closed, TypeError);
    throws(() => c.enqueue(1), TypeError);
  },
  async "errors both sides"() {
    const s = new TransformStream({ start(c) { c.error(error); } });
    await rejects(s.readable.getReader().read(), error);
    await rejects(s.writable.getWriter().closed, error);
  },
});

api("ByteLengthQueuingStrategy", {
  "is an interface of Web IDL"() {
    const s = new ByteLengthQueuingStrategy({ highWaterMark: 5 });
    equal([tag(s), s.highWaterMark, ByteLengthQueuingStrategy.length, members(ByteLengthQueuingStrategy)], ["[object ByteLengthQueuingStrategy]", 5, 1, ["highWaterMark", "size"]]);
    throws(() => new ByteLengthQueuingStrategy(), TypeError);
    throws(() => new ByteLengthQueuingStrategy({}), TypeError);
    equal(new ByteLengthQueuingStrategy({ highWaterMark: "x" }).highWaterMark, NaN);
  },
  "counts bytes, by one function for all"() {
    const { size } = new ByteLengthQueuingStrategy({ highWaterMark: 1 });
    equal([size(new Uint8Array(3)), size({ byteLength: "x" }), size.name, size.length, size === new ByteLengthQueuingStrategy({ highWaterMark: 2 }).size], [3, "x", "size", 1, true]);
    throws(() => size(), TypeError);
  },
  "rules a stream"() {
    let c;
    new ReadableStream({ start(x) { c = x; } }, new ByteLengthQueuingStrategy({ highWaterMark: 10 }));
    c.enqueue(new Uint8Array(4));
    equal(c.desiredSize, 6);
  },
});

api("CountQueuingStrategy", {
  "is an interface of Web IDL"() {
    const s = new CountQueuingStrategy({ highWaterMark: 5 });
    equal([tag(s), s.highWaterMark, CountQueuingStrategy.length, members(CountQueuingStrategy)], ["[object CountQueuingStrategy]", 5, 1, ["highWaterMark", "size"]]);
    throws(() => CountQueuingStrategy({ highWaterMark: 1 }), TypeError);
  },
  "counts chunks, by one function for all"() {
    const { size } = new CountQueuingStrategy({ highWaterMark: 1 });
    equal([size(new Uint8Array(3)), size(), size.name, size.length], [1, 1, "size", 0]);
  },
  "rules a stream"() {
    const w = new WritableStream({}, new CountQueuingStrategy({ highWaterMark: 3 })).getWriter();
    w.write("abc").catch(() => {});
    equal(w.desiredSize, 2);
  },
});
