// Conversions of Web IDL (section 3.2) that the dictionaries of Web
// Cryptography ask for.
import { Number, String, TypeError, iteratorKey, trunc } from "./primordials.js";
import { copyOf } from "./bytes.js";

export const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";

// An integer type with [EnforceRange].
const integer = (most) => (what, value) => {
  const x = trunc(Number(value));
  if (!(x >= 0 && x <= most)) throw new TypeError(`${what}: the value is not an integer from 0 to ${most}`);
  return x + 0; // no -0
};
export const octet = integer(0xff), unsignedShort = integer(0xffff), unsignedLong = integer(0xffffffff);

export const bytes = (what, value) => copyOf(what, value);
export const text = (what, value) => {
  if (typeof value === "symbol") throw new TypeError(`${what}: a symbol is not a string`);
  return String(value);
};
export const boolean = (_, value) => !!value;

export const sequenceOf = (convert) => (what, value) => {
  if (!isObject(value) || typeof value[iteratorKey] !== "function") throw new TypeError(`${what}: the value is not a sequence`);
  const list = [];
  let n = 0;
  for (const item of value) list[n++] = convert(what, item);
  return list;
};

const enumeration = (values) => {
  const known = { __proto__: null };
  for (const value of values) known[value] = true;
  return (what, value) => {
    value = text(what, value);
    if (!known[value]) throw new TypeError(`${what}: '${value}' is not one of ${values}`);
    return value;
  };
};

export const USAGES = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];
export const keyFormat = enumeration(["raw", "spki", "pkcs8", "jwk"]);
export const keyUsages = sequenceOf(enumeration(USAGES));

// dictionary reads members of an object, each described as
// [name, conversion, whether it is required], in the order of the list.
export const dictionary = (what, value, members) => {
  const result = { __proto__: null };
  for (let i = 0; i < members.length; i++) {
    const name = members[i][0], member = value[name];
    if (member !== undefined) result[name] = members[i][1](`${what}: ${name}`, member);
    else if (members[i][2]) throw new TypeError(`${what}: the member ${name} is missing`);
  }
  return result;
};

// toLength is an unsigned long that may be null.
export const toLength = (what, value) => (value === undefined || value === null ? null : unsignedLong(what, value));
