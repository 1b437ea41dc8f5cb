// Crypto (Web Cryptography, section 10).
import { describe, need } from "../dom/idl.js";
import { fillRandom, lengthOf, randomBytes, tagOf, viewOf } from "./bytes.js";
import { quotaExceeded, typeMismatch } from "./errors.js";
import { TypeError, isView } from "./primordials.js";
import { makeSubtle } from "./subtle.js";

const MOST = 65536; // bytes that one call fills (section 10.1.1)
const integers = { __proto__: null };
for (const name of ["Int8", "Uint8", "Uint8Clamped", "Int16", "Uint16", "Int32", "Uint32", "BigInt64", "BigUint64"]) integers[`${name}Array`] = true;

const token = {};

export class Crypto {
  #subtle;

  constructor() {
    if (arguments[0] !== token) throw new TypeError("Illegal constructor");
    this.#subtle = makeSubtle();
  }

  get subtle() { return this.#subtle; }

  getRandomValues(array) {
    const what = "Crypto.getRandomValues";
    this.#subtle;
    need(what, arguments, 1);
    if (!integers[tagOf(array)]) {
      if (isView(array)) throw typeMismatch(`${what}: the array is not one of integers`);
      throw new TypeError(`${what}: the argument is not a typed array`);
    }
    const bytes = viewOf(what, array), n = lengthOf(bytes);
    if (n > MOST) throw quotaExceeded(`${what}: ${n} bytes are more than ${MOST}`);
    fillRandom(bytes);
    return array;
  }

  randomUUID() {
    this.#subtle;
    const b = randomBytes(16);
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    let s = "";
    for (let i = 0; i < 16; i++) s += (i === 4 || i === 6 || i === 8 || i === 10 ? "-" : "") + hex[b[i]];
    return s;
  }
}
describe(Crypto);

const hex = Array.from({ length: 256 }, (_, i) => (i + 256).toString(16).slice(1));

export const crypto = new Crypto(token);
