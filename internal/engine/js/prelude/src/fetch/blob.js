// Blob and File (File API, sections 3 and 4). A blob's bytes never change, so
// its slices and clones share them.
import { describe, dictionary, need } from "../dom/idl.js";
import { ReadableStream } from "../streams/index.js";
import { clamp, enumeration, isObject, longLong, sequence, usv } from "./idl.js";
import { concat, decode, encode, lower } from "./text.js";

const MOST_PARTS = 1 << 20;
const CHUNK = 64 << 10; // bytes that a stream hands out at once
const internal = Symbol("internal");
const { now } = Date;
const { isView } = ArrayBuffer;
const lengthOf = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "byteLength").get;

// isBuffer reports whether value is an ArrayBuffer, of whatever realm.
const isBuffer = (value) => {
  try {
    Reflect.apply(lengthOf, value, []);
    return true;
  } catch {
    return false;
  }
};

// viewOf is the bytes that an ArrayBuffer or a view shows now, none when it is
// detached, or null for anything else.
export const viewOf = (value) => {
  if (!isObject(value)) return null;
  const view = isView(value);
  if (!view && !isBuffer(value)) return null;
  const buffer = view ? value.buffer : value;
  if (buffer.detached) return new Uint8Array();
  return view ? new Uint8Array(buffer, value.byteOffset, value.byteLength) : new Uint8Array(buffer);
};

// A part is converted when the constructor reads it, and copied when it has
// read all of them: what the guest does in between shows.
const part = (value) => {
  if (isBlob(value) || viewOf(value) !== null) return value;
  return usv(value);
};

const bytesOfPart = (value, endings) => {
  if (typeof value !== "string") return isBlob(value) ? bytesOf(value) : viewOf(value);
  return encode(endings === "native" ? value.replace(/\r\n?/g, "\n") : value);
};

const join = (parts, endings) => {
  const chunks = parts.map((value) => bytesOfPart(value, endings));
  return concat(chunks, chunks.reduce((sum, chunk) => sum + chunk.length, 0));
};

const typeOf = (text) => (/[^\x20-\x7e]/.test(text) ? "" : lower(text));

// makeBlob and makeFile take over bytes, which nobody may change from then on.
export const makeBlob = (bytes, type) => new Blob(internal, { bytes, type: typeOf(type) });
export const makeFile = (bytes, type, name, lastModified = undefined) =>
  new File(internal, name, { bytes, type: typeOf(type), lastModified });

// bytesOf is a blob's bytes.
export let bytesOf, isBlob;

export class Blob {
  #bytes;
  #type;

  static {
    bytesOf = (blob) => blob.#bytes;
    isBlob = (value) => isObject(value) && #bytes in value;
  }

  constructor(blobParts = undefined, options = undefined) {
    if (blobParts === internal) {
      this.#bytes = options.bytes;
      this.#type = options.type;
      return;
    }
    const parts = blobParts === undefined ? [] : sequence("new Blob", blobParts, part, MOST_PARTS);
    const { endings = "transparent", type = "" } = dictionary("new Blob", options);
    this.#type = typeOf(`${type}`);
    this.#bytes = join(parts, enumeration("new Blob", endings, ["transparent", "native"]));
  }

  get size() { return this.#bytes.length; }
  get type() { return this.#type; }

  slice(start = 0, end = this.#bytes.length, contentType = "") {
    return makeBlob(this.#bytes.subarray(clamp(start), clamp(end)), `${contentType}`);
  }

  stream() { return streamOf(this.#bytes); }
  async text() { return decode(this.#bytes); }
  async arrayBuffer() { return this.#bytes.slice().buffer; }
  async bytes() { return this.#bytes.slice(); }
}
Object.defineProperty(Blob.prototype.slice, "length", { value: 0, configurable: true });
describe(Blob);

// streamOf reads bytes, which nobody may change, as a stream.
export const streamOf = (bytes) => {
  let at = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      if (at < bytes.length) controller.enqueue(bytes.slice(at, at += CHUNK));
      if (at < bytes.length) return;
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
};

export let isFile;

export class File extends Blob {
  #name;
  #lastModified;

  static {
    isFile = (value) => isObject(value) && #name in value;
  }

  constructor(fileBits, fileName, options = undefined) {
    need("new File", arguments, 2);
    super(fileBits === undefined ? null : fileBits, options);
    this.#name = usv(fileName);
    const { lastModified } = dictionary("new File", options);
    this.#lastModified = lastModified === undefined ? now() : longLong(lastModified);
  }

  get name() { return this.#name; }
  get lastModified() { return this.#lastModified; }
}
describe(File);
