// Decoding with any encoding (Encoding Standard, section 7.1), by a decoder of
// Go's that keeps nothing: what is between two chunks is here.
import { nameOf } from "./labels.js";

const { decode: nativeDecode, encodings } = host;
const LAST = 1, FATAL = 2;
// No unfinished character is as long as this.
const HEAD = 16;
const numbers = new Map(encodings().split(" ").map((name, i) => [name, i]));
const numberOf = numbers.get.bind(numbers);
const uncurry = Function.prototype.bind.bind(Function.prototype.call);
const slice = uncurry(String.prototype.slice), codeAt = uncurry(String.prototype.charCodeAt);
const arraySet = uncurry(Uint8Array.prototype.set);
const getter = (type, name) => uncurry(Object.getOwnPropertyDescriptor(type.prototype, name).get);
const typedArray = { prototype: Object.getPrototypeOf(Uint8Array.prototype) };
const bufferLength = getter(ArrayBuffer, "byteLength"), sharedLength = getter(SharedArrayBuffer, "byteLength");
const dataBuffer = getter(DataView, "buffer"), dataOffset = getter(DataView, "byteOffset"), dataLength = getter(DataView, "byteLength");
const arrayBuffer = getter(typedArray, "buffer"), arrayOffset = getter(typedArray, "byteOffset"), arrayLength = getter(typedArray, "byteLength");
const arrayTag = getter(typedArray, Symbol.toStringTag);
const { isView } = ArrayBuffer;
const Bytes = Uint8Array;
const none = new Bytes(0);

const attempt = (f, value) => { try { return f(value); } catch { return undefined; } };
const arrayOver = (source) => new Bytes(arrayBuffer(source), arrayOffset(source), arrayLength(source));
const dataOver = (source) => new Bytes(dataBuffer(source), dataOffset(source), dataLength(source));

// bytesOf is a BufferSource, shared or not, as a Uint8Array over the same
// memory. What is detached has no bytes (Web IDL, section 3.2.26).
export const bytesOf = (what, source) => {
  if (isView(source)) return attempt(arrayTag(source) !== undefined ? arrayOver : dataOver, source) ?? none;
  if (attempt(bufferLength, source) === undefined && attempt(sharedLength, source) === undefined) {
    throw new TypeError(`${what}: the input is neither an ArrayBuffer nor a view of one`);
  }
  return attempt(() => new Bytes(source)) ?? none;
};

// isShared reports whether an array is over a SharedArrayBuffer.
export const isShared = (bytes) => attempt(sharedLength, arrayBuffer(bytes)) !== undefined;

const join = (a, b) => {
  const both = new Bytes(a.length + b.length);
  arraySet(both, a);
  arraySet(both, b, a.length);
  return both;
};

const part = (bytes, from, to) => {
  const copy = new Bytes(to - from);
  for (let i = from; i < to; i++) copy[i - from] = bytes[i];
  return copy;
};

// Decoder decodes a stream of bytes that come in chunks.
export class Decoder {
  #number;
  #flags;
  #marked;           // whether a byte order mark at the beginning goes
  #rest = none;      // of a character that is not complete
  #state = new Uint32Array(3); // what the last call read, the decoder's state, the input's length
  #begun = false;

  constructor(what, label, fatal, ignoreBOM) {
    const name = nameOf(label);
    const number = name === undefined ? undefined : numberOf(name);
    if (number === undefined) throw new RangeError(`${what}: there is no encoding with the label ${JSON.stringify(slice(label, 0, 100))}`);
    this.name = name;
    this.#number = number;
    this.#flags = fatal ? FATAL : 0;
    this.#marked = !ignoreBOM && (name === "utf-8" || name === "utf-16le" || name === "utf-16be");
  }

  // decode is the text of a BufferSource's bytes that are complete, and of all
  // when they are the last: then it begins anew.
  decode(what, source, last) {
    try {
      const [text, at] = this.#rest.length > 0 ? this.#resume(what, source, last) : ["", 0];
      return this.#unmark(text + this.#run(what, source, at, last));
    } catch (error) {
      last = true;
      throw error;
    } finally {
      if (last) {
        this.#rest = none;
        this.#state[1] = 0;
        this.#begun = false;
      }
    }
  }

  // #resume decodes the rest and the beginning of what comes after it. It
  // returns the text, and where source goes on.
  #resume(what, source, last) {
    const bytes = bytesOf(what, source), n = this.#rest.length;
    const head = join(this.#rest, part(bytes, 0, Math.min(bytes.length, HEAD))), all = head.length - n === bytes.length;
    this.#rest = none;
    const text = this.#run(what, head, 0, last && all);
    if (all) return [text, bytes.length];
    const at = head.length - n - this.#rest.length;
    this.#rest = none;
    return [text, at];
  }

  // #run is the text from a place on. What is not complete becomes the rest.
  #run(what, source, at, last) {
    const state = this.#state;
    let text = "";
    for (;;) {
      const more = nativeDecode(this.#number, source, at, this.#flags | (last ? LAST : 0), state);
      if (more === undefined) throw new TypeError(`${what}: the input is not valid ${this.name}`);
      at += state[0];
      text += more;
      if (at >= state[2]) return text;
      if (state[0] === 0) {
        const bytes = bytesOf(what, source);
        this.#rest = part(bytes, at, bytes.length);
        return text;
      }
    }
  }

  #unmark(text) {
    if (!this.#marked || this.#begun || text === "") return text;
    this.#begun = true;
    return codeAt(text, 0) === 0xfeff ? slice(text, 1) : text;
  }
}
