// File API, sections 3 and 4.
import { api, equal, ok, rejects, throws } from "./check.js";

const text = (...parts) => new Blob(parts).text();
const chunksOf = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};
const upTo = (n) => Uint8Array.from({ length: n }, (_, i) => i);

api("Blob", {
  "is an interface of Web IDL"() {
    equal(Object.prototype.toString.call(new Blob()), "[object Blob]");
    equal([Blob.name, Blob.length, Blob.prototype.slice.length], ["Blob", 0, 0]);
    throws(() => Blob(), TypeError);
    throws(() => Blob.prototype.size, TypeError);
    equal(Object.getOwnPropertyDescriptor(globalThis, "Blob").enumerable, false);
    equal(Object.keys(Blob.prototype).sort(), ["arrayBuffer", "bytes", "size", "slice", "stream", "text", "type"]);
  },
  "is empty without parts"() { equal([new Blob().size, new Blob().type, new Blob(undefined).size], [0, "", 0]); },
  async "joins strings, buffers, views and blobs"() {
    const bytes = Uint8Array.of(65, 66, 67, 68);
    equal(await text("x€", bytes.buffer, bytes.subarray(1, 3), new DataView(bytes.buffer, 3), new Blob(["y"])), "x€ABCDBCDy");
  },
  async "takes any iterable for its parts"() {
    equal(await new Blob(new Set(["a", "b"])).text(), "ab");
    equal(await new Blob(new String("ab")).text(), "ab");
    equal(await new Blob(function* () { yield "a"; yield 1; }()).text(), "a1");
  },
  "refuses parts that cannot be iterated over"() {
    for (const parts of [null, "a", 1, {}, new Date(), /a/]) throws(() => new Blob(parts), TypeError);
  },
  async "converts other parts to strings"() {
    equal(await text(1, null, undefined, { toString: () => "o" }, [2, 3]), "1nullundefinedo2,3");
    throws(() => new Blob([Symbol()]), TypeError);
  },
  async "replaces lone surrogates"() { equal(await text("a\ud800b"), "a\ufffdb"); },
  "hands on what its parts throw"() {
    const error = new Error("no");
    throws(() => new Blob([{ toString() { throw error; } }]), error);
    throws(() => new Blob({ [Symbol.iterator]() { throw error; } }), error);
  },
  async "copies its parts"() {
    const bytes = Uint8Array.of(1, 2);
    const blob = new Blob([bytes]);
    bytes[0] = 9;
    equal(await blob.bytes(), Uint8Array.of(1, 2));
  },
  async "reads its parts before it copies any"() {
    const bytes = Uint8Array.of(65);
    equal(await text(bytes, { toString() { bytes[0] = 66; return "x"; } }), "Bx");
  },
  async "takes a detached buffer for an empty one"() {
    const bytes = new Uint8Array(8), view = new DataView(new ArrayBuffer(8));
    bytes.buffer.transfer();
    view.buffer.transfer();
    equal(new Blob([bytes, bytes.buffer, view]).size, 0);
    const late = new Uint8Array(8);
    equal(await text(late, { toString() { late.buffer.transfer(); return "x"; } }), "x");
  },
  "ends an endless list of parts"() {
    const e = throws(() => new Blob(function* () { for (;;) yield ""; }()), RangeError);
    ok(e.message.includes("1048576"), e.message);
  },
  "lowers its type, and drops one that is not printable"() {
    equal(new Blob([], { type: "Text/HTML;Charset=X" }).type, "text/html;charset=x");
    for (const type of ["a\u00e9", "a\n", "\x7f", "a\0"]) equal(new Blob([], { type }).type, "");
    equal([new Blob([], { type: null }).type, new Blob([], { type: undefined }).type], ["null", ""]);
  },
  "reads its options in order"() {
    const seen = [];
    const member = (name) => ({ get() { seen.push(name); return undefined; } });
    new Blob([{ toString() { seen.push("part"); return ""; } }], Object.defineProperties({}, { type: member("type"), endings: member("endings") }));
    equal(seen, ["part", "endings", "type"]);
    throws(() => new Blob([], 1), TypeError);
    equal(new Blob([], null).type, "");
  },
  async "makes line ends native when asked to"() {
    equal(await new Blob(["a\r\nb\rc\nd"], { endings: "native" }).text(), "a\nb\nc\nd");
    equal(await new Blob(["a\r\nb\r"], { endings: "transparent" }).text(), "a\r\nb\r");
    throws(() => new Blob([], { endings: "NATIVE" }), TypeError);
    throws(() => new Blob([], { endings: null }), TypeError);
  },
  async "slices by positions from either end"() {
    const blob = new Blob(["abcdef"]), cut = (...args) => blob.slice(...args).text();
    equal(await cut(), "abcdef");
    equal(await cut(2), "cdef");
    equal(await cut(-2), "ef");
    equal(await cut(1, 3), "bc");
    equal(await cut(1, -1), "bcde");
    equal(await cut(4, 2), "");
    equal(await cut(-100, 100), "abcdef");
    equal(await cut(NaN, Infinity), "abcdef");
    equal(await cut(1.5, 3.5), "cd"); // Clamp rounds half to even
    equal(await cut(undefined, undefined), "abcdef");
    equal(await cut("1", null), "");
  },
  async "slices slices"() { equal(await new Blob(["abcdef"]).slice(1, 5).slice(1, -1).text(), "cd"); },
  "gives a slice a type of its own"() {
    const blob = new Blob(["a"], { type: "a/b" });
    equal([blob.slice().type, blob.slice(0, 1, "C/D").type, blob.slice(0, 1, "\n").type], ["", "c/d", ""]);
  },
  async "reads text as UTF-8 without its mark"() {
    equal(await new Blob([Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0xff)]).text(), "a\ufffd");
  },
  async "hands out copies"() {
    const blob = new Blob([upTo(3)]), buffer = await blob.arrayBuffer();
    ok(buffer instanceof ArrayBuffer);
    new Uint8Array(buffer)[0] = 9;
    (await blob.bytes())[1] = 9;
    for await (const chunk of blob.stream()) chunk[2] = 9;
    equal(await blob.bytes(), upTo(3));
  },
  async "rejects for another this"() {
    for (const name of ["text", "arrayBuffer", "bytes"]) await rejects(Blob.prototype[name].call({}), TypeError);
    throws(() => Blob.prototype.stream.call({}), TypeError);
  },
  async "streams its bytes in chunks"() {
    const blob = new Blob([upTo(200000)]), chunks = await chunksOf(blob.stream());
    ok(chunks.length > 1 && chunks.every((chunk) => chunk instanceof Uint8Array));
    equal(await new Blob(chunks).bytes(), upTo(200000));
    equal(await chunksOf(new Blob().stream()), []);
  },
  async "streams into a buffer of the reader's"() {
    const reader = new Blob(["abcde"]).stream().getReader({ mode: "byob" });
    const { value, done } = await reader.read(new Uint8Array(3));
    equal([value, done], [Uint8Array.of(97, 98, 99), false]);
    equal((await reader.read(new Uint8Array(8))).value, Uint8Array.of(100, 101));
    equal((await reader.read(new Uint8Array(8))).done, true);
  },
  async "gives each stream from the beginning"() {
    const blob = new Blob(["ab"]);
    await blob.stream().cancel();
    equal((await chunksOf(blob.stream())).length, 1);
  },
  async "is cloned with its type"() {
    const blob = structuredClone(new Blob(["ab"], { type: "a/b" }).slice(1, 2, "c/d"));
    ok(blob instanceof Blob && !(blob instanceof File));
    equal([await blob.text(), blob.type], ["b", "c/d"]);
  },
});

api("File", {
  "is a Blob with a name and a date"() {
    const file = new File(["abc"], "a.txt", { type: "Text/Plain", lastModified: 42 });
    ok(file instanceof Blob);
    equal([file.name, file.type, file.lastModified, file.size], ["a.txt", "text/plain", 42, 3]);
    equal(Object.prototype.toString.call(file), "[object File]");
    equal([File.name, File.length, Object.getPrototypeOf(File)], ["File", 2, Blob]);
  },
  "is of now when nothing is said"() {
    const before = Date.now(), { lastModified } = new File([], "a"), after = Date.now();
    ok(before <= lastModified && lastModified <= after, lastModified);
  },
  "converts its date"() {
    const date = (lastModified) => new File([], "a", { lastModified }).lastModified;
    equal([date(new Date(7)), date(null), date("9.9"), date(NaN), date(-1.5), date(2 ** 64 + 2 ** 12)], [7, 0, 9, 0, -1, 4096]);
  },
  "converts its name"() {
    equal([new File([], "a/b\u0000").name, new File([], "\ud800").name, new File([], null).name], ["a/b\u0000", "\ufffd", "null"]);
  },
  "needs bits and a name"() {
    throws(() => new File(), TypeError);
    throws(() => new File([]), TypeError);
    throws(() => new File(undefined, "a"), TypeError);
    throws(() => new File("bits", "a"), TypeError);
    throws(() => File([], "a"), TypeError);
    throws(() => new File([Symbol()], "a"), TypeError);
  },
  "slices into Blobs"() { ok(!(new File(["abc"], "a").slice(1) instanceof File)); },
  async "joins other files"() { equal(await new File([new File(["a"], "x"), "b"], "y").text(), "ab"); },
  "has attributes on its prototype"() {
    throws(() => File.prototype.name, TypeError);
    throws(() => Object.getOwnPropertyDescriptor(File.prototype, "name").get.call(new Blob()), TypeError);
  },
  async "is cloned with its name and date"() {
    const [file, same] = structuredClone([0, 0].fill(new File(["a"], "n", { type: "a/b", lastModified: 5 })));
    ok(file instanceof File && file === same);
    equal([file.name, file.type, file.lastModified, await file.text()], ["n", "a/b", 5, "a"]);
  },
});
