// Encoding Standard, sections 7 to 14.
import { api, equal, ok, rejects, throws } from "./check.js";

const bytes = (...list) => Uint8Array.from(list);
const hex = (text) => Uint8Array.from(text.match(/../g) ?? [], (x) => parseInt(x, 16));
const decode = (label, text, options) => new TextDecoder(label, options).decode(hex(text));
const collect = async (stream) => {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};

api("TextEncoder", {
  "is an interface of Web IDL"() {
    equal(Object.prototype.toString.call(new TextEncoder()), "[object TextEncoder]");
    equal([TextEncoder.name, TextEncoder.length, TextEncoder.prototype.encode.length, TextEncoder.prototype.encodeInto.length], ["TextEncoder", 0, 0, 2]);
    throws(() => TextEncoder(), TypeError);
    throws(() => TextEncoder.prototype.encoding, TypeError);
    throws(() => TextEncoder.prototype.encode.call({}), TypeError);
    equal(new TextEncoder("gbk").encoding, "utf-8");
  },
  "encodes UTF-8"() {
    equal(new TextEncoder().encode("a\0é€😀"), bytes(0x61, 0, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80));
    equal([new TextEncoder().encode(), new TextEncoder().encode(undefined), new TextEncoder().encode("")], [bytes(), bytes(), bytes()]);
    equal(new TextEncoder().encode(null), bytes(0x6e, 0x75, 0x6c, 0x6c));
  },
  "replaces each lone surrogate"() {
    equal(new TextEncoder().encode("\ud800\ud800\udc00\udfff"), bytes(0xef, 0xbf, 0xbd, 0xf0, 0x90, 0x80, 0x80, 0xef, 0xbf, 0xbd));
  },
  "gives an array of its own"() {
    const [a, b] = [new TextEncoder().encode("a"), new TextEncoder().encode("a")];
    ok(a.buffer !== b.buffer && a.buffer.byteLength === 1 && Object.getPrototypeOf(a) === Uint8Array.prototype);
  },
  "encodes into an array, whole characters only"() {
    const to = new Uint8Array(10), into = (text, n) => new TextEncoder().encodeInto(text, to.subarray(1, 1 + n));
    equal(into("aé€", 6), { read: 3, written: 6 });
    equal(to, bytes(0, 0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0, 0, 0));
    equal([into("aé€", 5), into("😀", 3), into("😀a", 4), into("\ud800", 2), into("\ud800", 3), into("x", 0), into("", 5)],
      [{ read: 2, written: 3 }, { read: 0, written: 0 }, { read: 2, written: 4 }, { read: 0, written: 0 }, { read: 1, written: 3 }, { read: 0, written: 0 }, { read: 0, written: 0 }]);
  },
  "encodes into a Uint8Array only"() {
    for (const to of [new Uint8ClampedArray(3), new ArrayBuffer(3), new DataView(new ArrayBuffer(3)), [1], null]) throws(() => new TextEncoder().encodeInto("a", to), TypeError);
    throws(() => new TextEncoder().encodeInto("a"), TypeError);
    equal(new TextEncoder().encodeInto("ab", new Uint8Array(new SharedArrayBuffer(1))), { read: 1, written: 1 });
  },
});

api("TextDecoder", {
  "is an interface of Web IDL"() {
    equal(Object.prototype.toString.call(new TextDecoder()), "[object TextDecoder]");
    equal([TextDecoder.name, TextDecoder.length, TextDecoder.prototype.decode.length], ["TextDecoder", 0, 0]);
    throws(() => TextDecoder(), TypeError);
    throws(() => TextDecoder.prototype.decode.call({}), TypeError);
    equal(Object.keys(TextDecoder.prototype).sort(), ["decode", "encoding", "fatal", "ignoreBOM"]);
  },
  "has its options"() {
    const d = new TextDecoder(), e = new TextDecoder("UTF-8", { fatal: 1, ignoreBOM: "x" });
    equal([d.encoding, d.fatal, d.ignoreBOM, e.encoding, e.fatal, e.ignoreBOM], ["utf-8", false, false, "utf-8", true, true]);
    equal(new TextDecoder(undefined, null).fatal, false);
    throws(() => new TextDecoder("utf-8", 1), TypeError);
  },
  "knows encodings by their labels"() {
    const of = (label) => new TextDecoder(label).encoding;
    equal(["\tLatin1 ", "ascii", "iso-8859-1", "utf8", "utf-16", "ucs-2", "sjis", "gb2312", "gbk", "big5-hkscs", "ks_c_5601-1987", "cp1251", "iso-8859-8-i", "unicodefffe", "koi8-ru", "x-mac-roman"].map(of),
      ["windows-1252", "windows-1252", "windows-1252", "utf-8", "utf-16le", "utf-16le", "shift_jis", "gbk", "gbk", "big5", "euc-kr", "windows-1251", "iso-8859-8-i", "utf-16be", "koi8-u", "macintosh"]);
    for (const label of ["", "utf-99", "replacement", "hz-gb-2312", "utf-8\0", "\u00a0utf-8"]) throws(() => of(label), RangeError);
  },
  "decodes UTF-8"() {
    equal(decode("utf-8", "6100c3a9e282acf09f9880"), "a\0é€😀");
    equal(decode(undefined, ""), "");
    equal(new TextDecoder().decode(), "");
    equal(new TextDecoder().decode(undefined), "");
  },
  "replaces what is not UTF-8 by its longest beginnings"() {
    equal(["ff", "c0af", "e28241", "e282", "eda080", "f09f9841", "f4908080", "80bf"].map((x) => decode("utf-8", x)),
      ["\ufffd", "\ufffd\ufffd", "\ufffdA", "\ufffd", "\ufffd\ufffd\ufffd", "\ufffdA", "\ufffd\ufffd\ufffd\ufffd", "\ufffd\ufffd"]);
  },
  "throws if it is fatal, and can be used again"() {
    const d = new TextDecoder("utf-8", { fatal: true });
    throws(() => d.decode(bytes(0xff)), TypeError);
    throws(() => d.decode(bytes(0xe2, 0x82)), TypeError);
    equal(d.decode(bytes(0xe2, 0x82), { stream: true }), "");
    throws(() => d.decode(), TypeError);
    equal(d.decode(bytes(0x61)), "a");
  },
  "takes away a byte order mark, once"() {
    equal([decode("utf-8", "efbbbf61"), decode("utf-8", "efbbbfefbbbf"), decode("utf-8", "61efbbbf"), decode("utf-16le", "fffe6100"), decode("utf-16be", "feff0061"), decode("gbk", "efbbbf").length > 0],
      ["a", "\ufeff", "a\ufeff", "a", "a", true]);
    equal(decode("utf-8", "efbbbf61", { ignoreBOM: true }), "\ufeffa");
    equal(decode("utf-16le", "feff"), "\ufffe");
    const d = new TextDecoder();
    equal([d.decode(bytes(0xef, 0xbb), { stream: true }), d.decode(bytes(0xbf, 0x61), { stream: true }), d.decode(bytes(0xef, 0xbb, 0xbf)), d.decode(bytes(0xef, 0xbb, 0xbf, 0x62))], ["", "a", "\ufeff", "b"]);
  },
  "decodes a stream byte by byte"() {
    const d = new TextDecoder();
    let text = "";
    for (const b of new TextEncoder().encode("a€😀é")) text += d.decode(bytes(b), { stream: true });
    equal(text + d.decode(), "a€😀é");
    equal([d.decode(bytes(0xf0, 0x9f), { stream: true }), d.decode(bytes(0x41), { stream: true }), d.decode(bytes(0xe2), { stream: true }), d.decode()], ["", "\ufffdA", "", "\ufffd"]);
  },
  "decodes UTF-16"() {
    equal([decode("utf-16le", "3dd800de"), decode("utf-16be", "d83dde00"), decode("utf-16le", "3dd86100"), decode("utf-16le", "00de"), decode("utf-16le", "610062"), decode("utf-16le", "3dd800")],
      ["😀", "😀", "\ufffda", "\ufffd", "a\ufffd", "\ufffd"]);
    const d = new TextDecoder("utf-16le");
    equal([0x3d, 0xd8, 0x00, 0xde].map((b) => d.decode(bytes(b), { stream: true })).join("|") + d.decode(), "|||😀");
  },
  "decodes single-byte encodings"() {
    equal([decode("windows-1252", "8081e9"), decode("windows-1251", "cff0e8"), decode("koi8-r", "f0d2c9"), decode("iso-8859-15", "a4"), decode("windows-874", "a1db"), decode("iso-8859-7", "e1"), decode("macintosh", "8a"), decode("x-user-defined", "ff"), decode("ibm866", "80")],
      ["€\u0081é", "При", "При", "€", "ก\ufffd", "α", "ä", "\uf7ff", "А"]);
  },
  "decodes Chinese"() {
    equal([decode("gbk", "d6d0b9fa80"), decode("gb18030", "9439fc36"), decode("gb18030", "8130813081"), decode("big5", "a4a4a4e5"), decode("big5", "8862"), decode("big5", "8141ff"), decode("gbk", "8120")],
      ["中国€", "😀", "\u0080\ufffd", "中文", "Ê\u0304", "\ufffdA\ufffd", "\ufffd "]);
  },
  "decodes Japanese and Korean"() {
    equal([decode("shift_jis", "93fa967bb1"), decode("euc-jp", "c6fccbdc8eb1"), decode("iso-2022-jp", "1b2442467c1b284241"), decode("euc-kr", "b0a1b3aa"), decode("shift_jis", "8120"), decode("euc-kr", "c7")],
      ["日本ｱ", "日本ｱ", "日A", "가나", "\ufffd ", "\ufffd"]);
    const d = new TextDecoder("iso-2022-jp");
    let text = "";
    for (const b of hex("1b2442467c1b284a5c1b284241")) text += d.decode(bytes(b), { stream: true });
    equal(text + d.decode(), "日¥A");
  },
  "takes every buffer and view"() {
    const { buffer } = bytes(0x61, 0x62, 0x63, 0x64), d = new TextDecoder();
    equal([d.decode(buffer), d.decode(new Uint16Array(buffer, 2, 1)), d.decode(new DataView(buffer, 1, 2)), d.decode(new Uint8Array(buffer, 3))], ["abcd", "cd", "bc", "d"]);
    equal(d.decode(new SharedArrayBuffer(2)), "\0\0");
    for (const input of ["a", null, 1, {}, [97]]) throws(() => d.decode(input), TypeError);
  },
  "finds nothing in a detached buffer"() {
    const a = bytes(0x61);
    a.buffer.transfer();
    equal(new TextDecoder().decode(a), "");
  },
  "decodes what is long"() {
    const text = "aé€😀".repeat(300000), all = new TextEncoder().encode(text);
    ok(new TextDecoder().decode(all) === text);
    equal(new TextDecoder().decode(new Uint8Array(3000000).fill(0x80)), "\ufffd".repeat(3000000));
  },
});

api("TextEncoderStream", {
  "is an interface of Web IDL"() {
    const s = new TextEncoderStream();
    equal([Object.prototype.toString.call(s), s.encoding, s.readable instanceof ReadableStream, s.writable instanceof WritableStream], ["[object TextEncoderStream]", "utf-8", true, true]);
    throws(() => TextEncoderStream(), TypeError);
    throws(() => TextEncoderStream.prototype.encoding, TypeError);
  },
  async "encodes chunks"() {
    equal(await collect(ReadableStream.from(["a", "", 1, "€"]).pipeThrough(new TextEncoderStream())), [bytes(0x61), bytes(0x31), bytes(0xe2, 0x82, 0xac)]);
  },
  async "joins surrogates that come apart"() {
    equal(await collect(ReadableStream.from(["a\ud83d", "", "\ude00"]).pipeThrough(new TextEncoderStream())), [bytes(0x61), bytes(0xf0, 0x9f, 0x98, 0x80)]);
    equal(await collect(ReadableStream.from(["\ud83d", "a"]).pipeThrough(new TextEncoderStream())), [bytes(0xef, 0xbf, 0xbd, 0x61)]);
  },
  async "replaces a surrogate that stays alone"() {
    equal(await collect(ReadableStream.from(["\ud83d"]).pipeThrough(new TextEncoderStream())), [bytes(0xef, 0xbf, 0xbd)]);
  },
  async "fails with what a chunk's conversion throws"() {
    const error = new Error("no");
    await rejects(collect(ReadableStream.from([{ toString() { throw error; } }]).pipeThrough(new TextEncoderStream())), error);
    await rejects(collect(ReadableStream.from([Symbol()]).pipeThrough(new TextEncoderStream())), TypeError);
  },
});

api("TextDecoderStream", {
  "is an interface of Web IDL"() {
    const s = new TextDecoderStream("latin1", { fatal: true, ignoreBOM: true });
    equal([Object.prototype.toString.call(s), s.encoding, s.fatal, s.ignoreBOM, s.readable instanceof ReadableStream, s.writable instanceof WritableStream],
      ["[object TextDecoderStream]", "windows-1252", true, true, true, true]);
    throws(() => TextDecoderStream(), TypeError);
    throws(() => new TextDecoderStream("none"), RangeError);
  },
  async "decodes chunks"() {
    const chunks = [bytes(0xef, 0xbb), bytes(0xbf, 0x61, 0xe2), new DataView(bytes(0x82).buffer), bytes(0xac).buffer];
    equal(await collect(ReadableStream.from(chunks).pipeThrough(new TextDecoderStream())), ["a", "€"]);
  },
  async "replaces what is cut off"() { equal(await collect(ReadableStream.from([bytes(0x61, 0xf0)]).pipeThrough(new TextDecoderStream())), ["a", "\ufffd"]); },
  async "fails if it is fatal"() {
    await rejects(collect(ReadableStream.from([bytes(0xff)]).pipeThrough(new TextDecoderStream("utf-8", { fatal: true }))), TypeError);
    await rejects(collect(ReadableStream.from([bytes(0xe2)]).pipeThrough(new TextDecoderStream("utf-8", { fatal: true }))), TypeError);
  },
  async "refuses other chunks"() {
    for (const chunk of ["a", null, [1]]) await rejects(collect(ReadableStream.from([chunk]).pipeThrough(new TextDecoderStream())), TypeError);
  },
});
