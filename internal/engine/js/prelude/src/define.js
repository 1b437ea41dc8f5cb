// define puts members on the global object as Web IDL has interfaces and
// operations of it: writable and configurable, interfaces not enumerable
// (Web IDL, section 3.7.3), functions enumerable (section 3.7.7).
import { learn } from "./dom/platform.js";

export const define = (members, { enumerable = false } = {}) => {
  for (const [name, value] of Object.entries(members)) {
    learn(value);
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable, configurable: true });
  }
};
