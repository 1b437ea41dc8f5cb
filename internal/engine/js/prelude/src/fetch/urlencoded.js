// application/x-www-form-urlencoded bytes (URL Standard, section 5.1).
import { decodeKeeping } from "./text.js";

const AMPERSAND = 0x26, EQUALS = 0x3d, PLUS = 0x2b, PERCENT = 0x25, SPACE = 0x20;

const digit = (c) => {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  c |= 0x20;
  return c >= 0x61 && c <= 0x66 ? c - 0x57 : -1;
};

// decodePercent replaces plus signs, unless they are kept, and percent-encoded bytes.
export const decodePercent = (bytes, plus = SPACE) => {
  const out = new Uint8Array(bytes.length);
  let n = 0;
  for (let i = 0; i < bytes.length; i++) {
    let c = bytes[i];
    if (c === PLUS) c = plus;
    if (c === PERCENT && i + 2 < bytes.length) {
      const high = digit(bytes[i + 1]), low = digit(bytes[i + 2]);
      if (high >= 0 && low >= 0) {
        c = high * 16 + low;
        i += 2;
      }
    }
    out[n++] = c;
  }
  return out.subarray(0, n);
};

const entry = (bytes) => {
  const equals = bytes.indexOf(EQUALS), end = equals < 0 ? bytes.length : equals;
  return [bytes.subarray(0, end), bytes.subarray(end + 1)].map((half) => decodeKeeping(decodePercent(half)));
};

// parseURLEncoded is the [name, value] that bytes tell.
export const parseURLEncoded = (bytes) => {
  const entries = [];
  for (let i = 0, end; i < bytes.length; i = end + 1) {
    end = bytes.indexOf(AMPERSAND, i);
    if (end < 0) end = bytes.length;
    if (end > i) entries.push(entry(bytes.subarray(i, end)));
  }
  return entries;
};
