// HMAC (Web Cryptography, section 29).
import { hash } from "./algorithm.js";
import { copyOf, lengthOf, randomBytes } from "./bytes.js";
import { unsignedLong } from "./convert.js";
import { dataError, notSupported, operationError } from "./errors.js";
import * as jwk from "./jwk.js";
import { makeKey } from "./key.js";
import { TypeError } from "./primordials.js";
import { refuseOthers } from "./usages.js";
import { blockSizes } from "./sha.js";

const { cryptoHmac, cryptoEqual } = host;
const USES = ["sign", "verify"];
const members = [["hash", hash, true], ["length", unsignedLong]];
const jwkNames = { __proto__: null, "SHA-1": "HS1", "SHA-256": "HS256", "SHA-384": "HS384", "SHA-512": "HS512" };

// cut keeps the first bits of bytes.
const cut = (bytes, bits) => {
  if (bits % 8 !== 0) bytes[lengthOf(bytes) - 1] &= 0xff00 >> bits % 8;
  return bytes;
};

const bytesFor = (bits) => (bits + 7 - ((bits + 7) % 8)) / 8;

const generateKey = (parameters, extractable, usages) => {
  refuseOthers(usages, USES);
  const length = parameters.length ?? blockSizes[parameters.hash] * 8;
  if (length === 0) throw operationError("An HMAC key of no bits cannot be made");
  const material = cut(randomBytes(bytesFor(length)), length);
  return makeKey("secret", { name: "HMAC", hash: parameters.hash, length }, extractable, usages, material);
};

const fromJwk = (data, parameters, extractable, usages) => {
  jwk.check(data, "oct", "sig", extractable, usages);
  jwk.checkName(data, "alg", jwkNames[parameters.hash]);
  return jwk.decode(data, "k");
};

const importKey = (parameters, format, data, extractable, usages) => {
  refuseOthers(usages, USES);
  if (format !== "raw" && format !== "jwk") throw notSupported(`HMAC keys have no format ${format}`);
  const bytes = format === "raw" ? data : fromJwk(data, parameters, extractable, usages);
  const most = lengthOf(bytes) * 8;
  if (most === 0) throw dataError("The key is empty");
  const length = parameters.length ?? most;
  if (length > most || length <= most - 8) throw dataError(`The key has ${most} bits, not ${length}`);
  return makeKey("secret", { name: "HMAC", hash: parameters.hash, length }, extractable, usages, cut(bytes, length));
};

const exportKey = (format, key) => {
  if (format === "raw") return copyOf("exportKey", key.material);
  if (format !== "jwk") throw notSupported(`HMAC keys have no format ${format}`);
  return { alg: jwkNames[key.algorithm.hash], k: jwk.encode(key.material), kty: "oct" };
};

const sign = (_, key, data) => cryptoHmac(key.algorithm.hash, key.material, data);

const keyLength = ({ hash, length }) => {
  if (length === 0) throw new TypeError("An HMAC key of no bits cannot be derived");
  return length ?? blockSizes[hash] * 8;
};

export const hmac = {
  name: "HMAC",
  generateKey: { members, run: generateKey },
  importKey: { members, run: importKey },
  exportKey: { run: exportKey },
  keyLength: { members, run: keyLength },
  sign: { run: sign },
  verify: { run: (parameters, key, signature, data) => cryptoEqual(sign(parameters, key, data), signature) },
};
