// Ed25519 (Secure Curves in Web Cryptography, section 4; RFC 8032).
import { lengthOf, randomBytes } from "./bytes.js";
import { dataError, invalidAccess } from "./errors.js";
import * as jwk from "./jwk.js";
import { exportPair, generatePair, importPair } from "./pair.js";
import { refuseOthers } from "./usages.js";

const { cryptoEdPublic, cryptoEdSign, cryptoEdVerify } = host;
const SIZE = 32; // bytes of either key
const name = "Ed25519", algorithm = { name };

const readJwk = (_, data) => {
  if (data.crv !== name) throw dataError("The JSON Web Key's curve is not Ed25519");
  jwk.checkName(data, "alg", name, "EdDSA");
  return { point: jwk.decode(data, "x"), secret: data.d === undefined ? undefined : jwk.decode(data, "d") };
};

const writeJwk = (_, { secret, point }) =>
  ({ alg: name, crv: name, d: secret && jwk.encode(secret), kty: "OKP", x: jwk.encode(point) });

const family = {
  kty: "OKP", type: () => name,
  pointOf: (_, secret) => (lengthOf(secret) === SIZE ? cryptoEdPublic(secret) : undefined),
  // Whether it is a point of the curve shows when it is used.
  isPoint: (_, point) => lengthOf(point) === SIZE,
  readJwk, writeJwk,
};

const generateKey = (_, extractable, usages) => {
  refuseOthers(usages, ["sign", "verify"]);
  return generatePair(family, algorithm, randomBytes(SIZE), extractable, usages);
};

const sign = (_, key, data) => {
  if (key.type !== "private") throw invalidAccess("Signing needs a private key");
  return cryptoEdSign(key.material.secret, data);
};

const verify = (_, key, signature, data) => {
  if (key.type !== "public") throw invalidAccess("Verifying needs a public key");
  return cryptoEdVerify(key.material.point, data, signature);
};

export const ed25519 = {
  name,
  generateKey: { run: generateKey },
  importKey: { run: (_, format, data, extractable, usages) => importPair(family, algorithm, format, data, extractable, usages) },
  exportKey: { run: (format, key) => exportPair(family, format, key) },
  sign: { run: sign },
  verify: { run: verify },
};
