// URLSearchParams (URL Standard, section 6.2).
import { describe, need } from "../dom/idl.js";
import { includePairs } from "../fetch/pairs.js";
import { decodeKeeping, encode as bytesOf } from "../fetch/text.js";
import { decodePercent } from "../fetch/urlencoded.js";

const { escapeForm, unescapeForm } = host;
const { apply, ownKeys } = Reflect;
const { getOwnPropertyDescriptor } = Object;
const uncurry = Function.prototype.bind.bind(Function.prototype.call);
const wellFormed = uncurry(String.prototype.toWellFormed), indexOf = uncurry(String.prototype.indexOf), slice = uncurry(String.prototype.slice), codeAt = uncurry(String.prototype.charCodeAt);
const escaped = /[%+]/, special = /[^\w*.-]/;
const matches = uncurry(RegExp.prototype.exec);

// usv is value as a USVString.
export const usv = (value) => wellFormed(`${value}`);

// Go takes so many code units at a time: what is longer stays in the program's
// own memory.
const MOST = 1 << 20;

const decode = (text) => {
  if (matches(escaped, text) === null) return text;
  return text.length <= MOST ? unescapeForm(text) : decodeKeeping(decodePercent(bytesOf(text)));
};

const isHigh = (unit) => unit >= 0xd800 && unit <= 0xdbff;

const encode = (text) => {
  if (matches(special, text) === null) return text;
  if (text.length <= MOST) return escapeForm(text);
  let all = "";
  for (let i = 0, end; i < text.length; i = end) {
    end = i + MOST;
    if (isHigh(codeAt(text, end - 1))) end--;
    all += escapeForm(slice(text, i, end));
  }
  return all;
};

// parse is the application/x-www-form-urlencoded parser (section 5.1) of text.
const parse = (text) => {
  const pairs = [];
  for (let i = 0, end; i < text.length; i = end + 1) {
    end = indexOf(text, "&", i);
    if (end < 0) end = text.length;
    if (end === i) continue;
    const part = slice(text, i, end), equals = indexOf(part, "=");
    pairs[pairs.length] = equals < 0 ? [decode(part), ""] : [decode(slice(part, 0, equals)), decode(slice(part, equals + 1))];
  }
  return pairs;
};

const serialize = (pairs) => {
  let text = "";
  for (let i = 0; i < pairs.length; i++) text += `${i > 0 ? "&" : ""}${encode(pairs[i][0])}=${encode(pairs[i][1])}`;
  return text;
};

const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

// iterate is what an iterable's method yields, as a sequence is converted.
const iterate = (iterable, method) => ({ [Symbol.iterator]: () => apply(method, iterable, []) });

const pairOf = (item) => {
  const method = isObject(item) ? item[Symbol.iterator] : undefined;
  if (typeof method !== "function") throw new TypeError("URLSearchParams: an item is no pair of a name and a value");
  const pair = [];
  for (const half of iterate(item, method)) {
    if (pair.length === 2) throw new TypeError("URLSearchParams: an item is longer than a pair");
    pair[pair.length] = usv(half);
  }
  if (pair.length < 2) throw new TypeError("URLSearchParams: an item is shorter than a pair");
  return pair;
};

const fromRecord = (record) => {
  const map = new Map();
  for (const key of ownKeys(record)) {
    if (getOwnPropertyDescriptor(record, key)?.enumerable) map.set(usv(key), usv(record[key]));
  }
  return [...map];
};

const fromObject = (init) => {
  const method = init[Symbol.iterator];
  if (method === undefined || method === null) return fromRecord(init);
  if (typeof method !== "function") throw new TypeError("URLSearchParams: the initial value cannot be iterated over");
  const pairs = [];
  for (const item of iterate(init, method)) pairs[pairs.length] = pairOf(item);
  return pairs;
};

const before = ([a], [b]) => (a < b ? -1 : a > b ? 1 : 0);

// link has an object tell a URL its text when it changes, and reset gives it
// the text of the URL's query.
export let link, reset;
let pairsOf;

export class URLSearchParams {
  #pairs = [];
  #changed = undefined; // tells the URL

  static {
    link = (params, changed) => { params.#changed = changed; };
    reset = (params, query) => { params.#pairs = parse(query); };
    pairsOf = (params) => params.#pairs;
  }

  constructor(init = "") {
    if (isObject(init)) {
      this.#pairs = fromObject(init);
      return;
    }
    const text = usv(init);
    this.#pairs = parse(text[0] === "?" ? slice(text, 1) : text);
  }

  #update() { this.#changed?.(serialize(this.#pairs)); }

  get size() { return this.#pairs.length; }

  append(name, value) {
    this.#pairs;
    need("URLSearchParams.append", arguments, 2);
    const pair = [usv(name), usv(value)];
    this.#pairs[this.#pairs.length] = pair;
    this.#update();
  }

  delete(name, value = undefined) {
    this.#pairs;
    need("URLSearchParams.delete", arguments, 1);
    name = usv(name);
    if (value !== undefined) value = usv(value);
    this.#pairs = this.#pairs.filter(([n, v]) => n !== name || (value !== undefined && v !== value));
    this.#update();
  }

  get(name) {
    this.#pairs;
    need("URLSearchParams.get", arguments, 1);
    name = usv(name);
    return this.#pairs.find(([n]) => n === name)?.[1] ?? null;
  }

  getAll(name) {
    this.#pairs;
    need("URLSearchParams.getAll", arguments, 1);
    name = usv(name);
    return this.#pairs.filter(([n]) => n === name).map(([, v]) => v);
  }

  has(name, value = undefined) {
    this.#pairs;
    need("URLSearchParams.has", arguments, 1);
    name = usv(name);
    if (value !== undefined) value = usv(value);
    return this.#pairs.some(([n, v]) => n === name && (value === undefined || v === value));
  }

  set(name, value) {
    this.#pairs;
    need("URLSearchParams.set", arguments, 2);
    name = usv(name);
    value = usv(value);
    const i = this.#pairs.findIndex(([n]) => n === name);
    if (i < 0) {
      this.#pairs.push([name, value]);
    } else {
      this.#pairs[i][1] = value;
      this.#pairs = this.#pairs.filter(([n], at) => at <= i || n !== name);
    }
    this.#update();
  }

  sort() {
    this.#pairs.sort(before);
    this.#update();
  }

  toString() { return serialize(this.#pairs); }
}
includePairs(URLSearchParams, (params) => pairsOf(params));
describe(URLSearchParams);
