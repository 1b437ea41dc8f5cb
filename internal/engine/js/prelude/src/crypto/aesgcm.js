// AES-GCM (Web Cryptography, section 28).
import { bufferOf, copyOf, lengthOf, randomBytes } from "./bytes.js";
import { bytes, octet, unsignedShort } from "./convert.js";
import { dataError, notSupported, operationError } from "./errors.js";
import * as jwk from "./jwk.js";
import { makeKey } from "./key.js";
import { Uint8Array, setBytes } from "./primordials.js";
import { refuseOthers } from "./usages.js";

const { cryptoSeal, cryptoOpen } = host;
const TAG = 16; // bytes
const USES = ["encrypt", "decrypt", "wrapKey", "unwrapKey"];
const jwkNames = { __proto__: null, 16: "A128GCM", 24: "A192GCM", 32: "A256GCM" };
const tagLengths = { __proto__: null, 32: true, 64: true, 96: true, 104: true, 112: true, 120: true, 128: true };
const keyMembers = [["length", unsignedShort, true]];
const members = [["additionalData", bytes], ["iv", bytes, true], ["tagLength", octet]];
const none = new Uint8Array(0);

const checkLength = (length) => {
  if (length !== 128 && length !== 192 && length !== 256) throw operationError(`AES has no keys of ${length} bits`);
  return length;
};

const generateKey = ({ length }, extractable, usages) => {
  refuseOthers(usages, USES);
  checkLength(length);
  return makeKey("secret", { name: "AES-GCM", length }, extractable, usages, randomBytes(length / 8));
};

const fromJwk = (data, extractable, usages) => {
  jwk.check(data, "oct", "enc", extractable, usages);
  const key = jwk.decode(data, "k"), name = jwkNames[lengthOf(key)];
  if (name !== undefined) jwk.checkName(data, "alg", name);
  return key;
};

const importKey = (_, format, data, extractable, usages) => {
  refuseOthers(usages, USES);
  if (format !== "raw" && format !== "jwk") throw notSupported(`AES keys have no format ${format}`);
  const key = format === "raw" ? data : fromJwk(data, extractable, usages), length = lengthOf(key) * 8;
  if (jwkNames[length / 8] === undefined) throw dataError(`AES has no keys of ${length} bits`);
  return makeKey("secret", { name: "AES-GCM", length }, extractable, usages, key);
};

const exportKey = (format, key) => {
  if (format === "raw") return copyOf("exportKey", key.material);
  if (format !== "jwk") throw notSupported(`AES keys have no format ${format}`);
  return { alg: jwkNames[lengthOf(key.material)], k: jwk.encode(key.material), kty: "oct" };
};

// tagOf is the tag's length in bytes.
const tagOf = ({ iv, tagLength = 128 }) => {
  if (lengthOf(iv) === 0) throw operationError("AES-GCM needs an iv of one byte or more");
  if (!tagLengths[tagLength]) throw operationError(`AES-GCM has no tags of ${tagLength} bits`);
  return tagLength / 8;
};

const encrypt = (parameters, key, data) => {
  const tag = tagOf(parameters), n = lengthOf(data), buffer = new Uint8Array(n + TAG);
  setBytes(buffer, data);
  cryptoSeal(key.material, parameters.iv, parameters.additionalData ?? none, buffer);
  return new Uint8Array(bufferOf(buffer, n + tag));
};

const decrypt = (parameters, key, data) => {
  const tag = tagOf(parameters), n = lengthOf(data);
  if (n < tag) throw operationError("The data is shorter than its tag");
  if (!cryptoOpen(key.material, parameters.iv, parameters.additionalData ?? none, data, tag)) {
    throw operationError("The data is not what was encrypted with this key, iv and additional data");
  }
  return new Uint8Array(bufferOf(data, n - tag));
};

export const aesGcm = {
  name: "AES-GCM",
  generateKey: { members: keyMembers, run: generateKey },
  importKey: { run: importKey },
  exportKey: { run: exportKey },
  keyLength: { members: keyMembers, run: ({ length }) => checkLength(length) },
  encrypt: { members, run: encrypt },
  decrypt: { members, run: decrypt },
};
