// The bytes of buffer sources (Web IDL, section 3.2.25), and arrays of our own.
import { ArrayBuffer, TypeError, Uint8Array, codeAt, getterOf, isView, setBytes, transfer, typedArray } from "./primordials.js";

const viewBuffer = getterOf(typedArray, "buffer"), viewOffset = getterOf(typedArray, "byteOffset");
const viewLength = getterOf(typedArray, "byteLength"), viewTag = getterOf(typedArray, Symbol.toStringTag);
const dataBuffer = getterOf(DataView.prototype, "buffer"), dataOffset = getterOf(DataView.prototype, "byteOffset");
const dataLength = getterOf(DataView.prototype, "byteLength");
const bufferLength = getterOf(ArrayBuffer.prototype, "byteLength");

const isBuffer = (value) => {
  try {
    bufferLength(value);
    return true;
  } catch {
    return false; // neither is a SharedArrayBuffer one
  }
};

// tagOf is the name of a typed array's type, and undefined for what is none.
export const tagOf = viewTag;

export const isBufferSource = (value) => isView(value) || isBuffer(value);

// A detached buffer has no bytes.
const ofView = (what, view) => {
  const isTyped = viewTag(view) !== undefined;
  const buffer = isTyped ? viewBuffer(view) : dataBuffer(view);
  if (!isBuffer(buffer)) throw new TypeError(`${what}: a SharedArrayBuffer is not allowed here`);
  if (isTyped) return new Uint8Array(buffer, viewOffset(view), viewLength(view));
  return new Uint8Array(buffer, dataOffset(view), dataLength(view));
};

const shown = (what, source) => {
  if (isView(source)) return ofView(what, source);
  if (isBuffer(source)) return new Uint8Array(source);
  throw new TypeError(`${what}: the value is not an ArrayBuffer or a view of one`);
};

const empty = () => new Uint8Array(0);

// viewOf is the memory of a view or an ArrayBuffer as a Uint8Array.
export const viewOf = (what, source) => {
  try {
    return shown(what, source);
  } catch (error) {
    if (isDetached(source)) return empty();
    throw error;
  }
};

const detached = getterOf(ArrayBuffer.prototype, "detached");
const isDetached = (source) => {
  try {
    const buffer = !isView(source) ? source : viewTag(source) === undefined ? dataBuffer(source) : viewBuffer(source);
    return detached(buffer);
  } catch {
    return false;
  }
};

// copyOf is a copy of a buffer source's bytes, with room for more behind them.
export const copyOf = (what, source, room = 0) => {
  const bytes = viewOf(what, source);
  const copy = new Uint8Array(viewLength(bytes) + room);
  setBytes(copy, bytes);
  return copy;
};

export const lengthOf = viewLength;

// bufferOf is the buffer of an array of our own, cut to length bytes.
export const bufferOf = (bytes, length = viewLength(bytes)) => {
  const buffer = viewBuffer(bytes);
  return length === viewLength(bytes) ? buffer : transfer(buffer, length);
};

// ascii is text of ASCII characters as bytes.
export const ascii = (text) => {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = codeAt(text, i);
  return bytes;
};

// randomBytes is n fresh random bytes.
const { random } = host;
export const fillRandom = (view) => random(viewBuffer(view), viewOffset(view), viewLength(view));
export const randomBytes = (n) => {
  const bytes = new Uint8Array(n);
  fillRandom(bytes);
  return bytes;
};
