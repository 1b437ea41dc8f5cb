// Response (Fetch Standard, section 5.5).
import { describe, dictionary, need } from "../dom/idl.js";
import { URL } from "../url/index.js";
import { bytesBody, extract, includeBody, isBodyUnusable, split } from "./body.js";
import { HeaderList } from "./headerlist.js";
import { fill, guardOf, listOf, makeHeaders, pairsOfInit } from "./headers.js";
import { byteString, shown, unsignedShort, usv } from "./idl.js";
import { encode } from "./text.js";

const { stringify } = JSON;
const internal = Symbol("internal");
const bodiless = new Set([101, 103, 204, 205, 304]);
const redirects = new Set([301, 302, 303, 307, 308]);
const notReason = /[^\t\x20-\x7e\x80-\xff]/;

// isBodiless reports whether a response with this status has no body.
export const isBodiless = (status) => bodiless.has(status);
export const isRedirect = (status) => redirects.has(status);

// readInit is a ResponseInit, in the order in which Web IDL reads it.
const readInit = (what, value) => {
  const given = dictionary(what, value), { headers } = given;
  const pairs = headers === undefined ? [] : pairsOfInit(what, headers);
  const { status = 200, statusText = "" } = given;
  return { pairs, status: unsignedShort(status), statusText: byteString(what, statusText) };
};

const fresh = () => ({ type: "default", url: "", redirected: false, status: 200, statusText: "", list: new HeaderList(), body: null });

// partsOf is what a response consists of.
export let partsOf;

// makeResponse is a response of such parts, with what is not said as it is in
// a fresh one.
export const makeResponse = (parts, guard) => new Response(internal, { parts, guard });

export class Response {
  #parts = fresh();
  #headers;

  static {
    partsOf = (response) => response.#parts;
  }

  constructor(body = null, init = undefined) {
    if (body === internal) {
      Object.assign(this.#parts, init.parts);
      this.#headers = makeHeaders(this.#parts.list, init.guard);
      return;
    }
    const given = readInit("new Response", init);
    this.#headers = makeHeaders(this.#parts.list, "response");
    this.#initialize("new Response", given, body === null ? null : extract("new Response", body));
  }

  #initialize(what, { pairs, status, statusText }, extracted) {
    if (status < 200 || status > 599) throw new RangeError(`${what}: the status ${status} is not from 200 to 599`);
    if (notReason.test(statusText)) throw new TypeError(`${what}: ${shown(statusText)} is not a reason phrase`);
    Object.assign(this.#parts, { status, statusText });
    fill(what, this.#headers, pairs);
    if (extracted === null) return;
    if (isBodiless(status)) throw new TypeError(`${what}: a response with status ${status} has no body`);
    this.#parts.body = extracted.body;
    if (extracted.type !== null && !this.#parts.list.has("content-type")) this.#headers.append("Content-Type", extracted.type);
  }

  static error() { return makeResponse({ type: "error", status: 0 }, "immutable"); }

  static redirect(url, status = 302) {
    need("Response.redirect", arguments, 1);
    url = usv(url);
    status = unsignedShort(status);
    const location = new URL(url).href; // throws a TypeError
    if (!isRedirect(status)) throw new RangeError(`Response.redirect: ${status} is no status of a redirect`);
    const response = makeResponse({ status }, "immutable");
    listOf(response.#headers).append("Location", location);
    return response;
  }

  static json(data, init = undefined) {
    need("Response.json", arguments, 1);
    const given = readInit("Response.json", init), text = stringify(data);
    if (text === undefined) throw new TypeError("Response.json: the data cannot be JSON");
    const response = makeResponse({}, "response");
    response.#initialize("Response.json", given, { body: bytesBody(encode(text)), type: "application/json" });
    return response;
  }

  get type() { return this.#parts.type; }
  get url() { return this.#parts.url; }
  get redirected() { return this.#parts.redirected; }
  get status() { return this.#parts.status; }
  get ok() { return this.#parts.status >= 200 && this.#parts.status <= 299; }
  get statusText() { return this.#parts.statusText; }
  get headers() { return this.#headers; }

  clone() {
    const { body } = this.#parts;
    if (isBodyUnusable(body)) throw new TypeError("Response.clone: the body has been read already, or somebody reads it");
    const parts = { ...this.#parts, list: this.#parts.list.copy(), body: split(body) };
    return makeResponse(parts, guardOf(this.#headers));
  }
}
includeBody(Response, (response) => ({ body: partsOf(response).body, headers: partsOf(response).list }));
describe(Response);
