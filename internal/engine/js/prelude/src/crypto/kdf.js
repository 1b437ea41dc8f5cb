// HKDF and PBKDF2 (Web Cryptography, sections 32 and 33).
import { hash } from "./algorithm.js";
import { bytes, unsignedLong } from "./convert.js";
import { notSupported, operationError, syntaxError } from "./errors.js";
import { makeKey } from "./key.js";
import { Uint8Array } from "./primordials.js";
import { refuseOthers } from "./usages.js";

const { cryptoHkdf, cryptoPbkdf2 } = host;

const importKey = (name) => (_, format, data, extractable, usages) => {
  if (format !== "raw") throw notSupported(`${name} keys have no format ${format}`);
  refuseOthers(usages, ["deriveKey", "deriveBits"]);
  if (extractable) throw syntaxError(`${name} keys cannot be extractable`);
  return makeKey("secret", { name }, false, usages, data);
};

const bytesOf = (bits) => {
  if (bits === null || bits % 8 !== 0) throw operationError("The length is not a multiple of 8 bits");
  return bits / 8;
};

const hkdfBits = ({ hash, salt, info }, key, bits) => {
  const out = cryptoHkdf(hash, key.material, salt, info, bytesOf(bits));
  if (out === undefined) throw operationError(`HKDF with ${hash} gives no ${bits} bits`);
  return out;
};

const pbkdf2Bits = ({ hash, iterations, salt }, key, bits) => {
  const out = new Uint8Array(bytesOf(bits));
  if (iterations === 0) throw operationError("PBKDF2 needs one iteration or more");
  cryptoPbkdf2(hash, key.material, salt, iterations, out);
  return out;
};

const kdf = (name, members, run) => ({
  name,
  importKey: { run: importKey(name) },
  keyLength: { run: () => null },
  deriveBits: { members, run },
});

export const hkdf = kdf("HKDF", [["hash", hash, true], ["info", bytes, true], ["salt", bytes, true]], hkdfBits);
export const pbkdf2 = kdf("PBKDF2", [["hash", hash, true], ["iterations", unsignedLong, true], ["salt", bytes, true]], pbkdf2Bits);
