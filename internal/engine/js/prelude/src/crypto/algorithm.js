// Normalising an algorithm (Web Cryptography, section 18.4).
import { dictionary, isObject, text } from "./convert.js";
import { notSupported } from "./errors.js";
import { upperCase } from "./primordials.js";

// operations has for each operation the algorithms that know it, by their
// names in upper case.
const operations = { __proto__: null };

// register adds an algorithm: its name, and for each operation the members of
// its parameters' dictionary and the function that runs it.
export const register = (algorithm) => {
  for (const operation of Object.keys(algorithm)) {
    if (operation === "name") continue;
    const { members = [], run } = algorithm[operation];
    const known = (operations[operation] ??= { __proto__: null });
    known[upperCase(algorithm.name)] = { name: algorithm.name, members: [["name", text, true], ...members], run };
  }
};

const nameMember = [["name", text, true]];

// known is the entry of an algorithm for an operation, if it has one.
export const known = (operation, name) => operations[operation]?.[upperCase(name)];

// toIdentifier is the conversion to (object or DOMString).
export const toIdentifier = (what, value) => (isObject(value) ? value : text(what, value));

// normalize returns {name, parameters, run}, or undefined when the algorithm
// does not know the operation.
const tryNormalize = (what, operation, algorithm) => {
  const isName = typeof algorithm === "string";
  const { name } = isName ? { name: algorithm } : dictionary(what, algorithm, nameMember);
  const entry = known(operation, name);
  if (entry === undefined) return undefined;
  const parameters = dictionary(what, isName ? { __proto__: null, name } : algorithm, entry.members);
  parameters.name = entry.name;
  return { name: entry.name, parameters, run: entry.run };
};

export const normalize = (what, operation, algorithm, instead) => {
  const normal = tryNormalize(what, operation, algorithm) ?? (instead && tryNormalize(what, instead, algorithm));
  if (normal === undefined) throw notSupported(`${what}: there is no such algorithm for this`);
  return normal;
};

// hash converts a HashAlgorithmIdentifier to the hash's name.
export const hash = (what, value) => normalize(what, "digest", toIdentifier(what, value)).name;
