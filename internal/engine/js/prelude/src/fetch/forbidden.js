// Which headers a program may not set on a request or a response (Fetch
// Standard, section 2.2.2).
import { parseMIME } from "./mime.js";
import { lower, trim } from "./text.js";

const set = (names) => new Set(names.split(" "));
const request = set(
  "accept-charset accept-encoding access-control-request-headers access-control-request-method " +
  "access-control-request-private-network connection content-length cookie cookie2 date dnt expect host " +
  "keep-alive origin referer set-cookie te trailer transfer-encoding upgrade via");
const overrides = set("x-http-method x-http-method-override x-method-override");
const response = set("set-cookie set-cookie2");
const methods = set("CONNECT TRACE TRACK");
const simple = set("accept accept-language content-language content-type");
const simpleTypes = set("application/x-www-form-urlencoded multipart/form-data text/plain");

// isForbiddenMethod is the same for a request's own method.
export const isForbiddenMethod = (method) => methods.has(method.toUpperCase());

export const isForbiddenInRequest = (name, value) => {
  name = lower(name);
  if (request.has(name) || name.startsWith("proxy-") || name.startsWith("sec-")) return true;
  return overrides.has(name) && value.split(",").some((method) => isForbiddenMethod(trim(method)));
};

export const isForbiddenInResponse = (name) => response.has(lower(name));

// isSimpleName and isSimple are the "no-CORS-safelisted request-header": the
// only ones that a request of mode no-cors carries.
export const isSimpleName = (name) => simple.has(lower(name));

const unsafe = /[\x00-\x08\x0a-\x1f"():<>?@[\\\]{}\x7f]/, notLanguage = /[^0-9A-Za-z *,\-.;=]/;

export const isSimple = (name, value) => {
  if (!isSimpleName(name) || value.length > 128) return false;
  switch (lower(name)) {
    case "accept": return !unsafe.test(value);
    case "content-type": return !unsafe.test(value) && simpleTypes.has(parseMIME(value)?.essence);
    default: return !notLanguage.test(value);
  }
};

// isPrivileged headers go from a request of mode no-cors when a program
// changes its headers.
export const isPrivileged = (name) => lower(name) === "range";
