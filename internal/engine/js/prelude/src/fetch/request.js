// Request (Fetch Standard, section 5.4). There is no document here, hence no
// base for relative addresses and no origin: every address is another origin's.
import { AbortController, AbortSignal } from "../dom/index.js";
import { describe, need } from "../dom/idl.js";
import { URL } from "../url/index.js";
import { extract, includeBody, isBodyUnusable, move, split } from "./body.js";
import { HeaderList } from "./headerlist.js";
import { fill, listOf, makeHeaders } from "./headers.js";
import { isObject, shown, usv } from "./idl.js";
import { methodOf, readInit } from "./requestinit.js";

const what = "new Request";
const internal = Symbol("internal");
const simpleMethods = new Set(["GET", "HEAD", "POST"]);

const parse = (text) => {
  let url;
  try {
    url = new URL(text);
  } catch (error) {
    throw new TypeError(`${what}: ${shown(text)} is not an absolute URL`, { cause: error });
  }
  if (url.username !== "" || url.password !== "") throw new TypeError(`${what}: the URL has a user name or a password in it`);
  return url.href;
};

const fresh = (url) => ({
  url, method: "GET", list: new HeaderList(), body: null, mode: "cors", credentials: "same-origin", cache: "default",
  redirect: "follow", referrer: "about:client", referrerPolicy: "", integrity: "", keepalive: false,
});

// referrerOf is "about:client" for whatever is not of the program's origin.
const referrerOf = (text) => {
  if (text === "") return "";
  try {
    new URL(text);
  } catch (error) {
    throw new TypeError(`${what}: the referrer ${shown(text)} is not a URL`, { cause: error });
  }
  return "about:client";
};

// apply changes a request's parts as an init that has any member says.
const apply = (parts, init) => {
  if (init.window !== undefined && init.window !== null) throw new TypeError(`${what}: the window is not null`);
  if (init.mode === "navigate") throw new TypeError(`${what}: the mode must not be navigate`);
  if (!isEmpty(init)) Object.assign(parts, { referrer: "about:client", referrerPolicy: "" });
  if (init.referrer !== undefined) parts.referrer = referrerOf(init.referrer);
  for (const name of ["referrerPolicy", "mode", "credentials", "cache", "redirect", "integrity", "keepalive"]) {
    if (init[name] !== undefined) parts[name] = init[name];
  }
  if (parts.cache === "only-if-cached" && parts.mode !== "same-origin") {
    throw new TypeError(`${what}: the cache mode only-if-cached needs the mode same-origin`);
  }
  if (init.method !== undefined) parts.method = methodOf(init.method);
};

const guardOf = ({ mode }) => (mode === "no-cors" ? "request-no-cors" : "request");
const copyOf = (parts) => ({ ...parts, list: parts.list.copy(), body: null });
const isEmpty = (init) => Object.keys(init).length === 0;

const headersOf = (parts, init) => {
  if (parts.mode === "no-cors" && !simpleMethods.has(parts.method)) {
    throw new TypeError(`${what}: a request of mode no-cors cannot be a ${parts.method}`);
  }
  const pairs = isEmpty(init) ? [] : init.headers ?? parts.list.pairs();
  if (!isEmpty(init)) parts.list = new HeaderList();
  const headers = makeHeaders(parts.list, guardOf(parts));
  fill(what, headers, pairs);
  return headers;
};

// given is the body that init tells, or null.
const given = (parts, init, headers) => {
  const { body, type } = extract(what, init.body);
  if (type !== null && !listOf(headers).has("content-type")) headers.append("Content-Type", type);
  if (body.stream === null) return body;
  if (init.keepalive) throw new TypeError(`${what}: a stream cannot be the body of a request that is kept alive`);
  if (init.duplex === undefined) throw new TypeError(`${what}: a stream as a body needs duplex: "half"`);
  if (parts.mode === "no-cors") throw new TypeError(`${what}: a request of mode no-cors cannot have a stream as its body`);
  return body;
};

const bodyOf = (parts, init, headers, inherited) => {
  const isGiven = init.body !== undefined && init.body !== null;
  if (!isGiven && inherited === null) return null;
  if (parts.method === "GET" || parts.method === "HEAD") throw new TypeError(`${what}: a ${parts.method} cannot have a body`);
  if (isGiven) return given(parts, init, headers);
  if (isBodyUnusable(inherited)) throw new TypeError(`${what}: the body of the request has been read already, or somebody reads it`);
  return move(inherited);
};

const signalFor = (signal) => (signal === null || signal === undefined ? new AbortController().signal : AbortSignal.any([signal]));

const cloneOf = (request) => new Request(internal, request);

// partsOf is what a request consists of. Its list is that of its headers.
export let partsOf, isRequest;

export class Request {
  #parts;
  #headers;
  #signal;

  static {
    partsOf = (request) => request.#parts;
    isRequest = (value) => isObject(value) && #parts in value;
  }

  constructor(input, init = undefined) {
    need(what, arguments, 1);
    if (input === internal) {
      this.#parts = copyOf(init.#parts);
      this.#signal = AbortSignal.any([init.#signal]);
      this.#headers = makeHeaders(this.#parts.list, guardOf(this.#parts));
      return;
    }
    const source = isRequest(input) ? input : null, text = source === null ? usv(input) : "";
    init = readInit(init);
    const parts = source === null ? fresh(parse(text)) : copyOf(source.#parts);
    apply(parts, init);
    this.#signal = signalFor(init.signal === undefined ? source?.#signal : init.signal);
    this.#headers = headersOf(parts, init);
    parts.body = bodyOf(parts, init, this.#headers, source?.#parts.body ?? null);
    this.#parts = parts;
  }

  get method() { return this.#parts.method; }
  get url() { return this.#parts.url; }
  get headers() { return this.#headers; }
  get destination() { return ""; }
  get referrer() { return this.#parts.referrer; }
  get referrerPolicy() { return this.#parts.referrerPolicy; }
  get mode() { return this.#parts.mode; }
  get credentials() { return this.#parts.credentials; }
  get cache() { return this.#parts.cache; }
  get redirect() { return this.#parts.redirect; }
  get integrity() { return this.#parts.integrity; }
  get keepalive() { return this.#parts.keepalive; }
  get isReloadNavigation() { return false; }
  get isHistoryNavigation() { return false; }
  get signal() { return this.#signal; }
  get duplex() { return "half"; }

  clone() {
    const { body } = this.#parts;
    if (isBodyUnusable(body)) throw new TypeError("Request.clone: the body has been read already, or somebody reads it");
    const copy = cloneOf(this);
    copy.#parts.body = split(body);
    return copy;
  }
}
includeBody(Request, (request) => ({ body: partsOf(request).body, headers: partsOf(request).list }));
describe(Request);
