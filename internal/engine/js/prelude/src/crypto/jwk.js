// JSON Web Key (RFC 7517), as Web Cryptography uses it (section 15).
import { dataError } from "./errors.js";
import { boolean, dictionary, sequenceOf, text } from "./convert.js";
import { fromBase64, matches, toBase64 } from "./primordials.js";

// The members that some algorithm here looks at, in the order of Web IDL.
const members = [
  ["alg", text], ["crv", text], ["d", text], ["ext", boolean], ["k", text], ["key_ops", sequenceOf(text)],
  ["kty", text], ["use", text], ["x", text], ["y", text],
];
export const toJwk = (what, value) => dictionary(what, value, members);

const options = { __proto__: null, alphabet: "base64url", omitPadding: true };
export const encode = (bytes) => toBase64(bytes, options);

// decode is the bytes of the member name.
export const decode = (jwk, name) => {
  const value = jwk[name];
  if (value === undefined || !matches(/^[A-Za-z0-9_-]*$/, value)) throw dataError(`The JSON Web Key's member ${name} is missing or is not base64url`);
  try {
    return fromBase64(value, options);
  } catch {
    throw dataError(`The JSON Web Key's member ${name} is not base64url`);
  }
};

// check holds against what is imported what every type of key has: kty, use,
// key_ops and ext.
export const check = (jwk, kty, use, extractable, usages) => {
  if (jwk.kty !== kty) throw dataError(`The JSON Web Key's kty is not ${kty}`);
  if (jwk.use !== undefined && jwk.use !== use) throw dataError(`The JSON Web Key's use is not ${use}`);
  if (jwk.key_ops !== undefined) checkOperations(jwk.key_ops, usages);
  if (jwk.ext === false && extractable) throw dataError("The JSON Web Key may not be extractable");
};

const checkOperations = (list, usages) => {
  const allowed = { __proto__: null };
  for (let i = 0; i < list.length; i++) {
    if (allowed[list[i]]) throw dataError("The JSON Web Key's key_ops name an operation twice");
    allowed[list[i]] = true;
  }
  for (const usage in usages) if (!allowed[usage]) throw dataError(`The JSON Web Key's key_ops do not allow ${usage}`);
};

// checkName holds a member against the one value that it may have.
export const checkName = (jwk, member, ...allowed) => {
  if (jwk[member] === undefined) return;
  for (let i = 0; i < allowed.length; i++) if (jwk[member] === allowed[i]) return;
  throw dataError(`The JSON Web Key's ${member} is not ${allowed[0]}`);
};
