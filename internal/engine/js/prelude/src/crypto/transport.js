// Importing and exporting keys (Web Cryptography, sections 14.3.9 and 14.3.10).
import { known } from "./algorithm.js";
import { copyOf, isBufferSource } from "./bytes.js";
import { isObject } from "./convert.js";
import { invalidAccess, notSupported, syntaxError } from "./errors.js";
import { toJwk } from "./jwk.js";
import { hasUsages, listUsages, slotsOf } from "./key.js";
import { TypeError } from "./primordials.js";

// toKeyData converts to (BufferSource or JsonWebKey).
export const toKeyData = (what, format, value) => {
  if (isBufferSource(value)) {
    if (format === "jwk") throw new TypeError(`${what}: a JSON Web Key is not a buffer`);
    return copyOf(what, value);
  }
  if (value !== undefined && value !== null && !isObject(value)) throw new TypeError(`${what}: the key is not an object`);
  const jwk = toJwk(what, value ?? { __proto__: null });
  if (format !== "jwk") throw new TypeError(`${what}: keys of the format ${format} are buffers`);
  return jwk;
};

const usable = (what, key) => {
  const { type, usages } = slotsOf(what, key);
  if (type !== "public" && !hasUsages(usages)) throw syntaxError(`${what}: the key has no usage`);
  return key;
};

// usableKeys checks a key, or the private one of a pair.
export const usableKeys = (what, result) => {
  usable(what, result.privateKey ?? result);
  return result;
};

// imported is a key of a normalised algorithm.
export const imported = (what, { parameters, run }, format, data, extractable, usages) =>
  usable(what, run(parameters, format, data, extractable, usages));

// exported is a key as bytes or, for jwk, as an object.
export const exported = (what, format, key) => {
  const operation = known("exportKey", key.algorithm.name);
  if (operation === undefined) throw notSupported(`${what}: keys of ${key.algorithm.name} cannot be exported`);
  if (!key.extractable) throw invalidAccess(`${what}: the key is not extractable`);
  const result = operation.run(format, key);
  return format === "jwk" ? complete(result, key) : result;
};

// complete adds what every JSON Web Key has. The members come in the order of
// Web IDL's dictionaries.
const complete = ({ alg, crv, d, k, kty, x, y }, { extractable, usages }) => {
  const all = { alg, crv, d, ext: extractable, k, key_ops: listUsages(usages), kty, x, y };
  for (const name in all) if (all[name] === undefined) delete all[name];
  return all;
};
