// multipart/form-data as it is read: RFC 7578 over RFC 2046, section 5.1, with
// names escaped as the HTML Standard (section 4.10.21.8) does it.
import { makeFile } from "./blob.js";
import { shown } from "./idl.js";
import { decodeKeeping, encode, find, isToken, lower, startsWith, trim } from "./text.js";

const MOST_BOUNDARY = 70;     // characters (RFC 2046, section 5.1.1)
const MOST_PARTS = 10000;
const MOST_HEAD = 16 << 10;   // bytes of a part's headers
const DASHES = encode("--"), LINE = encode("\r\n"), HEAD_END = encode("\r\n\r\n");

const wrong = (reason) => new TypeError(`the body is not multipart/form-data: ${reason}`);

const unescape = (text) => text.replace(/%0a|%0d|%22/gi, (code) => ({ "%0a": "\n", "%0d": "\r", "%22": '"' })[lower(code)]);

// disposition reads the parameters of a Content-Disposition.
const disposition = (text) => {
  const type = /^form-data(?![^\t ;])/i.exec(text);
  if (type === null) throw wrong(`a part's Content-Disposition is ${shown(text)}`);
  const parameter = /[\t ]*;[\t ]*([^\s=;"]+)=(?:"([^"]*)"|([^\s;"]*))/y, found = {};
  parameter.lastIndex = type[0].length;
  for (let end = parameter.lastIndex, m; end < text.length; end = parameter.lastIndex) {
    if ((m = parameter.exec(text)) === null) throw wrong(`a part's Content-Disposition is ${shown(text)}`);
    const name = lower(m[1]);
    if (name === "name" || name === "filename") found[name] ??= unescape(m[2] ?? m[3]);
  }
  if (found.name === undefined) throw wrong("a part has no name");
  return found;
};

// readHead reads the lines of a part's headers.
const readHead = (text) => {
  const head = {};
  for (const line of text === "" ? [] : text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon < 0 || !isToken(line.slice(0, colon))) throw wrong(`a part has the header line ${shown(line)}`);
    head[lower(line.slice(0, colon))] ??= trim(line.slice(colon + 1));
  }
  return { ...disposition(head["content-disposition"] ?? ""), type: head["content-type"] ?? "text/plain" };
};

const headOf = (bytes, i) => {
  const near = bytes.subarray(i - LINE.length, i + MOST_HEAD + HEAD_END.length);
  const end = find(near, 0, HEAD_END);
  if (end < 0) throw wrong(`a part's headers do not end, or are longer than ${MOST_HEAD} bytes`);
  const text = decodeKeeping(near.subarray(LINE.length, end));
  return [readHead(text), i - LINE.length + end + HEAD_END.length];
};

const entryOf = ({ name, filename, type }, bytes) =>
  [name, filename === undefined ? decodeKeeping(bytes) : makeFile(bytes.slice(), type, filename)];

// behindDelimiter skips the padding that may end a delimiter's line, and
// returns where the part's head begins, or -1 behind the last part.
const behindDelimiter = (bytes, i) => {
  if (startsWith(bytes, i, DASHES)) return -1;
  while (bytes[i] === 0x20 || bytes[i] === 0x09) i++;
  if (!startsWith(bytes, i, LINE)) throw wrong("something follows a boundary");
  return i + LINE.length;
};

const checkBoundary = (boundary) => {
  if (boundary === undefined || boundary === "") throw wrong("its type has no boundary");
  if (boundary.length > MOST_BOUNDARY) throw wrong(`its boundary has ${boundary.length} characters, which may be ${MOST_BOUNDARY}`);
};

// first is the position behind the first delimiter.
const first = (bytes, delimiter) => {
  const bare = delimiter.subarray(LINE.length);
  if (startsWith(bytes, 0, bare)) return bare.length;
  const i = find(bytes, 0, delimiter);
  if (i < 0) throw wrong("its boundary is not in it");
  return i + delimiter.length;
};

// parseMultipart is the [name, value] that bytes tell.
export const parseMultipart = (bytes, boundary) => {
  checkBoundary(boundary);
  const delimiter = encode(`\r\n--${boundary}`), entries = [];
  let at = behindDelimiter(bytes, first(bytes, delimiter));
  while (at >= 0) {
    if (entries.length === MOST_PARTS) throw wrong(`it has more than ${MOST_PARTS} parts`);
    const [head, start] = headOf(bytes, at), end = find(bytes, start, delimiter);
    if (end < 0) throw wrong("its last boundary is missing");
    entries.push(entryOf(head, bytes.subarray(start, end)));
    at = behindDelimiter(bytes, end + delimiter.length);
  }
  return entries;
};
