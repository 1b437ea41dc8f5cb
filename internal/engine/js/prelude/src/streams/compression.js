// CompressionStream and DecompressionStream (Compression Standard, sections 4
// and 5).
import { describe, need } from "../dom/idl.js";
import { Codec } from "./codec.js";

export class CompressionStream {
  #codec;

  constructor(format) {
    need("CompressionStream", arguments, 1);
    this.#codec = new Codec("CompressionStream", format, false);
  }

  get readable() { return this.#codec.readable; }
  get writable() { return this.#codec.writable; }
}
describe(CompressionStream);

export class DecompressionStream {
  #codec;

  constructor(format) {
    need("DecompressionStream", arguments, 1);
    this.#codec = new Codec("DecompressionStream", format, true);
  }

  get readable() { return this.#codec.readable; }
  get writable() { return this.#codec.writable; }
}
describe(DecompressionStream);
