// data: URLs (Fetch Standard, section 6).
import { parseMIME, serializeMIME } from "./mime.js";
import { encode, trim } from "./text.js";
import { decodePercent } from "./urlencoded.js";

const PLUS = 0x2b;
const isomorphic = (bytes) => {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return text;
};

// readDataURL returns { type, bytes }, or null when url, which is a data: URL
// as the URL class writes it, means nothing.
export const readDataURL = (url) => {
  const hash = url.indexOf("#"), text = url.slice("data:".length, hash < 0 ? url.length : hash), comma = text.indexOf(",");
  if (comma < 0) return null;
  let type = trim(text.slice(0, comma)), bytes = decodePercent(encode(text.slice(comma + 1)), PLUS);
  const base64 = /; *base64$/i.exec(type.slice(-100));
  if (base64 !== null) {
    type = type.slice(0, type.length - base64[0].length);
    try {
      bytes = Uint8Array.fromBase64(isomorphic(bytes));
    } catch {
      return null;
    }
  }
  const mime = parseMIME(type.startsWith(";") ? `text/plain${type}` : type);
  return { type: mime === null ? "text/plain;charset=US-ASCII" : serializeMIME(mime), bytes };
};
