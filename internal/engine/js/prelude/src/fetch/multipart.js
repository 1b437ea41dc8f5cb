// multipart/form-data: RFC 7578, written as the HTML Standard (section 4.10.21.8,
// "multipart/form-data encoding algorithm") says.
import { bytesOf } from "./blob.js";
import { concat, encode } from "./text.js";

const { random } = host;
const crlf = (text) => text.replace(/\r\n|\r|\n/g, "\r\n");
const escapes = { "\n": "%0A", "\r": "%0D", '"': "%22" };
const escape = (text) => text.replace(/[\n\r"]/g, (c) => escapes[c]);

// newBoundary is one that nobody who wrote a part of a form could know.
const newBoundary = () => {
  const bytes = new Uint8Array(16);
  random(bytes.buffer, 0, 16);
  return "----mpsupervisor-form-" + Array.from(bytes, (b) => (b + 256).toString(16).slice(1)).join("");
};

const head = (boundary, name, value) => {
  const start = `--${boundary}\r\nContent-Disposition: form-data; name="${escape(crlf(name))}"`;
  if (typeof value === "string") return `${start}\r\n\r\n${crlf(value)}\r\n`;
  return `${start}; filename="${escape(value.name)}"\r\nContent-Type: ${value.type || "application/octet-stream"}\r\n\r\n`;
};

// writeMultipart returns the bytes of a form's entries and their MIME type.
export const writeMultipart = (entries) => {
  const boundary = newBoundary(), chunks = [];
  for (const [name, value] of entries) {
    chunks.push(encode(head(boundary, name, value)));
    if (typeof value !== "string") chunks.push(bytesOf(value), encode("\r\n"));
  }
  chunks.push(encode(`--${boundary}--\r\n`));
  const bytes = concat(chunks, chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  return { bytes, type: `multipart/form-data; boundary=${boundary}` };
};
