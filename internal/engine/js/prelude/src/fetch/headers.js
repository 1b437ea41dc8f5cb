// Headers (Fetch Standard, section 5.1).
import { describe, need } from "../dom/idl.js";
import { isForbiddenInRequest, isForbiddenInResponse, isPrivileged, isSimple, isSimpleName } from "./forbidden.js";
import { HeaderList, MOST_VALUES } from "./headerlist.js";
import { byteString, collect, isObject, sequence, shown } from "./idl.js";
import { includePairs } from "./pairs.js";
import { isToken, trim } from "./text.js";

const notValue = /[\0\n\r]/;
const pair = (what) => (item) => {
  const list = sequence(what, item, (text) => byteString(what, text), 3);
  if (list.length !== 2) throw new TypeError(`${what}: a pair has ${list.length === 3 ? "more than two" : list.length} items`);
  return list;
};

// pairsOfInit is a HeadersInit as pairs of byte strings.
export const pairsOfInit = (what, init) => {
  if (!isObject(init)) throw new TypeError(`${what}: the headers are not an object`);
  const method = init[Symbol.iterator];
  if (method !== undefined && method !== null) return collect(what, init, method, pair(what), MOST_VALUES);
  const pairs = [];
  for (const key of Reflect.ownKeys(init)) {
    if (!Object.getOwnPropertyDescriptor(init, key)?.enumerable) continue;
    pairs.push([byteString(what, key), byteString(what, init[key])]);
  }
  return pairs;
};

const checkName = (what, name) => {
  name = byteString(what, name);
  if (!isToken(name)) throw new TypeError(`${what}: ${shown(name)} is not a header's name`);
  return name;
};

const normal = (what, value) => trim(byteString(what, value));

// listOf is a Headers object's list, guardOf its guard, and fill appends pairs
// as append does.
export let listOf, guardOf, fill;
let adopt;

// makeHeaders is a Headers object over a list.
export const makeHeaders = (list, guard) => adopt(new Headers(), list, guard);

export class Headers {
  #list = new HeaderList();
  #guard = "none"; // or request, request-no-cors, response, immutable

  static {
    adopt = (headers, list, guard) => {
      headers.#list = list;
      headers.#guard = guard;
      return headers;
    };
    listOf = (headers) => headers.#list;
    guardOf = (headers) => headers.#guard;
    fill = (what, headers, pairs) => {
      for (const [name, value] of pairs) headers.#append(what, checkName(what, name), normal(what, value));
    };
  }

  constructor(init = undefined) {
    if (init !== undefined) fill("new Headers", this, pairsOfInit("new Headers", init));
  }

  // #mayChange throws or reports whether the guard lets name have value.
  #mayChange(what, name, value) {
    if (notValue.test(value)) throw new TypeError(`${what}: the value of ${name} has a NUL or a line's end in it`);
    if (this.#guard === "immutable") throw new TypeError(`${what}: these headers cannot be changed`);
    if (this.#guard === "request") return !isForbiddenInRequest(name, value);
    return this.#guard !== "response" || !isForbiddenInResponse(name);
  }

  #dropPrivileged() {
    if (this.#guard === "request-no-cors") this.#list.delete("range");
  }

  #append(what, name, value) {
    if (!this.#mayChange(what, name, value)) return;
    if (this.#guard === "request-no-cors") {
      const before = this.#list.get(name);
      if (!isSimple(name, before === null ? value : `${before}, ${value}`)) return;
    }
    this.#list.append(name, value);
    this.#dropPrivileged();
  }

  append(name, value) {
    need("Headers.append", arguments, 2);
    this.#append("Headers.append", checkName("Headers.append", name), normal("Headers.append", value));
  }

  delete(name) {
    need("Headers.delete", arguments, 1);
    name = checkName("Headers.delete", name);
    if (!this.#mayChange("Headers.delete", name, "")) return;
    if (this.#guard === "request-no-cors" && !isSimpleName(name) && !isPrivileged(name)) return;
    this.#list.delete(name);
    this.#dropPrivileged();
  }

  get(name) {
    need("Headers.get", arguments, 1);
    return this.#list.get(checkName("Headers.get", name));
  }

  getSetCookie() { return this.#list.all("set-cookie"); }

  has(name) {
    need("Headers.has", arguments, 1);
    return this.#list.has(checkName("Headers.has", name));
  }

  set(name, value) {
    need("Headers.set", arguments, 2);
    name = checkName("Headers.set", name);
    value = normal("Headers.set", value);
    if (!this.#mayChange("Headers.set", name, value)) return;
    if (this.#guard === "request-no-cors" && !isSimple(name, value)) return;
    this.#list.set(name, value);
    this.#dropPrivileged();
  }
}
includePairs(Headers, (headers) => listOf(headers).sorted());
describe(Headers);
