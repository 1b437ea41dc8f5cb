// TextDecoder and TextEncoder (Encoding Standard, sections 7.2 and 7.4).
import { describe, dictionary } from "../dom/idl.js";
import { bytesOf, Decoder } from "./decoder.js";

const { encode, encodeInto } = host;
const uncurry = Function.prototype.bind.bind(Function.prototype.call);
const slice = uncurry(String.prototype.slice);
const arrayTag = uncurry(Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get);
const arrayLength = uncurry(Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), "length").get);

// options are a TextDecoderOptions, in the order of their names.
export const options = (what, value) => {
  const { fatal, ignoreBOM } = dictionary(what, value);
  return [Boolean(fatal), Boolean(ignoreBOM)];
};

const empty = new Uint8Array(0);

export class TextDecoder {
  #decoder;
  #fatal;
  #ignoreBOM;

  constructor(label = "utf-8", init = undefined) {
    label = `${label}`;
    [this.#fatal, this.#ignoreBOM] = options("TextDecoder", init);
    this.#decoder = new Decoder("TextDecoder", label, this.#fatal, this.#ignoreBOM);
  }

  get encoding() { return this.#decoder.name; }
  get fatal() { return this.#fatal; }
  get ignoreBOM() { return this.#ignoreBOM; }

  decode(input = undefined, init = undefined) {
    const decoder = this.#decoder, what = "TextDecoder.decode";
    if (init === undefined) return decoder.decode(what, input === undefined ? empty : input, true);
    if (input === undefined) input = empty;
    else bytesOf(what, input); // it is judged before the options are read
    const stream = Boolean(dictionary(what, init).stream);
    return decoder.decode(what, input, !stream);
  }
}
describe(TextDecoder);

const result = new Uint32Array(2);

export class TextEncoder {
  #brand;

  get encoding() {
    this.#brand;
    return "utf-8";
  }

  encode(input = "") {
    this.#brand;
    return encode(`${input}`);
  }

  encodeInto(source, destination) {
    this.#brand;
    if (arguments.length < 2) throw new TypeError(`TextEncoder.encodeInto: 2 arguments are needed, and ${arguments.length} present`);
    source = `${source}`;
    if (arrayTag(destination) !== "Uint8Array") throw new TypeError("TextEncoder.encodeInto: the destination is not a Uint8Array");
    const room = arrayLength(destination);
    if (room === 0) return { read: 0, written: 0 };
    // So many bytes never hold more code units.
    encodeInto(source.length > room ? slice(source, 0, room) : source, destination, result);
    return { read: result[0], written: result[1] };
  }
}
describe(TextEncoder);
