// SubtleCrypto (Web Cryptography, section 14).
//
// Each method does its work when it is called and returns a promise that is
// settled already: nothing here waits for anything. No method throws.
import { describe, need } from "../dom/idl.js";
import { normalize, toIdentifier } from "./algorithm.js";
import { bufferOf, copyOf } from "./bytes.js";
import { isObject, keyFormat, keyUsages, toLength } from "./convert.js";
import { invalidAccess } from "./errors.js";
import { slotsOf, usageSet } from "./key.js";
import { Promise, TypeError } from "./primordials.js";
import { exported, imported, toKeyData, usableKeys } from "./transport.js";
import { fromJson, toJson } from "./serial.js";

// allow throws unless a key is one of the algorithm's and may be used so.
const allow = (what, name, key, usage) => {
  if (key.algorithm.name !== name) throw invalidAccess(`${what}: the key is one of ${key.algorithm.name}, not of ${name}`);
  if (!key.usages[usage]) throw invalidAccess(`${what}: the key may not be used to ${usage}`);
};

const crypt = (what, usage, algorithm, key, data) => {
  algorithm = toIdentifier(what, algorithm);
  key = slotsOf(what, key);
  data = copyOf(what, data);
  const { name, parameters, run } = normalize(what, usage, algorithm);
  allow(what, name, key, usage);
  return bufferOf(run(parameters, key, data));
};

const verify = (what, algorithm, key, signature, data) => {
  algorithm = toIdentifier(what, algorithm);
  key = slotsOf(what, key);
  signature = copyOf(what, signature);
  data = copyOf(what, data);
  const { name, parameters, run } = normalize(what, "verify", algorithm);
  allow(what, name, key, "verify");
  return run(parameters, key, signature, data);
};

const digest = (what, algorithm, data) => {
  algorithm = toIdentifier(what, algorithm);
  data = copyOf(what, data);
  const { parameters, run } = normalize(what, "digest", algorithm);
  return bufferOf(run(parameters, data));
};

const generateKey = (what, algorithm, extractable, usages) => {
  algorithm = toIdentifier(what, algorithm);
  usages = usageSet(keyUsages(what, usages));
  const { parameters, run } = normalize(what, "generateKey", algorithm);
  return usableKeys(what, run(parameters, !!extractable, usages));
};

const deriveBits = (what, algorithm, key, length) => {
  algorithm = toIdentifier(what, algorithm);
  key = slotsOf(what, key);
  length = toLength(what, length);
  const { name, parameters, run } = normalize(what, "deriveBits", algorithm);
  allow(what, name, key, "deriveBits");
  return bufferOf(run(parameters, key, length));
};

const deriveKey = (what, algorithm, key, type, extractable, usages) => {
  algorithm = toIdentifier(what, algorithm);
  key = slotsOf(what, key);
  type = toIdentifier(what, type);
  usages = usageSet(keyUsages(what, usages));
  const { name, parameters, run } = normalize(what, "deriveBits", algorithm);
  const target = normalize(what, "importKey", type), length = normalize(what, "keyLength", type);
  allow(what, name, key, "deriveKey");
  const secret = run(parameters, key, length.run(length.parameters));
  return imported(what, target, "raw", secret, !!extractable, usages);
};

const importKey = (what, format, data, algorithm, extractable, usages) => {
  format = keyFormat(what, format);
  data = toKeyData(what, format, data);
  algorithm = toIdentifier(what, algorithm);
  usages = usageSet(keyUsages(what, usages));
  return imported(what, normalize(what, "importKey", algorithm), format, data, !!extractable, usages);
};

const exportKey = (what, format, key) => {
  format = keyFormat(what, format);
  const result = exported(what, format, slotsOf(what, key));
  return format === "jwk" ? result : bufferOf(result);
};

const wrapKey = (what, format, key, wrapping, algorithm) => {
  format = keyFormat(what, format);
  key = slotsOf(what, key);
  wrapping = slotsOf(what, wrapping);
  const { name, parameters, run } = normalize(what, "encrypt", toIdentifier(what, algorithm));
  allow(what, name, wrapping, "wrapKey");
  const result = exported(what, format, key);
  return bufferOf(run(parameters, wrapping, format === "jwk" ? toJson(result) : result));
};

const unwrapKey = (what, format, data, unwrapping, algorithm, type, extractable, usages) => {
  format = keyFormat(what, format);
  data = copyOf(what, data);
  unwrapping = slotsOf(what, unwrapping);
  algorithm = toIdentifier(what, algorithm);
  type = toIdentifier(what, type);
  usages = usageSet(keyUsages(what, usages));
  const { name, parameters, run } = normalize(what, "decrypt", algorithm), target = normalize(what, "importKey", type);
  allow(what, name, unwrapping, "unwrapKey");
  const bytes = run(parameters, unwrapping, data);
  return imported(what, target, format, format === "jwk" ? fromJson(what, bytes) : bytes, !!extractable, usages);
};

// settled is what f returns or throws as a promise.
const settled = (f) => new Promise((resolve, reject) => {
  let value;
  try {
    value = f();
  } catch (error) {
    reject(error);
    return;
  }
  resolve(value);
});

const token = {};

export class SubtleCrypto {
  #brand = true;

  constructor() {
    if (arguments[0] !== token) throw new TypeError("Illegal constructor");
  }

  // attempt is what a method does: f's result as a promise.
  static #attempt(self, name, args, n, f) {
    return settled(() => {
      const what = `SubtleCrypto.${name}`;
      if (!isObject(self) || !(#brand in self)) throw new TypeError(`${what}: this is not a SubtleCrypto`);
      need(what, args, n);
      return f(what);
    });
  }

  encrypt(algorithm, key, data) {
    return SubtleCrypto.#attempt(this, "encrypt", arguments, 3, (what) =>
      crypt(what, "encrypt", algorithm, key, data));
  }
  decrypt(algorithm, key, data) {
    return SubtleCrypto.#attempt(this, "decrypt", arguments, 3, (what) =>
      crypt(what, "decrypt", algorithm, key, data));
  }
  sign(algorithm, key, data) { return SubtleCrypto.#attempt(this, "sign", arguments, 3, (what) => crypt(what, "sign", algorithm, key, data)); }
  verify(algorithm, key, signature, data) {
    return SubtleCrypto.#attempt(this, "verify", arguments, 4, (what) =>
      verify(what, algorithm, key, signature, data));
  }
  digest(algorithm, data) { return SubtleCrypto.#attempt(this, "digest", arguments, 2, (what) => digest(what, algorithm, data)); }
  generateKey(algorithm, extractable, keyUsages) {
    return SubtleCrypto.#attempt(this, "generateKey", arguments, 3, (what) =>
      generateKey(what, algorithm, extractable, keyUsages));
  }
  deriveKey(algorithm, baseKey, derivedKeyType, extractable, keyUsages) {
    return SubtleCrypto.#attempt(this, "deriveKey", arguments, 5, (what) =>
      deriveKey(what, algorithm, baseKey, derivedKeyType, extractable, keyUsages));
  }
  deriveBits(algorithm, baseKey, length = null) {
    return SubtleCrypto.#attempt(this, "deriveBits", arguments, 2, (what) =>
      deriveBits(what, algorithm, baseKey, length));
  }
  importKey(format, keyData, algorithm, extractable, keyUsages) {
    return SubtleCrypto.#attempt(this, "importKey", arguments, 5, (what) =>
      importKey(what, format, keyData, algorithm, extractable, keyUsages));
  }
  exportKey(format, key) { return SubtleCrypto.#attempt(this, "exportKey", arguments, 2, (what) => exportKey(what, format, key)); }
  wrapKey(format, key, wrappingKey, wrapAlgorithm) {
    return SubtleCrypto.#attempt(this, "wrapKey", arguments, 4, (what) =>
      wrapKey(what, format, key, wrappingKey, wrapAlgorithm));
  }
  unwrapKey(format, wrappedKey, unwrappingKey, unwrapAlgorithm, unwrappedKeyAlgorithm, extractable, keyUsages) {
    return SubtleCrypto.#attempt(this, "unwrapKey", arguments, 7, (what) =>
      unwrapKey(what, format, wrappedKey, unwrappingKey, unwrapAlgorithm, unwrappedKeyAlgorithm, extractable, keyUsages));
  }
}
describe(SubtleCrypto);

export const makeSubtle = () => new SubtleCrypto(token);
