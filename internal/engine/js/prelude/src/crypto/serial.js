// JSON Web Keys as bytes that can be encrypted, and back (Web Cryptography,
// sections 14.3.11 and 14.3.12).
import { ascii } from "./bytes.js";
import { isObject } from "./convert.js";
import { dataError } from "./errors.js";
import { toJwk } from "./jwk.js";
import { parse, setPrototypeOf, stringify } from "./primordials.js";

const { cryptoText } = host;

// The keys' texts are written one by one, so that no toJSON of the guest's runs.
const list = (strings) => {
  let text = "";
  for (let i = 0; i < strings.length; i++) text += (i > 0 ? "," : "") + stringify(strings[i]);
  return `[${text}]`;
};

export const toJson = (jwk) => {
  let text = "";
  for (const name in jwk) {
    const value = jwk[name];
    text += `${text === "" ? "" : ","}${stringify(name)}:${isObject(value) ? list(value) : stringify(value)}`;
  }
  return ascii(`{${text}}`);
};

export const fromJson = (what, bytes) => {
  let value;
  try {
    value = parse(cryptoText(bytes));
  } catch {
    throw dataError("What was encrypted is not JSON");
  }
  if (!isObject(value)) throw dataError("What was encrypted is not a JSON Web Key");
  setPrototypeOf(value, null);
  return toJwk(what, value);
};
