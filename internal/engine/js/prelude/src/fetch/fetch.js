// fetch (Fetch Standard, sections 4 and 5.6), by the host's service "fetch".
//
// The host gets { method, url, headers, redirect, credentials, cache, body },
// where headers are [name, value] and body is base64, or missing. It answers
// { url, redirected, status, statusText, headers, body } in the same way.
import { DOMException, isAborted, onAbort, reasonOf } from "../dom/index.js";
import { need } from "../dom/idl.js";
import { bytesBody, discard, take } from "./body.js";
import { readDataURL } from "./dataurl.js";
import { isForbiddenInResponse } from "./forbidden.js";
import { HeaderList } from "./headerlist.js";
import { isIntact } from "./integrity.js";
import { partsOf, Request } from "./request.js";
import { isBodiless, isRedirect, makeResponse } from "./response.js";

const ask = host.request;
const MOST_BODY = 768 << 10; // bytes that a request may carry: the host takes 1 MiB of JSON
const networkError = (reason, cause) => new TypeError(`fetch: ${reason}`, { cause });

const notGranted = "no network is granted to this program: its manifest has to request it, " +
  'as "req_permissions": [{ "name": "system.permission.INTERNET", "reason": "…" }], and its host to allow it';

// explain makes of an error of the host's what fetch rejects with.
const explain = (error) => {
  switch (error?.code) {
    case "not_found": case "not_allowed": return networkError(notGranted, error);
    case "aborted": return new DOMException(`fetch: ${error.message}`, "AbortError");
    default: return networkError(error?.message ?? "the host does not answer", error);
  }
};

const paramsOf = ({ method, url, list, redirect, credentials, cache }, bytes) => ({
  method, url, redirect, credentials, cache,
  headers: list.has("accept") ? list.pairs() : [...list.pairs(), ["Accept", "*/*"]],
  body: bytes?.toBase64(),
});

// upload reads what a request sends.
const upload = async (body, signal) => {
  let bytes;
  try {
    bytes = await take(body, { most: MOST_BODY, signal });
  } catch (error) {
    throw networkError(`the request's body cannot be read${error instanceof Error ? `: ${error.message}` : ""}`, error);
  }
  if (bytes.length > MOST_BODY) throw networkError(`the request's body has ${bytes.length} bytes; the limit is ${MOST_BODY}`);
  return bytes;
};

// send asks the host for a response, as parts of one.
const send = async (parts, signal) => {
  const bytes = parts.body === null ? undefined : await upload(parts.body, signal);
  if (isAborted(signal)) throw reasonOf(signal);
  const answer = await ask("fetch", paramsOf(parts, bytes)).catch((error) => { throw explain(error); });
  const list = new HeaderList();
  for (const [name, value] of answer.headers) list.append(name, value);
  return { ...answer, list, bytes: answer.body === undefined ? null : Uint8Array.fromBase64(answer.body) };
};

const readData = ({ url }) => {
  const data = readDataURL(url);
  if (data === null) throw networkError("the data: URL is not well formed");
  const list = new HeaderList();
  list.append("Content-Type", data.type);
  return { url, redirected: false, status: 200, statusText: "OK", list, bytes: data.bytes };
};

const load = async (parts, signal) => {
  const scheme = parts.url.slice(0, parts.url.indexOf(":"));
  if (scheme === "data") return readData(parts);
  if (scheme !== "http" && scheme !== "https") throw networkError(`nothing can be fetched by ${scheme}:`);
  if (parts.mode === "same-origin") throw networkError("the mode is same-origin, and a program has no origin");
  return send(parts, signal);
};

// filter is what the program sees of a response ("filtered response").
const filter = ({ mode, redirect, method, integrity }, { url, redirected, status, statusText, list, bytes }) => {
  if (isRedirect(status) && redirect === "manual") return makeResponse({ type: "opaqueredirect", url, status: 0 }, "immutable");
  if (mode === "no-cors" && !url.startsWith("data:")) return makeResponse({ type: "opaque", status: 0 }, "immutable");
  for (const [name] of list.pairs()) if (isForbiddenInResponse(name)) list.delete(name);
  const body = bytes === null || isBodiless(status) || method === "HEAD" ? null : bytesBody(bytes);
  return makeResponse({ type: "basic", url: url.split("#", 1)[0], redirected, status, statusText, list, body }, "immutable");
};

const perform = async (parts, signal) => {
  const loaded = await load(parts, signal);
  if (isRedirect(loaded.status) && parts.redirect === "error") throw networkError("the answer is a redirect");
  if (parts.integrity !== "" && !(await isIntact(loaded.bytes ?? new Uint8Array(), parts.integrity))) {
    throw networkError(`the answer is not what integrity says: ${parts.integrity}`);
  }
  return filter(parts, loaded);
};

// unlessAborted is a promise of work's result that signal's abort rejects.
const unlessAborted = (signal, work) => new Promise((resolve, reject) => {
  const forget = onAbort(signal, () => reject(reasonOf(signal)));
  work.then(resolve, reject).finally(forget);
});

export const { fetch } = {
  async fetch(input, init = undefined) {
    need("fetch", arguments, 1);
    const request = new Request(input, init), { signal } = request, parts = partsOf(request);
    if (!isAborted(signal)) return unlessAborted(signal, perform(parts, signal));
    discard(parts.body, reasonOf(signal));
    throw reasonOf(signal);
  },
};
