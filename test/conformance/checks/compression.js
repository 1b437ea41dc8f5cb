// Compression Standard.
import { api, equal, ok, rejects, throws } from "./check.js";

const formats = ["deflate", "deflate-raw", "gzip"];
const upTo = (n) => Uint8Array.from({ length: n }, (_, i) => i * 7 % 256);
const read = async (stream) => new Uint8Array(await new Response(stream).arrayBuffer());
const pass = (transform, ...chunks) => read(ReadableStream.from(chunks).pipeThrough(transform));
const pack = (format, ...chunks) => pass(new CompressionStream(format), ...chunks);
const unpack = (format, ...chunks) => pass(new DecompressionStream(format), ...chunks);
const join = (...arrays) => Uint8Array.from(arrays.flatMap((a) => [...a]));
const hex = (text) => Uint8Array.from(text.match(/../g), (x) => parseInt(x, 16));

api("CompressionStream", {
  "is an interface of Web IDL"() {
    const s = new CompressionStream("gzip");
    equal([Object.prototype.toString.call(s), CompressionStream.name, CompressionStream.length], ["[object CompressionStream]", "CompressionStream", 1]);
    ok(s.readable instanceof ReadableStream && s.writable instanceof WritableStream && s.readable === s.readable);
    throws(() => CompressionStream("gzip"), TypeError);
    throws(() => CompressionStream.prototype.readable, TypeError);
    equal(Object.keys(CompressionStream.prototype).sort(), ["readable", "writable"]);
  },
  "takes the standard's formats"() {
    for (const format of formats) new CompressionStream(format);
    for (const format of ["", "GZIP", "zip", undefined, null]) throws(() => new CompressionStream(format), TypeError);
    throws(() => new CompressionStream(), TypeError);
  },
  async "writes each format's frame"() {
    const [zlib, raw, gzip] = await Promise.all(formats.map((f) => pack(f, upTo(100))));
    equal([zlib[0], gzip[0], gzip[1], gzip[2]], [0x78, 0x1f, 0x8b, 8]);
    equal((zlib[0] * 256 + zlib[1]) % 31, 0);
    equal([...zlib.subarray(2, -4)], [...raw]);
    equal(new DataView(gzip.buffer).getUint32(gzip.length - 4, true), 100);
  },
  async "makes repetition small"() { for (const f of formats) ok((await pack(f, new Uint8Array(100000))).length < 300); },
  async "makes something of nothing"() {
    for (const f of formats) equal([(await pack(f)).length > 0, (await unpack(f, await pack(f))).length, (await unpack(f, await pack(f, new Uint8Array(0)))).length], [true, 0, 0]);
  },
  async "takes every BufferSource, and nothing else"() {
    const { buffer } = upTo(16);
    equal(await unpack("gzip", await pack("gzip", buffer, new Uint16Array(buffer, 2, 1), new DataView(buffer, 5, 1))), join(upTo(16), [14, 21], [35]));
    for (const chunk of ["a", null, 1, {}, [1], new SharedArrayBuffer(1), new Uint8Array(new SharedArrayBuffer(1))]) await rejects(pack("gzip", chunk), TypeError);
  },
  async "errors both sides for a wrong chunk"() {
    const s = new CompressionStream("gzip"), w = s.writable.getWriter(), r = s.readable.getReader();
    const reading = r.read(), writing = w.write("a");
    const error = await rejects(writing, TypeError);
    await rejects(reading, error);
    await rejects(w.closed, error);
    await rejects(r.closed, error);
  },
  async "keeps what was written, whatever becomes of its buffer"() {
    const s = new CompressionStream("deflate"), w = s.writable.getWriter(), chunk = upTo(100000), want = upTo(100000);
    w.write(chunk);
    await null;
    chunk.fill(0);
    w.close();
    equal(await unpack("deflate", await read(s.readable)), want);
  },
  async "ends when its reader cancels"() {
    const s = new CompressionStream("gzip"), w = s.writable.getWriter(), error = new Error("enough");
    await s.readable.cancel(error);
    await rejects(w.closed, error);
  },
  async "ends when its writer aborts"() {
    const s = new CompressionStream("gzip"), error = new Error("enough"), r = s.readable.getReader();
    await s.writable.abort(error);
    await rejects(r.read(), error);
  },
  async "waits for its reader"() {
    const s = new CompressionStream("deflate-raw"), w = s.writable.getWriter();
    let written = 0;
    const noise = crypto.getRandomValues(new Uint8Array(65536));
    const writing = (async () => { for (let i = 0; i < 40; i++) { await w.write(noise); written++; } await w.close(); })();
    for (let i = 0; i < 100; i++) await null;
    ok(written < 40, written);
    equal((await unpack("deflate-raw", await read(s.readable))).length, 40 * 65536);
    await writing;
  },
});

api("DecompressionStream", {
  "is an interface of Web IDL"() {
    const s = new DecompressionStream("gzip");
    equal([Object.prototype.toString.call(s), DecompressionStream.name, DecompressionStream.length], ["[object DecompressionStream]", "DecompressionStream", 1]);
    ok(s.readable instanceof ReadableStream && s.writable instanceof WritableStream);
    throws(() => DecompressionStream("gzip"), TypeError);
    throws(() => new DecompressionStream("br"), TypeError);
    throws(() => new DecompressionStream(), TypeError);
  },
  async "unpacks what others packed"() {
    const text = async (format, data) => new TextDecoder().decode(await unpack(format, hex(data)));
    equal(await text("deflate", "789ccb48cdc9c90700062c0215"), "hello");
    equal(await text("deflate-raw", "cb48cdc9c90700"), "hello");
    equal(await text("gzip", "1f8b0800000000000003cb48cdc9c9070086a6103605000000"), "hello");
  },
  async "reverses compression, however it is cut"() {
    const data = join(upTo(5000), new Uint8Array(50000), crypto.getRandomValues(new Uint8Array(20000)));
    for (const f of formats) {
      const packed = await pack(f, data);
      equal(await unpack(f, packed), data, f);
      const pieces = [];
      for (let i = 0; i < packed.length; i += 997) pieces.push(packed.subarray(i, i + 997), new Uint8Array(0));
      equal(await unpack(f, ...pieces), data, f);
    }
    const small = await pack("gzip", upTo(50));
    equal(await unpack("gzip", ...Array.from(small, (b) => Uint8Array.of(b))), upTo(50));
  },
  async "refuses what ends too early"() {
    for (const f of formats) {
      const packed = await pack(f, upTo(1000));
      for (const n of [0, 1, packed.length >> 1, packed.length - 1]) await rejects(unpack(f, packed.subarray(0, n)), TypeError);
    }
  },
  async "refuses what follows the end"() {
    for (const f of formats) {
      const packed = await pack(f, upTo(1000));
      await rejects(unpack(f, join(packed, [0])), TypeError);
      await rejects(unpack(f, packed, Uint8Array.of(0)), TypeError);
      equal(await unpack(f, packed, new Uint8Array(0)), upTo(1000));
    }
    const packed = await pack("gzip", upTo(10));
    await rejects(unpack("gzip", join(packed, packed)), TypeError);
  },
  async "refuses what is damaged"() {
    for (const [f, ...places] of [["deflate", 0, 1, -1], ["gzip", 0, 1, 2, -8, -1], ["deflate-raw", 0]]) {
      const packed = await pack(f, new TextEncoder().encode("some text, some text and more"));
      for (const place of places) {
        const bad = packed.slice();
        bad[place < 0 ? bad.length + place : place] ^= 0xff;
        await rejects(unpack(f, bad), TypeError);
      }
    }
  },
  async "gives what came before the damage"() {
    const packed = await pack("gzip", new Uint8Array(200000)), reader = ReadableStream.from([packed.subarray(0, -8)]).pipeThrough(new DecompressionStream("gzip")).getReader();
    let n = 0;
    await rejects((async () => { for (;;) n += (await reader.read()).value.length; })(), TypeError);
    ok(n > 100000, n);
  },
  async "takes every BufferSource, and nothing else"() {
    const packed = await pack("deflate", upTo(10));
    equal(await unpack("deflate", packed.buffer), upTo(10));
    for (const chunk of ["a", null, 1, {}, [1]]) await rejects(unpack("deflate", chunk), TypeError);
  },
  async "gives much in many chunks, as they are read"() {
    const packed = await pack("gzip", ...Array(40).fill(new Uint8Array(1 << 20)));
    let n = 0, chunks = 0;
    for await (const chunk of ReadableStream.from([packed]).pipeThrough(new DecompressionStream("gzip"))) {
      n += chunk.length;
      chunks++;
    }
    equal([n, chunks >= 640], [40 << 20, true]);
  },
});
