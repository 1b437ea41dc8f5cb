// Text and bytes (Encoding Standard, section 6), and the byte searches that
// parsers of this directory share.
import { TextDecoder, TextEncoder } from "../encoding/index.js";

const encoder = new TextEncoder(), decoder = new TextDecoder(), plainDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

// encode is "UTF-8 encode".
export const encode = (text) => encoder.encode(text);

// decode is "UTF-8 decode": a byte order mark goes.
export const decode = (bytes) => decoder.decode(bytes);

// decodeKeeping is "UTF-8 decode without BOM": a byte order mark stays.
export const decodeKeeping = (bytes) => plainDecoder.decode(bytes);

// startsWith reports whether needle is in bytes at position i.
export const startsWith = (bytes, i, needle) => {
  if (needle.length > bytes.length - i) return false;
  for (let k = 0; k < needle.length; k++) if (bytes[i + k] !== needle[k]) return false;
  return true;
};

// find is where needle is in bytes, from position i on, or -1. Its time is
// linear when needle's first byte is in it once.
export const find = (bytes, i, needle) => {
  const first = needle[0];
  for (i = bytes.indexOf(first, i); i >= 0; i = bytes.indexOf(first, i + 1)) {
    if (startsWith(bytes, i, needle)) return i;
  }
  return -1;
};

// concat is all chunks in one array.
export const concat = (chunks, total) => {
  const all = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
};

const whitespace = (c) => c === 0x20 || c === 0x09 || c === 0x0a || c === 0x0d;

// trimStart and trimEnd leave out HTTP whitespace (Fetch Standard, section
// 2.2), in linear time, as a regular expression would not.
export const trimStart = (text) => {
  let start = 0;
  while (whitespace(text.charCodeAt(start))) start++;
  return text.slice(start);
};

export const trimEnd = (text) => {
  let end = text.length;
  while (whitespace(text.charCodeAt(end - 1))) end--;
  return text.slice(0, end);
};

export const trim = (text) => trimEnd(trimStart(text));

// lower is ASCII lowercase.
export const lower = (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

const notToken = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/;

// isToken reports whether text is an HTTP token (RFC 9110, section 5.6.2).
export const isToken = (text) => text !== "" && !notToken.test(text);
