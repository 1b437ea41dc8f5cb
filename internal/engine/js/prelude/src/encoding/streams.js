// TextDecoderStream and TextEncoderStream (Encoding Standard, sections 7.3 and 7.5).
import { describe } from "../dom/idl.js";
import { TransformStream } from "../streams/index.js";
import { Decoder } from "./decoder.js";
import { options } from "./text.js";

const { encode } = host;
const uncurry = Function.prototype.bind.bind(Function.prototype.call);
const slice = uncurry(String.prototype.slice), codeAt = uncurry(String.prototype.charCodeAt);
const isHigh = (unit) => unit >= 0xd800 && unit <= 0xdbff;

export class TextDecoderStream {
  #decoder;
  #fatal;
  #ignoreBOM;
  #stream;

  constructor(label = "utf-8", init = undefined) {
    label = `${label}`;
    [this.#fatal, this.#ignoreBOM] = options("TextDecoderStream", init);
    const decoder = this.#decoder = new Decoder("TextDecoderStream", label, this.#fatal, this.#ignoreBOM);
    const pass = (controller, bytes, last) => {
      const text = decoder.decode("TextDecoderStream", bytes, last);
      if (text !== "") controller.enqueue(text);
    };
    this.#stream = new TransformStream({
      transform(chunk, controller) { pass(controller, chunk, false); },
      flush(controller) { pass(controller, new Uint8Array(0), true); },
    });
  }

  get encoding() { return this.#decoder.name; }
  get fatal() { return this.#fatal; }
  get ignoreBOM() { return this.#ignoreBOM; }
  get readable() { return this.#stream.readable; }
  get writable() { return this.#stream.writable; }
}
describe(TextDecoderStream);

export class TextEncoderStream {
  #stream;

  constructor() {
    let high = ""; // a surrogate that waits for its other half
    this.#stream = new TransformStream({
      transform(chunk, controller) {
        let text = `${chunk}`;
        if (text === "") return;
        // Without its other half it is an error, which encode sees as well.
        text = high + text;
        const end = text.length - 1, last = codeAt(text, end);
        high = isHigh(last) ? slice(text, end) : "";
        if (high !== "") text = slice(text, 0, end);
        if (text !== "") controller.enqueue(encode(text));
      },
      flush(controller) { if (high !== "") controller.enqueue(encode(high)); },
    });
  }

  get encoding() {
    this.#stream;
    return "utf-8";
  }
  get readable() { return this.#stream.readable; }
  get writable() { return this.#stream.writable; }
}
describe(TextEncoderStream);
