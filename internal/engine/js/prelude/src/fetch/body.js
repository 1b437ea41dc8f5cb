// Bodies (Fetch Standard, sections 2.2.4 and 5.2, 5.3).
//
// A body is its bytes, or a stream. Most programs never look at the stream of
// a body made of bytes: it is made when they do.
import { ReadableStream, TransformStream } from "../streams/index.js";
import { bytesOf, isBlob, makeBlob, streamOf, viewOf } from "./blob.js";
import { entriesOf, isForm, makeForm } from "./formdata.js";
import { parseMultipart } from "./formparse.js";
import { usv } from "./idl.js";
import { extractMIME, serializeMIME } from "./mime.js";
import { writeMultipart } from "./multipart.js";
import { isDisturbed, isUnusable, readBytes } from "./stream.js";
import { decode, encode } from "./text.js";
import { URLSearchParams } from "../url/index.js";
import { parseURLEncoded } from "./urlencoded.js";

export const bytesBody = (bytes) => ({ bytes, stream: null, used: false });
const streamBody = (stream) => ({ bytes: null, stream, used: false });

// extract is a BodyInit as a body and the type that it implies, or null.
export const extract = (what, init) => {
  if (init instanceof ReadableStream) {
    if (isUnusable(init)) throw new TypeError(`${what}: the stream is locked, or was read from`);
    return { body: streamBody(init), type: null };
  }
  const { bytes, type } = extractBytes(init);
  return { body: bytesBody(bytes), type };
};

const extractBytes = (init) => {
  if (isBlob(init)) return { bytes: bytesOf(init), type: init.type === "" ? null : init.type };
  const view = viewOf(init);
  if (view !== null) return { bytes: view.slice(), type: null };
  if (isForm(init)) return writeMultipart(entriesOf(init));
  if (init instanceof URLSearchParams) {
    return { bytes: encode(init.toString()), type: "application/x-www-form-urlencoded;charset=UTF-8" };
  }
  return { bytes: encode(usv(init)), type: "text/plain;charset=UTF-8" };
};

const isUsed = (body) => (body.stream === null ? body.used : isDisturbed(body.stream));

// isBodyUnusable reports whether a body has been read, or is being read.
export const isBodyUnusable = (body) => body !== null && (body.stream === null ? body.used : isUnusable(body.stream));

// open returns the body's stream, which has ended when the bytes were taken.
const open = (body) => {
  if (body.stream !== null) return body.stream;
  body.stream = streamOf(body.bytes);
  if (body.used) body.stream.cancel();
  return body.stream;
};

// take returns a promise of the body's bytes, which nobody may change, and
// leaves the body used.
export const take = async (body, limits = undefined) => {
  if (body === null) return new Uint8Array();
  if (body.stream !== null) return readBytes(body.stream, limits);
  body.used = true;
  return body.bytes;
};

// move leaves the body used and returns another with what it had ("create a
// proxy").
export const move = (body) => {
  if (body === null) return null;
  if (body.stream !== null) return streamBody(body.stream.pipeThrough(new TransformStream()));
  body.used = true;
  return bytesBody(body.bytes);
};

// split returns a body with what this one has, and leaves this one as it was.
export const split = (body) => {
  if (body === null) return null;
  if (body.stream === null) return bytesBody(body.bytes);
  const [mine, other] = body.stream.tee();
  body.stream = mine;
  return streamBody(other);
};

// discard cancels what is left of a body.
export const discard = (body, reason) => {
  if (body !== null && !isBodyUnusable(body)) open(body).cancel(reason).catch(() => {});
};

const form = (bytes, mime) => {
  switch (mime?.essence) {
    case "multipart/form-data": return makeForm(parseMultipart(bytes, mime.parameters.get("boundary")));
    case "application/x-www-form-urlencoded": return makeForm(parseURLEncoded(bytes));
    default: throw new TypeError(`formData: the content type is ${mime === null ? "not known" : mime.essence}, which is no form's`);
  }
};

// includeBody gives a class the members of Body. partsOf returns an object's
// { body, headers }, the latter a header list.
export const includeBody = (type, partsOf) => {
  const consume = async (self, convert) => {
    const { body, headers } = partsOf(self);
    if (isBodyUnusable(body)) throw new TypeError(`${type.name}: the body has been read already, or somebody reads it`);
    return convert(await take(body), () => extractMIME(headers.get("content-type")));
  };
  const typeText = (mime) => (mime === null ? "" : serializeMIME(mime));
  const members = {
    get body() {
      const { body } = partsOf(this);
      return body === null ? null : open(body);
    },
    get bodyUsed() {
      const { body } = partsOf(this);
      return body !== null && isUsed(body);
    },
    arrayBuffer() { return consume(this, (bytes) => bytes.slice().buffer); },
    blob() { return consume(this, (bytes, mime) => makeBlob(bytes, typeText(mime()))); },
    bytes() { return consume(this, (bytes) => bytes.slice()); },
    formData() { return consume(this, (bytes, mime) => form(bytes, mime())); },
    json() { return consume(this, (bytes) => JSON.parse(decode(bytes))); },
    text() { return consume(this, decode); },
  };
  Object.defineProperties(type.prototype, Object.getOwnPropertyDescriptors(members));
};
