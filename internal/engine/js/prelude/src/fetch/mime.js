// MIME types (MIME Sniffing Standard, section 4) and how a message's headers
// tell one (Fetch Standard, section 2.2.2, "extract a MIME type").
import { isToken, lower, trim, trimEnd, trimStart } from "./text.js";

const notQuotable = /[^\t\x20-\x7e\x80-\xff]/;

// quoted reads a quoted string that begins at position i, and returns its
// value and the position behind it.
export const quoted = (text, i) => {
  let value = "";
  for (i++; i < text.length && text[i] !== '"'; i++) {
    if (text[i] === "\\" && i + 1 < text.length) i++;
    value += text[i];
  }
  return [value, i + 1];
};

const indexOr = (i, otherwise) => (i < 0 ? otherwise : i);

// parameter reads one, from behind its semicolon, and returns its name, its
// value, which is undefined when there is none, and where the next begins.
const parameter = (text, i) => {
  const semicolon = indexOr(text.indexOf(";", i), text.length), equals = text.slice(i, semicolon).indexOf("=");
  if (equals < 0) return ["", undefined, semicolon + 1];
  const name = lower(trimStart(text.slice(i, i + equals))), start = i + equals + 1;
  if (text[start] !== '"') return [name, trimEnd(text.slice(start, semicolon)) || undefined, semicolon + 1];
  const [value, behind] = quoted(text, start);
  return [name, value, indexOr(text.indexOf(";", behind), text.length) + 1];
};

// parseMIME returns { essence, parameters }, or null when text is no MIME type.
export const parseMIME = (text) => {
  text = trim(text);
  const slash = text.indexOf("/"), end = indexOr(text.indexOf(";"), text.length);
  const type = text.slice(0, slash), subtype = trimEnd(text.slice(slash + 1, end));
  if (slash < 0 || slash > end || !isToken(type) || !isToken(subtype)) return null;
  const parameters = new Map();
  for (let i = end + 1, name, value; i <= text.length;) {
    [name, value, i] = parameter(text, i);
    if (value === undefined || !isToken(name) || notQuotable.test(value) || parameters.has(name)) continue;
    parameters.set(name, value);
  }
  return { essence: lower(`${type}/${subtype}`), parameters };
};

// serializeMIME is the text of what parseMIME returned.
export const serializeMIME = ({ essence, parameters }) => {
  let text = essence;
  for (const [name, value] of parameters) {
    text += `;${name}=${isToken(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`}`;
  }
  return text;
};

// split takes a combined header value apart at the commas that are in no
// quoted string ("get, decode, and split").
const split = (text) => {
  const values = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') {
      i = quoted(text, i)[1] - 1;
    } else if (text[i] === ",") {
      values.push(trim(text.slice(start, i)));
      start = i + 1;
    }
  }
  return [...values, trim(text.slice(start))];
};

// extractMIME is the MIME type that a combined Content-Type tells, or null.
export const extractMIME = (value) => {
  let last = null, charset;
  for (const text of value === null ? [] : split(value)) {
    const mime = parseMIME(text);
    if (mime === null || mime.essence === "*/*") continue;
    if (mime.essence !== last?.essence) charset = mime.parameters.get("charset");
    else if (!mime.parameters.has("charset") && charset !== undefined) mime.parameters.set("charset", charset);
    last = mime;
  }
  return last;
};
