// The argument of Request and fetch (Fetch Standard, section 5.4, RequestInit).
import { dictionary } from "../dom/idl.js";
import { isSignal } from "../dom/index.js";
import { byteString, enumeration, shown, usv } from "./idl.js";
import { isForbiddenMethod } from "./forbidden.js";
import { pairsOfInit } from "./headers.js";
import { isToken } from "./text.js";

const what = "new Request";
const oneOf = (...names) => (value) => enumeration(what, value, names);
const orNull = (convert) => (value) => (value === null ? null : convert(value));

const signal = (value) => {
  if (!isSignal(value)) throw new TypeError(`${what}: the signal is not an AbortSignal`);
  return value;
};

// members are in the order in which Web IDL reads them.
const members = {
  body: (value) => value,
  cache: oneOf("default", "no-store", "reload", "no-cache", "force-cache", "only-if-cached"),
  credentials: oneOf("omit", "same-origin", "include"),
  duplex: oneOf("half"),
  headers: (value) => pairsOfInit(what, value),
  integrity: (value) => `${value}`,
  keepalive: (value) => !!value,
  method: (value) => byteString(what, value),
  mode: oneOf("navigate", "same-origin", "no-cors", "cors"),
  priority: oneOf("high", "low", "auto"),
  redirect: oneOf("follow", "error", "manual"),
  referrer: usv,
  referrerPolicy: oneOf("", "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin",
    "origin-when-cross-origin", "strict-origin-when-cross-origin", "unsafe-url"),
  signal: orNull(signal),
  window: (value) => value,
};

// readInit returns the members that are there, converted.
export const readInit = (value) => {
  const given = dictionary(what, value), init = {};
  for (const [name, convert] of Object.entries(members)) {
    const member = given[name];
    if (member !== undefined) init[name] = convert(member);
  }
  return init;
};

const normalized = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]);

// methodOf checks a method and normalizes it.
export const methodOf = (method) => {
  if (!isToken(method)) throw new TypeError(`${what}: ${shown(method)} is not a method`);
  if (isForbiddenMethod(method)) throw new TypeError(`${what}: the method ${method} is forbidden`);
  const upper = method.toUpperCase();
  return normalized.has(upper) ? upper : method;
};
