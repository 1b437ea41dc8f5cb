// ECDSA (Web Cryptography, section 23). Signatures are deterministic (RFC 6979).
import { hash } from "./algorithm.js";
import { lengthOf, randomBytes } from "./bytes.js";
import { text } from "./convert.js";
import { dataError, invalidAccess, notSupported } from "./errors.js";
import * as jwk from "./jwk.js";
import { exportPair, generatePair, importPair } from "./pair.js";
import { Uint8Array, setBytes, subarray } from "./primordials.js";
import { refuseOthers } from "./usages.js";

const { cryptoEcPublic, cryptoEcPoint, cryptoEcSign, cryptoEcVerify } = host;
const UNCOMPRESSED = 4; // begins a point (SEC 1, section 2.3.3)

// Bytes of a coordinate, and bits that the first byte of a private key has.
const curves = {
  __proto__: null,
  "P-256": { size: 32, mask: 0xff, alg: "ES256" },
  "P-384": { size: 48, mask: 0xff, alg: "ES384" },
  "P-521": { size: 66, mask: 0x01, alg: "ES512" },
};

const curveMembers = [["namedCurve", text, true]];
const members = [["hash", hash, true]];

const toAlgorithm = ({ namedCurve }) => {
  if (curves[namedCurve] === undefined) throw notSupported(`There is no curve '${namedCurve}' here`);
  return { name: "ECDSA", namedCurve };
};

const coordinate = (data, name, size) => {
  const bytes = jwk.decode(data, name);
  if (lengthOf(bytes) !== size) throw dataError(`The JSON Web Key's ${name} has not ${size} bytes`);
  return bytes;
};

const readJwk = ({ namedCurve }, data) => {
  const { size, alg } = curves[namedCurve];
  if (data.crv !== namedCurve) throw dataError(`The JSON Web Key's curve is not ${namedCurve}`);
  jwk.checkName(data, "alg", alg);
  const point = new Uint8Array(2 * size + 1);
  point[0] = UNCOMPRESSED;
  setBytes(point, coordinate(data, "x", size), 1);
  setBytes(point, coordinate(data, "y", size), 1 + size);
  return { point, secret: data.d === undefined ? undefined : coordinate(data, "d", size) };
};

const writeJwk = ({ namedCurve }, { secret, point }) => {
  const { size } = curves[namedCurve];
  const x = jwk.encode(subarray(point, 1, 1 + size)), y = jwk.encode(subarray(point, 1 + size));
  return { crv: namedCurve, d: secret && jwk.encode(secret), kty: "EC", x, y };
};

const family = {
  kty: "EC", type: ({ namedCurve }) => namedCurve,
  pointOf: cryptoEcPublic, isPoint: cryptoEcPoint, readJwk, writeJwk,
};

// A random number that is no private key, being 0 or not below the curve's
// order, is drawn again.
const generateKey = (parameters, extractable, usages) => {
  refuseOthers(usages, ["sign", "verify"]);
  const algorithm = toAlgorithm(parameters), { size, mask } = curves[algorithm.namedCurve];
  for (;;) {
    const secret = randomBytes(size);
    secret[0] &= mask;
    const pair = generatePair(family, algorithm, secret, extractable, usages);
    if (pair !== undefined) return pair;
  }
};

const importKey = (parameters, format, data, extractable, usages) =>
  importPair(family, toAlgorithm(parameters), format, data, extractable, usages);

const need = (type, key) => {
  if (key.type !== type) throw invalidAccess(`This needs a ${type} key`);
};

const sign = ({ hash }, key, data) => {
  need("private", key);
  return cryptoEcSign(key.algorithm.namedCurve, key.material.secret, hash, data);
};

const verify = ({ hash }, key, signature, data) => {
  need("public", key);
  return cryptoEcVerify(key.algorithm.namedCurve, key.material.point, hash, data, signature);
};

export const ecdsa = {
  name: "ECDSA",
  generateKey: { members: curveMembers, run: generateKey },
  importKey: { members: curveMembers, run: importKey },
  exportKey: { run: (format, key) => exportPair(family, format, key) },
  sign: { members, run: sign },
  verify: { members, run: verify },
};
