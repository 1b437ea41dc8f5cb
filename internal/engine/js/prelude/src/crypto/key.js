// CryptoKey (Web Cryptography, section 13).
//
// What a key is made of lies in a private field. Only the modules of this
// directory have slotsOf.
import { describe, serializable } from "../dom/index.js";
import { USAGES } from "./convert.js";
import { TypeError } from "./primordials.js";

// slotsOf is what a key is: {type, extractable, algorithm, usages, material}.
// usages has the member true for each usage; material depends on the algorithm.
export let slotsOf;

const token = {};

export class CryptoKey {
  #slots;
  #shownAlgorithm;
  #shownUsages;

  static {
    slotsOf = (what, key) => {
      if (typeof key !== "object" || key === null || !(#slots in key)) throw new TypeError(`${what}: the value is not a CryptoKey`);
      return key.#slots;
    };
  }

  constructor() {
    if (arguments[0] !== token) throw new TypeError("Illegal constructor");
    this.#slots = arguments[1];
  }

  get type() { return this.#slots.type; }
  get extractable() { return this.#slots.extractable; }
  // What the guest gets it may change: it is a copy.
  get algorithm() { return this.#shownAlgorithm ??= copyAlgorithm(this.#slots.algorithm); }
  get usages() { return this.#shownUsages ??= listUsages(this.#slots.usages); }
}
describe(CryptoKey);

// A clone is made of the same bytes, which nothing ever changes.
serializable(CryptoKey, (key) => {
  const slots = slotsOf("structuredClone", key);
  return () => new CryptoKey(token, slots);
});

const copyAlgorithm = (algorithm) => {
  const copy = { ...algorithm };
  if (copy.hash !== undefined) copy.hash = { name: copy.hash };
  return copy;
};

export const listUsages = (set) => {
  const list = [];
  let n = 0;
  for (let i = 0; i < USAGES.length; i++) if (set[USAGES[i]]) list[n++] = USAGES[i];
  return list;
};

// usageSet turns a list of usages into an object with a member for each.
export const usageSet = (list) => {
  const set = { __proto__: null };
  for (let i = 0; i < list.length; i++) set[list[i]] = true;
  return set;
};

export const hasUsages = (set) => {
  for (const _ in set) return true;
  return false;
};

// onlyUsages is the part of usages that is in list.
export const onlyUsages = (usages, list) => {
  const set = { __proto__: null };
  for (let i = 0; i < list.length; i++) if (usages[list[i]]) set[list[i]] = true;
  return set;
};

// makeKey makes a key. Its algorithm has its hash, if any, by name.
export const makeKey = (type, algorithm, extractable, usages, material) =>
  new CryptoKey(token, { __proto__: null, type, algorithm: { __proto__: null, ...algorithm }, extractable, usages, material });
