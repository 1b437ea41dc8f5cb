// What the algorithms that sign with pairs of keys have in common: the formats
// of their keys, and which usages each key of a pair has.
//
// A public key's material is {point}, a private key's {secret, point}. A family
// of keys has these functions:
//   type(algorithm)       the keys' type by its name in DER
//   pointOf(type, secret) the public key to a private one, undefined if it is none
//   isPoint(type, point)  whether point is a public key
//   readJwk(algorithm, jwk)       the material of a JSON Web Key, both parts unchecked
//   writeJwk(algorithm, material) the members of a JSON Web Key
import { copyOf } from "./bytes.js";
import { dataError, invalidAccess } from "./errors.js";
import * as jwk from "./jwk.js";
import { makeKey, onlyUsages } from "./key.js";
import { refuseOthers } from "./usages.js";

const { cryptoSpki, cryptoParseSpki, cryptoPkcs8, cryptoParsePkcs8, cryptoEqual } = host;

const publicKey = (family, algorithm, point, extractable, usages) => {
  if (point === undefined || !family.isPoint(family.type(algorithm), point)) throw dataError("The data is not a public key of this type");
  return makeKey("public", algorithm, extractable, usages, { __proto__: null, point });
};

const privateKey = (family, algorithm, secret, extractable, usages) => {
  const point = secret && family.pointOf(family.type(algorithm), secret);
  if (point === undefined) throw dataError("The data is not a private key of this type");
  return makeKey("private", algorithm, extractable, usages, { __proto__: null, secret, point });
};

const jwkKey = (family, algorithm, data, extractable, usages) => {
  const { secret, point } = family.readJwk(algorithm, data);
  if (secret === undefined) return publicKey(family, algorithm, point, extractable, usages);
  const own = family.pointOf(family.type(algorithm), secret);
  if (own === undefined || !cryptoEqual(own, point)) throw dataError("The JSON Web Key's private key does not fit its public key");
  return privateKey(family, algorithm, secret, extractable, usages);
};

const isPrivate = (format, data) => format === "pkcs8" || (format === "jwk" && data.d !== undefined);

// importPair imports one key of a pair.
export const importPair = (family, algorithm, format, data, extractable, usages) => {
  refuseOthers(usages, isPrivate(format, data) ? ["sign"] : ["verify"]);
  const type = family.type(algorithm);
  switch (format) {
    case "raw": return publicKey(family, algorithm, data, extractable, usages);
    case "spki": return publicKey(family, algorithm, cryptoParseSpki(type, data), extractable, usages);
    case "pkcs8": return privateKey(family, algorithm, cryptoParsePkcs8(type, data), extractable, usages);
  }
  jwk.check(data, family.kty, "sig", extractable, usages);
  return jwkKey(family, algorithm, data, extractable, usages);
};

export const exportPair = (family, format, { type, algorithm, material }) => {
  if (format === "jwk") return family.writeJwk(algorithm, material);
  if (type !== (format === "pkcs8" ? "private" : "public")) throw invalidAccess(`A ${type} key has no format ${format}`);
  switch (format) {
    case "raw": return copyOf("exportKey", material.point);
    case "spki": return cryptoSpki(family.type(algorithm), material.point);
    default: return cryptoPkcs8(family.type(algorithm), material.secret, material.point);
  }
};

// generatePair makes a pair of a secret, or undefined if it is no private key.
export const generatePair = (family, algorithm, secret, extractable, usages) => {
  const point = family.pointOf(family.type(algorithm), secret);
  return point && {
    publicKey: makeKey("public", algorithm, true, onlyUsages(usages, ["verify"]), { __proto__: null, point }),
    privateKey: makeKey("private", algorithm, extractable, onlyUsages(usages, ["sign"]), { __proto__: null, secret, point }),
  };
};
