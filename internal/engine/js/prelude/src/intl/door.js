// Where Intl comes in. It is three times as large as all the rest, so its bundle
// is evaluated when the heap image is made, and where there is no image when it
// is first used.
import "./locale-strings.js";
import { intl } from "./load.js";

const shape = { enumerable: false, configurable: true };
const put = (value) => { Object.defineProperty(globalThis, "Intl", { ...shape, value, writable: true }); };

host.completeIntl = () => {
  const { Intl, parseAll } = intl();
  parseAll();
  put(Intl);
};

Object.defineProperty(globalThis, "Intl", { ...shape, get() { return intl().Intl; }, set: put });
