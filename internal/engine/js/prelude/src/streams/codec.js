// What CompressionStream and DecompressionStream have in common: a writable and
// a readable side, and a stream of Go's between them, which works until some
// chunks wait for a reader.
//
// Go knows its stream by a number that is used once. After the program was
// restored from an image Go knows it no longer, and both sides are errored.
import { DOMException } from "../dom/exception.js";
import { bytesOf, isShared } from "../encoding/decoder.js";
import { ReadableStream, WritableStream } from "./web.js";

const { codecFormats, openCodec, feedCodec, endCodec, nextCodec, freeCodec, collect } = host;
const { setTimeout } = globalThis;
const formats = codecFormats().split(" ");
const abandoned = new FinalizationRegistry(freeCodec);
const AHEAD = 4;       // chunks, of at most 64 KiB each, that may wait
const COLLECTIONS = 3; // until there is room: one frees what the last let go of
let last = 0;          // the number that was used last

const formatOf = (what, name) => {
  name = `${name}`;
  const format = formats.indexOf(name);
  if (format < 0) throw new TypeError(`${what}: ${JSON.stringify(name.slice(0, 100))} is none of "${formats.join('", "')}"`);
  return format;
};

export class Codec {
  #what;
  #format;
  #decompress;
  #id = 0;        // of Go's stream, once there is one
  #source;        // the controllers of the two sides
  #sink;
  #input;         // what was written and is not taken yet
  #at = 0;
  #closing = false;
  #over = false;
  #written;       // resolves the promise of a write or a close

  constructor(what, format, decompress) {
    this.#what = what;
    this.#format = formatOf(what, format);
    this.#decompress = decompress;
    this.readable = new ReadableStream({
      start: (controller) => { this.#source = controller; },
      pull: () => { this.#run(); },
      cancel: (reason) => { this.#fail(reason); },
    }, { highWaterMark: 0 });
    this.writable = new WritableStream({
      start: (controller) => { this.#sink = controller; },
      write: (chunk) => this.#take(() => { this.#input = this.#copyOf(chunk); }),
      close: () => this.#take(() => { this.#closing = true; }),
      abort: (reason) => { this.#fail(reason); },
    });
  }

  // #copyOf is a chunk's bytes, which the writer may change before they are read.
  #copyOf(chunk) {
    const bytes = bytesOf(this.#what, chunk);
    if (isShared(bytes)) throw new TypeError(`${this.#what}: the chunk is shared memory`);
    return new Uint8Array(bytes);
  }

  // #take has the writer wait until what keep keeps has been read.
  async #take(keep) {
    try {
      keep();
      if (this.#id === 0) await this.#open();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    await new Promise((resolve) => {
      this.#written = resolve;
      this.#run();
    });
  }

  async #open() {
    const id = ++last, open = () => openCodec(id, this.#format, this.#decompress);
    for (let tries = 0; !open(); tries++) {
      if (tries === COLLECTIONS) throw new DOMException(`${this.#what}: too many are in use`, "QuotaExceededError");
      collect(); // streams that nobody has any more are freed before the next turn
      await new Promise((resolve) => { setTimeout(resolve, 0); });
    }
    this.#id = id;
    abandoned.register(this, id, this);
    if (this.#over) this.#free();
  }

  #free() {
    if (this.#id === 0) return;
    abandoned.unregister(this);
    freeCodec(this.#id);
  }

  // #run works until chunks wait for a reader, or the writer is needed.
  #run() {
    try {
      while (!this.#over && this.#written !== undefined && this.#source.desiredSize > -AHEAD) this.#step();
    } catch (error) {
      this.#fail(error);
    }
    if (this.#over) this.#release();
  }

  #step() {
    const output = this.#known(nextCodec(this.#id));
    if (output === true) {
      this.#source.close();
      this.#over = true;
      this.#free();
    } else if (output !== false) {
      this.#source.enqueue(output);
    } else if (this.#input !== undefined && this.#at < this.#input.length) {
      this.#at += this.#known(feedCodec(this.#id, this.#input, this.#at));
    } else if (this.#closing) {
      this.#known(endCodec(this.#id));
    } else {
      this.#input = undefined;
      this.#at = 0;
      this.#release();
    }
  }

  // #known passes on what Go answered, unless it knows no such stream.
  #known(answer) {
    if (answer === undefined) throw new DOMException(`${this.#what}: the program was suspended while it was in use`, "AbortError");
    return answer;
  }

  // #fail ends both sides with an error, as far as they have not ended.
  #fail(error) {
    if (this.#over) return;
    this.#over = true;
    this.#input = undefined;
    this.#free();
    this.#source.error(error);
    this.#sink.error(error);
    this.#release();
  }

  // #release lets the writer go on, or learn that its side has an error.
  #release() {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }
}
