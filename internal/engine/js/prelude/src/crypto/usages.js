// Which usages a key may have (Web Cryptography, the steps of each algorithm).
import { syntaxError } from "./errors.js";

// refuseOthers throws if usages has one that is not in list.
export const refuseOthers = (usages, list) => {
  const allowed = { __proto__: null };
  for (let i = 0; i < list.length; i++) allowed[list[i]] = true;
  for (const usage in usages) if (!allowed[usage]) throw syntaxError(`A key of this type cannot be used to ${usage}`);
};
